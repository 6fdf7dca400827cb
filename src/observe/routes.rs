//! Path → page: `/status`, `/status.json` and `/metrics`.

use std::time::Instant;

use chrono::{DateTime, Utc};

use super::pages::{Pages, Source};
use super::status::page::{self, Form};
use super::status::{Status, html, json, metrics};
use crate::observe::server::PageResponse;

/// The page at a path; none if there is no such path. It is one of `pages` if that is fresh enough.
/// `status` is called only for a page that is made anew. Both `now` and `time` are the present.
pub fn answer(
    path: &str,
    pages: &Pages,
    now: Instant,
    time: DateTime<Utc>,
    status: &dyn Fn() -> Status,
) -> Option<PageResponse> {
    let source = |form| -> Source { Box::new(page::Pieces::new(status(), time, form)) };
    let mut response = PageResponse::text("200 OK", "");
    let page = match path {
        "/status" => {
            response.content_type = html::CONTENT_TYPE;
            response.policy = html::security_policy();
            pages.html.get(now, || source(Form::Html))
        }
        "/status.json" => {
            response.content_type = json::CONTENT_TYPE;
            pages.json.get(now, || source(Form::Json))
        }
        "/metrics" => {
            response.content_type = metrics::CONTENT_TYPE;
            let page = pages.metrics.get(now, || {
                let status = status();
                Box::new(std::iter::once_with(move || metrics::metrics(&status)))
            });
            response.body = page.pieces().map(|piece| piece.to_string()).collect();
            return Some(response);
        }
        _ => return None,
    };
    response.rest = Some(Box::new(page.pieces()));
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::pages::FRESH;
    use crate::observe::server::{Asked, respond};
    use crate::observe::status::tests::{busy, now as time};
    use std::cell::Cell;

    /// The body of an answer, and its head.
    fn ask(
        request: &str,
        pages: &Pages,
        now: Instant,
        status: &dyn Fn() -> Status,
    ) -> (String, String) {
        let route = |asked: &Asked<'_>| answer(&asked.path, pages, now, time(), status).unwrap();
        let answer = respond(request.as_bytes(), &route).unwrap();
        let text = String::from_utf8(answer.bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let rest = answer.rest.into_iter().flatten();
        let rest: String = rest.map(|piece| piece.to_string()).collect();
        (body.to_owned() + &rest, head.to_owned())
    }

    #[test]
    fn each_page_is_made_once_a_second_for_get_and_head_together() {
        let (pages, start) = (Pages::default(), Instant::now());
        for path in ["/status", "/status.json", "/metrics"] {
            let made = Cell::new(0);
            let status = || {
                made.set(made.get() + 1);
                busy()
            };
            let ask = |method: &str, now| {
                let request = format!("{method} {path}?{} HTTP/1.0\r\n\r\n", made.get());
                ask(&request, &pages, now, &status)
            };
            let (body, head) = ask("GET", start);
            for _ in 0..100 {
                assert_eq!(ask("GET", start), (body.clone(), head.clone()), "{path}");
                assert_eq!(ask("HEAD", start), (String::new(), head.clone()), "{path}");
            }
            assert_eq!(made.get(), 1, "{path}");
            let later = start + FRESH;
            for _ in 0..100 {
                ask("HEAD", later);
                ask("GET", later);
            }
            assert_eq!(made.get(), 2, "{path}");
        }
    }
}
