//! What stands in CA_FILE and doesn't help.

use super::*;

/// What is said of a server's certificates for want of an issuer; the first one stands in CA_FILE or
/// not, and this host takes what stands there as itself or not.
fn without_issuer(sent: Vec<Summary>, trusted: Vec<Summary>, takes_own: bool) -> Error {
    let refused = Refused {
        error: CertificateError::UnknownIssuer,
        stage: Stage::Chain,
        is_own: trusted.contains(&sent[0]),
        sent,
        trusted,
        takes_own,
        now: NOW,
    };
    CertificateError::Other(OtherError(Arc::new(refused))).into()
}

#[test]
fn what_stands_in_ca_file_and_does_not_help_is_named_with_what_to_do() {
    let leaf = || server(SHA256_RSA);
    let ca = || summary("CA", "CA", SHA256_RSA, rsa(2048));
    let no_authority = |summary| Summary {
        extensions: None,
        ..summary
    };
    let outdated = Summary {
        valid: Some((1_000_000_000, 1_600_000_000)),
        ..ca()
    };
    let limited = Summary {
        extensions: Some(
            [
                &[0x30, 15, 6, 3, 0x55, 0x1d, 19, 4, 8, 0x30, 6][..],
                &[1, 1, 0xff, 2, 1, 0],
            ]
            .concat(),
        ),
        ..summary("Root", "Root", SHA256_RSA, rsa(2048))
    };
    // keyUsage with digitalSignature alone.
    let no_signer = Summary {
        extensions: Some(vec![0x30, 11, 6, 3, 0x55, 0x1d, 15, 4, 4, 3, 2, 7, 0x80]),
        ..summary("CA", "Root", SHA256_RSA, rsa(2048))
    };
    let between = summary("CA", "Root", SHA256_RSA, rsa(2048));
    let itself = || no_authority(summary("r.example", "r.example", SHA256_RSA, rsa(2048)));
    for (sent, trusted, takes_own, expected) in [
        (
            vec![itself()],
            vec![itself()],
            false,
            "its certificate 'r.example' stands in CA_FILE but is no authority (its \
             basicConstraints don't have CA:TRUE), so it is trusted only at the host of CATTLE_URL \
             and at a proxy, not at r.example: have the certificate of r.example signed by an \
             authority, and put that authority's certificate in CA_FILE",
        ),
        (
            vec![itself()],
            vec![],
            false,
            "its certificate 'r.example' is signed by itself and isn't trusted: have it signed by \
             an authority, and put that authority's certificate in CA_FILE",
        ),
        (
            vec![leaf()],
            vec![no_authority(ca())],
            false,
            "its certificate 'r.example' is signed by 'CA', which is no authority (its \
             basicConstraints don't have CA:TRUE): have it signed by one that is",
        ),
        (
            vec![leaf()],
            vec![no_authority(ca())],
            true,
            "its certificate 'r.example' is signed by 'CA', which is no authority (its \
             basicConstraints don't have CA:TRUE): have it signed by one that is, or put the \
             server's own certificate in CA_FILE",
        ),
        (
            vec![leaf()],
            vec![outdated.clone()],
            true,
            "its certificate 'r.example' is signed by the authority 'CA', whose certificate in \
             CA_FILE is valid from 2001-09-09T01:46:40Z to 2020-09-13T12:26:40Z, and the clock of \
             this host says 2023-11-14T22:13:20Z: put the present certificate of 'CA' in CA_FILE, \
             or set the clock",
        ),
        (
            vec![leaf(), between.clone()],
            vec![limited],
            true,
            "its certificate 'r.example' has more authorities between it and 'Root' in CA_FILE than \
             that one allows (pathlen)",
        ),
        (
            vec![leaf(), no_signer],
            vec![summary("Root", "Root", SHA256_RSA, rsa(2048))],
            true,
            "its certificate 'r.example' is signed by 'CA', which is no authority (its keyUsage \
             doesn't have keyCertSign): have it signed by one that is, or put the server's own \
             certificate in CA_FILE",
        ),
        (
            // The present one stands beside the old one, so it is another that is missing.
            vec![leaf(), between],
            vec![outdated, ca()],
            true,
            "its certificate 'r.example' is signed by the authority 'Root', which isn't trusted: \
             put the certificate of 'Root' in CA_FILE",
        ),
    ] {
        expect(&without_issuer(sent, trusted, takes_own), expected);
    }
    // An authority of its name beside it makes it no error of that one's.
    let beside = |error| {
        let refused = Refused {
            error,
            stage: Stage::Chain,
            sent: vec![itself()],
            trusted: vec![
                itself(),
                summary("r.example", "r.example", SHA256_RSA, rsa(2048)),
            ],
            is_own: true,
            takes_own: false,
            now: NOW,
        };
        explain(
            "r.example",
            &CertificateError::Other(OtherError(Arc::new(refused))).into(),
            None,
        )
    };
    assert_eq!(
        beside(CertificateError::BadSignature),
        beside(CertificateError::UnknownIssuer)
    );
}

#[test]
fn nothing_is_advised_that_does_not_help_at_this_host() {
    for (error, expected) in [
        (
            unsupported(SHA1_RSA),
            "its certificate 'r.example' is signed with RSA with SHA-1 by 'CA'; verified are RSA \
             (2048 bits or more) with SHA-256, SHA-384 or SHA-512, ECDSA (P-256 or P-384) with \
             SHA-256 or SHA-384, and Ed25519: have it signed with one of these",
        ),
        (
            other_name(&[]),
            "its certificate 'r.example' names no host in its subjectAltName (a common name \
             doesn't count): make one that names r.example there",
        ),
        (
            webpki("CaUsedAsEndEntity"),
            "its certificate 'r.example' is an authority's (CA:TRUE), not a server's: let the \
             server have one with CA:FALSE that this authority signed",
        ),
    ] {
        let refused = Refused {
            error,
            stage: Stage::Chain,
            sent: vec![server(SHA1_RSA)],
            trusted: vec![],
            is_own: true,
            takes_own: false,
            now: NOW,
        };
        let error = CertificateError::Other(OtherError(Arc::new(refused)));
        expect(&error.into(), expected);
    }
}
