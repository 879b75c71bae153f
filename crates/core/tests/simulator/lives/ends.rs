//! What ends of services mean for the daemon: whether it ends with one, with which exit status, and whether
//! that is over in time.

use linchpin_config::{Config, OnEnd, ProcessConfig};
use linchpin_core::{
    DaemonState, Event, ExitStatus, ProcessId, Reason, SpawnFailureKind, Supervisor,
};

use super::{has_chance_after, is_prevented, marker, wants_itself_again};
use crate::simulator::invariants::{Invariant, Violation};
use crate::simulator::world::{Phase, World};

/// What is known of the end of the daemon.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    timeout: u64,
    pub(crate) exit_code_from: Option<String>,
    /// The service whose end is the daemon's, and its exit status.
    culprit: Option<(ProcessId, i32)>,
    /// Somebody has told the daemon to end.
    is_asked: bool,
    was_running: bool,
    begun: Option<u64>,
}

/// An end as an exit status.
pub(crate) fn code_of(status: ExitStatus) -> i32 {
    match status {
        ExitStatus::Code(code) => code,
        ExitStatus::Signal { signal, .. } => 128 + signal,
    }
}

/// A start without a process as an exit status.
pub(crate) fn code_of_failure(kind: SpawnFailureKind) -> i32 {
    match kind {
        SpawnFailureKind::NoFile => 127,
        SpawnFailureKind::NotExecutable => 126,
        SpawnFailureKind::Socket | SpawnFailureKind::Other => 1,
    }
}

fn ends_daemon(
    config: &ProcessConfig,
    choose: impl Fn(&linchpin_config::ServiceConfig) -> OnEnd,
) -> bool {
    let service = config.service.as_ref();
    service.is_some_and(|service| choose(service) == OnEnd::Shutdown)
}

impl Ends {
    pub(crate) fn new(config: &Config) -> Self {
        let linchpin = config.linchpin.as_ref();
        Self {
            timeout: linchpin.map_or(0, |it| {
                u64::try_from(it.shutdown_timeout.as_nanos()).unwrap_or(u64::MAX)
            }),
            exit_code_from: linchpin.and_then(|it| it.exit_code_from.clone()),
            ..Self::default()
        }
    }

    pub(crate) fn before(&mut self, event: &Event, supervisor: &Supervisor) {
        self.was_running = supervisor.state() == DaemonState::Running;
        self.is_asked |= matches!(event, Event::Shutdown { .. });
    }

    /// Whether the end of the daemon has taken as long as it may.
    pub(crate) fn is_late(&self, now: u64) -> bool {
        self.timeout > 0
            && self
                .begun
                .is_some_and(|begun| now >= begun.saturating_add(self.timeout))
    }

    fn found(&mut self, process: ProcessId, code: i32) {
        if self.was_running && !self.is_asked && self.culprit.is_none() {
            self.culprit = Some((process, code));
        }
    }

    /// A service is given up. `last`: the exit status of its last start.
    pub(crate) fn given_up(
        &mut self,
        process: ProcessId,
        config: &ProcessConfig,
        reason: &Reason,
        last: Option<i32>,
    ) {
        if ends_daemon(config, |it| it.on_fatal) && !has_chance_after(config, reason) {
            self.found(process, last.unwrap_or(1).max(1));
        }
    }

    /// A service has ended by itself.
    pub(crate) fn ended(
        &mut self,
        process: ProcessId,
        config: &ProcessConfig,
        reason: &Reason,
        expected: bool,
    ) {
        let status = reason.exit();
        let is_given_up = !expected && status.is_some_and(|it| is_prevented(config, it));
        let has_to_note = status.is_some() && expected && marker(config).is_some();
        if ends_daemon(config, |it| it.on_exit)
            && !wants_itself_again(config, reason, expected)
            && !is_given_up
            && !has_to_note
        {
            self.found(process, status.map_or(0, code_of));
        }
    }

    /// The work of a oneshot that has ended has been noted.
    pub(crate) fn noted(&mut self, process: ProcessId, config: &ProcessConfig, last: Option<i32>) {
        if ends_daemon(config, |it| it.on_exit) {
            self.found(process, last.unwrap_or(0));
        }
    }

    /// Looks at the core after an event.
    pub(crate) fn after(
        &mut self,
        supervisor: &Supervisor,
        world: &World,
        is_finished: bool,
    ) -> Result<(), Violation> {
        let is_running = supervisor.state() == DaemonState::Running;
        if self.was_running && !self.is_asked && is_running != self.culprit.is_none() {
            return Err(Invariant::EndsDecide.broken(format!(
                "the daemon goes on: {is_running}, with {:?} as its end",
                self.culprit
            )));
        }
        if is_running {
            return Ok(());
        }
        self.begun.get_or_insert(world.monotonic);
        if is_finished || !self.is_late(world.monotonic) {
            return Ok(());
        }
        for start in world.starts.values() {
            let is_left = matches!(start.phase, Phase::Alive { .. })
                && !(start.is_doomed || start.is_protected || start.is_disowned);
            if is_left {
                return Err(Invariant::ShutdownInTime.broken(format!("{start:?}")));
            }
        }
        if let Some((_, point, hook)) = world.lives.hooks().next() {
            return Err(Invariant::ShutdownInTime.broken(format!("{point:?} of {hook:?}")));
        }
        // Neither is anything else: not a marker that is being written, nor a listener's last event.
        if world
            .starts
            .values()
            .all(|start| start.is_released && !start.is_followed)
        {
            return Err(Invariant::ShutdownInTime.broken("nothing is left, and it goes on"));
        }
        Ok(())
    }

    /// The daemon is at its end. `named`: the last exit status of the service that `exit_code_from` names.
    pub(crate) fn finished(&self, supervisor: &Supervisor, named: i32) -> Result<(), Violation> {
        let code = self.culprit.map_or(named, |(_, code)| code);
        if supervisor.exit_code() == code {
            Ok(())
        } else {
            Err(Invariant::EndsDecide.broken(format!(
                "the exit status is {}, and should be {code}",
                supervisor.exit_code()
            )))
        }
    }
}
