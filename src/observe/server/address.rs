//! The addresses of `HEALTH_ADDRESS`: binds sockets to them, and explains why one can't be bound.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use crate::base::text::system_words;

/// Ports below this one need a privilege, unless the system is configured otherwise.
const FIRST_FREE_PORT: u16 = 1024;

/// An address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenAddress {
    /// A port on all addresses of the machine, such as `:1000`.
    Any(u16),
    /// A port on one address, such as `127.0.0.1:1000`.
    One(SocketAddr),
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenAddress::Any(port) => write!(f, ":{port}"),
            ListenAddress::One(address) => address.fmt(f),
        }
    }
}

impl ListenAddress {
    /// Opens the sockets that listen on it: one, or one each for IPv4 and IPv6.
    pub fn bind(self) -> io::Result<Vec<TcpListener>> {
        match self {
            ListenAddress::One(address) => Ok(vec![TcpListener::bind(address)?]),
            ListenAddress::Any(port) => bind_any(port, |ip, port| TcpListener::bind((ip, port))),
        }
    }

    /// The address for a health check from this machine.
    pub fn on_this_machine(self) -> SocketAddr {
        let loopback = |ip: IpAddr| match ip {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        };
        match self {
            ListenAddress::Any(port) => (Ipv4Addr::LOCALHOST, port).into(),
            ListenAddress::One(address) if address.ip().is_unspecified() => {
                (loopback(address.ip()), address.port()).into()
            }
            ListenAddress::One(address) => address,
        }
    }

    fn port(self) -> u16 {
        match self {
            ListenAddress::Any(port) => port,
            ListenAddress::One(address) => address.port(),
        }
    }

    /// Explains an error of [`ListenAddress::bind`], and what the operator can do.
    pub fn explain_bind_error(self, error: &io::Error) -> String {
        match error.kind() {
            ErrorKind::PermissionDenied if self.port() < FIRST_FREE_PORT => {
                "the container lacks the privilege for ports below 1024: its image has lost the \
                 binary's file capability (storage drivers such as aufs and old builders lose it), \
                 or no_new_privs is set. Run it as `user: root`, or let the health check ask port \
                 10000; if nothing asks for this port, leave it out of HEALTH_ADDRESS"
                    .to_owned()
            }
            ErrorKind::PermissionDenied => {
                "the host doesn't permit it (its SELinux or seccomp rules, say): permit it, or set \
                 another HEALTH_ADDRESS"
                    .to_owned()
            }
            ErrorKind::AddrInUse => {
                "another process listens there: stop it, or set another HEALTH_ADDRESS".to_owned()
            }
            ErrorKind::AddrNotAvailable => {
                "no network interface here has this address: correct HEALTH_ADDRESS".to_owned()
            }
            _ => format!("{}: set another HEALTH_ADDRESS", system_words(error)),
        }
    }
}

/// Binds a port for both IPv4 and IPv6.
///
/// Whether an IPv6 socket also accepts IPv4 depends on the system (`net.ipv6.bindv6only`), and the
/// standard library can neither set nor read that. But where it does, the kernel refuses to bind an
/// IPv4 and an IPv6 socket to the same port, so that trying shows it.
///
/// IPv4 is bound first: if another process has the port there, that is an error, and not a listener
/// for IPv6 alone.
fn bind_any<L: Bound>(
    port: u16,
    bind: impl Fn(IpAddr, u16) -> io::Result<L>,
) -> io::Result<Vec<L>> {
    let v4 = |port| bind(Ipv4Addr::UNSPECIFIED.into(), port);
    let v6 = |port| bind(Ipv6Addr::UNSPECIFIED.into(), port);
    let is_in_use = |error: &io::Error| error.kind() == ErrorKind::AddrInUse;
    let first = v4(port)?;
    let port = first.port()?; // chosen by the system, if it was 0
    match v6(port) {
        Ok(second) => return Ok(vec![first, second]),
        Err(error) if is_in_use(&error) => drop(first),
        Err(_) => return Ok(vec![first]), // there is no IPv6
    }
    // The IPv6 socket would also accept IPv4, which our own IPv4 socket prevented.
    let Ok(both) = v6(port) else {
        // It still fails, so another process has the port for IPv6 alone.
        return Ok(vec![v4(port)?]);
    };
    match v4(port) {
        Ok(first) => Ok(vec![first, both]), // the other process has gone meanwhile
        Err(error) if is_in_use(&error) => Ok(vec![both]),
        Err(error) => Err(error),
    }
}

/// A socket that is bound to a port; tests have their own kind.
trait Bound {
    fn port(&self) -> io::Result<u16>;
}

impl Bound for TcpListener {
    fn port(&self) -> io::Result<u16> {
        Ok(self.local_addr()?.port())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    /// A simulated kernel, which knows the ports that are in use for IPv4 (false) and IPv6 (true).
    #[derive(Default)]
    struct Kernel {
        is_v6_only: bool,
        v6_error: Option<ErrorKind>,
        v4_error: Option<ErrorKind>,
        held: Rc<RefCell<Vec<(bool, u16)>>>,
    }

    struct Socket {
        is_v6: bool,
        port: u16,
        held: Rc<RefCell<Vec<(bool, u16)>>>,
    }

    impl Drop for Socket {
        fn drop(&mut self) {
            let me = (self.is_v6, self.port);
            self.held.borrow_mut().retain(|held| *held != me);
        }
    }

    impl Bound for Socket {
        fn port(&self) -> io::Result<u16> {
            Ok(self.port)
        }
    }

    impl Kernel {
        fn bind(&self, ip: IpAddr, port: u16) -> io::Result<Socket> {
            let is_v6 = ip.is_ipv6();
            let port = if port == 0 { 50_000 } else { port };
            if let Some(error) = if is_v6 { self.v6_error } else { self.v4_error } {
                return Err(error.into());
            }
            let mut held = self.held.borrow_mut();
            let is_taken = |family: &bool| *family == is_v6 || !self.is_v6_only;
            if held
                .iter()
                .any(|(family, at)| *at == port && is_taken(family))
            {
                return Err(ErrorKind::AddrInUse.into());
            }
            held.push((is_v6, port));
            let held = self.held.clone();
            Ok(Socket { is_v6, port, held })
        }

        fn bind_any(&self, port: u16) -> Result<Vec<(bool, u16)>, ErrorKind> {
            let sockets = bind_any(port, |ip, port| self.bind(ip, port));
            let sockets = sockets.map_err(|error| error.kind())?;
            Ok(sockets.iter().map(|s| (s.is_v6, s.port)).collect())
        }
    }

    const IPV4: (bool, u16) = (false, 1000);
    const IPV6: (bool, u16) = (true, 1000);

    #[test]
    fn both_are_listened_on_whatever_the_system_says() {
        let dual = Kernel::default;
        let separate = || Kernel {
            is_v6_only: true,
            ..dual()
        };
        let without = |error| Kernel {
            v6_error: Some(error),
            ..dual()
        };
        assert_eq!(
            dual().bind_any(1000),
            Ok(vec![IPV6]),
            "it takes IPv4 as well"
        );
        assert_eq!(separate().bind_any(1000), Ok(vec![IPV4, IPV6]));
        assert_eq!(
            separate().bind_any(0),
            Ok(vec![(false, 50_000), (true, 50_000)])
        );
        assert_eq!(dual().bind_any(0), Ok(vec![(true, 50_000)]));
        for error in [ErrorKind::AddrNotAvailable, ErrorKind::Unsupported] {
            assert_eq!(without(error).bind_any(1000), Ok(vec![IPV4]), "{error}");
        }
    }

    #[test]
    fn somebody_else_is_never_taken_for_us() {
        for is_v6_only in [false, true] {
            let kernel = Kernel {
                is_v6_only,
                ..Kernel::default()
            };
            kernel.held.borrow_mut().push(IPV4);
            assert_eq!(kernel.bind_any(1000), Err(ErrorKind::AddrInUse));
            assert_eq!(*kernel.held.borrow(), [IPV4], "nothing of ours is left");
        }
        let kernel = Kernel {
            is_v6_only: true,
            ..Kernel::default()
        };
        kernel.held.borrow_mut().push(IPV6);
        assert_eq!(
            kernel.bind_any(1000),
            Ok(vec![IPV4]),
            "Rancher asks over IPv4"
        );
        let kernel = Kernel {
            v4_error: Some(ErrorKind::PermissionDenied),
            ..Kernel::default()
        };
        assert_eq!(kernel.bind_any(1000), Err(ErrorKind::PermissionDenied));
    }

    #[test]
    fn each_reason_has_its_words() {
        let one = |text: &str| ListenAddress::One(text.parse().unwrap());
        for (address, kind, words) in [
            (
                ListenAddress::Any(1000),
                ErrorKind::PermissionDenied,
                "`user: root`",
            ),
            (one("127.0.0.1:1023"), ErrorKind::PermissionDenied, "10000"),
            (
                ListenAddress::Any(1024),
                ErrorKind::PermissionDenied,
                "SELinux",
            ),
            (
                ListenAddress::Any(1000),
                ErrorKind::AddrInUse,
                "another process",
            ),
            (
                one("192.0.2.1:1000"),
                ErrorKind::AddrNotAvailable,
                "no network interface",
            ),
        ] {
            let said = address.explain_bind_error(&kind.into());
            assert!(said.contains(words), "{address}: {said}");
        }
    }

    #[test]
    fn whoever_asks_from_here_asks_the_loopback_address() {
        for (address, expected) in [
            (ListenAddress::Any(7), "127.0.0.1:7"),
            (
                ListenAddress::One("0.0.0.0:7".parse().unwrap()),
                "127.0.0.1:7",
            ),
            (ListenAddress::One("[::]:7".parse().unwrap()), "[::1]:7"),
            (
                ListenAddress::One("192.0.2.1:7".parse().unwrap()),
                "192.0.2.1:7",
            ),
        ] {
            assert_eq!(address.on_this_machine().to_string(), expected);
        }
    }
}
