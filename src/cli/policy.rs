//! The command `policy`: prints the least IAM policy for this environment, to be pasted. stdout gets
//! the JSON and nothing else; what has to be known of it goes to stderr.

use super::context::MetadataReading;
use super::terminal::{Failure, complain, say};
use crate::aws::partition;
use crate::base::shutdown::InFlightGate;
use crate::config::Config;
use crate::config::arguments::PolicyFor;
use crate::daemon::clients::{Clients, owner_settings};
use crate::daemon::startup;
use crate::desired::name_template::environment_name;
use crate::observe::telemetry::Telemetry;
use crate::plan::permissions::{self, Permissions};
use crate::plan::state_records::StateNames;
use crate::route53::iam_policy::{self, Access, MAX_MANAGED, ZoneLookUp};

/// Prints the policy. Route 53 is asked only for the hosted zone's id, if that isn't set.
pub fn policy(
    config: &Config,
    wanted: &PolicyFor,
    gate: InFlightGate,
    telemetry: &Telemetry,
) -> Result<(), Failure> {
    let role = config.credentials.assume.as_ref();
    let (wait, other_owner) = match (wanted, role) {
        (PolicyFor::Route53 { wait, owner }, _) => (*wait, owner.as_deref()),
        (PolicyFor::AssumeRole, Some(role)) => {
            say(format_args!("{}", iam_policy::to_assume(&role.arn)))?;
            return Ok(());
        }
        (PolicyFor::AssumeRole, None) => {
            let error = "there is no role to assume: ROUTE53_ASSUME_ROLE_ARN is not set";
            return Err(error.to_owned().into());
        }
    };
    let mut clients = Clients::new(config, gate, &telemetry.recorder);
    let reading = MetadataReading::read(&mut clients.metadata, config)?;
    let mut permissions = permissions(config, &reading)?;
    let other = other_owner.map(|id| StateNames::new(id, &config.rules.zone));
    permissions.other_owner = other.transpose().map_err(|error| error.to_string())?;
    let (zone_id, look_up) = match &config.zone_id {
        Some(id) => (id.clone(), ZoneLookUp::ById),
        None => {
            let zone = startup::zone_once(config, &mut clients.client);
            let zone = zone.map_err(|error| {
                format!("the policy needs the hosted zone's id; set ROUTE53_ZONE_ID: {error}")
            })?;
            (zone.id, ZoneLookUp::ByName)
        }
    };
    let document = iam_policy::document(&Access {
        partition: partition::name(&config.route53.signing_region),
        zone_id: &zone_id,
        look_up,
        names: &permissions.patterns(),
        types: &permissions.types,
        waits_for_sync: wait,
    });
    say(format_args!("{document}"))?;
    for note in notes(&permissions, &document, role.map(|role| &*role.arn)) {
        complain(format_args!("{note}"));
    }
    Ok(())
}

/// What this environment writes.
pub fn permissions(config: &Config, reading: &MetadataReading) -> Result<Permissions, String> {
    let (rules, owner) = (&config.rules, owner_settings(config));
    let names = StateNames::new(owner.id(&reading.environment), &rules.zone);
    Ok(Permissions::new(
        environment_name(&reading.environment, &rules.zone),
        names.map_err(|error| error.to_string())?,
        &reading.desired,
        rules.record_types,
    ))
}

/// What has to be known of the policy, a sentence each.
fn notes(permissions: &Permissions, document: &str, role: Option<&str>) -> Vec<String> {
    let further = match &permissions.below {
        Some(below) => format!(
            "If a label or setting later asks for a name outside of {}",
            permissions::below_pattern(below)
        ),
        None => "If a service later asks for a name that isn't listed".to_owned(),
    };
    let mut notes = vec![format!("{further}, print the policy anew.")];
    if let (outside @ 1.., Some(below)) = (permissions.names_outside().len(), &permissions.below) {
        let (how_many, ask_for) = match outside {
            1 => (
                "1 of its names is".to_owned(),
                "a service asks for it: look at it",
            ),
            n => (
                format!("{n} of its names are"),
                "services ask for them: look at them",
            ),
        };
        notes.push(format!(
            "{how_many} outside of {}, because {ask_for} before you paste.",
            permissions::below_pattern(below)
        ));
    }
    if let Some(role) = role {
        notes.push(format!(
            "This is the policy of the role {role}; policy --assume-role prints that of the \
             credentials that assume it."
        ));
    }
    let size = iam_policy::size(document);
    if size > MAX_MANAGED {
        notes.push(format!(
            "It has {size} characters without white space, and IAM takes at most {MAX_MANAGED} in \
             a managed policy: let more names end in the environment's name, or shorten the list \
             with * by hand."
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::Desired;
    use crate::desired::rules::RecordTypes;
    use crate::dns::{Name, RecordKey, RecordType};

    fn permissions(below: Option<&str>) -> Permissions {
        let below = below.map(|name| Name::parse(name).unwrap());
        let owner = StateNames::new("x", &Name::parse("example.com").unwrap()).unwrap();
        Permissions::new(below, owner, &Desired::default(), RecordTypes::Both)
    }

    #[test]
    fn a_sentence_for_each_thing_that_has_to_be_known() {
        let prod = permissions(Some("prod.example.com"));
        let one = notes(&prod, "{}", None);
        assert_eq!(
            one,
            [
                "If a label or setting later asks for a name outside of *.prod.example.com, print \
                 the policy anew."
            ]
        );
        let all = notes(
            &permissions(None),
            &"x".repeat(MAX_MANAGED + 1),
            Some("arn:aws:iam::123456789012:role/dns"),
        );
        let starts = [
            "If a service later asks for a name that isn't listed, print the policy anew.",
            "This is the policy of the role arn:aws:iam::123456789012:role/dns; ",
            "It has 6145 characters without white space",
        ];
        assert_eq!(all.len(), starts.len());
        for (note, start) in all.iter().zip(starts) {
            assert!(note.starts_with(start), "{note}");
        }
        assert_eq!(notes(&prod, &"x".repeat(MAX_MANAGED), None).len(), 1);
        let mut one_outside = prod;
        let name = Name::parse("www.example.com").unwrap();
        let keys = [RecordType::A, RecordType::Aaaa];
        one_outside.outside = keys.map(|rtype| RecordKey::new(name.clone(), rtype)).into();
        assert_eq!(
            notes(&one_outside, "{}", None)[1],
            "1 of its names is outside of *.prod.example.com, because a service asks for it: look at \
             it before you paste."
        );
    }
}
