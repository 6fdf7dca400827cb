//! Whatever fails, the line of `check` says what to do, and names the setting.

use std::any::Any;
use std::io::{Read, Write};
use std::net::SocketAddr;

use super::check::check;
use crate::stage::{Stage, each, web};
use sim::free_port;
use sim::rancher;
use sim::route53::{Credential, Fault};
use sim::tls::Front;

/// Settings, and what has to live until `check` has ended.
type Spoiled = (Vec<(&'static str, String)>, Option<Box<dyn Any>>);
type Spoil = fn(&Stage) -> Spoiled;

fn set(name: &'static str, value: &str) -> Spoiled {
    (vec![(name, value.to_owned())], None)
}

fn nothing() -> Spoiled {
    (Vec::new(), None)
}

fn address(url: &str) -> SocketAddr {
    let authority = url.trim_start_matches("http://");
    authority.split('/').next().unwrap().parse().unwrap()
}

/// A setting that leads to a server behind a certificate that signed itself and may sign.
fn self_signed(name: &'static str, url: &str, path: &str) -> Spoiled {
    let front = Front::start_self_signed(address(url), &["localhost"]);
    let url = format!("{}{path}", front.url());
    (vec![(name, url)], Some(Box::new(front)))
}

/// A setting that leads to a server that says this to whoever comes, and hangs up.
fn answered_with(name: &'static str, scheme: &str, words: &'static str) -> Spoiled {
    let listener = free_port::listen();
    let address = listener.local_addr().unwrap();
    // It ends with the process.
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            // What was asked is read first: else closing would be a reset.
            let _ = client.read(&mut [0; 4096]);
            let _ = client.write_all(words.as_bytes());
        }
    });
    (vec![(name, format!("{scheme}://{address}/v2-beta"))], None)
}

fn metadata(stage: &Stage, fault: rancher::Fault) -> Spoiled {
    stage.rancher.inject_metadata(None, fault, usize::MAX);
    nothing()
}

fn api(stage: &Stage, fault: rancher::Fault) -> Spoiled {
    stage.rancher.inject_api(fault, usize::MAX);
    nothing()
}

fn route53(stage: &Stage, fault: Fault) -> Spoiled {
    stage.route53.inject(None, fault, 99);
    set("ROUTE53_MAX_RETRIES", "0")
}

const PAGE: &str = "<!doctype html><title>It works</title>";
/// Nobody listens there.
const NOBODY: &str = "http://127.0.0.1:1";

/// What is wrong, and the lines with ✗ or !.
const CASES: [(&str, Spoil, &[&str]); 30] = [
    (
        "health taken",
        |_| {
            let taken = free_port::listen();
            let address = taken.local_addr().unwrap().to_string();
            (vec![("HEALTH_ADDRESS", address)], Some(Box::new(taken)))
        },
        &[
            "✗ health      127.0.0.1: another process listens there: stop it, or set another \
             HEALTH_ADDRESS",
        ],
    ),
    (
        "health elsewhere",
        |_| set("HEALTH_ADDRESS", "192.0.2.1:1000"),
        &[
            "✗ health      192.0.2.1:1000: no network interface here has this address: correct \
             HEALTH_ADDRESS",
        ],
    ),
    (
        "metadata refused",
        |_| set("METADATA_URL", NOBODY),
        &[
            "✗ metadata    metadata at http://127.0.0.1 is unavailable: /version: Connection \
             refused – if that lasts, this container isn't in a Rancher network, or METADATA_URL \
             is wrong",
        ],
    ),
    (
        "metadata page",
        |stage| metadata(stage, rancher::Fault::Body(PAGE.to_owned())),
        &[
            "✗ metadata    metadata at http://127.0.0.1/2015-12-19 is unavailable: /version: \
             expected a JSON string, not \"<!doctype html><title>It works</title>\" – if that \
             lasts, this container isn't in a Rancher network, or METADATA_URL is wrong",
        ],
    ),
    (
        "metadata 503",
        |stage| metadata(stage, rancher::Fault::Status(503)),
        &[
            "✗ metadata    metadata at http://127.0.0.1/2015-12-19 is unavailable: /version: \
             status 503 – if that lasts, this container isn't in a Rancher network, or \
             METADATA_URL is wrong",
        ],
    ),
    (
        "metadata alone",
        |stage| {
            stage
                .rancher
                .change(|world| world.own_stack = Some("elsewhere".to_owned()));
            nothing()
        },
        &[
            "✗ metadata    metadata at http://127.0.0.1/2015-12-19 is unavailable: /services: \
             our own stack \"elsewhere\" is not in it, the server has not loaded everything yet \
             – if that lasts, look at Rancher's metadata service on this host",
        ],
    ),
    (
        "metadata self-signed",
        |stage| self_signed("METADATA_URL", &stage.rancher.metadata_url(), "/2015-12-19"),
        &[
            "✗ metadata    metadata at https://localhost/2015-12-19 is unavailable: /version: \
             TLS with localhost failed: its certificate 'Simulated Server' is signed by itself \
             and isn't trusted: have it signed by an authority, and put that authority's \
             certificate in CA_FILE – if that lasts, this container isn't in a Rancher network, \
             or METADATA_URL is wrong",
        ],
    ),
    (
        "sts refuses",
        |stage| {
            let other = Credential {
                access_key: "AKIDOTHER".into(),
                ..Credential::default()
            };
            stage.route53.keyring().add(other);
            set("AWS_ACCESS_KEY_ID", "AKIDOTHER")
        },
        &[
            "✗ credentials AKIDOTHER, from environment: STS at http://127.0.0.1: it answers \
             InvalidClientTokenId (403): The security token included in the request is invalid. \
             – check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, if they \
             are temporary), or where the credentials come from",
        ],
    ),
    (
        "sts and route 53 refuse",
        |_| set("AWS_ACCESS_KEY_ID", "AKIDNOBODY"),
        &[
            "✗ credentials AKIDNOBODY, from environment: STS at http://127.0.0.1: it answers \
             InvalidClientTokenId (403): The security token included in the request is invalid. \
             – check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, if they \
             are temporary), or where the credentials come from",
            "✗ zone        Route 53 answered InvalidClientTokenId (403): The security token \
             included in the request is invalid. – check AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, if they are temporary), or where the \
             credentials come from",
        ],
    ),
    (
        "sts refused",
        |_| set("AWS_ENDPOINT_URL_STS", NOBODY),
        &[
            "! credentials AKIDEXAMPLE, from environment; whose it is isn't known: STS at \
             http://127.0.0.1: Connection refused – check the network, HTTPS_PROXY and \
             AWS_ENDPOINT_URL_STS",
        ],
    ),
    (
        "role not assumed",
        |_| {
            set(
                "ROUTE53_ASSUME_ROLE_ARN",
                "arn:aws:iam::123456789012:role/gone",
            )
        },
        &["✗ credentials no AWS credentials: \
             ROUTE53_ASSUME_ROLE_ARN=arn:aws:iam::123456789012:role/gone can't be assumed by \
             AKIDEXAMPLE (environment): STS at http://127.0.0.1: it answers AccessDenied (403): \
             User: AKIDEXAMPLE is not authorized to perform: sts:AssumeRole on resource: \
             arn:aws:iam::123456789012:role/gone – correct that, or ROUTE53_ASSUME_ROLE_ARN; the \
             command policy --assume-role prints what the keys need that assume the role"],
    ),
    (
        "zone several",
        |stage| {
            stage.route53.add_zone("Z0OTHER", "example.com", true);
            nothing()
        },
        &[
            "✗ zone        there are 2 hosted zones example.com: set ROUTE53_ZONE_ID to one of \
             Z0EXAMPLE (public), Z0OTHER (private)",
        ],
    ),
    (
        "zone other",
        |stage| {
            stage.route53.add_zone("Z0OTHER", "example.org", false);
            set("ROUTE53_ZONE_ID", "Z0OTHER")
        },
        &[
            "✗ zone        ROUTE53_ZONE_ID=Z0OTHER is the zone example.org, not \
             ROOT_DOMAIN=example.com: correct one of the two",
        ],
    ),
    (
        "zone gone",
        |_| set("ROUTE53_ZONE_ID", "Z0GONE"),
        &[
            "✗ zone        Route 53 answered NoSuchHostedZone (404): No hosted zone found with \
             ID: Z0GONE – check ROUTE53_ZONE_ID",
        ],
    ),
    (
        "route53 down",
        |stage| {
            stage.route53.go_down();
            set("ROUTE53_MAX_RETRIES", "0")
        },
        &[
            "✗ zone        no valid answer from Route 53: Connection refused – check the \
             network, HTTPS_PROXY and AWS_ENDPOINT_URL_ROUTE_53",
        ],
    ),
    (
        "route53 page 200",
        |stage| route53(stage, Fault::Page(200)),
        &[
            "✗ zone        no valid answer from Route 53: the XML has a document type – check \
             the network, HTTPS_PROXY and AWS_ENDPOINT_URL_ROUTE_53",
        ],
    ),
    (
        "route53 page 403",
        |stage| route53(stage, Fault::Page(403)),
        &[
            "✗ zone        Route 53 answered HTTP 403 (403), which is no answer of AWS's: a \
             gateway, proxy or captive portal may be in between – check HTTPS_PROXY and \
             AWS_ENDPOINT_URL_ROUTE_53",
        ],
    ),
    (
        "route53 503",
        |stage| route53(stage, Fault::Status(503)),
        &[
            "✗ zone        Route 53 answered ServiceUnavailable (503): The request has failed \
             due to a temporary failure of the server. – this is a fault of AWS: try again later",
        ],
    ),
    (
        "route53 throttles",
        |stage| route53(stage, Fault::Throttle),
        &[
            "✗ zone        Route 53 answered Throttling (400): Rate for operation \
             ListHostedZonesByName exceeded – the account makes too many calls: try again later, \
             or lower ROUTE53_REQUEST_RATE where others use it",
        ],
    ),
    (
        "route53 self-signed",
        |stage| self_signed("AWS_ENDPOINT_URL_ROUTE_53", &stage.route53.url(), ""),
        &[
            "✗ zone        no valid answer from Route 53: TLS with localhost failed: its \
             certificate 'Simulated Server' is signed by itself and isn't trusted: have it \
             signed by an authority, and put that authority's certificate in CA_FILE",
        ],
    ),
    (
        "rancher self-signed",
        |stage| self_signed("CATTLE_URL", &stage.rancher.api_url(), "/v2-beta"),
        &[
            "✗ rancher     TLS with localhost failed: its certificate 'Simulated Server' is \
             signed by itself and isn't trusted: put this certificate in CA_FILE; asked for \
             https://localhost/v2-beta (CATTLE_URL)",
        ],
    ),
    (
        "rancher hangs up",
        |_| answered_with("CATTLE_URL", "https", ""),
        &[
            "✗ rancher     TLS with 127.0.0.1 failed: it closed the connection in the middle of the \
             handshake, as servers do that speak no TLS there or only an old one: check the host and \
             the port of its URL; asked for https://127.0.0.1/v2-beta (CATTLE_URL)",
        ],
    ),
    (
        "rancher is something else",
        |_| answered_with("CATTLE_URL", "http", "SSH-2.0-OpenSSH_9.6\r\n"),
        &[
            "✗ rancher     what answers isn't HTTP (the URL may have to begin with https://, or \
             have another port) at http://127.0.0.1/v2-beta: check CATTLE_URL, and whether Rancher's \
             server runs",
        ],
    ),
    (
        "rancher refused",
        |_| set("CATTLE_URL", NOBODY),
        &[
            "✗ rancher     Connection refused at http://127.0.0.1/v2-beta: check CATTLE_URL, and \
             whether Rancher's server runs",
        ],
    ),
    (
        "rancher 503",
        |stage| api(stage, rancher::Fault::Status(503)),
        &[
            "✗ rancher     status 503 at http://127.0.0.1/v2-beta: look at Rancher's server, or \
             at what stands before it at CATTLE_URL",
        ],
    ),
    (
        "rancher page 200",
        |stage| api(stage, rancher::Fault::Body(PAGE.to_owned())),
        &[
            "✗ rancher     http://127.0.0.1/v2-beta gives no answer of Rancher's API, so whether \
             the keys may post events at http://127.0.0.1/v2-beta/externaldnsevents can't be \
             told: check CATTLE_URL",
        ],
    ),
    (
        "rancher page 403",
        |stage| api(stage, rancher::Fault::Status(403)),
        &[
            "✗ rancher     status 403 at http://127.0.0.1/v2-beta, which is no answer of \
             Rancher's API: check CATTLE_URL",
        ],
    ),
    (
        "rancher page 401",
        |stage| api(stage, rancher::Fault::Status(401)),
        &[
            "✗ rancher     status 401 at http://127.0.0.1/v2-beta, which is no answer of \
             Rancher's API: check CATTLE_URL",
        ],
    ),
    (
        "rancher redirect",
        |stage| {
            api(
                stage,
                rancher::Fault::Redirect("http://127.0.0.1/login".to_owned()),
            )
        },
        &[
            "✗ rancher     status 302 at http://127.0.0.1/v2-beta: redirects are not followed, \
             check CATTLE_URL",
        ],
    ),
    (
        "rancher 404",
        |stage| api(stage, rancher::Fault::Status(404)),
        &["✗ rancher     status 404 at http://127.0.0.1/v2-beta: check CATTLE_URL"],
    ),
];

/// The log's level is the default: only the closing sentence is on stderr.
#[test]
fn each_line_says_what_to_do() {
    each(CASES, |(what, spoil, lines)| {
        let stage = Stage::new(web());
        let (mut settings, kept) = spoil(&stage);
        settings.push(("LOG_LEVEL", "info".to_owned()));
        let settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (*n, &**v)).collect();
        let ran = check(&stage, &settings);
        drop(kept);
        let lines_of_check = ran.stdout.lines();
        let odd: Vec<&str> = lines_of_check
            .filter(|line| line.starts_with(['✗', '!']))
            .collect();
        assert_eq!(odd, lines, "{what}");
        let bad = odd.iter().filter(|line| line.starts_with('✗')).count();
        let (code, closing) = match bad {
            0 => (0, ""),
            1 => (1, "One thing is wrong."),
            _ => (1, "2 things are wrong."),
        };
        assert_eq!((ran.code, &*ran.stderr), (code, closing), "{what}");
        let last = ran.stdout.lines().last();
        let doubt = Some("It works, but look at the line with !.");
        assert_eq!(last == doubt, bad == 0, "{what}: {}", ran.stdout);
    });
}
