//! Signals: blocking them in the whole process, and reading them from a descriptor.

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use linchpin_python::signals::signal_name;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// The highest signal number of the kernel.
pub const HIGHEST_SIGNAL: i32 = 64;

/// A set of signal numbers.
#[derive(Clone, Copy)]
pub struct SignalSet(libc::sigset_t);

impl SignalSet {
    /// The set of these signals; numbers that are no signal are left out.
    #[must_use]
    pub fn of(signals: &[i32]) -> Self {
        let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: the pointer is valid for writes of one `sigset_t`.
        unsafe { libc::sigemptyset(set.as_mut_ptr()) };
        for signal in signals {
            // SAFETY: the set was initialised above; a bad number is answered with EINVAL and no change.
            unsafe { libc::sigaddset(set.as_mut_ptr(), *signal) };
        }
        // SAFETY: `sigemptyset` has initialised it.
        Self(unsafe { set.assume_init() })
    }

    /// Those with which a person or a container runtime ends a daemon.
    #[must_use]
    pub fn that_end() -> Self {
        Self::of(&[libc::SIGTERM, libc::SIGINT, libc::SIGQUIT])
    }

    /// Whether `signal` is in the set.
    #[must_use]
    pub fn contains(&self, signal: i32) -> bool {
        // SAFETY: the set is initialised by construction.
        let answer = unsafe { libc::sigismember(&raw const self.0, signal) };
        answer == 1
    }
}

impl std::fmt::Debug for SignalSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = (1..=HIGHEST_SIGNAL).filter(|signal| self.contains(*signal));
        f.debug_set().entries(names.map(signal_name)).finish()
    }
}

/// Blocks these signals in the calling thread, and so in every thread that it starts later: call it before
/// the first one, or a signal may still end the process through another thread.
///
/// # Errors
/// None that a kernel is known to give.
pub fn block(set: &SignalSet) -> io::Result<()> {
    // SAFETY: the set is initialised and the old mask is not asked for.
    let error =
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set.0, std::ptr::null_mut()) };
    match error {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// Waits until one of these signals has come or the time is over, and leaves the signal where it is. They must be blocked,
/// see [`block`]; else whatever they do happens, and this knows nothing of it.
///
/// # Errors
/// `EMFILE`, `ENFILE`, `ENOMEM`.
pub fn wait_for_one(set: &SignalSet, time_limit: Duration) -> io::Result<bool> {
    let signals = SignalFd::new(set)?;
    let deadline = Instant::now() + time_limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        let mut fds = [PollFd::new(&signals.0, PollFlags::IN)];
        match poll(&mut fds, Some(&left)) {
            Ok(count) => return Ok(count > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Blocks no signal any more in the calling thread.
///
/// # Errors
/// As [`block`].
pub fn unblock_all() -> io::Result<()> {
    let none = SignalSet::of(&[]);
    // SAFETY: the set is initialised and the old mask is not asked for.
    let error = unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const none.0, std::ptr::null_mut())
    };
    match error {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// Ignores `signal` in this process. Children of [`spawn`](crate::spawn) do not inherit that.
///
/// # Errors
/// `EINVAL` for SIGKILL, SIGSTOP and numbers that are no signal.
pub fn ignore(signal: i32) -> io::Result<()> {
    // SAFETY: SIG_IGN runs no code of ours.
    let old = unsafe { libc::signal(signal, libc::SIG_IGN) };
    if old == libc::SIG_ERR {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Gives `signal` its default action back, where whoever started this process had it ignored: an ignored signal does
/// not even wait for a [`SignalFd`].
///
/// # Errors
/// `EINVAL` for SIGKILL, SIGSTOP and numbers that are no signal.
pub fn restore_default(signal: i32) -> io::Result<()> {
    // SAFETY: SIG_DFL runs no code of ours.
    let old = unsafe { libc::signal(signal, libc::SIG_DFL) };
    if old == libc::SIG_ERR {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// A signal that arrived at a [`SignalFd`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Its number.
    pub signal: i32,
    /// Who sent it: a process id, 0 for the kernel or a process outside our namespace.
    pub sender_pid: i32,
    /// The real user id of the sender, 0 for the kernel.
    pub sender_uid: u32,
}

/// Blocked signals as a descriptor to wait on: non-blocking and close-on-exec.
#[derive(Debug)]
pub struct SignalFd(OwnedFd);

impl SignalFd {
    /// A descriptor for these signals. They must be blocked in every thread, see [`block`].
    ///
    /// # Errors
    /// `EMFILE`, `ENFILE`, `ENOMEM`.
    pub fn new(set: &SignalSet) -> io::Result<Self> {
        // SAFETY: the set is initialised; -1 asks for a new descriptor.
        let fd =
            unsafe { libc::signalfd(-1, &raw const set.0, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just given us this descriptor; nobody else owns it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// The next signal that has arrived.
    ///
    /// # Errors
    /// `WouldBlock` when there is none.
    pub fn read(&self) -> io::Result<Received> {
        let mut info = MaybeUninit::<libc::signalfd_siginfo>::zeroed();
        let size = size_of::<libc::signalfd_siginfo>();
        // SAFETY: the buffer is valid for writes of `size` bytes.
        let count = unsafe { libc::read(self.0.as_raw_fd(), info.as_mut_ptr().cast(), size) };
        if count < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: plain numbers, for which zeroed or kernel-written bytes are valid.
        let info = unsafe { info.assume_init() };
        // Both are numbers of kernel types that libc declares unsigned; a process id fits.
        Ok(Received {
            signal: i32::try_from(info.ssi_signo).unwrap_or(0),
            sender_pid: i32::try_from(info.ssi_pid).unwrap_or(0),
            sender_uid: info.ssi_uid,
        })
    }
}

impl AsFd for SignalFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for SignalFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_shows_its_names() {
        let set = SignalSet::of(&[15, 1, 0, 99]);
        assert_eq!(format!("{set:?}"), "{\"SIGHUP\", \"SIGTERM\"}");
    }

    #[test]
    fn a_signal_ends_a_wait_and_is_still_there() {
        let set = SignalSet::of(&[libc::SIGUSR2]);
        block(&set).unwrap();
        assert!(!wait_for_one(&set, Duration::ZERO).unwrap());
        let this_thread = rustix::thread::gettid();
        let pid = rustix::process::getpid();
        // SAFETY: the thread that is meant runs this.
        let sent = unsafe {
            libc::syscall(
                libc::SYS_tgkill,
                pid.as_raw_nonzero().get(),
                this_thread.as_raw_nonzero().get(),
                libc::SIGUSR2,
            )
        };
        assert_eq!(sent, 0);
        for _ in 0..2 {
            assert!(wait_for_one(&set, Duration::from_secs(1000)).unwrap());
        }
    }
}
