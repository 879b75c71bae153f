//! When the daemon comes to rest after work that it does rarely: it lets go of the code that it needed for that, and of the memory
//! that it left.

use std::time::Duration;

use linchpin_sys::memory::give_back_free_pages;
use linchpin_sys::program_pages::let_go_of_program_pages;
use tokio::time::Instant;

/// What is due sooner than this belongs to the work: services become RUNNING a second after their start. Letting go
/// before that would bring back much of what was let go of.
const CALM: Duration = Duration::from_millis(1500);

/// After so long any moment without work will do: something may be due every second for ever.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether there is something to let go of.
#[derive(Debug)]
pub(super) struct Rest {
    worked: Option<Instant>,
}

impl Rest {
    /// A daemon that starts has something to let go of.
    pub(super) fn new(now: Instant) -> Self {
        Self { worked: Some(now) }
    }

    /// Some more rare work has been done.
    pub(super) fn worked(&mut self, now: Instant) {
        self.worked = Some(now);
    }

    /// To be called before each wait, with the time when it ends at the latest. No wait is made or ended for it.
    pub(super) fn before_wait(
        &mut self,
        now: Instant,
        deadline: Option<Instant>,
        is_at_work: impl FnOnce() -> bool,
    ) {
        if self.has_come(now, deadline) && !is_at_work() {
            self.worked = None;
            // It was only to save memory.
            let _ = let_go_of_program_pages();
            give_back_free_pages();
        }
    }

    fn has_come(&self, now: Instant, deadline: Option<Instant>) -> bool {
        self.worked.is_some_and(|worked| {
            deadline.is_none_or(|deadline| deadline >= now + CALM) || now >= worked + PATIENCE
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_comes_when_nothing_is_due_soon() {
        let now = Instant::now();
        let rest = Rest::new(now);
        assert!(rest.has_come(now, None));
        assert!(rest.has_come(now, Some(now + 2 * SECOND)));
        assert!(!rest.has_come(now, Some(now + SECOND)));
    }

    #[test]
    fn something_that_is_always_due_does_not_hold_it_up_for_ever() {
        let began = Instant::now();
        let rest = Rest::new(began);
        let at = |second: u32| {
            let now = began + second * SECOND;
            rest.has_come(now, Some(now + SECOND))
        };
        assert!(!at(9) && at(10) && at(11));
    }

    #[test]
    fn it_comes_once_for_each_work_and_not_during_it() {
        let now = Instant::now();
        let mut rest = Rest::new(now);
        rest.before_wait(now, None, || true);
        assert!(rest.has_come(now, None), "it was at work");
        rest.before_wait(now, None, || false);
        assert!(!rest.has_come(now, None));
        rest.worked(now);
        assert!(rest.has_come(now, None));
    }
}
