//! What the program's IAM policy may lack for a while.

use crate::chaos::naming::below;
use crate::chaos::random::Random;
use serde_json::json;
use sim::route53::{Credential, Operation};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// All names but those that are like these.
    Names(Vec<String>),
    /// All types but these.
    Types(Vec<&'static str>),
    /// All actions but these.
    Actions(Vec<&'static str>),
    /// To list record sets.
    Listing,
    /// To change anything.
    Changes,
}

impl Denial {
    pub fn random(random: &mut Random, environment: &str) -> Denial {
        let below = below(environment).trim_end_matches('.').to_owned();
        let usual = vec![format!("*.{below}"), "external-dns-*".to_owned()];
        let shop = vec![format!("*.shop.{below}"), "external-dns-*".to_owned()];
        random.weighted(&[
            (5, Denial::Names(usual)),
            (2, Denial::Names(shop)),
            (3, Denial::Types(vec!["A", "TXT"])),
            (1, Denial::Types(vec!["AAAA", "TXT"])),
            (1, Denial::Actions(vec!["CREATE"])),
            (1, Denial::Listing),
            (1, Denial::Changes),
        ])
    }

    /// Credentials with such a policy.
    pub fn of(&self, credential: Credential) -> Credential {
        let condition = |operator: &str, key: &str, values: &[&str]| {
            let key = format!("route53:ChangeResourceRecordSets{key}");
            json!({operator: {key: values}})
        };
        let equals = "ForAllValues:StringEquals";
        let condition = match self {
            Denial::Listing => return credential.denying(Operation::ListResourceRecordSets),
            Denial::Changes => return credential.denying(Operation::ChangeResourceRecordSets),
            Denial::Names(names) => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                condition("ForAllValues:StringLike", "NormalizedRecordNames", &names)
            }
            Denial::Types(types) => condition(equals, "RecordTypes", types),
            Denial::Actions(actions) => condition(equals, "Actions", actions),
        };
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["route53:List*", "route53:Get*"], "Resource": "*"},
            {"Effect": "Allow", "Action": "route53:ChangeResourceRecordSets", "Resource": "*",
             "Condition": condition},
        ]});
        credential.with_policy(&policy.to_string())
    }
}
