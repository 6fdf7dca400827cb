//! The containers of a published service that don't count, and why.
//!
//! The list of reasons is closed: the log, `plan`, `check`, the status page and the metrics show the
//! same reasons.

use std::fmt;

use crate::base::redactor::shortened;
use crate::base::text::quoted;

/// Characters of a text from outside that are kept.
const MAX_SHOWN: usize = 80;
/// How many containers of a service are named.
const MAX_NAMED: usize = 4;

/// Why a container doesn't count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContainerSkip {
    /// What it doesn't meet.
    pub requirement: Requirement,
    /// What it has instead, as the requirement says; nothing if there is nothing to say.
    pub text: String,
}

/// What is required of a container to count. They are in the order in which they are checked, so the
/// greater of two reasons is from the container that met more of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// Its state is `running`. The text is the state.
    Running,
    /// It has no health check, or its health is `healthy` or `updating-healthy`. The text is the
    /// health.
    Healthy,
    /// It publishes a port on its host.
    Port,
    /// It publishes one not only at loopback addresses, where nobody but its host reaches it.
    Reachable,
    /// Its host is in metadata. The text is the host's UUID.
    HostKnown,
    /// Its host's label `external_dns` isn't `false`. The text is the label's key.
    HostIncluded,
    /// The text that should be its address is one.
    Address,
    /// Its own address should be published, and this text is one.
    ContainerAddress,
    /// Its address should be in a label of its host, and is. The text is the label's key: what the
    /// label has may be meant for nobody else.
    HostLabel,
    /// `RECORD_TYPES` has its address, which is the text.
    RecordType,
}

impl Requirement {
    /// Whether something has failed where a container doesn't meet it. One that is stopped, that
    /// publishes no port, or whose host or address is left out is as somebody wants it. Of one that is
    /// unhealthy, it depends on what else it lacks: so it is asked without that.
    pub fn is_failure(self) -> bool {
        matches!(
            self,
            Requirement::HostKnown
                | Requirement::Address
                | Requirement::ContainerAddress
                | Requirement::HostLabel
        )
    }
}

/// For each requirement what is said of a container that doesn't meet it. `{}` is the text.
const WORDS: [&str; ContainerSkip::CODES.len()] = [
    "isn't running (state {})",
    "isn't healthy (health {})",
    "publishes no port on its host",
    "publishes its ports at a loopback address only, which nobody else reaches",
    "runs on the host {}, which metadata lacks",
    "runs on a host whose label {} is 'false'",
    "would get the address {}, which is none; set the label io.rancher.host.external_dns_ip of its \
     host to one",
    "has as its own address (primary_ip) {}, which is none",
    "runs on a host without an address in its label {}",
    "has the address {}, which RECORD_TYPES leaves out",
];

/// What is said of a container whose own address is wanted if metadata has none.
const NO_ADDRESS: &str = "has no address of its own (primary_ip) in metadata";

impl ContainerSkip {
    /// The codes of all reasons, in the order of the requirements.
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

    /// It doesn't meet this requirement, but has this text.
    pub fn new(requirement: Requirement, text: &str) -> ContainerSkip {
        let text = shortened(text, MAX_SHOWN);
        ContainerSkip { requirement, text }
    }

    /// A short name for metrics and for programs. It is one of [`ContainerSkip::CODES`].
    pub fn code(&self) -> &'static str {
        ContainerSkip::CODES[self.requirement as usize]
    }
}

/// What is said of the container, to follow its name.
impl fmt::Display for ContainerSkip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = WORDS[self.requirement as usize];
        match words.split_once("{}") {
            Some(_)
                if self.requirement == Requirement::ContainerAddress && self.text.is_empty() =>
            {
                f.write_str(NO_ADDRESS)
            }
            Some((before, after)) => write!(f, "{before}{}{after}", quoted(&self.text)),
            None => f.write_str(words),
        }
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
            counts[reason.requirement as usize] += 1;
            let name = shortened(name, MAX_SHOWN);
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

    #[test]
    fn every_reason_has_its_code_and_words() {
        let all = [
            (Requirement::Running, "isn't running (state \"a\\u001b\")"),
            (Requirement::Healthy, "isn't healthy (health \"a\\u001b\")"),
            (Requirement::Port, "publishes no port on its host"),
            (
                Requirement::Reachable,
                "publishes its ports at a loopback address only, which nobody else reaches",
            ),
            (
                Requirement::HostKnown,
                "runs on the host \"a\\u001b\", which metadata lacks",
            ),
            (
                Requirement::HostIncluded,
                "runs on a host whose label \"a\\u001b\" is 'false'",
            ),
            (
                Requirement::Address,
                "would get the address \"a\\u001b\", which is none; set the label \
                 io.rancher.host.external_dns_ip of its host to one",
            ),
            (
                Requirement::ContainerAddress,
                "has as its own address (primary_ip) \"a\\u001b\", which is none",
            ),
            (
                Requirement::HostLabel,
                "runs on a host without an address in its label \"a\\u001b\"",
            ),
            (
                Requirement::RecordType,
                "has the address \"a\\u001b\", which RECORD_TYPES leaves out",
            ),
        ];
        let reasons = all.map(|(requirement, _)| ContainerSkip::new(requirement, "a\u{1b}"));
        for (reason, (_, words)) in reasons.iter().zip(all) {
            assert_eq!(reason.to_string(), words);
        }
        assert_eq!(
            reasons.each_ref().map(|reason| reason.code()),
            ContainerSkip::CODES
        );
        assert!(reasons.is_sorted());
        assert_eq!(
            ContainerSkip::new(Requirement::ContainerAddress, "").to_string(),
            "has no address of its own (primary_ip) in metadata"
        );
    }

    #[test]
    fn a_few_are_named_by_their_names_in_whatever_order_they_come() {
        let names = ["web-5", "web-2", "web-4", "web-1", "web-6", "web-3"];
        let reason = |name: &str| match name {
            "web-2" => ContainerSkip::new(Requirement::Healthy, "initializing"),
            _ => ContainerSkip::new(Requirement::Running, "stopped"),
        };
        let of = |names: &[&'static str]| {
            SkippedContainers::new(8, names.iter().map(|name| (*name, reason(name))))
        };
        let skipped = of(&names);
        assert_eq!(
            skipped.to_string(),
            "2 of 8 containers count: web-1 isn't running (state \"stopped\"); web-2 isn't healthy (health \
             \"initializing\"); web-3 isn't running (state \"stopped\"); web-4 isn't running (state \
             \"stopped\"); and 2 more don't"
        );
        assert_eq!(skipped.counts, [5, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        let mut others = names;
        others.reverse();
        assert_eq!(of(&others), skipped);
    }

    #[test]
    fn what_is_kept_has_a_limit() {
        let long = "x".repeat(10_000);
        let many = (0..10_000).map(|_| (&*long, ContainerSkip::new(Requirement::Address, &long)));
        let skipped = SkippedContainers::new(10_000, many);
        assert_eq!((skipped.count(), skipped.first.len()), (10_000, MAX_NAMED));
        let words = skipped.to_string();
        assert!(words.len() < 1_500, "{words}");
    }
}
