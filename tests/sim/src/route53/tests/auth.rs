//! Who may call, and what counts as signed.

use super::super::auth::signature_of;
use super::super::{Credential, Operation, Options, Route53, clock};
use super::client::{self, Answer, Signing, call_as};
use crate::http::Request;
use std::time::{Duration, Instant, SystemTime};

const TARGET: &str = "/2013-04-01/hostedzone/Z1/rrset?name=web.example.com.&type=A";

fn server(options: Options) -> Route53 {
    let server = Route53::start(options);
    server.add_zone("Z1", "example.com", false);
    server
}

fn refused(answer: Option<Answer>, status: u16, code: &str) {
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.element("Code").as_deref(), Some(code));
    assert!(
        answer
            .text()
            .contains("<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">")
    );
    assert!(answer.element("RequestId").is_some());
}

#[test]
fn agrees_with_the_worked_example_of_aws() {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let request = Request {
        method: "GET".to_owned(),
        path: "/".to_owned(),
        query: "Action=ListUsers&Version=2010-05-08".to_owned(),
        headers: vec![
            header(
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8",
            ),
            header("host", "iam.amazonaws.com"),
            header("x-amz-date", "20150830T123600Z"),
            header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date, Signature=0",
            ),
        ],
        body: Vec::new(),
        arrived: Instant::now(),
    };
    let time = clock::parse_amz_date("20150830T123600Z").unwrap();
    assert_eq!(
        signature_of(&request, &Credential::default(), time).as_deref(),
        Some("5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")
    );
}

#[test]
fn a_properly_signed_request_is_let_in() {
    let server = server(Options::default());
    let answer = call_as(&Signing::default(), &server.url(), "GET", TARGET, "").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        server.requests()[0].access_key.as_deref(),
        Some(client::KEY)
    );
}

#[test]
fn wrong_credentials_scopes_and_dates_are_refused() {
    let server = server(Options::default());
    let now = SystemTime::now();
    let minutes = |n: u64| Duration::from_secs(60 * n);
    let signing = Signing::default;
    for (signing, code) in [
        (
            Signing {
                secret: "guess".into(),
                ..signing()
            },
            "SignatureDoesNotMatch",
        ),
        (
            Signing {
                key: "AKIDOTHER".into(),
                ..signing()
            },
            "InvalidClientTokenId",
        ),
        (
            Signing {
                token: Some("x".into()),
                ..signing()
            },
            "InvalidClientTokenId",
        ),
        (
            Signing {
                region: "eu-west-1".into(),
                ..signing()
            },
            "SignatureDoesNotMatch",
        ),
        (
            Signing {
                service: "iam".into(),
                ..signing()
            },
            "SignatureDoesNotMatch",
        ),
        (
            Signing {
                time: now - minutes(6),
                ..signing()
            },
            "SignatureDoesNotMatch",
        ),
        (
            Signing {
                time: now + minutes(6),
                ..signing()
            },
            "SignatureDoesNotMatch",
        ),
    ] {
        refused(
            call_as(&signing, &server.url(), "GET", TARGET, ""),
            403,
            code,
        );
    }
    let late = Signing {
        time: now - minutes(4),
        ..signing()
    };
    let answer = call_as(&late, &server.url(), "GET", TARGET, "").unwrap();
    assert_eq!(answer.status, 200);
}

#[test]
fn a_request_must_arrive_as_it_was_signed() {
    let server = server(Options::default());
    let url = server.url();
    let host = url.strip_prefix("http://").unwrap();
    let signed = client::headers(&Signing::default(), host, "GET", TARGET, b"");
    let changed = |name: &str, from: &str, to: &str| {
        let mut headers = signed.clone();
        for (n, v) in &mut headers {
            if n == name {
                *v = v.replace(from, to);
            }
        }
        headers
    };
    let code = "SignatureDoesNotMatch";
    let other_target = TARGET.replace("web", "wob");
    refused(
        client::send(&url, "GET", &other_target, &signed, b""),
        403,
        code,
    );
    refused(client::send(&url, "GET", TARGET, &signed, b"x"), 403, code);
    let other_host = changed("host", "127", "128");
    refused(
        client::send(&url, "GET", TARGET, &other_host, b""),
        403,
        code,
    );
    for headers in [
        changed("authorization", "host;x-amz-date", "host"),
        changed("authorization", "host;x-amz-date", "x-amz-date"),
        changed("authorization", "host;x-amz-date", "x-amz-date;host"),
        changed("authorization", "host;x-amz-date", "Host;x-amz-date"),
        changed("authorization", "host;x-amz-date", "host;x-amz-date;x-more"),
    ] {
        refused(client::send(&url, "GET", TARGET, &headers, b""), 403, code);
    }
    for headers in [
        changed("authorization", "AWS4-HMAC-SHA256", "AWS3"),
        changed("authorization", "Signature=", "Sig="),
        changed("authorization", "/aws4_request", ""),
        changed("x-amz-date", "Z", ""),
    ] {
        let answer = client::send(&url, "GET", TARGET, &headers, b"");
        refused(answer, 400, "IncompleteSignature");
    }
    let bare = [("host".to_owned(), host.to_owned())];
    let answer = client::send(&url, "GET", TARGET, &bare, b"");
    refused(answer, 403, "MissingAuthenticationToken");
}

#[test]
fn a_plus_in_a_query_is_no_blank() {
    let server = server(Options::default());
    let url = server.url();
    let host = url.strip_prefix("http://").unwrap();
    let signed_as = "/2013-04-01/hostedzonesbyname?dnsname=a%20b";
    let headers = client::headers(&Signing::default(), host, "GET", signed_as, b"");
    let sent = signed_as.replace("%20", "+");
    let answer = client::send(&url, "GET", &sent, &headers, b"");
    refused(answer, 403, "SignatureDoesNotMatch");
}

#[test]
fn temporary_credentials_need_their_token_and_expire() {
    let now = SystemTime::now();
    let temporary = |expires| Credential::new("ASIA", "secret").with_token("to/ken==", expires);
    let server = server(Options {
        credentials: vec![temporary(Some(now + Duration::from_secs(60)))],
        ..Options::default()
    });
    let signing = |token: Option<&str>| Signing {
        key: "ASIA".into(),
        secret: "secret".into(),
        token: token.map(str::to_owned),
        ..Signing::default()
    };
    let call = |token| call_as(&signing(token), &server.url(), "GET", TARGET, "");
    assert_eq!(call(Some("to/ken==")).unwrap().status, 200);
    refused(call(None), 403, "InvalidClientTokenId");
    refused(call(Some("other")), 403, "InvalidClientTokenId");
    server.rotate_credentials(vec![temporary(Some(now))]);
    refused(call(Some("to/ken==")), 403, "ExpiredToken");
    server.rotate_credentials(Vec::new());
    refused(call(Some("to/ken==")), 403, "InvalidClientTokenId");
}

#[test]
fn a_policy_can_forbid_an_operation() {
    let operation = Operation::ListResourceRecordSets;
    let server = server(Options {
        credentials: vec![Credential::default().denying(operation)],
        ..Options::default()
    });
    let answer = call_as(&Signing::default(), &server.url(), "GET", TARGET, "");
    let text = answer.as_ref().unwrap().text();
    assert!(text.contains("route53:ListResourceRecordSets on resource: arn:aws:route53:::"));
    refused(answer, 403, "AccessDenied");
    assert_eq!(client::get(&server.url(), "hostedzone/Z1").status, 200);
}

#[test]
fn a_policy_can_forbid_actions_and_types_in_a_batch() {
    for (word, is_refused) in [
        ("CREATE", true),
        ("A", true),
        ("DELETE", false),
        ("TXT", false),
    ] {
        let server = server(Options {
            credentials: vec![Credential::default().denying_changes(word)],
            ..Options::default()
        });
        let body = client::batch(&[("CREATE", "web.example.com.", "192.0.2.1")]);
        let answer = client::post(&server.url(), "Z1", &body).expect("an answer");
        assert_eq!(
            answer.status == 403,
            is_refused,
            "{word}: {}",
            answer.text()
        );
    }
}

#[test]
fn the_clock_can_be_off() {
    let server = server(Options {
        clock_offset: 3_600,
        ..Options::default()
    });
    let call = |time| {
        let signing = Signing {
            time,
            ..Signing::default()
        };
        call_as(&signing, &server.url(), "GET", TARGET, "")
    };
    let now = SystemTime::now();
    let answer = call(now);
    assert!(
        answer
            .as_ref()
            .unwrap()
            .text()
            .contains("Signature expired: ")
    );
    refused(answer, 403, "SignatureDoesNotMatch");
    let theirs = now + Duration::from_secs(3_600);
    let answer = call(theirs).unwrap();
    assert_eq!(answer.status, 200);
    let hour = clock::http_date(theirs)[..19].to_owned();
    assert!(
        answer.head.contains(&format!("Date: {hour}")),
        "{}",
        answer.head
    );
}
