//! The labels that steer publication. Of all that a service or host has, only these are kept.
//!
//! `io.pasturestack.<suffix>` is read before `io.rancher.<suffix>`; a blank one counts as absent.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::lenient::MaybeText;

/// `service.external_dns`: `auto`, `always` or `never`.
pub const POLICY: &str = "service.external_dns";
/// `service.external_dns_name_template`.
pub const NAME_TEMPLATE: &str = "service.external_dns_name_template";
/// `host.external_dns`: `false` keeps a host out.
pub const HOST: &str = "host.external_dns";
/// `host.external_dns_ip`: the address to publish for what runs on a host.
pub const HOST_IP: &str = "host.external_dns_ip";

const PREFIXES: [&str; 2] = ["io.pasturestack.", "io.rancher."];
const SUFFIXES: [&str; 4] = [POLICY, NAME_TEMPLATE, HOST, HOST_IP];

/// The labels of one service or host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// (rank of the prefix, suffix, text), at most one for each suffix.
    kept: Vec<(usize, &'static str, Box<str>)>,
}

impl Labels {
    /// The label of this suffix, trimmed and not blank.
    pub fn get(&self, suffix: &str) -> Option<&str> {
        self.kept
            .iter()
            .find(|(_, known, _)| *known == suffix)
            .map(|(_, _, text)| &**text)
    }

    /// Keeps a label if it is one of ours, not blank, and no better prefix has it already.
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
}
