//! Takes secrets out of text before it is shown.
//!
//! A server may quote what was sent to it: whole or in part, decoded, or encoded once more. So the
//! redactor knows the pieces of every [`Secret`](crate::base::secret::Secret) in use, in each form
//! that a quotation may have, and hides the words in which it finds one. Whatever makes text from
//! outside safe to show (the log, the pages, the terminal) calls [`redact`] first, and whatever reads
//! an error of a server calls [`shortened`].

mod forms;
mod pieces;
mod unescape;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use pieces::{Care, Pieces};
use unescape::View;

/// Secrets that are no longer in use but still hidden, the latest ones: their message may come late.
const MAX_UNUSED: usize = 8;
/// How many times one in another a text may be escaped, so that a secret is still found in it.
const MAX_ESCAPES: usize = 3;
/// Longer texts, in bytes, are unescaped once only, which bounds the work for a hostile text.
const MAX_DEEP: usize = 16 * 1024;
/// What is shown in the place of a secret.
const HIDDEN: &str = "…";

/// A secret text, which may start with something that is no secret.
#[derive(PartialEq, Eq)]
pub struct Hidden {
    /// The whole text.
    pub text: String,
    /// Where the secret starts in it, in bytes.
    pub start: usize,
    /// It consists of words that may stand in other text, too, so that it is only hidden as a whole.
    pub is_words: bool,
}

/// All secrets in use, and their pieces.
#[derive(Default)]
struct Registry {
    secrets: Vec<Arc<Hidden>>,
    /// `None` if they have to be made anew.
    pieces: Option<Arc<Pieces>>,
}

impl Registry {
    const EMPTY: Registry = Registry {
        secrets: Vec::new(),
        pieces: None,
    };

    fn add(&mut self, hidden: Hidden) -> Arc<Hidden> {
        if let Some(known) = self.secrets.iter().find(|known| ***known == hidden) {
            return known.clone();
        }
        let hidden = Arc::new(hidden);
        let is_unused = |secret: &Arc<Hidden>| Arc::strong_count(secret) == 1;
        let unused = self.secrets.iter().filter(|secret| is_unused(secret));
        let mut too_many = unused.count().saturating_sub(MAX_UNUSED);
        self.secrets.retain(|secret| {
            let is_dropped = too_many > 0 && is_unused(secret);
            too_many -= usize::from(is_dropped);
            !is_dropped
        });
        self.secrets.push(hidden.clone());
        self.pieces = None;
        hidden
    }

    fn pieces(&mut self) -> Arc<Pieces> {
        let secrets = &self.secrets;
        let make = || Arc::new(Pieces::of(secrets.iter().map(|secret| &**secret)));
        self.pieces.get_or_insert_with(make).clone()
    }
}

/// One registry for the process, so that no secret can be forgotten. Unit tests have one for each
/// test, since they run at the same time and each has its secrets.
#[cfg(not(test))]
fn with_registry<T>(act: impl FnOnce(&mut Registry) -> T) -> T {
    static REGISTRY: std::sync::Mutex<Registry> = std::sync::Mutex::new(Registry::EMPTY);
    act(&mut crate::base::lock::lock(&REGISTRY))
}

#[cfg(test)]
fn with_registry<T>(act: impl FnOnce(&mut Registry) -> T) -> T {
    use std::cell::RefCell;
    thread_local!(static REGISTRY: RefCell<Registry> = const { RefCell::new(Registry::EMPTY) });
    REGISTRY.with_borrow_mut(act)
}

/// Hides a secret from now on in all that is shown.
pub fn add(hidden: Hidden) -> Arc<Hidden> {
    with_registry(|registry| registry.add(hidden))
}

/// A text of this program, which may quote others, without the secrets in use: a word that has a
/// piece of one in it is shown as `…`.
pub fn redact(text: &str) -> Cow<'_, str> {
    without(text, &with_registry(Registry::pieces), Care::NoWords)
}

/// The start of a text from outside, without the secrets in use: at most so many characters, and a
/// sign if there are more. Secrets are looked for before the text is cut, since part of a secret may
/// not be found.
pub fn shortened(text: &str, max_characters: usize) -> String {
    let text = without(text, &with_registry(Registry::pieces), Care::All);
    cut(&text, max_characters)
}

/// The start of a text: at most so many characters, and a sign if there are more.
pub fn cut(text: &str, max_characters: usize) -> String {
    match text.char_indices().nth(max_characters) {
        Some((end, _)) => format!("{}{HIDDEN}", &text[..end]),
        None => text.to_owned(),
    }
}

fn without<'a>(text: &'a str, pieces: &Pieces, care: Care) -> Cow<'a, str> {
    if pieces.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut found = pieces.found_in(text.as_bytes(), care);
    let depth = if text.len() > MAX_DEEP {
        1
    } else {
        MAX_ESCAPES
    };
    let may_be_escaped = text.contains(unescape::MARKS);
    let mut views = may_be_escaped
        .then(|| View::of(text))
        .map_or(Vec::new(), |view| view.unescaped());
    for _ in 0..depth {
        let mut next = Vec::new();
        for view in views {
            let in_view = pieces.found_in(view.bytes(), care).into_iter();
            found.extend(in_view.map(|place| view.origin(place)));
            next.extend(view.unescaped());
        }
        views = next;
    }
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(covered(text, found))
}

/// Shows `…` in place of these parts and of the words that they are in.
fn covered(text: &str, mut parts: Vec<Range<usize>>) -> String {
    parts.sort_unstable_by_key(|part| part.start);
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for part in parts {
        if part.end <= end {
            continue;
        }
        let part = whole_word(text, part);
        if part.start > end || end == 0 {
            shown.push_str(&text[end..part.start.max(end)]);
            shown.push_str(HIDDEN);
        }
        end = part.end.max(end);
    }
    shown.push_str(&text[end..]);
    shown
}

/// The part, extended over the word that it starts in and the one that it ends in: what stands next
/// to a piece of a secret is most likely another one.
fn whole_word(text: &str, part: Range<usize>) -> Range<usize> {
    let is_of_word = |c: char| c.is_alphanumeric() || "+/=_~%-".contains(c);
    let start = (0..=part.start).rev().find(|at| text.is_char_boundary(*at));
    let end = (part.end..=text.len()).find(|at| text.is_char_boundary(*at));
    let (start, end) = (start.unwrap_or(0), end.unwrap_or(text.len()));
    let before = text[..start].trim_end_matches(is_of_word);
    let after = text[end..].trim_start_matches(is_of_word);
    before.len()..text.len() - after.len()
}

#[cfg(test)]
mod tests;
