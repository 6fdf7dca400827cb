//! What is said when there are no credentials: a table for each source.

use super::{ROLE, Scene, Settings, answer, change};
use crate::stage::{PATIENCE, STATE, each};
use sim::credentials::Fault;
use sim::route53::{self, RecordSet};

/// What is done to a scene, with which settings it then runs, and what the last line says.
type Failure = (&'static str, fn(&Scene) -> Settings, &'static str);

/// Each row starts with a record set of ours in the zone that no service asks for any more: it is
/// lost as little as anything else.
fn check_failures(table: &[Failure]) {
    each(table, |(what, arrange, words)| {
        let scene = Scene::new();
        let old = "old.shop.prod.example.com.";
        let entry = format!("\"{old}\"");
        for set in [
            RecordSet::simple(old, "A", 300, &["203.0.113.9"]),
            RecordSet::simple(STATE, "TXT", 300, &[&entry]),
        ] {
            scene.stage.put(set);
        }
        let before = scene.stage.lines();
        let settings = arrange(&scene);
        let (code, last) = scene.once(&settings);
        assert_eq!(code, Some(1), "{what}: {last}");
        assert!(last.contains(words), "{what}: {last}\nshould say {words}");
        assert!(
            last.contains("level=error msg=\"stopping: this has to be mended\""),
            "{last}"
        );
        assert_eq!(scene.stage.lines(), before, "{what}");
    });
}

#[test]
fn failures_of_keys_in_the_environment_explain_themselves() {
    fn refuse(scene: &Scene, code: &str) -> Settings {
        let refusal = route53::Fault::Error {
            status: 403,
            code: code.to_owned(),
            message: "Not you".to_owned(),
        };
        scene.stage.route53.inject(None, refusal, 9);
        scene.keys()
    }
    check_failures(&[
        (
            "another secret",
            |scene| change(&scene.keys(), "AWS_SECRET_ACCESS_KEY", "another"),
            "SignatureDoesNotMatch (403)",
        ),
        (
            "another key",
            |scene| change(&scene.keys(), "AWS_ACCESS_KEY_ID", "AKIDOTHER"),
            "InvalidClientTokenId (403)",
        ),
        (
            "a session that has ended",
            |scene| {
                scene.issuer.set_lifetime(-60);
                let (ended, _) = scene.issuer.issue();
                vec![
                    ("AWS_ACCESS_KEY_ID", ended.access_key),
                    ("AWS_SECRET_ACCESS_KEY", ended.secret_key),
                    ("AWS_SESSION_TOKEN", ended.session_token.unwrap_or_default()),
                ]
            },
            "– the session token has expired",
        ),
        (
            "no permission",
            |scene| refuse(scene, "AccessDenied"),
            "AccessDenied (403): Not you – the IAM policy has to allow route53:",
        ),
    ]);
}

#[test]
fn failures_of_web_identity_explain_themselves() {
    fn with(scene: &Scene, fault: Fault) -> Settings {
        scene.sts.endpoint.inject("/", fault, 9);
        scene.web()
    }
    check_failures(&[
        (
            "no token file",
            |scene| change(&scene.web(), "AWS_WEB_IDENTITY_TOKEN_FILE", "/no/such/file"),
            "no AWS credentials: environment: AWS_ACCESS_KEY_ID is not set; web identity: \
             AWS_WEB_IDENTITY_TOKEN_FILE: the file /no/such/file can't be read: No such file",
        ),
        (
            "an empty token file",
            |scene| {
                scene.web_token.as_file().set_len(0).unwrap();
                scene.web()
            },
            " is empty",
        ),
        (
            "another's token",
            |scene| {
                scene
                    .sts
                    .configure(|options| options.roles[0].tokens = vec!["x".into()]);
                scene.web()
            },
            "it answers InvalidIdentityToken (400)",
        ),
        (
            "another's token, quoted by STS",
            |scene| {
                scene
                    .sts
                    .configure(|options| options.roles[0].tokens = vec!["x".into()]);
                scene.web()
            },
            "it answers InvalidIdentityToken (400): The token … is not one of the provider's",
        ),
        (
            "another's role",
            |scene| {
                change(
                    &scene.web(),
                    "AWS_ROLE_ARN",
                    "arn:aws:iam::123456789012:role/no",
                )
            },
            "it answers AccessDenied (403): Not you: is not authorized to perform: \
             sts:AssumeRoleWithWebIdentity on resource: arn:aws:iam::123456789012:role/no",
        ),
        (
            "STS down",
            |scene| {
                scene.sts.endpoint.go_down();
                scene.web()
            },
            "Connection refused",
        ),
        (
            "slow",
            |scene| with(scene, Fault::Hang(PATIENCE)),
            "time is up",
        ),
        (
            "credentials that have ended",
            |scene| {
                scene.issuer.set_lifetime(-60);
                scene.web()
            },
            "ExpiredToken (403)",
        ),
        (
            "a token that has ended",
            |scene| {
                let xml = "<ErrorResponse><Error><Code>ExpiredTokenException</Code>\
                           <Message>Token expired</Message></Error></ErrorResponse>";
                with(scene, answer(400, xml))
            },
            "it answers ExpiredTokenException (400): Token expired",
        ),
        (
            "STS hangs up",
            |scene| with(scene, Fault::Drop),
            "Peer disconnected",
        ),
        (
            "no XML",
            |scene| {
                with(
                    scene,
                    Fault::Garbled(b"{\"SecretAccessKey\": \"s3cret\"}".to_vec()),
                )
            },
            "its answer can't be used: it is not a whole AssumeRoleWithWebIdentityResponse",
        ),
        (
            "half an answer",
            |scene| with(scene, Fault::Half),
            "its answer can't be used: it is not a whole AssumeRoleWithWebIdentityResponse",
        ),
        (
            "no end of an answer",
            |scene| with(scene, Fault::Garbled(vec![b'<'; 100_000])),
            "the response body is larger than request limit: 65536",
        ),
        (
            "not UTF-8",
            |scene| with(scene, Fault::Garbled(vec![0xff; 10])),
            "the answer isn't UTF-8",
        ),
        (
            "a page of a proxy",
            |scene| with(scene, answer(403, "<html>Forbidden</html>")),
            "it answers 403 without an error of STS",
        ),
    ]);
}

#[test]
fn failures_of_a_container_endpoint_explain_themselves() {
    fn with(scene: &Scene, fault: Fault) -> Settings {
        scene.container.endpoint.inject("/", fault, 9);
        scene.container()
    }
    check_failures(&[
        (
            "down",
            |scene| {
                scene.container.endpoint.go_down();
                scene.container()
            },
            "no AWS credentials: environment: AWS_ACCESS_KEY_ID is not set; web identity: \
             AWS_WEB_IDENTITY_TOKEN_FILE is not set; container: http://127.0.0.1:",
        ),
        (
            "slow",
            |scene| with(scene, Fault::Hang(PATIENCE)),
            "time is up",
        ),
        (
            "no JSON",
            |scene| with(scene, Fault::Garbled(b"s3cret".to_vec())),
            "its answer can't be used: it is not JSON",
        ),
        (
            "half an answer",
            |scene| with(scene, Fault::Half),
            "its answer can't be used: it is not JSON",
        ),
        (
            "another document",
            |scene| with(scene, Fault::Garbled(b"{\"AccessKeyId\": {}}".to_vec())),
            "its answer can't be used: it has no AccessKeyId",
        ),
        (
            "no end of an answer",
            |scene| with(scene, Fault::Garbled(vec![b' '; 100_000])),
            "the response body is larger than request limit: 65536",
        ),
        (
            "an error",
            |scene| with(scene, answer(500, "{\"code\": \"Oops\"}")),
            "it answers 500: Oops",
        ),
        (
            "the token has changed, and is quoted",
            |scene| {
                scene.container.change_token("t0ken-other");
                scene.container()
            },
            "it answers 400: InvalidAuthorizationToken: the token … is not the one – check the \
             authorization token",
        ),
        (
            "credentials that have ended",
            |scene| {
                scene.issuer.set_lifetime(-60);
                scene.container()
            },
            "ExpiredToken (403)",
        ),
        (
            "an empty token file",
            |scene| {
                scene.container_token.as_file().set_len(0).unwrap();
                scene.container()
            },
            " is empty",
        ),
        (
            "no token",
            |scene| vec![("AWS_CONTAINER_CREDENTIALS_FULL_URI", scene.container.url())],
            "it may want AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE or",
        ),
        (
            "no token file",
            |scene| {
                let name = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
                change(&scene.container(), name, "/no/such/file")
            },
            "container: AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: the file /no/such/file can't be \
             read: No such file",
        ),
    ]);
}

#[test]
fn failures_of_instance_metadata_explain_themselves() {
    const TOKEN: &str = "/latest/api/token";
    const ROLES: &str = "/latest/meta-data/";
    const ROLE: &str = "/latest/meta-data/iam/security-credentials/dns-writer";
    fn with(scene: &Scene, path: &str, fault: Fault) -> Settings {
        scene.instance.endpoint.inject(path, fault, 9);
        scene.instance()
    }
    check_failures(&[
        (
            "no instance",
            |scene| {
                scene.instance.endpoint.go_down();
                scene.instance()
            },
            "no AWS credentials: environment: AWS_ACCESS_KEY_ID is not set; web identity: \
             AWS_WEB_IDENTITY_TOKEN_FILE is not set; container: neither \
             AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is \
             set; instance metadata: http://127.0.0.1:",
        ),
        (
            "hop limit 1",
            |scene| with(scene, TOKEN, Fault::Hang(PATIENCE)),
            "in a bridged container the instance's metadata hop limit must be 2",
        ),
        (
            "turned off",
            |scene| with(scene, TOKEN, answer(403, "")),
            "it answers 403 when asked for a token",
        ),
        (
            "no token",
            |scene| with(scene, TOKEN, answer(200, "a\r\nb")),
            "the token that it gave is none",
        ),
        (
            "no role",
            |scene| with(scene, ROLES, answer(404, "<html>")),
            "the instance has no role: attach an instance profile",
        ),
        (
            "the token is not taken",
            |scene| with(scene, ROLES, answer(401, "")),
            "it answers 401 when asked for the role",
        ),
        (
            "slow in the middle",
            |scene| with(scene, ROLES, Fault::Hang(PATIENCE)),
            "time is up (global)\"",
        ),
        (
            "no JSON",
            |scene| with(scene, ROLE, Fault::Half),
            "its answer can't be used: it is not JSON",
        ),
        (
            "a role that can't be assumed",
            |scene| {
                let body = "{\"Code\": \"AssumeRoleUnauthorizedAccess\", \"Message\": \"no\"}";
                with(scene, ROLE, answer(200, body))
            },
            "no credentials for the role dns-writer: AssumeRoleUnauthorizedAccess: no",
        ),
        (
            "another role by now",
            |scene| with(scene, ROLE, answer(404, "")),
            "it answers 404 when asked for the credentials",
        ),
        (
            "credentials that have ended",
            |scene| {
                scene.issuer.set_lifetime(-60);
                scene.instance()
            },
            "ExpiredToken (403)",
        ),
    ]);
}

#[test]
fn failures_of_an_assumed_role_explain_themselves() {
    fn with(scene: &Scene, fault: Fault) -> Settings {
        scene.sts.endpoint.inject("/", fault, 9);
        scene.assuming(scene.keys())
    }
    check_failures(&[
        (
            "STS down",
            |scene| {
                scene.sts.endpoint.go_down();
                scene.assuming(scene.keys())
            },
            "Connection refused",
        ),
        (
            "slow",
            |scene| with(scene, Fault::Hang(PATIENCE)),
            "time is up",
        ),
        (
            "half an answer",
            |scene| with(scene, Fault::Half),
            "its answer can't be used: it is not a whole AssumeRoleResponse",
        ),
        (
            "credentials that have ended",
            |scene| {
                scene.issuer.set_lifetime(-60);
                scene.assuming(scene.keys())
            },
            "ExpiredToken (403)",
        ),
        (
            "the role is another's by now",
            |scene| {
                scene.sts.configure(|options| options.roles.truncate(1));
                scene.assuming(scene.keys())
            },
            "it answers AccessDenied (403)",
        ),
        (
            "another external id",
            |scene| {
                let settings = scene.assuming(scene.keys());
                change(&settings, "ROUTE53_ASSUME_ROLE_EXTERNAL_ID", "guess")
            },
            "no AWS credentials: ROUTE53_ASSUME_ROLE_ARN=arn:aws:iam::210987654321:role/zone-owner \
             can't be assumed by AKIDEXAMPLE (environment): STS at http://127.0.0.1:",
        ),
        (
            "no external id",
            |scene| {
                let mut settings = scene.assuming(scene.keys());
                settings.retain(|(name, _)| *name != "ROUTE53_ASSUME_ROLE_EXTERNAL_ID");
                settings
            },
            "it answers AccessDenied (403): User: AKIDEXAMPLE is not authorized to perform: \
             sts:AssumeRole on resource: arn:aws:iam::210987654321:role/zone-owner",
        ),
        (
            "wrong keys",
            |scene| {
                let settings = scene.assuming(scene.keys());
                change(&settings, "AWS_SECRET_ACCESS_KEY", "another")
            },
            "it answers SignatureDoesNotMatch (403)",
        ),
        (
            "unknown keys",
            |scene| {
                let settings = scene.assuming(scene.keys());
                change(&settings, "AWS_ACCESS_KEY_ID", "AKIDOTHER")
            },
            "it answers InvalidClientTokenId (403)",
        ),
        (
            "the source of the keys",
            |scene| {
                scene.instance.endpoint.go_down();
                scene.assuming(scene.instance())
            },
            "Connection refused",
        ),
    ]);
}

#[test]
fn half_a_setting_and_no_url_end_it_before_it_starts() {
    let scene = Scene::new();
    for (settings, words) in [
        (
            vec![("AWS_ROLE_ARN", ROLE.to_owned())],
            "AWS_WEB_IDENTITY_TOKEN_FILE is not set, but AWS_ROLE_ARN is: set both or none",
        ),
        (
            change(&scene.web(), "AWS_ENDPOINT_URL_STS", "sts"),
            "AWS_ENDPOINT_URL_STS=\"sts\": it has to start with http:// or https://",
        ),
        (
            vec![("AWS_EC2_METADATA_DISABLED", "true".to_owned())],
            "no AWS credentials are set, and AWS_EC2_METADATA_DISABLED=true",
        ),
    ] {
        let (code, last) = scene.once(&settings);
        assert_eq!(code, Some(2), "{last}");
        assert!(last.starts_with(words), "{last}");
    }
}
