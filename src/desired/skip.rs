//! Why a service, or a container of it, isn't published: one closed list, which log, `plan` and
//! status show in the same words.

use std::fmt;

use crate::desired::name_template::TemplateError;
use crate::dns::NameError;

/// A reason. Ordered by how far the service or container came.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SkipReason {
    /// Neither `service` nor `loadBalancerService`.
    Kind(String),
    /// The label says `never`.
    Never,
    /// It has no container.
    NoContainer,
    /// State of the container other than `running`.
    NotRunning(String),
    /// Health other than `healthy`, `updating-healthy` or absent.
    NotHealthy(String),
    /// No port is published on the host.
    NoPort,
    /// The container's host isn't in metadata.
    HostUnknown(String),
    /// The host's label says `false`.
    HostExcluded,
    /// What should be the address is none.
    NotAnAddress(String),
    /// The label's name template can't be read.
    Template(TemplateError),
    /// The name that comes out is none.
    Name(NameError),
}

impl SkipReason {
    /// Every [`SkipReason::code`].
    pub const CODES: [&str; 11] = [
        "kind",
        "never",
        "no_container",
        "not_running",
        "not_healthy",
        "no_port",
        "host_unknown",
        "host_excluded",
        "not_an_address",
        "template",
        "name",
    ];

    /// A word for metrics and for programs, from a closed list.
    pub fn code(&self) -> &'static str {
        match self {
            SkipReason::Kind(_) => "kind",
            SkipReason::Never => "never",
            SkipReason::NoContainer => "no_container",
            SkipReason::NotRunning(_) => "not_running",
            SkipReason::NotHealthy(_) => "not_healthy",
            SkipReason::NoPort => "no_port",
            SkipReason::HostUnknown(_) => "host_unknown",
            SkipReason::HostExcluded => "host_excluded",
            SkipReason::NotAnAddress(_) => "not_an_address",
            SkipReason::Template(_) => "template",
            SkipReason::Name(_) => "name",
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SkipReason::Kind(kind) => write!(f, "a {kind:?} isn't published"),
            SkipReason::Never => f.write_str("its label external_dns is 'never'"),
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
            SkipReason::Template(error) => {
                write!(f, "its label external_dns_name_template: {error}")
            }
            SkipReason::Name(error) => error.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_s_code_is_in_the_list_once() {
        let text = || String::from("x");
        let all = [
            SkipReason::Kind(text()),
            SkipReason::Never,
            SkipReason::NoContainer,
            SkipReason::NotRunning(text()),
            SkipReason::NotHealthy(text()),
            SkipReason::NoPort,
            SkipReason::HostUnknown(text()),
            SkipReason::HostExcluded,
            SkipReason::NotAnAddress(text()),
            SkipReason::Template(TemplateError::NotClosed),
            SkipReason::Name(NameError::Empty),
        ];
        let codes: Vec<&str> = all.iter().map(SkipReason::code).collect();
        assert_eq!(codes, SkipReason::CODES);
    }
}
