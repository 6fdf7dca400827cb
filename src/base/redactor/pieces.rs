//! The pieces by which secrets are recognised: all runs of a few characters of each form.

use std::ops::Range;

use super::Hidden;
use super::forms::forms;

/// Bytes of a piece. Fewer are found in harmless words, too: `EXAMPLE` has seven.
const PIECE: usize = 8;
/// Shorter secrets, in bytes, aren't hidden where they stand plain: too many words are like them.
const MIN_SECRET: usize = 4;
/// Bits of the filter, a power of two. Its 8 kB stay in the processor's fastest cache.
const FILTER_BITS: u32 = 16;

/// Which pieces are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// All of them.
    All,
    /// Those that are no word and no number. Where the program's own words are among the text, they
    /// must stay, although somebody may have chosen one of them for a password.
    NoWords,
}

impl Care {
    fn takes(self, piece: &[u8]) -> bool {
        let is_word = |is_of_kind: fn(&u8) -> bool| piece.iter().all(is_of_kind);
        self == Care::All
            || !(is_word(u8::is_ascii_lowercase)
                || is_word(u8::is_ascii_uppercase)
                || is_word(u8::is_ascii_digit))
    }
}

/// The pieces of all forms of some secrets.
#[derive(Default)]
pub struct Pieces {
    /// Each piece as a number, in ascending order.
    numbers: Vec<u64>,
    /// One bit for the hash of each piece, since nearly all text has none of them.
    filter: Vec<u64>,
    /// Secrets that are shorter than a piece, or consist of ordinary words. They are found only where
    /// the whole secret stands by itself.
    whole: Vec<Vec<u8>>,
}

impl Pieces {
    /// The pieces of these secrets.
    pub fn of<'a>(secrets: impl Iterator<Item = &'a Hidden>) -> Pieces {
        let mut pieces = Pieces::default();
        for hidden in secrets {
            let (text, secret) = (hidden.text.as_bytes(), &hidden.text[hidden.start..]);
            if secret.is_empty() {
                continue;
            }
            if hidden.is_words || (MIN_SECRET..PIECE).contains(&secret.len()) {
                pieces.whole.push(secret.as_bytes().to_vec());
            }
            let mut forms = forms(secret);
            forms.retain(|form| !(hidden.is_words && form == secret.as_bytes()));
            for form in forms {
                pieces.numbers.extend(form.windows(PIECE).map(number));
            }
            // Those that start before the secret, in what is no secret itself.
            let from = (hidden.start + 1).saturating_sub(PIECE);
            let to = text.len().min(hidden.start + PIECE - 1);
            if hidden.start > 0 {
                pieces
                    .numbers
                    .extend(text[from..to].windows(PIECE).map(number));
            }
        }
        pieces.numbers.sort_unstable();
        pieces.numbers.dedup();
        pieces.filter = vec![0; (1 << FILTER_BITS) / 64];
        for number in &pieces.numbers {
            let (word, bit) = place(*number);
            pieces.filter[word] |= bit;
        }
        pieces
    }

    /// Whether there are no pieces at all.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.whole.is_empty()
    }

    /// Where a text has pieces in it, in bytes. Parts that touch are one.
    pub fn found_in(&self, text: &[u8], care: Care) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        let (first, _) = text.split_at(text.len().min(PIECE - 1));
        let mut number = number(first);
        for (start, window) in text.windows(PIECE).enumerate() {
            number = next_number(number, window[PIECE - 1]);
            if self.has(number) && care.takes(window) {
                match found.last_mut() {
                    Some(last) if start <= last.end => last.end = start + PIECE,
                    _ => found.push(start..start + PIECE),
                }
            }
        }
        for secret in &self.whole {
            let windows = text.windows(secret.len()).enumerate();
            let whole = windows.filter(|(start, window)| {
                let is_of_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
                let before = start.checked_sub(1).and_then(|at| text.get(at));
                window == secret
                    && care.takes(window)
                    && !is_of_word(before)
                    && !is_of_word(text.get(start + secret.len()))
            });
            found.extend(whole.map(|(start, _)| start..start + secret.len()));
        }
        found
    }

    fn has(&self, number: u64) -> bool {
        let (word, bit) = place(number);
        self.filter[word] & bit != 0 && self.numbers.binary_search(&number).is_ok()
    }
}

/// A piece as a number.
fn number(piece: &[u8]) -> u64 {
    piece
        .iter()
        .fold(0, |number, byte| next_number(number, *byte))
}

/// The number of the piece that starts one byte later and ends with this byte.
fn next_number(number: u64, last: u8) -> u64 {
    number >> 8 | u64::from(last) << (8 * (PIECE - 1))
}

/// The word and the bit of the filter for a piece.
fn place(number: u64) -> (usize, u64) {
    // The multiplier of Fibonacci hashing, 2^64 divided by the golden ratio.
    let hash = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - FILTER_BITS);
    ((hash / 64) as usize, 1 << (hash % 64))
}
