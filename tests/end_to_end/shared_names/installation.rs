//! One of the installations: a Rancher server, and the program on it.

use std::collections::BTreeMap;

use sim::harness::DOMAIN;
use sim::rancher::{Rancher, World};
use sim::route53::Route53;
use sim::service::{Service, environment};

use crate::commands::ran;
use crate::shared_names::SHARED;
use crate::shared_names::wishes::{ADDRESSES, Kind, Wish};
use crate::stage::{PATIENCE, program, prompt};

pub const SECRET: &str = "secret";
const STACK: &str = "shop";
const PREFIX: &str = "io.rancher.service.external_dns";

/// The id of the access key of an owner.
pub fn key(owner: &str) -> String {
    format!("AKID{}", owner.to_uppercase())
}

pub struct Installation {
    /// Its place among all.
    pub index: usize,
    pub owner: &'static str,
    pub rancher: Rancher,
    /// The program, as long as it runs.
    pub service: Option<Service>,
    /// What its services ask for, by their names. `own` is a name that nobody shares.
    pub wishes: BTreeMap<&'static str, Wish>,
    kind: Kind,
    settings: Vec<(&'static str, String)>,
}

impl Installation {
    pub fn new(index: usize, owner: &'static str, kind: Kind, route53: &Route53) -> Installation {
        // Every Rancher server gives its first environment this UUID.
        let mut world = World::new("Default", "adminProject");
        world.server = owner.to_owned();
        for (host, address) in ADDRESSES[index].into_iter().enumerate() {
            world.add_host(&host_name(host), address);
        }
        let rancher = Rancher::start(prompt(), world);
        let mut settings = environment(&rancher, &route53.url(), DOMAIN);
        settings
            .retain(|(name, _)| !name.starts_with("AWS_ACCESS") && !name.starts_with("AWS_SECRET"));
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", &*key(owner)),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("OWNER_ID", owner),
            ("NAME_TEMPLATE", "%{{service_name}}"),
            ("TTL", kind.ttl(index)),
            ("WRITE_BACK", "false"),
            ("ROUTE53_REQUEST_RATE", "1000"),
            ("RESYNC_INTERVAL", "10"),
        ] {
            settings.push((name, value.to_owned()));
        }
        let mut installation = Installation {
            index,
            owner,
            rancher,
            service: None,
            wishes: BTreeMap::new(),
            kind,
            settings,
        };
        for service in [SHARED[0], SHARED[1], "own"] {
            installation.wish(service, Some(Wish::default()));
        }
        installation
    }

    /// A service asks for this from now on, or is removed.
    pub fn wish(&mut self, service: &'static str, wish: Option<Wish>) {
        let is_shared = SHARED.contains(&service);
        // A third one has no place in a failover group.
        let has_place = !is_shared || self.kind.has_place(self.index);
        let name = match is_shared {
            true => service.to_owned(),
            false => format!("{service}-{}", self.owner),
        };
        let wish = wish.filter(|_| has_place);
        self.rancher.change(|world| {
            world.remove_service(STACK, &name);
            let Some(wish) = wish else { return };
            let made = world.add_service(STACK, &name);
            made.run_on(&host_name(wish.host), 80);
            if is_shared {
                let routing = self.kind.label(self.index, wish);
                made.label(&format!("{PREFIX}_routing"), routing);
                if let Some(id) = self.kind.health_check(self.index, wish) {
                    made.label(&format!("{PREFIX}_health_check"), id);
                }
            }
        });
        match wish {
            Some(wish) => self.wishes.insert(service, wish),
            None => self.wishes.remove(service),
        };
    }

    pub fn start(&mut self) {
        if self.service.is_none() {
            self.service = Some(Service::spawn(program(), &[], &self.settings));
        }
    }

    /// The program is stopped, and all of its record sets are removed.
    pub fn purge(&mut self) {
        if let Some(service) = self.service.take() {
            service.terminate();
            assert_eq!(
                service.wait(PATIENCE).and_then(|status| status.code()),
                Some(0)
            );
        }
        let purge = Service::spawn(program(), &["purge", "--yes"], &self.settings);
        let ran = ran(&purge);
        assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    }
}

fn host_name(host: usize) -> String {
    format!("h{host}")
}
