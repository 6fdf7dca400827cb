//! One environment alone with its zone and account: how long things take.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sim::harness::ZONE;
use sim::rancher::World;
use sim::route53::{self, AccountBuckets, Operation, Route53};

use super::bound::{LATENCY, resync_requests};
use super::environment::{Environment, MOVING, PATIENCE, world};

/// As long as reading metadata can have been held up by what was before.
const REST: Duration = Duration::from_millis(2_100);

pub struct Stage {
    pub environment: Environment,
    route53: Route53,
}

/// How long it took until the zone was right, and how much was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    pub time: Duration,
    /// Of which until metadata was read; the first time until the zone was looked up as well, which
    /// is done meanwhile.
    pub reading: Duration,
    /// Of which from then until the first batch was at Route 53, which the first time includes
    /// listing the zone.
    pub thinking: Duration,
    /// Processor time of the program, which doesn't depend on what else the machine does.
    pub cpu: Duration,
    pub requests: usize,
    pub listings: usize,
}

/// What was asked for in a quiet time.
pub struct Quiet {
    pub requests: usize,
    pub resyncs: usize,
}

impl Stage {
    /// Starts everything, with that `RESYNC_INTERVAL`, and waits until the zone is right.
    pub fn start(services: usize, resync: &str) -> (Stage, Taken) {
        let world = world(services, "production");
        let route53 = Route53::start(route53::Options {
            latency: LATENCY,
            buckets: Some(Arc::new(AccountBuckets::new())),
            // AWS raises it on request: 10,000 services need 100 state records besides.
            record_set_limit: 20_000,
            ..route53::Options::default()
        });
        route53.add_zone(ZONE, "example.com", false);
        let settings = [("RESYNC_INTERVAL", resync.to_owned())];
        let environment = Environment::start(world, &route53, "example.com", &settings);
        let start = environment.service.started();
        let stage = Stage {
            environment,
            route53,
        };
        let taken = stage.right_after(start, Duration::ZERO);
        (stage, taken)
    }

    /// Waits until the zone is right after a change at that moment, until when the program had
    /// spent that much processor time.
    fn right_after(&self, changed: Instant, spent: Duration) -> Taken {
        let expected = self.environment.expected();
        let mut right = None;
        let reached = self.route53.wait_until(PATIENCE, |state| {
            let mut applied = state.requests().iter().filter(|request| request.applied);
            let last = applied.next_back().map(|request| request.done);
            if last.is_some() && right != last {
                right = last;
                return expected.is_in(state.zone(ZONE).expect("the zone"));
            }
            false
        });
        let right = right.filter(|_| reached).expect("a zone that is right");
        let is_answered = self.route53.wait_until(PATIENCE, |state| {
            state.in_flight(Operation::ChangeResourceRecordSets) == 0
        });
        assert!(is_answered);
        let cpu = self.cpu() - spent;
        let requests = self.route53.requests();
        let batch = requests.iter().find(|request| request.applied);
        let batch = batch.expect("a batch").at;
        // A snapshot ends with a look at the version.
        let looks = self.environment.rancher.metadata_requests();
        let read = looks.iter().rfind(|request| {
            let is_look = request.path.ends_with("/version") && request.query.is_empty();
            is_look && request.at <= batch
        });
        let read = read.expect("a snapshot").at;
        let listings = requests
            .iter()
            .filter(|r| r.operation == Some(Operation::ListResourceRecordSets));
        Taken {
            time: right - changed,
            reading: read.saturating_duration_since(changed),
            thinking: batch - read,
            cpu,
            requests: requests.len(),
            listings: listings.count(),
        }
    }

    /// Changes something in a quiet time.
    fn change(&self, f: impl FnOnce(&mut World)) -> Taken {
        let rancher = &self.environment.rancher;
        self.environment.settle();
        std::thread::sleep(REST);
        self.route53.clear_requests();
        let spent = self.cpu();
        let changed = rancher.change_prepared(f);
        self.right_after(changed, spent)
    }

    /// A service comes.
    pub fn add(&self, number: usize) -> Taken {
        self.change(|world| {
            let service = world.add_service("extra", &format!("extra-{number}"));
            service.run_on("host-0001", 8080).run_on("host-0002", 8080);
        })
    }

    /// It goes.
    pub fn remove(&self, number: usize) -> Taken {
        self.change(|world| {
            world.remove_service("extra", &format!("extra-{number}"));
        })
    }

    /// A host gets another address, and so do the services on it.
    pub fn move_host(&self, number: usize) -> Taken {
        self.change(|world| {
            world.host_mut(MOVING).agent_ip = Some(format!("192.0.2.{}", 200 + number));
        })
    }

    /// Processor time that the program has spent.
    pub fn cpu(&self) -> Duration {
        let cpu = self.environment.service.cpu();
        cpu.expect("a running process")
    }

    /// Processor time for as many who ask for the status page one after the other, and how much more
    /// memory is resident then, in KiB.
    pub fn show_status(&self, times: usize) -> (Duration, u64) {
        let service = &self.environment.service;
        let address = service.health_address(PATIENCE);
        let resident = || service.memory().expect("a running process").resident_kb;
        let (cpu, memory) = (self.cpu(), resident());
        for _ in 0..times {
            ask_for_status(address);
        }
        (self.cpu() - cpu, resident().saturating_sub(memory))
    }

    /// Processor time of the thread that keeps the zone, for a service that comes and goes while so
    /// many ask for the status page, each once a second.
    pub fn loop_cpu(&self, number: usize, viewers: usize) -> Duration {
        let service = &self.environment.service;
        let address = service.health_address(PATIENCE);
        let cpu = || service.main_thread_cpu().expect("a running process");
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..viewers {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        ask_for_status(address);
                        std::thread::sleep(Duration::from_secs(1));
                    }
                });
            }
            let before = cpu();
            self.add(number);
            self.remove(number);
            let spent = cpu() - before;
            is_over.store(true, Ordering::Relaxed);
            spent
        })
    }

    /// How long it takes to receive `/services`, all of it, without a look at what it says.
    pub fn receive(&self) -> Duration {
        let url = self.environment.rancher.metadata_url();
        let address = url.trim_start_matches("http://");
        let (address, version) = address.split_once('/').expect("a version");
        let mut stream = TcpStream::connect(address).expect("metadata");
        let start = Instant::now();
        write!(
            stream,
            "GET /{version}/services HTTP/1.1\r\nHost: {address}\r\nAccept: application/json\r\n\
             Connection: close\r\n\r\n"
        )
        .expect("a request");
        let mut block = vec![0; 64 * 1024];
        let head = stream.read(&mut block).expect("an answer");
        assert!(block[..head].starts_with(b"HTTP/1.1 200 "));
        let mut bytes = head;
        loop {
            match stream.read(&mut block).expect("the rest of it") {
                0 => break,
                more => bytes += more,
            }
        }
        let took = start.elapsed();
        // A name, and what goes with it.
        let services = self.environment.rancher.world().services.len();
        assert!(bytes > 1_000 * services, "{bytes} bytes");
        took
    }

    /// Waits for a resync, and tells what has been spent since then. The first one after a change
    /// decodes the zone anew.
    pub fn first_resync(&self, services: usize, before: Duration) -> Duration {
        let is_listed = self.route53.wait_until(PATIENCE, |state| {
            let listings = state
                .requests()
                .iter()
                .filter(|r| r.operation == Some(Operation::ListResourceRecordSets));
            listings.count() >= resync_requests(services)
        });
        assert!(is_listed, "a resync");
        self.environment.settle();
        self.cpu() - before
    }

    /// From now on it is quiet.
    pub fn begin_quiet(&self) {
        self.environment.settle();
        self.route53.clear_requests();
    }

    /// What there was since then.
    pub fn end_quiet(&self) -> Quiet {
        let requests = self.route53.requests();
        // Each starts with the state records.
        let of_state = |r: &&route53::RequestRecord| r.query.contains("name=external-dns-");
        Quiet {
            requests: requests.len(),
            resyncs: requests.iter().filter(of_state).count(),
        }
    }
}

fn ask_for_status(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).expect("a listener");
    stream
        .write_all(b"GET /status HTTP/1.0\r\n\r\n")
        .expect("a request");
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("an answer");
    assert!(page.starts_with("HTTP/1.1 200 ") && page.ends_with("</script>\n"));
}
