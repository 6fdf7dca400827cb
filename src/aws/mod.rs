//! What any AWS client needs: signatures, credentials, endpoints, rates and retries.

pub mod partition;
pub mod rate;
pub mod retry;
pub mod sigv4;
