//! Why a call to Route 53 failed, what that means for retries, and what the operator can do.

use std::fmt;

use crate::aws::credentials::NoCredentials;
use crate::aws::error_code::{self, REQUEST_EXPIRED};
use crate::base::identifiers::masked;
use crate::base::redactor::shortened;

/// What stands before the HTTP status where an answer has no error code of AWS.
pub const STATUS_AS_CODE: &str = "HTTP ";
/// Characters of AWS's messages that are shown. A batch of 1,000 changes may have a message for each.
const MAX_WORDS: usize = 2_000;
/// Characters of an error code that are shown.
const MAX_CODE: usize = 100;
const NO_ZONE: &str = "NoSuchHostedZone";
/// A batch names a health check that the account doesn't have.
const NO_HEALTH_CHECK: &str = "NoSuchHealthCheck";

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// Route 53 answered with an error. Nothing was changed.
    Refused(Refusal),
    /// There was no answer, or one that cannot be read. Whether the change was made is unknown.
    NoAnswer(String),
    /// The call was not sent, because its host is not known. Nothing was changed.
    Unsent(String),
    /// There are no credentials to sign the call with. It was not sent.
    NoCredentials(NoCredentials),
}

/// An error answer of Route 53, in either of its two XML forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status of the answer.
    pub status: u16,
    /// AWS's error code, such as `InvalidChangeBatch`, or `HTTP 502` if the answer has none.
    pub code: String,
    /// Route 53's error messages. For `InvalidChangeBatch` there may be one for each bad change.
    pub messages: Vec<String>,
    /// The id by which AWS's support finds the request. Empty if the answer has none.
    pub request_id: String,
    /// Where the refused credentials come from, if new ones come from there by themselves. `None` for
    /// keys in settings, which only the operator can change.
    pub renewed_by: Option<&'static str>,
}

impl Refusal {
    /// Whether the account has sent too many requests or changes lately.
    pub fn is_throttling(&self) -> bool {
        error_code::is_throttling(&self.code) || self.status == 429
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.is_throttling() || self.code == "PriorRequestNotComplete" || self.status >= 500
    }

    /// Whether the batch itself is refused: it contradicts what is in the zone, or has values that
    /// Route 53 does not accept.
    pub fn is_about_content(&self) -> bool {
        let code = self.code.as_str();
        matches!(
            code,
            "InvalidChangeBatch" | "InvalidInput" | NO_HEALTH_CHECK
        )
    }

    /// Whether the batch is refused for a health check that the account doesn't have. Which words Route
    /// 53 uses, and whether it names the health check, isn't known.
    pub fn misses_health_check(&self) -> bool {
        let says_so = |message: &String| {
            let message = message.to_ascii_lowercase();
            message.contains("health check") && message.contains("exist")
        };
        self.code == NO_HEALTH_CHECK || self.messages.iter().any(says_so)
    }

    /// Whether the batch was refused only because somebody else has changed the zone since it was
    /// listed.
    pub fn is_lost_race(&self) -> bool {
        self.code == "InvalidChangeBatch"
            && self
                .messages
                .iter()
                .all(|message| Refusal::is_lost_race_message(message))
    }

    /// Whether a message of `InvalidChangeBatch` says that the zone differs from its listing: by
    /// the record set itself, or by one that excludes it. These are the words of the real service.
    fn is_lost_race_message(message: &str) -> bool {
        [
            "but it already exists",
            "but it was not found",
            "but the values provided do not match the current values",
            "is not permitted because a conflicting RRSet of type ",
            "is not permitted as it conflicts with other records with the same DNS name",
            "cannot be created as weighted sets must contain the same TTL",
        ]
        .iter()
        .any(|words| message.contains(words))
            || Refusal::says_what_exists(message)
    }

    /// Whether a message says that a record set can't be created since there is one with another
    /// routing policy, or one for the same region, place or part of a failover group. Such messages
    /// differ by policy, and not all of them are known.
    fn says_what_exists(message: &str) -> bool {
        let rest = message.split_once(" cannot be created ");
        rest.is_some_and(|(_, why)| {
            ["as ", "because "].iter().any(|word| why.starts_with(word))
                && [
                    "already exists",
                    "exists with the same name",
                    "exist with the same name",
                ]
                .iter()
                .any(|words| why.contains(words))
        })
    }

    /// The messages about what is wrong with the batch. Those that only say that the zone differs
    /// from its listing are included if `with_lost_races`.
    pub fn batch_messages(&self, with_lost_races: bool) -> Vec<String> {
        let messages = self.messages.iter();
        messages
            .filter(|message| with_lost_races || !Refusal::is_lost_race_message(message))
            .cloned()
            .collect()
    }

    /// Whether IAM doesn't allow the call.
    pub fn is_denied(&self) -> bool {
        matches!(self.code.as_str(), "AccessDenied" | "AccessDeniedException")
    }

    /// AWS's own words, without what this program adds: its messages, or else its code.
    pub fn words(&self) -> String {
        let words = if self.messages.is_empty() {
            self.code.clone()
        } else {
            self.messages.join("; ")
        };
        shortened(&words, MAX_WORDS)
    }

    /// Whether the credentials have expired or are unknown to AWS, so that new ones may help.
    pub fn is_about_credentials(&self) -> bool {
        error_code::is_expired(&self.code)
            || matches!(
                self.code.as_str(),
                "InvalidClientTokenId" | "UnrecognizedClientException"
            )
    }

    /// Where newer credentials come from, if those of the request have expired.
    fn renewed_by(&self) -> Option<&'static str> {
        self.renewed_by
            .filter(|_| error_code::is_expired(&self.code))
    }

    /// Whether the hosted zone doesn't exist, or doesn't exist any more.
    pub fn is_zone_gone(&self) -> bool {
        self.code == NO_ZONE
    }

    /// Whether the answer has an error code of AWS. If not, somebody in between has answered: a
    /// gateway, a proxy or a captive portal.
    fn is_of_aws(&self) -> bool {
        !self.code.starts_with(STATUS_AS_CODE)
    }

    /// Whether the call fails until the operator changes credentials, permissions or the zone. Only
    /// AWS can say that: what somebody in between answers passes.
    pub fn needs_operator(&self) -> bool {
        // Time heals what has expired, unless it is keys in settings.
        if !self.is_of_aws() || self.renewed_by().is_some() || self.code == REQUEST_EXPIRED {
            return false;
        }
        let is_denied = matches!(self.status, 401 | 403 | 404) && self.code != NO_HEALTH_CHECK;
        // AWS gives `IncompleteSignature` status 400. It means that the access key is malformed.
        !self.is_retryable() && (is_denied || self.code == "IncompleteSignature")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code_and_status())?;
        if !self.messages.is_empty() {
            write!(f, ": {}", self.words())?;
        }
        self.write_hint(f)
    }
}

/// What a refusal is for people whom AWS's words are no business of: its code, and what to do.
struct WithoutWords<'a>(&'a Refusal);

impl fmt::Display for WithoutWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", masked(&self.0.code_and_status()))?;
        self.0.write_hint(f)?;
        match self.0.messages.is_empty() {
            true => Ok(()),
            false => f.write_str("; the log has AWS's own words"),
        }
    }
}

impl Refusal {
    fn code_and_status(&self) -> String {
        format!("{} ({})", shortened(&self.code, MAX_CODE), self.status)
    }

    /// Writes what the operator can do, if that is known.
    fn write_hint(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = self.renewed_by() {
            return write!(
                f,
                " – the credentials have expired, and their source ({source}) has no newer ones yet: it \
                 is asked again at each try"
            );
        }
        let hint = match self.code.as_str() {
            REQUEST_EXPIRED | "RequestTimeTooSkewed" => {
                " – it took too long to reach AWS, or this system's clock is wrong"
            }
            code if error_code::is_about_keys(code) => {
                " – check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, if \
                 they are temporary), or where the credentials come from"
            }
            "ExpiredToken" | "ExpiredTokenException" => {
                " – the session token has expired: new keys are needed, with their \
                 AWS_SESSION_TOKEN, or others from where the credentials come from"
            }
            // AWS names the action that it denies.
            "AccessDenied"
                if self
                    .messages
                    .iter()
                    .any(|m| m.contains("route53:GetChange")) =>
            {
                " – the IAM policy has to allow it: the command policy --wait prints one that does"
            }
            "AccessDenied" | "AccessDeniedException" => {
                " – the IAM policy has to allow it: the command policy prints one that does"
            }
            NO_ZONE => " – check ROUTE53_ZONE_ID",
            _ if !self.is_of_aws() => {
                ", which is no answer of AWS's: a gateway, proxy or captive portal may be in between \
                 – check HTTPS_PROXY and AWS_ENDPOINT_URL_ROUTE_53"
            }
            _ if self.is_throttling() => {
                " – the account makes too many calls: try again later, or lower \
                 ROUTE53_REQUEST_RATE where others use it"
            }
            "PriorRequestNotComplete" => " – AWS still makes an earlier change: try again later",
            "OptInRequired" => " – the account has to be activated for Route 53 at AWS",
            code if self.status >= 500 || error_code::is_failure_of_aws(code) => {
                " – this is a fault of AWS: try again later"
            }
            _ => "",
        };
        f.write_str(hint)
    }
}

impl Error {
    /// The error for the status page, which is open to others, too: without AWS's own words, and
    /// without what tells about the account.
    pub fn for_page(&self) -> String {
        match self {
            Error::Refused(refusal) => format!("Route 53 answered {}", WithoutWords(refusal)),
            _ => masked(&self.to_string()),
        }
    }

    /// Whether a batch that met this may be applied all the same, perhaps later. A server that has
    /// failed doesn't say what it has done before.
    pub fn may_be_applied(&self) -> bool {
        match self {
            Error::NoAnswer(_) => true,
            Error::Refused(refusal) => refusal.status >= 500,
            Error::Unsent(_) | Error::NoCredentials(_) => false,
        }
    }

    /// Whether calls fail until the operator does something.
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
            Error::NoAnswer(message) => write!(f, "no valid answer from Route 53: {message}"),
            Error::Unsent(message) => write!(f, "Route 53 can't be reached: {message}"),
            Error::NoCredentials(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests;
