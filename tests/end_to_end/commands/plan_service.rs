//! `plan STACK/SERVICE`: one service whole.

use super::{Ran, expect_printed, ran, run};
use crate::stage::{STATE, Stage, UUID, ZONE, world};
use sim::route53::RecordSet;

const LABEL: &str = "io.rancher.service.external_dns";

/// A service with containers, addresses, names and obstacles of several kinds.
fn stage() -> Stage {
    let stage = Stage::new(world(|world| {
        let web = world.add_service("shop", "web");
        web.run_on("h1", 80);
        web.run_on("h2", 80);
        web.run_bound_on("h3", "192.0.2.7", 80);
        web.run_unpublished_on("h1", 80);
        web.containers[1].state = "stopped".to_owned();
        web.label("io.rancher.service.external_dns_names", "taken,shared");
        web.label("io.rancher.service.external_dns_ttl", "60");
        let other = world.add_service("shop", "other");
        other.run_on("h1", 80);
        other.label("io.rancher.service.external_dns_name_template", "shared");
        world.add_service("shop", "quiet");
    }));
    let put = |name: &str, value: &str| {
        stage.put(RecordSet::simple(name, "A", 300, &[value]));
    };
    put("web.shop.prod.example.com.", "203.0.113.1");
    put("quiet.shop.prod.example.com.", "203.0.113.9");
    put("taken.example.com.", "198.51.100.1");
    let entries = ["web", "quiet"].map(|name| format!("\"{name}.shop.prod.example.com.\""));
    stage.put(RecordSet::simple(STATE, "TXT", 300, &entries));
    stage
}

const WEB: &str = "\
shop/web in example.com (Z0EXAMPLE), environment Prod

Labels and settings:
  published: auto (DEFAULT_POLICY)
  address: host (ADDRESS)
  name template: %{{service_name}}.%{{stack_name}}.%{{environment_name}} (NAME_TEMPLATE)
  further names: taken,shared (label io.rancher.service.external_dns_names)
  TTL: 60 (label io.rancher.service.external_dns_ttl)

Containers:
  shop-web-1 on 203.0.113.1: 203.0.113.1, the address of its host's agent
  shop-web-2 on 203.0.113.2: doesn't count: it isn't running (state \"stopped\")
  shop-web-3 on 203.0.113.3: 192.0.2.7, the address that its port is bound to
  shop-web-4 on 203.0.113.1: doesn't count: it publishes no port on its host

Names:
  web.shop.prod.example.com. (NAME_TEMPLATE)
  taken.example.com. (label io.rancher.service.external_dns_names)
  shared.example.com. (label io.rancher.service.external_dns_names)

Record sets:
  web.shop.prod.example.com. A 60 192.0.2.7, 203.0.113.1
    in the zone: 300 203.0.113.1
    is changed in the next round
    ttl 300 → 60
    + 192.0.2.7
    for shop/web
  taken.example.com. A 60 192.0.2.7, 203.0.113.1
    in the zone: 300 198.51.100.1
    is left alone: a record set of that name and type exists that isn't ours; remove it, or take it over: the command adopt shows what that would do
    for shop/web
  shared.example.com. A 60 192.0.2.7, 203.0.113.1
    in the zone: nothing
    is created in the next round (if it never appears, Route 53 refuses it: see /status)
    for shop/other, shop/web
";

#[test]
fn one_service_is_explained_whole() {
    let stage = stage();
    expect_printed(&stage, &["plan", "shop/web"], WEB);
}

const QUIET: &str = "\
shop/quiet in example.com (Z0EXAMPLE), environment Prod

Not published:
  it has no container

Labels and settings:
  published: auto (DEFAULT_POLICY)
  address: host (ADDRESS)
  name template: %{{service_name}}.%{{stack_name}}.%{{environment_name}} (NAME_TEMPLATE)
  TTL: 300 (TTL)

Names:
  quiet.shop.prod.example.com. (NAME_TEMPLATE)

Record sets:
  quiet.shop.prod.example.com. A
    in the zone: 300 203.0.113.9
";

#[test]
fn what_becomes_of_a_service_that_is_not_published_is_told_too() {
    let stage = stage();
    for (settings, expected) in [
        (
            &[][..],
            "    is deleted in the next round, since shop/quiet isn't published and no other service \
             asks for it\n",
        ),
        (
            &[("POLICY", "upsert-only")],
            "    stays while POLICY doesn't delete; POLICY=sync deletes it, since shop/quiet isn't \
             published and no other service asks for it\n",
        ),
        (
            &[("DELETE_GUARD_MIN", "1"), ("DELETE_GUARD_PERCENT", "10")],
            "    is deleted, since shop/quiet isn't published and no other service asks for it, once \
             the deletion guard lets it go\n\n\
             The deletion guard:\n  no service asks for 1 of 2 record sets; they are deleted once metadata has said so for 60 s without a break (DELETE_GUARD_HOLD)\n",
        ),
    ] {
        let Ran { code, stdout, .. } = ran(&stage.run_with(&["plan", "shop/quiet"], settings));
        assert_eq!(stdout, format!("{QUIET}{expected}"), "{settings:?}");
        assert_eq!(code, 0);
    }
}

/// A name may have services of which none wants a record set that is there.
#[test]
fn services_are_named_only_where_they_want_the_record_set() {
    let stage = stage();
    let web = "web.shop.prod.example.com.";
    stage.put(RecordSet::simple(web, "AAAA", 300, &["2001:db8::1"]));
    let further = STATE.replace(".example", "-1.example");
    let entry = format!("\"{web} AAAA\"");
    stage.put(RecordSet::simple(&further, "TXT", 300, &[&entry]));
    let text = run(&stage, &["plan", "shop/web"]).stdout;
    let expected = "  web.shop.prod.example.com. AAAA\n    in the zone: 300 2001:db8::1\n    is deleted \
                    in the next round, since no service asks for it\n  taken.example.com.";
    assert!(text.contains(expected), "{text}");
    let json = run(&stage, &["plan", "shop/web", "--json"]).stdout;
    let report: serde_json::Value = serde_json::from_str(&json).expect(&json);
    let set = &report["record_sets"][1];
    assert_eq!(
        (&set["type"], &set["next"]),
        (&"AAAA".into(), &"delete".into())
    );
    assert_eq!(set["services"], serde_json::json!([]));
    let json = run(&stage, &["plan", "--json"]).stdout;
    let plan: serde_json::Value = serde_json::from_str(&json).expect(&json);
    let deletes = plan["deletes"].as_array().expect("a list");
    let set = deletes.iter().find(|set| set["name"] == web).expect("it");
    assert_eq!(set["services"], serde_json::json!([]));
}

#[test]
fn a_cname_in_the_way_is_shown() {
    let stage = Stage::new(world(|world| {
        world.add_service("shop", "web").run_on("h1", 80);
    }));
    let web = "web.shop.prod.example.com.";
    stage.put(RecordSet::simple(web, "CNAME", 60, &["example.org."]));
    let text = run(&stage, &["plan", "shop/web"]).stdout;
    let expected =
        "    in the zone: CNAME 60 example.org.\n    is left alone: a CNAME has that name";
    assert!(text.contains(expected), "{text}");
    let asked = run(&stage, &["plan", "shop/web", "--json"]).stdout;
    let asked: serde_json::Value = serde_json::from_str(&asked).expect("JSON");
    let expected = serde_json::json!({
        "name": web, "type": "CNAME", "ttl": 60, "values": ["example.org."],
    });
    assert_eq!(asked["record_sets"][0]["in_the_way"], expected, "{asked}");
}

#[test]
fn a_long_record_set_is_no_long_line() {
    let stage = Stage::new(world(|world| {
        let web = world.add_service("shop", "web");
        (1..=3).for_each(|host| {
            web.run_on(&format!("h{host}"), 80);
        });
    }));
    let values: Vec<String> = (0..400)
        .map(|i| format!("10.0.{}.{}", i / 256, i % 256))
        .collect();
    stage.put(RecordSet::simple(
        "web.shop.prod.example.com.",
        "A",
        300,
        &values,
    ));
    for arguments in [&["plan", "shop/web"][..], &["adopt"]] {
        let service = stage.run_with(arguments, &[("ADOPT", "matching")]);
        let stdout = super::ran(&service).stdout;
        assert!(stdout.contains(", 10.0.0.19, … and 380 more"), "{stdout}");
        assert!(stdout.lines().all(|line| line.len() < 1_000), "{stdout}");
    }
}

#[test]
fn the_exit_code_tells_whether_something_of_the_service_changes() {
    let stage = stage();
    let code = |arguments: &[&str]| run(&stage, arguments).code;
    assert_eq!(code(&["plan", "shop/web", "--detailed-exitcode"]), 2);
    assert_eq!(code(&["once"]), 0);
    // Its obstacle stays.
    assert_eq!(code(&["plan", "shop/web", "--detailed-exitcode"]), 0);
    stage.rancher.change(|world| {
        world.service_mut("shop", "quiet").run_on("h1", 80);
    });
    assert_eq!(code(&["plan", "shop/web", "--detailed-exitcode"]), 0);
    assert_eq!(code(&["plan", "shop/quiet", "--detailed-exitcode"]), 2);
    assert_eq!(code(&["plan", "--detailed-exitcode"]), 2);
}

#[test]
fn a_service_that_is_not_there_is_a_wrong_argument() {
    let stage = stage();
    for (arguments, code, near) in [
        (&["plan", "shop/wep"][..], 2, "the nearest are shop/web, "),
        (&["plan", "stop/web"], 2, "the nearest are shop/web, "),
        (&["plan", "Shop/Web"], 2, "the nearest are shop/web, "),
        (&["plan", "store/other"], 2, "the nearest are shop/other, "),
        (
            &["plan", "shop/wep", "--detailed-exitcode"],
            1,
            "the nearest are shop/web, ",
        ),
        (
            &["plan", "--json", "a\u{1b}[31m/b"],
            2,
            "a\\u{1b}[31m/b is no service",
        ),
    ] {
        let ran = run(&stage, arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{arguments:?}");
        assert!(
            ran.stderr
                .contains("is no service of the environment Prod; ")
                && ran.stderr.contains(near),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
}

#[test]
fn what_else_is_in_the_way_is_among_the_warnings() {
    let stage = stage();
    stage.rancher.change(|world| {
        world.service_mut("shop", "web").label(LABEL, "alwys");
    });
    let target = ["ns.example.org."];
    stage.put(RecordSet::simple(
        "shop.prod.example.com.",
        "NS",
        60,
        &target,
    ));
    stage.put(RecordSet::simple(
        "other.prod.example.com.",
        "NS",
        60,
        &target,
    ));
    let stdout = run(&stage, &["plan", "shop/web"]).stdout;
    let (_, warnings) = stdout.split_once("\nWarnings:\n").expect(&stdout);
    let warnings: Vec<&str> = warnings.lines().map(str::trim_start).collect();
    let expected = [
        "external_dns=\"alwys\" is not one of",
        "the NS record set shop.prod.example.com. gives",
    ];
    assert_eq!(warnings.len(), expected.len(), "{stdout}");
    for (warning, expected) in warnings.into_iter().zip(expected) {
        assert!(warning.starts_with(expected), "{warning}");
    }
}

#[test]
fn programs_get_the_same_as_json() {
    let stage = stage();
    let json = run(&stage, &["plan", "shop/web", "--json"]).stdout;
    let plan: serde_json::Value = serde_json::from_str(&json).expect(&json);
    let template = "%{{service_name}}.%{{stack_name}}.%{{environment_name}}";
    let names = "label io.rancher.service.external_dns_names";
    let agent = "the address of its host's agent";
    let wanted = serde_json::json!({"ttl": 60, "values": ["192.0.2.7", "203.0.113.1"]});
    let expected = serde_json::json!({
        "zone": {"name": "example.com", "id": ZONE},
        "environment": {"name": "Prod", "uuid": UUID},
        "service": "shop/web",
        "skipped": null,
        "decisions": [
            {"what": "published", "value": "auto", "by": "DEFAULT_POLICY"},
            {"what": "address", "value": "host", "by": "ADDRESS"},
            {"what": "name template", "value": template, "by": "NAME_TEMPLATE"},
            {"what": "further names", "value": "taken,shared", "by": names},
            {"what": "TTL", "value": "60", "by": "label io.rancher.service.external_dns_ttl"},
        ],
        "containers": [
            {
                "name": "shop-web-1", "host": "203.0.113.1", "address": "203.0.113.1", "from": agent,
                "code": null, "reason": null,
            },
            {
                "name": "shop-web-2", "host": "203.0.113.2", "address": null, "from": null,
                "code": "not_running", "reason": "isn't running (state \"stopped\")",
            },
            {
                "name": "shop-web-3", "host": "203.0.113.3", "address": "192.0.2.7",
                "from": "the address that its port is bound to", "code": null, "reason": null,
            },
            {
                "name": "shop-web-4", "host": "203.0.113.1", "address": null, "from": null,
                "code": "no_port", "reason": "publishes no port on its host",
            },
        ],
        "names": [
            {"name": "web.shop.prod.example.com.", "by": "NAME_TEMPLATE", "reason": null},
            {"name": "taken.example.com.", "by": names, "reason": null},
            {"name": "shared.example.com.", "by": names, "reason": null},
        ],
        "record_sets": [
            {
                "name": "web.shop.prod.example.com.", "type": "A", "wanted": wanted,
                "in_zone": {"ttl": 300, "values": ["203.0.113.1"]},
                "unknown_element": null, "in_the_way": null, "taken_over": false,
                "next": "change", "reason": "is changed in the next round",
                "services": ["shop/web"],
            },
            {
                "name": "taken.example.com.", "type": "A", "wanted": wanted,
                "in_zone": {"ttl": 300, "values": ["198.51.100.1"]},
                "unknown_element": null, "in_the_way": null, "taken_over": false,
                "next": "conflict",
                "reason": "is left alone: a record set of that name and type exists that isn't \
                           ours; remove it, or take it over: the command adopt shows what that would do",
                "services": ["shop/web"],
            },
            {
                "name": "shared.example.com.", "type": "A", "wanted": wanted, "in_zone": null,
                "unknown_element": null, "in_the_way": null, "taken_over": false, "next": "create", "reason": "is created in the next round",
                "services": ["shop/other", "shop/web"],
            },
        ],
        "deletes_wait": null,
        "warnings": [],
    });
    assert_eq!(plan, expected);

    let page = include_str!("../../../docs/commands.md");
    let (_, section) = page
        .split_once("## `plan STACK/SERVICE --json`\n")
        .expect("the section");
    for (field, value) in plan.as_object().expect("an object") {
        let row = format!("\n| `{field}` | ");
        let (_, words) = section.split_once(&row).expect(field);
        let words = words.lines().next().expect(field);
        let inner = value.get(0).unwrap_or(value).as_object();
        for inner in inner.into_iter().flat_map(|object| object.keys()) {
            assert!(words.contains(&format!("`{inner}`")), "{field}: {inner}");
        }
    }
}
