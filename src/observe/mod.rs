//! What an outsider may see, and how it is asked for: health checks, metrics and the status page.

pub mod pages;
pub mod routes;
pub mod server;
pub mod status;
pub mod telemetry;
