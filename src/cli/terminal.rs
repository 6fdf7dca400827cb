//! What is different on a terminal: colour, a line of progress, a question.

use std::fmt;
use std::io::{self, BufRead, IsTerminal, Write};

use crate::base::log;
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

/// Prints to stdout. Whoever reads it may have seen enough and closed it (`--help | head`): that is
/// no reason to abort, as `print!` does.
pub fn say(text: fmt::Arguments<'_>) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_fmt(text).and_then(|()| stdout.flush());
}

/// The same for stderr, with a line break.
pub fn complain(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{text}");
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
        let _ = write!(
            io::stderr().lock(),
            "\r{done} of {total} change batches{end}"
        );
    }
    true
}

/// Asks whether to go on, if there is somebody to ask; the error says what else can be done.
pub fn confirm(question: &str, yes: bool) -> Result<bool, String> {
    if yes {
        return Ok(true);
    }
    if !io::stdin().is_terminal() {
        return Err("nothing was changed: pass --yes to go on without being asked".to_owned());
    }
    say(format_args!("{question} Type yes to go on: "));
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
