use super::*;
use proptest::prelude::*;

#[test]
fn reads_names_into_route_53_s_form() {
    for (text, expected) in [
        ("example.com", "example.com."),
        ("Example.COM.", "example.com."),
        ("*.example.com", "\\052.example.com."),
        ("\\052.example.com.", "\\052.example.com."),
        ("a\\.b.c", "a\\056b.c."),
        ("_dmarc.x", "_dmarc.x."),
        ("é.x", "\\303\\251.x."),
        ("a b", "a\\040b."),
        ("com", "com."),
    ] {
        assert_eq!(Name::parse(text).unwrap().as_str(), expected, "{text}");
    }
}

#[test]
fn people_see_a_wildcard_as_a_star_and_every_other_name_as_it_is() {
    for (text, shown) in [
        ("*.example.com", "*.example.com."),
        ("\\052.example.com", "*.example.com."),
        ("*", "*."),
        ("*web.example.com", "\\052web.example.com."),
        ("a.*.example.com", "a.\\052.example.com."),
        ("*.*.example.com", "*.\\052.example.com."),
        ("\\056.example.com", "\\056.example.com."),
        ("web.example.com", "web.example.com."),
    ] {
        let name = Name::parse(text).unwrap();
        assert_eq!(name.shown(), shown, "{text}");
        assert_eq!(name.to_string(), shown, "{text}");
        assert_eq!(
            name.without_dot(),
            shown.strip_suffix('.').unwrap(),
            "{text}"
        );
        assert_eq!(Name::parse(shown).unwrap(), name, "{text}");
    }
}

#[test]
fn refuses_what_is_no_name() {
    let long_label = "a".repeat(64);
    let longest = [
        "a".repeat(63),
        "b".repeat(63),
        "c".repeat(63),
        "d".repeat(61),
    ]
    .join(".");
    assert!(Name::parse(&longest).is_ok());
    assert_eq!(
        Name::parse(&longest.to_uppercase()),
        Name::parse(&longest),
        "octet by octet"
    );
    for (text, error) in [
        ("", NameError::Empty),
        (".", NameError::Empty),
        (".a", NameError::EmptyLabel),
        ("a..b", NameError::EmptyLabel),
        (long_label.as_str(), NameError::LabelTooLong),
        (&format!("{longest}e"), NameError::TooLong),
        ("a\\", NameError::BadEscape),
        ("a\\05", NameError::BadEscape),
        ("a\\089", NameError::BadEscape),
        ("a\\777", NameError::BadEscape),
    ] {
        assert_eq!(Name::parse(text), Err(error), "{text}");
    }
}

#[test]
fn below_goes_by_labels_not_letters() {
    let name = |text| Name::parse(text).unwrap();
    for (below, ancestor, expected) in [
        ("a.b.example.com", "b.example.com", true),
        ("b.example.com", "b.example.com", true),
        ("ab.example.com", "b.example.com", false),
        ("example.com", "b.example.com", false),
        ("a\\.b.example.com", "b.example.com", false),
    ] {
        assert_eq!(
            name(below).is_at_or_below(&name(ancestor)),
            expected,
            "{below}"
        );
    }
}

#[test]
fn between_two_names_are_those_of_the_labels_between() {
    for (name, expected) in [
        (
            "a.b.c.example.com",
            &["b.c.example.com.", "c.example.com."][..],
        ),
        ("*.b\\.c.example.com", &["b\\056c.example.com."]),
        ("a.example.com", &[]),
        ("example.com", &[]),
        ("com", &[]),
        ("a.b.example.org", &[]),
    ] {
        let name = Name::parse(name).unwrap();
        let between = name.between(&Name::parse("example.com").unwrap());
        let between: Vec<&str> = between.iter().map(Name::as_str).collect();
        assert_eq!(between, expected, "{name}");
    }
}

#[test]
fn a_child_is_below_its_parent() {
    let parent = Name::parse("example.com").unwrap();
    for (label, child) in [
        ("a.b", Ok("a.b.example.com.")),
        ("a\\\\", Ok("a\\134.example.com.")),
        ("a\\", Err(NameError::BadEscape)),
        ("", Err(NameError::EmptyLabel)),
        ("a.", Err(NameError::EmptyLabel)),
    ] {
        let child = child.map(|text| Name::parse(text).unwrap());
        assert_eq!(parent.child(label), child, "{label}");
    }
}

#[test]
fn the_listing_s_order_counts_the_dots() {
    let mut names: Vec<Name> = [
        "external-dns-u",
        "external-dns-u-1",
        "external-dns-u-10",
        "a",
    ]
    .iter()
    .map(|label| Name::parse(&format!("{label}.z")).unwrap())
    .collect();
    names.sort_by_key(Name::listing_key);
    let sorted: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    assert_eq!(
        sorted,
        [
            "a.z.",
            "external-dns-u-1.z.",
            "external-dns-u-10.z.",
            "external-dns-u.z."
        ]
    );
}

#[test]
fn names_as_route_53_has_them_need_no_look_at_each_octet() {
    let label = "a".repeat(63);
    let longest = [&*label, &*label, &*label, &"a".repeat(61)].join(".");
    for (text, expected) in [
        ("a-1_b.example.com.", true),
        ("example.com", true),
        (&label, true),
        (&longest, true),
        (&format!("{longest}."), true),
        ("Example.com.", false),
        ("\\052.example.com.", false),
        ("*.example.com.", false),
    ] {
        assert_eq!(is_plain(text), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_plain_reads_as_it_does_octet_by_octet(
        text in "[a-c.\\\\A*]{0,9}|[a-z.]{0,300}|(a{60,64}\\.){0,2}(b{60,64}\\.){0,2}(c{58,64}\\.?)?"
    ) {
        prop_assert_eq!(Name::parse(&text), Name::parse_octets(&text));
    }

    #[test]
    fn parsing_is_idempotent_and_never_panics(text in "\\PC{0,80}|[a-z.\\\\0-9*]{0,300}") {
        if let Ok(name) = Name::parse(&text) {
            prop_assert_eq!(Name::parse(name.as_str()).unwrap(), name.clone());
            prop_assert_eq!(Name::parse(&name.shown()).unwrap(), name.clone());
            prop_assert_eq!(Name::parse(&name.without_dot()).unwrap(), name);
        }
    }
}
