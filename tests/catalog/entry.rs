//! The catalog entry as its tests read it: its files, its form with the answers, and what Rancher makes of
//! both.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rancher_route53::config::arguments::{Invocation, parse};
use rancher_route53::config::{Config, ConfigError};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A YAML scalar that ends as a string: in an environment everything does.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
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
pub enum Command {
    Line(String),
    Words(Vec<String>),
}

#[derive(Debug, Deserialize)]
pub struct DockerCompose {
    pub version: String,
    pub services: BTreeMap<String, Container>,
}

#[derive(Debug, Deserialize)]
pub struct Container {
    pub image: String,
    pub command: Command,
    pub expose: Vec<u16>,
    pub environment: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    pub volumes: Vec<String>,
    pub read_only: bool,
    pub cap_drop: Vec<String>,
    pub cap_add: Vec<String>,
    pub mem_limit: String,
    pub logging: Logging,
}

impl Container {
    /// The command's line, as the entry of this project has it.
    pub fn line(&self) -> &str {
        match &self.command {
            Command::Line(line) => line,
            Command::Words(words) => panic!("{words:?} should be a line"),
        }
    }
}

/// Docker's log driver. All options are text.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Logging {
    pub driver: String,
    pub options: BTreeMap<String, String>,
}

/// Of version 2: Rancher takes services from `services` only then (rancher-compose-executor,
/// `config.CreateConfig`), and passes over whatever else there is at the top without a word.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RancherCompose {
    pub version: String,
    #[serde(rename = ".catalog")]
    pub catalog: Catalog,
    pub services: Services,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Services {
    pub route53: Scaled,
}

#[derive(Debug, Deserialize)]
pub struct Catalog {
    pub version: String,
    pub questions: Vec<Question>,
}

#[derive(Debug, Deserialize)]
pub struct Question {
    pub variable: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub required: bool,
    pub default: Option<Scalar>,
    pub min: Option<i64>,
    pub max: Option<i64>,
    #[serde(default)]
    pub options: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct Scaled {
    pub health_check: HealthCheck,
}

#[derive(Debug, Deserialize)]
pub struct HealthCheck {
    pub port: u16,
    pub request_line: String,
    pub interval: Option<String>,
}

/// A forerunner's entry, as tests/catalog has it.
#[derive(Debug, Deserialize)]
pub struct Forerunner {
    pub command: Command,
    pub environment: BTreeMap<String, String>,
    pub answers: BTreeMap<String, Scalar>,
    pub health_check: HealthCheck,
}

pub type Answers = BTreeMap<String, String>;

pub fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

pub fn read<T: DeserializeOwned>(relative: &str) -> T {
    let text = fs::read_to_string(path(relative)).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{relative}: {error}"))
}

/// The folders of the entry's versions, which count from 0.
pub fn folders() -> Vec<String> {
    let folders = (0..).map(|number| format!("catalog/{number}"));
    folders.take_while(|folder| path(folder).is_dir()).collect()
}

/// The folder of the version that Rancher offers.
pub fn newest_folder() -> String {
    folders().pop().expect("a version")
}

pub fn entry() -> (Container, RancherCompose) {
    let folder = newest_folder();
    let mut docker: DockerCompose = read(&format!("{folder}/docker-compose.yml"));
    let container = docker.services.remove("route53").expect("the same service");
    assert!(docker.services.is_empty());
    let rancher: RancherCompose = read(&format!("{folder}/rancher-compose.yml"));
    assert_eq!([&*docker.version, &*rancher.version], ["2", "2"]);
    (container, rancher)
}

/// What a form holds that is filled in no further than it must be.
pub fn defaults(questions: &[Question]) -> Answers {
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
pub fn fill_in(text: &str, answers: &Answers) -> String {
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

/// The program's configuration by this command and these variables, and those that Rancher gives.
pub fn configured(command: &str, variables: &Answers) -> Result<(Invocation, Config), ConfigError> {
    let variable = |name: &str| match (variables.get(name), name) {
        (Some(text), _) => Some(Ok(text.clone())),
        (None, "CATTLE_URL") => Some(Ok("http://rancher.example.org/v2-beta".to_owned())),
        (None, "CATTLE_ACCESS_KEY" | "CATTLE_SECRET_KEY") => Some(Ok("key".to_owned())),
        _ => None,
    };
    let words = command.split_whitespace().map(str::to_owned);
    let arguments = parse(words).expect("a command");
    let config = Config::read(&variable, &arguments)?;
    Ok((arguments.invocation, config))
}
