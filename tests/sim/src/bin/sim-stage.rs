//! A simulated Rancher and a simulated Route 53 as a container finds them: under their own names
//! and ports, over TLS with a private authority. For a network namespace of its own, in which a
//! DNS server resolves the names to the addresses below.
//!
//! `sim-stage FOLDER SOURCE` writes the authority's certificate to `FOLDER/ca.pem` and the
//! program's settings, `NAME=value` a line, to `FOLDER/settings`, and says `ready`. It says
//! `reached` once the zone and Rancher show what they should, and goes on until it is killed; if it
//! doesn't come to that in time, it says what there is and ends with 1.
//!
//! The source of credentials is `keys` in the settings, the endpoint that ECS gives a `container`,
//! or the metadata of the `instance`, of which the settings don't speak.

use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs, io, path::Path, thread};

use sim::credentials::{ECS_PATH, Endpoint, Instance, Issuer, start_ecs};
use sim::harness::{self, Harness, ZONE};
use sim::rancher::{Rancher, World};
use sim::route53::{RecordSet, Route53};
use sim::service::environment;
use sim::tls::Authority;

/// Name and address of what there is; the ports are those of the URLs.
const METADATA: &str = "127.0.0.2:80"; // rancher-metadata.rancher.internal
const RANCHER: (&str, &str) = ("rancher.example.org", "127.0.0.3:443");
const RANCHER_WITHOUT_TLS: &str = "127.0.0.3:80";
const ROUTE53: (&str, &str) = ("route53.amazonaws.com", "127.0.0.4:443");

/// Where AWS has them, whoever asks.
const CONTAINER: &str = "169.254.170.2:80";
const INSTANCE: &str = "169.254.169.254:80";

const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, source] = arguments.as_slice() else {
        eprintln!("usage: sim-stage FOLDER keys|container|instance");
        return ExitCode::from(2);
    };
    let harness = Harness::of(world());
    let Harness { rancher, route53 } = &harness;

    let authority = Authority::new();
    let front = |(name, at): (&str, &str), url: &str| {
        authority.front_at(address(at), address(&url["http://".len()..]), &[name])
    };
    let api = front(RANCHER, &rancher.api_root());
    let _route53_front = front(ROUTE53, &route53.url());
    let api_root = rancher.api_root();
    pass_on(
        address(RANCHER_WITHOUT_TLS),
        address(&api_root["http://".len()..]),
    );
    let metadata = rancher.metadata_url();
    let metadata = metadata["http://".len()..].split('/').next();
    pass_on(address(METADATA), address(metadata.expect("an address")));

    let issuer = Issuer::new(Some(route53.keyring()));
    let mut settings = settings(rancher, route53, &api.url(), source == "keys");
    // The endpoint is there for as long as it is held.
    let _endpoint = match source.as_str() {
        "keys" => None,
        "container" => {
            let _ = writeln!(
                settings,
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI={ECS_PATH}"
            );
            Some(serve(start_ecs(&issuer), CONTAINER))
        }
        "instance" => {
            let instance = Instance::start(Some("dns-writer"), &issuer);
            Some(serve(instance.endpoint, INSTANCE))
        }
        _ => panic!("there is no source {source:?}"),
    };

    let folder = Path::new(&folder);
    fs::write(folder.join("ca.pem"), authority.pem()).expect("a folder to write to");
    fs::write(folder.join("settings"), settings).expect("a folder to write to");
    println!("ready");

    let in_zone = route53.wait_until(PATIENCE, |state| {
        state
            .zone(ZONE)
            .is_some_and(|zone| lines(zone.record_sets()) == expected())
    });
    let fqdn = "web.shop.prod.example.com";
    let in_rancher = rancher.wait_until(PATIENCE, |state| {
        let web = state.world().service("shop", "web");
        web.is_some_and(|web| web.fqdn.as_deref() == Some(fqdn))
    });
    if !in_zone || !in_rancher {
        println!("the zone: {:#?}", lines(route53.record_sets(ZONE).iter()));
        println!("fqdn of shop/web: {:?}", rancher.fqdn("shop", "web"));
        return ExitCode::FAILURE;
    }
    println!("reached");
    loop {
        thread::park();
    }
}

fn world() -> World {
    let mut world = World::new("Prod", "1a726b88-f6b1-53ad-8dac-f631830b5815");
    world.add_host("h1", "203.0.113.1");
    world.add_host("h2", "203.0.113.2");
    world
        .add_service("shop", "web")
        .run_on("h1", 80)
        .run_on("h2", 80);
    world
        .add_service("shop", "api")
        .run_with("h1", &["[2001:db8::7]:443:443/tcp"]);
    world
}

fn expected() -> [&'static str; 4] {
    [
        "api.shop.prod.example.com. 300 AAAA 2001:db8::7",
        "external-dns-1a726b88-f6b1-53ad-8dac-f631830b5815-1.example.com. 300 TXT \
         \"api.shop.prod.example.com. AAAA\"",
        "external-dns-1a726b88-f6b1-53ad-8dac-f631830b5815.example.com. 300 TXT \
         \"web.shop.prod.example.com.\"",
        "web.shop.prod.example.com. 300 A 203.0.113.1 203.0.113.2",
    ]
}

/// What was written, sorted.
fn lines<'a>(sets: impl Iterator<Item = &'a RecordSet>) -> Vec<String> {
    let mut lines = harness::lines(sets);
    lines.sort_unstable();
    lines
}

/// Those of a container that Rancher has started: endpoint, metadata and health addresses are
/// left at their defaults, since here they are where they should be.
fn settings(rancher: &Rancher, route53: &Route53, api: &str, with_keys: bool) -> String {
    let mut text = String::new();
    for (name, value) in environment(rancher, &route53.url(), "example.com") {
        let value = match name {
            "METADATA_URL" | "AWS_ENDPOINT_URL_ROUTE_53" | "HEALTH_ADDRESS" => continue,
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" if !with_keys => continue,
            "CATTLE_URL" => format!("{api}{}", rancher.options().api_base),
            _ => value,
        };
        let _ = writeln!(text, "{name}={value}");
    }
    text
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address with a port")
}

/// Has an endpoint answer at this address too.
fn serve(endpoint: Endpoint, at: &str) -> Endpoint {
    pass_on(address(at), address(&endpoint.url()["http://".len()..]));
    endpoint
}

/// Everything that comes here goes there, and back.
fn pass_on(here: SocketAddr, there: SocketAddr) {
    let listener = TcpListener::bind(here).expect("an address that is free");
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(there) else {
                continue;
            };
            for (from, to) in [(&client, &server), (&server, &client)] {
                if let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) {
                    thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(std::net::Shutdown::Write);
                    });
                }
            }
        }
    });
}
