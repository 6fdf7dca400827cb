//! The policy that the command `policy` prints is the least one: under it every request of a run is
//! allowed, and without a statement, a name, a type or an action of it some request is refused.

mod least;

use crate::commands::{Ran, ran};
use crate::stage::{PATIENCE, STATE, Stage, UUID, ZONE, each, prompt, web, world};
use least::expect_least;
use sim::rancher::World;
use sim::route53::{self, Credential, Operation, RecordSet};
use sim::service::Service;

const NAMES: &str = "io.rancher.service.external_dns_names";

type Settings = &'static [(&'static str, &'static str)];

/// A stage with settings for everything that runs on it.
pub struct Scene {
    pub stage: Stage,
    settings: Settings,
}

impl Scene {
    fn new(world: World, settings: Settings) -> Scene {
        let mut options = route53::Options::default();
        if let Some((_, region)) = settings.iter().find(|(name, _)| *name == "AWS_REGION") {
            options.region = (*region).to_owned();
        }
        let stage = Stage::with(world, prompt(), options);
        Scene { stage, settings }
    }

    fn command(&self, arguments: &[&str]) -> Ran {
        ran(&self.stage.run_with(arguments, self.settings))
    }

    /// Runs a command that has to succeed.
    fn succeed(&self, arguments: &[&str]) -> String {
        let Ran {
            code,
            stdout,
            stderr,
        } = self.command(arguments);
        assert_eq!(code, 0, "{arguments:?}: {stdout}{stderr}");
        stdout
    }

    /// Prints the policy with these flags, and lets the keys do that and nothing else.
    fn grant(&self, flags: &[&str]) -> String {
        let policy = self.succeed(&[&["policy"], flags].concat());
        let keys = Credential::default().with_policy(&policy);
        self.stage.route53.rotate_credentials(vec![keys]);
        self.stage.route53.clear_requests();
        policy
    }

    fn run(&self) -> Service {
        self.stage.run_with(&[], self.settings)
    }
}

fn stop(service: &Service) {
    service.terminate();
    assert!(
        service
            .wait(PATIENCE)
            .is_some_and(|status| status.success())
    );
}

/// Both kinds of addresses; a service appears, moves, vanishes; the zone is emptied at the end.
fn come_and_go(scene: &Scene) {
    let stage = &scene.stage;
    let service = scene.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.rancher.change(|world| {
        world.add_host("six", "2001:db8::6");
        let web = world.service_mut("shop", "web");
        web.run_on("six", 80);
        let cart = world.add_service("shop", "cart");
        cart.run_on("h2", 80);
    });
    stage.expect_fqdn("shop", "cart", "cart.shop.prod.example.com");
    stage.rancher.change(|world| {
        world.service_mut("shop", "web").move_from("h1", "h3");
        world.remove_service("shop", "cart");
    });
    stage.expect_addresses(1);
    stage.settle();
    stop(&service);
    scene.succeed(&["plan"]);
    scene.succeed(&["purge", "--yes"]);
    assert_eq!(stage.lines(), [] as [String; 0]);
}

/// What a scene is called, its world, settings and flags of `policy`, what runs under the policy,
/// and the values of the policy's condition that this run has no need of.
type Case = (
    &'static str,
    fn() -> World,
    Settings,
    &'static [&'static str],
    fn(&Scene),
    &'static [&'static str],
);

const CASES: [Case; 12] = [
    (
        "another partition",
        web,
        &[("AWS_REGION", "cn-north-1")],
        &["--wait"],
        |scene| {
            come_and_go(scene);
            scene.succeed(&["once", "--wait"]);
        },
        &[],
    ),
    ("services come and go", web, &[], &[], come_and_go, &[]),
    (
        "the zone is set by its id, of two with that name",
        web,
        &[("ROUTE53_ZONE_ID", ZONE)],
        &[],
        |scene| {
            scene.stage.route53.add_zone("Z0OTHER", "example.com", true);
            come_and_go(scene);
        },
        &[],
    ),
    (
        "an id of its own for the state records",
        web,
        &[("OWNER_ID", "Berlin_2")],
        &[],
        come_and_go,
        &[],
    ),
    (
        "state records are split",
        || {
            world(|world| {
                for i in 0..210 {
                    let web = world.add_service("shop", &format!("web{i}"));
                    web.run_on("h1", 80);
                }
            })
        },
        &[("ROUTE53_REQUEST_RATE", "1000")],
        &[],
        |scene| {
            scene.succeed(&["once"]);
            let third = STATE.replace(".example", "-2.example");
            let sets = scene.stage.route53.record_sets(ZONE);
            assert!(sets.iter().any(|set| set.name == third));
            scene.succeed(&["purge", "--yes"]);
        },
        &["AAAA"],
    ),
    (
        "names outside of the environment's: apex, wildcard, absolute, the environment's own",
        || {
            world(|world| {
                let web = world.add_service("shop", "web").run_on("h1", 80);
                web.label(NAMES, "@,*,www.example.com.,%{{environment_name}},*.prod");
            })
        },
        &[],
        &[],
        |scene| {
            scene.succeed(&["once"]);
            scene.stage.expect_addresses(6);
            scene.succeed(&["purge", "--yes"]);
        },
        &["AAAA"],
    ),
    (
        "host names of a load balancer",
        || {
            world(|world| {
                let lb = world.add_service_of_kind("loadBalancerService", "shop", "lb");
                lb.run_on("h1", 80);
            })
        },
        &[("LB_HOSTNAMES", "true")],
        &[],
        |scene| {
            scene.succeed(&["once"]);
            scene.stage.expect_addresses(2);
            scene.succeed(&["purge", "--yes"]);
        },
        &["AAAA"],
    ),
    (
        "only IPv4, and record sets that exist are taken over",
        web,
        &[("RECORD_TYPES", "A"), ("ADOPT", "matching")],
        &[],
        |scene| {
            let name = "web.shop.prod.example.com.";
            scene
                .stage
                .put(RecordSet::simple(name, "A", 60, &["192.0.2.9"]));
            scene.succeed(&["adopt", "--yes"]);
            scene.succeed(&["once"]);
            scene.stage.expect_addresses(1);
            let leaves = "old.prod.example.com.";
            scene
                .stage
                .put(RecordSet::simple(leaves, "A", 300, &["192.0.2.9"]));
            scene.succeed(&["purge", "--yes"]);
        },
        &[],
    ),
    (
        "only IPv6",
        || {
            world(|world| {
                world.add_host("six", "2001:db8::6");
                world.add_service("shop", "web").run_on("six", 80);
            })
        },
        &[("RECORD_TYPES", "AAAA")],
        &[],
        |scene| {
            scene.succeed(&["once"]);
            scene.succeed(&["purge", "--yes"]);
        },
        &["external-dns-1a726b88-f6b1-53ad-8dac-f631830b5815.example.com"],
    ),
    (
        "waiting for all name servers",
        web,
        &[],
        &["--wait"],
        |scene| {
            scene.succeed(&["once", "--wait"]);
            assert!(scene.stage.calls(Operation::GetChange) > 0);
            scene.succeed(&["purge", "--yes"]);
        },
        &["AAAA"],
    ),
    (
        "what another owner lists is taken over",
        web,
        &[("OWNER_ID", "berlin")],
        &["--owner", UUID],
        |scene| {
            let name = "web.shop.prod.example.com.";
            let own = RecordSet::simple(name, "A", 300, &["203.0.113.1"]);
            scene.stage.put(own);
            let six = RecordSet::simple(name, "AAAA", 300, &["2001:db8::6"]);
            scene.stage.put(six);
            let entries = [
                (STATE.to_owned(), name.to_owned()),
                (
                    STATE.replace(".example", "-1.example"),
                    format!("{name} AAAA"),
                ),
            ];
            for (record, entry) in entries {
                let entry = format!("\"{entry}\"");
                scene
                    .stage
                    .put(RecordSet::simple(&record, "TXT", 300, &[&entry]));
            }
            scene.stage.rancher.change(|world| {
                world.add_host("six", "2001:db8::6");
                world.service_mut("shop", "web").run_on("six", 80);
            });
            scene.succeed(&["adopt", "--owner", UUID, "--yes", "--deletes=9"]);
            scene.succeed(&["once"]);
            scene.succeed(&["purge", "--yes"]);
        },
        &[],
    ),
    (
        "a look at everything, which changes nothing",
        || {
            world(|world| {
                let web = world.add_service("shop", "web").run_on("h1", 80);
                web.label(NAMES, "www");
            })
        },
        &[],
        &[],
        |scene| {
            let Ran { stdout, .. } = scene.command(&["check"]);
            let line = "✓ change      record sets below prod.example.com, 1 name elsewhere that a \
                        service asks for, and state records: may be changed\n";
            assert!(stdout.contains(line), "{stdout}");
        },
        &["AAAA"],
    ),
];

#[test]
fn every_request_is_allowed_and_nothing_in_it_can_be_spared() {
    each(CASES, |(what, world, settings, flags, act, spare)| {
        let scene = Scene::new(world(), settings);
        let policy = scene.grant(flags);
        act(&scene);
        expect_least(what, &policy, &scene.stage.route53.requests(), spare);
    });
}
