use super::*;
use std::os::unix::ffi::OsStringExt;

fn read(line: &str) -> Result<Arguments, String> {
    parse(line.split_whitespace().map(str::to_owned))
}

#[test]
fn reads_what_catalog_entries_pass() {
    for (line, debug, log_file) in [
        ("", false, None),
        ("-provider=route53", false, None),
        ("--provider route53 run", false, None),
        ("-debug=false", false, None),
        ("-debug -provider=route53", true, None),
        ("-log=/x.log", false, Some("/x.log")),
        ("--log /x.log", false, Some("/x.log")),
    ] {
        let expected = Arguments {
            invocation: Invocation::Run,
            debug,
            log_file: log_file.map(str::to_owned),
        };
        assert_eq!(read(line), Ok(expected), "{line}");
    }
}

#[test]
fn reads_each_command_with_its_flags() {
    let plan = |json, detailed_exitcode| Invocation::Plan {
        json,
        detailed_exitcode,
        service: None,
    };
    let web = |json| Invocation::Plan {
        json,
        detailed_exitcode: false,
        service: Some(ServiceKey {
            stack: "shop".to_owned(),
            service: "web".to_owned(),
        }),
    };
    let adopt = |yes, owner: Option<&str>| Invocation::Adopt {
        yes,
        deletes: None,
        owner: owner.map(str::to_owned),
    };
    let policy = |wait, owner: Option<&str>| {
        let owner = owner.map(str::to_owned);
        Invocation::Policy(PolicyFor::Route53 { wait, owner })
    };
    for (line, invocation, debug) in [
        ("once --debug", Invocation::Once { wait: false }, true),
        ("once --wait", Invocation::Once { wait: true }, false),
        ("plan", plan(false, false), false),
        ("plan --json", plan(true, false), false),
        ("plan --json -detailed-exitcode", plan(true, true), false),
        ("plan shop/web", web(false), false),
        ("--json plan shop/web", web(true), false),
        ("plan shop/web --json", web(true), false),
        ("check", Invocation::Check, false),
        ("policy", policy(false, None), false),
        ("policy --wait", policy(true, None), false),
        (
            "policy --owner Berlin",
            policy(false, Some("Berlin")),
            false,
        ),
        (
            "policy -assume-role",
            Invocation::Policy(PolicyFor::AssumeRole),
            false,
        ),
        ("--yes purge", Invocation::Purge { yes: true }, false),
        ("adopt", adopt(false, None), false),
        (
            "adopt --owner=adminProject",
            adopt(false, Some("adminProject")),
            false,
        ),
        (
            "adopt --yes --deletes=12",
            Invocation::Adopt {
                yes: true,
                deletes: Some(12),
                owner: None,
            },
            false,
        ),
        (
            "adopt -owner berlin --yes",
            adopt(true, Some("berlin")),
            false,
        ),
        ("--help", Invocation::Help, false),
        ("-debug plan -h", Invocation::Help, true),
        ("-version", Invocation::Version, false),
    ] {
        let expected = Arguments {
            invocation,
            debug,
            log_file: None,
        };
        assert_eq!(read(line), Ok(expected), "{line}");
    }
}

#[test]
fn ids_of_owners_name_state_records_that_no_other_id_names() {
    for (text, id) in [
        ("adminProject", Some("adminProject")),
        (
            "1a726b88-f6b1-4c11-9ea4-8d4a36b0c1d2",
            Some("1a726b88-f6b1-4c11-9ea4-8d4a36b0c1d2"),
        ),
        ("berlin_2", Some("berlin_2")),
        ("berlin-99999", Some("berlin-99999")),
        ("berlin-2", None),
        ("", None),
        ("-berlin", None),
        ("a.b", None),
        ("é", None),
        (&"x".repeat(41), None),
    ] {
        assert_eq!(owner_id(text).ok().as_deref(), id, "{text}");
    }
}

#[test]
fn a_detailed_exit_code_is_asked_for_also_where_something_else_is_wrong() {
    for (line, expected) in [
        ("plan --detailed-exitcode", true),
        ("plan -detailed-exitcode --what", true),
        ("--detailed-exitcode", true),
        ("plan", false),
        ("detailed-exitcode", false),
        ("plan --detailed-exitcodes", false),
    ] {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        assert_eq!(asks_for_detailed_exitcode(&arguments), expected, "{line}");
    }
    let unreadable = OsString::from_vec(vec![0xff]);
    assert!(asks_for_detailed_exitcode(&[
        unreadable,
        "--detailed-exitcode".into()
    ]));
}

#[test]
fn refuses_the_rest() {
    for (line, words) in [
        ("-provider=cloudflare", "only route53"),
        ("-provider", "takes a value: -provider=route53"),
        ("dance", "no command"),
        ("run once", "command already"),
        ("--fast", "no flag"),
        ("-debug=perhaps", "no flag"),
        ("-", "no flag"),
        ("--yes", "--yes belongs to purge and adopt"),
        ("run --wait", "--wait belongs to once and policy"),
        ("check --json", "--json belongs to plan"),
        ("purge --owner=x", "--owner belongs to policy and adopt"),
        ("policy --yes", "--yes belongs to purge and adopt"),
        ("policy --assume-role --wait", "goes with no other flag"),
        ("plan shop", "\"shop\" is no STACK/SERVICE: say which stack"),
        ("plan /web", "\"/web\" is no STACK/SERVICE"),
        ("plan shop/", "\"shop/\" is no STACK/SERVICE"),
        (
            "plan shop/web shop/api",
            "\"shop/api\": plan takes one service",
        ),
        ("once shop/web", "command already"),
        ("shop/web", "no command"),
        ("adopt --deletes=1", "--deletes goes with --yes"),
        ("adopt --yes --deletes", "takes a value: --deletes=N"),
        (
            "adopt --yes --deletes=all",
            "\"all\": it takes a whole number",
        ),
        ("purge --yes --deletes=1", "--deletes belongs to adopt"),
        ("adopt -owner", "takes a value: --owner=ID"),
        ("adopt --owner=a.b", "--owner: \"a.b\": no id"),
    ] {
        let error = read(line).unwrap_err();
        assert!(error.contains(words), "{line}: {error}");
    }
}
