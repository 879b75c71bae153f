//! `supervisord`: its command line, and on to the daemon.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use linchpin_config::{
    DaemonCommand, USAGE_EXIT_STATUS, parse_supervisord_args, supervisord_help, usage_error,
};
use linchpin_daemon::{Invocation, SystemWorld};

/// The version that clients are told: checks parse it and expect Supervisor's.
const SUPERVISOR_VERSION: &str = "4.3.0";

pub(crate) fn run(called: &str, arguments: &[String]) -> ExitCode {
    match parse_supervisord_args(&SystemWorld::now(), arguments) {
        Ok(DaemonCommand::Help) => crate::say(&supervisord_help(called)),
        Ok(DaemonCommand::Version) => crate::say(&format!("{SUPERVISOR_VERSION}\n")),
        Ok(DaemonCommand::Run { file, overrides }) => {
            let invocation = Invocation {
                program: called.to_owned(),
                path: program_path(called),
                file,
                overrides: *overrides,
                command: None,
                entry_point: None,
            };
            ExitCode::from(invocation.run())
        }
        Err(message) => {
            crate::complain(usage_error(called, &message).trim_end());
            ExitCode::from(USAGE_EXIT_STATUS)
        }
    }
}

/// Where the program is: the places beside it are searched for a configuration. Python's launcher is given
/// this by its interpreter; we look along `PATH` as the shell has done.
pub(crate) fn program_path(called: &str) -> String {
    let word = called.split(' ').next().unwrap_or(called);
    if word.contains('/') {
        return word.to_owned();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join(word))
        .find(|candidate: &PathBuf| Path::is_file(candidate));
    found
        .and_then(|found| found.into_os_string().into_string().ok())
        .unwrap_or_else(|| word.to_owned())
}
