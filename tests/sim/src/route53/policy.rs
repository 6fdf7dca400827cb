//! An IAM policy, and whether it allows a request: as much of IAM's language as policies for
//! Route 53 need. What isn't known here is a mistake of the test that wrote it, not a guess.
//!
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html>

use super::record::Change;
use super::service::Operation;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const NAMES: &str = "route53:ChangeResourceRecordSetsNormalizedRecordNames";
const TYPES: &str = "route53:ChangeResourceRecordSetsRecordTypes";
const ACTIONS: &str = "route53:ChangeResourceRecordSetsActions";

/// A policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    statements: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Statement {
    allows: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

/// Each value of the request under this key must be, or be like, one of those.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    is_like: bool,
    key: String,
    patterns: Vec<String>,
}

impl Policy {
    /// Reads a policy document.
    ///
    /// # Panics
    /// If it isn't one, or has something in it that isn't simulated.
    pub fn parse(json: &str) -> Policy {
        let document: Value = serde_json::from_str(json).expect("a policy in JSON");
        assert_eq!(document["Version"], "2012-10-17", "the policy's version");
        let statements = document["Statement"].as_array().expect("statements");
        Policy {
            statements: statements.iter().map(Statement::read).collect(),
        }
    }

    /// Whether it allows this operation on this resource: some statement allows it, none denies it.
    pub fn allows(&self, operation: Operation, resource: &str, batch: &[Change]) -> bool {
        let context = context(operation, batch);
        let action = format!("route53:{}", operation.name());
        let fits = self.statements.iter().filter(|statement| {
            let actions = statement.actions.iter();
            let mut resources = statement.resources.iter();
            // Actions are compared without regard to case, everything else with it.
            actions
                .map(|pattern| pattern.to_ascii_lowercase())
                .any(|pattern| is_like(&pattern, &action.to_ascii_lowercase()))
                && resources.any(|pattern| is_like(pattern, resource))
                && statement.conditions.iter().all(|c| c.holds(&context))
        });
        let allows: Vec<bool> = fits.map(|statement| statement.allows).collect();
        !allows.is_empty() && allows.iter().all(|allows| *allows)
    }
}

impl Statement {
    fn read(json: &Value) -> Statement {
        let fields = json.as_object().expect("a statement");
        for name in fields.keys() {
            let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
            assert!(known.contains(&name.as_str()), "{name} isn't simulated");
        }
        let mut conditions = Vec::new();
        let tests = json.get("Condition").and_then(Value::as_object);
        for (operator, keys) in tests.into_iter().flatten() {
            let is_like = match operator.as_str() {
                "ForAllValues:StringLike" => true,
                "ForAllValues:StringEquals" => false,
                other => panic!("the operator {other} isn't simulated"),
            };
            for (key, patterns) in keys.as_object().expect("condition keys") {
                let known = [NAMES, TYPES, ACTIONS];
                assert!(known.contains(&key.as_str()), "{key} isn't simulated");
                conditions.push(Condition {
                    is_like,
                    key: key.clone(),
                    patterns: strings(patterns),
                });
            }
        }
        Statement {
            allows: match json["Effect"].as_str() {
                Some("Allow") => true,
                Some("Deny") => false,
                other => panic!("the effect {other:?}"),
            },
            actions: strings(&json["Action"]),
            resources: strings(&json["Resource"]),
            conditions,
        }
    }
}

impl Condition {
    /// `ForAllValues` holds for a request that has no such key, too.
    fn holds(&self, context: &BTreeMap<&str, BTreeSet<String>>) -> bool {
        let mut values = context.get(self.key.as_str()).into_iter().flatten();
        values.all(|value| {
            self.patterns.iter().any(|pattern| match self.is_like {
                true => is_like(pattern, value),
                false => pattern == value,
            })
        })
    }
}

/// What a request for an operation with this id in its path is about, in the partition of a region.
pub fn resource(operation: Operation, id: &str, region: &str) -> String {
    let partitions = [("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")];
    let mut partitions = partitions
        .iter()
        .filter(|(start, _)| region.starts_with(start));
    let partition = partitions.next().map_or("aws", |(_, name)| name);
    match operation {
        Operation::GetChange => format!("arn:{partition}:route53:::change/{id}"),
        _ if operation.has_zone() => format!("arn:{partition}:route53:::hostedzone/{id}"),
        _ => "*".to_owned(),
    }
}

/// What a policy's conditions can ask about a request.
fn context(operation: Operation, batch: &[Change]) -> BTreeMap<&'static str, BTreeSet<String>> {
    if operation != Operation::ChangeResourceRecordSets {
        return BTreeMap::new();
    }
    let all = |of: &dyn Fn(&Change) -> String| batch.iter().map(of).collect();
    BTreeMap::from([
        (NAMES, all(&|change| normalized(&change.record_set.name))),
        (TYPES, all(&|change| change.record_set.rtype.clone())),
        (ACTIONS, all(&|change| change.action.name().to_owned())),
    ])
}

/// A name as IAM compares it: lower case, escaped as Route 53 stores it, without its last dot.
fn normalized(stored: &str) -> String {
    stored.strip_suffix('.').unwrap_or(stored).to_owned()
}

/// One string, or a list of them.
fn strings(json: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    match json.as_array() {
        Some(list) => list.iter().map(text).collect(),
        None => vec![text(json)],
    }
}

/// `*` stands for any characters, also none, and `?` for one.
fn is_like(pattern: &str, text: &str) -> bool {
    let Some(first) = pattern.chars().next() else {
        return text.is_empty();
    };
    let rest = &pattern[first.len_utf8()..];
    match first {
        '*' => {
            let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.any(|at| is_like(rest, &text[at..]))
        }
        '?' => text
            .chars()
            .next()
            .is_some_and(|c| is_like(rest, &text[c.len_utf8()..])),
        _ => text.strip_prefix(first).is_some_and(|t| is_like(rest, t)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route53::RecordSet;

    const CHANGE: Operation = Operation::ChangeResourceRecordSets;
    const ZONE: &str = "arn:aws:route53:::hostedzone/Z1";
    const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "route53:List*", "Resource": "*"},
        {"Effect": "Allow", "Action": ["route53:ChangeResourceRecordSets"],
         "Resource": "arn:aws:route53:::hostedzone/Z1",
         "Condition": {
            "ForAllValues:StringLike": {
                "route53:ChangeResourceRecordSetsNormalizedRecordNames":
                    ["*.prod.example.com", "s-?.example.com"]},
            "ForAllValues:StringEquals": {
                "route53:ChangeResourceRecordSetsRecordTypes": ["A", "TXT"],
                "route53:ChangeResourceRecordSetsActions": ["CREATE", "DELETE"]}}},
        {"Effect": "Deny", "Action": "route53:*", "Resource": "arn:aws:route53:::hostedzone/Z2"}
    ]}"#;

    fn create(name: &str, rtype: &str) -> Change {
        Change::create(RecordSet::simple(name, rtype, 60, &["192.0.2.1"]))
    }

    #[test]
    fn a_batch_is_allowed_if_all_that_is_in_it_is() {
        let policy = Policy::parse(POLICY);
        for (batch, expected) in [
            (vec![create("Web.Prod.Example.com.", "A")], true),
            (vec![create("*.prod.example.com.", "A")], true),
            (vec![create("s-1.example.com.", "TXT")], true),
            (vec![create("s-12.example.com.", "TXT")], false),
            (vec![create("prod.example.com.", "A")], false),
            (vec![create("cart.example.com.", "A")], false),
            (vec![create("web.prod.example.com.", "AAAA")], false),
            (
                vec![
                    create("web.prod.example.com.", "A"),
                    create("cart.example.com.", "A"),
                ],
                false,
            ),
            (
                vec![Change::upsert(
                    create("web.prod.example.com.", "A").record_set,
                )],
                false,
            ),
        ] {
            assert_eq!(policy.allows(CHANGE, ZONE, &batch), expected, "{batch:?}");
        }
    }

    #[test]
    fn a_star_is_a_character_with_an_escape() {
        let policy = Policy::parse(&POLICY.replace("*.prod.example.com", r"\\052.example.com"));
        assert!(policy.allows(CHANGE, ZONE, &[create("*.example.com.", "A")]));
        assert!(!policy.allows(CHANGE, ZONE, &[create("web.example.com.", "A")]));
    }

    #[test]
    fn what_no_statement_allows_or_one_denies_is_denied() {
        let policy = Policy::parse(POLICY);
        let list = Operation::ListResourceRecordSets;
        for (operation, resource, expected) in [
            (list, ZONE, true),
            (list, "arn:aws:route53:::hostedzone/Z2", false),
            (Operation::GetHostedZone, ZONE, false),
            (CHANGE, ZONE, true),
            (CHANGE, "arn:aws:route53:::hostedzone/Z3", false),
        ] {
            let is_allowed = policy.allows(operation, resource, &[]);
            assert_eq!(is_allowed, expected, "{operation:?} {resource}");
        }
    }
}
