//! Every setting, once: names, default, range and purpose. Reading a setting, `--help` and the test
//! of the documentation all go by this table.

use crate::dns::record_set::LONGEST_TTL;

/// A setting.
#[derive(Debug)]
pub struct Setting {
    /// The environment variable.
    pub name: &'static str,
    /// Variables read if that one isn't set, in this order.
    pub aliases: &'static [&'static str],
    /// Can also be read from the file that `<name>_FILE` names; is never shown.
    pub is_secret: bool,
    /// The value if it isn't set, or in words where that comes from.
    pub default: &'static str,
    /// What it is for.
    pub help: &'static str,
    /// Which values it takes.
    pub takes: Takes,
}

/// Which values a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// The reader of the setting says.
    Text,
    /// A whole number from the one to the other.
    Number(u64, u64),
    /// A number a second, from 0.01 to 1000.
    Rate,
}

impl Setting {
    /// What it is for, and which numbers it takes.
    pub fn description(&self) -> String {
        match self.takes {
            Takes::Text => self.help.to_owned(),
            Takes::Number(least, most) => format!("{} ({least}–{most})", self.help),
            Takes::Rate => format!("{} (0.01–1000)", self.help),
        }
    }
}

const fn setting(
    name: &'static str,
    aliases: &'static [&'static str],
    default: &'static str,
    help: &'static str,
) -> Setting {
    Setting {
        name,
        aliases,
        is_secret: false,
        default,
        help,
        takes: Takes::Text,
    }
}

const fn secret(
    name: &'static str,
    aliases: &'static [&'static str],
    help: &'static str,
) -> Setting {
    Setting {
        is_secret: true,
        ..setting(name, aliases, "", help)
    }
}

const fn number(
    name: &'static str,
    default: &'static str,
    least: u64,
    most: u64,
    help: &'static str,
) -> Setting {
    Setting {
        takes: Takes::Number(least, most),
        ..setting(name, &[], default, help)
    }
}

const fn rate(name: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting {
        takes: Takes::Rate,
        ..setting(name, &[], default, help)
    }
}

/// All of them.
pub const SETTINGS: &[Setting] = &[
    setting("ROOT_DOMAIN", &[], "required", "name of the hosted zone"),
    setting(
        "ROUTE53_ZONE_ID",
        &[],
        "looked up by name",
        "id of the hosted zone; needed where several have one name",
    ),
    setting(
        "NAME_TEMPLATE",
        &[],
        crate::desired::name_template::DEFAULT,
        "name of a service, without the zone",
    ),
    number(
        "TTL",
        "300",
        0,
        LONGEST_TTL as u64,
        "of the record sets, in seconds",
    ),
    secret(
        "AWS_ACCESS_KEY_ID",
        &["AWS_ACCESS_KEY"],
        "who asks Route 53; without keys: web identity, container, instance metadata",
    ),
    secret("AWS_SECRET_ACCESS_KEY", &["AWS_SECRET_KEY"], "its secret"),
    secret(
        "AWS_SESSION_TOKEN",
        &[],
        "the token that temporary credentials have",
    ),
    setting(
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        &[],
        "",
        "file with a token that STS changes into credentials of AWS_ROLE_ARN",
    ),
    setting("AWS_ROLE_ARN", &[], "", "the role for that token"),
    setting(
        "AWS_ROLE_SESSION_NAME",
        &[],
        "rancher-route53",
        "what CloudTrail shows for calls under a role",
    ),
    setting(
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        &[],
        "set by ECS",
        "path of the container's credentials at http://169.254.170.2",
    ),
    setting(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        &[],
        "set by EKS Pod Identity",
        "URL of the container's credentials; without TLS on the same host only",
    ),
    setting(
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        &[],
        "set by EKS Pod Identity",
        "file with the token for that endpoint, read anew each time",
    ),
    // Secret, but it has no `_FILE` of our making: that one is AWS's, and comes first.
    setting(
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        &[],
        "",
        "the token itself, if there is no such file",
    ),
    setting(
        "AWS_EC2_METADATA_DISABLED",
        &[],
        "false",
        "true: the instance's metadata is not asked when no credentials are set",
    ),
    setting(
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        &[],
        crate::aws::credentials::instance::ENDPOINT,
        "where the instance's metadata is (version 2 only)",
    ),
    setting(
        "ROUTE53_ASSUME_ROLE_ARN",
        &[],
        "",
        "a role to assume with the credentials, for a zone in another account",
    ),
    setting(
        "ROUTE53_ASSUME_ROLE_EXTERNAL_ID",
        &[],
        "",
        "what that role's trust policy asks for",
    ),
    setting(
        "AWS_REGION",
        &["AWS_DEFAULT_REGION"],
        "us-east-1",
        "selects the partition's endpoint and signing region",
    ),
    setting(
        "AWS_ENDPOINT_URL_ROUTE_53",
        &["ROUTE53_ENDPOINT_URL", "AWS_ENDPOINT_URL"],
        "the partition's",
        "where Route 53 is; AWS_REGION then signs",
    ),
    setting(
        "AWS_ENDPOINT_URL_STS",
        &["AWS_ENDPOINT_URL"],
        "the region's",
        "where STS is, which gives credentials of a role",
    ),
    setting(
        "CATTLE_URL",
        &["PLATFORM_URL"],
        "required, set by Rancher",
        "Rancher's API",
    ),
    secret(
        "CATTLE_ACCESS_KEY",
        &["PLATFORM_ACCESS_KEY"],
        "required; Rancher sets it for containers with its agent labels (README, Install)",
    ),
    secret(
        "CATTLE_SECRET_KEY",
        &["PLATFORM_SECRET_KEY"],
        "required; Rancher sets it for containers with its agent labels (README, Install)",
    ),
    setting(
        "METADATA_URL",
        &[],
        "http://rancher-metadata.rancher.internal/2015-12-19, then http://metadata/2015-12-19",
        "Rancher's metadata, with the API version",
    ),
    setting(
        "CA_FILE",
        &["SSL_CERT_FILE", "AWS_CA_BUNDLE", "PLATFORM_CA_ROOT"],
        "/var/lib/rancher/etc/ssl/ca.crt, /var/lib/pasturestack/etc/ssl/ca.crt where they exist",
        "certificates to trust besides the built-in roots (PEM)",
    ),
    // Secret, since a proxy's password may be in them.
    secret(
        "HTTPS_PROXY",
        &["https_proxy"],
        "proxy for https:// URLs of Route 53, STS and Rancher's API: http://host:port or https://host:port, with user:password@ before the host if it wants them",
    ),
    secret(
        "HTTP_PROXY",
        &["http_proxy"],
        "proxy for their http:// URLs, written likewise",
    ),
    secret(
        "ALL_PROXY",
        &["all_proxy"],
        "proxy for whichever of the two kinds has none of its own",
    ),
    setting(
        "NO_PROXY",
        &["no_proxy"],
        "",
        "hosts to reach directly, with commas: example.com (and all below), .example.com (only what is below), 192.0.2.1, 10.0.0.0/8, each also with :port but the last; * for all",
    ),
    setting(
        "POLICY",
        &[],
        "sync",
        "sync, upsert-only (no deletes) or create-only",
    ),
    setting(
        "ADOPT",
        &[],
        "never",
        "never, matching (take over what is desired) or legacy (what rancher/external-dns before 0.6 left)",
    ),
    number(
        "DELETE_GUARD_PERCENT",
        "30",
        0,
        100,
        "deletes of more than this percentage of what is ours wait; 100: none do",
    ),
    number(
        "DELETE_GUARD_MIN",
        "10",
        0,
        1000000,
        "with fewer record sets than this no deletes wait",
    ),
    number(
        "DELETE_GUARD_HOLD",
        "60",
        0,
        86400,
        "deletes wait until metadata has asked for them this long, in seconds",
    ),
    number(
        "RESYNC_INTERVAL",
        "300",
        10,
        86400,
        "the zone is listed again after this time, ±10 %, in seconds",
    ),
    number(
        "ROUTE53_MAX_RETRIES",
        "3",
        0,
        20,
        "how often a failed call is made again",
    ),
    rate(
        "ROUTE53_REQUEST_RATE",
        "5",
        "requests a second to stay below",
    ),
    rate(
        "ROUTE53_CHANGE_RATE",
        "100",
        "changes a second to stay below",
    ),
    setting(
        "HEALTH_ADDRESS",
        &[],
        ":1000,:10000",
        "where health checks are answered",
    ),
    setting("LOG_LEVEL", &[], "info", "debug, info, warn or error"),
    setting("LOG_FORMAT", &[], "logfmt", "logfmt or json"),
];

/// A setting by its name.
pub fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// A setting that is known to be in the table.
pub(super) fn get(name: &str) -> &'static Setting {
    find(name).unwrap_or_else(|| panic!("{name} is not in the table of settings"))
}
