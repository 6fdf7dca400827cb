use super::super::samples::{V4, V6, addresses, reply};
use super::*;

#[test]
fn a_question_is_what_rfc_1035_says() {
    let question = Question::new(0x1234, "a.Example", Kind::Aaaa);
    assert_eq!(
        question.message(),
        b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01a\x07Example\0\0\x1c\0\x01"
    );
}

#[test]
fn a_reply_is_read_for_what_it_says() {
    let question = Question::new(7, "a.example", Kind::A);
    let sent = question.message();
    let refused = |word: &str| Some(Reply::Refused(word.to_owned()));
    let found = || Some(Reply::Addresses(addresses(&["192.0.2.1"])));
    for (code, records, expected) in [
        (0, &[(1, V4)][..], found()),
        // An alias first, and records that weren't asked for.
        (0, &[(5, &[0xc0, 12][..]), (1, V4), (28, V6)], found()),
        (0, &[(5, &[0xc0, 12])], Some(Reply::NoAddress)),
        (0, &[(28, V6)], Some(Reply::NoAddress)),
        // A record of three bytes isn't an address.
        (0, &[(1, &V4[..3])], Some(Reply::NoAddress)),
        (0, &[], Some(Reply::NoAddress)),
        (3, &[], Some(Reply::NoName)),
        (3, &[(5, &[0xc0, 12])], Some(Reply::NoName)),
        (1, &[], refused("FORMERR")),
        (2, &[], refused("SERVFAIL")),
        (4, &[], refused("NOTIMP")),
        (5, &[], refused("REFUSED")),
        (9, &[], refused("error 9")),
    ] {
        let reply = reply(&sent, code, records);
        assert_eq!(question.reply(&reply), expected, "{code} {records:?}");
    }
}

#[test]
fn a_reply_to_another_question_is_none() {
    let question = Question::new(7, "a.example", Kind::A);
    let other = |id, name, kind| {
        let message = Question::new(id, name, kind).message();
        question.reply(&reply(&message, 0, &[(1, V4)]))
    };
    assert!(
        other(7, "A.EXAMPLE", Kind::A).is_some(),
        "case doesn't matter"
    );
    assert_eq!(other(8, "a.example", Kind::A), None);
    assert_eq!(other(7, "b.example", Kind::A), None);
    assert_eq!(other(7, "a.example", Kind::Aaaa), None);
    assert_eq!(question.reply(&question.message()), None, "a question");
    assert_eq!(question.reply(&[]), None);
    // Only an error may leave the question out.
    let bare = |code| [0, 7, 0x81, code, 0, 0, 0, 0, 0, 0, 0, 0];
    let refused = Reply::Refused("NOTIMP".to_owned());
    assert_eq!(question.reply(&bare(4)), Some(refused));
    assert_eq!(question.reply(&bare(0)), None);
}

#[test]
fn a_part_of_the_addresses_will_do_and_without_any_it_is_tcp() {
    let question = Question::new(7, "a.example", Kind::A);
    let mut cut = reply(&question.message(), 0, &[(1, V4), (1, V4)]);
    let whole = question.reply(&cut);
    assert_eq!(whole, Some(Reply::Addresses(addresses(&["192.0.2.1"; 2]))));
    cut[2] |= 0x02;
    let end = cut.len();
    let one = Some(Reply::Addresses(addresses(&["192.0.2.1"])));
    assert_eq!(question.reply(&cut[..end - 1]), one);
    assert_eq!(question.reply(&cut[..end - 17]), Some(Reply::Truncated));
    cut[2] &= !0x02;
    let broken = Reply::Refused("a broken message".to_owned());
    assert_eq!(question.reply(&cut[..end - 17]), Some(broken));
}

#[test]
fn no_bytes_make_it_panic() {
    let question = Question::new(7, "a.example", Kind::A);
    let whole = reply(&question.message(), 0, &[(5, &[0xc0, 12]), (1, V4)]);
    for end in 0..whole.len() {
        let _ = question.reply(&whole[..end]);
        for byte in [0, 1, 63, 64, 127, 191, 192, 255] {
            let mut broken = whole.clone();
            broken[end] = byte;
            let _ = question.reply(&broken);
        }
    }
}

#[test]
fn a_name_has_labels_of_1_to_63_bytes() {
    let long = "a".repeat(63);
    for (name, expected) in [
        ("a", true),
        ("route53.amazonaws.com", true),
        ("_x.y-z", true),
        (long.as_str(), true),
        ("", false),
        (".", false),
        ("a..b", false),
        ("a b", false),
        ("ä", false),
        (&format!("{long}a"), false),
        (&[long.as_str(); 4].join("."), false),
    ] {
        assert_eq!(is_name(name), expected, "{name}");
    }
}
