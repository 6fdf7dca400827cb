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

/// Whether AWS doesn't know the keys, or their signature is wrong.
pub fn is_about_keys(code: &str) -> bool {
    matches!(
        code,
        "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
            | "IncompleteSignature"
            | "MissingAuthenticationToken"
            | "AuthFailure"
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
            ("Throttling", [true, false, false, false]),
            ("TooManyRequestsException", [true, false, false, false]),
            ("ExpiredToken", [false, true, false, false]),
            ("ExpiredTokenException", [false, true, false, false]),
            ("RequestExpired", [false, true, false, false]),
            ("IDPCommunicationError", [false, false, true, false]),
            ("CredentialsUninitialized", [false, false, true, false]),
            ("AccessDenied", [false, false, false, false]),
            ("InvalidClientTokenId", [false, false, false, true]),
            ("AuthFailure", [false, false, false, true]),
            ("SignatureDoesNotMatch", [false, false, false, true]),
            ("InvalidTokenException", [false, false, false, false]),
            ("", [false, false, false, false]),
        ] {
            let found = [
                is_throttling(code),
                is_expired(code),
                is_failure_of_aws(code),
                is_about_keys(code),
            ];
            assert_eq!(found, expected, "{code}");
        }
    }
}
