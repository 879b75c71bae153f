//! Which events a pool wants.

use linchpin_config::EventType;
use serde::{Deserialize, Serialize};

/// A set of event types that are not abstract.
///
/// A pool that names a type and one of its parents wants each event once all the same; the original gives
/// it such an event twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Subscription(u32);

impl Subscription {
    /// From the names in the configuration, of which each covers everything below it.
    pub(super) fn new(events: &[EventType]) -> Self {
        let covered = EventType::ALL
            .iter()
            .filter(|event| events.iter().any(|named| event.is_a(*named)));
        Self(covered.fold(0, |set, event| set | bit(*event)))
    }

    pub(super) fn covers(self, event: EventType) -> bool {
        self.0 & bit(event) != 0
    }
}

fn bit(event: EventType) -> u32 {
    1 << (event as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_bit_of_its_own() {
        for event in EventType::ALL {
            let only = Subscription(bit(*event));
            let covered: Vec<_> = EventType::ALL
                .iter()
                .filter(|other| only.covers(**other))
                .collect();
            assert_eq!(covered, [event]);
        }
    }

    #[test]
    fn a_parent_covers_what_is_below_and_nothing_else() {
        let ticks = Subscription::new(&[EventType::Tick, EventType::ProcessStateExited]);
        assert!(ticks.covers(EventType::Tick5) && ticks.covers(EventType::Tick3600));
        assert!(ticks.covers(EventType::ProcessStateExited));
        assert!(!ticks.covers(EventType::ProcessStateFatal));
        let all = Subscription::new(&[EventType::Event]);
        assert!(EventType::ALL.iter().all(|event| all.covers(*event)));
    }
}
