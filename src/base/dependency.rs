//! The parts that everything depends on, and how each of them does.

use chrono::{DateTime, Utc};

/// What may fail by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependency {
    /// Rancher's metadata server.
    Metadata,
    /// Rancher's API, which takes the names that are written back.
    Api,
    /// Route 53.
    Route53,
    /// Whoever gives AWS credentials.
    Credentials,
    /// The rounds, which need all others but the API.
    Rounds,
}

impl Dependency {
    /// All of them, in the order of their numbers.
    pub const ALL: [Dependency; 5] = [
        Dependency::Metadata,
        Dependency::Api,
        Dependency::Route53,
        Dependency::Credentials,
        Dependency::Rounds,
    ];

    /// For programs.
    pub fn name(self) -> &'static str {
        match self {
            Dependency::Metadata => "metadata",
            Dependency::Api => "rancher_api",
            Dependency::Route53 => "route53",
            Dependency::Credentials => "credentials",
            Dependency::Rounds => "rounds",
        }
    }

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Dependency::Metadata => "Rancher’s metadata",
            Dependency::Api => "Rancher’s API",
            Dependency::Route53 => "Route 53",
            Dependency::Credentials => "AWS credentials",
            Dependency::Rounds => "Rounds",
        }
    }

    /// What it means that it fails.
    pub fn trouble(self) -> &'static str {
        match self {
            Dependency::Metadata => "Metadata is unavailable: nothing is changed meanwhile.",
            Dependency::Api => "Names can’t be written back to Rancher.",
            Dependency::Route53 => "Calls to Route 53 fail.",
            Dependency::Credentials => "AWS credentials can’t be had or renewed.",
            Dependency::Rounds => {
                "The last round failed: the zone may differ from what it should be."
            }
        }
    }
}

/// Whether something works.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Condition {
    /// It hasn't been needed yet, or it failed and isn't needed any more.
    #[default]
    Unknown,
    /// The last time, it did.
    Works,
    /// The last time, it didn't.
    Fails,
}

impl Condition {
    /// A word for people and programs.
    pub fn word(self) -> &'static str {
        match self {
            Condition::Unknown => "unknown",
            Condition::Works => "works",
            Condition::Fails => "fails",
        }
    }
}

/// How a part does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DependencyHealth {
    /// Whether it works.
    pub condition: Condition,
    /// Since when it has been so; none if that is unknown.
    pub since: Option<DateTime<Utc>>,
    /// The last error, when it was last met, and its words; also after it is over.
    pub last_error: Option<(DateTime<Utc>, String)>,
}

impl DependencyHealth {
    /// It worked just now.
    pub fn works(&mut self, now: DateTime<Utc>) {
        self.turn(Condition::Works, now);
    }

    /// It worked just now, but something was refused.
    pub fn complains(&mut self, words: String, now: DateTime<Utc>) {
        self.works(now);
        self.last_error = Some((now, words));
    }

    /// It failed just now.
    pub fn fails(&mut self, words: String, now: DateTime<Utc>) {
        self.turn(Condition::Fails, now);
        self.last_error = Some((now, words));
    }

    /// Nothing is wanted of it at present: whether it still fails isn't known.
    pub fn is_not_needed(&mut self, now: DateTime<Utc>) {
        if self.condition == Condition::Fails {
            self.turn(Condition::Unknown, now);
        }
    }

    fn turn(&mut self, condition: Condition, now: DateTime<Utc>) {
        if self.condition != condition {
            self.condition = condition;
            self.since = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_in_the_order_of_their_numbers() {
        for (index, part) in Dependency::ALL.into_iter().enumerate() {
            assert_eq!(part as usize, index);
        }
    }

    #[test]
    fn since_is_when_it_turned_and_the_last_error_stays() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let mut health = DependencyHealth::default();
        assert_eq!(health.condition.word(), "unknown");
        health.works(at(1));
        health.works(at(2));
        assert_eq!(health.since, Some(at(1)));
        health.fails("first".to_owned(), at(3));
        health.fails("second".to_owned(), at(4));
        assert_eq!(
            (health.condition, health.since),
            (Condition::Fails, Some(at(3)))
        );
        health.works(at(5));
        assert_eq!(health.last_error, Some((at(4), "second".to_owned())));
        health.complains("third".to_owned(), at(6));
        assert_eq!(
            (health.condition, health.since),
            (Condition::Works, Some(at(5)))
        );
        assert_eq!(health.last_error, Some((at(6), "third".to_owned())));
        health.is_not_needed(at(7));
        assert_eq!(health.condition, Condition::Works);
        health.fails("fourth".to_owned(), at(8));
        health.is_not_needed(at(9));
        assert_eq!(
            (health.condition, health.since),
            (Condition::Unknown, Some(at(9)))
        );
        assert_eq!(health.last_error, Some((at(8), "fourth".to_owned())));
    }
}
