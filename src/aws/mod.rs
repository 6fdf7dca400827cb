//! What any client of AWS needs: signatures, credentials, endpoints, the time by AWS's clock, and
//! reading XML. Nothing here knows Route 53's operations.

pub mod clock;
pub mod credentials;
pub mod error_code;
pub mod partition;
pub mod signed_call;
pub mod sigv4;
pub mod xml;
