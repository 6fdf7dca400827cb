//! The names of a service besides that of its template: those in its label `external_dns_names`, and
//! the host names of a load balancer.
//!
//! In: the label's text, the host names, and the zone. Out: names in the zone, and a [`Warning`] for
//! each item that gives none. Such an item never keeps the service or its other names from being
//! published.

use std::borrow::Cow;
use std::fmt;

use crate::base::redactor::shortened;
use crate::desired::name_template::{BadName, Names, Template, TemplateError};
use crate::desired::warning::Warning;
use crate::dns::Name;

/// Characters of a name outside the zone that are shown.
const MAX_SHOWN: usize = 100;
/// Items of a label that count. Each becomes a record set or two.
pub const MAX_NAMES: usize = 50;
/// Host names of one load balancer that count.
pub const MAX_HOSTNAMES: usize = 500;
/// Warnings of one service, from which on bad host names aren't told any more.
const MAX_WARNINGS: usize = 100;

/// Why an item is no name in the zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameFault {
    /// It is no template.
    Template(TemplateError),
    /// What comes out is no domain name.
    Name(BadName),
    /// It is this name, outside the zone.
    Outside(Name),
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameFault::Template(error) => error.fmt(f),
            NameFault::Name(error) => error.fmt(f),
            NameFault::Outside(name) => {
                let name = shortened(&name.to_string(), MAX_SHOWN);
                write!(f, "{name} isn't in the hosted zone")
            }
        }
    }
}

/// The names that a label lists: templates with commas between them.
pub fn of_label(
    text: &str,
    names: &Names<'_>,
    zone: &Name,
    warnings: &mut Vec<Warning>,
) -> Vec<Name> {
    let items = || {
        text.split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
    };
    let mut found = Vec::new();
    for item in items().take(MAX_NAMES) {
        match name(item, names, zone) {
            Ok(name) => found.push(name),
            Err(fault) => warnings.push(Warning::name(item, fault)),
        }
    }
    let count = items().count();
    warnings.extend(too_many("external_dns_names", MAX_NAMES, count));
    found
}

/// The names of a load balancer: its host names that lie in the zone. Those elsewhere are normal,
/// and passed over.
pub fn of_load_balancer(
    hostnames: &[Cow<'_, str>],
    names: &Names<'_>,
    zone: &Name,
    warnings: &mut Vec<Warning>,
) -> Vec<Name> {
    let mut found = Vec::new();
    let mut count = 0;
    for hostname in hostnames {
        let hostname = hostname.trim();
        let hostname = hostname.strip_suffix('.').unwrap_or(hostname);
        if hostname.contains('%') {
            continue; // no placeholder either
        }
        match name(&format!("{hostname}."), names, zone) {
            Ok(name) => {
                count += 1;
                if count <= MAX_HOSTNAMES {
                    found.push(name);
                }
            }
            Err(NameFault::Outside(_)) => {}
            Err(fault) if is_below(hostname, zone) => {
                if warnings.len() < MAX_WARNINGS {
                    warnings.push(Warning::hostname(hostname, fault));
                }
            }
            Err(_) => {}
        }
    }
    let of = "the load balancer's host names";
    warnings.extend(too_many(of, MAX_HOSTNAMES, count));
    found
}

fn too_many(of: &'static str, most: usize, count: usize) -> Option<Warning> {
    (count > most).then_some(Warning::TooManyNames { of, most, count })
}

fn name(item: &str, names: &Names<'_>, zone: &Name) -> Result<Name, NameFault> {
    let template = Template::parse_absolute(item).map_err(NameFault::Template)?;
    let name = template.name(names, zone).map_err(NameFault::Name)?;
    match name.is_at_or_below(zone) {
        true => Ok(name),
        false => Err(NameFault::Outside(name)),
    }
}

/// Whether a text that may be no name ends like the names below the zone.
fn is_below(text: &str, zone: &Name) -> bool {
    let zone = zone.without_dot();
    let end = text.len().checked_sub(zone.len());
    let split = end.and_then(|end| text.split_at_checked(end));
    split.is_some_and(|(start, end)| start.ends_with('.') && end.eq_ignore_ascii_case(&zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: Names<'static> = Names {
        service: "Web",
        stack: "Shop",
        environment: "Prod",
    };

    fn zone() -> Name {
        Name::parse("example.com").unwrap()
    }

    fn shown(names: &[Name], warnings: &[Warning]) -> String {
        let names = names.iter().map(|name| name.as_str().to_owned());
        let warnings = warnings.iter().map(|warning| format!("!{warning}"));
        names.chain(warnings).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_item_is_a_name_or_a_warning() {
        let left_out =
            |item: &str, why: &str| format!("!external_dns_names: \"{item}\" is left out: {why}");
        for (text, expected) in [
            ("www", "www.example.com.".to_owned()),
            (
                " www , api.%{{stack_name}},",
                "www.example.com. api.shop.example.com.".to_owned(),
            ),
            ("@", "example.com.".to_owned()),
            (
                "*,\\052.shop",
                "\\052.example.com. \\052.shop.example.com.".to_owned(),
            ),
            (
                "*.example.com., example.com.",
                "\\052.example.com. example.com.".to_owned(),
            ),
            ("\\052.example.com.", "\\052.example.com.".to_owned()),
            ("WWW", "www.example.com.".to_owned()),
            ("", String::new()),
            (" , ,", String::new()),
            (
                "www.example.org.",
                left_out(
                    "www.example.org.",
                    "www.example.org. isn't in the hosted zone",
                ),
            ),
            (
                "%{{service_name}}.example.org.",
                left_out(
                    "%{{service_name}}.example.org.",
                    "web.example.org. isn't in the hosted zone",
                ),
            ),
            ("*.", left_out("*.", "*. isn't in the hosted zone")),
            (
                "badexample.com.",
                left_out(
                    "badexample.com.",
                    "badexample.com. isn't in the hosted zone",
                ),
            ),
            (
                "a..b",
                left_out(
                    "a..b",
                    "\"a..b.example.com\" is no name: a label of the name is empty",
                ),
            ),
            (".", left_out(".", "\"\" is no name: the name is empty")),
            (
                "a.*",
                left_out("a.*", &TemplateError::MisplacedWildcard.to_string()),
            ),
            (
                "a b,www",
                format!(
                    "www.example.com. {}",
                    left_out("a b", &TemplateError::BadCharacter(' ').to_string())
                ),
            ),
            (
                "%{{host}}",
                left_out(
                    "%{{host}}",
                    &TemplateError::UnknownPlaceholder("host".into()).to_string(),
                ),
            ),
        ] {
            let mut warnings = Vec::new();
            let names = of_label(text, &NAMES, &zone(), &mut warnings);
            assert_eq!(shown(&names, &warnings), expected, "{text}");
        }
    }

    #[test]
    fn fifty_items_count() {
        for (count, warned) in [(50, false), (51, true), (5_000, true)] {
            let items: Vec<String> = (0..count).map(|i| format!("n{i}")).collect();
            let mut warnings = Vec::new();
            let names = of_label(&items.join(","), &NAMES, &zone(), &mut warnings);
            assert_eq!(names.len(), 50);
            let expected = warned.then_some(Warning::TooManyNames {
                of: "external_dns_names",
                most: MAX_NAMES,
                count,
            });
            assert_eq!(warnings, Vec::from_iter(expected));
        }
    }

    #[test]
    fn a_load_balancer_s_host_names_count_where_they_are_in_the_zone() {
        let misplaced = "is left out: a '*'";
        for (hostname, expected, warning) in [
            ("shop.example.com", Some("shop.example.com."), ""),
            ("Shop.Example.COM.", Some("shop.example.com."), ""),
            (" example.com ", Some("example.com."), ""),
            ("*.example.com", Some("\\052.example.com."), ""),
            ("\\052.example.com", Some("\\052.example.com."), ""),
            ("shop.example.org", None, ""),
            ("example.com.evil.org", None, ""),
            ("notexample.com", None, ""),
            ("*", None, ""),
            ("shop.*", None, ""),
            ("%{{service_name}}.example.com", None, ""),
            ("", None, ""),
            (".", None, ""),
            ("a.*.example.com", None, misplaced),
            ("*a.example.com", None, misplaced),
            ("a b.example.com", None, "is left out: ' '"),
            ("a..example.com", None, "a label of the name is empty"),
            ("a..example.org", None, ""),
            ("a..bexample.com", None, ""),
            ("é", None, ""),
        ] {
            let mut warnings = Vec::new();
            let found = of_load_balancer(&[hostname.into()], &NAMES, &zone(), &mut warnings);
            let found = found.first().map(Name::as_str);
            assert_eq!(found, expected, "{hostname}");
            let words = shown(&[], &warnings);
            assert_eq!(words.is_empty(), warning.is_empty(), "{hostname}: {words}");
            assert!(words.contains(warning), "{hostname}: {words}");
        }
    }

    #[test]
    fn so_many_host_names_of_one_load_balancer_count() {
        for count in [500, 501, 20_000] {
            let in_zone = (0..count).map(|i| format!("n{i}.example.com").into());
            let elsewhere = (0..1_000).map(|i| format!("n{i}.example.org").into());
            let hostnames: Vec<Cow<'_, str>> = elsewhere.chain(in_zone).collect();
            let mut warnings = Vec::new();
            let names = of_load_balancer(&hostnames, &NAMES, &zone(), &mut warnings);
            assert_eq!(names.len(), 500);
            let expected = (count > 500).then_some(Warning::TooManyNames {
                of: "the load balancer's host names",
                most: MAX_HOSTNAMES,
                count,
            });
            assert_eq!(warnings, Vec::from_iter(expected));
        }
        let bad = vec![Cow::Borrowed("a..example.com"); 20_000];
        let mut warnings = Vec::new();
        assert!(of_load_balancer(&bad, &NAMES, &zone(), &mut warnings).is_empty());
        assert_eq!(warnings.len(), MAX_WARNINGS);
    }
}
