//! Name templates, such as `%{{service_name}}.%{{stack_name}}.%{{environment_name}}`.
//!
//! In: the text of a setting or label, and the names of a service, its stack and the environment.
//! Out: a [`Name`] in the hosted zone, or why the template gives none.

use std::fmt;

use crate::base::redactor::shortened;
use crate::base::text::quoted;
use crate::dns::{Name, NameError};
use crate::rancher::model::Environment;

/// The default of `NAME_TEMPLATE`.
pub const DEFAULT: &str = "%{{service_name}}.%{{stack_name}}.%{{environment_name}}";

const OPENING: &str = "%{{";
const CLOSING: &str = "}}";
/// How users of the forerunners write a `*`, since Route 53 gives it back like this.
const ESCAPED_STAR: &str = "\\052";

/// Characters of an unknown placeholder that an error keeps.
const MAX_SHOWN: usize = 80;
/// Characters that are kept of a text that is no name: enough to see a label that is too long.
const MAX_TRIED: usize = 100;
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
    /// A placeholder `%{{…}}` has an unknown name. Holds the name, cut if it is long.
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

/// A text that should have become a domain name, and why it is none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BadName {
    /// The text, with the zone's name; cut if it is long.
    pub tried: String,
    /// Why it is none.
    pub error: NameError,
}

impl BadName {
    fn new(tried: &str, error: NameError) -> BadName {
        let tried = shortened(tried, MAX_TRIED);
        BadName { tried, error }
    }
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is no name: {}", quoted(&self.tried), self.error)
    }
}

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

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place == Place::Apex {
            return f.write_str(APEX);
        }
        for part in &self.parts {
            f.write_str(match part {
                Part::Literal(literal) => literal,
                Part::Service => "%{{service_name}}",
                Part::Stack => "%{{stack_name}}",
                Part::Environment => "%{{environment_name}}",
            })?;
        }
        match self.place {
            Place::Absolute => f.write_str("."),
            Place::InZone | Place::Apex => Ok(()),
        }
    }
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
    pub fn name(&self, names: &Names<'_>, zone: &Name) -> Result<Name, BadName> {
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
            Place::InZone => zone.child(&text).map_err(|error| {
                let tried = format!("{text}.{}", zone.without_dot());
                BadName::new(&tried, error)
            }),
            Place::Apex => Ok(zone.clone()),
            Place::Absolute if text.ends_with('.') => {
                Err(BadName::new(&text, NameError::EmptyLabel))
            }
            Place::Absolute => Name::parse(&text).map_err(|error| BadName::new(&text, error)),
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
            other => {
                let word = shortened(other, MAX_SHOWN);
                return Err(TemplateError::UnknownPlaceholder(word));
            }
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
mod tests;
