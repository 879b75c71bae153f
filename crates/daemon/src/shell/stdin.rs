//! The writing end of a service's standard input.
//!
//! A write never blocks. What the pipe does not take at once is kept, up to [`MOST_KEPT_BYTES`], and a
//! task writes it as the service reads.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::unix::pipe;

use crate::control::StdinReply;

/// Most bytes that are kept for a service that does not read.
pub(super) const MOST_KEPT_BYTES: usize = 1 << 20;

/// A standard input.
#[derive(Debug)]
pub(super) struct Stdin {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pipe: OwnedFd,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kept: VecDeque<u8>,
    is_closed: bool,
    has_task: bool,
}

impl Stdin {
    /// From the writing end of a pipe that does not block.
    pub(super) fn new(pipe: OwnedFd) -> Self {
        Self {
            shared: Arc::new(Shared {
                pipe,
                state: Mutex::default(),
            }),
        }
    }

    pub(super) fn write(&self, data: &[u8]) -> StdinReply {
        let mut state = self
            .shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if state.is_closed {
            return StdinReply::Closed;
        }
        if state.kept.len() + data.len() > MOST_KEPT_BYTES && !state.kept.is_empty() {
            return StdinReply::Full;
        }
        state.kept.extend(data);
        match self.shared.flush(&mut state) {
            Ok(true) => StdinReply::Accepted,
            Ok(false) => {
                if !state.has_task {
                    state.has_task = true;
                    tokio::spawn(write_later(self.shared.clone()));
                }
                StdinReply::Accepted
            }
            Err(_) => StdinReply::Closed,
        }
    }
}

impl Drop for Stdin {
    fn drop(&mut self) {
        // The task holds the pipe too; it must not keep the pipe of a dead service.
        let mut state = self
            .shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        state.is_closed = true;
        state.kept.clear();
    }
}

impl Shared {
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
    let Ok(pipe) = shared.pipe.try_clone() else {
        let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.has_task = false;
        return;
    };
    let Ok(pipe) = pipe::Sender::from_owned_fd(pipe) else {
        return;
    };
    loop {
        // A service that ends closes the reading end, which makes the pipe writable with an error.
        if pipe.writable().await.is_err() {
            return;
        }
        let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Tokio has to see that nothing more goes in, or it would not wait for the next time.
        let flushed = pipe.try_io(|| match shared.flush(&mut state)? {
            true => Ok(()),
            false => Err(io::ErrorKind::WouldBlock.into()),
        });
        let is_over = !matches!(&flushed, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        if is_over || state.is_closed {
            state.has_task = false;
            return;
        }
    }
}
