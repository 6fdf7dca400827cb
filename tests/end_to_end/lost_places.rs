//! Somebody else comes first: a record set that excludes our routed one is there when our batch is. That
//! is a lost compare-and-swap and no fault of ours, in whatever words Route 53 says it.

use crate::stage::{Stage, ZONE, each, prompt, world};
use crate::status;
use sim::route53::{self, GeoLocation, RecordSet};

const WEB: &str = "web.shop.prod.example.com.";
const ROUTING: &str = "io.rancher.service.external_dns_routing";

type Make = fn(RecordSet) -> RecordSet;

/// Our routing, and what comes first.
const CASES: [(&str, Make); 7] = [
    ("latency us-east-1", |set| {
        set.latency("theirs", "us-east-1")
    }),
    ("failover primary", |set| {
        set.primary("theirs").checked(CHECK)
    }),
    ("geolocation DE", |set| {
        set.geolocation("theirs", GeoLocation::country("DE"))
    }),
    ("multivalue", |set| set.weighted("theirs", 1)),
    ("weighted 5", |set| set.multivalue("theirs")),
    ("latency eu-west-1", |set| set.multivalue("theirs")),
    ("weighted 5", |set| set),
];
const CHECK: &str = "11111111-2222-3333-4444-555555555555";

/// A stage with the program on it, whose view of the zone is older than what somebody has made.
fn behind(routing: &str, first: RecordSet, old_error_form: bool) -> (Stage, sim::service::Service) {
    let options = route53::Options {
        old_error_form,
        ..route53::Options::default()
    };
    let stage = Stage::with(world(|_| {}), prompt(), options);
    stage.route53.add_health_check(CHECK);
    stage.rancher.change(|world| {
        world.add_service("shop", "other").run_on("h1", 80);
    });
    let service = stage.run();
    stage.expect_fqdn("shop", "other", "other.shop.prod.example.com");
    stage.settle();
    stage.route53.edit(ZONE, |zone| zone.put(first));
    stage.rancher.change(|world| {
        let web = world.add_service("shop", "web").run_on("h1", 80);
        web.label(ROUTING, routing);
        if routing.starts_with("failover") {
            web.label("io.rancher.service.external_dns_health_check", CHECK);
        }
    });
    (stage, service)
}

#[test]
fn who_comes_second_has_a_conflict_and_is_not_refused() {
    let cases = CASES
        .into_iter()
        .flat_map(|case| [(case, false), (case, true)]);
    each(cases, |((routing, make), old_error_form)| {
        let first = make(RecordSet::simple(WEB, "A", 300, &["192.0.2.99"]));
        let (stage, service) = behind(routing, first.clone(), old_error_form);
        let status = status::wait_until(&service, |status| {
            status["record_sets_in_conflict"] == 1 || status["record_sets_quarantined"] != 0
        });
        assert_eq!(
            status["record_sets_quarantined"], 0,
            "{routing} {old_error_form}"
        );
        assert!(
            stage.route53.record_sets(ZONE).contains(&first),
            "{routing}"
        );
    });
}

/// The group's TTL is taken, and the record set is there at once.
#[test]
fn who_comes_second_into_a_weighted_group_takes_its_ttl() {
    each([false, true], |old_error_form| {
        let first = RecordSet::simple(WEB, "A", 60, &["192.0.2.99"]).weighted("theirs", 1);
        let (stage, service) = behind("weighted 5", first, old_error_form);
        stage.expect_fqdn("shop", "web", WEB.trim_end_matches('.'));
        let status = status::wait_until(&service, |status| status["record_sets_owned"] == 2);
        assert_eq!(status["record_sets_quarantined"], 0, "{old_error_form}");
        let sets = stage.route53.record_sets(ZONE);
        let ours = sets
            .iter()
            .filter(|set| set.name == WEB && set.ttl == Some(60));
        assert_eq!(ours.count(), 2, "{sets:#?}");
    });
}
