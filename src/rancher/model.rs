//! The documents of Rancher's metadata, as types.
//!
//! In: the JSON of `/self/stack`, `/hosts` and `/services`. Out: the fields that the program needs,
//! or why the JSON is not such a document. Null and missing fields have become empty texts or lists
//! or `None`, and numbers that stand for texts have become texts.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::io::{BufReader, Read};

use serde::Deserialize;

use super::labels::{HostLabels, Labels};
use super::{json_list, lenient};

/// The environment in which this program runs, from `/self/stack`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// Name of the environment, as its owner has typed it.
    pub name: String,
    /// Identifier of the environment, such as `adminProject` or a UUID. It never changes.
    pub uuid: String,
    /// Name of the stack in which this program runs.
    pub own_stack: String,
    /// UUID of that stack. No other Rancher server has a stack with it.
    pub stack_uuid: Option<String>,
}

/// A service, from `/services`. Its texts borrow from the JSON where they have no escapes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Service<'a> {
    /// Name of the service. A sidekick has another name than its primary service.
    pub name: Cow<'a, str>,
    /// Name of the service's stack.
    pub stack_name: Cow<'a, str>,
    /// Kind of the service: `service`, `loadBalancerService` and others.
    pub kind: Cow<'a, str>,
    /// Whether the service belongs to one of Rancher's system stacks.
    pub is_system: bool,
    /// The labels that this program knows.
    pub labels: Labels,
    /// The name that Rancher shows for the service. `None` until one is written back.
    pub fqdn: Option<Cow<'a, str>>,
    /// Whether the service is a sidekick, whose `fqdn` Rancher never sets.
    pub is_sidekick: bool,
    /// Of a load balancer: the host names in its port rules.
    pub lb_hostnames: Vec<Cow<'a, str>>,
    /// Of a service outside of Rancher: its addresses, which may be any texts.
    pub external_ips: Vec<Cow<'a, str>>,
    /// Of a service outside of Rancher: its host name, which may be any text.
    pub hostname: Option<Cow<'a, str>>,
    /// The containers of the service, in Rancher's order.
    pub containers: Vec<Container<'a>>,
}

/// The names by which Rancher's API identifies a service in an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceKey {
    /// The stack's name, as Rancher spells it.
    pub stack: String,
    /// The service's name, as Rancher spells it.
    pub service: String,
}

impl ServiceKey {
    /// Whether it is this service's.
    pub fn names(&self, service: &Service<'_>) -> bool {
        self.stack == service.stack_name && self.service == service.name
    }
}

impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.stack, self.service)
    }
}

/// A container of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container<'a> {
    /// Name of the container.
    pub name: Cow<'a, str>,
    /// State of the container: `running`, `stopped` and others.
    pub state: Cow<'a, str>,
    /// Result of the health check: `healthy`, `unhealthy` and others. `None` without a health
    /// check.
    pub health_state: Option<Cow<'a, str>>,
    /// UUID of the container's host.
    pub host_uuid: Cow<'a, str>,
    /// Its own address, in Rancher's network. `None` if it has none.
    pub primary_ip: Option<Cow<'a, str>>,
    /// Port mappings in Rancher's form, such as `203.0.113.11:8080:80/tcp`.
    pub ports: Vec<Cow<'a, str>>,
}

/// A host, from `/hosts`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Host {
    /// Address of Rancher's agent on the host. It may be any text.
    pub agent_ip: String,
    /// Its labels.
    pub labels: HostLabels,
}

impl Container<'_> {
    /// Whether the program in the container may be running. Rancher shows `running` only a moment
    /// after it has started, and other states while a container is restarted or updated.
    pub fn may_be_alive(&self) -> bool {
        let states = ["running", "starting", "restarting", "updating-running"];
        states.contains(&&*self.state)
    }
}

impl Service<'_> {
    /// A copy that does not borrow from the JSON.
    pub fn into_owned(self) -> Service<'static> {
        fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
            text.into_owned().into()
        }
        let container = |container: Container<'_>| Container {
            name: owned(container.name),
            state: owned(container.state),
            health_state: container.health_state.map(owned),
            host_uuid: owned(container.host_uuid),
            primary_ip: container.primary_ip.map(owned),
            ports: container.ports.into_iter().map(owned).collect(),
        };
        Service {
            name: owned(self.name),
            stack_name: owned(self.stack_name),
            kind: owned(self.kind),
            is_system: self.is_system,
            labels: self.labels,
            fqdn: self.fqdn.map(owned),
            is_sidekick: self.is_sidekick,
            lb_hostnames: self.lb_hostnames.into_iter().map(owned).collect(),
            external_ips: self.external_ips.into_iter().map(owned).collect(),
            hostname: self.hostname.map(owned),
            containers: self.containers.into_iter().map(container).collect(),
        }
    }
}

#[derive(Deserialize)]
struct RawStack {
    #[serde(default, deserialize_with = "lenient::owned_text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient::owned_text")]
    environment_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::owned_text")]
    environment_uuid: Option<String>,
    #[serde(default, deserialize_with = "lenient::owned_text")]
    uuid: Option<String>,
}

#[derive(Deserialize)]
struct RawService<'a> {
    #[serde(borrow, default, deserialize_with = "lenient::text")]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "lenient::text")]
    stack_name: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "lenient::text")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "lenient::text")]
    system: Option<Cow<'a, str>>,
    #[serde(default)]
    labels: Labels,
    #[serde(borrow, default, deserialize_with = "lenient::text")]
    fqdn: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "lenient::text")]
    primary_service_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    lb_config: Option<RawLoadBalancer<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient::texts")]
    external_ips: Vec<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "lenient::text")]
    hostname: Option<Cow<'a, str>>,
    #[serde(
        borrow,
        default,
        deserialize_with = "lenient::list::<_, RawContainer<'a>, _>"
    )]
    containers: Vec<Container<'a>>,
}

#[derive(Deserialize)]
struct RawLoadBalancer<'a> {
    #[serde(
        borrow,
        default,
        deserialize_with = "lenient::list::<_, RawPortRule<'a>, _>"
    )]
    port_rules: Vec<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct RawPortRule<'a> {
    #[serde(borrow, default, deserialize_with = "lenient::text")]
    hostname: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct RawContainer<'a> {
    #[serde(borrow, default, deserialize_with = "lenient::text")]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "lenient::text")]
    state: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "lenient::text")]
    health_state: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "lenient::text")]
    host_uuid: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "lenient::text")]
    primary_ip: Option<Cow<'a, str>>,
    #[serde(
        borrow,
        default,
        deserialize_with = "lenient::list::<_, lenient::MaybeText<'a>, _>"
    )]
    ports: Vec<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct RawHost {
    #[serde(default, deserialize_with = "lenient::owned_text")]
    uuid: Option<String>,
    #[serde(default, deserialize_with = "lenient::owned_text")]
    agent_ip: Option<String>,
    #[serde(default)]
    labels: HostLabels,
}

impl<'a> From<RawService<'a>> for Option<Service<'a>> {
    fn from(raw: RawService<'a>) -> Self {
        let name = raw.name.unwrap_or_default();
        let is_sidekick = raw
            .primary_service_name
            .is_some_and(|p| !p.is_empty() && p != name);
        Some(Service {
            name,
            stack_name: raw.stack_name.unwrap_or_default(),
            kind: raw.kind.unwrap_or_default(),
            is_system: raw.system.as_deref() == Some("true"),
            labels: raw.labels,
            fqdn: raw.fqdn.filter(|fqdn| !fqdn.is_empty()),
            is_sidekick,
            lb_hostnames: raw.lb_config.map_or(Vec::new(), |lb| lb.port_rules),
            external_ips: raw.external_ips,
            hostname: raw.hostname.filter(|name| !name.trim().is_empty()),
            containers: raw.containers,
        })
    }
}

impl<'a> From<RawPortRule<'a>> for Option<Cow<'a, str>> {
    fn from(raw: RawPortRule<'a>) -> Self {
        raw.hostname.filter(|name| !name.trim().is_empty())
    }
}

impl<'a> From<RawContainer<'a>> for Option<Container<'a>> {
    fn from(raw: RawContainer<'a>) -> Self {
        Some(Container {
            name: raw.name.unwrap_or_default(),
            state: raw.state.unwrap_or_default(),
            health_state: raw.health_state.filter(|state| !state.is_empty()),
            host_uuid: raw.host_uuid.unwrap_or_default(),
            primary_ip: raw.primary_ip.filter(|ip| !ip.is_empty()),
            ports: raw.ports,
        })
    }
}

impl<'a> From<lenient::MaybeText<'a>> for Option<Cow<'a, str>> {
    fn from(raw: lenient::MaybeText<'a>) -> Self {
        raw.0
    }
}

impl From<RawHost> for Option<(String, Host)> {
    fn from(raw: RawHost) -> Self {
        let host = Host {
            agent_ip: raw.agent_ip.unwrap_or_default(),
            labels: raw.labels,
        };
        raw.uuid
            .filter(|uuid| !uuid.is_empty())
            .map(|uuid| (uuid, host))
    }
}

/// Reads the answer to `/self/stack`. An error if the name of the stack, or the name or UUID of the
/// environment, is missing.
pub fn read_environment(json: impl Read) -> Result<Environment, String> {
    let raw: RawStack =
        serde_json::from_reader(BufReader::new(json)).map_err(|error| error.to_string())?;
    let required = |text: Option<String>, field: &str| {
        text.filter(|t| !t.is_empty())
            .ok_or_else(|| format!("it has no {field}"))
    };
    Ok(Environment {
        name: required(raw.environment_name, "environment_name")?,
        uuid: required(raw.environment_uuid, "environment_uuid")?,
        own_stack: required(raw.name, "name")?,
        stack_uuid: raw.uuid.filter(|uuid| !uuid.is_empty()),
    })
}

/// Reads the answer to `/services`, and hands each service to `take`, in Rancher's order. After an
/// error, `take` has not been given all services.
pub fn read_services(mut json: impl Read, take: &mut dyn FnMut(Service<'_>)) -> Result<(), String> {
    json_list::for_each(&mut json, &mut |text| {
        json_list::decode_first(text, &mut |raw: Option<RawService<'_>>| {
            if let Some(service) = raw.and_then(Into::<Option<Service<'_>>>::into) {
                take(service);
            }
        })
    })
}

/// Reads the answer to `/hosts`: the hosts by UUID.
pub fn read_hosts(mut json: impl Read) -> Result<HashMap<String, Host>, String> {
    let mut hosts = HashMap::new();
    json_list::for_each(&mut json, &mut |text| {
        json_list::decode_first(text, &mut |raw: Option<RawHost>| {
            hosts.extend(raw.and_then(Into::<Option<(String, Host)>>::into));
        })
    })?;
    Ok(hosts)
}

#[cfg(test)]
mod tests;
