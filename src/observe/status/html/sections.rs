//! What the program depends on, the last changes, and facts about the program.

use chrono::{DateTime, Utc};

use super::{age, clipped, fill, name, number};
use crate::base::counters::Action;
use crate::base::dependency::{Condition, Dependency};
use crate::base::version::version;
use crate::observe::status::{ChangeEntry, Status};

/// Changes that are shown before the reader opens the list.
const CHANGES: usize = 3;

/// One row: each part with its state, opened where it fails.
pub fn health(out: &mut String, status: &Status, now: DateTime<Utc>) {
    out.push_str("<h2 id=\"health\">Health</h2>\n<ul class=\"chips\">\n");
    for part in Dependency::ALL {
        let health = status.health(part);
        let shown = match (health.condition, health.since) {
            (Condition::Unknown, None) if status.will_ask(part) => "not asked yet",
            (Condition::Unknown, _) => "not needed now",
            (condition, _) => condition.word(),
        };
        let words = [health.condition.word(), part.title(), shown];
        let Some((at, error)) = &health.last_error else {
            fill(out, "<li class=\"{}\"><span>{} <b>{}</b></span>\n", &words);
            continue;
        };
        let open = match health.condition {
            Condition::Fails => " open",
            _ => "",
        };
        let [class, title, shown] = words;
        let values = [class, open, title, shown];
        fill(
            out,
            "<li class=\"{}\"><details{}><summary>{} <b>{}</b></summary>\n<p>",
            &values,
        );
        if let Some(since) = health.since {
            out.push_str(match health.condition {
                Condition::Fails => "It began to fail ",
                Condition::Works => "It began to work ",
                Condition::Unknown => "It was no longer needed ",
            });
            age(out, since, now);
            out.push_str(". ");
        }
        out.push_str("The last error, ");
        age(out, *at, now);
        out.push_str(": ");
        clipped(out, error);
        out.push_str("</details>\n");
    }
    out.push_str("</ul>\n");
}

impl Status {
    /// Whether a dependency that wasn't asked yet soon will be. Rancher's API won't while no name has to
    /// be written back.
    fn will_ask(&self, part: Dependency) -> bool {
        let is_known = self.last_success.is_some() && self.fqdns_waiting == 0;
        part != Dependency::Api || (self.writes_back && !is_known)
    }
}

/// The last changes to the zone, the newest first.
pub fn changes(out: &mut String, status: &Status, now: DateTime<Utc>) {
    out.push_str("<h2 id=\"changes\">Last changes to the zone</h2>\n");
    if status.changes.is_empty() {
        out.push_str("<p class=\"changes\">None since the program started, ");
        age(out, status.started, now);
        return out.push_str(".\n");
    }
    let (shown, rest) = status.changes.split_at(status.changes.len().min(CHANGES));
    list(out, shown, now);
    if !rest.is_empty() {
        let count = number(rest.len());
        fill(
            out,
            "<details class=\"more\"><summary>{} more changes</summary>\n",
            &[&count],
        );
        list(out, rest, now);
        out.push_str("</details>\n");
    }
}

fn list(out: &mut String, changes: &[ChangeEntry], now: DateTime<Utc>) {
    out.push_str("<ul class=\"changes\">\n");
    for change in changes {
        out.push_str("<li>");
        age(out, change.at, now);
        let words = [change.action.past(), &change.key.kind()];
        fill(out, " <b>{} {}</b> <bdi>", &words);
        name(out, &change.key.name);
        let (from, to) = (&*change.from, &*change.to);
        match change.action {
            Action::Create => fill(out, "</bdi> <span>with {}</span>\n", &[to]),
            Action::Change => fill(out, "</bdi> <span>from {} to {}</span>\n", &[from, to]),
            Action::Delete => fill(out, "</bdi> <span>which had {}</span>\n", &[from]),
        }
    }
    out.push_str("</ul>\n");
}

/// What else is known, at the end of the page.
pub fn facts(out: &mut String, status: &Status, now: DateTime<Utc>) {
    out.push_str("<h2 id=\"facts\">Facts</h2>\n<dl>\n");
    for (term, at) in [
        ("Zone last compared with the services", status.last_success),
        ("Rancher’s metadata last changed", status.metadata_changed),
        ("Program started", Some(status.started)),
    ] {
        fill(out, "<div><dt>{}<dd>", &[term]);
        match at {
            Some(at) => age(out, at, now),
            None => out.push_str("not yet"),
        }
        out.push_str("</div>\n");
    }
    let hosted = status.hosted_zone.as_ref();
    let hosted = hosted.map(|zone| format!("{} ({})", zone.id, zone.kind()));
    for (term, value) in [
        (
            "Record sets that services ask for",
            &*number(status.desired.record_sets.len()),
        ),
        (
            "Record sets in the zone that are ours",
            &number(status.owned),
        ),
        (
            "Names that Rancher doesn’t show yet",
            &number(status.fqdns_waiting),
        ),
        ("Hosted zone", hosted.as_deref().unwrap_or("not found yet")),
        ("rancher-route53", &version(status.commit)),
    ] {
        fill(out, "<div><dt>{}<dd>{}</div>\n", &[term, value]);
    }
    out.push_str("</dl>\n");
}
