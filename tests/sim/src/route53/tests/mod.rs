//! What the simulated Route 53 must do to be believed, part by part.

mod auth;
mod batch;
mod client;
mod request;
mod service;
