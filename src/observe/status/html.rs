//! `/status`: the page for people. Pure.
//!
//! Text from outside goes through `escape::html`. Names stand in `<bdi>`, so that right-to-left
//! letters in one name don't turn the text around it. The page loads nothing, and its security
//! policy allows only its own style and script, by their hashes.
//!
//! Tables have explicit ARIA roles: on a narrow screen CSS lays them out as blocks, and some
//! browsers then no longer treat them as tables.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::escape;
use super::service_state::ServiceState;
use super::{MAX_SHOWN_VALUES, Status, timestamp};
use crate::base::dependency::{Condition, Dependency};
use crate::base::version::version;
use crate::desired::ServiceOutcome;
use crate::dns::Name;
use crate::rancher::model::ServiceKey;

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

/// The page up to the table of services.
pub fn head(out: &mut String, status: &Status, now: DateTime<Utc>) {
    let environment = status.environment.as_ref();
    let environment = environment.map_or("no environment yet", |(name, _)| name);
    let zone = &*status.zone.without_dot();
    fill(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{} – {}</title>\n<style>",
        &[environment, zone],
    );
    out.push_str(STYLE);
    fill(
        out,
        "</style>\n<main>\n<h1><bdi>{}</bdi> <small>in <bdi>{}</bdi></small></h1>\n",
        &[environment, zone],
    );
    verdict(out, status);
    facts(out, status, now);
    parts(out, status, now);
    services_head(out, status);
}

fn verdict(out: &mut String, status: &Status) {
    let problems = status.problems();
    if problems.is_empty() {
        let words = match status.last_success {
            Some(_) => "All is well.",
            None => "Starting: no round has been made yet.",
        };
        return fill(out, "<p class=\"verdict\">{}</p>\n", &[words]);
    }
    out.push_str("<ul class=\"verdict bad\" aria-label=\"What needs attention\">\n");
    for problem in &problems {
        fill(out, "<li>{}\n", &[problem]);
    }
    out.push_str("</ul>\n");
}

fn facts(out: &mut String, status: &Status, now: DateTime<Utc>) {
    out.push_str("<dl>\n<div><dt>As of<dd>");
    moment(out, now, true);
    out.push_str("</div>\n");
    for (term, at) in [
        ("Last successful round", status.last_success),
        ("Metadata changed", status.metadata_changed),
        ("Running since", Some(status.started)),
    ] {
        fill(out, "<div><dt>{}<dd>", &[term]);
        time(out, at, now);
        out.push_str(if at.is_some() {
            "</div>\n"
        } else {
            "not yet</div>\n"
        });
    }
    let hosted = status.hosted_zone.as_ref();
    let hosted = hosted.map(|zone| format!("{} ({})", zone.id, zone.kind()));
    for (term, value) in [
        (
            "Record sets desired",
            &*number(status.desired.record_sets.len()),
        ),
        ("Record sets owned", &number(status.owned)),
        ("fqdns waiting", &number(status.fqdns_waiting)),
        ("Hosted zone", hosted.as_deref().unwrap_or("not found yet")),
        ("rancher-route53", &version(status.commit)),
    ] {
        fill(out, "<div><dt>{}<dd>{}</div>\n", &[term, value]);
    }
    out.push_str("</dl>\n");
}

fn parts(out: &mut String, status: &Status, now: DateTime<Utc>) {
    out.push_str(
        "<h2>Health</h2>\n<table role=table>\n<caption>What the zone depends on</caption>\n",
    );
    let columns = [
        ("w2", "What"),
        ("w1", "State"),
        ("w3", "Since"),
        ("", "Last error"),
    ];
    heads(out, &columns);
    for part in Dependency::ALL {
        let health = status.health(part);
        let word = health.condition.word();
        let shown = match health.condition {
            Condition::Unknown => "not needed",
            _ => word,
        };
        fill(
            out,
            "<tr\nclass=\"{}\" role=row><th scope=\"row\" role=rowheader>{}\
             <td class=\"state\" role=cell>{}<td role=cell>",
            &[word, part.title(), shown],
        );
        time(out, health.since, now);
        out.push_str("<td role=cell>");
        if let Some((at, words)) = &health.last_error {
            fill(out, "{} ", &[words]);
            time(out, Some(*at), now);
        }
    }
    out.push_str("</table>\n");
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

fn services_head(out: &mut String, status: &Status) {
    out.push_str(
        "<h2>Services</h2>\n<div class=\"tools\" id=\"tools\" role=\"search\" hidden>\n\
         <label>Filter <input type=\"search\" id=\"words\" autocomplete=\"off\"></label>\n\
         <label>State <select id=\"state\"><option value=\"\">all",
    );
    for state in ServiceState::ALL {
        fill(out, "<option>{}", &[state.word()]);
    }
    out.push_str(
        "</select></label>\n<output id=\"shown\"></output>\n</div>\n\
         <table id=\"services\" role=table>\n<caption>",
    );
    let counts = status.states();
    fill(out, "{} services", &[&number(counts.iter().sum())]);
    let mut template = ": {} {}";
    for (state, count) in ServiceState::ALL.iter().zip(counts) {
        if count > 0 {
            fill(out, template, &[&number(count), state.word()]);
            template = ", {} {}";
        }
    }
    out.push_str("</caption>\n");
    let columns = [
        ("w4", "Service"),
        ("w1", "State"),
        ("w5", "FQDN"),
        ("w2", "Addresses"),
        ("", "Reason"),
    ];
    heads(out, &columns);
}

/// A service's row.
pub fn service(out: &mut String, status: &Status, (key, outcome): (&ServiceKey, &ServiceOutcome)) {
    let state = status.state(outcome);
    fill(
        out,
        "<tr\nclass=\"{}\" role=row><th scope=\"row\" role=rowheader><bdi>{}</bdi>/<bdi>{}</bdi>\
         <td class=\"state\" role=cell>{}<td role=cell>",
        &[state.word(), &key.stack, &key.service, state.word()],
    );
    names(out, outcome);
    out.push_str("<td role=cell>");
    if let Ok(name) = &outcome.name {
        addresses(out, status, name);
    }
    fill(out, "<td role=cell>{}", &[&status.reason(outcome, state)]);
}

/// A service's names: the one that Rancher shows, then the others; many of them when the reader opens
/// the list.
fn names(out: &mut String, outcome: &ServiceOutcome) {
    let is_long = outcome.more_names.len() > MAX_SHOWN_VALUES;
    for (index, name) in outcome.names().enumerate() {
        match index {
            0 => {}
            1 if is_long => {
                let rest = number(outcome.more_names.len());
                fill(out, "\n<details><summary>{} more</summary>\n", &[&rest]);
            }
            _ => out.push_str("<br>\n"),
        }
        let text = &*name.without_dot();
        // A wildcard, or a name with escapes in it, isn't a host's name, so it gets no link.
        match text.contains(['*', '\\']) {
            true => fill(out, "<bdi>{}</bdi>", &[text]),
            false => fill(out, "<a href=\"http://{}/\">{}</a>", &[text, text]),
        }
    }
    if is_long {
        out.push_str("</details>");
    }
}

/// A service's addresses: the first few are shown, the others when the reader opens the list.
fn addresses(out: &mut String, status: &Status, name: &Name) {
    let count: usize = status.record_sets(name).map(|set| set.values.len()).sum();
    let is_long = count > MAX_SHOWN_VALUES;
    let values = status.record_sets(name).flat_map(|set| &set.values);
    for (index, value) in values.enumerate() {
        let template = match index {
            0 => "{}",
            MAX_SHOWN_VALUES => {
                let rest = number(count - MAX_SHOWN_VALUES);
                fill(out, "\n<details><summary>{} more</summary>\n", &[&rest]);
                "{}"
            }
            _ => "<br>\n{}",
        };
        fill(out, template, &[value]);
    }
    if is_long {
        out.push_str("</details>");
    }
}

/// The page after the table of services.
pub fn tail(out: &mut String, status: &Status, now: DateTime<Utc>) {
    out.push_str(
        "</table>\n<h2>Changes</h2>\n<table id=\"changes\" role=table>\n\
         <caption>The last changes to the zone, the newest first</caption>\n",
    );
    let columns = [
        ("w5", "Name"),
        ("w1", "Change"),
        ("w3", "When"),
        ("", "From"),
        ("", "To"),
    ];
    heads(out, &columns);
    for change in status.changes.iter() {
        let (name, rtype) = (&*change.key.name.without_dot(), change.key.rtype.as_str());
        fill(
            out,
            "<tr role=row>\n<th scope=\"row\" role=rowheader><bdi>{}</bdi>\
             <td role=cell>{} {}<td role=cell>",
            &[name, change.action.past(), rtype],
        );
        time(out, Some(change.at), now);
        fill(
            out,
            "<td role=cell>{}<td role=cell>{}",
            &[&change.from, &change.to],
        );
    }
    if status.changes.is_empty() {
        out.push_str("<tr role=row><td colspan=\"5\" role=cell>none yet");
    }
    out.push_str("</table>\n</main>\n<script>");
    out.push_str(SCRIPT);
    out.push_str("</script>\n");
}

fn number(number: usize) -> String {
    number.to_string()
}

/// A time of day in UTC, with the date if asked for.
fn moment(out: &mut String, at: DateTime<Utc>, with_day: bool) {
    let exact = timestamp(at);
    let (day, time) = exact.split_once('T').unwrap_or_default();
    let (day, space) = if with_day { (day, " ") } else { ("", "") };
    let shown = [&*exact, day, space, time.trim_end_matches('Z')];
    fill(out, "<time datetime=\"{}\">{}{}{} UTC</time>", &shown);
}

/// A time in UTC, with the date unless it is today, and its age.
fn time(out: &mut String, at: Option<DateTime<Utc>>, now: DateTime<Utc>) {
    let Some(at) = at else { return };
    moment(out, at, at.date_naive() != now.date_naive());
    let seconds = (now - at).num_seconds();
    let (count, unit) = match seconds {
        ..=0 => return,
        1..120 => (seconds, "s"),
        120..7_200 => (seconds / 60, "min"),
        7_200..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    let count = count.to_string();
    fill(
        out,
        " <span class=\"age\">{} {} ago</span>",
        &[&count, unit],
    );
}

#[cfg(test)]
mod tests;
