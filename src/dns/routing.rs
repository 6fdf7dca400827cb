//! Routing policies: how Route 53 chooses among several record sets of one name and type.

use std::fmt;

/// The routing policy of a record set, with what this one of the group is chosen by.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy.html>
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Routing {
    /// Chosen as often as its weight, of the sum of all weights of the group.
    Weighted(u8),
    /// Chosen for whom this AWS region answers fastest.
    Latency(Box<str>),
    /// One is chosen as long as it is well, the other else.
    Failover(Failover),
    /// Up to eight that are well are in each answer.
    Multivalue,
    /// Chosen for those who are in this place.
    Geolocation(Place),
}

/// Which of the two record sets of a failover group it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failover {
    /// The one that answers as long as it is well.
    Primary,
    /// The one that answers else.
    Secondary,
}

/// A place in Route 53's codes.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_GeoLocation.html>
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A continent, such as `EU`.
    Continent(Box<str>),
    /// A country, such as `DE`, or `*` for wherever no other record set is for.
    Country(Box<str>),
    /// A part of a country, such as `CA` of `US`.
    Subdivision {
        /// The country.
        country: Box<str>,
        /// The part of it.
        subdivision: Box<str>,
    },
}

/// The kinds of routing policies. All record sets of one name and type have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoutingKind {
    /// See [`Routing::Weighted`].
    Weighted,
    /// See [`Routing::Latency`].
    Latency,
    /// See [`Routing::Failover`].
    Failover,
    /// See [`Routing::Multivalue`].
    Multivalue,
    /// See [`Routing::Geolocation`].
    Geolocation,
}

impl Routing {
    /// Its kind.
    pub fn kind(&self) -> RoutingKind {
        match self {
            Routing::Weighted(_) => RoutingKind::Weighted,
            Routing::Latency(_) => RoutingKind::Latency,
            Routing::Failover(_) => RoutingKind::Failover,
            Routing::Multivalue => RoutingKind::Multivalue,
            Routing::Geolocation(_) => RoutingKind::Geolocation,
        }
    }
}

impl RoutingKind {
    /// All of them.
    pub const ALL: [RoutingKind; 5] = [
        RoutingKind::Weighted,
        RoutingKind::Latency,
        RoutingKind::Failover,
        RoutingKind::Multivalue,
        RoutingKind::Geolocation,
    ];

    /// Whether each region, each place or each part of a failover group can have only one record set.
    pub fn is_for_one(self) -> bool {
        !matches!(self, RoutingKind::Weighted | RoutingKind::Multivalue)
    }

    /// Its word in settings and labels.
    pub fn as_str(self) -> &'static str {
        match self {
            RoutingKind::Weighted => "weighted",
            RoutingKind::Latency => "latency",
            RoutingKind::Failover => "failover",
            RoutingKind::Multivalue => "multivalue",
            RoutingKind::Geolocation => "geolocation",
        }
    }
}

impl Failover {
    /// Its word in Route 53's XML.
    pub fn as_str(self) -> &'static str {
        match self {
            Failover::Primary => "PRIMARY",
            Failover::Secondary => "SECONDARY",
        }
    }
}

impl fmt::Display for RoutingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Continent(code) => write!(f, "continent {code}"),
            Place::Country(code) if &**code == "*" => f.write_str("*"),
            Place::Country(code) => write!(f, "country {code}"),
            Place::Subdivision {
                country,
                subdivision,
            } => write!(f, "{country}/{subdivision}"),
        }
    }
}

/// As in settings and labels.
impl fmt::Display for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().as_str())?;
        match self {
            Routing::Weighted(weight) => write!(f, " {weight}"),
            Routing::Latency(region) => write!(f, " {region}"),
            Routing::Failover(Failover::Primary) => f.write_str(" primary"),
            Routing::Failover(Failover::Secondary) => f.write_str(" secondary"),
            Routing::Multivalue => Ok(()),
            Routing::Geolocation(place) => write!(f, " {place}"),
        }
    }
}
