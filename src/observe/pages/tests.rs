//! How often pages are made, and how long they are kept; counted, with time as an argument.

use super::*;
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts what is made: pages that were begun, and pieces.
#[derive(Default)]
struct Made {
    pages: Cell<usize>,
    pieces: Arc<AtomicUsize>,
}

impl Made {
    /// A page of three pieces that say the how-manieth it is.
    fn begin(&self) -> Source {
        self.pages.set(self.pages.get() + 1);
        let (page, pieces) = (self.pages.get(), self.pieces.clone());
        Box::new((0..3).map(move |piece| {
            pieces.fetch_add(1, Ordering::Relaxed);
            format!("{page}.{piece} ")
        }))
    }

    fn pieces(&self) -> usize {
        self.pieces.load(Ordering::Relaxed)
    }
}

fn text(page: Arc<Rendering>) -> String {
    page.pieces().map(|piece| piece.to_string()).collect()
}

fn at(start: Instant, ms: u64) -> Instant {
    start + Duration::from_millis(ms)
}

#[test]
fn whoever_asks_within_a_second_gets_the_same() {
    let (page, made, start) = (Page::default(), Made::default(), Instant::now());
    for (ms, expected) in [
        (0, 1),
        (1, 1),
        (999, 1),
        (1_000, 2),
        (1_999, 2),
        (2_500, 3),
        (3_499, 3),
        (60_000, 4),
    ] {
        for _ in 0..100 {
            let text = text(page.get(at(start, ms), || made.begin()));
            let expected = format!("{expected}.0 {expected}.1 {expected}.2 ");
            assert_eq!(text, expected, "after {ms} ms");
        }
    }
    assert_eq!((made.pages.get(), made.pieces()), (4, 12));
}

#[test]
fn it_is_made_as_far_as_the_fastest_reader_has_come_and_once() {
    let (page, made, start) = (Page::default(), Made::default(), Instant::now());
    let mut readers: Vec<_> = (0..50)
        .map(|_| page.get(start, || made.begin()).pieces())
        .collect();
    assert_eq!(made.pieces(), 0, "none before somebody takes it");
    let mut fastest = page.get(start, || made.begin()).pieces();
    assert_eq!(fastest.next().as_deref(), Some("1.0 "));
    assert_eq!(made.pieces(), 1);
    for reader in &mut readers {
        assert_eq!(reader.next().as_deref(), Some("1.0 "));
    }
    assert_eq!(made.pieces(), 1);
    for reader in readers {
        assert_eq!(reader.count(), 2);
    }
    assert_eq!((made.pages.get(), made.pieces()), (1, 3));
}

#[test]
fn of_each_page_there_are_two_copies_at_most_however_slow_its_readers_are() {
    let (page, made, start) = (Page::default(), Made::default(), Instant::now());
    let copies = Cell::new(Vec::new());
    let get = |ms| {
        let rendering = page.get(at(start, ms), || made.begin());
        let mut all = copies.take();
        all.push(Arc::downgrade(&rendering));
        let alive = all.iter().filter(|copy| copy.strong_count() > 0);
        let mut alive: Vec<_> = alive.map(Weak::as_ptr).collect();
        alive.dedup();
        assert!(alive.len() <= 2, "{} copies after {ms} ms", alive.len());
        copies.set(all);
        rendering
    };
    let first = get(0);
    let second = get(1_000);
    assert!(!Arc::ptr_eq(&first, &second));
    let third = get(9_000);
    assert!(Arc::ptr_eq(&second, &third), "the first is still taken");
    page.free_outdated(at(start, 9_000));
    assert!(Arc::ptr_eq(&second, &get(9_000)), "nor is it forgotten");
    drop(first);
    let fourth = get(9_001);
    assert!(!Arc::ptr_eq(&second, &fourth));
    drop((second, third, fourth));
    get(10_001);
    assert_eq!(made.pages.get(), 4);
}

#[test]
fn what_is_too_old_to_be_given_to_anybody_is_freed() {
    let (page, made, start) = (Page::default(), Made::default(), Instant::now());
    let copy = Arc::downgrade(&page.get(start, || made.begin()));
    page.free_outdated(at(start, 999));
    assert_eq!(copy.strong_count(), 1);
    page.free_outdated(at(start, 1_000));
    assert_eq!(copy.strong_count(), 0);

    // Who takes it gets all of it, and it still counts as the one before.
    let taken = page.get(at(start, 2_000), || made.begin());
    page.free_outdated(at(start, 3_000));
    let next = page.get(at(start, 3_000), || made.begin());
    page.free_outdated(at(start, 4_000));
    let same = page.get(at(start, 4_000), || made.begin());
    assert!(Arc::ptr_eq(&next, &same));
    assert_eq!(text(taken), "2.0 2.1 2.2 ");
    assert_eq!(made.pages.get(), 3);
}

#[test]
fn facts_are_kept_no_longer_than_there_are_pieces_to_make() {
    let (page, start) = (Page::default(), Instant::now());
    let facts = Arc::new(());
    let kept = facts.clone();
    let source = || -> Source { Box::new(std::iter::once_with(move || format!("{kept:?}"))) };
    let rendering = page.get(start, source);
    assert_eq!(Arc::strong_count(&facts), 2);
    assert_eq!(text(rendering), "()");
    assert_eq!(Arc::strong_count(&facts), 1);
}
