//! The reasons why a service is not published.
//!
//! The list is closed: the log, `plan`, the status page and the metrics show the same reasons.

use std::fmt;

use crate::base::text::{quoted, quoted_start};
use crate::desired::container::{ContainerSkip, Requirement};
use crate::desired::name_template::{BadName, TemplateError};

/// Characters of a text from outside that are shown.
const MAX_SHOWN: usize = 80;
/// The label with a service's name template.
const NAME_TEMPLATE: &str = "io.rancher.service.external_dns_name_template";

/// Why a service is not published. The variants are in the order in which the conditions are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// The service's kind is neither `service` nor `loadBalancerService`. Holds the kind.
    Kind(String),
    /// The service belongs to a system stack, and `SYSTEM_SERVICES` is `false`.
    System,
    /// The service's label `external_dns` is `never`.
    Never,
    /// The service has no label `external_dns`, and `DEFAULT_POLICY` is `never`.
    NotChosen,
    /// The service has no container.
    NoContainer,
    /// It has containers, and none counts. Holds the reason of the one that met the most conditions.
    Container(ContainerSkip),
    /// The name template in the service's label is malformed.
    Template(TemplateError),
    /// The name template in the service's label has a `*` that isn't the first label by itself.
    Wildcard,
    /// The name template gives a text that is not a domain name. Holds that text, too.
    Name(BadName),
}

impl SkipReason {
    /// The codes of all reasons, in the order of the variants, those of containers in the middle.
    pub const CODES: [&[&str]; 3] = [
        &["kind", "system", "never", "not_chosen", "no_container"],
        &ContainerSkip::CODES,
        &["template", "wildcard", "name"],
    ];

    /// A short name for metrics and for programs. It is one of [`SkipReason::CODES`].
    pub fn code(&self) -> &'static str {
        match self {
            SkipReason::Kind(_) => "kind",
            SkipReason::System => "system",
            SkipReason::Never => "never",
            SkipReason::NotChosen => "not_chosen",
            SkipReason::NoContainer => "no_container",
            SkipReason::Container(reason) => reason.code(),
            SkipReason::Template(_) => "template",
            SkipReason::Wildcard => "wildcard",
            SkipReason::Name(_) => "name",
        }
    }
}

impl From<TemplateError> for SkipReason {
    fn from(error: TemplateError) -> SkipReason {
        match error {
            TemplateError::MisplacedWildcard => SkipReason::Wildcard,
            other => SkipReason::Template(other),
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SkipReason::Kind(kind) => write!(
                f,
                "it is of the kind {}, which isn't published",
                quoted_start(kind, MAX_SHOWN)
            ),
            SkipReason::System => {
                f.write_str("it belongs to a system stack, and SYSTEM_SERVICES is 'false'")
            }
            SkipReason::Never => {
                f.write_str("its label io.rancher.service.external_dns is 'never'")
            }
            SkipReason::NotChosen => f.write_str(
                "it has no label io.rancher.service.external_dns, and DEFAULT_POLICY is 'never'",
            ),
            SkipReason::NoContainer => f.write_str("it has no container"),
            SkipReason::Container(reason) => match reason.requirement {
                Requirement::Running => {
                    write!(
                        f,
                        "no container is running (state {})",
                        quoted(&reason.text)
                    )
                }
                Requirement::Healthy => {
                    write!(
                        f,
                        "no container is healthy (health {})",
                        quoted(&reason.text)
                    )
                }
                Requirement::Port => f.write_str(
                    "no container publishes a port on its host; publish one, or set the label \
                     io.rancher.service.external_dns to 'always'",
                ),
                _ => write!(f, "no container counts: one {reason}"),
            },
            SkipReason::Template(error) => {
                write!(f, "its label {NAME_TEMPLATE}: {error}")
            }
            SkipReason::Wildcard => write!(
                f,
                "its label {NAME_TEMPLATE}: {}",
                TemplateError::MisplacedWildcard
            ),
            SkipReason::Name(error) => error.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::NameError;

    #[test]
    fn every_reason_s_code_is_in_the_list_once() {
        let text = || String::from("x");
        let mut all = vec![
            SkipReason::Kind(text()),
            SkipReason::System,
            SkipReason::Never,
            SkipReason::NotChosen,
            SkipReason::NoContainer,
        ];
        let requirements = [
            Requirement::Running,
            Requirement::Healthy,
            Requirement::Port,
            Requirement::Reachable,
            Requirement::HostKnown,
            Requirement::HostIncluded,
            Requirement::Address,
            Requirement::ContainerAddress,
            Requirement::HostLabel,
            Requirement::RecordType,
        ];
        let of_container = |requirement| ContainerSkip::new(requirement, "x");
        all.extend(requirements.map(of_container).map(SkipReason::Container));
        all.extend([
            SkipReason::from(TemplateError::NotClosed),
            SkipReason::from(TemplateError::MisplacedWildcard),
            SkipReason::Name(BadName {
                tried: "x".to_owned(),
                error: NameError::Empty,
            }),
        ]);
        let codes: Vec<&str> = all.iter().map(SkipReason::code).collect();
        assert_eq!(codes, SkipReason::CODES.concat());
    }

    #[test]
    fn where_no_container_counts_the_words_are_about_all_of_them() {
        for (requirement, words) in [
            (
                Requirement::Running,
                "no container is running (state \"x\")",
            ),
            (
                Requirement::Healthy,
                "no container is healthy (health \"x\")",
            ),
            (
                Requirement::Port,
                "no container publishes a port on its host; publish one, or set the label \
                 io.rancher.service.external_dns to 'always'",
            ),
            (
                Requirement::HostKnown,
                "no container counts: one runs on the host \"x\", which metadata lacks",
            ),
        ] {
            let reason = SkipReason::Container(ContainerSkip::new(requirement, "x"));
            assert_eq!(reason.to_string(), words);
        }
    }
}
