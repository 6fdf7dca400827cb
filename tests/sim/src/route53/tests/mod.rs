//! What the simulated Route 53 must do to be believed, part by part.

mod account;
mod alias;
mod auth;
mod batch;
mod case;
mod client;
mod elements;
mod every_kind;
mod listing;
mod request;
mod routing;
mod service;
