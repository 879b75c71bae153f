//! Signals to a process or to a process group, who is in a group, and whose child a process is.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use rustix::process::{Signal, kill_process, kill_process_group, test_kill_process_group};

use crate::Pid;

/// Sends signal number `signal` to one process; 0 only asks whether that would be allowed.
///
/// # Errors
/// `ESRCH` if there is none, `EPERM` if it is somebody else's, `EINVAL` for a number that is no signal.
pub fn kill(pid: Pid, signal: i32) -> io::Result<()> {
    match checked_signal(signal)? {
        Some(signal) => kill_process(pid.to_rustix(), signal)?,
        None => rustix::process::test_kill_process(pid.to_rustix())?,
    }
    Ok(())
}

/// Sends signal number `signal` to every process of the group `group`; 0 only asks.
///
/// # Errors
/// `ESRCH` if the group is empty, `EPERM` if none of its processes may be signalled.
pub fn kill_group(group: Pid, signal: i32) -> io::Result<()> {
    match checked_signal(signal)? {
        Some(signal) => kill_process_group(group.to_rustix(), signal)?,
        None => test_kill_process_group(group.to_rustix())?,
    }
    Ok(())
}

/// The process group of a process; none if it is not visible here, as that of the first process of a container.
///
/// # Errors
/// `ESRCH` if there is no such process.
pub fn group_of(pid: Pid) -> io::Result<Option<Pid>> {
    // Through libc and not rustix, whose type for a process id has no room for 0.
    // SAFETY: a number.
    let group = unsafe { libc::getpgid(pid.get()) };
    if group < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Pid::new(group))
}

/// Whether any process, a zombie included, is in the group `group`.
#[must_use]
pub fn group_exists(group: Pid) -> bool {
    // EPERM means that there are members, only not ours.
    !matches!(
        test_kill_process_group(group.to_rustix()),
        Err(rustix::io::Errno::SRCH)
    )
}

/// A process as found in `/proc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its process id.
    pub pid: Pid,
    /// The short name the kernel keeps for it, at most 15 bytes.
    pub command: String,
    /// It has ended and waits to be reaped.
    pub is_zombie: bool,
}

/// The processes of the group `group`, by process id.
///
/// This reads one file for each process of the machine: for naming survivors in a log, not for polling.
/// Processes that come or go meanwhile may be missed.
///
/// # Errors
/// Only if `/proc` cannot be listed.
pub fn group_members(group: Pid) -> io::Result<Vec<Member>> {
    let mut members = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Ok(entry) = entry else { continue };
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
            .and_then(Pid::new)
        else {
            continue;
        };
        // A process that ended since has no stat; that is no error of ours.
        let Ok(stat) = fs::read(entry.path().join("stat")) else {
            continue;
        };
        if let Some((member, its_group)) = parse_stat(pid, &stat)
            && its_group == group.get()
        {
            members.push(member);
        }
    }
    members.sort_by_key(|member| member.pid);
    Ok(members)
}

/// Reads `pid (command) state ppid pgrp …`; the command may itself contain blanks and parentheses.
fn parse_stat(pid: Pid, stat: &[u8]) -> Option<(Member, i32)> {
    let stat = String::from_utf8_lossy(stat);
    let (_, rest) = stat.split_once('(')?;
    let (command, rest) = rest.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let group = fields.nth(1)?.parse().ok()?;
    let member = Member {
        pid,
        command: command.to_owned(),
        is_zombie: state == "Z",
    };
    Some((member, group))
}

/// The parent of a process; the inner none if it has none that is visible here.
///
/// # Errors
/// If there is no such process, or no `/proc`.
pub fn parent_of(pid: Pid) -> io::Result<Option<Pid>> {
    let stat = fs::read(format!("/proc/{pid}/stat"))?;
    let stat = String::from_utf8_lossy(&stat);
    let parent = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_ascii_whitespace().nth(1)?.parse().ok());
    Ok(parent.and_then(Pid::new))
}

/// The user as whom a process runs; root for one whose memory may not be looked at.
///
/// # Errors
/// If there is no such process, or no `/proc`.
pub fn owner_of(pid: Pid) -> io::Result<u32> {
    Ok(fs::metadata(format!("/proc/{pid}"))?.uid())
}

/// None for 0, which asks without sending.
pub(crate) fn checked_signal(signal: i32) -> io::Result<Option<Signal>> {
    if signal == 0 {
        return Ok(None);
    }
    if !(1..=crate::signals::HIGHEST_SIGNAL).contains(&signal) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    // SAFETY: the number is in the kernel's range. The two numbers that a libc keeps for itself (32, 33)
    // are harmless to send to another process, and the caller's table does not know them.
    Ok(Some(unsafe { Signal::from_raw_unchecked(signal) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stat: &str, command: &str, is_zombie: bool, group: i32) {
        let pid = Pid::new(7).unwrap();
        let (member, found) = parse_stat(pid, stat.as_bytes()).unwrap();
        assert_eq!((member.command.as_str(), found), (command, group));
        assert_eq!(member.is_zombie, is_zombie);
    }

    #[test]
    fn stat_lines_are_read() {
        check("7 (sh) S 1 55 55 0 -1", "sh", false, 55);
        check("7 (a b) c) Z 1 8 8 0", "a b) c", true, 8);
        assert!(parse_stat(Pid::new(7).unwrap(), b"7 sh").is_none());
    }

    #[test]
    fn impossible_signals_are_refused() {
        let myself = Pid::of_this_process();
        for signal in [-1, 65, i32::MAX] {
            let error = kill(myself, signal).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
        }
        kill(myself, 0).unwrap();
    }

    #[test]
    fn own_group_has_this_process() {
        let group = rustix::process::getpgrp();
        let group = Pid::new(group.as_raw_nonzero().get()).unwrap();
        assert!(group_exists(group));
        let members = group_members(group).unwrap();
        assert!(members.iter().any(|m| m.pid == Pid::of_this_process()));
        assert_eq!(group_of(Pid::of_this_process()).unwrap(), Some(group));
    }

    #[test]
    fn relatives_are_found() {
        let mut child = std::process::Command::new("sleep")
            .arg("1000")
            .spawn()
            .unwrap();
        let pid = Pid::new(i32::try_from(child.id()).unwrap()).unwrap();
        assert_eq!(parent_of(pid).unwrap(), Some(Pid::of_this_process()));
        assert_eq!(owner_of(pid).unwrap(), rustix::process::geteuid().as_raw());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(parent_of(pid).is_err());
        assert!(owner_of(pid).is_err());
        assert!(group_of(pid).is_err());
    }
}
