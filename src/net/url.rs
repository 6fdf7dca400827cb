//! The type of URLs that settings hold: text goes in, a checked and normalised URL comes out.

use std::fmt;

use ureq::http::Uri;

use crate::base::brackets::without_brackets;

/// The port of a URL without one.
pub fn default_port(scheme: &str) -> u16 {
    match scheme {
        "https" => 443,
        _ => 80,
    }
}

/// The port that a URL leads to.
pub fn port_of(uri: &Uri) -> u16 {
    let default = default_port(uri.scheme_str().unwrap_or_default());
    uri.port_u16().unwrap_or(default)
}

/// An `http` or `https` URL with an optional path, and without user, query and fragment. It is
/// normalised: the host is in lower case, and there is no default port and no slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    scheme: &'static str,
    authority: String,
    path: String,
}

impl Url {
    /// Parses a URL. The error says what is wrong.
    pub fn parse(text: &str) -> Result<Url, String> {
        let uri: Uri = text.parse().map_err(|_| "not a URL".to_owned())?;
        let scheme = match uri.scheme_str() {
            Some("http") => "http",
            Some("https") => "https",
            _ => return Err("it has to start with http:// or https://".to_owned()),
        };
        let authority = uri.authority().ok_or("it has no host")?;
        if authority.as_str().contains('@') {
            return Err("it must not hold a user name or password".to_owned());
        }
        if uri.query().is_some() || text.contains('#') {
            return Err("it must not have a query or fragment".to_owned());
        }
        let host = authority.host().to_ascii_lowercase();
        if host.is_empty() {
            return Err("it has no host".to_owned());
        }
        if without_brackets(&host).contains(['[', ']']) {
            return Err("it has a host with a bracket in it".to_owned());
        }
        let port = match (authority.port_u16(), authority.as_str().rsplit_once(':')) {
            (Some(port), _) => Some(port),
            // It isn't shown: it may be a password whose host was forgotten.
            (None, Some((_, port))) if !port.ends_with(']') => {
                return Err("what stands after the host's colon is no port".to_owned());
            }
            (None, _) => None,
        };
        let authority = match port.filter(|port| *port != default_port(scheme)) {
            Some(port) => format!("{host}:{port}"),
            None => host,
        };
        Ok(Url {
            scheme,
            authority,
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Parses the URL of a server whose requests are signed. Some on the way remove `//`, `.` and `..`
    /// from a path and others don't, so a path with them could be signed as one and arrive as
    /// another. What else is in a path is signed as it is sent.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
    pub fn of_endpoint(text: &str) -> Result<Url, String> {
        let url = Url::parse(text)?;
        let uri: Uri = text.parse().map_err(|_| "not a URL".to_owned())?;
        let path = uri.path();
        let segments = path.strip_prefix('/').unwrap_or(path);
        let segments = segments.strip_suffix('/').unwrap_or(segments);
        if path.contains("//") {
            return Err(
                "it has an empty part in its path: remove the second slash of //".to_owned(),
            );
        }
        let is_dots = |segment: &str| {
            let segment = segment.to_ascii_lowercase().replace("%2e", ".");
            matches!(segment.as_str(), "." | "..")
        };
        if segments.split('/').any(is_dots) {
            return Err("it has . or .. in its path: write the path that is meant".to_owned());
        }
        if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it has a character in its path that has to be percent-encoded".to_owned());
        }
        Ok(url)
    }

    /// Scheme, host and port, such as `https://host:8443`.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.authority)
    }

    /// The value of the `Host` header: the host, with the port if it isn't the scheme's default.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The host; an IPv6 address is in brackets.
    pub fn host(&self) -> &str {
        let end = self.authority.rfind(':').unwrap_or(self.authority.len());
        match self.authority.rfind(']') {
            Some(bracket) => &self.authority[..=bracket],
            None => &self.authority[..end],
        }
    }

    /// The scheme: `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// The path: empty, or with a slash at the start and none at the end.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The same server with another path, which starts with a slash.
    pub fn with_path(&self, path: &str) -> Url {
        Url {
            path: path.trim_end_matches('/').to_owned(),
            ..self.clone()
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_normalised() {
        for (text, expected) in [
            (
                "http://rancher:8080/v2-beta/",
                "http://rancher:8080/v2-beta",
            ),
            (
                "https://Route53.amazonaws.com",
                "https://route53.amazonaws.com",
            ),
            ("https://h:443/", "https://h"),
            ("http://h:80", "http://h"),
            ("http://[::1]:8080/x", "http://[::1]:8080/x"),
            ("http://[::1]", "http://[::1]"),
        ] {
            assert_eq!(
                Url::parse(text).map(|url| url.to_string()),
                Ok(expected.to_owned())
            );
        }
    }

    #[test]
    fn the_path_of_an_endpoint_can_be_read_in_one_way_only() {
        for (text, words) in [
            ("http://h//", "//"),
            ("http://h//x", "//"),
            ("http://h/x//y/", "//"),
            ("http://h/x//", "//"),
            ("http://h/.", ". or .."),
            ("http://h/x/./y", ". or .."),
            ("http://h/x/..", ". or .."),
            ("http://h/../x", ". or .."),
            ("http://h/x/%2e%2E/y", ". or .."),
            ("http://h/x/.%2e/", ". or .."),
            ("http://h/ü", "percent-encoded"),
            ("http://h/?x", "query"),
            ("ftp://h/x", "http://"),
        ] {
            let error = Url::of_endpoint(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
        for text in [
            "http://h",
            "http://h/",
            "http://h/x/",
            "http://h/.x/x./...",
            "http://h/x%2Fy/%20:@",
        ] {
            assert_eq!(Url::of_endpoint(text), Url::parse(text), "{text}");
        }
    }

    #[test]
    fn the_host_is_without_the_port() {
        for (text, expected) in [
            ("http://Rancher:8080/v2-beta", "rancher"),
            ("https://rancher.example.com", "rancher.example.com"),
            ("https://192.0.2.1:8443", "192.0.2.1"),
            ("https://[2001:db8::1]:8443/v1", "[2001:db8::1]"),
            ("https://[::1]", "[::1]"),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!(url.host(), expected);
            assert_eq!(url.scheme(), &text[..text.find(':').unwrap()]);
        }
    }

    #[test]
    fn refuses_other_text() {
        for (text, words) in [
            ("", "not a URL"),
            ("rancher", "http://"),
            ("ftp://h", "http://"),
            ("/v1", "http://"),
            ("http://", "not a URL"),
            ("http://user:secret@h/", "user name"),
            ("http://h/?a=b", "query"),
            ("http://h/#x", "fragment"),
            ("http://h[::1]:80", "bracket"),
            ("http://h:99999", "port"),
            ("http://h:/", "port"),
            ("http://a b", "not a URL"),
        ] {
            let error = Url::parse(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
