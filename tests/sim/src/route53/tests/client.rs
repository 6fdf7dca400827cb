//! A bare HTTP client that signs with AWS's signer, so that the tests can lie about any part.

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::SystemTime;

pub const KEY: &str = "AKIDEXAMPLE";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// How to sign.
#[derive(Clone)]
pub struct Signing {
    pub key: String,
    pub secret: String,
    pub token: Option<String>,
    pub region: String,
    pub service: String,
    pub time: SystemTime,
}

impl Default for Signing {
    fn default() -> Signing {
        Signing {
            key: KEY.to_owned(),
            secret: SECRET.to_owned(),
            token: None,
            region: "us-east-1".to_owned(),
            service: "route53".to_owned(),
            time: SystemTime::now(),
        }
    }
}

/// What came back: nothing at all if the connection was closed.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The text of the first element of this name.
    pub fn element(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (inner, _) = rest.split_once(&format!("</{name}>"))?;
        Some(inner.to_owned())
    }
}

/// The headers that sign a request to this host.
pub fn headers(
    signing: &Signing,
    host: &str,
    method: &str,
    target: &str,
    body: &[u8],
) -> Vec<(String, String)> {
    let identity: Identity = Credentials::new(
        &signing.key,
        &signing.secret,
        signing.token.clone(),
        None,
        "test",
    )
    .into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&signing.region)
        .name(&signing.service)
        .time(signing.time)
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let request = SignableRequest::new(
        method,
        format!("http://{host}{target}"),
        std::iter::empty(),
        SignableBody::Bytes(body),
    );
    let (instructions, _) = sign(request.unwrap(), &parameters).unwrap().into_parts();
    let mut headers = vec![("host".to_owned(), host.to_owned())];
    headers.extend(
        instructions
            .headers()
            .map(|(n, v)| (n.to_owned(), v.to_owned())),
    );
    headers
}

/// Sends these headers and body as they are.
pub fn send(
    url: &str,
    method: &str,
    target: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Option<Answer> {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let mut head = format!("{method} {target} HTTP/1.1\r\nconnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("content-length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    Some(Answer {
        status: head.split(' ').nth(1)?.parse().ok()?,
        head,
        body: bytes[end + 4..].to_vec(),
    })
}

/// Sends a request signed like this.
pub fn call_as(
    signing: &Signing,
    url: &str,
    method: &str,
    target: &str,
    body: &str,
) -> Option<Answer> {
    let host = url.strip_prefix("http://").unwrap();
    let headers = headers(signing, host, method, target, body.as_bytes());
    send(url, method, target, &headers, body.as_bytes())
}

pub fn get(url: &str, target: &str) -> Answer {
    let target = format!("/2013-04-01/{target}");
    call_as(&Signing::default(), url, "GET", &target, "").expect("an answer")
}

/// A change batch's body: action, name, address.
pub fn batch(changes: &[(&str, &str, &str)]) -> String {
    let changes: Vec<String> = changes
        .iter()
        .map(|(action, name, address)| {
            format!(
                "<Change><Action>{action}</Action><ResourceRecordSet><Name>{name}</Name><Type>A\
                 </Type><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>{address}</Value>\
                 </ResourceRecord></ResourceRecords></ResourceRecordSet></Change>"
            )
        })
        .collect();
    format!(
        "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <ChangeBatch><Changes>{}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>",
        changes.concat()
    )
}

/// `None` if the connection was closed without an answer.
pub fn post(url: &str, zone: &str, body: &str) -> Option<Answer> {
    let target = format!("/2013-04-01/hostedzone/{zone}/rrset/");
    call_as(&Signing::default(), url, "POST", &target, body)
}
