use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;
use crate::base::percent::encode_segment;
use crate::base::secret::Secret;

/// The value of a header of HTTP's authentication scheme `Basic`.
fn basic(user: &str, password: &str) -> Secret {
    Secret::after("Basic ", &STANDARD.encode(format!("{user}:{password}")))
}

#[test]
fn a_quotation_is_hidden_whole_or_in_part() {
    let _secret = Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCY");
    let _header = basic("AK", "correct horse");
    let _password = Secret::new("correct horse");
    let _token = Secret::with_scheme("Bearer t0ken-t0ken");
    for (text, expected) in [
        ("nothing of it", "nothing of it"),
        (
            "the key wJalrXUtnFEMI/K7MDENG+bPxRfiCY is bad",
            "the key … is bad",
        ),
        ("not (rXUtnFEM), \"MDENG+bPx\"", "not (…), \"…\""),
        ("at wJalrXUt", "at …"),
        ("at wJalrXU", "at wJalrXU"),
        ("wJalrXUt wJalrXUt", "… …"),
        // A piece with what stands around it.
        ("key=wJalrXUt", "…"),
        // The header, its value, and both halves of it; `YXZpbg==` is none.
        ("Basic QUs6Y29ycmVjdCBob3JzZQ==", "…"),
        ("'QUs6Y29ycm'", "'…'"),
        ("Y3QgaG9yc2U=", "…"),
        ("YXZpbg==", "YXZpbg=="),
        ("Bearer t0ken-t0ken", "…"),
        ("Bearer realm", "Bearer realm"),
        ("er t0ken", "…"),
    ] {
        assert_eq!(redact(text), expected, "{text}");
    }
}

#[test]
fn an_escaped_or_encoded_quotation_is_hidden_too() {
    let _secret = Secret::new("a/b+c=d\"e&f<g>h%41");
    for text in [
        "a%2Fb%2Bc%3Dd%22e%26f%3Cg%3Eh%2541",
        "a%2fb%2bc%3dd%22e",
        "a%252Fb%252Bc%253Dd%2522",
        r#"a\/b+c=d\"e&f<g>h%41"#,
        r#"\u0061\u002fb\u002Bc=d\u0022e"#,
        r"\141\057b\053c=d\042",
        r"\x61\x2fb\x2bc=d\x22",
        "c=d&quot;e&amp;f&lt;g&gt;h%41",
        "&#97;&#x2f;b&#43;c=d&#34;",
        "c=d&amp;quot;e&amp;amp;f&amp;lt;g",
        r#"{\"a\":\"c=d\\\"e&f<g\"}"#,
        "612f622b633d6422",
        "2F622B633D64226526",
    ] {
        let shown = redact(text);
        let rest = shown.replace("…", "");
        assert!(shown.contains('…') && rest.len() <= 12, "{text}: {shown}");
    }
}

#[test]
fn text_beside_a_secret_stays() {
    let _secret = Secret::new("hunter2-hunter2");
    let text = "<p title=\"hunter2-hunter2\">ü hunter2-h\u{301} &amp; 100 % \\ &c; %zz \\u12 x</p>";
    let expected = "<p title=\"…\">ü …\u{301} &amp; 100 % \\ &c; %zz \\u12 x</p>";
    assert_eq!(redact(text), expected);
}

#[test]
fn a_secret_of_words_is_hidden_as_a_whole_and_where_it_is_encoded() {
    let _secret = Secret::of_words("production-2");
    for (text, expected) in [
        ("production-2 is unknown", "… is unknown"),
        ("id=production-2&x", "…&x"),
        ("production, production-22", "production, production-22"),
        ("cHJvZHVjdGlvbi0y", "…"),
        ("70726f64756374696f6e2d32", "…"),
    ] {
        assert_eq!(redact(text), expected, "{text}");
    }
}

#[test]
fn a_short_secret_is_hidden_as_a_word() {
    let _secrets = [Secret::new("a"), Secret::new("dance"), Secret::new("")];
    let text = "a dance, a dancer, (dance) dance-floor";
    assert_eq!(shortened(text, 100), "a …, a dancer, (…) …");
}

/// Otherwise a password that somebody has chosen would make the program speechless.
#[test]
fn the_program_s_own_words_stay_and_a_server_s_don_t() {
    let _secrets = [
        Secret::new("containers"),
        Secret::new("is-unpublished-2"),
        Secret::new("SECRET00000001"),
        Secret::new("word"),
    ];
    for (text, own, outside) in [
        (
            "the container is down",
            "the container is down",
            "the … is down",
        ),
        ("it is unpublished", "it is unpublished", "it is …"),
        ("00000001: a word", "00000001: a word", "…: a …"),
        ("unpublished-2", "…", "…"),
        ("ET000000", "…", "…"),
    ] {
        assert_eq!(redact(text), own, "{text}");
        assert_eq!(shortened(text, 100), outside, "{text}");
    }
}

#[test]
fn secrets_out_of_use_are_hidden_for_a_while_and_then_forgotten() {
    let text = |number: u64| STANDARD.encode(Sha256::digest(number.to_be_bytes()));
    let secret = |number: u64| Secret::new(text(number));
    let is_hidden = |number: u64| redact(&text(number)) == "…";
    let _in_use = secret(0);
    for number in 1..100 {
        drop(secret(number));
        drop(secret(number));
    }
    let hidden: Vec<u64> = (0..100).filter(|number| is_hidden(*number)).collect();
    assert_eq!(hidden[0], 0);
    assert_eq!(
        hidden[1..],
        (100 - MAX_UNUSED as u64 - 1..100).collect::<Vec<_>>()
    );
}

#[test]
fn a_text_is_cut_after_its_secrets_are_hidden() {
    let _secret = Secret::new("hunter2-hunter2");
    assert_eq!(shortened("ü hunter2-hunter2", 5), "ü …");
    assert_eq!(shortened("a hunter2-hunter2 b", 4), "a … …");
    assert_eq!(shortened("abc", 3), "abc");
    assert_eq!(shortened("abcd", 3), "abc…");
}

#[test]
fn a_hostile_text_takes_bounded_work() {
    let _secret = Secret::new("hunter2-hunter2");
    for text in ["%25", "\\\\", "&amp;", "&amp;%25\\\\", "&#x00000000000041;"] {
        let text = text.repeat(1_000_000 / text.len());
        assert!(!redact(&text).contains('…'));
    }
}

/// What a server makes of a text that it quotes.
type Encoder = fn(&[u8]) -> String;

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

const ENCODERS: [(&str, Encoder); 13] = [
    ("as is", lossy),
    ("base64", |text| STANDARD.encode(text)),
    ("base64 without padding", |text| {
        STANDARD_NO_PAD.encode(text)
    }),
    ("base64 for URLs", |text| URL_SAFE.encode(text)),
    ("hexadecimal", |text| hex::encode(text)),
    ("percent", |text| encode_segment(&lossy(text))),
    ("JSON", |text| {
        serde_json::Value::String(lossy(text)).to_string()
    }),
    ("XML", |text| {
        quick_xml::escape::escape(lossy(text)).into_owned()
    }),
    ("names of HTML", |text| {
        let text = lossy(text).replace('/', "&sol;");
        text.replace('+', "&plus;").replace('=', "&equals;")
    }),
    ("numbers of HTML", |text| {
        each_byte(text, |byte| format!("&#{byte:010};"))
    }),
    ("numbers without an end", |text| {
        each_byte(text, |byte| format!("&#{byte}")) + "."
    }),
    ("braces", |text| {
        each_byte(text, |byte| format!("\\u{{{byte:x}}}"))
    }),
    ("eight digits", |text| {
        each_byte(text, |byte| format!("\\U{byte:08x}"))
    }),
];

fn each_byte(text: &[u8], escaped: impl Fn(u8) -> String) -> String {
    text.iter().map(|byte| escaped(*byte)).collect()
}

/// Secrets of all kinds of characters that a header may have.
fn secret() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z0-9/+=]{16,48}", "[!-~]{12,40}", "[A-Za-z0-9]{8,40}"]
}

proptest! {
    /// A server quotes eight or more characters of what was sent to it, in whatever encoding.
    #[test]
    fn no_quotation_shows_a_secret(
        (user, password) in ("[A-Z0-9]{4,20}", secret()),
        from in 0.0..1.0f64,
        more in 0..40usize,
        (first, second) in (0..ENCODERS.len(), 0..ENCODERS.len()),
        around in ("[a-z ]{0,8}[ (\"':,]", "[ )\"',.;][a-z ]{0,8}"),
    ) {
        let header = basic(&user, &password);
        let key = Secret::new(password.clone());
        let form = format!("Token={}", encode_segment(&password));
        let sent = [
            (key.expose(), 0),
            (header.expose(), "Basic ".len()),
            (form.as_str(), "Token=".len()),
        ];
        for (text, start) in sent {
            let secret = &text[start..];
            // Nobody can tell fewer from a word. A form has three for one character.
            let from = (from * (secret.len() - 7) as f64) as usize;
            let slice = &secret[from..secret.len().min(from + 8 + more)];
            let (_, encode) = ENCODERS[first];
            let quoted = encode(slice.as_bytes());
            // Escapes may stand upon each other; Base64 of something encoded is beyond what
            // servers do.
            let quoted = match ENCODERS[second].0 {
                "percent" | "JSON" | "XML" => (ENCODERS[second].1)(quoted.as_bytes()),
                _ => quoted,
            };
            let shown = shortened(&format!("{}{quoted}{}", around.0, around.1), 1_000);
            let left = shown.len().saturating_sub(around.0.len() + around.1.len());
            prop_assert!(
                !shown.contains(&quoted) && left <= quoted.len() / 2 + 8,
                "{} of {slice}: {quoted} is shown as {shown}", ENCODERS[first].0
            );
        }
    }

    /// Text without a secret in it is shown as it is.
    #[test]
    fn other_text_stays(text in "\\PC{0,200}") {
        let _secret = Secret::new("0123456789abcdef/ABCDEF+");
        prop_assert_eq!(redact(&text), text.as_str());
    }

    #[test]
    fn no_text_panics(secret in "\\PC{0,12}", text in "[%\\\\&#;ux0-9a-f]{0,40}\\PC{0,12}") {
        let _secret = Secret::new(secret.clone());
        redact(&text);
        redact(&format!("{text}{secret}{text}"));
    }
}
