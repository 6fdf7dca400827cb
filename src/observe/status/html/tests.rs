//! The page's markup: what is said of changes and of times, and for whom.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use std::time::Instant;

use super::super::tests::{ago, busy, empty, now, page, set};
use crate::base::dependency::Dependency;
use crate::dns::{ChangeBatch, RecordType};
use crate::observe::pages::Pages;
use crate::observe::routes::answer;

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
        assert!(tags.len() >= 3, "{tag}");
        for attributes in tags {
            let has = |role: &&str| attributes.split(' ').any(|a| a == format!("role={role}"));
            assert!(roles.iter().any(has), "{tag}: {attributes}");
        }
    }
}

/// The rows of a table's body, from the heading above it on.
fn rows(text: &str, heading: &str) -> Vec<String> {
    let (_, rest) = text.split_once(&format!("<h2>{heading}</h2>")).unwrap();
    let (_, rest) = rest.split_once("<tbody role=rowgroup>").unwrap();
    let (body, _) = rest.split_once("</table>").unwrap();
    let rows = body.split("<tr").skip(1);
    rows.map(|row| row.split_once('>').unwrap().1.trim().to_owned())
        .collect()
}

fn time(shown: &str) -> String {
    let [exact, age] = shown.split(" / ").collect::<Vec<_>>()[..] else {
        panic!("a time and an age: {shown}");
    };
    let (day, clock) = exact.split_once(' ').unwrap();
    let day_shown = match day {
        "2026-01-02" => "",
        _ => &format!("{day} "),
    };
    format!(
        "<time datetime=\"{day}T{clock}Z\">{day_shown}{clock} UTC</time> \
         <span class=\"age\">{age} ago</span>"
    )
}

#[test]
fn changes_are_told_the_newest_first_with_what_was_before() {
    let mut status = empty();
    assert_eq!(
        rows(&page("/status", &status).1, "Changes"),
        ["<td colspan=\"5\" role=cell>none yet"]
    );
    let v4 = |ip| set("web.example.com", RecordType::A, &[ip]);
    let v6 = set("web.example.com", RecordType::Aaaa, &["2001:db8::1"]);
    for (deletes, creates, seconds) in [
        (vec![], vec![v4("192.0.2.1")], 200_000),
        (vec![v4("192.0.2.1")], vec![v4("192.0.2.2")], 7_300),
        (vec![v6], vec![], 119),
    ] {
        let batch = ChangeBatch { deletes, creates };
        status.changed(&batch, |_| false, ago(seconds));
    }
    let row = |action, at, from, to| {
        let at = time(at);
        format!(
            "<th scope=\"row\" role=rowheader><bdi>web.example.com</bdi><td role=cell>{action}\
             <td role=cell>{at}<td role=cell>{from}<td role=cell>{to}"
        )
    };
    assert_eq!(
        rows(&page("/status", &status).1, "Changes"),
        [
            row(
                "deleted AAAA",
                "2026-01-02 03:02:06 / 119 s",
                "2001:db8::1, TTL 300",
                ""
            ),
            row(
                "changed A",
                "2026-01-02 01:02:25 / 2 h",
                "192.0.2.1, TTL 300",
                "192.0.2.2, TTL 300"
            ),
            row(
                "created A",
                "2025-12-30 19:30:45 / 2 days",
                "",
                "192.0.2.1, TTL 300"
            ),
        ]
    );
}

#[test]
fn of_each_part_it_is_told_since_when_it_is_so_and_what_the_last_error_was() {
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
    let row = |part: Dependency, state, rest| {
        format!(
            "<th scope=\"row\" role=rowheader>{}<td class=\"state\" role=cell>{state}\
             <td role=cell>{rest}",
            part.title()
        )
    };
    let now = "<time datetime=\"2026-01-02T03:04:05Z\">03:04:05 UTC</time>";
    let since = time("2026-01-02 03:03:05 / 60 s");
    let gone = time("2026-01-02 03:02:04 / 2 min");
    let failing = time("2025-12-31 23:17:25 / 27 h");
    let last = time("2026-01-02 02:04:06 / 59 min");
    assert_eq!(
        rows(&page("/status", &status).1, "Health"),
        [
            row(
                Dependency::Metadata,
                "works",
                format!("{now}<td role=cell>")
            ),
            row(
                Dependency::Api,
                "works",
                format!("{since}<td role=cell>gone {gone}")
            ),
            row(
                Dependency::Route53,
                "fails",
                format!("{failing}<td role=cell>last {last}")
            ),
            row(
                Dependency::Credentials,
                "not needed",
                "<td role=cell>".to_owned()
            ),
            row(
                Dependency::Rounds,
                "not needed",
                "<td role=cell>".to_owned()
            ),
        ]
    );
}

#[test]
fn nothing_from_outside_is_markup_on_the_page() {
    let (_, text) = page("/status", &busy());
    for harmless in [
        "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>/<bdi>\\u{202e}&quot;&#39;&amp;\\u{a}</bdi>",
        "<bdi>Prod &lt;i&gt;</bdi>",
        "(state &quot;&lt;/td&gt;&quot;)",
        "&lt;Throttling&gt;",
        "<bdi>*.example.com</bdi>",
        concat!("<dd>", env!("CARGO_PKG_VERSION"), " (3e4ffb7abcde)</div>"),
        "<a href=\"http://web.example.com/\">web.example.com</a>",
    ] {
        assert!(text.contains(harmless), "{harmless} in {text}");
    }
    for harmful in [
        "<script>alert",
        "<i>",
        "<b>",
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
