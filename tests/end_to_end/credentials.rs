//! Each source of credentials, from nothing but its environment variables: that it works
//! (here), what it says when it doesn't (`failures`), that nobody waits for it without need
//! (`renewal`), what becomes of expired ones (`expired`), and that a wrong clock is put right
//! (`clock`).

mod clock;
mod expired;
mod failures;
mod renewal;

use crate::stage::{PATIENCE, STATE, Stage, ZONE, program, web};
use sim::credentials::{Container, Endpoint, Fault, Instance, Issuer, Role, Sts, StsOptions};
use sim::http::Response;
use sim::rancher;
use sim::route53::{self, Operation};
use sim::service::Service;
use sim::tls::Authority;
use std::io::Write;
use tempfile::NamedTempFile;

const ROLE: &str = "arn:aws:iam::123456789012:role/dns";
const OTHER_ROLE: &str = "arn:aws:iam::210987654321:role/zone-owner";
const EXTERNAL_ID: &str = "shared/with:us";
const WEB_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.t0ken-web.c2ln";
const CONTAINER_TOKEN: &str = "Bearer t0ken-container";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const FIRST: &str = "ASIASIM00000001";
const SECOND: &str = "ASIASIM00000002";

type Settings = Vec<(&'static str, String)>;

/// A stage with every source of credentials beside it.
struct Scene {
    stage: Stage,
    issuer: Issuer,
    sts: Sts,
    container: Container,
    instance: Instance,
    web_token: NamedTempFile,
    container_token: NamedTempFile,
}

fn file(content: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}

impl Scene {
    fn new() -> Scene {
        Scene::with(route53::Options::default())
    }

    fn with(options: route53::Options) -> Scene {
        let sts = StsOptions {
            roles: vec![
                Role {
                    arn: ROLE.to_owned(),
                    tokens: vec![WEB_TOKEN.to_owned()],
                    ..Role::default()
                },
                Role {
                    arn: OTHER_ROLE.to_owned(),
                    by_signature: true,
                    external_id: Some(EXTERNAL_ID.to_owned()),
                    ..Role::default()
                },
            ],
            clock_offset: options.clock_offset,
            ..StsOptions::default()
        };
        let stage = Stage::with(web(), rancher::Options::default(), options);
        let issuer = Issuer::new(Some(stage.route53.keyring()));
        issuer.add_secret(SECRET);
        Scene {
            sts: Sts::start(sts, &issuer),
            container: Container::start(CONTAINER_TOKEN, &issuer),
            instance: Instance::start(Some("dns-writer"), &issuer),
            web_token: file(&format!("{WEB_TOKEN}\n")),
            container_token: file(CONTAINER_TOKEN),
            stage,
            issuer,
        }
    }

    fn web(&self) -> Settings {
        vec![
            ("AWS_WEB_IDENTITY_TOKEN_FILE", path(&self.web_token)),
            ("AWS_ROLE_ARN", ROLE.to_owned()),
            ("AWS_ENDPOINT_URL_STS", self.sts.endpoint.url()),
        ]
    }

    fn container(&self) -> Settings {
        vec![
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", self.container.url()),
            (
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                path(&self.container_token),
            ),
            // Second to the file.
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "none".to_owned()),
        ]
    }

    fn instance(&self) -> Settings {
        let url = self.instance.endpoint.url();
        vec![("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)]
    }

    fn keys(&self) -> Settings {
        vec![
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ]
    }

    /// Temporary ones, as somebody pastes them.
    fn temporary(&self) -> Settings {
        let (credential, _) = self.issuer.issue();
        vec![
            ("AWS_ACCESS_KEY_ID", credential.access_key),
            ("AWS_SECRET_ACCESS_KEY", credential.secret_key),
            ("AWS_SESSION_TOKEN", credential.session_token.unwrap()),
        ]
    }

    fn assuming(&self, mut settings: Settings) -> Settings {
        settings.extend([
            ("ROUTE53_ASSUME_ROLE_ARN", OTHER_ROLE.to_owned()),
            ("ROUTE53_ASSUME_ROLE_EXTERNAL_ID", EXTERNAL_ID.to_owned()),
            ("AWS_ENDPOINT_URL_STS", self.sts.endpoint.url()),
        ]);
        settings
    }

    /// Starts the program with these credentials and no others.
    fn spawn(&self, arguments: &[&str], settings: &Settings) -> Service {
        let mut environment = self.stage.environment();
        environment.retain(|(name, _)| {
            let keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
            !keys.contains(name) && !settings.iter().any(|(other, _)| other == name)
        });
        environment.extend(settings.iter().cloned());
        Service::spawn(program(), arguments, &environment)
    }

    /// One round: its exit code and its last line.
    fn once(&self, settings: &Settings) -> (Option<i32>, String) {
        let service = self.spawn(&["once"], settings);
        let code = service.wait(PATIENCE).and_then(|status| status.code());
        self.look_for_secrets(&service);
        (code, service.log().pop().unwrap_or_default())
    }

    fn look_for_secrets(&self, service: &Service) {
        let shown = format!("{}\n{}", service.log().join("\n"), service.stdout());
        for secret in self.issuer.secrets() {
            assert!(!shown.contains(&secret), "{secret} is in {shown}");
        }
        assert!(!shown.contains("panicked"), "{shown}");
    }

    /// Adds a service and waits for its record set.
    fn publish(&self, service: &str) {
        self.stage.rancher.change(|world| {
            world.add_service("shop", service).run_on("h1", 80);
        });
        let name = format!("{service}.shop.prod.example.com.");
        let is_there = self.stage.route53.wait_until(PATIENCE, |state| {
            let zone = state.zone(ZONE).unwrap();
            let is_answered = state.in_flight(Operation::ChangeResourceRecordSets) == 0;
            is_answered && zone.record_sets().any(|set| set.name == name)
        });
        assert!(is_there, "{name} should be in {:#?}", self.stage.lines());
    }

    /// Which keys signed the requests, and what these were answered.
    fn signers(&self) -> Vec<(String, u16)> {
        let requests = self.stage.route53.requests();
        requests
            .into_iter()
            .map(|request| (request.access_key.unwrap_or_default(), request.status))
            .collect()
    }

    fn is_published(&self) {
        let state = format!("{STATE} 300 TXT \"web.shop.prod.example.com.\"");
        self.stage
            .expect_zone(&[&state, "web.shop.prod.example.com. 300 A 203.0.113.1"]);
    }
}

fn path(file: &NamedTempFile) -> String {
    file.path().display().to_string()
}

fn change(settings: &Settings, name: &'static str, value: &str) -> Settings {
    let mut changed = settings.clone();
    changed.retain(|(known, _)| *known != name);
    changed.push((name, value.to_owned()));
    changed
}

fn answer(status: u16, body: &str) -> Fault {
    Fault::Answer(Response::new(status, "text/plain", body))
}

#[test]
fn each_source_works_from_nothing_but_its_variables() {
    type Choose = fn(&Scene) -> Settings;
    let table: [(&str, Choose, &str, usize); 9] = [
        ("environment", Scene::keys, "AKIDEXAMPLE", 0),
        ("web identity", Scene::web, FIRST, 1),
        ("container, token in a file", Scene::container, FIRST, 1),
        (
            "container, token in a variable",
            |scene| {
                vec![
                    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", scene.container.url()),
                    (
                        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                        CONTAINER_TOKEN.to_owned(),
                    ),
                ]
            },
            FIRST,
            1,
        ),
        ("instance metadata", Scene::instance, FIRST, 1),
        (
            "role assumed by keys",
            |scene| scene.assuming(scene.keys()),
            FIRST,
            1,
        ),
        (
            "role assumed by a web identity",
            |scene| scene.assuming(scene.web()),
            SECOND,
            2,
        ),
        (
            "role assumed by a container",
            |scene| scene.assuming(scene.container()),
            SECOND,
            2,
        ),
        (
            "role assumed by an instance",
            |scene| scene.assuming(scene.instance()),
            SECOND,
            2,
        ),
    ];
    for (source, choose, key, issued) in table {
        let scene = Scene::new();
        let (code, last) = scene.once(&choose(&scene));
        assert_eq!(code, Some(0), "{source}: {last}");
        scene.is_published();
        let signers = scene.signers();
        let expected = (key.to_owned(), 200);
        assert!(
            signers.iter().all(|signer| *signer == expected),
            "{source}: {signers:?}"
        );
        assert_eq!(scene.issuer.issued().len(), issued, "{source}");
    }
}

#[test]
fn keys_can_be_in_files() {
    let scene = Scene::new();
    let (id, secret) = (file("AKIDEXAMPLE\n"), file(&format!("{SECRET}\n")));
    let (code, last) = scene.once(&vec![
        ("AWS_ACCESS_KEY_ID_FILE", path(&id)),
        ("AWS_SECRET_ACCESS_KEY_FILE", path(&secret)),
    ]);
    assert_eq!(code, Some(0), "{last}");
    scene.is_published();
}

#[test]
fn temporary_keys_can_be_given_directly() {
    let scene = Scene::new();
    let (code, last) = scene.once(&scene.temporary());
    assert_eq!(code, Some(0), "{last}");
    scene.is_published();
}

#[test]
fn the_first_source_that_is_configured_is_the_one() {
    let scene = Scene::new();
    let all = [scene.web(), scene.container(), scene.instance()].concat();
    assert_eq!(scene.once(&all).0, Some(0));
    assert!(scene.container.endpoint.requests().is_empty());
    // If it fails no other identity is tried.
    scene.sts.endpoint.go_down();
    let (code, last) = scene.once(&all);
    assert_eq!(code, Some(1), "{last}");
    assert!(last.contains("web identity"), "{last}");
    assert!(scene.container.endpoint.requests().is_empty());
    assert!(scene.instance.endpoint.requests().is_empty());
}

#[test]
fn redirects_are_not_followed_and_proxies_not_asked() {
    let scene = Scene::new();
    let elsewhere = Endpoint::start(|_| Response::new(200, "text/plain", "{}"));
    let redirect = Fault::Redirect(elsewhere.url());
    scene.container.endpoint.inject("/", redirect.clone(), 1);
    scene.instance.endpoint.inject("/", redirect, 1);
    assert!(scene.once(&scene.container()).1.contains("it answers 302"));
    assert!(scene.once(&scene.instance()).1.contains("it answers 302"));
    assert!(elsewhere.requests().is_empty());

    // Nobody listens at this proxy: Route 53 is out of reach, what is next door isn't.
    let closed = Endpoint::start(|_| Response::new(502, "text/plain", ""));
    closed.go_down();
    for settings in [scene.container(), scene.instance()] {
        let before = scene.issuer.issued().len();
        let settings = change(&settings, "HTTP_PROXY", &closed.url());
        let settings = change(&settings, "ROUTE53_MAX_RETRIES", "0");
        let url = everywhere(&scene.stage.route53.url());
        let settings = change(&settings, "AWS_ENDPOINT_URL_ROUTE_53", &url);
        let (code, last) = scene.once(&settings);
        assert_eq!(code, Some(1), "{last}");
        assert!(last.contains("no valid answer from Route 53"), "{last}");
        assert_eq!(scene.issuer.issued().len(), before + 1);
    }
    assert!(scene.signers().is_empty());
}

/// The same server, at an address of this system for which proxies are asked: for those of the
/// loopback interface they never are.
fn everywhere(url: &str) -> String {
    url.replace("127.0.0.1", "0.0.0.0")
}

#[test]
fn what_is_outside_is_asked_through_the_proxy_and_what_is_next_door_is_not() {
    // Nobody listens at this proxy.
    let proxy = Endpoint::start(|_| Response::new(502, "text/plain", ""));
    proxy.go_down();
    let once = |scene: &Scene, variable, settings: &Settings| {
        let mut settings = settings.clone();
        settings.extend([
            (variable, proxy.url()),
            ("ROUTE53_MAX_RETRIES", "0".to_owned()),
        ]);
        scene.once(&settings)
    };
    let by_proxy = |settings: &Settings, name| {
        let (_, url) = settings.iter().find(|(known, _)| *known == name).unwrap();
        change(settings, name, &everywhere(url))
    };
    let scene = Scene::new();
    let environment = scene.stage.environment();
    let route53 = (
        "AWS_ENDPOINT_URL_ROUTE_53",
        "no valid answer from Route 53: ",
    );
    let sts = ("AWS_ENDPOINT_URL_STS", "STS at http://0.0.0.0:");
    let api = (
        "CATTLE_URL",
        "an fqdn could not be written back to Rancher: ",
    );
    for (variable, (name, words)) in [
        ("ALL_PROXY", route53),
        ("all_proxy", route53),
        ("HTTP_PROXY", route53),
        ("http_proxy", route53),
        ("HTTP_PROXY", sts),
        ("HTTP_PROXY", api),
    ] {
        let settings = by_proxy(&scene.assuming(environment.clone()), name);
        let (code, last) = once(&scene, variable, &settings);
        assert_eq!(code, Some(1), "{variable} {name}: {last}");
        let reason = format!("the proxy {} ({variable}) can't be reached: ", proxy.url());
        for words in [words, &reason, "Connection refused"] {
            assert!(last.contains(words), "{variable} {name}: {last}");
        }
    }
    for (settings, name, issued) in [
        (environment, "METADATA_URL", 0),
        (scene.instance(), "AWS_EC2_METADATA_SERVICE_ENDPOINT", 1),
    ] {
        let before = scene.issuer.issued().len();
        let (code, last) = once(&scene, "HTTP_PROXY", &by_proxy(&settings, name));
        assert_eq!(code, Some(0), "{name}: {last}");
        assert_eq!(scene.issuer.issued().len(), before + issued, "{name}");
    }
    // Without TLS a container's endpoint is on the loopback interface or at an address of AWS's.
    let authority = Authority::new();
    let target = scene.container.endpoint.url();
    let target = target.trim_start_matches("http://").parse().unwrap();
    let front = authority.front(target, &["0.0.0.0"]);
    let ca = file(authority.pem());
    let (_, url) = scene.container().remove(0);
    let path_of_it = url.rsplit_once("/v1/").expect("a path").1;
    let url = format!("{}/v1/{path_of_it}", front.url());
    let settings = change(
        &scene.container(),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        &url,
    );
    let settings = change(&settings, "CA_FILE", &path(&ca));
    let before = scene.issuer.issued().len();
    let (code, last) = once(&scene, "HTTPS_PROXY", &settings);
    assert_eq!(code, Some(0), "{last}");
    assert_eq!(scene.issuer.issued().len(), before + 1);
}

#[test]
fn at_start_what_may_come_up_is_waited_for() {
    let scene = Scene::new();
    scene.container.endpoint.go_down();
    let service = scene.spawn(&[], &scene.container());
    let line = service.wait_for_log(PATIENCE, |line| line.contains("can't be looked up yet"));
    let line = line.expect("a line");
    assert!(line.contains("Connection refused"), "{line}");
    scene.container.endpoint.come_up();
    scene.is_published();
    scene.look_for_secrets(&service);
}

#[test]
fn at_start_a_role_that_changes_between_its_name_and_its_credentials_is_asked_for_anew() {
    let scene = Scene::new();
    let list = answer(200, "dns-writer-before");
    let roles = "/latest/meta-data/iam/security-credentials/";
    scene.instance.endpoint.inject(roles, list, 1);
    let service = scene.spawn(&[], &scene.instance());
    let line = service.wait_for_log(PATIENCE, |line| line.contains("can't be looked up yet"));
    let line = line.expect("a line");
    let words = "it answers 404 when asked for the credentials";
    assert!(line.contains(words), "{line}");
    scene.is_published();
    scene.look_for_secrets(&service);
}

#[test]
fn at_start_what_only_an_operator_can_mend_ends_it() {
    let scene = Scene::new();
    let settings = scene.assuming(scene.keys());
    let settings = change(&settings, "ROUTE53_ASSUME_ROLE_EXTERNAL_ID", "guess");
    let service = scene.spawn(&[], &settings);
    let status = service.wait(PATIENCE).expect("an end");
    assert_eq!(status.code(), Some(1));
    let last = service.log().pop().unwrap();
    assert!(last.contains("AccessDenied"), "{last}");
    assert_eq!(scene.sts.endpoint.requests().len(), 1);
    scene.look_for_secrets(&service);
}

#[test]
fn what_route_53_quotes_is_not_passed_on() {
    let scene = Scene::new();
    let settings = scene.temporary();
    let (_, token) = &settings[2];
    let message = format!("The Canonical String should have been 'x-amz-security-token:{token}'");
    let fault = route53::Fault::Error {
        status: 403,
        code: "SignatureDoesNotMatch".to_owned(),
        message,
    };
    let operation = Some(Operation::ListHostedZonesByName);
    scene.stage.route53.inject(operation, fault, 1);
    let (code, last) = scene.once(&settings);
    assert_eq!(code, Some(1));
    assert!(last.contains("x-amz-security-token:…"), "{last}");
}
