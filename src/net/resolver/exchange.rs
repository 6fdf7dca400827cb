//! The I/O of a look-up: datagrams to the name servers and back, and TCP for what doesn't fit into
//! one. No thread: whoever needs the name waits here.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use super::look_up::{LookUp, Outcome};

/// How long is listened before it is looked at what else is due.
const TICK: Duration = Duration::from_millis(20);
/// Largest datagram that is read, in bytes. Without EDNS a server sends 512 at most.
const LARGEST: usize = 4096;
/// Asking a name server over TCP takes no longer than this, all in all: other servers wait meanwhile.
const OVER_TCP: Duration = Duration::from_secs(2);

/// A look-up and the sockets that its answers come to. It can be left and gone on with later: what
/// has come meanwhile is then there.
#[derive(Debug)]
pub struct Exchange {
    /// What is asked, and what is known.
    pub look_up: LookUp,
    servers: Vec<SocketAddr>,
    /// One for each address family that the servers have.
    sockets: Vec<UdpSocket>,
    /// Why nothing could be sent the last time that this was so.
    pub failure: Option<io::Error>,
}

impl Exchange {
    /// Opens the sockets.
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

    /// Goes on until there is an outcome, or no longer than until then.
    pub fn run(&mut self, end: Instant) -> Option<Outcome> {
        let mut buffer = vec![0; LARGEST];
        loop {
            // What has come is looked at first: it may be from long ago.
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

    /// Name servers as errors name them: those of these numbers, or all.
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
        // Without one its family can't be spoken, which `new` has noted.
        if let Some(socket) = self.sockets.iter().find(is_of_family)
            && let Err(error) = socket.send_to(message, to)
        {
            self.failure = Some(error);
        }
    }

    /// Takes what there is, and waits for a tick if there is nothing.
    fn receive(&mut self, buffer: &mut [u8], end: Instant) {
        let tick = TICK / self.sockets.len() as u32;
        for index in 0..self.sockets.len() {
            let socket = &self.sockets[index];
            let received = socket
                .set_read_timeout(Some(tick))
                .and_then(|()| socket.recv_from(buffer));
            match received {
                Ok((length, from)) => self.take(from, &buffer[..length], end),
                Err(error) if is_nothing(&error) => {}
                // It isn't said that this one has waited.
                Err(_) => thread::sleep(tick),
            }
        }
    }

    fn take(&mut self, from: SocketAddr, message: &[u8], end: Instant) {
        // Nobody else is listened to.
        let is_from =
            |server: &SocketAddr| server.ip() == from.ip() && server.port() == from.port();
        let Some(server) = self.servers.iter().position(is_from) else {
            return;
        };
        let over_tcp = self.look_up.take(server, message, Instant::now());
        if let Some(question) = over_tcp {
            let end = end.min(Instant::now() + OVER_TCP);
            let answer = ask_over_tcp(self.servers[server], &question, end).ok();
            let (answer, now) = (answer.as_deref(), Instant::now());
            self.look_up.take_over_tcp(server, &question, answer, now);
        }
    }
}

fn is_nothing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

fn ask_over_tcp(server: SocketAddr, question: &[u8], end: Instant) -> io::Result<Vec<u8>> {
    // Zero is no time limit that can be set.
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
    read_until(&mut stream, &mut length, &left)?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    read_until(&mut stream, &mut answer, &left)?;
    Ok(answer)
}

/// Fills the buffer; the time that is left holds for all of it, not for each read.
fn read_until(
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
