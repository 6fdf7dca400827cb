//! A forward proxy for HTTP, as strict as squid in what it is asked: `CONNECT` makes a tunnel, and
//! a request in absolute form is passed on. It alone knows where the targets' names lead, remembers
//! what it was asked, and can misbehave.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::free_port;
use crate::listening::Listening;
use crate::lock::lock;
use crate::rancher::api::base64;

/// One request, as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Which connection it came on: they are counted.
    pub connection: usize,
    /// `CONNECT host:443 HTTP/1.1` or `GET http://host/path HTTP/1.1`.
    pub line: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Asked {
    /// The first header of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Host and port that it is for.
    pub fn target(&self) -> String {
        let target = self.line.split(' ').nth(1).unwrap_or_default();
        match target.strip_prefix("http://") {
            Some(rest) => {
                let authority = rest.split('/').next().unwrap_or_default();
                let with_port = authority.rsplit_once(':').is_some();
                let port = if with_port { "" } else { ":80" };
                format!("{authority}{port}")
            }
            None => target.to_owned(),
        }
    }
}

/// What it does instead of its work.
#[derive(Debug, Clone)]
pub enum Misbehaviour {
    /// Sends these bytes, then closes.
    Answer(Vec<u8>),
    /// Sends the first bytes, and then the others again and again with this pause, for as long as
    /// the client is there.
    Endless(Vec<u8>, Vec<u8>, Duration),
    /// Says nothing for as long as the client is there.
    Silence,
}

/// A running proxy. Dropping it closes it and every connection.
pub struct Proxy {
    listening: Listening,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    hosts: Vec<(String, SocketAddr)>,
    /// The value of `Proxy-Authorization` that it wants.
    wanted: Option<String>,
    /// The value of `Proxy-Authenticate` that it then sends.
    scheme: String,
    denied: Vec<String>,
    misbehaviour: Option<Misbehaviour>,
    asked: Vec<Asked>,
    connections: usize,
}

/// The value of `Proxy-Authorization` for this user.
pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
}

impl Proxy {
    /// On a free port of 127.0.0.1. `hosts` says where each `host:port` really is.
    pub fn start(hosts: &[(&str, SocketAddr)]) -> Proxy {
        let listener = free_port::listen();
        let known = hosts.iter().map(|(name, at)| ((*name).to_owned(), *at));
        let state = Arc::new(Mutex::new(State {
            hosts: known.collect(),
            ..State::default()
        }));
        let listening = Listening::start(listener, {
            let state = state.clone();
            move |client, _| {
                let number = {
                    let mut state = lock(&state);
                    state.connections += 1;
                    state.connections
                };
                let _ = serve(client, number, &state);
            }
        });
        Proxy { listening, state }
    }

    pub fn address(&self) -> SocketAddr {
        self.listening.address()
    }

    /// `http://127.0.0.1:<port>`, with `user:password@` before the host if there is something.
    pub fn url(&self, user: &str) -> String {
        let at = if user.is_empty() { "" } else { "@" };
        format!("http://{user}{at}{}", self.address())
    }

    /// From now on it knows where this `host:port` is.
    pub fn add_host(&self, target: &str, address: SocketAddr) {
        let mut state = lock(&self.state);
        state.hosts.push((target.to_owned(), address));
    }

    /// From now on it wants this user and this password.
    pub fn require(&self, user: &str, password: &str) {
        let mut state = lock(&self.state);
        state.wanted = Some(basic(user, password));
        state.scheme = "Basic realm=\"simulated\"".to_owned();
    }

    /// From now on it wants credentials that can only be given in this way.
    pub fn require_by(&self, scheme: &str) {
        let mut state = lock(&self.state);
        state.wanted = Some(String::new());
        state.scheme = scheme.to_owned();
    }

    /// From now on it wants no credentials.
    pub fn open_to_all(&self) {
        lock(&self.state).wanted = None;
    }

    /// From now on its rules don't allow this `host:port`.
    pub fn deny(&self, target: &str) {
        lock(&self.state).denied.push(target.to_owned());
    }

    /// From now on it does this instead of its work.
    pub fn misbehave(&self, misbehaviour: Misbehaviour) {
        lock(&self.state).misbehaviour = Some(misbehaviour);
    }

    /// All that it was asked.
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.state).asked.clone()
    }
}

fn serve(client: &TcpStream, connection: usize, state: &Mutex<State>) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut reader = BufReader::new(client.try_clone()?);
    while let Some(asked) = read_head(&mut reader, connection)? {
        let verdict = {
            let mut state = lock(state);
            state.asked.push(asked.clone());
            judge(&state, &asked)
        };
        match verdict {
            Err(Misbehaviour::Answer(bytes)) => {
                // The rest of a request that nobody reads would reset the connection.
                read_body(&mut reader, &asked)?;
                return { client }.write_all(&bytes);
            }
            Err(Misbehaviour::Endless(first, again, pause)) => {
                { client }.write_all(&first)?;
                loop {
                    { client }.write_all(&again)?;
                    thread::sleep(pause);
                }
            }
            Err(Misbehaviour::Silence) => {
                io::copy(&mut reader, &mut io::sink())?;
                return Ok(());
            }
            Ok(server) if asked.line.starts_with("CONNECT ") => {
                { client }.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
                return tunnel(client, &mut reader, &server);
            }
            Ok(server) => {
                let body = read_body(&mut reader, &asked)?;
                pass_on(client, &asked, &body, server)?;
            }
        }
    }
    Ok(())
}

/// A connection to the target, or the answer that there is none.
fn judge(state: &State, asked: &Asked) -> Result<TcpStream, Misbehaviour> {
    let refuse = |status: &str, headers: &str| {
        let page = "<html>no</html>";
        let length = page.len();
        let text = format!(
            "HTTP/1.1 {status}\r\n{headers}Content-Type: text/html\r\nContent-Length: \
             {length}\r\nConnection: close\r\n\r\n{page}"
        );
        Misbehaviour::Answer(text.into_bytes())
    };
    if let Some(misbehaviour) = &state.misbehaviour {
        return Err(misbehaviour.clone());
    }
    let words: Vec<&str> = asked.line.split(' ').collect();
    let is_proper = match words.as_slice() {
        ["CONNECT", target, "HTTP/1.1"] => asked.header("host") == Some(*target),
        [_, url, "HTTP/1.1"] => url.strip_prefix("http://").is_some_and(|rest| {
            asked.header("host") == rest.split('/').next() // RFC 9112, section 3.2.2
        }),
        _ => false,
    };
    if !is_proper {
        return Err(refuse(
            "400 Bad Request",
            "X-Squid-Error: ERR_INVALID_URL 0\r\n",
        ));
    }
    let given = asked.header("proxy-authorization").map(str::to_owned);
    if state.wanted.is_some() && given != state.wanted {
        let scheme = format!("Proxy-Authenticate: {}\r\n", state.scheme);
        return Err(refuse("407 Proxy Authentication Required", &scheme));
    }
    let target = asked.target();
    if state.denied.contains(&target) {
        return Err(refuse(
            "403 Forbidden",
            "X-Squid-Error: ERR_ACCESS_DENIED 0\r\n",
        ));
    }
    let known = state.hosts.iter().find(|(name, _)| *name == target);
    known
        .and_then(|(_, address)| TcpStream::connect(address).ok())
        .ok_or_else(|| refuse("503 Service Unavailable", ""))
}

fn read_head(reader: &mut impl BufRead, connection: usize) -> io::Result<Option<Asked>> {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        if reader.read_line(&mut text)? == 0 {
            return Ok(None);
        }
    }
    let mut lines = text.lines();
    let line = lines.next().unwrap_or_default().to_owned();
    let headers = lines.filter_map(|line| line.split_once(':'));
    Ok(Some(Asked {
        connection,
        line,
        headers: headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect(),
    }))
}

fn read_body(reader: &mut impl Read, asked: &Asked) -> io::Result<Vec<u8>> {
    let length = asked.header("content-length").unwrap_or("0").parse();
    let mut body = vec![0; length.map_err(io::Error::other)?];
    reader.read_exact(&mut body)?;
    Ok(body)
}

/// Sends a request to its target, without what is for the proxy alone, and the answer back.
fn pass_on(
    mut client: &TcpStream,
    asked: &Asked,
    body: &[u8],
    mut server: TcpStream,
) -> io::Result<()> {
    let mut words = asked.line.splitn(3, ' ');
    let method = words.next().unwrap_or_default();
    let url = words.next().unwrap_or_default();
    let path = url["http://".len()..]
        .find('/')
        .map(|at| &url["http://".len() + at..]);
    let mut head = format!(
        "{method} {} HTTP/1.1\r\nConnection: close\r\n",
        path.unwrap_or("/")
    );
    for (name, value) in &asked.headers {
        if !name.starts_with("proxy-") && name != "connection" {
            head += &format!("{name}: {value}\r\n");
        }
    }
    server.write_all(format!("{head}\r\n").as_bytes())?;
    server.write_all(body)?;
    io::copy(&mut server, &mut client)?;
    Ok(())
}

/// Both directions, until both have ended.
fn tunnel(client: &TcpStream, reader: &mut impl Read, server: &TcpStream) -> io::Result<()> {
    server.set_nodelay(true)?;
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = io::copy(&mut { server }, &mut { client });
            let _ = client.shutdown(Shutdown::Write);
        });
        let _ = io::copy(reader, &mut { server });
        let _ = server.shutdown(Shutdown::Write);
    });
    Ok(())
}
