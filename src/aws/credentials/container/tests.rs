use super::*;
use crate::base::redactor::shortened;

#[test]
fn only_what_stays_on_the_host_may_go_without_tls() {
    for (text, is_allowed) in [
        ("http://localhost:1338/latest/credentials", true),
        ("http://LOCALHOST/x", true),
        ("http://127.0.0.1/creds?id=1", true),
        ("http://127.1.2.3:80/", true),
        ("http://[::1]:8080/creds", true),
        ("http://169.254.170.2/v2", true),
        ("http://169.254.170.23/v1/credentials", true),
        ("http://[fd00:ec2::23]/v1/credentials", true),
        ("https://anywhere.example/creds", true),
        ("http://anywhere.example/creds", false),
        ("http://localhost.example/creds", false),
        ("http://127.0.0.1.example/", false),
        ("http://169.254.169.254/", false),
        ("http://[fd00:ec2::24]/", false),
        ("http://0.0.0.0/", false),
    ] {
        let endpoint = Endpoint::full(text);
        assert_eq!(endpoint.is_ok(), is_allowed, "{text}: {endpoint:?}");
    }
}

#[test]
fn what_is_no_url_is_refused() {
    for (text, words) in [
        ("", "not a URL"),
        ("/v2/credentials", "http://"),
        ("ftp://localhost/", "http://"),
        ("http://user@localhost/", "user name"),
        ("http://localhost/a b", "not a URL"),
        ("http://localhost/?a b", "not a URL"),
        ("http://evil.example@169.254.170.2/", "user name"),
    ] {
        let error = Endpoint::full(text).unwrap_err();
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn a_relative_one_is_of_ecs_and_stays_there() {
    let endpoint = Endpoint::relative("/v2/credentials/1-2").unwrap();
    assert_eq!(endpoint.url, "http://169.254.170.2/v2/credentials/1-2");
    assert_eq!(endpoint.origin, "http://169.254.170.2");
    for text in [".evil.example/", "@evil.example/", ":80/", "x"] {
        assert!(Endpoint::relative(text).is_err(), "{text}");
    }
    assert!(!format!("{endpoint:?}").contains("credentials/1-2"));
}

#[test]
fn what_makes_a_url_secret_is_hidden_and_nothing_else() {
    const UUID: &str = "3f1c8f0e-5a4e-4bd5-9a3c-0b8a7a2d6c11";
    for (url, hidden, shown) in [
        // Host and port, however they are written.
        ("http://LOCALHOST:13389/creds", "", "LOCALHOST:13389"),
        ("HTTP://localhost:13389/creds", "", "localhost:13389"),
        (
            "http://127.0.0.1:80/creds",
            "",
            "127.0.0.1:80 127.0.0.1:8080",
        ),
        ("https://agent-17.example:443/", "", "agent-17.example:443"),
        (
            "https://agent-17.example?id=0a1b2c3d",
            "0a1b2c3d",
            "agent-17.example",
        ),
        // Names of parameters; words, but for the whole that they make.
        ("http://localhost/?token2024=x", "", "x"),
        (
            "http://localhost/v2/credentials/production-2",
            "production-2",
            "the production-1 of production, production-22",
        ),
        (
            "http://localhost/?region=eu-central-1",
            "eu-central-1",
            "central eu-central-2",
        ),
        ("http://localhost/2011-06-15/", "2011-06-15", "2011-06-16"),
        // What is made at random, also in part.
        (
            "http://169.254.170.2/v2/credentials/3f1c8f0e-5a4e-4bd5-9a3c-0b8a7a2d6c11",
            UUID,
            "v2",
        ),
        (
            "http://localhost/3f1c8f0e-5a4e-4bd5-9a3c-0b8a7a2d6c11",
            &UUID[..8],
            "localhost",
        ),
        (
            "http://localhost/?a=b&id=hunter2hunter2",
            "hunter2h",
            "a b id",
        ),
        ("http://localhost/aB3dE5gH", "aB3dE5gH", "localhost"),
        ("http://localhost/123456789", "12345678 x", "localhost"),
    ] {
        let endpoint = Endpoint::full(url).unwrap();
        assert_eq!(shortened(shown, 100), shown, "{url}");
        if !hidden.is_empty() {
            let words = format!("it wants ({hidden}) or more");
            let hides = !shortened(&words, 100).contains(hidden);
            assert!(hides, "{url}: {}", shortened(&words, 100));
        }
        drop(endpoint);
    }
}

#[test]
fn each_answer_says_whether_to_wait_or_to_mend() {
    let _sent = Secret::new("tok3n");
    for (status, body, expected, needs_operator) in [
        (
            200,
            "<html>",
            "its answer can't be used: it is not JSON",
            false,
        ),
        (
            200,
            r#"{"code":"NoRole","message":"none for tok3n"}"#,
            "it refuses: NoRole: none for …",
            true,
        ),
        (
            400,
            r#"{"code":"BadToken"}"#,
            "it answers 400: BadToken – check the authorization token",
            true,
        ),
        (404, "", "it answers 404", true),
        (404, "\n<!DOCTYPE html>", "it answers 404", false),
        (
            403,
            "<html>",
            "it answers 403 – check the authorization token",
            false,
        ),
        (429, "", "it answers 429", false),
        (500, "oops tok3n", "it answers 500", false),
        (302, "", "it answers 302", false),
    ] {
        let error = read(status, body, Sent::OfFile).unwrap_err();
        assert_eq!(error.message, expected);
        assert_eq!(error.needs_operator, needs_operator, "{expected}");
    }
    let without = read(401, "", Sent::Nothing).unwrap_err();
    assert!(without.message.contains("TOKEN_FILE"), "{without}");
}

#[test]
fn what_has_expired_is_waited_for_unless_it_is_a_setting() {
    use Sent::{Nothing, OfFile, OfSetting};
    const EXPIRED: &str = r#"{"code":"ExpiredToken","message":"too old"}"#;
    const OF_EKS: &str = "[1]: (ExpiredTokenException): too old, fault: client";
    const INVALID: &str = "[1]: (InvalidTokenException): no token, fault: client";
    for (status, body, sent, needs_operator) in [
        (400, EXPIRED, OfFile, false),
        (400, EXPIRED, Nothing, false),
        (400, EXPIRED, OfSetting, true),
        (200, EXPIRED, OfFile, false),
        (403, EXPIRED, OfFile, false),
        (400, OF_EKS, OfFile, false),
        (400, OF_EKS, OfSetting, true),
        (400, INVALID, OfFile, true),
        (400, r#"{"code":"ThrottlingException"}"#, OfSetting, false),
        (
            400,
            r#"{"code":"CredentialsUninitialized"}"#,
            Nothing,
            false,
        ),
        (404, "(ResourceNotFoundException): no role", OfFile, true),
    ] {
        let error = read(status, body, sent).unwrap_err();
        assert_eq!(error.needs_operator, needs_operator, "{error} {sent:?}");
        let hints = error.message.contains("check the authorization token");
        let may_hint = needs_operator && status == 400;
        assert_eq!(hints, may_hint, "{error} {sent:?}");
    }
}
