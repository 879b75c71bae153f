//! How often a service may speak: one in an endless loop must not keep the daemon busy.

use std::time::Duration;

use tokio::time::Instant;

/// Most messages of one source that are taken within [`SPAN`]. Beyond, it is not looked at until that is over: what it sends
/// waits in the kernel's queue, and when that is full the sender waits.
pub(crate) const MOST_IN_A_SECOND: usize = 1000;

const SPAN: Duration = Duration::from_secs(1);

/// How much a source has said lately.
#[derive(Debug)]
pub(super) struct Pace {
    since: Instant,
    heard: usize,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            since: now,
            heard: 0,
        }
    }

    /// It has said something.
    pub(super) fn count(&mut self, now: Instant) {
        if now >= self.since + SPAN {
            *self = Self::new(now);
        }
        self.heard = self.heard.saturating_add(1);
    }

    /// Until when it is not to be looked at; none if it has not said too much.
    pub(super) fn pause(&self, now: Instant) -> Option<Instant> {
        let end = self.since + SPAN;
        (self.heard >= MOST_IN_A_SECOND && now < end).then_some(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_too_much_is_not_looked_at_for_the_rest_of_the_second() {
        let began = Instant::now();
        let mut pace = Pace::new(began);
        let later = began + Duration::from_millis(400);
        for _ in 1..MOST_IN_A_SECOND {
            pace.count(later);
        }
        assert_eq!(pace.pause(later), None);
        pace.count(later);
        assert_eq!(pace.pause(later), Some(began + SPAN));
        assert_eq!(pace.pause(began + SPAN), None);
        pace.count(began + SPAN);
        assert_eq!(pace.pause(began + SPAN), None);
    }
}
