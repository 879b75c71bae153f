//! The writing end of a service's standard input.
//!
//! A write never blocks. What the pipe does not take at once is kept, up to [`MOST_KEPT_BYTES`], and a
//! task writes it as the service reads. Of events one is kept, whatever its size, and the core hears when
//! the listener has read it.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use linchpin_core::{Delivery, Generation, ProcessId};
use tokio::net::unix::pipe;
use tokio::sync::mpsc::UnboundedSender;

use crate::control::StdinReply;

/// Most bytes that are kept for a service that does not read.
pub(super) const MOST_KEPT_BYTES: usize = 1 << 20;

/// A run whose standard input holds nothing any more that was kept for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drained {
    pub(super) process: ProcessId,
    pub(super) generation: Generation,
}

/// A standard input.
#[derive(Debug)]
pub(super) struct Stdin {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pipe: OwnedFd,
    state: Mutex<State>,
    owner: Drained,
    drained: UnboundedSender<Drained>,
}

#[derive(Debug, Default)]
struct State {
    kept: VecDeque<u8>,
    is_closed: bool,
    has_task: bool,
    /// Somebody waits to hear that everything has been written, or can never be.
    is_waited_for: bool,
}

impl Stdin {
    /// From the writing end of a pipe that does not block.
    pub(super) fn new(pipe: OwnedFd, owner: Drained, drained: UnboundedSender<Drained>) -> Self {
        Self {
            shared: Arc::new(Shared {
                pipe,
                state: Mutex::default(),
                owner,
                drained,
            }),
        }
    }

    pub(super) fn write(&self, data: &[u8]) -> StdinReply {
        let mut state = self.shared.state();
        if state.is_closed {
            return StdinReply::Closed;
        }
        if state.kept.len() + data.len() > MOST_KEPT_BYTES && !state.kept.is_empty() {
            return StdinReply::Full;
        }
        state.kept.extend(data);
        match self.flush(&mut state) {
            Ok(_) => StdinReply::Accepted,
            Err(_) => StdinReply::Closed,
        }
    }

    /// Writes an event, unless something is kept already.
    pub(super) fn send(&self, event: Vec<u8>) -> Delivery {
        let mut state = self.shared.state();
        if state.is_closed {
            return Delivery::Closed;
        }
        if !state.kept.is_empty() {
            state.is_waited_for = true;
            return Delivery::Full;
        }
        state.kept = event.into();
        match self.flush(&mut state) {
            Ok(true) => Delivery::Taken,
            Ok(false) => {
                state.is_waited_for = true;
                Delivery::Kept
            }
            Err(_) => Delivery::Closed,
        }
    }

    /// Writes what can be written, and has the rest written later; whether there is none.
    fn flush(&self, state: &mut State) -> io::Result<bool> {
        let is_all = self.shared.flush(state)?;
        if !is_all && !state.has_task {
            state.has_task = true;
            tokio::spawn(write_later(self.shared.clone()));
        }
        Ok(is_all)
    }
}

impl Drop for Stdin {
    fn drop(&mut self) {
        // The task holds the pipe too; it must not keep the pipe of a dead service.
        let mut state = self.shared.state();
        state.is_closed = true;
        state.is_waited_for = false;
        state.kept = VecDeque::new();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is written later any more.
    fn end_task(&self, state: &mut State) {
        state.has_task = false;
        if std::mem::take(&mut state.is_waited_for) {
            // The loop has ended: nobody waits.
            let _ = self.drained.send(self.owner);
        }
    }

    /// The pipe cannot be watched, so nothing more will be written.
    fn give_up(&self) {
        let mut state = self.state();
        state.is_closed = true;
        state.kept = VecDeque::new();
        self.end_task(&mut state);
    }

    /// Writes what can be written; whether that is everything.
    fn flush(&self, state: &mut State) -> io::Result<bool> {
        while !state.kept.is_empty() {
            let (front, _) = state.kept.as_slices();
            match linchpin_sys::pipe::write(&self.pipe, front) {
                Ok(count) => drop(state.kept.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    state.is_closed = true;
                    state.kept = VecDeque::new();
                    return Err(error);
                }
            }
        }
        state.kept.shrink_to(0);
        Ok(true)
    }
}

async fn write_later(shared: Arc<Shared>) {
    // Tokio wants a pipe of its own. Where there is no descriptor left for one, the input is lost: nobody
    // would ever hear that it can be written to again.
    let pipe = shared
        .pipe
        .try_clone()
        .and_then(pipe::Sender::from_owned_fd);
    let Ok(pipe) = pipe else {
        return shared.give_up();
    };
    loop {
        // A service that ends closes the reading end, which makes the pipe writable with an error.
        if pipe.writable().await.is_err() {
            return shared.give_up();
        }
        let mut state = shared.state();
        // Tokio has to see that nothing more goes in, or it would not wait for the next time.
        let flushed = pipe.try_io(|| match shared.flush(&mut state)? {
            true => Ok(()),
            false => Err(io::ErrorKind::WouldBlock.into()),
        });
        let is_over = !matches!(&flushed, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        if is_over || state.is_closed {
            return shared.end_task(&mut state);
        }
    }
}
