//! A timer on the clock that people set, which also wakes when somebody sets it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

const NANOSECONDS: i64 = 1_000_000_000;

/// Readable when its moment has come, and when the clock was set.
#[derive(Debug)]
pub struct WallTimer(OwnedFd);

impl WallTimer {
    /// A timer that is not set.
    ///
    /// # Errors
    /// `EMFILE`, `ENFILE`, `ENOMEM`.
    pub fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        Ok(Self(timerfd_create(TimerfdClockId::Realtime, flags)?))
    }

    /// Sets it to nanoseconds since 1970; none takes the setting away.
    ///
    /// # Errors
    /// `EINVAL` for a moment that the kernel cannot take.
    pub fn set(&self, at: Option<i64>) -> io::Result<()> {
        // Zero would mean "never"; a moment that has passed long ago is as good.
        let at = at.map_or(0, |at| at.max(1));
        let value = Itimerspec {
            it_interval: Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            it_value: Timespec {
                tv_sec: at.div_euclid(NANOSECONDS),
                tv_nsec: at.rem_euclid(NANOSECONDS),
            },
        };
        let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
        match timerfd_settime(&self.0, flags, &value) {
            // The clock was set since the last time: the timer is set all the same.
            Ok(_) | Err(Errno::CANCELED) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes note that it has woken; false if it had not.
    pub fn acknowledge(&self) -> bool {
        let mut count = [0; 8];
        match rustix::io::read(&self.0, &mut count) {
            Ok(_) | Err(Errno::CANCELED) => true,
            Err(_) => false,
        }
    }
}

impl AsFd for WallTimer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for WallTimer {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, poll};

    use super::*;

    fn wakes_within(timer: &WallTimer, milliseconds: i64) -> bool {
        let mut polled = [PollFd::new(timer, PollFlags::IN)];
        let timeout = Timespec {
            tv_sec: 0,
            tv_nsec: milliseconds * 1_000_000,
        };
        poll(&mut polled, Some(&timeout)).unwrap() > 0
    }

    #[test]
    fn it_wakes_when_its_moment_comes_and_not_without() {
        let timer = WallTimer::new().unwrap();
        assert!(!timer.acknowledge());
        timer.set(Some(crate::time::wall() + 10_000_000)).unwrap();
        assert!(wakes_within(&timer, 900));
        assert!(timer.acknowledge());
        assert!(!timer.acknowledge(), "once");
        timer.set(Some(crate::time::wall() - 1)).unwrap();
        assert!(wakes_within(&timer, 900), "a moment that has passed");
        timer.set(None).unwrap();
        assert!(!wakes_within(&timer, 20));
    }
}
