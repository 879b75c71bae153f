//! A process id that is known to name one process.

use std::fmt;
use std::num::NonZeroI32;

/// A process id or process group id above zero, so that it can never mean "my group" or "everybody" to
/// `kill`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid(NonZeroI32);

impl Pid {
    /// The process id `pid`, unless it is zero or negative.
    #[must_use]
    pub fn new(pid: i32) -> Option<Self> {
        if pid > 0 {
            NonZeroI32::new(pid).map(Self)
        } else {
            None
        }
    }

    /// The id of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        Self(rustix::process::getpid().as_raw_nonzero())
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> i32 {
        self.0.get()
    }

    pub(crate) fn to_rustix(self) -> rustix::process::Pid {
        rustix::process::Pid::from_raw(self.get())
            .unwrap_or_else(|| unreachable!("a Pid is above zero"))
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
