//! Looks settings up and collects what is wrong with them.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::str::FromStr;

use super::settings::{self, Setting, Takes};
use crate::base::secret::Secret;
use crate::net::proxy::no_proxy::NoProxy;
use crate::net::proxy::{self, Proxy};
use crate::net::tls::{self, Certificate};

/// Largest file that a setting names, in bytes: a bundle of all public roots has 250 kB.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

pub struct Reader<'a> {
    variable: &'a dyn Fn(&str) -> Option<Result<String, String>>,
    /// One line for each thing that is wrong.
    pub problems: Vec<String>,
    /// One line for each that may be.
    pub doubts: Vec<String>,
}

/// A setting that is set: under which name, and to what.
struct Found {
    name: String,
    text: String,
}

impl<'a> Reader<'a> {
    pub fn new(variable: &'a dyn Fn(&str) -> Option<Result<String, String>>) -> Reader<'a> {
        Reader {
            variable,
            problems: Vec::new(),
            doubts: Vec::new(),
        }
    }

    /// The text of the first of a setting's names that is set and not blank, trimmed.
    fn find(&mut self, name: &'static str) -> Option<Found> {
        let setting = settings::get(name);
        let names: Vec<&str> = std::iter::once(setting.name)
            .chain(setting.aliases.iter().copied())
            .collect();
        for name in names {
            let direct = self.look_up(name);
            let file_variable = format!("{name}_FILE");
            let file = if setting.is_secret {
                self.look_up(&file_variable)
            } else {
                None
            };
            match (direct, file) {
                (Some(_), Some(_)) => {
                    self.problem(format!("{name} and {file_variable} are both set: set one"));
                    return None;
                }
                (Some(text), None) => {
                    return Some(Found {
                        name: name.to_owned(),
                        text,
                    });
                }
                (None, Some(path)) => return self.secret_file(&file_variable, &path),
                (None, None) => {}
            }
        }
        None
    }

    fn look_up(&mut self, name: &str) -> Option<String> {
        match (self.variable)(name)? {
            Ok(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Err(error) => {
                self.problem(format!("{name}: {error}"));
                None
            }
        }
    }

    fn secret_file(&mut self, variable: &str, path: &str) -> Option<Found> {
        match read_file(path) {
            Ok(text) if text.trim().is_empty() => {
                self.problem(format!("{variable}={path:?}: the file is empty"));
                None
            }
            Ok(text) => Some(Found {
                name: variable.to_owned(),
                text: text.trim().to_owned(),
            }),
            Err(error) => {
                self.problem(format!("{variable}={path:?}: can't be read: {error}"));
                None
            }
        }
    }

    /// Something that two settings have in common is wrong only once.
    pub fn problem(&mut self, line: String) {
        if !self.problems.contains(&line) {
            self.problems.push(line);
        }
    }

    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.find(name).map(|found| found.text)
    }

    /// A text that goes into a header of requests, or its part: whatever has no place there was
    /// hardly meant.
    pub fn header_text(&mut self, name: &'static str) -> Option<String> {
        self.hidden_value(name, "visible ASCII characters", |text| {
            match text.bytes().all(|byte| byte.is_ascii_graphic()) {
                true => Ok(text.to_owned()),
                false => Err("there is a blank, a line break or the like in it".to_owned()),
            }
        })
    }

    /// The same for what must never be printed.
    pub fn header_secret(&mut self, name: &'static str) -> Option<Secret> {
        self.header_text(name).map(Secret::new)
    }

    pub fn required_text(&mut self, name: &'static str) -> Option<String> {
        let known = self.problems.len();
        let text = self.text(name);
        if text.is_none() && self.problems.len() == known {
            self.missing(name);
        }
        text
    }

    pub fn required_secret(&mut self, name: &'static str) -> Option<Secret> {
        self.required_text(name).map(Secret::new)
    }

    fn missing(&mut self, name: &'static str) {
        let help = settings::get(name).help;
        self.problem(format!("{name} is not set: {help}"));
    }

    /// A value that `parse` makes; `takes` says what it takes.
    pub fn value<T>(
        &mut self,
        name: &'static str,
        takes: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let Found { name, text } = self.find(name)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                let shown = without_user(&text);
                self.problem(format!("{name}={shown:?}: {error}; it takes {takes}"));
                None
            }
        }
    }

    /// The same for a value that may hold what is nobody's business.
    pub fn hidden_value<T>(
        &mut self,
        name: &'static str,
        takes: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let Found { name, text } = self.find(name)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(format!("{name}: {error}; it takes {takes}"));
                None
            }
        }
    }

    pub fn required<T>(
        &mut self,
        name: &'static str,
        takes: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let known = self.problems.len();
        let value = self.value(name, takes, parse);
        if value.is_none() && self.problems.len() == known {
            self.missing(name);
        }
        value
    }

    /// A whole number, within the range and with the default of the table.
    pub fn number(&mut self, name: &'static str) -> u64 {
        let setting = settings::get(name);
        let Takes::Number(least, most) = setting.takes else {
            panic!("{name} is not a number in the table");
        };
        let parse = |text: &str| match text.parse() {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            Ok(_) => Err("out of range".to_owned()),
            Err(_) => Err("not a whole number".to_owned()),
        };
        let takes = format!("a whole number from {least} to {most}");
        let number = self.value(name, &takes, parse);
        number.unwrap_or_else(|| default(setting))
    }

    /// A number a second, with the default of the table.
    pub fn rate(&mut self, name: &'static str) -> f64 {
        // Numbers are read as JSON's, since JSON's parser is in the binary for metadata anyway.
        let parse = |text: &str| match serde_json::from_str::<f64>(text) {
            Ok(rate) if (0.01..=1000.0).contains(&rate) => Ok(rate),
            _ => Err("not such a number".to_owned()),
        };
        let takes = "a number from 0.01 to 1000, a second, such as 5 or 0.5";
        let rate = self.value(name, takes, parse);
        rate.unwrap_or_else(|| f64::from(default::<u32>(settings::get(name))))
    }

    /// One of several words, with the default of the table.
    pub fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&str, T)]) -> T {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let parse = |text: &str| {
            let mut choices = choices.iter();
            let found = choices.find(|(word, _)| word.eq_ignore_ascii_case(text));
            let found = found.map(|(_, choice)| *choice);
            found.ok_or_else(|| "no such choice".to_owned())
        };
        let choice = self.value(name, &words.join(", "), parse);
        choice.unwrap_or_else(|| {
            parse(settings::get(name).default).expect("the table's default is a choice")
        })
    }

    /// The certificates of the file that a setting names, or of those of the usual ones that
    /// exist.
    pub fn certificates(&mut self, name: &'static str, usual: &[&str]) -> Vec<Certificate> {
        let files: Vec<(String, String)> = match self.find(name) {
            Some(Found { name, text }) => vec![(name, text)],
            None => {
                let mut files = Vec::new();
                for path in usual {
                    match Path::new(path).try_exists() {
                        Ok(true) => files.push((name.to_owned(), (*path).to_owned())),
                        Ok(false) => {}
                        // Rancher's server may have no need of it, so it is no reason to stop.
                        Err(error) => self.doubts.push(format!(
                            "{path} can't be looked at: {error}; if Rancher's server signs its \
                             own certificate, make it readable"
                        )),
                    }
                }
                files
            }
        };
        let mut certificates = Vec::new();
        for (name, path) in files {
            match read_certificates(&path) {
                Ok(read) => certificates.extend(read),
                Err(error) => self.problem(format!("{name}={path:?}: {error}")),
            }
        }
        certificates
    }

    /// A proxy. What may be its password isn't shown.
    pub fn proxy(&mut self, name: &'static str) -> Option<Proxy> {
        let Found { name, text } = self.find(name)?;
        match Proxy::parse(&name, &text) {
            Ok(proxy) => Some(proxy),
            Err(error) => {
                let (shown, takes) = (proxy::shown(&text), proxy::TAKES);
                self.problem(format!("{name}={shown:?}: {error}; it takes {takes}"));
                None
            }
        }
    }

    /// The hosts that need no proxy. An entry that no host matches may be meant for another
    /// program: these lists are often written once for all of them.
    pub fn no_proxy(&mut self, name: &'static str) -> NoProxy {
        let Some(Found { name, text }) = self.find(name) else {
            return NoProxy::default();
        };
        let (list, ignored) = NoProxy::parse(&text);
        let doubts = ignored.into_iter().map(|entry| format!("{name}: {entry}"));
        self.doubts.extend(doubts);
        list
    }

    pub fn log_file(&mut self, path: &str) -> Option<File> {
        // A named pipe is opened for reading as well: else that would wait for a reader, and the
        // reader could never go away and come back.
        let is_pipe = fs::metadata(path).is_ok_and(|file| file.file_type().is_fifo());
        let mut options = OpenOptions::new();
        match options.create(true).append(true).read(is_pipe).open(path) {
            Ok(file) => Some(file),
            Err(error) => {
                self.problem(format!("-log={path:?}: can't be written: {error}"));
                None
            }
        }
    }
}

/// The default of a setting that takes a number.
fn default<T: FromStr>(setting: &Setting) -> T {
    let default = setting.default.parse().ok();
    default.unwrap_or_else(|| panic!("{}'s default is not a number", setting.name))
}

/// A URL without what may be a user name and password in it, also where the scheme is missing.
fn without_user(text: &str) -> String {
    let Some(at) = text.rfind('@') else {
        return text.to_owned();
    };
    let start = text.find("://").map(|scheme| scheme + "://".len());
    let start = start.filter(|start| *start <= at).unwrap_or(0);
    format!("{}…{}", &text[..start], &text[at..])
}

fn read_certificates(path: &str) -> Result<Vec<Certificate>, String> {
    let text = read_file(path).map_err(|error| format!("can't be read: {error}"))?;
    tls::certificates(text.as_bytes())
}

fn read_file(path: &str) -> Result<String, String> {
    use std::io::Read;
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    let read = file.take(LARGEST_FILE + 1).read_to_string(&mut text);
    match read.map_err(|error| error.to_string())? {
        size if size as u64 > LARGEST_FILE => Err("it is larger than 4 MiB".to_owned()),
        _ => Ok(text),
    }
}
