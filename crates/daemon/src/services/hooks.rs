//! Commands at points of a service's life.

use std::ffi::OsString;
use std::sync::Arc;

use linchpin_config::{Hook, Hooks, ProcessConfig};
use linchpin_core::{Event, ExitStatus, Generation, HookPoint, ProcessId};
use linchpin_python::signals::signal_name;

use super::tasks::{Asker, Place, TaskRequest};
use crate::shell::Shell;

/// SIGHUP, SIGINT, SIGPIPE and SIGTERM: a service that ends by one of these was asked to.
const CLEAN_SIGNALS: [i32; 4] = [1, 2, 13, 15];

impl Shell {
    /// Runs a hook.
    pub(super) fn run_hook(
        &mut self,
        (process, generation, point): (ProcessId, Generation, HookPoint),
        pid: Option<i32>,
        config: Arc<ProcessConfig>,
        group: String,
    ) {
        let hook = config
            .service
            .as_ref()
            .and_then(|service| hook_of(&service.hooks, point));
        let Some(Hook { command, timeout }) = hook.cloned() else {
            // Whoever waits for a hook that is not there is not kept waiting.
            self.events.push_back(Event::HookEnded {
                process,
                generation,
                point,
                failure: None,
            });
            return;
        };
        let mut variables = vec![variable("LINCHPIN_HOOK", point.name())];
        if let Some(pid) = pid {
            variables.push(variable("MAINPID", &pid.to_string()));
        }
        if self.services.interrupted.get(&process) == Some(&generation) {
            variables.push(variable("LINCHPIN_INTERRUPTED", "1"));
        }
        if point == HookPoint::PostStop
            && let Some((status, was_out_of_memory)) = self.last_end(process)
        {
            variables.extend(result_variables(status, was_out_of_memory, &config));
        }
        self.services.tasks.run(TaskRequest {
            asker: Asker::Hook {
                process,
                generation,
                point,
            },
            command,
            timeout,
            config,
            group,
            variables,
            site: self.site.clone(),
        });
    }

    /// Kills a hook.
    pub(super) fn cancel_hook(&mut self, process: ProcessId, point: HookPoint) {
        self.services.tasks.cancel(Place::Hook(process, point));
    }
}

fn hook_of(hooks: &Hooks, point: HookPoint) -> Option<&Hook> {
    match point {
        HookPoint::PreStart => hooks.pre_start.as_ref(),
        HookPoint::PostStart => hooks.post_start.as_ref(),
        HookPoint::PreStop => hooks.pre_stop.as_ref(),
        HookPoint::StopCommand => hooks.stop_command.as_ref(),
        HookPoint::PostStop => hooks.post_stop.as_ref(),
        HookPoint::Reload => hooks.reload_command.as_ref(),
    }
}

/// What systemd tells such a command (`ExecStopPost=`), in its words.
fn result_variables(
    status: ExitStatus,
    was_out_of_memory: bool,
    config: &ProcessConfig,
) -> [(OsString, OsString); 3] {
    let (result, code, status) = match status {
        ExitStatus::Code(code) => {
            let result = if config.exitcodes.contains(&code) {
                "success"
            } else {
                "exit-code"
            };
            (result, "exited", code.to_string())
        }
        ExitStatus::Signal {
            signal,
            core_dumped,
        } => {
            let name = signal_name(signal);
            let short = name.strip_prefix("SIG").unwrap_or(&name).to_owned();
            if was_out_of_memory {
                ("oom-kill", "killed", short)
            } else if core_dumped {
                ("core-dump", "dumped", short)
            } else if CLEAN_SIGNALS.contains(&signal) {
                ("success", "killed", short)
            } else {
                ("signal", "killed", short)
            }
        }
    };
    [
        variable("SERVICE_RESULT", result),
        variable("EXIT_CODE", code),
        variable("EXIT_STATUS", &status),
    ]
}

fn variable(name: &str, value: &str) -> (OsString, OsString) {
    (name.into(), value.into())
}
