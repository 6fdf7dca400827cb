//! The labels of services and hosts that say whether, how and where something is published. All
//! other labels are dropped while the JSON is decoded.
//!
//! Each label may have the prefix `io.rancher.` or `io.pasturestack.`, that of Rancher's fork. If a
//! service or host has both, the one of the fork wins. A blank label counts as absent.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::lenient::MaybeText;

/// Suffix of the label that says whether a service is published: `auto`, `always` or `never`.
pub const POLICY: &str = "service.external_dns";
/// Suffix of the label with a name template for one service.
pub const NAME_TEMPLATE: &str = "service.external_dns_name_template";
/// Suffix of the label that keeps a host's address from being published if it is `false`.
pub const HOST: &str = "host.external_dns";
/// Suffix of the label with the address to publish for the containers on a host.
pub const HOST_IP: &str = "host.external_dns_ip";

/// Prefixes of labels, in the order of their rank.
const PREFIXES: [&str; 2] = ["io.pasturestack.", "io.rancher."];
const SUFFIXES: [&str; 4] = [POLICY, NAME_TEMPLATE, HOST, HOST_IP];

/// The labels of one service or host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// Rank of the prefix, suffix and text of each label, at most one for each suffix.
    kept: Vec<(usize, &'static str, Box<str>)>,
}

impl Labels {
    /// The trimmed text of the label with this suffix. It is never blank.
    pub fn get(&self, suffix: &str) -> Option<&str> {
        self.kept
            .iter()
            .find(|(_, known, _)| *known == suffix)
            .map(|(_, _, text)| &**text)
    }

    /// Keeps a label if its key is known, its value is not blank, and no label with the same suffix
    /// and a prefix of better rank is there already.
    pub fn insert(&mut self, key: &str, value: &str) {
        let value = value.trim();
        let split = PREFIXES
            .iter()
            .enumerate()
            .find_map(|(rank, prefix)| key.strip_prefix(prefix).map(|suffix| (rank, suffix)));
        let Some((rank, suffix)) = split else { return };
        let Some(suffix) = SUFFIXES.into_iter().find(|known| *known == suffix) else {
            return;
        };
        if value.is_empty() {
            return;
        }
        match self.kept.iter_mut().find(|(_, known, _)| *known == suffix) {
            Some(kept) if rank <= kept.0 => *kept = (rank, suffix, value.into()),
            Some(_) => {}
            None => self.kept.push((rank, suffix, value.into())),
        }
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

    #[test]
    fn the_living_fork_s_label_comes_first_in_any_order() {
        for json in [
            r#"{"io.rancher.host.external_dns_ip":"1.1.1.1","io.pasturestack.host.external_dns_ip":"2.2.2.2"}"#,
            r#"{"io.pasturestack.host.external_dns_ip":"2.2.2.2","io.rancher.host.external_dns_ip":"1.1.1.1"}"#,
        ] {
            assert_eq!(labels(json).get(HOST_IP), Some("2.2.2.2"));
        }
    }

    #[test]
    fn a_blank_label_counts_as_absent() {
        let json =
            r#"{"io.pasturestack.host.external_dns":" ","io.rancher.host.external_dns":" false "}"#;
        assert_eq!(labels(json).get(HOST), Some("false"));
        assert_eq!(
            labels(r#"{"io.rancher.host.external_dns":""}"#).get(HOST),
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
            assert_eq!(labels(json).get(HOST), text, "{json}");
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
