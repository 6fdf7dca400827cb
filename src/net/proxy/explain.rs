//! Explains to the operator what went wrong at a proxy. The texts name the proxy and the variable
//! that sets it.

use ureq::http::HeaderMap;

use super::Proxy;
use super::connector::{ProxyError, Refusal};

/// What to do about a proxy that doesn't work.
const CHECK: &str = " – check this setting, and whether the proxy runs";

impl Proxy {
    /// Explains why there is no connection through this proxy. `words` describes an error of
    /// connecting to the proxy itself.
    pub fn explain(&self, error: &ProxyError, words: impl Fn(&ureq::Error) -> String) -> String {
        match error {
            ProxyError::Unreachable(error) => self.unreachable(&words(error)),
            ProxyError::Silent => format!("the proxy {self} doesn't answer in time{CHECK}"),
            ProxyError::Broken(what) => {
                format!("the proxy {self} gives no proper answer: {what}{CHECK}")
            }
            ProxyError::Refused { target, refusal } => self.refuses(target, refusal),
        }
    }

    /// Says that the proxy itself can't be reached, and why.
    pub fn unreachable(&self, why: &str) -> String {
        format!("the proxy {self} can't be reached: {why}{CHECK}")
    }

    /// Explains an answer to a request in absolute form, if it is the proxy's own and not the
    /// target's. `target` is the target's host and port.
    pub fn own_answer(&self, target: &str, status: u16, headers: &HeaderMap) -> Option<String> {
        let texts = headers.iter().filter_map(|(name, value)| {
            let value = value.to_str().ok()?;
            Some((name.as_str(), value))
        });
        // RFC 9209: a proxy that made the answer itself says so with `error`. Others in front of the
        // target may send the header as well.
        let proxy_status = headers.get("proxy-status").and_then(|v| v.to_str().ok());
        let is_named = headers.contains_key("x-squid-error")
            || proxy_status.is_some_and(|status| status.contains("error="));
        let is_of_proxy = is_named && status >= 400 && !matches!(status, 401 | 404);
        if status == 407 || is_of_proxy {
            return Some(self.refuses(target, &Refusal::new(status, texts)));
        }
        // AWS and Rancher's API don't answer these statuses with HTML. A 404 with HTML could be from
        // either.
        let kind = headers.get("content-type")?.to_str().ok()?;
        let is_page = kind.to_ascii_lowercase().starts_with("text/html");
        (is_page && matches!(status, 403 | 502..=504)).then(|| {
            format!(
                "the proxy {self}, or something behind it, answers {status} for {target} with a \
                 page of its own"
            )
        })
    }

    fn refuses(&self, target: &str, refusal: &Refusal) -> String {
        let variable = self.variable();
        let Refusal {
            status,
            name,
            unknown_schemes,
        } = refusal;
        if *status == 407 && !unknown_schemes.is_empty() {
            return format!(
                "the proxy {self} wants credentials by {unknown_schemes}, and only Basic can be \
                 used here: it has to allow that"
            );
        }
        if *status == 407 && self.has_credentials() {
            return format!(
                "the proxy {self} refuses the user name and password in {variable}: correct them; \
                 signs such as @ : / # % in them have to be percent-encoded"
            );
        }
        if *status == 407 {
            return format!(
                "the proxy {self} wants credentials: put them into {variable} as \
                 {}://user:password@host:port",
                self.scheme()
            );
        }
        let name = match name.as_str() {
            "" => String::new(),
            name => format!(" ({name})"),
        };
        let hint = match status {
            403 => ": its rules have to allow that",
            405 | 501 => ": it has to allow CONNECT",
            502..=504 => ": it can't reach it",
            _ => "",
        };
        format!("the proxy {self} answers {status}{name} instead of connecting to {target}{hint}")
    }
}
