//! What kind of a stage it is.

use std::time::Duration;

use sim::route53;

use crate::chaos::random::Random;
use crate::chaos::record::TTL;

pub fn settings(random: &mut Random, temper: &Temper) -> Vec<(&'static str, String)> {
    vec![
        // The least there is: what others have changed is repaired then. Or next to never.
        (
            "RESYNC_INTERVAL",
            if temper.is_alone { "3000" } else { "10" }.to_owned(),
        ),
        ("ROUTE53_REQUEST_RATE", "50".to_owned()),
        ("ROUTE53_CHANGE_RATE", "1000".to_owned()),
        (
            "ROUTE53_MAX_RETRIES",
            random.pick(&["0", "1", "3"]).to_owned(),
        ),
        ("TTL", TTL.to_string()),
        ("DELETE_GUARD_MIN", "10".to_owned()),
        ("DELETE_GUARD_HOLD", "1".to_owned()),
    ]
}

pub fn options(random: &mut Random, temper: &Temper) -> route53::Options {
    let is_limited = random.chance(25) && !temper.has_large_crowds;
    let limits = is_limited.then(route53::AccountBuckets::new);
    route53::Options {
        latency: Duration::from_millis(match temper.has_large_crowds {
            true => random.pick(&[20, 60]), // to strike between two batches
            false => random.pick(&[0, 5, 20, 60]),
        }),
        buckets: limits.map(std::sync::Arc::new),
        old_error_form: random.chance(50),
        ..route53::Options::default()
    }
}

/// What kind of a stage it is: of what there is much and of what little.
pub struct Temper {
    /// What may happen, with its weight.
    pub weights: Vec<(usize, What)>,
    /// There are two instances all the time, not now and then.
    pub has_twins: bool,
    /// Plans that take several batches.
    pub has_large_crowds: bool,
    /// Nobody else touches the zone, and Route 53 refuses nothing without a reason: no resync is
    /// needed to come right.
    pub is_alone: bool,
    /// In the end only other people are at work, so that nothing makes the program look at the
    /// zone but the time.
    pub ends_quietly: bool,
}

#[derive(Clone, Copy)]
pub enum What {
    Deed,
    Edit,
    Route53,
    Metadata,
    Restart,
    Api,
    Kill,
    Terminate,
    Second,
    /// A restart with other settings.
    Regime,
    /// IAM denies something for a while.
    Deny,
    /// The zone is made anew.
    Anew,
    /// Another Rancher server keeps the state records for a while.
    Claim,
    /// Route 53 throttles in the middle of a long plan, and something else is wanted meanwhile.
    Throttle,
}

impl Temper {
    pub fn random(random: &mut Random) -> Temper {
        let (little, much) = (random.pick(&[0, 1]), random.pick(&[1, 2]));
        let is_alone = random.chance(25);
        let has_large_crowds = random.chance(25);
        let edits = if is_alone { 0 } else { 18 };
        let kills = if has_large_crowds { 20 } else { 6 };
        let throttles = if has_large_crowds { 15 } else { 0 };
        // Of what comes right at a resync only.
        let others = |usual: usize| if is_alone { 0 } else { usual };
        let mut weight = |usual: usize| usual * random.pick(&[little, 1, 1, much]);
        let weights = vec![
            (42, What::Deed),
            (weight(edits), What::Edit),
            (weight(20), What::Route53),
            (weight(12), What::Metadata),
            (weight(3), What::Restart),
            (weight(12), What::Api),
            (weight(kills), What::Kill),
            (1, What::Terminate),
            (3, What::Second),
            (weight(5), What::Regime),
            (weight(others(5)), What::Deny),
            (weight(others(3)), What::Anew),
            (weight(others(3)), What::Claim),
            (weight(throttles), What::Throttle),
        ];
        Temper {
            weights,
            has_twins: random.chance(35),
            has_large_crowds,
            is_alone,
            ends_quietly: !is_alone && random.chance(30),
        }
    }
}
