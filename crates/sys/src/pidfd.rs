//! A descriptor that means one process, also when its number has become somebody else's.
//!
//! For a process that is not our child: its parent may take it out of the process table at any time, and tells us
//! nothing. Of our own children the number is enough until we reap them.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};

use crate::Pid;
use crate::group::checked_signal;

/// Opens one. It becomes readable when the process ends.
///
/// # Errors
/// `ESRCH` if there is no such process, `ENOSYS` before Linux 5.3.
pub fn open(pid: Pid) -> io::Result<OwnedFd> {
    Ok(pidfd_open(pid.to_rustix(), PidfdFlags::empty())?)
}

/// Sends signal number `signal`.
///
/// # Errors
/// `ESRCH` if the process has ended, `EPERM` if it is somebody else's, `EINVAL` for a number that is no signal.
pub fn signal(pidfd: impl AsFd, signal: i32) -> io::Result<()> {
    let signal = checked_signal(signal)?.ok_or(io::ErrorKind::InvalidInput)?;
    Ok(pidfd_send_signal(pidfd, signal)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn signals_reach_the_process_and_nobody_after_it() {
        let mut child = std::process::Command::new("sleep")
            .arg("1000")
            .spawn()
            .unwrap();
        let pid = Pid::new(i32::try_from(child.id()).unwrap()).unwrap();
        let pidfd = open(pid).unwrap();
        assert!(signal(&pidfd, 0).is_err());
        signal(&pidfd, 15).unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(15));
        let error = signal(&pidfd, 15).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ESRCH));
        assert!(open(pid).is_err());
    }
}
