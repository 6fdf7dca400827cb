//! Reads single settings: looks a variable up by its names, checks and converts the value, and
//! collects everything that is wrong, so that all of it can be reported together.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::str::FromStr;

use super::settings::{self, Setting, Takes};
use super::shown::{shown_url, shown_value};
use crate::base::secret::Secret;
use crate::base::text::{quoted, system_words};
use crate::net::proxy::no_proxy::NoProxy;
use crate::net::proxy::{self, Proxy};
use crate::net::tls::{self, OwnCertificate, OwnCertificates};
use crate::net::url::Url;

/// Largest file that is read, in bytes. For comparison: a bundle of all public roots has 250 kB.
const MAX_FILE: u64 = 4 * 1024 * 1024;

pub struct Reader<'a> {
    variable: &'a dyn Fn(&str) -> Option<Result<String, String>>,
    /// Errors that stop the program, a line each.
    pub problems: Vec<String>,
    /// Possible errors that don't stop it, a line each.
    pub doubts: Vec<String>,
}

/// The value of a setting, with the name of the variable that it comes from.
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

    /// Looks up a setting's name, and then its aliases: the first one that isn't blank counts. The
    /// value is trimmed. A secret may also be in a file that `NAME_FILE` names.
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
                self.problem(format!(
                    "{variable}={}: the file is empty",
                    quoted(&shown_value(path))
                ));
                None
            }
            Ok(text) => Some(Found {
                name: variable.to_owned(),
                text: text.trim().to_owned(),
            }),
            Err(error) => {
                self.problem(format!(
                    "{variable}={}: can't be read: {error}",
                    quoted(&shown_value(path))
                ));
                None
            }
        }
    }

    /// Adds an error, unless the same line is there already: two settings may share a variable.
    pub fn problem(&mut self, line: String) {
        if !self.problems.contains(&line) {
            self.problems.push(line);
        }
    }

    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.find(name).map(|found| found.text)
    }

    /// A text that becomes a part of an HTTP header. Other characters than visible ASCII are an
    /// error: most likely they got in by mistake, such as a line break.
    pub fn header_text(&mut self, name: &'static str) -> Option<String> {
        self.hidden_value(name, "visible ASCII characters", |text| {
            if text.bytes().all(|byte| byte.is_ascii_graphic()) {
                Ok(text.to_owned())
            } else {
                Err("there is a blank, a line break or the like in it".to_owned())
            }
        })
    }

    /// A secret that becomes a part of an HTTP header.
    pub fn header_secret(&mut self, name: &'static str) -> Option<Secret> {
        self.header_text(name).map(Secret::new)
    }

    pub fn required_text(&mut self, name: &'static str) -> Option<String> {
        self.needed(name, |reader| reader.text(name))
    }

    pub fn required_secret(&mut self, name: &'static str) -> Option<Secret> {
        self.required_text(name).map(Secret::new)
    }

    /// A setting that must be set, read by `read`.
    fn needed<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let known = self.problems.len();
        let value = read(self);
        if value.is_none() && self.problems.len() == known {
            let help = settings::get(name).help;
            self.problem(format!("{name} is not set: {help}"));
        }
        value
    }

    /// A setting, converted by `parse`. `takes` describes the values that it accepts; it is empty if
    /// what `parse` says is enough. An error shows the value.
    pub fn value<T>(
        &mut self,
        name: &'static str,
        takes: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.converted(name, takes, Some(shown_value), |found| parse(&found.text))
    }

    /// A setting, converted by `parse`, that may hold a secret: an error doesn't show the value.
    pub fn hidden_value<T>(
        &mut self,
        name: &'static str,
        takes: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.converted(name, takes, None, |found| parse(&found.text))
    }

    /// A setting that is a URL, converted by `parse`. An error shows it without what may be a secret.
    pub fn url(
        &mut self,
        name: &'static str,
        takes: &str,
        parse: impl FnOnce(&str) -> Result<Url, String>,
    ) -> Option<Url> {
        self.converted(name, takes, Some(shown_url), |found| parse(&found.text))
    }

    /// A URL that must be set.
    pub fn required_url(&mut self, name: &'static str, takes: &str) -> Option<Url> {
        self.needed(name, |reader| reader.url(name, takes, Url::parse))
    }

    /// `show` makes the value safe for an error; without it, an error doesn't show the value.
    fn converted<T>(
        &mut self,
        name: &'static str,
        takes: &str,
        show: Option<fn(&str) -> String>,
        parse: impl FnOnce(&Found) -> Result<T, String>,
    ) -> Option<T> {
        let (mut parse, mut value) = (Some(parse), None);
        self.check(name, takes, show, &mut |found| {
            if let Some(parse) = parse.take() {
                value = Some(parse(found)?);
            }
            Ok(())
        });
        value
    }

    /// What [`Reader::converted`] does that is the same for each type, so that it is machine code only
    /// once.
    fn check(
        &mut self,
        name: &'static str,
        takes: &str,
        show: Option<fn(&str) -> String>,
        parse: &mut dyn FnMut(&Found) -> Result<(), String>,
    ) {
        let Some(found) = self.find(name) else { return };
        let Err(error) = parse(&found) else { return };
        let shown = show.map(|show| format!("={}", quoted(&show(&found.text))));
        let (name, shown) = (found.name, shown.unwrap_or_default());
        let takes = match takes {
            "" => String::new(),
            takes => format!("; it takes {takes}"),
        };
        self.problem(format!("{name}{shown}: {error}{takes}"));
    }

    /// A setting that must be set, converted by `parse`.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        takes: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.needed(name, |reader| reader.value(name, takes, parse))
    }

    /// A whole number. Its range and default are those in the table of settings.
    pub fn number(&mut self, name: &'static str) -> u64 {
        let setting = settings::get(name);
        let Takes::Number(least, most) = setting.takes else {
            panic!("{name} is not a number in the table");
        };
        let parse = |text: &str| match text.parse() {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            Ok(_) => Err("out of range".to_owned()),
            // More digits than a number here has, or less than nothing.
            Err(_) if is_whole_number(text) => Err("out of range".to_owned()),
            Err(_) => Err("not a whole number".to_owned()),
        };
        let takes = format!("a whole number from {least} to {most}");
        let number = self.value(name, &takes, parse);
        number.unwrap_or_else(|| default(setting))
    }

    /// A rate in units per second. Its default is the one in the table of settings.
    pub fn rate(&mut self, name: &'static str) -> f64 {
        // Parsed as a JSON number, because the binary has a JSON parser for metadata anyway.
        let parse = |text: &str| match serde_json::from_str::<f64>(text) {
            Ok(rate) if (0.01..=1000.0).contains(&rate) => Ok(rate),
            Ok(_) => Err("out of range".to_owned()),
            Err(_) => Err("not such a number".to_owned()),
        };
        let takes = "a number from 0.01 to 1000, a second, such as 5 or 0.5";
        let rate = self.value(name, takes, parse);
        rate.unwrap_or_else(|| f64::from(default::<u32>(settings::get(name))))
    }

    /// One of several words, in any case. Its default is the one in the table of settings.
    pub fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&str, T)]) -> T {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        choices[self.chosen(name, &words)].1
    }

    /// The place of the word that a setting is.
    fn chosen(&mut self, name: &'static str, words: &[&str]) -> usize {
        let place = |text: &str| {
            words
                .iter()
                .position(|word| word.eq_ignore_ascii_case(text))
        };
        let parse = |text: &str| place(text).ok_or_else(|| "no such choice".to_owned());
        let chosen = self.value(name, &words.join(", "), parse);
        let default = || place(settings::get(name).default);
        chosen
            .or_else(default)
            .expect("the table's default is a choice")
    }

    /// One of the words true and false.
    pub fn switch(&mut self, name: &'static str) -> bool {
        self.choice(name, &[("true", true), ("false", false)])
    }

    /// The certificates of the file that a setting names. If it isn't set, those of each usual file
    /// that exists.
    pub fn certificates(&mut self, name: &'static str, usual: &[&str]) -> OwnCertificates {
        let files: Vec<(String, String)> = match self.find(name) {
            Some(Found { name, text }) => vec![(name, text)],
            None => {
                let mut files = Vec::new();
                for path in usual {
                    match Path::new(path).try_exists() {
                        Ok(true) => files.push((name.to_owned(), (*path).to_owned())),
                        Ok(false) => {}
                        // The file may not be needed, so this doesn't stop the program.
                        Err(error) => self.doubts.push(format!(
                            "{path} can't be looked at: {}; if Rancher's server signs its own \
                             certificate, make it readable",
                            system_words(&error)
                        )),
                    }
                }
                files
            }
        };
        let mut certificates: Vec<OwnCertificate> = Vec::new();
        for (name, path) in files {
            match read_certificates(&path) {
                Ok(read) => certificates.extend(read),
                Err(error) => {
                    self.problem(format!("{name}={}: {error}", quoted(&shown_value(&path))))
                }
            }
        }
        certificates.into_iter().collect()
    }

    /// A proxy. An error shows the value without its password.
    pub fn proxy(&mut self, name: &'static str) -> Option<Proxy> {
        self.converted(name, proxy::TAKES, Some(proxy::shown), |found| {
            Proxy::parse(&found.name, &found.text)
        })
    }

    /// The hosts that need no proxy. An entry that matches no host is a doubt and not an error,
    /// because such lists are often shared with other programs.
    pub fn no_proxy(&mut self, name: &'static str) -> NoProxy {
        let Some(Found { name, text }) = self.find(name) else {
            return NoProxy::default();
        };
        let (list, ignored) = NoProxy::parse(&text);
        let doubts = ignored.into_iter().map(|entry| format!("{name}: {entry}"));
        self.doubts.extend(doubts);
        list
    }

    /// Opens the log file for appending.
    pub fn log_file(&mut self, path: &str) -> Option<File> {
        // A named pipe is opened for reading, too. Otherwise opening it would wait for a reader, and
        // writing would fail as soon as the reader goes away.
        let is_pipe = fs::metadata(path).is_ok_and(|file| file.file_type().is_fifo());
        let mut options = OpenOptions::new();
        match options.create(true).append(true).read(is_pipe).open(path) {
            Ok(file) => Some(file),
            Err(error) => {
                let words = system_words(&error);
                self.problem(format!(
                    "-log={}: can't be written: {words}",
                    quoted(&shown_value(path))
                ));
                None
            }
        }
    }
}

/// Whether it is a whole number, however large, or a negative one.
fn is_whole_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The default of a setting whose value is a number.
fn default<T: FromStr>(setting: &Setting) -> T {
    let default = setting.default.parse().ok();
    default.unwrap_or_else(|| panic!("{}'s default is not a number", setting.name))
}

fn read_certificates(path: &str) -> Result<Vec<OwnCertificate>, String> {
    // Bundles may have comments in any character set between the certificates.
    let pem = read_bytes(path).map_err(|error| format!("can't be read: {error}"))?;
    tls::certificates(&pem)
}

fn read_file(path: &str) -> Result<String, String> {
    String::from_utf8(read_bytes(path)?).map_err(|_| "it isn't UTF-8".to_owned())
}

fn read_bytes(path: &str) -> Result<Vec<u8>, String> {
    use std::io::Read;
    let file = File::open(path).map_err(|error| system_words(&error))?;
    let mut bytes = Vec::new();
    let read = file.take(MAX_FILE + 1).read_to_end(&mut bytes);
    match read.map_err(|error| system_words(&error))? {
        size if size as u64 > MAX_FILE => Err("it is larger than 4 MiB".to_owned()),
        _ => Ok(bytes),
    }
}
