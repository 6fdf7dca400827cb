//! The least that AWS's limits allow: how many requests, and how long they take. What it costs
//! to read metadata and to think isn't in it.

use std::time::Duration;

use super::stage::LATENCY;

/// `ResourceRecord` elements in a request. The other limit, 32,000 characters, is further away
/// in these worlds: a service has 3 elements and about 75 characters.
const MOST_RECORDS: usize = 1_000;
/// Record sets in a page of a listing.
const PAGE: usize = 300;
/// Entries in a state record.
const ENTRIES: usize = 100;
/// Changes that AWS allows an account at once, and a second.
const ACCOUNT: (f64, f64) = (1_500.0, 100.0);
/// And those that the program's own bucket allows: one full batch at once.
const PROGRAM: (f64, f64) = (1_000.0, 100.0);

/// The least for some work.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    pub requests: usize,
    /// Within the account's limits.
    pub time: Duration,
    /// Within what the program allows itself with its default settings.
    pub by_default: Duration,
}

/// Into an empty zone, for services of two addresses each.
pub fn first(services: usize) -> Bound {
    // The zone is looked up, its state records are listed, and our part of it.
    let before = 3;
    // Two addresses and an entry; a service's are in one batch.
    let batches = services.div_ceil(MOST_RECORDS / 3);
    let changes = services + services.div_ceil(ENTRIES);
    let time = |(burst, rate): (f64, f64)| {
        let given = Duration::from_secs_f64((changes as f64 - burst).max(0.0) / rate);
        LATENCY * before + (LATENCY * batches as u32).max(given + LATENCY)
    };
    Bound {
        requests: before as usize + batches,
        time: time(ACCOUNT),
        by_default: time(PROGRAM),
    }
}

/// One batch.
pub fn change() -> Bound {
    Bound {
        requests: 1,
        time: LATENCY,
        by_default: LATENCY,
    }
}

/// Requests of a resync: the state records are listed, and our part of the zone.
pub fn resync(services: usize) -> usize {
    services.div_ceil(ENTRIES).div_ceil(PAGE).max(1) + services.div_ceil(PAGE).max(1)
}
