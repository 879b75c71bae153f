//! What clients see of the core's state.

use std::collections::HashSet;
use std::sync::Arc;

use linchpin_core::{ProcessView, Wall};

use super::Shell;
use super::logs::SlotLog;
use crate::control::{Configuration, ProcessInfo};

impl Shell {
    pub(super) fn info(&self, view: &ProcessView<'_>) -> ProcessInfo {
        let slot = self.slots.get(&view.id);
        let log =
            |log: Option<&SlotLog>| log.and_then(SlotLog::path).unwrap_or_default().to_owned();
        ProcessInfo {
            name: view.config.name.clone(),
            group: view.group.to_owned(),
            state: view.state,
            start: seconds(view.start),
            stop: seconds(view.stop),
            now: seconds(Some(super::now().wall)),
            spawn_error: view.spawn_error.unwrap_or_default().to_owned(),
            exit_status: view.exit_status.unwrap_or(0),
            stdout_logfile: log(slot.map(|slot| &slot.stdout_log)),
            stderr_logfile: log(slot.map(|slot| &slot.stderr_log)),
            pid: view.pid.unwrap_or(0),
        }
    }

    pub(super) fn infos(&self) -> Vec<ProcessInfo> {
        self.core
            .processes_by_name()
            .iter()
            .map(|view| self.info(view))
            .collect()
    }

    pub(super) fn configurations(&self) -> Vec<Configuration> {
        let mut all = Vec::new();
        let active: HashSet<&str> = self
            .core
            .groups()
            .map(|group| group.config.name.as_str())
            .collect();
        for group in self.core.configured_groups() {
            let in_use = active.contains(group.name.as_str());
            let is_added = self.core.is_added_as_configured(&group.name);
            for process in &group.processes {
                // The real name of an AUTO log is known only where this very configuration is at work: after a reread it is
                // not, also where nothing has changed.
                let slot = self
                    .core
                    .process_named(&group.name, &process.name)
                    .filter(|view| is_added && Arc::ptr_eq(view.config, process))
                    .and_then(|view| self.slots.get(&view.id));
                all.push(Configuration {
                    group: group.name.clone(),
                    group_priority: group.priority,
                    in_use,
                    process: process.clone(),
                    auto_stdout: slot.and_then(|slot| slot.stdout_log.path().map(str::to_owned)),
                    auto_stderr: slot.and_then(|slot| slot.stderr_log.path().map(str::to_owned)),
                });
            }
        }
        all.sort_by(|a, b| a.process.name.cmp(&b.process.name));
        all
    }
}

fn seconds(at: Option<Wall>) -> i64 {
    at.map_or(0, Wall::seconds)
}
