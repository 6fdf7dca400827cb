//! Name templates, such as `%{{service_name}}.%{{stack_name}}.%{{environment_name}}`.
//!
//! In: the text of a setting or label, and the names of a service, its stack and the environment.
//! Out: a [`Name`] in the hosted zone, or why the template gives none.

use std::fmt;

use crate::dns::{Name, NameError};
use crate::rancher::model::Environment;

/// The default of `NAME_TEMPLATE`.
pub const DEFAULT: &str = "%{{service_name}}.%{{stack_name}}.%{{environment_name}}";

const OPENING: &str = "%{{";
const CLOSING: &str = "}}";
/// How users of the forerunners write a `*`, since Route 53 gives it back like this.
const ESCAPED_STAR: &str = "\\052";

/// The template of the zone's apex.
const APEX: &str = "@";

/// A valid template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
    place: Place,
}

/// Where the name of a template is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Below the zone's name.
    InZone,
    /// It is the zone's name. The template has no parts.
    Apex,
    /// Wherever the text says, since that is a whole name.
    Absolute,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Service,
    Stack,
    Environment,
}

/// Why a text is not a template. The message says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TemplateError {
    /// A placeholder `%{{…}}` has an unknown name. Holds the name.
    UnknownPlaceholder(String),
    /// A `%{{` has no `}}` behind it.
    NotClosed,
    /// A character outside the placeholders is not allowed in a name.
    BadCharacter(char),
    /// A `*` is not the whole first label. Anywhere else it would be a mere character of a name
    /// that nobody asks for.
    MisplacedWildcard,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TemplateError::UnknownPlaceholder(word) => write!(
                f,
                "%{{{{{word}}}}} is not a placeholder; the placeholders are %{{{{service_name}}}}, \
                 %{{{{stack_name}}}} and %{{{{environment_name}}}}",
                word = word.escape_debug()
            ),
            TemplateError::NotClosed => f.write_str("a placeholder is not closed with }}"),
            TemplateError::BadCharacter(c) => write!(
                f,
                "{c:?} can't be part of a name; outside placeholders there may be letters, \
                 digits, '-', '_' and '.', and '*' (or '\\052') as the first label; '@' alone \
                 is the hosted zone itself"
            ),
            TemplateError::MisplacedWildcard => f.write_str(
                "a '*' (or '\\052') can only be the whole first label, as in \
                 *.%{{service_name}}.%{{environment_name}}",
            ),
        }
    }
}

impl std::error::Error for TemplateError {}

/// The names that replace the placeholders, as Rancher spells them.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// Replaces `%{{service_name}}`.
    pub service: &'a str,
    /// Replaces `%{{stack_name}}`.
    pub stack: &'a str,
    /// Replaces `%{{environment_name}}`.
    pub environment: &'a str,
}

impl Default for Template {
    fn default() -> Template {
        let dot = || Part::Literal(".".to_owned());
        Template {
            parts: vec![Part::Service, dot(), Part::Stack, dot(), Part::Environment],
            place: Place::InZone,
        }
    }
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        let (parts, place) = match text {
            APEX => (Vec::new(), Place::Apex),
            text => (parts(text)?, Place::InZone),
        };
        Ok(Template { parts, place })
    }

    /// Reads a template of which a dot at its end makes a whole name, with the zone's in it.
    pub fn parse_absolute(text: &str) -> Result<Template, TemplateError> {
        match text.strip_suffix('.') {
            None => Template::parse(text),
            Some(text) => Ok(Template {
                parts: parts(text)?,
                place: Place::Absolute,
            }),
        }
    }

    /// The name that the template gives in this zone. That of an absolute one may be elsewhere.
    pub fn name(&self, names: &Names<'_>, zone: &Name) -> Result<Name, NameError> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Service => text.push_str(&sanitize(names.service)),
                Part::Stack => text.push_str(&sanitize(names.stack)),
                Part::Environment => text.push_str(&sanitize(names.environment)),
            }
        }
        match self.place {
            Place::InZone => zone.child(&text),
            Place::Apex => Ok(zone.clone()),
            Place::Absolute if text.ends_with('.') => Err(NameError::EmptyLabel),
            Place::Absolute => Name::parse(&text),
        }
    }
}

fn parts(text: &str) -> Result<Vec<Part>, TemplateError> {
    let text = text.replace(ESCAPED_STAR, "*");
    if has_misplaced_wildcard(&text) {
        return Err(TemplateError::MisplacedWildcard);
    }
    let mut parts = Vec::new();
    let mut rest = &*text;
    while let Some((literal, after)) = rest.split_once(OPENING) {
        parts.extend(literal_part(literal)?);
        let (word, after) = after.split_once(CLOSING).ok_or(TemplateError::NotClosed)?;
        parts.push(match word {
            "service_name" => Part::Service,
            "stack_name" => Part::Stack,
            "environment_name" => Part::Environment,
            other => return Err(TemplateError::UnknownPlaceholder(other.to_owned())),
        });
        rest = after;
    }
    parts.extend(literal_part(rest)?);
    Ok(parts)
}

/// Whether a template has a `*` elsewhere than as the whole first label. What the placeholders
/// stand for has none.
fn has_misplaced_wildcard(template: &str) -> bool {
    let behind = match template.strip_prefix('*') {
        Some(behind) if behind.is_empty() || behind.starts_with('.') => behind,
        _ => template,
    };
    behind.contains('*')
}

/// The part that a text outside the placeholders is; none if it is empty.
fn literal_part(text: &str) -> Result<Option<Part>, TemplateError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_*.".contains(c);
    match text.chars().find(|c| !allowed(*c)) {
        Some(c) => Err(TemplateError::BadCharacter(c)),
        None => Ok((!text.is_empty()).then(|| Part::Literal(text.to_owned()))),
    }
}

/// Turns a name from Rancher into one DNS label, as rancher/external-dns does (`utils.go`): in
/// lower case, with one `-` for each run of characters other than letters and digits, and with no
/// `-` at either end. The label is empty if the name has no letter or digit.
pub fn sanitize(name: &str) -> String {
    let mut label = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            label.push(c.to_ascii_lowercase());
        } else if !label.is_empty() && !label.ends_with('-') {
            label.push('-');
        }
    }
    if label.ends_with('-') {
        label.pop();
    }
    label
}

/// `<environment>.<zone>`. `None` if the environment's name has no letter or digit, or is too long
/// for a label.
pub fn environment_name(environment: &Environment, zone: &Name) -> Option<Name> {
    let label = sanitize(&environment.name);
    (!label.is_empty()).then(|| zone.child(&label).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sanitizes_like_the_forerunner() {
        for (name, label) in [
            ("web", "web"),
            ("Status page", "status-page"),
            ("Monitoring & Co.", "monitoring-co"),
            ("Cart_Service", "cart-service"),
            ("--a--b--", "a-b"),
            ("日本", ""),
            ("a.b", "a-b"),
            ("", ""),
        ] {
            assert_eq!(sanitize(name), label, "{name}");
        }
    }

    fn render(template: &str, service: &str) -> Result<String, String> {
        let zone = Name::parse("example.com").unwrap();
        let names = Names {
            service,
            stack: "Shop",
            environment: "Production EU",
        };
        let template = Template::parse(template).map_err(|e| e.to_string())?;
        template
            .name(&names, &zone)
            .map(|n| n.as_str().to_owned())
            .map_err(|e| e.to_string())
    }

    #[test]
    fn renders_names() {
        let long = "a".repeat(64);
        for (template, service, expected) in [
            (
                DEFAULT,
                "Web_1",
                Ok("web-1.shop.production-eu.example.com."),
            ),
            (
                "cart.%{{environment_name}}",
                "x",
                Ok("cart.production-eu.example.com."),
            ),
            ("fixed", "x", Ok("fixed.example.com.")),
            ("*.%{{service_name}}", "x", Ok("\\052.x.example.com.")),
            ("\\052.%{{service_name}}", "x", Ok("\\052.x.example.com.")),
            ("*", "x", Ok("\\052.example.com.")),
            ("\\052", "x", Ok("\\052.example.com.")),
            ("*.", "x", Err("a label of the name is empty")),
            ("@", "x", Ok("example.com.")),
            (
                "%{{service_name}}-%{{stack_name}}",
                "x",
                Ok("x-shop.example.com."),
            ),
            (DEFAULT, "&&", Err("a label of the name is empty")),
            (
                DEFAULT,
                &long,
                Err("a label of the name is longer than 63 characters"),
            ),
            ("", "x", Err("a label of the name is empty")),
            ("a.", "x", Err("a label of the name is empty")),
            ("a..b", "x", Err("a label of the name is empty")),
            (
                "%{{service_name",
                "x",
                Err("a placeholder is not closed with }}"),
            ),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(render(template, service), expected, "{template}");
        }
        assert!(
            render("%{{host_name}}", "x")
                .unwrap_err()
                .contains("host_name")
        );
        assert!(render("a b", "x").unwrap_err().contains("' '"));
        let error = render("%{{a\nb}}", "x").unwrap_err();
        assert!(error.starts_with("%{{a\\nb}} is"), "one line: {error}");
    }

    #[test]
    fn the_apex_stands_alone_and_only_a_whole_name_ends_in_a_dot() {
        for text in ["@.x", "x.@", "*.@", "@@", " @"] {
            let read = Template::parse(text);
            assert!(
                matches!(read, Err(TemplateError::BadCharacter(_))),
                "{text}"
            );
        }
        let zone = Name::parse("example.com").unwrap();
        let names = Names {
            service: "Web",
            stack: "Shop",
            environment: "Prod",
        };
        for (text, expected) in [
            ("www", Some("www.example.com.")),
            ("@", Some("example.com.")),
            ("www.example.com.", Some("www.example.com.")),
            (
                "*.%{{service_name}}.example.com.",
                Some("\\052.web.example.com."),
            ),
            ("example.com.", Some("example.com.")),
            ("www.example.org.", Some("www.example.org.")),
            ("www.example.com..", None),
            (".", None),
            ("@.", None),
        ] {
            let template = Template::parse_absolute(text);
            let name = template
                .ok()
                .and_then(|template| template.name(&names, &zone).ok());
            assert_eq!(name.as_ref().map(Name::as_str), expected, "{text}");
        }
    }

    #[test]
    fn the_default_is_what_its_text_says() {
        assert_eq!(Template::parse(DEFAULT), Ok(Template::default()));
    }

    #[test]
    fn an_environment_has_a_name_unless_its_label_is_empty_or_too_long() {
        let zone = Name::parse("example.com").unwrap();
        let long = "a".repeat(64);
        for (name, expected) in [
            ("Production EU", Some("production-eu.example.com.")),
            ("日本", None),
            ("", None),
            (&long, None),
        ] {
            let environment = Environment {
                name: name.to_owned(),
                uuid: "u".to_owned(),
                own_stack: "dns".to_owned(),
                stack_uuid: None,
            };
            let found = environment_name(&environment, &zone);
            assert_eq!(found.as_ref().map(Name::as_str), expected, "{name}");
        }
    }

    #[test]
    fn a_star_is_the_whole_first_label_or_an_error() {
        for template in [
            "*web",
            "web*",
            "web.*",
            "web.*.%{{environment_name}}",
            "*.*.%{{environment_name}}",
            "**.x",
            "*%{{service_name}}.x",
            "%{{service_name}}*.x",
            "%{{service_name}}.*",
            "-*.x",
            ".*.x",
            "\\0520.x",
            "\\052%{{service_name}}.x",
            "web.\\052.x",
            "*.\\052.x",
        ] {
            let read = Template::parse(template);
            assert_eq!(read, Err(TemplateError::MisplacedWildcard), "{template}");
        }
        for template in ["\\", "\\053.x", "\\05", "\\52.x", "a\\.b", "\\*.x"] {
            let read = Template::parse(template);
            assert!(read.is_err(), "{template}: no other escape: {read:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_template_a_star_is_a_label_at_the_front(
            text in "(\\*|\\\\052|\\.|a|%\\{\\{service_name\\}\\}){1,6}", service in "[a*\\\\&]{0,3}"
        ) {
            if let Ok(name) = render(&text, &service) {
                prop_assert!(!name.trim_start_matches("\\052.").contains('\\'), "{name}");
                prop_assert!(!name.starts_with("\\052.\\052."), "{name}");
            }
        }

        #[test]
        fn a_label_is_clean_whatever_the_name(name in "\\PC{0,100}") {
            let label = sanitize(&name);
            prop_assert!(label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            prop_assert!(!label.starts_with('-') && !label.ends_with('-') && !label.contains("--"));
        }

        #[test]
        fn no_template_panics(text in "[%{}a-z_. é*\\\\025]{0,40}") {
            let _ = render(&text, "x");
        }
    }
}
