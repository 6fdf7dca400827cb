//! `/status`: the page for people. Pure.
//!
//! It answers first whether all is well, and if not, what is wrong (`verdict`); then come what it
//! depends on and the last changes (`sections`), and all services, those with a problem first
//! (`services`). Links to `#conflict` and its like filter the services, by the style alone.
//!
//! Text from outside goes through `escape::html`. Names stand in `<bdi>`, so that right-to-left
//! letters in one name don't turn the text around it. The page loads nothing, and its security
//! policy allows only its own style and script, by their hashes.
//!
//! Tables have explicit ARIA roles: on a narrow screen CSS lays them out as blocks, and some
//! browsers then no longer treat them as tables.

mod sections;
mod services;
mod verdict;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::escape;
use super::service_state::ServiceState;
use super::{Status, timestamp};
use crate::dns::Name;
pub use services::service;
use verdict::Verdict;

/// The `Content-Type` header.
pub const CONTENT_TYPE: &str = "text/html; charset=utf-8";
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The `Content-Security-Policy` header.
pub fn security_policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    let (style, script) = (hash(STYLE), hash(SCRIPT));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; \
         img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// Appends a template, with the escaped values in the places of its `{}`.
fn fill(out: &mut String, template: &str, values: &[&str]) {
    escape::fill(out, escape::html, template, values);
}

/// The page up to the rows of services. `counts` is how many are in each state.
pub fn head(
    out: &mut String,
    status: &Status,
    counts: &[usize; ServiceState::ALL.len()],
    now: DateTime<Utc>,
) {
    let environment = status.environment.as_ref();
    let environment = environment.map_or("no environment yet", |(name, _)| name);
    let zone = &*status.zone.without_dot();
    let verdict = Verdict::of(status, counts);
    out.push_str(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n",
    );
    verdict.icon_of_tab(out);
    let title = [&*verdict.short, environment, zone];
    fill(out, "<title>{} – {} in {}</title>\n<style>", &title);
    out.push_str(STYLE);
    fill(
        out,
        "</style>\n<header>\n<h1><bdi>{}</bdi> <small>in <bdi>{}</bdi></small></h1>\n<p>As of ",
        &[environment, zone],
    );
    clock(out, now);
    out.push_str(
        " <a id=\"refresh\" href=\"status\">Refresh</a>\n<nav aria-label=\"On this page\">\
         <a href=\"#services\">Services</a> <a href=\"#health\">Health</a> \
         <a href=\"#changes\">Last changes</a> <a href=\"#facts\">Facts</a> \
         <a href=\"status.json\">status.json</a> <a href=\"metrics\">metrics</a></nav>\n\
         </header>\n<main>\n",
    );
    verdict.show(out, now);
    sections::health(out, status, now);
    sections::changes(out, status, now);
    services::head(out, counts);
}

/// The page after the rows of services.
pub fn tail(out: &mut String, status: &Status, now: DateTime<Utc>) {
    out.push_str("</table>\n");
    sections::facts(out, status, now);
    out.push_str("</main>\n<script>");
    out.push_str(SCRIPT);
    out.push_str("</script>\n");
}

/// A table's head: class and title of each column.
fn heads(out: &mut String, columns: &[(&str, &str)]) {
    out.push_str("<thead role=rowgroup><tr role=row>");
    for (class, title) in columns {
        let template = "<th scope=\"col\" role=columnheader class=\"{}\">{}";
        fill(out, template, &[class, title]);
    }
    out.push_str("</thead>\n<tbody role=rowgroup>");
}

fn number(number: usize) -> String {
    number.to_string()
}

/// A name of the DNS, which a browser may break after each dot.
fn name(out: &mut String, name: &Name) {
    breakable(out, &name.without_dot());
}

/// The same for a text that begins with a name.
fn breakable(out: &mut String, text: &str) {
    let mut template = "{}";
    for label in text.split('.') {
        fill(out, template, &[label]);
        template = ".<wbr>{}";
    }
}

/// The first letters of a text, and all of it when the reader opens it, if it is long: what servers
/// say can be.
fn clipped(out: &mut String, text: &str) {
    const SHOWN: usize = 200;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) if text.len() > 2 * SHOWN => {
            let shown = [&text[..end], text];
            fill(
                out,
                "{} … <details><summary>All of it</summary>{}</details>",
                &shown,
            );
        }
        _ => fill(out, "{}", &[text]),
    }
}

/// A time of day in UTC, with its date.
fn clock(out: &mut String, at: DateTime<Utc>) {
    let exact = timestamp(at);
    fill(
        out,
        "<time datetime=\"{}\">{}</time>",
        &[&exact, &in_words(&exact)],
    );
}

fn in_words(exact: &str) -> String {
    exact.replace('T', " ").replace('Z', " UTC")
}

/// How long ago something was, or in how long it will be; the time itself shows where the pointer
/// rests on it.
fn age(out: &mut String, at: DateTime<Utc>, now: DateTime<Utc>) {
    let seconds = (now - at).num_seconds();
    let (count, unit) = match seconds.abs() {
        seconds @ ..120 => (seconds, "s"),
        seconds @ 120..7_200 => (seconds / 60, "min"),
        seconds @ 7_200..172_800 => (seconds / 3_600, "h"),
        seconds => (seconds / 86_400, "days"),
    };
    let words = match seconds {
        0 => "now".to_owned(),
        1.. => format!("{count} {unit} ago"),
        _ => format!("in {count} {unit}"),
    };
    let exact = timestamp(at);
    let values = [&*exact, &in_words(&exact), &words];
    fill(out, "<time datetime=\"{}\" title=\"{}\">{}</time>", &values);
}

#[cfg(test)]
mod tests;
