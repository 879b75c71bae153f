//! A thread that writes to a descriptor which may block it for ever.
//!
//! Needed only for a descriptor that others share and that cannot be opened anew, such as the pipe
//! behind standard output after the daemon has given up root. Holds at most one chunk.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::io::Errno;

use crate::queue::Waker;

/// Most bytes that are handed to the thread at a time.
const OFFER_MAX_BYTES: usize = 64 << 10;
/// It only writes.
const STACK_BYTES: usize = 64 << 10;

#[derive(Default)]
struct State {
    data: Vec<u8>,
    is_writing: bool,
    error: Option<Errno>,
    is_over: bool,
    waker: Option<Waker>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writer. Dropping it ends the thread as soon as its write returns.
pub(crate) struct BlockingWriter {
    shared: Arc<Shared>,
}

impl BlockingWriter {
    pub(crate) fn new(descriptor: OwnedFd) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
        });
        let of_thread = Arc::clone(&shared);
        let started = thread::Builder::new()
            .name("log-writer".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || run(&of_thread, &descriptor));
        if started.is_err() {
            shared.state().error = Some(Errno::AGAIN);
        }
        Self { shared }
    }

    pub(crate) fn set_waker(&self, waker: Waker) {
        self.shared.state().waker = Some(waker);
    }

    /// Hands over as much as the thread takes now. `EAGAIN` while it writes.
    pub(crate) fn offer(&self, data: &[u8]) -> Result<usize, Errno> {
        let mut state = self.shared.state();
        if let Some(error) = state.error {
            return Err(if error == Errno::AGAIN {
                Errno::NOMEM
            } else {
                error
            });
        }
        if state.is_writing || !state.data.is_empty() {
            return Err(Errno::AGAIN);
        }
        let count = data.len().min(OFFER_MAX_BYTES);
        state.data.extend_from_slice(&data[..count]);
        self.shared.changed.notify_one();
        Ok(count)
    }
}

impl Drop for BlockingWriter {
    fn drop(&mut self) {
        self.shared.state().is_over = true;
        self.shared.changed.notify_one();
    }
}

fn run(shared: &Shared, descriptor: &OwnedFd) {
    let mut data = Vec::new();
    loop {
        {
            let mut state = shared.state();
            while state.data.is_empty() {
                if state.is_over {
                    return;
                }
                state = shared
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            std::mem::swap(&mut state.data, &mut data);
            state.is_writing = true;
        }
        let mut done = 0;
        let mut failure = None;
        while done < data.len() {
            match rustix::io::write(descriptor, &data[done..]) {
                Ok(count) => done += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    // Somebody else made it nonblocking.
                    let mut wait = [rustix::event::PollFd::new(
                        descriptor,
                        rustix::event::PollFlags::OUT,
                    )];
                    let _ = rustix::event::poll(&mut wait, None);
                }
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        data.clear();
        let mut state = shared.state();
        state.is_writing = false;
        state.error = failure;
        if let Some(waker) = &state.waker {
            waker.wake();
        }
        if failure.is_some() {
            return;
        }
    }
}
