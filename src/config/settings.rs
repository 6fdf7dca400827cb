//! Every setting, once: names, default, range and purpose. Reading a setting, `--help` and the test
//! of the documentation all go by this table.

use crate::dns::record_set::MAX_TTL;

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
            Takes::Number(least, most) => format!("{} From {least} to {most}.", self.help),
            Takes::Rate => format!("{} From 0.01 to 1000.", self.help),
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
    setting(
        "ROOT_DOMAIN",
        &[],
        "required",
        "The domain whose DNS is kept: the name of the hosted zone in Route 53.",
    ),
    setting(
        "ROUTE53_ZONE_ID",
        &[],
        "looked up by name",
        "The id of that hosted zone. Needed where several zones have one name.",
    ),
    setting(
        "NAME_TEMPLATE",
        &[],
        crate::desired::name_template::DEFAULT,
        "How a service's name is made, without the zone.",
    ),
    number(
        "TTL",
        "300",
        0,
        MAX_TTL as u64,
        "How long resolvers may keep an answer, in seconds.",
    ),
    setting(
        "DEFAULT_POLICY",
        &[],
        "auto",
        "Which services are published that have no label io.rancher.service.external_dns: auto (those with a port published on the host), always (all of them) or never (only those with the label for a target, or for the address container).",
    ),
    setting(
        "SYSTEM_SERVICES",
        &[],
        "true",
        "false: services of Rancher's system stacks are not published.",
    ),
    setting(
        "LB_HOSTNAMES",
        &[],
        "false",
        "true: the host names in the rules of Rancher's load balancers become names, where they are in the zone.",
    ),
    setting(
        "ADDRESS",
        &[],
        "host",
        "Which address is published: host (that of the container's host), container (its own, in Rancher's network; no published port is needed then) or host-label:NAME (the one in that label of the host).",
    ),
    setting(
        "RECORD_TYPES",
        &[],
        "A,AAAA",
        "Which record sets are made: A,AAAA (for IPv4 and IPv6 addresses), A or AAAA.",
    ),
    setting(
        "ROUTING",
        &[],
        "simple",
        "How Route 53 chooses among record sets of one name, for services without a label that says so: simple (there is only one), weighted 10 (0 to 255), latency eu-central-1, failover primary, failover secondary, multivalue, geolocation DE (a continent, a country, US/CA or *). Needed where several installations publish one name.",
    ),
    setting(
        "LABEL_SUFFIX",
        &[],
        "",
        "Each label is looked up with this at its end first, then without, such as _private. Needed where two of these programs publish one environment in two zones.",
    ),
    secret(
        "AWS_ACCESS_KEY_ID",
        &["AWS_ACCESS_KEY"],
        "The key with which Amazon is asked. Without keys, credentials come from a web identity, the container or the EC2 instance.",
    ),
    secret(
        "AWS_SECRET_ACCESS_KEY",
        &["AWS_SECRET_KEY"],
        "The secret that belongs to AWS_ACCESS_KEY_ID.",
    ),
    secret(
        "AWS_SESSION_TOKEN",
        &[],
        "The token that belongs to temporary keys.",
    ),
    setting(
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        &[],
        "",
        "A file with a token that Amazon exchanges for credentials of AWS_ROLE_ARN.",
    ),
    setting(
        "AWS_ROLE_ARN",
        &[],
        "",
        "The role for the token in AWS_WEB_IDENTITY_TOKEN_FILE.",
    ),
    setting(
        "AWS_ROLE_SESSION_NAME",
        &[],
        "rancher-route53",
        "The name that Amazon's logs show for calls under a role.",
    ),
    setting(
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        &[],
        "set by ECS",
        "The path of the container's credentials at http://169.254.170.2.",
    ),
    setting(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        &[],
        "set by EKS Pod Identity",
        "The URL of the container's credentials. Without TLS it must be on the same host.",
    ),
    setting(
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        &[],
        "set by EKS Pod Identity",
        "A file with the token for the URL of the container's credentials. It is read anew each time.",
    ),
    // Secret, but it has no `_FILE` of our making: that one is AWS's, and comes first.
    setting(
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        &[],
        "",
        "The token for the URL of the container's credentials, if there is no file with it.",
    ),
    setting(
        "AWS_EC2_METADATA_DISABLED",
        &[],
        "false",
        "true: the EC2 instance is not asked for credentials.",
    ),
    setting(
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        &[],
        crate::aws::credentials::instance::ENDPOINT,
        "Where an EC2 instance gives credentials (version 2 only).",
    ),
    setting(
        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
        &[],
        "IPv4",
        "IPv6: the EC2 instance is asked at http://[fd00:ec2::254].",
    ),
    setting(
        "ROUTE53_ASSUME_ROLE_ARN",
        &[],
        "",
        "A role to take on with the credentials, such as for a zone of another AWS account.",
    ),
    setting(
        "ROUTE53_ASSUME_ROLE_EXTERNAL_ID",
        &[],
        "",
        "The external id that the role in ROUTE53_ASSUME_ROLE_ARN asks for.",
    ),
    setting(
        "AWS_REGION",
        &["AWS_DEFAULT_REGION"],
        "us-east-1",
        "Any region of the part of AWS that the account belongs to, such as eu-central-1. It matters in China, GovCloud and other parts of their own.",
    ),
    setting(
        "AWS_ENDPOINT_URL_ROUTE_53",
        &["ROUTE53_ENDPOINT_URL", "AWS_ENDPOINT_URL"],
        "the partition's",
        "Another address for Route 53. Calls are then signed for AWS_REGION.",
    ),
    setting(
        "AWS_ENDPOINT_URL_STS",
        &["AWS_ENDPOINT_URL"],
        "the region's",
        "Another address for STS, the part of AWS that gives credentials of a role.",
    ),
    setting(
        "CATTLE_URL",
        &["PLATFORM_URL"],
        "required, set by Rancher",
        "The address of Rancher's API.",
    ),
    secret(
        "CATTLE_ACCESS_KEY",
        &["PLATFORM_ACCESS_KEY"],
        "The key for Rancher's API: required. Rancher sets it for containers with its agent labels (README, Install).",
    ),
    secret(
        "CATTLE_SECRET_KEY",
        &["PLATFORM_SECRET_KEY"],
        "The secret for Rancher's API: required. Rancher sets it for containers with its agent labels (README, Install).",
    ),
    setting(
        "METADATA_URL",
        &[],
        "http://rancher-metadata.rancher.internal/2015-12-19, then http://metadata/2015-12-19",
        "The address of Rancher's metadata, with the API version.",
    ),
    setting(
        "CA_FILE",
        &["SSL_CERT_FILE", "AWS_CA_BUNDLE", "PLATFORM_CA_ROOT"],
        "/var/lib/rancher/etc/ssl/ca.crt, /var/lib/pasturestack/etc/ssl/ca.crt where they exist",
        "A file (PEM) with certificates to trust in addition to the built-in authorities: authorities for \
         every host, others for that of CATTLE_URL and a proxy.",
    ),
    // Secret, since a proxy's password may be in them.
    secret(
        "HTTPS_PROXY",
        &["https_proxy"],
        "The proxy for https:// addresses of Route 53, STS and Rancher's API: http://host:port or https://host:port, with user:password@ before the host if it wants them.",
    ),
    secret(
        "HTTP_PROXY",
        &["http_proxy"],
        "The proxy for their http:// addresses, written likewise.",
    ),
    secret(
        "ALL_PROXY",
        &["all_proxy"],
        "The proxy for whichever of the two kinds has none of its own.",
    ),
    setting(
        "NO_PROXY",
        &["no_proxy"],
        "",
        "Hosts that are reached without a proxy, separated by commas: example.com (with all below it), .example.com (only what is below it), 192.0.2.1, 10.0.0.0/8; * for all.",
    ),
    setting(
        "POLICY",
        &[],
        "sync",
        "What may be done to record sets: sync (everything), upsert-only (no deletes) or create-only (neither deletes nor changes).",
    ),
    setting(
        "ADOPT",
        &[],
        "never",
        "Which existing record sets are taken over: never, matching (those that services want) or legacy (those that rancher/external-dns before 0.6 left).",
    ),
    setting(
        "OWNER_ID",
        &[],
        "the environment's UUID",
        "What the state records in the zone are named after. Needed where two Rancher servers publish in one zone, since their first environments have the same UUID.",
    ),
    setting(
        "WRITE_BACK",
        &[],
        "true",
        "false: names are not written back to Rancher. Needed where two of these programs publish one environment in two zones, since Rancher shows one name of a service.",
    ),
    number(
        "DELETE_GUARD_PERCENT",
        "30",
        0,
        100,
        "Deletes of more than this percentage of the owned record sets wait; 100: none wait.",
    ),
    number(
        "DELETE_GUARD_MIN",
        "10",
        0,
        1000000,
        "With fewer owned record sets than this no deletes wait.",
    ),
    number(
        "DELETE_GUARD_HOLD",
        "60",
        0,
        86400,
        "How long metadata must go on asking for deletes that wait, in seconds.",
    ),
    number(
        "RESYNC_INTERVAL",
        "300",
        10,
        86400,
        "How often the zone is read again to repair what others have changed, in seconds, ±10 %.",
    ),
    number(
        "ROUTE53_MAX_RETRIES",
        "3",
        0,
        20,
        "How often a failed call to Route 53 is repeated.",
    ),
    rate(
        "ROUTE53_REQUEST_RATE",
        "5",
        "The most requests to Route 53 in a second.",
    ),
    rate(
        "ROUTE53_CHANGE_RATE",
        "100",
        "The most record sets to change in a second.",
    ),
    setting(
        "HEALTH_ADDRESS",
        &[],
        ":1000,:10000",
        "Where health checks, metrics and the status page are answered.",
    ),
    setting(
        "HEALTH_HOSTS",
        &[],
        "",
        "Names by which metrics and the status page may be asked for, with commas between them. IP addresses and names of the local network always may.",
    ),
    setting(
        "LOG_LEVEL",
        &[],
        "info",
        "How much is logged: debug, info, warn or error.",
    ),
    setting(
        "LOG_FORMAT",
        &[],
        "logfmt",
        "How a line of the log is written: logfmt or json.",
    ),
];

/// A setting by its name.
pub fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// A setting that is known to be in the table.
pub(super) fn get(name: &str) -> &'static Setting {
    find(name).unwrap_or_else(|| panic!("{name} is not in the table of settings"))
}
