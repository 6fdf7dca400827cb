//! The README's tables are the code's: of settings, which is printed if it differs, of metrics and
//! of the fields of `/status.json`.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chrono::Utc;
use prometheus_parse::Scrape;
use rancher_route53::base::counters::{Action, Operation};
use rancher_route53::base::dependency::{Condition, Dependency};
use rancher_route53::config::settings::SETTINGS;
use rancher_route53::desired::{Desired, ServiceOutcome};
use rancher_route53::dns::{ChangeBatch, Name, RecordKey, RecordSet, RecordType};
use rancher_route53::observe::routes::answer;
use rancher_route53::observe::status::Status;
use rancher_route53::observe::status::service_state::ServiceState;
use rancher_route53::plan::guard::HeldDeletes;
use rancher_route53::rancher::model::ServiceKey;
use serde_json::Value;

const README: &str = include_str!("../README.md");

#[test]
fn the_table_of_settings_is_that_of_the_code() {
    let start = "<!-- settings: checked against the code by tests/readme.rs -->\n";
    let table = between(README, start, "<!-- /settings -->");
    let expected = expected();
    assert!(
        table == expected,
        "the table in README.md should be:\n{expected}"
    );
}

fn expected() -> String {
    let mut table = String::from("| setting | default | also read | what it does |\n");
    table += "| --- | --- | --- | --- |\n";
    for setting in SETTINGS {
        let star = if setting.is_secret { " \\*" } else { "" };
        let aliases: Vec<String> = setting.aliases.iter().map(|a| format!("`{a}`")).collect();
        table += &format!(
            "| `{}`{star} | {} | {} | {} |\n",
            setting.name,
            setting.default,
            aliases.join(", "),
            setting.help
        );
    }
    table
}

/// What is between two marks.
fn between<'a>(readme: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = readme.split_once(start).expect("where it starts");
    rest.split_once(end).expect("where it ends").0
}

/// The cells of the table's rows, without its head.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().filter(|line| line.starts_with("| `"));
    let cells = lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect());
    cells.collect()
}

/// The words in backticks.
fn code(text: &str) -> BTreeSet<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    words.into_iter().map(str::to_owned).collect()
}

fn keys(value: &Value) -> BTreeSet<String> {
    let members = value.as_object().expect("an object");
    members.keys().cloned().collect()
}

/// Something of everything that is shown.
fn status() -> Status {
    let now = Utc::now();
    let zone = Name::parse("example.com").unwrap();
    let mut status = Status::new(zone.clone(), now);
    let key = ServiceKey {
        stack: "shop".to_owned(),
        service: "web".to_owned(),
    };
    let outcome = ServiceOutcome {
        name: Ok(zone.clone()),
        fqdn: None,
        is_sidekick: false,
        unknown_policy: None,
    };
    let mut desired = Desired::default();
    desired.services.insert(key, outcome);
    status.desired = desired.into();
    let held = HeldDeletes {
        deletes: 1,
        owned: 10,
        until: Instant::now(),
        hold: Duration::ZERO,
    };
    status.held = Some((held, now));
    let set = RecordSet {
        key: RecordKey::new(zone, RecordType::A),
        ttl: 300,
        values: ["192.0.2.1".to_owned()].into(),
    };
    let batch = ChangeBatch {
        deletes: Vec::new(),
        creates: vec![set],
    };
    status.changed(&batch, |_| false, now);
    for part in Dependency::ALL {
        status.record.health_mut(part).record_success(now);
    }
    let operation = Operation {
        api: "route53",
        name: "GetHostedZone",
    };
    status.record.calls.add(operation, "ok", Duration::ZERO);
    status
}

fn page(path: &str) -> String {
    let response = answer(path, status, Utc::now()).expect("a page");
    response.body + &response.rest.into_iter().flatten().collect::<String>()
}

#[test]
fn the_table_of_status_json_is_what_it_has() {
    let table = rows(between(README, "### `/status.json`\n", "\n### "));
    let json: Value = serde_json::from_str(&page("/status.json")).unwrap();
    let named = table.iter().flat_map(|row| code(row[0])).collect();
    assert_eq!(keys(&json), named, "the first column");

    let states = ServiceState::ALL.iter().map(|state| state.word());
    let values = states
        .chain(Action::ALL.iter().map(|action| action.word()))
        .chain([Condition::Unknown, Condition::Works, Condition::Fails].map(Condition::word))
        .chain(["null", "public", "private", ".ci/build"]);
    let values = words(values);
    for row in &table {
        let (field, described) = (code(row[0]), code(row[1]));
        let nested = field.iter().flat_map(|field| match &json[field] {
            Value::Array(items) => items.first().filter(|item| item.is_object()).map(keys),
            // Each dependency has the same.
            Value::Object(parts) if field == "dependencies" => {
                let of_each = parts.values().flat_map(keys);
                Some(of_each.chain(keys(&json[field])).collect())
            }
            object @ Value::Object(_) => Some(keys(object)),
            _ => None,
        });
        let nested: BTreeSet<String> = nested.flatten().chain(field.clone()).collect();
        let missing: Vec<_> = nested
            .difference(&field)
            .filter(|w| !described.contains(*w))
            .collect();
        assert!(missing.is_empty(), "{field:?} also has {missing:?}");
        let unknown: Vec<_> = described
            .difference(&nested)
            .filter(|w| !values.contains(*w))
            .collect();
        assert!(unknown.is_empty(), "{field:?} has no {unknown:?}");
    }
    for state in ServiceState::ALL.map(ServiceState::word) {
        assert!(
            table.iter().any(|row| code(row[1]).contains(state)),
            "{state}"
        );
    }
}

#[test]
fn the_table_of_metrics_is_what_there_is() {
    let text = page("/metrics");
    let lines = text.lines().map(|line| Ok(line.to_owned()));
    let samples = Scrape::parse(lines).unwrap().samples;
    let types = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE rancher_route53_"));
    let types: BTreeSet<String> = types.map(str::to_owned).collect();
    let table = rows(between(README, "### `/metrics`\n", "\nThree alerts"));
    let named = table
        .iter()
        .map(|row| row[0].trim_matches('`').to_owned() + " " + row[1]);
    assert_eq!(types, named.collect(), "the first two columns");

    for row in &table {
        let metric = "rancher_route53_".to_owned() + row[0].trim_matches('`');
        let (names, values) = row[2].split_once(':').unwrap_or((row[2], ""));
        let labels = samples.iter().filter(|sample| sample.metric == metric);
        let labels = labels
            .flat_map(|sample| sample.labels.iter())
            .filter(|(name, _)| *name != "le");
        let labels: Vec<_> = labels.collect();
        let shown = labels.iter().map(|(name, _)| &***name);
        assert_eq!(words(shown), code(names), "labels of {metric}");
        // Which codes there are is up to others.
        if !values.is_empty() && !names.contains("code") {
            let shown = labels.iter().map(|(_, value)| &***value);
            assert_eq!(words(shown), code(values), "values at {metric}");
        }
    }
    for mention in README.split("rancher_route53_").skip(1) {
        let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let name = mention.split(|c| !is_part(c)).next().unwrap_or_default();
        let is_metric = types
            .iter()
            .any(|line| line.split(' ').next() == Some(name));
        assert!(name.is_empty() || is_metric, "there is no {name}");
    }
}
