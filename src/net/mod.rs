//! The one way to the network.

pub mod http;
pub mod proxy;
pub mod resolver;
pub mod tls;
pub mod url;
