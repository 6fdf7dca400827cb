use super::*;
use crate::rancher::labels::{self, LabelSuffix};

fn services(json: &str) -> Result<Vec<Service<'static>>, String> {
    all(json.as_bytes())
}

fn all(json: &[u8]) -> Result<Vec<Service<'static>>, String> {
    let mut services = Vec::new();
    read_services(json, &mut |service| services.push(service.into_owned())).map(|()| services)
}

#[test]
fn null_missing_and_extra_are_normal() {
    assert_eq!(services("null").unwrap(), []);
    assert_eq!(services("[]").unwrap(), []);
    assert_eq!(services("[null,{}]").unwrap(), [Service::default()]);
    let json = r#"[{"name":"web","stack_name":7,"kind":null,"labels":null,"containers":null,
        "future":{"deep":[[1,2,{"x":null}]]},"fqdn":"","primary_service_name":"web"}]"#;
    let expected = Service {
        name: "web".into(),
        stack_name: "7".into(),
        ..Service::default()
    };
    assert_eq!(services(json).unwrap(), [expected]);
}

#[test]
fn the_host_names_of_a_load_balancer_are_those_of_its_rules() {
    for (config, expected) in [
        ("null", &[][..]),
        ("{}", &[]),
        (r#"{"port_rules":null}"#, &[]),
        (
            r#"{"port_rules":[null,{},{"hostname":null},{"hostname":" "}]}"#,
            &[],
        ),
        (
            r#"{"port_rules":[{"hostname":"a.b","path":"/"},{"hostname":"*.c","weight":1}]}"#,
            &["a.b", "*.c"],
        ),
        (
            r#"{"port_rules":[{"hostname":7},{"hostname":["x"]}]}"#,
            &["7"],
        ),
    ] {
        let json = format!("[{{\"lb_config\":{config}}}]");
        assert_eq!(
            services(&json).unwrap()[0].lb_hostnames,
            expected,
            "{config}"
        );
    }
}

#[test]
fn a_service_outside_of_rancher_has_addresses_or_a_host_name() {
    for (fields, ips, hostname) in [
        ("", &[][..], None),
        (r#""external_ips":null,"hostname":null"#, &[], None),
        (r#""external_ips":[],"hostname":"""#, &[], None),
        (
            r#""external_ips":["192.0.2.1","x"],"hostname":"a.b""#,
            &["192.0.2.1", "x"],
            Some("a.b"),
        ),
        (
            r#""external_ips":[null,7,["y"],{"z":1}],"hostname":7"#,
            &["7"],
            Some("7"),
        ),
        (r#""external_ips":{"a":["b"]},"hostname":[1]"#, &[], None),
        (r#""external_ips":"192.0.2.1","hostname":{}"#, &[], None),
        (r#""external_ips":1.5,"hostname":" ""#, &[], None),
        (r#""external_ips":-1"#, &[], None),
        (r#""external_ips":true"#, &[], None),
    ] {
        let found = services(&format!("[{{{fields}}}]")).unwrap();
        assert_eq!(found[0].external_ips, ips, "{fields}");
        assert_eq!(found[0].hostname.as_deref(), hostname, "{fields}");
    }
}

#[test]
fn what_is_cut_off_garbled_or_of_another_type_is_an_error() {
    for json in [
        "",
        "[",
        "[{\"name\":\"we",
        "[{}] trailing",
        "[{}",
        "{}",
        "\"text\"",
        "17",
        r#"[{"containers":{}}]"#,
        r#"[{"containers":"none"}]"#,
        r#"[{"containers":[{"ports":"80"}]}]"#,
        r#"[{"labels":[]}]"#,
        r#"[{"lb_config":"none"}]"#,
        r#"[{"lb_config":{"port_rules":{}}}]"#,
        "\u{0}\u{1}\u{2}",
        &"[".repeat(10_000),
        &format!("[{{\"x\":{}", "[".repeat(10_000)),
    ] {
        assert!(services(json).is_err(), "{json:.40}");
    }
    assert!(all(&b"[{\"name\":\"\xff\"}]"[..]).is_err());
}

#[test]
fn a_service_of_a_system_stack_is_one_if_rancher_says_so() {
    for (json, expected) in [
        (r#"[{"system":true}]"#, true),
        (r#"[{"system":"true"}]"#, true),
        (r#"[{"system":false}]"#, false),
        (r#"[{"system":null}]"#, false),
        (r#"[{"system":1}]"#, false),
        ("[{}]", false),
    ] {
        assert_eq!(services(json).unwrap()[0].is_system, expected, "{json}");
    }
}

#[test]
fn an_environment_needs_its_name_and_uuid() {
    for json in [
        "null",
        "{}",
        r#"{"name":"s","environment_name":"e"}"#,
        r#"{"code":404}"#,
    ] {
        assert!(read_environment(json.as_bytes()).is_err(), "{json}");
    }
}

#[test]
fn reads_the_real_server_s_answers() {
    let services = all(&include_bytes!("../../../tests/samples/services.json")[..]).unwrap();
    assert_eq!(services.len(), 13);
    let cart = services.iter().find(|s| s.name == "Cart_Service").unwrap();
    assert_eq!(
        cart.labels
            .get(labels::NAME_TEMPLATE, &LabelSuffix::default()),
        Some("cart.%{{environment_name}}")
    );
    assert_eq!(
        cart.containers[1].health_state.as_deref(),
        Some("unhealthy")
    );
    assert_eq!(cart.containers[0].name, "shop-Cart_Service-1");
    assert_eq!(cart.containers[0].primary_ip.as_deref(), Some("10.42.0.13"));
    assert_eq!(cart.containers[0].ports, ["203.0.113.11:9000:9000/tcp"]);
    assert!(
        services
            .iter()
            .any(|s| s.name == "web-nginx" && s.is_sidekick)
    );
    let balancers = services.iter().filter(|s| !s.lb_hostnames.is_empty());
    let balancers: Vec<_> = balancers.map(|s| (&*s.name, &*s.lb_hostnames)).collect();
    assert_eq!(balancers, [("frontend", &["shop.example.com".into()][..])]);
    let hosts = read_hosts(&include_bytes!("../../../tests/samples/hosts.json")[..]).unwrap();
    assert_eq!(hosts.len(), 4);
    let environment =
        read_environment(&include_bytes!("../../../tests/samples/self-stack.json")[..]).unwrap();
    assert_eq!(environment.name, "Production EU");
    assert_eq!(environment.own_stack, "route53");
    let uuid = "96d00b3d-27e6-57c3-95c8-a72c13386f86";
    assert_eq!(environment.stack_uuid.as_deref(), Some(uuid));
}
