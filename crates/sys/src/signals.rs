//! Signals: their names by the original's rules, blocking them in the whole process, and reading them from a
//! descriptor.

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use crate::python_text::repr;

/// The highest signal number of the kernel.
pub const HIGHEST_SIGNAL: i32 = 64;

/// Names by number. The first of several names for one number is the one that the original prints.
const NAMES: [(&str, i32); 37] = [
    ("SIGHUP", 1),
    ("SIGINT", 2),
    ("SIGQUIT", 3),
    ("SIGILL", 4),
    ("SIGTRAP", 5),
    ("SIGABRT", 6),
    ("SIGIOT", 6),
    ("SIGBUS", 7),
    ("SIGFPE", 8),
    ("SIGKILL", 9),
    ("SIGUSR1", 10),
    ("SIGSEGV", 11),
    ("SIGUSR2", 12),
    ("SIGPIPE", 13),
    ("SIGALRM", 14),
    ("SIGTERM", 15),
    ("SIGSTKFLT", 16),
    ("SIGCHLD", 17),
    ("SIGCLD", 17),
    ("SIGCONT", 18),
    ("SIGSTOP", 19),
    ("SIGTSTP", 20),
    ("SIGTTIN", 21),
    ("SIGTTOU", 22),
    ("SIGURG", 23),
    ("SIGXCPU", 24),
    ("SIGXFSZ", 25),
    ("SIGVTALRM", 26),
    ("SIGPROF", 27),
    ("SIGWINCH", 28),
    ("SIGPOLL", 29),
    ("SIGIO", 29),
    ("SIGPWR", 30),
    ("SIGSYS", 31),
    ("SIGRTMIN", 34),
    ("SIGRTMAX", 64),
    ("SIG_DFL", 0),
];

/// Constants of Python's `signal` module that are no signals and slip through in the original.
const SLIPS_THROUGH: [(&str, i32); 5] = [
    ("SIG_DFL", 0),
    ("SIG_IGN", 1),
    ("SIG_BLOCK", 0),
    ("SIG_UNBLOCK", 1),
    ("SIG_SETMASK", 2),
];

/// The name of a signal as the original prints it: `SIGKILL`, or `signal 40` where Python has none.
#[must_use]
pub fn signal_name(signal: i32) -> String {
    NAMES
        .iter()
        .find(|(name, number)| *number == signal && !name.contains('_'))
        .map_or_else(
            || format!("signal {signal}"),
            |(name, _)| (*name).to_owned(),
        )
}

/// Why a text is no signal; the original's messages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignalError {
    /// Neither a number nor a known name.
    #[error("value {} is not a valid signal name", repr(.0))]
    Name(String),
    /// A number that Python has no name for.
    #[error("value {} is not a valid signal number", repr(.0))]
    Number(String),
}

/// Reads a signal by the original's rules: a number, or a name in any case with or without `SIG`.
///
/// # Errors
/// The original's messages.
pub fn parse_signal(text: &str) -> Result<i32, SignalError> {
    let trimmed = text.trim();
    let number = match parse_number(trimmed) {
        Some(number) => number,
        None => parse_name(trimmed).ok_or_else(|| SignalError::Name(text.to_owned()))?,
    };
    let known = NAMES.iter().chain(&SLIPS_THROUGH);
    known
        .into_iter()
        .find(|(_, known)| i64::from(*known) == number)
        .map(|(_, known)| *known)
        .ok_or_else(|| SignalError::Number(text.to_owned()))
}

fn parse_name(text: &str) -> Option<i64> {
    let upper = text.to_uppercase();
    let name = if upper.starts_with("SIG") {
        upper
    } else {
        format!("SIG{upper}")
    };
    NAMES
        .iter()
        .chain(&SLIPS_THROUGH)
        .find(|(known, _)| *known == name)
        .map(|(_, number)| i64::from(*number))
}

/// Python's `int()`: a sign, digits, single underscores between digits. Numbers beyond `i64` are clamped.
fn parse_number(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut number: i64 = 0;
    let mut after_digit = false;
    for character in digits.chars() {
        match character.to_digit(10) {
            Some(digit) => {
                number = number.saturating_mul(10).saturating_add(i64::from(digit));
                after_digit = true;
            }
            None if character == '_' && after_digit => after_digit = false,
            None => return None,
        }
    }
    after_digit.then_some(sign * number)
}

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
    fn signals_are_read_like_the_original() {
        let cases = [
            ("TERM", 15),
            ("term", 15),
            ("SIGTERM", 15),
            (" sigusr1 ", 10),
            ("9", 9),
            (" 9 ", 9),
            ("+9", 9),
            ("1_0", 10),
            ("CLD", 17),
            ("POLL", 29),
            ("IO", 29),
            ("IOT", 6),
            ("RTMIN", 34),
            ("34", 34),
            ("64", 64),
            ("0", 0),
            ("-0", 0),
            ("_DFL", 0),
            ("SIG_IGN", 1),
            ("_SETMASK", 2),
        ];
        for (text, number) in cases {
            assert_eq!(parse_signal(text), Ok(number), "{text}");
        }
    }

    #[test]
    fn bad_signals_have_the_originals_messages() {
        let cases = [
            ("35", "value '35' is not a valid signal number"),
            ("-9", "value '-9' is not a valid signal number"),
            ("32", "value '32' is not a valid signal number"),
            ("FOO", "value 'FOO' is not a valid signal name"),
            ("", "value '' is not a valid signal name"),
            ("1__0", "value '1__0' is not a valid signal name"),
            ("it's", "value \"it's\" is not a valid signal name"),
            (
                "99999999999999999999",
                "value '99999999999999999999' is not a valid signal number",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(parse_signal(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn names_are_the_ones_the_original_prints() {
        let cases = [
            (6, "SIGABRT"),
            (17, "SIGCHLD"),
            (29, "SIGPOLL"),
            (34, "SIGRTMIN"),
            (64, "SIGRTMAX"),
            (0, "signal 0"),
            (35, "signal 35"),
        ];
        for (number, name) in cases {
            assert_eq!(signal_name(number), name);
        }
    }

    #[test]
    fn a_set_shows_its_names() {
        let set = SignalSet::of(&[15, 1, 0, 99]);
        assert_eq!(format!("{set:?}"), "{\"SIGHUP\", \"SIGTERM\"}");
    }
}
