//! The services: tiles with how many are in each state, and a table.

use super::{fill, heads, name, number};
use crate::desired::ServiceOutcome;
use crate::dns::Member;
use crate::observe::status::service_state::ServiceState;
use crate::observe::status::{MAX_SHOWN_VALUES, Status};
use crate::rancher::model::ServiceKey;

/// Tiles, filter, and the table up to its rows.
pub fn head(out: &mut String, counts: &[usize; ServiceState::ALL.len()]) {
    let all: usize = counts.iter().sum();
    // Where links that filter lead. The style finds out by `:target` which one it was.
    for state in ServiceState::ALL {
        fill(out, "<i class=\"at\" id=\"{}\"></i>", &[state.class()]);
    }
    out.push_str("\n<h2 id=\"services\">Services</h2>\n");
    out.push_str("<nav class=\"tiles\" aria-label=\"Services by state\">\n");
    let tile = "<a class=\"{}\" href=\"#{}\"><b>{}</b> {}</a>\n";
    fill(out, tile, &["all", "services", &number(all), "all"]);
    for (state, count) in ServiceState::ALL.into_iter().zip(*counts) {
        let place = state.class();
        let class = if count == 0 { "zero" } else { place };
        fill(out, tile, &[class, place, &number(count), state.shown()]);
    }
    out.push_str(
        "</nav>\n<div id=\"tools\" role=\"search\" hidden>\n<label>Filter \
         <input type=\"search\" id=\"words\" autocomplete=\"off\"></label>\n\
         <output id=\"shown\"></output>\n</div>\n",
    );
    for (state, count) in ServiceState::ALL.into_iter().zip(*counts) {
        if count == 0 && all > 0 {
            let (class, word) = (state.class(), state.shown());
            let words = match state {
                ServiceState::Skipped => "Every service is to be published.".to_owned(),
                _ => format!("No service is {word}."),
            };
            fill(out, "<p class=\"none {}\">{}\n", &[class, &words]);
        }
    }
    if all == 0 {
        out.push_str("<p>There are no services yet.\n");
    }
    out.push_str("<table id=\"list\" role=table aria-labelledby=\"services\">\n");
    let columns = [
        ("w4", "Service"),
        ("w1", "State"),
        ("w5", "Names"),
        ("w2", "Addresses"),
        ("", "Reason"),
    ];
    heads(out, &columns);
}

/// A service's row.
pub fn service(
    out: &mut String,
    status: &Status,
    (key, outcome): (&ServiceKey, &ServiceOutcome),
    state: ServiceState,
) {
    fill(
        out,
        "<tr\nclass=\"{}\" role=row><th scope=\"row\" role=rowheader><bdi>{}</bdi>/<wbr><bdi>{}</bdi>\
         <td class=\"state\" role=cell>{}<td role=cell>",
        &[state.class(), &key.stack, &key.service, state.shown()],
    );
    names(out, status, outcome);
    out.push_str("<td role=cell>");
    if let Ok(name) = &outcome.name {
        addresses(out, status, &outcome.member(name));
    }
    fill(out, "<td role=cell>{}", &[&status.reason(outcome, state)]);
}

/// A service's names: the one that Rancher shows, then the others; many of them when the reader opens
/// the list. Only those that are ours are links.
fn names(out: &mut String, status: &Status, outcome: &ServiceOutcome) {
    let is_long = outcome.more_names.len() > MAX_SHOWN_VALUES;
    for (index, one) in outcome.names().enumerate() {
        match index {
            0 => {}
            1 if is_long => {
                let rest = number(outcome.more_names.len());
                fill(out, "\n<details><summary>{} more</summary>\n", &[&rest]);
            }
            _ => out.push_str("<br>\n"),
        }
        let text = &*one.without_dot();
        // A wildcard, or a name with escapes in it, isn't a host's name.
        let is_link = status.is_ours(&outcome.member(one)) && !text.contains(['*', '\\']);
        match is_link {
            true => fill(out, "<a href=\"http://{}/\">", &[text]),
            false => out.push_str("<bdi>"),
        }
        name(out, one);
        out.push_str(if is_link { "</a>" } else { "</bdi>" });
    }
    if is_long {
        out.push_str("</details>");
    }
}

/// A service's addresses, or what else it answers under its name: the first few are shown, the others
/// when the reader opens the list.
fn addresses(out: &mut String, status: &Status, member: &Member) {
    let answers = status.answers(member);
    let count = answers.len();
    let is_long = count > MAX_SHOWN_VALUES;
    for (index, value) in answers.iter().enumerate() {
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
