//! A zone with a record set of every kind that Route 53 knows: each type of `model.rs`, with each
//! routing policy that it can have, with values and as an alias.

use super::model::{
    AWS_ALIAS_TYPES, CLOUDFRONT, GLOBAL_ACCELERATOR, MULTIVALUE_TYPES, NEVER_ALIAS_TYPES,
    ROUTED_TYPES, TYPES,
};
use super::place::{GeoLocation, GeoProximity};
use super::record::RecordSet;
use super::zone::Zone;

const HEALTH_CHECK: &str = "abcdef11-2222-3333-4444-555555fedcba";
const COLLECTION: &str = "1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d";
const TTL: u32 = 60;

/// Names of AWS's own resources, each with its zone. What a load balancer's zone is depends on its
/// region and kind, so the account has to be told.
const AWS_TARGETS: [(&str, &str, &str); 3] = [
    ("cloudfront", "d111111abcdef8.cloudfront.net", CLOUDFRONT),
    (
        "accelerator",
        "a1234567890abcdef.awsglobalaccelerator.com",
        GLOBAL_ACCELERATOR,
    ),
    ("balancer", BALANCER, BALANCER_ZONE),
];
const BALANCER: &str = "dualstack.lb-1234567890.us-east-1.elb.amazonaws.com";
const BALANCER_ZONE: &str = "Z35SXDOTRQ7X7K";

impl Zone {
    /// Puts in [`every_kind`] of record set, whatever is there, and lets the account have what
    /// they refer to.
    ///
    /// # Panics
    /// If DNS can't hold a name with a label of some 30 characters below the zone's.
    pub fn put_every_kind(&mut self) {
        self.prepare_for_every_kind();
        every_kind(self).into_iter().for_each(|set| self.put(set));
    }

    /// Lets the account have what [`every_kind`] refers to.
    pub fn prepare_for_every_kind(&mut self) {
        let account = self.account_mut();
        account.add_health_check(HEALTH_CHECK);
        account.add_alias_target(BALANCER, BALANCER_ZONE);
    }
}

/// One record set of every kind for this zone, those that are in no routing group first, so that
/// they can be created one after another. No two groups share a name.
pub fn every_kind(zone: &Zone) -> Vec<RecordSet> {
    let types = TYPES.iter().filter(|rtype| **rtype != "SOA");
    let mut sets: Vec<RecordSet> = types.clone().flat_map(|t| alone(zone, t)).collect();
    for rtype in types {
        sets.extend(routed(zone, rtype));
    }
    sets
}

/// Those that share their name and type with no other.
fn alone(zone: &Zone, rtype: &str) -> Vec<RecordSet> {
    let name = |what: &str| name(zone, rtype, what);
    let mut sets = vec![
        plain(zone, rtype, "simple"),
        plain(zone, rtype, "checked").checked(HEALTH_CHECK),
    ];
    if !NEVER_ALIAS_TYPES.contains(&rtype) {
        sets.push(inside(zone, rtype, "alias"));
        sets.push(inside(zone, rtype, "evaluating").evaluating());
    }
    if AWS_ALIAS_TYPES.contains(&rtype) {
        let aliases =
            AWS_TARGETS.map(|(what, target, id)| RecordSet::alias(&name(what), rtype, id, target));
        sets.extend(aliases);
    }
    if ROUTED_TYPES.contains(&rtype) {
        let instance = "2b3c4d5e-6f7a-8b9c-0d1e-2f3a4b5c6d7e";
        sets.push(RecordSet::traffic_policy(&name("policy"), rtype, instance));
    }
    sets
}

/// The groups of all routing policies that the type can have, once with values and once as aliases.
fn routed(zone: &Zone, rtype: &str) -> Vec<RecordSet> {
    let mut sets = Vec::new();
    if MULTIVALUE_TYPES.contains(&rtype) {
        let set = || plain(zone, rtype, "multivalue");
        sets.push(set().multivalue("one").checked(HEALTH_CHECK));
        sets.push(set().multivalue("two"));
    }
    if ROUTED_TYPES.contains(&rtype) {
        sets.extend(groups(&|what| plain(zone, rtype, what)));
        sets.extend(groups(&|what| {
            inside(zone, rtype, &format!("{what}-alias")).evaluating()
        }));
    }
    sets
}

/// A group of each policy that values and aliases can have alike, made of what this gives for the
/// policy's name.
fn groups(set: &dyn Fn(&str) -> RecordSet) -> Vec<RecordSet> {
    let weighted = || set("weighted");
    let latency = || set("latency");
    let failover = || set("failover");
    let geo = || set("geolocation");
    let proximity = || set("geoproximity");
    let cidr = || set("cidr");
    vec![
        weighted().weighted("never", 0),
        weighted().weighted("often", 255).checked(HEALTH_CHECK),
        latency().latency("virginia", "us-east-1"),
        latency().latency("ireland", "eu-west-1"),
        failover().primary("first").checked(HEALTH_CHECK),
        failover().secondary("second"),
        geo().geolocation("continent", GeoLocation::continent("EU")),
        geo().geolocation("country", GeoLocation::country("DE")),
        geo().geolocation("state", GeoLocation::subdivision("US", "CA")),
        geo().geolocation("anywhere", GeoLocation::anywhere()),
        proximity().geoproximity("region", GeoProximity::region("eu-west-1").biased(-99)),
        proximity().geoproximity("zone", GeoProximity::local_zone("us-west-2-den-1")),
        proximity().geoproximity(
            "place",
            GeoProximity::coordinates("-33.86", "+151.2").biased(99),
        ),
        cidr().cidr_routed("office", COLLECTION, "office_1"),
        cidr().cidr_routed("others", COLLECTION, "*"),
    ]
}

fn name(zone: &Zone, rtype: &str, what: &str) -> String {
    format!("{}-{what}.{}", rtype.to_lowercase(), zone.name)
}

fn plain(zone: &Zone, rtype: &str, what: &str) -> RecordSet {
    RecordSet::simple(&name(zone, rtype, what), rtype, TTL, value(rtype))
}

/// An alias of the simple record set of this type.
fn inside(zone: &Zone, rtype: &str, what: &str) -> RecordSet {
    let target = name(zone, rtype, "simple");
    RecordSet::alias(&name(zone, rtype, what), rtype, &zone.id, &target)
}

fn value(rtype: &str) -> &'static [&'static str] {
    match rtype {
        "A" => &["192.0.2.1"],
        "AAAA" => &["2001:db8::1"],
        "TXT" => &["\"a text\" \"with \\\"quotes\\\" & \\303\\274\""],
        "SPF" => &["\"v=spf1 -all\""],
        "NS" => &["ns-1.example.net.", "ns-2.example.net."],
        "CNAME" | "PTR" => &["target.example.net."],
        "MX" => &["10 mail.example.net."],
        "SRV" => &["1 10 5269 xmpp.example.net."],
        "NAPTR" => &["100 50 \"u\" \"sip+E2U\" \"!^.*$!sip:info@example.net!\" ."],
        "CAA" => &["0 issue \"ca.example.net\""],
        "DS" => &["12345 8 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"],
        "TLSA" => &["3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"],
        "SSHFP" => &["4 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"],
        // SVCB and HTTPS
        _ => &["1 . alpn=\"h3,h2\""],
    }
}
