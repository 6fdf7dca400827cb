//! The settings `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`: which requests go through
//! which proxy.

use super::reader::Reader;
use crate::net::proxy::Proxies;

/// Reads these settings. Errors are left in the reader.
pub fn read(reader: &mut Reader<'_>) -> Proxies {
    let https = reader.proxy("HTTPS_PROXY");
    let http = reader.proxy("HTTP_PROXY");
    let known = reader.problems.len();
    let any = reader.proxy("ALL_PROXY");
    if https.is_some() && http.is_some() {
        // An `ALL_PROXY` that no request goes through must not stop the program, even if it is
        // wrong: Docker's proxy configuration puts it into every container, often for SOCKS.
        let unused = reader.problems.split_off(known);
        let unused = unused
            .into_iter()
            .map(|line| format!("{line}; nothing goes through it"));
        reader.doubts.extend(unused);
    }
    let except = reader.no_proxy("NO_PROXY");
    Proxies {
        https: https.or_else(|| any.clone()),
        http: http.or(any),
        except,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::lookup;

    /// The proxies for https and http, the errors, and the possible errors.
    fn read_from(environment: &[(&str, &str)]) -> (Vec<String>, Vec<String>, Vec<String>) {
        let variable = lookup(environment);
        let mut reader = Reader::new(&variable);
        let proxies = read(&mut reader);
        let found = [&proxies.https, &proxies.http].map(|proxy| match proxy {
            Some(proxy) => proxy.to_string(),
            None => "none".to_owned(),
        });
        (found.to_vec(), reader.problems, reader.doubts)
    }

    #[test]
    fn each_scheme_has_its_own_proxy_and_all_proxy_is_for_those_without() {
        let (https, http, all) = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY");
        for (environment, expected) in [
            (&[][..], ["none", "none"]),
            (&[(https, "a:1")], ["http://a:1 (HTTPS_PROXY)", "none"]),
            (&[(http, "a:1")], ["none", "http://a:1 (HTTP_PROXY)"]),
            (
                &[(all, "a:1")],
                ["http://a:1 (ALL_PROXY)", "http://a:1 (ALL_PROXY)"],
            ),
            (
                &[("all_proxy", "a:1"), ("http_proxy", "b:2")],
                ["http://a:1 (all_proxy)", "http://b:2 (http_proxy)"],
            ),
            (
                &[
                    (https, " \n"),
                    ("https_proxy", "\tb:2 \r\n"),
                    (http, "https://c:3/"),
                ],
                ["http://b:2 (https_proxy)", "https://c:3 (HTTP_PROXY)"],
            ),
            (
                &[
                    (https, "a:1"),
                    ("https_proxy", "b:2"),
                    (http, "c"),
                    (all, "d:4"),
                ],
                ["http://a:1 (HTTPS_PROXY)", "http://c:80 (HTTP_PROXY)"],
            ),
        ] {
            let (found, problems, doubts) = read_from(environment);
            assert_eq!(found, expected, "{environment:?}");
            assert!(
                problems.is_empty() && doubts.is_empty(),
                "{problems:?} {doubts:?}"
            );
        }
    }

    #[test]
    fn a_wrong_one_through_which_nothing_goes_is_only_a_doubt() {
        let socks = ("ALL_PROXY", "socks5://user:hunter2@proxy:1080");
        let (_, problems, doubts) = read_from(&[socks, ("HTTPS_PROXY", "a"), ("HTTP_PROXY", "b")]);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(doubts.len(), 1);
        assert!(
            doubts[0].starts_with("ALL_PROXY=\"socks5://***@proxy:1080\": "),
            "{doubts:?}"
        );
        for others in [
            &[][..],
            &[("HTTPS_PROXY", "a")],
            &[("HTTPS_PROXY", "a"), ("HTTP_PROXY", "!")],
        ] {
            let (_, problems, _) = read_from(&[&[socks], others].concat());
            let ours = problems
                .iter()
                .filter(|line| line.starts_with("ALL_PROXY="));
            assert_eq!(ours.count(), 1, "{problems:?}");
        }
    }

    #[test]
    fn a_proxy_with_a_password_can_be_in_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "http://dns:hunter2@proxy:3128\n").unwrap();
        let path = file.path().to_str().unwrap();
        let (found, problems, _) = read_from(&[("HTTPS_PROXY_FILE", path)]);
        assert_eq!(
            found,
            ["http://***@proxy:3128 (HTTPS_PROXY_FILE)", "none"],
            "{problems:?}"
        );
    }
}
