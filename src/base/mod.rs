//! Small tools that every other folder may use. Nothing here knows of DNS, Rancher or AWS.

pub mod backoff;
pub mod brackets;
pub mod counters;
pub mod dependency;
pub mod heartbeat;
pub mod identifiers;
pub mod ip_address;
pub mod lock;
pub mod log;
pub mod output_queue;
pub mod percent;
pub mod random;
pub mod recorder;
pub mod redactor;
pub mod secret;
pub mod shutdown;
pub mod sorted;
pub mod text;
pub mod threads;
pub mod token_bucket;
pub mod version;
