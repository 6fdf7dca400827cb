use super::*;
use crate::config::endpoints;
use crate::config::tests::lookup;

const ARN: &str = "arn:aws:iam::123456789012:role/team/dns";
const KEYS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "aws-secret"),
];
const WEB: [(&str, &str); 2] = [
    ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/token"),
    ("AWS_ROLE_ARN", ARN),
];

fn settings(environment: &[(&str, &str)]) -> Result<CredentialSettings, Vec<String>> {
    let variable = lookup(environment);
    let mut reader = Reader::new(&variable);
    let (_, sts) = endpoints::read(&mut reader).unzip();
    let read = read(&mut reader, sts);
    match read {
        Some(settings) if reader.problems.is_empty() => Ok(settings),
        _ => Err(reader.problems),
    }
}

#[test]
fn the_first_complete_group_is_the_source() {
    let full = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/c")];
    let relative = [("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c")];
    let disabled = [("AWS_EC2_METADATA_DISABLED", "true")];
    for (environment, expected) in [
        (vec![], "instance metadata"),
        (vec![&full[..]], "container"),
        (vec![&relative[..], &disabled], "container"),
        (vec![&WEB[..], &full], "web identity"),
        (vec![&KEYS[..], &WEB, &full, &disabled], "environment"),
    ] {
        let found = settings(&environment.concat()).unwrap();
        assert_eq!(found.source.name(), expected, "{environment:?}");
    }
    let Ok(CredentialSettings {
        source: Source::Container(both),
        ..
    }) = settings(&[full, relative].concat())
    else {
        panic!("not a container");
    };
    let expected = Container::new(Endpoint::relative("/c").unwrap());
    assert_eq!(both, expected, "the relative one is first");
}

#[test]
fn everything_that_is_set_arrives() {
    let found = settings(&[
        WEB[0],
        WEB[1],
        ("AWS_ROLE_SESSION_NAME", "me@here"),
        (
            "ROUTE53_ASSUME_ROLE_ARN",
            "arn:aws-cn:iam::000000000001:role/r",
        ),
        ("ROUTE53_ASSUME_ROLE_EXTERNAL_ID", "a/b:c"),
    ])
    .unwrap();
    let Source::WebIdentity(web) = found.source else {
        panic!("{:?}", found.source);
    };
    assert_eq!(web.token_file.to_str(), Some("/var/run/token"));
    assert_eq!((web.role.arn.as_str(), web.role.external_id), (ARN, None));
    assert_eq!(web.role.session_name, "me@here");
    let assume = found.assume.unwrap();
    assert_eq!(assume.arn, "arn:aws-cn:iam::000000000001:role/r");
    assert_eq!(assume.external_id.as_deref(), Some("a/b:c"));
    assert_eq!(assume.session_name, "me@here");

    let default = settings(&[("ROUTE53_ASSUME_ROLE_ARN", ARN)]).unwrap();
    assert_eq!(default.assume.unwrap().session_name, "rancher-route53");
    let Source::Instance(instance) = default.source else {
        panic!("{:?}", default.source);
    };
    assert_eq!(instance.endpoint.to_string(), "http://169.254.169.254");
}

#[test]
fn the_instances_metadata_is_where_the_mode_says_unless_it_has_an_address() {
    let mode = |mode| ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", mode);
    let own = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1338");
    for (environment, expected) in [
        (vec![mode("IPv6")], "http://[fd00:ec2::254]"),
        (vec![mode("ipv6")], "http://[fd00:ec2::254]"),
        (vec![mode("IPV4")], "http://169.254.169.254"),
        (vec![mode(" ")], "http://169.254.169.254"),
        (vec![mode("IPv6"), own], "http://127.0.0.1:1338"),
        (vec![mode("IPv4"), own], "http://127.0.0.1:1338"),
    ] {
        let Source::Instance(instance) = settings(&environment).unwrap().source else {
            panic!("not the instance");
        };
        assert_eq!(instance.endpoint.to_string(), expected, "{environment:?}");
    }
    let wrong = settings(&[mode("dualstack"), own]).unwrap_err();
    assert_eq!(
        wrong,
        [
            "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=\"dualstack\": no such choice; it takes IPv4, IPv6"
        ]
    );
}

#[test]
fn half_of_a_pair_is_named() {
    for (environment, missing, is_set) in [
        (&KEYS[..1], "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
        (&KEYS[1..], "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        (
            &[("AWS_SESSION_TOKEN", "hidden")],
            "AWS_ACCESS_KEY_ID",
            "AWS_SESSION_TOKEN",
        ),
        (&WEB[..1], "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"),
        (&WEB[1..], "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"),
        (
            &[KEYS[0], KEYS[1], WEB[1]],
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_ROLE_ARN",
        ),
        (
            &[("AWS_CONTAINER_AUTHORIZATION_TOKEN", "hidden")],
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        ),
        (
            &[("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/x")],
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        ),
        (
            &[("ROUTE53_ASSUME_ROLE_EXTERNAL_ID", "abc")],
            "ROUTE53_ASSUME_ROLE_ARN",
            "ROUTE53_ASSUME_ROLE_EXTERNAL_ID",
        ),
    ] {
        let problems = settings(environment).unwrap_err();
        let expected = format!("{missing} is not set, but {is_set} is: set both or none");
        assert_eq!(problems, [expected]);
    }
}

#[test]
fn a_wrong_one_names_itself_and_what_it_takes() {
    let long = "x".repeat(65);
    let full = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    let relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
    let token = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
    for (name, value, words) in [
        ("AWS_ROLE_SESSION_NAME", long.as_str(), "2 to 64"),
        ("AWS_ROLE_SESSION_NAME", "a b", "2 to 64"),
        ("AWS_ROLE_ARN", "dns", "arn:aws:iam"),
        (
            "ROUTE53_ASSUME_ROLE_ARN",
            "arn:aws:iam::1:role/x",
            "arn:aws:iam",
        ),
        (
            "ROUTE53_ASSUME_ROLE_ARN",
            "arn:aws:iam::123456789012:user/x",
            "arn:aws:iam",
        ),
        (
            "ROUTE53_ASSUME_ROLE_ARN",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam",
        ),
        ("ROUTE53_ASSUME_ROLE_EXTERNAL_ID", "a&b", "2 to 1224"),
        (full, "http://hidden.example/", "without TLS"),
        (full, "hidden", "http://"),
        (full, "http://user:hidden@localhost/", "user name"),
        (relative, "hidden", "slash"),
        (token, "hidden\nx: y", "header"),
        ("AWS_EC2_METADATA_DISABLED", "yes", "false, true"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "https://h", "no TLS"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "h", "http://"),
        ("AWS_ENDPOINT_URL_STS", "sts", "http://"),
        ("AWS_ENDPOINT_URL", "sts", "http://"),
    ] {
        let problems = settings(&[(name, value)]).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with(name), "{problems:?}");
        assert!(problems[0].contains(words), "{problems:?}");
        assert!(!problems[0].contains("hidden"), "{problems:?}");
    }
}

#[test]
fn none_at_all_is_an_error_only_without_instance_metadata() {
    let problems = settings(&[("AWS_EC2_METADATA_DISABLED", "TRUE")]).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("AWS_ACCESS_KEY_ID"), "{problems:?}");
}

#[test]
fn no_secret_is_ever_shown() {
    let found = settings(&[
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/hidden"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "hidden"),
    ]);
    assert!(!format!("{found:?}").contains("hidden"), "{found:?}");
}
