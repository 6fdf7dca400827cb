use super::{Ran, expect_printed, ran, run};
use crate::stage::{PATIENCE, Stage, UUID, ZONE, state_line, world};
use crate::status;
use sim::route53::{Operation, RecordSet};

const CHANGE: Operation = Operation::ChangeResourceRecordSets;

/// Something of each kind.
pub fn stage() -> Stage {
    let stage = Stage::new(world(|world| {
        world.add_service("shop", "new").run_on("h1", 80);
        world.add_service("shop", "new-too").run_on("h2", 80);
        world.service_mut("shop", "new-too").label(
            "io.rancher.service.external_dns_name_template",
            "new.shop.prod",
        );
        let more = world.add_service("shop", "more");
        more.run_on("h1", 80);
        more.run_on("h2", 80);
        more.run_unpublished_on("h3", 80);
        world.add_service("shop", "same").run_on("h3", 80);
        world.add_service("shop", "taken").run_on("h1", 80);
        world
            .add_service("shop", "hidden")
            .run_unpublished_on("h1", 80);
        world.add_service("shop", "quiet");
    }));
    let put = |name: &str, ttl: u32, value: &str| {
        let name = format!("{name}.shop.prod.example.com.");
        stage.put(RecordSet::simple(&name, "A", ttl, &[value]));
    };
    put("more", 60, "203.0.113.1");
    put("same", 300, "203.0.113.3");
    put("taken", 300, "192.0.2.1");
    put("old", 300, "203.0.113.9");
    let entries: Vec<String> = ["more", "same", "old", "vanished"]
        .iter()
        .map(|name| format!("\"{name}.shop.prod.example.com.\""))
        .collect();
    stage.put(RecordSet::simple(crate::stage::STATE, "TXT", 300, &entries));
    stage
}

const GOLDEN: &str = "\
example.com (Z0EXAMPLE), environment Prod

+ new.shop.prod.example.com. A 300 203.0.113.1, 203.0.113.2
    for shop/new, shop/new-too
~ more.shop.prod.example.com. A
    ttl 60 → 300
    + 203.0.113.2
    for shop/more
- old.shop.prod.example.com. A 300 203.0.113.9
    no service asks for it
. vanished.shop.prod.example.com. A
    is gone; it is no longer listed as ours
! taken.shop.prod.example.com. A
    a record set of that name and type exists that isn't ours; remove it, or take it over: the command adopt shows what that would do
    for shop/taken

Not published:
  route53/external-dns: no container publishes a port on its host; publish one, or set the label io.rancher.service.external_dns to 'always'
  shop/hidden: no container publishes a port on its host; publish one, or set the label io.rancher.service.external_dns to 'always'
  shop/quiet: it has no container

Containers that don't count:
  shop/more: 2 of 3 containers count: shop-more-3 publishes no port on its host

1 to create, 1 to change, 1 to delete, 0 to take over, 1 to forget, 1 left alone: one change batch.
";

#[test]
fn shows_what_would_change_and_why_and_changes_nothing() {
    let stage = stage();
    expect_printed(&stage, &["plan"], GOLDEN);
}

/// What is in the way of services, with both families of addresses.
const IN_THE_WAY: &str = "\
example.com (Z0EXAMPLE), environment Prod

+ both.shop.prod.example.com. AAAA 300 2001:db8::1
    for shop/both
~ both.shop.prod.example.com. A
    - 192.0.2.1
    + 203.0.113.1
    for shop/both
* both.shop.prod.example.com. A
    is taken over
* same.shop.prod.example.com. A
    is taken over
! alias.shop.prod.example.com. A
    an alias of that name and type exists that isn't ours; remove it, or give the service another name
    for shop/alias
! cname.shop.prod.example.com. A
    a CNAME has that name; remove it, or give the service another name
    for shop/cname

Not published:
  route53/external-dns: no container publishes a port on its host; publish one, or set the label io.rancher.service.external_dns to 'always'

1 to create, 1 to change, 0 to delete, 2 to take over, 0 to forget, 2 left alone: one change batch.
";

#[test]
fn what_is_in_the_way_is_taken_over_or_left_alone() {
    let stage = Stage::new(world(|world| {
        for service in ["alias", "both", "cname", "same"] {
            world.add_service("shop", service).run_on("h1", 80);
        }
        let both = world.service_mut("shop", "both");
        both.run_bound_on("h1", "[2001:db8::1]", 80);
    }));
    let name = |service: &str| format!("{service}.shop.prod.example.com.");
    stage.put(RecordSet::alias(
        &name("alias"),
        "A",
        ZONE,
        "same.shop.prod.example.com.",
    ));
    stage.put(RecordSet::simple(&name("both"), "A", 300, &["192.0.2.1"]));
    stage.put(RecordSet::simple(
        &name("cname"),
        "CNAME",
        300,
        &["example.org."],
    ));
    stage.put(RecordSet::simple(&name("same"), "A", 300, &["203.0.113.1"]));
    let Ran { code, stdout, .. } = ran(&stage.run_with(&["plan"], &[("ADOPT", "matching")]));
    assert_eq!(stdout, IN_THE_WAY);
    assert_eq!(code, 0);
    assert_eq!(stage.calls(CHANGE), 0);
}

#[test]
fn what_is_odd_and_what_policy_leaves_undone_is_told() {
    let stage = stage();
    stage.rancher.change(|world| {
        let label = "io.rancher.service.external_dns";
        world.service_mut("shop", "same").label(label, "alwys");
        let many = world.add_service("shop", "many");
        for i in 0..401 {
            let address = format!("198.51.{}.{}", i / 256, i % 256);
            many.run_bound_on("h1", &address, 80);
        }
    });
    let unknown = "shop/same: external_dns=\"alwys\" is not one of auto, always and never; it is treated as auto";
    let cut = "many.shop.prod.example.com. A: only the first 400 of 401 addresses are published";
    let undeleted =
        "POLICY doesn't delete 1 record set that no service asks for: old.shop.prod.example.com. A";
    for (policy, undone) in [
        ("sync", &[][..]),
        ("upsert-only", &[undeleted]),
        (
            "create-only",
            &[
                "POLICY doesn't change 1 record set that should be otherwise: \
                 more.shop.prod.example.com. A",
                undeleted,
            ],
        ),
    ] {
        let settings = [("POLICY", policy)];
        let expected: Vec<&str> = [&[unknown, cut], undone].concat();
        let text = ran(&stage.run_with(&["plan"], &settings)).stdout;
        let (_, warnings) = text.split_once("\nWarnings:\n").expect(&text);
        let (warnings, _) = warnings.split_once("\n\n").expect(&text);
        let warnings: Vec<&str> = warnings.lines().map(str::trim_start).collect();
        assert_eq!(warnings, expected, "{policy}");
        let json = ran(&stage.run_with(&["plan", "--json"], &settings)).stdout;
        let plan: serde_json::Value = serde_json::from_str(&json).expect(&json);
        assert_eq!(plan["warnings"], serde_json::json!(expected), "{policy}");
    }
}

#[test]
fn the_exit_code_can_tell_whether_there_is_something_to_do() {
    let stage = stage();
    assert_eq!(run(&stage, &["plan", "--detailed-exitcode"]).code, 2);
    // 2 has one meaning only: what is wrong is 1 with that flag, and 2 without.
    for (arguments, setting, code) in [
        (&["plan", "--detailed-exitcode"][..], ("TTL", "x"), 1),
        (&["plan", "--detailed-exitcode", "--what"], ("TTL", "1"), 1),
        (&["--detailed-exitcode"], ("TTL", "1"), 1),
        (&["plan"], ("TTL", "x"), 2),
        (&["plan", "--what"], ("TTL", "1"), 2),
    ] {
        let ran = ran(&stage.run_with(arguments, &[setting]));
        assert_eq!(ran.code, code, "{arguments:?} {setting:?}");
        assert_eq!(ran.stdout, "");
    }
    assert_eq!(run(&stage, &["once"]).code, 0);
    let ran = run(&stage, &["plan", "--detailed-exitcode"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("0 to create, 0 to change, 0 to delete"));
}

#[test]
fn programs_get_the_same_as_json() {
    let stage = stage();
    let json = run(&stage, &["plan", "--json"]).stdout;
    let plan: serde_json::Value = serde_json::from_str(&json).expect(&json);
    let no_port = "no container publishes a port on its host; publish one, or set the label \
                   io.rancher.service.external_dns to 'always'";
    let expected = serde_json::json!({
        "zone": {"name": "example.com", "id": ZONE},
        "environment": {"name": "Prod", "uuid": UUID},
        "creates": [{
            "name": "new.shop.prod.example.com.", "type": "A", "ttl": 300,
            "values": ["203.0.113.1", "203.0.113.2"], "services": ["shop/new", "shop/new-too"],
        }],
        "changes": [{
            "from": {
                "name": "more.shop.prod.example.com.", "type": "A", "ttl": 60,
                "values": ["203.0.113.1"], "services": ["shop/more"],
            },
            "to": {
                "name": "more.shop.prod.example.com.", "type": "A", "ttl": 300,
                "values": ["203.0.113.1", "203.0.113.2"], "services": ["shop/more"],
            },
        }],
        "replacements": [],
        "deletes": [{
            "name": "old.shop.prod.example.com.", "type": "A", "ttl": 300,
            "values": ["203.0.113.9"], "services": [],
        }],
        "deletes_wait": null,
        "deletes_waiting": [],
        "adopts": [],
        "releases": [{"name": "vanished.shop.prod.example.com.", "type": "A"}],
        "conflicts": [{
            "name": "taken.shop.prod.example.com.", "type": "A",
            "reason": "a record set of that name and type exists that isn't ours; remove it, or \
                       take it over: the command adopt shows what that would do",
            "services": ["shop/taken"],
        }],
        "skipped": [
            {"service": "route53/external-dns", "code": "no_port", "reason": no_port},
            {"service": "shop/hidden", "code": "no_port", "reason": no_port},
            {"service": "shop/quiet", "code": "no_container", "reason": "it has no container"},
        ],
        "skipped_containers": [{
            "service": "shop/more",
            "reason": "2 of 3 containers count: shop-more-3 publishes no port on its host",
        }],
        "warnings": [],
        "batches": 1,
    });
    assert_eq!(plan, expected);
}

/// The table of its fields in docs/commands.md is that of the real output.
#[test]
fn programs_find_each_field_in_the_documents() {
    let stage = stage();
    stage.rancher.change(|world| {
        let label = "io.rancher.service.external_dns";
        world.service_mut("shop", "same").label(label, "alwys");
        world.add_service("shop", "alias").run_on("h1", 80);
        world.add_service("shop", "replaced").run_on("h1", 80);
    });
    let (alias, target) = (
        "alias.shop.prod.example.com.",
        "same.shop.prod.example.com.",
    );
    stage.put(RecordSet::alias(alias, "A", ZONE, target));
    let replaced = "replaced.shop.prod.example.com.";
    stage.put(RecordSet::simple(replaced, "CNAME", 300, &["example.org."]));
    let further = crate::stage::STATE.replacen('.', "-1.", 1);
    let entry = format!("\"{replaced} CNAME\"");
    stage.put(RecordSet::simple(&further, "TXT", 300, &[entry]));
    let settings = [
        ("ADOPT", "matching"),
        ("DELETE_GUARD_MIN", "1"),
        ("DELETE_GUARD_PERCENT", "1"),
    ];
    let json = ran(&stage.run_with(&["plan", "--json"], &settings)).stdout;
    let plan: serde_json::Value = serde_json::from_str(&json).expect(&json);
    let plan = plan.as_object().expect("an object");

    let page = include_str!("../../../docs/commands.md");
    let (_, section) = page.split_once("## `plan --json`\n").expect("the section");
    let rows: Vec<(&str, &str)> = section
        .lines()
        .skip_while(|line| !line.starts_with("| `"))
        .take_while(|line| line.starts_with("| `"))
        .map(|line| line[3..].split_once("` | ").expect(line))
        .collect();
    let mut documented: Vec<&str> = rows.iter().map(|(field, _)| *field).collect();
    documented.sort();
    assert_eq!(documented, plan.keys().collect::<Vec<_>>());
    let fields_of = |field: &str| {
        let value = &plan[field];
        assert_ne!(value, &serde_json::json!([]), "{field}: one of each kind");
        let value = value.get(0).unwrap_or(value);
        let keys = value
            .as_object()
            .into_iter()
            .flat_map(|object| object.keys());
        keys.map(String::as_str).collect::<Vec<_>>()
    };
    for (field, words) in rows {
        if words.contains("with the fields of `creates`") {
            let set = &plan[field][0];
            let set = set.get("from").unwrap_or(set).as_object().expect(field);
            assert_eq!(set.keys().collect::<Vec<_>>(), fields_of("creates"));
            assert_eq!(words.contains("`from` and `to`"), field == "changes");
            continue;
        }
        for inner in fields_of(field) {
            assert!(words.contains(&format!("`{inner}`")), "{field}: {inner}");
        }
    }
}

/// `10.0.0.10` comes before `10.0.0.9` as a text, and so Route 53 gets and keeps them.
#[test]
fn people_see_addresses_in_the_order_of_their_numbers() {
    let stage = Stage::new(world(|world| {
        let web = world.add_service("shop", "web");
        web.run_bound_on("h1", "10.0.0.10", 80);
        web.run_bound_on("h1", "10.0.0.9", 80);
    }));
    let text = run(&stage, &["plan"]).stdout;
    assert!(text.contains("A 300 10.0.0.9, 10.0.0.10\n"), "{text}");
    let json = run(&stage, &["plan", "--json"]).stdout;
    let plan: serde_json::Value = serde_json::from_str(&json).expect(&json);
    let values = serde_json::json!(["10.0.0.9", "10.0.0.10"]);
    assert_eq!(plan["creates"][0]["values"], values);
    let service = stage.run();
    stage.expect_zone(&[
        &state_line(&["web.shop.prod.example.com."]),
        "web.shop.prod.example.com. 300 A 10.0.0.10 10.0.0.9",
    ]);
    let created = |line: &str| line.contains("msg=\"record set created\"");
    let line = service.wait_for_log(PATIENCE, created).expect("a line");
    assert!(line.ends_with(" values=10.0.0.9,10.0.0.10"), "{line}");
    let told = status::wait_until(&service, |status| !status["last_success"].is_null());
    let services = told["services"].as_array().expect("services");
    let web = services.iter().find(|service| service["name"] == "web");
    assert_eq!(web.expect("it")["addresses"], values);
    let change = &told["changes"][0]["to"];
    assert_eq!(change, "10.0.0.9, 10.0.0.10, TTL 300");
}

#[test]
fn a_service_without_a_name_shows_what_was_tried() {
    let stage = Stage::new(world(|world| {
        world.add_service("shop", "&&").run_on("h1", 80);
    }));
    let text = run(&stage, &["plan"]).stdout;
    let expected =
        "  shop/&&: \".shop.prod.example.com\" is no name: a label of the name is empty\n";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn deletes_that_would_wait_are_marked() {
    let stage = Stage::new(world(|_| {}));
    let names: Vec<String> = (0..12)
        .map(|i| format!("w{i:02}.prod.example.com."))
        .collect();
    for name in &names {
        stage.put(RecordSet::simple(name, "A", 300, &["203.0.113.1"]));
    }
    let entries: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    stage.put(RecordSet::simple(crate::stage::STATE, "TXT", 300, &entries));
    let Ran { stdout, .. } = run(&stage, &["plan"]);
    for name in &names {
        let line =
            format!("- {name} A 300 203.0.113.1\n    no service asks for it; its delete waits\n");
        assert!(stdout.contains(&line), "{name}: {stdout}");
    }
    assert!(
        stdout.contains(
            "    no service asks for 12 of 12 record sets; they are deleted once metadata has said so for 60 s without a break (DELETE_GUARD_HOLD)\n"
        ) && stdout.ends_with(
            "12 to delete (all wait), 0 to take over, 0 to forget, 0 left alone: one change batch.\n"
        ),
        "{stdout}"
    );
}

#[test]
fn hostile_names_are_shown_harmless() {
    let stage = Stage::new(world(|world| {
        world
            .add_service("shop", "a\u{1b}[31m\u{202e}b")
            .run_on("h1", 80);
    }));
    let Ran { stdout, .. } = run(&stage, &["plan"]);
    assert!(
        stdout.contains("    for shop/a\\u{1b}[31m\\u{202e}b\n"),
        "{stdout}"
    );
}
