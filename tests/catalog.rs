//! The catalogue entry, and in the place of its forerunners' images: what the YAML says is what
//! the program is started with, and what asks for its health.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rancher_route53::config::settings;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sim::harness::{Harness, ZONE};
use sim::rancher::{self, World};
use sim::route53;
use sim::service::{self, Service};

const PATIENCE: Duration = Duration::from_secs(120);
const UUID: &str = "1a726b88-f6b1-53ad-8dac-f631830b5815";

/// A YAML scalar that ends as a string: in an environment everything does.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Number(i64),
    Text(String),
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scalar::Number(number) => number.fmt(f),
            Scalar::Text(text) => f.write_str(text),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Command {
    Line(String),
    Words(Vec<String>),
}

#[derive(Debug, Deserialize)]
struct DockerCompose {
    version: String,
    services: BTreeMap<String, Container>,
}

#[derive(Debug, Deserialize)]
struct Container {
    image: String,
    command: Command,
    expose: Vec<u16>,
    environment: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
    volumes: Vec<String>,
    read_only: bool,
    cap_drop: Vec<String>,
    cap_add: Vec<String>,
}

/// Of version 2: Rancher takes services from `services` only then (rancher-compose-executor,
/// `config.CreateConfig`), and passes over whatever else there is at the top without a word.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RancherCompose {
    version: String,
    #[serde(rename = ".catalog")]
    catalog: Catalog,
    services: Services,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Services {
    route53: Scaled,
}

#[derive(Debug, Deserialize)]
struct Catalog {
    version: String,
    questions: Vec<Question>,
}

#[derive(Debug, Deserialize)]
struct Question {
    variable: String,
    #[serde(rename = "type")]
    kind: String,
    required: bool,
    default: Option<Scalar>,
    min: Option<i64>,
    max: Option<i64>,
    #[serde(default)]
    options: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Scaled {
    health_check: HealthCheck,
}

#[derive(Debug, Deserialize)]
struct HealthCheck {
    port: u16,
    request_line: String,
    interval: Option<String>,
}

/// A forerunner's entry, as tests/catalog has it.
#[derive(Debug, Deserialize)]
struct Forerunner {
    command: Command,
    environment: BTreeMap<String, String>,
    answers: BTreeMap<String, Scalar>,
    health_check: HealthCheck,
}

type Answers = BTreeMap<String, String>;

fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

fn read<T: DeserializeOwned>(relative: &str) -> T {
    let text = fs::read_to_string(path(relative)).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{relative}: {error}"))
}

fn entry() -> (Container, RancherCompose) {
    let mut docker: DockerCompose = read("catalog/0/docker-compose.yml");
    let container = docker.services.remove("route53").expect("the same service");
    assert!(docker.services.is_empty());
    let rancher: RancherCompose = read("catalog/0/rancher-compose.yml");
    assert_eq!([&*docker.version, &*rancher.version], ["2", "2"]);
    (container, rancher)
}

/// What a form holds that is filled in no further than it must be.
fn defaults(questions: &[Question]) -> Answers {
    questions
        .iter()
        .map(|question| {
            let answer = match (&question.default, question.variable.as_str()) {
                (Some(default), _) => default.to_string(),
                (None, "ROOT_DOMAIN") => "example.com".to_owned(),
                (None, name) => {
                    assert!(!question.required, "{name} needs a default or an answer");
                    String::new()
                }
            };
            (question.variable.clone(), answer)
        })
        .collect()
}

/// `${NAME}` → its answer; what has no answer is blank, as in Rancher.
fn fill_in(text: &str, answers: &Answers) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').expect("a closing brace");
        filled += before;
        filled += answers.get(name).map_or("", String::as_str);
        rest = after;
    }
    filled + rest
}

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
    let words: Vec<&str> = match command {
        Command::Line(line) => line.split_whitespace().collect(),
        Command::Words(words) => words.iter().map(String::as_str).collect(),
    };
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
    let used = container.environment.values().chain([&container.image]);
    let used: String = used
        .chain(&health_check.interval)
        .map(String::as_str)
        .collect();
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
            let variable = |name: &str| match (container.environment.get(name), name) {
                (Some(text), _) => Some(Ok(fill_in(text, &answers))),
                (None, "CATTLE_URL") => Some(Ok("http://rancher.example.org/v2-beta".to_owned())),
                (None, "CATTLE_ACCESS_KEY" | "CATTLE_SECRET_KEY") => Some(Ok("key".to_owned())),
                _ => None,
            };
            let arguments = rancher_route53::config::arguments::parse([]).unwrap();
            let config = rancher_route53::config::Config::read(&variable, &arguments);
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
        "AWS_REGION",
        "NAME_TEMPLATE",
        "TTL",
        "HEALTH_CHECK",
    ] {
        assert!(asked.contains(&variable), "{variable}");
    }
    let icon = fs::read_to_string(path("catalog/catalogIcon-route53.svg")).unwrap();
    assert!(icon.starts_with("<svg "), "{icon}");
}

#[test]
fn rancher_gives_it_what_it_needs() {
    let (container, rancher) = entry();
    for (label, value) in [
        ("io.rancher.container.create_agent", "true"),
        ("io.rancher.container.agent.role", "external-dns"),
    ] {
        assert_eq!(container.labels[label], value, "{label}");
    }
    // The usual place of a private authority's certificate. What else the host has below
    // /var/lib/rancher, above all the agent's keys, is nobody's business here.
    let certificates = settings::find("CA_FILE").unwrap().default;
    assert!(certificates.starts_with("/var/lib/rancher/etc/ssl/ca.crt, "));
    assert_eq!(
        container.volumes,
        ["/var/lib/rancher/etc/ssl:/var/lib/rancher/etc/ssl:ro"]
    );
    let port = rancher.services.route53.health_check.port;
    assert!(container.expose.contains(&port) && listens_by_default(port));
    assert!(
        container
            .expose
            .iter()
            .all(|port| listens_by_default(*port))
    );
}

#[test]
fn it_may_write_nothing_and_has_one_capability() {
    let (container, _) = entry();
    assert!(container.read_only);
    assert_eq!(container.cap_drop, ["ALL"]);
    // Without it the kernel refuses to start a binary that has it as its file's capability.
    assert_eq!(container.cap_add, ["NET_BIND_SERVICE"]);
    let dockerfile = fs::read_to_string(path("Dockerfile")).unwrap();
    assert!(dockerfile.contains("setcap cap_net_bind_service=+ep"));
    // What the README shows is the same.
    let readme = fs::read_to_string(path("README.md")).unwrap();
    let lines = format!(
        "    volumes: [{:?}]\n    read_only: true\n    cap_drop: [ALL]\n    cap_add: \
         [NET_BIND_SERVICE]\n",
        container.volumes[0]
    );
    assert!(readme.contains(&lines), "the README should have {lines}");
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
    assert!(image.contains("\nARG TARGETARCH\nCOPY --from=build /rancher-route53-$TARGETARCH /"));
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
    assert_eq!(config.version, version);
    assert_eq!(rancher.catalog.version, version);
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
        let text = fs::read_to_string(path("catalog/0").join(file)).unwrap();
        assert!(text.starts_with("# notemplating\n"), "{file}");
    }
}
