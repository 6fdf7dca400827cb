//! Extensions as they stand in certificates, and certificates of OpenSSL's and rcgen's making.

use super::*;
use sim::tls::Authority;
use sim::tls::rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa,
    KeyUsagePurpose,
};

type Change = fn(&mut CertificateParams);

#[test]
fn only_what_says_that_it_may_sign_is_an_authority() {
    let unknown: Change = |params| {
        let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        extension.set_criticality(true);
        params.custom_extensions.push(extension);
    };
    let cases: [(&str, Change, Result<PathLength, NoAuthority>); 15] = [
        ("an authority", |_| {}, Ok(usize::MAX)),
        (
            "without keyUsage",
            |params| params.key_usages.clear(),
            Ok(usize::MAX),
        ),
        (
            "with a path length",
            |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)),
            Ok(0),
        ),
        (
            "with a long path length",
            |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(200)),
            Ok(usize::MAX),
        ),
        (
            "CA:FALSE",
            |params| params.is_ca = IsCa::ExplicitNoCa,
            Err(NoAuthority::NotCa),
        ),
        (
            "CA:FALSE without keyUsage",
            |params| {
                params.is_ca = IsCa::ExplicitNoCa;
                params.key_usages.clear();
            },
            Err(NoAuthority::NotCa),
        ),
        (
            "version 3 without basicConstraints, with keyCertSign",
            |params| params.is_ca = IsCa::NoCa,
            Err(NoAuthority::NotCa),
        ),
        (
            "version 3 without extensions",
            |params| {
                params.is_ca = IsCa::NoCa;
                params.key_usages.clear();
            },
            Err(NoAuthority::NotCa),
        ),
        (
            "without keyCertSign",
            |params| params.key_usages = vec![KeyUsagePurpose::DigitalSignature],
            Err(NoAuthority::NoCertSign),
        ),
        (
            "with keyCertSign and more",
            |params| {
                params.key_usages = vec![
                    KeyUsagePurpose::DigitalSignature,
                    KeyUsagePurpose::KeyCertSign,
                    KeyUsagePurpose::CrlSign,
                    KeyUsagePurpose::DecipherOnly,
                ];
            },
            Ok(usize::MAX),
        ),
        (
            "for servers",
            |params| {
                params.extended_key_usages = vec![
                    ExtendedKeyUsagePurpose::ClientAuth,
                    ExtendedKeyUsagePurpose::ServerAuth,
                ];
            },
            Ok(usize::MAX),
        ),
        (
            "for any use",
            |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any],
            Ok(usize::MAX),
        ),
        (
            "for clients",
            |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
            Err(NoAuthority::NotForServers),
        ),
        (
            "with an unknown critical extension",
            unknown,
            Err(NoAuthority::UnknownExtension),
        ),
        (
            "with an unknown extension that isn't critical",
            |params| {
                let extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
                params.custom_extensions.push(extension);
            },
            Ok(usize::MAX),
        ),
    ];
    for (what, change, expected) in cases {
        let authority = Authority::unlike(&["localhost"], change);
        let summary = Summary::of(authority.certificate().der());
        assert_eq!(may_sign(&summary), expected, "{what}");
        assert_eq!(summary.version, 3, "{what}");
        assert_eq!(
            is_forbidden_to_sign(&summary),
            expected == Err(NoAuthority::NoCertSign),
            "{what}"
        );
        // anyExtendedKeyUsage is no server's, says webpki.
        let may_serve = !what.starts_with("for ") || what == "for servers";
        assert_eq!(may_be_a_server(&summary), may_serve, "{what}");
    }
}

#[test]
fn of_version_1_only_a_root_is_an_authority() {
    let root = Summary::of(include_bytes!("../x509/rsa-1024-v1.der"));
    assert_eq!((root.version, may_sign(&root)), (1, Ok(usize::MAX)));
    let another = Summary {
        issuer: Vec::new(),
        ..root.clone()
    };
    assert_eq!(may_sign(&another), Err(NoAuthority::OldVersion));
    let second = Summary { version: 2, ..root };
    assert_eq!(may_sign(&second), Err(NoAuthority::OldVersion));
    // What can't be read at all has no version.
    assert_eq!(
        may_sign(&Summary::default()),
        Err(NoAuthority::OldVersion),
        "unreadable"
    );
}

const CA_TRUE: &[u8] = &[0x30, 3, 1, 1, 0xff];

/// A certificate of version 3 with these extensions: the last number of the object identifier, and
/// the value.
fn with(extensions: &[(u8, &[u8])]) -> Summary {
    let encoded = extensions.iter().flat_map(|(number, value)| {
        let length = value.len() as u8;
        let head = [0x30, length + 7, 6, 3, 0x55, 0x1d, *number, 4, length];
        [&head[..], value].concat()
    });
    Summary {
        version: 3,
        extensions: Some(encoded.collect()),
        ..Summary::default()
    }
}

#[test]
fn extensions_are_read_to_the_bit() {
    let ca = |value| may_sign(&with(&[(BASIC_CONSTRAINTS, value)]));
    assert_eq!(ca(CA_TRUE), Ok(usize::MAX));
    for (value, expected) in [
        (&[0x30, 6, 1, 1, 0xff, 2, 1, 0][..], Ok(0)),
        (&[0x30, 6, 1, 1, 0xff, 2, 1, 5], Ok(5)),
        (&[0x30, 7, 1, 1, 0xff, 2, 2, 1, 0], Ok(usize::MAX)),
        (&[0x30, 7, 1, 1, 0xff, 2, 2, 0, 0x80], Ok(usize::MAX)),
        (&[0x30, 7, 1, 1, 0xff, 2, 2, 0, 1], Err(NoAuthority::NotCa)), // BER, not DER
        (&[0x30, 6, 1, 1, 0xff, 2, 1, 0xff], Err(NoAuthority::NotCa)), // negative
        (&[0x30, 5, 1, 1, 0xff, 2, 0], Err(NoAuthority::NotCa)),
        (&[0x30, 6, 1, 1, 0xff, 4, 1, 0], Err(NoAuthority::NotCa)),
        (&[0x30, 3, 1, 1, 1], Err(NoAuthority::NotCa)), // BER, not DER
        (&[0x30, 3, 1, 1, 0], Err(NoAuthority::NotCa)),
        (&[0x30, 4, 1, 2, 0xff, 0xff], Err(NoAuthority::NotCa)),
        (&[0x30, 3, 2, 1, 0], Err(NoAuthority::NotCa)), // a path length alone
        (&[0x30, 0], Err(NoAuthority::NotCa)),
        (&[0x31, 3, 1, 1, 0xff], Err(NoAuthority::NotCa)),
        (&[], Err(NoAuthority::NotCa)),
    ] {
        assert_eq!(ca(value), expected, "{value:x?}");
    }
    for (usage, is_allowed) in [
        (&[3, 2, 2, 0x04][..], true),
        (&[3, 2, 1, 0x06], true),
        (&[3, 2, 0, 0xff], true),
        (&[3, 3, 7, 0x04, 0x80], true),
        (&[3, 2, 3, 0x04], false), // the bit isn't one of those that count
        (&[3, 2, 1, 0x02], false),
        (&[3, 2, 7, 0x80], false),
        (&[3, 1, 0], false),
        (&[3, 0], false),
        (&[4, 2, 2, 0x04], false),
        (&[], false),
    ] {
        let certificate = with(&[(BASIC_CONSTRAINTS, CA_TRUE), (KEY_USAGE, usage)]);
        assert_eq!(may_sign(&certificate).is_ok(), is_allowed, "{usage:x?}");
        assert_eq!(is_forbidden_to_sign(&certificate), !is_allowed);
    }
    for usage in [&[][..], &[0x30, 0], &[0x30, 2, 6, 0], &[6, 8]] {
        let certificate = with(&[(BASIC_CONSTRAINTS, CA_TRUE), (EXTENDED_KEY_USAGE, usage)]);
        assert_eq!(may_sign(&certificate), Err(NoAuthority::NotForServers));
        assert!(!may_be_a_server(&certificate));
    }
}

#[test]
fn what_is_broken_is_no_authority() {
    let twice = with(&[(BASIC_CONSTRAINTS, CA_TRUE), (BASIC_CONSTRAINTS, CA_TRUE)]);
    assert_eq!(may_sign(&twice), Err(NoAuthority::Unreadable));
    let whole = with(&[(KEY_USAGE, &[3, 2, 2, 4]), (BASIC_CONSTRAINTS, CA_TRUE)]);
    assert_eq!(may_sign(&whole), Ok(usize::MAX));
    let encoded = whole.extensions.unwrap();
    for end in 0..encoded.len() {
        let cut = Summary {
            version: 3,
            extensions: Some(encoded[..end].to_vec()),
            ..Summary::default()
        };
        assert!(may_sign(&cut).is_err(), "cut at {end}");
        let _ = (is_forbidden_to_sign(&cut), may_be_a_server(&cut));
    }
    for at in 0..encoded.len() {
        for byte in 0..=u8::MAX {
            let mut extensions = encoded.clone();
            extensions[at] = byte;
            let changed = Summary {
                version: 3,
                extensions: Some(extensions),
                ..Summary::default()
            };
            let _ = (may_sign(&changed), may_be_a_server(&changed));
        }
    }
}
