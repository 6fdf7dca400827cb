//! Keeps what was made of each page, and gives it to everybody who asks within a second. So it doesn't
//! matter for the processor how many ask, and how often: anybody who reaches the ports may.
//!
//! A page of ten thousand services has megabytes. It is made piece by piece, as far as its fastest
//! reader has come, so that nobody else waits for more than a piece. Of each page there are at most two
//! copies: the newest, and the one before while somebody still takes it. As long as that goes on, which
//! the time limit of an answer bounds, the newest stays even if it is older than a second. Copies that
//! are too old to be given to anybody are freed by [`Pages::free_outdated`].

use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use crate::base::lock::lock;

/// For so long a page is given to all who ask for it.
pub const FRESH: Duration = Duration::from_secs(1);

/// What makes the pieces of a page, in order. No piece is empty.
pub type Source = Box<dyn Iterator<Item = String> + Send>;

/// The pages that are kept.
#[derive(Default)]
pub struct Pages {
    /// `/status`.
    pub html: Page,
    /// `/status.json`.
    pub json: Page,
    /// `/metrics`.
    pub metrics: Page,
}

impl Pages {
    /// Frees what is too old to be given to anybody. Those who are taking it can go on.
    pub fn free_outdated(&self, now: Instant) {
        for page in [&self.html, &self.json, &self.metrics] {
            page.free_outdated(now);
        }
    }
}

/// The copies of one page.
#[derive(Default)]
pub struct Page(Mutex<Copies>);

#[derive(Default)]
struct Copies {
    /// The newest, and when it was begun.
    newest: Option<(Instant, Arc<Rendering>)>,
    /// The one before.
    previous: Weak<Rendering>,
}

impl Page {
    /// The page as of at most a second ago. `begin` is called only if it has to be made anew.
    pub fn get(&self, now: Instant, begin: impl FnOnce() -> Source) -> Arc<Rendering> {
        let mut copies = lock(&self.0);
        if let Some((begun, newest)) = &copies.newest {
            if is_fresh(*begun, now) || copies.previous.strong_count() > 0 {
                return newest.clone();
            }
            copies.previous = Arc::downgrade(newest);
        }
        let rendering = Arc::new(Rendering::new(begin()));
        copies.newest = Some((now, rendering.clone()));
        rendering
    }

    fn free_outdated(&self, now: Instant) {
        let mut copies = lock(&self.0);
        let Copies { newest, previous } = &mut *copies;
        let outdated = newest.take_if(|(begun, rendering)| {
            // One that somebody takes must be known as long as another one may be as well.
            let may_be_forgotten =
                previous.strong_count() == 0 || Arc::strong_count(rendering) == 1;
            !is_fresh(*begun, now) && may_be_forgotten
        });
        if let Some((_, rendering)) = outdated
            && previous.strong_count() == 0
        {
            *previous = Arc::downgrade(&rendering);
        }
    }
}

fn is_fresh(begun: Instant, now: Instant) -> bool {
    now.saturating_duration_since(begun) < FRESH
}

/// A page as it was at one moment, as far as it has been made.
pub struct Rendering(Mutex<Pieces>);

struct Pieces {
    made: Vec<Arc<str>>,
    /// Makes the others; none if there are no more.
    source: Option<Source>,
}

impl Rendering {
    fn new(source: Source) -> Rendering {
        Rendering(Mutex::new(Pieces {
            made: Vec::new(),
            source: Some(source),
        }))
    }

    /// The piece at this index, which is made if nobody has asked for it yet; none after the last.
    /// No piece before it may be left out.
    fn piece(&self, index: usize) -> Option<Arc<str>> {
        let mut pieces = lock(&self.0);
        if index == pieces.made.len() {
            match pieces.source.as_mut()?.next() {
                Some(piece) => pieces.made.push(piece.into()),
                // It keeps the facts of which the page is made.
                None => pieces.source = None,
            }
        }
        pieces.made.get(index).cloned()
    }

    /// All pieces from the first on.
    pub fn pieces(self: Arc<Rendering>) -> impl Iterator<Item = Arc<str>> {
        (0..).map_while(move |index| self.piece(index))
    }
}

#[cfg(test)]
mod tests;
