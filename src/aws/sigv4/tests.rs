//! AWS's own worked example, stage by stage, so that a failure says which stage is wrong:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
//! After it, in the same way, our own requests and AWS's own cases against what botocore makes of
//! them.

use super::*;
use crate::aws::sigv4;
use crate::base::percent::{self, query_string};
use crate::net::url::Url;
use chrono::TimeZone;

#[path = "../../../tests/vectors/mod.rs"]
mod vectors;

const HEADERS: [(&str, &str); 3] = [
    (
        "content-type",
        "application/x-www-form-urlencoded; charset=utf-8",
    ),
    ("host", "iam.amazonaws.com"),
    ("x-amz-date", "20150830T123600Z"),
];
const REQUEST: Request<'static> = Request {
    method: "GET",
    host: "iam.amazonaws.com",
    path: "/",
    query: "Action=ListUsers&Version=2010-05-08",
    headers: &[(
        "content-type",
        "application/x-www-form-urlencoded; charset=utf-8",
    )],
    payload: b"",
};

fn scope() -> Scope<'static> {
    let time = Utc.with_ymd_and_hms(2015, 8, 30, 12, 36, 0).unwrap();
    Scope {
        time,
        region: "us-east-1",
        service: "iam",
    }
}

fn credentials() -> Credentials {
    Credentials {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        session_token: None,
    }
}

#[test]
fn step_1_canonical_request() {
    assert_eq!(
        sha256_hex(canonical_request(&REQUEST, &HEADERS).as_bytes()),
        "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
    );
}

#[test]
fn step_3_string_to_sign() {
    assert_eq!(
        string_to_sign(&scope(), &canonical_request(&REQUEST, &HEADERS)),
        "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n\
         f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
    );
}

#[test]
fn step_4_signing_key_and_signature() {
    let key = signing_key(&credentials().secret_access_key, &scope());
    assert_eq!(
        hex::encode(key),
        "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
    );
    let text = string_to_sign(&scope(), &canonical_request(&REQUEST, &HEADERS));
    assert_eq!(
        signature(&key, &text),
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    );
}

#[test]
fn step_5_authorization_header() {
    assert_eq!(
        sign(&REQUEST, &credentials(), &scope()),
        [
            ("x-amz-date", "20150830T123600Z".to_owned()),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date, \
                 Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
                    .to_owned()
            ),
        ]
    );
}

/// Compares each stage, so that a failure says which one is wrong.
fn assert_agrees(
    title: &str,
    signed: &vectors::Signed,
    (request, credentials, scope): (&Request<'_>, &Credentials, &Scope<'_>),
) {
    let added = signed.added();
    let (_, before) = added.split_last().expect("an authorization");
    let canonical_request = canonical_request(request, &headers_to_sign(request, before));
    assert_eq!(canonical_request, signed.canonical_request, "{title}");
    let string_to_sign = string_to_sign(scope, &canonical_request);
    assert_eq!(string_to_sign, signed.string_to_sign, "{title}");
    let key = signing_key(&credentials.secret_access_key, scope);
    let signature = signature(&key, &string_to_sign);
    assert_eq!(signature, signed.signature, "{title}");
    assert_eq!(sign(request, credentials, scope), added, "{title}");
}

#[test]
fn every_stage_agrees_with_botocore() {
    for vector in vectors::vectors() {
        vector.with(|request, credentials, scope| {
            let parts = (request, credentials, scope);
            assert_agrees(&vector.title, &vector.signed, parts);
        });
    }
}

/// AWS's own cases: all are signed alike, but for those whose path is signed as another than the one
/// that stands in the request. Such a path, whichever way it is signed, is no endpoint's.
#[test]
fn every_case_of_aws_is_signed_alike_or_refused_before() {
    let mut refused = Vec::new();
    for case in vectors::aws_cases() {
        let name = &case.name;
        let has_empty_or_dots = ["//", "/."].iter().any(|part| case.path.contains(part));
        let is_plain_ascii = case.path.bytes().all(|byte| byte.is_ascii_graphic());
        let url = Url::of_endpoint(&format!("https://{}{}", case.signed.host, case.path));
        assert_eq!(url.is_ok(), is_plain_ascii && !has_empty_or_dots, "{name}");
        case.with(|request, credentials, scope| {
            if case.is_signed_with_another_path {
                let signature = sign(request, credentials, scope);
                assert_ne!(signature, case.signed.added(), "{name}");
                assert!(url.is_err(), "{name}");
                refused.push(name.clone());
            } else {
                assert_agrees(name, &case.signed, (request, credentials, scope));
            }
        });
    }
    assert_eq!(
        refused,
        [
            "get-slash-normalized",
            "get-slashes-normalized",
            "get-slash-dot-slash-normalized",
            "get-slash-pointless-dot-normalized",
            "get-relative-normalized",
            "get-relative-relative-normalized",
        ]
    );
}

#[test]
fn encodes_what_is_reserved_and_nothing_else() {
    for (text, encoded) in [
        ("AZaz09-._~", "AZaz09-._~"),
        ("a b+c", "a%20b%2Bc"),
        ("\\052.example.com.", "%5C052.example.com."),
        ("a/b=c&d%", "a%2Fb%3Dc%26d%25"),
        ("ü", "%C3%BC"),
    ] {
        assert_eq!(encode_segment(text), encoded);
    }
}

#[test]
fn sorts_the_query_by_encoded_name_then_value() {
    let query = query_string(&[
        ("type", "A"),
        ("name", "b"),
        ("name", "a c"),
        ("\u{e9}", ""),
    ]);
    assert_eq!(query, "%C3%A9=&name=a%20c&name=b&type=A");
}
