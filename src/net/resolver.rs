//! Host → addresses: the system's answer, remembered for a while.
//!
//! ureq asks for a host's addresses at each request, also if it has a connection to it, and starts
//! a thread for that. A listing of ten thousand record sets would be some seventy threads and, as
//! nothing on the host has to cache answers, as many DNS queries.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::http::uri::{Authority, Scheme};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Asks another one, and remembers the last answer: requests come in series to one host.
#[derive(Debug)]
pub struct Remembering<R> {
    inner: R,
    keep: Duration,
    last: Mutex<Option<Answer>>,
}

#[derive(Debug)]
struct Answer {
    scheme: Option<Scheme>,
    authority: Option<Authority>,
    addresses: ResolvedSocketAddrs,
    until: Instant,
}

impl<R> Remembering<R> {
    /// Asks this one again after so long.
    pub fn new(inner: R, keep: Duration) -> Remembering<R> {
        let last = Mutex::default();
        Remembering { inner, keep, last }
    }
}

impl<R: Resolver> Resolver for Remembering<R> {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let now = Instant::now();
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_of = |answer: &&Answer| {
            answer.until > now
                && answer.scheme.as_ref() == uri.scheme()
                && answer.authority.as_ref() == uri.authority()
        };
        if let Some(answer) = last().as_ref().filter(is_of) {
            return Ok(answer.addresses.clone());
        }
        let addresses = self.inner.resolve(uri, config, timeout)?;
        *last() = Some(Answer {
            scheme: uri.scheme().cloned(),
            authority: uri.authority().cloned(),
            addresses: addresses.clone(),
            until: now + self.keep,
        });
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};
    use std::sync::atomic::{AtomicU8, Ordering};

    use ureq::unversioned::transport::time;

    use super::*;

    /// Each time it is asked, the host has moved; the first time it isn't known.
    #[derive(Debug, Default)]
    struct Moving(AtomicU8);

    impl Resolver for Moving {
        fn resolve(
            &self,
            _: &Uri,
            _: &Config,
            _: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, Error> {
            match self.0.fetch_add(1, Ordering::Relaxed) {
                0 => Err(Error::HostNotFound),
                asked => {
                    let mut addresses = self.empty();
                    addresses.push((Ipv4Addr::new(192, 0, 2, asked), 443).into());
                    Ok(addresses)
                }
            }
        }
    }

    fn ask(resolver: &Remembering<Moving>, uri: &str) -> Option<u8> {
        let timeout = NextTimeout {
            after: time::Duration::NotHappening,
            reason: ureq::Timeout::Resolve,
            ..NextTimeout::default()
        };
        let uri = uri.parse().expect("a URI");
        let addresses = resolver.resolve(&uri, &Config::default(), timeout).ok()?;
        match addresses[0] {
            SocketAddr::V4(address) => Some(address.ip().octets()[3]),
            SocketAddr::V6(_) => panic!("{addresses:?}"),
        }
    }

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn an_answer_is_good_for_all_requests_to_its_host() {
        let resolver = Remembering::new(Moving::default(), LONG);
        assert_eq!(ask(&resolver, "https://a.example/1"), None);
        assert_eq!(ask(&resolver, "https://a.example/1"), Some(1));
        assert_eq!(ask(&resolver, "https://a.example/2?more"), Some(1));
    }

    #[test]
    fn another_host_port_or_scheme_is_asked_for() {
        let resolver = Remembering::new(Moving(1.into()), LONG);
        assert_eq!(ask(&resolver, "https://a.example/"), Some(1));
        assert_eq!(ask(&resolver, "https://b.example/"), Some(2));
        assert_eq!(ask(&resolver, "https://b.example:444/"), Some(3));
        assert_eq!(ask(&resolver, "http://b.example:444/"), Some(4));
        assert_eq!(ask(&resolver, "https://a.example/"), Some(5));
    }

    #[test]
    fn it_is_asked_again_when_the_time_is_up() {
        let resolver = Remembering::new(Moving(1.into()), Duration::ZERO);
        assert_eq!(ask(&resolver, "https://a.example/"), Some(1));
        assert_eq!(ask(&resolver, "https://a.example/"), Some(2));
    }
}
