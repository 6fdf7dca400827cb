//! Rancher's metadata, from its JSON to the change batches. The input is `/self/stack`,
//! `/hosts`, `/services` and `/version`, with a line `---` between them.

#![no_main]

use std::collections::HashMap;
use std::io::Read;
use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use rancher_route53::base::percent::query_string;
use rancher_route53::desired::{Desired, DesiredBuilder, Rules};
use rancher_route53::dns::{Name, RecordType, Zone};
use rancher_route53::plan::batch::batches;
use rancher_route53::plan::state_records::{Claim, StateNames, StateRecords};
use rancher_route53::plan::{Adopt, PlanSettings, Policy, plan};
use rancher_route53::rancher::labels::LabelSuffix;
use rancher_route53::rancher::metadata::Version;
use rancher_route53::rancher::model::{
    Container, Environment, Host, Service, read_environment, read_hosts, read_services,
};
use rancher_route53_fuzz::{apply_strictly, approved, assert_within_limits};

const SEPARATOR: &[u8] = b"\n---\n";

fuzz_target!(|bytes: &[u8]| {
    let (stack, rest) = cut(bytes);
    let (hosts, rest) = cut(rest);
    let (services, rest) = cut(rest);
    let (text, _) = cut(rest);
    version(text);

    let (stack, hosts) = (read_environment(stack), halves(hosts, read_hosts));
    let Some(mut services) = halves(services, all_services) else {
        return;
    };
    if bytes.first() == Some(&b' ') {
        crowd(&mut services);
    }
    let world = World {
        environment: stack.unwrap_or_else(|_| Environment {
            name: "Prod".to_owned(),
            uuid: "1a5".to_owned(),
            own_stack: "route53".to_owned(),
            stack_uuid: None,
        }),
        services,
        hosts: hosts.unwrap_or_default(),
    };
    let environment = &world.environment;
    assert!(!environment.name.is_empty() && !environment.uuid.is_empty());
    let rules = Rules {
        lb_hostnames: true,
        label_suffix: LabelSuffix::parse("_private").expect("a suffix"),
        ..Rules::of_zone(Name::parse("example.com").expect("a name"))
    };
    let wanted = world.desired(&rules);
    check(&wanted, &world, &rules);
    publish(&wanted, &world.environment.uuid, &rules);
    let mut reversed = world;
    reversed.services.reverse();
    let reversed = reversed.desired(&rules);
    assert_eq!(
        reversed.record_sets, wanted.record_sets,
        "the order of services says nothing"
    );
});

/// All that metadata says.
struct World {
    environment: Environment,
    services: Vec<Service<'static>>,
    hosts: HashMap<String, Host>,
}

impl World {
    fn desired(&self, rules: &Rules) -> Desired {
        let mut builder = DesiredBuilder::new(&self.environment, &self.hosts, rules);
        for service in &self.services {
            builder.add(service);
        }
        builder.finish()
    }
}

fn all_services(json: impl Read) -> Result<Vec<Service<'static>>, String> {
    let mut services = Vec::new();
    read_services(json, &mut |service| services.push(service.into_owned())).map(|()| services)
}

fn cut(bytes: &[u8]) -> (&[u8], &[u8]) {
    let at = bytes
        .windows(SEPARATOR.len())
        .position(|window| window == SEPARATOR);
    at.map_or((bytes, &[]), |at| {
        (&bytes[..at], &bytes[at + SEPARATOR.len()..])
    })
}

/// Reads a list, whole and in small pieces, which must be the same; and cut off, which must be
/// an error: half a list would unpublish the other half.
fn halves<'a, T: PartialEq + std::fmt::Debug>(
    json: &'a [u8],
    read: impl Fn(Pieces<'a>) -> Result<T, String>,
) -> Option<T> {
    let list = read(Pieces(json, json.len().max(1))).ok();
    let in_pieces = read(Pieces(json, 3)).ok();
    assert_eq!(list, in_pieces);
    if list.is_some() {
        let json = json.trim_ascii_end();
        for end in [json.len() / 3, json.len() / 2, json.len() - 1] {
            assert!(read(Pieces(&json[..end], 4096)).is_err(), "cut at {end}");
        }
    }
    list
}

/// A reader that gives so many bytes at once.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(self.0.len()).min(buffer.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

/// Gives the first service more containers than a record set can have values. In JSON, they
/// would make the input too long to be fuzzed.
fn crowd(services: &mut [Service<'_>]) {
    let containers = services.first_mut().map(|service| &mut service.containers);
    let Some((container, containers)) =
        containers.and_then(|all| Some((all.first()?.clone(), all)))
    else {
        return;
    };
    for number in 0..450_u16 {
        let [high, low] = number.to_be_bytes();
        containers.push(Container {
            ports: vec![format!("10.0.{high}.{low}:80:80/tcp").into()],
            ..container.clone()
        });
    }
}

fn version(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(version) = Version::read(text) {
        let query = query_string(&[("value", &version.to_string())]);
        let value = query.strip_prefix("value=").expect("the parameter");
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~%".contains(&byte);
        assert!(!value.is_empty() && value.bytes().all(plain), "{query}");
    }
}

fn check(wanted: &Desired, world: &World, rules: &Rules) {
    for (key, set) in &wanted.record_sets {
        assert_eq!(&set.key, key);
        assert!(set.ttl().is_none_or(|ttl| ttl <= 2_147_483_647));
        assert_within_limits(&key.name);
        assert!(key.name.is_at_or_below(&rules.zone));
        assert_eq!(key.is_routed(), set.routing.is_some());
        assert_eq!(set.alias().is_some(), set.ttl().is_none());
        let values = set.values();
        match key.rtype {
            RecordType::Cname => {
                assert_eq!(values.len(), 1);
                let target = Name::parse(values.first().expect("a value")).expect("a name");
                assert!(target != key.name && key.name != rules.zone);
            }
            _ if set.alias().is_some() => assert!(values.is_empty()),
            _ => assert!((1..=400).contains(&values.len()), "{}", values.len()),
        }
        assert!(values.len() == 400 || !wanted.truncated.contains_key(key));
        for value in values.iter().filter(|_| key.rtype != RecordType::Cname) {
            let address: IpAddr = value.parse().expect("an address");
            let rtype = if address.is_ipv4() {
                RecordType::A
            } else {
                RecordType::Aaaa
            };
            assert_eq!(key.rtype, rtype);
        }
    }
    assert!(wanted.services.len() <= world.services.len());
    for (key, outcome) in &wanted.services {
        for name in outcome.names() {
            let mut published = wanted.record_sets.keys();
            assert!(
                published.any(|key| key.name == *name),
                "{key} has no record set {name}"
            );
        }
        match &outcome.name {
            Ok(_) => assert!(!outcome.more_names.contains(outcome.name.as_ref().unwrap())),
            Err(skip) => assert!(!skip.to_string().is_empty() && !skip.code().is_empty()),
        }
    }
}

/// It can be put into an empty zone as a whole; then there is nothing left to do.
fn publish(wanted: &Desired, uuid: &str, rules: &Rules) {
    let Ok(names) = StateNames::new(uuid, &rules.zone) else {
        return;
    };
    let mut zone = Zone::default();
    let wanted = &wanted.record_sets;
    let state = StateRecords::default();
    let claim = Claim::new("rancher", None);
    let settings = PlanSettings {
        policy: Policy::Sync,
        adopt: &Adopt::Never,
        claim: &claim,
        gives_up: false,
    };
    let first = plan(wanted, &zone, &state, settings);
    assert_eq!(first.creates.len(), wanted.len());
    apply_strictly(&mut zone, &batches(&approved(first), &state, &names, 7));
    let state = StateRecords::read(&zone, &names);
    let again = plan(wanted, &zone, &state, settings);
    assert!(again.is_empty() && again.conflicts.is_empty(), "{again:?}");
    assert!(state.owned().eq(wanted.keys()));
}
