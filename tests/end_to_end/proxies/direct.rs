//! What is reached directly: what NO_PROXY names, and what is next door.

use super::{address, run, targets, with};
use crate::stage::{Stage, each, web};
use sim::credentials::{Instance, Issuer};
use sim::proxy::Proxy;
use std::net::SocketAddr;

/// A label of 64 characters: no name server is asked for it.
pub fn nowhere() -> String {
    format!("{}.example.org", "x".repeat(64))
}

/// A round whose Route 53 is at 0.0.0.0 and whose Rancher is at this host, with this NO_PROXY and a
/// proxy that leads to both: how it ends, what it logs, and what the proxy was asked for.
fn round(no_proxy: &str, rancher: &str) -> (Option<i32>, String, Vec<String>) {
    let stage = Stage::new(web());
    let [api, route53] = [stage.rancher.api_url(), stage.route53.url()].map(|url| address(&url));
    let rancher = format!("{rancher}:{}", api.port());
    let aws = format!("0.0.0.0:{}", route53.port());
    let proxy = Proxy::start(&[(&rancher, api), (&aws, route53)]);
    let list = no_proxy
        .replace("API", &api.port().to_string())
        .replace("AWS", &route53.port().to_string());
    let mut settings = stage.environment();
    settings.push(("HTTP_PROXY", proxy.url("")));
    settings.push(("NO_PROXY", list));
    settings.push(("ROUTE53_MAX_RETRIES", "0".to_owned()));
    let settings = with(
        settings,
        "AWS_ENDPOINT_URL_ROUTE_53",
        &format!("http://{aws}"),
    );
    let settings = with(settings, "CATTLE_URL", &format!("http://{rancher}/v2-beta"));
    let (code, log) = run("once", &settings);
    (code, log, targets(&proxy.asked()))
}

#[test]
fn addresses_that_no_proxy_names_are_reached_directly() {
    each(
        [
            ("*", 0),
            ("0.0.0.0", 0),
            ("192.0.2.1, 0.0.0.0/8", 0),
            ("\n[2001:db8::1],0.0.0.0/32 ", 0),
            ("0.0.0.0:API, 0.0.0.0:AWS", 0),
            ("0.0.0.0:API", 1),
            ("", 2),
            ("0.0.0.0:1", 2),
            ("1.0.0.0/8", 2),
            ("0.0.0", 2),
            ("0.0.0.1", 2),
        ],
        |(list, count)| {
            let (code, log, asked) = round(list, "0.0.0.0");
            assert_eq!(code, Some(0), "{list}: {log}");
            assert_eq!(asked.len(), count, "{list}: {asked:?}");
        },
    );
}

#[test]
fn names_that_no_proxy_names_are_reached_directly() {
    // They lead nowhere: who looks one up himself doesn't get there.
    let name = nowhere();
    let with_port = format!("{name}:API");
    let other_port = format!("{name}:1");
    let below = format!(".{name}");
    each(
        [
            (name.as_str(), true),
            ("a.example, example.org", true),
            (".example.org", true),
            ("*.example.org", true),
            ("EXAMPLE.ORG.", true),
            (&with_port, true),
            (&other_port, false),
            (&below, false),
            ("xample.org", false),
        ],
        |(list, is_direct)| {
            let (code, log, asked) = round(&format!("{list},0.0.0.0"), &name);
            assert_eq!(code, Some(i32::from(is_direct)), "{list}: {log}");
            assert_eq!(asked.is_empty(), is_direct, "{list}: {asked:?}");
        },
    );
}

#[test]
fn metadata_and_the_instance_are_never_asked_through_a_proxy() {
    let stage = Stage::new(web());
    let issuer = Issuer::new(Some(stage.route53.keyring()));
    let instance = Instance::start(Some("dns-writer"), &issuer);
    let everywhere = |url: &str| url.replace("127.0.0.1", "0.0.0.0");
    let [metadata, own, route53] = [
        stage.rancher.metadata_url(),
        instance.endpoint.url(),
        stage.route53.url(),
    ]
    .map(|url| everywhere(&url));
    let targets_of = |url: &str| {
        url.trim_start_matches("http://")
            .split('/')
            .next()
            .unwrap()
            .to_owned()
    };
    // It would pass on everything.
    let known = [&metadata, &own, &route53].map(|url| {
        let target = targets_of(url);
        let port = target.rsplit_once(':').unwrap().1.parse().unwrap();
        (target, SocketAddr::from(([127, 0, 0, 1], port)))
    });
    let known = known
        .each_ref()
        .map(|(target, address)| (target.as_str(), *address));
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        let proxy = Proxy::start(&known);
        let mut settings = stage.environment();
        settings.retain(|(name, _)| !name.starts_with("AWS_"));
        settings.extend([
            ("METADATA_URL", metadata.clone()),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", own.clone()),
            ("AWS_ENDPOINT_URL_ROUTE_53", route53.clone()),
            (variable, proxy.url("")),
        ]);
        let (code, log) = run("once", &settings);
        assert_eq!(code, Some(0), "{log}");
        assert_eq!(
            targets(&proxy.asked()),
            [targets_of(&route53)],
            "{variable}"
        );
    }
}
