//! What it costs to keep a zone, by the environment's size, and how many instances an AWS account
//! carries: the real program against the simulators, beside what AWS's limits allow.
//!
//! `cargo bench` prints two tables within twenty minutes, of which ten are quiet.
//! In `cargo bench -- quick` that is one minute, and the second table is left out; numbers behind
//! `--` are sizes to do instead of all, and `account` is the second table only.

mod account;
mod bound;
mod environment;
mod lost_event;
mod stage;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use account::Trial;
use bound::{LATENCY, first_requests, first_time, resync_requests};
use stage::{Quiet, Stage, Taken};

const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];
const QUIET: Duration = Duration::from_secs(600);
/// Of what is done several times, the median counts.
const REPEATS: usize = 5;
/// How many ask for the status page.
const READERS: usize = 50;
/// How many look at it all the time, once a second.
const VIEWERS: usize = 5;

const TRIALS: [Trial; 7] = [
    trial(10, 100, &[]),
    trial(10, 300, &[]),
    Trial {
        one_zone: true,
        ..trial(10, 300, &[])
    },
    trial(10, 1_000, &[]),
    trial(10, 1_000, &[("ROUTE53_CHANGE_RATE", "30")]),
    trial(50, 100, &[]),
    // As many resyncs as those of 1,200 instances at the default of 300 s: eight requests a
    // second.
    trial(40, 100, &[("RESYNC_INTERVAL", "10")]),
];

const fn trial(
    instances: usize,
    services: usize,
    settings: &'static [(&'static str, &'static str)],
) -> Trial {
    Trial {
        instances,
        services,
        one_zone: false,
        settings,
    }
}

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let asks = |word: &str| arguments.iter().any(|argument| argument == word);
    let mut sizes: Vec<usize> = arguments.iter().filter_map(|a| a.parse().ok()).collect();
    if sizes.is_empty() {
        sizes.extend(SIZES);
    }
    let before = load();
    if asks("account") {
        print!("{}", account());
    } else if asks("quick") {
        print!("{}", scale(&sizes, QUIET / 10, String::new));
    } else {
        print!("{}", scale(&sizes, QUIET, account));
    }
    println!("\nLoad average {before} before, {} after.", load());
}

/// Processes that want to run, averaged over a minute: with more than cores, times say little.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// What was measured of one size.
struct Measured {
    services: usize,
    first: Taken,
    added: Taken,
    removed: Taken,
    moved: Taken,
    /// How long it takes to receive `/services`.
    receiving: Duration,
    /// Processor time until the first resync is over.
    resynced: Duration,
    quiet: Quiet,
    cpu: Duration,
    resident: u64,
    high_water: u64,
    /// Processor time and memory for [`READERS`].
    shown: (Duration, u64),
    /// Processor time of the loop for a service that comes and goes, without and with [`VIEWERS`].
    loop_cpu: [Duration; 2],
}

/// The first table, and what was done in the quiet time: others may make noise.
fn scale(sizes: &[usize], quiet: Duration, meanwhile: impl FnOnce() -> String) -> String {
    // However short the quiet time, two resyncs fall due in it, or nearly: they come 10 % off.
    let resync = (quiet / 2).as_secs().to_string();
    let stages: Vec<_> = sizes
        .iter()
        .map(|services| active(*services, &resync))
        .collect();
    let begin = |(stage, ..): &(Stage, _, _)| {
        stage.begin_quiet();
        stage.cpu()
    };
    let before: Vec<Duration> = stages.iter().map(begin).collect();
    let resynced = stages.iter().zip(sizes).zip(before);
    let resynced = resynced
        .map(|(((stage, ..), services), before)| stage.first_resync(*services, before))
        .collect::<Vec<Duration>>();
    let before: Vec<Duration> = stages.iter().map(begin).collect();
    let lost = (quiet == QUIET).then(lost_event::begin);
    let start = Instant::now();
    let other = meanwhile();
    std::thread::sleep(quiet.saturating_sub(start.elapsed()));
    let quiet = start.elapsed();
    let measured: Vec<Measured> = { stages.iter().zip(sizes).zip(before).zip(resynced) }
        .map(
            |((((stage, all, receiving), services), before), resynced)| {
                let [first, added, removed, moved] = all;
                let cpu = stage.cpu() - before;
                let memory = stage.environment.service.memory();
                let memory = memory.expect("a running process");
                Measured {
                    services: *services,
                    first: *first,
                    added: *added,
                    removed: *removed,
                    moved: *moved,
                    receiving: *receiving,
                    resynced,
                    quiet: stage.end_quiet(),
                    cpu,
                    resident: memory.resident_kb,
                    high_water: memory.high_water_kb,
                    shown: stage.show_status(READERS),
                    loop_cpu: [0, VIEWERS].map(|viewers| loop_cpu(stage, viewers)),
                }
            },
        )
        .collect();
    let lost = lost.map_or(String::new(), |lost| {
        let took = lost.join().expect("the name that was lost");
        format!(
            "\nAn event that Rancher took and lost: name shown after {}.\n",
            seconds(took)
        )
    });
    table(&measured, quiet) + &lost + &other
}

/// The first time, and changes: those of a median time. And that of receiving `/services`.
fn active(services: usize, resync: &str) -> (Stage, [Taken; 4], Duration) {
    eprintln!("{services} services …");
    // What takes a minute and a half isn't a matter of chance.
    let repeats = if services < 5_000 { REPEATS } else { 1 };
    let mut firsts: Vec<Taken> = (1..repeats)
        .map(|_| Stage::start(services, resync).1)
        .collect();
    let (stage, first) = Stage::start(services, resync);
    firsts.push(first);
    let (mut added, mut removed, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..REPEATS {
        added.push(stage.add(number));
        removed.push(stage.remove(number));
        moved.push(stage.move_host(number));
    }
    let mut receiving: Vec<Duration> = (0..REPEATS).map(|_| stage.receive()).collect();
    receiving.sort_unstable();
    let all = [firsts, added, removed, moved].map(median);
    (stage, all, receiving[REPEATS / 2])
}

fn loop_cpu(stage: &Stage, viewers: usize) -> Duration {
    let numbers = REPEATS..2 * REPEATS;
    let mut all: Vec<Duration> = numbers
        .map(|number| stage.loop_cpu(number, viewers))
        .collect();
    all.sort_unstable();
    all[REPEATS / 2]
}

fn median(mut all: Vec<Taken>) -> Taken {
    all.sort_unstable_by_key(|taken| taken.time);
    all[all.len() / 2]
}

/// One of what was done.
type Of = fn(&Measured) -> &Taken;

fn table(all: &[Measured], quiet: Duration) -> String {
    let mut text = String::new();
    let mut row = |label: &str, cell: &dyn Fn(&Measured) -> String| {
        let cells: Vec<String> = all.iter().map(cell).collect();
        let _ = writeln!(text, "| {label} | {} |", cells.join(" | "));
    };
    let limit = |text: String, bound: String| format!("{text} ({bound})");
    row("services", &|m| m.services.to_string());
    row("---", &|_| "---:".to_owned());
    row("**into an empty zone**: zone right after", &|m| {
        limit(time(m.first.time), time(first_time(1, m.services)))
    });
    row("of which start, zone's id, metadata", &|m| {
        millis(m.first.reading)
    });
    row("CPU", &|m| millis(m.first.cpu));
    row("requests", &|m| {
        limit(
            m.first.requests.to_string(),
            first_requests(m.services).to_string(),
        )
    });
    let changes: [(&str, Of); 3] = [
        ("**a service comes**", |m| &m.added),
        ("**it goes**", |m| &m.removed),
        ("**a host moves**, 20 record sets (10 of 10)", |m| &m.moved),
    ];
    for (label, taken) in changes {
        row(&format!("{label}: zone right after"), &|m| {
            limit(millis(taken(m).time), millis(LATENCY))
        });
        row("of which reading metadata", &|m| {
            limit(millis(taken(m).reading), millis(m.receiving))
        });
        row("of which thinking", &|m| millis(taken(m).thinking));
        row("CPU", &|m| millis(taken(m).cpu));
        row("requests, of which listings", &|m| {
            let taken = taken(m);
            limit(
                format!("{}, {}", taken.requests, taken.listings),
                "1, 0".to_owned(),
            )
        });
    }
    row("**the first resync after that**: CPU", &|m| {
        millis(m.resynced)
    });
    let label = format!("**{} quiet seconds**: requests", quiet.as_secs());
    row(&label, &|m| {
        let least = m.quiet.resyncs * resync_requests(m.services);
        limit(m.quiet.requests.to_string(), least.to_string())
    });
    row("CPU", &|m| millis(m.cpu));
    row("resident", &|m| megabytes(m.resident));
    row("high-water mark", &|m| megabytes(m.high_water));
    let label = format!("**{READERS} ask for `/status`**, one after the other: CPU");
    row(&label, &|m| millis(m.shown.0));
    row("more resident then", &|m| megabytes(m.shown.1));
    let label = format!(
        "**{VIEWERS} look at `/status` each second**: CPU of the loop for a service that comes and goes"
    );
    row(&label, &|m| {
        let [alone, watched] = m.loop_cpu;
        limit(millis(watched), format!("{} without them", millis(alone)))
    });
    text
}

/// The second table.
fn account() -> String {
    let mut text = format!(
        "\n| instances × services | zone | settings | all zones right after | requests | \
         refused | {} s later, refused |\n| ---: | --- | --- | ---: | ---: | ---: | ---: |\n",
        account::WATCH.as_secs()
    );
    for trial in TRIALS {
        eprintln!("{} instances of {} …", trial.instances, trial.services);
        let outcome = trial.run();
        let settings = trial
            .settings
            .iter()
            .map(|(name, value)| format!("`{name}={value}`"));
        let settings: Vec<String> = settings.collect();
        let _ = writeln!(
            text,
            "| {} × {} | {} | {} | {} ({}) | {} ({}) | {} | {}, {} |",
            trial.instances,
            trial.services,
            if trial.one_zone { "one" } else { "one each" },
            if settings.is_empty() {
                "defaults".to_owned()
            } else {
                settings.join(" ")
            },
            seconds(outcome.all),
            seconds(trial.least_time()),
            outcome.requests,
            trial.least_requests(),
            outcome.refused,
            outcome.afterwards.0,
            outcome.afterwards.1,
        );
    }
    text
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// In the unit that leaves it a few digits.
fn time(time: Duration) -> String {
    match time.as_secs() {
        0..10 => millis(time),
        _ => seconds(time),
    }
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// Of the kernel's kilobytes, which have 1,024 bytes.
fn megabytes(kilobytes: u64) -> String {
    format!("{:.1} MB", kilobytes as f64 * 1_024.0 / 1e6)
}
