//! One state of everything.

use std::collections::BTreeSet;
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

/// A state.
#[derive(Clone, Hash)]
pub struct World {
    pub zone: Zone,
    /// Record sets that a person has made and no instance has touched since.
    pub made_by_people: BTreeSet<RecordKey>,
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
            made_by_people: BTreeSet::new(),
            metadata: vec![0; setup.servers.len()],
            instances: setup.instances.iter().map(instance).collect(),
            flights: Vec::new(),
            budget: setup.budget,
            now: 0,
        }
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
