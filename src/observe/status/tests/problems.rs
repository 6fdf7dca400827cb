//! What counts as a problem, and what is only seen.

use super::*;

#[test]
fn all_is_well_until_something_is_not() {
    let mut status = empty();
    status.last_success = Some(ago(1));
    assert!(
        page("/status", &status)
            .1
            .contains(">All is well. No service asks for a name.</h2>")
    );
    status.stuck_for = Some(95);
    let text = page("/status", &status).1;
    assert!(!text.contains("All is well"));
    assert!(text.contains("<li><p>The loop is stuck: it last got on 95 s ago."));
    for part in Dependency::ALL {
        let mut status = empty();
        status
            .record
            .health_mut(part)
            .record_failure("why".to_owned(), ago(1));
        let [problem] = &status.problems()[..] else {
            panic!("one problem");
        };
        assert_eq!(problem.words, part.trouble());
        assert_eq!(problem.reason.as_deref(), Some("why"));
    }
}

#[test]
fn containers_that_do_not_count_are_no_problem_but_seen() {
    let mut status = empty();
    status.last_success = Some(ago(1));
    let mut desired = Desired::default();
    for (service_name, has_skipped) in [("a", false), ("b", true), ("c", true)] {
        let mut outcome = outcome(Ok(name("web.example.com")), Some("web.example.com"));
        outcome.skipped_containers = has_skipped.then(skipped_containers);
        desired
            .services
            .insert(service("shop", service_name), outcome);
    }
    status.in_zone = Arc::new([member("web.example.com")].into());
    status.desired = desired.into();
    assert_eq!(status.problems(), []);
    let html = page("/status", &status).1;
    let verdict = ">All is well. All 3 services that ask for names have them. 2 services have \
                   containers that don’t count.</h2>";
    assert!(html.contains(verdict), "{html}");
    let [a, b, c] = ["a", "b", "c"].map(|service| html.find(&format!("<bdi>{service}</bdi>")));
    assert!(b < c && c < a, "those that have some come first");
    let metrics = page("/metrics", &status).1;
    for sample in [
        "{reason=\"not_healthy\"} 2\n",
        "{reason=\"no_port\"} 2\n",
        "{reason=\"loopback\"} 0\n",
    ] {
        let sample = format!("rancher_route53_containers_skipped{sample}");
        assert!(metrics.contains(&sample), "{sample}");
    }
}

/// It says more than that the last round failed, which needn't be said twice.
#[test]
fn that_another_server_keeps_the_state_records_is_a_problem_in_its_own_words() {
    let mut status = empty();
    let words = "another Rancher server keeps them";
    status.kept_by_another = Some(words.to_owned());
    let rounds = status.record.health_mut(Dependency::Rounds);
    rounds.record_failure(words.to_owned(), ago(1));
    let problems = status.problems();
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert_eq!(problems[0].words, "Another Rancher server keeps them.");
    assert_eq!(json_of(&status)["kept_by_another"], words);
    let metric = "\nrancher_route53_state_records_kept_by_another 1\n";
    assert!(page("/metrics", &status).1.contains(metric));
    status.round(Round::default(), Duration::ZERO, now());
    assert_eq!(status.kept_by_another, None);
}

#[test]
fn what_is_left_alone_without_a_service_is_named_but_not_without_end() {
    let mut status = busy();
    let taken = status.conflicts[0].clone();
    let before = status.problems().len();
    let old = |index: usize| Conflict {
        key: RecordKey::new(name(&format!("old{index}.example.com")), RecordType::A),
        reason: ConflictReason::Extended("New".to_owned()),
        found: None,
    };
    let mut conflicts: Vec<Conflict> = (0..7).map(old).collect();
    conflicts.push(taken);
    status.conflicts = Arc::new(conflicts);
    let problems = status.problems();
    assert_eq!(problems.len(), before + 6, "{problems:#?}");
    assert!(
        problems[before]
            .words
            .starts_with("Conflict: old0.example.com A: the record set has the element")
    );
    assert!(
        problems[before + 5]
            .words
            .starts_with("2 more conflicts are over record sets")
    );
    let of_services = "in conflict with what is in the zone: 1. The services say why.";
    assert!(
        problems
            .iter()
            .any(|problem| problem.words.ends_with(of_services))
    );
}
