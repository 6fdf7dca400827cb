//! Proxies: decides which request goes through which proxy, by the rules of Go's clients.
//! `HTTPS_PROXY` is for `https` URLs, `HTTP_PROXY` for `http` URLs, and `ALL_PROXY` for either of
//! them that isn't set. Hosts in `NO_PROXY` and this machine itself are reached directly.
//!
//! This file and [`no_proxy`] are pure; [`connector`] does the I/O.

pub mod connector;
mod explain;
pub mod no_proxy;

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use ureq::ProxyProtocol;
use ureq::http::Uri;

use crate::base::brackets::inside_brackets;
use crate::base::secret::Secret;
use crate::net::basic_auth;
use crate::net::tls::Trust;
use crate::net::url::{default_port, port_of};
use no_proxy::NoProxy;

/// The values that a setting with a proxy accepts, in words for an error.
pub const TAKES: &str = "http://host:port or https://host:port, before the host user:password@ \
                         if the proxy wants them";

/// The proxies of the settings. By default there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// The proxy for `https` URLs.
    pub https: Option<Proxy>,
    /// The proxy for `http` URLs.
    pub http: Option<Proxy>,
    /// The hosts that are reached directly.
    pub except: NoProxy,
}

impl Proxies {
    /// The proxy for URLs with this scheme, host and port, if there is one.
    pub fn for_url(&self, scheme: &str, host: &str, port: u16) -> Option<&Proxy> {
        let proxy = match scheme {
            "https" => self.https.as_ref(),
            "http" => self.http.as_ref(),
            _ => None,
        };
        proxy.filter(|_| !self.except.has(host, port))
    }

    /// The proxy for this URL, if there is one.
    pub fn for_uri(&self, uri: &Uri) -> Option<&Proxy> {
        let scheme = uri.scheme_str()?;
        self.for_url(scheme, uri.host()?, port_of(uri))
    }

    /// Who is trusted at the connections to the proxies themselves: the authorities of this trust, and
    /// certificates of `CA_FILE` as themselves at the proxies with an `https` URL.
    pub fn trust(&self, trust: &Trust) -> Trust {
        let proxies = [&self.https, &self.http].into_iter().flatten();
        let over_tls = proxies.filter(|proxy| proxy.scheme() == "https");
        over_tls.fold(Trust::authorities(trust.own()), |trust, proxy| {
            trust.and_each_as_itself_at(proxy.host())
        })
    }

    /// How a URL is reached: `directly`, or `through` a named proxy. `None` if no proxy is set at all.
    pub fn route(&self, url: &dyn fmt::Display) -> Option<String> {
        if self.https.is_none() && self.http.is_none() {
            return None;
        }
        let uri = url.to_string().parse();
        let proxy = uri.ok().and_then(|uri: Uri| self.for_uri(&uri).cloned());
        Some(proxy.map_or("directly".to_owned(), |proxy| format!("through {proxy}")))
    }
}

/// A proxy. `Display` and `Debug` leave out its user name and password.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// The environment variable that it comes from.
    variable: String,
    /// ureq's form, which a request carries to the connector. ureq also keeps pooled connections
    /// apart by it, so it includes the credentials.
    handle: ureq::Proxy,
    /// What messages must not show: the password, and the header that has it.
    secrets: Vec<Secret>,
}

impl Proxy {
    /// Parses the value of a variable. The error says what is wrong, without a part of the value,
    /// which may hold a password.
    pub fn parse(variable: &str, text: &str) -> Result<Proxy, String> {
        refuse_strange_characters(text)?;
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let scheme = scheme.to_ascii_lowercase();
        let protocol = match scheme.as_str() {
            "http" => ProxyProtocol::Http,
            "https" => ProxyProtocol::Https,
            socks if socks.starts_with("socks") => {
                return Err("a SOCKS proxy can't be used, only one for HTTP".to_owned());
            }
            _ => return Err(OTHER_SCHEME.to_owned()),
        };
        if rest.len() == text.len() && text.contains(":/") {
            return Err(OTHER_SCHEME.to_owned());
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if path.contains('@') {
            return Err(format!("{ENCODED} (as %2F, %3F, %23)"));
        }
        if !matches!(path, "" | "/") {
            return Err("there is something after the host and its port".to_owned());
        }
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let (host, port) = host_and_port(place)?;
        // Without a port it is that of the scheme, as Go has it; curl's is 1080.
        let mut builder = ureq::Proxy::builder(protocol)
            .host(&host)
            .port(port.unwrap_or(default_port(&scheme)));
        if let Some((user, password)) = user.map(credentials).transpose()?.flatten() {
            builder = builder.username(&user).password(&password);
        }
        let handle = builder.build();
        let handle = handle.map_err(|_| "that is no URL of a proxy".to_owned())?;
        let password = handle.password().map(Secret::new);
        Ok(Proxy {
            variable: variable.to_owned(),
            secrets: authorization(&handle).into_iter().chain(password).collect(),
            handle,
        })
    }

    /// The proxy's host; an IPv6 address is in brackets.
    pub fn host(&self) -> &str {
        self.handle.host()
    }

    /// The proxy's port.
    pub fn port(&self) -> u16 {
        self.handle.port()
    }

    /// The protocol of the connection to the proxy: `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        scheme(&self.handle)
    }

    /// The environment variable that it comes from.
    pub fn variable(&self) -> &str {
        &self.variable
    }

    /// ureq's form of the proxy, which a request carries to the connector.
    pub fn handle(&self) -> ureq::Proxy {
        self.handle.clone()
    }

    /// Whether a user name and a password are set.
    pub fn has_credentials(&self) -> bool {
        self.handle.username().is_some()
    }
}

const OTHER_SCHEME: &str = "it starts with something else than http:// or https://";

/// The error about a character in the credentials that would end the host of a URL.
const ENCODED: &str = "a /, ? or # in the user name or password has to be percent-encoded";

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = if self.has_credentials() { "***@" } else { "" };
        let scheme = self.scheme();
        let (host, port) = (self.host(), self.port());
        write!(f, "{scheme}://{hidden}{host}:{port} ({})", self.variable)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

fn scheme(proxy: &ureq::Proxy) -> &'static str {
    match proxy.protocol() {
        ProxyProtocol::Https => "https",
        _ => "http",
    }
}

/// The value of the header `Proxy-Authorization`, if there are credentials.
fn authorization(proxy: &ureq::Proxy) -> Option<Secret> {
    let password = proxy.password().unwrap_or_default();
    Some(basic_auth::header(proxy.username()?, password))
}

fn refuse_strange_characters(text: &str) -> Result<(), String> {
    if text.starts_with(['"', '\'', '`']) || text.ends_with(['"', '\'', '`']) {
        return Err("there are quotes around it".to_owned());
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(NOT_VISIBLE.to_owned());
    }
    Ok(())
}

const NOT_VISIBLE: &str = "there is a blank, a line break or a character beyond ASCII in it; in a \
                           password they have to be percent-encoded";

/// Splits `host:port`, where the port is optional. An IPv6 address keeps its brackets.
fn host_and_port(place: &str) -> Result<(String, Option<u16>), String> {
    if !place.contains(['[', ']']) && place.matches(':').count() > 1 {
        return Err("an IPv6 address has to be in brackets".to_owned());
    }
    let split = match place.find(']') {
        Some(end) => end + 1,
        None => place.find(':').unwrap_or(place.len()),
    };
    let (host, port) = place.split_at(split);
    if host.is_empty() {
        return Err("it has no host".to_owned());
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_host = match inside_brackets(host) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        // A host of digits and dots must be an address.
        None if host.chars().all(|c| c.is_ascii_digit() || c == '.') => {
            host.parse::<Ipv4Addr>().is_ok()
        }
        None => host.chars().all(is_plain) && !host.starts_with('.') && !host.contains(".."),
    };
    if !is_host || host.len() > MAX_HOST {
        return Err("its host is neither a name nor an address".to_owned());
    }
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        None => return Err("there is something between the host and the port".to_owned()),
        Some(digits) => match digits.parse() {
            Ok(port) if port > 0 && digits.bytes().all(|b| b.is_ascii_digit()) => Some(port),
            _ => return Err("its port is no number from 1 to 65535".to_owned()),
        },
    };
    Ok((host.to_ascii_lowercase(), port))
}

/// Longest name of a host, in characters, including a dot at its end.
const MAX_HOST: usize = 254;

/// Splits and decodes `user:password`. `None` if both are empty.
fn credentials(text: &str) -> Result<Option<(String, String)>, String> {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    let (user, password) = (decode(user)?, decode(password)?);
    if user.contains(':') {
        return Err("a user name with a colon in it can't be sent".to_owned());
    }
    let is_empty = user.is_empty() && password.is_empty();
    Ok((!is_empty).then_some((user, password)))
}

/// Decodes percent-encoded text: `%41` becomes `A`.
fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        bytes.push(*first);
        if *first == b'%' {
            let digits = rest.split_at_checked(2);
            let (digits, after) = digits.ok_or(NO_ESCAPE)?;
            let decoded = hex::decode(digits).map_err(|_| NO_ESCAPE)?;
            bytes.pop();
            bytes.extend(decoded);
            rest = after;
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains(char::is_control) => Ok(text),
        _ => Err("its user name or password decodes to something else than text".to_owned()),
    }
}

const NO_ESCAPE: &str = "a % in the user name or password has to be written as %25";

/// Makes a wrong value of a setting with a proxy or host safe to show: scheme, host and port are
/// kept, credentials become `***`, and the rest becomes `…`.
pub fn shown(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) if !scheme.contains([':', '@', '/']) => (scheme, rest),
        _ => ("", text),
    };
    let (hidden, place) = match rest.rsplit_once('@') {
        Some((_, place)) => ("***@", place),
        None => ("", rest),
    };
    let is_plain = |c: char| c.is_alphanumeric() || "-_.*[]<>\"'".contains(c);
    let host = place.find(|c| !is_plain(c)).unwrap_or(place.len());
    let (host, after) = place.split_at(host);
    // If the text after the colon isn't a port, it may be a password whose host was forgotten.
    let digits = after.strip_prefix(':').unwrap_or_default();
    let digits = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    let is_port = (1..=5).contains(&digits) || after == ":";
    let (port, after) = if is_port {
        after.split_at(digits + 1)
    } else {
        ("", after)
    };
    let slash = if scheme.is_empty() { "" } else { "://" };
    let more = if matches!(after, "" | "/") {
        after
    } else {
        "…"
    };
    let scheme: String = scheme
        .chars()
        .filter(|c| !c.is_control())
        .take(16)
        .collect();
    format!("{scheme}{slash}{hidden}{host}{port}{more}")
}

#[cfg(test)]
mod tests;
