//! The labels of services and hosts that say whether, how and where something is published. All
//! other labels of services are dropped while the JSON is decoded.
//!
//! Each label may have the prefix `io.rancher.` or `io.pasturestack.`, that of Rancher's fork. If a
//! service or host has both, the one of the fork wins. `LABEL_SUFFIX` may add to the end of each
//! label: the one that has it wins over one without. A blank label counts as absent.

use std::cmp::Reverse;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::lenient::MaybeText;

/// Name of the label that says whether a service is published: `auto`, `always` or `never`.
pub const POLICY: &str = "service.external_dns";
/// Name of the label with a name template for one service.
pub const NAME_TEMPLATE: &str = "service.external_dns_name_template";
/// Name of the label that keeps a host's address from being published if it is `false`.
pub const HOST: &str = "host.external_dns";
/// Name of the label with the address to publish for the containers on a host.
pub const HOST_IP: &str = "host.external_dns_ip";

/// The names of all labels, without prefix and suffix.
const NAMES: [&str; 4] = [POLICY, NAME_TEMPLATE, HOST, HOST_IP];
/// How the names of the labels of services, and of those of hosts, begin.
const STEMS: [&str; 2] = [POLICY, HOST];
/// Prefixes of labels, in the order of their rank.
const PREFIXES: [&str; 2] = ["io.pasturestack.", "io.rancher."];
/// Longest suffix, in characters.
const MAX_SUFFIX: usize = 40;

/// What stands at the end of the labels that are meant for this program and for no other one in the
/// same environment: `LABEL_SUFFIX`. Usually nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSuffix(String);

impl LabelSuffix {
    /// Reads a suffix. One that makes one label of another would give it two meanings, so it is an
    /// error.
    pub fn parse(text: &str) -> Result<LabelSuffix, String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if text.len() > MAX_SUFFIX || !text.chars().all(is_plain) {
            return Err("no label ends like this".to_owned());
        }
        let joined = NAMES.map(|name| [name, text].concat());
        match joined.iter().find(|name| NAMES.contains(&&***name)) {
            Some(name) => Err(format!("{name} is a label of its own")),
            None => Ok(LabelSuffix(text.to_owned())),
        }
    }
}

/// The labels of one service or host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// Rank of the prefix, name with its suffix, and text of each label.
    kept: Vec<(usize, Box<str>, Box<str>)>,
}

impl Labels {
    /// The trimmed text of the label with this name. The one with the suffix comes first, and among
    /// those with it the one whose prefix has the better rank. The text is never blank.
    pub fn get(&self, name: &str, suffix: &LabelSuffix) -> Option<&str> {
        let of = |suffix: &str| {
            let is_it = |key: &str| key.strip_prefix(name) == Some(suffix);
            let found = self.kept.iter().filter(|(_, key, _)| is_it(key));
            let best = found.max_by_key(|(rank, _, _)| Reverse(*rank)); // the last of equal ones
            best.map(|(_, _, text)| &**text)
        };
        match &*suffix.0 {
            "" => of(""),
            suffix => of(suffix).or_else(|| of("")),
        }
    }

    /// Keeps a label if its name begins as those do that this program knows, and its value is not
    /// blank.
    pub fn insert(&mut self, key: &str, value: &str) {
        let value = value.trim();
        let split = PREFIXES
            .iter()
            .enumerate()
            .find_map(|(rank, prefix)| key.strip_prefix(prefix).map(|name| (rank, name)));
        let Some((rank, name)) = split else { return };
        if value.is_empty() || !STEMS.iter().any(|stem| name.starts_with(stem)) {
            return;
        }
        self.kept.push((rank, name.into(), value.into()));
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LabelMap;

        impl<'de> Visitor<'de> for LabelMap {
            type Value = Labels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of labels or null")
            }

            fn visit_unit<E>(self) -> Result<Labels, E> {
                Ok(Labels::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
                let mut labels = Labels::default();
                while let Some(MaybeText(key)) = map.next_key()? {
                    let key = key.unwrap_or_default();
                    if PREFIXES.iter().any(|prefix| key.starts_with(prefix)) {
                        if let MaybeText(Some(text)) = map.next_value()? {
                            labels.insert(&key, &text);
                        }
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(labels)
            }
        }

        deserializer.deserialize_any(LabelMap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(json: &str) -> Labels {
        serde_json::from_str(json).unwrap()
    }

    const NONE: LabelSuffix = LabelSuffix(String::new());

    #[test]
    fn a_label_with_the_suffix_comes_first_then_the_fork_s() {
        let private = LabelSuffix::parse("_private").unwrap();
        let (fork, own) = (
            "io.pasturestack.service.external_dns",
            "io.rancher.service.external_dns",
        );
        let (fork_private, own_private) = (format!("{fork}_private"), format!("{own}_private"));
        for (pairs, without, with) in [
            (&[(own, "a")][..], Some("a"), Some("a")),
            (&[(&own_private, "a")], None, Some("a")),
            (&[(own, "a"), (&own_private, "b")], Some("a"), Some("b")),
            (&[(fork, "a"), (&own_private, "b")], Some("a"), Some("b")),
            (
                &[
                    (&own_private, "b"),
                    (fork, "a"),
                    (&fork_private, "c"),
                    (own, "d"),
                ],
                Some("a"),
                Some("c"),
            ),
            (&[(own, "a"), (&own_private, " ")], Some("a"), Some("a")),
            (&[(own, "a"), (own, "b")], Some("b"), Some("b")),
            (&[], None, None),
        ] {
            let mut labels = Labels::default();
            for (key, value) in pairs {
                labels.insert(key, value);
            }
            assert_eq!(labels.get(POLICY, &NONE), without, "{pairs:?}");
            assert_eq!(labels.get(POLICY, &private), with, "{pairs:?}");
            assert_eq!(labels.get(NAME_TEMPLATE, &private), None, "{pairs:?}");
        }
    }

    #[test]
    fn a_suffix_makes_no_label_of_another() {
        for text in ["_private", "-2", ".blue", "x", "_IP", "_ip2"] {
            assert!(LabelSuffix::parse(text).is_ok(), "{text}");
        }
        let long = "_".repeat(41);
        for text in ["_ip", "_name_template", "_ä", "_a b", "_a/b", &long] {
            assert!(LabelSuffix::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_living_fork_s_label_comes_first_in_any_order() {
        for json in [
            r#"{"io.rancher.host.external_dns_ip":"1.1.1.1","io.pasturestack.host.external_dns_ip":"2.2.2.2"}"#,
            r#"{"io.pasturestack.host.external_dns_ip":"2.2.2.2","io.rancher.host.external_dns_ip":"1.1.1.1"}"#,
        ] {
            assert_eq!(labels(json).get(HOST_IP, &NONE), Some("2.2.2.2"));
        }
    }

    #[test]
    fn a_blank_label_counts_as_absent() {
        let json =
            r#"{"io.pasturestack.host.external_dns":" ","io.rancher.host.external_dns":" false "}"#;
        assert_eq!(labels(json).get(HOST, &NONE), Some("false"));
        assert_eq!(
            labels(r#"{"io.rancher.host.external_dns":""}"#).get(HOST, &NONE),
            None
        );
    }

    #[test]
    fn a_label_that_is_no_string_is_read_as_its_text() {
        for (json, text) in [
            (r#"{"io.rancher.host.external_dns":false}"#, Some("false")),
            (r#"{"io.rancher.host.external_dns":17}"#, Some("17")),
            (r#"{"io.rancher.host.external_dns":1.50}"#, Some("1.5")),
            (r#"{"io.rancher.host.external_dns":1.0}"#, Some("1.0")),
            (
                r#"{"io.rancher.host.external_dns":"\u0066alse"}"#,
                Some("false"),
            ),
            (
                r#"{"io.rancher.h\u006fst.external_dns":"false"}"#,
                Some("false"),
            ),
            (r#"{"io.rancher.host.external_dns":null}"#, None),
            (r#"{"io.rancher.host.external_dns":{"a":[1]}}"#, None),
            (r#"{"io.rancher.host.external_dns":["false"]}"#, None),
            ("null", None),
            ("{}", None),
        ] {
            assert_eq!(labels(json).get(HOST, &NONE), text, "{json}");
        }
    }
    #[test]
    fn what_is_no_map_says_what_was_expected() {
        let error = serde_json::from_str::<Labels>("[]").unwrap_err();
        assert!(
            error.to_string().contains("a map of labels or null"),
            "{error}"
        );
    }
}
