//! A small blocking HTTP/1.1 server on a free loopback port, one thread for each connection,
//! whose handler can answer properly or misbehave in every way a network does.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::free_port;
use crate::listening::Listening;

/// One request as it came off the wire.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// The path, still percent-encoded, without the query.
    pub path: String,
    /// The query, still percent-encoded, without its `?`; empty if there is none.
    pub query: String,
    /// Names in lower case, in the order sent.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// When the last byte had been read.
    pub arrived: Instant,
}

impl Request {
    /// The first header of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// The decoded value of a query parameter; `None` if it is absent, empty if it has no value.
    pub fn query_value(&self, name: &str) -> Option<String> {
        self.query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .find_map(|pair| {
                let (n, v) = pair.split_once('=').unwrap_or((pair, ""));
                (percent_decode(n) == name).then(|| percent_decode(v))
            })
    }
}

/// A well-formed answer. `Content-Length` and `Date` are added when it is sent, unless given;
/// with a header `Transfer-Encoding: chunked` the body is sent in chunks instead.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// Shared, so that an answer of 68 MB needn't be copied each time it is given.
    pub body: Arc<Vec<u8>>,
}

impl Response {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
        Response::shared(status, content_type, Arc::new(body.into()))
    }

    /// With a body that others have too.
    pub fn shared(status: u16, content_type: &str, body: Arc<Vec<u8>>) -> Response {
        Response {
            status,
            headers: vec![("Content-Type".into(), content_type.into())],
            body,
        }
    }

    pub fn with_header(mut self, name: &str, value: &str) -> Response {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// What a handler wants to happen on the connection.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A proper answer.
    Send(Response),
    /// Head with the full `Content-Length`, then only this many bytes of the body, then close.
    Cut(Response, usize),
    /// Close without a byte.
    Drop,
    /// These bytes as they are, then close.
    Raw(Vec<u8>),
    /// Say nothing until the client goes away, this long at most, then close.
    Hang(Duration),
}

/// Answers requests. Called on the connection's own thread, so it may block (a long poll does).
pub trait Handler: Send + Sync + 'static {
    fn handle(&self, request: &Request) -> Reply;
}

impl<F: Fn(&Request) -> Reply + Send + Sync + 'static> Handler for F {
    fn handle(&self, request: &Request) -> Reply {
        self(request)
    }
}

/// A running server. Dropping it closes the port and every connection.
pub struct Server(Listening);

impl Server {
    /// Listens on a free port of 127.0.0.1.
    pub fn start(handler: Arc<dyn Handler>) -> Server {
        Server::on(free_port::listen(), handler)
    }

    /// Answers whoever connects to this.
    pub fn on(listener: TcpListener, handler: Arc<dyn Handler>) -> Server {
        Server(Listening::start(listener, move |stream, stop| {
            let _ = stream.set_nodelay(true);
            let _ = serve(stream, &*handler, stop);
        }))
    }

    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// `http://127.0.0.1:<port>`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }
}

fn serve(stream: &TcpStream, handler: &dyn Handler, stop: &AtomicBool) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    while let Some(request) = read_request(&mut reader)? {
        match handler.handle(&request) {
            Reply::Send(response) if request.method == "HEAD" => {
                writer.write_all(&head(&response))?;
            }
            Reply::Send(response) => send(&response, &mut writer)?,
            Reply::Cut(response, length) => {
                let mut bytes = head(&response);
                let body = on_the_wire(&response);
                bytes.extend_from_slice(&body[..length.min(body.len())]);
                return writer.write_all(&bytes);
            }
            Reply::Drop => return Ok(()),
            Reply::Raw(bytes) => return writer.write_all(&bytes),
            Reply::Hang(longest) => return hang(stream, longest, stop),
        }
        if request
            .header("connection")
            .is_some_and(|v| v.eq_ignore_ascii_case("close"))
        {
            return Ok(());
        }
    }
    Ok(())
}

/// Sends an answer, what is short in one piece.
fn send(response: &Response, writer: &mut impl Write) -> io::Result<()> {
    let mut bytes = head(response);
    for chunk in response.body.chunks(CHUNK) {
        push_chunk(&mut bytes, chunk, is_chunked(response));
        if bytes.len() >= CHUNK {
            writer.write_all(&bytes)?;
            bytes.clear();
        }
    }
    if is_chunked(response) {
        bytes.extend_from_slice(b"0\r\n\r\n");
    }
    writer.write_all(&bytes)
}

fn hang(stream: &TcpStream, longest: Duration, stop: &AtomicBool) -> io::Result<()> {
    let end = Instant::now() + longest;
    stream.set_read_timeout(Some(Duration::from_millis(20)))?;
    while Instant::now() < end && !stop.load(Ordering::SeqCst) {
        match (&*stream).read(&mut [0; 64]) {
            Ok(0) => break,
            Ok(_) => {}
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                ) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

fn head(response: &Response) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {} Simulated\r\n", response.status);
    for (name, value) in &response.headers {
        text += &format!("{name}: {value}\r\n");
    }
    let has = |name: &str| {
        response
            .headers
            .iter()
            .any(|(n, _)| n.eq_ignore_ascii_case(name))
    };
    if !has("content-length") && !is_chunked(response) {
        text += &format!("Content-Length: {}\r\n", response.body.len());
    }
    text += "\r\n";
    text.into_bytes()
}

fn is_chunked(response: &Response) -> bool {
    response.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked")
    })
}

/// Bytes of a body that are sent at once, and the size of chunks.
const CHUNK: usize = 32 * 1024;

fn push_chunk(bytes: &mut Vec<u8>, chunk: &[u8], with_length: bool) {
    if with_length {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
    }
    bytes.extend_from_slice(chunk);
    if with_length {
        bytes.extend_from_slice(b"\r\n");
    }
}

/// The body as it is sent: as it is, or in chunks.
fn on_the_wire(response: &Response) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(response.body.len() + 1024);
    for chunk in response.body.chunks(CHUNK) {
        push_chunk(&mut bytes, chunk, is_chunked(response));
    }
    if is_chunked(response) {
        bytes.extend_from_slice(b"0\r\n\r\n");
    }
    bytes
}

/// `None` when the client has closed an idle connection.
fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    if words.next() != Some("HTTP/1.1") || !target.starts_with('/') {
        return Err(bad("not an HTTP/1.1 request line"));
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
    let mut headers = Vec::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Err(bad("the head is cut off"));
        }
        let text = line.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            break;
        }
        let (name, value) = text
            .split_once(':')
            .ok_or_else(|| bad("a header without colon"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let find = |name: &str| {
        headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.clone())
    };
    let body = if find("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
        read_chunked(reader)?
    } else {
        let length = find("content-length").map_or(Ok(0), |v| v.parse());
        let mut body = vec![0; length.map_err(|_| bad("Content-Length is not a number"))?];
        reader.read_exact(&mut body)?;
        body
    };
    Ok(Some(Request {
        method,
        path,
        query,
        headers,
        body,
        arrived: Instant::now(),
    }))
}

fn read_chunked(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim(), 16)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not a chunk length"))?;
        let start = body.len();
        body.resize(start + length, 0);
        reader.read_exact(&mut body[start..])?;
        reader.read_line(&mut String::new())?;
        if length == 0 {
            return Ok(body);
        }
    }
}

/// Decodes `%41`; anything that isn't such an escape stays as it is, `+` too.
pub fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let escaped = (bytes[i] == b'%').then(|| text.get(i + 1..i + 3)).flatten();
        match escaped.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                i += 3;
            }
            None => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
