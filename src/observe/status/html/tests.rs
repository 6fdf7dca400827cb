//! The page's markup: what is said of changes and of times, and for whom.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use std::sync::Arc;
use std::time::Instant;

use super::super::tests::{ago, busy, empty, now, page, set};
use crate::base::dependency::Dependency;
use crate::dns::{ChangeBatch, RecordType};
use crate::observe::pages::Pages;
use crate::observe::routes::answer;
use crate::observe::status::Status;

/// On a narrow screen the tables are laid out as blocks, and some browsers then tell a screen
/// reader no longer that they are tables.
#[test]
fn tables_say_that_they_are_however_they_are_laid_out() {
    let (_, text) = page("/status", &busy());
    for (tag, roles) in [
        ("table", &["table"][..]),
        ("thead", &["rowgroup"]),
        ("tbody", &["rowgroup"]),
        ("tr", &["row"]),
        ("th", &["rowheader", "columnheader"]),
        ("td", &["cell"]),
    ] {
        let tags: Vec<&str> = text
            .split(&format!("<{tag}"))
            .skip(1)
            .filter(|rest| rest.starts_with([' ', '\n', '>']))
            .filter_map(|rest| rest.split('>').next())
            .collect();
        assert!(!tags.is_empty(), "{tag}");
        for attributes in tags {
            let has = |role: &&str| attributes.split(' ').any(|a| a == format!("role={role}"));
            assert!(roles.iter().any(has), "{tag}: {attributes}");
        }
    }
}

/// What is between a heading and the next one.
fn section(text: &str, id: &str) -> String {
    let (_, rest) = text.split_once(&format!("<h2 id=\"{id}\">")).unwrap();
    let (_, rest) = rest.split_once("</h2>\n").unwrap();
    rest.split("<h2").next().unwrap().trim_end().to_owned()
}

fn lines(text: &str, id: &str) -> Vec<String> {
    section(text, id).lines().map(str::to_owned).collect()
}

fn time(clock: &str, age: &str) -> String {
    let exact = clock.replace(' ', "T");
    format!("<time datetime=\"{exact}Z\" title=\"{clock} UTC\">{age}</time>")
}

#[test]
fn times_are_ages_with_the_clock_beside() {
    for (seconds, clock, words) in [
        (0, "2026-01-02 03:04:05", "now"),
        (1, "2026-01-02 03:04:04", "1 s ago"),
        (119, "2026-01-02 03:02:06", "119 s ago"),
        (120, "2026-01-02 03:02:05", "2 min ago"),
        (7_199, "2026-01-02 01:04:06", "119 min ago"),
        (7_200, "2026-01-02 01:04:05", "2 h ago"),
        (172_799, "2025-12-31 03:04:06", "47 h ago"),
        (172_800, "2025-12-31 03:04:05", "2 days ago"),
        (-30, "2026-01-02 03:04:35", "in 30 s"),
        (-180, "2026-01-02 03:07:05", "in 3 min"),
    ] {
        let mut out = String::new();
        super::age(&mut out, ago(seconds), now());
        assert_eq!(out, time(clock, words), "{seconds}");
    }
}

#[test]
fn changes_are_told_the_newest_first_with_what_was_before() {
    let mut status = empty();
    let started = time("2026-01-01 03:04:05", "24 h ago");
    assert_eq!(
        lines(&page("/status", &status).1, "changes")[0],
        format!("<p class=\"changes\">None since the program started, {started}.")
    );
    let v4 = |ip| set("web.example.com", RecordType::A, &[ip]);
    let v6 = set("web.example.com", RecordType::Aaaa, &["2001:db8::1"]);
    for (deletes, creates, seconds) in [
        (vec![], vec![v4("192.0.2.1")], 200_000),
        (vec![v4("192.0.2.1")], vec![v4("192.0.2.2")], 7_300),
        (vec![v6], vec![], 119),
        (vec![v4("192.0.2.2")], vec![], 1),
    ] {
        let batch = ChangeBatch { deletes, creates };
        status.changed(&batch, |_| false, ago(seconds));
    }
    let line = |at, what, values| {
        format!("<li>{at} <b>{what}</b> <bdi>web.<wbr>example.<wbr>com</bdi> <span>{values}</span>")
    };
    assert_eq!(
        lines(&page("/status", &status).1, "changes")[..9],
        [
            "<ul class=\"changes\">".to_owned(),
            line(
                time("2026-01-02 03:04:04", "1 s ago"),
                "deleted A",
                "which had 192.0.2.2, TTL 300"
            ),
            line(
                time("2026-01-02 03:02:06", "119 s ago"),
                "deleted AAAA",
                "which had 2001:db8::1, TTL 300"
            ),
            line(
                time("2026-01-02 01:02:25", "2 h ago"),
                "changed A",
                "from 192.0.2.1, TTL 300 to 192.0.2.2, TTL 300"
            ),
            "</ul>".to_owned(),
            "<details class=\"more\"><summary>1 more changes</summary>".to_owned(),
            "<ul class=\"changes\">".to_owned(),
            line(
                time("2025-12-30 19:30:45", "2 days ago"),
                "created A",
                "with 192.0.2.1, TTL 300"
            ),
            "</ul>".to_owned(),
        ]
    );
}

#[test]
fn what_fails_is_opened_and_what_works_is_a_word() {
    let mut status = empty();
    status
        .record
        .health_mut(Dependency::Metadata)
        .record_success(ago(0));
    let route53 = status.record.health_mut(Dependency::Route53);
    route53.record_failure("first".to_owned(), ago(100_000));
    route53.record_failure("last".to_owned(), ago(3_599));
    let api = status.record.health_mut(Dependency::Api);
    api.record_failure("gone".to_owned(), ago(121));
    api.record_success(ago(60));
    let credentials = status.record.health_mut(Dependency::Credentials);
    credentials.record_failure("none".to_owned(), ago(5));
    credentials.record_not_needed(ago(4));
    let since = time("2026-01-02 03:03:05", "60 s ago");
    let gone = time("2026-01-02 03:02:04", "2 min ago");
    let failing = time("2025-12-31 23:17:25", "27 h ago");
    let last = time("2026-01-02 02:04:06", "59 min ago");
    let idle = time("2026-01-02 03:04:01", "4 s ago");
    let none = time("2026-01-02 03:04:00", "5 s ago");
    assert_eq!(
        section(&page("/status", &status).1, "health"),
        format!(
            "<ul class=\"chips\">\n\
             <li class=\"works\"><span>Rancher’s metadata <b>works</b></span>\n\
             <li class=\"works\"><details><summary>Rancher’s API <b>works</b></summary>\n\
             <p>It began to work {since}. The last error, {gone}: gone</details>\n\
             <li class=\"fails\"><details open><summary>Route 53 <b>fails</b></summary>\n\
             <p>It began to fail {failing}. The last error, {last}: last</details>\n\
             <li class=\"unknown\"><details><summary>AWS credentials <b>not needed now</b></summary>\n\
             <p>It was no longer needed {idle}. The last error, {none}: none</details>\n\
             <li class=\"unknown\"><span>Updates of the zone <b>not asked yet</b></span>\n\
             </ul>"
        )
    );
}

/// Rancher's API is asked only if a name has to be written back.
#[test]
fn what_is_not_needed_is_not_said_to_be_asked_yet() {
    let shown = |status: &Status| {
        let section = section(&page("/status", status).1, "health");
        let (_, rest) = section.split_once("Rancher’s API <b>").unwrap();
        rest.split_once("</b>").unwrap().0.to_owned()
    };
    let mut status = empty();
    assert_eq!(shown(&status), "not asked yet");
    status.last_success = Some(ago(1));
    assert_eq!(shown(&status), "not needed now");
    status.fqdns_waiting = 1;
    assert_eq!(shown(&status), "not asked yet");
    status.writes_back = false;
    assert_eq!(shown(&status), "not needed now");
}

/// Each problem has its reason, the names that it concerns, and a way to them; the tab says it too.
#[test]
fn the_verdict_says_what_is_wrong_and_where() {
    let (_, text) = page("/status", &busy());
    let (_, verdict) = text.split_once("<section class=\"verdict ill\"").unwrap();
    let (verdict, _) = verdict.split_once("</section>").unwrap();
    assert!(text.contains("<title>4 problems – Prod &lt;i&gt; in example.com</title>"));
    assert!(text.contains("fill='%23b3261e'"), "a red icon in the tab");
    let held = time("2026-01-02 03:04:35", "in 30 s");
    for words in [
        ">4 things need attention. 2 of 5 services that ask for names have them. 1 service has \
         containers that don’t count.</h2>",
        "<p>Calls to Route 53 fail. <a href=\"#health\">See what fails</a>\n\
         <div class=\"why\">&lt;Throttling&gt;</div>",
        &format!(
            "(DELETE_GUARD_HOLD). If the services still run, stop rancher-route53 now. The first may \
             go {held}."
        ),
        "<bdi>gone04.<wbr>example.<wbr>com A</bdi><details><summary>8 more</summary>\n<bdi>gone05.",
        "zone: 1. The services say why. <a href=\"#conflict\">See these services</a>\n\
         <div class=\"why\"><bdi>taken.<wbr>example.<wbr>com A</bdi></div>",
        "<a href=\"#refused\">See these services</a>\n\
         <div class=\"why\"><bdi>bad.<wbr>example.<wbr>com A</bdi></div>",
    ] {
        assert!(verdict.contains(words), "{words} in {verdict}");
    }
}

#[test]
fn a_list_without_end_is_cut_where_it_is_said() {
    let mut status = busy();
    let (held, _) = status.held.as_mut().unwrap();
    held.keys = vec![held.keys[0].clone(); 103];
    let (_, text) = page("/status", &status);
    assert!(text.contains("<summary>99 more</summary>"));
    assert_eq!(text.matches("gone01.").count(), 100);
    assert!(text.contains(" and 3 more, which <a href=\"status.json\">"));
}

/// Those that somebody should look at, the worst first; then the others, all once.
#[test]
fn services_with_a_problem_stand_first() {
    let (_, text) = page("/status", &busy());
    let (_, rows) = text.split_once("<tbody role=rowgroup>").unwrap();
    let names: Vec<&str> = rows
        .split("</bdi>/<wbr><bdi>")
        .skip(1)
        .map(|rest| rest.split_once("</bdi>").unwrap().0)
        .collect();
    let odd = "\\u{202e}&quot;&#39;&amp;\\u{a}";
    let expected = ["taken", "bad", "new", "any", "web", odd, "hidden"];
    assert_eq!(names, expected);
}

#[test]
fn tiles_lead_to_the_services_in_a_state() {
    let (_, text) = page("/status", &busy());
    for (class, state, count) in [
        ("published", "published", 2),
        ("waiting", "waiting", 1),
        ("conflict", "conflict", 1),
        ("refused", "refused", 1),
        ("skipped", "not published", 2),
    ] {
        let tile = format!("<a class=\"{class}\" href=\"#{class}\"><b>{count}</b> {state}</a>");
        assert!(text.contains(&tile), "{tile} in {text}");
        assert!(text.contains(&format!("<i class=\"at\" id=\"{class}\">")));
        assert!(!text.contains(&format!("<p class=\"none {class}\">")));
        assert!(text.contains(&format!("<td class=\"state\" role=cell>{state}<td")));
        assert_eq!(
            text.matches(&format!("<tr\nclass=\"{class}\"")).count(),
            count
        );
    }
    let mut status = busy();
    status.quarantined = Default::default();
    let desired = Arc::make_mut(&mut status.desired);
    desired.services.retain(|_, outcome| outcome.name.is_ok());
    let (_, text) = page("/status", &status);
    assert!(text.contains("<p class=\"none refused\">No service is refused."));
    assert!(text.contains("<p class=\"none skipped\">Every service is to be published."));
    assert!(text.contains("<a class=\"zero\" href=\"#refused\"><b>0</b> refused</a>"));
}

#[test]
fn only_names_that_are_ours_are_links() {
    let (_, text) = page("/status", &busy());
    assert_eq!(text.matches("<a href=\"http://").count(), 1);
    assert!(text.contains("<a href=\"http://web.example.com/\">"));
    assert!(text.contains("<td role=cell><bdi>taken.<wbr>example.<wbr>com</bdi>"));
    assert!(text.contains("the zone has CNAME elsewhere.example.org., TTL 60"));
}

#[test]
fn nothing_from_outside_is_markup_on_the_page() {
    let (_, text) = page("/status", &busy());
    for harmless in [
        "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>/<wbr><bdi>\\u{202e}&quot;&#39;&amp;\\u{a}</bdi>",
        "<bdi>Prod &lt;i&gt;</bdi>",
        "(state &quot;&lt;/td&gt;&quot;)",
        "&lt;Throttling&gt;",
        "<bdi>*.<wbr>example.<wbr>com</bdi>",
        concat!("<dd>", env!("CARGO_PKG_VERSION"), " (3e4ffb7abcde)</div>"),
        "<a href=\"http://web.example.com/\">web.<wbr>example.<wbr>com</a>",
    ] {
        assert!(text.contains(harmless), "{harmless} in {text}");
    }
    for harmful in [
        "<script>alert",
        "<i>",
        "&quot;<b>",
        "</td>",
        "<Throttling",
        "\u{202e}",
    ] {
        assert!(!text.contains(harmful), "{harmful}");
    }
    assert_eq!(text.matches("<script").count(), 1);
}

#[test]
fn the_browser_runs_this_style_and_script_and_nothing_else() {
    let (policy, text) = page("/status", &busy());
    for (start, end, directive) in [
        ("<style>", "</style>", "style-src"),
        ("<script>", "</script>", "script-src"),
    ] {
        let inline = text.split_once(start).unwrap().1.split_once(end).unwrap().0;
        let hash = STANDARD.encode(Sha256::digest(inline));
        let allowed = format!("{directive} 'sha256-{hash}';");
        assert!(policy.contains(&allowed), "{allowed} in {policy}");
    }
    assert!(policy.contains("default-src 'none';"));
    assert!(!text.contains(" style=") && !text.contains(" onclick="));
    for path in ["/", "/status/", "/statusx", "/metrics.json", ""] {
        assert!(
            answer(path, &Pages::default(), Instant::now(), now(), &empty).is_none(),
            "{path}"
        );
    }
}
