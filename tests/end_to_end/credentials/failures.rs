//! What is said when there are no credentials: a table for each source.

use super::{ROLE, Scene, Settings, answer, change};
use crate::stage::PATIENCE;
use sim::credentials::Fault;

/// What is done to a scene, with which settings it then runs, and what the last line says.
type Failure = (&'static str, fn(&Scene) -> Settings, &'static str);

fn check_failures(table: &[Failure]) {
    for (what, arrange, words) in table {
        let scene = Scene::new();
        let settings = arrange(&scene);
        let (code, last) = scene.once(&settings);
        assert_eq!(code, Some(1), "{what}: {last}");
        assert!(last.contains(words), "{what}: {last}\nshould say {words}");
        assert!(
            last.contains("level=error msg=\"stopping: this has to be mended\""),
            "{last}"
        );
        assert!(scene.stage.lines().is_empty(), "{what}");
    }
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
            "arn:aws:iam::123456789012:role/dns can't be assumed: STS at http://127.0.0.1:",
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
            "STS hangs up",
            |scene| with(scene, Fault::Drop),
            "can't be assumed: STS at http://127.0.0.1:",
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
            "STS at http://127.0.0.1:",
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
            "container: http://127.0.0.1:",
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
    check_failures(&[
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
            "instance metadata: http://127.0.0.1:",
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
