//! What may be in a zone and in Rancher, made up: a [`World`] is a few numbers that proptest can
//! shrink, and [`World::build`] makes a zone of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rancher_route53::dns::{Name, RecordKey, RecordSet, RecordType};
use rancher_route53::plan::state_records::{Claim, StateNames};
use rancher_route53::plan::{Adopt, Policy};
use sim::route53 as aws;

use crate::mixed::{self, CHECKS, Mixed, Story};

mod worlds;

pub use worlds::{heavy_worlds, large_mixed_worlds, large_worlds, mixed_worlds, small_worlds};

pub const ZONE: &str = "example.com";
/// The zone's name as record sets have it.
pub const APEX: &str = "example.com.";
pub const ENVIRONMENT: &str = "prod.example.com.";
pub const UUID: &str = "1a726b88-f6b1-4c11-9ea4-8d4a36b0c1d2";
pub const TTL: u32 = 300;

/// A name, a type and, with a routing policy, a set identifier, in Route 53's spelling.
pub type Key = (String, String, Option<String>);

/// What tells a record set from all others of its zone.
pub fn key_of(set: &aws::RecordSet) -> Key {
    let set_id = set.set_identifier.clone();
    (set.name.clone(), set.rtype.clone(), set_id)
}

/// Whether the first state record may list it, the only one that the forerunners read.
pub fn is_for_first((_, rtype, set_id): &Key) -> bool {
    rtype == "A" && set_id.is_none()
}

/// What the program is told.
#[derive(Debug, Clone)]
pub struct Setting {
    pub desired: BTreeMap<RecordKey, RecordSet>,
    pub policy: Policy,
    pub adopt: Adopt,
    pub names: StateNames,
    pub claim: Option<Claim>,
    pub ttl: u32,
}

/// A few groups of names, each of which has the same story, and the state records.
#[derive(Debug, Clone)]
pub struct World {
    pub groups: Vec<Group>,
    /// Names whose record sets are of other kinds, too.
    pub mixed: Vec<Mixed>,
    /// By index.
    pub records: Vec<StateRecord>,
    pub policy: Policy,
    pub adopt: AdoptAs,
    /// Whether the state records are to hold a claim, which none does before.
    pub is_claimed: bool,
}

/// `ADOPT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdoptAs {
    Never,
    Matching,
    Legacy,
}

/// Names of the same story.
#[derive(Debug, Clone)]
pub struct Group {
    pub count: usize,
    /// Below `<environment>.<zone>`, or elsewhere in the zone.
    pub in_environment: bool,
    pub form: Form,
    /// Characters that a name has at least, without the zone's.
    pub name_length: usize,
    /// The TTL that its services want.
    pub ttl: u32,
    pub family: Family,
    /// Number of values; 0 if it isn't desired.
    pub desired: usize,
    pub there: There,
    pub neighbour: Neighbour,
    /// The state records that list it.
    pub listed: BTreeSet<u16>,
    /// Whether another owner's state record lists it.
    pub is_elsewhere: bool,
    pub spelling: Spelling,
}

/// What kind of name it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Usual,
    /// Its first label is `*`.
    Wildcard,
    /// The first name of the first group is the zone's own, beside SOA, NS, MX and TXT.
    Apex,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    A,
    Aaaa,
    Both,
}

impl Family {
    pub fn rtypes(self) -> &'static [&'static str] {
        match self {
            Family::A => &["A"],
            Family::Aaaa => &["AAAA"],
            Family::Both => &["A", "AAAA"],
        }
    }
}

/// What the zone has under a name and type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum There {
    Nothing,
    /// What is desired, or something of one value.
    Same,
    /// The same addresses in other letters.
    Respelled,
    /// So many other values, perhaps with another TTL.
    Drifted(usize, bool),
    /// The desired values with another TTL.
    OtherTtl,
    Alias,
    Weighted,
}

/// What else the zone has under that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Neighbour {
    Nothing,
    /// Only where there is nothing else.
    Cname,
    Mail,
    Text,
    /// The other family's, or its weighted record sets.
    OtherFamily(bool),
}

/// How an entry is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    Usual,
    /// In capitals and without the last dot.
    Odd,
    Twice,
}

/// What else there is in, or at the name of, a state record.
#[derive(Debug, Clone, Copy)]
pub struct StateRecord {
    pub ttl: u32,
    /// How many values are none of ours.
    pub opaque: usize,
    pub taken: Taken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    No,
    Cname,
    Weighted,
}

impl Default for Group {
    fn default() -> Group {
        Group {
            count: 1,
            in_environment: true,
            form: Form::Usual,
            name_length: 0,
            ttl: TTL,
            family: Family::A,
            desired: 0,
            there: There::Nothing,
            neighbour: Neighbour::Nothing,
            listed: BTreeSet::new(),
            is_elsewhere: false,
            spelling: Spelling::Usual,
        }
    }
}

impl Default for World {
    fn default() -> World {
        let usual = StateRecord {
            ttl: TTL,
            opaque: 0,
            taken: Taken::No,
        };
        World {
            groups: Vec::new(),
            mixed: Vec::new(),
            records: vec![usual; 4],
            policy: Policy::Sync,
            adopt: AdoptAs::Never,
            is_claimed: false,
        }
    }
}

/// A world of a single group of names.
pub fn only(group: Group) -> World {
    together([group])
}

/// A world of these groups, in all else as usual.
pub fn together(groups: impl IntoIterator<Item = Group>) -> World {
    World {
        groups: groups.into_iter().collect(),
        ..World::default()
    }
}

/// What the zone and Rancher say about one name and type.
#[derive(Debug, Clone, Default)]
pub struct Site {
    pub desired: Option<aws::RecordSet>,
    pub there: Vec<aws::RecordSet>,
    pub has_cname: bool,
    pub is_listed: bool,
    pub is_elsewhere: bool,
    pub in_environment: bool,
    /// What is there is what is desired, in other letters.
    pub is_respelled: bool,
}

/// A world with all its record sets.
#[derive(Debug, Clone)]
pub struct Built {
    pub zone: aws::Zone,
    pub setting: Setting,
    pub sites: BTreeMap<Key, Site>,
    pub stories: Vec<Story>,
}

impl World {
    pub fn build(&self) -> Built {
        let zone = Name::parse(ZONE).unwrap();
        let names = StateNames::new(UUID, &zone).unwrap();
        let adopt = match self.adopt {
            AdoptAs::Never => Adopt::Never,
            AdoptAs::Matching => Adopt::Matching,
            AdoptAs::Legacy => Adopt::Legacy {
                below: Name::parse(ENVIRONMENT).unwrap(),
                ttl: TTL,
            },
        };
        let mut built = Built {
            zone: aws::Zone::new(ZONE),
            setting: Setting {
                desired: BTreeMap::new(),
                policy: self.policy,
                adopt,
                names,
                claim: self
                    .is_claimed
                    .then(|| Claim::new("rancher:8080", Some("stack"))),
                ttl: TTL,
            },
            sites: BTreeMap::new(),
            stories: Vec::new(),
        };
        let account = built.zone.account_mut();
        CHECKS.iter().for_each(|id| account.add_health_check(id));
        built.put_the_usual_strangers();
        let mut listings = self.opaque_values();
        let mut elsewhere = Vec::new();
        for (number, group) in self.groups.iter().enumerate() {
            for i in 0..group.count {
                let name = group.name(number, i);
                built.put_name(group, &name, i, &mut listings);
                if group.is_elsewhere && elsewhere.len() < 200 {
                    for rtype in group.family.rtypes() {
                        elsewhere.extend(group.entries(&name, rtype));
                        let key = (name.clone(), (*rtype).to_owned(), None);
                        built.sites.get_mut(&key).unwrap().is_elsewhere = true;
                    }
                }
            }
        }
        self.put_stories(&mut built, &mut listings, &mut elsewhere);
        if !elsewhere.is_empty() {
            let name = "external-dns-1a726b88-77.example.com";
            built
                .zone
                .put(aws::RecordSet::simple(name, "TXT", TTL, &elsewhere));
        }
        for (index, record) in (0..).zip(&self.records) {
            let name = built.setting.names.name(index);
            let simple = |rtype, ttl, values: &[String]| {
                aws::RecordSet::simple(name.as_str(), rtype, ttl, values)
            };
            match (record.taken, listings.remove(&index).unwrap_or_default()) {
                (Taken::No, values) if values.is_empty() => {}
                (Taken::No, values) => built.zone.put(simple("TXT", record.ttl, &values)),
                (Taken::Cname, _) => {
                    let target = "elsewhere.example.org.".to_owned();
                    built.zone.put(simple("CNAME", 60, &[target]));
                }
                (Taken::Weighted, _) => {
                    let set = simple("TXT", 60, &["\"w\"".to_owned()]);
                    built.zone.put(set.weighted("w", 1));
                }
            }
        }
        built
    }

    fn put_stories(
        &self,
        built: &mut Built,
        listings: &mut BTreeMap<u16, Vec<String>>,
        elsewhere: &mut Vec<String>,
    ) {
        let mut wanted = Vec::new();
        for (number, mixed) in self.mixed.iter().enumerate() {
            for i in 0..mixed.count {
                let mut story = mixed.story(number, i);
                if elsewhere.len() >= 200 {
                    story.elsewhere.clear();
                }
                elsewhere.extend(story.elsewhere.iter().map(mixed::entry));
                let sets = story.has.iter().chain(&story.strangers);
                sets.for_each(|set| built.zone.put(set.clone()));
                let entries: Vec<String> = story.listed.iter().map(mixed::entry).collect();
                let mut is_listed = false;
                for index in &mixed.listed {
                    // A state record whose name is taken lists nothing.
                    let Some(values) = listings.get_mut(index) else {
                        continue;
                    };
                    let all = || values.iter().chain(&entries);
                    let characters: usize = all().map(String::len).sum();
                    if all().count() <= 400 && characters <= 32_000 {
                        values.extend(entries.iter().cloned());
                        is_listed = true;
                    }
                }
                if !is_listed {
                    story.listed.clear();
                }
                wanted.extend(story.wants.iter().cloned());
                built.stories.push(story);
            }
        }
        let wanted = mixed::in_the_programs_terms(wanted);
        built.setting.desired.extend(wanted);
    }

    fn opaque_values(&self) -> BTreeMap<u16, Vec<String>> {
        let opaque = [
            "\"v=spf1 -all\"",
            "\"a & <b>\"",
            "\"web.example.org.\"",
            "\"web.prod.example.com. MX\"",
            "\"\"",
        ];
        (0..)
            .zip(&self.records)
            .filter(|(_, record)| record.taken == Taken::No)
            .map(|(index, record)| (index, opaque.map(String::from)[..record.opaque].to_vec()))
            .collect()
    }
}

impl Group {
    fn name(&self, number: usize, i: usize) -> String {
        if self.form == Form::Apex && number == 0 && i == 0 {
            return APEX.to_owned();
        }
        let mut name = format!("g{number}-{i}");
        if self.form == Form::Wildcard {
            name.insert_str(0, "\\052.");
        }
        while name.len() < self.name_length {
            name.push('.');
            let more = (self.name_length - name.len()).clamp(1, 60);
            name.push_str(&"x".repeat(more));
        }
        if self.in_environment {
            format!("{name}.{ENVIRONMENT}")
        } else {
            format!("{name}.{ZONE}.")
        }
    }
}

impl Built {
    /// What many zones have, none of which has to do with us.
    fn put_the_usual_strangers(&mut self) {
        let simple = aws::RecordSet::simple;
        for set in [
            simple(ZONE, "MX", 300, &["10 mail.example.org."]),
            simple(ZONE, "TXT", 60, &["\"v=spf1 -all\"", "\"b\" \"a\""]),
            simple("*.prod.example.com", "A", TTL + 1, &["192.0.2.99"]),
            simple("*.prod.example.com", "AAAA", TTL, &["2001:db8::99"]),
            simple(ENVIRONMENT, "A", TTL, &["192.0.2.98"]),
            simple(
                "external-dns-1a726b88.example.com",
                "TXT",
                TTL,
                &["\"other.prod.example.com.\""],
            ),
        ] {
            self.zone.put(set);
        }
    }

    fn put_name(
        &mut self,
        group: &Group,
        name: &str,
        i: usize,
        listings: &mut BTreeMap<u16, Vec<String>>,
    ) {
        let rtypes = group.family.rtypes();
        let mut has_cname = false;
        let other = match group.family {
            Family::A => Some("AAAA"),
            Family::Aaaa => Some("A"),
            Family::Both => None,
        };
        let neighbour = match (group.neighbour, other) {
            (Neighbour::Cname, _) if group.there == There::Nothing && name != APEX => {
                has_cname = true;
                Some(aws::RecordSet::simple(
                    name,
                    "CNAME",
                    60,
                    &["x.example.org."],
                ))
            }
            (Neighbour::Nothing | Neighbour::Cname, _) => None,
            (Neighbour::Mail, _) => {
                let values = ["20 b.example.org.", "10 a.example.org."];
                Some(aws::RecordSet::simple(name, "MX", 60, &values))
            }
            (Neighbour::Text, _) => Some(aws::RecordSet::simple(name, "TXT", TTL, &["\"text\""])),
            // Another TTL, so that ADOPT=legacy doesn't concern it.
            (Neighbour::OtherFamily(weighted), Some(other)) => {
                let values = values(other, 99, 1);
                let set = aws::RecordSet::simple(name, other, TTL + 2, &values);
                Some(if weighted { set.weighted("n", 1) } else { set })
            }
            (Neighbour::OtherFamily(_), None) => None,
        };
        if let Some(set) = neighbour {
            self.zone.put(set);
        }
        for rtype in rtypes {
            let mut site = Site {
                has_cname,
                in_environment: name.ends_with(ENVIRONMENT),
                ..Site::default()
            };
            if group.desired > 0 {
                let key = RecordKey::new(Name::parse(name).unwrap(), RecordType::parse(rtype));
                let addresses: Vec<IpAddr> = addresses(rtype, i, group.desired).collect();
                let set = RecordSet::of_addresses(key.clone(), group.ttl, &addresses);
                let values: Vec<&String> = set.values().iter().collect();
                site.desired = Some(aws::RecordSet::simple(name, rtype, group.ttl, &values));
                self.setting.desired.insert(key, set);
            }
            site.there = group.there(name, rtype, i);
            site.is_respelled = group.there == There::Respelled;
            for set in &site.there {
                self.zone.put(set.clone());
            }
            for index in &group.listed {
                let Some(values) = listings.get_mut(index) else {
                    continue;
                };
                for entry in group.entries(name, rtype) {
                    let characters: usize = values.iter().map(String::len).sum();
                    if values.len() < 400 && characters + entry.len() <= 32_000 {
                        values.push(entry);
                        site.is_listed = true;
                    }
                }
            }
            self.sites
                .insert((name.to_owned(), rtype.to_string(), None), site);
        }
    }
}

impl Group {
    fn there(&self, name: &str, rtype: &str, i: usize) -> Vec<aws::RecordSet> {
        let same = values(rtype, i, self.desired.max(1));
        let simple = |ttl, values: &[String]| aws::RecordSet::simple(name, rtype, ttl, values);
        match self.there {
            There::Nothing => vec![],
            There::Same => vec![simple(self.ttl, &same)],
            There::OtherTtl => vec![simple(self.ttl + 1, &same)],
            There::Respelled => {
                let respelled: Vec<String> = same.iter().map(|v| v.to_uppercase()).collect();
                vec![simple(self.ttl, &respelled)]
            }
            There::Drifted(count, other_ttl) => {
                let ttl = self.ttl + u32::from(other_ttl);
                vec![simple(ttl, &values(rtype, i + 100_000, count))]
            }
            There::Alias => {
                let target = "lb.example.org.";
                vec![aws::RecordSet::alias(name, rtype, "Z2FDTNDATAQYW2", target)]
            }
            There::Weighted => vec![
                simple(60, &same).weighted("one", 1),
                simple(60, &same).weighted("two", 2),
            ],
        }
    }

    fn entries(&self, name: &str, rtype: &str) -> Vec<String> {
        let suffix = if rtype == "AAAA" { " AAAA" } else { "" };
        let usual = format!("\"{name}{suffix}\"");
        let odd = format!("\"{}{suffix}\"", name.trim_end_matches('.').to_uppercase());
        match self.spelling {
            Spelling::Usual => vec![usual],
            Spelling::Odd => vec![odd],
            Spelling::Twice => vec![usual, odd],
        }
    }
}

pub fn values(rtype: &str, salt: usize, count: usize) -> Vec<String> {
    addresses(rtype, salt, count)
        .map(|a| a.to_string())
        .collect()
}

/// Addresses of a family; those of one `salt` differ from those of another one that is far off.
fn addresses(rtype: &str, salt: usize, count: usize) -> impl Iterator<Item = IpAddr> {
    let is_v4 = rtype == "A";
    (0..count).map(move |i| {
        let number = (salt * 401 + i) as u32;
        if is_v4 {
            IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 | (number & 0xff_ffff)))
        } else {
            let high = 0x2001_0db8_aaaa_bbbb_cccc_dddd_0000_0000;
            IpAddr::V6(Ipv6Addr::from_bits(high | u128::from(number | 0x1000_0000)))
        }
    })
}

/// The key that a value of a state record names, read without the program's help.
pub fn owned_key(value: &str) -> Option<Key> {
    let value = value.split(" \"claim ").next()?;
    let text = value.strip_prefix('"')?.strip_suffix('"')?;
    let mut words = text.split(' ');
    let name = format!("{}.", words.next()?.trim_end_matches('.').to_lowercase());
    let rtype = words.next().unwrap_or("A");
    let set_id = words.next().map(str::to_owned);
    let is_ours = (name == APEX || name.ends_with(".example.com."))
        && matches!(rtype, "A" | "AAAA" | "CNAME")
        && words.next().is_none();
    is_ours.then(|| (name, rtype.to_owned(), set_id))
}
