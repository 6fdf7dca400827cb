//! Two Rancher servers whose environments have the same UUID, as the first environment of every
//! Rancher server has, and the same hosted zone: whoever comes second changes nothing and says so,
//! and there are two ways out.

mod adopt_owner;
mod same_server;

use crate::commands::{Ran, ran};
use crate::health::{address, ask};
use crate::stage::{PATIENCE, ZONE, each, program, prompt};
use crate::status;
use sim::harness::{DOMAIN, lines, listed};
use sim::rancher::{Rancher, World};
use sim::route53::{self, Credential, Fault, Operation, RecordSet, Route53, State};
use sim::service::{Service, environment};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const CHANGE: Operation = Operation::ChangeResourceRecordSets;
const LIST: Operation = Operation::ListResourceRecordSets;
const RECORD: &str = "external-dns-adminproject.example.com";
const BERLIN_RECORD: &str = "external-dns-berlin.example.com";
const WEB: &str = "web.shop.default.example.com.";

/// One of the servers, with credentials of its own, so that it is known who writes.
struct Server {
    rancher: Rancher,
    name: &'static str,
    route53_url: String,
}

/// The zone, and both servers.
fn two() -> (Route53, [Server; 2]) {
    let names = ["munich", "berlin"];
    let route53 = Route53::start(route53::Options {
        credentials: names
            .map(|name| Credential::new(&key(name), "secret"))
            .to_vec(),
        ..route53::Options::default()
    });
    route53.add_zone(ZONE, DOMAIN, false);
    let servers = names.map(|name| Server::new(name, &route53, world(name)));
    (route53, servers)
}

fn key(name: &str) -> String {
    format!("AKID{}", name.to_uppercase())
}

/// The Default environment of a server, with a service that the other has, too, and one of its own.
fn world(name: &str) -> World {
    let mut world = World::new("Default", "adminProject");
    world.server = name.to_owned();
    world.add_host("h1", address_of(name));
    world.add_service("shop", "web").run_on("h1", 80);
    world.add_service("shop", name).run_on("h1", 81);
    world
}

fn address_of(name: &str) -> &'static str {
    match name {
        "munich" => "203.0.113.1",
        _ => "198.51.100.1",
    }
}

impl Server {
    fn new(name: &'static str, route53: &Route53, world: World) -> Server {
        Server {
            rancher: Rancher::start(prompt(), world),
            name,
            route53_url: route53.url(),
        }
    }

    fn run(&self) -> Service {
        self.run_with(&[], &[])
    }

    fn run_with(&self, arguments: &[&str], settings: &[(&'static str, &str)]) -> Service {
        let mut all = environment(&self.rancher, &self.route53_url, DOMAIN);
        all.retain(|(name, _)| !name.starts_with("AWS_ACCESS") && !name.starts_with("AWS_SECRET"));
        all.push(("AWS_ACCESS_KEY_ID", key(self.name)));
        all.push(("AWS_SECRET_ACCESS_KEY", "secret".to_owned()));
        all.extend(
            settings
                .iter()
                .map(|(name, value)| (*name, (*value).into())),
        );
        Service::spawn(program(), arguments, &all)
    }

    fn command(&self, arguments: &[&str], settings: &[(&'static str, &str)]) -> Ran {
        ran(&self.run_with(arguments, settings))
    }

    /// The name of its own service.
    fn fqdn(&self) -> String {
        format!("{}.shop.default.example.com", self.name)
    }

    fn expect_published(&self) {
        let fqdn = self.fqdn();
        let reached = self.rancher.wait_until(PATIENCE, |state| {
            let service = state.world().service("shop", self.name).expect("a service");
            service.fqdn.as_deref() == Some(&fqdn)
        });
        assert!(reached, "{fqdn}");
    }

    /// How many of its batches were applied.
    fn writes(&self, state: &State) -> usize {
        let key = key(self.name);
        let requests = state.requests().iter();
        let ours = requests.filter(|request| request.access_key.as_ref() == Some(&key));
        ours.filter(|request| request.applied).count()
    }
}

fn writes(route53: &Route53, server: &Server) -> usize {
    let mut count = 0;
    route53.wait_until(Duration::ZERO, |state| {
        count = server.writes(state);
        true
    });
    count
}

fn zone(route53: &Route53) -> Vec<String> {
    lines(route53.record_sets(ZONE).iter())
}

/// All but the state records.
fn addresses(route53: &Route53) -> Vec<String> {
    let sets = route53.record_sets(ZONE);
    lines(sets.iter().filter(|set| set.rtype == "A"))
}

/// What the state record of this name lists.
fn entries(route53: &Route53, name: &str) -> Vec<String> {
    let sets = route53.record_sets(ZONE);
    let is_it = |set: &&RecordSet| set.name.trim_end_matches('.') == name;
    sets.iter().filter(is_it).flat_map(listed).collect()
}

/// Both ways out, and whose state record it is.
fn tells_both_ways_out(words: &str) -> bool {
    let parts = [
        "nother Rancher server keeps the state record",
        RECORD,
        "OWNER_ID",
        "(its mark is ",
        "made of the host and port in CATTLE_URL and of the UUID of this program",
        "adopt --owner=",
    ];
    parts.iter().all(|part| words.contains(part))
}

/// The running program of the second says it in every place, as does every command, and nothing
/// was ever written with its keys.
fn expect_refusal(route53: &Route53, second: &Server, service: &Service) {
    let line = service.wait_for_log(PATIENCE, tells_both_ways_out);
    let line = line.expect("a line that tells both ways out");
    assert!(line.contains("level=warn"), "{line}");
    let shown = status::wait_until(service, |status| {
        let problems = status["problems"].as_array().expect("a list");
        problems
            .iter()
            .any(|p| tells_both_ways_out(p.as_str().unwrap()))
    });
    let kept = shown["kept_by_another"].as_str();
    assert!(kept.is_some_and(tells_both_ways_out), "{shown:#}");
    let page = ask(address(service), "GET /status HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(tells_both_ways_out(&page), "{page}");
    let metrics = ask(address(service), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(
        metrics.contains("\nrancher_route53_state_records_kept_by_another 1\n"),
        "{metrics}"
    );
    let before = route53.record_sets(ZONE);
    for arguments in [
        &["plan"][..],
        &["plan", "--json"],
        &["plan", "--detailed-exitcode"],
        &["check"],
        &["once"],
        &["adopt", "--yes"],
        &["purge", "--yes"],
    ] {
        let Ran {
            code,
            stdout,
            stderr,
        } = second.command(arguments, &[]);
        assert_eq!(code, 1, "{arguments:?}: {stdout}{stderr}");
        let words = match arguments[0] {
            "check" => stdout.lines().find(|line| line.starts_with('✗')),
            _ => Some(&*stderr),
        };
        assert!(
            words.is_some_and(tells_both_ways_out),
            "{arguments:?}: {stdout}{stderr}"
        );
    }
    assert_eq!(route53.record_sets(ZONE), before);
    assert_eq!(writes(route53, second), 0);
    assert_eq!(second.rancher.events().len(), 0, "nothing is written back");
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    OneFirst(usize),
    AtOnce,
    OneIsKilled,
}

/// Starts both in this order. Says which came first.
fn start(order: Order, route53: &Route53, servers: &[Server; 2]) -> ([Service; 2], usize) {
    match order {
        Order::OneFirst(first) => {
            let one = servers[first].run();
            servers[first].expect_published();
            let other = servers[1 - first].run();
            match first {
                0 => ([one, other], first),
                _ => ([other, one], first),
            }
        }
        // Both see an empty zone before either writes.
        Order::AtOnce => {
            let slow = Fault::Delay(Duration::from_millis(300));
            route53.inject(Some(LIST), slow, 4);
            let both = [servers[0].run(), servers[1].run()];
            let mut first = 0;
            let has_begun = route53.wait_until(PATIENCE, |state| {
                let begun = [0, 1].map(|one| servers[one].writes(state) > 0);
                first = usize::from(begun[1]);
                begun[0] || begun[1]
            });
            assert!(has_begun);
            servers[first].expect_published();
            (both, first)
        }
        // In the middle of its first batch, and of others.
        Order::OneIsKilled => {
            let mut other = None;
            for round in 0..3 {
                let slow = Fault::Delay(Duration::from_millis(500));
                route53.inject(Some(CHANGE), slow, 1);
                let one = servers[0].run();
                let is_written = |state: &State| {
                    let name = format!("extra{round}.shop.default.{DOMAIN}.");
                    round == 0 && state.in_flight(CHANGE) > 0
                        || state.zone(ZONE).unwrap().get(&name, "A").is_some()
                };
                servers[0].rancher.change(|world| {
                    let extra = world.add_service("shop", &format!("extra{round}"));
                    extra.run_on("h1", 90);
                });
                assert!(route53.wait_until(PATIENCE, is_written));
                one.kill();
                assert!(one.wait(PATIENCE).is_some());
                route53.clear_faults();
                other = Some(servers[1].run());
            }
            let one = servers[0].run();
            servers[0].expect_published();
            ([one, other.expect("the last")], 0)
        }
    }
}

#[test]
fn whoever_comes_second_changes_nothing_and_says_so_until_it_has_an_id_of_its_own() {
    let orders = [
        Order::OneFirst(0),
        Order::OneFirst(1),
        Order::AtOnce,
        Order::OneIsKilled,
    ];
    each(orders, |order| {
        let (route53, servers) = two();
        let (services, first) = start(order, &route53, &servers);
        let [first, second] = [first, 1 - first];
        expect_refusal(&route53, &servers[second], &services[second]);
        let theirs = addresses(&route53);
        let web = format!("{WEB} 300 A {}", address_of(servers[first].name));
        assert!(theirs.contains(&web), "{theirs:?}");
        services[second].terminate();
        assert!(services[second].wait(PATIENCE).is_some());

        // One way out: an id of its own. Then both are right.
        let service = servers[second].run_with(&[], &[("OWNER_ID", "berlin")]);
        servers[second].expect_published();
        let left = service.wait_for_log(PATIENCE, |line| line.contains("left alone"));
        let left = left.expect("the name that the other has, too");
        for words in [WEB, RECORD, "adopt --owner"] {
            assert!(left.contains(words), "{words}: {left}");
        }
        let now = addresses(&route53);
        assert!(theirs.iter().all(|line| now.contains(line)), "{now:?}");
        assert_eq!(now.len(), theirs.len() + 1, "{now:?}");
        assert_eq!(
            entries(&route53, BERLIN_RECORD),
            [servers[second].fqdn() + "."]
        );
        let metrics = ask(
            address(&service),
            "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
        );
        assert!(metrics.contains("\nrancher_route53_state_records_kept_by_another 0\n"));

        // It stays so, whoever starts again.
        let before = route53.record_sets(ZONE);
        for (server, settings) in [
            (&servers[first], &[][..]),
            (&servers[second], &[("OWNER_ID", "berlin")]),
        ] {
            let Ran { code, stderr, .. } = server.command(&["once"], settings);
            assert_eq!(code, 0, "{stderr}");
        }
        assert_eq!(route53.record_sets(ZONE), before);
    });
}

/// What version 0.1.0 left that both have run, one state record for all. Whoever comes first keeps
/// it from now on.
#[test]
fn two_that_shared_state_records_until_now() {
    each([0, 1], |first| {
        let (route53, servers) = two();
        let names =
            ["berlin", "munich", "web"].map(|name| format!("{name}.shop.default.{DOMAIN}."));
        let values = names.each_ref().map(|name| format!("\"{name}\""));
        let record = format!("{RECORD}.");
        let put = |set: RecordSet| route53.edit(ZONE, |zone| zone.put(set));
        put(RecordSet::simple(&record, "TXT", 300, &values));
        for (name, of) in names.iter().zip(["berlin", "munich", servers[first].name]) {
            put(RecordSet::simple(name, "A", 300, &[address_of(of)]));
        }
        let one = servers[first].run();
        servers[first].expect_published();
        let other = servers[1 - first].run();
        expect_refusal(&route53, &servers[1 - first], &other);
        drop(other);
        // The first doesn't know the other's names, so they go, as they did at every resync before.
        let _other = servers[1 - first].run_with(&[], &[("OWNER_ID", "berlin")]);
        servers[1 - first].expect_published();
        let mut expected = servers
            .each_ref()
            .map(|server| format!("{}. 300 A {}", server.fqdn(), address_of(server.name)))
            .to_vec();
        expected.push(format!("{WEB} 300 A {}", address_of(servers[first].name)));
        expected.sort();
        assert_eq!(addresses(&route53), expected);
        drop(one);
    });
}
