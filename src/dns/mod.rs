//! The vocabulary of the core: names, record sets, zones. Whatever has become one of these types
//! is canonical and within the DNS's own limits.

pub mod name;
pub mod record_change;
pub mod record_set;
pub mod txt;
pub mod zone;

pub use name::{Name, NameError};
pub use record_set::{RecordKey, RecordSet, RecordType};
pub use zone::{ChangeBatch, Zone};
