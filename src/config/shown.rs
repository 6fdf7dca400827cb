//! Makes wrong values of settings safe to show: without what may be a secret. Pure.

/// Hides the user name and password of a URL, so that an error can show the rest, also where the
/// scheme is missing.
fn without_user(text: &str) -> String {
    let Some(at) = text.rfind('@') else {
        return text.to_owned();
    };
    let start = text.find("://").map(|scheme| scheme + "://".len());
    let start = start.filter(|start| *start <= at).unwrap_or(0);
    format!("{}…{}", &text[..start], &text[at..])
}

/// A value that should be no URL: what may be a secret is hidden, should it be one all the same.
pub fn shown_value(text: &str) -> String {
    match text.contains("://") {
        true => shown_url(text),
        false => without_user(text),
    }
}

/// Hides what may be a secret in a URL, however broken it is: a user, a query, and what stands where a
/// port should be, since it may be a password whose host was forgotten.
pub fn shown_url(text: &str) -> String {
    let start = text.find("://").map_or(0, |scheme| scheme + "://".len());
    let (scheme, rest) = text.split_at(start);
    match (rest.find(['?', '#']), rest.rfind('@')) {
        // The @ may end a password with a ? in it, or be part of the query.
        (Some(query), Some(at)) if query < at => format!("{scheme}…"),
        (Some(query), _) => without_user(&format!("{scheme}{}…", &rest[..=query])),
        (None, Some(_)) => without_user(text),
        (None, None) => {
            let end = rest.find('/').unwrap_or(rest.len());
            // The colons of an IPv6 address are none of a port.
            let address = rest.find(']').filter(|bracket| *bracket < end).unwrap_or(0);
            let colon = rest[address..end].find(':').map(|colon| address + colon);
            match colon.map(|colon| rest.split_at(colon + 1)) {
                Some((host, port))
                    if !port[..end - host.len()].bytes().all(|b| b.is_ascii_digit()) =>
                {
                    format!("{scheme}{host}…")
                }
                _ => text.to_owned(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::reader::Reader;
    use crate::config::settings::SETTINGS;
    use crate::config::tests::lookup;
    use crate::config::{Config, arguments};

    #[test]
    fn a_url_is_shown_without_what_may_be_secret() {
        for (text, expected) in [
            ("http://rancher:8080/v1", "http://rancher:8080/v1"),
            ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
            ("http://[::1", "http://[:…"),
            ("ftp://rancher", "ftp://rancher"),
            ("rancher", "rancher"),
            ("http://user:pass@rancher/v1", "http://…@rancher/v1"),
            ("http://user:pass@rancher/v1?a=b", "http://…@rancher/v1?…"),
            ("http://rancher/v1#a", "http://rancher/v1#…"),
            ("http://user:pass?1@rancher", "http://…"),
            ("http://user:pass", "http://user:…"),
            ("user:pass:80/x", "user:…"),
            ("http://user:pass%40rancher:80", "http://user:…"),
        ] {
            assert_eq!(shown_url(text), expected, "{text}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_not_shown_however_broken_the_url_is() {
        for url in [
            "user:hunter2@rancher:8080",
            "http:/user:hunter2@rancher",
            "http://user:hunter2@rancher/v1",
            "http://user:hunter2@@rancher",
            "//user:hunter2@rancher",
            "ftp://user:hunter2@rancher",
            "http://user:hunter2",
            "user:hunter2",
            "http://rancher/?password=hunter2",
            "http://rancher/v1?token=a@hunter2",
            "http://rancher/#hunter2",
            "http://rancher:hunter2@80/v1",
            "http://user:hunter2%40rancher:8080",
            "http://user:a/hunter2@rancher",
        ] {
            let variable = |name: &str| (name == "CATTLE_URL").then(|| Ok(url.to_owned()));
            let mut reader = Reader::new(&variable);
            reader.required_url("CATTLE_URL", "a URL");
            let problems = reader.problems.join("\n");
            assert!(problems.contains("CATTLE_URL="), "{problems}");
            assert!(!problems.contains("hunter2"), "{problems}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_not_shown_whatever_setting_it_is_given_to() {
        for url in [
            "http://user:hunter2@rancher/v1",
            "http://user:hunter2",
            "https://rancher/?password=hunter2",
            "http://rancher/#hunter2",
            "user:hunter2@rancher",
        ] {
            for setting in SETTINGS {
                let names = [setting.name]
                    .into_iter()
                    .chain(setting.aliases.iter().copied());
                for name in names
                    .map(str::to_owned)
                    .chain([format!("{}_FILE", setting.name)])
                {
                    let settings = [(&*name, url), ("ROUTE53_ASSUME_ROLE_ARN", "x")];
                    let variable = lookup(&settings);
                    let arguments = arguments::parse([]).unwrap();
                    let error = Config::read(&variable, &arguments).map(drop).unwrap_err();
                    let said = error.0.join("\n");
                    assert!(!said.contains("hunter2"), "{name}={url}: {said}");
                    let mut reader = Reader::new(&variable);
                    reader.no_proxy("NO_PROXY");
                    let doubts = reader.doubts.join("\n");
                    assert!(!doubts.contains("hunter2"), "{name}={url}: {doubts}");
                }
            }
        }
    }
}
