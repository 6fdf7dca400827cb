//! The only way to other hosts: HTTP requests with name resolution, proxies and TLS.

pub mod basic_auth;
pub mod http;
pub mod proxy;
pub mod resolver;
pub mod tls;
pub mod url;
