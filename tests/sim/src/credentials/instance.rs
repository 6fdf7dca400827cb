//! The metadata service of an EC2 instance, version 2 only.

use super::endpoint::Endpoint;
use super::issuer::Issuer;
use crate::http::{Request, Response};
use crate::lock::lock;
use crate::route53::clock;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

/// A running service, of an instance with this role or none.
pub struct Instance {
    pub endpoint: Endpoint,
    role: Arc<Mutex<Option<String>>>,
}

impl Instance {
    pub fn start(role: Option<&str>, issuer: &Issuer) -> Instance {
        let role = Arc::new(Mutex::new(role.map(str::to_owned)));
        let tokens = Mutex::new(Vec::new());
        let endpoint = {
            let (role, issuer) = (role.clone(), issuer.clone());
            Endpoint::start(move |request| {
                let role = lock(&role);
                let mut tokens = lock(&tokens);
                answer(request, role.as_deref(), &mut tokens, &issuer)
            })
        };
        Instance { endpoint, role }
    }

    /// From now on it has another role.
    pub fn change_role(&self, role: &str) {
        *lock(&self.role) = Some(role.to_owned());
    }
}

fn answer(
    request: &Request,
    role: Option<&str>,
    tokens: &mut Vec<String>,
    issuer: &Issuer,
) -> Response {
    let text = |status: u16, body: &str| Response::new(status, "text/plain", body);
    // The service is there for programs on the instance, not for what a proxy lets through.
    if request.header("x-forwarded-for").is_some() {
        return text(403, "");
    }
    if request.path == "/latest/api/token" {
        let ttl = request.header("x-aws-ec2-metadata-token-ttl-seconds");
        let ttl: Option<u32> = ttl.and_then(|ttl| ttl.parse().ok());
        return match (request.method.as_str(), ttl) {
            ("PUT", Some(1..=21_600)) => {
                let token = format!("imds-t0ken-{}==", tokens.len() + 1);
                issuer.add_secret(&token);
                tokens.push(token.clone());
                text(200, &token)
            }
            ("PUT", _) => text(400, ""),
            _ => text(405, ""),
        };
    }
    let sent = request.header("x-aws-ec2-metadata-token");
    if !sent.is_some_and(|sent| tokens.iter().any(|token| token == sent)) {
        return text(401, "");
    }
    let path = request.path.strip_prefix(ROLES);
    match (request.method.as_str(), path, role) {
        ("GET", Some(""), Some(role)) => text(200, role),
        ("GET", Some(asked), Some(role)) if asked == role => {
            let (credential, expires) = issuer.issue();
            let body = serde_json::json!({
                "Code": "Success",
                "LastUpdated": clock::iso(SystemTime::now()),
                "Type": "AWS-HMAC",
                "AccessKeyId": credential.access_key,
                "SecretAccessKey": credential.secret_key,
                "Token": credential.session_token,
                "Expiration": clock::iso(expires),
            });
            text(200, &body.to_string())
        }
        _ => text(
            404,
            "<?xml version=\"1.0\"?><html><h1>404 - Not Found</h1></html>",
        ),
    }
}
