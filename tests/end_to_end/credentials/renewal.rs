//! Credentials are renewed before they end, or when Route 53 no longer takes them.

use super::{FIRST, SECOND, Scene, Settings, answer};
use crate::stage::PATIENCE;
use sim::credentials::Fault;
use std::time::{Duration, Instant, SystemTime};

#[test]
fn credentials_are_renewed_before_they_end_and_nothing_is_missed() {
    let scene = Scene::new();
    scene.issuer.set_lifetime(14 * 60);
    let service = scene.spawn(&[], &scene.container());
    scene.is_published();
    assert!(scene.container.endpoint.wait_for_requests(2, PATIENCE));
    // The new ones are taken by some call after they have arrived.
    let is_second = |scene: &Scene| scene.signers().last().is_some_and(|(key, _)| key == SECOND);
    for number in 0.. {
        scene.publish(&format!("s{number}"));
        if is_second(&scene) {
            break;
        }
        assert!(number < 100, "{:?}", scene.signers());
    }
    let signers = scene.signers();
    assert_eq!(signers[0].0, FIRST);
    assert!(signers.iter().all(|(_, status)| *status == 200));
    // An hour without a change is an hour without a line of info: only the first key is news.
    let is_told = |line: &str| line.contains("signing with these AWS credentials");
    let told = service.log_lines(PATIENCE, 2, is_told);
    let told: Vec<[bool; 3]> = told
        .iter()
        .map(|line| ["level=info", FIRST, "level=debug"].map(|word| line.contains(word)))
        .collect();
    assert_eq!(told, [[true, true, false], [false, false, true]]);
    // They end as soon, but attempts keep their pace.
    scene.publish("last");
    assert_eq!(scene.issuer.issued().len(), 2);
    scene.look_for_secrets(&service);
}

#[test]
fn what_has_changed_meanwhile_is_taken_at_the_next_renewal() {
    type Choose = fn(&Scene) -> Settings;
    type Change = fn(&Scene);
    let table: [(&str, Choose, Change); 5] = [
        ("the web identity's token", Scene::web, change_web_token),
        ("the container's token", Scene::container, |scene| {
            scene.container.change_token("t0ken-other");
            std::fs::write(scene.container_token.path(), "t0ken-other").unwrap();
        }),
        ("the instance's role", Scene::instance, |scene| {
            scene.instance.change_role("dns-writer-2");
        }),
        (
            "the token of a web identity that assumes a role",
            |scene| scene.assuming(scene.web()),
            change_web_token,
        ),
        (
            "the role of an instance that assumes another",
            |scene| scene.assuming(scene.instance()),
            |scene| scene.instance.change_role("dns-writer-2"),
        ),
    ];
    for (what, choose, change) in table {
        let scene = Scene::new();
        let service = scene.spawn(&[], &choose(&scene));
        scene.is_published();
        scene.stage.settle();
        let before = scene.issuer.issued();
        scene.stage.route53.clear_requests();
        change(&scene);
        expire_all(&scene);
        scene.publish("next");
        let after = scene.issuer.issued();
        assert_eq!(after.len(), 2 * before.len(), "{what}");
        let (old, new) = (&before[before.len() - 1], &after[after.len() - 1]);
        let expected = [(old.access_key.clone(), 403), (new.access_key.clone(), 200)];
        assert_eq!(scene.signers(), expected, "{what}");
        scene.look_for_secrets(&service);
    }
}

/// From now on STS takes another token, and that is in the file.
fn change_web_token(scene: &Scene) {
    scene.issuer.add_secret("t0ken-other");
    scene
        .sts
        .configure(|options| options.roles[0].tokens = vec!["t0ken-other".to_owned()]);
    std::fs::write(scene.web_token.path(), "t0ken-other\n").unwrap();
}

#[test]
fn a_role_that_is_withdrawn_meanwhile_is_asked_for_until_it_is_back() {
    let scene = Scene::new();
    let service = scene.spawn(&[], &scene.assuming(scene.keys()));
    scene.is_published();
    scene.stage.settle();
    let zone = scene.stage.lines();
    let trust = |is_trusted: bool| {
        scene
            .sts
            .configure(|options| options.roles[1].by_signature = is_trusted);
    };
    trust(false);
    expire_all(&scene);
    scene.stage.rancher.change(|world| {
        world.remove_stack("shop");
    });
    let line = service.wait_for_log(PATIENCE, |line| line.contains("and they can't be renewed"));
    let line = line.expect("a line");
    for words in [
        "level=warn",
        "ROUTE53_ASSUME_ROLE_ARN=arn:aws:iam::210987654321:role/zone-owner can't be assumed by \
         AKIDEXAMPLE (environment): STS at http://127.0.0.1:",
        "it answers AccessDenied (403): User: AKIDEXAMPLE is not authorized to perform: \
         sts:AssumeRole",
    ] {
        assert!(line.contains(words), "{line}\nshould say {words}");
    }
    assert_eq!(scene.stage.lines(), zone, "nothing is lost");
    trust(true);
    scene.stage.expect_zone(&[]);
    assert!(service.is_running());
    scene.look_for_secrets(&service);
}

#[test]
fn a_slow_renewal_delays_no_change() {
    let scene = Scene::new();
    scene.issuer.set_lifetime(9 * 60);
    scene.sts.endpoint.inject("/", Fault::Spared, 1);
    scene.sts.endpoint.inject("/", Fault::Hang(PATIENCE), 9);
    let service = scene.spawn(&[], &scene.web());
    assert!(scene.sts.endpoint.wait_for_requests(2, PATIENCE));
    let asked = Instant::now();
    scene.is_published();
    scene.publish("next");
    // STS is given ten seconds.
    assert!(asked.elapsed() < Duration::from_secs(8));
    let signers = scene.signers();
    assert!(
        signers.iter().all(|signer| *signer == (FIRST.into(), 200)),
        "{signers:?}"
    );
    assert!(!service.log().iter().any(|line| line.contains("renewed")));
    scene.look_for_secrets(&service);
}

#[test]
fn a_failed_renewal_is_reported_when_it_gets_urgent_and_stops_nothing() {
    for (minutes, level) in [(14, "level=debug"), (9, "level=warn")] {
        let scene = Scene::new();
        scene.issuer.set_lifetime(minutes * 60);
        let container = &scene.container.endpoint;
        container.inject("/", Fault::Spared, 1);
        container.inject("/", answer(500, ""), 99);
        let service = scene.spawn(&[], &scene.container());
        scene.is_published();
        assert!(container.wait_for_requests(2, PATIENCE));
        let is_it = |line: &str| line.contains("could not be renewed yet");
        for number in 0.. {
            scene.publish(&format!("s{number}"));
            if service.log().iter().any(|line| is_it(line)) {
                break;
            }
            assert!(number < 100, "{:?}", service.log());
        }
        let lines = service.log();
        let line = lines.iter().find(|line| is_it(line)).unwrap();
        assert!(line.contains(level), "{line}");
        assert!(line.contains("it answers 500"), "{line}");
        let signers = scene.signers();
        assert!(
            signers.iter().all(|signer| *signer == (FIRST.into(), 200)),
            "{signers:?}"
        );
        scene.look_for_secrets(&service);
    }
}

/// From now on Route 53 takes none of the credentials issued so far.
fn expire_all(scene: &Scene) {
    scene.stage.route53.configure(|options| {
        for credential in &mut options.credentials {
            credential.expires = Some(SystemTime::UNIX_EPOCH);
        }
    });
}

#[test]
fn credentials_that_route_53_no_longer_takes_are_replaced_at_once() {
    type Break = fn(&Scene);
    let table: [(&str, Break); 2] = [
        ("ExpiredToken", expire_all),
        ("InvalidClientTokenId", |scene| {
            scene.stage.route53.rotate_credentials(Vec::new());
        }),
    ];
    for (code, break_them) in table {
        let scene = Scene::new();
        let service = scene.spawn(&[], &scene.instance());
        scene.is_published();
        scene.stage.settle();
        scene.stage.route53.clear_requests();
        break_them(&scene);
        scene.publish("next");
        let expected = [(FIRST.to_owned(), 403), (SECOND.to_owned(), 200)];
        assert_eq!(scene.signers(), expected, "{code}");
        let requests = scene.stage.route53.requests();
        assert_eq!(requests[0].code.as_deref(), Some(code));
        scene.look_for_secrets(&service);
    }
}

#[test]
fn without_a_replacement_the_round_fails_and_says_why() {
    let scene = Scene::new();
    let service = scene.spawn(&[], &scene.instance());
    scene.is_published();
    scene.stage.settle();
    expire_all(&scene);
    scene.instance.endpoint.go_down();
    let zone = scene.stage.lines();
    scene.stage.rancher.change(|world| {
        world.add_service("shop", "next").run_on("h1", 80);
    });
    for words in ["and they can't be renewed", "ExpiredToken"] {
        let line = service.wait_for_log(PATIENCE, |line| line.contains(words));
        assert!(line.is_some(), "{words}: {:#?}", service.log());
    }
    assert_eq!(scene.stage.lines(), zone, "nothing is lost");
    scene.instance.endpoint.come_up();
    scene.publish("another");
    assert!(service.is_running());
    scene.look_for_secrets(&service);
}

#[test]
fn keys_from_the_environment_are_not_asked_for_again() {
    let scene = Scene::new();
    scene.stage.route53.rotate_credentials(Vec::new());
    let (code, last) = scene.once(&scene.keys());
    assert_eq!(code, Some(1), "{last}");
    assert!(last.contains("InvalidClientTokenId"), "{last}");
    assert_eq!(scene.signers().len(), 1);
}
