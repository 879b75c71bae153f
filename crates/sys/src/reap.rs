//! Finding out which children have ended, and taking them out of the process table.
//!
//! A child is looked at first ([`peek`]) and taken later ([`reap`]), so that nobody takes a child whose
//! owner has not heard of it yet. Nothing here blocks. Helpers ([`helper`](crate::helper)) are handed over to
//! whoever runs them and never show here.

use std::fmt;
use std::fs;
use std::io;
use std::mem::MaybeUninit;

use linchpin_python::signals::signal_name;

use crate::Pid;
use crate::helper::Helpers;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// It exited by itself with this status, 0 to 255.
    Exited(i32),
    /// A signal ended it.
    Signaled {
        /// The signal's number.
        signal: i32,
        /// The kernel wrote a core file.
        core_dumped: bool,
    },
}

impl ExitStatus {
    /// The number on the wire: the exit status, or -1 after a signal, as the original has it.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Exited(code) => code,
            Self::Signaled { .. } => -1,
        }
    }
}

/// The original's words: `exit status 1`, `terminated by SIGKILL`, `… (core dumped)`.
impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Exited(code) => write!(f, "exit status {code}"),
            Self::Signaled {
                signal,
                core_dumped,
            } => {
                let core = if core_dumped { " (core dumped)" } else { "" };
                write!(f, "terminated by {}{core}", signal_name(signal))
            }
        }
    }
}

/// A child that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waited {
    /// Which.
    pub pid: Pid,
    /// How.
    pub status: ExitStatus,
}

/// Some child that has ended, which stays a zombie; none if there is none, or no child at all.
///
/// Asked again without [`reap`] in between, it answers the same child.
///
/// # Errors
/// None that a kernel is known to give; the type allows for it.
pub fn peek() -> io::Result<Option<Waited>> {
    loop {
        let mut helpers = Helpers::lock();
        let Some(waited) = wait(libc::P_ALL, 0, libc::WNOWAIT)? else {
            return Ok(None);
        };
        if !helpers.has(waited.pid) {
            return Ok(Some(waited));
        }
        if let Some(waited) = wait_for(waited.pid, 0)? {
            helpers.deliver(waited);
        }
    }
}

/// Whether the child `pid` has ended; it stays a zombie.
///
/// # Errors
/// `ECHILD` if it is not a child of this process (any more).
pub fn peek_at(pid: Pid) -> io::Result<Option<Waited>> {
    wait_for(pid, libc::WNOWAIT)
}

/// Takes the child `pid` out of the process table if it has ended.
///
/// # Errors
/// `ECHILD` if it is not a child of this process (any more).
pub fn reap(pid: Pid) -> io::Result<Option<Waited>> {
    wait_for(pid, 0)
}

/// Takes some child that has ended out of the process table.
///
/// # Errors
/// As [`peek`].
pub fn reap_any() -> io::Result<Option<Waited>> {
    loop {
        let mut helpers = Helpers::lock();
        match wait(libc::P_ALL, 0, 0)? {
            Some(waited) if helpers.deliver(waited) => {}
            answer => return Ok(answer),
        }
    }
}

pub(crate) fn wait_for(pid: Pid, flags: i32) -> io::Result<Option<Waited>> {
    let id =
        libc::id_t::try_from(pid.get()).unwrap_or_else(|_| unreachable!("a Pid is above zero"));
    match wait_raw(libc::P_PID, id, flags) {
        Err(error) if error.raw_os_error() == Some(libc::EINTR) => Ok(None),
        answer => answer,
    }
}

fn wait(kind: libc::idtype_t, id: libc::id_t, flags: i32) -> io::Result<Option<Waited>> {
    match wait_raw(kind, id, flags) {
        Err(error) if matches!(error.raw_os_error(), Some(libc::ECHILD | libc::EINTR)) => Ok(None),
        answer => answer,
    }
}

fn wait_raw(kind: libc::idtype_t, id: libc::id_t, flags: i32) -> io::Result<Option<Waited>> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = libc::WEXITED | libc::WNOHANG | flags;
    // SAFETY: `info` is valid for writes of one `siginfo_t`.
    let answer = unsafe { libc::waitid(kind, id, info.as_mut_ptr(), options) };
    if answer != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a `siginfo_t` is plain numbers and pointers, for which all-zero bytes are valid; the kernel
    // wrote over that or left it.
    let info = unsafe { info.assume_init() };
    // SAFETY: `waitid` fills the SIGCHLD members of the union; without a child they stay zero.
    let pid = unsafe { info.si_pid() };
    let Some(pid) = Pid::new(pid) else {
        return Ok(None);
    };
    // SAFETY: as above.
    let status = unsafe { info.si_status() };
    let status = if info.si_code == libc::CLD_EXITED {
        ExitStatus::Exited(status)
    } else {
        ExitStatus::Signaled {
            signal: status,
            core_dumped: info.si_code == libc::CLD_DUMPED,
        }
    };
    Ok(Some(Waited { pid, status }))
}

/// All children of this process, zombies included, in no order.
///
/// For the time in which a leader is kept as a zombie, because its group may still be signalled: it hides
/// others from [`peek`], so these are then asked one by one with [`peek_at`]. While children come and go, the
/// kernel may leave some out of the list; whoever is missed raises its own SIGCHLD or is found next time.
///
/// # Errors
/// If `/proc/self/task` cannot be read, or the kernel has no list of children there.
pub fn children() -> io::Result<Vec<Pid>> {
    let mut found = Vec::new();
    for task in fs::read_dir("/proc/self/task")? {
        let path = task?.path().join("children");
        let list = match fs::read_to_string(&path) {
            Ok(list) => list,
            // The thread has just ended; its children went to another one.
            Err(error)
                if error.kind() == io::ErrorKind::NotFound
                    && !path.parent().is_some_and(std::path::Path::exists) =>
            {
                continue;
            }
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => continue,
            Err(error) => return Err(error),
        };
        found.extend(
            list.split_ascii_whitespace()
                .filter_map(|word| word.parse().ok())
                .filter_map(Pid::new),
        );
    }
    Ok(found)
}

/// Makes this process the parent of orphaned descendants, as PID 1 is by nature.
///
/// # Errors
/// `EINVAL` on kernels before 3.4.
pub fn set_child_subreaper() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(
        rustix::process::getpid(),
    ))?)
}

/// Whether this process is the first of its process id namespace.
#[must_use]
pub fn is_pid1() -> bool {
    Pid::of_this_process().get() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: ExitStatus, words: &str, code: i32) {
        assert_eq!((status.to_string().as_str(), status.code()), (words, code));
    }

    #[test]
    fn exit_statuses_have_the_originals_words() {
        let signaled = |signal, core_dumped| ExitStatus::Signaled {
            signal,
            core_dumped,
        };
        check(ExitStatus::Exited(0), "exit status 0", 0);
        check(ExitStatus::Exited(255), "exit status 255", 255);
        check(signaled(9, false), "terminated by SIGKILL", -1);
        check(
            signaled(11, true),
            "terminated by SIGSEGV (core dumped)",
            -1,
        );
        check(signaled(40, false), "terminated by signal 40", -1);
    }
}
