//! Settings: the only reader of environment and flags. All that is wrong is found at once.

pub mod arguments;
mod credentials;
mod proxies;
mod reader;
pub mod settings;

use std::fmt;
use std::fs::File;
use std::time::Duration;

use crate::aws::credentials::CredentialSettings;
use crate::aws::partition;
use crate::base::log::{Format, Level};
use crate::base::secret::Secret;
use crate::desired::Rules;
use crate::desired::name_template::Template;
use crate::dns::Name;
use crate::net::proxy::Proxies;
use crate::net::tls::Certificate;
use crate::net::url::Url;
use crate::observe::server::HealthAddress;
use crate::plan::AdoptSetting;
use crate::plan::Policy;
use crate::plan::guard::GuardSettings;
use arguments::Arguments;
use reader::Reader;

/// Every setting, read and checked.
#[derive(Debug)]
pub struct Config {
    /// `ROOT_DOMAIN`, `NAME_TEMPLATE`, `TTL`.
    pub rules: Rules,
    /// `ROUTE53_ZONE_ID`.
    pub zone_id: Option<String>,
    /// Who asks Route 53.
    pub credentials: CredentialSettings,
    /// Where Route 53 is.
    pub route53_endpoint: Url,
    /// Region in the signature's scope.
    pub signing_region: String,
    /// Rancher's API and the keys for it.
    pub rancher: RancherSettings,
    /// Where metadata may be, best first.
    pub metadata_urls: Vec<Url>,
    /// Those of `CA_FILE` or of the usual places.
    pub certificates: Vec<Certificate>,
    /// `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`.
    pub proxies: Proxies,
    /// `POLICY`.
    pub policy: Policy,
    /// `ADOPT`.
    pub adopt: AdoptSetting,
    /// `DELETE_GUARD_PERCENT`, `DELETE_GUARD_MIN`, `DELETE_GUARD_HOLD`.
    pub guard: GuardSettings,
    /// `RESYNC_INTERVAL`.
    pub resync_interval: Duration,
    /// `ROUTE53_MAX_RETRIES`.
    pub max_retries: u32,
    /// `ROUTE53_REQUEST_RATE`, a second.
    pub request_rate: f64,
    /// `ROUTE53_CHANGE_RATE`, a second.
    pub change_rate: f64,
    /// `HEALTH_ADDRESS`.
    pub health: Vec<HealthAddress>,
    /// `LOG_LEVEL`, or debug with `-debug`.
    pub log_level: Level,
    /// `LOG_FORMAT`.
    pub log_format: Format,
    /// `-log=FILE`.
    pub log_file: Option<File>,
    /// What may be wrong with them, a sentence each.
    pub doubts: Vec<String>,
}

/// Rancher's API and the keys for it.
#[derive(Debug)]
pub struct RancherSettings {
    /// `CATTLE_URL`.
    pub url: Url,
    /// `CATTLE_ACCESS_KEY`.
    pub access_key: String,
    /// `CATTLE_SECRET_KEY`.
    pub secret_key: Secret,
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

/// Where Rancher and its fork mount the certificate of a server that signs its own.
const USUAL_CA_FILES: [&str; 2] = [
    "/var/lib/rancher/etc/ssl/ca.crt",
    "/var/lib/pasturestack/etc/ssl/ca.crt",
];
const METADATA_URLS: [&str; 2] = [
    "http://rancher-metadata.rancher.internal/2015-12-19",
    "http://metadata/2015-12-19",
];

/// Through which proxy a server is reached, or that it is reached directly.
#[derive(Debug, PartialEq, Eq)]
pub struct Ways {
    /// Route 53.
    pub route53: String,
    /// Rancher's API.
    pub rancher: String,
}

impl Config {
    /// How the servers outside are reached; none if no proxy is set.
    pub fn ways(&self) -> Option<Ways> {
        Some(Ways {
            route53: self.proxies.way(&self.route53_endpoint)?,
            rancher: self.proxies.way(&self.rancher.url)?,
        })
    }

    /// Reads the settings. `variable` looks an environment variable up: absent, or text, or an
    /// error for one that isn't Unicode.
    pub fn read(
        variable: &dyn Fn(&str) -> Option<Result<String, String>>,
        arguments: &Arguments,
    ) -> Result<Config, ConfigError> {
        let mut reader = Reader::new(variable);
        let region = reader
            .value("AWS_REGION", "a region, such as eu-central-1", region_name)
            .unwrap_or_else(|| "us-east-1".to_owned());
        let partition = partition::of_region(&region);
        let custom = reader.value("AWS_ENDPOINT_URL_ROUTE_53", WHAT_URL, Url::parse);
        let default = || Url::parse(&format!("https://{}", partition.route53)).ok();

        let zone = reader.required(
            "ROOT_DOMAIN",
            "a domain name, such as example.com",
            zone_name,
        );
        let template = reader
            .value("NAME_TEMPLATE", "a name template", |text| {
                Template::parse(text).map_err(|e| e.to_string())
            })
            .or_else(|| Template::parse(crate::desired::name_template::DEFAULT).ok());
        let ttl = reader.number("TTL");
        let zone_id = reader.value(
            "ROUTE53_ZONE_ID",
            "the id of a hosted zone: letters and digits, such as Z2FDTNDATAQYW2",
            zone_id,
        );
        let signing_region = match &custom {
            Some(_) => region.clone(),
            None => partition.signing_region.to_owned(),
        };
        let credentials = credentials::read(&mut reader, &region, &partition);
        let url = reader.required("CATTLE_URL", WHAT_URL, Url::parse);
        let access_key = reader.required_text("CATTLE_ACCESS_KEY");
        let secret_key = reader.required_secret("CATTLE_SECRET_KEY");
        let metadata = reader.value("METADATA_URL", WHAT_URL, Url::parse);
        let certificates = reader.certificates("CA_FILE", &USUAL_CA_FILES);
        let proxies = proxies::read(&mut reader);
        let policy = reader.choice(
            "POLICY",
            &[
                ("sync", Policy::Sync),
                ("upsert-only", Policy::UpsertOnly),
                ("create-only", Policy::CreateOnly),
            ],
        );
        let adopt = reader.choice(
            "ADOPT",
            &[
                ("never", AdoptSetting::Never),
                ("matching", AdoptSetting::Matching),
                ("legacy", AdoptSetting::Legacy),
            ],
        );
        let guard_percent = reader.number("DELETE_GUARD_PERCENT");
        let guard_min = reader.number("DELETE_GUARD_MIN");
        let guard_hold = reader.number("DELETE_GUARD_HOLD");
        let resync = reader.number("RESYNC_INTERVAL");
        let max_retries = reader.number("ROUTE53_MAX_RETRIES");
        let request_rate = reader.rate("ROUTE53_REQUEST_RATE");
        let change_rate = reader.rate("ROUTE53_CHANGE_RATE");
        let health = reader
            .value(
                "HEALTH_ADDRESS",
                "addresses such as :1000 or 127.0.0.1:1000, with commas",
                |t| health_addresses(t).ok_or_else(|| "not an address".to_owned()),
            )
            .unwrap_or_else(|| vec![HealthAddress::Any(1000), HealthAddress::Any(10_000)]);
        let log_level = reader.choice(
            "LOG_LEVEL",
            &[
                ("info", Level::Info),
                ("debug", Level::Debug),
                ("warn", Level::Warn),
                ("error", Level::Error),
            ],
        );
        let log_format = reader.choice(
            "LOG_FORMAT",
            &[("logfmt", Format::Logfmt), ("json", Format::Json)],
        );
        let log_file = arguments
            .log_file
            .as_ref()
            .and_then(|path| reader.log_file(path));

        // Everything has been looked at, so that everything wrong is reported together.
        let complete = || {
            Some(Config {
                rules: Rules {
                    zone: zone?,
                    template: template?,
                    ttl: u32::try_from(ttl).ok()?,
                },
                zone_id,
                credentials: credentials?,
                route53_endpoint: custom.or_else(default)?,
                signing_region,
                rancher: RancherSettings {
                    url: url?,
                    access_key: access_key?,
                    secret_key: secret_key?,
                },
                metadata_urls: match metadata {
                    Some(url) => vec![url],
                    None => METADATA_URLS
                        .iter()
                        .filter_map(|url| Url::parse(url).ok())
                        .collect(),
                },
                certificates,
                proxies,
                policy,
                adopt,
                guard: GuardSettings {
                    percent: u32::try_from(guard_percent).ok()?,
                    min: usize::try_from(guard_min).ok()?,
                    hold: Duration::from_secs(guard_hold),
                },
                resync_interval: Duration::from_secs(resync),
                max_retries: u32::try_from(max_retries).ok()?,
                request_rate,
                change_rate,
                health,
                log_level: if arguments.debug {
                    Level::Debug
                } else {
                    log_level
                },
                log_format,
                log_file,
                doubts: reader.doubts.clone(),
            })
        };
        match complete() {
            Some(config) if reader.problems.is_empty() => Ok(config),
            _ => Err(ConfigError(reader.problems)),
        }
    }
}

const WHAT_URL: &str = "an http:// or https:// URL";

fn zone_name(text: &str) -> Result<Name, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !text.chars().all(plain) {
        return Err("it has a character that isn't a letter, digit, '-', '_' or '.'".to_owned());
    }
    Name::parse(text).map_err(|error| error.to_string())
}

/// It becomes part of a host name.
fn region_name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    match text.chars().all(plain) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("no region has such a name".to_owned()),
    }
}

fn zone_id(text: &str) -> Result<String, String> {
    let id = text.trim_start_matches("/hostedzone/");
    let is_id = (1..=32).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric());
    if is_id {
        Ok(id.to_owned())
    } else {
        Err("not an id".to_owned())
    }
}

fn health_addresses(text: &str) -> Option<Vec<HealthAddress>> {
    text.split(',')
        .map(|address| match address.trim() {
            address if address.starts_with(':') => {
                address[1..].parse().ok().map(HealthAddress::Any)
            }
            address => address.parse().ok().map(HealthAddress::One),
        })
        .collect()
}

#[cfg(test)]
mod tests;
