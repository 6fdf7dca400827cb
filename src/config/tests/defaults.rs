//! The defaults in the table of settings are those that hold.

use super::*;

/// The settings whose default in the table is a value, each with another valid value.
const VALUES: [(&str, &str); 27] = [
    ("NAME_TEMPLATE", "%{{service_name}}"),
    ("TTL", "301"),
    ("DEFAULT_POLICY", "never"),
    ("SYSTEM_SERVICES", "false"),
    ("LB_HOSTNAMES", "true"),
    ("ADDRESS", "container"),
    ("RECORD_TYPES", "A"),
    ("ROUTING", "weighted 1"),
    ("AWS_ROLE_SESSION_NAME", "me"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    (
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "http://[fd00:ec2::254]",
    ),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6"),
    ("AWS_REGION", "eu-central-1"),
    ("POLICY", "upsert-only"),
    ("ADOPT", "matching"),
    ("WRITE_BACK", "false"),
    ("DELETE_GUARD_PERCENT", "31"),
    ("DELETE_GUARD_MIN", "11"),
    ("DELETE_GUARD_HOLD", "61"),
    ("RESYNC_INTERVAL", "301"),
    ("ROUTE53_MAX_RETRIES", "4"),
    ("ROUTE53_REQUEST_RATE", "5.5"),
    ("ROUTE53_CHANGE_RATE", "100.5"),
    ("HEALTH_ADDRESS", ":1000,:10001"),
    ("HEALTH_HOSTS", "status.example.com"),
    ("LOG_LEVEL", "warn"),
    ("LOG_FORMAT", "json"),
];

#[test]
fn the_tables_defaults_are_what_holds_when_nothing_is_set() {
    // Without keys it is the instance's metadata, and with a role to assume it has a session's
    // name: so each of the values shows.
    let base = [
        ("ROOT_DOMAIN", "example.com"),
        ("CATTLE_URL", "http://rancher:8080/v2-beta"),
        ("CATTLE_ACCESS_KEY", "agent"),
        ("CATTLE_SECRET_KEY", "cattle-secret"),
        (
            "ROUTE53_ASSUME_ROLE_ARN",
            "arn:aws:iam::123456789012:role/dns",
        ),
    ];
    let shown = |name: &str, value: &str| {
        let config = read(&[&base[..], &[(name, value)]].concat());
        // Whether it is set at all counts there, besides its value.
        format!("{config:#?}").replace("is_asked_for: true", "is_asked_for: false")
    };
    let unset = shown("NOTHING", "");
    assert!(unset.starts_with("Ok("), "{unset}");
    for (name, other) in VALUES {
        let default = settings::find(name).unwrap().default;
        let set = shown(name, default);
        assert!(set == unset, "{name}={default} is not the default: {set}");
        assert!(shown(name, other) != unset, "{name} doesn't show");
    }
}

#[test]
fn the_tables_other_defaults_are_words() {
    for setting in settings::SETTINGS {
        if VALUES.iter().any(|(name, _)| *name == setting.name) {
            continue;
        }
        let expected = match setting.name {
            "ROOT_DOMAIN" => "required".to_owned(),
            "CATTLE_URL" => "required, set by Rancher".to_owned(),
            "ROUTE53_ZONE_ID" => "looked up by name".to_owned(),
            "OWNER_ID" => "the environment's UUID".to_owned(),
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" => "set by ECS".to_owned(),
            "AWS_CONTAINER_CREDENTIALS_FULL_URI" | "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" => {
                "set by EKS Pod Identity".to_owned()
            }
            "AWS_ENDPOINT_URL_ROUTE_53" => "the partition's".to_owned(),
            "AWS_ENDPOINT_URL_STS" => "the region's".to_owned(),
            "METADATA_URL" => METADATA_URLS.join(", then "),
            "CA_FILE" => format!("{} where they exist", USUAL_CA_FILES.join(", ")),
            _ => String::new(),
        };
        assert_eq!(setting.default, expected, "{}", setting.name);
    }
}
