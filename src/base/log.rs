//! The log: each event, a message with fields, becomes one line in logfmt or JSON, on stderr or in
//! a file.
//!
//! Values may come from outside and be hostile, so secrets are taken out, and they are shortened,
//! quoted and escaped: an event is always exactly one line. Lines are written by the thread of an [`OutputQueue`], so that a blocked log
//! doesn't stop the program. All other text for stderr goes through the same queue, which keeps
//! both in order.

use std::fmt::{Display, Write as _};
use std::fs::File;
use std::io;
use std::panic;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, Utc};

use crate::base::output_queue::{Output, OutputQueue};
use crate::base::redactor::{cut, redact};
use crate::base::text::quoted;

/// How important an event is, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Details that help to investigate a problem.
    Debug,
    /// Changes that were made.
    Info,
    /// Events that an operator should know about.
    Warn,
    /// Faults that an operator has to fix.
    Error,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        }
    }
}

/// How an event is written: the values of `LOG_FORMAT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `key=value key="two words"`
    Logfmt,
    /// One JSON object on each line.
    Json,
}

/// The settings of the log.
pub struct Log {
    /// Events below this level are left out.
    pub level: Level,
    /// The format of the lines.
    pub format: Format,
    /// The log file; stderr if there is none.
    pub file: Option<File>,
}

struct Started {
    level: Level,
    format: Format,
    file: Option<Arc<OutputQueue>>,
}

static LOG: OnceLock<Started> = OnceLock::new();
static STDERR: OnceLock<Arc<OutputQueue>> = OnceLock::new();

/// Characters of a value that are written. Messages are limited where they are made; this is for
/// those of other code, such as a parser's error, which may quote as much as a server has sent.
const MAX_VALUE: usize = 4_000;
/// How long a panic waits until the lines that were logged before it are written.
const PANIC_FLUSH: Duration = Duration::from_secs(1);

/// Sets the log up. Only the first call counts; until then, info and above go to stderr.
pub fn start(log: Log) {
    let to_file = |file| OutputQueue::start(Output::new(Box::new(file), lost_lines, file_fails));
    let _ = LOG.set(Started {
        level: log.level,
        format: log.format,
        file: log.file.map(to_file),
    });
    panic::set_hook(Box::new(|panic| {
        flush(PANIC_FLUSH);
        to_stderr(&format!("{}\n", redact(&panic.to_string())));
        flush(PANIC_FLUSH);
    }));
}

/// Writes text to stderr without a format, also if the log goes to a file.
pub fn to_stderr(text: &str) {
    stderr().put(text);
}

/// Waits until every line is written, but for at most `max_wait`.
pub fn flush(max_wait: Duration) {
    let end = Instant::now() + max_wait;
    for queue in queues() {
        queue.flush(end.saturating_duration_since(Instant::now()));
    }
}

/// Limits how long a caller waits from now on while the log is blocked.
pub fn limit_wait(max_wait: Duration) {
    for queue in queues() {
        queue.limit_wait(max_wait);
    }
}

fn queues() -> impl Iterator<Item = &'static Arc<OutputQueue>> {
    // The file first: its queue reports lost lines on stderr.
    log().file.iter().chain(STDERR.get())
}

fn stderr() -> &'static OutputQueue {
    STDERR
        .get_or_init(|| OutputQueue::start(Output::new(Box::new(io::stderr()), lost_lines, |_| {})))
}

/// The line that stands where lines are missing. It is written at every `LOG_LEVEL`.
fn lost_lines(count: u64, error: Option<&str>) -> String {
    let reason = match error {
        Some(error) => format!("they couldn't be written: {error}"),
        None => "the log was blocked, nobody read it".to_owned(),
    };
    let fields: [Field<'_>; 2] = [("lines", &count), ("reason", &reason)];
    line(
        log().format,
        &now(),
        Level::Warn,
        "lines of the log are lost",
        &fields,
    )
}

fn file_fails(error: &str) {
    let message = "the log file can't be written, lines are lost until it can";
    let fields: [Field<'_>; 1] = [("error", &error)];
    to_stderr(&line(log().format, &now(), Level::Error, message, &fields));
}

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A key of an event and its value.
pub type Field<'a> = (&'a str, &'a dyn Display);

/// Writes an event of level debug.
pub fn debug(message: &'static str, fields: &[Field<'_>]) {
    write(Level::Debug, message, fields);
}

/// Writes an event of level info.
pub fn info(message: &'static str, fields: &[Field<'_>]) {
    write(Level::Info, message, fields);
}

/// Writes an event of level warn.
pub fn warn(message: &'static str, fields: &[Field<'_>]) {
    write(Level::Warn, message, fields);
}

/// Writes an event of level error.
pub fn error(message: &'static str, fields: &[Field<'_>]) {
    write(Level::Error, message, fields);
}

/// Whether events of this level are written. If not, a caller can save the work of making them.
pub fn is_written(level: Level) -> bool {
    level >= log().level
}

fn log() -> &'static Started {
    const UNTIL_STARTED: Started = Started {
        level: Level::Info,
        format: Format::Logfmt,
        file: None,
    };
    LOG.get().unwrap_or(&UNTIL_STARTED)
}

/// Writes an event, if its level is high enough.
pub fn write(level: Level, message: &'static str, fields: &[Field<'_>]) {
    if !is_written(level) {
        return;
    }
    let mut lines = Lines::now();
    lines.add(level, message, fields);
    lines.write();
}

/// Events with one timestamp that are written together, because hundreds of single writes would
/// take as long as the work that they report.
pub struct Lines {
    time: String,
    text: String,
}

impl Lines {
    /// An empty list with the present time as its timestamp.
    pub fn now() -> Lines {
        Lines {
            time: now(),
            text: String::new(),
        }
    }

    /// Adds an event, if its level is high enough.
    pub fn add(&mut self, level: Level, message: &'static str, fields: &[Field<'_>]) {
        if is_written(level) {
            self.text += &line(log().format, &self.time, level, message, fields);
        }
    }

    /// Writes the events. Failures are left to the queue: a broken log must not stop the program.
    pub fn write(self) {
        match &log().file {
            _ if self.text.is_empty() => {}
            Some(file) => file.put(&self.text),
            None => to_stderr(&self.text),
        }
    }
}

fn line(format: Format, time: &str, level: Level, message: &str, fields: &[Field<'_>]) -> String {
    let fixed: [Field<'_>; 3] = [
        ("time", &time),
        ("level", &level.as_str()),
        ("msg", &message),
    ];
    let mut line = String::new();
    for (key, value) in fixed.iter().chain(fields) {
        let value = value.to_string();
        let value = cut(&redact(&value), MAX_VALUE);
        let _ = match format {
            Format::Logfmt if line.is_empty() => write!(line, "{key}={}", quoted_if_needed(&value)),
            Format::Logfmt => write!(line, " {key}={}", quoted_if_needed(&value)),
            Format::Json => {
                let separator = if line.is_empty() { '{' } else { ',' };
                write!(line, "{separator}{}:{}", quoted(key), quoted(&value))
            }
        };
    }
    line.push_str(match format {
        Format::Logfmt => "\n",
        Format::Json => "}\n",
    });
    line
}

fn quoted_if_needed(value: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '=' | '\\');
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        quoted(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "2026-01-02T03:04:05.678Z";

    #[test]
    fn a_line_is_logfmt_or_json() {
        let fields: [Field<'_>; 3] = [
            ("n", &3),
            ("name", &"web.example.com."),
            ("why", &"a \"b\""),
        ];
        assert_eq!(
            line(Format::Logfmt, TIME, Level::Info, "created", &fields),
            "time=2026-01-02T03:04:05.678Z level=info msg=created n=3 name=web.example.com. \
             why=\"a \\\"b\\\"\"\n"
        );
        let json = line(Format::Json, TIME, Level::Warn, "x y", &fields);
        let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(parsed["msg"], "x y");
        assert_eq!(parsed["why"], "a \"b\"");
    }

    /// The test starts itself as a second process, because a panic hook is for a whole process.
    #[test]
    fn a_panic_comes_after_the_lines_before_it() {
        const LINES: usize = 1_000;
        let (_, module) = module_path!().split_once("::").unwrap();
        let test = format!("{module}::a_panic_comes_after_the_lines_before_it");
        if std::env::var_os("IS_TO_PANIC").is_some() {
            start(Log {
                level: Level::Info,
                format: Format::Logfmt,
                file: None,
            });
            (1..=LINES).for_each(|number| info("before", &[("number", &number)]));
            panic!("after");
        }
        let program = std::env::current_exe().unwrap();
        let mut itself = std::process::Command::new(program);
        itself.args(["--exact", &test, "--nocapture"]);
        let output = itself.env("IS_TO_PANIC", "1").output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        let last = text.find(&format!("number={LINES}\n"));
        let panic = text.find("panicked at");
        assert!(last.is_some() && last < panic, "{text}");
    }

    #[test]
    fn hostile_text_stays_on_its_line() {
        let hostile = "a\nlevel=error msg=\"forged\"\r\u{1b}[31m\u{2028}\u{202e}\0";
        for format in [Format::Logfmt, Format::Json] {
            let line = line(format, TIME, Level::Info, hostile, &[("key", &hostile)]);
            assert_eq!(line.trim_end().lines().count(), 1);
            assert!(
                !line
                    .trim_end()
                    .contains(|c: char| c.is_control() || c == '\u{2028}'),
                "{line}"
            );
        }
        let json = line(Format::Json, TIME, Level::Info, hostile, &[]);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&json).unwrap()["msg"],
            hostile
        );
    }
}
