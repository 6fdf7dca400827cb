//! Finds out what a server offers that has refused a handshake without saying why. It is asked again
//! with one `ClientHello` of TLS 1.2 that accepts every usual version, cipher suite and curve, old
//! ones included. The unencrypted part of the answer is read, and the connection is closed.
//!
//! No data is sent over that connection, and the result is used only for the text of an error.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::x509::{Key, Summary};

/// Time limit of the whole probe, including connecting.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Most bytes of the answer that are read; it can hold many certificates.
const MAX_ANSWER: usize = 64 * 1024;

/// What a server chose of everything that the probe accepts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// The version's number in the protocol, where 0x0301 is TLS 1.0.
    pub version: u16,
    /// The number of the cipher suite.
    pub suite: u16,
    /// The public key of the server's certificate.
    pub key: Option<Key>,
    /// The number of the curve for the key exchange.
    pub group: Option<u16>,
    /// The server asks for a client certificate.
    pub asks_for_certificate: bool,
}

pub const TLS12: u16 = 0x0303;

/// Numbers and names of cipher suites, the best first. A server that follows the client's order
/// chooses an old one only if it has no better one.
pub const SUITES: [(u16, &str); 36] = [
    (0xc02c, "ECDHE-ECDSA-AES256-GCM-SHA384"),
    (0xc02b, "ECDHE-ECDSA-AES128-GCM-SHA256"),
    (0xc030, "ECDHE-RSA-AES256-GCM-SHA384"),
    (0xc02f, "ECDHE-RSA-AES128-GCM-SHA256"),
    (0xcca9, "ECDHE-ECDSA-CHACHA20-POLY1305"),
    (0xcca8, "ECDHE-RSA-CHACHA20-POLY1305"),
    (0xc0ad, "ECDHE-ECDSA-AES256-CCM"),
    (0xc0ac, "ECDHE-ECDSA-AES128-CCM"),
    (0xc024, "ECDHE-ECDSA-AES256-SHA384"),
    (0xc023, "ECDHE-ECDSA-AES128-SHA256"),
    (0xc028, "ECDHE-RSA-AES256-SHA384"),
    (0xc027, "ECDHE-RSA-AES128-SHA256"),
    (0xc00a, "ECDHE-ECDSA-AES256-SHA"),
    (0xc009, "ECDHE-ECDSA-AES128-SHA"),
    (0xc014, "ECDHE-RSA-AES256-SHA"),
    (0xc013, "ECDHE-RSA-AES128-SHA"),
    (0xc012, "ECDHE-RSA-DES-CBC3-SHA"),
    (0xc011, "ECDHE-RSA-RC4-SHA"),
    (0x009f, "DHE-RSA-AES256-GCM-SHA384"),
    (0x009e, "DHE-RSA-AES128-GCM-SHA256"),
    (0xccaa, "DHE-RSA-CHACHA20-POLY1305"),
    (0x006b, "DHE-RSA-AES256-SHA256"),
    (0x0067, "DHE-RSA-AES128-SHA256"),
    (0x0039, "DHE-RSA-AES256-SHA"),
    (0x0033, "DHE-RSA-AES128-SHA"),
    (0x0016, "DHE-RSA-DES-CBC3-SHA"),
    (0x0038, "DHE-DSS-AES256-SHA"),
    (0x0032, "DHE-DSS-AES128-SHA"),
    (0x009d, "AES256-GCM-SHA384 (RSA key exchange)"),
    (0x009c, "AES128-GCM-SHA256 (RSA key exchange)"),
    (0x003d, "AES256-SHA256 (RSA key exchange)"),
    (0x003c, "AES128-SHA256 (RSA key exchange)"),
    (0x0035, "AES256-SHA (RSA key exchange)"),
    (0x002f, "AES128-SHA (RSA key exchange)"),
    (0x000a, "DES-CBC3-SHA (RSA key exchange)"),
    (0x0005, "RC4-SHA (RSA key exchange)"),
];
/// The program itself accepts this many of [`SUITES`], from the first on.
pub const USABLE_SUITES: usize = 6;

/// Numbers and names of curves, the best first.
pub const GROUPS: [(u16, &str); 8] = [
    (29, "X25519"),
    (23, "P-256"),
    (24, "P-384"),
    (25, "P-521"),
    (30, "X448"),
    (26, "brainpoolP256r1"),
    (27, "brainpoolP384r1"),
    (28, "brainpoolP512r1"),
];
/// The program itself accepts this many of [`GROUPS`], from the first on.
pub const USABLE_GROUPS: usize = 3;

/// Signature schemes: ECDSA with P-256, P-384 and P-521, Ed25519, Ed448, RSA-PSS, and then RSA,
/// ECDSA and DSA with each digest down to SHA-1.
const SCHEMES: [u16; 20] = [
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401,
    0x0501, 0x0601, 0x0301, 0x0303, 0x0201, 0x0203, 0x0402, 0x0202,
];
/// The signal for secure renegotiation (RFC 5746), which is sent like a cipher suite. Some servers
/// refuse clients without it.
const NO_RENEGOTIATION: u16 = 0x00ff;

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const CERTIFICATE_REQUEST: u8 = 13;
const SERVER_HELLO_DONE: u8 = 14;
const NAMED_CURVE: u8 = 3;

/// Asks the server at the first of these addresses that can be reached. `limit` is the time that the
/// caller has left.
pub fn ask(addresses: &[SocketAddr], host: &str, limit: Duration) -> Option<Offer> {
    let end = Instant::now() + TIMEOUT.min(limit);
    let left = || Some(end.saturating_duration_since(Instant::now())).filter(|d| !d.is_zero());
    let mut stream = addresses
        .iter()
        .find_map(|address| TcpStream::connect_timeout(address, left()?).ok())?;
    stream.set_write_timeout(left()).ok()?;
    stream.write_all(&client_hello(host)).ok()?;
    let mut answer = Vec::new();
    let mut piece = [0; 2048];
    while answer.len() < MAX_ANSWER && !is_whole(&answer) {
        let Some(left) = left() else { break };
        stream.set_read_timeout(Some(left)).ok()?;
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(count) => answer.extend_from_slice(&piece[..count]),
        }
    }
    read(&answer)
}

/// The content with its length before it, as a number of `BYTES` bytes.
fn sized<const BYTES: usize>(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32).to_be_bytes();
    [&length[4 - BYTES..], content].concat()
}

fn list(numbers: impl IntoIterator<Item = u16>) -> Vec<u8> {
    let bytes: Vec<u8> = numbers.into_iter().flat_map(u16::to_be_bytes).collect();
    sized::<2>(&bytes)
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &sized::<2>(content)].concat()
}

/// The message that is sent, in a record.
fn client_hello(host: &str) -> Vec<u8> {
    let mut extensions = vec![
        extension(10, &list(GROUPS.map(|(group, _)| group))),
        extension(11, &[1, 0]), // only uncompressed points
        extension(13, &list(SCHEMES)),
    ];
    if host.parse::<std::net::IpAddr>().is_err() {
        let name = [&[0], &sized::<2>(host.as_bytes())[..]].concat();
        extensions.push(extension(0, &sized::<2>(&name)));
    }
    let suites = SUITES.map(|(suite, _)| suite);
    let content = [
        &TLS12.to_be_bytes()[..],
        &[0x53; 32], // in place of random bytes: no key is made of them
        &[0],        // no session id
        &list(suites.into_iter().chain([NO_RENEGOTIATION])),
        &[1, 0], // no compression
        &sized::<2>(&extensions.concat()),
    ]
    .concat();
    let message = [&[CLIENT_HELLO], &sized::<3>(&content)[..]].concat();
    [&[HANDSHAKE, 3, 1], &sized::<2>(&message)[..]].concat()
}

/// The complete handshake messages in the complete records of an answer. Other records are skipped.
fn messages(answer: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut handshake = Vec::new();
    let mut rest = answer;
    while let Some((&[kind, _, _], after)) = rest.split_first_chunk()
        && let Some((content, after)) = take::<2>(after)
    {
        rest = after;
        if kind == HANDSHAKE {
            handshake.extend_from_slice(content);
        }
    }
    let mut messages = Vec::new();
    let mut rest = &handshake[..];
    while let Some((kind, after)) = rest.split_first()
        && let Some((content, after)) = take::<3>(after)
    {
        rest = after;
        messages.push((*kind, content.to_vec()));
    }
    messages
}

/// Splits off content that has its length before it, as a number of `BYTES` bytes.
fn take<const BYTES: usize>(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = input.split_first_chunk::<BYTES>()?;
    let length = length
        .iter()
        .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    rest.split_at_checked(length)
}

/// Whether the answer is complete, or isn't a handshake at all.
fn is_whole(answer: &[u8]) -> bool {
    let is_record = answer.first().is_none_or(|kind| *kind == HANDSHAKE);
    !is_record
        || messages(answer)
            .iter()
            .any(|(kind, _)| *kind == SERVER_HELLO_DONE)
}

/// Reads the server's choice from its answer. `None` if there is no `ServerHello` in it.
fn read(answer: &[u8]) -> Option<Offer> {
    let messages = messages(answer);
    let of = |kind| {
        let found = messages.iter().find(|(found, _)| *found == kind);
        found.map(|(_, content)| &content[..])
    };
    let hello = of(SERVER_HELLO)?;
    let (version, rest) = number(hello)?;
    let (_session, rest) = take::<1>(rest.get(32..)?)?;
    let (suite, _) = number(rest)?;
    let certificate = of(CERTIFICATE)
        .and_then(take::<3>)
        .and_then(|(list, _)| take::<3>(list));
    Some(Offer {
        version,
        suite,
        key: certificate.map(|(certificate, _)| Summary::of(certificate).key),
        group: of(SERVER_KEY_EXCHANGE)
            .filter(|_| suite >= 0xc000)
            .and_then(|exchange| exchange.strip_prefix(&[NAMED_CURVE]))
            .and_then(|exchange| Some(number(exchange)?.0)),
        asks_for_certificate: of(CERTIFICATE_REQUEST).is_some(),
    })
}

fn number(input: &[u8]) -> Option<(u16, &[u8])> {
    let (number, rest) = input.split_first_chunk()?;
    Some((u16::from_be_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn record(messages: &[u8]) -> Vec<u8> {
        [&[HANDSHAKE, 3, 1], &sized::<2>(messages)[..]].concat()
    }

    fn message(kind: u8, content: &[u8]) -> Vec<u8> {
        [&[kind], &sized::<3>(content)[..]].concat()
    }

    fn answer() -> Vec<u8> {
        let certificate = include_bytes!("x509/rsa-1024-v1.der");
        let hello = [&[3, 1][..], &[7; 32], &[2, 8, 8], &[0xc0, 0x14], &[0]].concat();
        [
            message(SERVER_HELLO, &hello),
            message(CERTIFICATE, &sized::<3>(&sized::<3>(certificate))),
            message(SERVER_KEY_EXCHANGE, &[NAMED_CURVE, 0, 25, 1, 4]),
            message(CERTIFICATE_REQUEST, &[1, 1, 0, 0]),
            message(SERVER_HELLO_DONE, &[]),
        ]
        .concat()
    }

    #[test]
    fn an_answer_is_read_however_it_comes_in_records() {
        let answer = answer();
        let key = Summary::of(include_bytes!("x509/rsa-1024-v1.der")).key;
        let expected = Offer {
            version: 0x0301,
            suite: 0xc014,
            key: Some(key),
            group: Some(25),
            asks_for_certificate: true,
        };
        for size in [1, 7, 100, answer.len()] {
            let records: Vec<Vec<u8>> = answer.chunks(size).map(record).collect();
            let records = records.concat();
            assert!(is_whole(&records) && !is_whole(&records[..records.len() - 1]));
            assert_eq!(read(&records).as_ref(), Some(&expected), "{size}");
        }
    }

    #[test]
    fn a_broken_answer_says_less_or_nothing() {
        let whole = record(&answer());
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), None, "the record isn't whole");
        }
        for at in 0..whole.len() {
            for byte in [0, 0x80, 0xff] {
                let mut other = whole.clone();
                other[at] = byte;
                let _ = (read(&other), is_whole(&other));
            }
        }
        let alert = [21, 3, 3, 0, 2, 2, 40];
        assert!(is_whole(&alert) && read(&alert).is_none());
        assert_eq!(read(b"HTTP/1.1 400 Bad Request\r\n\r\n"), None);
        let only_hello = message(
            SERVER_HELLO,
            &[&[3, 3][..], &[7; 32], &[0, 0, 0x2f, 0]].concat(),
        );
        let offer = read(&record(&only_hello)).unwrap();
        assert_eq!(
            (offer.version, offer.suite, offer.group),
            (TLS12, 0x2f, None)
        );
    }

    #[test]
    fn one_who_never_answers_is_not_waited_for() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap();
        let started = Instant::now();
        assert_eq!(
            ask(&[address], "localhost", Duration::from_millis(50)),
            None
        );
        assert_eq!(ask(&[address], "localhost", Duration::ZERO), None);
        assert!(started.elapsed() < TIMEOUT);
    }
}
