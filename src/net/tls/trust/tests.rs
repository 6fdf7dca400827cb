//! Certificates × hosts × `CA_FILE`. `.ci/tls` asks the same of OpenSSL's certificates, with curl beside.

use std::time::{SystemTime, UNIX_EPOCH};

use super::*;
use rustls::crypto::ring;
use sim::tls::Authority;
use sim::tls::rcgen::{
    self, BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, KeyUsagePurpose, NameConstraints, date_time_ymd,
};

const RANCHER: &str = "rancher.example.com";
const AWS: &str = "route53.amazonaws.com";

fn own(certificates: &[&rcgen::Certificate]) -> OwnCertificates {
    let pem: String = certificates.iter().map(|own| own.pem()).collect();
    certificates_of(&pem)
}

fn certificates_of(pem: &str) -> OwnCertificates {
    certificates(pem.as_bytes()).unwrap().into_iter().collect()
}

fn now() -> UnixTime {
    UnixTime::since_unix_epoch(SystemTime::now().duration_since(UNIX_EPOCH).unwrap())
}

fn verify(trust: &Trust, host: &str, sent: &[&rcgen::Certificate]) -> Result<(), Error> {
    let sent: Vec<CertificateDer<'_>> = sent.iter().map(|sent| sent.der().clone()).collect();
    let host = ServerName::try_from(host).unwrap();
    let algorithms = ring::default_provider().signature_verification_algorithms;
    trust.verify(&sent[0], &sent[1..], &host, now(), algorithms)
}

/// Whether a server with these certificates is trusted at the host of `CATTLE_URL`, and by the client
/// for AWS at the same host, if this stands in `CA_FILE`.
fn at_both(in_file: &[&rcgen::Certificate], sent: &[&rcgen::Certificate]) -> (bool, bool) {
    let authorities = Trust::authorities(&own(in_file));
    let rancher = authorities.clone().and_each_as_itself_at(RANCHER);
    (
        verify(&rancher, RANCHER, sent).is_ok(),
        verify(&authorities, RANCHER, sent).is_ok(),
    )
}

type Change = fn(&mut CertificateParams);

fn not_ca(params: &mut CertificateParams) {
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages.clear();
}

fn unchanged(_: &mut CertificateParams) {}

#[test]
fn an_authority_vouches_for_every_host_and_what_is_none_for_itself_at_rancher_alone() {
    let authority = Authority::new();
    let leaf = authority.certify(&[RANCHER, AWS], unchanged);
    let file = own(&[authority.certificate()]);
    for trust in [
        Trust::authorities(&file),
        Trust::authorities(&file).and_each_as_itself_at(RANCHER),
    ] {
        for host in [RANCHER, AWS] {
            assert_eq!(verify(&trust, host, &[&leaf]), Ok(()), "{host}");
        }
        assert!(verify(&trust, "sts.amazonaws.com", &[&leaf]).is_err());
    }

    let not_for_servers = [ExtendedKeyUsagePurpose::ClientAuth];
    let changes: [(&str, Change); 4] = [
        ("CA:FALSE", not_ca),
        ("no basicConstraints", |params| params.is_ca = IsCa::NoCa),
        ("no keyCertSign", |params| {
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        }),
        ("an unknown critical extension", |params| {
            let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
            extension.set_criticality(true);
            params.custom_extensions.push(extension);
        }),
    ];
    for (what, change) in changes {
        let server = Authority::unlike(&[RANCHER, AWS], change);
        let signed = server.certify(&[RANCHER, AWS], unchanged);
        let file = [server.certificate()];
        let rancher = Trust::authorities(&own(&file)).and_each_as_itself_at(RANCHER);
        let readable = !what.contains("unknown");
        assert_eq!(at_both(&file, &file), (readable, false), "{what}");
        assert_eq!(at_both(&file, &[&signed]), (false, false), "{what}");
        assert!(verify(&rancher, AWS, &file).is_err(), "{what}");
        assert!(verify(&rancher, AWS, &[&signed]).is_err(), "{what}");
    }
    let clients = Authority::unlike(&[RANCHER], |params| {
        params.extended_key_usages = not_for_servers.to_vec();
    });
    let signed = clients.certify(&[RANCHER], unchanged);
    let file = [clients.certificate()];
    assert_eq!(at_both(&file, &file), (false, false));
    assert_eq!(at_both(&file, &[&signed]), (false, false));
}

#[test]
fn an_authority_is_no_server_but_at_the_host_of_cattle_url() {
    let server = Authority::unlike(&[RANCHER], unchanged);
    let file = [server.certificate()];
    assert_eq!(at_both(&file, &file), (true, false));
    // It may sign, so one that it signs is good everywhere.
    let signed = server.certify(&[RANCHER], unchanged);
    assert_eq!(at_both(&file, &[&signed]), (true, true));
}

#[test]
fn names_count_unless_nobody_else_vouches_for_them() {
    let authority = Authority::new();
    let root = authority.certificate();
    let other = Authority::new();
    for (names, only_itself, with_root) in [
        (&[RANCHER][..], (true, false), (true, true)),
        (&[], (true, false), (true, false)),
        (&["wiki.example.com"], (false, false), (false, false)),
        (&["192.0.2.1"], (false, false), (false, false)),
    ] {
        let leaf = authority.certify(names, unchanged);
        assert_eq!(at_both(&[&leaf], &[&leaf]), only_itself, "{names:?}");
        assert_eq!(at_both(&[&leaf, root], &[&leaf]), with_root, "{names:?}");
        let another = authority.certify(names, unchanged);
        assert_eq!(at_both(&[&leaf], &[&another]), (false, false), "{names:?}");
        assert_eq!(at_both(&[root], &[&leaf]), (with_root.1, with_root.1));
        let file = [other.certificate()];
        assert_eq!(at_both(&file, &[&leaf]), (false, false), "{names:?}");
    }
    for names in [&[RANCHER][..], &[], &["wiki.example.com"], &["192.0.2.1"]] {
        let server = Authority::unlike(names, not_ca);
        let file = [server.certificate()];
        assert_eq!(at_both(&file, &file), (true, false), "{names:?}");
    }
}

#[test]
fn dates_count_for_what_is_taken_as_itself_and_for_authorities() {
    for years in [2001..2002, 2998..2999] {
        let limited = |params: &mut CertificateParams| {
            params.not_before = date_time_ymd(years.start, 1, 1);
            params.not_after = date_time_ymd(years.end, 1, 1);
        };
        let authority = Authority::unlike(&[RANCHER], limited);
        let leaf = authority.certify(&[RANCHER], unchanged);
        let file = [authority.certificate()];
        assert_eq!(at_both(&file, &[&leaf]), (false, false), "{years:?}");
        assert_eq!(at_both(&file, &file), (false, false), "{years:?}");
        let server = Authority::unlike(&[RANCHER], |params| {
            limited(params);
            not_ca(params);
        });
        let file = [server.certificate()];
        assert_eq!(at_both(&file, &file), (false, false), "{years:?}");
        // The present one of that name stands beside it.
        let good = Authority::new();
        let leaf = good.certify(&[RANCHER], unchanged);
        let file = [authority.certificate(), good.certificate()];
        assert_eq!(at_both(&file, &[&leaf]), (true, true), "{years:?}");
    }
}

#[test]
fn an_authority_below_one_is_one_with_its_limits_and_without_its_root() {
    let root = Authority::new();
    let between = root.below(&[], unchanged);
    let leaf = between.certify(&[RANCHER], unchanged);
    let (above, sent) = (root.certificate(), between.certificate());
    assert_eq!(at_both(&[sent], &[&leaf]), (true, true));
    assert_eq!(at_both(&[above], &[&leaf, sent]), (true, true));
    assert_eq!(at_both(&[above], &[&leaf]), (false, false));

    // What stands between has to be allowed to sign, too.
    for change in [
        |params: &mut CertificateParams| params.is_ca = IsCa::ExplicitNoCa,
        |params: &mut CertificateParams| {
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        },
    ] {
        let between = root.below(&[], change);
        let leaf = between.certify(&[RANCHER], unchanged);
        let sent = between.certificate();
        assert_eq!(at_both(&[above], &[&leaf, sent]), (false, false));
        assert_eq!(at_both(&[above, sent], &[&leaf, sent]), (false, false));
    }
}

#[test]
fn a_path_length_counts_for_a_root_too() {
    let limited = |length| {
        move |params: &mut CertificateParams| {
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(length));
        }
    };
    for length in [0, 1, 2] {
        let root = Authority::unlike(&[], limited(length));
        let file = [root.certificate()];
        let leaf = root.certify(&[RANCHER], unchanged);
        assert_eq!(at_both(&file, &[&leaf]), (true, true), "{length}");
        // Whatever else is sent along.
        let sent = [&leaf, root.certificate(), root.certificate()];
        assert_eq!(at_both(&file, &sent), (true, true), "{length}");

        let first = root.below(&[], unchanged);
        let leaf = first.certify(&[RANCHER], unchanged);
        let sent = [&leaf, first.certificate()];
        assert_eq!(at_both(&file, &sent).0, length >= 1, "{length}");

        let second = first.below(&[], |params| {
            params
                .distinguished_name
                .push(rcgen::DnType::CommonName, "second");
        });
        let leaf = second.certify(&[RANCHER], unchanged);
        let sent = [&leaf, second.certificate(), first.certificate()];
        assert_eq!(at_both(&file, &sent).0, length >= 2, "{length}");
    }
}

#[test]
fn an_authority_signs_only_for_the_names_that_its_constraints_allow() {
    let limited = Authority::unlike(&[], |params| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("example.com".to_owned())],
            excluded_subtrees: vec![],
        });
    });
    let trust = Trust::authorities(&own(&[limited.certificate()]));
    for (host, is_allowed) in [(RANCHER, true), (AWS, false)] {
        let leaf = limited.certify(&[host], unchanged);
        assert_eq!(verify(&trust, host, &[&leaf]).is_ok(), is_allowed, "{host}");
    }
}

#[test]
fn a_host_is_the_same_however_it_is_written() {
    let server = Authority::unlike(&[], not_ca);
    let sent = [server.certificate()];
    for (configured, host, is_same) in [
        ("Rancher.Example.COM", RANCHER, true),
        ("rancher.example.com.", RANCHER, true),
        (RANCHER, "RANCHER.example.com.", true),
        ("192.0.2.1", "192.0.2.1", true),
        ("[2001:db8::1]", "2001:db8:0:0::1", true),
        (RANCHER, "www.rancher.example.com", false),
        (RANCHER, "example.com", false),
        ("192.0.2.1", "192.0.2.10", false),
        ("not a host", RANCHER, false),
    ] {
        let trust = Trust::authorities(&own(&sent)).and_each_as_itself_at(configured);
        let verified = verify(&trust, host, &sent);
        assert_eq!(verified.is_ok(), is_same, "{configured} {host}");
    }
}

#[test]
fn a_file_may_hold_more_than_certificates_and_each_of_them_often() {
    let authority = Authority::new();
    let other = Authority::unlike(&[RANCHER], not_ca);
    let pem = authority.pem();
    let block = |kind: &str| format!("-----BEGIN {kind}-----\nAAAA\n-----END {kind}-----\n");
    let mut file = b"# Z\xfcrich\r\n".to_vec();
    for part in [
        &block("PRIVATE KEY"),
        pem,
        &block("RSA PRIVATE KEY"),
        &block("X509 CRL"),
        &pem.replace('\n', "\r\n"),
        other.pem(),
        pem,
    ] {
        file.extend(part.as_bytes());
    }
    let read: OwnCertificates = certificates(&file).unwrap().into_iter().collect();
    let found: Vec<bool> = read
        .iter()
        .map(|own| own.no_authority().is_none())
        .collect();
    assert_eq!(found, [true, false]);

    let broken = format!("{pem}-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    let error = certificates(broken.as_bytes()).unwrap_err();
    assert!(
        error.starts_with("certificate 2 in it can't be read"),
        "{error}"
    );
}
