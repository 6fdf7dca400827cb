//! Why a service, or a container of it, isn't published: one closed list, which log, `plan` and
//! status show in the same words.

use std::fmt;

use crate::desired::name_template::TemplateError;
use crate::dns::NameError;

/// A reason. Ordered by how far the service or container came.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skip {
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

impl Skip {
    /// Every [`Skip::code`].
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
            Skip::Kind(_) => "kind",
            Skip::Never => "never",
            Skip::NoContainer => "no_container",
            Skip::NotRunning(_) => "not_running",
            Skip::NotHealthy(_) => "not_healthy",
            Skip::NoPort => "no_port",
            Skip::HostUnknown(_) => "host_unknown",
            Skip::HostExcluded => "host_excluded",
            Skip::NotAnAddress(_) => "not_an_address",
            Skip::Template(_) => "template",
            Skip::Name(_) => "name",
        }
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Skip::Kind(kind) => write!(f, "a {kind:?} isn't published"),
            Skip::Never => f.write_str("its label external_dns is 'never'"),
            Skip::NoContainer => f.write_str("it has no container"),
            Skip::NotRunning(state) => write!(f, "no container is running (state {state:?})"),
            Skip::NotHealthy(health) => write!(f, "no container is healthy (health {health:?})"),
            Skip::NoPort => f.write_str(
                "no container publishes a port on its host; publish one, or set the label \
                 io.rancher.service.external_dns to 'always'",
            ),
            Skip::HostUnknown(uuid) => write!(f, "its host {uuid:?} isn't in metadata"),
            Skip::HostExcluded => f.write_str("its host's label external_dns is 'false'"),
            Skip::NotAnAddress(text) => write!(
                f,
                "{text:?} is no IP address; set the host's label \
                 io.rancher.host.external_dns_ip to one"
            ),
            Skip::Template(error) => write!(f, "its label external_dns_name_template: {error}"),
            Skip::Name(error) => error.fmt(f),
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
            Skip::Kind(text()),
            Skip::Never,
            Skip::NoContainer,
            Skip::NotRunning(text()),
            Skip::NotHealthy(text()),
            Skip::NoPort,
            Skip::HostUnknown(text()),
            Skip::HostExcluded,
            Skip::NotAnAddress(text()),
            Skip::Template(TemplateError::NotClosed),
            Skip::Name(NameError::Empty),
        ];
        let codes: Vec<&str> = all.iter().map(Skip::code).collect();
        assert_eq!(codes, Skip::CODES);
    }
}
