//! For commands that are started with the standard library, because they are to share our process group and whatever
//! descriptors were left to us.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Lets `command` start with its signals as in everything that a Python program runs: none blocked, SIGPIPE and SIGXFSZ
/// ignored. The standard library would hand our blocked signals on, and give SIGPIPE its default action, so that a
/// daemon that never had to think of it would die of a closed pipe.
pub fn with_signals_as_from_python(command: &mut Command) {
    let set_up = || -> io::Result<()> {
        crate::signals::unblock_all()?;
        crate::signals::ignore(libc::SIGPIPE)?;
        crate::signals::ignore(libc::SIGXFSZ)
    };
    // SAFETY: the closure only calls `sigemptyset`, `pthread_sigmask` and `signal`, which may be called between fork
    // and exec, and captures nothing.
    unsafe { command.pre_exec(set_up) };
}
