//! Whether all is well, and if not, what is wrong: for the top of the page, and for the browser's tab.

use chrono::{DateTime, Utc};

use super::{age, breakable, clipped, fill, number};
use crate::observe::status::Status;
use crate::observe::status::problems::{Place, Problem};
use crate::observe::status::service_state::ServiceState;

/// Names of one problem that are shown before the reader opens the list.
const SHOWN_NAMES: usize = 4;
/// Names of one problem that the page has; `/status.json` has all.
const MAX_NAMES: usize = 100;

/// What the page says first.
pub struct Verdict {
    /// The state in a few words, for the title.
    pub short: String,
    look: Look,
    /// The state in a sentence.
    sentence: String,
    problems: Vec<Problem>,
}

/// How a verdict looks.
struct Look {
    class: &'static str,
    /// The lines of its icon, in a square of 24.
    icon: &'static str,
    /// Its color in the tab, where pages have no style.
    color: &'static str,
}

const WELL: Look = Look {
    class: "well",
    icon: "M6 12.5l4 4 8-9",
    color: "1a7234",
};
const ILL: Look = Look {
    class: "ill",
    icon: "M12 5.5v8m0 3v2.5",
    color: "b3261e",
};
const STARTING: Look = Look {
    class: "starting",
    icon: "M12 6v6.5l4 2.5",
    color: "57606a",
};

impl Verdict {
    /// The verdict about this; `counts` is how many services are in each state.
    pub fn of(status: &Status, counts: &[usize; ServiceState::ALL.len()]) -> Verdict {
        let problems = status.problems();
        let published = counts[ServiceState::Published as usize];
        let skipped = counts[ServiceState::Skipped as usize];
        let misconfigured = status.desired.misconfigured().count();
        let wanted = counts.iter().sum::<usize>() - skipped + misconfigured;
        let fewer = match status.desired.skipped_containers().count() {
            0 => String::new(),
            1 => " 1 service has containers that don’t count.".to_owned(),
            count => format!(" {count} services have containers that don’t count."),
        };
        let in_zone = match (published, wanted) {
            (_, 0) => "No service asks for a name.".to_owned(),
            (1, 1) => "The one service that asks for a name has it.".to_owned(),
            _ if published == wanted => {
                format!("All {wanted} services that ask for names have them.")
            }
            _ => format!("{published} of {wanted} services that ask for names have them."),
        };
        let (look, short, sentence) = match (problems.len(), status.last_success) {
            (0, None) => (
                STARTING,
                "Starting".to_owned(),
                "Starting: the zone has not been looked at yet.".to_owned(),
            ),
            (0, Some(_)) => (
                WELL,
                "All is well".to_owned(),
                format!("All is well. {in_zone}{fewer}"),
            ),
            (1, _) => (
                ILL,
                "1 problem".to_owned(),
                format!("1 thing needs attention. {in_zone}{fewer}"),
            ),
            (count, _) => (
                ILL,
                format!("{count} problems"),
                format!("{count} things need attention. {in_zone}{fewer}"),
            ),
        };
        Verdict {
            short,
            look,
            sentence,
            problems,
        }
    }

    /// The icon of the browser's tab.
    pub fn icon_of_tab(&self, out: &mut String) {
        let Look { color, icon, .. } = self.look;
        fill(
            out,
            "<link rel=\"icon\" href=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' \
             viewBox='0 0 24 24'%3E%3Ccircle cx='12' cy='12' r='12' fill='%23{}'/%3E%3Cpath d='{}' \
             fill='none' stroke='%23fff' stroke-width='3'/%3E%3C/svg%3E\">\n",
            &[color, icon],
        );
    }

    /// The top of the page.
    pub fn show(&self, out: &mut String, now: DateTime<Utc>) {
        fill(
            out,
            "<section class=\"verdict {}\" aria-labelledby=\"verdict\">\n\
             <svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><circle cx=\"12\" cy=\"12\" r=\"12\"/>\
             <path d=\"{}\"/></svg>\n<div>\n<h2 id=\"verdict\">{}</h2>\n",
            &[self.look.class, self.look.icon, &self.sentence],
        );
        if !self.problems.is_empty() {
            out.push_str("<ul>\n");
            for one in &self.problems {
                problem(out, one, now);
            }
            out.push_str("</ul>\n");
        }
        out.push_str("</div>\n</section>\n");
    }
}

fn problem(out: &mut String, problem: &Problem, now: DateTime<Utc>) {
    fill(out, "<li><p>{}", &[&problem.words]);
    if let Some(until) = problem.until {
        out.push_str(" The first may go ");
        age(out, until, now);
        out.push('.');
    }
    if let Some(place) = problem.place {
        let (fragment, words) = match place {
            Place::Health => ("health", "See what fails"),
            Place::Conflict => ("conflict", "See these services"),
            Place::Refused => ("refused", "See these services"),
            Place::Services => ("services", "See the services"),
        };
        fill(out, " <a href=\"#{}\">{}</a>", &[fragment, words]);
    }
    if let Some(reason) = &problem.reason {
        out.push_str("\n<div class=\"why\">");
        clipped(out, reason);
        out.push_str("</div>");
    }
    if !problem.names.is_empty() {
        names(out, &problem.names);
    }
    out.push('\n');
}

/// The first names are shown, the others when the reader opens the list.
fn names(out: &mut String, names: &[String]) {
    let (shown, rest) = names.split_at(names.len().min(SHOWN_NAMES));
    out.push_str("\n<div class=\"why\">");
    list(out, shown);
    if !rest.is_empty() {
        let count = number(rest.len());
        fill(out, "<details><summary>{} more</summary>\n", &[&count]);
        let named = MAX_NAMES - SHOWN_NAMES;
        list(out, &rest[..rest.len().min(named)]);
        if rest.len() > named {
            let left = number(rest.len() - named);
            fill(
                out,
                " and {} more, which <a href=\"status.json\">status.json</a> has",
                &[&left],
            );
        }
        out.push_str("</details>");
    }
    out.push_str("</div>");
}

fn list(out: &mut String, names: &[String]) {
    for (index, name) in names.iter().enumerate() {
        out.push_str(if index == 0 { "<bdi>" } else { ", <bdi>" });
        breakable(out, name);
        out.push_str("</bdi>");
    }
}
