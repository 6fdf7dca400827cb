//! The catalogue entry, and in the place of its forerunners' images: what the YAML says is what
//! the program is started with, and what asks for its health.

mod container;
mod entry;
mod recipe;

mod upgrade;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use entry::{
    Answers, Command, Forerunner, HealthCheck, configured, defaults, entry, fill_in, newest_folder,
    path, read,
};
use rancher_route53::config::settings;
use serde::Deserialize;
use sim::harness::{Harness, ZONE};
use sim::rancher::{self, World};
use sim::route53;
use sim::service::{self, Service};

const PATIENCE: Duration = Duration::from_secs(120);
const UUID: &str = "1a726b88-f6b1-53ad-8dac-f631830b5815";

/// Starts the program as the entry says, and looks for a service in the zone, its name in
/// Rancher, and its health.
fn publishes(
    command: &Command,
    variables: &BTreeMap<String, String>,
    answers: &Answers,
    injected_prefix: &str,
    check: &HealthCheck,
) {
    let mut variables: BTreeMap<String, String> = variables
        .iter()
        .map(|(name, text)| (name.clone(), fill_in(text, answers)))
        .collect();
    let mut world = World::new("Prod", UUID);
    world.add_host("h1", "203.0.113.1");
    world.add_service("shop", "web").run_on("h1", 80);
    let route53 = route53::Options {
        region: variables
            .get("AWS_REGION")
            .map_or("us-east-1", String::as_str)
            .to_owned(),
        ..route53::Options::default()
    };
    let harness = Harness::start(world, rancher::Options::default(), route53);
    let Harness { rancher, route53 } = &harness;
    for (name, value) in harness.environment() {
        match (name, name.strip_prefix("CATTLE_")) {
            // What Rancher injects.
            (_, Some(rest)) => {
                variables.insert(format!("{injected_prefix}{rest}"), value);
            }
            // Where things are on this machine; in a container the defaults say it.
            ("METADATA_URL" | "AWS_ENDPOINT_URL_ROUTE_53" | "HEALTH_ADDRESS", _) => {
                variables.insert(name.to_owned(), value);
            }
            _ => {}
        }
    }
    let ttl = variables["TTL"].clone();
    let variables: Vec<(&str, String)> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    let words: Vec<String> = match command {
        Command::Line(line) => vec![fill_in(line, answers)],
        Command::Words(words) => words.clone(),
    };
    let words: Vec<&str> = words
        .iter()
        .flat_map(|word| word.split_whitespace())
        .collect();
    let program = service::program(env!("CARGO_BIN_EXE_rancher-route53"));
    let service = Service::spawn(&program, &words, &variables);

    let name = "web.shop.prod.example.com";
    let record_set = format!("{name}. {ttl} A 203.0.113.1");
    let in_zone = route53.wait_until(PATIENCE, |state| {
        let mut sets = state.zone(ZONE).into_iter().flat_map(|z| z.record_sets());
        sets.any(|set| set.to_string() == record_set)
    });
    assert!(
        in_zone,
        "{record_set} should be in {:?}",
        route53.record_sets(ZONE)
    );
    let in_rancher = rancher.wait_until(PATIENCE, |state| {
        let web = state.world().service("shop", "web");
        web.is_some_and(|web| web.fqdn.as_deref() == Some(name))
    });
    assert!(in_rancher, "Rancher should show {name}");

    let status = ask(&health_address(&service), &check.request_line);
    assert!(status.contains(" 200 "), "{}: {status}", check.request_line);
}

/// Where the program listens: it takes a free port, and says in its log which.
fn health_address(service: &Service) -> String {
    let line = service
        .wait_for_log(PATIENCE, |line| line.contains("health checks are answered"))
        .expect("a line about it");
    let (_, address) = line.split_once("address=").expect("the address");
    address
        .split_whitespace()
        .next()
        .expect("a value")
        .trim_matches('"')
        .to_owned()
}

/// As Rancher's health checker asks: this line and nothing else.
fn ask(address: &str, request_line: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "{request_line}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

fn listens_by_default(port: u16) -> bool {
    let addresses = settings::find("HEALTH_ADDRESS").unwrap().default;
    addresses
        .split(',')
        .any(|address| address == format!(":{port}"))
}

#[test]
fn the_entry_publishes_a_service_and_is_healthy() {
    let (container, rancher) = entry();
    let mut answers = defaults(&rancher.catalog.questions);
    answers.extend([
        ("AWS_ACCESS_KEY_ID".to_owned(), "AKIDEXAMPLE".to_owned()),
        (
            "AWS_SECRET_ACCESS_KEY".to_owned(),
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
        ),
    ]);
    publishes(
        &container.command,
        &container.environment,
        &answers,
        "CATTLE_",
        &rancher.services.route53.health_check,
    );
}

#[test]
fn the_forerunners_entries_work_with_only_the_image_swapped() {
    for (file, injected_prefix) in [
        ("rancher-external-dns.yml", "CATTLE_"),
        ("rancher-external-dns-0.6.1.yml", "CATTLE_"),
        ("external-dns-sync.yml", "CATTLE_"),
        ("external-dns-sync.yml", "PLATFORM_"),
    ] {
        let entry: Forerunner = read(&format!("tests/catalog/{file}"));
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let mut answers: Answers = [
            ("ROOT_DOMAIN", "example.com"),
            ("AWS_ACCESS_KEY", "AKIDEXAMPLE"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_KEY", secret),
            ("AWS_SECRET_ACCESS_KEY", secret),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        answers.extend(
            entry
                .answers
                .iter()
                .map(|(k, v)| (k.clone(), v.to_string())),
        );
        assert!(listens_by_default(entry.health_check.port), "{file}");
        publishes(
            &entry.command,
            &entry.environment,
            &answers,
            injected_prefix,
            &entry.health_check,
        );
    }
}

#[test]
fn every_variable_is_a_setting_and_every_question_is_used() {
    let (container, rancher) = entry();
    for name in container.environment.keys() {
        assert!(
            settings::find(name).is_some(),
            "{name} is no setting of the program"
        );
    }
    let health_check = &rancher.services.route53.health_check;
    let used = container.environment.values().chain(&container.volumes);
    let used = used
        .chain(container.labels.values())
        .chain([&container.image]);
    let used = used.chain(&health_check.interval).map(String::as_str);
    let used: String = used.chain([container.line()]).collect();
    for question in &rancher.catalog.questions {
        let reference = format!("${{{}}}", question.variable);
        assert!(used.contains(&reference), "{reference} isn't used");
    }
    assert_eq!(
        used.matches("${").count(),
        rancher.catalog.questions.len(),
        "each is used once, and nothing else is"
    );
}

#[test]
fn what_the_form_accepts_the_program_accepts() {
    let (container, rancher) = entry();
    for question in &rancher.catalog.questions {
        let name = question.variable.as_str();
        if let Some(default) = &question.default {
            let default = default.to_string();
            assert_eq!(question.kind == "enum", question.options.contains(&default));
            if let (Some(min), Some(max)) = (question.min, question.max) {
                assert!((min..=max).contains(&default.parse().unwrap()), "{name}");
            }
        }
        let extremes = [question.min, question.max];
        let extremes = extremes.into_iter().flatten().map(|n| n.to_string());
        for answer in question.options.iter().cloned().chain(extremes) {
            let mut answers = defaults(&rancher.catalog.questions);
            answers.insert(name.to_owned(), answer.clone());
            let variables = container.environment.iter();
            let variables = variables.map(|(name, text)| (name.clone(), fill_in(text, &answers)));
            let command = fill_in(container.line(), &answers);
            let config = configured(&command, &variables.collect());
            assert!(config.is_ok(), "{name}={answer}: {:?}", config.err());
        }
    }
}

#[test]
fn operators_are_asked_for_what_differs_from_one_to_the_next() {
    let questions = entry().1.catalog.questions;
    let asked: Vec<&str> = questions.iter().map(|q| &*q.variable).collect();
    for variable in [
        "IMAGE",
        "ROOT_DOMAIN",
        "ROUTE53_ZONE_ID",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
        "NAME_TEMPLATE",
        "TTL",
        "ROUTING",
        "HEALTH_CHECK",
    ] {
        assert!(asked.contains(&variable), "{variable}");
    }
    let icon = fs::read_to_string(path("catalog/catalogIcon-route53.svg")).unwrap();
    assert!(icon.starts_with("<svg "), "{icon}");
}

/// Each base image is named by its digest, and the binary by its architecture: a builder that takes
/// another platform for the image than for the binary finds no file.
#[test]
fn the_image_has_the_platform_of_its_binary() {
    let dockerfile = fs::read_to_string(path("Dockerfile")).unwrap();
    let bases = dockerfile.lines().filter_map(|l| l.strip_prefix("FROM "));
    let (last, others): (Vec<&str>, Vec<&str>) = bases.partition(|base| base.ends_with("scratch"));
    assert_eq!(last, ["--platform=$TARGETPLATFORM scratch"]);
    assert_eq!(others.len(), 1);
    for base in others {
        let digest = base.split("@sha256:").nth(1).unwrap_or_default();
        let digest = digest.split(' ').next().unwrap_or_default();
        let is_digest = digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit());
        assert!(is_digest, "{base}");
    }
    let (_, image) = dockerfile.split_once(last[0]).unwrap();
    assert!(image.contains("\nARG TARGETARCH\nCOPY --from=build /image-$TARGETARCH /\n"));
}

/// Docker before 20.10 keeps the ports below 1024 from a user who isn't root, and the capability by
/// which the image's binary may listen there is lost on some of its storage drivers.
#[test]
fn the_entry_s_health_check_takes_no_privilege() {
    let port = entry().1.services.route53.health_check.port;
    assert!(port >= 1024 && listens_by_default(port), "{port}");
}

#[test]
fn versions_agree() {
    #[derive(Deserialize)]
    struct Config {
        version: String,
    }
    let version = env!("CARGO_PKG_VERSION");
    let config: Config = read("catalog/config.yml");
    let (_, rancher) = entry();
    // As in Rancher's and PastureStack's own entries.
    assert_eq!(config.version, format!("v{version}"));
    assert_eq!(rancher.catalog.version, config.version);
    let image = defaults(&rancher.catalog.questions)["IMAGE"].clone();
    assert_eq!(image, format!("rancher-route53:{version}"));
    let dockerfile = fs::read_to_string(path("Dockerfile")).unwrap();
    let label = format!("image.version=\"{version}\"");
    assert!(
        dockerfile.contains(&label),
        "the Dockerfile should say {label}"
    );
}

/// Without this first line Rancher takes `%{{…}}` in a compose file for a template of its own,
/// and refuses the file.
#[test]
fn rancher_leaves_the_name_template_alone() {
    for file in ["docker-compose.yml", "rancher-compose.yml"] {
        let text = fs::read_to_string(path(&newest_folder()).join(file)).unwrap();
        assert!(text.starts_with("# notemplating\n"), "{file}");
    }
}

/// Rancher's and PastureStack's catalog services look for `catalog` and `.catalog` at the top, in
/// both versions of the format, and prefer that; in version 2 also for a service `.catalog`, which
/// the program that starts services would take for one.
#[test]
fn the_questions_are_where_both_versions_of_the_format_have_them() {
    type Top = BTreeMap<String, serde::de::IgnoredAny>;
    let folder = newest_folder();
    let top: Top = read(&format!("{folder}/rancher-compose.yml"));
    let keys: Vec<&str> = top.keys().map(String::as_str).collect();
    assert_eq!(keys, [".catalog", "services", "version"]);
    for question in entry().1.catalog.questions {
        let kinds = ["string", "int", "boolean", "enum", "password"];
        assert!(kinds.contains(&&*question.kind), "{}", question.variable);
    }
}

#[test]
fn secrets_are_asked_for_as_passwords() {
    for question in entry().1.catalog.questions {
        let setting = settings::find(&question.variable);
        let is_secret =
            setting.is_some_and(|s| s.is_secret) && question.variable != "AWS_ACCESS_KEY_ID";
        assert_eq!(
            question.kind == "password",
            is_secret,
            "{}",
            question.variable
        );
    }
}

/// What a page tells people to set, the form asks for. What Rancher gives isn't for people to set.
#[test]
fn the_form_has_what_people_are_told_to_set() {
    let (container, _) = entry();
    let pages = [
        "docs/troubleshooting.md",
        "docs/performance.md",
        "docs/operation.md",
    ];
    let mut count = 0;
    for page in pages {
        let text = fs::read_to_string(path(page)).unwrap();
        for word in text.split('`').skip(1).step_by(2) {
            let name = word.split('=').next().unwrap_or_default();
            if settings::find(name).is_none_or(|s| s.name != name) || name.starts_with("CATTLE_") {
                continue;
            }
            let is_asked = container.environment.contains_key(name);
            // The two that nobody has to change.
            let is_known = is_asked || matches!(name, "DELETE_GUARD_MIN" | "LOG_FORMAT");
            assert!(is_known, "{page} names {name}");
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}
