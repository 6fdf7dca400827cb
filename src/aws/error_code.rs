//! What AWS's error codes say, for all of its services alike: whether an error is over by itself
//! after some time, or stays until the operator does something. Pure.

/// AWS got the request too long after it was signed, or when its credentials had expired.
pub const REQUEST_EXPIRED: &str = "RequestExpired";

/// Whether AWS got too many requests lately.
pub fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "RequestLimitExceeded"
            | "TooManyRequestsException"
    )
}

/// Whether credentials or a token have expired, or the request that was signed with them. Whoever
/// gave them may have newer ones.
pub fn is_expired(code: &str) -> bool {
    matches!(
        code,
        "ExpiredToken" | "ExpiredTokenException" | REQUEST_EXPIRED
    )
}

/// Whether AWS failed itself, or could not reach somebody whom it has to ask. The codes come with
/// whatever status, since servers between AWS and this program pass them on.
pub fn is_failure_of_aws(code: &str) -> bool {
    matches!(
        code,
        "InternalFailure"
            | "InternalError"
            | "InternalServerError"
            | "InternalServerException"
            | "ServiceUnavailable"
            | "ServiceUnavailableException"
            | "IDPCommunicationError"
            | "CredentialsUninitialized"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_of_one_kind_or_of_none() {
        for (code, expected) in [
            ("Throttling", [true, false, false]),
            ("TooManyRequestsException", [true, false, false]),
            ("ExpiredToken", [false, true, false]),
            ("ExpiredTokenException", [false, true, false]),
            ("RequestExpired", [false, true, false]),
            ("IDPCommunicationError", [false, false, true]),
            ("CredentialsUninitialized", [false, false, true]),
            ("AccessDenied", [false, false, false]),
            ("InvalidClientTokenId", [false, false, false]),
            ("InvalidTokenException", [false, false, false]),
            ("", [false, false, false]),
        ] {
            let found = [
                is_throttling(code),
                is_expired(code),
                is_failure_of_aws(code),
            ];
            assert_eq!(found, expected, "{code}");
        }
    }
}
