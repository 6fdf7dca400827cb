//! What is printed: aligned columns that fit a terminal, in colour where that is welcome.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use sim::rancher::{OWN_STACK, World};
use sim::route53::RecordSet;

use crate::story;

/// Columns of the log's text, without its margin.
const WIDTH: usize = 84;

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

/// The printer. It remembers the zone it showed last, to mark what is different.
pub struct View {
    has_colour: bool,
    shown: Vec<RecordSet>,
}

impl Default for View {
    fn default() -> View {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        View {
            has_colour: io::stdout().is_terminal() && !no_colour,
            shown: Vec::new(),
        }
    }
}

impl View {
    pub fn text(&mut self, text: &str) -> Result<(), String> {
        // Not `println!`, which panics where a reader like `head` has gone.
        writeln!(io::stdout(), "{}", text.trim_end())
            .map_err(|error| format!("nothing can be printed: {error}"))
    }

    pub fn pair(&mut self, name: &str, value: &str) -> Result<(), String> {
        self.text(&format!("  {name:<12} {value}"))
    }

    pub fn heading(&mut self, number: usize, title: &str) -> Result<(), String> {
        let heading = self.paint(BOLD, &format!("{number}. {title}"));
        self.text("")?;
        self.text(&heading)
    }

    /// The service's own words, without time and level.
    pub fn log(&mut self, lines: &[String]) -> Result<(), String> {
        for line in lines {
            let message = line.find("msg=").map_or(line.as_str(), |at| &line[at..]);
            for (i, part) in wrapped(message).into_iter().enumerate() {
                let margin = if i == 0 { "   log | " } else { "       |   " };
                let part = self.paint(DIM, &format!("{margin}{part}"));
                self.text(&part)?;
            }
        }
        Ok(())
    }

    /// The zone: a line for each value; what is new, changed and gone is marked.
    pub fn zone(&mut self, sets: &[RecordSet]) -> Result<(), String> {
        let key = |set: &RecordSet| {
            (
                story::is_state_record(set),
                set.name.clone(),
                set.rtype.clone(),
            )
        };
        let mut rows: Vec<(char, &RecordSet)> = Vec::new();
        let before = std::mem::take(&mut self.shown);
        for set in sets {
            let old = before.iter().find(|old| key(old) == key(set));
            rows.push(match old {
                _ if before.is_empty() => (' ', set),
                None => ('+', set),
                Some(old) if !old.matches(set) => ('~', set),
                Some(_) => (' ', set),
            });
        }
        let is_gone = |old: &&RecordSet| !sets.iter().any(|set| key(set) == key(old));
        rows.extend(before.iter().filter(is_gone).map(|old| ('-', old)));
        rows.sort_by_key(|(_, set)| key(set));
        for (mark, set) in rows {
            self.record_set(mark, set)?;
        }
        self.shown = sets.to_vec();
        Ok(())
    }

    fn record_set(&mut self, mark: char, set: &RecordSet) -> Result<(), String> {
        let remark = match () {
            () if story::is_foreign(set) => "somebody else's",
            () if story::is_state_record(set) => "state record",
            () => "",
        };
        let colour = match mark {
            '+' => GREEN,
            '~' => YELLOW,
            '-' => RED,
            _ => "",
        };
        let ttl = set.ttl.map_or(String::new(), |ttl| ttl.to_string());
        let name = short(&set.name);
        for (i, value) in set.values.iter().enumerate() {
            let line = match i {
                0 => format!(
                    "   {mark} {name:<35} {:<4} {ttl:>4}  {value:<14}  {remark}",
                    set.rtype
                ),
                _ => format!("   {mark} {:<47}{value}", ""),
            };
            let line = self.paint(colour, line.trim_end());
            self.text(&line)?;
        }
        Ok(())
    }

    /// The fqdns that Rancher shows.
    pub fn services(&mut self, world: &World) -> Result<(), String> {
        let mut services: Vec<_> = world
            .services
            .iter()
            .filter(|service| service.stack != OWN_STACK)
            .collect();
        services.sort_by_key(|service| &service.name);
        for (i, service) in services.into_iter().enumerate() {
            let label = if i == 0 { "fqdn in Rancher" } else { "" };
            let fqdn = service.fqdn.as_deref().unwrap_or("none");
            self.text(&format!("   {label:<16} {:<5} {fqdn}", service.name))?;
        }
        Ok(())
    }

    pub fn times(&mut self, times: &str) -> Result<(), String> {
        let times = self.paint(BOLD, times);
        self.text(&format!("   => {times}"))
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.has_colour && !colour.is_empty() {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// `12 ms`, or `1.2 s`.
pub fn time(time: Duration) -> String {
    match time.as_millis() {
        0 => "less than 1 ms".to_owned(),
        millis @ 1..1_000 => format!("{millis} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

/// The state record's name without most of its UUID, which nobody reads.
fn short(name: &str) -> String {
    let (start, rest) = story::ENVIRONMENT_UUID.split_at(8);
    name.replace(&format!("{start}{rest}"), &format!("{start}…"))
}

/// Broken at blanks where a line would be too long.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is one at least");
        if line.is_empty() {
            line.push_str(word);
        } else if line.len() + 1 + word.len() <= WIDTH {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
