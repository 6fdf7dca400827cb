//! The least IAM policy that lets credentials do what this program asks of Route 53. Pure.
//!
//! How IAM compares names, types and actions:
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html>

use crate::base::text::quoted;
use crate::dns::RecordType;

/// The most characters that IAM takes in a managed policy; white space doesn't count.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub const MAX_MANAGED: usize = 6144;

/// How this program finds the hosted zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneLookUp {
    /// By its id, with `GetHostedZone`.
    ById,
    /// By its name, with `ListHostedZonesByName`, which can't be allowed for one zone only.
    ByName,
}

/// What the credentials have to allow.
#[derive(Debug, Clone)]
pub struct Access<'a> {
    /// The partition's name: `aws`, `aws-cn` and others.
    pub partition: &'a str,
    /// The hosted zone's id.
    pub zone_id: &'a str,
    /// How the hosted zone is found.
    pub look_up: ZoneLookUp,
    /// The names of the record sets that are written, as patterns in IAM's form.
    pub names: &'a [String],
    /// The types of these record sets.
    pub types: &'a [RecordType],
    /// Whether `GetChange` is used, by `once --wait`.
    pub waits_for_sync: bool,
}

/// The policy, as a JSON document with a line break at its end.
pub fn document(access: &Access<'_>) -> String {
    let partition = access.partition;
    let zone = format!("arn:{partition}:route53:::hostedzone/{}", access.zone_id);
    let mut statements = Vec::new();
    let mut reading = vec!["route53:ListResourceRecordSets"];
    match access.look_up {
        ZoneLookUp::ByName => {
            statements.push(statement(&["route53:ListHostedZonesByName"], "*", ""));
        }
        ZoneLookUp::ById => reading.insert(0, "route53:GetHostedZone"),
    }
    statements.push(statement(&reading, &zone, ""));
    statements.push(statement(
        &["route53:ChangeResourceRecordSets"],
        &zone,
        &condition(access.names, access.types),
    ));
    if access.waits_for_sync {
        // The id of a change isn't known before.
        let changes = format!("arn:{partition}:route53:::change/*");
        statements.push(statement(&["route53:GetChange"], &changes, ""));
    }
    with_statements(&statements)
}

/// The policy of the credentials that assume a role, which has the policy of [`document`].
pub fn to_assume(role_arn: &str) -> String {
    with_statements(&[statement(&["sts:AssumeRole"], role_arn, "")])
}

/// How many characters of a policy IAM counts.
pub fn size(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}

fn with_statements(statements: &[String]) -> String {
    format!(
        "{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n{}\n  ]\n}}\n",
        statements.join(",\n")
    )
}

fn statement(actions: &[&str], resource: &str, condition: &str) -> String {
    let actions = match actions {
        [action] => quoted(action),
        several => list(several.iter().copied()),
    };
    format!(
        "    {{\n      \"Effect\": \"Allow\",\n      \"Action\": {actions},\n      \
         \"Resource\": {}{condition}\n    }}",
        quoted(resource)
    )
}

/// Every name, type and action of a batch has to be one of these. `UPSERT` isn't: this program
/// doesn't use it, so its keys needn't be able to write over what others have made.
fn condition(names: &[String], types: &[RecordType]) -> String {
    let names: Vec<String> = names
        .iter()
        .map(|name| format!("            {}", quoted(name)))
        .collect();
    format!(
        ",\n      \"Condition\": {{\n        \"ForAllValues:StringLike\": {{\n          \
         \"route53:ChangeResourceRecordSetsNormalizedRecordNames\": [\n{}\n          ]\n        \
         }},\n        \"ForAllValues:StringEquals\": {{\n          \
         \"route53:ChangeResourceRecordSetsRecordTypes\": {},\n          \
         \"route53:ChangeResourceRecordSetsActions\": [\"CREATE\", \"DELETE\"]\n        \
         }}\n      }}",
        names.join(",\n"),
        list(types.iter().map(RecordType::as_str))
    )
}

fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.map(quoted).collect();
    format!("[{}]", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn access<'a>(names: &'a [String], types: &'a [RecordType]) -> Access<'a> {
        Access {
            partition: "aws",
            zone_id: "Z1",
            look_up: ZoneLookUp::ByName,
            names,
            types,
            waits_for_sync: false,
        }
    }

    fn statements(document: &str) -> Vec<Value> {
        let document: Value = serde_json::from_str(document).unwrap();
        assert_eq!(document["Version"], "2012-10-17");
        document["Statement"].as_array().unwrap().clone()
    }

    #[test]
    fn each_kind_of_access_has_its_statements() {
        let change = "route53:ChangeResourceRecordSets";
        let list = "route53:ListResourceRecordSets";
        let by_id = json!(["route53:GetHostedZone", list]);
        let find = "route53:ListHostedZonesByName";
        let zone = |partition: &str| format!("arn:{partition}:route53:::hostedzone/Z1");
        for (partition, look_up, waits_for_sync, expected) in [
            (
                "aws",
                ZoneLookUp::ByName,
                false,
                vec![
                    (json!(find), "*".to_owned()),
                    (json!(list), zone("aws")),
                    (json!(change), zone("aws")),
                ],
            ),
            (
                "aws-cn",
                ZoneLookUp::ById,
                false,
                vec![
                    (by_id.clone(), zone("aws-cn")),
                    (json!(change), zone("aws-cn")),
                ],
            ),
            (
                "aws-us-gov",
                ZoneLookUp::ById,
                true,
                vec![
                    (by_id.clone(), zone("aws-us-gov")),
                    (json!(change), zone("aws-us-gov")),
                    (
                        json!("route53:GetChange"),
                        "arn:aws-us-gov:route53:::change/*".to_owned(),
                    ),
                ],
            ),
        ] {
            let document = document(&Access {
                partition,
                look_up,
                waits_for_sync,
                ..access(&[], &[])
            });
            let found: Vec<_> = statements(&document)
                .iter()
                .map(|statement| {
                    assert_eq!(statement["Effect"], "Allow");
                    let is_change = statement["Action"] == change;
                    assert_eq!(statement.get("Condition").is_some(), is_change);
                    let resource = statement["Resource"].as_str().unwrap();
                    (statement["Action"].clone(), resource.to_owned())
                })
                .collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn changes_are_held_to_names_types_and_actions() {
        let names = ["*.prod.example.com", "\\052.example.com"].map(str::to_owned);
        let types = [RecordType::A, RecordType::Aaaa, RecordType::Txt];
        let document = document(&access(&names, &types));
        let [_, _, change] = &statements(&document)[..] else {
            panic!("three statements");
        };
        let expected = json!({
            "ForAllValues:StringLike": {
                "route53:ChangeResourceRecordSetsNormalizedRecordNames":
                    ["*.prod.example.com", "\\052.example.com"]
            },
            "ForAllValues:StringEquals": {
                "route53:ChangeResourceRecordSetsRecordTypes": ["A", "AAAA", "TXT"],
                "route53:ChangeResourceRecordSetsActions": ["CREATE", "DELETE"]
            }
        });
        assert_eq!(change["Condition"], expected);
    }

    #[test]
    fn who_assumes_a_role_needs_that_role_only() {
        let arn = "arn:aws:iam::123456789012:role/dns";
        let expected = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": arn});
        assert_eq!(statements(&to_assume(arn)), [expected]);
    }

    #[test]
    fn white_space_does_not_count() {
        assert_eq!(size("{\n  \"a\": \t1\n}\n"), 7);
    }
}
