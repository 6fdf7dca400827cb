//! A hosted zone that somebody has deleted and made anew has another id. It is found again by its
//! name.

use crate::base::log;
use crate::daemon::startup;
use crate::observe::telemetry::Telemetry;
use crate::reconcile::Reconciler;
use crate::reconcile::error::RoundError;

/// Whether the hosted zone has to be looked up before the next round.
pub struct ZoneLookUp {
    /// `ROUTE53_ZONE_ID` is set: only that zone will do.
    is_id_set: bool,
    is_due: bool,
}

impl ZoneLookUp {
    /// The hosted zone is known.
    pub fn new(is_id_set: bool) -> ZoneLookUp {
        ZoneLookUp {
            is_id_set,
            is_due: false,
        }
    }

    /// Looks the hosted zone up if it is gone. While it is made anew there is none for a moment, so
    /// that is no reason to end.
    pub fn find(
        &mut self,
        reconciler: &mut Reconciler,
        telemetry: &Telemetry,
    ) -> Result<(), RoundError> {
        if !self.is_due {
            return Ok(());
        }
        let name = reconciler.rules().zone.clone();
        let zone = startup::zone_again(&name, reconciler.client()).map_err(RoundError::NoZone)?;
        self.is_due = false;
        log::info(
            "the hosted zone was looked up again",
            &[
                ("zone", &zone.name),
                ("id", &zone.id),
                ("kind", &zone.kind()),
                ("was", &reconciler.zone_id()),
            ],
        );
        reconciler.move_to(zone.id.clone());
        telemetry.note(|status| status.hosted_zone = Some(zone));
        Ok(())
    }

    /// Takes in why a round failed. If the hosted zone is gone, the next round looks it up; the
    /// reason why the program has to end is returned if it may not.
    pub fn learn(&mut self, error: RoundError, zone_id: &str) -> Result<RoundError, String> {
        if !error.is_zone_gone() {
            return Ok(error);
        }
        if self.is_id_set {
            return Err(format!("the hosted zone is gone: {error}"));
        }
        self.is_due = true;
        Ok(RoundError::NoZone(format!(
            "there is no hosted zone with the id {zone_id} any more; it is looked up again by its name"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route53::error::{Error, Refusal};

    fn refused(code: &str) -> RoundError {
        RoundError::Route53(Error::Refused(Refusal {
            status: 404,
            code: code.to_owned(),
            messages: vec![],
            request_id: String::new(),
            renewed_by: None,
        }))
    }

    #[test]
    fn only_a_zone_that_is_gone_is_looked_up_and_only_by_name() {
        for (is_id_set, code, is_due, ends) in [
            (false, "NoSuchHostedZone", true, false),
            (true, "NoSuchHostedZone", false, true),
            (false, "HTTP 404", false, false),
            (true, "HTTP 404", false, false),
            (false, "AccessDenied", false, false),
        ] {
            let mut zone = ZoneLookUp::new(is_id_set);
            let learned = zone.learn(refused(code), "Z1");
            assert_eq!(zone.is_due, is_due, "{code}");
            assert_eq!(learned.is_err(), ends, "{code}");
        }
    }
}
