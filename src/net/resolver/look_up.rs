//! One look-up: which question goes to which name server when, and what follows from their
//! replies. Pure: the time and the replies are given to it.
//!
//! The rules, each against something that is met in the field:
//!
//! - The servers are asked in their order, the next one soon after the one before. A dead first one
//!   costs [`STAGGER`] and [`GRACE`]. That a later one doesn't know a name counts only once the earlier
//!   ones have said so, or have been silent or unable to say for [`ENOUGH`]: the later one may not know
//!   internal names. A server that was silent for one name isn't waited for at the next.
//! - IPv4 and IPv6 are asked for separately, and IPv4 is enough: that the question for IPv6 is lost,
//!   never answered, refused or denied costs [`GRACE`]. It is sent a little later, since connection
//!   tracking of old kernels loses one of two packets that come at once.
//! - A server that can't or won't say (SERVFAIL, NOTIMP, REFUSED) is asked again, as is one that
//!   says nothing; an error follows only after [`ENOUGH`], and so does the next name, unless the server
//!   refuses this one for good (REFUSED, NOTIMP): another name can lead to another host.

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::message::{Kind, Question, Reply};
use super::system::Candidates;

/// The next server is asked if the ones before haven't answered in this time.
const STAGGER: Duration = Duration::from_millis(300);
/// The question for IPv6 follows that for IPv4 after this time, or its reply.
const STEP: Duration = Duration::from_millis(20);
/// How long an IPv6 address is waited for when there is one of IPv4, or no such name.
const GRACE: Duration = Duration::from_millis(100);
/// After this time, silence or a refusal is taken for what it is.
const ENOUGH: Duration = Duration::from_secs(5);
/// Ceiling of the time after which a question is asked again; it begins at 1 s and doubles.
const AGAIN: Duration = Duration::from_secs(4);

/// What a look-up comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Where the host is: IPv4 and IPv6 in turns, IPv4 first.
    Found(Vec<IpAddr>),
    /// It is nowhere.
    NoSuchHost {
        /// The first server hasn't said so itself.
        is_doubtful: bool,
    },
    /// The servers can't or won't say; DNS's word for it.
    Refused(String),
}

/// A look-up under way.
#[derive(Debug)]
pub struct LookUp {
    candidates: Candidates,
    /// The one that is asked for.
    current: usize,
    /// When its questions were first asked.
    opened: Instant,
    servers: usize,
    /// For IPv4 and for IPv6.
    asked: [Asked; 2],
    /// What was said of an earlier candidate that nobody could say anything about.
    refusal: Option<String>,
    /// Servers that were silent for too long at an earlier candidate.
    silent: Vec<bool>,
    /// The first server has not said of an earlier candidate that it doesn't exist.
    is_doubtful: bool,
    /// Where numbers of questions come from.
    random: fn() -> u16,
}

/// A question, and for each server what became of it.
#[derive(Debug)]
struct Asked {
    question: Question,
    servers: Vec<AtServer>,
}

#[derive(Debug, Clone)]
struct AtServer {
    /// How often it was sent.
    times: u32,
    /// When it is to be sent again.
    again: Instant,
    reply: Option<(Reply, Instant)>,
}

/// A message to send.
#[derive(Debug, PartialEq, Eq)]
pub struct Sending {
    /// To which of the servers.
    pub server: usize,
    /// The message.
    pub message: Vec<u8>,
}

/// What the servers together say to a question, and since when.
enum State<'a> {
    Open,
    Addresses(&'a [IpAddr], Instant),
    NoAddress(Instant),
    NoName(Instant),
    Refused(&'a str),
}

/// What follows for a candidate.
enum Step {
    Wait,
    Found(Vec<IpAddr>),
    No,
    Refused(String),
}

impl LookUp {
    /// Nothing has been asked yet. There is at least one candidate and one server.
    pub fn new(
        candidates: Candidates,
        servers: usize,
        random: fn() -> u16,
        now: Instant,
    ) -> LookUp {
        let asked = open(&candidates.names[0], servers, random, now);
        LookUp {
            candidates,
            current: 0,
            opened: now,
            servers,
            asked,
            refusal: None,
            silent: vec![false; servers],
            is_doubtful: false,
            random,
        }
    }

    /// What is to be sent now; it is taken to be sent.
    pub fn due(&mut self, now: Instant) -> Vec<Sending> {
        let mut due = Vec::new();
        let [a, aaaa] = &mut self.asked;
        a.send(now, self.opened, &mut due);
        let is_answered = a.servers.iter().any(|at| at.reply.is_some());
        let delay = if is_answered { Duration::ZERO } else { STEP };
        aaaa.send(now, self.opened + delay, &mut due);
        due
    }

    /// Somebody needs the name anew: whatever is unanswered is asked again now.
    pub fn ask_again(&mut self, now: Instant) {
        for at in self.asked.iter_mut().flat_map(|asked| &mut asked.servers) {
            at.again = now;
        }
    }

    /// Takes a message from a server. Where the reply is only to be had over TCP, the message to
    /// send there is returned.
    pub fn take(&mut self, server: usize, message: &[u8], now: Instant) -> Option<Vec<u8>> {
        for asked in &mut self.asked {
            match asked.question.reply(message) {
                None => {}
                Some(Reply::Truncated) => return Some(asked.question.message()),
                Some(reply) => {
                    self.silent[server] = false;
                    asked.servers[server].take(reply, now);
                    return None;
                }
            }
        }
        None
    }

    /// Takes what a server answered over TCP to a message; none if that can't be had.
    pub fn take_over_tcp(
        &mut self,
        server: usize,
        message: &[u8],
        answer: Option<&[u8]>,
        now: Instant,
    ) {
        let mut asked = self.asked.iter_mut();
        let Some(asked) = asked.find(|asked| asked.question.message() == message) else {
            return;
        };
        let reply = answer.and_then(|answer| asked.question.reply(answer));
        let reply = reply.filter(|reply| *reply != Reply::Truncated);
        let refused = || Reply::Refused("only a part of its answer".to_owned());
        asked.servers[server].take(reply.unwrap_or_else(refused), now);
    }

    /// What it has come to; none while that is open.
    pub fn outcome(&mut self, now: Instant) -> Option<Outcome> {
        let is_last = self.current + 1 == self.candidates.names.len();
        let is_enough = now.saturating_duration_since(self.opened) >= ENOUGH;
        let step = self.step(now);
        if matches!(step, Step::No) {
            let first = self.asked[0].servers[0].reply.as_ref();
            let has_said = matches!(first, Some((Reply::NoName | Reply::NoAddress, _)));
            self.is_doubtful |= !has_said;
        }
        match step {
            Step::Wait => return None,
            Step::Found(addresses) => return Some(Outcome::Found(addresses)),
            Step::No if is_last => {
                return Some(match self.refusal.take() {
                    Some(word) => Outcome::Refused(word),
                    None => Outcome::NoSuchHost {
                        is_doubtful: self.is_doubtful,
                    },
                });
            }
            Step::No => {}
            Step::Refused(word) if is_last || self.candidates.is_as_given_first => {
                return is_enough.then_some(Outcome::Refused(word));
            }
            Step::Refused(word) if !is_enough && !is_for_good(&word) => return None,
            Step::Refused(word) => self.refusal = Some(word),
        }
        for (silent, at) in self.silent.iter_mut().zip(&self.asked[0].servers) {
            *silent |= is_enough && at.times > 0 && at.reply.is_none();
        }
        self.current += 1;
        self.opened = now;
        let name = &self.candidates.names[self.current];
        self.asked = open(name, self.servers, self.random, now);
        None
    }

    /// Which servers haven't said anything of the present name's IPv4 address.
    pub fn silent(&self) -> Vec<usize> {
        let servers = self.asked[0].servers.iter().enumerate();
        let silent = servers.filter(|(_, at)| at.reply.is_none());
        silent.map(|(server, _)| server).collect()
    }

    fn step(&self, now: Instant) -> Step {
        let is_within = |since: Instant, time| now.saturating_duration_since(since) < time;
        let [a, aaaa] = &self.asked;
        let (v4, v6) = (
            a.state(self.opened, &self.silent, now),
            aaaa.state(self.opened, &self.silent, now),
        );
        match (v4, v6) {
            (State::Addresses(_, since), State::Open) if is_within(since, GRACE) => Step::Wait,
            (State::Addresses(v4, _), State::Addresses(v6, _)) => Step::Found(in_turns(v4, v6)),
            (State::Addresses(v4, _), _) => Step::Found(v4.to_vec()),
            (State::Open, State::Addresses(_, since)) if is_within(since, ENOUGH) => Step::Wait,
            (_, State::Addresses(v6, _)) => Step::Found(v6.to_vec()),
            (State::Open, _) => Step::Wait,
            (State::NoName(since), State::Open) if is_within(since, GRACE) => Step::Wait,
            (State::NoAddress(since), State::Open) if is_within(since, ENOUGH) => Step::Wait,
            (State::NoName(_) | State::NoAddress(_), _) => Step::No,
            (State::Refused(word), _) => Step::Refused(word.to_owned()),
        }
    }
}

/// Whether a server has said that it doesn't answer for a name, and not only that it can't now.
fn is_for_good(word: &str) -> bool {
    matches!(word, "REFUSED" | "NOTIMP")
}

fn open(name: &str, servers: usize, random: fn() -> u16, now: Instant) -> [Asked; 2] {
    let id = random();
    let not_yet = AtServer {
        times: 0,
        again: now,
        reply: None,
    };
    // Two numbers that differ.
    [(Kind::A, id), (Kind::Aaaa, id ^ 0x5555)].map(|(kind, id)| Asked {
        question: Question::new(id, name, kind),
        servers: vec![not_yet.clone(); servers],
    })
}

/// The address families by turns: a connection that can't be made by one of them has time left for
/// the other.
fn in_turns(v4: &[IpAddr], v6: &[IpAddr]) -> Vec<IpAddr> {
    let longest = v4.len().max(v6.len());
    let turn = |i: usize| v4.get(i).into_iter().chain(v6.get(i)).copied();
    (0..longest).flat_map(turn).collect()
}

impl Asked {
    fn send(&mut self, now: Instant, from: Instant, due: &mut Vec<Sending>) {
        let is_known = |at: &AtServer| matches!(at.reply, Some((Reply::Addresses(_), _)));
        if self.servers.iter().any(is_known) {
            return;
        }
        let mut is_turn = true;
        for (server, at) in self.servers.iter_mut().enumerate() {
            // Once all servers before it have answered, its turn has come.
            let start = match is_turn {
                true => from,
                false => from + STAGGER * server as u32,
            };
            is_turn &= at.reply.is_some();
            if at.is_due(now, start) {
                at.again = now + Duration::from_secs(1 << at.times.min(2)).min(AGAIN);
                at.times += 1;
                let message = self.question.message();
                due.push(Sending { server, message });
            }
        }
    }

    /// `silent` are the servers that aren't waited for.
    fn state(&self, opened: Instant, silent: &[bool], now: Instant) -> State<'_> {
        let replies = || self.servers.iter().map(|at| at.reply.as_ref());
        for (reply, since) in replies().flatten() {
            if let Reply::Addresses(addresses) = reply {
                return State::Addresses(addresses, *since);
            }
        }
        let is_early = now.saturating_duration_since(opened) < ENOUGH;
        let mut refusal = None;
        let mut are_all_refused = true;
        for (reply, is_silent) in replies().zip(silent) {
            match reply {
                // A server before this one can't say at present: it may know the name in a moment.
                Some((Reply::NoAddress | Reply::NoName, _)) if is_early && refusal.is_some() => {
                    return State::Open;
                }
                Some((Reply::NoAddress, since)) => return State::NoAddress(*since),
                Some((Reply::NoName, since)) => return State::NoName(*since),
                Some((Reply::Refused(word), _)) => refusal = refusal.or(Some(word)),
                _ if is_early && !is_silent => return State::Open,
                _ => are_all_refused = false,
            }
        }
        match refusal {
            Some(word) if are_all_refused => State::Refused(word),
            _ => State::Open,
        }
    }
}

impl AtServer {
    fn is_due(&self, now: Instant, start: Instant) -> bool {
        let is_settled = matches!(self.reply, Some((Reply::NoAddress | Reply::NoName, _)));
        match self.times {
            0 => now >= start,
            _ => now >= self.again && !is_settled,
        }
    }

    fn take(&mut self, reply: Reply, now: Instant) {
        // A refusal that comes after an answer is the answer to a question asked twice.
        let is_refusal = matches!(reply, Reply::Refused(_));
        let has_answer = !matches!(self.reply, None | Some((Reply::Refused(_), _)));
        if !(is_refusal && has_answer) {
            self.reply = Some((reply, now));
        }
    }
}
