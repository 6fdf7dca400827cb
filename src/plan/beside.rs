//! Which record sets Route 53 allows beside each other under one name. Pure.
//!
//! These are the rules that are certain. Where others hinder a record set by any other one, Route 53
//! refuses it, and says why.

use std::borrow::Cow;

use crate::dns::zone::Listed;
use crate::dns::{RecordKey, RecordSet, RecordType, Routing, RoutingKind};
use crate::plan::ConflictReason;

/// Why a record set can't be beside another one of its name.
pub fn cant_be_beside(
    wanted: &RecordSet,
    other: &RecordKey,
    listed: &Listed,
) -> Option<ConflictReason> {
    let key = &wanted.key;
    match (&key.rtype, &other.rtype) {
        (RecordType::Cname, rtype) if *rtype != RecordType::Cname => {
            return Some(ConflictReason::OtherType(rtype.clone()));
        }
        (rtype, RecordType::Cname) if *rtype != RecordType::Cname => {
            return Some(ConflictReason::Cname);
        }
        (rtype, other) if rtype != other => return None,
        _ => {}
    }
    match (key.is_routed(), other.is_routed()) {
        (false, false) => None,
        (false, true) => Some(ConflictReason::Routed),
        (true, false) => Some(ConflictReason::Simple),
        (true, true) => {
            let there = listed.whole().and_then(|set| set.routing.as_deref());
            let kind = there.map(Routing::kind);
            if kind.is_none() || kind != kind_of(wanted) {
                return Some(ConflictReason::OtherRouting(kind));
            }
            let routing = there.filter(|_| wanted.routing.as_deref() == there)?;
            let same_place = || ConflictReason::SamePlace(Box::new(routing.clone()));
            routing.kind().is_for_one().then(same_place)
        }
    }
}

fn kind_of(set: &RecordSet) -> Option<RoutingKind> {
    set.routing.as_deref().map(Routing::kind)
}

/// Whether both are weighted record sets of one name and type that differ in their TTL.
pub fn have_other_ttls(a: &RecordSet, b: &RecordSet) -> bool {
    let are_weighted = is_weighted(a) && is_weighted(b) && a.key.is_same_group(&b.key);
    are_weighted && matches!((a.ttl(), b.ttl()), (Some(a), Some(b)) if a != b)
}

fn is_weighted(set: &RecordSet) -> bool {
    kind_of(set) == Some(RoutingKind::Weighted)
}

/// A weighted record set with the TTL of another one of its name and type, if one is given that isn't
/// ours: Route 53 allows only one TTL for all of them.
pub fn with_ttl_of_others<'a, 'b>(
    wanted: &'a RecordSet,
    others: impl Iterator<Item = (&'b RecordKey, &'b Listed)>,
) -> Cow<'a, RecordSet> {
    if !is_weighted(wanted) || wanted.ttl().is_none() {
        return Cow::Borrowed(wanted);
    }
    let others = others.filter(|(key, _)| key.is_same_group(&wanted.key) && **key != wanted.key);
    let mut ttls = others.filter_map(|(_, listed)| {
        let set = listed.whole().filter(|set| is_weighted(set))?;
        set.ttl()
    });
    match ttls.next() {
        Some(ttl) if wanted.ttl() != Some(ttl) => Cow::Owned(wanted.clone().with_ttl(ttl)),
        _ => Cow::Borrowed(wanted),
    }
}
