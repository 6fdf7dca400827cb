//! A refusal: the HTTP status, AWS's error code and what it says.

use super::NoHealthCheck;

/// What the service answers instead of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub status: u16,
    pub code: String,
    /// One for most errors; `InvalidChangeBatch` has one for each fault found.
    pub messages: Vec<String>,
}

impl ApiError {
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> ApiError {
        ApiError {
            status,
            code: code.to_owned(),
            messages: vec![message.into()],
        }
    }

    pub fn invalid_input(message: impl Into<String>) -> ApiError {
        ApiError::new(400, "InvalidInput", message)
    }

    pub fn invalid_change_batch(messages: Vec<String>) -> ApiError {
        ApiError {
            status: 400,
            code: "InvalidChangeBatch".to_owned(),
            messages,
        }
    }

    pub fn no_such_hosted_zone(id: &str) -> ApiError {
        ApiError::new(
            404,
            "NoSuchHostedZone",
            format!("No hosted zone found with ID: {id}"),
        )
    }

    pub fn no_such_health_check(id: &str, form: NoHealthCheck) -> ApiError {
        let message = format!("A health check with id {id} does not exist.");
        match form {
            NoHealthCheck::InBatch => ApiError::invalid_change_batch(vec![message]),
            NoHealthCheck::Named => ApiError::new(404, "NoSuchHealthCheck", message),
            NoHealthCheck::Unnamed => ApiError::new(
                404,
                "NoSuchHealthCheck",
                "No health check exists with the specified ID.",
            ),
        }
    }

    pub fn throttling(message: &str) -> ApiError {
        ApiError::new(400, "Throttling", message)
    }

    pub fn prior_request_not_complete() -> ApiError {
        ApiError::new(
            400,
            "PriorRequestNotComplete",
            "The request was rejected because Route 53 was still processing a prior request.",
        )
    }
}
