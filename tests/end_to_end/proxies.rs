//! Proxies: what goes through which one, in which form, and what is said when that fails. Names of
//! servers are known to the proxy alone, and the loopback interface is never reached through one:
//! a server that could be reached either way is therefore at 0.0.0.0, which leads to this system.

mod direct;
mod failures;

use crate::stage::{PATIENCE, STATE, Stage, each, program, web};
use sim::credentials::{Issuer, Role, Sts, StsOptions};
use sim::proxy::{Asked, Proxy};
use sim::service::Service;
use sim::tls::{Authority, Front};
use std::io::Write;
use std::net::SocketAddr;
use tempfile::NamedTempFile;

const ROUTE53: &str = "route53.example.org:443";
const STS: &str = "sts.example.org:443";
const RANCHER: &str = "rancher.example.org:8080";
const ROLE: &str = "arn:aws:iam::210987654321:role/zone-owner";
/// A user and a password with every sign that has a meaning in URLs, as it is and encoded.
const USER: (&str, &str) = ("dns", "p@ss:w0rd/?#%");
const ENCODED: &str = "dns:p%40ss%3Aw0rd%2F%3F%23%25";

pub type Settings = Vec<(&'static str, String)>;

/// A stage whose Route 53 and STS, over TLS, and Rancher's API a proxy alone knows the way to.
pub struct Scene {
    pub stage: Stage,
    pub proxy: Proxy,
    pub authority: Authority,
    certificate: NamedTempFile,
    _fronts: [Front; 2],
    sts: Sts,
}

/// Of `http://host:port/path`.
fn address(url: &str) -> SocketAddr {
    let authority = url.trim_start_matches("http://").split('/').next();
    authority
        .and_then(|text| text.parse().ok())
        .expect("an address")
}

impl Scene {
    pub fn new() -> Scene {
        let stage = Stage::new(web());
        let issuer = Issuer::new(Some(stage.route53.keyring()));
        let options = StsOptions {
            roles: vec![Role {
                arn: ROLE.to_owned(),
                by_signature: true,
                ..Role::default()
            }],
            ..StsOptions::default()
        };
        let sts = Sts::start(options, &issuer);
        let authority = Authority::new();
        let front = |url: &str, name: &str| {
            authority.front(address(url), &[name.split(':').next().unwrap()])
        };
        let fronts = [
            front(&stage.route53.url(), ROUTE53),
            front(&sts.endpoint.url(), STS),
        ];
        let proxy = Proxy::start(&[
            (ROUTE53, fronts[0].address()),
            (STS, fronts[1].address()),
            (RANCHER, address(&stage.rancher.api_url())),
        ]);
        let mut certificate = NamedTempFile::new().unwrap();
        certificate.write_all(authority.pem().as_bytes()).unwrap();
        Scene {
            stage,
            proxy,
            authority,
            certificate,
            _fronts: fronts,
            sts,
        }
    }

    /// Everything but the proxies.
    pub fn settings(&self) -> Settings {
        let mut settings = self.stage.environment();
        settings.retain(|(name, _)| !["AWS_ENDPOINT_URL_ROUTE_53", "CATTLE_URL"].contains(name));
        let path = self.certificate.path().display().to_string();
        settings.extend([
            ("AWS_ENDPOINT_URL_ROUTE_53", format!("https://{ROUTE53}")),
            ("AWS_ENDPOINT_URL_STS", format!("https://{STS}")),
            ("ROUTE53_ASSUME_ROLE_ARN", ROLE.to_owned()),
            ("CATTLE_URL", format!("http://{RANCHER}/v2-beta")),
            ("CA_FILE", path),
            ("ROUTE53_MAX_RETRIES", "0".to_owned()),
        ]);
        settings
    }

    /// The same with a proxy for both schemes.
    pub fn through(&self, proxy: &str) -> Settings {
        let mut settings = self.settings();
        settings.push(("HTTPS_PROXY", proxy.to_owned()));
        settings.push(("HTTP_PROXY", proxy.to_owned()));
        settings
    }
}

/// The settings with another value of this one.
pub fn with(mut settings: Settings, name: &'static str, value: &str) -> Settings {
    settings.retain(|(known, _)| *known != name);
    settings.push((name, value.to_owned()));
    settings
}

/// Exit code and log of a command, with stdout; nothing of a password is in them.
pub fn run(command: &str, settings: &Settings) -> (Option<i32>, String) {
    let service = Service::spawn(program(), &[command], settings);
    let code = service.wait(PATIENCE).and_then(|status| status.code());
    let text = format!("{}{}", service.stdout(), service.log().join("\n"));
    is_clean(&text);
    (code, text)
}

/// No form of the password is in it.
pub fn is_clean(text: &str) {
    let pair = sim::proxy::basic(USER.0, USER.1);
    let sent = pair.trim_start_matches("Basic ");
    for secret in [USER.1, "p%40ss", "w0rd", sent] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

fn targets(asked: &[Asked]) -> Vec<String> {
    let mut targets: Vec<String> = asked.iter().map(Asked::target).collect();
    targets.sort();
    targets.dedup();
    targets
}

#[test]
fn https_goes_by_tunnel_and_http_in_absolute_form_with_the_credentials_of_the_proxy() {
    let scene = Scene::new();
    scene.proxy.require(USER.0, USER.1);
    // As an env_file or a template leaves it.
    let proxy = format!(" {}/ \r\n", scene.proxy.url(ENCODED));
    let (code, log) = run("once", &scene.through(&proxy));
    assert_eq!(code, Some(0), "{log}");
    scene
        .stage
        .expect_fqdn("shop", "web", "web.shop.prod.example.com");
    assert!(
        scene
            .stage
            .lines()
            .iter()
            .any(|line| line.starts_with(STATE))
    );

    let asked = scene.proxy.asked();
    assert_eq!(targets(&asked), [RANCHER, ROUTE53, STS]);
    let wanted = sim::proxy::basic(USER.0, USER.1);
    for request in &asked {
        let line = request.line.as_str();
        let is_api = line.contains(&format!(" http://{RANCHER}/v2-beta"))
            && (line.starts_with("GET ") || line.starts_with("POST "));
        let is_tunnel = [ROUTE53, STS].map(|target| format!("CONNECT {target} HTTP/1.1"));
        assert!(
            is_api || is_tunnel.iter().any(|tunnel| tunnel == line),
            "{line}"
        );
        assert_eq!(request.header("proxy-authorization"), Some(wanted.as_str()));
    }
    // Rancher's keys are for Rancher: the proxy sees those in the clear, and no others.
    let tunnels = asked
        .iter()
        .filter(|asked| asked.line.starts_with("CONNECT "));
    assert!(
        tunnels
            .clone()
            .all(|asked| asked.header("authorization").is_none())
    );
    // And the proxy's are for the proxy.
    let sts = scene.sts.endpoint.requests();
    assert!(!sts.is_empty());
    assert!(
        sts.iter()
            .all(|asked| asked.header("proxy-authorization").is_none())
    );
}

#[test]
fn a_connection_is_for_one_target() {
    // All of it in absolute form, so that one connection to the proxy could serve for everything.
    let scene = Scene::new();
    let direct = Proxy::start(&[
        (
            "route53.example.org:80",
            address(&scene.stage.route53.url()),
        ),
        ("sts.example.org:80", address(&scene.sts.endpoint.url())),
        (RANCHER, address(&scene.stage.rancher.api_url())),
    ]);
    let settings = scene.through(&direct.url(""));
    let settings = with(
        settings,
        "AWS_ENDPOINT_URL_ROUTE_53",
        "http://route53.example.org",
    );
    let settings = with(settings, "AWS_ENDPOINT_URL_STS", "http://sts.example.org");
    let (code, log) = run("once", &settings);
    assert_eq!(code, Some(0), "{log}");
    let asked = direct.asked();
    assert_eq!(targets(&asked).len(), 3, "{asked:?}");
    let last = asked.last().expect("requests").connection;
    for connection in 1..=last {
        let on_it: Vec<Asked> = asked
            .iter()
            .filter(|asked| asked.connection == connection)
            .cloned()
            .collect();
        assert!(targets(&on_it).len() <= 1, "{on_it:?}");
    }
    assert!(last < asked.len(), "connections are used again: {asked:?}");
}

#[test]
fn a_proxy_can_be_spoken_to_over_tls() {
    let scene = Scene::new();
    scene.proxy.require(USER.0, USER.1);
    let front = scene.authority.front(scene.proxy.address(), &["localhost"]);
    let url = format!("https://{ENCODED}@localhost:{}", front.address().port());
    let (code, log) = run("once", &scene.through(&url));
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(targets(&scene.proxy.asked()), [RANCHER, ROUTE53, STS]);

    // One that nobody vouches for gets neither requests nor credentials.
    let before = scene.proxy.asked().len();
    let other = Authority::new().front(scene.proxy.address(), &["localhost"]);
    let url = format!("https://{ENCODED}@localhost:{}", other.address().port());
    let (code, log) = run("once", &scene.through(&url));
    assert_eq!(code, Some(1), "{log}");
    let name = format!(
        "the proxy https://***@localhost:{} (HTTPS_PROXY)",
        other.address().port()
    );
    assert!(log.contains(&format!("{name} can't be reached: ")), "{log}");
    assert!(log.contains("TLS with localhost failed"), "{log}");
    assert_eq!(scene.proxy.asked().len(), before);
}

#[test]
fn check_and_the_log_say_what_goes_through_which_proxy() {
    let scene = Scene::new();
    let settings = with(scene.settings(), "HTTPS_PROXY", &scene.proxy.url(ENCODED));
    let settings = with(settings, "HTTP_PROXY_FILE", "");
    let settings = with(settings, "all_proxy", &scene.proxy.url(""));
    let at = scene.proxy.address();
    let (code, text) = run("check", &settings);
    assert_eq!(code, Some(0), "{text}");
    let line = format!(
        "✓ proxies     Route 53 is reached through http://***@{at} (HTTPS_PROXY), Rancher's API \
         through http://{at} (all_proxy)\n"
    );
    assert!(text.contains(&line), "{text}");

    let settings = with(settings, "no_proxy", "10.*, rancher.example.org");
    let service = Service::spawn(program(), &[], &settings);
    let starting = service.wait_for_log(PATIENCE, |line| line.contains("msg=starting"));
    let starting = starting.expect("a line");
    for words in [
        format!("route53_reached=\"through http://***@{at} (HTTPS_PROXY)\""),
        "rancher_reached=directly".to_owned(),
    ] {
        assert!(starting.contains(&words), "{starting}");
    }
    // What matches nothing is told, not passed over.
    let doubt = service
        .log()
        .into_iter()
        .find(|line| line.contains("a setting may be wrong"));
    assert!(doubt.is_some_and(|line| line.contains("no_proxy: ") && line.contains("10.*")));
    is_clean(&service.log().join("\n"));
}

#[test]
fn wrong_proxies_are_reported_at_once_without_their_passwords_and_nothing_is_sent() {
    let scene = Scene::new();
    let cases = [
        (
            "HTTPS_PROXY",
            format!("socks5://{ENCODED}@proxy:1080"),
            "socks5://***@proxy:1080",
        ),
        (
            "HTTP_PROXY",
            format!("ftp://{ENCODED}@proxy"),
            "ftp://***@proxy",
        ),
        (
            "ALL_PROXY",
            "'http://proxy:3128'".to_owned(),
            "'http://proxy:3128…",
        ),
        ("TTL", "x".to_owned(), "x"),
    ];
    let mut settings = scene.settings();
    for (name, value, _) in &cases {
        settings = with(settings, name, value);
    }
    let (code, log) = run("run", &settings);
    assert_eq!(code, Some(2), "{log}");
    assert_eq!(log.lines().count(), cases.len(), "{log}");
    for (name, _, shown) in cases {
        let start = format!("{name}={shown:?}: ");
        assert!(
            log.lines().any(|line| line.starts_with(&start)),
            "{start} in {log}"
        );
    }
    each(["", "once", "plan", "check", "purge", "adopt"], |command| {
        let settings = with(scene.settings(), "https_proxy", "socks4://127.0.0.1:1");
        let arguments: Vec<&str> = [command].into_iter().filter(|c| !c.is_empty()).collect();
        let service = Service::spawn(program(), &arguments, &settings);
        let code = service.wait(PATIENCE).and_then(|status| status.code());
        assert_eq!(
            (code, service.log().len()),
            (Some(2), 1),
            "{:?}",
            service.log()
        );
        assert!(service.log()[0].contains("SOCKS"), "{:?}", service.log());
    });
    assert!(scene.stage.route53.requests().is_empty());
    assert!(scene.stage.rancher.api_requests().is_empty());
    assert!(scene.stage.rancher.metadata_requests().is_empty());
}
