//! What services have said, told to the core, and the main processes that they name.

use linchpin_core::{Check, CheckPurpose, Event, ExitStatus, Generation, ProbeOutcome, ProcessId};
use linchpin_log::LogLevel;
use linchpin_sys::Pid;
use linchpin_sys::group::kill;

use super::News;
use super::announcements::{Ears, Heard, MOST_AT_ONCE, SourceId};
use crate::shell::Shell;
use crate::shell::children::{Child, Start};

/// Most messages of a service that are heard when it has ended. The kernel's queue is shorter.
const MOST_LAST_WORDS: usize = 1024;

/// What is told of the end of a process whose parent is another one, which alone gets to know how it ended.
const UNKNOWN_END: ExitStatus = ExitStatus::Code(255);

impl Shell {
    /// A process has been started: what it says is heard from now on.
    pub(crate) fn watch_announcements(
        &mut self,
        start: (ProcessId, Generation),
        pid: i32,
        ears: Ears,
    ) {
        if let Err(error) = self.services.announcements.watch(start, pid, ears) {
            let text = format!("cannot hear what process {pid} says of its readiness: {error}");
            self.logs.log(LogLevel::Error, text);
        }
    }

    /// Hears what there is to hear.
    pub(crate) fn take_announcements(&mut self) {
        for source in self.services.announcements.take_ready() {
            self.hear(source, MOST_AT_ONCE);
        }
    }

    /// A process has ended: its last words come before its end.
    pub(crate) fn hear_out(&mut self, generation: Generation) {
        for source in self.services.announcements.sources_of(generation) {
            self.hear(source, MOST_LAST_WORDS);
        }
    }

    /// A line of a service's output matches one of its readiness probes.
    pub(crate) fn line_found(&mut self, generation: Generation, index: u16) {
        // Each expression is found once in a run, so this does not grow.
        if let Some(early) = self.services.early_lines.get_mut(&generation) {
            early.push(index);
            return;
        }
        if let Some(process) = self.runs.get(&generation).copied() {
            self.feed(Event::Probed {
                process,
                generation,
                check: Check {
                    purpose: CheckPurpose::Readiness,
                    index,
                },
                attempt: 0,
                outcome: ProbeOutcome::Passed,
            });
        }
    }

    fn hear(&mut self, source: SourceId, most: usize) {
        for _ in 0..most {
            let children = &self.children;
            let is_known = |pid: Pid| children.is_known(pid.get());
            match self.services.announcements.hear(source, is_known) {
                Heard::Nothing => return,
                Heard::Noise => {}
                Heard::Complaint(text) => {
                    let text = format!("a notification is ignored: {text}");
                    self.logs.log(LogLevel::Warn, text);
                }
                Heard::Event(event, descriptors) => {
                    self.feed(event);
                    drop(descriptors);
                }
                Heard::MainEnded(main) => return self.adopted_ended(main),
            }
        }
    }

    /// A service has named another process as its main one, and the core has agreed.
    pub(super) fn adopt_main(&mut self, process: ProcessId, generation: Generation, main: i32) {
        let Some(main) = Pid::new(main) else { return };
        if !self.children.may_become_main(generation, main.get()) {
            return;
        }
        let start = Start {
            process,
            generation,
            has_streams: self.owners.contains_key(&process),
        };
        let announcements = &self.services.announcements;
        let leader = announcements.leader_of(generation).unwrap_or(main);
        self.children.adopt(start, leader.get(), main.get());
        let watched = match linchpin_sys::pidfd::open(main) {
            Ok(pidfd) => {
                let announcements = &mut self.services.announcements;
                announcements.main_is((process, generation), main, pidfd)
            }
            // There is no such thing, or no such process any more.
            Err(error) => match kill(main, 0) {
                Ok(()) => Err(error),
                Err(_) => {
                    // Not here and now: the core is just being served.
                    let _ = self.services.newsroom.send(News::MainGone(main));
                    return;
                }
            },
        };
        if let Err(error) = watched {
            let text = format!(
                "the end of process {main}, which a service has named as its main one, is noticed only if it becomes a \
                 child of this daemon: {error}"
            );
            self.logs.log(LogLevel::Warn, text);
        }
    }

    /// The end of a process that a service has named has been seen, by other means than reaping it.
    fn adopted_ended(&mut self, main: Pid) {
        match linchpin_sys::reap::reap(main) {
            Ok(Some(waited)) => {
                if let Some(child) = self.children.reaped(main.get()) {
                    let status = crate::shell::exit_status(waited.status);
                    self.child_ended(child, main.get(), status);
                }
            }
            Ok(None) => {}
            Err(_) => self.main_is_gone(main),
        }
    }

    pub(crate) fn main_is_gone(&mut self, main: Pid) {
        let child = self.children.reaped(main.get());
        if let Some(child @ Child::Service(_)) = child {
            let text = format!("process {main} has ended; how, only its parent knows");
            self.logs.log(LogLevel::Info, text);
            self.child_ended(child, main.get(), UNKNOWN_END);
        }
    }
}
