//! A name server that answers each name and type as it is told to: rightly, with an error, late,
//! in part or not at all. Over UDP and TCP.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::lock::lock;

/// What fits into a datagram, in bytes.
const DATAGRAM: usize = 512;
const HEADER: usize = 12;

/// What is answered to whom. Written as a line `NAME TYPE ANSWER [HOW …]`:
///
/// - `NAME` and `TYPE` (`A`, `AAAA`), each of which can be `*` for any;
/// - `ANSWER`: addresses with commas between them, `192.0.2.1x60` for one sixty times; `nxdomain`,
///   `servfail`, `notimp`, `refused`, `formerr`; `empty` (there is such a name), `never`, `broken`;
/// - `HOW`: `late:15` in seconds, `lost:2` for so many questions that aren't answered at first,
///   `fails:2` for so many that get SERVFAIL at first, `alias:NAME` for a CNAME before the addresses; and for what doesn't fit into a datagram, which
///   by default is cut and marked so: `bare` for nothing but the mark, `whole` to send it all the
///   same, `no-tcp` for no answer there either.
#[derive(Debug, Clone)]
pub struct Rule {
    name: String,
    kind: Option<u16>,
    answer: Answer,
    late: Duration,
    lost: u32,
    fails: u32,
    alias: Option<String>,
    fit: Fit,
    has_tcp: bool,
}

#[derive(Debug, Clone)]
enum Answer {
    Addresses(Vec<IpAddr>),
    Code(u8),
    Never,
    Broken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Cut,
    Bare,
    Whole,
}

/// A question that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// In lower case, without a dot at the end.
    pub name: String,
    /// `A`, `AAAA`, or a number.
    pub kind: String,
    pub is_tcp: bool,
}

/// A name server. It goes on until the process ends.
#[derive(Clone)]
pub struct NameServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    rules: Vec<Rule>,
    queries: Vec<Query>,
    /// Whether each question is told on stderr.
    is_loud: bool,
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(line: &str) -> Result<Rule, String> {
        let mut words = line.split_ascii_whitespace();
        let (Some(name), Some(kind), Some(answer)) = (words.next(), words.next(), words.next())
        else {
            return Err(format!("{line:?} is no NAME TYPE ANSWER"));
        };
        let mut rule = Rule {
            name: name.to_ascii_lowercase(),
            kind: kind_of(kind)?,
            answer: answer_of(answer)?,
            late: Duration::ZERO,
            lost: 0,
            fails: 0,
            alias: None,
            fit: Fit::Cut,
            has_tcp: true,
        };
        for word in words {
            let wrong = || format!("{word:?} in {line:?} isn't known");
            match word.split_once(':').unwrap_or((word, "")) {
                ("late", seconds) => {
                    rule.late = Duration::from_secs_f64(seconds.parse().map_err(|_| wrong())?);
                }
                ("lost", count) => rule.lost = count.parse().map_err(|_| wrong())?,
                ("fails", count) => rule.fails = count.parse().map_err(|_| wrong())?,
                ("alias", name) => rule.alias = Some(name.to_owned()),
                ("bare", "") => rule.fit = Fit::Bare,
                ("whole", "") => rule.fit = Fit::Whole,
                ("no-tcp", "") => rule.has_tcp = false,
                _ => return Err(wrong()),
            }
        }
        Ok(rule)
    }
}

fn kind_of(word: &str) -> Result<Option<u16>, String> {
    match word {
        "*" => Ok(None),
        "A" => Ok(Some(1)),
        "AAAA" => Ok(Some(28)),
        _ => Err(format!("{word:?} is no type")),
    }
}

fn answer_of(word: &str) -> Result<Answer, String> {
    let code = match word.to_ascii_lowercase().as_str() {
        "never" => return Ok(Answer::Never),
        "broken" => return Ok(Answer::Broken),
        "empty" => return Ok(Answer::Addresses(Vec::new())),
        "formerr" => 1,
        "servfail" => 2,
        "nxdomain" => 3,
        "notimp" => 4,
        "refused" => 5,
        _ => {
            let mut addresses = Vec::new();
            for part in word.split(',') {
                let (address, times) = part.split_once('x').unwrap_or((part, "1"));
                let wrong = || format!("{part:?} is no address and no answer");
                let address: IpAddr = address.parse().map_err(|_| wrong())?;
                let times: usize = times.parse().map_err(|_| wrong())?;
                addresses.extend(std::iter::repeat_n(address, times));
            }
            return Ok(Answer::Addresses(addresses));
        }
    };
    Ok(Answer::Code(code))
}

impl NameServer {
    /// Starts it on a free port of 127.0.0.1. The first rule that fits counts; no name that none
    /// fits exists.
    ///
    /// # Panics
    ///
    /// If a rule isn't one.
    pub fn start(rules: &[&str]) -> NameServer {
        NameServer::start_at(([127, 0, 0, 1], 0).into(), rules).expect("a free port")
    }

    /// The same, at this address.
    pub fn start_at(address: SocketAddr, rules: &[&str]) -> io::Result<NameServer> {
        let rules = rules.iter().map(|rule| rule.parse().expect("a rule"));
        let (udp, tcp) = sockets(address)?;
        let server = NameServer {
            address: udp.local_addr()?,
            state: Arc::new(Mutex::new(State {
                rules: rules.collect(),
                queries: Vec::new(),
                is_loud: false,
            })),
        };
        let over_udp = server.clone();
        thread::spawn(move || over_udp.serve_udp(udp));
        let over_tcp = server.clone();
        thread::spawn(move || over_tcp.serve_tcp(tcp));
        Ok(server)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Tells each question on stderr from now on.
    pub fn tell(&self) {
        lock(&self.state).is_loud = true;
    }

    /// Answers by these rules from now on.
    pub fn change(&self, rules: &[&str]) {
        let rules = rules.iter().map(|rule| rule.parse().expect("a rule"));
        lock(&self.state).rules = rules.collect();
    }

    /// The questions so far.
    pub fn queries(&self) -> Vec<Query> {
        lock(&self.state).queries.clone()
    }

    fn serve_udp(&self, socket: UdpSocket) {
        let mut buffer = [0; DATAGRAM];
        loop {
            let Ok((length, from)) = socket.recv_from(&mut buffer) else {
                continue;
            };
            let question = buffer[..length].to_vec();
            let Some((answer, late)) = self.answer(&question, false) else {
                continue;
            };
            let Ok(socket) = socket.try_clone() else {
                continue;
            };
            after(late, move || {
                let _ = socket.send_to(&answer, from);
            });
        }
    }

    fn serve_tcp(&self, listener: TcpListener) {
        for stream in listener.incoming().flatten() {
            let server = self.clone();
            thread::spawn(move || {
                let _ = server.serve_stream(stream);
            });
        }
    }

    fn serve_stream(&self, mut stream: TcpStream) -> io::Result<()> {
        loop {
            let mut length = [0; 2];
            stream.read_exact(&mut length)?;
            let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut question)?;
            let Some((answer, late)) = self.answer(&question, true) else {
                continue;
            };
            thread::sleep(late);
            stream.write_all(&(answer.len() as u16).to_be_bytes())?;
            stream.write_all(&answer)?;
        }
    }

    /// The answer to a message, and how late it is to be sent; none if it gets none.
    fn answer(&self, message: &[u8], is_tcp: bool) -> Option<(Vec<u8>, Duration)> {
        let (name, kind, end) = question_of(message)?;
        let mut state = lock(&self.state);
        let kind_name = match kind {
            1 => "A".to_owned(),
            28 => "AAAA".to_owned(),
            other => other.to_string(),
        };
        if state.is_loud {
            eprintln!(
                "{kind_name} {name}{}",
                if is_tcp { " over TCP" } else { "" }
            );
        }
        state.queries.push(Query {
            name: name.clone(),
            kind: kind_name,
            is_tcp,
        });
        let fits = |rule: &&mut Rule| {
            (rule.name == "*" || rule.name == name) && rule.kind.is_none_or(|k| k == kind)
        };
        let Some(rule) = state.rules.iter_mut().find(fits) else {
            return Some((reply(message, end, 3, false, &[]), Duration::ZERO));
        };
        if rule.lost > 0 {
            rule.lost -= 1;
            return None;
        }
        if rule.fails > 0 {
            rule.fails -= 1;
            return Some((reply(message, end, 2, false, &[]), Duration::ZERO));
        }
        if is_tcp && !rule.has_tcp {
            return None;
        }
        let answer = match &rule.answer {
            Answer::Never => return None,
            Answer::Broken => {
                // Says that it has records, and has none.
                let mut answer = reply(message, end, 0, false, &[]);
                answer[7] = 9;
                answer
            }
            Answer::Code(code) => reply(message, end, *code, false, &[]),
            Answer::Addresses(addresses) => {
                let records = records(rule.alias.as_deref(), addresses);
                let whole = reply(message, end, 0, false, &records);
                match (is_tcp || whole.len() <= DATAGRAM, rule.fit) {
                    (true, _) | (_, Fit::Whole) => whole,
                    (_, Fit::Bare) => reply(message, end, 0, true, &[]),
                    (_, Fit::Cut) => {
                        let mut room = DATAGRAM - end;
                        let fits = |record: &&Vec<u8>| {
                            let fits = record.len() <= room;
                            room -= if fits { record.len() } else { 0 };
                            fits
                        };
                        let count = records.iter().take_while(fits).count();
                        reply(message, end, 0, true, &records[..count])
                    }
                }
            }
        };
        Some((answer, rule.late))
    }
}

/// One number for both; the operating system gives out one that is free for UDP only.
fn sockets(address: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let mut tries = 0;
    loop {
        let udp = UdpSocket::bind(address)?;
        match TcpListener::bind(udp.local_addr()?) {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) if tries == 20 => return Err(error),
            Err(_) => tries += 1,
        }
    }
}

fn after(late: Duration, work: impl FnOnce() + Send + 'static) {
    if late.is_zero() {
        return work();
    }
    thread::spawn(move || {
        thread::sleep(late);
        work();
    });
}

/// Name and type of the question, and where it ends; none if it isn't one.
fn question_of(message: &[u8]) -> Option<(String, u16, usize)> {
    if message.get(2)? & 0x80 != 0 || message.get(4..6)? != [0, 1] {
        return None;
    }
    let mut labels = Vec::new();
    let mut position = HEADER;
    loop {
        let length = usize::from(*message.get(position)?);
        let label = message.get(position + 1..position + 1 + length)?;
        position += 1 + length;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
    }
    let kind = message.get(position..position + 2)?;
    Some((
        labels.join("."),
        u16::from_be_bytes([kind[0], kind[1]]),
        position + 4,
    ))
}

fn reply(question: &[u8], end: usize, code: u8, is_cut: bool, records: &[Vec<u8>]) -> Vec<u8> {
    let mut reply = question[..end].to_vec();
    // A reply, with recursion desired and available.
    reply[2] = 0x81 | if is_cut { 0x02 } else { 0 };
    reply[3] = 0x80 | code;
    reply[6..8].copy_from_slice(&(records.len() as u16).to_be_bytes());
    reply[8..12].fill(0);
    reply.extend(records.concat());
    reply
}

/// The records of these addresses, of an alias if there is one. Names point to the question's.
fn records(alias: Option<&str>, addresses: &[IpAddr]) -> Vec<Vec<u8>> {
    let record = |name: &[u8], kind: u16, data: &[u8]| {
        let mut record = name.to_vec();
        record.extend(kind.to_be_bytes());
        record.extend([0, 1, 0, 0, 0, 60]);
        record.extend((data.len() as u16).to_be_bytes());
        record.extend(data);
        record
    };
    let asked_for = [0xc0, HEADER as u8];
    let target = alias.map(|name| {
        let mut target = Vec::new();
        for label in name.split('.') {
            target.push(label.len() as u8);
            target.extend(label.as_bytes());
        }
        target.push(0);
        target
    });
    let owner = target.as_deref().unwrap_or(&asked_for);
    let first = target
        .as_deref()
        .map(|target| record(&asked_for, 5, target));
    let rest = addresses.iter().map(|address| match address {
        IpAddr::V4(v4) => record(owner, 1, &v4.octets()),
        IpAddr::V6(v6) => record(owner, 28, &v6.octets()),
    });
    first.into_iter().chain(rest).collect()
}
