//! Where a connection stands, and until when it may stand there.
//!
//! Kept in one small object that the socket, the request handler and the answer's body tell their news to.
//! It decides nothing but the deadline; the connection's task enforces that.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::limits::{BODY_TIME, HEAD_TIME, IDLE_TIME, WRITE_STALL_TIME};

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Connected; no byte of a request has come.
    Fresh,
    /// Part of a request's head has come.
    Head,
    /// The body is being read.
    Body,
    /// The request is being carried out, or its answer sent.
    Answering,
    /// The answer follows a log and may last for ever.
    Following,
    /// An answer has been given; the next request has not begun.
    Idle,
}

#[derive(Debug)]
struct Inner {
    phase: Phase,
    since: Instant,
    /// The socket takes nothing since then.
    blocked_since: Option<Instant>,
}

/// The state of one connection.
#[derive(Debug)]
pub(crate) struct ConnectionState {
    inner: Mutex<Inner>,
    /// Somebody else needs the place.
    evicted: Notify,
}

impl ConnectionState {
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner {
                phase: Phase::Fresh,
                since: Instant::now(),
                blocked_since: None,
            }),
            evicted: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(&self, phase: Phase) {
        let mut inner = self.lock();
        inner.phase = phase;
        inner.since = Instant::now();
    }

    pub(crate) fn phase(&self) -> Phase {
        self.lock().phase
    }

    /// Bytes have come. Line ends between requests are no beginning of one: some clients send one after
    /// a body.
    pub(crate) fn bytes_read(&self, bytes: &[u8]) {
        let begins = bytes.iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
        let mut inner = self.lock();
        match inner.phase {
            Phase::Fresh if begins => inner.phase = Phase::Head,
            Phase::Idle if begins => {
                inner.phase = Phase::Head;
                inner.since = Instant::now();
            }
            Phase::Fresh
            | Phase::Idle
            | Phase::Head
            | Phase::Body
            | Phase::Answering
            | Phase::Following => {}
        }
    }

    pub(crate) fn write_blocked(&self) {
        self.lock().blocked_since.get_or_insert_with(Instant::now);
    }

    pub(crate) fn write_moved(&self) {
        self.lock().blocked_since = None;
    }

    /// When patience ends; none while it is our turn.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let inner = self.lock();
        let of_phase = match inner.phase {
            Phase::Fresh | Phase::Head => Some(inner.since + HEAD_TIME),
            Phase::Body => Some(inner.since + BODY_TIME),
            Phase::Idle => Some(inner.since + IDLE_TIME),
            Phase::Following => return None,
            Phase::Answering => None,
        };
        let of_writing = inner.blocked_since.map(|since| since + WRITE_STALL_TIME);
        match (of_phase, of_writing) {
            (Some(phase), Some(writing)) => Some(phase.min(writing)),
            (one, other) => one.or(other),
        }
    }

    /// Since when the client keeps us waiting; none while it is our turn.
    pub(crate) fn waiting_since(&self) -> Option<Instant> {
        let inner = self.lock();
        match inner.phase {
            Phase::Fresh | Phase::Head | Phase::Body | Phase::Idle => Some(inner.since),
            Phase::Answering => inner.blocked_since,
            Phase::Following => None,
        }
    }

    /// Since when the client takes nothing of its answer; none if it does, or follows a log.
    pub(crate) fn deaf_since(&self) -> Option<Instant> {
        let inner = self.lock();
        inner
            .blocked_since
            .filter(|_| inner.phase != Phase::Following)
    }

    /// Gives the place to somebody else.
    pub(crate) fn evict(&self) {
        self.evicted.notify_one();
    }

    pub(crate) async fn evicted(&self) {
        self.evicted.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_phase_has_its_deadline() {
        let state = ConnectionState::new();
        let begin = Instant::now();
        assert_eq!(state.deadline(), Some(begin + HEAD_TIME));
        state.bytes_read(b"\r\n");
        assert_eq!(state.phase(), Phase::Fresh);
        tokio::time::advance(HEAD_TIME / 2).await;
        state.bytes_read(b"P");
        assert_eq!(state.phase(), Phase::Head);
        assert_eq!(
            state.deadline(),
            Some(begin + HEAD_TIME),
            "a byte buys no time"
        );
        state.enter(Phase::Body);
        assert_eq!(state.deadline(), Some(Instant::now() + BODY_TIME));
        state.enter(Phase::Answering);
        assert_eq!((state.deadline(), state.waiting_since()), (None, None));
        state.write_blocked();
        assert_eq!(state.deadline(), Some(Instant::now() + WRITE_STALL_TIME));
        state.enter(Phase::Following);
        assert_eq!(state.deadline(), None);
        state.write_moved();
        state.enter(Phase::Idle);
        assert_eq!(state.deadline(), Some(Instant::now() + IDLE_TIME));
        tokio::time::advance(IDLE_TIME / 2).await;
        state.bytes_read(b"\r\nG");
        assert_eq!(state.deadline(), Some(Instant::now() + HEAD_TIME));
    }
}
