//! The other way out: `adopt --owner`.

use super::*;

const BERLIN: &[(&str, &str)] = &[("OWNER_ID", "berlin")];

const HEAD: &str = "example.com (Z0EXAMPLE), environment Default\n\n";

/// What `adopt --owner` says and writes: one batch, and no record set but state records. These flags
/// confirm it.
fn adopt(
    route53: &Route53,
    server: &Server,
    flags: &[&str],
    settings: &[(&'static str, &str)],
) -> String {
    let before = addresses(route53);
    let written = Arc::new(Mutex::new(Vec::new()));
    let seen = written.clone();
    route53.watch(move |write| {
        let batch = write.batch.expect("only batches").iter();
        let names =
            batch.map(|change| format!("{} {}", change.action.name(), change.record_set.name));
        seen.lock().unwrap().push(names.collect::<Vec<_>>());
    });
    let asked = server.command(&["adopt", "--owner=adminProject"], settings);
    assert_eq!(asked.code, 1, "{}", asked.stdout);
    let words = format!("pass {} to go on", flags.join(" "));
    assert!(asked.stderr.contains(&words), "{}", asked.stderr);
    let stop = "\nBefore you say yes: stop what has kept them until now";
    assert!(asked.stdout.contains(stop), "{}", asked.stdout);
    let Ran {
        code,
        stdout,
        stderr,
    } = server.command(
        &[&["adopt", "--owner=adminProject"], flags].concat(),
        settings,
    );
    assert_eq!(code, 0, "{stdout}{stderr}");
    let written = written.lock().unwrap().clone();
    assert_eq!(written.len(), 1, "one batch: {written:#?}");
    let is_record = |name: &String| name.contains(" external-dns-");
    assert!(written[0].iter().all(is_record), "{written:#?}");
    assert_eq!(addresses(route53), before, "untouched");
    stdout
}

#[test]
fn a_name_that_both_want_moves_with_the_command() {
    let (route53, [munich, berlin]) = two();
    let keeper = munich.run();
    munich.expect_published();
    let Ran { code, stderr, .. } = berlin.command(&["once"], BERLIN);
    assert_eq!(code, 0, "{stderr}");
    let stdout = adopt(&route53, &berlin, &["--yes"], BERLIN);
    assert!(
        stdout.starts_with(&format!(
            "{HEAD}* {WEB} A 300 203.0.113.1\n    is changed in the next round\n    - 203.0.113.1\n    \
             + 198.51.100.1\n    for shop/web\n\n1 record set of adminProject"
        )),
        "{stdout}"
    );
    assert!(
        stdout.contains("1 record set of adminProject to take over, 1 stays with it. From then on"),
        "{stdout}"
    );
    assert_eq!(entries(&route53, RECORD), [munich.fqdn() + "."]);
    assert_eq!(
        entries(&route53, BERLIN_RECORD),
        [berlin.fqdn() + ".", WEB.to_owned()]
    );

    // The one that had it says whose it is now, once it has read the zone again.
    keeper.terminate();
    assert!(keeper.wait(PATIENCE).is_some());
    munich.rancher.change(|world| {
        world.host_mut("h1").agent_ip = Some("203.0.113.9".to_owned());
    });
    let keeper = munich.run();
    let fits = |line: &str| line.contains("left alone") && line.contains(BERLIN_RECORD);
    assert!(keeper.wait_for_log(PATIENCE, fits).is_some());
    let Ran { code, stderr, .. } = berlin.command(&["once"], BERLIN);
    assert_eq!(code, 0, "{stderr}");
    let own = format!("{}. 300 A 203.0.113.9", munich.fqdn());
    let moved = route53.wait_until(PATIENCE, |state| {
        let sets = state.zone(ZONE).unwrap().record_sets();
        lines(sets.filter(|set| set.rtype == "A")).contains(&own)
    });
    assert!(moved);
    let expected = [
        format!("{}. 300 A 198.51.100.1", berlin.fqdn()),
        own,
        format!("{WEB} 300 A 198.51.100.1"),
    ];
    assert_eq!(addresses(&route53), expected);
    let again = berlin.command(&["adopt", "--owner=adminproject", "--yes"], BERLIN);
    assert_eq!(
        (again.code, &*again.stdout),
        (
            0,
            &*format!("{HEAD}Nothing of adminproject to take over.\n")
        )
    );
}

/// The id is its own: then it is the state records that are taken over, from the other server.
#[test]
fn the_state_records_of_a_server_that_is_gone_are_taken_over_with_ones_own_id() {
    let (route53, [munich, berlin]) = two();
    let keeper = munich.run();
    munich.expect_published();
    keeper.terminate();
    assert!(keeper.wait(PATIENCE).is_some());
    assert_eq!(berlin.command(&["once"], &[]).code, 1);
    let before = zone(&route53);
    let arguments = ["adopt", "--owner=adminProject", "--yes"];
    let Ran { code, stderr, .. } = berlin.command(&arguments, &[]);
    assert!(
        code == 1 && stderr.contains("1 of these record sets would be deleted, since"),
        "{code} {stderr}"
    );
    assert_eq!(zone(&route53), before);
    let stdout = adopt(&route53, &berlin, &["--yes", "--deletes=1"], &[]);
    assert!(
        stdout.contains("2 record sets of adminProject to take over. From"),
        "{stdout}"
    );
    let told = format!(
        "* {}. A 300 203.0.113.1\n    is deleted in the next round, since no service asks for it\n",
        munich.fqdn()
    );
    assert!(stdout.contains(&told), "{stdout}");
    assert!(
        stdout.contains("\nThe next round changes 1 and deletes 1 of them.\n"),
        "{stdout}"
    );
    let Ran { code, stderr, .. } = berlin.command(&["once"], &[]);
    assert_eq!(code, 0, "{stderr}");
    let expected = [
        format!("{}. 300 A 198.51.100.1", berlin.fqdn()),
        format!("{WEB} 300 A 198.51.100.1"),
    ];
    assert_eq!(addresses(&route53), expected);
    let returned = munich.run();
    expect_only_words(&route53, &munich, &returned);
}

/// What is said of the next round is of the zone as it is, whatever the state records list.
#[test]
fn what_is_gone_or_in_the_way_is_told_before_entries_move() {
    let (route53, [munich, berlin]) = two();
    let keeper = munich.run();
    munich.expect_published();
    keeper.terminate();
    assert!(keeper.wait(PATIENCE).is_some());
    let told = |edit: &dyn Fn()| {
        edit();
        berlin
            .command(&["adopt", "--owner=adminProject"], BERLIN)
            .stdout
    };
    let gone = told(&|| {
        route53.edit(ZONE, |zone| {
            zone.remove(WEB, "A");
        });
    });
    let expected = format!("{HEAD}* {WEB} A\n    is created in the next round\n    for shop/web\n");
    assert!(gone.starts_with(&expected), "{gone}");
    let alias = told(&|| {
        let alias = RecordSet::alias(WEB, "A", ZONE, "other.example.com.");
        route53.edit(ZONE, |zone| zone.put(alias));
    });
    let expected =
        format!("{HEAD}* {WEB} A alias other.example.com\n    is changed in the next round\n");
    assert!(alias.starts_with(&expected), "{alias}");
}

/// The one that kept them still runs, and knows nothing of it: it writes nothing any more.
#[test]
fn whoever_kept_them_and_still_runs_writes_nothing_any_more() {
    let (route53, [munich, berlin]) = two();
    let keeper = munich.run();
    munich.expect_published();
    adopt(&route53, &berlin, &["--yes", "--deletes=1"], &[]);
    expect_only_words(&route53, &munich, &keeper);
}

/// It wants something, but changes nothing and says why.
fn expect_only_words(route53: &Route53, server: &Server, service: &Service) {
    let before = (zone(route53), writes(route53, server));
    server.rancher.change(|world| {
        world.add_service("shop", "new").run_on("h1", 80);
        world.remove_service("shop", server.name);
    });
    let words = service.wait_for_log(PATIENCE, tells_both_ways_out);
    assert!(words.is_some());
    assert_eq!((zone(route53), writes(route53, server)), before);
}
