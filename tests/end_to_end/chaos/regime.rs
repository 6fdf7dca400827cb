//! The settings of the program that a restart can change, and what they allow.

use crate::chaos::naming::TEMPLATES;
use crate::chaos::publishing::Publishing;
use crate::chaos::random::Random;
use crate::chaos::record::{TTL, UUID, is_simple};
use sim::route53::RecordSet;

/// `ADOPT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adopt {
    Never,
    Matching,
    Legacy,
}

/// `POLICY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    Sync,
    UpsertOnly,
    CreateOnly,
}

/// The id in the state records' names: the environment's, or that of `OWNER_ID`.
pub const OWNERS: [&str; 3] = [UUID, "berlin", "berlin_2"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Regime {
    pub owner: &'static str,
    pub adopt: Adopt,
    pub policy: Policy,
    /// `WRITE_BACK`.
    pub writes_back: bool,
    /// What is published.
    pub publishing: Publishing,
}

const ADOPTS: [(usize, Adopt); 3] = [
    (55, Adopt::Never),
    (25, Adopt::Matching),
    (20, Adopt::Legacy),
];
const POLICIES: [(usize, Policy); 3] = [
    (70, Policy::Sync),
    (15, Policy::UpsertOnly),
    (15, Policy::CreateOnly),
];

impl Regime {
    /// `turn` says which setting is certainly not as usual; those that come after each other bring all.
    pub fn random(random: &mut Random, turn: usize) -> Regime {
        let publishing = Publishing::random(random);
        Regime {
            owner: random.weighted(&[(75, OWNERS[0]), (20, OWNERS[1]), (5, OWNERS[2])]),
            adopt: random.weighted(&ADOPTS),
            policy: random.weighted(&POLICIES),
            writes_back: !turn.is_multiple_of(4) && random.chance(85),
            publishing: publishing.with_turn(turn, random),
        }
    }

    /// One of them is another.
    pub fn changed(self, random: &mut Random) -> Regime {
        loop {
            let mut new = self;
            match random.below(9) {
                0..2 => new.owner = random.pick(&OWNERS),
                2 => new.adopt = random.weighted(&ADOPTS),
                3 => new.policy = random.weighted(&POLICIES),
                4..6 => new.publishing.template = random.pick(&TEMPLATES),
                6 => new.writes_back = !self.writes_back,
                _ => new.publishing = self.publishing.changed(random),
            }
            if new != self {
                return new;
            }
        }
    }

    pub fn settings(self) -> Vec<(&'static str, String)> {
        let adopt = match self.adopt {
            Adopt::Never => "never",
            Adopt::Matching => "matching",
            Adopt::Legacy => "legacy",
        };
        let policy = match self.policy {
            Policy::Sync => "sync",
            Policy::UpsertOnly => "upsert-only",
            Policy::CreateOnly => "create-only",
        };
        let mut settings = vec![
            ("ADOPT", adopt.to_owned()),
            ("POLICY", policy.to_owned()),
            ("WRITE_BACK", self.writes_back.to_string()),
        ];
        settings.extend(self.publishing.settings());
        if self.owner != UUID {
            settings.push(("OWNER_ID", self.owner.to_owned()));
        }
        settings
    }

    /// Whether a record set is taken over that nobody's state record lists: `below` is
    /// `<environment>.<zone>`.
    pub fn takes(self, set: &RecordSet, is_desired: bool, below: &str) -> bool {
        let is_left = || {
            let is_below = set.name.ends_with(&format!(".{below}"));
            set.rtype == "A" && set.ttl == Some(TTL) && is_below
        };
        is_simple(set)
            && match self.adopt {
                Adopt::Never => false,
                Adopt::Matching => is_desired,
                Adopt::Legacy => is_left(),
            }
    }
}
