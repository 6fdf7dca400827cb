//! The client of Amazon Route 53's API.
//!
//! [`client`] has the operations, [`caller`] makes the calls and repeats them, [`limits`] says how
//! fast, [`xml`] writes requests and reads answers, with
//! [`record_set_xml`] for the record sets in them, [`error`] says why a call failed, [`iam_policy`]
//! writes down what the credentials must allow, [`alias_zones`] knows the hosted zones of AWS's own names.

pub mod alias_zones;
pub mod caller;
pub mod client;
pub mod error;
pub mod iam_policy;
pub mod limits;
pub mod record_set_xml;
pub mod xml;
