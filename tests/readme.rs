//! What the documents say is what the code does: their tables of settings, of metrics, of the
//! fields of `/status.json`, of commands and of reasons. Their links lead somewhere, and the tests
//! that they name exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::Utc;
use prometheus_parse::Scrape;
use rancher_route53::base::counters::{Action, Operation};
use rancher_route53::base::dependency::{Condition, Dependency};
use rancher_route53::cli::help::help;
use rancher_route53::config::settings::SETTINGS;
use rancher_route53::desired::container::{ContainerSkip, Requirement, SkippedContainers};
use rancher_route53::desired::skip::SkipReason;
use rancher_route53::desired::warning::Warning;
use rancher_route53::desired::{Desired, ServiceOutcome};
use rancher_route53::dns::{Body, ChangeBatch, Name, RecordKey, RecordSet, RecordType, Routing};
use rancher_route53::observe::pages::Pages;
use rancher_route53::observe::routes::answer;
use rancher_route53::observe::status::Status;
use rancher_route53::observe::status::service_state::ServiceState;
use rancher_route53::plan::guard::HeldDeletes;
use rancher_route53::rancher::model::ServiceKey;
use serde_json::Value;
use sim::harness::PATIENCE;
use sim::rancher::{Rancher, World};
use sim::route53::Route53;
use sim::service::{self, Service};

const README: &str = include_str!("../README.md");
const COMMANDS: &str = include_str!("../docs/commands.md");
const NAMES: &str = include_str!("../docs/names-and-labels.md");
const SETTINGS_PAGE: &str = include_str!("../docs/settings.md");
const STATUS_PAGE: &str = include_str!("../docs/status-and-metrics.md");

/// For somebody who has ten minutes.
const MOST_LINES: usize = 200;

#[test]
fn the_readme_is_short_and_leads_to_every_page() {
    for page in documents() {
        let text = fs::read_to_string(&page).expect("a page");
        assert!(!text.contains("@@"), "{} isn't finished", page.display());
    }
    let lines = README.lines().count();
    assert!(lines <= MOST_LINES, "README.md has {lines} lines");
    let linked: Vec<String> = links(README);
    for page in documents() {
        let page = page.display().to_string();
        let is_linked = linked.iter().any(|link| link.starts_with(&page));
        assert!(is_linked || page == "README.md", "README.md has no {page}");
    }
}

#[test]
fn the_table_of_settings_is_that_of_the_code() {
    let start = "<!-- settings: checked against the code by tests/readme.rs -->\n";
    let table = between(SETTINGS_PAGE, start, "<!-- /settings -->");
    let expected = expected();
    assert!(
        table == expected,
        "the table in docs/settings.md should be:\n{expected}"
    );
}

#[test]
fn the_settings_of_the_readme_have_the_defaults_of_the_code() {
    let table = rows(between(README, "## Settings\n", "\n## "));
    assert!(!table.is_empty());
    for row in table {
        let name = row[0].trim_matches('`');
        let setting = SETTINGS.iter().find(|setting| setting.name == name);
        let setting = setting.unwrap_or_else(|| panic!("there is no {name}"));
        assert_eq!(row[1], setting.default, "{name}");
    }
}

/// What `policy` prints for an environment `Production` and the zone `example.com`.
fn printed_policy() -> String {
    let world = World::new("Production", "1a726b88-f6b1-53ad-8dac-f631830b5815");
    let rancher = Rancher::start(sim::rancher::Options::default(), world);
    let route53 = Route53::start(sim::route53::Options::default());
    route53.add_zone("Z0123456789ABCDEFGHIJ", "example.com", false);
    let settings = service::environment(&rancher, &route53.url(), "example.com");
    let program = service::program(env!("CARGO_BIN_EXE_rancher-route53"));
    let command = Service::spawn(&program, &["policy"], &settings);
    let status = command.wait(PATIENCE).expect("an end");
    assert!(status.success(), "{:?}", command.log());
    command.stdout()
}

#[test]
fn the_iam_policies_are_printed_by_the_command() {
    let block = format!("\n```json\n{}```\n", printed_policy());
    for page in ["README.md", "catalog/0/README.md"] {
        let text = read(Path::new(page));
        assert!(text.contains(&block), "{page} should have:\n{block}");
        assert_eq!(text.matches("```json").count(), 1, "{page}");
    }
}

/// Variables that aren't settings of this program, and the capability.
const OTHER_WORDS: [&str; 2] = ["NO_COLOR", "NET_BIND_SERVICE"];

#[test]
fn every_setting_that_the_documents_name_exists() {
    let mut known = words(OTHER_WORDS);
    for setting in SETTINGS {
        let names = [setting.name].into_iter().chain(setting.aliases.to_vec());
        for name in names {
            known.insert(name.to_owned());
            if setting.is_secret {
                known.insert(format!("{name}_FILE"));
            }
        }
    }
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    for page in documents() {
        if page.ends_with("CONTRIBUTING.md") {
            continue; // it names what steers tests and builds
        }
        for word in code(&prose(&read(&page))) {
            let name = word.split('=').next().unwrap_or_default();
            let is_variable = name.trim_matches('_').contains('_') && name.chars().all(is_part);
            let is_known = !is_variable || known.contains(name);
            assert!(is_known, "{}: there is no {name}", page.display());
        }
    }
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_of_it() {
    let mut count = 0;
    for page in documents() {
        let folder = page.parent().expect("a folder");
        for link in links(&read(&page)) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => page.clone(),
                file => folder.join(file),
            };
            let place = || format!("{}: {link}", page.display());
            assert!(root().join(&target).exists(), "{}", place());
            let anchors = || anchors(&read(&target));
            assert!(
                anchor.is_empty() || anchors().contains(anchor),
                "{}",
                place()
            );
            count += 1;
        }
    }
    assert!(count > 20, "only {count} links were found");
}

/// A test is named as its file and, behind a colon, its functions; a script of CI by its path.
#[test]
fn every_test_that_the_page_on_threats_names_exists() {
    let page = read(Path::new("docs/threats.md"));
    let mut sections = page.split("\n## ");
    assert!(sections.next().is_some_and(|start| start.starts_with("# ")));
    for section in sections {
        let title = section.lines().next().unwrap_or_default();
        let mut count = 0;
        for word in code(section) {
            let (file, functions) = word.split_once(": ").unwrap_or((&word, ""));
            if file.starts_with(".ci/") {
                assert!(root().join(file).is_file(), "{title}: there is no {file}");
            }
            if !file.ends_with(".rs") || functions.is_empty() {
                continue;
            }
            let source = read(Path::new(file));
            let tests = tests_in(&source);
            for function in functions.split(", ") {
                assert!(
                    tests.contains(function),
                    "{title}: {file} has no test {function}"
                );
                count += 1;
            }
        }
        assert!(count > 0, "{title} names no test");
    }
}

/// The names of a file's tests.
fn tests_in(source: &str) -> BTreeSet<&str> {
    let marked = source.split("#[test]").skip(1);
    let functions = marked.filter_map(|rest| rest.trim_start().strip_prefix("fn "));
    let names = functions.filter_map(|rest| rest.split('(').next());
    names.collect()
}

#[test]
fn the_tables_of_commands_are_those_of_the_help() {
    let help = help();
    let lines = help.lines();
    let commands = lines.filter_map(|line| line.strip_prefix("rancher-route53 "));
    let commands = commands.filter_map(|rest| rest.split(' ').next());
    let commands = words(commands.map(|word| word.trim_matches(['[', ']'])));
    for (page, end) in [(README, "\n## "), (COMMANDS, "\nAll commands")] {
        let start = if page == README {
            "## Commands\n"
        } else {
            "# Commands\n"
        };
        let section = between(page, start, end);
        let named = section.lines().filter(|line| line.contains("`"));
        let named = named.filter(|line| line.starts_with('|'));
        let named = named.filter_map(|line| line.split('`').nth(1));
        assert_eq!(words(named), commands);
    }
}

#[test]
fn the_table_of_reasons_is_that_of_the_code() {
    let start = "<!-- reasons: checked against the code by tests/readme.rs -->\n";
    let table = rows(between(NAMES, start, "<!-- /reasons -->"));
    let codes: Vec<&str> = table.iter().map(|row| row[0].trim_matches('`')).collect();
    assert_eq!(codes, SkipReason::CODES.concat());
}

#[test]
fn the_table_of_warnings_is_that_of_the_code() {
    let start = "<!-- warnings: checked against the code by tests/readme.rs -->\n";
    let table = rows(between(NAMES, start, "<!-- /warnings -->"));
    let codes: Vec<&str> = table.iter().map(|row| row[0].trim_matches('`')).collect();
    assert_eq!(codes, Warning::CODES);
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(page: &Path) -> String {
    fs::read_to_string(root().join(page)).unwrap_or_else(|e| panic!("{}: {e}", page.display()))
}

/// All pages for people, as paths from the root.
fn documents() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("docs")).expect("docs");
    let names = entries.map(|entry| entry.expect("a path").file_name());
    let mut pages: Vec<PathBuf> = names.map(|name| Path::new("docs").join(name)).collect();
    pages.retain(|page| page.extension().is_some_and(|kind| kind == "md"));
    let others = [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "catalog/0/README.md",
    ];
    pages.extend(others.map(PathBuf::from));
    pages.sort();
    pages
}

/// The text without its blocks of code.
fn prose(text: &str) -> String {
    let outside = text.split("```").step_by(2);
    outside.collect::<Vec<_>>().join("\n")
}

/// Where its links and pictures lead to within the repository.
fn links(text: &str) -> Vec<String> {
    let text = prose(text);
    let marks = [("](", ')'), ("src=\"", '"'), ("srcset=\"", '"')];
    let found = marks.iter().flat_map(|(start, end)| {
        let targets = text.split(start).skip(1);
        targets.filter_map(|rest| rest.split(*end).next())
    });
    let inside = found.filter(|link| !link.contains("://"));
    inside.map(str::to_owned).collect()
}

/// The anchors that GitHub gives its headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let text = prose(text);
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let titles = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let is_kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
    let anchor = |title: String| title.chars().filter(is_kept).collect::<String>();
    titles
        .map(|title| anchor(title).replace(' ', "-"))
        .collect()
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
            setting.description()
        );
    }
    table
}

/// What is between two marks.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = page.split_once(start).expect("where it starts");
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

/// The keys of an object, and of the objects in it.
fn all_keys(value: &Value) -> BTreeSet<String> {
    let inner: Vec<&Value> = match value {
        Value::Object(members) => members.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    let own = value.as_object().map(|_| keys(value)).unwrap_or_default();
    own.into_iter()
        .chain(inner.into_iter().flat_map(all_keys))
        .collect()
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
    let mut outcome = ServiceOutcome::new(Ok(zone.clone()));
    outcome.skipped_containers = Some(Box::new(SkippedContainers::new(
        2,
        [("web-2", ContainerSkip::new(Requirement::Port, ""))].into_iter(),
    )));
    let mut desired = Desired::default();
    outcome.set_id = Some("blue".into());
    desired.services.insert(key, outcome);
    let weighted = RecordSet::new(
        RecordKey::with_set_id(zone.clone(), RecordType::A, Some("blue".into())),
        Body::Records {
            ttl: 300,
            values: ["192.0.2.1".to_owned()].into(),
        },
        Some(Routing::Weighted(1)),
    );
    desired.record_sets.insert(weighted.key.clone(), weighted);
    status.desired = desired.into();
    let held = HeldDeletes {
        keys: vec![RecordKey::new(zone.clone(), RecordType::A)],
        owned: 10,
        until: Instant::now(),
        hold: Duration::ZERO,
    };
    status.held = Some((held, now));
    let set = RecordSet::of_values(
        RecordKey::new(zone, RecordType::A),
        300,
        ["192.0.2.1".to_owned()].into(),
    );
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
    let pages = Pages::default();
    let response = answer(path, &pages, Instant::now(), Utc::now(), &status).expect("a page");
    let rest = response.rest.into_iter().flatten();
    response.body + &rest.map(|piece| piece.to_string()).collect::<String>()
}

#[test]
fn the_table_of_status_json_is_what_it_has() {
    let table = rows(between(STATUS_PAGE, "## `/status.json`\n", "\n## "));
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
            Value::Array(items) => items.first().filter(|item| item.is_object()).map(all_keys),
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
    let table = rows(between(STATUS_PAGE, "## `/metrics`\n", "\n## "));
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
    for mention in STATUS_PAGE.split("rancher_route53_").skip(1) {
        let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let name = mention.split(|c| !is_part(c)).next().unwrap_or_default();
        let is_metric = types
            .iter()
            .any(|line| line.split(' ').next() == Some(name));
        assert!(name.is_empty() || is_metric, "there is no {name}");
    }
}

const DASHBOARD: &str = include_str!("../docs/monitoring/grafana-dashboard.json");
const ALERTS: &str = include_str!("../docs/monitoring/alerts.yml");
/// Labels that Prometheus itself gives.
const LABELS_OF_PROMETHEUS: [&str; 2] = ["instance", "alertname"];

/// The values that have this key, wherever they stand in a document.
fn below<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    let children: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => Vec::new(),
    };
    let deeper = children.into_iter().flat_map(|child| below(child, key));
    value.get(key).into_iter().chain(deeper).collect()
}

/// The rows, in the table of metrics, of those that an expression asks for.
fn metrics_in<'a>(expression: &str, table: &'a [Vec<&'a str>]) -> Vec<&'a Vec<&'a str>> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let mentions = expression.split("rancher_route53_").skip(1);
    let names = mentions.map(|rest| rest.split(|c| !is_part(c)).next().unwrap_or_default());
    let rows = names.map(|name| {
        let row = table.iter().find(|row| {
            let known = row[0].trim_matches('`');
            name == known || row[1] == "histogram" && name == format!("{known}_bucket")
        });
        row.unwrap_or_else(|| panic!("there is no metric {name}: {expression}"))
    });
    rows.collect()
}

#[test]
fn dashboard_and_alerts_name_metrics_and_labels_that_there_are() {
    let table = rows(between(STATUS_PAGE, "## `/metrics`\n", "\n## "));
    assert!(!metrics_in(ALERTS, &table).is_empty());
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    for variable in below(&dashboard["templating"], "query") {
        metrics_in(&variable.to_string(), &table);
    }
    let targets = below(&dashboard["panels"], "targets").into_iter();
    let targets: Vec<&Value> = targets
        .flat_map(|t| t.as_array().expect("a list"))
        .collect();
    assert!(targets.len() > 20, "only {} queries", targets.len());
    for target in targets {
        let expression = target["expr"].as_str().expect("a query");
        let metrics = metrics_in(expression, &table);
        assert!(!metrics.is_empty(), "{expression}");
        let labels = metrics.iter().flat_map(|row| code(row[2]));
        let known: BTreeSet<String> = labels.chain(words(LABELS_OF_PROMETHEUS)).collect();
        let legend = target["legendFormat"].as_str().expect("a legend");
        let shown = legend.split("{{").skip(1);
        for label in shown.filter_map(|rest| rest.split("}}").next()) {
            assert!(known.contains(label), "{expression} has no label {label}");
        }
    }
}

/// The page's table has the alerts of the file, in their order.
#[test]
fn the_table_of_alerts_is_that_of_the_file() {
    let section = between(STATUS_PAGE, "## Alerts\n", "CI runs all of this");
    let table = rows(section);
    let named: Vec<&str> = table.iter().map(|row| row[0].trim_matches('`')).collect();
    let alerts = ALERTS
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    let alerts: Vec<&str> = alerts.filter_map(|rest| rest.split(' ').next()).collect();
    assert_eq!(named, alerts);
    for alert in alerts {
        let case = format!("alertname: {alert}");
        assert!(
            read(Path::new("tests/monitoring/alerts.test.yml")).contains(&case),
            "{alert}"
        );
    }
}
