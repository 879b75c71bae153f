//! The threads on which processes are started.
//!
//! A start may hang: the command may be on a dead network file system, the log directory too, and a
//! thread that has cloned with `CLONE_VFORK` waits for the exec. So none of that happens on the main
//! thread. One thread is enough as long as it keeps up; when a start takes longer than [`PATIENCE`]
//! another thread takes the next one, up to [`MOST_THREADS`].

mod job;
mod launch;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use linchpin_log::LogHandle;
use linchpin_sys::spawn::SpawnSlot;
use tokio::sync::mpsc::UnboundedSender;

pub(crate) use job::{Answer, Job, Launch, Started};

/// How long one start may take before another thread takes the next.
pub(crate) const PATIENCE: Duration = Duration::from_millis(100);

/// Most threads, so most starts that may hang at the same time before further ones wait.
pub(crate) const MOST_THREADS: usize = 16;

/// The main thread's end.
#[derive(Debug)]
pub(crate) struct Spawner {
    shared: Arc<Shared>,
    workers: Vec<Arc<Worker>>,
}

#[derive(Debug)]
struct Shared {
    /// Bounded by the number of processes: each has at most one start and one check under way.
    jobs: Mutex<Queue>,
    wake: Condvar,
    logs: LogHandle,
    /// Bounded as the jobs are: one answer each.
    answers: UnboundedSender<Answer>,
}

#[derive(Debug, Default)]
struct Queue {
    jobs: VecDeque<Job>,
    is_closed: bool,
}

/// What the main thread may know of a thread.
#[derive(Debug, Default)]
struct Worker {
    is_busy: AtomicBool,
    /// Set by the kernel before the new process runs its first instruction.
    slot: SpawnSlot,
}

impl Spawner {
    pub(crate) fn new(logs: LogHandle, answers: UnboundedSender<Answer>) -> Self {
        let shared = Arc::new(Shared {
            jobs: Mutex::default(),
            wake: Condvar::new(),
            logs,
            answers,
        });
        Self {
            shared,
            workers: Vec::new(),
        }
    }

    /// Has a job done.
    pub(crate) fn submit(&mut self, job: Job) {
        self.shared.queue().jobs.push_back(job);
        if self.workers.is_empty() {
            self.add_thread();
        }
        self.shared.wake.notify_one();
    }

    /// To be called [`PATIENCE`] after jobs were left waiting: adds a thread if none of those there are
    /// is free. Returns whether jobs are waiting still.
    pub(crate) fn relieve(&mut self) -> bool {
        let is_waiting = !self.shared.queue().jobs.is_empty();
        if is_waiting
            && self
                .workers
                .iter()
                .all(|worker| worker.is_busy.load(Ordering::SeqCst))
        {
            self.add_thread();
        }
        is_waiting
    }

    /// Whether jobs are waiting for a thread.
    pub(crate) fn has_waiting_jobs(&self) -> bool {
        !self.shared.queue().jobs.is_empty()
    }

    /// Whether this is the process that a thread is just starting, of which no answer has come yet.
    pub(crate) fn is_starting(&self, pid: i32) -> bool {
        self.workers.iter().any(|worker| {
            worker
                .slot
                .pid()
                .is_some_and(|starting| starting.get() == pid)
        })
    }

    fn add_thread(&mut self) {
        if self.workers.len() >= MOST_THREADS {
            return;
        }
        let worker = Arc::<Worker>::default();
        let (shared, own) = (self.shared.clone(), worker.clone());
        let thread = std::thread::Builder::new()
            .name("spawner".to_owned())
            .stack_size(256 * 1024)
            .spawn(move || shared.work(&own));
        // Without a thread the jobs wait; the next submission or `relieve` tries again.
        if thread.is_ok() {
            self.workers.push(worker);
        }
    }
}

impl Drop for Spawner {
    fn drop(&mut self) {
        self.shared.queue().is_closed = true;
        self.shared.wake.notify_all();
    }
}

impl Shared {
    fn queue(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, worker: &Worker) {
        let mut queue = self.queue();
        while !queue.is_closed {
            let Some(job) = queue.jobs.pop_front() else {
                queue = self
                    .wake
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            worker.is_busy.store(true, Ordering::SeqCst);
            drop(queue);
            let answer = job.run(&self.logs, &worker.slot);
            // The answer first, the slot after: whoever reaps the process finds it in one of the two.
            let is_heard = answer.is_none_or(|answer| self.answers.send(answer).is_ok());
            worker.slot.clear();
            worker.is_busy.store(false, Ordering::SeqCst);
            queue = self.queue();
            if !is_heard {
                return;
            }
        }
    }
}
