//! Misbehaviour on demand: what the network and the service may do to a request, and the queue
//! of what is to happen next.

use super::error::ApiError;
use super::service::Operation;
use std::time::Duration;

/// What happens to a request that is signed properly and meant for an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The connection closes without an answer; nothing is applied.
    DropBefore,
    /// Applied; then the connection closes without an answer.
    DropAfter,
    /// Applied; only this many bytes of the answer's body arrive.
    CutAfter(usize),
    /// Applied; 200 with bytes that are no XML.
    Garbled,
    /// Not applied: an `ErrorResponse`, `InternalFailure` for 500, `ServiceUnavailable` for 503.
    Status(u16),
    /// The same answer, but applied.
    StatusAfter(u16),
    /// Not applied: a page of HTML with this status, as gateways and captive portals answer.
    Page(u16),
    /// Not applied: this error.
    Error {
        status: u16,
        code: String,
        message: String,
    },
    /// Not applied: `Throttling`.
    Throttle,
    /// Not applied: `PriorRequestNotComplete`.
    PriorRequestNotComplete,
    /// Not applied; silence this long, then the connection closes.
    Hang(Duration),
    /// Handled at once, answered this much later.
    Delay(Duration),
    /// Handled; the answer is well-formed, and padded to this many bytes of body at least.
    HugeBody(usize),
}

impl Fault {
    /// Whether what was asked for is not done.
    pub fn prevents(&self) -> bool {
        match self {
            Fault::DropBefore
            | Fault::Status(_)
            | Fault::Page(_)
            | Fault::Error { .. }
            | Fault::Throttle
            | Fault::PriorRequestNotComplete
            | Fault::Hang(_) => true,
            Fault::DropAfter
            | Fault::CutAfter(_)
            | Fault::Garbled
            | Fault::StatusAfter(_)
            | Fault::Delay(_)
            | Fault::HugeBody(_) => false,
        }
    }

    /// The error that stands instead of the result, if that is what this fault answers.
    pub fn refusal(&self, operation: Operation) -> Option<ApiError> {
        match self {
            Fault::Status(status) => Some(server_error(*status)),
            Fault::Error {
                status,
                code,
                message,
            } => Some(ApiError::new(*status, code, message.clone())),
            Fault::Throttle => Some(ApiError::throttling(&format!(
                "Rate for operation {} exceeded",
                operation.name()
            ))),
            Fault::PriorRequestNotComplete => Some(ApiError::prior_request_not_complete()),
            _ => None,
        }
    }
}

/// What AWS says with a status of its own fault.
pub fn server_error(status: u16) -> ApiError {
    if status == 503 {
        return ApiError::new(
            status,
            "ServiceUnavailable",
            "The request has failed due to a temporary failure of the server.",
        );
    }
    ApiError::new(
        status,
        "InternalFailure",
        "The request processing has failed because of an unknown error, exception or failure.",
    )
}

/// The faults still to come, first in, first out for each operation.
#[derive(Debug, Default)]
pub struct Faults {
    queue: Vec<(Option<Operation>, Fault, usize)>,
}

impl Faults {
    /// For the next so many requests, of this operation or of any.
    pub fn inject(&mut self, operation: Option<Operation>, fault: Fault, times: usize) {
        if times > 0 {
            self.queue.push((operation, fault, times));
        }
    }

    pub fn clear(&mut self) {
        self.queue.clear();
    }

    /// The fault that this request meets, if any; it is then used up.
    pub fn next(&mut self, operation: Operation) -> Option<Fault> {
        let meets = |of: &Option<Operation>| of.is_none_or(|of| of == operation);
        let index = self.queue.iter().position(|(of, _, _)| meets(of))?;
        let (_, fault, left) = &mut self.queue[index];
        *left -= 1;
        let fault = fault.clone();
        if *left == 0 {
            self.queue.remove(index);
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_in_order_and_only_to_their_operation() {
        let (list, change) = (
            Operation::ListResourceRecordSets,
            Operation::ChangeResourceRecordSets,
        );
        let mut faults = Faults::default();
        faults.inject(Some(change), Fault::DropAfter, 1);
        faults.inject(None, Fault::Throttle, 2);
        faults.inject(None, Fault::Garbled, 0);
        assert_eq!(faults.next(list), Some(Fault::Throttle));
        assert_eq!(faults.next(change), Some(Fault::DropAfter));
        assert_eq!(faults.next(change), Some(Fault::Throttle));
        assert_eq!(faults.next(change), None);
    }
}
