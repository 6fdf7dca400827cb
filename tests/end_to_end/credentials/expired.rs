//! Credentials that have expired. Those of an instance are used all the same, and AWS decides; what
//! time heals is waited for, at the start too.

use super::{CONTAINER_TOKEN, FIRST, SECOND, Scene, Settings, answer, change};
use crate::stage::{PATIENCE, each};
use sim::credentials::Fault;
use sim::route53;
use sim::service::Service;
use std::time::SystemTime;

const TOKEN: &str = "/latest/api/token";
const HOUR: i64 = 3600;
const ALL_THE_SAME: &str = "they are used all the same";
const REFUSED: &str = "AWS refuses the credentials, and they can't be renewed";
const NOT_YET: &str = "the hosted zone can't be looked up yet";

/// The lines of a log with these words, with their levels.
fn warnings(service: &Service, words: &str, count: usize) -> Vec<String> {
    let fits = |line: &str| line.contains(words) && line.contains("level=warn");
    let lines = service.log_lines(PATIENCE, count, fits);
    assert_eq!(lines.len(), count, "{lines:#?}");
    lines
}

/// How often the instance's metadata was asked for a token, and so for credentials.
fn asked(scene: &Scene) -> usize {
    let requests = scene.instance.endpoint.requests();
    requests.iter().filter(|sent| sent.path == TOKEN).count()
}

/// By AWS's clock it is two hours later. The program learns that from the next refusal.
fn two_hours_pass(scene: &Scene) {
    scene
        .stage
        .route53
        .configure(|options| options.clock_offset = 2 * HOUR);
}

/// From now on Route 53 takes none of the credentials issued so far.
fn refuse_all(scene: &Scene) {
    scene.stage.route53.configure(|options| {
        for credential in &mut options.credentials {
            credential.expires = Some(SystemTime::UNIX_EPOCH);
        }
    });
}

#[test]
fn an_instances_credentials_outlive_their_expiry_while_its_metadata_is_away() {
    let scene = Scene::new();
    scene.issuer.set_leniency(24 * HOUR);
    let service = scene.spawn(&[], &scene.instance());
    scene.is_published();
    scene.stage.settle();
    assert_eq!(asked(&scene), 1);
    scene.instance.endpoint.inject(TOKEN, answer(500, ""), 99);
    two_hours_pass(&scene);
    for number in 0..3 {
        scene.publish(&format!("s{number}"));
    }
    // They are asked for again in five minutes at the earliest.
    assert_eq!(asked(&scene), 2);
    let told = warnings(&service, ALL_THE_SAME, 1);
    for words in ["expired_s_ago=", "asked_again_in_s=", "it answers 500"] {
        assert!(told[0].contains(words), "{told:?} should say {words}");
    }
    let signers = scene.signers();
    assert!(signers.iter().all(|(key, _)| key == FIRST), "{signers:?}");

    // Once AWS takes them no longer, there is a try at once.
    scene.instance.endpoint.clear_faults();
    scene.issuer.set_lifetime(3 * HOUR);
    scene.stage.settle();
    scene.stage.route53.clear_requests();
    refuse_all(&scene);
    scene.publish("last");
    let expected = [(FIRST.to_owned(), 403), (SECOND.to_owned(), 200)];
    assert_eq!(scene.signers(), expected);
    assert_eq!(asked(&scene), 3);
    // That it is over is told, too.
    let is_end = |line: &str| line.contains("level=info") && line.contains(SECOND);
    assert!(service.wait_for_log(PATIENCE, is_end).is_some());
    scene.look_for_secrets(&service);
}

#[test]
fn expired_credentials_that_an_instances_metadata_gives_are_used() {
    let scene = Scene::new();
    scene.issuer.set_lifetime(-HOUR);
    scene.issuer.set_leniency(24 * HOUR);
    let service = scene.spawn(&[], &scene.instance());
    scene.is_published();
    for number in 0..3 {
        scene.publish(&format!("s{number}"));
    }
    assert_eq!(asked(&scene), 1);
    let told = warnings(&service, ALL_THE_SAME, 1);
    let words = "instance metadata gave expired ones";
    assert!(told[0].contains(words), "{told:?} should say {words}");
    let signers = scene.signers();
    assert!(
        signers.iter().all(|signer| *signer == (FIRST.into(), 200)),
        "{signers:?}"
    );
    scene.look_for_secrets(&service);
}

#[test]
fn that_credentials_have_expired_is_told_again_if_a_wrong_clock_said_so_before() {
    let scene = Scene::with(route53::Options {
        clock_offset: -2 * HOUR,
        ..route53::Options::default()
    });
    scene.issuer.set_lifetime(-HOUR);
    scene.issuer.set_leniency(24 * HOUR);
    let service = scene.spawn(&[], &scene.instance());
    scene.is_published();
    // By AWS's clock they don't expire before an hour has passed.
    scene.publish("next");
    warnings(&service, ALL_THE_SAME, 1);
    assert_eq!(asked(&scene), 1);
    scene.instance.endpoint.inject(TOKEN, answer(500, ""), 99);
    scene
        .stage
        .route53
        .configure(|options| options.clock_offset = 0);
    scene.publish("last");
    assert_eq!(asked(&scene), 2);
    warnings(&service, ALL_THE_SAME, 2);
    let signers = scene.signers();
    assert!(signers.iter().all(|(key, _)| key == FIRST), "{signers:?}");
    scene.look_for_secrets(&service);
}

#[test]
fn a_refusal_causes_one_try_and_one_warning() {
    let scene = Scene::new();
    let service = scene.spawn(&[], &scene.instance());
    scene.is_published();
    scene.stage.settle();
    scene.instance.endpoint.inject(TOKEN, answer(500, ""), 999);
    scene.stage.route53.clear_requests();
    refuse_all(&scene);
    scene.stage.rancher.change(|world| {
        world.add_service("shop", "next").run_on("h1", 80);
    });
    // Every try of the program asks the instance's metadata once, and tries come ever more slowly.
    let endpoint = &scene.instance.endpoint;
    let before = endpoint.requests().len();
    assert!(endpoint.wait_for_requests(before + 3, PATIENCE));
    let is_it = |line: &str| line.contains("its source") || line.contains("their source");
    let line = service.wait_for_log(PATIENCE, is_it).expect("a reason");
    let words = "ExpiredToken (403): The security token included in the request is expired – the \
                 credentials have expired, and their source (instance metadata) has no newer ones \
                 yet: it is asked again at each try";
    assert!(line.contains(words), "{line}\nshould say {words}");
    let (tries, refused) = (asked(&scene) - 1, scene.signers().len());
    assert!(
        tries <= refused,
        "{tries} tries for {refused} refused requests"
    );
    warnings(&service, REFUSED, 1);
    endpoint.clear_faults();
    scene.publish("another");
    scene.look_for_secrets(&service);
}

#[test]
fn a_role_is_assumed_with_what_the_instance_gave_last() {
    let scene = Scene::new();
    let service = scene.spawn(&[], &scene.assuming(scene.instance()));
    scene.is_published();
    scene.stage.settle();
    scene.instance.endpoint.inject(TOKEN, answer(500, ""), 99);
    scene.stage.route53.clear_requests();
    refuse_all(&scene);
    scene.publish("next");
    // The first is the instance's, the second and the third are the role's.
    let third = "ASIASIM00000003";
    let expected = [(SECOND.to_owned(), 403), (third.to_owned(), 200)];
    assert_eq!(scene.signers(), expected);
    let told = warnings(
        &service,
        "the role is assumed with those that it gave last",
        1,
    );
    assert!(told[0].contains(FIRST), "{told:?}");
    assert!(told[0].contains("it answers 500"), "{told:?}");
    scene.look_for_secrets(&service);
}

/// What is done to a scene, with which settings the program then starts, and what it says.
type Start = (&'static str, fn(&Scene) -> Settings, &'static str);

/// The answer of STS with this error.
fn refusal_of_sts(code: &str, message: &str) -> Fault {
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
         <Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>0</RequestId></ErrorResponse>"
    );
    answer(400, &body)
}

fn container_answers(scene: &Scene, status: u16, body: &str) -> Settings {
    scene
        .container
        .endpoint
        .inject("/", answer(status, body), 99);
    scene.container()
}

fn instance_says(scene: &Scene, body: &str) -> Settings {
    let path = "/latest/meta-data/iam/security-credentials/dns-writer";
    scene.instance.endpoint.inject(path, answer(200, body), 99);
    scene.instance()
}

const EXPIRED_AT_EKS: &str = "[0a1b]: (ExpiredTokenException): Token expired, fault: client\n";

#[test]
fn at_the_start_what_time_heals_is_waited_for() {
    const ASKED_AGAIN: &str = "has no newer ones yet: it is asked again at each try";
    let table: [Start; 10] = [
        (
            "expired credentials of an instance",
            |scene| {
                scene.issuer.set_lifetime(-60);
                scene.instance()
            },
            ASKED_AGAIN,
        ),
        (
            "expired credentials of a container",
            |scene| {
                scene.issuer.set_lifetime(-60);
                scene.container()
            },
            ASKED_AGAIN,
        ),
        (
            "expired credentials of a web identity",
            |scene| {
                scene.issuer.set_lifetime(-60);
                scene.web()
            },
            ASKED_AGAIN,
        ),
        (
            "a role that an instance can't assume with expired credentials",
            |scene| {
                scene.issuer.set_lifetime(-60);
                scene.assuming(scene.instance())
            },
            "it answers ExpiredToken (403)",
        ),
        (
            "an expired token of a container",
            |scene| {
                let body = "{\"code\": \"ExpiredToken\", \"message\": \"too old\"}";
                container_answers(scene, 400, body)
            },
            "it answers 400: ExpiredToken: too old\"",
        ),
        (
            "an expired token of a container, as EKS's agent says it",
            |scene| container_answers(scene, 400, EXPIRED_AT_EKS),
            "it answers 400: ExpiredTokenException: Token expired, fault: client\"",
        ),
        (
            "throttling that EKS's agent passes on",
            |scene| container_answers(scene, 400, "[0a]: (ThrottlingException): slower"),
            "it answers 400: ThrottlingException: slower",
        ),
        (
            "an expired token of a web identity",
            |scene| {
                let fault = refusal_of_sts("ExpiredTokenException", "Token expired");
                scene.sts.endpoint.inject("/", fault, 99);
                scene.web()
            },
            "it answers ExpiredTokenException (400): Token expired",
        ),
        (
            "an identity provider that STS can't reach",
            |scene| {
                let message = "Couldn't retrieve verification key from your identity provider,  \
                               please reference AssumeRoleWithWebIdentity documentation";
                let fault = refusal_of_sts("InvalidIdentityToken", message);
                scene.sts.endpoint.inject("/", fault, 99);
                scene.web()
            },
            "it answers InvalidIdentityToken (400): Couldn't retrieve verification key",
        ),
        (
            "an instance that EC2 has no credentials for yet",
            |scene| instance_says(scene, "{\"Code\": \"Failed\"}"),
            "no credentials for the role dns-writer: Failed",
        ),
    ];
    each(table, |(what, arrange, words)| {
        let scene = Scene::new();
        let settings = arrange(&scene);
        let service = scene.spawn(&[], &settings);
        let line = service.wait_for_log(PATIENCE, |line| line.contains(NOT_YET));
        let line = line.unwrap_or_else(|| panic!("{what}: {:#?}", service.log()));
        assert!(line.contains(words), "{what}: {line}\nshould say {words}");
        scene.issuer.set_lifetime(HOUR);
        scene.container.endpoint.clear_faults();
        scene.instance.endpoint.clear_faults();
        scene.sts.endpoint.clear_faults();
        scene.is_published();
        scene.look_for_secrets(&service);
    });
}

#[test]
fn at_the_start_what_takes_an_operator_ends_it() {
    let table: [Start; 6] = [
        (
            "expired keys in settings",
            |scene| {
                scene.issuer.set_lifetime(-60);
                scene.temporary()
            },
            "the session token has expired: new keys are needed",
        ),
        (
            "expired keys in settings that are to assume a role",
            |scene| {
                scene.issuer.set_lifetime(-60);
                scene.assuming(scene.temporary())
            },
            "it answers ExpiredToken (403)",
        ),
        (
            "an expired token in a setting",
            |scene| {
                let mut settings = container_answers(scene, 400, EXPIRED_AT_EKS);
                settings.retain(|(name, _)| *name != "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
                let name = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
                change(&settings, name, CONTAINER_TOKEN)
            },
            "Token expired, fault: client – check the authorization token",
        ),
        (
            "a token that EKS refuses",
            |scene| container_answers(scene, 400, "(InvalidTokenException): no, fault: client"),
            "it answers 400: InvalidTokenException: no, fault: client – check the authorization",
        ),
        (
            "a token that STS refuses",
            |scene| {
                let fault = refusal_of_sts("InvalidIdentityToken", "Incorrect token audience");
                scene.sts.endpoint.inject("/", fault, 99);
                scene.web()
            },
            "it answers InvalidIdentityToken (400): Incorrect token audience",
        ),
        (
            "a role that EC2 may not assume",
            |scene| instance_says(scene, "{\"Code\": \"AssumeRoleUnauthorizedAccess\"}"),
            "no credentials for the role dns-writer: AssumeRoleUnauthorizedAccess",
        ),
    ];
    each(table, |(what, arrange, words)| {
        let scene = Scene::new();
        let settings = arrange(&scene);
        let service = scene.spawn(&[], &settings);
        let code = service.wait(PATIENCE).and_then(|status| status.code());
        let last = service.log().pop().unwrap_or_default();
        assert_eq!(code, Some(1), "{what}: {last}");
        assert!(last.contains(words), "{what}: {last}\nshould say {words}");
        scene.look_for_secrets(&service);
    });
}
