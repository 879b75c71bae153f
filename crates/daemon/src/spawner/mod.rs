//! The threads on which processes are started.
//!
//! A start may hang: the command may be on a dead network file system, the log directory too, and a
//! thread that has cloned with `CLONE_VFORK` waits for the exec. So none of that happens on the main
//! thread. One thread is enough as long as it gets on; when a start takes longer than [`PATIENCE`]
//! another thread takes the next one, up to a limit; it ends when it finds nothing to do and another one is there to
//! wait. Services and the commands beside them (hooks, probes) have a spawner each, so that probes that hang keep no
//! service from being started. The threads outlive a restart of the daemon, as a start that hangs does: its answer
//! finds the loop that is there when it comes.

mod job;
mod launch;
mod task;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use linchpin_sys::spawn::SpawnSlot;
use tokio::sync::Notify;
use tokio::time::Instant;

pub(crate) use job::{Answer, Job, Launch, Started};
pub(crate) use task::{TaskStart, TaskStarted};

/// How long one start may take before another thread takes the next.
const PATIENCE: Duration = Duration::from_millis(100);

/// Most threads for services, so most starts that may hang at the same time before further ones wait.
pub(crate) const MOST_SERVICE_THREADS: usize = 16;

/// While further jobs wait, the main thread is woken for so many answers at once. Waking it for each made the
/// start of a thousand services 7 % longer on two cores.
const ANSWERS_AT_ONCE: usize = 16;

/// The main thread's end.
#[derive(Debug)]
pub(crate) struct Spawner {
    shared: Arc<Shared>,
    workers: Vec<Arc<Worker>>,
    most_threads: usize,
    relief: Option<Relief>,
}

/// When another thread is to be added, unless one of those there are takes a job before.
#[derive(Debug, Clone, Copy)]
struct Relief {
    due: Instant,
    taken: u64,
}

#[derive(Debug)]
struct Shared {
    /// Bounded by the number of processes, each of which has at most one start and one check under way, and of
    /// groups, each of which is added at most once at a time; for tasks by how many there are at most.
    jobs: Mutex<Queue>,
    wake: Condvar,
    /// Bounded as the jobs are: one answer each.
    answers: Mutex<Vec<Answer>>,
    /// Tells the main thread that there are answers.
    bell: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// How many jobs a thread has taken by now.
    taken: u64,
    /// Answers for which the bell has not been rung yet; none when no jobs wait.
    untold: usize,
    /// Threads that wait for a job: one at most, as further ones end.
    idle: usize,
    is_closed: bool,
}

/// How the queue stands.
#[derive(Debug, Clone, Copy)]
struct Look {
    /// Jobs wait.
    is_waiting: bool,
    /// How many have been taken by now.
    taken: u64,
    /// There are answers for which the bell has not been rung.
    has_untold: bool,
}

/// What the main thread may know of a thread.
#[derive(Debug, Default)]
struct Worker {
    is_busy: AtomicBool,
    /// It takes no further jobs.
    has_ended: AtomicBool,
    /// Set by the kernel before the new process runs its first instruction.
    slot: SpawnSlot,
}

impl Spawner {
    pub(crate) fn new(most_threads: usize) -> Self {
        let shared = Arc::new(Shared {
            jobs: Mutex::default(),
            wake: Condvar::new(),
            answers: Mutex::default(),
            bell: Notify::new(),
        });
        Self {
            shared,
            workers: Vec::new(),
            most_threads,
            relief: None,
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

    /// Takes a job back that no thread has taken yet; whether there was one.
    pub(crate) fn withdraw(&self, is_it: impl Fn(&Job) -> bool) -> bool {
        let mut queue = self.shared.queue();
        let Some(at) = queue.jobs.iter().position(is_it) else {
            return false;
        };
        queue.jobs.remove(at);
        if queue.jobs.is_empty() && queue.untold > 0 {
            queue.untold = 0;
            self.shared.bell.notify_one();
        }
        true
    }

    /// When [`relieve`](Self::relieve) is due: [`PATIENCE`] after the last job was taken while others wait.
    /// A long queue that moves needs no further thread: it would only compete for the cores.
    pub(crate) fn relief_due(&mut self) -> Option<Instant> {
        self.workers
            .retain(|worker| !worker.has_ended.load(Ordering::SeqCst));
        let look = self.shared.look();
        // When all threads may hang, there is only to see what has been answered before.
        let is_of_use = self.workers.len() < self.most_threads || look.has_untold;
        if !look.is_waiting || !is_of_use {
            self.relief = None;
        } else if self.relief.is_none_or(|relief| relief.taken != look.taken) {
            let due = Instant::now() + PATIENCE;
            self.relief = Some(Relief {
                due,
                taken: look.taken,
            });
        }
        self.relief.map(|relief| relief.due)
    }

    /// Adds a thread if it is time to, and none of those there are is free.
    pub(crate) fn relieve(&mut self) {
        let Some(relief) = self.relief.filter(|relief| relief.due <= Instant::now()) else {
            return;
        };
        self.relief = None;
        // One that has ended after `relief_due` counted has left another one idle, which is not busy.
        let is_busy = |worker: &Arc<Worker>| worker.is_busy.load(Ordering::SeqCst);
        let look = self.shared.look();
        let stands_still = look.is_waiting && look.taken == relief.taken;
        if stands_still && self.workers.iter().all(is_busy) {
            self.add_thread();
        }
    }

    /// Whether jobs wait or are being done, or answers have not been taken.
    pub(crate) fn is_at_work(&self) -> bool {
        // In the order in which a job goes through them.
        self.shared.look().is_waiting
            || self
                .workers
                .iter()
                .any(|worker| worker.is_busy.load(Ordering::SeqCst))
            || !self.shared.answers().is_empty()
    }

    /// Waits until there are answers.
    pub(crate) async fn answered(&self) {
        self.shared.bell.notified().await;
    }

    /// Takes what has been answered by now.
    pub(crate) fn take_answers(&self) -> Vec<Answer> {
        self.shared.queue().untold = 0;
        std::mem::take(&mut *self.shared.answers())
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
        if self.workers.len() >= self.most_threads {
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

    fn answers(&self) -> std::sync::MutexGuard<'_, Vec<Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self) -> Look {
        let queue = self.queue();
        Look {
            is_waiting: !queue.jobs.is_empty(),
            taken: queue.taken,
            has_untold: queue.untold > 0,
        }
    }

    fn work(&self, worker: &Worker) {
        let mut queue = self.queue();
        while !queue.is_closed {
            let job = queue.jobs.pop_front();
            // The job that is taken now may hang. As long as others wait, the main thread looks by itself.
            if queue.untold > 0 && (queue.jobs.is_empty() || queue.untold >= ANSWERS_AT_ONCE) {
                queue.untold = 0;
                self.bell.notify_one();
            }
            let Some(job) = job else {
                // What it holds (a stack, descriptors, memory of the allocator) was worth it while others hung.
                if queue.idle > 0 {
                    worker.has_ended.store(true, Ordering::SeqCst);
                    return;
                }
                queue.idle += 1;
                queue = self
                    .wake
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
                queue.idle -= 1;
                continue;
            };
            queue.taken += 1;
            worker.is_busy.store(true, Ordering::SeqCst);
            drop(queue);
            let answer = job.run(&worker.slot);
            // The answer first, the slot after: whoever reaps the process finds it in one of the two.
            let has_answer = answer.is_some();
            self.answers().extend(answer);
            worker.slot.clear();
            worker.is_busy.store(false, Ordering::SeqCst);
            queue = self.queue();
            queue.untold += usize::from(has_answer);
        }
    }
}
