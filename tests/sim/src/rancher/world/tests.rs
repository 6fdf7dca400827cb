//! The model by itself.

use super::*;

fn world() -> World {
    let mut world = World::new("Production EU", "1a726b88-f6b1-53ad-8dac-f631830b5815");
    for (name, ip) in [("h1", "203.0.113.11"), ("h2", "203.0.113.12")] {
        world.add_host(name, ip);
    }
    world
}

fn hosts_of(world: &World, stack: &str, name: &str) -> Vec<String> {
    let service = world.service(stack, name).unwrap();
    service.containers.iter().map(|c| c.host.clone()).collect()
}

#[test]
fn the_same_calls_make_the_same_world() {
    assert_eq!(World::of_size(30), World::of_size(30));
}

#[test]
fn a_service_made_anew_has_a_new_uuid() {
    let mut world = world();
    let first = world.add_service("shop", "web").uuid.clone();
    assert!(world.remove_service("shop", "web"));
    assert!(!world.remove_service("shop", "web"));
    assert_ne!(world.add_service("shop", "web").uuid, first);
}

#[test]
fn a_sidekick_has_its_primarys_uuid_and_goes_with_it() {
    let mut world = world();
    let uuid = world.add_service("shop", "web").uuid.clone();
    assert_eq!(world.add_sidekick("shop", "web", "nginx").uuid, uuid);
    world.remove_service("shop", "web");
    assert!(world.service("shop", "nginx").is_none());
}

#[test]
fn scaling_spreads_over_hosts_and_keeps_the_ports() {
    let mut world = world();
    world.add_service("shop", "web").run_on("h1", 8080);
    world.scale("shop", "web", 3);
    assert_eq!(hosts_of(&world, "shop", "web"), ["h1", "infra", "h2"]);
    let service = world.service("shop", "web").unwrap();
    assert!(
        service
            .containers
            .iter()
            .all(|c| c.ports == ["8080:8080/tcp"])
    );
    world.scale("shop", "web", 1);
    assert_eq!(hosts_of(&world, "shop", "web"), ["h1"]);
    world.service_mut("shop", "web").move_from("h1", "h2");
    assert_eq!(hosts_of(&world, "shop", "web"), ["h2"]);
}

#[test]
fn a_removed_host_takes_its_containers_along() {
    let mut world = world();
    world
        .add_service("shop", "web")
        .run_on("h1", 80)
        .run_on("h2", 80);
    assert!(world.remove_host("h1"));
    assert_eq!(hosts_of(&world, "shop", "web"), ["h2"]);
}

#[test]
fn invented_addresses_are_distinct() {
    let mut all: Vec<String> = (0..70_000).map(address).collect();
    assert_eq!(all[..2], ["203.0.113.1", "203.0.113.2"]);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 70_000);
}
