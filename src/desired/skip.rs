//! The reasons why a service is not published.
//!
//! The list is closed: the log, `plan`, the status page and the metrics show the same reasons.

use std::fmt;

use crate::base::text::{quoted, quoted_start};
use crate::desired::container::{ContainerSkip, Requirement};
use crate::desired::name_template::{BadName, TemplateError};
use crate::desired::routing::RoutingFault;
use crate::desired::target::TargetFault;
use crate::desired::{EXTERNAL, Rival};
use crate::rancher::labels::LabelKey;

/// Characters of a text from outside that are shown.
const MAX_SHOWN: usize = 80;

/// Why a service is not published. The variants are in the order in which the conditions are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// The service's kind is neither `service` nor `loadBalancerService`; or it is `externalService`, and
    /// nothing says that it is to be published. Holds the kind.
    Kind(String),
    /// The service belongs to a system stack, and `SYSTEM_SERVICES` is `false`.
    System,
    /// The service's label `external_dns` is `never`. Holds its key.
    Never(LabelKey),
    /// The service has no label `external_dns`, and `DEFAULT_POLICY` is `never`.
    NotChosen,
    /// What its name is to lead to can't be published.
    Target(Box<TargetFault>),
    /// Its routing policy, or what belongs to that, isn't understood.
    Routing(Box<RoutingFault>),
    /// The service has no container.
    NoContainer,
    /// It has containers, and none counts. Holds the reason of the one that met the most conditions.
    Container(ContainerSkip),
    /// The name template in the service's label with this key is malformed.
    Template(Box<(LabelKey, TemplateError)>),
    /// The name template in the service's label with this key has a `*` that isn't the first label by
    /// itself.
    Wildcard(LabelKey),
    /// The name template gives a text that is not a domain name. Holds that text, too.
    Name(BadName),
    /// Its name is the zone's own and would be a CNAME, which can't be there.
    CnameAtApex,
    /// Another service wants another answer under the same name.
    TargetDiffers(Box<Rival>),
    /// Another service wants another routing policy under the same name.
    RoutingDiffers(Box<Rival>),
}

impl SkipReason {
    /// The codes of all reasons, in the order of the variants, those of containers in the middle.
    pub const CODES: [&[&str]; 3] = [
        &[
            "kind",
            "system",
            "never",
            "not_chosen",
            "target",
            "routing",
            "no_container",
        ],
        &ContainerSkip::CODES,
        &[
            "template",
            "wildcard",
            "name",
            "cname_at_apex",
            "target_differs",
            "routing_differs",
        ],
    ];

    /// Whether somebody has to correct something: the service asks for a name, and its labels or those of
    /// another service are in the way. Else it is as somebody wants it, or its containers are at fault.
    pub fn is_mistake(&self) -> bool {
        match self {
            SkipReason::Kind(_)
            | SkipReason::System
            | SkipReason::Never(_)
            | SkipReason::NotChosen
            | SkipReason::NoContainer
            | SkipReason::Container(_) => false,
            SkipReason::Target(_)
            | SkipReason::Routing(_)
            | SkipReason::Template(_)
            | SkipReason::Wildcard(_)
            | SkipReason::Name(_)
            | SkipReason::CnameAtApex
            | SkipReason::TargetDiffers(_)
            | SkipReason::RoutingDiffers(_) => true,
        }
    }

    /// A short name for metrics and for programs. It is one of [`SkipReason::CODES`].
    pub fn code(&self) -> &'static str {
        match self {
            SkipReason::Kind(_) => "kind",
            SkipReason::System => "system",
            SkipReason::Never(_) => "never",
            SkipReason::NotChosen => "not_chosen",
            SkipReason::Target(_) => "target",
            SkipReason::Routing(_) => "routing",
            SkipReason::NoContainer => "no_container",
            SkipReason::Container(reason) => reason.code(),
            SkipReason::Template(_) => "template",
            SkipReason::Wildcard(_) => "wildcard",
            SkipReason::Name(_) => "name",
            SkipReason::CnameAtApex => "cname_at_apex",
            SkipReason::TargetDiffers(_) => "target_differs",
            SkipReason::RoutingDiffers(_) => "routing_differs",
        }
    }
}

impl From<(LabelKey, TemplateError)> for SkipReason {
    fn from((key, error): (LabelKey, TemplateError)) -> SkipReason {
        match error {
            TemplateError::MisplacedWildcard => SkipReason::Wildcard(key),
            other => SkipReason::Template(Box::new((key, other))),
        }
    }
}

impl From<TargetFault> for SkipReason {
    fn from(fault: TargetFault) -> SkipReason {
        SkipReason::Target(Box::new(fault))
    }
}

impl From<RoutingFault> for SkipReason {
    fn from(fault: RoutingFault) -> SkipReason {
        SkipReason::Routing(Box::new(fault))
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SkipReason::Kind(kind) if kind == EXTERNAL => f.write_str(
                "it is of the kind \"externalService\", which is published only if its label \
                 io.rancher.service.external_dns is 'always' or it has a label \
                 io.rancher.service.external_dns_target",
            ),
            SkipReason::Kind(kind) => write!(
                f,
                "it is of the kind {}, which isn't published",
                quoted_start(kind, MAX_SHOWN)
            ),
            SkipReason::System => {
                f.write_str("it belongs to a system stack, and SYSTEM_SERVICES is 'false'")
            }
            SkipReason::Never(key) => write!(f, "its label {key} is 'never'"),
            SkipReason::NotChosen => f.write_str(
                "it has no label io.rancher.service.external_dns, and DEFAULT_POLICY is 'never'",
            ),
            SkipReason::NoContainer => f.write_str("it has no container"),
            SkipReason::Target(fault) => fault.fmt(f),
            SkipReason::Routing(fault) => fault.fmt(f),
            SkipReason::Container(reason) => no_container_counts(reason, f),
            SkipReason::Template(fault) => write!(f, "its label {}: {}", fault.0, fault.1),
            SkipReason::Wildcard(key) => {
                write!(f, "its label {key}: {}", TemplateError::MisplacedWildcard)
            }
            SkipReason::Name(error) => error.fmt(f),
            SkipReason::CnameAtApex => f.write_str(
                "its name is the zone's own, where Route 53 allows no CNAME, and its target is a host \
                 name that can have no alias",
            ),
            SkipReason::TargetDiffers(rival) => write!(
                f,
                "{} has another answer by the service {}, which comes first by stack and name",
                rival.name.without_dot(),
                quoted(&rival.service)
            ),
            SkipReason::RoutingDiffers(rival) => write!(
                f,
                "{} has another routing policy, weight, place or health check by the service {}, which \
                 comes first by stack and name",
                rival.name.without_dot(),
                quoted(&rival.service)
            ),
        }
    }
}

/// Says why no container of a service counts, by the one that met the most conditions.
fn no_container_counts(reason: &ContainerSkip, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let text = quoted(&reason.text);
    match reason.requirement {
        Requirement::Running => write!(f, "no container is running (state {text})"),
        Requirement::Healthy => write!(f, "no container is healthy (health {text})"),
        Requirement::Port => f.write_str(
            "no container publishes a port on its host; publish one, or set the label \
             io.rancher.service.external_dns to 'always'",
        ),
        _ => write!(f, "no container counts: one {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Name, NameError};
    use crate::rancher::labels;

    fn key() -> LabelKey {
        LabelKey::usual(labels::POLICY)
    }

    fn rival() -> Box<Rival> {
        Box::new(Rival {
            name: Name::parse("web.example.com").unwrap(),
            service: "shop/<web>\n".to_owned(),
        })
    }

    #[test]
    fn another_service_is_named_with_the_name_that_it_has() {
        let words = SkipReason::TargetDiffers(rival()).to_string();
        assert!(
            words.starts_with("web.example.com has another answer"),
            "{words}"
        );
        assert!(words.contains(" \"shop/<web>\\n\","), "{words}");
    }

    #[test]
    fn a_service_outside_of_rancher_is_told_what_it_needs() {
        let words = |kind: &str| SkipReason::Kind(kind.to_owned()).to_string();
        assert!(words("externalService").contains("'always'"));
        assert_eq!(
            words("dnsService"),
            "it is of the kind \"dnsService\", which isn't published"
        );
    }

    #[test]
    fn every_reason_s_code_is_in_the_list_once() {
        let text = || String::from("x");
        let mut all = vec![
            SkipReason::Kind(text()),
            SkipReason::System,
            SkipReason::Never(key()),
            SkipReason::NotChosen,
            TargetFault::Mixed(key()).into(),
            RoutingFault::Multivalue.into(),
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
            SkipReason::from((key(), TemplateError::NotClosed)),
            SkipReason::from((key(), TemplateError::MisplacedWildcard)),
            SkipReason::Name(BadName {
                tried: "x".to_owned(),
                error: NameError::Empty,
            }),
            SkipReason::CnameAtApex,
            SkipReason::TargetDiffers(rival()),
            SkipReason::RoutingDiffers(rival()),
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
