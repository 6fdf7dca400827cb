//! What is different on a terminal: colour, a line of progress, a question.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, ErrorKind, IsTerminal};
use std::os::fd::AsFd;
use std::time::Duration;

use crate::base::log;
use crate::base::output_queue::write_all;
use crate::plan::round::Progress;

/// Text as it is shown to people: one that comes from outside can't move the cursor, change
/// colours or the direction of writing.
pub fn shown(text: &str) -> String {
    text.chars()
        .flat_map(|c| match log::is_visible(c) {
            true => c.to_string().chars().collect::<Vec<_>>(),
            false => c.escape_unicode().collect(),
        })
        .collect()
}

/// Why a command ends with exit 1.
#[derive(Debug)]
pub enum Failure {
    /// What happened, for people.
    Words(String),
    /// Whoever reads stdout has seen enough and closed it, as `head` does. As with other programs,
    /// nothing is said about that.
    StdoutClosed,
}

impl From<String> for Failure {
    fn from(words: String) -> Failure {
        Failure::Words(words)
    }
}

impl From<NotShown> for Failure {
    fn from(error: NotShown) -> Failure {
        match error.0.kind() {
            ErrorKind::BrokenPipe => Failure::StdoutClosed,
            _ => Failure::Words(error.to_string()),
        }
    }
}

/// Not all that should be on stdout is there.
#[derive(Debug)]
pub struct NotShown(io::Error);

impl fmt::Display for NotShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stdout can't be written: {}", self.0)
    }
}

/// How long a log that is blocked may keep a command from going on, or the program from ending.
pub const LONGEST_FLUSH: Duration = Duration::from_secs(3);

/// Prints to stdout, after what the log has to say.
pub fn say(text: fmt::Arguments<'_>) -> Result<(), NotShown> {
    log::flush(LONGEST_FLUSH);
    // Without the standard library's buffer, which would keep what can't be written.
    let stdout = io::stdout().as_fd().try_clone_to_owned();
    let mut stdout = File::from(stdout.map_err(NotShown)?);
    let text = text.to_string();
    write_all(&mut stdout, text.as_bytes()).map_err(|(_, error)| NotShown(error))
}

/// Prints to stderr, with a line break.
pub fn complain(text: fmt::Arguments<'_>) {
    log::to_stderr(&format!("{text}\n"));
}

/// `1 record set`, `2 record sets`.
pub fn record_sets(count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} record set{plural}")
}

/// How text is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Good, or new.
    Green,
    /// Bad, or gone.
    Red,
    /// Changed, or to be looked at.
    Yellow,
}

/// Whether stdout takes colours: a terminal does, unless `NO_COLOR` is set.
/// <https://no-color.org>
pub fn has_colours() -> bool {
    let is_off = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stdout().is_terminal() && !is_off("NO_COLOR") && !is_dumb
}

/// Text in a colour, or as it is.
pub fn coloured(text: &str, colour: Colour, has_colours: bool) -> String {
    let code = match colour {
        Colour::Green => 32,
        Colour::Red => 31,
        Colour::Yellow => 33,
    };
    match has_colours {
        true => format!("\x1b[{code}m{text}\x1b[0m"),
        false => text.to_owned(),
    }
}

/// Says how far a round has come, on a terminal. Elsewhere the log has a line for each change.
pub fn progress(progress: Progress) -> bool {
    if io::stderr().is_terminal() {
        let Progress { done, total } = progress;
        let end = if done == total { "\n" } else { "" };
        log::to_stderr(&format!("\r{done} of {total} change batches{end}"));
    }
    true
}

/// What can't be shown beforehand isn't done.
pub fn nothing_was_changed(error: NotShown) -> String {
    format!("nothing was changed: {error}")
}

/// Asks whether to go on, if there is somebody to ask; the error says what else can be done.
pub fn confirm(question: &str, yes: bool) -> Result<bool, String> {
    if yes {
        return Ok(true);
    }
    if !io::stdin().is_terminal() {
        return Err("nothing was changed: pass --yes to go on without being asked".to_owned());
    }
    say(format_args!("{question} Type yes to go on: ")).map_err(nothing_was_changed)?;
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| format!("no answer can be read: {error}"))?;
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_shown_harmless() {
        assert_eq!(shown("web → 1"), "web → 1");
        assert_eq!(
            shown("a\u{1b}[31m\n\u{202e}b"),
            "a\\u{1b}[31m\\u{a}\\u{202e}b"
        );
    }

    #[test]
    fn colours_are_put_around_or_left_out() {
        assert_eq!(coloured("+", Colour::Green, true), "\x1b[32m+\x1b[0m");
        assert_eq!(coloured("+", Colour::Green, false), "+");
    }
}
