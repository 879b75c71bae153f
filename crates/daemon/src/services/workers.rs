//! Threads for looks that may hang: at files, at sockets in the file system, in the system's table of names.
//!
//! A mount that is dead stops whoever touches it for as long as it likes, and nobody can end that thread. So
//! the loop never touches one, and what does is bounded twice: each thing has at most one look at it under way,
//! however often it is asked for, and there are never more threads than [`Workers::new`] was told. A look that
//! hangs keeps its thread and nothing else; only when as many things hang as there are threads do further looks
//! wait. Whoever asks has a time limit of his own.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep_until};

/// How long nothing may be taken from the queue before another thread helps.
const PATIENCE: Duration = Duration::from_millis(50);

/// While further jobs wait, the loop is woken for so many answers at once. Waking it for each cost as much as a look at a
/// unix socket.
const ANSWERS_AT_ONCE: usize = 16;

/// A pool of threads. They are made when they are needed; when there is nothing to do one of them stays. It lives on in
/// its threads when it is dropped, until they have nothing more to do.
#[derive(Debug)]
pub(crate) struct Workers {
    shared: Arc<Shared>,
}

struct Shared {
    name: &'static str,
    most_threads: usize,
    queue: Mutex<Queue>,
    wake: Condvar,
    /// Tells the foreman that there are answers, or jobs that no thread wakes for.
    bell: Notify,
    /// The things at which somebody looks or wants to look.
    turns: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Answers with what is left to do in the loop: to hand over what was found.
type Job = Box<dyn FnOnce() -> Option<Delivery> + Send>;
type Delivery = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Queue {
    /// Bounded by the number of things, as each has at most one job here.
    jobs: VecDeque<Job>,
    /// How many jobs a thread has taken by now.
    taken: u64,
    threads: usize,
    /// Threads that sleep and have not been told to wake.
    idle: usize,
    /// Threads that have been told to wake and have not yet.
    waking: usize,
    /// What was found and has not been handed over; as bounded as the jobs.
    found: Vec<Delivery>,
    /// Jobs that wait or are being done, and what was found and not handed over.
    open: usize,
    has_foreman: bool,
    is_closed: bool,
}

impl Workers {
    /// At most so many threads, which have this name.
    pub(crate) fn new(name: &'static str, most_threads: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                name,
                most_threads,
                queue: Mutex::default(),
                wake: Condvar::new(),
                bell: Notify::new(),
                turns: Mutex::default(),
            }),
        }
    }

    /// Has `look` done on a thread, after those at the same `thing` that were asked for before. If nobody waits
    /// for it any more when its turn comes, it is left out. None if it panicked, or if there can be no thread.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        thing: &str,
        look: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let turn = self.turn(thing).await?;
        let (sender, answer) = oneshot::channel();
        self.submit(Box::new(move || {
            if sender.is_closed() {
                return None;
            }
            let found = catch_unwind(AssertUnwindSafe(look)).ok();
            Some(Box::new(move || {
                drop(turn);
                // Nobody waits any more.
                let _ = sender.send(found);
            }))
        }))?;
        answer.await.ok().flatten()
    }

    async fn turn(&self, thing: &str) -> Option<Turn> {
        let semaphore = {
            let mut turns = self.shared.turns();
            match turns.get(thing) {
                Some(semaphore) => semaphore.clone(),
                None => {
                    let semaphore = Arc::new(Semaphore::new(1));
                    turns.insert(thing.to_owned(), semaphore.clone());
                    semaphore
                }
            }
        };
        let mut turn = Turn {
            shared: self.shared.clone(),
            thing: thing.to_owned(),
            permit: None,
        };
        turn.permit = Some(semaphore.acquire_owned().await.ok()?);
        Some(turn)
    }

    /// Queues a job. None if there can be no thread.
    fn submit(&self, job: Job) -> Option<()> {
        let mut queue = self.shared.queue();
        queue.jobs.push_back(job);
        if queue.threads == 0 && !self.shared.add_thread(&mut queue) {
            queue.jobs.pop_back();
            return None;
        }
        queue.open += 1;
        if !queue.has_foreman {
            queue.has_foreman = true;
            let foreman = Foreman {
                shared: self.shared.clone(),
                is_needed: true,
            };
            tokio::spawn(foreman.work());
        }
        // A thread that is at work looks at the queue before it sleeps.
        if queue.idle > 0 {
            queue.idle -= 1;
            queue.waking += 1;
            self.shared.wake.notify_one();
        } else {
            self.shared.bell.notify_one();
        }
        Some(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.queue().is_closed = true;
        self.shared.wake.notify_all();
        self.shared.bell.notify_one();
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turns(&self) -> MutexGuard<'_, HashMap<String, Arc<Semaphore>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add_thread(self: &Arc<Self>, queue: &mut Queue) -> bool {
        if queue.threads >= self.most_threads {
            return false;
        }
        let shared = self.clone();
        let thread = std::thread::Builder::new()
            .name(self.name.to_owned())
            .stack_size(256 * 1024)
            .spawn(move || shared.work());
        queue.threads += usize::from(thread.is_ok());
        thread.is_ok()
    }

    fn work(&self) {
        let mut queue = self.queue();
        while !queue.is_closed {
            let Some(job) = queue.jobs.pop_front() else {
                // It was worth its memory while others hung.
                if queue.idle > 0 {
                    queue.threads -= 1;
                    return;
                }
                queue.idle += 1;
                while queue.waking == 0 && !queue.is_closed {
                    queue = self
                        .wake
                        .wait(queue)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                // Whoever told it to wake has counted it as not idle any more. Another thread may have taken the job by
                // now; then it sleeps again.
                queue.waking = queue.waking.saturating_sub(1);
                continue;
            };
            queue.taken += 1;
            drop(queue);
            let delivery = job();
            queue = self.queue();
            match delivery {
                Some(delivery) => queue.found.push(delivery),
                None => queue.open -= 1,
            }
            if queue.jobs.is_empty() || queue.found.len() >= ANSWERS_AT_ONCE {
                self.bell.notify_one();
            }
        }
        queue.jobs.clear();
    }
}

/// Hands over in the loop what the threads have found, and sees to it that a thread that hangs keeps no job waiting. It is
/// there while there are jobs. One for all of them: each with a timer and a waker of its own woke the loop three times.
struct Foreman {
    shared: Arc<Shared>,
    is_needed: bool,
}

impl Foreman {
    async fn work(mut self) {
        let mut relief: Option<Relief> = None;
        loop {
            let due = relief.as_ref().map(|relief| relief.due);
            let is_late = tokio::select! {
                biased;
                () = self.shared.bell.notified() => false,
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => true,
            };
            let mut queue = self.shared.queue();
            let found = std::mem::take(&mut queue.found);
            queue.open -= found.len();
            let stands_still = relief.filter(|relief| relief.taken == queue.taken);
            relief = match (queue.jobs.is_empty(), stands_still) {
                (true, _) => None,
                (false, None) => Some(Relief::after(PATIENCE, queue.taken)),
                (false, Some(relief)) if is_late => {
                    // Without one, those there are have to do.
                    if queue.idle == 0 {
                        self.shared.add_thread(&mut queue);
                    }
                    Some(Relief::after(relief.patience * 2, queue.taken))
                }
                (false, waiting) => waiting,
            };
            self.is_needed = queue.open > 0 && !queue.is_closed;
            queue.has_foreman = self.is_needed;
            drop(queue);
            for delivery in found {
                delivery();
            }
            if !self.is_needed {
                return;
            }
        }
    }
}

impl Drop for Foreman {
    fn drop(&mut self) {
        // It is dropped with the loop's runtime; whoever asks in the next one gets another foreman.
        if self.is_needed {
            self.shared.queue().has_foreman = false;
        }
    }
}

/// When another thread is to be added, unless one of those there are takes a job before.
#[derive(Debug, Clone, Copy)]
struct Relief {
    due: Instant,
    patience: Duration,
    /// How many jobs had been taken.
    taken: u64,
}

impl Relief {
    fn after(patience: Duration, taken: u64) -> Self {
        Self {
            due: Instant::now() + patience,
            patience,
            taken,
        }
    }
}

/// The right to look at a thing.
struct Turn {
    shared: Arc<Shared>,
    thing: String,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut turns = self.shared.turns();
        self.permit = None;
        // The last one who wanted to look forgets the thing: the table and nobody else has its semaphore.
        if let Some(semaphore) = turns.get(&self.thing)
            && Arc::strong_count(semaphore) == 1
        {
            turns.remove(&self.thing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// A look that hangs until the sender is dropped.
    fn hanging() -> (Sender<()>, impl FnOnce() + Send) {
        let (sender, receiver): (_, Receiver<()>) = channel();
        (sender, move || {
            let _ = receiver.recv();
        })
    }

    fn threads(workers: &Workers) -> usize {
        workers.shared.queue().threads
    }

    async fn until(condition: impl Fn() -> bool) {
        while !condition() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn looks_are_answered_by_one_thread() {
        let workers = Workers::new("test", 4);
        for number in 0..100 {
            assert_eq!(workers.run("thing", move || number).await, Some(number));
        }
        assert_eq!(threads(&workers), 1);
        assert!(workers.shared.turns().is_empty());
    }

    #[tokio::test]
    async fn a_look_that_panics_has_no_answer_and_ends_no_thread() {
        let workers = Workers::new("test", 1);
        let panics = || -> u32 { panic!("as tested") };
        assert_eq!(workers.run("thing", panics).await, None);
        assert_eq!(workers.run("thing", || 1).await, Some(1));
    }

    #[tokio::test]
    async fn a_thing_that_hangs_holds_one_thread_however_often_it_is_asked_for() {
        let workers = Workers::new("test", 2);
        let (held, hang) = hanging();
        let hung = workers.run("hung", hang);
        tokio::pin!(hung);
        for _ in 0..5 {
            let again = workers.run("hung", || ());
            tokio::select! {
                biased;
                _ = &mut hung => panic!("it hangs"),
                _ = again => panic!("it is not its turn"),
                answer = workers.run("other", || 7) => assert_eq!(answer, Some(7)),
            }
        }
        assert_eq!(threads(&workers), 2);
        assert_eq!(workers.shared.queue().jobs.len(), 0);
        drop(held);
        hung.await;
        assert_eq!(workers.run("hung", || 8).await, Some(8));
        until(|| workers.shared.turns().is_empty()).await;
    }

    #[tokio::test]
    async fn there_are_never_more_threads_and_the_queue_holds_each_thing_once() {
        let workers = Arc::new(Workers::new("test", 2));
        let (first, hang_first) = hanging();
        let (second, hang_second) = hanging();
        let run = |thing: &'static str, look: Box<dyn FnOnce() + Send>| {
            let workers = workers.clone();
            tokio::spawn(async move { workers.run(thing, look).await })
        };
        let hung = [
            run("one", Box::new(hang_first)),
            run("two", Box::new(hang_second)),
        ];
        until(|| workers.shared.queue().taken == 2).await;
        for _ in 0..20 {
            let waits = run("three", Box::new(|| ()));
            tokio::task::yield_now().await;
            waits.abort();
            let _ = waits.await;
        }
        assert_eq!(threads(&workers), 2);
        assert!(workers.shared.queue().jobs.len() <= 1);
        drop((first, second));
        for each in hung {
            each.await.unwrap();
        }
        assert_eq!(workers.run("three", || 3).await, Some(3));
        until(|| workers.shared.turns().is_empty()).await;
    }

    #[tokio::test]
    async fn idle_threads_end_with_the_pool() {
        let workers = Workers::new("test", 1);
        let shared = workers.shared.clone();
        assert_eq!(workers.run("thing", || 1).await, Some(1));
        drop(workers);
        until(|| Arc::strong_count(&shared) == 1).await;
    }
}
