//! What name servers send, and the system's files about names.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rancher_route53::net::resolver::message::{Kind, Question, Reply, is_name};
use rancher_route53::net::resolver::system::{Resolv, in_hosts};

fuzz_target!(|bytes: &[u8]| {
    for kind in [Kind::A, Kind::Aaaa] {
        let question = Question::new(0x6161, "a.example", kind);
        // With the head of a reply, whatever is behind it gets read.
        let mut message = question.message();
        message[2] = 0x81;
        message[7] = bytes.len() as u8;
        message.extend_from_slice(bytes);
        for message in [bytes, &message] {
            if let Some(Reply::Addresses(addresses)) = question.reply(message) {
                assert!((1..=8).contains(&addresses.len()));
                assert!(addresses.iter().all(|a| a.is_ipv4() == (kind == Kind::A)));
            }
        }
    }
    let text = String::from_utf8_lossy(bytes);
    in_hosts(&text, "a.example");
    let resolv = Resolv::read(&text, 53, |_| None);
    assert!((1..=3).contains(&resolv.servers.len()));
    for host in ["a", "a.example", "a."] {
        let candidates = resolv.candidates(host).names;
        assert!((1..=10).contains(&candidates.len()));
        for name in candidates {
            assert!(is_name(&name), "{name:?}");
            Question::new(1, &name, Kind::A).message();
        }
    }
});
