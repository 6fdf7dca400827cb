//! Clients of Rancher 1.x: the metadata server, which says what runs in the environment, and the
//! API, through which names of services are written back.

pub mod api;
mod json_list;
pub mod labels;
mod lenient;
pub mod metadata;
pub mod model;
