//! Output for people: text on stdout and stderr, and on a terminal colours, a line of progress and
//! questions.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, ErrorKind, IsTerminal};
use std::os::fd::AsFd;
use std::time::Duration;

use crate::base::log;
use crate::base::output_queue::write_all;
use crate::base::redactor::redact;
use crate::base::text::{is_visible, system_words};
use crate::plan::round::Progress;

/// Makes text from outside safe to show: secrets are left out, and characters that could move the cursor, or change colours
/// or the direction of writing, are escaped.
pub fn shown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in redact(text).chars() {
        if is_visible(c) {
            safe.push(c);
        } else {
            safe.extend(c.escape_unicode());
        }
    }
    safe
}

/// Why a command fails.
#[derive(Debug)]
pub enum Failure {
    /// A message for the operator.
    Words(String),
    /// An argument is wrong, as only shows while the command runs. Holds what is wrong with it.
    Usage(String),
    /// The reader of stdout has closed it, as `head` does. As usual, that is no message's worth.
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

/// Some of the text couldn't be written to stdout.
#[derive(Debug)]
pub struct NotShown(io::Error);

impl fmt::Display for NotShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stdout can't be written: {}", system_words(&self.0))
    }
}

/// How long a blocked log may delay a command, or the end of the program.
pub const MAX_FLUSH_WAIT: Duration = Duration::from_secs(3);

/// Prints to stdout, after the lines that were logged before.
pub fn say(text: fmt::Arguments<'_>) -> Result<(), NotShown> {
    log::flush(MAX_FLUSH_WAIT);
    // Without the standard library's buffer, which would keep text that couldn't be written.
    let stdout = io::stdout().as_fd().try_clone_to_owned();
    let mut stdout = File::from(stdout.map_err(NotShown)?);
    let text = text.to_string();
    write_all(&mut stdout, redact(&text).as_bytes()).map_err(|(_, error)| NotShown(error))
}

/// Prints text and a line break to stderr.
pub fn complain(text: fmt::Arguments<'_>) {
    log::to_stderr(&format!("{}\n", redact(&text.to_string())));
}

/// `1 record set`, `2 record sets`.
pub fn record_sets(count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} record set{plural}")
}

/// The colour of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// For what is good or new.
    Green,
    /// For what is wrong or deleted.
    Red,
    /// For what is changed or needs attention.
    Yellow,
}

/// Whether stdout takes colours: a terminal does, unless `NO_COLOR` is set.
/// <https://no-color.org>
pub fn has_colours() -> bool {
    let is_off = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stdout().is_terminal() && !is_off("NO_COLOR") && !is_dumb
}

/// The text in this colour, or unchanged if there are no colours.
pub fn coloured(text: &str, colour: Colour, has_colours: bool) -> String {
    let code = match colour {
        Colour::Green => 32,
        Colour::Red => 31,
        Colour::Yellow => 33,
    };
    if has_colours {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// Shows the progress of a round if stderr is a terminal. Never cancels the round.
pub fn progress(progress: Progress) -> bool {
    if io::stderr().is_terminal() && !progress.is_repeated {
        let Progress { done, total, .. } = progress;
        let end = if done == total { "\n" } else { "" };
        log::to_stderr(&format!("\r{done} of {total} change batches{end}"));
    }
    true
}

/// The error of a command that stopped because it couldn't show beforehand what it would change.
pub fn nothing_was_changed(error: NotShown) -> String {
    format!("nothing was changed: {error}")
}

/// Asks on the terminal whether to go on, unless it `is_confirmed`. It is an error if the answer is no,
/// or if there is no terminal; the text then names the flags that confirm it.
pub fn confirm(question: &str, is_confirmed: bool, flags: &str) -> Result<(), String> {
    if is_confirmed {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(format!(
            "nothing was changed: pass {flags} to go on without being asked"
        ));
    }
    say(format_args!("{question} Type yes to go on: ")).map_err(nothing_was_changed)?;
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| format!("no answer can be read: {}", system_words(&error)))?;
    match answer.trim().eq_ignore_ascii_case("yes") {
        true => Ok(()),
        false => Err("nothing was changed".to_owned()),
    }
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
