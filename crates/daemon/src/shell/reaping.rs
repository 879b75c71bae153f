//! Ends of processes: reaped, told from each other, and told to the core.

use linchpin_core::{Event, ExitStatus, Generation, ProcessId};
use tokio::time::Instant;

use super::Shell;
use super::actions::{is_group, leads_group};
use super::children::{Child, Start};

/// How many processes are reaped before other news gets a turn.
const REAP_BATCH: usize = 256;

const SIGKILL: i32 = 9;

/// With what a shell ends whose last command was killed by SIGKILL.
const KILLED_IN_SHELL: i32 = 128 + SIGKILL;

impl Shell {
    /// Reaps what has ended. Returns whether there may be more.
    pub(super) fn reap(&mut self) -> bool {
        let mut had_orphans = false;
        let mut is_more = true;
        for _ in 0..REAP_BATCH {
            let waited = match linchpin_sys::reap::reap_any() {
                Ok(Some(waited)) => waited,
                Ok(None) | Err(_) => {
                    is_more = false;
                    break;
                }
            };
            let (pid, status) = (waited.pid.get(), exit_status(waited.status));
            let mut child = self.children.reaped(pid);
            if child.is_none() {
                if self.spawner.is_starting(pid) || self.services.tasks.spawner().is_starting(pid) {
                    self.children.reaped_early(pid, status);
                    continue;
                }
                // Its start may have been answered, and the answer not been read.
                self.take_answers();
                child = self.children.reaped(pid);
            }
            match child {
                Some(child) => self.child_ended(child, pid, status),
                None => {
                    had_orphans = true;
                    self.orphans.reaped(pid, status, &self.logs);
                }
            }
        }
        if had_orphans {
            self.look_at_groups();
            self.feed_queued();
        }
        is_more
    }

    pub(crate) fn child_ended(&mut self, child: Child, pid: i32, status: ExitStatus) {
        match child {
            Child::Service(start) => {
                // It may have named another main process with its last breath.
                self.hear_out(start.generation);
                if self.children.has_adopted(start.generation) {
                    self.children.former_reaped(start.generation, is_group);
                } else {
                    self.ended(start, pid, status);
                }
            }
            Child::Former(generation) => self.children.former_reaped(generation, is_group),
            Child::Task(task) => self.task_ended(task, status),
        }
    }

    fn ended(&mut self, start: Start, pid: i32, status: ExitStatus) {
        let Start {
            process,
            generation,
            has_streams,
        } = start;
        let drained = !has_streams || self.logs.finish(Self::run_of(generation)).is_err();
        if !drained {
            self.draining.insert(generation, process);
        }
        self.owners.remove(&process);
        let was_out_of_memory = self.was_out_of_memory(generation, status);
        if let Some(slot) = self.slots.get_mut(&process) {
            slot.last_end = Some((status, was_out_of_memory));
        }
        if was_out_of_memory {
            self.feed(Event::OutOfMemory {
                process,
                generation,
            });
        }
        let groups = self.children.groups_of(generation, pid, leads_group);
        let group_alive = groups.into_iter().any(is_group);
        self.services.announcements.close(generation);
        self.feed(Event::Exited {
            process,
            generation,
            status,
            drained,
            group_alive,
        });
    }

    /// Whether it was the kernel that has ended a process, for lack of memory, or the command that a shell ran as the
    /// service. Every kill is looked at, so that one of ours does not count at the next.
    fn was_out_of_memory(&mut self, generation: Generation, status: ExitStatus) -> bool {
        let was_killed = match status {
            ExitStatus::Signal { signal, .. } => signal == SIGKILL,
            ExitStatus::Code(code) => code == KILLED_IN_SHELL,
        };
        was_killed
            && self.services.out_of_memory.has_killed(Instant::now())
            && !self.services.killed.contains(&generation)
    }

    /// How a process has ended the last time, and whether that was for lack of memory.
    pub(crate) fn last_end(&self, process: ProcessId) -> Option<(ExitStatus, bool)> {
        self.slots.get(&process).and_then(|slot| slot.last_end)
    }
}

pub(crate) fn exit_status(status: linchpin_sys::reap::ExitStatus) -> ExitStatus {
    match status {
        linchpin_sys::reap::ExitStatus::Exited(code) => ExitStatus::Code(code),
        linchpin_sys::reap::ExitStatus::Signaled {
            signal,
            core_dumped,
        } => ExitStatus::Signal {
            signal,
            core_dumped,
        },
    }
}
