//! What is said when there are no credentials, or none that are taken: a table for each source.
//! And that it costs nothing: the zone is what it was.

use super::{ROLE, SECRET, Scene, Settings, answer, change, file, path};
use crate::stage::{PATIENCE, STATE, each, state_line};
use sim::credentials::Fault;
use sim::route53::{Credential, Operation, RecordSet};

/// What is done to a scene, with which settings it then runs, and what the last line says.
type Failure = (
    &'static str,
    fn(&Scene) -> Settings,
    &'static [&'static str],
);

/// A scene whose zone has two record sets of ours: one whose service has another address by now,
/// and one whose service is gone. A round that works changes both.
fn scene_with_record_sets() -> Scene {
    let scene = Scene::new();
    let entries = [
        "\"gone.shop.prod.example.com.\"",
        "\"web.shop.prod.example.com.\"",
    ];
    scene
        .stage
        .put(RecordSet::simple(STATE, "TXT", 300, &entries));
    for name in ["gone.shop.prod.example.com", "web.shop.prod.example.com"] {
        let set = RecordSet::simple(name, "A", 300, &["203.0.113.9"]);
        scene.stage.put(set);
    }
    scene
}

fn check_failures(table: &[Failure]) {
    for (what, arrange, words) in table {
        let scene = scene_with_record_sets();
        let settings = arrange(&scene);
        let before = scene.stage.lines();
        let (code, last) = scene.once(&settings);
        assert_eq!(scene.stage.lines(), before, "{what}: nothing is lost");
        assert_eq!(code, Some(1), "{what}: {last}");
        for words in *words {
            assert!(last.contains(words), "{what}: {last}\nshould say {words}");
        }
        assert!(
            last.contains("level=error msg=\"stopping: not all is done\""),
            "{last}"
        );
    }
}

#[test]
fn a_round_that_works_changes_what_failures_leave_alone() {
    let scene = scene_with_record_sets();
    assert_eq!(scene.stage.lines().len(), 3);
    let (code, last) = scene.once(&scene.keys());
    assert_eq!(code, Some(0), "{last}");
    assert_eq!(
        scene.stage.lines(),
        [
            state_line(&["web.shop.prod.example.com."]),
            "web.shop.prod.example.com. 300 A 203.0.113.1".to_owned(),
        ]
    );
}

#[test]
fn failures_of_keys_explain_themselves() {
    fn denying(scene: &Scene, operation: Operation) -> Settings {
        let keys = Credential::new("AKIDEXAMPLE", SECRET).denying(operation);
        scene.stage.route53.rotate_credentials(vec![keys]);
        scene.keys()
    }
    const POLICY: &str =
        " – the IAM policy has to allow it: the command policy prints one that does";
    const CHECK: &str = " – check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    check_failures(&[
        (
            "a wrong secret",
            |scene| change(&scene.keys(), "AWS_SECRET_ACCESS_KEY", "another"),
            &[
                "SignatureDoesNotMatch (403): The request signature we",
                CHECK,
            ],
        ),
        (
            "an unknown key",
            |scene| change(&scene.keys(), "AWS_ACCESS_KEY_ID", "AKIDOTHER"),
            &["InvalidClientTokenId (403): The security token", CHECK],
        ),
        (
            "a session token of others",
            |scene| change(&scene.temporary(), "AWS_SESSION_TOKEN", "t0ken-other"),
            &[CHECK, "(and AWS_SESSION_TOKEN, if they are temporary)"],
        ),
        (
            "no session token",
            |scene| {
                let mut settings = scene.temporary();
                settings.retain(|(name, _)| *name != "AWS_SESSION_TOKEN");
                settings
            },
            &["InvalidClientTokenId (403): The security token", CHECK],
        ),
        (
            "a session token that has expired",
            |scene| {
                scene.issuer.set_lifetime(-60);
                scene.temporary()
            },
            &[
                "ExpiredToken (403): The security token included in the request is expired – the \
                 session token has expired: new keys are needed, with their AWS_SESSION_TOKEN",
            ],
        ),
        (
            "the zone may not be looked up",
            |scene| denying(scene, Operation::ListHostedZonesByName),
            &[
                "AccessDenied (403): ",
                "to perform: route53:ListHostedZonesByName on resource",
                POLICY,
            ],
        ),
        (
            "the zone may not be listed",
            |scene| denying(scene, Operation::ListResourceRecordSets),
            &[
                "AccessDenied (403): ",
                "to perform: route53:ListResourceRecordSets on resource",
                POLICY,
            ],
        ),
        (
            "the zone may not be changed",
            |scene| denying(scene, Operation::ChangeResourceRecordSets),
            &[
                "AccessDenied (403): ",
                "to perform: route53:ChangeResourceRecordSets on resource",
                POLICY,
            ],
        ),
    ]);
}

#[test]
fn failures_of_web_identity_explain_themselves() {
    fn with(scene: &Scene, fault: Fault) -> Settings {
        scene.sts.endpoint.inject("/", fault, 9);
        scene.web()
    }
    const NOT_ASSUMED: &str = "web identity: arn:aws:iam::123456789012:role/dns can't be assumed: \
                               STS at http://127.0.0.1:";
    const NOT_WHOLE: &str =
        "its answer can't be used: it is not a whole AssumeRoleWithWebIdentityResponse";
    let quick: &[Failure] = &[
        (
            "no token file",
            |scene| change(&scene.web(), "AWS_WEB_IDENTITY_TOKEN_FILE", "/no/such/file"),
            &[
                "no AWS credentials: environment: AWS_ACCESS_KEY_ID is not set; web identity: \
                 AWS_WEB_IDENTITY_TOKEN_FILE: the file /no/such/file can't be read: No such file",
            ],
        ),
        (
            "an empty token file",
            |scene| {
                scene.web_token.as_file().set_len(0).unwrap();
                scene.web()
            },
            &[
                "web identity: AWS_WEB_IDENTITY_TOKEN_FILE: the file /",
                " is empty",
            ],
        ),
        (
            "another's token, which STS quotes",
            |scene| {
                scene
                    .sts
                    .configure(|options| options.roles[0].tokens = vec!["x".into()]);
                scene.web()
            },
            &[
                NOT_ASSUMED,
                "it answers InvalidIdentityToken (400): The token … is not one of the provider's",
            ],
        ),
        (
            "a token that has expired",
            |scene| {
                let body = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                            <Error><Type>Sender</Type><Code>ExpiredTokenException</Code>\
                            <Message>Token expired: current date/time 1700003600 must be before \
                            the expiration date/time 1700000000</Message></Error>\
                            <RequestId>0</RequestId></ErrorResponse>";
                with(scene, answer(400, body))
            },
            &[
                NOT_ASSUMED,
                "it answers ExpiredTokenException (400): Token expired: current date/time \
                 1700003600 must be before the expiration date/time 1700000000",
            ],
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
            &[
                "it answers AccessDenied (403): Not you: is not authorized to perform: \
               sts:AssumeRoleWithWebIdentity on resource: arn:aws:iam::123456789012:role/no",
            ],
        ),
        (
            "STS down",
            |scene| {
                scene.sts.endpoint.go_down();
                scene.web()
            },
            &[NOT_ASSUMED, "Connection refused"],
        ),
        (
            "STS hangs up",
            |scene| with(scene, Fault::Drop),
            &[
                NOT_ASSUMED,
                "the connection was closed before the answer was whole",
            ],
        ),
        (
            "no XML",
            |scene| {
                with(
                    scene,
                    Fault::Garbled(b"{\"SecretAccessKey\": \"s3cret\"}".to_vec()),
                )
            },
            &[NOT_ASSUMED, NOT_WHOLE],
        ),
        (
            "half an answer",
            |scene| with(scene, Fault::Half),
            &[NOT_WHOLE],
        ),
        (
            "no end of an answer",
            |scene| with(scene, Fault::Garbled(vec![b'<'; 100_000])),
            &[
                NOT_ASSUMED,
                "the response body is larger than request limit",
            ],
        ),
        (
            "not UTF-8",
            |scene| with(scene, Fault::Garbled(vec![0xff; 10])),
            &[NOT_ASSUMED, "the answer isn't UTF-8"],
        ),
        (
            "a page of a proxy",
            |scene| with(scene, answer(403, "<html>Forbidden</html>")),
            &[NOT_ASSUMED, "it answers 403 without an error of STS"],
        ),
        (
            "credentials that have ended",
            |scene| {
                scene.issuer.set_lifetime(-60);
                scene.web()
            },
            &["ExpiredToken (403): The security token included in the request is expired"],
        ),
    ];
    let slow: &[Failure] = &[(
        "slow",
        |scene| with(scene, Fault::Hang(PATIENCE)),
        &[NOT_ASSUMED, "time is up (global)"],
    )];
    each([quick, slow], check_failures);
}

#[test]
fn failures_of_a_container_endpoint_explain_themselves() {
    fn with(scene: &Scene, fault: Fault) -> Settings {
        scene.container.endpoint.inject("/", fault, 9);
        scene.container()
    }
    const AT: &str = "web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set; container: \
                      http://127.0.0.1:";
    check_failures(&[
        (
            "down",
            |scene| {
                scene.container.endpoint.go_down();
                scene.container()
            },
            &[
                "no AWS credentials: environment: AWS_ACCESS_KEY_ID is not set; web identity: \
                 AWS_WEB_IDENTITY_TOKEN_FILE is not set; container: http://127.0.0.1:",
                "Connection refused",
            ],
        ),
        (
            "slow",
            |scene| with(scene, Fault::Hang(PATIENCE)),
            &[AT, "time is up (global)"],
        ),
        (
            "hangs up",
            |scene| with(scene, Fault::Drop),
            &[AT, "the connection was closed before the answer was whole"],
        ),
        (
            "no JSON",
            |scene| with(scene, Fault::Garbled(b"s3cret".to_vec())),
            &[AT, "its answer can't be used: it is not JSON"],
        ),
        (
            "half an answer",
            |scene| with(scene, Fault::Half),
            &[AT, "its answer can't be used: it is not JSON"],
        ),
        (
            "another document",
            |scene| with(scene, Fault::Garbled(b"{\"AccessKeyId\": {}}".to_vec())),
            &[AT, "its answer can't be used: it has no AccessKeyId"],
        ),
        (
            "no end of an answer",
            |scene| with(scene, Fault::Garbled(vec![b' '; 100_000])),
            &[AT, "the response body is larger than request limit"],
        ),
        (
            "an error",
            |scene| with(scene, answer(500, "{\"code\": \"Oops\"}")),
            &[AT, "it answers 500: Oops"],
        ),
        (
            "the token has changed, and is quoted",
            |scene| {
                scene.container.change_token("t0ken-other");
                scene.container()
            },
            &[
                AT,
                "it answers 400: InvalidAuthorizationToken: the token … is not the one – check the \
                 authorization token",
            ],
        ),
        (
            "no token",
            |scene| vec![("AWS_CONTAINER_CREDENTIALS_FULL_URI", scene.container.url())],
            &[
                AT,
                "it may want AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE or \
                 AWS_CONTAINER_AUTHORIZATION_TOKEN",
            ],
        ),
        (
            "no token file",
            |scene| {
                let name = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
                change(&scene.container(), name, "/no/such/file")
            },
            &[
                "container: AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: the file /no/such/file can't \
                 be read: No such file",
            ],
        ),
        (
            "an empty token file",
            |scene| {
                scene.container_token.as_file().set_len(0).unwrap();
                scene.container()
            },
            &[
                "container: AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: the file /",
                " is empty",
            ],
        ),
        (
            "credentials that have ended",
            |scene| {
                scene.issuer.set_lifetime(-60);
                scene.container()
            },
            &["ExpiredToken (403): The security token included in the request is expired"],
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
    const AT: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI is set; instance metadata: \
                      http://127.0.0.1:";
    check_failures(&[
        (
            "no instance",
            |scene| {
                scene.instance.endpoint.go_down();
                scene.instance()
            },
            &[
                "no AWS credentials: environment: AWS_ACCESS_KEY_ID is not set; web identity: \
                 AWS_WEB_IDENTITY_TOKEN_FILE is not set; container: neither \
                 AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is \
                 set; instance metadata: http://127.0.0.1:",
                "Connection refused",
            ],
        ),
        (
            "hop limit 1",
            |scene| with(scene, TOKEN, Fault::Hang(PATIENCE)),
            &[
                AT,
                "time is up (global) – ",
                "in a bridged container the instance's metadata hop limit must be 2",
            ],
        ),
        (
            "turned off",
            |scene| with(scene, TOKEN, answer(403, "")),
            &[AT, "it answers 403 when asked for a token"],
        ),
        (
            "hangs up",
            |scene| with(scene, TOKEN, Fault::Drop),
            &[AT, "the connection was closed before the answer was whole"],
        ),
        (
            "no token",
            |scene| with(scene, TOKEN, answer(200, "a\r\nb")),
            &[AT, "the token in its answer is malformed"],
        ),
        (
            "no role",
            |scene| with(scene, ROLES, answer(404, "<html>")),
            &[AT, "the instance has no role: attach an instance profile"],
        ),
        (
            "no name of a role",
            |scene| with(scene, ROLES, answer(200, "<html>")),
            &[AT, "the role name in its answer is malformed"],
        ),
        (
            "the token is not taken",
            |scene| with(scene, ROLES, answer(401, "")),
            &[AT, "it answers 401 when asked for the role"],
        ),
        (
            "the role is not shown",
            |scene| with(scene, ROLES, answer(403, "")),
            &[AT, "it answers 403 when asked for the role"],
        ),
        (
            "slow in the middle",
            |scene| with(scene, ROLES, Fault::Hang(PATIENCE)),
            &[AT, "time is up (global)\""],
        ),
        (
            "the role changes between its name and its credentials",
            |scene| {
                let list = answer(200, "dns-writer-before");
                scene.instance.endpoint.inject(ROLES, list, 1);
                scene.instance()
            },
            &[AT, "it answers 404 when asked for the credentials"],
        ),
        (
            "the credentials are not shown",
            |scene| with(scene, ROLE, answer(403, "")),
            &[AT, "it answers 403 when asked for the credentials"],
        ),
        (
            "no JSON",
            |scene| with(scene, ROLE, Fault::Half),
            &[AT, "its answer can't be used: it is not JSON"],
        ),
        (
            "a role that can't be assumed",
            |scene| {
                let body = "{\"Code\": \"AssumeRoleUnauthorizedAccess\", \"Message\": \"no\"}";
                with(scene, ROLE, answer(200, body))
            },
            &[
                AT,
                "no credentials for the role dns-writer: AssumeRoleUnauthorizedAccess: no",
            ],
        ),
        (
            "credentials that have ended",
            |scene| {
                scene.issuer.set_lifetime(-60);
                scene.instance()
            },
            &["ExpiredToken (403): The security token included in the request is expired"],
        ),
    ]);
}

#[test]
fn failures_of_an_assumed_role_explain_themselves() {
    fn with(scene: &Scene, fault: Fault) -> Settings {
        scene.sts.endpoint.inject("/", fault, 9);
        scene.assuming(scene.keys())
    }
    const NOT_ASSUMED: &str = "no AWS credentials: ROUTE53_ASSUME_ROLE_ARN=arn:aws:iam::210987654321:role/zone-owner \
         can't be assumed by AKIDEXAMPLE (environment): STS at http://127.0.0.1:";
    const NOT_WHOLE: &str = "its answer can't be used: it is not a whole AssumeRoleResponse";
    const DENIED: &str = "it answers AccessDenied (403): User: AKIDEXAMPLE is not authorized to perform: \
         sts:AssumeRole on resource: arn:aws:iam::210987654321:role/zone-owner";
    let quick: &[Failure] = &[
        (
            "another external id",
            |scene| {
                let settings = scene.assuming(scene.keys());
                change(&settings, "ROUTE53_ASSUME_ROLE_EXTERNAL_ID", "guess")
            },
            &[NOT_ASSUMED, DENIED],
        ),
        (
            "no external id",
            |scene| {
                let mut settings = scene.assuming(scene.keys());
                settings.retain(|(name, _)| *name != "ROUTE53_ASSUME_ROLE_EXTERNAL_ID");
                settings
            },
            &[NOT_ASSUMED, DENIED],
        ),
        (
            "the role trusts nobody any more",
            |scene| {
                scene
                    .sts
                    .configure(|options| options.roles[1].by_signature = false);
                scene.assuming(scene.keys())
            },
            &[NOT_ASSUMED, DENIED],
        ),
        (
            "wrong keys",
            |scene| {
                let settings = scene.assuming(scene.keys());
                change(&settings, "AWS_SECRET_ACCESS_KEY", "another")
            },
            &[NOT_ASSUMED, "it answers SignatureDoesNotMatch (403)"],
        ),
        (
            "unknown keys",
            |scene| {
                let settings = scene.assuming(scene.keys());
                change(&settings, "AWS_ACCESS_KEY_ID", "AKIDOTHER")
            },
            &[
                "can't be assumed by AKIDOTHER (environment): STS at ",
                "it answers InvalidClientTokenId (403)",
            ],
        ),
        (
            "the source of the keys",
            |scene| {
                scene.instance.endpoint.go_down();
                scene.assuming(scene.instance())
            },
            &["instance metadata: http://127.0.0.1:", "Connection refused"],
        ),
        (
            "STS down",
            |scene| {
                scene.sts.endpoint.go_down();
                scene.assuming(scene.keys())
            },
            &[NOT_ASSUMED, "Connection refused"],
        ),
        (
            "STS hangs up",
            |scene| with(scene, Fault::Drop),
            &[
                NOT_ASSUMED,
                "the connection was closed before the answer was whole",
            ],
        ),
        (
            "no XML",
            |scene| {
                with(
                    scene,
                    Fault::Garbled(b"{\"SecretAccessKey\": \"s3cret\"}".to_vec()),
                )
            },
            &[NOT_ASSUMED, NOT_WHOLE],
        ),
        (
            "half an answer",
            |scene| with(scene, Fault::Half),
            &[NOT_ASSUMED, NOT_WHOLE],
        ),
        (
            "a page of a proxy",
            |scene| with(scene, answer(502, "<html>Bad Gateway</html>")),
            &[NOT_ASSUMED, "it answers 502 without an error of STS"],
        ),
        (
            "credentials of the role that have ended",
            |scene| {
                scene.issuer.set_lifetime(-60);
                scene.assuming(scene.keys())
            },
            &["ExpiredToken (403): The security token included in the request is expired"],
        ),
        (
            "an end that is none",
            |scene| {
                let body = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA\
                            </AccessKeyId><SecretAccessKey>s3cret</SecretAccessKey><SessionToken>\
                            t0ken</SessionToken><Expiration>soon</Expiration></Credentials>\
                            </AssumeRoleResult></AssumeRoleResponse>";
                scene.issuer.add_secret("s3cret");
                scene.issuer.add_secret("t0ken");
                with(scene, answer(200, body))
            },
            &[
                NOT_ASSUMED,
                "its answer can't be used: its Expiration is not a date and time",
            ],
        ),
    ];
    let slow: &[Failure] = &[(
        "slow",
        |scene| with(scene, Fault::Hang(PATIENCE)),
        &[NOT_ASSUMED, "time is up (global)"],
    )];
    each([quick, slow], check_failures);
}

#[test]
fn what_a_setting_names_wrongly_ends_it_before_it_starts() {
    let scene = scene_with_record_sets();
    let before = scene.stage.lines();
    let (empty, hello) = (file(" \n"), file("hello"));
    let (empty, hello) = (path(&empty), path(&hello));
    let with = |name, value: &str| {
        let mut settings = scene.keys();
        settings.retain(|(known, _)| *known != name);
        settings.push((name, value.to_owned()));
        settings
    };
    let in_file = |value: &str| {
        let mut settings = with("AWS_SECRET_ACCESS_KEY_FILE", value);
        settings.retain(|(known, _)| *known != "AWS_SECRET_ACCESS_KEY");
        settings
    };
    for (settings, words) in [
        (
            vec![("AWS_ROLE_ARN", ROLE.to_owned())],
            "AWS_WEB_IDENTITY_TOKEN_FILE is not set, but AWS_ROLE_ARN is: set both or none"
                .to_owned(),
        ),
        (
            change(&scene.web(), "AWS_ENDPOINT_URL_STS", "sts"),
            "AWS_ENDPOINT_URL_STS=\"sts\": it has to start with http:// or https://".to_owned(),
        ),
        (
            with("AWS_ENDPOINT_URL_ROUTE_53", "route53"),
            "AWS_ENDPOINT_URL_ROUTE_53=\"route53\": it has to start with http:// or https://"
                .to_owned(),
        ),
        (
            vec![("AWS_EC2_METADATA_DISABLED", "true".to_owned())],
            "no AWS credentials are set, and AWS_EC2_METADATA_DISABLED=true".to_owned(),
        ),
        (
            in_file("/no/such/file"),
            "AWS_SECRET_ACCESS_KEY_FILE=\"/no/such/file\": can't be read: No such file".to_owned(),
        ),
        (
            in_file(&empty),
            format!("AWS_SECRET_ACCESS_KEY_FILE={empty:?}: the file is empty"),
        ),
        (
            with("CA_FILE", &hello),
            format!("CA_FILE={hello:?}: there is no certificate in it"),
        ),
    ] {
        let service = scene.spawn(&["once"], &settings);
        let code = service.wait(PATIENCE).and_then(|status| status.code());
        let lines = service.log();
        assert_eq!(code, Some(2), "{lines:?}");
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with(&words), "{lines:?} should say {words}");
        scene.look_for_secrets(&service);
    }
    assert_eq!(scene.stage.lines(), before, "nothing is lost");
    assert!(scene.stage.route53.requests().is_empty());
}
