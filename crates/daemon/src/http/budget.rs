//! What all connections of all servers share: places, bytes of bodies, followers of logs.
//!
//! Guards give back what they hold when dropped. Only looks at files are waited for; everything else is
//! answered at once, with yes or no.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::connection_state::ConnectionState;
use super::limits::{
    MAX_CALLS, MAX_CONNECTIONS, MAX_CONNECTIONS_PER_SERVER, MAX_FILE_LOOKS, MAX_FOLLOWERS,
    MAX_LARGE_LOG_READS, MAX_TOTAL_ANSWER_BYTES, MAX_TOTAL_BODY_BYTES, SMALL_ANSWER_BYTES,
};

/// The counts.
#[derive(Debug)]
pub(crate) struct Budget {
    places: Mutex<Places>,
    place_freed: Notify,
    body_bytes: AtomicUsize,
    answer_bytes: AtomicUsize,
    followers: AtomicUsize,
    calls: AtomicUsize,
    file_looks: Arc<Semaphore>,
    large_reads: Arc<Semaphore>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            places: Mutex::default(),
            place_freed: Notify::new(),
            body_bytes: AtomicUsize::new(0),
            answer_bytes: AtomicUsize::new(0),
            followers: AtomicUsize::new(0),
            calls: AtomicUsize::new(0),
            file_looks: Arc::new(Semaphore::new(MAX_FILE_LOOKS)),
            large_reads: Arc::new(Semaphore::new(MAX_LARGE_LOG_READS)),
        }
    }
}

#[derive(Debug, Default)]
struct Places {
    next_id: u64,
    servers: usize,
    taken: HashMap<u64, Taken>,
}

#[derive(Debug)]
struct Taken {
    server: ServerId,
    state: Arc<ConnectionState>,
}

/// Tells servers apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ServerId(usize);

/// The right to be connected.
#[derive(Debug)]
pub(crate) struct Place {
    budget: Arc<Budget>,
    id: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.budget.places().taken.remove(&self.id);
        self.budget.place_freed.notify_waiters();
    }
}

impl Budget {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new server.
    pub(crate) fn add_server(&self) -> ServerId {
        let mut places = self.places();
        places.servers += 1;
        ServerId(places.servers)
    }

    /// A place for a new connection. When there is none, the connection that has kept us waiting longest
    /// loses its own, so that clients that never finish a request cannot lock out those that do.
    /// None if every connection is being served.
    pub(crate) fn take_place(
        self: &Arc<Self>,
        server: ServerId,
        state: &Arc<ConnectionState>,
    ) -> Option<Place> {
        let mut places = self.places();
        let of_server = places.taken.values().filter(|taken| taken.server == server);
        let server_is_full = of_server.count() >= MAX_CONNECTIONS_PER_SERVER;
        if server_is_full || places.taken.len() >= MAX_CONNECTIONS {
            let (_, victim) = places
                .taken
                .iter()
                .filter(|(_, taken)| !server_is_full || taken.server == server)
                .filter_map(|(&id, taken)| Some((taken.state.waiting_since()?, id)))
                .min()?;
            if let Some(taken) = places.taken.remove(&victim) {
                taken.state.evict();
            }
        }
        places.next_id += 1;
        let id = places.next_id;
        let state = Arc::clone(state);
        places.taken.insert(id, Taken { server, state });
        drop(places);
        Some(Place {
            budget: Arc::clone(self),
            id,
        })
    }

    /// Waits until some connection ends.
    pub(crate) async fn place_freed(&self) {
        self.place_freed.notified().await;
    }

    /// Nothing yet of the bytes of bodies.
    pub(crate) fn body_share(self: &Arc<Self>) -> BodyShare {
        BodyShare {
            budget: Arc::clone(self),
            bytes: 0,
        }
    }

    /// Ends the connection whose client has taken nothing for longest, so that clients that never take their
    /// answers cannot keep the room for answers from those that do.
    fn evict_the_deafest(&self) {
        let places = self.places();
        let deafest = places
            .taken
            .values()
            .filter_map(|taken| Some((taken.state.deaf_since()?, &taken.state)))
            .min_by_key(|(since, _)| *since);
        if let Some((_, state)) = deafest {
            state.evict();
        }
    }

    /// Nothing yet of the bytes of answers.
    pub(crate) fn answer_share(self: &Arc<Self>) -> AnswerShare {
        AnswerShare {
            budget: Arc::clone(self),
            bytes: 0,
        }
    }

    /// The right to follow a log.
    pub(crate) fn follower(self: &Arc<Self>) -> Option<FollowerGuard> {
        add_within(&self.followers, 1, MAX_FOLLOWERS).then(|| FollowerGuard(Arc::clone(self)))
    }

    /// The right to have a call carried out.
    pub(crate) fn call(self: &Arc<Self>) -> Option<CallGuard> {
        add_within(&self.calls, 1, MAX_CALLS).then(|| CallGuard(Arc::clone(self)))
    }

    /// Runs `look`, which reads files, on a worker, when it is its turn. A look that hangs (a dead network
    /// file system) keeps its turn and its worker, so callers limit how long they wait. None if `look`
    /// panicked.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let turn = Arc::clone(&self.file_looks).acquire_owned().await.ok()?;
        tokio::task::spawn_blocking(move || {
            let found = look();
            drop(turn);
            found
        })
        .await
        .ok()
    }

    /// The right to much of a log, to be kept until its answer is made.
    pub(crate) async fn large_read(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.large_reads).acquire_owned().await.ok()
    }
}

fn add_within(counter: &AtomicUsize, amount: usize, limit: usize) -> bool {
    counter
        .fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| {
            count.checked_add(amount).filter(|sum| *sum <= limit)
        })
        .is_ok()
}

/// What one request holds of the bytes of bodies.
#[derive(Debug)]
pub(crate) struct BodyShare {
    budget: Arc<Budget>,
    bytes: usize,
}

impl BodyShare {
    /// Takes so many more; false if there are not so many left.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let granted = add_within(&self.budget.body_bytes, bytes, MAX_TOTAL_BODY_BYTES);
        if granted {
            self.bytes += bytes;
        }
        granted
    }
}

impl Drop for BodyShare {
    fn drop(&mut self) {
        self.budget
            .body_bytes
            .fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

/// What one answer holds of the bytes of answers.
#[derive(Debug)]
pub(crate) struct AnswerShare {
    budget: Arc<Budget>,
    bytes: usize,
}

impl AnswerShare {
    /// Makes room for an answer of so many bytes, with what it has already; false if there is none.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        if bytes <= SMALL_ANSWER_BYTES || more == 0 {
            return true;
        }
        let granted = add_within(&self.budget.answer_bytes, more, MAX_TOTAL_ANSWER_BYTES);
        if granted {
            self.bytes = bytes;
        } else {
            self.budget.evict_the_deafest();
        }
        granted
    }
}

impl Drop for AnswerShare {
    fn drop(&mut self) {
        self.budget
            .answer_bytes
            .fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

/// Counts one follower of a log.
#[derive(Debug)]
pub(crate) struct FollowerGuard(Arc<Budget>);

impl Drop for FollowerGuard {
    fn drop(&mut self) {
        self.0.followers.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Counts one call, which may outlive its connection.
#[derive(Debug)]
pub(crate) struct CallGuard(Arc<Budget>);

impl Drop for CallGuard {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection_state::Phase;
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn the_connection_that_waits_longest_makes_room() {
        let budget = Arc::new(Budget::default());
        let server = budget.add_server();
        let mut places = Vec::new();
        let mut states = Vec::new();
        for index in 0..MAX_CONNECTIONS_PER_SERVER {
            let state = Arc::new(ConnectionState::new());
            if index != 5 && index != 7 {
                state.enter(Phase::Answering);
            }
            tokio::time::advance(Duration::from_millis(1)).await;
            places.push(budget.take_place(server, &state).unwrap());
            states.push(state);
        }
        let newcomer = Arc::new(ConnectionState::new());
        newcomer.enter(Phase::Answering);
        for waiting in [5, 7] {
            places.push(budget.take_place(server, &newcomer).unwrap());
            states[waiting].evicted().await;
        }
        assert!(
            budget.take_place(server, &newcomer).is_none(),
            "all are being served"
        );
        let other = budget.add_server();
        assert!(
            budget.take_place(other, &newcomer).is_some(),
            "another server has its own count"
        );
        places.clear();
        assert!(budget.places().taken.is_empty());
    }

    #[test]
    fn bytes_and_followers_are_given_back() {
        let budget = Arc::new(Budget::default());
        let mut share = budget.body_share();
        assert!(share.grow(MAX_TOTAL_BODY_BYTES));
        assert!(!budget.body_share().grow(1));
        drop(share);
        assert!(budget.body_share().grow(1));
        let guards: Vec<_> = std::iter::from_fn(|| budget.follower()).collect();
        assert_eq!(guards.len(), MAX_FOLLOWERS);
        drop(guards);
        assert!(budget.follower().is_some());
    }
}
