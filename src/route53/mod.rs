//! Amazon Route 53's API: its operations (`client`), how a call is made (`caller`), how fast (`limits`),
//! requests and answers (`xml`), errors.

pub mod caller;
pub mod client;
pub mod error;
pub mod limits;
pub mod xml;
