//! Record sets that cannot be written because something else is in their place, and what that is, in
//! words.

use std::fmt;

use crate::base::text::quoted_start;
use crate::dns::{Name, RecordKey, RecordSet, RecordType, Routing, RoutingKind};

/// Characters of an element's name that are shown.
const MAX_QUOTED: usize = 80;

/// A record set that cannot be written, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Key of the record set, which is desired or owned, or a state record.
    pub key: RecordKey,
    /// What is in its place.
    pub reason: ConflictReason,
    /// The record set that is there, if all of it is known.
    pub found: Option<RecordSet>,
}

/// What prevents a record set from being written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConflictReason {
    /// A simple record set of the same name and type exists, and this environment does not own it.
    NotOwned,
    /// The same for an alias.
    Alias,
    /// The same for one with our set identifier.
    SetIdTaken,
    /// The state record with this name, which is another owner's, lists the record set.
    OwnedElsewhere(Name),
    /// A CNAME has the same name, so no record set of another type can have it.
    Cname,
    /// It would be a CNAME, but a record set of this other type has the same name.
    OtherType(RecordType),
    /// Record sets with a routing policy have the same name and type, beside which there can't be a
    /// simple one.
    Routed,
    /// A simple record set has the same name and type, beside which there can't be one with a routing
    /// policy.
    Simple,
    /// Record sets with another routing policy have the same name and type. Holds which, if it is one
    /// that this program knows.
    OtherRouting(Option<RoutingKind>),
    /// Another record set of the same name and type is for the same region, place or part of a failover
    /// group, of which there is one for each.
    SamePlace(Box<Routing>),
    /// The owned record set itself has an element that this program can't write. Holds its name. It
    /// stays owned.
    Extended(String),
    /// The same of one that this environment does not own.
    ForeignExtended(String),
    /// It is a state record that isn't a simple record set, so its entries don't count.
    StateRecord {
        /// Name of the element that this program can't write. `None` for an alias, or for one with a
        /// routing policy.
        extension: Option<String>,
    },
}

impl fmt::Display for ConflictReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConflictReason::OwnedElsewhere(by) => write!(
                f,
                "the state record {} lists it, so another environment owns it; give the service \
                 another name, or take it over with the command adopt --owner=ID",
                by.without_dot()
            ),
            ConflictReason::Extended(element) => {
                let element = quoted_start(element, MAX_QUOTED);
                write!(
                    f,
                    "the record set has the element {element}, which can't be kept in a \
                     change, so it is left as it is; remove {element} from it in Route 53"
                )
            }
            ConflictReason::ForeignExtended(element) => write!(
                f,
                "a record set of that name and type with the element {} exists that isn't ours; remove \
                 it, or give the service another name",
                quoted_start(element, MAX_QUOTED)
            ),
            ConflictReason::StateRecord {
                extension: Some(element),
            } => {
                let element = quoted_start(element, MAX_QUOTED);
                write!(
                    f,
                    "this state record has the element {element}, which can't be kept in a \
                     change, so it isn't read, and what only it lists isn't ours; remove \
                     {element} from it in Route 53"
                )
            }
            ConflictReason::OtherType(rtype) => {
                let rtype = quoted_type(rtype);
                write!(
                    f,
                    "a record set of the type {rtype} has that name, beside which there can't be a \
                     CNAME; remove it, or give the service another name"
                )
            }
            ConflictReason::OtherRouting(kind) => {
                let kind = kind.map_or("another", RoutingKind::as_str);
                write!(
                    f,
                    "record sets with {kind} routing have that name and type, and all of them must \
                     have the same; set it with the label \
                     io.rancher.service.external_dns_routing, or give the service another name"
                )
            }
            ConflictReason::SamePlace(routing) => write!(
                f,
                "another record set of that name and type has the routing {routing} already, which only \
                 one can have; set another routing with the label \
                 io.rancher.service.external_dns_routing, or give the service another name"
            ),
            others => f.write_str(others.fixed_words()),
        }
    }
}

impl ConflictReason {
    /// The words of those in which nothing varies; none for others.
    fn fixed_words(&self) -> &'static str {
        match self {
            ConflictReason::StateRecord { extension: None } => {
                "this state record is an alias or has a routing policy, so it isn't read, and what \
                 only it lists isn't ours; make it a simple record set in Route 53"
            }
            ConflictReason::NotOwned => {
                "a record set of that name and type exists that isn't ours; \
                 remove it, or take it over: the command adopt shows what that would do"
            }
            ConflictReason::Alias => {
                "an alias of that name and type exists that isn't ours; remove it, or give the service \
                 another name"
            }
            ConflictReason::SetIdTaken => {
                "a record set of that name and type with our set identifier exists that isn't ours; \
                 remove it, or set another one with the label \
                 io.rancher.service.external_dns_routing_id"
            }
            ConflictReason::Cname => {
                "a CNAME has that name; remove it, or give the service another name"
            }
            ConflictReason::Routed => {
                "record sets with a routing policy have that name and type, beside which there can't be \
                 a simple one; remove them, give the service another name, or set the same policy with \
                 the label io.rancher.service.external_dns_routing"
            }
            ConflictReason::Simple => {
                "a simple record set has that name and type, beside which there can't be one with a \
                 routing policy; remove it, or give the service another name"
            }
            ConflictReason::OwnedElsewhere(_)
            | ConflictReason::OtherType(_)
            | ConflictReason::OtherRouting(_)
            | ConflictReason::SamePlace(_)
            | ConflictReason::Extended(_)
            | ConflictReason::ForeignExtended(_)
            | ConflictReason::StateRecord { extension: Some(_) } => "",
        }
    }
}

/// A type, which somebody else may have made: usually a few capital letters.
fn quoted_type(rtype: &RecordType) -> String {
    let text = rtype.as_str();
    match text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        true => text.to_owned(),
        false => quoted_start(text, MAX_QUOTED),
    }
}
