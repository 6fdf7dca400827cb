//! The I/O of a look-up: datagrams to the name servers and back, and TCP for an answer that doesn't
//! fit into a datagram. There is no thread; the caller waits here.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use super::look_up::{LookUp, Outcome};

/// How long sockets are listened to before the next questions that are due are sent.
const TICK: Duration = Duration::from_millis(20);
/// Largest datagram that is read, in bytes. Without EDNS a server sends 512 at most.
const MAX_DATAGRAM: usize = 4096;
/// Time limit of asking a name server over TCP, connecting included. The other servers wait meanwhile.
const TCP_TIMEOUT: Duration = Duration::from_secs(2);

/// A look-up with its sockets. It can be interrupted and continued later; answers that come meanwhile
/// wait in the sockets.
#[derive(Debug)]
pub struct Exchange {
    /// The questions, and the replies so far.
    pub look_up: LookUp,
    servers: Vec<SocketAddr>,
    /// One socket for each address family of the name servers.
    sockets: Vec<UdpSocket>,
    /// The last error of opening a socket or of sending.
    pub failure: Option<io::Error>,
}

impl Exchange {
    /// Opens the sockets. It is an error if none can be opened.
    pub fn new(look_up: LookUp, servers: Vec<SocketAddr>) -> io::Result<Exchange> {
        let mut sockets = Vec::new();
        let mut failure = None;
        for (family, is_v6) in [
            (IpAddr::from(Ipv4Addr::UNSPECIFIED), false),
            (Ipv6Addr::UNSPECIFIED.into(), true),
        ] {
            if servers.iter().any(|server| server.is_ipv6() == is_v6) {
                match UdpSocket::bind((family, 0)) {
                    Ok(socket) => sockets.push(socket),
                    Err(error) => failure = Some(error),
                }
            }
        }
        match failure {
            Some(error) if sockets.is_empty() => Err(error),
            failure => Ok(Exchange {
                look_up,
                servers,
                sockets,
                failure,
            }),
        }
    }

    /// Continues the look-up until it has an outcome, or until `end`.
    pub fn run(&mut self, end: Instant) -> Option<Outcome> {
        let mut buffer = vec![0; MAX_DATAGRAM];
        loop {
            // Received before the clock is read: an answer may have waited in a socket for long.
            self.receive(&mut buffer, end);
            let now = Instant::now();
            if let Some(outcome) = self.look_up.outcome(now) {
                return Some(outcome);
            }
            for sending in self.look_up.due(now) {
                self.send(sending.server, &sending.message);
            }
            if now >= end {
                return None;
            }
        }
    }

    /// The name servers with these indices, in words for an error; all of them if `which` is empty.
    pub fn named(&self, which: &[usize]) -> String {
        let all = self.servers.iter().enumerate();
        let some = all.filter(|(number, _)| which.is_empty() || which.contains(number));
        let names: Vec<String> = some.map(|(_, server)| server.ip().to_string()).collect();
        match names.as_slice() {
            [name] => format!("the name server {name}"),
            names => format!("the name servers {}", names.join(", ")),
        }
    }

    fn send(&mut self, server: usize, message: &[u8]) {
        let to = self.servers[server];
        let is_of_family = |socket: &&UdpSocket| {
            let at = socket.local_addr();
            at.is_ok_and(|at| at.is_ipv6() == to.is_ipv6())
        };
        // If there is no socket of this family, `new` has kept the error.
        if let Some(socket) = self.sockets.iter().find(is_of_family)
            && let Err(error) = socket.send_to(message, to)
        {
            self.failure = Some(error);
        }
    }

    /// Receives a datagram from each socket. Waits for a tick in all if there is none.
    fn receive(&mut self, buffer: &mut [u8], end: Instant) {
        let tick = TICK / self.sockets.len() as u32;
        for index in 0..self.sockets.len() {
            let socket = &self.sockets[index];
            let received = socket
                .set_read_timeout(Some(tick))
                .and_then(|()| socket.recv_from(buffer));
            match received {
                Ok((length, from)) => self.take(from, &buffer[..length], end),
                Err(error) if is_no_datagram(&error) => {}
                // An error may have come at once, without waiting for a datagram.
                Err(_) => thread::sleep(tick),
            }
        }
    }

    /// Hands a datagram to the look-up, if it is from one of the name servers.
    fn take(&mut self, from: SocketAddr, message: &[u8], end: Instant) {
        let is_from =
            |server: &SocketAddr| server.ip() == from.ip() && server.port() == from.port();
        let Some(server) = self.servers.iter().position(is_from) else {
            return;
        };
        let over_tcp = self.look_up.take(server, message, Instant::now());
        if let Some(question) = over_tcp {
            let end = end.min(Instant::now() + TCP_TIMEOUT);
            let answer = ask_over_tcp(self.servers[server], &question, end).ok();
            let (answer, now) = (answer.as_deref(), Instant::now());
            self.look_up.take_over_tcp(server, &question, answer, now);
        }
    }
}

/// Whether an error only means that no datagram has come.
fn is_no_datagram(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

fn ask_over_tcp(server: SocketAddr, question: &[u8], end: Instant) -> io::Result<Vec<u8>> {
    // At least 1 ms, because a socket doesn't accept a time limit of zero.
    let left = || {
        let left = end.saturating_duration_since(Instant::now());
        left.max(Duration::from_millis(1))
    };
    let mut stream = TcpStream::connect_timeout(&server, left())?;
    let mut message = (question.len() as u16).to_be_bytes().to_vec();
    message.extend_from_slice(question);
    stream.set_write_timeout(Some(left()))?;
    stream.write_all(&message)?;
    let mut length = [0; 2];
    read_all(&mut stream, &mut length, &left)?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    read_all(&mut stream, &mut answer, &left)?;
    Ok(answer)
}

/// Fills the buffer. The remaining time is for all reads together.
fn read_all(
    stream: &mut TcpStream,
    buffer: &mut [u8],
    left: &impl Fn() -> Duration,
) -> io::Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        stream.set_read_timeout(Some(left()))?;
        match stream.read(&mut buffer[filled..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => filled += count,
        }
    }
    Ok(())
}
