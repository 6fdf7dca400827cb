//! Ports of 127.0.0.1 that no server of this process had before, as long as there are such.
//!
//! The operating system may give the port of a server that is gone to the next one. A program under
//! test that outlives its server for a moment would then ask another test's server, which would count
//! its requests.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the ports that Linux takes for the clients' end of connections, and above 10000, at which the
/// program may answer health checks.
const PORTS: Range<u16> = 10_001..32_768;

/// How many ports were tried so far.
static TRIED: AtomicU32 = AtomicU32::new(0);

/// Listens on the next port that is free.
pub fn listen() -> TcpListener {
    for _ in PORTS {
        let number = TRIED.fetch_add(1, Ordering::Relaxed);
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port(process::id(), number)))
        {
            return listener;
        }
    }
    panic!("no port of 127.0.0.1 from {PORTS:?} is free");
}

/// The port that a process tries as its first, second, third and so on. Processes that run at the same
/// time begin at different ones.
fn port(process: u32, number: u32) -> u16 {
    let count = PORTS.end - PORTS.start;
    let begin = process.wrapping_mul(769);
    let place = begin.wrapping_add(number) % u32::from(count);
    PORTS.start + u16::try_from(place).expect("less than the count")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_port_comes_once_before_any_comes_again() {
        for process in [1, 2, 4_194_304] {
            let ports: BTreeSet<u16> = (0..22_767).map(|number| port(process, number)).collect();
            assert_eq!(ports.len(), PORTS.len());
            assert!(ports.iter().all(|port| PORTS.contains(port)));
            assert_eq!(port(process, 0), port(process, 22_767));
        }
    }

    #[test]
    fn a_port_that_was_given_up_is_not_given_again() {
        let ports = (0..1_000).map(|_| listen().local_addr().unwrap());
        assert_eq!(ports.collect::<BTreeSet<_>>().len(), 1_000);
    }
}
