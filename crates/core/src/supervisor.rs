//! The supervisor: its state, and which part handles which event.

use std::collections::BTreeMap;
use std::sync::Arc;

use linchpin_config::{Config, GroupConfig};
use serde::{Deserialize, Serialize};

use crate::groups::{Configured, Groups};
use crate::lifecycle::Restart;
use crate::operation::Operation;
use crate::pool::Pools;
use crate::process::Process;
use crate::remains::Remains;
use crate::service::{Dependencies, Ends, RunningHook};
use crate::shutdown::Shutdown;
use crate::sockets::{Addition, Sockets};
use crate::timers::{Timer, Timers};
use crate::{
    Action, Actions, Command, DaemonState, Event, Failure, Generation, HookPoint, Monotonic,
    Notice, Now, OperationId, Outcome, ProcessId,
};

/// Everything that is supervised, and what is to happen next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Supervisor {
    pub(crate) configured: Configured,
    pub(crate) groups: Groups,
    pub(crate) processes: BTreeMap<ProcessId, Process>,
    pub(crate) operations: BTreeMap<OperationId, Operation>,
    /// What may still exist of earlier starts.
    pub(crate) remains: BTreeMap<Generation, Remains>,
    pub(crate) sockets: Sockets,
    /// Groups that are about to be added.
    pub(crate) additions: BTreeMap<OperationId, Addition>,
    pub(crate) timers: Timers,
    pub(crate) dependencies: Dependencies,
    pub(crate) pools: Pools,
    pub(crate) shutdown: Option<Shutdown>,
    pub(crate) ends: Ends,
    /// Hooks that are under way: at most one at each point of a start.
    pub(crate) hooks: BTreeMap<(Generation, HookPoint), RunningHook>,
    /// What the random part of waits is made of.
    pub(crate) seed: u64,
    pub(crate) next_process: u32,
    pub(crate) next_generation: u64,
}

/// What one event is handled with: its time, and where actions go.
#[derive(Debug)]
pub(crate) struct Step<'a> {
    pub(crate) now: Now,
    pub(crate) actions: &'a mut Actions,
}

impl Step<'_> {
    pub(crate) fn act(&mut self, action: Action) {
        self.actions.push(action);
    }
}

impl Supervisor {
    /// A supervisor of the groups of `config`, in which nothing has happened; [`Event::Boot`] begins.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            configured: Configured::new(config.groups.clone()),
            groups: Groups::default(),
            processes: BTreeMap::new(),
            operations: BTreeMap::new(),
            remains: BTreeMap::new(),
            sockets: Sockets::default(),
            additions: BTreeMap::new(),
            timers: Timers::default(),
            dependencies: Dependencies::default(),
            pools: Pools::default(),
            shutdown: None,
            ends: Ends::new(config),
            hooks: BTreeMap::new(),
            seed: 0,
            next_process: 0,
            next_generation: 0,
        }
    }

    /// The supervisor that begins anew in the same daemon after [`Action::Finished`] with `restart`.
    ///
    /// It uses none of the identifiers of this one, so that an answer which belongs to this one is never
    /// mistaken for its own; and it knows of starts that were given up and may still come about: they
    /// are killed when they do, and their successors wait for that. The sockets that they hold stay open.
    /// The serial numbers of events go on.
    #[must_use]
    pub fn successor(&self, config: &Config) -> Self {
        Self {
            remains: self.remains.clone(),
            pools: self.pools.successor(),
            sockets: self.sockets.clone(),
            seed: self.seed,
            next_process: self.next_process,
            next_generation: self.next_generation,
            ..Self::new(config)
        }
    }

    /// When [`Event::Wake`] is due by the clock that never jumps, if nothing else happens before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Monotonic> {
        self.timers.next()
    }

    /// The daemon's state.
    #[must_use]
    pub fn state(&self) -> DaemonState {
        match &self.shutdown {
            None => DaemonState::Running,
            Some(shutdown) if shutdown.restart => DaemonState::Restarting,
            Some(_) => DaemonState::Shutdown,
        }
    }

    /// The groups of the configuration last read.
    #[must_use]
    pub fn configured_groups(&self) -> &[Arc<GroupConfig>] {
        self.configured.all()
    }

    /// Whether the group that was last read under this name has been added since. What is at work under the name may be
    /// as it was read before.
    #[must_use]
    pub fn is_added_as_configured(&self, name: &str) -> bool {
        self.configured.is_added(name)
    }

    /// Takes in one event and appends what is to be done about it.
    ///
    /// The event comes first, then timers that are due by `now`: a process whose end is the event must
    /// not be killed for not having ended, however late the shell woke up.
    pub fn handle(&mut self, event: Event, now: Now, actions: &mut Actions) {
        let mut step = Step { now, actions };
        match event {
            Event::Boot => self.boot(&mut step),
            Event::Wake => {}
            Event::Spawned {
                process,
                generation,
                pid,
                exec_failure,
            } => {
                self.spawned(process, generation, pid, exec_failure, &mut step);
            }
            Event::SpawnFailed {
                process,
                generation,
                failure,
            } => {
                self.spawn_failed(process, generation, failure, &mut step);
            }
            Event::Exited {
                process,
                generation,
                status,
                drained,
                group_alive,
            } => {
                self.exited(process, generation, status, drained, group_alive, &mut step);
            }
            Event::Drained {
                process,
                generation,
            } => self.drained(process, generation, &mut step),
            Event::GroupGone { generation } => self.group_gone(generation, &mut step),
            Event::Signalled {
                process,
                generation,
                purpose,
                outcome,
            } => {
                self.signalled(process, generation, purpose, outcome, &mut step);
            }
            Event::CommandChecked {
                operation,
                process,
                failure,
            } => {
                self.command_checked(operation, process, failure, &mut step);
            }
            Event::ProcessOutput {
                process,
                kind,
                channel,
                pid,
                data,
            } => self.process_output(process, kind, channel, pid, data, &mut step),
            Event::RemoteCommunication { kind, data } => {
                self.tell_pools(Notice::RemoteCommunication { kind, data }, &mut step);
            }
            Event::ListenerOutput {
                process,
                generation,
                data,
            } => self.listener_said(process, generation, &data, &mut step),
            Event::Delivered {
                process,
                generation,
                delivery,
            } => self.delivered(process, generation, delivery, &mut step),
            Event::InputDrained {
                process,
                generation,
            } => self.input_drained(process, generation),
            Event::SocketTried { operation, failure } => {
                self.socket_tried(operation, failure, &mut step);
            }
            Event::Probed {
                process,
                generation,
                check,
                attempt,
                outcome,
            } => self.probed(process, generation, check, attempt, outcome, &mut step),
            Event::Notified {
                process,
                generation,
                notification,
            } => self.notified(process, generation, notification, &mut step),
            Event::HookEnded {
                generation,
                point,
                failure,
                ..
            } => self.hook_ended(generation, point, failure, &mut step),
            Event::MarkerOpened {
                process,
                generation,
                state,
            } => self.marker_opened(process, generation, state, &mut step),
            Event::MarkerCommitted {
                process,
                generation,
                failure,
            } => self.marker_committed(process, generation, failure, &mut step),
            Event::MemoryMeasured {
                process,
                generation,
                bytes,
            } => self.memory_measured(process, generation, bytes, &mut step),
            Event::OutOfMemory {
                process,
                generation,
            } => self.out_of_memory(process, generation, &mut step),
            Event::Command { operation, command } => self.command(operation, command, &mut step),
            Event::Shutdown { restart, cause } => self.begin_shutdown(restart, cause, &mut step),
        }
        self.settle(&mut step);
        self.continue_shutdown(&mut step);
        while let Some(timer) = self.timers.pop_due(now.monotonic) {
            self.fire(timer, &mut step);
            self.settle(&mut step);
            self.continue_shutdown(&mut step);
        }
        self.tick(&mut step);
        self.dispatch(&mut step);
    }

    fn fire(&mut self, timer: Timer, step: &mut Step<'_>) {
        match timer {
            Timer::Process(id) => self.process_timer(id, step),
            Timer::Dependencies(id) => self.look_at_wait(id),
            Timer::Drain(id) => self.complete_exit(id, Restart::AsConfigured, step),
            Timer::StopReport(id) => self.report_stop(id, step),
            Timer::Remains(generation) => self.remains_timer(generation, step),
            Timer::Check(id, check) => self.check_timer(id, check, step),
            Timer::Readiness(id) => self.readiness_timer(id, step),
            Timer::Memory(id) => self.memory_timer(id, step),
            Timer::ShutdownReport => self.report_shutdown(step),
            Timer::ShutdownTimeout => self.shutdown_timeout(step),
            Timer::Hook(generation, point) => self.hook_timer(generation, point, step),
            // What they held up goes on by itself.
            Timer::LastEvents | Timer::LastMarkers => {}
        }
    }

    fn command(&mut self, operation: OperationId, command: Command, step: &mut Step<'_>) {
        let outcome = if self.shutdown.is_some() {
            Outcome::Failed(Failure::ShuttingDown)
        } else {
            match command {
                Command::Start { target, wait } => {
                    return self.begin_start(operation, &target, wait, step);
                }
                Command::Stop { target, wait } => {
                    return self.begin_stop(operation, &target, wait, step);
                }
                Command::Signal { target, signal } => {
                    return self.begin_signal(operation, &target, signal, step);
                }
                Command::ReloadService { target } => {
                    return self.begin_service_reload(operation, &target, step);
                }
                Command::Reload { config } => self.reload(*config),
                Command::AddGroup { name } => return self.begin_addition(operation, &name, step),
                Command::RemoveGroup { name } => self.remove_group(&name, step),
                Command::AddProcesses { group, processes } => {
                    self.add_processes(&group, &processes, step)
                }
                Command::RemoveProcess { group, name } => {
                    self.remove_one_process(&group, &name, step)
                }
            }
        };
        step.act(Action::Reply { operation, outcome });
    }
}
