//! Commands at points of a service's life.

use super::{NAMES, OptionSpec, ValueKind};

/// A hook and the time it is given.
#[derive(Debug)]
pub(crate) struct HookOptions {
    pub(crate) command: OptionSpec,
    pub(crate) timeout: OptionSpec,
}

const TIMEOUT_HELP: &str = "How long the command may take before it is killed and has failed.";

const fn hook(
    name: &'static str,
    timeout: &'static str,
    limit: &'static str,
    help: &'static str,
) -> HookOptions {
    HookOptions {
        command: OptionSpec::ours(name, ValueKind::Command, NAMES, help).sample("/bin/true"),
        timeout: OptionSpec::ours(timeout, ValueKind::Duration, NAMES, TIMEOUT_HELP).default(limit),
    }
}

pub(crate) static PRE_START: HookOptions = hook(
    "pre_start",
    "pre_start_timeout",
    "30s",
    "Command that runs before each start, as the program's user, in its directory and with its environment. If it fails, so does the start.",
);

pub(crate) static POST_START: HookOptions = hook(
    "post_start",
    "post_start_timeout",
    "30s",
    "Command that runs when the program is RUNNING, with its process id in `MAINPID`. That it failed is only logged.",
);

pub(crate) static PRE_STOP: HookOptions = hook(
    "pre_stop",
    "pre_stop_timeout",
    "10s",
    "Command that runs before the stop signal, which waits for its end. That it failed is only logged.",
);

pub(crate) static POST_STOP: HookOptions = hook(
    "post_stop",
    "post_stop_timeout",
    "30s",
    "Command that runs after each end of the program, with what became of it in `SERVICE_RESULT`. That it failed is only logged.",
);

pub(crate) static STOP_COMMAND: HookOptions = hook(
    "stop_command",
    "stop_command_timeout",
    "10s",
    "Command that makes the program stop, instead of the stop signal. `stopwaitsecs` and SIGKILL after it stay.",
);

pub(crate) static RELOAD_COMMAND: HookOptions = hook(
    "reload_command",
    "reload_command_timeout",
    "30s",
    "Command that makes the program read its own configuration again, instead of `reload_signal`.",
);

pub(crate) static RELOAD_SIGNAL: OptionSpec = OptionSpec::ours(
    "reload_signal",
    ValueKind::Signal,
    NAMES,
    "Signal that makes the program read its own configuration again, when a client calls `linchpin.reload`.",
)
.sample("HUP");
