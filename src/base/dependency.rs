//! What the program depends on, and whether each dependency works.
//!
//! Clients and rounds record their successes and failures here; the status page, `/status.json` and
//! the metrics show them.

use chrono::{DateTime, Utc};

/// A part that can fail independently of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependency {
    /// Rancher's metadata server.
    Metadata,
    /// Rancher's API, to which the names of services are written back.
    Api,
    /// Route 53's API.
    Route53,
    /// The source of AWS credentials.
    Credentials,
    /// The rounds, which need every other dependency but Rancher's API.
    Rounds,
}

impl Dependency {
    /// All dependencies. The index of each is its value as a `usize`.
    pub const ALL: [Dependency; 5] = [
        Dependency::Metadata,
        Dependency::Api,
        Dependency::Route53,
        Dependency::Credentials,
        Dependency::Rounds,
    ];

    /// The dependency's name in JSON and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Dependency::Metadata => "metadata",
            Dependency::Api => "rancher_api",
            Dependency::Route53 => "route53",
            Dependency::Credentials => "credentials",
            Dependency::Rounds => "rounds",
        }
    }

    /// The dependency's name on the status page.
    pub fn title(self) -> &'static str {
        match self {
            Dependency::Metadata => "Rancher’s metadata",
            Dependency::Api => "Rancher’s API",
            Dependency::Route53 => "Route 53",
            Dependency::Credentials => "AWS credentials",
            Dependency::Rounds => "Updates of the zone",
        }
    }

    /// What the status page says while the dependency fails.
    pub fn trouble(self) -> &'static str {
        match self {
            Dependency::Metadata => "Metadata is unavailable: nothing is changed meanwhile.",
            Dependency::Api => "Names can’t be written back to Rancher.",
            Dependency::Route53 => "Calls to Route 53 fail.",
            Dependency::Credentials => "AWS credentials can’t be had or renewed.",
            Dependency::Rounds => {
                "The last update of the zone failed: it may differ from what it should be."
            }
        }
    }
}

/// Whether a dependency works.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Condition {
    /// It has not been used yet, or it failed and is no longer needed.
    #[default]
    Unknown,
    /// The last use succeeded.
    Works,
    /// The last use failed.
    Fails,
}

impl Condition {
    /// The condition's name in JSON and on the status page.
    pub fn word(self) -> &'static str {
        match self {
            Condition::Unknown => "unknown",
            Condition::Works => "works",
            Condition::Fails => "fails",
        }
    }
}

/// What is known of a dependency's condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DependencyHealth {
    /// Whether the dependency works.
    pub condition: Condition,
    /// When the condition became what it is. `None` before the first use.
    pub since: Option<DateTime<Utc>>,
    /// Time and message of the last error. It is kept after the dependency works again.
    pub last_error: Option<(DateTime<Utc>, String)>,
}

impl DependencyHealth {
    /// Records that the dependency has just worked.
    pub fn record_success(&mut self, now: DateTime<Utc>) {
        self.set(Condition::Works, now);
    }

    /// Records that the dependency has just worked but has refused a request. `message` says why.
    pub fn record_refusal(&mut self, message: String, now: DateTime<Utc>) {
        self.record_success(now);
        self.last_error = Some((now, message));
    }

    /// Records that the dependency has just failed. `message` says why.
    pub fn record_failure(&mut self, message: String, now: DateTime<Utc>) {
        self.set(Condition::Fails, now);
        self.last_error = Some((now, message));
    }

    /// Records that the dependency is not needed at present. Whether a failing one still fails is
    /// then unknown.
    pub fn record_not_needed(&mut self, now: DateTime<Utc>) {
        if self.condition == Condition::Fails {
            self.set(Condition::Unknown, now);
        }
    }

    fn set(&mut self, condition: Condition, now: DateTime<Utc>) {
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
    fn dependencies_are_in_the_order_of_their_numbers() {
        for (index, part) in Dependency::ALL.into_iter().enumerate() {
            assert_eq!(part as usize, index);
        }
    }

    #[test]
    fn since_is_when_it_turned_and_the_last_error_stays() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let mut health = DependencyHealth::default();
        assert_eq!(health.condition.word(), "unknown");
        health.record_success(at(1));
        health.record_success(at(2));
        assert_eq!(health.since, Some(at(1)));
        health.record_failure("first".to_owned(), at(3));
        health.record_failure("second".to_owned(), at(4));
        assert_eq!(
            (health.condition, health.since),
            (Condition::Fails, Some(at(3)))
        );
        health.record_success(at(5));
        assert_eq!(health.last_error, Some((at(4), "second".to_owned())));
        health.record_refusal("third".to_owned(), at(6));
        assert_eq!(
            (health.condition, health.since),
            (Condition::Works, Some(at(5)))
        );
        assert_eq!(health.last_error, Some((at(6), "third".to_owned())));
        health.record_not_needed(at(7));
        assert_eq!(health.condition, Condition::Works);
        health.record_failure("fourth".to_owned(), at(8));
        health.record_not_needed(at(9));
        assert_eq!(
            (health.condition, health.since),
            (Condition::Unknown, Some(at(9)))
        );
        assert_eq!(health.last_error, Some((at(8), "fourth".to_owned())));
    }
}
