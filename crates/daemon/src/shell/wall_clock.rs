//! The deadline by the clock on the wall, if there is one: it comes when that clock says so, also when
//! somebody sets it, and costs nothing while nobody wants it.

use std::time::Duration;

use linchpin_core::Wall;
use linchpin_sys::wall_timer::WallTimer;
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

use crate::descriptor::readable;

/// The timer, made on first use.
#[derive(Debug, Default)]
pub(super) struct WallClock {
    timer: Option<AsyncFd<WallTimer>>,
    /// What the timer is set to.
    set: Option<Wall>,
    /// The deadline, where there could be no timer: then it comes late if the clock is set.
    without_timer: Option<Wall>,
}

impl WallClock {
    pub(super) fn set(&mut self, at: Option<Wall>) {
        if at == self.set {
            return;
        }
        if self.timer.is_none() {
            // Without a descriptor to spare it has to do without, until the next deadline.
            self.timer = WallTimer::new().and_then(readable).ok();
        }
        let is_set = match &self.timer {
            Some(timer) => timer.get_ref().set(at.map(|at| at.0)).is_ok(),
            None => false,
        };
        self.set = if is_set { at } else { None };
        self.without_timer = if is_set { None } else { at };
    }

    /// Comes to an end when the deadline may be over.
    pub(super) async fn wakes(&mut self) {
        let Some(timer) = &self.timer else {
            return std::future::pending().await;
        };
        match timer.readable().await {
            Ok(mut ready) => {
                ready.get_inner().acknowledge();
                ready.clear_ready();
            }
            // It is of no use any more.
            Err(_) => self.timer = None,
        }
        // Whatever it was, it has to be set again.
        self.set = None;
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let left = self
            .without_timer?
            .0
            .saturating_sub(linchpin_sys::time::wall());
        let left = Duration::from_nanos(u64::try_from(left).unwrap_or(0));
        Some(Instant::now() + left)
    }
}
