//! What follows when a service has been shown not to work.

use std::time::Duration;

use super::about;
use crate::service::{AfterStop, Check, CheckPurpose, OccurrenceKind};
use crate::supervisor::{Step, Supervisor};
use crate::{ProcessId, Reason};

/// After being up for this long a service that was restarted for its liveness counts as mended, unless its
/// restart policy says how long.
const MENDED_AFTER: Duration = Duration::from_secs(60);

impl Supervisor {
    /// A service is ready: from now on failures of liveness count.
    pub(super) fn liveness_counts(&mut self, id: ProcessId, step: &Step<'_>) {
        let Some((config, checking)) = self.checked(id) else {
            return;
        };
        if checking.liveness_from <= step.now.monotonic {
            return;
        }
        checking.liveness_from = step.now.monotonic;
        let config = config.clone();
        let probes = config
            .service
            .as_ref()
            .and_then(|service| service.liveness.as_ref())
            .map_or(&[][..], |liveness| &liveness.probes);
        for (index, probe) in (0..).zip(probes) {
            if probe.kind.is_passive() {
                let purpose = CheckPurpose::Liveness;
                self.watch(id, Check { purpose, index });
            }
        }
    }

    /// A check of liveness fails: the service is stopped and started again, or given up.
    pub(super) fn liveness_failed(
        &mut self,
        id: ProcessId,
        check: Check,
        failure: &str,
        step: &mut Step<'_>,
    ) {
        let probe = self.text_of(id, check);
        let text = about(&probe, failure);
        let Some((config, checking)) = self.checked(id) else {
            return;
        };
        let config = config.clone();
        let Some(service) = config.service.as_deref() else {
            return;
        };
        if let Some(state) = checking.get_mut(check) {
            state.fail(failure, step);
        }
        let kind = OccurrenceKind::CheckFailed {
            purpose: check.purpose,
            probe,
            text: failure.to_owned(),
        };
        self.record(id, kind, step);
        if self.is_going_down(id) {
            return;
        }
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        let up = step.now.monotonic.since(process.up_since);
        let again = AfterStop::again(process);
        let mended_after = service
            .restart
            .as_ref()
            .map_or(MENDED_AFTER, |policy| policy.reset);
        let Some((_, checking)) = self.checked(id) else {
            return;
        };
        if up >= mended_after {
            checking.liveness_restarts = 0;
        }
        let restarts = checking.liveness_restarts;
        let limit = service.liveness_restarts;
        let after = if limit > 0 && restarts >= limit {
            AfterStop::GiveUp(Reason::LivenessRestartsExhausted { restarts })
        } else {
            checking.liveness_restarts = restarts.saturating_add(1);
            again
        };
        self.stop_and_then(id, Reason::LivenessFailed { text }, after, step);
    }
}
