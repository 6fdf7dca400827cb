//! Takeovers beside other owners who write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use sim::http::{Request, Server};
use sim::route53::RecordSet;

use super::*;

const OLD: &str = "old.prod.example.com.";

/// What isn't taken over because others write all the time is taken over later, and holds nothing else
/// back.
#[test]
fn what_is_taken_over_waits_until_no_other_owner_writes() {
    for (adopt, new, at_last) in [
        // No service wants it, so it is deleted.
        (AdoptSetting::Legacy, "web.prod.example.com", false),
        (AdoptSetting::Matching, OLD, true),
    ] {
        let mut stage = Stage::new();
        let route53 = Arc::new(Route53::start(Options::default()));
        route53.add_zone(ZONE, DOMAIN, false);
        let (is_busy, generation) = (Arc::new(AtomicBool::new(true)), AtomicU32::new(1 << 30));
        let others_write = {
            let (route53, is_busy) = (route53.clone(), is_busy.clone());
            move |request: &Request| {
                if request.method == "GET" && is_busy.load(Ordering::SeqCst) {
                    let ttl = generation.fetch_add(1, Ordering::SeqCst);
                    let name = format!("external-dns-other.{DOMAIN}.");
                    let record = RecordSet::simple(&name, "TXT", ttl, &["\"x.example.com.\""]);
                    route53.edit(ZONE, |zone| zone.put(record));
                }
                route53.handler().handle(request)
            }
        };
        let server = Server::start(Arc::new(others_write));
        stage.reconciler.client = client(&server.url(), 1_000.0, &stage.reconciler.telemetry);
        stage.reconciler.settings.adopt = adopt;
        let old = RecordSet::simple(OLD, "A", 300, &["192.0.2.9"]);
        route53.edit(ZONE, |zone| zone.put(old.clone()));
        let has = |name: &str| {
            let sets = route53.record_sets(ZONE).into_iter();
            sets.filter(|set| set.rtype == "A" && set.name == name)
                .collect::<Vec<_>>()
        };

        let wanted = desired(&[new, "first.prod.example.com"]);
        let round = stage.round(&wanted, 0);
        assert_eq!(has(OLD), std::slice::from_ref(&old), "{adopt:?}");
        assert_eq!(has("first.prod.example.com.").len(), 1, "{adopt:?}");
        assert_eq!(round.conflicts, [], "{adopt:?}");
        assert!(round.takeover_waits, "{adopt:?}");
        stage.reconciler.resync();
        stage.round(&wanted, 300);
        assert_eq!(has(OLD), std::slice::from_ref(&old), "{adopt:?}");

        stage.reconciler.resync();
        let goal = Goal {
            environment: &stage.environment,
            desired: &wanted,
            read: stage.start,
        };
        let preview = stage.reconciler.preview(goal).map(|preview| preview.plan);
        assert_eq!(preview, Err(RoundError::TakeoverWaits), "{adopt:?}");

        is_busy.store(false, Ordering::SeqCst);
        stage.reconciler.resync();
        let round = stage.round(&wanted, 600);
        assert!(!round.takeover_waits, "{adopt:?}");
        assert_eq!(!has(OLD).is_empty(), at_last, "{adopt:?}");
        assert_ne!(has(OLD), [old], "{adopt:?}");
    }
}
