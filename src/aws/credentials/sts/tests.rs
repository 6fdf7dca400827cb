use super::*;

// Both in the form of the examples in STS's API reference.
const ASSUMED: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">
  <AssumeRoleResult>
    <SourceIdentity>Alice</SourceIdentity>
    <AssumedRoleUser>
      <Arn>arn:aws:sts::123456789012:assumed-role/demo/TestAR</Arn>
      <AssumedRoleId>ARO123EXAMPLE123:TestAR</AssumedRoleId>
    </AssumedRoleUser>
    <Credentials>
      <AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId>
      <SecretAccessKey>wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY</SecretAccessKey>
      <SessionToken>AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQW==</SessionToken>
      <Expiration>2019-11-09T13:34:41Z</Expiration>
    </Credentials>
    <PackedPolicySize>6</PackedPolicySize>
  </AssumeRoleResult>
  <ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata>
</AssumeRoleResponse>";

fn role(external_id: Option<&str>) -> Role {
    Role {
        arn: "arn:aws:iam::123456789012:role/demo".to_owned(),
        session_name: "rancher-route53".to_owned(),
        external_id: external_id.map(str::to_owned),
    }
}

#[test]
fn the_form_is_what_sts_takes() {
    let role = role(None);
    let mut form = form("AssumeRoleWithWebIdentity", &role);
    form.push(("WebIdentityToken", "a.b-c_d="));
    assert_eq!(
        query_string(&form),
        "Action=AssumeRoleWithWebIdentity\
         &RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fdemo\
         &RoleSessionName=rancher-route53&Version=2011-06-15&WebIdentityToken=a.b-c_d%3D"
    );
}

#[test]
fn reads_both_answers() {
    let token = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQW==";
    for operation in ["AssumeRole", "AssumeRoleWithWebIdentity"] {
        let xml = ASSUMED.replace("AssumeRoleRes", &format!("{operation}Res"));
        let granted = granted(&xml, operation).unwrap();
        assert_eq!(granted.credentials.access_key_id, "ASIAIOSFODNN7EXAMPLE");
        assert_eq!(granted.credentials.session_token, Some(Secret::new(token)));
        let expires = granted.expires.unwrap().to_rfc3339();
        assert_eq!(expires, "2019-11-09T13:34:41+00:00");
    }
}

#[test]
fn says_what_is_wrong_without_quoting_it() {
    let whole = "it is not a whole AssumeRoleResponse";
    for (xml, expected) in [
        (String::new(), whole),
        ("{\"SecretAccessKey\": \"hidden\"}".into(), whole),
        (ASSUMED[..ASSUMED.len() - 9].to_owned(), whole),
        (ASSUMED.replace("AssumeRoleResponse", "hidden"), whole),
        (ASSUMED.replace("Credentials>", "hidden>"), whole),
        (
            ASSUMED.replace("SecretAccessKey", "hidden"),
            "it has no SecretAccessKey",
        ),
        (
            ASSUMED.replace("2019-11-09T13:34:41Z", "hidden"),
            "its Expiration is not a date and time",
        ),
        (
            ASSUMED.replace("wJalrXUtn", "hid\nden"),
            "its SecretAccessKey has a character that is not allowed in it",
        ),
    ] {
        assert_eq!(
            granted(&xml, "AssumeRole"),
            Err(expected.to_owned()),
            "{xml}"
        );
    }
}

#[test]
fn a_refusal_says_whether_to_wait_or_to_mend() {
    let _token = Secret::new("t0ken");
    for (status, body, expected, needs_operator) in [
        (
            403,
            error("AccessDenied", "Not authorized"),
            "it answers AccessDenied (403): Not authorized",
            true,
        ),
        (
            400,
            error("InvalidIdentityToken", "Incorrect token t0ken"),
            "it answers InvalidIdentityToken (400): Incorrect token …",
            true,
        ),
        (
            400,
            error("IDPCommunicationError", ""),
            "it answers IDPCommunicationError (400)",
            false,
        ),
        (
            400,
            error("Throttling", "Rate exceeded"),
            "it answers Throttling (400): Rate exceeded",
            false,
        ),
        (
            503,
            error("ServiceUnavailable", ""),
            "it answers ServiceUnavailable (503)",
            false,
        ),
        (
            403,
            "<html>proxy</html>".to_owned(),
            "it answers 403 without an error of STS",
            false,
        ),
    ] {
        let refusal = refusal(status, &body, &call(false, true));
        assert_eq!(refusal.message, expected);
        assert_eq!(refusal.needs_operator, needs_operator, "{expected}");
    }
    for (code, message, is_renewed, needs_operator) in [
        ("ExpiredToken", "", true, false),
        ("ExpiredToken", "", false, true),
        ("ExpiredTokenException", "Token expired", true, false),
        ("ExpiredTokenException", "Token expired", false, true),
        ("InvalidIdentityToken", "", true, true),
        (
            "InvalidIdentityToken",
            "Couldn't retrieve verification key from your identity provider,  please reference",
            true,
            false,
        ),
        ("AccessDenied", "", true, true),
        ("InternalFailure", "", false, false),
    ] {
        let refusal = refusal(400, &error(code, message), &call(is_renewed, true));
        assert_eq!(refusal.needs_operator, needs_operator, "{refusal}");
    }
}

fn error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
         <Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>r</RequestId></ErrorResponse>"
    )
}

fn call<'a>(is_renewed: bool, is_needed: bool) -> Call<'a> {
    Call {
        operation: "AssumeRole",
        form: Vec::new(),
        signer: None,
        is_renewed,
        is_needed,
    }
}

/// Rounds go on without knowing whose the credentials are.
#[test]
fn what_only_informs_needs_the_operator_where_the_keys_themselves_are_refused() {
    for (code, is_renewed, needs_operator) in [
        ("InvalidClientTokenId", false, true),
        ("InvalidClientTokenId", true, true),
        ("SignatureDoesNotMatch", false, true),
        ("ExpiredToken", false, true),
        ("ExpiredToken", true, false),
        ("AccessDenied", false, false),
        ("AccessDenied", true, false),
        ("Throttling", false, false),
    ] {
        let refusal = refusal(403, &error(code, ""), &call(is_renewed, false));
        assert_eq!(
            refusal.needs_operator, needs_operator,
            "{code} {is_renewed}"
        );
    }
}
