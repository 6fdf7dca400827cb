//! The containers of a published service that don't count, and why.
//!
//! The list of reasons is closed: the log, `plan`, `check`, the status page and the metrics show the
//! same reasons.

use std::fmt;
use std::net::IpAddr;

use crate::base::redactor::cut;
use crate::base::text::quoted;

/// Characters of a text from outside that are kept.
const MAX_SHOWN: usize = 80;
/// How many containers of a service are named.
const MAX_NAMED: usize = 4;

/// Why a container doesn't count. The variants are in the order in which the conditions are checked,
/// so the greater of two reasons is from the container that met more of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContainerSkip {
    /// Its state is not `running`. Holds the state.
    NotRunning(String),
    /// It has a health check, and its health is neither `healthy` nor `updating-healthy`. Holds the
    /// health.
    NotHealthy(String),
    /// It publishes no port on its host.
    NoPort,
    /// It publishes ports at loopback addresses only, where nobody but its host reaches them.
    Loopback,
    /// Its host is not in metadata. Holds the host's UUID.
    HostUnknown(String),
    /// Its host's label `external_dns` is `false`.
    HostExcluded,
    /// The text that should be its address is not an IP address. Holds the text.
    NotAnAddress(String),
    /// Its own address should be published, and this text is none. It is empty if metadata has none.
    ContainerAddress(String),
    /// The address in a label of its host should be published. Holds the label's key, and whether the
    /// host has such a label, whose text is no address then. The text may be meant for nobody else.
    HostLabel(String, bool),
    /// `RECORD_TYPES` leaves out its address.
    RecordType(IpAddr),
}

impl ContainerSkip {
    /// The codes of all reasons, in the order of the variants.
    pub const CODES: [&str; 10] = [
        "not_running",
        "not_healthy",
        "no_port",
        "loopback",
        "host_unknown",
        "host_excluded",
        "not_an_address",
        "container_address",
        "host_label",
        "record_type",
    ];

    fn index(&self) -> usize {
        match self {
            ContainerSkip::NotRunning(_) => 0,
            ContainerSkip::NotHealthy(_) => 1,
            ContainerSkip::NoPort => 2,
            ContainerSkip::Loopback => 3,
            ContainerSkip::HostUnknown(_) => 4,
            ContainerSkip::HostExcluded => 5,
            ContainerSkip::NotAnAddress(_) => 6,
            ContainerSkip::ContainerAddress(_) => 7,
            ContainerSkip::HostLabel(..) => 8,
            ContainerSkip::RecordType(_) => 9,
        }
    }

    /// A short name for metrics and for programs. It is one of [`ContainerSkip::CODES`].
    pub fn code(&self) -> &'static str {
        ContainerSkip::CODES[self.index()]
    }

    /// Its state is this one.
    pub fn not_running(state: &str) -> ContainerSkip {
        ContainerSkip::NotRunning(cut(state, MAX_SHOWN))
    }

    /// Its health is this one.
    pub fn not_healthy(health: &str) -> ContainerSkip {
        ContainerSkip::NotHealthy(cut(health, MAX_SHOWN))
    }

    /// Metadata has no host with this UUID, on which it runs.
    pub fn host_unknown(uuid: &str) -> ContainerSkip {
        ContainerSkip::HostUnknown(cut(uuid, MAX_SHOWN))
    }

    /// This text should be its address.
    pub fn not_an_address(text: &str) -> ContainerSkip {
        ContainerSkip::NotAnAddress(cut(text, MAX_SHOWN))
    }

    /// This text should be its own address.
    pub fn container_address(text: &str) -> ContainerSkip {
        ContainerSkip::ContainerAddress(cut(text, MAX_SHOWN))
    }

    /// Its address should be in the label with this key of its host, which may have none.
    pub fn host_label(key: &str, has_label: bool) -> ContainerSkip {
        ContainerSkip::HostLabel(cut(key, MAX_SHOWN), has_label)
    }
}

/// What is said of the container, to follow its name.
impl fmt::Display for ContainerSkip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, text, after) = match self {
            ContainerSkip::NotRunning(state) => ("isn't running but ", state, ""),
            ContainerSkip::NotHealthy(health) => ("isn't healthy but ", health, ""),
            ContainerSkip::NoPort => return f.write_str("publishes no port on its host"),
            ContainerSkip::Loopback => {
                return f.write_str(
                    "publishes its ports at a loopback address only, which nobody else reaches",
                );
            }
            ContainerSkip::HostUnknown(uuid) => {
                ("runs on the host ", uuid, ", which metadata lacks")
            }
            ContainerSkip::HostExcluded => {
                return f.write_str("runs on a host whose label external_dns is 'false'");
            }
            ContainerSkip::NotAnAddress(text) => (
                "would get the address ",
                text,
                ", which is none; set the label io.rancher.host.external_dns_ip of its host to one",
            ),
            ContainerSkip::ContainerAddress(text) if text.is_empty() => {
                return f.write_str("has no address of its own (primary_ip) in metadata");
            }
            ContainerSkip::ContainerAddress(text) => {
                ("has the own address (primary_ip) ", text, ", which is none")
            }
            ContainerSkip::HostLabel(key, false) => (
                "runs on a host without the label ",
                key,
                ", which should have its address",
            ),
            ContainerSkip::HostLabel(key, true) => (
                "runs on a host whose label ",
                key,
                " should be its address and is none",
            ),
            ContainerSkip::RecordType(address) => {
                return write!(
                    f,
                    "has the address {address}, which RECORD_TYPES leaves out"
                );
            }
        };
        write!(f, "{before}{}{after}", quoted(text))
    }
}

/// The containers of a published service that don't count. Takes the same little memory however many
/// there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedContainers {
    /// How many containers the service has, those that count included.
    pub total: usize,
    /// How many don't count, by reason, in the order of [`ContainerSkip::CODES`].
    pub counts: [usize; ContainerSkip::CODES.len()],
    /// The first few by name, each with its reason. Metadata's order varies, and what is shown
    /// shouldn't.
    pub first: Vec<(String, ContainerSkip)>,
}

impl SkippedContainers {
    /// Those of a service with so many containers that don't count.
    pub fn new<'a>(
        total: usize,
        skipped: impl Iterator<Item = (&'a str, ContainerSkip)>,
    ) -> SkippedContainers {
        let mut counts = [0; ContainerSkip::CODES.len()];
        let mut first: Vec<(String, ContainerSkip)> = Vec::new();
        for (name, reason) in skipped {
            counts[reason.index()] += 1;
            let name = cut(name, MAX_SHOWN);
            let new = (name, reason);
            let place = first.partition_point(|known| *known < new);
            first.insert(place, new);
            first.truncate(MAX_NAMED);
        }
        SkippedContainers {
            total,
            counts,
            first,
        }
    }

    /// How many don't count.
    pub fn count(&self) -> usize {
        self.counts.iter().sum()
    }
}

impl fmt::Display for SkippedContainers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (total, count) = (self.total, self.count());
        write!(f, "{} of {total} containers count", total - count)?;
        let mut before = ": ";
        for (name, reason) in &self.first {
            write!(f, "{before}{name} {reason}")?;
            before = "; ";
        }
        match count - self.first.len() {
            0 => Ok(()),
            more => write!(f, "; and {more} more don't"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> [ContainerSkip; 12] {
        [
            ContainerSkip::not_running("stopped"),
            ContainerSkip::not_healthy("unhealthy"),
            ContainerSkip::NoPort,
            ContainerSkip::Loopback,
            ContainerSkip::host_unknown("b7"),
            ContainerSkip::HostExcluded,
            ContainerSkip::not_an_address("a\u{1b}"),
            ContainerSkip::container_address(""),
            ContainerSkip::container_address("x"),
            ContainerSkip::host_label("ip", false),
            ContainerSkip::host_label("ip", true),
            ContainerSkip::RecordType(IpAddr::from([192, 0, 2, 1])),
        ]
    }

    #[test]
    fn every_reason_has_its_code_and_words() {
        let words = [
            "isn't running but \"stopped\"",
            "isn't healthy but \"unhealthy\"",
            "publishes no port on its host",
            "publishes its ports at a loopback address only, which nobody else reaches",
            "runs on the host \"b7\", which metadata lacks",
            "runs on a host whose label external_dns is 'false'",
            "would get the address \"a\\u001b\", which is none; set the label \
             io.rancher.host.external_dns_ip of its host to one",
            "has no address of its own (primary_ip) in metadata",
            "has the own address (primary_ip) \"x\", which is none",
            "runs on a host without the label \"ip\", which should have its address",
            "runs on a host whose label \"ip\" should be its address and is none",
            "has the address 192.0.2.1, which RECORD_TYPES leaves out",
        ];
        assert_eq!(all().map(|reason| reason.to_string()), words);
        let mut codes = all().map(|reason| reason.code()).to_vec();
        codes.dedup();
        assert_eq!(codes, ContainerSkip::CODES);
        assert!(all().is_sorted());
    }

    #[test]
    fn a_few_are_named_by_their_names_in_whatever_order_they_come() {
        let names = ["web-5", "web-2", "web-4", "web-1", "web-6", "web-3"];
        let reason = |name: &str| match name {
            "web-2" => ContainerSkip::not_healthy("initializing"),
            _ => ContainerSkip::not_running("stopped"),
        };
        let of = |names: &[&'static str]| {
            SkippedContainers::new(8, names.iter().map(|name| (*name, reason(name))))
        };
        let skipped = of(&names);
        assert_eq!(
            skipped.to_string(),
            "2 of 8 containers count: web-1 isn't running but \"stopped\"; web-2 isn't healthy but \
             \"initializing\"; web-3 isn't running but \"stopped\"; web-4 isn't running but \
             \"stopped\"; and 2 more don't"
        );
        assert_eq!(skipped.counts, [5, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        let mut others = names;
        others.reverse();
        assert_eq!(of(&others), skipped);
    }

    #[test]
    fn what_is_kept_has_a_limit() {
        let long = "x".repeat(10_000);
        let many = (0..10_000).map(|_| (&*long, ContainerSkip::not_an_address(&long)));
        let skipped = SkippedContainers::new(10_000, many);
        assert_eq!((skipped.count(), skipped.first.len()), (10_000, MAX_NAMED));
        let words = skipped.to_string();
        assert!(words.len() < 1_500, "{words}");
    }
}
