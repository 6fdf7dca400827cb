//! Rancher's side: what its metadata says, and the write-back of names through its API.

pub mod api;
mod elements;
pub mod labels;
pub mod metadata;
pub mod snapshot;
mod tolerant;
pub mod writeback;
