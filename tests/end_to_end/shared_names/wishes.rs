//! What services ask for, as labels, and the record sets that have to come of it.

use sim::route53::{GeoLocation, RecordSet, Zone};

use crate::chaos::random::Random;
use crate::shared_names::SHARED;
use crate::shared_names::installation::Installation;
use crate::shared_names::watcher::is_state_record;

/// A health check that the account has.
pub const CHECK: &str = "abcdef11-2222-3333-4444-555555fedcba";
/// Those of each installation's hosts.
pub const ADDRESSES: [[&str; 2]; 3] = [
    ["203.0.113.1", "203.0.113.2"],
    ["198.51.100.1", "198.51.100.2"],
    ["192.0.2.101", "192.0.2.102"],
];
const REGIONS: [[&str; 2]; 3] = [
    ["eu-west-1", "eu-central-1"],
    ["us-east-1", "us-west-2"],
    ["ap-south-1", "sa-east-1"],
];
const PLACES: [[&str; 2]; 3] = [["EU", "DE"], ["country NA", "US/CA"], ["*", "SA"]];

/// How Route 53 chooses among the record sets of the shared names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    Weighted,
    Latency,
    Failover,
    Multivalue,
    Geolocation,
}

/// What a service asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish {
    /// Which of the two hosts it runs on.
    pub host: usize,
    weight: u8,
    /// Which of the two places of its installation, or regions.
    place: usize,
    has_check: bool,
}

impl Wish {
    pub fn random(random: &mut Random) -> Wish {
        Wish {
            host: random.below(2),
            weight: random.pick(&[0, 1, 10, 255]),
            place: random.below(2),
            has_check: random.chance(50),
        }
    }
}

impl Kind {
    pub const ALL: [Kind; 5] = [
        Kind::Weighted,
        Kind::Latency,
        Kind::Failover,
        Kind::Multivalue,
        Kind::Geolocation,
    ];

    /// The setting `TTL` of an installation. Weighted record sets have to agree on one, whoever's it is.
    pub fn ttl(self, index: usize) -> &'static str {
        match (self, index) {
            (Kind::Weighted, 0) => "60",
            _ => "300",
        }
    }

    pub fn has_place(self, index: usize) -> bool {
        self != Kind::Failover || index < 2
    }

    pub fn label(self, index: usize, wish: Wish) -> String {
        match (self, index) {
            (Kind::Weighted, _) => format!("weighted {}", wish.weight),
            (Kind::Latency, _) => format!("latency {}", REGIONS[index][wish.place]),
            (Kind::Failover, 0) => "failover primary".to_owned(),
            (Kind::Failover, _) => "failover secondary".to_owned(),
            (Kind::Multivalue, _) => "multivalue".to_owned(),
            (Kind::Geolocation, _) => format!("geolocation {}", PLACES[index][wish.place]),
        }
    }

    pub fn health_check(self, index: usize, wish: Wish) -> Option<&'static str> {
        let is_primary = self == Kind::Failover && index == 0;
        (is_primary || wish.has_check).then_some(CHECK)
    }

    /// A record set as this installation has to have it.
    fn routed(self, set: RecordSet, installation: &Installation, wish: Wish) -> RecordSet {
        let Installation { index, owner, .. } = *installation;
        let set = match (self, index) {
            (Kind::Weighted, _) => set.weighted(owner, wish.weight),
            (Kind::Latency, _) => set.latency(owner, REGIONS[index][wish.place]),
            (Kind::Failover, 0) => set.primary(owner),
            (Kind::Failover, _) => set.secondary(owner),
            (Kind::Multivalue, _) => set.multivalue(owner),
            (Kind::Geolocation, _) => set.geolocation(owner, place(PLACES[index][wish.place])),
        };
        match self.health_check(index, wish) {
            Some(id) => set.checked(id),
            None => set,
        }
    }
}

fn place(text: &str) -> GeoLocation {
    match text {
        "EU" | "SA" => GeoLocation::continent(text),
        "US/CA" => GeoLocation::subdivision("US", "CA"),
        "country NA" => GeoLocation::country("NA"),
        other => GeoLocation::country(other),
    }
}

/// Whether a zone has exactly what all services ask for, and what was there before.
pub fn is_right(
    zone: &Zone,
    kind: Kind,
    installations: &[Installation],
    consoles: &[RecordSet],
) -> bool {
    let mut expected: Vec<RecordSet> = consoles.to_vec();
    for installation in installations {
        let Installation { index, owner, .. } = *installation;
        for (service, wish) in &installation.wishes {
            let address = ADDRESSES[index][wish.host];
            let ttl = kind.ttl(index).parse().expect("a TTL");
            let set = |name: &str| RecordSet::simple(name, "A", ttl, &[address]);
            let set = match SHARED.contains(service) {
                true => kind.routed(set(&format!("{service}.example.com.")), installation, *wish),
                false => set(&format!("own-{owner}.example.com.")),
            };
            expected.push(set);
        }
    }
    let is_kept = |set: &&RecordSet| !matches!(&*set.rtype, "SOA" | "NS") && !is_state_record(set);
    let found: Vec<&RecordSet> = zone.record_sets().filter(is_kept).collect();
    let is_there = |wanted: &RecordSet| found.iter().any(|set| fits(set, wanted));
    found.len() == expected.len() && expected.iter().all(is_there) && have_one_ttl(zone)
}

/// Whether a record set is as wanted. A weighted one has the TTL of whoever was first in its group, and a
/// health check stays when nobody asks for one any more.
fn fits(set: &RecordSet, wanted: &RecordSet) -> bool {
    let mut set = set.clone();
    if wanted.weight.is_some() {
        set.ttl = wanted.ttl;
    }
    if wanted.health_check_id.is_none() {
        set.health_check_id = None;
    }
    set == *wanted
}

/// Whether the weighted record sets of each name have one TTL.
fn have_one_ttl(zone: &Zone) -> bool {
    SHARED.iter().all(|service| {
        let name = format!("{service}.example.com.");
        let group = zone
            .record_sets()
            .filter(|set| set.name == name && set.weight.is_some());
        let mut ttls: Vec<Option<u32>> = group.map(|set| set.ttl).collect();
        ttls.dedup();
        ttls.len() <= 1
    })
}
