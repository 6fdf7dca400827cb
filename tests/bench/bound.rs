//! The least that AWS's limits and the program's own buckets allow: how many requests, and how long
//! they take with what a call takes. Reading metadata and thinking are not in it.

use std::time::Duration;

/// What each call of Route 53 takes here.
pub const LATENCY: Duration = Duration::from_millis(20);

/// `ResourceRecord` elements in a request. The other limit, 32,000 characters, is further away
/// in these worlds: a service has 3 elements, its two addresses and its entry in the state
/// record, and about 75 characters.
const MOST_RECORDS: usize = 1_000;
const RECORDS_OF_SERVICE: usize = 3;
/// Record sets in a page of a listing.
const PAGE: usize = 300;
/// Entries in a state record.
const ENTRIES: usize = 100;

/// Requests before the first change: the zone is looked up, its state records are listed, and
/// our part of it, which is empty.
const BEFORE: usize = 3;

/// So many at once after a quiet time, and so many a second.
#[derive(Clone, Copy)]
pub struct Limit {
    pub burst: f64,
    pub rate: f64,
}

impl Limit {
    /// When the last of so many has been let through.
    fn time(self, count: usize) -> Duration {
        Duration::from_secs_f64((count as f64 - self.burst).max(0.0) / self.rate)
    }
}

/// What AWS allows an account.
pub const REQUESTS: Limit = Limit {
    burst: 50.0,
    rate: 10.0,
};
pub const CHANGES: Limit = Limit {
    burst: 1_500.0,
    rate: 100.0,
};

/// What the program keeps to by default, so that there is something left for others.
const OWN_REQUESTS: Limit = Limit {
    burst: 10.0,
    rate: 5.0,
};
const OWN_CHANGES: Limit = Limit {
    burst: 1_000.0,
    rate: 100.0,
};

/// Services in a full batch.
const IN_BATCH: usize = MOST_RECORDS / RECORDS_OF_SERVICE;

fn batches(services: usize) -> usize {
    services.div_ceil(IN_BATCH)
}

/// How long one instance takes from its first batch on, if the account has no other limits: each
/// batch when the one before it is done and its own buckets let it through.
fn own_time(services: usize) -> Duration {
    let mut end = Duration::ZERO;
    let (mut left, mut changes, mut requests) = (services, 0, BEFORE);
    while left > 0 {
        let now = left.min(IN_BATCH);
        left -= now;
        // Entries are written in the batch of their record sets, a hundred to a state record.
        changes += now + now.div_ceil(ENTRIES);
        requests += 1;
        let may_start = OWN_CHANGES.time(changes).max(OWN_REQUESTS.time(requests));
        end = end.max(may_start) + LATENCY;
    }
    end
}

/// Requests that bring so many services into an empty zone.
pub fn first_requests(services: usize) -> usize {
    BEFORE + batches(services)
}

/// How long that takes so many instances on one account that start together, each in a zone of
/// its own.
pub fn first_time(instances: usize, services: usize) -> Duration {
    let changes = services + services.div_ceil(ENTRIES);
    let changes = CHANGES.time(instances * changes) + LATENCY;
    let requests = REQUESTS.time(instances * first_requests(services)) + LATENCY;
    LATENCY * BEFORE as u32 + own_time(services).max(changes).max(requests)
}

/// Requests of a resync: the state records are listed, and our part of the zone.
pub fn resync_requests(services: usize) -> usize {
    services.div_ceil(ENTRIES).div_ceil(PAGE) + services.div_ceil(PAGE)
}
