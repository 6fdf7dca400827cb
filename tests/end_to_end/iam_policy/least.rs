//! Whether a policy is the least for some requests.

use serde_json::Value;
use sim::route53::{Policy, RequestRecord};
use std::collections::BTreeSet;

/// Checks that each request is allowed, by one statement only, that each statement allows some, and
/// that without an action or a value of a condition some request is refused. `spare` are those that
/// the requests can do without.
pub fn expect_least(what: &str, policy: &str, requests: &[RequestRecord], spare: &[&str]) {
    let document: Value = serde_json::from_str(policy).expect("JSON");
    let whole = Policy::parse(policy);
    for request in requests {
        let RequestRecord { code, .. } = request;
        assert_ne!(code.as_deref(), Some("AccessDenied"), "{what}: {request:?}");
        assert!(is_allowed(&whole, request), "{what}: {request:?}");
    }
    let count = statements(&document).len();
    let without: Vec<Policy> = (0..count)
        .map(|i| without_statement(&document, i))
        .collect();
    for request in requests {
        let needed = without.iter().filter(|rest| !is_allowed(rest, request));
        assert_eq!(
            needed.count(),
            1,
            "{what}: statements that {request:?} needs"
        );
    }
    for (i, rest) in without.iter().enumerate() {
        let refused = requests.iter().filter(|request| !is_allowed(rest, request));
        let refused = refused.count();
        let actions = &statements(&document)[i]["Action"];
        println!(
            "{what}: {refused} of {} requests need {actions}",
            requests.len()
        );
        assert!(refused > 0, "{what}: no request needs {actions}");
    }
    let needless = values(&document).into_iter().filter(|value| {
        let rest = without_value(&document, value);
        requests.iter().all(|request| is_allowed(&rest, request))
    });
    let needless: BTreeSet<String> = needless.collect();
    assert_eq!(
        needless,
        spare.iter().map(|v| (*v).to_owned()).collect(),
        "{what}: to spare"
    );
}

fn is_allowed(policy: &Policy, request: &RequestRecord) -> bool {
    let operation = request.operation.expect("an operation of Route 53");
    let batch = request.batch.as_deref().unwrap_or_default();
    policy.allows(operation, &request.resource, batch)
}

fn statements(document: &Value) -> &Vec<Value> {
    document["Statement"].as_array().expect("statements")
}

fn without_statement(document: &Value, index: usize) -> Policy {
    let mut rest = document.clone();
    let statements = rest["Statement"].as_array_mut().expect("statements");
    statements.remove(index);
    Policy::parse(&rest.to_string())
}

/// The lists of a statement: of actions, if there are several, and of its conditions' values.
fn lists(statement: &mut Value) -> Vec<&mut Vec<Value>> {
    let fields = statement.as_object_mut().expect("a statement");
    let parts = fields.iter_mut().flat_map(|(name, field)| match &**name {
        "Condition" => {
            let tests = field.as_object_mut().expect("tests").values_mut();
            tests
                .flat_map(|keys| keys.as_object_mut().expect("keys").values_mut())
                .collect()
        }
        "Action" => vec![field],
        _ => Vec::new(),
    });
    parts.filter_map(Value::as_array_mut).collect()
}

/// All that is in these lists.
fn values(document: &Value) -> BTreeSet<String> {
    let mut statements = statements(document).clone();
    let lists = statements.iter_mut().flat_map(lists).flatten();
    lists
        .filter_map(|v| v.as_str().map(str::to_owned))
        .collect()
}

/// The policy without this value in any list.
fn without_value(document: &Value, value: &str) -> Policy {
    let mut rest = document.clone();
    let statements = rest["Statement"].as_array_mut().expect("statements");
    for list in statements.iter_mut().flat_map(lists) {
        list.retain(|known| known != value);
    }
    Policy::parse(&rest.to_string())
}
