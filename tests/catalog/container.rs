//! What the entry gives its container, and what it doesn't.

use std::fs;

use rancher_route53::config::settings;

use crate::entry::{Container, RancherCompose, defaults, entry, fill_in, path};
use crate::listens_by_default;

/// What is mounted if the form is filled in no further than it must be.
fn volumes(container: &Container, rancher: &RancherCompose) -> Vec<String> {
    let answers = defaults(&rancher.catalog.questions);
    let volumes = container.volumes.iter();
    volumes.map(|volume| fill_in(volume, &answers)).collect()
}

#[test]
fn rancher_gives_it_what_it_needs() {
    let (container, rancher) = entry();
    for (label, value) in [
        ("io.rancher.container.create_agent", "true"),
        ("io.rancher.container.agent.role", "external-dns"),
    ] {
        assert_eq!(container.labels[label], value, "{label}");
    }
    // The usual place of a private authority's certificate. What else the host has below
    // /var/lib/rancher, above all the agent's keys, is nobody's business here.
    let certificates = settings::find("CA_FILE").unwrap().default;
    assert!(certificates.starts_with("/var/lib/rancher/etc/ssl/ca.crt, "));
    assert_eq!(
        volumes(&container, &rancher),
        ["/var/lib/rancher/etc/ssl:/var/lib/rancher/etc/ssl:ro"]
    );
    let port = rancher.services.route53.health_check.port;
    assert!(container.expose.contains(&port) && listens_by_default(port));
    assert!(
        container
            .expose
            .iter()
            .all(|port| listens_by_default(*port))
    );
}

#[test]
fn it_may_write_nothing_and_has_one_capability() {
    let (container, rancher) = entry();
    assert!(container.read_only);
    assert_eq!(container.cap_drop, ["ALL"]);
    // Without it the kernel refuses to start a binary that has it as its file's capability.
    assert_eq!(container.cap_add, ["NET_BIND_SERVICE"]);
    let dockerfile = fs::read_to_string(path("Dockerfile")).unwrap();
    assert!(dockerfile.contains(".ci/image-content"));
    let content = fs::read_to_string(path(".ci/image-content")).unwrap();
    assert!(content.contains("setcap cap_net_bind_service=+ep"));
    // What the README shows is the same.
    let readme = fs::read_to_string(path("README.md")).unwrap();
    let lines = format!(
        "    volumes: {:?}\n    read_only: true\n    cap_drop: [ALL]\n    cap_add: \
         [NET_BIND_SERVICE]\n    mem_limit: {}\n    logging: {{ driver: {}, options: {{ max-size: {}, \
         max-file: {:?} }} }}\n",
        volumes(&container, &rancher),
        container.mem_limit,
        container.logging.driver,
        container.logging.options["max-size"],
        container.logging.options["max-file"],
    );
    assert!(readme.contains(&lines), "the README should have {lines}");
}

/// A line of docs/performance.md holds the figures of every measured size.
#[test]
fn the_memory_limit_is_twice_what_the_biggest_environment_took() {
    let limit = entry().0.mem_limit;
    let megabytes: f64 = limit.strip_suffix('m').expect("megabytes").parse().unwrap();
    let page = fs::read_to_string(path("docs/performance.md")).unwrap();
    let lines = page
        .lines()
        .filter(|line| line.starts_with("| high-water mark"));
    let figures = lines.flat_map(|line| line.split(['|', '/', ' ']));
    let figures: Vec<f64> = figures.filter_map(|word| word.parse().ok()).collect();
    assert!(figures.len() >= 4, "{figures:?}");
    let most = figures.into_iter().fold(0.0, f64::max);
    assert!(megabytes * 1.048_576 >= 2.0 * most, "{limit} for {most} MB");
}

/// Docker's own names, known to its driver json-file since 1.8; it takes text only.
#[test]
fn logs_take_no_more_than_some_megabytes_of_the_host() {
    let logging = entry().0.logging;
    assert_eq!(logging.driver, "json-file");
    let names: Vec<&str> = logging.options.keys().map(String::as_str).collect();
    assert_eq!(names, ["max-file", "max-size"]);
    let files: u32 = logging.options["max-file"].parse().unwrap();
    let size = logging.options["max-size"].strip_suffix('m');
    let size: u32 = size.expect("megabytes").parse().unwrap();
    assert!(files >= 2 && (10..=50).contains(&(files * size)));
}
