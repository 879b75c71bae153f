//! Events of time: one whenever the clock on the wall enters another slice of 5 seconds, a minute or an
//! hour, whichever way it got there. What was missed is not made up for.

use linchpin_config::EventType;
use serde::{Deserialize, Serialize};

use crate::supervisor::{Step, Supervisor};
use crate::{Notice, TickPeriod, Wall};

const NANOSECONDS: i64 = 1_000_000_000;

/// The slices that were last looked at, of those periods that some pool has subscribed to: without a
/// subscription there is no deadline.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ticks {
    last: [Option<i64>; TickPeriod::ALL.len()],
}

impl Ticks {
    /// Begins with the present slice where a subscription is new, and ends where it is gone.
    pub(super) fn subscribe(&mut self, now: Wall, is_wanted: impl Fn(EventType) -> bool) {
        for (last, period) in self.last.iter_mut().zip(TickPeriod::ALL) {
            *last = if is_wanted(period.event_type()) {
                last.or(Some(slice(now, period)))
            } else {
                None
            };
        }
    }

    /// The ticks that are due.
    fn due(&mut self, now: Wall) -> Vec<Notice> {
        let mut due = Vec::new();
        for (last, period) in self.last.iter_mut().zip(TickPeriod::ALL) {
            let when = slice(now, period);
            if last.is_some_and(|last| last != when) {
                *last = Some(when);
                due.push(Notice::Tick { period, when });
            }
        }
        due
    }

    /// When the next slice begins.
    fn next(&self) -> Option<Wall> {
        self.last
            .iter()
            .zip(TickPeriod::ALL)
            .filter_map(|(last, period)| {
                let next = (*last)?.saturating_add(period.seconds());
                Some(Wall(next.saturating_mul(NANOSECONDS)))
            })
            .min()
    }
}

fn slice(now: Wall, period: TickPeriod) -> i64 {
    let seconds = now.seconds();
    seconds - seconds.rem_euclid(period.seconds())
}

impl Supervisor {
    /// When [`Event::Wake`](crate::Event::Wake) is due by the clock on the wall, beside
    /// [`next_deadline`](Self::next_deadline). Due as well as soon as somebody sets that clock.
    #[must_use]
    pub fn next_wall_deadline(&self) -> Option<Wall> {
        if self.has_finished() {
            return None;
        }
        self.pools.ticks.next()
    }

    pub(crate) fn tick(&mut self, step: &mut Step<'_>) {
        for notice in self.pools.ticks.due(step.now.wall) {
            self.tell_pools(notice, step);
        }
    }
}
