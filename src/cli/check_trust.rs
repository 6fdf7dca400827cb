//! What `check` says of `CA_FILE`: which certificates in it are trusted for what.

use crate::config::Config;
use crate::net::proxy::Proxies;
use crate::net::tls::{OwnCertificate, OwnCertificates};
use crate::net::url::Url;

/// Most certificates of a kind that are named; a bundle has more than a hundred.
const MAX_NAMED: usize = 4;

/// What the certificates of `CA_FILE` count for at this second since 1970. An error if one of them
/// counts for nothing, `None` if there are none.
pub fn trust(config: &Config, now: u64) -> Option<Result<String, String>> {
    let places = places(&config.rancher.url, &config.proxies);
    let certificates = &config.certificates;
    certificates.iter().next()?;
    Some(describe(certificates, &places, now))
}

/// Where a certificate of `CA_FILE` is trusted as itself.
fn places(rancher: &Url, proxies: &Proxies) -> Vec<String> {
    let rancher = (rancher.scheme() == "https").then(|| rancher.host().to_owned());
    let proxies = [&proxies.https, &proxies.http].into_iter().flatten();
    let proxies = proxies.filter(|proxy| proxy.scheme() == "https");
    let mut places: Vec<String> = rancher
        .into_iter()
        .chain(proxies.map(|proxy| proxy.host().to_owned()))
        .collect();
    places.dedup();
    places
}

fn describe(certificates: &OwnCertificates, places: &[String], now: u64) -> Result<String, String> {
    let (mut authorities, mut as_themselves, mut useless) = (Vec::new(), Vec::new(), Vec::new());
    for certificate in certificates.iter() {
        let name = format!("'{}'", certificate.name());
        match certificate.no_authority() {
            _ if !certificate.is_valid_at(now) => useless.push(format!(
                "{name} isn't valid now, by the clock of this host, and counts for nothing: put its \
                 present certificate there"
            )),
            None => authorities.push(name),
            Some(why) if is_useful(certificate, places) => {
                as_themselves.push(format!("{name} ({why})"));
            }
            Some(why) => useless.push(format!(
                "{name} is no authority ({why}) and counts for nothing, since {}: put the \
                 certificate of the authority that signs the servers' there",
                match certificate.may_be_a_server() {
                    true => "neither CATTLE_URL nor a proxy begins with https://",
                    false => "it can't be a server's either",
                }
            )),
        }
    }
    let mut words = Vec::new();
    if !authorities.is_empty() {
        let trusted = listed(&authorities);
        words.push(format!("trusted as authorities, at every host: {trusted}"));
    }
    if !as_themselves.is_empty() {
        words.push(format!(
            "trusted only as themselves, at {}, being no authorities: {}",
            places.join(" and "),
            listed(&as_themselves)
        ));
    }
    let is_good = useless.is_empty();
    if !is_good {
        words.push(listed(&useless));
    }
    let words = format!("in CA_FILE: {}", words.join("; "));
    if is_good { Ok(words) } else { Err(words) }
}

fn is_useful(certificate: &OwnCertificate, places: &[String]) -> bool {
    certificate.may_be_a_server() && !places.is_empty()
}

fn listed(items: &[String]) -> String {
    let shown = &items[..items.len().min(MAX_NAMED)];
    let shown = shown.join(", ");
    match items.len().saturating_sub(MAX_NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::proxy::Proxy;
    use crate::net::tls::certificates;
    use sim::tls::Authority;
    use sim::tls::rcgen::{
        CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, date_time_ymd,
    };

    const NOW: u64 = 1_800_000_000;

    fn file(pems: &[&Authority]) -> OwnCertificates {
        let pem: String = pems.iter().map(|authority| authority.pem()).collect();
        certificates(pem.as_bytes()).unwrap().into_iter().collect()
    }

    fn named(name: &'static str) -> impl Fn(&mut CertificateParams) {
        move |params| params.distinguished_name.push(DnType::CommonName, name)
    }

    fn server() -> Authority {
        Authority::unlike(&[], |params| {
            named("rancher")(params);
            params.is_ca = IsCa::ExplicitNoCa;
        })
    }

    #[test]
    fn each_certificate_is_said_to_count_for_what_it_does() {
        let places = ["rancher.example.com".to_owned(), "proxy".to_owned()];
        let authority = Authority::unlike(&[], named("Company"));
        assert_eq!(
            describe(&file(&[&authority, &server()]), &places, NOW),
            Ok(
                "in CA_FILE: trusted as authorities, at every host: 'Company'; trusted only as \
                 themselves, at rancher.example.com and proxy, being no authorities: 'rancher' (its \
                 basicConstraints don't have CA:TRUE)"
                    .to_owned()
            )
        );
        let expired = Authority::unlike(&[], |params| {
            named("Old")(params);
            params.not_after = date_time_ymd(2020, 1, 1);
        });
        let clients = Authority::unlike(&[], |params| {
            named("For clients")(params);
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        });
        for (certificate, places, words) in [
            (
                expired,
                &places[..],
                "in CA_FILE: 'Old' isn't valid now, by the clock of this host, and counts for \
                 nothing: put its present certificate there",
            ),
            (
                clients,
                &places,
                "in CA_FILE: 'For clients' is no authority (its extendedKeyUsage doesn't have \
                 serverAuth) and counts for nothing, since it can't be a server's either: put the \
                 certificate of the authority that signs the servers' there",
            ),
            (
                server(),
                &[],
                "in CA_FILE: 'rancher' is no authority (its basicConstraints don't have CA:TRUE) \
                 and counts for nothing, since neither CATTLE_URL nor a proxy begins with \
                 https://: put the certificate of the authority that signs the servers' there",
            ),
        ] {
            let said = describe(&file(&[&certificate]), places, NOW);
            assert_eq!(said, Err(words.to_owned()));
        }
    }

    #[test]
    fn a_bundle_is_not_listed_whole() {
        let many: Vec<Authority> = (0..6).map(|_| Authority::new()).collect();
        let many: Vec<&Authority> = many.iter().collect();
        let said = describe(&file(&many), &[], NOW).unwrap();
        assert!(said.ends_with("'Simulated Authority' and 2 more"), "{said}");
    }

    #[test]
    fn only_places_with_tls_count() {
        let proxies = |text: &str| Proxies {
            https: Proxy::parse("HTTPS_PROXY", text).ok(),
            ..Proxies::default()
        };
        for (rancher, proxy, expected) in [
            ("https://rancher:8443/v1", "http://proxy", &["rancher"][..]),
            ("http://rancher", "https://proxy:8443", &["proxy"]),
            ("https://rancher", "https://rancher:3129", &["rancher"]),
            ("http://rancher", "proxy:3128", &[]),
        ] {
            let rancher = Url::parse(rancher).unwrap();
            assert_eq!(places(&rancher, &proxies(proxy)), expected);
        }
    }
}
