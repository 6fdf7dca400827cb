//! AWS's limits on an account's calls, as token buckets. Time is an argument.
//!
//! 'Throttling for Amazon Route 53 API requests' in AWS's Developer Guide gives requests a burst
//! of 50 and a refill of 10/s, over all operations and again for each. Its table for changes
//! was not to be had; burst 1,500 and refill 100/s are what the rate limiter of ncode/dans uses.

use super::service::Operation;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

/// How big a bucket is and how fast it fills again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    pub burst: f64,
    pub per_second: f64,
}

/// A bucket that is full at first.
#[derive(Debug, Clone)]
pub struct TokenBucket {
    limit: Limit,
    level: f64,
    filled: Option<Instant>,
}

impl TokenBucket {
    pub fn new(limit: Limit) -> TokenBucket {
        TokenBucket {
            limit,
            level: limit.burst,
            filled: None,
        }
    }

    /// Whether this many tokens are there at this time. Takes none.
    pub fn has(&mut self, tokens: f64, now: Instant) -> bool {
        // Requests may be judged in another order than they came in.
        if let Some(past) = self.filled.map(|then| now.saturating_duration_since(then)) {
            let gained = past.as_secs_f64() * self.limit.per_second;
            self.level = (self.level + gained).min(self.limit.burst);
        }
        self.filled = self.filled.max(Some(now));
        self.level >= tokens
    }

    /// Takes the tokens if they are there.
    pub fn take(&mut self, tokens: f64, now: Instant) -> bool {
        let there = self.has(tokens, now);
        if there {
            self.level -= tokens;
        }
        there
    }
}

/// The buckets of one AWS account, which all its callers and zones share.
#[derive(Debug)]
pub struct AccountBuckets {
    buckets: Mutex<Buckets>,
}

#[derive(Debug)]
struct Buckets {
    requests: Limit,
    all: TokenBucket,
    each: BTreeMap<Operation, TokenBucket>,
    changes: TokenBucket,
}

impl Default for AccountBuckets {
    fn default() -> AccountBuckets {
        AccountBuckets::with_limits(
            Limit {
                burst: 50.0,
                per_second: 10.0,
            },
            Limit {
                burst: 1_500.0,
                per_second: 100.0,
            },
        )
    }
}

impl AccountBuckets {
    /// AWS's own limits.
    pub fn new() -> AccountBuckets {
        AccountBuckets::default()
    }

    pub fn with_limits(requests: Limit, changes: Limit) -> AccountBuckets {
        AccountBuckets {
            buckets: Mutex::new(Buckets {
                requests,
                all: TokenBucket::new(requests),
                each: BTreeMap::new(),
                changes: TokenBucket::new(changes),
            }),
        }
    }

    /// Counts a request, or says in AWS's words why it is one too many. Such a one costs nothing.
    pub fn request(&self, operation: Operation, now: Instant) -> Result<(), String> {
        let mut buckets = self.buckets.lock().unwrap();
        let Buckets {
            requests,
            all,
            each,
            ..
        } = &mut *buckets;
        let own = each
            .entry(operation)
            .or_insert_with(|| TokenBucket::new(*requests));
        if !all.has(1.0, now) {
            return Err("Rate exceeded".to_owned());
        }
        if !own.take(1.0, now) {
            return Err(too_fast(operation));
        }
        all.take(1.0, now);
        Ok(())
    }

    /// Counts the changes of a batch, an UPSERT as two.
    pub fn changes(&self, count: usize, now: Instant) -> Result<(), String> {
        let mut buckets = self.buckets.lock().unwrap();
        if buckets.changes.take(count as f64, now) {
            Ok(())
        } else {
            Err(too_fast(Operation::ChangeResourceRecordSets))
        }
    }
}

fn too_fast(operation: Operation) -> String {
    format!("Rate for operation {} exceeded", operation.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const OPERATION: Operation = Operation::ListResourceRecordSets;

    #[test]
    fn a_burst_is_let_through_and_then_the_rate() {
        let start = Instant::now();
        let buckets = AccountBuckets::new();
        for _ in 0..50 {
            assert_eq!(buckets.request(OPERATION, start), Ok(()));
        }
        let refusal = Err("Rate exceeded".to_owned());
        assert_eq!(buckets.request(OPERATION, start), refusal);
        let later = start + Duration::from_millis(99);
        assert_eq!(buckets.request(OPERATION, later), refusal);
        let later = start + Duration::from_millis(101);
        assert_eq!(buckets.request(OPERATION, later), Ok(()));
        assert_eq!(buckets.request(OPERATION, later), refusal);
    }

    #[test]
    fn changes_have_a_bucket_of_their_own() {
        let start = Instant::now();
        let buckets = AccountBuckets::new();
        assert_eq!(buckets.changes(1_000, start), Ok(()));
        let refusal = "Rate for operation ChangeResourceRecordSets exceeded";
        assert_eq!(buckets.changes(501, start), Err(refusal.to_owned()));
        assert_eq!(buckets.changes(500, start), Ok(()));
        let later = start + Duration::from_millis(3_010);
        assert_eq!(buckets.changes(301, start), Err(refusal.to_owned()));
        assert_eq!(buckets.changes(301, later), Ok(()));
    }

    #[test]
    fn a_bucket_never_holds_more_than_its_burst() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(Limit {
            burst: 2.0,
            per_second: 1.0,
        });
        assert!(bucket.take(1.0, start));
        let later = start + Duration::from_secs(3_600);
        assert!(!bucket.has(2.1, later));
        assert!(bucket.take(2.0, later));
        // A request that came in earlier but is judged later gets nothing for the past.
        assert!(!bucket.take(0.1, start));
    }
}
