//! What a round goes by besides metadata.

use crate::desired::Rules;
use crate::plan::guard::GuardSettings;
use crate::plan::state_records::Claim;
use crate::plan::{AdoptSetting, Policy};
use crate::rancher::model::Environment;

/// The settings of a round.
#[derive(Debug, Clone)]
pub struct ReconcilerSettings {
    /// Id of the hosted zone, without `/hostedzone/`.
    pub zone_id: String,
    /// Zone name, name template and TTL.
    pub rules: Rules,
    /// `POLICY`.
    pub policy: Policy,
    /// `ADOPT`.
    pub adopt: AdoptSetting,
    /// `DELETE_GUARD_PERCENT`, `DELETE_GUARD_MIN` and `DELETE_GUARD_HOLD`.
    pub guard: GuardSettings,
    /// Who keeps the state records.
    pub owner: OwnerSettings,
}

/// Who keeps the state records.
#[derive(Debug, Clone)]
pub struct OwnerSettings {
    /// `OWNER_ID`; none if the environment's UUID names the state records.
    pub id: Option<String>,
    /// Host and port of Rancher's API, by which the server is known.
    pub server: String,
    /// Whether all that is owned is given up: the state records are to hold no claim then.
    pub gives_up: bool,
}

impl OwnerSettings {
    /// The id that names the state records.
    pub fn id<'a>(&'a self, environment: &'a Environment) -> &'a str {
        self.id.as_deref().unwrap_or(&environment.uuid)
    }

    /// The claim of the Rancher server that this environment belongs to.
    pub fn claim(&self, environment: &Environment) -> Claim {
        Claim::new(&self.server, environment.stack_uuid.as_deref())
    }
}
