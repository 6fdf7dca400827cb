//! Path → page: `/status`, `/status.json` and `/metrics`.

use chrono::{DateTime, Utc};

use super::status::page::{Form, Pieces};
use super::status::{Status, html, json, metrics};
use crate::observe::server::PageResponse;

/// The page at a path; none if there is no such path. `status` is called only for a page that
/// needs it.
pub fn answer(
    path: &str,
    status: impl FnOnce() -> Status,
    now: DateTime<Utc>,
) -> Option<PageResponse> {
    let form = match path {
        "/status" => Form::Html,
        "/status.json" => Form::Json,
        "/metrics" => {
            return Some(PageResponse {
                content_type: metrics::CONTENT_TYPE,
                ..PageResponse::text("200 OK", metrics::metrics(&status()))
            });
        }
        _ => return None,
    };
    let mut pieces = Pieces::new(status(), now, form);
    let mut response = PageResponse::text("200 OK", pieces.next().unwrap_or_default());
    response.rest = Some(Box::new(pieces));
    match form {
        Form::Html => {
            response.content_type = html::CONTENT_TYPE;
            response.policy = html::security_policy();
        }
        Form::Json => response.content_type = json::CONTENT_TYPE,
    }
    Some(response)
}
