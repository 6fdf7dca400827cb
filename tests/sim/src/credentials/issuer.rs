//! Issues temporary credentials, and knows all that it has issued.

use crate::lock::lock;
use crate::route53::{Credential, Keyring, clock};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

/// Shared by the endpoints of a test.
#[derive(Clone)]
pub struct Issuer(Arc<Mutex<Ledger>>);

struct Ledger {
    keyring: Option<Keyring>,
    lifetime: i64,
    leniency: i64,
    issued: Vec<Credential>,
    secrets: Vec<String>,
}

impl Issuer {
    /// What it issues is good for an hour.
    pub fn new(keyring: Option<Keyring>) -> Issuer {
        Issuer(Arc::new(Mutex::new(Ledger {
            keyring,
            lifetime: 3600,
            leniency: 0,
            issued: Vec::new(),
            secrets: Vec::new(),
        })))
    }

    /// From now on what it issues says that it ends after so many seconds, or ended before so
    /// many if negative.
    pub fn set_lifetime(&self, seconds: i64) {
        self.lock().lifetime = seconds;
    }

    /// From now on AWS takes what it issues for so many seconds longer than it says, as it may with
    /// those of instances.
    pub fn set_leniency(&self, seconds: i64) {
        self.lock().leniency = seconds;
    }

    /// New credentials, and when they say that they end.
    pub fn issue(&self) -> (Credential, SystemTime) {
        let mut ledger = self.lock();
        let number = ledger.issued.len() + 1;
        let secret = format!("s3cret/sim+{number:08}");
        // As long as real ones are, and with all the characters of Base64.
        let token = format!("t0ken//sim+{number:08}{}==", "/+".repeat(200));
        let expires = clock::shift(SystemTime::now(), ledger.lifetime);
        let taken_until = clock::shift(expires, ledger.leniency);
        let credential = Credential::new(&format!("ASIASIM{number:08}"), &secret)
            .with_token(&token, Some(taken_until));
        if let Some(keyring) = &ledger.keyring {
            keyring.add(credential.clone());
        }
        ledger.secrets.extend([secret, token]);
        ledger.issued.push(credential.clone());
        (credential, expires)
    }

    /// All that it has issued, oldest first.
    pub fn issued(&self) -> Vec<Credential> {
        self.lock().issued.clone()
    }

    /// Every secret that a client was given or had to send, for a look at its log.
    pub fn secrets(&self) -> Vec<String> {
        self.lock().secrets.clone()
    }

    /// One more of those.
    pub fn add_secret(&self, secret: &str) {
        self.lock().secrets.push(secret.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.0)
    }
}
