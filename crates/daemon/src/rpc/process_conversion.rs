//! The struct of `getProcessInfo`, above all its description.

use std::borrow::Cow;

use linchpin_core::ProcessState;
use linchpin_sys::time::LocalTime;

use crate::control::ProcessInfo;

/// How the end of a process is shown.
pub(crate) type StopStamp = fn(i64) -> String;

/// `Nov 23 08:37 PM`, in local time.
pub(crate) fn local_stop_stamp(wall_seconds: i64) -> String {
    LocalTime::at(wall_seconds).stop_stamp()
}

/// What goes over the wire about a process.
pub(crate) fn process_info(
    process: &ProcessInfo,
    stop_stamp: StopStamp,
) -> linchpin_protocol::ProcessInfo<'_> {
    linchpin_protocol::ProcessInfo {
        name: Cow::Borrowed(&process.name),
        group: Cow::Borrowed(&process.group),
        start: process.start,
        stop: process.stop,
        now: process.now,
        state: i64::from(process.state.code()),
        statename: Cow::Borrowed(process.state.name()),
        spawnerr: Cow::Borrowed(&process.spawn_error),
        exitstatus: i64::from(process.exit_status),
        stdout_logfile: Cow::Borrowed(&process.stdout_logfile),
        stderr_logfile: Cow::Borrowed(&process.stderr_logfile),
        pid: i64::from(process.pid),
        description: description(process, stop_stamp),
    }
}

/// The state in words, with local time.
pub(crate) fn local_description(process: &ProcessInfo) -> Cow<'_, str> {
    description(process, local_stop_stamp)
}

/// The state in words. Clients take them apart.
fn description(process: &ProcessInfo, stop_stamp: StopStamp) -> Cow<'_, str> {
    match process.state {
        ProcessState::Running => {
            let uptime = uptime(process.now.saturating_sub(process.start).max(0));
            Cow::Owned(format!("pid {}, uptime {uptime}", process.pid))
        }
        ProcessState::Fatal | ProcessState::Backoff if process.spawn_error.is_empty() => {
            Cow::Owned(format!("unknown error (try \"tail {}\")", process.name))
        }
        ProcessState::Fatal | ProcessState::Backoff => Cow::Borrowed(&process.spawn_error),
        // One that was stopped before it ever ran has no end; the original then shows 1970.
        ProcessState::Stopped | ProcessState::Exited if process.start == 0 || process.stop == 0 => {
            Cow::Borrowed("Not started")
        }
        ProcessState::Stopped | ProcessState::Exited => Cow::Owned(stop_stamp(process.stop)),
        ProcessState::Starting | ProcessState::Stopping | ProcessState::Unknown => {
            Cow::Borrowed("")
        }
    }
}

/// As Python prints a time span.
fn uptime(seconds: i64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let time = format!("{}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    match days {
        0 => time,
        1 => format!("1 day, {time}"),
        _ => format!("{days} days, {time}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(state: ProcessState, change: impl FnOnce(&mut ProcessInfo), expected: &str) {
        let mut process = ProcessInfo {
            name: "cat".to_owned(),
            group: "animals".to_owned(),
            state,
            start: 1_795_470_000,
            stop: 1_795_476_906,
            now: 1_795_480_000,
            spawn_error: String::new(),
            exit_status: 0,
            stdout_logfile: String::new(),
            stderr_logfile: String::new(),
            pid: 7,
        };
        change(&mut process);
        assert_eq!(
            description(&process, |seconds| format!("at {seconds}")),
            expected
        );
    }

    #[test]
    fn descriptions_are_the_originals() {
        use ProcessState::{Backoff, Exited, Fatal, Running, Starting, Stopped, Stopping, Unknown};
        check(Running, |_| {}, "pid 7, uptime 2:46:40");
        check(Running, |p| p.now = p.start - 5, "pid 7, uptime 0:00:00");
        check(
            Running,
            |p| p.now = p.start + 86_399,
            "pid 7, uptime 23:59:59",
        );
        check(
            Running,
            |p| p.now = p.start + 86_400,
            "pid 7, uptime 1 day, 0:00:00",
        );
        check(
            Running,
            |p| p.now = p.start + 200_000,
            "pid 7, uptime 2 days, 7:33:20",
        );
        check(Fatal, |p| p.spawn_error = "no".to_owned(), "no");
        check(Backoff, |_| {}, "unknown error (try \"tail cat\")");
        check(Stopped, |p| p.start = 0, "Not started");
        check(Stopped, |p| p.stop = 0, "Not started");
        check(Stopped, |_| {}, "at 1795476906");
        check(Exited, |p| p.stop -= 1, "at 1795476905");
        check(Starting, |_| {}, "");
        check(Stopping, |_| {}, "");
        check(Unknown, |_| {}, "");
    }
}
