//! Settings and arguments: the first line is the command line, then `NAME=value` on each line,
//! where `␤` stands for a line break in a value. What names a file has the file's content for a
//! value. A name alone is a variable that isn't Unicode.

#![no_main]

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use rancher_route53::config::Config;
use rancher_route53::config::arguments::{self, Arguments};
use rancher_route53::config::settings::SETTINGS;
use rancher_route53::dns::Name;
use rancher_route53::net::url::Url;
use rancher_route53_fuzz::assert_within_limits;

/// In every secret; the fuzzer's own text could be part of any message.
const SECRET: &str = "NobodysBusiness";
const SECRETS: [&str; 6] = [
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "CATTLE_SECRET_KEY",
    "PLATFORM_SECRET_KEY",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
];
/// Besides the `…_FILE` of secrets.
const FILES: [&str; 4] = [
    "CA_FILE",
    "SSL_CERT_FILE",
    "AWS_CA_BUNDLE",
    "PLATFORM_CA_ROOT",
];
const URLS: [&str; 15] = [
    "AWS_ENDPOINT_URL_ROUTE_53",
    "ROUTE53_ENDPOINT_URL",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "CATTLE_URL",
    "PLATFORM_URL",
    "METADATA_URL",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
];

fuzz_target!(|text: &str| {
    // libFuzzer learns the word from the comparisons below, and puts it where no secret stands.
    if text.contains(SECRET) {
        return;
    }
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let arguments = arguments(line);
    let variables: HashMap<&str, Result<String, String>> = rest
        .lines()
        .enumerate()
        .map(|(index, line)| variable(index, line))
        .collect();
    let look_up = |name: &str| variables.get(name).cloned();
    match Config::read(&look_up, &arguments) {
        Ok(config) => check(&config),
        Err(error) => {
            assert!(!error.0.is_empty());
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains(SECRET), "{shown}");
            for line in &error.0 {
                assert!(
                    !line.is_empty() && !line.contains(char::is_control),
                    "{line:?}"
                );
            }
        }
    }
});

fn arguments(line: &str) -> Arguments {
    let words = line.split(' ').filter(|word| !word.is_empty());
    let words = words.map(|word| word.replace('␤', "\n"));
    let read = arguments::parse(words).unwrap_or_else(|error| {
        assert!(!error.is_empty() && !error.contains('\n'), "{error}");
        arguments::parse([]).expect("no arguments are fine")
    });
    assert!(read.log_file.as_ref().is_none_or(|path| !path.is_empty()));
    let log = folder().join("log").display().to_string();
    Arguments {
        log_file: read.log_file.map(|_| log),
        ..read
    }
}

/// Name and value of a variable; what is secret in it is marked.
fn variable(index: usize, line: &str) -> (&str, Result<String, String>) {
    let Some((name, value)) = line.split_once('=') else {
        return (line, Err("it is not Unicode".to_owned()));
    };
    let of_file = name
        .strip_suffix("_FILE")
        .filter(|name| may_be_in_a_file(name));
    let value = value.replace('␤', "\n");
    let value = match of_file.unwrap_or(name) {
        name if SECRETS.contains(&name) => with_secret(&value),
        name if URLS.contains(&name) => with_password(&value),
        _ => value,
    };
    let value = match of_file.is_some() || FILES.contains(&name) {
        true => file(index, &value),
        false => value,
    };
    (name, Ok(value))
}

fn may_be_in_a_file(name: &str) -> bool {
    let mut settings = SETTINGS.iter().filter(|setting| setting.is_secret);
    settings.any(|setting| setting.name == name || setting.aliases.contains(&name))
}

/// In the middle, so that both its ends are the fuzzer's. Blank stays blank, which is unset.
fn with_secret(text: &str) -> String {
    let half = text.chars().count() / 2;
    let at = text.char_indices().nth(half).map_or(0, |(at, _)| at);
    match text.trim().is_empty() {
        true => text.to_owned(),
        false => format!("{}{SECRET}{}", &text[..at], &text[at..]),
    }
}

/// A URL that has a user gets a password.
fn with_password(text: &str) -> String {
    let start = text.find("://").map_or(text.len(), |at| at + 3);
    let authority = text[start..]
        .split(['/', '?', '#'])
        .next()
        .unwrap_or_default();
    match authority.rfind('@') {
        Some(at) => format!("{}:{SECRET}{}", &text[..start + at], &text[start + at..]),
        None => text.to_owned(),
    }
}

/// The path of a new file with this content.
fn file(index: usize, content: &str) -> String {
    let path = folder().join(format!("file-{}", index % 64));
    fs::write(&path, content).expect("a file can be written");
    path.display().to_string()
}

/// One for each process of the fuzzer.
fn folder() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("settings-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder can be made");
        folder
    })
}

fn check(config: &Config) {
    let shown = format!("{config:?}");
    assert!(!shown.contains(SECRET), "{shown}");
    let rancher = &config.rancher;
    assert!(!rancher.access_key.is_empty() && !rancher.secret_key.expose().is_empty());

    assert_within_limits(&config.rules.zone);
    assert_eq!(
        Name::parse(config.rules.zone.as_str()).as_ref(),
        Ok(&config.rules.zone)
    );
    assert!(config.rules.ttl <= 2_147_483_647);
    if let Some(id) = &config.zone_id {
        assert!((1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
    assert!(!config.rancher.metadata_urls.is_empty() && !config.health.is_empty());
    let urls = [
        &config.route53.endpoint,
        &rancher.url,
        &config.credentials.sts.endpoint,
    ];
    for url in urls.into_iter().chain(&config.rancher.metadata_urls) {
        assert_eq!(Url::parse(&url.to_string()).as_ref(), Ok(url));
    }
    let region = config.route53.signing_region.bytes();
    assert!(
        region.len() > 0
            && region
                .clone()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    );
    let day = Duration::from_secs(86_400);
    assert!((Duration::from_secs(10)..=day).contains(&config.resync_interval));
    assert!(config.route53.max_retries <= 20);
    for rate in [config.route53.request_rate, config.route53.change_rate] {
        assert!((0.01..=1000.0).contains(&rate));
    }
}
