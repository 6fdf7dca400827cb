//! The endpoint of EKS Pod Identity, `GET` with an authorization token, and that of ECS, `GET` of a
//! path that nobody else knows.

use super::endpoint::Endpoint;
use super::issuer::Issuer;
use crate::http::{Request, Response};
use crate::lock::lock;
use crate::route53::clock;
use std::sync::{Arc, Mutex};

/// Where the credentials are.
const PATH: &str = "/v1/credentials";
/// Where they are with ECS: `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`.
pub const ECS_PATH: &str = "/v2/credentials/3f1c8f0e-5a4e-4bd5-9a3c-0b8a7a2d6c11";

/// A running endpoint.
pub struct Container {
    pub endpoint: Endpoint,
    token: Arc<Mutex<String>>,
    issuer: Issuer,
}

impl Container {
    /// One that wants this token.
    pub fn start(token: &str, issuer: &Issuer) -> Container {
        issuer.add_secret(token);
        let expected = Arc::new(Mutex::new(token.to_owned()));
        let endpoint = {
            let (expected, issuer) = (expected.clone(), issuer.clone());
            Endpoint::start(move |request| {
                let expected = lock(&expected);
                answer(request, &expected, &issuer)
            })
        };
        Container {
            endpoint,
            token: expected,
            issuer: issuer.clone(),
        }
    }

    /// For `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
    pub fn url(&self) -> String {
        format!("{}{PATH}", self.endpoint.url())
    }

    /// From now on it wants another token.
    pub fn change_token(&self, token: &str) {
        self.issuer.add_secret(token);
        *lock(&self.token) = token.to_owned();
    }
}

/// The endpoint of ECS's agent.
pub fn start_ecs(issuer: &Issuer) -> Endpoint {
    issuer.add_secret(ECS_PATH);
    let issuer = issuer.clone();
    Endpoint::start(
        move |request| match (request.method.as_str(), request.path.as_str()) {
            ("GET", ECS_PATH) => credentials(&issuer),
            _ => error(404, "NotFound", "there is nothing here"),
        },
    )
}

fn answer(request: &Request, token: &str, issuer: &Issuer) -> Response {
    if (request.method.as_str(), request.path.as_str()) != ("GET", PATH) {
        return error(404, "NotFound", "there is nothing here");
    }
    match request.header("authorization") {
        Some(sent) if sent == token => {}
        // It quotes what it was sent, as servers do that mean well.
        sent => {
            let sent = sent.unwrap_or("none");
            let message = format!("the token {sent} is not the one");
            return error(400, "InvalidAuthorizationToken", &message);
        }
    }
    credentials(issuer)
}

fn error(status: u16, code: &str, message: &str) -> Response {
    let body = serde_json::json!({"code": code, "message": message});
    Response::new(status, "application/json", body.to_string())
}

fn credentials(issuer: &Issuer) -> Response {
    let (credential, expires) = issuer.issue();
    let body = serde_json::json!({
        "AccessKeyId": credential.access_key,
        "SecretAccessKey": credential.secret_key,
        "Token": credential.session_token,
        "Expiration": clock::iso(expires),
        "AccountId": "123456789012",
    });
    Response::new(200, "application/json", body.to_string())
}
