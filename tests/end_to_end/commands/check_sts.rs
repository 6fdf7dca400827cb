//! An STS that doesn't say whose the credentials are. Rounds don't ask it.

use super::Ran;
use super::check::check;
use crate::stage::{Stage, each, web};
use sim::credentials::{Container, Fault, Issuer, Sts, StsOptions};
use sim::http::Response;

/// What STS answers, whether the credentials are a container's, and how the line begins.
const CASES: [(&str, bool, &str, i32); 6] = [
    // As the policy of a VPC's endpoint makes it.
    ("AccessDenied", false, "! credentials ", 0),
    ("AccessDenied", true, "! credentials ", 0),
    // The source gives newer ones.
    ("ExpiredToken", true, "! credentials ", 0),
    ("ExpiredToken", false, "✗ credentials ", 1),
    ("InvalidClientTokenId", true, "✗ credentials ", 1),
    ("SignatureDoesNotMatch", false, "✗ credentials ", 1),
];

#[test]
fn what_only_sts_refuses_is_a_doubt_unless_the_keys_are_wrong() {
    each(CASES, |(error_code, is_of_container, start, exit_code)| {
        let stage = Stage::new(web());
        let issuer = Issuer::new(Some(stage.route53.keyring()));
        let container = Container::start("token", &issuer);
        let sts = Sts::start(StsOptions::default(), &issuer);
        let body = format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
             <Type>Sender</Type><Code>{error_code}</Code><Message>no</Message></Error>\
             <RequestId>r</RequestId></ErrorResponse>"
        );
        let refusal = Fault::Answer(Response::new(403, "text/xml", body));
        sts.endpoint.inject("/", refusal, usize::MAX);
        let (of_sts, of_container) = (sts.endpoint.url(), container.url());
        let mut settings = vec![("AWS_ENDPOINT_URL_STS", &*of_sts)];
        if is_of_container {
            settings.extend([
                ("AWS_ACCESS_KEY_ID", ""),
                ("AWS_SECRET_ACCESS_KEY", ""),
                ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*of_container),
                ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "token"),
            ]);
        }
        let Ran { code, stdout, .. } = check(&stage, &settings);
        let is_there = stdout.lines().any(|line| line.starts_with(start));
        assert!(is_there, "{error_code} {is_of_container}: {stdout}");
        assert_eq!(code, exit_code, "{error_code} {is_of_container}: {stdout}");
        assert!(stdout.contains("\n✓ change "), "{stdout}");
    });
}
