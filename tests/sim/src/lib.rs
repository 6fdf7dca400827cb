//! A simulated Rancher and a simulated Route 53, written once for the tests, the benchmark
//! and the demo of rancher-route53.
//!
//! Nothing here uses code of rancher-route53 itself: what judges the program must not share
//! its mistakes.

pub mod credentials;
pub mod forerunner;
pub mod free_port;
pub mod harness;
pub mod http;
pub mod listening;
pub mod lock;
pub mod name_server;
pub mod pipe;
pub mod port;
pub mod proxy;
pub mod rancher;
pub mod route53;
pub mod service;
pub mod terminal;
pub mod tls;
