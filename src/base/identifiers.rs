//! Hides in AWS's words what tells about the account: ARNs, numbers of accounts, ids of hosted zones,
//! access keys, roles and users. The log has the words whole; the status page is open to others, too.
//! Pure.

/// The least length of a word of capitals and digits that is taken for an id. Ids of hosted zones have
/// twelve characters or more, and numbers of accounts have twelve.
const MIN_ID: usize = 10;

/// The text with `…` in the place of each ARN and each id.
pub fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (shown, length) = match first {
            _ if rest.starts_with("arn:") => ("…", arn_length(rest)),
            _ if first.is_ascii_alphanumeric() => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
                let word = &rest[..end.unwrap_or(rest.len())];
                (if is_id(word) { "…" } else { word }, word.len())
            }
            _ => (&rest[..first.len_utf8()], first.len_utf8()),
        };
        out.push_str(shown);
        rest = &rest[length..];
    }
    out
}

/// Length of an ARN with which a text begins, without punctuation after it.
fn arn_length(text: &str) -> usize {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_:/.+=,@*".contains(c);
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    text[..end].trim_end_matches([':', '.', ',']).len()
}

fn is_id(word: &str) -> bool {
    let is_capital = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    let has_digit = word.bytes().any(|b| b.is_ascii_digit());
    let has_prefix = ["Z", "AKIA", "ASIA", "AROA", "AIDA", "AGPA", "ANPA"];
    let begins_like_one = has_prefix.iter().any(|prefix| word.starts_with(prefix));
    word.len() >= MIN_ID && word.bytes().all(is_capital) && (has_digit || begins_like_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_about_the_account_is_hidden_and_nothing_else() {
        for (text, expected) in [
            (
                "User: arn:aws:sts::123456789012:assumed-role/dns-role/i-0abc is not authorized to \
                 perform: route53:ChangeResourceRecordSets on resource: \
                 arn:aws-cn:route53:::hostedzone/Z0123456789ABCDEFGHIJ.",
                "User: … is not authorized to perform: route53:ChangeResourceRecordSets on \
                 resource: ….",
            ),
            ("(arn:aws:iam::123456789012:user/a@b)", "(…)"),
            (
                "No hosted zone found with ID: Z2FDTNDATAQYW2",
                "No hosted zone found with ID: …",
            ),
            ("/hostedzone/ZABCDEFGHIJKLM", "/hostedzone/…"),
            (
                "account 123456789012, key AKIAIOSFODNN7EXAMPLE",
                "account …, key …",
            ),
            (
                "AKIAQWERTYUIOPASDFGH can't assume the role, nor can AROAQWERTYUIOPASDFGH:x",
                "… can't assume the role, nor can …:x",
            ),
            (
                "ARRDATAIllegalIPv4Address: web.shop.example.com. A, TTL 300, 2001:db8::1234",
                "ARRDATAIllegalIPv4Address: web.shop.example.com. A, TTL 300, 2001:db8::1234",
            ),
            (
                "AWS_WEB_IDENTITY_TOKEN_FILE: ü 中 2026-01-02T03:04:05Z",
                "AWS_WEB_IDENTITY_TOKEN_FILE: ü 中 2026-01-02T03:04:05Z",
            ),
            ("arn:", "…:"),
            ("", ""),
        ] {
            assert_eq!(masked(text), expected);
        }
    }
}
