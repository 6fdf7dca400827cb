//! The reasons why a service is not published.
//!
//! The list is closed: the log, `plan`, the status page and the metrics show the same reasons.

use std::fmt;
use std::net::IpAddr;

use crate::desired::name_template::{BadName, TemplateError};

/// Why a service, or one of its containers, is not published. The variants are in the order in
/// which the conditions are checked, so the greater of two reasons is from the container that met
/// more of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
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
    /// The container's state is not `running`. Holds the state.
    NotRunning(String),
    /// The container has a health check, and its health is neither `healthy` nor
    /// `updating-healthy`. Holds the health.
    NotHealthy(String),
    /// The container publishes no port on its host.
    NoPort,
    /// The container's host is not in metadata. Holds the host's UUID.
    HostUnknown(String),
    /// The host's label `external_dns` is `false`.
    HostExcluded,
    /// The text that should be the container's address is not an IP address. Holds the text.
    NotAnAddress(String),
    /// The container's own address should be published, and this text is none. It is empty if
    /// metadata has none.
    ContainerAddress(String),
    /// The address in a label of the host should be published. Holds the label's key, and whether the
    /// host has such a label, whose text is no address then. The text may be meant for nobody else.
    HostLabel(String, bool),
    /// `RECORD_TYPES` leaves out the container's address.
    RecordType(IpAddr),
    /// The name template in the service's label is malformed.
    Template(TemplateError),
    /// The name template in the service's label has a `*` that isn't the first label by itself.
    Wildcard,
    /// The name template gives a text that is not a domain name. Holds that text, too.
    Name(BadName),
}

impl SkipReason {
    /// The codes of all reasons, in the order of the variants.
    pub const CODES: [&str; 17] = [
        "kind",
        "system",
        "never",
        "not_chosen",
        "no_container",
        "not_running",
        "not_healthy",
        "no_port",
        "host_unknown",
        "host_excluded",
        "not_an_address",
        "container_address",
        "host_label",
        "record_type",
        "template",
        "wildcard",
        "name",
    ];

    /// A short name for metrics and for programs. It is one of [`SkipReason::CODES`].
    pub fn code(&self) -> &'static str {
        match self {
            SkipReason::Kind(_) => "kind",
            SkipReason::System => "system",
            SkipReason::Never => "never",
            SkipReason::NotChosen => "not_chosen",
            SkipReason::NoContainer => "no_container",
            SkipReason::NotRunning(_) => "not_running",
            SkipReason::NotHealthy(_) => "not_healthy",
            SkipReason::NoPort => "no_port",
            SkipReason::HostUnknown(_) => "host_unknown",
            SkipReason::HostExcluded => "host_excluded",
            SkipReason::NotAnAddress(_) => "not_an_address",
            SkipReason::ContainerAddress(_) => "container_address",
            SkipReason::HostLabel(..) => "host_label",
            SkipReason::RecordType(_) => "record_type",
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
            SkipReason::Kind(kind) => write!(f, "a {kind:?} isn't published"),
            SkipReason::System => {
                f.write_str("it belongs to a system stack, and SYSTEM_SERVICES is 'false'")
            }
            SkipReason::Never => f.write_str("its label external_dns is 'never'"),
            SkipReason::NotChosen => f.write_str(
                "it has no label io.rancher.service.external_dns, and DEFAULT_POLICY is 'never'",
            ),
            SkipReason::NoContainer => f.write_str("it has no container"),
            SkipReason::NotRunning(state) => write!(f, "no container is running (state {state:?})"),
            SkipReason::NotHealthy(health) => {
                write!(f, "no container is healthy (health {health:?})")
            }
            SkipReason::NoPort => f.write_str(
                "no container publishes a port on its host; publish one, or set the label \
                 io.rancher.service.external_dns to 'always'",
            ),
            SkipReason::HostUnknown(uuid) => write!(f, "its host {uuid:?} isn't in metadata"),
            SkipReason::HostExcluded => f.write_str("its host's label external_dns is 'false'"),
            SkipReason::NotAnAddress(text) => write!(
                f,
                "{text:?} is no IP address; set the host's label \
                 io.rancher.host.external_dns_ip to one"
            ),
            SkipReason::ContainerAddress(text) if text.is_empty() => {
                f.write_str("its container has no address of its own (primary_ip) in metadata")
            }
            SkipReason::ContainerAddress(text) => {
                write!(
                    f,
                    "its container's own address (primary_ip) is {text:?}, which is none"
                )
            }
            SkipReason::HostLabel(name, false) => {
                write!(
                    f,
                    "its host has no label {name:?}, from which its address is taken"
                )
            }
            SkipReason::HostLabel(name, true) => {
                write!(f, "its host's label {name:?} is no IP address")
            }
            SkipReason::RecordType(address) => {
                write!(f, "RECORD_TYPES leaves out its address {address}")
            }
            SkipReason::Template(error) => {
                write!(f, "its label external_dns_name_template: {error}")
            }
            SkipReason::Wildcard => write!(
                f,
                "its label external_dns_name_template: {}",
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
        let all = [
            SkipReason::Kind(text()),
            SkipReason::System,
            SkipReason::Never,
            SkipReason::NotChosen,
            SkipReason::NoContainer,
            SkipReason::NotRunning(text()),
            SkipReason::NotHealthy(text()),
            SkipReason::NoPort,
            SkipReason::HostUnknown(text()),
            SkipReason::HostExcluded,
            SkipReason::NotAnAddress(text()),
            SkipReason::ContainerAddress(text()),
            SkipReason::HostLabel(text(), false),
            SkipReason::RecordType(IpAddr::from([192, 0, 2, 1])),
            SkipReason::from(TemplateError::NotClosed),
            SkipReason::from(TemplateError::MisplacedWildcard),
            SkipReason::Name(BadName {
                tried: text(),
                error: NameError::Empty,
            }),
        ];
        let codes: Vec<&str> = all.iter().map(SkipReason::code).collect();
        assert_eq!(codes, SkipReason::CODES);
    }
}
