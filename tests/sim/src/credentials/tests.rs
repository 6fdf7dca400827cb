//! The endpoints are as strict as the real ones.

use super::*;
use std::io::{Read, Write};
use std::net::TcpStream;

/// Sends a request; status and body.
fn send(endpoint: &Endpoint, head: &str, body: &str) -> (u16, String) {
    let address = endpoint.url().replace("http://", "");
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{head}Host: h\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    (status, body.to_owned())
}

#[test]
fn instance_metadata_wants_a_token_with_a_lifetime() {
    let issuer = Issuer::new(None);
    let instance = Instance::start(Some("dns"), &issuer);
    let ttl = "x-aws-ec2-metadata-token-ttl-seconds";
    let roles = "/latest/meta-data/iam/security-credentials/";
    for (head, status) in [
        ("GET /latest/api/token HTTP/1.1\r\n".to_owned(), 405),
        ("PUT /latest/api/token HTTP/1.1\r\n".to_owned(), 400),
        (
            format!("PUT /latest/api/token HTTP/1.1\r\n{ttl}: 21601\r\n"),
            400,
        ),
        (
            format!("PUT /latest/api/token HTTP/1.1\r\n{ttl}: 9\r\nX-Forwarded-For: h\r\n"),
            403,
        ),
        (format!("GET {roles} HTTP/1.1\r\n"), 401),
        (
            format!("GET {roles} HTTP/1.1\r\nx-aws-ec2-metadata-token: guess\r\n"),
            401,
        ),
    ] {
        assert_eq!(send(&instance.endpoint, &head, "").0, status, "{head}");
    }
    let head = format!("PUT /latest/api/token HTTP/1.1\r\n{ttl}: 60\r\n");
    let (status, token) = send(&instance.endpoint, &head, "");
    assert_eq!(status, 200);
    let with = |path: &str| format!("GET {path} HTTP/1.1\r\nx-aws-ec2-metadata-token: {token}\r\n");
    assert_eq!(
        send(&instance.endpoint, &with(roles), ""),
        (200, "dns".to_owned())
    );
    assert_eq!(
        send(&instance.endpoint, &with(&format!("{roles}other")), "").0,
        404
    );
    let (_, document) = send(&instance.endpoint, &with(&format!("{roles}dns")), "");
    assert!(document.contains("ASIASIM00000001"), "{document}");
    assert!(issuer.secrets().contains(&token));
}

#[test]
fn a_container_endpoint_wants_its_token() {
    let issuer = Issuer::new(None);
    let container = Container::start("right", &issuer);
    let get = |token: &str| format!("GET /v1/credentials HTTP/1.1\r\n{token}");
    for (head, status) in [
        (get(""), 400),
        (get("Authorization: wrong\r\n"), 400),
        (get("Authorization: right\r\n"), 200),
        ("GET / HTTP/1.1\r\nAuthorization: right\r\n".to_owned(), 404),
    ] {
        assert_eq!(send(&container.endpoint, &head, "").0, status, "{head}");
    }
    assert_eq!(issuer.issued().len(), 1);
}

#[test]
fn the_endpoint_of_ecs_wants_its_path() {
    let issuer = Issuer::new(None);
    let endpoint = start_ecs(&issuer);
    for (head, status) in [
        ("GET /v2/credentials HTTP/1.1\r\n".to_owned(), 404),
        ("GET / HTTP/1.1\r\n".to_owned(), 404),
        (format!("POST {ECS_PATH} HTTP/1.1\r\n"), 404),
        (format!("GET {ECS_PATH} HTTP/1.1\r\n"), 200),
    ] {
        assert_eq!(send(&endpoint, &head, "").0, status, "{head}");
    }
    assert_eq!(issuer.issued().len(), 1);
}

#[test]
fn sts_takes_only_what_is_whole_and_meant_for_it() {
    let issuer = Issuer::new(None);
    let role = Role {
        arn: "arn".to_owned(),
        by_signature: true,
        tokens: vec!["a b".to_owned()],
        ..Role::default()
    };
    let options = StsOptions {
        roles: vec![role],
        ..StsOptions::default()
    };
    let sts = Sts::start(options, &issuer);
    let form = "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n";
    let web = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=me";
    for (head, body, status, code) in [
        ("", format!("{web}&RoleArn=arn"), 400, "ValidationError"),
        (form, format!("{web}&RoleArn=arn"), 400, "ValidationError"),
        (
            form,
            format!("{web}&RoleArn=arn&WebIdentityToken=x"),
            400,
            "InvalidIdentityToken",
        ),
        (
            form,
            format!("{web}&RoleArn=other&WebIdentityToken=a+b"),
            403,
            "AccessDenied",
        ),
        (
            form,
            format!("{web}&RoleArn=arn&WebIdentityToken=a%20b&More=1"),
            400,
            "ValidationError",
        ),
        (
            form,
            format!("{web}&RoleArn=arn&WebIdentityToken=a%20b"),
            200,
            "ASIASIM00000001",
        ),
        (
            form,
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn&RoleSessionName=me".to_owned(),
            403,
            "MissingAuthenticationToken",
        ),
        (form, "Action=Dance".to_owned(), 400, "ValidationError"),
        (form, "nonsense".to_owned(), 400, "MalformedInput"),
    ] {
        let head = format!("POST / HTTP/1.1\r\n{head}");
        let (found, answer) = send(&sts.endpoint, &head, &body);
        assert_eq!(found, status, "{body}: {answer}");
        assert!(answer.contains(code), "{body}: {answer}");
    }
}
