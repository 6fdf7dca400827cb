//! Which record sets the command `adopt` looks for, and in words which ones it doesn't take and why.
//! Pure.

use super::context::MetadataReading;
use super::plan_output::{first_few, one_line};
use crate::config::Config;
use crate::desired::name_template::environment_name;
use crate::dns::{Name, RecordType};
use crate::plan::round::Preview;
use crate::plan::{AdoptSetting, ConflictReason};
use crate::route53::xml::HostedZone;

/// Which record sets are looked for.
pub struct Search {
    setting: AdoptSetting,
    /// `<environment>.<zone>`; none if the environment's name gives no name.
    below: Option<Name>,
    ttl: u32,
}

impl Search {
    /// What the settings ask for in this zone and environment.
    pub fn new(config: &Config, zone: &HostedZone, reading: &MetadataReading) -> Search {
        Search {
            setting: config.adopt,
            below: environment_name(&reading.environment, &zone.name),
            ttl: config.rules.ttl,
        }
    }

    /// What is looked for, to follow the zone and the environment.
    pub fn words(&self) -> String {
        let wanted = "record sets whose name and type a service wants";
        match (self.setting, &self.below) {
            (AdoptSetting::Never, _) => format!(
                ": looks for {wanted}, as with ADOPT=matching; ADOPT=legacy looks for those that old \
                 versions left"
            ),
            (AdoptSetting::Matching, _) => format!(": looks for {wanted} (ADOPT=matching)"),
            (AdoptSetting::Legacy, Some(below)) => format!(
                ": looks for A record sets below {} with exactly the TTL {} (ADOPT=legacy, TTL)",
                below.without_dot(),
                self.ttl
            ),
            (AdoptSetting::Legacy, None) => {
                ": looks for nothing, since the environment's name gives no name to look below \
                 (ADOPT=legacy)"
                    .to_owned()
            }
        }
    }

    /// Why a record set is left alone.
    pub fn reason(&self, reason: &ConflictReason) -> String {
        match (self.setting, reason) {
            (AdoptSetting::Legacy, ConflictReason::NotOwned) => format!(
                "a record set of that name and type exists that isn't ours; ADOPT=legacy takes over A \
                 record sets with the TTL {} only, ADOPT=matching takes over this one, too",
                self.ttl
            ),
            _ => reason.to_string(),
        }
    }

    /// A line on the record sets that would be taken over if their TTL were `TTL`; empty if there are
    /// none.
    pub fn left_out(&self, preview: &Preview) -> String {
        let below = match (self.setting, &self.below) {
            (AdoptSetting::Legacy, Some(below)) => below,
            _ => return String::new(),
        };
        let mut others = Vec::new();
        for (key, _) in preview.zone.iter() {
            let name = &key.name;
            let is_below = name != below && name.is_at_or_below(below);
            let state = &preview.state;
            let is_listed = state.owns(key) || state.listed_elsewhere(key).is_some();
            if key.rtype != RecordType::A || !is_below || is_listed {
                continue;
            }
            let set = preview.zone.whole(key).filter(|set| set.is_plain());
            let other = set.filter(|set| set.ttl() != Some(self.ttl));
            others.extend(other.map(one_line));
        }
        match others.is_empty() {
            true => String::new(),
            false => format!(
                "Left out, since their TTL isn't {} (TTL): {}\n",
                self.ttl,
                first_few(&others)
            ),
        }
    }
}
