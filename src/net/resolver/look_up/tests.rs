use super::super::samples::{V4, V6, addresses, reply};
use super::*;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// How a simulated name server answers the questions for IPv4 and for IPv6: with records or an error,
/// and after how many milliseconds. `None` stands for no answer.
#[derive(Clone, Copy)]
struct Does {
    a: Option<(&'static str, u64)>,
    aaaa: Option<(&'static str, u64)>,
}

const DEAD: Does = does(None, None);

const fn does(a: Option<(&'static str, u64)>, aaaa: Option<(&'static str, u64)>) -> Does {
    Does { a, aaaa }
}

/// Simulates a look-up of these names with these servers, without waiting. Returns the outcome, the
/// time that it took in milliseconds, and how many messages were sent. The answers are for all
/// names. But one whose word begins with `1` is for the first name, which otherwise doesn't exist.
fn play(
    names: &[&str],
    is_as_given_first: bool,
    servers: &[Does],
) -> (Option<Outcome>, u64, usize) {
    let candidates = Candidates {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        is_as_given_first,
    };
    let start = Instant::now();
    let mut look_up = LookUp::new(candidates, servers.len(), || 7, start);
    let mut on_the_way: Vec<(u64, usize, Vec<u8>)> = Vec::new();
    let mut sent = 0;
    for at in (0..40_000).step_by(10) {
        let now = start + ms(at);
        let (come, rest) = on_the_way.into_iter().partition(|(due, ..)| *due <= at);
        on_the_way = rest;
        let come: Vec<(u64, usize, Vec<u8>)> = come;
        for (_, server, message) in come {
            assert_eq!(look_up.take(server, &message, now), None);
        }
        if let Some(outcome) = look_up.outcome(now) {
            return (Some(outcome), at, sent);
        }
        for sending in look_up.due(now) {
            sent += 1;
            let is_a = sending.message[sending.message.len() - 3] == 1;
            let does = servers[sending.server];
            let Some((word, late)) = (if is_a { does.a } else { does.aaaa }) else {
                continue;
            };
            let is_first = sending.message[12 + 1] == names[0].as_bytes()[0];
            let message = match (word.strip_prefix('1'), is_first) {
                (Some(word), true) => replied(&sending.message, word),
                // The second question comes a second after the first.
                (None, _) if word == "recovers" => {
                    let word = if at < 500 { "servfail" } else { "4" };
                    replied(&sending.message, if is_a { word } else { "empty" })
                }
                (None, _) => replied(&sending.message, word),
                (Some(_), false) => replied(&sending.message, "4"),
            };
            on_the_way.push((at + late, sending.server, message));
        }
    }
    (None, 40_000, sent)
}

fn replied(message: &[u8], word: &str) -> Vec<u8> {
    match word {
        "4" => reply(message, 0, &[(1, V4)]),
        "6" => reply(message, 0, &[(28, V6)]),
        "empty" => reply(message, 0, &[]),
        "servfail" => reply(message, 2, &[]),
        "nxdomain" => reply(message, 3, &[]),
        "notimp" => reply(message, 4, &[]),
        "refused" => reply(message, 5, &[]),
        other => panic!("{other}"),
    }
}

#[test]
fn an_address_is_found_whatever_becomes_of_the_other_question() {
    let v4 = || Some(Outcome::Found(addresses(&["192.0.2.1"])));
    let both = Some(Outcome::Found(addresses(&["192.0.2.1", "2001:db8::1"])));
    let v6 = Some(Outcome::Found(addresses(&["2001:db8::1"])));
    let four = Some(("4", 1));
    let good = does(four, Some(("empty", 1)));
    for (what, servers, expected, longest) in [
        ("both", &[does(four, Some(("6", 1)))][..], both.clone(), 50),
        (
            "IPv6 a little late",
            &[does(four, Some(("6", 60)))],
            both,
            100,
        ),
        ("IPv6 too late", &[does(four, Some(("6", 2000)))], v4(), 150),
        ("IPv6 empty", &[good], v4(), 50),
        (
            "IPv6 NXDOMAIN",
            &[does(four, Some(("nxdomain", 1)))],
            v4(),
            50,
        ),
        (
            "IPv6 SERVFAIL",
            &[does(four, Some(("servfail", 1)))],
            v4(),
            50,
        ),
        ("IPv6 NOTIMP", &[does(four, Some(("notimp", 1)))], v4(), 50),
        (
            "IPv6 REFUSED",
            &[does(four, Some(("refused", 1)))],
            v4(),
            50,
        ),
        ("IPv6 never", &[does(four, None)], v4(), 150),
        (
            "IPv6 NXDOMAIN first",
            &[does(Some(("4", 900)), Some(("nxdomain", 1)))],
            v4(),
            950,
        ),
        (
            "only IPv6",
            &[does(Some(("empty", 1)), Some(("6", 900)))],
            v6.clone(),
            950,
        ),
        (
            "IPv4 NXDOMAIN",
            &[does(Some(("nxdomain", 1)), Some(("6", 60)))],
            v6.clone(),
            150,
        ),
        (
            "IPv4 SERVFAIL",
            &[does(Some(("servfail", 1)), Some(("6", 1)))],
            v6.clone(),
            50,
        ),
        ("IPv4 never", &[does(None, Some(("6", 1)))], v6, 5_050),
        (
            "15 s each",
            &[does(Some(("4", 15_000)), Some(("empty", 15_000)))],
            v4(),
            15_100,
        ),
        ("a dead first server", &[DEAD, good], v4(), 450),
        ("two dead servers", &[DEAD, DEAD, good], v4(), 750),
        (
            "a first server that fails",
            &[does(Some(("servfail", 1)), None), good],
            v4(),
            350,
        ),
        ("a dead second server", &[good, DEAD], v4(), 50),
        // The second server says that the name doesn't exist.
        (
            "a slow first server",
            &[
                does(Some(("4", 3_000)), None),
                does(Some(("nxdomain", 1)), Some(("nxdomain", 1))),
            ],
            v4(),
            3_150,
        ),
    ] {
        let (outcome, took, _) = play(&["a"], true, servers);
        assert_eq!(outcome, expected, "{what}");
        assert!(took <= longest, "{what}: {took} ms");
    }
}

#[test]
fn that_there_is_no_address_is_said_soon_and_that_nobody_says_so_after_a_while() {
    let no = || Some(Outcome::NoSuchHost { is_doubtful: false });
    let doubtful = || Some(Outcome::NoSuchHost { is_doubtful: true });
    let refused = |word: &str| Some(Outcome::Refused(word.to_owned()));
    let nxdomain = does(Some(("nxdomain", 1)), Some(("nxdomain", 1)));
    let empty = does(Some(("empty", 1)), Some(("empty", 1)));
    let servfail = does(Some(("servfail", 1)), Some(("servfail", 1)));
    for (what, servers, expected, from, to) in [
        ("NXDOMAIN", &[nxdomain][..], no(), 0, 50),
        ("empty", &[empty], no(), 0, 50),
        (
            "NXDOMAIN and never",
            &[does(nxdomain.a, None)],
            no(),
            100,
            150,
        ),
        (
            "empty and never",
            &[does(empty.a, None)],
            no(),
            5_000,
            5_050,
        ),
        (
            "NXDOMAIN and NOTIMP",
            &[does(nxdomain.a, Some(("notimp", 1)))],
            no(),
            0,
            50,
        ),
        ("SERVFAIL", &[servfail], refused("SERVFAIL"), 5_000, 5_050),
        (
            "REFUSED",
            &[does(Some(("refused", 1)), None)],
            refused("REFUSED"),
            5_000,
            5_050,
        ),
        (
            "NOTIMP",
            &[does(Some(("notimp", 1)), empty.aaaa)],
            refused("NOTIMP"),
            5_000,
            5_050,
        ),
        ("never", &[DEAD], None, 40_000, 40_000),
        ("all dead", &[DEAD, DEAD, DEAD], None, 40_000, 40_000),
        (
            "SERVFAIL, then NXDOMAIN",
            &[servfail, nxdomain],
            doubtful(),
            5_000,
            5_050,
        ),
        (
            "NXDOMAIN, then SERVFAIL",
            &[nxdomain, servfail],
            no(),
            0,
            50,
        ),
        // The first server might know the name that the second one doesn't know.
        (
            "dead, then NXDOMAIN",
            &[DEAD, nxdomain],
            doubtful(),
            5_000,
            5_050,
        ),
        (
            "SERVFAIL, then dead",
            &[servfail, DEAD],
            None,
            40_000,
            40_000,
        ),
    ] {
        let (outcome, took, _) = play(&["a"], true, servers);
        assert_eq!(outcome, expected, "{what}");
        assert!((from..=to).contains(&took), "{what}: {took} ms");
    }
}

#[test]
fn the_next_name_is_for_when_the_one_before_does_not_exist() {
    let found = || Some(Outcome::Found(addresses(&["192.0.2.1"])));
    let refused = || Some(Outcome::Refused("REFUSED".to_owned()));
    for (first, is_as_given_first, expected, is_soon) in [
        (Some(("1nxdomain", 1)), true, found(), true),
        (Some(("1empty", 1)), true, found(), true),
        (Some(("1nxdomain", 1)), false, found(), true),
        (Some(("1empty", 1)), false, found(), true),
        // A search domain that the server isn't for.
        (Some(("1refused", 1)), false, found(), true),
        // It can't say at present: the next name could be somebody else's, and isn't taken lightly.
        (Some(("1servfail", 1)), false, found(), false),
        // It exists, but nobody says where: another name is somebody else's.
        (Some(("1refused", 1)), true, refused(), false),
    ] {
        let does = does(first, first.map(|_| ("empty", 1)));
        let (outcome, took, _) = play(&["a", "b"], is_as_given_first, &[does]);
        assert_eq!(outcome, expected, "{first:?} {is_as_given_first}");
        assert_eq!(took < 100, is_soon, "{first:?}: {took} ms");
    }
    // If a name was refused, the outcome isn't that the host doesn't exist.
    let refused = does(Some(("servfail", 1)), Some(("servfail", 1)));
    let (outcome, ..) = play(&["a", "b"], false, &[refused]);
    assert_eq!(outcome, Some(Outcome::Refused("SERVFAIL".to_owned())));
}

#[test]
fn a_server_that_cannot_say_for_a_moment_is_waited_for() {
    let found = Some(Outcome::Found(addresses(&["192.0.2.1"])));
    let recovers = does(Some(("recovers", 1)), Some(("recovers", 1)));
    let nxdomain = does(Some(("nxdomain", 1)), Some(("nxdomain", 1)));
    for (names, is_as_given_first, servers) in [
        (&["a"][..], true, &[recovers, nxdomain][..]),
        (&["a", "b"], true, &[recovers, nxdomain]),
        (&["a", "b"], false, &[recovers]),
    ] {
        let (outcome, took, _) = play(names, is_as_given_first, servers);
        assert_eq!(outcome, found, "{names:?}");
        assert!((1_000..1_500).contains(&took), "{names:?}: {took} ms");
    }
}

#[test]
fn a_dead_server_is_waited_for_once_and_not_for_each_name() {
    let nxdomain = does(Some(("nxdomain", 1)), Some(("nxdomain", 1)));
    let (outcome, took, _) = play(&["a", "b", "c", "d"], false, &[DEAD, nxdomain]);
    assert_eq!(outcome, Some(Outcome::NoSuchHost { is_doubtful: true }));
    assert!((5_000..7_000).contains(&took), "{took} ms");
}

#[test]
fn few_messages_are_sent() {
    let good = does(Some(("4", 1)), Some(("empty", 1)));
    for (what, servers, longest) in [
        ("one server", &[good][..], 2),
        (
            "three servers, of which the first answers",
            &[good, good, good],
            2,
        ),
        ("never", &[DEAD], 2 * 14),
        (
            "15 s",
            &[does(Some(("4", 15_000)), Some(("empty", 15_000)))],
            2 * 7,
        ),
    ] {
        let (_, _, sent) = play(&["a"], true, servers);
        assert!(sent <= longest, "{what}: {sent}");
    }
    assert!(GRACE < STAGGER && STAGGER < GIVE_UP_AFTER);
}
