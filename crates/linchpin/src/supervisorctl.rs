//! `supervisorctl`: on to the client, after one precaution.

use std::process::ExitCode;

use linchpin_daemon::SystemWorld;

pub(crate) fn run(called: &str, arguments: &[String]) -> ExitCode {
    survive_the_stop_of_our_service();
    ExitCode::from(linchpin_ctl::run(&SystemWorld::now(), called, arguments))
}

/// A service may restart itself by running us. If its stop signal goes to its process group
/// (`stopasgroup`), it would end us between the stop and the start; so we leave that group. With a terminal
/// we stay where we are, because only its foreground group may read from it.
fn survive_the_stop_of_our_service() {
    let is_in_service = std::env::var_os("SUPERVISOR_ENABLED").is_some();
    if is_in_service && !linchpin_sys::terminal::is_terminal(std::io::stdin()) {
        // The leader of a session may not; its group is its own anyway.
        let _ = rustix::process::setpgid(None, None);
    }
}
