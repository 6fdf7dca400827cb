//! TLS in front of a simulated server, with a certificate that no public root has signed: what
//! an operator has who runs Rancher with a private authority.
//!
//! Bytes go through as they are, so a target's faults (cut answers, dropped connections) are
//! the client's to see, and a target that goes down or comes back does so behind the front, too.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::thread;

/// For tests that change what certificates say.
pub use rcgen;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection};

use crate::free_port;
use crate::listening::Listening;
use crate::lock::lock;

/// A private certificate authority, made anew each time.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
    pem: String,
    /// What signed this one's certificate; nothing if it did that itself.
    above: Vec<Certificate>,
}

impl Authority {
    #[expect(clippy::new_without_default, reason = "each one is another authority")]
    pub fn new() -> Authority {
        Authority::unlike(&[], |_| {})
    }

    /// One whose certificate has these names, and differs from that of an authority by this change.
    /// It signs whatever it is asked to, also if the certificate then says that it may not.
    pub fn unlike(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Authority {
        Authority::make(names, change, None)
    }

    /// The same, signed by this one.
    pub fn below(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Authority {
        Authority::make(names, change, Some(self))
    }

    fn make(
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
        by: Option<&Authority>,
    ) -> Authority {
        let key = KeyPair::generate().expect("a key");
        let common_name = match by {
            Some(_) => "Simulated Intermediate",
            None => "Simulated Authority",
        };
        let mut params = named(common_name, names);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        change(&mut params);
        let certificate = match by {
            Some(by) => params.signed_by(&key, &by.issuer),
            None => params.self_signed(&key),
        };
        let certificate = certificate.expect("a certificate");
        let mut above = Vec::new();
        if let Some(by) = by {
            above.push(by.certificate.clone());
            above.extend(by.above.iter().cloned());
        }
        Authority {
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
            certificate,
            above,
        }
    }

    /// Its certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// A certificate of this authority for these names (or addresses), and with this change.
    pub fn certify(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Certificate {
        let key = KeyPair::generate().expect("a key");
        let mut params = named("Simulated Server", names);
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer);
        certificate.expect("a certificate")
    }

    /// A front that has this authority's own certificate as a server's.
    pub fn front_as_itself(&self, target: SocketAddr) -> Front {
        let (key, pem) = (self.issuer.key(), self.pem.clone());
        Front::listen(
            free_port::listen(),
            target,
            &["localhost"],
            &[&self.certificate],
            key,
            pem,
        )
    }

    /// What a client must trust.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A front with a certificate of this authority for these names (or addresses).
    pub fn front(&self, target: SocketAddr, names: &[&str]) -> Front {
        self.sign(
            free_port::listen(),
            target,
            names,
            named("Simulated Server", names),
        )
    }

    /// The same at this address, not on a free loopback port.
    pub fn front_at(&self, address: SocketAddr, target: SocketAddr, names: &[&str]) -> Front {
        let listener = TcpListener::bind(address).expect("an address that is free");
        self.sign(listener, target, names, named("Simulated Server", names))
    }

    /// A front with a certificate that is valid from the beginning of one year to that of another.
    pub fn front_valid(&self, target: SocketAddr, names: &[&str], years: Range<i32>) -> Front {
        let mut params = named("Simulated Server", names);
        params.not_before = date_time_ymd(years.start, 1, 1);
        params.not_after = date_time_ymd(years.end, 1, 1);
        self.sign(free_port::listen(), target, names, params)
    }

    fn sign(
        &self,
        listener: TcpListener,
        target: SocketAddr,
        names: &[&str],
        params: CertificateParams,
    ) -> Front {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer);
        let certificate = certificate.expect("a certificate");
        // Its own certificate goes along only if that isn't a root's, as servers do.
        let mut chain = vec![&certificate];
        if !self.above.is_empty() {
            chain.push(&self.certificate);
            chain.extend(&self.above[..self.above.len() - 1]);
        }
        Front::listen(listener, target, names, &chain, &key, self.pem.clone())
    }
}

/// A running front. Dropping it closes it and every connection.
pub struct Front {
    listening: Listening,
    name: String,
    certificate_pem: String,
    ca_pem: String,
}

impl Front {
    /// With a certificate for these names (or addresses) of an authority of its own.
    pub fn start(target: SocketAddr, names: &[&str]) -> Front {
        Authority::new().front(target, names)
    }

    /// With a certificate that is its own authority, as `openssl req -x509` makes one: the
    /// clients are given the server's certificate itself, and it says that it is an authority.
    pub fn start_self_signed(target: SocketAddr, names: &[&str]) -> Front {
        let kind = IsCa::Ca(BasicConstraints::Unconstrained);
        Front::self_signed(target, names, kind)
    }

    /// The same, but with a certificate that says that it is no authority.
    pub fn start_self_signed_without_authority(target: SocketAddr, names: &[&str]) -> Front {
        Front::self_signed(target, names, IsCa::ExplicitNoCa)
    }

    fn self_signed(target: SocketAddr, names: &[&str], kind: IsCa) -> Front {
        let key = KeyPair::generate().expect("a key");
        let mut params = named("Simulated Server", names);
        params.is_ca = kind;
        let certificate = params.self_signed(&key).expect("a certificate");
        let pem = certificate.pem();
        Front::listen(
            free_port::listen(),
            target,
            names,
            &[&certificate],
            &key,
            pem,
        )
    }

    fn listen(
        listener: TcpListener,
        target: SocketAddr,
        names: &[&str],
        chain: &[&Certificate],
        key: &KeyPair,
        ca_pem: String,
    ) -> Front {
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("PKCS #8");
        // Chosen here, not by the process: there may be two of them in a test's dependencies.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                let chain = chain.iter().map(|certificate| certificate.der().clone());
                builder
                    .with_no_client_auth()
                    .with_single_cert(chain.collect(), key)
            });
        let config = Arc::new(config.expect("a key that fits the certificate"));
        let listening = Listening::start(listener, move |client, _| {
            let _ = forward(client, target, config.clone());
        });
        Front {
            listening,
            name: names.first().map_or("127.0.0.1", |name| name).to_owned(),
            certificate_pem: chain[0].pem(),
            ca_pem,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.listening.address()
    }

    /// `https://<first name>:<port>`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("https://{}:{}", self.name, self.address().port())
    }

    /// The server's own certificate.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// What a client must trust.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }
}

fn named(common_name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names that a certificate can hold");
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params
}

/// Both directions of one connection, until both have ended or one of them has failed. The TLS
/// state is locked only while bytes are turned into others, never while a socket is waited for.
fn forward(client: &TcpStream, target: SocketAddr, config: Arc<ServerConfig>) -> io::Result<()> {
    client.set_nodelay(true)?;
    let tls = Mutex::new(ServerConnection::new(config).map_err(io::Error::other)?);
    let mut buffer = vec![0; 16 * 1024];
    // The target is connected to once there is a client to serve; what that one sends along
    // with the end of its handshake is kept for it.
    let mut first = Vec::new();
    while lock(&tls).is_handshaking() {
        match to_plain(client, &tls, &mut buffer)? {
            Some(mut plain) => first.append(&mut plain),
            None => return Ok(()),
        }
    }
    let server = TcpStream::connect(target)?;
    server.set_nodelay(true)?;
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = back(client, &tls, &server);
            let _ = client.shutdown(Shutdown::Both);
        });
        let mut next = Some(first);
        while let Some(plain) = next
            && (&server).write_all(&plain).is_ok()
        {
            next = to_plain(client, &tls, &mut buffer).unwrap_or(None);
        }
        let _ = server.shutdown(Shutdown::Write);
    });
    Ok(())
}

/// What the client sends next, in the clear; `None` at its end.
fn to_plain(
    mut client: &TcpStream,
    tls: &Mutex<ServerConnection>,
    buffer: &mut [u8],
) -> io::Result<Option<Vec<u8>>> {
    let count = client.read(buffer)?;
    if count == 0 {
        return Ok(None);
    }
    let mut encrypted = &buffer[..count];
    let mut plain = Vec::new();
    let mut tls = lock(tls);
    while !encrypted.is_empty() {
        tls.read_tls(&mut encrypted)?;
        let result = tls.process_new_packets();
        while tls.wants_write() {
            // A handshake's next flight, or the alert that says why it failed.
            tls.write_tls(&mut client)?;
        }
        result.map_err(io::Error::other)?;
        match tls.reader().read_to_end(&mut plain) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
    }
    Ok(Some(plain))
}

/// What the target answers, to the client, until the target's end.
fn back(
    mut client: &TcpStream,
    tls: &Mutex<ServerConnection>,
    mut server: &TcpStream,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = server.read(&mut buffer)?;
        let mut tls = lock(tls);
        if count == 0 {
            tls.send_close_notify();
        } else {
            tls.writer().write_all(&buffer[..count])?;
        }
        while tls.wants_write() {
            tls.write_tls(&mut client)?;
        }
        if count == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
