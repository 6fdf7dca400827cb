//! World in, the JSON of metadata version 2015-12-19 out, field by field as captured from a
//! real server (tests/samples), those fields included that rancher-route53 never reads.
//!
//! Structs and a streaming writer, not `json!`: 10,000 services make 68 MB.

use super::world::{Container, Host, Service, World, hash, hex, uuid};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::io;

/// `/services`: `null` when there is none.
pub fn services(world: &World, order: u64) -> Vec<u8> {
    to_json(&ShownServices::of(world, world.services.iter(), order))
}

/// `/hosts`: `null` when there is none.
pub fn hosts(world: &World, order: u64) -> Vec<u8> {
    let hosts = in_order(order, world.hosts.iter(), |h| (&h.uuid, &h.name));
    let shown: Vec<ShownHost> = hosts.iter().map(|h| host(world, h)).collect();
    to_json(&(!shown.is_empty()).then_some(shown))
}

/// `/self/stack`: `None` when the caller's address belongs to no container.
pub fn self_stack(world: &World, order: u64) -> Option<Vec<u8>> {
    let name = world.own_stack.as_deref()?;
    let own = world.services.iter().filter(|s| s.stack == name);
    Some(to_json(&ShownStack {
        environment_name: &world.environment_name,
        environment_uuid: &world.environment_uuid,
        metadata_kind: "stack",
        name,
        services: ShownServices::of(world, own, order),
        system: false,
        uuid: stack_uuid(world, name),
    }))
}

/// Lists have an order of their own each time that they are made: the real server goes through Go's
/// maps (config/generator.go of rancher-metadata: addDefaultToAnswers, applyVersionToData). Not so the
/// containers of a service.
fn in_order<'a, T>(
    order: u64,
    items: impl Iterator<Item = &'a T>,
    id: impl Fn(&T) -> (&str, &str),
) -> Vec<&'a T> {
    let mut items: Vec<&T> = items.collect();
    items.sort_by_cached_key(|item| {
        let (uuid, name) = id(item);
        hash(&format!("{order} {uuid} {name}"))
    });
    items
}

/// JSON as Go's encoder writes it.
pub fn to_json(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, AsGo);
    value.serialize(&mut serializer).expect("plain data");
    bytes
}

/// Go writes `&`, `<` and `>` in strings as `\u0026`, `\u003c` and `\u003e`.
struct AsGo;

impl serde_json::ser::Formatter for AsGo {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut rest = fragment.as_bytes();
        while let Some(at) = rest.iter().position(|b| matches!(b, b'&' | b'<' | b'>')) {
            writer.write_all(&rest[..at])?;
            write!(writer, "\\u{:04x}", rest[at])?;
            rest = &rest[at + 1..];
        }
        writer.write_all(rest)
    }
}

/// What rendering one service needs to know of the rest of the world.
struct Look<'a> {
    world: &'a World,
    hosts: HashMap<&'a str, &'a Host>,
    primaries: HashMap<(&'a str, &'a str), &'a Service>,
    /// The names of each primary's sidekicks.
    sidekicks: HashMap<(&'a str, &'a str), Vec<&'a str>>,
    /// Those on which Rancher runs its health checks.
    checkers: Vec<&'a str>,
    network_uuid: String,
    stack_uuids: HashMap<&'a str, String>,
}

impl<'a> Look<'a> {
    fn at(world: &'a World) -> Look<'a> {
        let primaries = world.services.iter().filter(|s| s.sidekick_of.is_none());
        let mut stack_uuids = HashMap::new();
        let mut sidekicks: HashMap<_, Vec<&str>> = HashMap::new();
        for s in &world.services {
            if let Some(primary) = &s.sidekick_of {
                let of = sidekicks.entry((s.stack.as_str(), primary.as_str()));
                of.or_default().push(&s.name);
            }
            let new = || stack_uuid(world, &s.stack);
            stack_uuids.entry(s.stack.as_str()).or_insert_with(new);
        }
        Look {
            world,
            hosts: world.hosts.iter().map(|h| (h.name.as_str(), h)).collect(),
            primaries: primaries
                .map(|s| ((s.stack.as_str(), s.name.as_str()), s))
                .collect(),
            sidekicks,
            checkers: world.hosts.iter().take(3).map(|h| &*h.uuid).collect(),
            network_uuid: uuid(&world.environment_uuid),
            stack_uuids,
        }
    }
}

/// A list of services, each made only when it is written: all at once would take more memory
/// than the JSON.
struct ShownServices<'a> {
    look: Look<'a>,
    all: Vec<&'a Service>,
}

impl<'a> ShownServices<'a> {
    fn of(
        world: &'a World,
        services: impl Iterator<Item = &'a Service>,
        order: u64,
    ) -> ShownServices<'a> {
        ShownServices {
            look: Look::at(world),
            all: in_order(order, services, |s| (&s.uuid, &s.name)),
        }
    }
}

impl Serialize for ShownServices<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.all.is_empty() {
            true => serializer.serialize_none(),
            false => serializer.collect_seq(self.all.iter().map(|s| service(&self.look, s))),
        }
    }
}

fn service<'a>(look: &'a Look, s: &'a Service) -> ShownService<'a> {
    let has_containers = matches!(s.kind.as_str(), "service" | "loadBalancerService");
    let primary = s.sidekick_of.as_deref().unwrap_or(&s.name);
    let holder = look.primaries.get(&(&*s.stack, primary)).unwrap_or(&s);
    let shown = s.containers.iter().map(|c| container(look, s, c));
    let is_checked = s.containers.iter().any(|c| c.health_state.is_some());
    let sidekicks = look.sidekicks.get(&(&*s.stack, &*s.name));
    ShownService {
        containers: (has_containers || !s.containers.is_empty()).then(|| shown.collect()),
        create_index: s.containers.iter().map(|c| c.index).max().unwrap_or(0),
        environment_uuid: &look.world.environment_uuid,
        expose: [],
        external_ips: (s.kind != "dnsService").then_some(&s.external_ips),
        fqdn: holder.fqdn.as_deref(),
        health_check: is_checked.then(|| {
            json!({
                "healthy_threshold": 2, "interval": 2000, "port": 80,
                "request_line": "GET /health HTTP/1.0",
                "response_timeout": 2000, "unhealthy_threshold": 3
            })
        }),
        hostname: s.hostname.as_deref(),
        kind: &s.kind,
        labels: (!s.labels.is_empty()).then_some(&s.labels),
        lb_config: (s.kind == "loadBalancerService").then(|| load_balancer(s)),
        links: None,
        metadata: json!({
            "release": {"commit": hex(&s.name, 40), "version": "1.27.3"}, "team": "payments"
        }),
        metadata_kind: "service",
        name: &s.name,
        ports: match s.containers.first() {
            Some(first) => Some(&first.ports),
            None => (s.kind != "dnsService").then_some(const { &Vec::new() }),
        },
        primary_service_name: primary,
        scale: s.containers.len(),
        sidekicks: sidekicks.map_or(&[], Vec::as_slice),
        stack_name: &s.stack,
        stack_uuid: &look.stack_uuids[&*s.stack],
        state: &s.state,
        system: s.system,
        token: (!has_containers).then(|| hex(&s.uuid, 40)),
        uuid: &s.uuid,
        vip: None,
    }
}

fn load_balancer(s: &Service) -> Value {
    let rule = |hostname: &String| {
        json!({
            "backend_name": null, "container": null, "environment": null,
            "hostname": hostname, "path": "/", "priority": 1, "protocol": "https",
            "region": null, "selector": null, "service": format!("{}/web", s.stack),
            "service_uuid": null, "source_port": 443, "target_port": 8080
        })
    };
    json!({
        "certs": ["shop-example"], "config": null, "default_cert": "shop-example",
        "port_rules": s.lb_hostnames.iter().map(rule).collect::<Vec<_>>(),
        "stickiness_policy": null
    })
}

fn container<'a>(look: &'a Look, s: &'a Service, c: &'a Container) -> ShownContainer<'a> {
    let host = look.hosts.get(c.host.as_str());
    let agent_ip = host.and_then(|h| h.agent_ip.as_deref());
    let ip = c.primary_ip();
    let mac = format!("02:e3:92:{:02x}:10:a1", c.index & 255);
    let dns_search = [
        format!("{}.{}.rancher.internal", s.name, s.stack),
        format!("{}.rancher.internal", s.stack),
        "rancher.internal".to_owned(),
    ];
    ShownContainer {
        create_index: c.index,
        dns: ["169.254.169.250"],
        dns_search,
        environment_uuid: &look.world.environment_uuid,
        external_id: hex(&c.uuid, 64),
        health_check: None,
        health_check_hosts: &look.checkers,
        health_state: c.health_state.as_deref(),
        host_uuid: host.map_or_else(|| uuid(&c.host), |h| h.uuid.clone()),
        hostname: None,
        ips: [ip.clone()],
        labels: container_labels(s, c, &ip, &mac),
        links: None,
        memory_reservation: 134_217_728,
        metadata_kind: "container",
        milli_cpu_reservation: None,
        name: &c.name,
        network_from_container_uuid: None,
        network_uuid: &look.network_uuid,
        ports: c.ports.iter().map(|p| shown_port(p, agent_ip)).collect(),
        primary_ip: (!c.is_without_ip).then_some(ip),
        primary_mac_address: mac,
        service_index: c.index.to_string(),
        service_name: &s.name,
        service_uuid: &s.uuid,
        stack_name: &s.stack,
        stack_uuid: &look.stack_uuids[&*s.stack],
        start_count: 1,
        state: &c.state,
        system: s.system,
        uuid: &c.uuid,
    }
}

/// Those that Rancher sets, and those of the service that users set for what runs in it.
fn container_labels(s: &Service, c: &Container, ip: &str, mac: &str) -> Map<String, Value> {
    const PREFIXES: [&str; 2] = ["io.rancher.service.", "io.pasturestack.service."];
    const OF_SERVICE_ONLY: &str = "io.rancher.service.hash";
    let inherited = s.labels.iter().filter(|(name, _)| {
        PREFIXES.iter().any(|p| name.starts_with(p)) && *name != OF_SERVICE_ONLY
    });
    let mut labels: Map<String, Value> = inherited.map(|(n, v)| (n.clone(), v.clone())).collect();
    let full_name = format!("{}/{}", s.stack, s.name);
    let launch_config = match s.sidekick_of {
        Some(_) => &s.name,
        None => "io.rancher.service.primary.launch.config",
    };
    let mut set = |name: &str, value: String| labels.insert(name.into(), value.into());
    set("io.rancher.cni.network", "ipsec".into());
    set("io.rancher.cni.wait", "true".into());
    set("io.rancher.container.ip", format!("{ip}/16"));
    set("io.rancher.container.mac_address", mac.into());
    set("io.rancher.container.name", c.name.clone());
    set("io.rancher.container.uuid", c.uuid.clone());
    set("io.rancher.environment.uuid", "adminProject".into());
    set("io.rancher.project.name", s.stack.clone());
    set("io.rancher.project_service.name", full_name.clone());
    let unit = format!("{} unit {}", s.uuid, c.index);
    set("io.rancher.service.deployment.unit", uuid(&unit));
    set("io.rancher.service.launch.config", launch_config.into());
    set("io.rancher.stack.name", s.stack.clone());
    set("io.rancher.stack_service.name", full_name);
    labels.extend(c.labels.iter().map(|(n, v)| (n.clone(), v.clone())));
    labels
}

/// What version 2015-12-19 makes of a port as Cattle stores it: the host's agent address goes
/// in front, also of one that isn't published at all, unless there is a bind address.
fn shown_port(port: &str, agent_ip: Option<&str>) -> String {
    let Some(agent_ip) = agent_ip else {
        return port.to_owned();
    };
    let rest = port.strip_prefix("0.0.0.0:").unwrap_or(port);
    let numbers = rest.split_once('/').map_or(rest, |(n, _)| n);
    let is_plain =
        numbers.split(':').count() <= 2 && numbers.split(':').all(|n| n.parse::<u16>().is_ok());
    match is_plain {
        true => format!("{agent_ip}:{rest}"),
        false => port.to_owned(),
    }
}

fn host<'a>(world: &'a World, h: &'a Host) -> ShownHost<'a> {
    let mut labels = Map::new();
    let mut set = |name: &str, value: &str| labels.insert(name.into(), value.into());
    set("io.rancher.host.agent_image", "rancher/agent:v1.2.11");
    set("io.rancher.host.docker_version", "17.03");
    set("io.rancher.host.kvm", "true");
    set("io.rancher.host.linux_kernel_version", "4.4");
    set("io.rancher.host.os", "linux");
    set("region", "eu-west-1");
    set("tier", "app");
    labels.extend(h.labels.iter().map(|(n, v)| (n.clone(), v.clone())));
    ShownHost {
        agent_ip: h.agent_ip.as_deref(),
        agent_state: h.agent_state.as_deref(),
        environment_uuid: &world.environment_uuid,
        host_id: h.id,
        hostname: &h.name,
        labels,
        local_storage_mb: 50_117,
        memory: 8_370_196_480,
        metadata_kind: "host",
        milli_cpu: 4000,
        name: &h.name,
        state: &h.state,
        uuid: &h.uuid,
    }
}

fn stack_uuid(world: &World, stack: &str) -> String {
    let World {
        environment_uuid,
        server,
        ..
    } = world;
    uuid(&format!("{environment_uuid} {server}{stack}"))
}

/// A field that is `null` in every answer captured.
type Null = Option<()>;

#[derive(Serialize)]
struct ShownStack<'a> {
    environment_name: &'a str,
    environment_uuid: &'a str,
    metadata_kind: &'a str,
    name: &'a str,
    services: ShownServices<'a>,
    system: bool,
    uuid: String,
}

#[derive(Serialize)]
struct ShownService<'a> {
    containers: Option<Vec<ShownContainer<'a>>>,
    create_index: usize,
    environment_uuid: &'a str,
    expose: [&'a str; 0],
    external_ips: Option<&'a Vec<String>>,
    fqdn: Option<&'a str>,
    health_check: Option<Value>,
    hostname: Option<&'a str>,
    kind: &'a str,
    labels: Option<&'a Map<String, Value>>,
    lb_config: Option<Value>,
    links: Null,
    metadata: Value,
    metadata_kind: &'a str,
    name: &'a str,
    ports: Option<&'a Vec<String>>,
    primary_service_name: &'a str,
    scale: usize,
    sidekicks: &'a [&'a str],
    stack_name: &'a str,
    stack_uuid: &'a str,
    state: &'a str,
    system: bool,
    token: Option<String>,
    uuid: &'a str,
    vip: Null,
}

#[derive(Serialize)]
struct ShownContainer<'a> {
    create_index: usize,
    dns: [&'a str; 1],
    dns_search: [String; 3],
    environment_uuid: &'a str,
    external_id: String,
    health_check: Null,
    health_check_hosts: &'a [&'a str],
    health_state: Option<&'a str>,
    host_uuid: String,
    hostname: Null,
    ips: [String; 1],
    labels: Map<String, Value>,
    links: Null,
    memory_reservation: u64,
    metadata_kind: &'a str,
    milli_cpu_reservation: Null,
    name: &'a str,
    network_from_container_uuid: Null,
    network_uuid: &'a str,
    ports: Vec<String>,
    primary_ip: Option<String>,
    primary_mac_address: String,
    service_index: String,
    service_name: &'a str,
    service_uuid: &'a str,
    stack_name: &'a str,
    stack_uuid: &'a str,
    start_count: u32,
    state: &'a str,
    system: bool,
    uuid: &'a str,
}

#[derive(Serialize)]
struct ShownHost<'a> {
    agent_ip: Option<&'a str>,
    agent_state: Option<&'a str>,
    environment_uuid: &'a str,
    #[serde(rename = "hostId")]
    host_id: usize,
    hostname: &'a str,
    labels: Map<String, Value>,
    local_storage_mb: u64,
    memory: u64,
    metadata_kind: &'a str,
    milli_cpu: u64,
    name: &'a str,
    state: &'a str,
    uuid: &'a str,
}

#[cfg(test)]
mod tests;
