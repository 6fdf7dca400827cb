//! What Prometheus makes of the metrics.

use super::super::tests::{busy, page};

#[test]
fn the_metrics_are_what_another_s_parser_reads() {
    let (_, text) = page("/metrics", &busy());
    let lines = text.lines().map(|line| Ok(line.to_owned()));
    let scrape = prometheus_parse::Scrape::parse(lines).unwrap();
    let value = |name: &str, labels: &[(&str, &str)]| {
        let name = format!("rancher_route53_{name}");
        let fits = |sample: &&prometheus_parse::Sample| {
            sample.metric == name
                && labels
                    .iter()
                    .all(|(label, value)| sample.labels.get(label) == Some(value))
        };
        match scrape.samples.iter().find(fits)?.value {
            prometheus_parse::Value::Counter(value)
            | prometheus_parse::Value::Gauge(value)
            | prometheus_parse::Value::Untyped(value) => Some(value),
            _ => None,
        }
    };
    let list = ("operation", "ListResourceRecordSets");
    for (name, labels, expected) in [
        (
            "build_info",
            &[
                ("version", env!("CARGO_PKG_VERSION")),
                ("commit", "3e4ffb7abcde"),
            ][..],
            Some(1.0),
        ),
        ("rounds_total", &[("outcome", "changed")], Some(1.0)),
        ("rounds_total", &[("outcome", "failed")], Some(0.0)),
        ("round_duration_seconds_sum", &[], Some(1.234)),
        ("last_success_timestamp_seconds", &[], Some(1_767_322_955.0)),
        (
            "metadata_last_change_timestamp_seconds",
            &[],
            Some(1_767_315_745.0),
        ),
        ("record_sets_desired", &[], Some(6.0)),
        ("record_sets_owned", &[], Some(3.0)),
        ("record_sets_desired_by_type", &[("type", "A")], Some(5.0)),
        (
            "record_sets_desired_by_type",
            &[("type", "AAAA")],
            Some(1.0),
        ),
        ("record_sets_owned_by_type", &[("type", "A")], Some(2.0)),
        ("record_sets_owned_by_type", &[("type", "AAAA")], Some(1.0)),
        ("service_warnings", &[("warning", "policy")], Some(1.0)),
        ("service_warnings", &[("warning", "ttl")], Some(0.0)),
        ("fqdns_contested", &[], Some(0.0)),
        ("record_sets_in_conflict", &[], Some(1.0)),
        ("record_sets_quarantined", &[], Some(1.0)),
        ("fqdns_waiting", &[], Some(1.0)),
        ("services", &[("state", "published")], Some(2.0)),
        ("services", &[("state", "skipped")], Some(2.0)),
        ("services_skipped", &[("reason", "no_port")], Some(1.0)),
        ("services_skipped", &[("reason", "name")], Some(0.0)),
        ("changes_total", &[("action", "change")], Some(1.0)),
        ("deletion_guard_holding", &[], Some(1.0)),
        ("deletion_guard_held_deletes", &[], Some(12.0)),
        (
            "deletion_guard_until_timestamp_seconds",
            &[],
            Some(1_767_323_075.0),
        ),
        ("api_calls_total", &[list, ("code", "ok")], Some(1.0)),
        ("api_calls_total", &[list, ("code", "no_answer")], Some(1.0)),
        ("api_call_duration_seconds_sum", &[list], Some(301.52)),
        ("api_call_duration_seconds_count", &[list], Some(3.0)),
        ("api_throttles_total", &[], Some(2.0)),
        ("api_retries_total", &[], Some(3.0)),
        ("dependency_up", &[("dependency", "metadata")], Some(1.0)),
        ("dependency_up", &[("dependency", "route53")], Some(0.0)),
        ("dependency_up", &[("dependency", "rancher_api")], None),
        ("stuck", &[], Some(0.0)),
    ] {
        assert_eq!(
            value(name, labels),
            expected,
            "{name} {labels:?} in\n{text}"
        );
    }
    let histogram = scrape
        .samples
        .iter()
        .find_map(|sample| match &sample.value {
            prometheus_parse::Value::Histogram(counts)
                if sample.metric == "rancher_route53_api_call_duration_seconds" =>
            {
                Some(counts)
            }
            _ => None,
        });
    let counts = histogram.unwrap().iter();
    let counts: Vec<(f64, f64)> = counts.map(|c| (c.less_than, c.count)).collect();
    assert_eq!(counts[1..3], [(0.01, 0.0), (0.025, 1.0)]);
    assert_eq!(counts[8], (2.5, 2.0));
    assert_eq!(counts[13], (f64::INFINITY, 3.0));
    assert!(text.contains("code=\"odd \\\"\\\\ code\""));
}
