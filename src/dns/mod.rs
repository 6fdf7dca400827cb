//! Domain names, record sets and hosted zones, as Route 53 has them.
//!
//! Texts from settings, Rancher and Route 53 go in. Values of these types come out: names are in
//! one canonical form and within the limits of the DNS, so the rest of the program compares them
//! without normalising them again. Nothing here does I/O.

mod escape;
pub mod member;
pub mod name;
pub mod record_change;
pub mod record_key;
pub mod record_set;
pub mod routing;
pub mod shared_text;
pub mod txt;
pub mod values;
pub mod zone;

pub use member::Member;
pub use name::{Name, NameError};
pub use record_key::{RecordKey, RecordType};
pub use record_set::{AliasTarget, Body, RecordSet};
pub use routing::{Routing, RoutingKind};
pub use shared_text::SharedText;
pub use values::Values;
pub use zone::{ChangeBatch, Zone};
