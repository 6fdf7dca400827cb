//! What may go wrong between the program and those whom it talks to. Kinds come by turns, not by
//! chance: a few hundred rounds should have seen them all.

use std::time::Duration;

use crate::chaos::naming::Naming;
use crate::chaos::random::Random;
use crate::chaos::world::SERVICES;

fn millis(random: &mut Random, least: u64) -> Duration {
    Duration::from_millis(least + random.below(400) as u64)
}

pub fn route53(turn: usize, random: &mut Random, naming: Naming) -> sim::route53::Fault {
    use sim::route53::Fault;
    match turn % 17 {
        0 => Fault::DropBefore,
        1..3 => Fault::DropAfter,
        3..5 => Fault::CutAfter(random.below(300)),
        5 => Fault::Garbled,
        6 => Fault::Status(500),
        7 => Fault::Status(503),
        8 => Fault::StatusAfter(random.pick(&[500, 503])),
        9 => Fault::Throttle,
        10 => Fault::PriorRequestNotComplete,
        11 => Fault::Hang(millis(random, 50)),
        12 => Fault::Delay(millis(random, 50)),
        13 => Fault::Page(random.pick(&[401, 403, 404, 502])),
        _ => refusal(random, naming),
    }
}

/// A refusal for which there is no reason: as if somebody had been faster, and undone it; or
/// some new whim of Route 53's.
fn refusal(random: &mut Random, naming: Naming) -> sim::route53::Fault {
    let (stack, service) = random.pick(&SERVICES);
    let name = naming.name(stack, service);
    let messages = [
        format!(
            "[Tried to create resource record set [name='{name}', type='A'] but it already exists]"
        ),
        format!(
            "[The request contains an invalid set of changes for a resource record set 'A {name}']"
        ),
        "[Invalid Resource Record: FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid \
         IPv4 address) encountered with '203.0.113.1']"
            .to_owned(),
    ];
    sim::route53::Fault::Error {
        status: 400,
        code: "InvalidChangeBatch".to_owned(),
        message: random.pick(&messages),
    }
}

pub fn metadata(turn: usize, random: &mut Random) -> sim::rancher::Fault {
    use sim::rancher::Fault;
    match turn % 12 {
        0..2 => Fault::Status(404),
        2 => Fault::Status(500),
        3 => Fault::Drop,
        4..6 => Fault::Cut(random.below(2_000)),
        6 => Fault::Garbage,
        7..9 => Fault::Body("null".to_owned()),
        9 => Fault::Body("[]".to_owned()),
        10 => Fault::Hang(millis(random, 50)),
        _ => Fault::Delay(millis(random, 50)),
    }
}

pub fn api(turn: usize, random: &mut Random) -> sim::rancher::Fault {
    use sim::rancher::Fault;
    match turn % 8 {
        0..2 => Fault::Status(500),
        2 => Fault::Status(random.pick(&[401, 403, 404, 422])),
        3 => Fault::Drop,
        4 => Fault::Cut(random.below(60)),
        5 => Fault::Garbage,
        6 => Fault::Hang(millis(random, 900)),
        _ => Fault::Body("<html>".to_owned()),
    }
}
