//! A clock that differs from AWS's.

use super::{Scene, change};
use sim::route53;

#[test]
fn a_wrong_clock_is_put_right_and_reported_once() {
    for (seconds, warnings) in [(3600, 1), (-3600, 1), (200, 0), (0, 0)] {
        let scene = Scene::with(route53::Options {
            clock_offset: seconds,
            ..route53::Options::default()
        });
        let service = scene.spawn(&[], &scene.keys());
        scene.is_published();
        scene.publish("next");
        let found = service.log_lines(crate::stage::PATIENCE, warnings, |line| {
            line.contains("clock")
        });
        assert_eq!(found.len(), warnings, "{seconds}: {found:#?}");
        assert!(found.iter().all(|line| line.contains("level=warn")));
        let refused = scene.signers().iter().filter(|(_, s)| *s != 200).count();
        assert_eq!(refused, warnings, "{seconds}");
    }
}

#[test]
fn sts_and_route_53_share_one_clock() {
    let scene = Scene::with(route53::Options {
        clock_offset: 7200,
        ..route53::Options::default()
    });
    scene.issuer.set_lifetime(7200 + 3600);
    let service = scene.spawn(&[], &scene.assuming(scene.keys()));
    scene.is_published();
    assert_eq!(scene.sts.endpoint.requests().len(), 2);
    assert!(scene.signers().iter().all(|(_, status)| *status == 200));
    let told = service.log_lines(crate::stage::PATIENCE, 1, |line| line.contains("clock"));
    assert_eq!(told.len(), 1);
    scene.look_for_secrets(&service);
}

#[test]
fn a_wrong_secret_is_no_matter_of_the_clock() {
    let scene = Scene::new();
    let settings = change(&scene.keys(), "AWS_SECRET_ACCESS_KEY", "another");
    let (code, last) = scene.once(&settings);
    assert_eq!(code, Some(1));
    assert!(last.contains("SignatureDoesNotMatch"), "{last}");
    assert_eq!(scene.signers().len(), 1);

    // Nor one behind a wrong clock: that is put right, and then it is the secret.
    let scene = Scene::with(route53::Options {
        clock_offset: 3600,
        ..route53::Options::default()
    });
    let (code, last) = scene.once(&settings);
    assert_eq!(code, Some(1));
    assert!(last.contains("SignatureDoesNotMatch"), "{last}");
    assert_eq!(scene.signers().len(), 2);
}
