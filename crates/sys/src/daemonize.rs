//! Going to the background, in the original's order: fork, directory, null device, session, file mode mask.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::Mode;

/// On which side of a fork the caller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fork {
    /// The process that was started; it should [`exit_immediately`].
    Parent,
    /// The copy, which goes on.
    Child,
}

/// Why the process could not be copied.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    /// There are other threads, which a copy would not have.
    #[error("cannot fork with {threads} threads")]
    Threads {
        /// How many, this one included.
        threads: usize,
    },
    /// The kernel refused.
    #[error("cannot fork")]
    System(#[source] io::Error),
}

/// Copies the process. Only before any thread, runtime or epoll instance exists.
///
/// # Errors
/// If there are threads, or no process can be made.
pub fn fork() -> Result<Fork, ForkError> {
    // Where /proc is not mounted there is no way to know; then believe the caller.
    let threads = std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    if threads > 1 {
        return Err(ForkError::Threads { threads });
    }
    // SAFETY: there is one thread, so the copy holds no lock of another one and may run any code.
    match unsafe { libc::fork() } {
        -1 => Err(ForkError::System(io::Error::last_os_error())),
        0 => Ok(Fork::Child),
        _ => Ok(Fork::Parent),
    }
}

/// Ends this process at once: no exit handlers, no flushing, no destructors.
pub fn exit_immediately(status: i32) -> ! {
    // SAFETY: the process ends here.
    unsafe { libc::_exit(status) }
}

/// Makes the null device descriptors 0, 1 and 2.
///
/// # Errors
/// If it cannot be opened.
pub fn close_streams() -> io::Result<()> {
    let null = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}

/// Leaves the session, and with it the terminal.
///
/// # Errors
/// `EPERM` for the leader of a process group: fork first.
pub fn leave_session() -> io::Result<()> {
    rustix::process::setsid()?;
    Ok(())
}

/// Changes the working directory. The original logs a failure and goes on.
///
/// # Errors
/// As the kernel says.
pub fn change_directory(directory: &Path) -> io::Result<()> {
    Ok(rustix::process::chdir(directory)?)
}

/// Sets the file mode mask and returns the old one.
pub fn set_umask(mask: u32) -> u32 {
    rustix::process::umask(Mode::from_bits_truncate(mask)).bits()
}
