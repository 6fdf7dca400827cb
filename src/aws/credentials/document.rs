//! Reads the JSON in which container endpoints and instance metadata give credentials, and how they
//! refuse them. Pure.
//!
//! The fields are read one by one instead of with a serde decoder, whose errors could quote a
//! secret.

use serde_json::Value;

use super::Granted;
use crate::base::redactor::shortened;

/// Characters of an endpoint's error message that are kept.
const MAX_MESSAGE_CHARACTERS: usize = 200;

/// Reads credentials from an object with `AccessKeyId`, `SecretAccessKey`, `Token` and
/// `Expiration`. The error has no secret in it.
pub fn read(json: &str) -> Result<Granted, String> {
    let document: Value = serde_json::from_str(json).map_err(|_| "it is not JSON".to_owned())?;
    let field = |name: &str| document.get(name).and_then(Value::as_str);
    Granted::temporary(
        field("AccessKeyId"),
        field("SecretAccessKey"),
        field("Token"),
        field("Expiration"),
    )
}

/// Why an endpoint refuses credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// AWS's error code, such as `ExpiredTokenException`. Only to be compared: it isn't made safe to
    /// show.
    pub code: String,
    /// Code and message, to be shown.
    pub text: String,
}

/// Reads why an endpoint refuses credentials: from an object with `Code` and `Message`, or `code` and
/// `message`, or from the text that EKS's agent writes. `None` if there is no code, or if it is
/// `Success`, which instance metadata gives together with credentials.
pub fn refusal(body: &str) -> Option<Refusal> {
    let Ok(document) = serde_json::from_str::<Value>(body) else {
        return refusal_of_eks(body);
    };
    let field = |names: [&str; 2]| names.iter().find_map(|name| document.get(name)?.as_str());
    let code = field(["Code", "code"]).filter(|code| *code != "Success")?;
    let text = match field(["Message", "message"]) {
        Some(message) => format!("{code}: {message}"),
        None => code.to_owned(),
    };
    Some(Refusal {
        code: code.to_owned(),
        text: shortened(&text, MAX_MESSAGE_CHARACTERS),
    })
}

/// Reads what EKS's agent passes on of AWS's refusal, which is one line of text:
/// `[<request id>]: (ExpiredTokenException): Token expired, fault: client`.
/// <https://github.com/aws/eks-pod-identity-agent/blob/main/pkg/errors/errors.go>
fn refusal_of_eks(body: &str) -> Option<Refusal> {
    let text = body.trim_end();
    let (before, rest) = text.split_once('(')?;
    let (code, message) = rest.split_once("): ")?;
    let is_code = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_alone = before.is_empty() || (before.starts_with('[') && before.ends_with("]: "));
    (is_code && is_alone && text.lines().count() == 1).then(|| Refusal {
        code: code.to_owned(),
        text: shortened(&format!("{code}: {message}"), MAX_MESSAGE_CHARACTERS),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;

    #[test]
    fn reads_what_instance_metadata_answers() {
        // The form of
        // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
        let json = r#"{"Code":"Success","LastUpdated":"2012-04-26T16:39:16Z","Type":"AWS-HMAC",
            "AccessKeyId":"ASIAIOSFODNN7EXAMPLE","SecretAccessKey":"key/+","Token":"tok==",
            "Expiration":"2017-05-17T15:09:54Z"}"#;
        let granted = read(json).unwrap();
        assert_eq!(granted.credentials.access_key_id, "ASIAIOSFODNN7EXAMPLE");
        assert_eq!(granted.credentials.secret_access_key, Secret::new("key/+"));
        assert_eq!(
            granted.credentials.session_token,
            Some(Secret::new("tok=="))
        );
        let expires = granted.expires.unwrap().to_rfc3339();
        assert_eq!(expires, "2017-05-17T15:09:54+00:00");
        assert_eq!(refusal(json), None);
    }

    #[test]
    fn says_what_is_wrong_without_quoting_it() {
        let with = |id: &str, secret: &str, token: &str, expiration: &str| {
            format!(
                r#"{{"AccessKeyId":{id},"SecretAccessKey":{secret},"Token":{token},"Expiration":{expiration}}}"#
            )
        };
        let date = r#""2017-05-17T15:09:54Z""#;
        let (id, key, tok) = (r#""AK""#, r#""hidden""#, r#""tok""#);
        for (json, expected) in [
            (String::new(), "it is not JSON"),
            ("<html>hidden</html>".into(), "it is not JSON"),
            (r#"{"SecretAccessKey":"hidden"#.into(), "it is not JSON"),
            (r#""hidden""#.into(), "it has no AccessKeyId"),
            ("[]".into(), "it has no AccessKeyId"),
            (with("null", key, tok, date), "it has no AccessKeyId"),
            (with("7", key, tok, date), "it has no AccessKeyId"),
            (with(id, r#""""#, tok, date), "it has no SecretAccessKey"),
            (with(id, key, "null", date), "it has no session token"),
            (
                with(id, key, r#""hidden\r\nx: y""#, date),
                "its session token has a character that is not allowed in it",
            ),
            (with(id, key, tok, "null"), "it has no Expiration"),
            (
                with(id, key, tok, r#""hidden""#),
                "its Expiration is not a date and time",
            ),
        ] {
            assert_eq!(read(&json), Err(expected.to_owned()), "{json}");
        }
    }

    #[test]
    fn a_refusal_is_passed_on_in_its_own_words() {
        let _sent = Secret::new("tok3n");
        for (json, expected) in [
            (
                r#"{"code":"InvalidToken","message":"tok3n is bad"}"#,
                Some("InvalidToken: … is bad"),
            ),
            (
                r#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume"}"#,
                Some("AssumeRoleUnauthorizedAccess: EC2 cannot assume"),
            ),
            (r#"{"Code":"Failed"}"#, Some("Failed")),
            (r#"{"Code":7}"#, None),
            ("no JSON", None),
        ] {
            let text = refusal(json).map(|refusal| refusal.text);
            assert_eq!(text.as_deref(), expected, "{json}");
        }
        let long = format!(r#"{{"code":"{}"}}"#, "ä".repeat(5000));
        assert_eq!(refusal(&long).unwrap().text.chars().count(), 201);
    }

    #[test]
    fn the_text_of_eks_is_read_and_no_other_text() {
        let _sent = Secret::new("tok3n");
        for (text, expected) in [
            (
                "[0a-1b]: (ExpiredTokenException): Token expired, fault: client\n",
                Some((
                    "ExpiredTokenException",
                    "ExpiredTokenException: Token expired, fault: client",
                )),
            ),
            (
                "(InvalidTokenException): tok3n is bad, fault: client",
                Some((
                    "InvalidTokenException",
                    "InvalidTokenException: … is bad, fault: client",
                )),
            ),
            ("Too Many Requests. (limit): 1", None),
            ("[a]: (two words): x", None),
            ("[a]: (): x", None),
            ("[a]: (Code)", None),
            ("[a]: (Code): x\n<html>", None),
            ("<html>(Code): x</html>", None),
        ] {
            let found = refusal(text);
            let found = found.as_ref().map(|found| (&*found.code, &*found.text));
            assert_eq!(found, expected, "{text}");
        }
    }
}
