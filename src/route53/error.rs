//! What can go wrong with a call to Route 53.

use std::fmt;

use crate::aws::credentials::NoCredentials;

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// Route 53 said no; nothing was done.
    Refused(Refusal),
    /// No answer, or one that can't be read: whether it was done is unknown.
    NoAnswer(String),
    /// It wasn't sent, since it isn't known where to: nothing was done.
    Unsent(String),
    /// It wasn't made: there is nothing to sign it with.
    NoCredentials(NoCredentials),
}

/// An error answer of Route 53, of either form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Such as `InvalidChangeBatch`; empty if the answer has none.
    pub code: String,
    /// In Route 53's words: one, or one for each bad change.
    pub messages: Vec<String>,
    /// To quote to AWS's support; empty if the answer has none.
    pub request_id: String,
}

impl Refusal {
    /// Too many requests or changes in the account at present.
    pub fn is_throttling(&self) -> bool {
        matches!(
            self.code.as_str(),
            "Throttling" | "ThrottlingException" | "ThrottledException" | "RequestThrottled"
        ) || self.status == 429
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.is_throttling() || self.code == "PriorRequestNotComplete" || self.status >= 500
    }

    /// The batch contradicts what is in the zone, or holds what Route 53 doesn't take.
    pub fn is_about_content(&self) -> bool {
        matches!(self.code.as_str(), "InvalidChangeBatch" | "InvalidInput")
    }

    /// The zone isn't as the batch takes it to be: somebody else was faster.
    pub fn is_lost_race(&self) -> bool {
        self.code == "InvalidChangeBatch"
            && self
                .messages
                .iter()
                .all(|message| Refusal::tells_of_lost_race(message))
    }

    /// Whether a message of `InvalidChangeBatch` is about what is in the zone, as seen live.
    pub fn tells_of_lost_race(message: &str) -> bool {
        [
            "but it already exists",
            "but it was not found",
            "but the values provided do not match the current values",
        ]
        .iter()
        .any(|words| message.contains(words))
    }

    /// What Route 53 said, in its words, save what it said about the zone being different, unless
    /// that is asked for too.
    pub fn messages_but_lost_races(&self, with_lost_races: bool) -> Vec<String> {
        let messages = self.messages.iter();
        messages
            .filter(|message| with_lost_races || !Refusal::tells_of_lost_race(message))
            .cloned()
            .collect()
    }

    /// The credentials are no longer good, or not known: others may be.
    pub fn is_about_credentials(&self) -> bool {
        matches!(
            self.code.as_str(),
            "ExpiredToken"
                | "ExpiredTokenException"
                | "InvalidClientTokenId"
                | "UnrecognizedClientException"
        )
    }

    /// Whether only an operator can mend it: credentials, permissions, the zone.
    pub fn needs_operator(&self) -> bool {
        // The last one comes with status 400: the key isn't even one.
        let is_mendable = matches!(self.status, 401 | 403 | 404);
        !self.is_retryable() && (is_mendable || self.code == "IncompleteSignature")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.code, self.status)?;
        if !self.messages.is_empty() {
            write!(f, ": {}", self.messages.join("; "))?;
        }
        let hint = match self.code.as_str() {
            "InvalidClientTokenId"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "IncompleteSignature"
            | "MissingAuthenticationToken" => {
                " – check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, if \
                 they are temporary), or where the credentials come from"
            }
            "ExpiredToken" | "ExpiredTokenException" => {
                " – the session token has expired: new keys are needed, with their \
                 AWS_SESSION_TOKEN, or others from where the credentials come from"
            }
            // AWS names what it denies. This one only who waits needs.
            "AccessDenied"
                if self
                    .messages
                    .iter()
                    .any(|m| m.contains("route53:GetChange")) =>
            {
                " – the IAM policy has to allow route53:GetChange"
            }
            "AccessDenied" | "AccessDeniedException" => {
                " – the IAM policy has to allow route53:ListHostedZonesByName, \
                 route53:GetHostedZone, route53:ListResourceRecordSets and \
                 route53:ChangeResourceRecordSets"
            }
            "NoSuchHostedZone" => " – check ROUTE53_ZONE_ID",
            _ => "",
        };
        f.write_str(hint)
    }
}

impl Error {
    /// Whether only an operator can mend it.
    pub fn needs_operator(&self) -> bool {
        match self {
            Error::Refused(refusal) => refusal.needs_operator(),
            Error::NoCredentials(error) => error.needs_operator,
            Error::NoAnswer(_) | Error::Unsent(_) => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Refused(refusal) => write!(f, "Route 53 answered {refusal}"),
            Error::NoAnswer(message) => write!(f, "no proper answer from Route 53: {message}"),
            Error::Unsent(message) => write!(f, "Route 53 can't be reached: {message}"),
            Error::NoCredentials(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}
