//! Amazon Route 53's API: requests and answers, errors, and the client that does the I/O.

pub mod client;
pub mod error;
pub mod xml;
