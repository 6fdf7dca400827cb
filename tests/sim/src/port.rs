//! A server that can go away and come back at the same address. While it is away nobody else is given
//! its port, and connections are refused: a socket is bound to it that doesn't listen.

use crate::http::{Handler, Server};
use crate::lock::lock;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 128;

/// The server, there or away.
pub struct Port {
    address: SocketAddr,
    handler: Arc<dyn Handler>,
    state: Mutex<State>,
}

enum State {
    Open {
        _server: Server,
    },
    Closed(OwnedFd),
    /// Only for the moment of a change.
    Between,
}

impl Port {
    /// Starts a server on a free port of 127.0.0.1.
    pub fn open(handler: Arc<dyn Handler>) -> Port {
        let server = Server::start(handler.clone());
        Port {
            address: server.address(),
            handler,
            state: Mutex::new(State::Open { _server: server }),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:<port>`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What answers the requests.
    pub fn handler(&self) -> Arc<dyn Handler> {
        self.handler.clone()
    }

    /// Takes the server off the network: connections are closed, and new ones refused.
    pub fn close(&self) {
        self.change(|state| match state {
            State::Open { .. } => {
                drop(state);
                State::Closed(reserve(self.address))
            }
            other => other,
        });
    }

    /// Brings it back.
    pub fn open_again(&self) {
        self.change(|state| match state {
            State::Closed(socket) => {
                listen(&socket, BACKLOG).expect("a socket that can listen");
                let listener = TcpListener::from(socket);
                State::Open {
                    _server: Server::on(listener, self.handler.clone()),
                }
            }
            other => other,
        });
    }

    fn change(&self, f: impl FnOnce(State) -> State) {
        let mut state = lock(&self.state);
        let before = std::mem::replace(&mut *state, State::Between);
        *state = f(before);
    }
}

/// A socket that has this address and doesn't listen.
fn reserve(address: SocketAddr) -> OwnedFd {
    // A process that is started meanwhile would inherit it else, and hold the port for as long as it
    // lives.
    let (family, kind) = (AddressFamily::INET, SocketType::STREAM);
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC, None).expect("a socket");
    sockopt::set_socket_reuseaddr(&socket, true).expect("an option that all sockets have");
    // For a moment a process that is just being started may have the old listener still.
    let end = Instant::now() + Duration::from_secs(20);
    while let Err(error) = bind(&socket, &address) {
        assert!(Instant::now() < end, "the port is taken: {error}");
        thread::sleep(Duration::from_millis(5));
    }
    socket
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Reply;
    use crate::http::{Request, Response};
    use std::io::{ErrorKind, Read, Write};
    use std::net::TcpStream;

    fn ask(address: SocketAddr) -> Result<String, ErrorKind> {
        let mut stream = TcpStream::connect(address).map_err(|error| error.kind())?;
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        Ok(answer)
    }

    #[test]
    fn away_it_refuses_and_keeps_its_place() {
        let port = Port::open(Arc::new(|_: &Request| {
            Reply::Send(Response::new(200, "text/plain", "here"))
        }));
        for _ in 0..3 {
            assert!(ask(port.address()).unwrap().ends_with("here"));
            port.close();
            port.close();
            assert_eq!(ask(port.address()), Err(ErrorKind::ConnectionRefused));
            port.open_again();
            port.open_again();
        }
    }

    /// Else it would go on listening there, and nobody would answer.
    #[test]
    fn a_process_started_meanwhile_does_not_keep_the_port() {
        let port = Port::open(Arc::new(|_: &Request| {
            Reply::Send(Response::new(200, "text/plain", "here"))
        }));
        port.close();
        let mut child = std::process::Command::new("/bin/sh")
            .args(["-c", "read line"])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        port.open_again();
        assert!(ask(port.address()).unwrap().ends_with("here"));
        let start = Instant::now();
        port.close();
        assert!(start.elapsed() < Duration::from_secs(5));
        assert_eq!(ask(port.address()), Err(ErrorKind::ConnectionRefused));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
