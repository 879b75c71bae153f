//! Tells the daemon that a log file changed, so that followers need not poll.
//!
//! Costs nothing while nobody watches: a sink looks at one pointer per write. Notices are coalesced:
//! after one, no other is sent until it is acknowledged, so a busy log makes no queue.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::command::Command;
use crate::queue::Queue;

/// Identifies a watch in [`LogEvent::FileChanged`](crate::LogEvent::FileChanged).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WatchId(pub u64);

static NEXT_WATCH: AtomicU64 = AtomicU64::new(1);

/// A watched log file; dropping it ends the watch.
#[derive(Debug)]
pub struct Watch {
    registration: WatchRegistration,
    queue: Arc<Queue>,
}

impl Watch {
    pub(crate) fn new(registration: WatchRegistration, queue: Arc<Queue>) -> Self {
        Self {
            registration,
            queue,
        }
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> WatchId {
        self.registration.id
    }

    /// Number of changes so far.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.registration.state.generation.load(Ordering::Acquire)
    }

    /// Asks for the next notice. To be called before looking at the file, so that no change is missed.
    pub fn acknowledge(&self) {
        self.registration
            .state
            .is_notified
            .store(false, Ordering::SeqCst);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // When the queue is full the watch goes when the next one of the same file ends.
        self.registration
            .state
            .is_over
            .store(true, Ordering::SeqCst);
        let _ = self.queue.push(Command::Unwatch(self.registration.clone()));
    }
}

#[derive(Debug, Default)]
pub(crate) struct WatchState {
    generation: AtomicU64,
    is_notified: AtomicBool,
    is_over: AtomicBool,
}

#[derive(Debug, Clone)]
pub(crate) struct WatchRegistration {
    id: WatchId,
    path: Arc<Path>,
    state: Arc<WatchState>,
}

impl WatchRegistration {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            id: WatchId(NEXT_WATCH.fetch_add(1, Ordering::Relaxed)),
            path: path.into(),
            state: Arc::default(),
        }
    }
}

/// All watches, by file.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    by_path: HashMap<Arc<Path>, Vec<WatchRegistration>>,
}

impl Watches {
    pub(crate) fn is_empty(&self) -> bool {
        self.by_path.is_empty()
    }

    pub(crate) fn add(&mut self, registration: WatchRegistration) {
        self.by_path
            .entry(Arc::clone(&registration.path))
            .or_default()
            .push(registration);
    }

    pub(crate) fn remove(&mut self, registration: &WatchRegistration) {
        if let Some(of_path) = self.by_path.get_mut(&registration.path) {
            of_path.retain(|other| {
                other.id != registration.id && !other.state.is_over.load(Ordering::SeqCst)
            });
            if of_path.is_empty() {
                self.by_path.remove(&registration.path);
            }
        }
    }

    /// Counts a change of `path` and calls `notify` for those watches that asked for notice.
    pub(crate) fn changed(&self, path: &Path, notify: &dyn Fn(WatchId)) {
        if self.by_path.is_empty() {
            return;
        }
        for registration in self.by_path.get(path).into_iter().flatten() {
            let state = &registration.state;
            state.generation.fetch_add(1, Ordering::AcqRel);
            let is_over = state.is_over.load(Ordering::SeqCst);
            if !is_over && !state.is_notified.swap(true, Ordering::SeqCst) {
                notify(registration.id);
            }
        }
    }
}
