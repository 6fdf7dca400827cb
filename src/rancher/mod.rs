//! Rancher's side: what its metadata says, and the write-back of names through its API.

pub mod api;
mod json_list;
pub mod labels;
mod lenient;
pub mod metadata;
pub mod model;
