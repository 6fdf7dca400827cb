//! One state of everything.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use rancher_route53::dns::{ChangeBatch, RecordKey, Zone};
use rancher_route53::plan::guard::Guard;

use crate::instance::{Instance, Phase};
use crate::judge::Holds;
use crate::setups::{Budget, Setup};

/// A batch that was sent and has had no answer. It may still be applied.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Flight {
    /// The instance that has sent it.
    pub by: usize,
    pub batch: ChangeBatch,
}

/// Who has made a record set.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Maker {
    /// A person.
    Person,
    /// A person, in the place of one that was listed: by the rules it is the owner's.
    PersonInPlace,
    /// An instance with this owner id.
    Owner(String),
}

/// A state.
#[derive(Clone, Hash)]
pub struct World {
    pub zone: Zone,
    /// Who has made each record set that is no state record.
    pub made_by: BTreeMap<RecordKey, Maker>,
    /// What each server's metadata says: an index into its worlds.
    pub metadata: Vec<u8>,
    pub instances: Vec<Instance>,
    pub flights: Vec<Flight>,
    pub budget: Budget,
    /// Seconds of the guard's clock.
    pub now: u8,
}

impl World {
    /// The state in which a search begins.
    pub fn first(setup: &Setup) -> World {
        let instance = |_: &usize| Instance {
            guard: Guard::new(setup.guard),
            holds: Holds::default(),
            phase: Phase::Idle(None),
        };
        World {
            zone: setup.zone.clone(),
            made_by: setup.made_by.clone(),
            metadata: vec![0; setup.servers.len()],
            instances: setup.instances.iter().map(instance).collect(),
            flights: Vec::new(),
            budget: setup.budget,
            now: 0,
        }
    }

    /// Nothing happens any more but rounds. What was sent and not answered is lost.
    pub fn disturb_no_more(&mut self) {
        self.flights.clear();
        self.budget = Budget::default();
    }

    /// A number that stands for the state.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

/// A time of the guard's clock.
pub fn at(second: u8) -> Instant {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    *START + Duration::from_secs(u64::from(second))
}
