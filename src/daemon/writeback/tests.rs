use super::*;
use crate::desired::ServiceOutcome;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// A name that nobody shares.
fn member(text: &str) -> Member {
    ServiceOutcome::new(Ok(name(text))).member(&name(text))
}

fn key(service: &str) -> ServiceKey {
    ServiceKey {
        stack: "shop".into(),
        service: service.into(),
    }
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn wanted(services: &[&str]) -> Vec<(ServiceKey, Missing)> {
    services
        .iter()
        .map(|service| (key(service), instead(&format!("{service}.z"), None)))
        .collect()
}

/// This name is missing, and another one may be shown.
fn instead(text: &str, shown: Option<&str>) -> Missing {
    Missing {
        name: name(text),
        shown: shown.map(str::to_owned),
    }
}

#[test]
fn missing_is_what_is_in_the_zone_and_not_in_metadata() {
    let outcome = |target: &str, fqdn: Option<&str>, is_sidekick| {
        let mut outcome = ServiceOutcome::new(Ok(name(target)));
        outcome.fqdn = fqdn.map(str::to_owned);
        outcome.is_sidekick = is_sidekick;
        outcome
    };
    let desired = Desired {
        services: [
            ("new", outcome("new.z", None, false)),
            ("shown", outcome("shown.z", Some("shown.z"), false)),
            ("dotted", outcome("dotted.z", Some("Dotted.z."), false)),
            ("old", outcome("old.z", Some("other.z"), false)),
            ("odd", outcome("odd.z", Some("odd..z"), false)),
            ("star", outcome("*.a.z", Some("*.a.z"), false)),
            ("escaped", outcome("*.b.z", Some("\\052.b.z."), false)),
            ("other", outcome("*.c.z", Some("*.b.z"), false)),
            ("side", outcome("side.z", None, true)),
            ("conflict", outcome("conflict.z", None, false)),
        ]
        .into_iter()
        .map(|(service, outcome)| (key(service), outcome))
        .collect(),
        ..Desired::default()
    };
    let in_zone = [
        "new.z", "shown.z", "dotted.z", "old.z", "odd.z", "side.z", "*.a.z", "*.b.z", "*.c.z",
    ];
    let in_zone = in_zone.iter().map(|n| member(n)).collect();
    let missing = missing(&desired, &in_zone);
    assert_eq!(
        missing
            .iter()
            .map(|(key, _)| key.service.as_str())
            .collect::<Vec<_>>(),
        ["new", "odd", "old", "other"]
    );
}

#[test]
fn an_accepted_event_is_sent_again_after_ten_minutes_unless_metadata_shows_it() {
    let start = Instant::now();
    let mut writeback = WriteBack::new(true, start);
    writeback.want(wanted(&["a"]), start);
    assert_eq!(writeback.next(start).unwrap().0, key("a"));
    writeback.accepted(&key("a"), start);
    writeback.want(wanted(&["a"]), start + seconds(5));
    assert_eq!(writeback.next(start + seconds(599)), None);
    assert_eq!(writeback.due(), Some(start + seconds(600)));
    assert!(writeback.next(start + seconds(600)).is_some());
    writeback.want(wanted(&[]), start + seconds(601));
    assert_eq!(writeback.due(), None);
}

#[test]
fn another_name_is_sent_at_once() {
    let start = Instant::now();
    let mut writeback = WriteBack::new(true, start);
    writeback.want(wanted(&["a"]), start);
    writeback.accepted(&key("a"), start);
    writeback.want([(key("a"), instead("other.z", None))].into(), start);
    assert_eq!(writeback.next(start).unwrap().1, name("other.z"));
}

#[test]
fn one_that_is_refused_does_not_hold_back_the_others() {
    let start = Instant::now();
    let mut writeback = WriteBack::new(true, start);
    writeback.want(wanted(&["a", "b"]), start);
    writeback.refused(&key("a"), "no", start, 1.0);
    assert_eq!(writeback.next(start).unwrap().0, key("b"));
    writeback.accepted(&key("b"), start);
    let refused = [("shop/a".to_owned(), "no".to_owned())];
    assert_eq!(writeback.refusals(), refused.into());
    assert_eq!(writeback.next(start + seconds(2)).unwrap().0, key("a"));
    writeback.accepted(&key("a"), start + seconds(2));
    assert_eq!(writeback.refusals(), [].into());
}

#[test]
fn a_refusal_is_forgotten_with_the_name_that_was_refused() {
    let start = Instant::now();
    let refused = |again: Vec<(ServiceKey, Missing)>| {
        let mut writeback = WriteBack::new(true, start);
        writeback.want(wanted(&["a"]), start);
        writeback.refused(&key("a"), "no", start, 1.0);
        writeback.refused(&key("a"), "no", start, 1.0);
        writeback.want(again, start);
        (writeback.refusals().len(), writeback.due())
    };
    assert_eq!(refused(wanted(&["a"])), (1, Some(start + seconds(3))));
    let other = [(key("a"), instead("other.z", None))].into();
    assert_eq!(refused(other), (0, Some(start)));
    assert_eq!(refused(wanted(&["b"])), (0, Some(start)));
    assert_eq!(refused(wanted(&[])), (0, None));
}

#[test]
fn all_have_their_turn_also_if_the_first_are_refused_and_due_again() {
    let start = Instant::now();
    let mut writeback = WriteBack::new(true, start);
    writeback.want(wanted(&["a", "b", "c"]), start);
    let mut sent = Vec::new();
    for second in 0..5 {
        let now = start + seconds(10 * second);
        writeback.want(wanted(&["a", "b", "c"]), now);
        let (key, _, _) = writeback.next(now).unwrap();
        match &*key.service {
            "a" => writeback.refused(&key, "no", now, 0.0),
            _ => writeback.accepted(&key, now),
        }
        sent.push(key.service);
    }
    assert_eq!(sent, ["a", "b", "c", "a", "a"]);
    assert_eq!(writeback.next(start + seconds(40)), None);
}

#[test]
fn while_the_api_is_down_it_is_tried_less_and_less_with_more_patience() {
    let start = Instant::now();
    let mut writeback = WriteBack::new(true, start);
    writeback.want(wanted(&["a", "b"]), start);
    let mut now = start;
    let mut waits = Vec::new();
    let mut timeouts = Vec::new();
    for _ in 0..7 {
        timeouts.push(writeback.next(now).unwrap().2.as_secs());
        writeback.unavailable(now, 1.0);
        waits.push(writeback.due().unwrap().duration_since(now).as_secs());
        now = writeback.due().unwrap();
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
    assert_eq!(timeouts, [1, 2, 4, 4, 4, 4, 4]);
}

/// Another value in the place of ours.
fn other(shown: &str) -> Vec<(ServiceKey, Missing)> {
    [(key("a"), instead("a.z", Some(shown)))].into()
}

#[test]
fn missing_says_what_is_shown_in_the_place_of_the_name() {
    let mut outcome = ServiceOutcome::new(Ok(name("a.z")));
    outcome.more_names = vec![name("www.z")];
    outcome.fqdn = Some("b.z".to_owned());
    let desired = Desired {
        services: [(key("a"), outcome)].into(),
        ..Desired::default()
    };
    let in_zone = [member("a.z"), member("www.z")].into();
    assert_eq!(missing(&desired, &in_zone), other("b.z"));
}

/// Services that share a name by their set identifiers.
#[test]
fn a_shared_name_is_written_back_for_those_whose_own_record_sets_are_there() {
    let outcome = |set_id: &str| {
        let mut outcome = ServiceOutcome::new(Ok(name("a.z")));
        outcome.set_id = Some(set_id.into());
        outcome
    };
    let services = ["blue", "green"].map(|id| (key(id), outcome(id)));
    let desired = Desired {
        services: services.into(),
        ..Desired::default()
    };
    let in_zone = [outcome("green").member(&name("a.z"))].into();
    let found: Vec<_> = missing(&desired, &in_zone)
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    assert_eq!(found, [key("green")]);
}

#[test]
fn without_write_back_nothing_is_sent() {
    let start = Instant::now();
    let mut writeback = WriteBack::new(false, start);
    writeback.want(wanted(&["a"]), start);
    assert_eq!(writeback.next(start), None);
    assert!(writeback.is_empty() && writeback.due().is_none());
}

/// Sees what metadata shows at these seconds, and sends what is due. The seconds at which something was
/// sent, and whether somebody else is said to write in the end.
fn sent(shown: &[(u64, Option<&str>)]) -> (Vec<u64>, bool) {
    let start = Instant::now();
    let mut writeback = WriteBack::new(true, start);
    let mut sent = Vec::new();
    for (second, fqdn) in shown {
        let now = start + seconds(*second);
        let missing = match fqdn {
            Some("a.z") => Vec::new(),
            Some(shown) => other(shown),
            None => wanted(&["a"]),
        };
        writeback.want(missing, now);
        while let Some((key, _, _)) = writeback.next(now) {
            writeback.accepted(&key, now);
            sent.push(*second);
        }
    }
    (sent, !writeback.contested().is_empty())
}

#[test]
fn a_name_that_somebody_else_writes_over_is_sent_every_ten_minutes_at_most() {
    let (ours, theirs) = (Some("a.z"), Some("b.z"));
    for (shown, expected, contested) in [
        // Ours is seen, then theirs, again and again.
        (
            &[
                (0, None),
                (1, ours),
                (2, theirs),
                (3, ours),
                (4, theirs),
                (599, theirs),
            ][..],
            &[0][..],
            true,
        ),
        (
            &[
                (0, None),
                (1, ours),
                (2, theirs),
                (600, theirs),
                (601, ours),
                (602, theirs),
            ],
            &[0, 600],
            true,
        ),
        // Ours is never seen: theirs came too soon.
        (
            &[(0, None), (1, theirs), (2, theirs), (3, theirs)],
            &[0],
            true,
        ),
        (&[(0, Some("x.z")), (1, theirs)], &[0], true),
        // Rancher hasn't handled the event yet, or has dropped it: nobody else.
        (&[(0, theirs), (1, theirs), (599, theirs)], &[0], false),
        (&[(0, theirs), (1, theirs), (600, theirs)], &[0, 600], false),
        // What Rancher has lost is sent at once.
        (
            &[(0, None), (1, ours), (2, None), (3, ours), (4, None)],
            &[0, 2, 4],
            false,
        ),
        // Once nobody else has written for ten minutes, it is over.
        (
            &[(0, None), (1, ours), (2, theirs), (3, ours), (599, ours)],
            &[0],
            true,
        ),
        (
            &[(0, None), (1, ours), (2, theirs), (3, ours), (601, ours)],
            &[0],
            false,
        ),
        (&[(0, None), (1, ours), (601, theirs)], &[0, 601], false),
    ] {
        assert_eq!(sent(shown), (expected.to_vec(), contested), "{shown:?}");
    }
}

#[test]
fn a_service_that_gets_another_name_and_its_old_one_again_is_nobody_else_s() {
    let start = Instant::now();
    let mut writeback = WriteBack::new(true, start);
    let mut sent = Vec::new();
    for (second, (name, shown)) in (0..).zip([
        ("a.z", None),
        ("b.z", Some("a.z")),
        // Rancher is late: it shows the one, then the other.
        ("c.z", Some("a.z")),
        ("c.z", Some("b.z")),
        ("b.z", Some("c.z")),
        ("a.z", Some("b.z")),
    ]) {
        let now = start + seconds(second);
        writeback.want([(key("a"), instead(name, shown))].into(), now);
        while let Some((key, name, _)) = writeback.next(now) {
            writeback.accepted(&key, now);
            sent.push(name.without_dot().into_owned());
        }
        assert_eq!(writeback.contested(), BTreeMap::new(), "{second}");
    }
    assert_eq!(sent, ["a.z", "b.z", "c.z", "b.z", "a.z"]);
}

/// At each second, what is missing; what is then sent.
fn sent_in_turn(turns: &[&[(&str, &str, Option<&str>)]]) -> Vec<String> {
    let start = Instant::now();
    let mut writeback = WriteBack::new(true, start);
    let mut sent = Vec::new();
    for (second, missing) in (0..).zip(turns) {
        let now = start + seconds(second);
        let missing = missing.iter();
        let missing = missing.map(|(service, name, shown)| (key(service), instead(name, *shown)));
        writeback.want(missing.collect(), now);
        while let Some((key, name, _)) = writeback.next(now) {
            writeback.accepted(&key, now);
            sent.push(format!("{} {}", key.service, name.without_dot()));
        }
        assert_eq!(writeback.contested(), BTreeMap::new(), "{second}");
    }
    sent
}

#[test]
fn what_a_renamed_service_is_shown_with_is_ours() {
    let renamed_and_back = sent_in_turn(&[
        &[("web", "web.z", None)],
        &[],
        &[("web2", "web2.z", Some("web.z"))],
        &[],
        &[("web", "web.z", Some("web2.z"))],
        &[],
    ]);
    assert_eq!(renamed_and_back, ["web web.z", "web2 web2.z", "web web.z"]);
    let swapped_and_back = sent_in_turn(&[
        &[("a", "a.z", None), ("b", "b.z", None)],
        &[],
        &[("a", "a.z", Some("b.z")), ("b", "b.z", Some("a.z"))],
    ]);
    assert_eq!(swapped_and_back, ["a a.z", "b b.z", "a a.z", "b b.z"]);
}

/// Rancher handles events in another order than they came, or a metadata server shows an old version.
#[test]
fn an_earlier_name_that_comes_back_late_is_ours() {
    let sent = sent_in_turn(&[
        &[("a", "a.z", None)],
        &[("a", "b.z", Some("a.z"))],
        &[],
        &[("a", "b.z", Some("a.z"))],
    ]);
    assert_eq!(sent, ["a a.z", "a b.z", "a b.z"]);
}

#[test]
fn who_else_writes_is_said_by_service() {
    let start = Instant::now();
    let mut writeback = WriteBack::new(true, start);
    writeback.want(wanted(&["a"]), start);
    writeback.accepted(&key("a"), start);
    writeback.want(Vec::new(), start);
    assert!(writeback.is_watching());
    writeback.want(other("b.z"), start);
    let words = "somebody else writes another fqdn than a.z, which is sent at most every 10 minutes; \
                 set WRITE_BACK=false in one of the two";
    let expected = [("shop/a".to_owned(), words.to_owned())];
    assert_eq!(writeback.contested(), expected.into());
}
