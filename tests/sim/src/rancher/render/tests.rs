//! What is rendered, against answers captured from a real server.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

const SERVICES: &str = include_str!("../../../../samples/services.json");
const HOSTS: &str = include_str!("../../../../samples/hosts.json");
const SELF_STACK: &str = include_str!("../../../../samples/self-stack.json");

/// The names of the fields of every object, by where it is, and the JSON types at each place.
fn shape(value: &Value) -> BTreeMap<String, BTreeSet<String>> {
    fn walk(at: &str, value: &Value, shape: &mut BTreeMap<String, BTreeSet<String>>) {
        let kinds = shape.entry(at.to_owned()).or_default();
        match value {
            Value::Null => kinds.insert("null".into()),
            Value::Bool(_) => kinds.insert("bool".into()),
            Value::Number(_) => kinds.insert("number".into()),
            Value::String(_) => kinds.insert("string".into()),
            Value::Array(_) => kinds.insert("array".into()),
            Value::Object(_) => kinds.insert("object".into()),
        };
        match value {
            Value::Array(items) => items
                .iter()
                .for_each(|item| walk(&format!("{at}[]"), item, shape)),
            Value::Object(fields) => fields
                .iter()
                .for_each(|(name, item)| walk(&format!("{at}.{name}"), item, shape)),
            _ => {}
        }
    }
    let mut found = BTreeMap::new();
    walk("", value, &mut found);
    found
}

fn parse(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// The world that the samples were captured from.
fn sampled() -> World {
    let mut world = World::new("Production EU", "1a726b88-f6b1-53ad-8dac-f631830b5815");
    world.remove_host("infra");
    for i in 1..=4 {
        world.add_host(&format!("h{i}"), &format!("203.0.113.{}", 10 + i));
    }
    let host = world.host_mut("h3");
    host.label("io.rancher.host.external_dns_ip", "2001:db8:20::13");
    let host = world.host_mut("h4");
    host.label("io.rancher.host.external_dns", "false");
    world
        .service_mut("route53", "external-dns")
        .add_container("h1");
    let web = world.add_service("shop", "web");
    web.fqdn = Some("web.shop.production-eu.example.com".into());
    web.run_on("h1", 8080).run_on("h2", 8080);
    world
        .add_sidekick("shop", "web", "web-nginx")
        .run_with("h1", &["0.0.0.0:8081:80/tcp"]);
    world
        .add_service("Monitoring & Co.", "Status page")
        .run_with("h3", &["8088:80/tcp"]);
    world
        .add_service("shop", "Cart_Service")
        .label("io.rancher.service.external_dns_name_template", "cart")
        .run_on("h1", 9000);
    world
        .add_service("db", "replica")
        .label("io.rancher.service.external_dns", "always")
        .run_bound_on("h4", "10.20.0.14", 5432)
        .health_on("h4", None);
    world
        .add_service_of_kind("loadBalancerService", "shop", "frontend")
        .run_with("h1", &["443:443/tcp", "80:80/tcp"]);
    let smtp = world.add_service_of_kind("externalService", "mail", "smtp");
    smtp.external_ips = vec!["198.51.100.25".into()];
    world.add_service_of_kind("dnsService", "mail", "queue");
    world
}

#[test]
fn services_have_the_shape_of_real_ones() {
    let real: Value = serde_json::from_str(SERVICES).unwrap();
    assert_eq!(shape(&parse(&services(&sampled(), 0))), shape(&real));
}

#[test]
fn hosts_have_the_shape_of_real_ones() {
    let real: Value = serde_json::from_str(HOSTS).unwrap();
    assert_eq!(shape(&parse(&hosts(&sampled(), 0))), shape(&real));
}

#[test]
fn the_own_stack_has_the_shape_of_a_real_one() {
    let real: Value = serde_json::from_str(SELF_STACK).unwrap();
    let ours = parse(&self_stack(&sampled(), 0).unwrap());
    assert_eq!(shape(&ours), shape(&real));
    assert_eq!(ours["name"], real["name"]);
    assert_eq!(ours["environment_name"], real["environment_name"]);
    assert_eq!(ours["services"][0]["name"], real["services"][0]["name"]);
}

/// Nobody can build on the order of a list.
#[test]
fn the_same_services_and_hosts_come_in_another_order_each_time() {
    for render in [services, hosts] {
        let [one, again, other] = [1, 1, 2].map(|order| render(&World::of_size(20), order));
        assert_eq!(one, again);
        assert_ne!(one, other);
        let sorted = |json: &[u8]| {
            let Value::Array(mut items) = parse(json) else {
                panic!("not a list")
            };
            items.sort_by_key(Value::to_string);
            items
        };
        assert_eq!(sorted(&one), sorted(&other));
    }
}

/// The samples come from Go's encoder: its output and ours for the same data are the same bytes.
#[test]
fn json_is_written_as_the_real_server_writes_it() {
    for sample in [SERVICES, HOSTS, SELF_STACK] {
        let value: Value = serde_json::from_str(sample).unwrap();
        assert_eq!(to_json(&value), sample.trim_end().as_bytes());
    }
}

/// Fields in the order of a real answer: alphabetical.
#[test]
fn fields_are_sorted() {
    for bytes in [services(&sampled(), 0), hosts(&sampled(), 0)] {
        assert_eq!(to_json(&parse(&bytes)), bytes);
    }
}

#[test]
fn no_services_and_no_hosts_are_null() {
    let mut world = World::new("Production", "uuid");
    world.services.clear();
    world.hosts.clear();
    world.own_stack = None;
    assert_eq!(services(&world, 0), b"null");
    assert_eq!(hosts(&world, 0), b"null");
    assert_eq!(self_stack(&world, 0), None);
}

#[test]
fn ports_are_shown_as_2015_12_19_shows_them() {
    for (stored, shown) in [
        ("8080:80/tcp", "203.0.113.11:8080:80/tcp"),
        ("0.0.0.0:8080:80/tcp", "203.0.113.11:8080:80/tcp"),
        ("192.0.2.7:53:53/udp", "192.0.2.7:53:53/udp"),
        ("80/tcp", "203.0.113.11:80/tcp"),
        ("203.0.113.11:8080:80/tcp", "203.0.113.11:8080:80/tcp"),
        ("203.0.113.14:5432/tcp", "203.0.113.14:5432/tcp"),
        ("nonsense", "nonsense"),
    ] {
        assert_eq!(shown_port(stored, Some("203.0.113.11")), shown);
    }
    assert_eq!(shown_port("8080:80/tcp", None), "8080:80/tcp");
}

#[test]
fn a_sidekick_shows_its_primarys_uuid_fqdn_and_name() {
    let services = parse(&services(&sampled(), 0));
    let find = |name: &str| {
        let all = services.as_array().unwrap();
        all.iter().find(|s| s["name"] == name).unwrap().clone()
    };
    let (primary, sidekick) = (find("web"), find("web-nginx"));
    assert_eq!(sidekick["uuid"], primary["uuid"]);
    assert_eq!(sidekick["fqdn"], "web.shop.production-eu.example.com");
    assert_eq!(sidekick["primary_service_name"], "web");
    assert_eq!(primary["sidekicks"], json!(["web-nginx"]));
}

#[test]
fn a_container_refers_to_its_host_by_uuid_also_when_nobody_knows_it() {
    let mut world = sampled();
    world.add_service("shop", "lost").run_on("gone", 80);
    let services = parse(&services(&world, 0));
    let hosts = parse(&hosts(&world, 0));
    let known: Vec<&Value> = hosts
        .as_array()
        .unwrap()
        .iter()
        .map(|h| &h["uuid"])
        .collect();
    for service in services.as_array().unwrap() {
        for container in service["containers"].as_array().unwrap_or(&vec![]) {
            let expected = service["name"] != "lost";
            assert_eq!(known.contains(&&container["host_uuid"]), expected);
        }
    }
}

/// A real server's answer had 70 KB for 10, 677 KB for 100 and 6.8 MB for 1,000.
#[test]
fn a_big_world_is_as_big_as_a_real_one() {
    for (n, real) in [(10, 70_000.0), (100, 677_000.0), (1_000, 6_800_000.0)] {
        let length = services(&World::of_size(n), 0).len() as f64;
        assert!((0.95..1.05).contains(&(length / real)), "{n}: {length}");
    }
}
