//! A purge of several batches that is stopped at any of them, in a zone with record sets of every
//! kind that are none of ours.

use std::time::Duration;

use super::ran;
use crate::stage::{PATIENCE, Stage, UUID, ZONE, each, web, world};
use sim::route53::{Fault, GeoLocation, Operation, RecordSet};
use sim::service::Service;

const CHANGE: Operation = Operation::ChangeResourceRecordSets;
/// Longer than any test takes.
const NEVER: Duration = Duration::from_secs(600);
/// So many as Route 53 allows a record set: two of them fill a batch.
const ADDRESSES: usize = 400;
const SERVICES: usize = 6;
const BATCHES: usize = 3;
const FAST: [(&str, &str); 1] = [("ROUTE53_CHANGE_RATE", "1000")];

/// In our own part of the zone, at and beside our names, and elsewhere.
fn strangers() -> Vec<RecordSet> {
    let simple = |name: &str, rtype: &str, values: &[&str]| {
        RecordSet::simple(&format!("{name}.example.com"), rtype, 60, values)
    };
    let a = |name: &str| simple(name, "A", &["192.0.2.7", "192.0.2.1"]);
    let alias = |name: &str, rtype: &str| {
        let name = format!("{name}.example.com");
        RecordSet::alias(
            &name,
            rtype,
            "Z35SXDOTRQ7X7K",
            "lb.us-east-1.elb.amazonaws.com",
        )
    };
    let known_as = |id: &str, set: RecordSet| RecordSet {
        set_identifier: Some(id.to_owned()),
        ..set
    };
    vec![
        a("prod"),
        a("other.shop.prod"),
        a("*.shop.prod"),
        a("a\\040b.shop.prod"),
        a("\\052\\056\\100.prod"),
        a("_dmarc"),
        simple("s0.shop.prod", "AAAA", &["2001:db8::2", "2001:DB8::1"]),
        simple("s1.shop.prod", "TXT", &["\"a \\\"b\\\" \\303\\244\" \"c\""]),
        simple("s2.shop.prod", "MX", &["10 mx.example.org."]),
        simple("www.prod", "CNAME", &["s0.shop.prod.example.com."]),
        simple(
            "external-dns-other",
            "TXT",
            &["\"other.shop.prod.example.com.\""],
        ),
        alias("alias.shop.prod", "A"),
        alias("s3.shop.prod", "AAAA"),
        a("weighted.shop.prod").weighted("one", 1),
        alias("weighted.shop.prod", "A").weighted("two", 255),
        RecordSet {
            region: Some("eu-west-1".to_owned()),
            health_check_id: Some("11111111-2222-3333-4444-555555555555".to_owned()),
            ..known_as("latency", a("latency.shop.prod"))
        },
        RecordSet {
            geo_location: Some(GeoLocation {
                country_code: Some("*".to_owned()),
                ..GeoLocation::default()
            }),
            ..known_as("geo", a("geo.shop.prod"))
        },
        RecordSet {
            failover: Some("SECONDARY".to_owned()),
            ..known_as("failover", a("failover.shop.prod"))
        },
        RecordSet {
            multi_value_answer: Some(true),
            ..known_as("multi", a("multi.shop.prod"))
        },
        RecordSet {
            ttl: None,
            values: Vec::new(),
            traffic_policy_instance_id: Some("policy-1".to_owned()),
            ..a("policy.shop.prod")
        },
    ]
}

/// A zone before the first run, and after it.
struct Zones {
    before: Vec<RecordSet>,
    after: Vec<RecordSet>,
}

impl Zones {
    fn new() -> Zones {
        let stage = Stage::new(world(|world| {
            for i in 0..ADDRESSES {
                world.add_host(&format!("x{i}"), &format!("10.1.{}.{}", i / 200, i % 200));
            }
            for i in 0..SERVICES {
                let service = world.add_service("shop", &format!("s{i}"));
                for host in 0..ADDRESSES {
                    service.run_on(&format!("x{host}"), 80);
                }
            }
        }));
        strangers().into_iter().for_each(|set| stage.put(set));
        let before = stage.route53.record_sets(ZONE);
        assert_eq!(ran(&stage.run_with(&["once"], &FAST)).code, 0);
        let after = stage.route53.record_sets(ZONE);
        // Each batch writes a state record of its own, and the first one that with the claim.
        assert_eq!(after.len(), before.len() + SERVICES + BATCHES + 1);
        Zones { before, after }
    }

    /// A stage with the zone as it is after the run.
    fn stage(&self) -> Stage {
        let stage = Stage::new(web());
        let sets = self.after.iter().cloned();
        stage
            .route53
            .edit(ZONE, |zone| sets.for_each(|set| zone.put(set)));
        stage
    }

    /// Strangers are as they were, and whatever else is left has an entry.
    fn are_intact(&self, stage: &Stage, case: &str) {
        let now = stage.route53.record_sets(ZONE);
        let is_state = |set: &RecordSet| set.name.starts_with(&format!("external-dns-{UUID}"));
        let records = now.iter().filter(|set| is_state(set));
        let entries: Vec<&String> = records.flat_map(|set| &set.values).collect();
        for set in &self.before {
            assert!(now.contains(set), "{case}: {set} has changed");
        }
        for set in now.iter().filter(|set| !self.before.contains(set)) {
            let is_listed = entries.contains(&&format!("\"{}\"", set.name));
            assert!(is_listed || is_state(set), "{case}: nobody owns {set}");
        }
    }
}

fn purge(stage: &Stage) -> Service {
    stage.run_with(&["purge", "--yes"], &FAST)
}

fn applied(stage: &Stage) -> usize {
    let requests = stage.route53.requests();
    requests.iter().filter(|request| request.applied).count()
}

#[test]
fn stopped_at_any_batch_it_is_finished_by_the_next() {
    let zones = Zones::new();
    // The batch never arrives, or its answer doesn't.
    let (before, after) = (Fault::Hang(NEVER), Fault::Delay(NEVER));
    let ways: [(_, fn(&Service), _); 3] = [
        (before, Service::kill, None),
        (after.clone(), Service::kill, None),
        (after, Service::terminate, Some(0)),
    ];
    let cases = (0..BATCHES).flat_map(|batch| ways.clone().map(|way| (batch, way)));
    each(cases, |(batch, (fault, stop, code))| {
        let case = format!("stopped at batch {batch}, {fault:?}, exit code {code:?}");
        let stage = zones.stage();
        let at_once = Fault::Delay(Duration::ZERO);
        stage.route53.inject(Some(CHANGE), at_once, batch);
        stage.route53.inject(Some(CHANGE), fault.clone(), 1);
        let service = purge(&stage);
        let has_come = stage.route53.wait_until(PATIENCE, |state| {
            let mut requests = state.requests().iter();
            requests.any(|request| request.fault.as_ref() == Some(&fault))
        });
        assert!(has_come, "{case}");
        stop(&service);
        let status = service.wait(PATIENCE).expect("an end");
        assert_eq!(status.code(), code, "{case}");
        let expected = batch + usize::from(!fault.prevents());
        assert_eq!(applied(&stage), expected, "{case}");
        zones.are_intact(&stage, &case);

        stage.route53.clear_faults();
        let ran = ran(&purge(&stage));
        assert_eq!(ran.code, 0, "{case}: {}", ran.stderr);
        assert_eq!(stage.route53.record_sets(ZONE), zones.before, "{case}");
        let in_all = applied(&stage);
        assert_eq!(
            in_all, BATCHES,
            "{case}: as many as if nothing had happened"
        );
    });
}
