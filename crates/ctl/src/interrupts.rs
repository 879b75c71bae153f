//! Ctrl-C as something to wait for.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use linchpin_protocol::client::Waiter;
use linchpin_sys::signals::{SignalFd, SignalSet, block};
use rustix::event::{PollFd, PollFlags, poll};

const SIGINT: i32 = 2;

/// SIGINT, taken from the process and put on a descriptor.
#[derive(Debug)]
pub(crate) struct Interrupts {
    signals: SignalFd,
}

impl Interrupts {
    /// Takes SIGINT over, for good.
    pub(crate) fn listen() -> io::Result<Self> {
        let set = SignalSet::of(&[SIGINT]);
        block(&set)?;
        Ok(Self {
            signals: SignalFd::new(&set)?,
        })
    }
}

impl Waiter for Interrupts {
    fn wait(&self, descriptor: BorrowedFd<'_>) -> io::Result<bool> {
        let signals = self.signals.as_fd();
        let mut watched = [
            PollFd::new(&descriptor, PollFlags::IN),
            PollFd::new(&signals, PollFlags::IN),
        ];
        loop {
            match poll(&mut watched, None) {
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if watched[1].revents().is_empty() {
            return Ok(true);
        }
        // Taken off, so that the next wait does not see it again.
        let _ = self.signals.read();
        Ok(false)
    }
}
