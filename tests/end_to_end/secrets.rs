//! Servers that quote what was sent to them, in whatever encoding: nothing of a secret comes out, at
//! any level, by any command.

use crate::stage::{PATIENCE, Stage, each, program, web};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sim::credentials::Endpoint;
use sim::free_port;
use sim::http::{Request, Response, percent_decode};
use sim::listening::Listening;
use sim::service::Service;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// Characters that nobody can tell from a word any more.
const LEAK: usize = 8;

type Settings = Vec<(&'static str, String)>;

/// Numbers that look random (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((number ^ (number >> 31)) % end as u64) as usize
    }

    fn secret(&mut self, length: usize) -> String {
        let characters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/+=";
        let character = |_| char::from(characters[self.below(characters.len())]);
        (0..length).map(character).collect()
    }
}

/// Escapes each character that is neither a letter nor a digit.
fn escaped(text: &str, escape: impl Fn(u32) -> String) -> String {
    let one = |c: char| match c.is_ascii_alphanumeric() {
        true => c.to_string(),
        false => escape(u32::from(c)),
    };
    text.chars().map(one).collect()
}

fn encoded(text: &str, random: &mut Random) -> String {
    match random.below(9) {
        0 | 1 => text.to_owned(),
        2 => STANDARD.encode(text),
        3 => STANDARD_NO_PAD
            .encode(text)
            .replace('+', "-")
            .replace('/', "_"),
        4 => hex::encode(text),
        5 => hex::encode_upper(text),
        6 => escaped(text, |c| format!("%{c:02X}")),
        7 => escaped(text, |c| format!("\\u{c:04x}")),
        _ => escaped(text, |c| format!("&#{c};")),
    }
}

/// Part of a header or of the body that was sent, as this server would quote it.
fn quotation(request: &Request, random: &mut Random) -> String {
    let mut sent: Vec<String> = request
        .headers
        .iter()
        .map(|(_, value)| value.clone())
        .collect();
    sent.push(String::from_utf8_lossy(&request.body).into_owned());
    sent.push(format!("{}?{}", request.path, request.query));
    sent.retain(|text| text.len() >= LEAK && text.is_ascii());
    // Half of the time what is most likely a secret.
    let is_telling = |text: &&String| text.len() > 30 && !text.starts_with('<');
    let telling: Vec<&String> = sent.iter().filter(is_telling).collect();
    let text = match telling.len() {
        0 => &sent[random.below(sent.len())],
        _ if random.below(2) == 0 => &sent[random.below(sent.len())],
        many => telling[random.below(many)],
    };
    let start = random.below(text.len() - LEAK + 1);
    let length = LEAK + random.below(80);
    encoded(&text[start..text.len().min(start + length)], random)
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// An answer, of any server that there is, that quotes.
fn quoting(request: &Request, random: &mut Random) -> Response {
    let mut quote = || quotation(request, random);
    let (a, b, c) = (quote(), quote(), quote());
    let json = |status, value: serde_json::Value| {
        Response::new(status, "application/json", value.to_string())
    };
    let status = [400, 401, 403, 404, 409, 422, 500][random.below(7)];
    match random.below(9) {
        0 => json(
            status,
            serde_json::json!({"type": "error", "code": a, "message": b}),
        ),
        1 => json(
            status,
            serde_json::json!({"Code": a, "Message": format!("no {b}")}),
        ),
        2 => {
            let (a, b, c) = (xml(&a), xml(&b), xml(&c));
            let body = format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{a}</Code><Message>it should have \
                 been '{b}'</Message></Error><RequestId>{c}</RequestId></ErrorResponse>"
            );
            Response::new(status, "text/xml", body)
        }
        3 => {
            let (a, b) = (xml(&a), xml(&b));
            let body = format!(
                "<InvalidChangeBatch><Messages><Message>{a}</Message><Message>{b}</Message>\
                 </Messages></InvalidChangeBatch>"
            );
            Response::new(400, "text/xml", body)
        }
        4 => Response::new(200, "text/xml", format!("<{a}><b>{b}</b></{c}>")),
        5 => Response::new(status, "text/html", format!("<html>{a}")),
        6 => json(200, serde_json::json!({"type": a, "AccessKeyId": b})).with_header(
            "X-API-Schemas",
            &format!("http://127.0.0.1/{}", c.replace(' ', "")),
        ),
        7 => Response::new(302, "text/plain", a).with_header("Location", &b.replace(' ', "")),
        _ => Response::new(407, "text/plain", "")
            .with_header("Proxy-Authenticate", &format!("Basic realm=\"{a}\", {b}"))
            .with_header("X-Squid-Error", &c),
    }
}

/// What a reader could make of a text.
fn readings(text: &str) -> Vec<String> {
    let unescaped = ["\\u", "&#"].map(|start| {
        let mut parts = text.split(start);
        let mut read = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (digits, rest, radix) = match start {
                "&#" => part
                    .split_once(';')
                    .map_or(("", part, 10), |(d, r)| (d, r, 10)),
                _ => part
                    .split_at_checked(4)
                    .map_or(("", part, 16), |(d, r)| (d, r, 16)),
            };
            let number = u32::from_str_radix(digits, radix).ok();
            read.extend(number.and_then(char::from_u32));
            read.push_str(rest);
        }
        read
    });
    let mut readings = vec![text.to_owned(), percent_decode(text)];
    readings.extend(unescaped);
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/-_".contains(c);
    for word in text
        .split(|c| !is_base64(c))
        .filter(|word| word.len() >= LEAK)
    {
        let word = word.replace('-', "+").replace('_', "/");
        for skipped in 0..4.min(word.len()) {
            let part = &word[skipped..];
            let part = &part[..part.len() - part.len() % 4];
            let bytes = STANDARD.decode(part).unwrap_or_default();
            readings.push(String::from_utf8_lossy(&bytes).into_owned());
        }
        for skipped in 0..2 {
            let part = &word[skipped..];
            let part = &part[..part.len() - part.len() % 2];
            let bytes = hex::decode(part).unwrap_or_default();
            readings.push(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    readings
}

fn assert_nothing_leaks(shown: &str, secrets: &[String], what: &str) {
    let readings = readings(shown);
    for secret in secrets {
        for start in 0..=secret.len() - LEAK {
            let piece = &secret[start..start + LEAK];
            let leak = readings.iter().any(|text| text.contains(piece));
            assert!(!leak, "{what}: {piece} of {secret} is in\n{shown}");
        }
    }
}

fn parrot(seed: u64) -> Endpoint {
    let random = Mutex::new(Random(seed));
    Endpoint::start(move |request| quoting(request, &mut random.lock().unwrap()))
}

/// A proxy that quotes: it takes requests in absolute form, which the simulated servers refuse.
fn quoting_proxy(seed: u64) -> Listening {
    let random = Mutex::new(Random(seed));
    let listener = free_port::listen();
    Listening::start(listener, move |mut stream, _| {
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let Some(first) = lines.next() else { return };
        let headers = lines.take_while(|line| !line.is_empty());
        let headers = headers.filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_ascii_lowercase(), value.to_owned()))
        });
        let request = Request {
            method: String::new(),
            path: first,
            query: String::new(),
            headers: headers.collect(),
            body: Vec::new(),
            arrived: Instant::now(),
        };
        let answer = quoting(&request, &mut random.lock().unwrap());
        let mut text = format!("HTTP/1.1 {} No\r\nConnection: close\r\n", answer.status);
        for (name, value) in &answer.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("Content-Length: {}\r\n\r\n", answer.body.len());
        // The client may have gone.
        let _ = stream.write_all(&[text.as_bytes(), &answer.body].concat());
    })
}

fn file(content: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}

/// Secrets of all kinds, and the settings with which each of them goes to a server that quotes it.
struct Scene {
    stage: Stage,
    parrot: Endpoint,
    _proxy: Listening,
    /// As they are, and as headers have them.
    secrets: Vec<String>,
    settings: Vec<(&'static str, Settings)>,
    _files: Vec<NamedTempFile>,
}

impl Scene {
    fn new(seed: u64) -> Scene {
        let mut random = Random(seed);
        let parrot = parrot(seed + 1_000);
        let url = parrot.url();
        let proxy = quoting_proxy(seed + 2_000);
        let [key, token, identity, container, cattle] =
            [40, 200, 120, 60, 40].map(|length| random.secret(length));
        let password = random.secret(20).replace(['/', '+', '='], "x");
        let path = format!("{}-4bd5", hex::encode(random.secret(8)));
        let pairs = [("CATTLE", &cattle), ("proxy-user", &password)]
            .map(|(user, secret)| STANDARD.encode(format!("{user}:{secret}")));
        let (web_file, token_file) = (file(&identity), file(&format!("Bearer {container}")));
        let shown = |file: &NamedTempFile| file.path().display().to_string();
        let text = |text: &str| text.to_owned();
        let keys: Settings = vec![
            ("AWS_ACCESS_KEY_ID", text("AKIDEXAMPLE")),
            ("AWS_SECRET_ACCESS_KEY", key.clone()),
            ("AWS_SESSION_TOKEN", token.clone()),
        ];
        let with = |more: &[(&'static str, String)]| {
            let mut settings = keys.clone();
            settings.extend_from_slice(more);
            settings
        };
        let rancher = [
            ("CATTLE_URL", format!("{url}/v2-beta")),
            ("CATTLE_ACCESS_KEY", text("CATTLE")),
            ("CATTLE_SECRET_KEY", cattle.clone()),
        ];
        let route53 = ("AWS_ENDPOINT_URL_ROUTE_53", url.clone());
        let sts = ("AWS_ENDPOINT_URL_STS", url.clone());
        let role = "arn:aws:iam::123456789012:role/dns";
        let settings = vec![
            ("Rancher", rancher.to_vec()),
            ("Route 53", with(&[route53.clone(), sts.clone()])),
            (
                "a role",
                with(&[("ROUTE53_ASSUME_ROLE_ARN", text(role)), sts.clone()]),
            ),
            (
                "a web identity",
                vec![
                    ("AWS_WEB_IDENTITY_TOKEN_FILE", shown(&web_file)),
                    ("AWS_ROLE_ARN", text(role)),
                    sts,
                ],
            ),
            (
                "a container",
                vec![
                    (
                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                        format!("{url}/v2/credentials/{path}"),
                    ),
                    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", shown(&token_file)),
                ],
            ),
            (
                "a proxy",
                with(&[
                    (
                        "HTTP_PROXY",
                        format!("http://proxy-user:{password}@{}", proxy.address()),
                    ),
                    (
                        "AWS_ENDPOINT_URL_ROUTE_53",
                        text("http://route53.example.com"),
                    ),
                ]),
            ),
        ];
        let mut secrets = vec![key, token, identity, container, cattle, password, path];
        secrets.extend(pairs);
        Scene {
            stage: Stage::new(web()),
            parrot,
            _proxy: proxy,
            secrets,
            settings,
            _files: vec![web_file, token_file],
        }
    }

    fn spawn(&self, arguments: &[&str], settings: &Settings) -> Service {
        let mut environment = self.stage.environment();
        let has_own_keys = settings.iter().all(|(name, _)| !name.starts_with("AWS_"));
        environment.retain(|(name, _)| {
            let is_key = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].contains(name);
            (has_own_keys || !is_key) && settings.iter().all(|(other, _)| other != name)
        });
        environment.extend(settings.iter().cloned());
        for (name, value) in [("LOG_LEVEL", "debug"), ("ROUTE53_MAX_RETRIES", "1")] {
            environment.retain(|(known, _)| *known != name);
            environment.push((name, value.to_owned()));
        }
        Service::spawn(program(), arguments, &environment)
    }

    fn look(&self, service: &Service, more: &str, what: &str) {
        let shown = format!("{}\n{}\n{more}", service.log().join("\n"), service.stdout());
        assert_nothing_leaks(&shown, &self.secrets, what);
    }
}

#[test]
fn no_command_shows_what_a_server_quotes() {
    each(0..12, |seed| {
        let scene = Scene::new(seed);
        for (who, settings) in &scene.settings {
            let commands: [&[&str]; 3] = [&["check"], &["plan", "--json"], &["once"]];
            let command = commands[(seed as usize + who.len()) % commands.len()];
            let before = scene.parrot.requests().len();
            let service = scene.spawn(command, settings);
            // Some answers are waited for, and then the program is told to stop.
            if service.wait(Duration::from_secs(5)).is_none() {
                service.terminate();
                assert!(service.wait(PATIENCE).is_some());
            }
            let what = format!("seed {seed}, {who} quotes, {command:?}");
            scene.look(&service, "", &what);
            let asks = *who != "a proxy" && (*who != "Rancher" || command != ["plan", "--json"]);
            assert!(
                !asks || scene.parrot.requests().len() > before,
                "{what}: {}",
                service.log().join("\n")
            );
        }
    });
}

/// The page, if the program still runs.
fn page(address: SocketAddr, path: &str) -> String {
    let mut answer = String::new();
    if let Ok(mut stream) = TcpStream::connect(address) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        // It may end meanwhile.
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.read_to_string(&mut answer);
    }
    answer
}

#[test]
fn no_page_shows_what_a_server_quotes() {
    each(100..104, |seed| {
        let scene = Scene::new(seed);
        for (who, mut settings) in scene.settings.clone() {
            settings.push(("HEALTH_ADDRESS", "127.0.0.1:0".to_owned()));
            let service = scene.spawn(&[], &settings);
            let address = service.health_address(PATIENCE);
            // It has asked somebody, or an answer has ended it.
            assert!(
                service
                    .wait_for_log(PATIENCE, |line| line.contains("error="))
                    .is_some()
            );
            let pages = ["/status", "/status.json", "/metrics"].map(|path| page(address, path));
            service.terminate();
            assert!(service.wait(PATIENCE).is_some());
            scene.look(
                &service,
                &pages.concat(),
                &format!("seed {seed}, {who} quotes"),
            );
        }
    });
}

/// The test's own eyes: a leak of each kind is seen.
#[test]
fn a_leak_would_be_seen() {
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY".to_owned();
    let slice = &secret[5..18];
    for leak in [
        slice.to_owned(),
        STANDARD.encode(slice),
        STANDARD.encode(format!("ab{slice}")),
        hex::encode(slice),
        escaped(slice, |c| format!("%{c:02X}")),
        escaped(slice, |c| format!("\\u{c:04x}")),
        escaped(slice, |c| format!("&#{c};")),
    ] {
        let text = format!("the key ({leak}) is bad");
        let seen = std::panic::catch_unwind(|| {
            assert_nothing_leaks(&text, std::slice::from_ref(&secret), "");
        });
        assert!(seen.is_err(), "{text}");
    }
}
