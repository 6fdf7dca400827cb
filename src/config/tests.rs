use super::*;
use crate::aws::credentials::Source;
use crate::aws::sigv4::Credentials;
use crate::desired::name_template::Template;
use std::io::Write;

mod defaults;

const REQUIRED: [(&str, &str); 6] = [
    ("ROOT_DOMAIN", "example.com"),
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "aws-secret"),
    ("CATTLE_URL", "http://rancher:8080/v2-beta"),
    ("CATTLE_ACCESS_KEY", "agent"),
    ("CATTLE_SECRET_KEY", "cattle-secret"),
];

/// Looks settings up like [`environment`]. Of several with one name, the last counts.
pub(crate) fn lookup<V: AsRef<str>>(
    settings: &[(&str, V)],
) -> impl Fn(&str) -> Option<Result<String, String>> {
    move |name| {
        let (_, value) = settings.iter().rfind(|(known, _)| *known == name)?;
        Some(Ok(value.as_ref().to_owned()))
    }
}

fn read(environment: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let arguments = arguments::parse([]).unwrap();
    Config::read(&lookup(environment), &arguments).map_err(|error| error.0)
}

/// Reads the required settings; `changes` replaces some of them or adds others.
fn with<'a>(changes: &[(&'a str, &'a str)]) -> Result<Config, Vec<String>> {
    read(&[&REQUIRED, changes].concat())
}

fn keys(config: &Config) -> &Credentials {
    match &config.credentials.source {
        Source::Keys(keys) => keys,
        source => panic!("{source:?}"),
    }
}

fn file(content: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}

#[test]
fn defaults_are_those_of_the_contract() {
    let config = with(&[]).unwrap();
    assert_eq!(config.rules.zone.as_str(), "example.com.");
    assert_eq!(config.rules.ttl, 300);
    assert_eq!(
        config.route53.endpoint.to_string(),
        "https://route53.amazonaws.com"
    );
    assert_eq!(config.route53.signing_region, "us-east-1");
    assert_eq!(config.policy, Policy::Sync);
    assert_eq!(config.adopt, AdoptSetting::Never);
    assert_eq!(config.rules.template, Template::default());
    let guard = config.guard;
    assert_eq!((guard.percent, guard.min), (30, 10));
    assert_eq!(guard.hold, Duration::from_secs(60));
    assert_eq!(config.log.level, Level::Info);
    assert_eq!(config.log.format, Format::Logfmt);
    assert!(config.log.file.is_none());
    assert_eq!(config.resync_interval, Duration::from_secs(300));
    assert_eq!(
        (
            config.route53.max_retries,
            config.route53.request_rate,
            config.route53.change_rate
        ),
        (3, 5.0, 100.0)
    );
    assert_eq!(
        config.health,
        [ListenAddress::Any(1000), ListenAddress::Any(10_000)]
    );
    let urls: Vec<String> = config
        .rancher
        .metadata_urls
        .iter()
        .map(Url::to_string)
        .collect();
    assert_eq!(
        urls,
        [
            "http://rancher-metadata.rancher.internal/2015-12-19",
            "http://metadata/2015-12-19"
        ]
    );
}

#[test]
fn what_is_required_is_asked_for_all_at_once() {
    let problems = read(&[("TTL", "x"), ("ROOT_DOMAIN", "  ")]).unwrap_err();
    let starts = [
        "TTL=\"x\"",
        "ROOT_DOMAIN is not set",
        "CATTLE_URL is not set",
        "CATTLE_ACCESS_KEY is not set",
        "CATTLE_SECRET_KEY is not set",
    ];
    assert_eq!(problems.len(), starts.len(), "{problems:#?}");
    for start in starts {
        assert!(
            problems.iter().any(|problem| problem.starts_with(start)),
            "{start}"
        );
    }
}

#[test]
fn a_number_out_of_range_is_a_number_all_the_same() {
    for (name, value, why) in [
        ("TTL", "2147483648", "out of range"),
        ("TTL", "99999999999999999999999", "out of range"),
        ("TTL", "-1", "out of range"),
        ("TTL", "1.5", "not a whole number"),
        ("TTL", "-", "not a whole number"),
        ("TTL", "1e3", "not a whole number"),
        ("ROUTE53_REQUEST_RATE", "1001", "out of range"),
        ("ROUTE53_REQUEST_RATE", "-1", "out of range"),
        ("ROUTE53_REQUEST_RATE", "many", "not such a number"),
    ] {
        let problems = with(&[(name, value)]).unwrap_err();
        let start = format!("{name}=\"{value}\": {why}; it takes ");
        assert!(problems[0].starts_with(&start), "{problems:?}");
    }
}

#[test]
fn a_wrong_setting_names_itself_its_value_and_what_it_takes() {
    for (name, value, takes) in [
        ("ROOT_DOMAIN", "exa mple.com", "a domain name"),
        ("ROOT_DOMAIN", "example..com", "a domain name"),
        ("ROUTE53_ZONE_ID", "../..", "letters and digits"),
        ("NAME_TEMPLATE", "%{{nonsense}}", "%{{service_name}}"),
        ("NAME_TEMPLATE", "%{{service_name", "}}"),
        (
            "NAME_TEMPLATE",
            "web.*.%{{environment_name}}",
            "first label",
        ),
        (
            "NAME_TEMPLATE",
            "web.\\052.%{{environment_name}}",
            "first label",
        ),
        (
            "NAME_TEMPLATE",
            "web\\056%{{environment_name}}",
            "first label",
        ),
        ("TTL", "-1", "from 0 to 2147483647"),
        ("TTL", "2147483648", "from 0 to 2147483647"),
        ("TTL", "5m", "whole number"),
        ("AWS_REGION", "eu-west-1.evil.example", "eu-central-1"),
        ("AWS_ENDPOINT_URL_ROUTE_53", "route53", "http://"),
        ("AWS_ENDPOINT_URL", "ftp://x", "http://"),
        ("CATTLE_URL", "rancher:8080", "http://"),
        ("METADATA_URL", "metadata", "http://"),
        ("POLICY", "everything", "sync, upsert-only, create-only"),
        ("ADOPT", "all", "never, matching, legacy"),
        ("DELETE_GUARD_PERCENT", "101", "from 0 to 100"),
        ("DELETE_GUARD_PERCENT", "30%", "whole number"),
        ("DELETE_GUARD_MIN", "-1", "from 0 to 1000000"),
        ("DELETE_GUARD_MIN", "1000001", "from 0 to 1000000"),
        ("DELETE_GUARD_HOLD", "86401", "from 0 to 86400"),
        ("DELETE_GUARD_HOLD", "1m", "whole number"),
        ("RESYNC_INTERVAL", "1", "from 10 to 86400"),
        ("RESYNC_INTERVAL", "9", "from 10 to 86400"),
        ("RESYNC_INTERVAL", "86401", "from 10 to 86400"),
        ("ROUTE53_MAX_RETRIES", "many", "from 0 to 20"),
        ("ROUTE53_REQUEST_RATE", "0", "from 0.01 to 1000"),
        ("ROUTE53_REQUEST_RATE", "NaN", "from 0.01 to 1000"),
        ("ROUTE53_REQUEST_RATE", "5/s", "from 0.01 to 1000"),
        ("ROUTE53_REQUEST_RATE", ".5", "such as 5 or 0.5"),
        ("ROUTE53_CHANGE_RATE", "-5", "from 0.01 to 1000"),
        ("HEALTH_ADDRESS", ":99999", ":1000"),
        ("HEALTH_ADDRESS", "localhost", "127.0.0.1:1000"),
        (
            "HEALTH_HOSTS",
            "status.example.com:80",
            "status.example.com",
        ),
        ("LOG_LEVEL", "loud", "info, debug, warn, error"),
        ("LOG_FORMAT", "xml", "logfmt, json"),
        ("CA_FILE", "/does/not/exist.pem", "No such file"),
    ] {
        let problems = with(&[(name, value)]).unwrap_err();
        assert_eq!(problems.len(), 1, "{name}={value}: {problems:#?}");
        assert!(
            problems[0].starts_with(&format!("{name}={value:?}: ")),
            "{}",
            problems[0]
        );
        assert!(
            problems[0].contains(takes),
            "{} should say {takes}",
            problems[0]
        );
        assert_eq!(problems[0].lines().count(), 1);
    }
}

#[test]
fn aliases_are_read_in_order_and_blank_counts_as_unset() {
    let config = with(&[
        ("AWS_ACCESS_KEY_ID", " "),
        ("AWS_ACCESS_KEY", "OLD"),
        ("AWS_REGION", ""),
        ("AWS_DEFAULT_REGION", "cn-north-1"),
        ("PLATFORM_URL", "http://other"),
        ("TTL", ""),
    ])
    .unwrap();
    assert_eq!(keys(&config).access_key_id, "OLD");
    assert_eq!(
        config.route53.endpoint.to_string(),
        "https://route53.amazonaws.com.cn"
    );
    assert_eq!(config.route53.signing_region, "cn-northwest-1");
    assert_eq!(
        config.rancher.url.to_string(),
        "http://rancher:8080/v2-beta"
    );
    let custom = with(&[
        ("AWS_ENDPOINT_URL", "http://generic"),
        ("ROUTE53_ENDPOINT_URL", "http://own"),
        ("AWS_REGION", "eu-west-1"),
    ])
    .unwrap();
    assert_eq!(custom.route53.endpoint.to_string(), "http://own");
    assert_eq!(
        custom.route53.signing_region, "eu-west-1",
        "with a custom endpoint the region signs"
    );
}

#[test]
fn a_secret_can_be_in_a_file() {
    let secret = file("from-file\n");
    let path = secret.path().to_str().unwrap();
    let config = with(&[
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_SECRET_ACCESS_KEY_FILE", path),
    ])
    .unwrap();
    assert_eq!(keys(&config).secret_access_key, Secret::new("from-file"));

    let both = with(&[("AWS_SECRET_ACCESS_KEY_FILE", path)]).unwrap_err();
    assert!(both[0].contains("both set"), "{both:?}");
    let empty = file(" \n");
    let path = empty.path().to_str().unwrap();
    let empty = with(&[("CATTLE_SECRET_KEY", ""), ("CATTLE_SECRET_KEY_FILE", path)]).unwrap_err();
    assert_eq!(empty.len(), 1, "{empty:?}");
    assert!(empty[0].contains("CATTLE_SECRET_KEY_FILE") && empty[0].contains("empty"));
    let gone = [
        ("CATTLE_SECRET_KEY", ""),
        ("CATTLE_SECRET_KEY_FILE", "/does/not/exist"),
    ];
    let gone = with(&gone).unwrap_err();
    assert!(gone[0].contains("can't be read"), "{gone:?}");
    // What isn't secret can't.
    let path = secret.path().to_str().unwrap();
    assert!(with(&[("TTL_FILE", path)]).is_ok_and(|config| config.rules.ttl == 300));
}

#[test]
fn a_ca_file_must_hold_a_certificate() {
    for (content, words) in [
        ("", "no certificate"),
        ("hello", "no certificate"),
        (
            "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
            "PEM",
        ),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n", "PEM"),
    ] {
        let file = file(content);
        let path = file.path().to_str().unwrap();
        for name in [
            "CA_FILE",
            "SSL_CERT_FILE",
            "AWS_CA_BUNDLE",
            "PLATFORM_CA_ROOT",
        ] {
            let problems = with(&[(name, path)]).unwrap_err();
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(
                problems[0].starts_with(&format!("{name}={path:?}")),
                "{problems:?}"
            );
            assert!(
                problems[0].contains(words),
                "{problems:?} should say {words}"
            );
        }
    }
}

#[test]
fn a_variable_that_is_not_unicode_is_an_error() {
    let variable = |name: &str| match name {
        "TTL" => Some(Err("the value isn't Unicode".to_owned())),
        _ => lookup(&REQUIRED)(name),
    };
    let error = Config::read(&variable, &arguments::parse([]).unwrap()).unwrap_err();
    assert_eq!(error.0, ["TTL: the value isn't Unicode"]);
}

#[test]
fn no_secret_is_ever_shown() {
    let config = with(&[("AWS_SESSION_TOKEN", "the-token")]).unwrap();
    let shown = format!("{config:?} {config:#?}");
    for secret in ["aws-secret", "cattle-secret", "the-token"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_password_in_a_url_is_not_shown() {
    let problems = with(&[("CATTLE_URL", "http://me:hidden@rancher/v1")]).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].starts_with("CATTLE_URL=\"http://…@rancher/v1\": it must not hold a user"),
        "{problems:?}"
    );
}

#[test]
fn every_setting_is_in_the_table_once() {
    // The one for all of AWS's services is read for both of those that are called.
    let shared = "AWS_ENDPOINT_URL";
    let mut names: Vec<&str> = Vec::new();
    for setting in settings::SETTINGS {
        names.push(setting.name);
        names.extend(setting.aliases.iter().filter(|alias| **alias != shared));
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn an_error_says_once_what_a_setting_takes() {
    let values = [
        "?",
        "a.b",
        "a..b",
        "-1",
        "é",
        "b-7",
        "x y",
        "http://[",
        "99999999999",
        "\u{1b}",
    ];
    let mut wrong = 0;
    for setting in settings::SETTINGS {
        for value in values {
            for error in with(&[(setting.name, value)]).err().into_iter().flatten() {
                wrong += 1;
                assert!(error.matches("it takes").count() <= 1, "{error}");
            }
        }
    }
    assert!(wrong > 300, "{wrong}");
}
