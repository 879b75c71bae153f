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

/// What ended a wait.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    /// Somebody pressed Ctrl-C.
    Interrupted,
    /// Which of the descriptors can be read, by their order.
    Readable(Vec<bool>),
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

    /// Waits until one of the descriptors can be read.
    pub(crate) fn wait_for(&self, descriptors: &[BorrowedFd<'_>]) -> io::Result<Ready> {
        let signals = self.signals.as_fd();
        let mut watched: Vec<PollFd<'_>> = std::iter::once(&signals)
            .chain(descriptors)
            .map(|descriptor| PollFd::new(descriptor, PollFlags::IN))
            .collect();
        loop {
            match poll(&mut watched, None) {
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut readable = watched.iter().map(|polled| !polled.revents().is_empty());
        if readable.next() == Some(true) {
            // Taken off, so that the next wait does not see it again.
            let _ = self.signals.read();
            return Ok(Ready::Interrupted);
        }
        Ok(Ready::Readable(readable.collect()))
    }
}

impl Waiter for Interrupts {
    fn wait(&self, descriptor: BorrowedFd<'_>) -> io::Result<bool> {
        Ok(self.wait_for(&[descriptor])? != Ready::Interrupted)
    }
}
