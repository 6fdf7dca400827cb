//! `/status.json`: the page's content for programs. Pure. The fields are documented for operators; tests/readme.rs holds that table against this file.

use chrono::{DateTime, Utc};

use super::escape;
use super::service_state::ServiceState;
use super::{Status, timestamp};
use crate::base::dependency::Dependency;
use crate::base::version::VERSION;
use crate::desired::ServiceOutcome;
use crate::desired::container::SkippedContainers;
use crate::desired::warning::Warning;
use crate::dns::{AliasTarget, Name, RecordSet, RecordType, Routing};
use crate::rancher::model::ServiceKey;
use crate::route53::xml::HostedZone;

/// The `Content-Type` header.
pub const CONTENT_TYPE: &str = "application/json";

/// The document up to the list of services.
pub fn head(out: &mut String, status: &Status, now: DateTime<Utc>) {
    out.push('{');
    for (name, at) in [
        ("time", Some(now)),
        ("started", Some(status.started)),
        ("last_success", status.last_success),
        ("metadata_changed", status.metadata_changed),
    ] {
        text(out, name, at.map(timestamp).as_deref());
    }
    for (name, count) in [
        ("record_sets_desired", status.desired.record_sets.len()),
        ("record_sets_owned", status.owned),
        ("record_sets_in_conflict", status.conflicts.len()),
        ("record_sets_quarantined", status.quarantined.len()),
        ("fqdns_waiting", status.fqdns_waiting),
        ("fqdns_contested", status.contested.len()),
    ] {
        number(out, name, count);
    }
    text(out, "version", Some(VERSION));
    text(out, "commit", status.commit);
    text(out, "kept_by_another", status.kept_by_another.as_deref());
    let problems = status.problems();
    list(
        out,
        "problems",
        problems.iter().map(|problem| &problem.words),
    );
    list(out, "contested", status.contested.iter());
    places(out, status);
    dependencies(out, status);
    held_deletes(out, status);
    begin(out, "services", '[');
}

/// The environment and the hosted zone.
fn places(out: &mut String, status: &Status) {
    let environment = status.environment.as_ref();
    object(
        out,
        "environment",
        &[
            ("name", environment.map(|(name, _)| &**name)),
            ("uuid", environment.map(|(_, uuid)| &**uuid)),
        ],
    );
    let hosted = status.hosted_zone.as_ref();
    object(
        out,
        "zone",
        &[
            ("name", Some(&status.zone.without_dot())),
            ("id", hosted.map(|hosted| &*hosted.id)),
            ("kind", hosted.map(HostedZone::kind)),
        ],
    );
}

fn dependencies(out: &mut String, status: &Status) {
    begin(out, "dependencies", '{');
    for dependency in Dependency::ALL {
        let health = status.health(dependency);
        let last = health.last_error.as_ref();
        object(
            out,
            dependency.name(),
            &[
                ("state", Some(health.condition.word())),
                ("since", health.since.map(timestamp).as_deref()),
                ("last_error", last.map(|(_, words)| &**words)),
                (
                    "last_error_at",
                    last.map(|(at, _)| timestamp(*at)).as_deref(),
                ),
            ],
        );
    }
    end(out, '}');
}

fn held_deletes(out: &mut String, status: &Status) {
    match &status.held {
        None => text(out, "deletion_guard", None),
        Some((held, until)) => {
            begin(out, "deletion_guard", '{');
            number(out, "deletes", held.keys.len());
            number(out, "of", held.owned);
            text(out, "until", Some(&timestamp(*until)));
            begin(out, "record_sets", '[');
            for key in &held.keys {
                out.push('{');
                text(out, "name", Some(&key.name.without_dot()));
                text(out, "type", Some(key.rtype.as_str()));
                text(out, "set_id", key.set_id.as_deref());
                end(out, '}');
            }
            end(out, ']');
            end(out, '}');
        }
    }
}

/// A service's object.
pub fn service(
    out: &mut String,
    status: &Status,
    (key, outcome): (&ServiceKey, &ServiceOutcome),
    state: ServiceState,
) {
    let reason = status.reason(outcome, state);
    let name = outcome.name.as_ref();
    let fqdn = name.ok().map(Name::without_dot);
    out.push_str("\n{");
    for (member, value) in [
        ("stack", Some(&*key.stack)),
        ("name", Some(&*key.service)),
        ("state", Some(state.word())),
        ("skipped", name.err().map(|skip| skip.code())),
        ("reason", Some(&*reason).filter(|reason| !reason.is_empty())),
        ("fqdn", fqdn.as_deref()),
    ] {
        text(out, member, value);
    }
    let member = name.ok().map(|name| outcome.member(name));
    let sets = || {
        let member = member.iter();
        member.flat_map(|member| status.desired.of_member(member))
    };
    let of_addresses = sets().filter(|set| RecordType::OF_ADDRESSES.contains(&set.key.rtype));
    list(out, "addresses", of_addresses.flat_map(RecordSet::in_order));
    text(out, "target", sets().find_map(target).as_deref());
    begin(out, "routing", '[');
    let routed = sets().filter(|set| set.extras().next().is_some());
    routed.for_each(|set| routing(out, set));
    end(out, ']');
    let more: Vec<String> = outcome.more_names.iter().map(shown).collect();
    list(out, "more_names", more.iter());
    let warnings: Vec<String> = outcome.warnings.iter().map(Warning::to_string).collect();
    list(out, "warnings", warnings.iter());
    match &outcome.skipped_containers {
        None => text(out, "skipped_containers", None),
        Some(skipped) => skipped_containers(out, skipped),
    }
    end(out, '}');
}

/// Where an alias or a CNAME leads to.
fn target(set: &RecordSet) -> Option<String> {
    let cname = || {
        let is_cname = set.key.rtype == RecordType::Cname;
        set.values().first().filter(|_| is_cname).cloned()
    };
    set.alias().map(AliasTarget::shown).or_else(cname)
}

fn routing(out: &mut String, set: &RecordSet) {
    out.push('{');
    text(out, "type", Some(set.key.rtype.as_str()));
    text(out, "set_id", set.key.set_id.as_deref());
    let policy = set.routing.as_deref().map(Routing::to_string);
    text(out, "policy", policy.as_deref());
    text(out, "health_check", set.health_check.as_deref());
    end(out, '}');
}

fn skipped_containers(out: &mut String, skipped: &SkippedContainers) {
    begin(out, "skipped_containers", '{');
    number(out, "total", skipped.total);
    number(out, "skipped", skipped.count());
    begin(out, "first", '[');
    for (name, reason) in &skipped.first {
        out.push('{');
        text(out, "name", Some(name));
        text(out, "code", Some(reason.code()));
        text(out, "reason", Some(&reason.to_string()));
        end(out, '}');
    }
    end(out, ']');
    end(out, '}');
}

fn shown(name: &Name) -> String {
    name.without_dot().into_owned()
}

/// The document after the list of services.
pub fn tail(out: &mut String, status: &Status) {
    end(out, ']');
    begin(out, "changes", '[');
    for change in status.changes.iter() {
        out.push_str("\n{");
        for (member, value) in [
            ("time", &*timestamp(change.at)),
            ("action", change.action.word()),
            ("name", &*change.key.name.without_dot()),
            ("type", change.key.rtype.as_str()),
            ("set_id", change.key.set_id.as_deref().unwrap_or_default()),
            ("from", &change.from),
            ("to", &change.to),
        ] {
            text(out, member, Some(value).filter(|value| !value.is_empty()));
        }
        end(out, '}');
    }
    end(out, ']');
    out.pop();
    out.push_str("}\n");
}

// Each member is written with a comma after it. Closing the object or list removes the last comma.

fn name(out: &mut String, name: &str) {
    escape::fill(out, escape::json, "{}:", &[name]);
}

fn text(out: &mut String, member: &str, text: Option<&str>) {
    name(out, member);
    match text {
        Some(text) => escape::json(out, text),
        None => out.push_str("null"),
    }
    out.push(',');
}

fn number(out: &mut String, member: &str, number: usize) {
    name(out, member);
    out.push_str(&number.to_string());
    out.push(',');
}

fn object(out: &mut String, member: &str, members: &[(&str, Option<&str>)]) {
    begin(out, member, '{');
    for (member, value) in members {
        text(out, member, *value);
    }
    end(out, '}');
}

fn list<'a>(out: &mut String, member: &str, texts: impl Iterator<Item = &'a String>) {
    begin(out, member, '[');
    for text in texts {
        escape::fill(out, escape::json, "{},", &[text]);
    }
    end(out, ']');
}

fn begin(out: &mut String, member: &str, bracket: char) {
    name(out, member);
    out.push(bracket);
}

fn end(out: &mut String, bracket: char) {
    if out.ends_with(',') {
        out.pop();
    }
    out.extend([bracket, ',']);
}
