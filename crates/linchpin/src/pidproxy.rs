//! `pidproxy`: runs a command that leaves a daemon behind, and passes signals on to that daemon.
//!
//! The daemon is known by its pidfile, which is read anew for every signal. The exit status says nothing about the
//! command: it is 0 however the command ends, as scripts know it from the original.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitCode};

use linchpin_sys::Pid;
use linchpin_sys::group::kill;
use linchpin_sys::signals::{SignalFd, SignalSet, block, restore_default};
use linchpin_sys::spawn::with_signals_as_from_python;
use rustix::event::{PollFd, PollFlags, poll};

const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGQUIT: i32 = 3;
const SIGUSR1: i32 = 10;
const SIGUSR2: i32 = 12;
const SIGTERM: i32 = 15;
const SIGCHLD: i32 = 17;

/// What is passed on.
const PASSED_ON: [i32; 6] = [SIGTERM, SIGHUP, SIGINT, SIGUSR1, SIGUSR2, SIGQUIT];
/// What ends us too, once it is delivered.
const ENDING: [i32; 3] = [SIGTERM, SIGINT, SIGQUIT];

pub(crate) fn run(called: &str, arguments: &[String]) -> ExitCode {
    let [pidfile, command @ ..] = arguments else {
        return usage(called);
    };
    if command.is_empty() {
        return usage(called);
    }
    match supervise(called, Path::new(pidfile), command) {
        Ok(exit) => exit,
        Err(error) => {
            crate::complain(&format!("{called}: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn usage(called: &str) -> ExitCode {
    crate::say(&format!(
        "Usage: {called} <pidfile> <command> [<argument> ...]

Runs the command and ends when it ends. A signal that comes here meanwhile (TERM, INT, QUIT, HUP, USR1, USR2) is sent
to the process whose number stands in the pidfile; after the first three there is nothing left to wait for.
"
    ));
    ExitCode::FAILURE
}

fn supervise(called: &str, pidfile: &Path, command: &[String]) -> io::Result<ExitCode> {
    let watched = [&PASSED_ON[..], &[SIGCHLD]].concat();
    let set = SignalSet::of(&watched);
    // Before the start, so that nothing is lost between the two. A signal that our parent ignores, as a shell does
    // for what it runs in the background, is passed on all the same.
    block(&set)?;
    for signal in watched {
        restore_default(signal)?;
    }
    let signals = SignalFd::new(&set)?;
    let mut child = match start(command) {
        Ok(child) => child,
        // The original says nothing; its status is kept.
        Err(error) => {
            crate::complain(&format!("{called}: cannot run {}: {error}", command[0]));
            return Ok(ExitCode::SUCCESS);
        }
    };
    loop {
        wait_for_signal(&signals)?;
        while let Some(signal) = received(&signals)? {
            if signal == SIGCHLD {
                if has_ended(&mut child)? {
                    return Ok(ExitCode::SUCCESS);
                }
            } else if let Some(exit) = pass_on(called, pidfile, signal) {
                return Ok(exit);
            }
        }
    }
}

/// `PATH` is not searched: a name without a folder is a file of the current one.
fn start(command: &[String]) -> io::Result<Child> {
    let folder = std::env::current_dir()?;
    let path = linchpin_config::absolute_path(&folder.to_string_lossy(), &command[0]);
    let mut process = Command::new(path);
    process.arg0(&command[0]).args(&command[1..]);
    with_signals_as_from_python(&mut process);
    process.spawn()
}

fn wait_for_signal(signals: &SignalFd) -> io::Result<()> {
    let descriptor = signals.as_fd();
    match poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn received(signals: &SignalFd) -> io::Result<Option<i32>> {
    match signals.read() {
        Ok(received) => Ok(Some(received.signal)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

/// SIGCHLD also comes when the command is stopped or goes on.
fn has_ended(child: &mut Child) -> io::Result<bool> {
    Ok(child.try_wait()?.is_some())
}

/// The exit status, where that is the end of us.
fn pass_on(called: &str, pidfile: &Path, signal: i32) -> Option<ExitCode> {
    let Some(pid) = read_pid(pidfile) else {
        crate::say(&format!(
            "Can't read child pidfile {}!\n",
            pidfile.display()
        ));
        return None;
    };
    match kill(pid, signal) {
        Ok(()) => ENDING.contains(&signal).then_some(ExitCode::SUCCESS),
        // The original dies of an exception here, with this status; whoever asked us to stop is not kept waiting.
        Err(error) => {
            let name = linchpin_python::signals::signal_name(signal);
            crate::complain(&format!("{called}: cannot send {name} to {pid}: {error}"));
            Some(ExitCode::FAILURE)
        }
    }
}

/// Zero and numbers below it would mean groups of processes, or all of them, and count as unreadable.
fn read_pid(pidfile: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(pidfile).ok()?;
    Pid::new(text.trim().parse().ok()?)
}
