//! The settings: environment variables and flags go in, a checked [`Config`] comes out, or an error
//! that lists everything that is wrong. No other module reads the environment.

pub mod arguments;
mod credentials;
mod endpoints;
mod proxies;
mod reader;
mod rules;
pub mod settings;
mod shown;

use std::fmt;
use std::fs::File;
use std::time::Duration;

use crate::aws::credentials::CredentialSettings;
use crate::base::log::{Format, Level};
use crate::base::secret::Secret;
use crate::desired::Rules;
use crate::net::proxy::Proxies;
use crate::net::tls::OwnCertificates;
use crate::net::url::Url;
use crate::observe::server::{Hosts, ListenAddress};
use crate::plan::AdoptSetting;
use crate::plan::Policy;
use crate::plan::guard::GuardSettings;
use crate::route53::caller::CallerSettings;
use arguments::Arguments;
use endpoints::Service;
use reader::Reader;

/// All settings, read and checked, grouped by the part of the program that they are for.
#[derive(Debug)]
pub struct Config {
    /// The rules for names and TTLs: `ROOT_DOMAIN`, `NAME_TEMPLATE`, `TTL`.
    pub rules: Rules,
    /// The id of the hosted zone: `ROUTE53_ZONE_ID`.
    pub zone_id: Option<String>,
    /// The source of AWS credentials.
    pub credentials: CredentialSettings,
    /// Route 53's endpoint, retries and rates.
    pub route53: CallerSettings,
    /// Rancher's API and metadata.
    pub rancher: RancherSettings,
    /// Certificates that are trusted besides the built-in ones: those of `CA_FILE`, or of the files
    /// that Rancher mounts.
    pub certificates: OwnCertificates,
    /// The proxies: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`.
    pub proxies: Proxies,
    /// Which changes of record sets are allowed: `POLICY`.
    pub policy: Policy,
    /// Which existing record sets are taken over: `ADOPT`.
    pub adopt: AdoptSetting,
    /// The id that names the state records: `OWNER_ID`. `None` for the environment's UUID.
    pub owner_id: Option<String>,
    /// Whether names are written back to Rancher: `WRITE_BACK`.
    pub writes_back: bool,
    /// When deletes are held back: `DELETE_GUARD_PERCENT`, `DELETE_GUARD_MIN`, `DELETE_GUARD_HOLD`.
    pub guard: GuardSettings,
    /// Time between two rounds if nothing changes in metadata: `RESYNC_INTERVAL`.
    pub resync_interval: Duration,
    /// The addresses on which health checks are answered: `HEALTH_ADDRESS`.
    pub health: Vec<ListenAddress>,
    /// The hosts for which the pages are shown besides those of the local network: `HEALTH_HOSTS`.
    pub health_hosts: Hosts,
    /// Level, format and file of the log.
    pub log: LogSettings,
    /// Possible errors in the settings that don't stop the program, a sentence each.
    pub doubts: Vec<String>,
}

/// The settings of the log.
#[derive(Debug)]
pub struct LogSettings {
    /// Events below this level are left out: `LOG_LEVEL`, or debug with `-debug`.
    pub level: Level,
    /// The format of the lines: `LOG_FORMAT`.
    pub format: Format,
    /// The opened file of `-log=FILE`; `None` for stderr.
    pub file: Option<File>,
    /// Whether the operator has said anything of the log, and so wants to see it.
    pub is_asked_for: bool,
}

/// The addresses of Rancher's API and metadata, and the keys of the API.
#[derive(Debug)]
pub struct RancherSettings {
    /// The URL of the API: `CATTLE_URL`.
    pub url: Url,
    /// The user name for the API: `CATTLE_ACCESS_KEY`.
    pub access_key: String,
    /// The password for the API: `CATTLE_SECRET_KEY`.
    pub secret_key: Secret,
    /// The URLs of metadata, in the order in which they are tried: `METADATA_URL`, or the usual ones.
    pub metadata_urls: Vec<Url>,
}

/// Everything that is wrong with the settings, one line each.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError(pub Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

/// Files in which Rancher and its fork mount a server's self-signed certificate.
const USUAL_CA_FILES: [&str; 2] = [
    "/var/lib/rancher/etc/ssl/ca.crt",
    "/var/lib/pasturestack/etc/ssl/ca.crt",
];
const METADATA_URLS: [&str; 2] = [
    "http://rancher-metadata.rancher.internal/2015-12-19",
    "http://metadata/2015-12-19",
];

/// How the servers outside are reached: `directly`, or `through` a named proxy.
#[derive(Debug, PartialEq, Eq)]
pub struct Routes {
    /// The way to Route 53.
    pub route53: String,
    /// The way to Rancher's API.
    pub rancher: String,
}

impl Config {
    /// How the servers outside are reached; `None` if no proxy is set.
    pub fn routes(&self) -> Option<Routes> {
        Some(Routes {
            route53: self.proxies.route(&self.route53.endpoint)?,
            rancher: self.proxies.route(&self.rancher.url)?,
        })
    }

    /// Reads the settings. `variable` looks an environment variable up, as [`environment`] does: it
    /// returns `None` if the variable isn't set, and an error if the value isn't Unicode.
    pub fn read(
        variable: &dyn Fn(&str) -> Option<Result<String, String>>,
        arguments: &Arguments,
    ) -> Result<Config, ConfigError> {
        let mut reader = Reader::new(variable);
        // All settings are read before any missing one ends this function, so that all errors are
        // reported together.
        let rules = rules::read(&mut reader);
        let zone_id = reader.value("ROUTE53_ZONE_ID", WHAT_ZONE_ID, zone_id);
        let (at_route53, at_sts) = endpoints::read(&mut reader).unzip();
        let route53 = route53(&mut reader, at_route53);
        let credentials = credentials::read(&mut reader, at_sts);
        let rancher = rancher(&mut reader);
        let certificates = reader.certificates("CA_FILE", &USUAL_CA_FILES);
        let proxies = proxies::read(&mut reader);
        let policy = reader.choice("POLICY", &POLICIES);
        let adopt = reader.choice("ADOPT", &ADOPTIONS);
        let owner_id = reader.value("OWNER_ID", WHAT_OWNER_ID, arguments::owner_id);
        let rules = rules.map(|rules| Rules {
            owner_id: owner_id.as_deref().map(Into::into),
            ..rules
        });
        let writes_back = reader.switch("WRITE_BACK");
        let guard = guard(&mut reader);
        let resync_interval = Duration::from_secs(reader.number("RESYNC_INTERVAL"));
        let health = health(&mut reader);
        let health_hosts = reader
            .value("HEALTH_HOSTS", WHAT_HOSTS, hosts)
            .unwrap_or_default();
        let log = log(&mut reader, arguments);
        match (rules, route53, credentials, rancher) {
            (Some(rules), Some(route53), Some(credentials), Some(rancher))
                if reader.problems.is_empty() =>
            {
                Ok(Config {
                    rules,
                    zone_id,
                    credentials,
                    route53,
                    rancher,
                    certificates,
                    proxies,
                    policy,
                    adopt,
                    owner_id,
                    writes_back,
                    guard,
                    resync_interval,
                    health,
                    health_hosts,
                    log,
                    doubts: reader.doubts,
                })
            }
            _ => Err(ConfigError(reader.problems)),
        }
    }
}

/// The value of an environment variable. One that isn't Unicode is an error instead of absent.
pub fn environment(name: &str) -> Option<Result<String, String>> {
    let value = std::env::var_os(name)?;
    Some(
        value
            .into_string()
            .map_err(|_| "the value isn't Unicode".to_owned()),
    )
}

const POLICIES: [(&str, Policy); 3] = [
    ("sync", Policy::Sync),
    ("upsert-only", Policy::UpsertOnly),
    ("create-only", Policy::CreateOnly),
];
const ADOPTIONS: [(&str, AdoptSetting); 3] = [
    ("never", AdoptSetting::Never),
    ("matching", AdoptSetting::Matching),
    ("legacy", AdoptSetting::Legacy),
];
const LEVELS: [(&str, Level); 4] = [
    ("info", Level::Info),
    ("debug", Level::Debug),
    ("warn", Level::Warn),
    ("error", Level::Error),
];
const FORMATS: [(&str, Format); 2] = [("logfmt", Format::Logfmt), ("json", Format::Json)];

const WHAT_OWNER_ID: &str = "an id of this environment, such as berlin";
const WHAT_ZONE_ID: &str = "the id of a hosted zone: letters and digits, such as Z2FDTNDATAQYW2";

fn route53(reader: &mut Reader<'_>, service: Option<Service>) -> Option<CallerSettings> {
    let max_retries = reader.number("ROUTE53_MAX_RETRIES");
    let request_rate = reader.rate("ROUTE53_REQUEST_RATE");
    let change_rate = reader.rate("ROUTE53_CHANGE_RATE");
    let service = service?;
    Some(CallerSettings {
        endpoint: service.endpoint,
        signing_region: service.signing_region,
        max_retries: u32::try_from(max_retries).ok()?,
        request_rate,
        change_rate,
    })
}

fn rancher(reader: &mut Reader<'_>) -> Option<RancherSettings> {
    let url = reader.required_url("CATTLE_URL", WHAT_URL);
    let access_key = reader.required_text("CATTLE_ACCESS_KEY");
    let secret_key = reader.required_secret("CATTLE_SECRET_KEY");
    let metadata = reader.url("METADATA_URL", WHAT_URL, Url::parse);
    let usual = || METADATA_URLS.iter().filter_map(|url| Url::parse(url).ok());
    Some(RancherSettings {
        url: url?,
        access_key: access_key?,
        secret_key: secret_key?,
        metadata_urls: metadata.map_or_else(|| usual().collect(), |url| vec![url]),
    })
}

fn guard(reader: &mut Reader<'_>) -> GuardSettings {
    let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
    GuardSettings {
        percent: number(reader.number("DELETE_GUARD_PERCENT")),
        min: number(reader.number("DELETE_GUARD_MIN")) as usize,
        hold: Duration::from_secs(reader.number("DELETE_GUARD_HOLD")),
    }
}

fn health(reader: &mut Reader<'_>) -> Vec<ListenAddress> {
    let what = "addresses such as :1000 or 127.0.0.1:1000, with commas";
    let parse = |text: &str| listen_addresses(text).ok_or_else(|| "not an address".to_owned());
    let addresses = reader.value("HEALTH_ADDRESS", what, parse);
    let default = || listen_addresses(settings::get("HEALTH_ADDRESS").default);
    addresses.or_else(default).unwrap_or_default()
}

const WHAT_HOSTS: &str = "names of hosts such as status.example.com, with commas";

fn hosts(text: &str) -> Result<Hosts, String> {
    Hosts::parse(text).ok_or_else(|| "not a name of a host, without a port".to_owned())
}

fn log(reader: &mut Reader<'_>, arguments: &Arguments) -> LogSettings {
    let settings = ["LOG_LEVEL", "LOG_FORMAT"];
    let is_set = settings.iter().any(|name| reader.text(name).is_some());
    let level = reader.choice("LOG_LEVEL", &LEVELS);
    let format = reader.choice("LOG_FORMAT", &FORMATS);
    let file = arguments.log_file.as_ref();
    let file = file.and_then(|path| reader.log_file(path));
    LogSettings {
        level: if arguments.debug { Level::Debug } else { level },
        format,
        is_asked_for: is_set || arguments.debug || file.is_some(),
        file,
    }
}

const WHAT_URL: &str = "an http:// or https:// URL";

fn zone_id(text: &str) -> Result<String, String> {
    let id = text.trim_start_matches("/hostedzone/");
    let is_id = (1..=32).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric());
    if is_id {
        Ok(id.to_owned())
    } else {
        Err("not an id".to_owned())
    }
}

fn listen_addresses(text: &str) -> Option<Vec<ListenAddress>> {
    text.split(',')
        .map(|address| match address.trim() {
            address if address.starts_with(':') => {
                address[1..].parse().ok().map(ListenAddress::Any)
            }
            address => address.parse().ok().map(ListenAddress::One),
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests;
