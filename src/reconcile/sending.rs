//! Sends change batches: waits for room within the account's limits, and sends a batch again that
//! Route 53 didn't take for a reason that passes. While it waits, it asks again and again whether
//! the batch is still wanted, and right before it sends. A batch of a minute ago may delete what
//! metadata wants again.

use std::time::{Duration, Instant};

use crate::base::heartbeat::Heartbeat;
use crate::dns::ChangeBatch;
use crate::plan::round::Progress;
use crate::route53::caller::{Tried, Tries};
use crate::route53::client::Client;
use crate::route53::error::Error;

/// Longest time between two questions whether a waiting batch is still wanted.
const SLICE: Duration = Duration::from_millis(500);

/// What a batch that wasn't taken leaves behind. Kept from round to round, so that a round that is
/// cut doesn't make the pauses shorter that Route 53 asks for.
#[derive(Default)]
pub struct Sending {
    tries: Tries,
    /// Nothing is sent before.
    again_at: Option<Instant>,
    /// A batch had no answer.
    is_unanswered: bool,
}

impl Sending {
    /// Sends a batch and returns the id of the change; none if it isn't wanted any more.
    pub fn send(
        &mut self,
        client: &mut Client,
        zone_id: &str,
        batch: &ChangeBatch,
        wait: &mut Waiting<'_>,
    ) -> Result<Option<String>, Error> {
        loop {
            if !self.wait(client, batch, wait) {
                return Ok(None);
            }
            let tried = client.change(zone_id, batch, &mut self.tries);
            self.is_unanswered |= self.tries.may_be_applied;
            let ended = match tried {
                Ok(Tried::Again(pause)) => {
                    self.again_at = Some(Instant::now() + pause);
                    continue;
                }
                Ok(Tried::Done(id)) => Ok(Some(id)),
                Err(error) => Err(error),
            };
            (self.tries, self.again_at) = (Tries::default(), None);
            return ended;
        }
    }

    /// Whether a batch had no answer since this was asked last.
    pub fn take_unanswered(&mut self) -> bool {
        std::mem::take(&mut self.is_unanswered)
    }

    /// Waits until the batch may be sent. False if it isn't wanted any more.
    fn wait(&mut self, client: &mut Client, batch: &ChangeBatch, wait: &mut Waiting<'_>) -> bool {
        let mut is_logged = false;
        loop {
            let room = client.room(batch);
            let now = Instant::now();
            let pause = self.again_at.map(|at| at.saturating_duration_since(now));
            let left = pause.unwrap_or_default().max(room);
            if !room.is_zero() && !is_logged {
                Client::log_wait(room);
                is_logged = true;
            }
            let slice = left.min(SLICE);
            wait.heartbeat.sleep(slice);
            wait.progress.wait = left - slice;
            if !(wait.goes_on)(wait.progress) {
                return false;
            }
            wait.progress.is_repeated = true;
            if left == slice {
                return true;
            }
        }
    }
}

/// What happens while a batch waits.
pub struct Waiting<'a> {
    /// Beats meanwhile.
    pub heartbeat: &'a Heartbeat,
    /// How far the round is.
    pub progress: Progress,
    /// Whether the batch is still wanted.
    pub goes_on: &'a mut dyn FnMut(Progress) -> bool,
}
