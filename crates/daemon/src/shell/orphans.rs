//! What the main log says of processes that were nobody's service: every one, as the original does, but
//! not more than [`MOST_LINES`] in a second, or a storm of orphans would drown everything else.

use std::time::Duration;

use linchpin_core::ExitStatus;
use linchpin_log::{LogHandle, LogLevel};
use tokio::time::Instant;

/// Lines in one second; the rest is counted and told in one line.
const MOST_LINES: u32 = 100;

/// Counts what was reaped.
#[derive(Debug, Default)]
pub(super) struct OrphanLog {
    second_ends: Option<Instant>,
    lines: u32,
    untold: u64,
}

impl OrphanLog {
    pub(super) fn reaped(&mut self, pid: i32, status: ExitStatus, logs: &LogHandle) {
        let now = Instant::now();
        if self.second_ends.is_none_or(|end| end <= now) {
            self.report(logs);
            self.second_ends = Some(now + Duration::from_secs(1));
            self.lines = 0;
        }
        if self.lines < MOST_LINES {
            self.lines += 1;
            logs.log(
                LogLevel::Info,
                format!("reaped unknown pid {pid} ({status})"),
            );
        } else {
            self.untold += 1;
        }
    }

    /// When those that were only counted are to be told of.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.second_ends.filter(|_| self.untold > 0)
    }

    pub(super) fn report(&mut self, logs: &LogHandle) {
        let is_due = self.second_ends.is_none_or(|end| end <= Instant::now());
        if self.untold > 0 && is_due {
            logs.log(
                LogLevel::Info,
                format!("reaped {} more unknown pids", self.untold),
            );
            self.untold = 0;
        }
    }
}
