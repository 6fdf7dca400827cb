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
use crate::base::redactor::cut;

/// Name of the label that says whether a service is published: `auto`, `always` or `never`.
pub const POLICY: &str = "service.external_dns";
/// Name of the label with a name template for one service.
pub const NAME_TEMPLATE: &str = "service.external_dns_name_template";
/// Name of the label with further names of a service.
pub const NAMES: &str = "service.external_dns_names";
/// Name of the label that makes names of a load balancer's host names, or not.
pub const LB_HOSTNAMES: &str = "service.external_dns_lb_hostnames";
/// Name of the label that says which address is published for a service.
pub const ADDRESS: &str = "service.external_dns_address";
/// Name of the label with a TTL for one service.
pub const TTL: &str = "service.external_dns_ttl";
/// Name of the label that says what a service's name answers: addresses, or another name.
pub const TARGET: &str = "service.external_dns_target";
/// Name of the label with the routing policy of a service.
pub const ROUTING: &str = "service.external_dns_routing";
/// Name of the label with the set identifier of a service, beside a routing policy.
pub const ROUTING_ID: &str = "service.external_dns_routing_id";
/// Name of the label with the id of a service's health check in Route 53.
pub const HEALTH_CHECK: &str = "service.external_dns_health_check";
/// Name of the label that keeps a host's address from being published if it is `false`.
pub const HOST: &str = "host.external_dns";
/// Name of the label with the address to publish for the containers on a host.
pub const HOST_IP: &str = "host.external_dns_ip";

/// The names of all labels, without prefix and suffix.
const ALL: [&str; 12] = [
    POLICY,
    NAME_TEMPLATE,
    NAMES,
    LB_HOSTNAMES,
    ADDRESS,
    TTL,
    TARGET,
    ROUTING,
    ROUTING_ID,
    HEALTH_CHECK,
    HOST,
    HOST_IP,
];
/// How the names of the labels of services, and of those of hosts, begin.
const STEMS: [&str; 2] = [POLICY, HOST];
/// Prefixes of labels, in the order of their rank.
const PREFIXES: [&str; 2] = ["io.pasturestack.", RANCHER];
/// The usual one.
const RANCHER: &str = "io.rancher.";
/// Characters of a host's label that are kept, where it isn't one that this program knows.
const MAX_TEXT: usize = 80;
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
        let joined = ALL.map(|name| [name, text].concat());
        let is_label = |name: &&String| ALL.iter().any(|known| known == *name);
        match joined.iter().find(is_label) {
            Some(name) => Err(format!("{name} is a label of its own")),
            None => Ok(LabelSuffix(text.to_owned())),
        }
    }

    /// What `find` finds of a label with the suffix, or else of the one without.
    fn first<T>(&self, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        match &*self.0 {
            "" => find(""),
            suffix => find(suffix).or_else(|| find("")),
        }
    }
}

/// The key under which a service or host has one of the labels that this program knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelKey {
    /// Its name, without prefix and suffix.
    name: &'static str,
    /// The whole key, unless it is the usual one.
    own: Option<Box<str>>,
}

impl LabelKey {
    /// The usual key of the label with this name: without a suffix, and Rancher's own.
    pub fn usual(name: &'static str) -> LabelKey {
        LabelKey { name, own: None }
    }
}

impl fmt::Display for LabelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.own {
            Some(key) => f.write_str(key),
            None => write!(f, "{RANCHER}{}", self.name),
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
        self.find(name, suffix).map(|(_, _, text)| &**text)
    }

    /// The whole key of the label that [`Labels::get`] reads.
    pub fn key(&self, name: &str, suffix: &LabelSuffix) -> Option<String> {
        let (rank, name, _) = self.find(name, suffix)?;
        Some([PREFIXES[*rank], name].concat())
    }

    /// The same; the usual key if there is none.
    pub fn key_of(&self, name: &'static str, suffix: &LabelSuffix) -> LabelKey {
        let usual = LabelKey::usual(name);
        let key = self.key(name, suffix);
        let own = key.filter(|key| *key != usual.to_string());
        LabelKey {
            own: own.map(Into::into),
            ..usual
        }
    }

    fn find(&self, name: &str, suffix: &LabelSuffix) -> Option<&(usize, Box<str>, Box<str>)> {
        suffix.first(|suffix| {
            let is_it = |key: &str| key.strip_prefix(name) == Some(suffix);
            let found = self.kept.iter().filter(|(_, key, _)| is_it(key));
            found.max_by_key(|(rank, _, _)| Reverse(*rank)) // the last of equal ones
        })
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
        let mut labels = Labels::default();
        let has_prefix = |key: &str| PREFIXES.iter().any(|prefix| key.starts_with(prefix));
        deserializer.deserialize_any(LabelMap {
            is_wanted: &has_prefix,
            take: &mut |key, text| labels.insert(key, text),
        })?;
        Ok(labels)
    }
}

/// The labels of a host. Services may ask for any of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostLabels {
    /// Those that this program knows.
    pub known: Labels,
    all: Vec<(Box<str>, Box<str>)>,
}

impl HostLabels {
    /// The text of the label with this key, first with the suffix and then without; it is never blank.
    /// A long one is cut.
    pub fn any(&self, key: &str, suffix: &LabelSuffix) -> Option<&str> {
        suffix.first(|suffix| {
            let is_it = |known: &str| known.strip_prefix(key) == Some(suffix);
            let found = self.all.iter().find(|(known, _)| is_it(known));
            found.map(|(_, text)| &**text)
        })
    }

    /// Keeps a label unless its value is blank.
    pub fn insert(&mut self, key: &str, value: &str) {
        self.known.insert(key, value);
        if !value.trim().is_empty() {
            self.all
                .push((key.into(), cut(value.trim(), MAX_TEXT).into()));
        }
    }
}

impl<'de> Deserialize<'de> for HostLabels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut labels = HostLabels::default();
        deserializer.deserialize_any(LabelMap {
            is_wanted: &|_| true,
            take: &mut |key, text| labels.insert(key, text),
        })?;
        Ok(labels)
    }
}

/// Hands the labels that are wanted by their keys to `take`, and passes over the others.
struct LabelMap<'a> {
    is_wanted: &'a dyn Fn(&str) -> bool,
    take: &'a mut dyn FnMut(&str, &str),
}

impl<'de> Visitor<'de> for LabelMap<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of labels or null")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(MaybeText(key)) = map.next_key()? {
            let key = key.unwrap_or_default();
            if (self.is_wanted)(&key) {
                if let MaybeText(Some(text)) = map.next_value()? {
                    (self.take)(&key, &text);
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
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
        let longest = "_".repeat(40);
        for text in ["_private", "-2", ".blue", "x", "_IP", "_ip2", &longest] {
            assert!(LabelSuffix::parse(text).is_ok(), "{text}");
        }
        let long = "_".repeat(41);
        let labels = [
            "_target",
            "_routing",
            "_routing_id",
            "_health_check",
            "_id",
            "_ip",
        ];
        let others = ["_name_template", "_ä", "_a b", "_a/b", &long];
        for text in labels.into_iter().chain(others) {
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
    fn of_a_host_every_label_is_kept() {
        let json = r#"{"public_ip":" 192.0.2.1 ","tier":"","n":7,"x":null,
            "io.rancher.host.external_dns":"false"}"#;
        let labels: HostLabels = serde_json::from_str(json).unwrap();
        for (key, text) in [
            ("public_ip", Some("192.0.2.1")),
            ("n", Some("7")),
            ("tier", None),
            ("x", None),
            ("PUBLIC_IP", None),
            ("io.rancher.host.external_dns", Some("false")),
        ] {
            assert_eq!(labels.any(key, &NONE), text, "{key}");
        }
        assert_eq!(labels.known.get(HOST, &NONE), Some("false"));
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(1_000));
        let labels: HostLabels = serde_json::from_str(&long).unwrap();
        assert!(labels.any("a", &NONE).unwrap().len() < 100);
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
