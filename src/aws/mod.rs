//! What any AWS client needs: signatures, credentials, endpoints, time, rates and retries.

pub mod clock;
pub mod credentials;
pub mod partition;
pub mod signed_call;
pub mod sigv4;
pub mod xml;
