//! Who is trusted for what: a certificate of CA_FILE that is no authority counts only as itself, at the
//! host of CATTLE_URL and at a proxy, and AWS's servers take an authority.

use std::io::Write;
use std::net::SocketAddr;

use crate::proxies::with;
use crate::stage::{PATIENCE, Stage, each, program, web};
use sim::credentials::{Container, Issuer, Sts, StsOptions};
use sim::proxy::Proxy;
use sim::service::Service;
use sim::tls::rcgen::{CertificateParams, IsCa, KeyUsagePurpose};
use sim::tls::{Authority, Front};
use tempfile::NamedTempFile;

fn address(url: &str) -> SocketAddr {
    let authority = url.trim_start_matches("http://");
    authority.split('/').next().unwrap().parse().unwrap()
}

fn file(pems: &[&str]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(pems.concat().as_bytes()).unwrap();
    file
}

/// As Rancher's own certificate is often made.
fn not_ca(params: &mut CertificateParams) {
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages.clear();
}

fn without_cert_sign(params: &mut CertificateParams) {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
}

/// The servers of a stage; each can be put behind TLS.
struct Servers {
    stage: Stage,
    sts: Sts,
}

/// A server and the beginning of its line in what `check` prints.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Server {
    Rancher,
    Metadata,
    Route53,
    Sts,
}
use Server::{Metadata, Rancher, Route53};

impl Servers {
    fn new() -> Servers {
        Servers {
            stage: Stage::new(web()),
            sts: Sts::start(StsOptions::default(), &Issuer::new(None)),
        }
    }

    fn address(&self, server: Server) -> SocketAddr {
        match server {
            Rancher => address(&self.stage.rancher.api_url()),
            Metadata => address(&self.stage.rancher.metadata_url()),
            Route53 => address(&self.stage.route53.url()),
            Server::Sts => address(&self.sts.endpoint.url()),
        }
    }

    /// What `check` says with these servers at these `https` URLs.
    fn check(&self, urls: &[(Server, String)], ca: &NamedTempFile) -> String {
        let sts = self.sts.endpoint.url();
        let mut settings = vec![
            ("AWS_ENDPOINT_URL_STS", sts),
            ("CA_FILE", ca.path().display().to_string()),
            ("ROUTE53_MAX_RETRIES", "0".to_owned()),
        ];
        for (server, url) in urls {
            let setting = match server {
                Rancher => ("CATTLE_URL", format!("{url}/v2-beta")),
                Metadata => ("METADATA_URL", format!("{url}/2015-12-19")),
                Route53 => ("AWS_ENDPOINT_URL_ROUTE_53", url.clone()),
                Server::Sts => ("AWS_ENDPOINT_URL_STS", url.clone()),
            };
            settings.retain(|(name, _)| *name != setting.0);
            settings.push(setting);
        }
        let settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let service = self.stage.run_with(&["check"], &settings);
        service.wait(PATIENCE).expect("its end");
        service.stdout()
    }

    /// Whether `check` was content with a server.
    fn is_reached(said: &str, server: Server) -> bool {
        let (good, bad) = match server {
            Rancher => ("✓ rancher ", "✗ rancher "),
            Metadata => ("✓ metadata ", "✗ metadata "),
            Route53 => ("✓ zone ", "✗ zone "),
            Server::Sts => ("arn:aws:iam", "whose it is isn't known: "),
        };
        let (good, bad) = (said.contains(good), said.contains(bad));
        assert!(good != bad, "{server:?}: {said}");
        good
    }
}

fn at(host: &str, front: &Front) -> String {
    format!("https://{host}:{}", front.address().port())
}

/// What the issue is about: whoever has the key of Rancher's server could have been Route 53.
#[test]
fn a_servers_own_certificate_is_good_for_the_host_of_cattle_url_and_for_nothing_else() {
    let names = ["localhost", "127.0.0.1"];
    each(
        [not_ca as fn(&mut CertificateParams), without_cert_sign],
        |change| {
            let servers = Servers::new();
            let own = Authority::unlike(&names, change);
            let ca = file(&[own.pem()]);
            let itself = |server| own.front_as_itself(servers.address(server));
            let signed = |server| own.front(servers.address(server), &names);

            // As itself: Rancher alone, even if AWS's servers are at the same host.
            let fronts = [Rancher, Route53, Server::Sts].map(|server| (server, itself(server)));
            let urls = fronts
                .each_ref()
                .map(|(s, front)| (*s, at("localhost", front)));
            let said = servers.check(&urls, &ca);
            assert!(Servers::is_reached(&said, Rancher), "{said}");
            assert!(!Servers::is_reached(&said, Route53), "{said}");
            assert!(!Servers::is_reached(&said, Server::Sts), "{said}");
            assert!(
                said.contains("stands in CA_FILE but is no authority (its "),
                "{said}"
            );
            let trusted = "✓ trust       in CA_FILE: trusted only as themselves, at localhost, being \
                           no authorities: 'Simulated Authority' (its ";
            assert!(said.contains(trusted), "{said}");

            // As an authority: nowhere.
            let fronts = [Rancher, Route53, Server::Sts].map(|server| (server, signed(server)));
            let urls = fronts
                .each_ref()
                .map(|(s, front)| (*s, at("localhost", front)));
            let said = servers.check(&urls, &ca);
            for server in [Rancher, Route53, Server::Sts] {
                assert!(!Servers::is_reached(&said, server), "{said}");
            }
            let why = "is signed by 'Simulated Authority', which is no authority (its ";
            assert!(said.contains(why), "{said}");

            // Metadata counts as Rancher only at the same host.
            for (host, is_reached) in [("localhost", true), ("127.0.0.1", false)] {
                let rancher = itself(Rancher);
                let metadata = itself(Metadata);
                let said = servers.check(
                    &[
                        (Rancher, at("LOCALHOST", &rancher)),
                        (Metadata, at(host, &metadata)),
                    ],
                    &ca,
                );
                assert_eq!(Servers::is_reached(&said, Metadata), is_reached, "{said}");
                assert!(Servers::is_reached(&said, Rancher), "{said}");
            }
        },
    );
}

#[test]
fn an_authority_in_ca_file_is_one_for_every_server() {
    let servers = Servers::new();
    let own = Authority::unlike(&["localhost"], not_ca);
    let authority = Authority::new();
    let ca = file(&[own.pem(), authority.pem()]);
    let all = [Rancher, Metadata, Route53, Server::Sts];
    let fronts = all.map(|server| {
        let address = servers.address(server);
        (server, authority.front(address, &["127.0.0.1"]))
    });
    let urls = fronts
        .each_ref()
        .map(|(s, front)| (*s, at("127.0.0.1", front)));
    let said = servers.check(&urls, &ca);
    for server in all {
        assert!(Servers::is_reached(&said, server), "{said}");
    }
    // Rancher's own certificate beside it is still good for Rancher, and only there.
    let fronts = all.map(|server| (server, own.front_as_itself(servers.address(server))));
    let urls = fronts
        .each_ref()
        .map(|(s, front)| (*s, at("localhost", front)));
    let said = servers.check(&urls, &ca);
    let reached = all.map(|server| Servers::is_reached(&said, server));
    assert_eq!(reached, [true, true, false, false], "{said}");
}

/// Also if the authority that signed it is trusted, which says whose it is.
#[test]
fn a_certificate_in_ca_file_that_an_authority_signed_keeps_its_names() {
    let servers = Servers::new();
    let authority = Authority::new();
    for names in [&["rancher.example.com"][..], &[]] {
        for with_authority in [true, false] {
            let fronts = [Rancher, Route53].map(|server| {
                let address = servers.address(server);
                (server, authority.front(address, names))
            });
            let mut pems: Vec<&str> = fronts.iter().map(|(_, f)| f.certificate_pem()).collect();
            if with_authority {
                pems.push(authority.pem());
            }
            let urls = fronts
                .each_ref()
                .map(|(s, front)| (*s, at("localhost", front)));
            let said = servers.check(&urls, &file(&pems));
            assert!(!Servers::is_reached(&said, Route53), "{said}");
            // Old certificates have only a common name, which says nothing.
            assert_eq!(
                Servers::is_reached(&said, Rancher),
                names.is_empty(),
                "{said}"
            );
        }
    }
}

#[test]
fn a_proxys_own_certificate_is_good_for_the_proxy_and_not_for_what_is_behind_it() {
    let servers = Servers::new();
    let own = Authority::unlike(&[], not_ca);
    let behind = own.front_as_itself(servers.address(Route53));
    let target = "route53.example.org:443";
    let proxy = Proxy::start(&[(target, behind.address())]);
    let front = own.front_as_itself(proxy.address());
    let ca = file(&[own.pem()]);
    let settings = servers.stage.environment();
    let settings = with(settings, "CA_FILE", &ca.path().display().to_string());
    let settings = with(settings, "ROUTE53_MAX_RETRIES", "0");
    let settings = with(
        settings,
        "AWS_ENDPOINT_URL_ROUTE_53",
        &format!("https://{target}"),
    );
    let settings = with(settings, "HTTPS_PROXY", &at("localhost", &front));
    let settings = with(
        settings,
        "AWS_ENDPOINT_URL_STS",
        &servers.sts.endpoint.url(),
    );
    let service = Service::spawn(program(), &["check"], &settings);
    service.wait(PATIENCE).expect("its end");
    let said = service.stdout();
    assert_eq!(proxy.asked().len(), 1, "the proxy is trusted: {said}");
    assert!(!Servers::is_reached(&said, Route53), "{said}");
    let why = "TLS with route53.example.org failed: its certificate 'Simulated Authority' stands in \
               CA_FILE but is no authority (its basicConstraints don't have CA:TRUE), so it is \
               trusted only at the host of CATTLE_URL and at a proxy, not at route53.example.org";
    assert!(said.contains(why), "{said}");
}

/// The endpoint is this host's or a sidecar's, but what it gives out are AWS's credentials.
#[test]
fn an_endpoint_of_containers_for_credentials_needs_an_authority_too() {
    let servers = Servers::new();
    let issuer = Issuer::new(Some(servers.stage.route53.keyring()));
    let container = Container::start("t0ken", &issuer);
    let own = Authority::unlike(&["localhost"], not_ca);
    let authority = Authority::new();
    let ca = file(&[own.pem(), authority.pem()]);
    let path = container.url();
    let path = path.trim_start_matches("http://");
    let path = &path[path.find('/').unwrap_or(path.len())..];
    let rancher = own.front_as_itself(servers.address(Rancher));
    let target = address(&container.url());
    for (front, is_good) in [
        (own.front_as_itself(target), false),
        (authority.front(target, &["localhost"]), true),
    ] {
        let mut settings = servers.stage.environment();
        settings
            .retain(|(name, _)| !name.starts_with("AWS_ACCESS") && !name.contains("SECRET_ACCESS"));
        let url = format!("{}{path}", at("localhost", &front));
        for (name, value) in [
            (
                "CATTLE_URL",
                format!("{}/v2-beta", at("localhost", &rancher)),
            ),
            ("CA_FILE", ca.path().display().to_string()),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "t0ken".to_owned()),
            ("AWS_ENDPOINT_URL_STS", servers.sts.endpoint.url()),
        ] {
            settings = with(settings, name, &value);
        }
        let service = Service::spawn(program(), &["check"], &settings);
        service.wait(PATIENCE).expect("its end");
        let said = service.stdout();
        assert!(Servers::is_reached(&said, Rancher), "{said}");
        assert_eq!(said.contains(", from container: "), is_good, "{said}");
        let why = "stands in CA_FILE but is no authority";
        assert_eq!(said.contains(why), !is_good, "{said}");
    }
}
