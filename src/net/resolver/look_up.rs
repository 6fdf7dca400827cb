//! One look-up: decides which question goes to which name server and when, and what the replies
//! mean. Pure: time and replies are arguments.
//!
//! The rules, each of which answers a fault that is seen in practice:
//!
//! - The servers are asked in their order, each one shortly after the one before it. A dead first
//!   server costs [`STAGGER`] and [`GRACE`]. If a later server says that it doesn't know a name, that
//!   counts only when the earlier ones have said the same, or have been silent or unable to say for
//!   [`GIVE_UP_AFTER`]: the later one may be a server that doesn't know internal names. A server that
//!   was silent for one name isn't waited for at the next.
//! - IPv4 and IPv6 addresses are asked for separately, and an IPv4 address is enough. If the question
//!   for IPv6 is lost, refused or never answered, that costs [`GRACE`]. It is sent a little later,
//!   because connection tracking in old kernels loses one of two packets that come together.
//! - A server that doesn't answer, or can't or won't (SERVFAIL, NOTIMP, REFUSED), is asked again. It
//!   becomes an error only after [`GIVE_UP_AFTER`]. So does the next name, unless the server refuses
//!   this one for good (REFUSED, NOTIMP): another name can lead to another host.

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::message::{Kind, Question, Reply};
use super::system::Candidates;

/// The next server is asked if those before it haven't answered within this time.
const STAGGER: Duration = Duration::from_millis(300);
/// The question for IPv6 is sent this long after the one for IPv4, or after the reply to that.
const IPV6_DELAY: Duration = Duration::from_millis(20);
/// How long the reply about IPv6 is waited for after the one about IPv4, if that one has addresses or
/// says that the name doesn't exist.
const GRACE: Duration = Duration::from_millis(100);
/// After this time without an answer, servers that are silent or refuse are given up.
const GIVE_UP_AFTER: Duration = Duration::from_secs(5);
/// Longest time between two sendings of a question. The first one is 1 s, and each is twice as long
/// as the one before.
const MAX_RESEND_INTERVAL: Duration = Duration::from_secs(4);

/// The result of a look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The addresses of the host: IPv4 and IPv6 alternately, IPv4 first.
    Found(Vec<IpAddr>),
    /// There is no such host, or it has no address.
    NoSuchHost {
        /// The first server hasn't said so itself.
        is_doubtful: bool,
    },
    /// The servers can't or won't answer; the text is DNS's name of the error.
    Refused(String),
}

/// A look-up under way.
#[derive(Debug)]
pub struct LookUp {
    candidates: Candidates,
    /// Index of the candidate that is being asked for.
    current: usize,
    /// When its questions were first due.
    opened: Instant,
    /// Number of name servers.
    servers: usize,
    /// The questions for IPv4 and for IPv6.
    asked: [Asked; 2],
    /// The error about an earlier candidate, if no server could answer for it.
    refusal: Option<String>,
    /// Servers that were silent for too long at an earlier candidate.
    silent: Vec<bool>,
    /// The first server has not said of an earlier candidate that it doesn't exist.
    is_doubtful: bool,
    /// Makes the ids of questions.
    random: fn() -> u16,
}

/// A question, and how far each server has got with it.
#[derive(Debug)]
struct Asked {
    question: Question,
    servers: Vec<AtServer>,
}

#[derive(Debug, Clone)]
struct AtServer {
    /// How many times the question was sent.
    times: u32,
    /// When the question is sent again.
    resend_at: Instant,
    reply: Option<(Reply, Instant)>,
}

/// A message to send.
#[derive(Debug, PartialEq, Eq)]
pub struct Sending {
    /// Index of the name server.
    pub server: usize,
    /// The message.
    pub message: Vec<u8>,
}

/// What the replies of all servers to a question mean, and since when that is known.
enum State<'a> {
    Open,
    Addresses(&'a [IpAddr], Instant),
    NoAddress(Instant),
    NoName(Instant),
    Refused(&'a str),
}

/// What the replies to both questions mean for a candidate.
enum Step {
    Wait,
    Found(Vec<IpAddr>),
    /// The name doesn't exist, or has no address.
    NotFound,
    Refused(String),
}

impl LookUp {
    /// A look-up before its first question. There must be at least one candidate and one server.
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

    /// The messages to send now. They count as sent.
    pub fn due(&mut self, now: Instant) -> Vec<Sending> {
        let mut due = Vec::new();
        let [a, aaaa] = &mut self.asked;
        a.send(now, self.opened, &mut due);
        let is_answered = a.servers.iter().any(|at| at.reply.is_some());
        let delay = if is_answered {
            Duration::ZERO
        } else {
            IPV6_DELAY
        };
        aaaa.send(now, self.opened + delay, &mut due);
        due
    }

    /// Makes every question due that has no final answer, because another request needs the name.
    pub fn ask_again(&mut self, now: Instant) {
        for at in self.asked.iter_mut().flat_map(|asked| &mut asked.servers) {
            at.resend_at = now;
        }
    }

    /// Takes a message that came from a server. If the reply was truncated, returns the message to
    /// send to that server over TCP.
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

    /// Takes a server's answer over TCP to this message; `None` if there was no answer.
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

    /// The outcome; `None` while it isn't known. May go on to the next candidate.
    pub fn outcome(&mut self, now: Instant) -> Option<Outcome> {
        let is_last = self.current + 1 == self.candidates.names.len();
        let is_enough = now.saturating_duration_since(self.opened) >= GIVE_UP_AFTER;
        let step = self.step(now);
        if matches!(step, Step::NotFound) {
            let first = self.asked[0].servers[0].reply.as_ref();
            let has_said = matches!(first, Some((Reply::NoName | Reply::NoAddress, _)));
            self.is_doubtful |= !has_said;
        }
        match step {
            Step::Wait => return None,
            Step::Found(addresses) => return Some(Outcome::Found(addresses)),
            Step::NotFound if is_last => {
                return Some(match self.refusal.take() {
                    Some(word) => Outcome::Refused(word),
                    None => Outcome::NoSuchHost {
                        is_doubtful: self.is_doubtful,
                    },
                });
            }
            Step::NotFound => {}
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

    /// The indices of the servers without any reply to the present question for IPv4.
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
            (State::Addresses(v4, _), State::Addresses(v6, _)) => Step::Found(alternately(v4, v6)),
            (State::Addresses(v4, _), _) => Step::Found(v4.to_vec()),
            (State::Open, State::Addresses(_, since)) if is_within(since, GIVE_UP_AFTER) => {
                Step::Wait
            }
            (_, State::Addresses(v6, _)) => Step::Found(v6.to_vec()),
            (State::Open, _) => Step::Wait,
            (State::NoName(since), State::Open) if is_within(since, GRACE) => Step::Wait,
            (State::NoAddress(since), State::Open) if is_within(since, GIVE_UP_AFTER) => Step::Wait,
            (State::NoName(_) | State::NoAddress(_), _) => Step::NotFound,
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
        resend_at: now,
        reply: None,
    };
    // The ids of the two questions must differ.
    [(Kind::A, id), (Kind::Aaaa, id ^ 0x5555)].map(|(kind, id)| Asked {
        question: Question::new(id, name, kind),
        servers: vec![not_yet.clone(); servers],
    })
}

/// Mixes IPv4 and IPv6 addresses alternately, so that if one family can't connect, the other one is
/// tried soon.
fn alternately(v4: &[IpAddr], v6: &[IpAddr]) -> Vec<IpAddr> {
    let longest = v4.len().max(v6.len());
    let turn = |i: usize| v4.get(i).into_iter().chain(v6.get(i)).copied();
    (0..longest).flat_map(turn).collect()
}

impl Asked {
    /// Adds the messages that are due. Those to the first server are due from `from` on.
    fn send(&mut self, now: Instant, from: Instant, due: &mut Vec<Sending>) {
        let is_known = |at: &AtServer| matches!(at.reply, Some((Reply::Addresses(_), _)));
        if self.servers.iter().any(is_known) {
            return;
        }
        let mut have_all_before_replied = true;
        for (server, at) in self.servers.iter_mut().enumerate() {
            let start = if have_all_before_replied {
                from
            } else {
                from + STAGGER * server as u32
            };
            have_all_before_replied &= at.reply.is_some();
            if at.is_due(now, start) {
                at.resend_at =
                    now + Duration::from_secs(1 << at.times.min(2)).min(MAX_RESEND_INTERVAL);
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
        let is_early = now.saturating_duration_since(opened) < GIVE_UP_AFTER;
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
            _ => now >= self.resend_at && !is_settled,
        }
    }

    fn take(&mut self, reply: Reply, now: Instant) {
        // A question may have been sent twice: a refusal of the second doesn't replace an answer to the
        // first.
        let is_refusal = matches!(reply, Reply::Refused(_));
        let has_answer = !matches!(self.reply, None | Some((Reply::Refused(_), _)));
        if !(is_refusal && has_answer) {
            self.reply = Some((reply, now));
        }
    }
}
