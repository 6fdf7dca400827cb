//! `cargo run --example demo`: the real program between a simulated Rancher and a simulated
//! Route 53, all on this machine. Needs nothing but a Rust toolchain.
//!
//! Tells a short story of what users do in Rancher, and shows after each step what became of
//! the zone and how long it took. Each step is checked; the end is exit 0, or 1 and what was
//! wrong. On a terminal everything stays up after the story, to be looked at, until Ctrl-C.

mod story;
mod view;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use sim::harness::without_bookkeeping;
use sim::rancher::{self, Rancher, World};
use sim::route53::{self, Order, RecordSet, Route53};
use sim::service::{self, Service};
use story::Step;
use view::View;

const ZONE_ID: &str = "Z0DEMO1EXAMPLE2COM3";
/// How long anything may take; all of it takes milliseconds.
const TIMEOUT: Duration = Duration::from_secs(20);
const LEGEND: &str = "\
After each step: the service's log, the zone (+ new, ~ changed, - gone), the fqdns that Rancher
shows, and the time since the change in Rancher. The state records are the service's list of what
it owns in the zone; it touches nothing else. (They are shown without their generation and claim.)";
/// The first argument with which this program is not the demo but the service in it.
const AS_SERVICE: &str = "--service";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    // `cargo run --example` doesn't build the program itself, so this one plays its part: the
    // same function as in src/main.rs, in a process of its own.
    if arguments.next().is_some_and(|first| first == AS_SERVICE) {
        return rancher_route53::cli::main(arguments);
    }
    match demo() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe demo has failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn demo() -> Result<(), String> {
    let world = World::new(story::ENVIRONMENT, story::ENVIRONMENT_UUID);
    let rancher = Rancher::start(rancher::Options::default(), world);
    let route53 = Route53::start(route53::Options {
        // As awscli sends and expects it.
        old_error_form: true,
        element_order: Order::Any,
        ..route53::Options::default()
    });
    route53.add_zone(ZONE_ID, story::ZONE, false);
    route53.edit(ZONE_ID, |zone| {
        story::foreign().into_iter().for_each(|set| zone.put(set));
    });
    let stage = Stage {
        others: route53.record_sets(ZONE_ID),
        service: Arc::new(start_service(&rancher, &route53)?),
        rancher,
        route53,
    };
    let is_over = Arc::new(AtomicBool::new(false));
    let signals = on_signals(Arc::downgrade(&stage.service), is_over.clone())
        .map_err(|error| format!("signals can't be handled: {error}"))?;

    let mut view = View::default();
    let played = stage.play(&mut view).and_then(|health| {
        if io::stdout().is_terminal() {
            is_over.store(true, Ordering::SeqCst);
            stage.invite(&mut view, &health)?;
            let _ = signals.join();
        }
        view.text(&stop(&stage.service)?)
    });
    if played.is_err() {
        eprintln!("\nThe service's log:");
        for line in stage.service.log() {
            eprintln!("  {line}");
        }
    }
    played
}

fn start_service(rancher: &Rancher, route53: &Route53) -> Result<Service, String> {
    let mut environment = service::environment(rancher, &route53.url(), story::ZONE);
    environment.retain(|(name, _)| *name != "LOG_LEVEL");
    environment.extend([
        ("LOG_LEVEL", "info".to_owned()),
        // The shortest there is, for those who change the zone themselves after the story.
        ("RESYNC_INTERVAL", "10".to_owned()),
    ]);
    Ok(Service::spawn(&own_program()?, &[AS_SERVICE], &environment))
}

/// Ctrl-C during the story ends everything at once; after it, it ends the waiting.
fn on_signals(
    service: Weak<Service>,
    is_over: Arc<AtomicBool>,
) -> io::Result<thread::JoinHandle<()>> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    Ok(thread::spawn(move || {
        let signal = signals.forever().next().unwrap_or(SIGTERM);
        if is_over.load(Ordering::SeqCst) {
            return;
        }
        if let Some(service) = service.upgrade() {
            service.kill();
        }
        std::process::exit(128 + signal);
    }))
}

/// Ends the service as `docker stop` does; what is to be said about it.
fn stop(service: &Service) -> Result<String, String> {
    let start = Instant::now();
    service.terminate();
    match service.wait(TIMEOUT) {
        Some(status) if status.success() => Ok(format!(
            "The service was told to stop, and ended with 0 after {}. The zone stays as it is.",
            view::time(start.elapsed())
        )),
        Some(status) => Err(format!("the service ended with {status}")),
        None => Err("the service doesn't stop".to_owned()),
    }
}

/// Everything that runs.
struct Stage {
    rancher: Rancher,
    route53: Route53,
    service: Arc<Service>,
    /// All that was in the zone before the service came.
    others: Vec<RecordSet>,
}

impl Stage {
    /// The whole story. Returns where the service answers health checks.
    fn play(&self, view: &mut View) -> Result<String, String> {
        let health = self.introduce(view)?;
        let mut ours = Vec::new();
        let mut fqdns = Vec::new();
        for (number, step) in story::steps().into_iter().enumerate() {
            view.heading(number + 1, step.title)?;
            self.perform(&step, &ours, &fqdns, view)?;
            ours = step.ours;
            fqdns = step.fqdns;
        }
        view.text("")?;
        Ok(health)
    }

    fn introduce(&self, view: &mut View) -> Result<String, String> {
        let line = self
            .service
            .wait_for_log(TIMEOUT, |line| line.contains("health checks are answered"))
            .ok_or("the service doesn't start")?;
        let (_, address) = line.split_once("address=").ok_or("it names no address")?;
        let health = format!("http://{address}/ping");
        view.text(
            "The real rancher-route53, between a simulated Rancher and a simulated Route 53.",
        )?;
        view.text("")?;
        view.pair("metadata", &self.rancher.metadata_url())?;
        view.pair("Rancher API", &self.rancher.api_url())?;
        view.pair("Route 53", &self.route53.url())?;
        view.pair("health", &health)?;
        if !self.rancher.wait_until_polled(TIMEOUT) {
            return Err("the service doesn't wait for a change of metadata".to_owned());
        }
        view.text("")?;
        view.text(LEGEND)?;
        view.text("")?;
        view.text(&format!(
            "The zone {} before: somebody has made a record set by hand.",
            story::ZONE
        ))?;
        self.expect_zone(&[])?;
        view.zone(&self.visible())?;
        Ok(health)
    }

    /// Changes Rancher, waits until all is as it should be, and shows it.
    fn perform(
        &self,
        step: &Step,
        ours_before: &[RecordSet],
        fqdns_before: &[story::Fqdn],
        view: &mut View,
    ) -> Result<(), String> {
        let lines = self.service.log().len();
        let start = Instant::now();
        self.rancher.change(step.change);
        let should_be = self.whole_zone(&step.ours);
        self.route53.wait_until(TIMEOUT, |state| {
            let zone = state.zone(ZONE_ID);
            zone.is_some_and(|zone| same(&listing(zone.record_sets()), &should_be))
        });
        let zone_time = start.elapsed();
        self.expect_zone(&step.ours)?;
        let are_shown = self.rancher.wait_until(TIMEOUT, |state| {
            step.fqdns.iter().all(|fqdn| fqdn.is_in(state.world()))
        });
        let fqdn_time = start.elapsed();
        if !are_shown {
            return Err(format!("Rancher doesn't show {:?}", step.fqdns));
        }
        let expected = story::log_lines(ours_before, &step.ours) + step.conflicts;
        let log = self.log_since(lines, expected)?;
        let conflict_time = start.elapsed();
        // Nothing more may come of it: what was right stays so until the next poll.
        if !self.rancher.wait_until_polled(TIMEOUT) {
            return Err("the service doesn't go back to waiting".to_owned());
        }
        self.expect_zone(&step.ours)?;

        view.log(&log)?;
        view.zone(&self.visible())?;
        view.services(&self.rancher.world())?;
        let mut times = Vec::new();
        if !same(ours_before, &step.ours) {
            times.push(format!("zone right after {}", view::time(zone_time)));
        }
        if step
            .fqdns
            .iter()
            .any(|fqdn| fqdn.is_some() && !fqdns_before.contains(fqdn))
        {
            times.push(format!("fqdns after {}", view::time(fqdn_time)));
        }
        if step.conflicts > 0 {
            times.push(format!(
                "conflict reported after {}",
                view::time(conflict_time)
            ));
        }
        view.times(&times.join(", "))
    }

    /// What the service has logged about record sets, once so many lines are there.
    fn log_since(&self, lines: usize, expected: usize) -> Result<Vec<String>, String> {
        let mut read = 0;
        let mut found = Vec::new();
        if expected > 0 {
            self.service.wait_for_log(TIMEOUT, |line| {
                read += 1;
                if read > lines && line.contains("record set") {
                    found.push(line.to_owned());
                }
                found.len() == expected
            });
        }
        if found.len() < expected {
            return Err(format!("the service logs {found:?}, not {expected} lines"));
        }
        Ok(found)
    }

    fn whole_zone(&self, ours: &[RecordSet]) -> Vec<RecordSet> {
        let state_records = story::state_records(ours);
        let sets = self.others.iter().chain(ours).chain(&state_records);
        sets.cloned().collect()
    }

    /// Fails unless the zone holds what it held before, and this, and the state record.
    fn expect_zone(&self, ours: &[RecordSet]) -> Result<(), String> {
        let is = listing(&self.route53.record_sets(ZONE_ID));
        let should_be = self.whole_zone(ours);
        if same(&is, &should_be) {
            return Ok(());
        }
        let lines = |sets: &[RecordSet]| -> String {
            sets.iter().map(|set| format!("\n  {set}")).collect()
        };
        Err(format!(
            "the zone holds{}\nand should hold{}",
            lines(&is),
            lines(&should_be)
        ))
    }

    /// The part of the zone that the story is about: no name servers.
    fn visible(&self) -> Vec<RecordSet> {
        let mut sets = listing(&self.route53.record_sets(ZONE_ID));
        sets.retain(|set| !matches!(set.rtype.as_str(), "SOA" | "NS"));
        sets
    }

    /// How to look at it, and what to try.
    fn invite(&self, view: &mut View, health: &str) -> Result<(), String> {
        let environment = service::environment(&self.rancher, &self.route53.url(), story::ZONE);
        let lines = |is_wanted: fn(&str) -> bool| -> String {
            let wanted = environment.iter().filter(|(name, _)| is_wanted(name));
            wanted
                .map(|(name, value)| format!("{name}={} \\\n", quoted(value)))
                .collect()
        };
        let keys = lines(|name| matches!(name, "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY"));
        let settings = lines(|name| !matches!(name, "HEALTH_ADDRESS" | "LOG_LEVEL"));
        let url = self.route53.url();
        let page = health.replace("/ping", "/status");
        let program = quoted(&own_program()?.display().to_string());
        view.text(&format!(
            "\
The story is over, and all of it stays up until Ctrl-C. The service's status page, for a browser:

{page}

To look at the zone with awscli:

{keys}aws --region us-east-1 --endpoint-url {url} --output text \\
route53 list-resource-record-sets --hosted-zone-id {ZONE_ID}

Change or delete one of the service's record sets there, or the one that is in the way: it puts
things right within 20 s, by default within some 5 minutes. The command plan says what is about to
change, and why docs has no name:

env -i \\
{settings}{program} {AS_SERVICE} plan

How the service is, as a health check asks:

curl -i {health}
"
        ))?;
        view.text("")
    }
}

/// This program, which is also the service: see `main`.
fn own_program() -> Result<PathBuf, String> {
    std::env::current_exe().map_err(|error| format!("it doesn't know its own program: {error}"))
}

/// As a shell takes it for one word.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=%+,@".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The record sets, state records without their generations and their claim.
fn listing<'a>(sets: impl IntoIterator<Item = &'a RecordSet>) -> Vec<RecordSet> {
    sets.into_iter().filter_map(without_bookkeeping).collect()
}

/// Whether both are the same record sets, in any order.
fn same<'a>(a: impl IntoIterator<Item = &'a RecordSet>, b: &[RecordSet]) -> bool {
    let mut count = 0;
    let all = a.into_iter().all(|set| {
        count += 1;
        b.iter().any(|other| set.matches(other))
    });
    all && count == b.len()
}
