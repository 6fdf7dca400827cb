//! The settings that say what is published: each with what it does, worked out without the program's
//! help in `invariants`.

use serde_json::{Map, Value};

use crate::chaos::naming::TEMPLATES;
use crate::chaos::random::Random;

/// `RECORD_TYPES`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Types {
    Both,
    A,
    Aaaa,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publishing {
    /// `NAME_TEMPLATE`.
    pub template: &'static str,
    /// `LABEL_SUFFIX`.
    pub suffix: &'static str,
    /// `DEFAULT_POLICY`.
    pub policy: &'static str,
    /// `ADDRESS`.
    pub address: &'static str,
    /// `RECORD_TYPES`.
    pub types: Types,
    /// `LB_HOSTNAMES`.
    pub lb_hostnames: bool,
    /// `SYSTEM_SERVICES`.
    pub system_services: bool,
}

/// As it is if nothing is set.
pub const USUAL: Publishing = Publishing {
    template: TEMPLATES[0],
    suffix: "",
    policy: "auto",
    address: "host",
    types: Types::Both,
    lb_hostnames: false,
    system_services: true,
};

/// The end of the labels that are meant for one of two programs.
pub const SUFFIX: &str = "_private";

/// How labels begin, the one that wins first.
const PREFIXES: [&str; 2] = ["io.pasturestack.", "io.rancher."];

const WEIGHED_TEMPLATES: [(usize, &str); 4] = [
    (60, TEMPLATES[0]),
    (20, TEMPLATES[1]),
    (10, TEMPLATES[2]),
    (10, TEMPLATES[3]),
];
const SUFFIXES: [(usize, &str); 2] = [(60, ""), (40, SUFFIX)];
const POLICIES: [(usize, &str); 3] = [(80, "auto"), (13, "always"), (7, "never")];
const ADDRESSES: [(usize, &str); 3] = [(84, "host"), (8, "container"), (8, "host-label:inner")];
const TYPES: [(usize, Types); 3] = [(80, Types::Both), (14, Types::A), (6, Types::Aaaa)];
const LB_HOSTNAMES: [(usize, bool); 2] = [(55, false), (45, true)];
const SYSTEM_SERVICES: [(usize, bool); 2] = [(65, true), (35, false)];

impl Publishing {
    pub fn random(random: &mut Random) -> Publishing {
        Publishing {
            template: random.weighted(&WEIGHED_TEMPLATES),
            suffix: random.weighted(&SUFFIXES),
            policy: random.weighted(&POLICIES),
            address: random.weighted(&ADDRESSES),
            types: random.weighted(&TYPES),
            lb_hostnames: random.weighted(&LB_HOSTNAMES),
            system_services: random.weighted(&SYSTEM_SERVICES),
        }
    }

    /// The setting whose turn it is among six is another than usual.
    pub fn with_turn(self, turn: usize, random: &mut Random) -> Publishing {
        let mut new = self;
        match turn % 6 {
            0 => new.suffix = SUFFIX,
            1 => new.policy = random.pick(&["always", "never"]),
            2 => new.address = random.pick(&["container", "host-label:inner"]),
            3 => new.types = random.pick(&[Types::A, Types::Aaaa]),
            4 => new.lb_hostnames = true,
            _ => new.system_services = false,
        }
        new
    }

    /// One of them may be another, the template not.
    pub fn changed(self, random: &mut Random) -> Publishing {
        let mut new = self;
        match random.below(6) {
            0 => new.suffix = random.weighted(&SUFFIXES),
            1 => new.policy = random.weighted(&POLICIES),
            2 => new.address = random.weighted(&ADDRESSES),
            3 => new.types = random.weighted(&TYPES),
            4 => new.lb_hostnames = !self.lb_hostnames,
            _ => new.system_services = !self.system_services,
        }
        new
    }

    pub fn settings(self) -> [(&'static str, String); 7] {
        let types = match self.types {
            Types::Both => "A,AAAA",
            Types::A => "A",
            Types::Aaaa => "AAAA",
        };
        [
            ("NAME_TEMPLATE", self.template.to_owned()),
            ("LABEL_SUFFIX", self.suffix.to_owned()),
            ("DEFAULT_POLICY", self.policy.to_owned()),
            ("ADDRESS", self.address.to_owned()),
            ("RECORD_TYPES", types.to_owned()),
            ("LB_HOSTNAMES", self.lb_hostnames.to_string()),
            ("SYSTEM_SERVICES", self.system_services.to_string()),
        ]
    }

    /// The same, each time with one of the settings as it is if nothing is set.
    pub fn without(self) -> [(&'static str, Publishing); 6] {
        let usual = USUAL;
        let with = |change: fn(&mut Publishing, Publishing)| {
            let mut new = self;
            change(&mut new, usual);
            new
        };
        [
            ("LABEL_SUFFIX", with(|new, usual| new.suffix = usual.suffix)),
            (
                "DEFAULT_POLICY",
                with(|new, usual| new.policy = usual.policy),
            ),
            ("ADDRESS", with(|new, usual| new.address = usual.address)),
            ("RECORD_TYPES", with(|new, usual| new.types = usual.types)),
            (
                "LB_HOSTNAMES",
                with(|new, usual| new.lb_hostnames = usual.lb_hostnames),
            ),
            (
                "SYSTEM_SERVICES",
                with(|new, usual| new.system_services = usual.system_services),
            ),
        ]
    }

    /// The text of a label: the one with the suffix comes first, and then the one of Rancher's fork.
    pub fn label<'a>(&self, labels: &'a Map<String, Value>, ending: &str) -> Option<&'a str> {
        let of = |suffix: &str| {
            let keys = PREFIXES.map(|prefix| format!("{prefix}{ending}{suffix}"));
            let value = keys.iter().find_map(|key| labels.get(key))?;
            Some(value.as_str().expect("text"))
        };
        of(self.suffix).or_else(|| of(""))
    }
}

/// The key of a label that ends like this: usually as it is documented, at times with the other prefix or
/// with the suffix.
pub fn label_key(random: &mut Random, ending: &str) -> String {
    let prefix = random.weighted(&[(15, PREFIXES[0]), (85, PREFIXES[1])]);
    let suffix = random.weighted(&[(70, ""), (30, SUFFIX)]);
    format!("{prefix}{ending}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_with_the_suffix_comes_first_and_then_the_fork_s() {
        let keys = [
            "io.rancher.service.external_dns",
            "io.pasturestack.service.external_dns",
            "io.rancher.service.external_dns_private",
            "io.pasturestack.service.external_dns_private",
        ];
        let mut labels = Map::new();
        let private = Publishing {
            suffix: SUFFIX,
            ..USUAL
        };
        for (known, key) in keys.into_iter().enumerate() {
            labels.insert(key.to_owned(), key.into());
            let found = |of: Publishing| of.label(&labels, "service.external_dns");
            assert_eq!(found(private), Some(key));
            assert_eq!(found(USUAL), Some(keys[known.min(1)]));
        }
    }
}
