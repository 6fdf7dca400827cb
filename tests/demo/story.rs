//! The story: what is done in Rancher, step by step, and what has to come of each step.
//!
//! Plain data. What should be in the zone is written down here by hand, not computed as the
//! program does it.

use sim::rancher::World;
use sim::route53::RecordSet;

pub const ENVIRONMENT: &str = "Prod";
pub const ENVIRONMENT_UUID: &str = "1a726b88-f6b1-53ad-8dac-f631830b5815";
pub const ZONE: &str = "example.com";

const STACK: &str = "shop";
const TTL: u32 = 300;
const HOST_IP: &str = "io.rancher.host.external_dns_ip";

/// One thing that is done in Rancher.
pub struct Step {
    pub title: &'static str,
    pub change: fn(&mut World),
    /// All record sets that the service must have in the zone afterwards, besides its state.
    pub ours: Vec<RecordSet>,
    /// What Rancher must show afterwards.
    pub fqdns: Vec<Fqdn>,
    /// Conflicts that the service must newly report.
    pub conflicts: usize,
}

/// The fqdn that Rancher shows for a service, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fqdn {
    service: &'static str,
    fqdn: Option<&'static str>,
}

impl Fqdn {
    pub fn is_some(&self) -> bool {
        self.fqdn.is_some()
    }

    pub fn is_in(&self, world: &World) -> bool {
        let service = world.service(STACK, self.service);
        service.is_some_and(|service| service.fqdn.as_deref() == self.fqdn)
    }
}

/// What somebody else has put into the zone.
pub fn foreign() -> Vec<RecordSet> {
    vec![RecordSet::simple(
        "docs.shop.prod.example.com",
        "A",
        60,
        &["198.51.100.80"],
    )]
}

pub fn is_foreign(set: &RecordSet) -> bool {
    foreign().iter().any(|foreign| set.matches(foreign))
}

pub fn is_state_record(set: &RecordSet) -> bool {
    set.rtype == "TXT" && set.name.starts_with("external-dns-")
}

/// What the service must keep in the zone to remember what it owns: `A` record sets in the first
/// state record, all others in the second.
pub fn state_records(ours: &[RecordSet]) -> Vec<RecordSet> {
    let (first, second): (Vec<&RecordSet>, Vec<&RecordSet>) =
        ours.iter().partition(|set| set.rtype == "A");
    let entry = |set: &&RecordSet| match set.rtype.as_str() {
        "A" => format!("\"{}\"", set.name),
        other => format!("\"{} {other}\"", set.name),
    };
    let record = |number: &str, listed: Vec<&RecordSet>| {
        let entries: Vec<String> = listed.iter().map(entry).collect();
        let name = format!("external-dns-{ENVIRONMENT_UUID}{number}.{ZONE}");
        (!entries.is_empty()).then(|| RecordSet::simple(&name, "TXT", TTL, &entries))
    };
    record("", first)
        .into_iter()
        .chain(record("-1", second))
        .collect()
}

/// Record sets that differ: the service logs a line about each.
pub fn log_lines(before: &[RecordSet], after: &[RecordSet]) -> usize {
    let differs = |set: &&RecordSet, others: &[RecordSet]| !others.iter().any(|o| set.matches(o));
    let is_same_key = |a: &RecordSet, b: &RecordSet| a.name == b.name && a.rtype == b.rtype;
    let gone = before
        .iter()
        .filter(|set| !after.iter().any(|other| is_same_key(set, other)));
    after.iter().filter(|set| differs(set, before)).count() + gone.count()
}

pub fn steps() -> Vec<Step> {
    let a = |name: &str, values: &[&str]| {
        RecordSet::simple(&format!("{name}.shop.prod.{ZONE}"), "A", TTL, values)
    };
    let aaaa = |name: &str, values: &[&str]| RecordSet {
        rtype: "AAAA".to_owned(),
        ..a(name, values)
    };
    let web = Fqdn {
        service: "web",
        fqdn: Some("web.shop.prod.example.com"),
    };
    let api = Fqdn {
        service: "api",
        fqdn: Some("api.shop.prod.example.com"),
    };
    let docs = Fqdn {
        service: "docs",
        fqdn: None,
    };
    let three = ["203.0.113.11", "203.0.113.12", "203.0.113.13"];
    vec![
        Step {
            title: "A stack starts: web runs on hosts 11 and 12, api on host 11.",
            change: |world| {
                world.add_host("host-11", "203.0.113.11");
                world.add_host("host-12", "203.0.113.12");
                world.add_host("host-13", "203.0.113.13");
                let web = world.add_service(STACK, "web");
                web.run_on("host-11", 80).run_on("host-12", 80);
                world.add_service(STACK, "api").run_on("host-11", 8080);
            },
            ours: vec![a("web", &three[..2]), a("api", &["203.0.113.11"])],
            fqdns: vec![web.clone(), api.clone()],
            conflicts: 0,
        },
        Step {
            title: "web is scaled to three containers; the third runs on host 13.",
            change: |world| {
                world.service_mut(STACK, "web").run_on("host-13", 80);
            },
            ours: vec![a("web", &three), a("api", &["203.0.113.11"])],
            fqdns: vec![web.clone(), api.clone()],
            conflicts: 0,
        },
        Step {
            title: "api moves from host 11 to host 12.",
            change: |world| {
                let api = world.service_mut(STACK, "api");
                api.move_from("host-11", "host-12");
            },
            ours: vec![a("web", &three), a("api", &["203.0.113.12"])],
            fqdns: vec![web.clone(), api.clone()],
            conflicts: 0,
        },
        Step {
            title: "web gets a container on host 14, whose label gives it an IPv6 address.",
            change: |world| {
                let host = world.add_host("host-14", "203.0.113.14");
                host.label(HOST_IP, "2001:db8::14");
                world.service_mut(STACK, "web").run_on("host-14", 80);
            },
            ours: vec![
                a("web", &three),
                aaaa("web", &["2001:db8::14"]),
                a("api", &["203.0.113.12"]),
            ],
            fqdns: vec![web.clone(), api],
            conflicts: 0,
        },
        Step {
            title: "docs starts, but somebody else's record set has its name.",
            change: |world| {
                world.add_service(STACK, "docs").run_on("host-12", 8000);
            },
            ours: vec![
                a("web", &three),
                aaaa("web", &["2001:db8::14"]),
                a("api", &["203.0.113.12"]),
            ],
            fqdns: vec![web.clone(), docs.clone()],
            conflicts: 1,
        },
        Step {
            title: "api is removed.",
            change: |world| {
                world.remove_service(STACK, "api");
            },
            ours: vec![a("web", &three), aaaa("web", &["2001:db8::14"])],
            fqdns: vec![web, docs],
            conflicts: 0,
        },
    ]
}
