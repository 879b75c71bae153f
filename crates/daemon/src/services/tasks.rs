//! Commands that run beside services: hooks and the probes that are commands.
//!
//! A task runs as its service does (user, directory, environment), in a process group of its own, with nothing on its
//! standard input. Its start is the business of a spawner of its own ([`MOST_TASK_THREADS`]), its end is seen by the
//! loop that reaps everything. When it takes too long its group is killed; when it has ended, what is left of its
//! group is killed too.
//!
//! Nothing piles up. Each place (a hook of a process, a probe of a process) has one task at a time: a further one waits
//! until the one before is gone, and fails if that cannot be killed ([`KILL_GRACE`]). At most [`MOST_TASKS`] run at
//! the same time; further ones wait for their turn, before their time begins. A start that hangs keeps a thread; its
//! task has failed when its time is over, and what comes of the start after all is killed.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use linchpin_config::ProcessConfig;
use linchpin_core::{Check, Event, ExitStatus, Generation, HookPoint, ProbeOutcome, ProcessId};
use linchpin_sys::Pid;
use linchpin_sys::group::{group_exists, kill, kill_group};
use tokio::time::Instant;

use super::task_output::TaskOutput;
use crate::site::Site;
use crate::spawner::{Job, Spawner, TaskStart, TaskStarted};

/// Most tasks that run or are being started at the same time; further ones wait in the order in which they came.
pub(crate) const MOST_TASKS: usize = 256;
/// Most starts of tasks that may hang at the same time before further ones wait.
pub(crate) const MOST_TASK_THREADS: usize = 8;
/// How long a task may take to die when it was killed before it counts as one that cannot be.
pub(crate) const KILL_GRACE: Duration = Duration::from_secs(1);
/// Most bytes of the text that says why a task failed.
pub(crate) const MOST_FAILURE_BYTES: usize = 300;

const SIGKILL: i32 = 9;

/// Names a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TaskId(u64);

/// Whom the end of a task is told, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    Hook {
        process: ProcessId,
        generation: Generation,
        point: HookPoint,
    },
    Probe {
        process: ProcessId,
        generation: Generation,
        check: Check,
        attempt: u32,
    },
}

/// What has one task at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Hook(ProcessId, HookPoint),
    Probe(ProcessId, Check),
}

impl Asker {
    pub(crate) fn place(self) -> Place {
        match self {
            Self::Hook { process, point, .. } => Place::Hook(process, point),
            Self::Probe { process, check, .. } => Place::Probe(process, check),
        }
    }

    fn answer(self, failure: Option<String>) -> Event {
        match self {
            Self::Hook {
                process,
                generation,
                point,
            } => Event::HookEnded {
                process,
                generation,
                point,
                failure,
            },
            Self::Probe {
                process,
                generation,
                check,
                attempt,
            } => Event::Probed {
                process,
                generation,
                check,
                attempt,
                outcome: match failure {
                    None => ProbeOutcome::Passed,
                    Some(text) => ProbeOutcome::Failed(text),
                },
            },
        }
    }
}

/// A command to run.
#[derive(Debug)]
pub(crate) struct TaskRequest {
    pub(crate) asker: Asker,
    /// Split like `command`.
    pub(crate) command: String,
    /// From its start on.
    pub(crate) timeout: Duration,
    /// The process beside which it runs.
    pub(crate) config: Arc<ProcessConfig>,
    /// The group of that process.
    pub(crate) group: String,
    /// What its environment has beside that of the service.
    pub(crate) variables: Vec<(OsString, OsString)>,
    pub(crate) site: Arc<Site>,
}

/// The tasks.
#[derive(Debug)]
pub(crate) struct Tasks {
    spawner: Spawner,
    next_id: u64,
    /// At most [`MOST_TASKS`].
    running: HashMap<TaskId, Task>,
    /// At most one for each place.
    waiting: VecDeque<Waiting>,
    /// Answers to be fetched, at most one for each task.
    answers: Vec<Event>,
}

#[derive(Debug)]
struct Waiting {
    request: TaskRequest,
    /// Its place is taken by a task that is being killed: it has failed when that is still so then.
    due: Option<Instant>,
}

#[derive(Debug)]
struct Task {
    place: Place,
    /// None: nobody waits for its end any more.
    asker: Option<Asker>,
    timeout: Duration,
    /// When something is to be done about it.
    due: Option<Instant>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Starting,
    /// There is a process that has not been reaped.
    Alive {
        pid: Pid,
        /// None if it could not be watched.
        output: Option<TaskOutput>,
        exec_failure: Option<String>,
        is_killed: bool,
    },
}

impl Tasks {
    pub(crate) fn new() -> Self {
        Self {
            spawner: Spawner::new(MOST_TASK_THREADS),
            next_id: 0,
            running: HashMap::new(),
            waiting: VecDeque::new(),
            answers: Vec::new(),
        }
    }

    /// The threads that start tasks.
    pub(crate) fn spawner(&mut self) -> &mut Spawner {
        &mut self.spawner
    }

    /// Waits until a thread has started a task.
    pub(crate) async fn answered(&self) {
        self.spawner.answered().await;
    }

    /// Runs a command, now or when its turn comes. One that has the same place is cancelled.
    pub(crate) fn run(&mut self, request: TaskRequest) {
        let place = request.asker.place();
        self.cancel(place);
        let due = self.is_taken(place).then(|| Instant::now() + KILL_GRACE);
        self.waiting.push_back(Waiting { request, due });
        self.begin_waiting();
    }

    /// Kills the task that has this place, if there is one; its end is told to nobody.
    pub(crate) fn cancel(&mut self, place: Place) {
        self.waiting
            .retain(|waiting| waiting.request.asker.place() != place);
        let Some((id, task)) = self
            .running
            .iter_mut()
            .find(|(_, task)| task.place == place && task.asker.is_some())
        else {
            return;
        };
        let id = *id;
        task.asker = None;
        task.due = None;
        match &mut task.stage {
            Stage::Starting => self.take_back(id),
            Stage::Alive { pid, is_killed, .. } => kill_task(*pid, is_killed),
        }
        self.begin_waiting();
    }

    /// Kills the probes of a start; what they would have found is told to nobody.
    pub(crate) fn cancel_probes(&mut self, start: Generation) {
        let running = self.running.values().filter_map(|task| task.asker);
        let waiting = self.waiting.iter().map(|waiting| waiting.request.asker);
        let is_of_start = |asker: &Asker| matches!(asker, Asker::Probe { generation, .. } if *generation == start);
        let places: Vec<Place> = running
            .chain(waiting)
            .filter(is_of_start)
            .map(Asker::place)
            .collect();
        for place in places {
            self.cancel(place);
        }
    }

    /// Kills all tasks; the end of none is told.
    pub(crate) fn cancel_all(&mut self) {
        self.waiting.clear();
        let places: Vec<Place> = self.running.values().map(|task| task.place).collect();
        for place in places {
            self.cancel(place);
        }
        self.answers.clear();
        // Their pipes belong to the loop that ends now.
        for task in self.running.values_mut() {
            if let Stage::Alive { output, .. } = &mut task.stage {
                *output = None;
            }
        }
    }

    /// A thread has started a task, or could not.
    pub(crate) fn started(&mut self, id: TaskId, result: Result<TaskStarted, String>) {
        let Some(task) = self.running.get_mut(&id) else {
            return;
        };
        match result {
            Ok(TaskStarted {
                pid,
                exec_failure,
                output,
            }) => {
                let Some(pid) = Pid::new(pid) else { return };
                let mut is_killed = false;
                let output = if task.asker.is_some() {
                    TaskOutput::new(output).ok()
                } else {
                    kill_task(pid, &mut is_killed);
                    None
                };
                task.stage = Stage::Alive {
                    pid,
                    output,
                    exec_failure,
                    is_killed,
                };
            }
            Err(text) => {
                if let Some(asker) = task.asker {
                    self.answers.push(asker.answer(Some(cut(text))));
                }
                self.running.remove(&id);
                self.begin_waiting();
            }
        }
    }

    /// The process of a task has been reaped.
    pub(crate) fn reaped(&mut self, id: TaskId, status: ExitStatus) {
        let Some(task) = self.running.remove(&id) else {
            return;
        };
        if let Stage::Alive {
            pid,
            output,
            exec_failure,
            is_killed,
        } = task.stage
        {
            kill_rest(pid);
            if let Some(asker) = task.asker {
                let failure = if is_killed {
                    Some(format!("no end within {}", seconds(task.timeout)))
                } else if let Some(text) = exec_failure {
                    Some(text)
                } else if status == ExitStatus::Code(0) {
                    None
                } else {
                    Some(status.to_string())
                };
                let failure = failure.map(|text| match output.and_then(TaskOutput::last_line) {
                    // The message of a child that could not become its program says the same.
                    Some(line) if !line.starts_with("supervisor: ") => format!("{text}: {line}"),
                    _ => text,
                });
                self.answers.push(asker.answer(failure.map(cut)));
            }
        }
        self.begin_waiting();
    }

    /// When [`look`](Self::look) is due.
    pub(crate) fn deadline(&mut self) -> Option<Instant> {
        let tasks = self.running.values().filter_map(|task| task.due);
        let waiting = self.waiting.iter().filter_map(|waiting| waiting.due);
        tasks.chain(waiting).chain(self.spawner.relief_due()).min()
    }

    /// Does what is due.
    pub(crate) fn look(&mut self) {
        self.spawner.relieve();
        let now = Instant::now();
        let is_due = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        let mut overdue = Vec::new();
        for (id, task) in &mut self.running {
            if !is_due(task.due) {
                continue;
            }
            task.due = None;
            match &mut task.stage {
                Stage::Alive { pid, is_killed, .. } if !*is_killed => {
                    kill_task(*pid, is_killed);
                    task.due = Some(now + KILL_GRACE);
                }
                Stage::Alive { .. } => {
                    if let Some(asker) = task.asker.take() {
                        let text = format!(
                            "no end within {}, and it cannot be killed",
                            seconds(task.timeout)
                        );
                        self.answers.push(asker.answer(Some(text)));
                    }
                }
                Stage::Starting => {
                    if let Some(asker) = task.asker.take() {
                        let text = format!("not started within {}", seconds(task.timeout));
                        self.answers.push(asker.answer(Some(text)));
                    }
                    overdue.push(*id);
                }
            }
        }
        for id in overdue {
            self.take_back(id);
        }
        let answers = &mut self.answers;
        self.waiting.retain(|waiting| {
            let is_late = is_due(waiting.due);
            if is_late {
                let text = "an earlier run of the same command cannot be ended".to_owned();
                answers.push(waiting.request.asker.answer(Some(text)));
            }
            !is_late
        });
        self.begin_waiting();
    }

    /// The answers since the last time.
    pub(crate) fn take_answers(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.answers)
    }

    fn is_taken(&self, place: Place) -> bool {
        self.running.values().any(|task| task.place == place)
    }

    /// Forgets a task that no thread has begun to start.
    fn take_back(&mut self, id: TaskId) {
        let is_it = |job: &Job| matches!(job, Job::StartTask(start) if start.task == id);
        if self.spawner.withdraw(is_it) {
            self.running.remove(&id);
        }
    }

    fn begin_waiting(&mut self) {
        let mut at = 0;
        while self.running.len() < MOST_TASKS
            && let Some(waiting) = self.waiting.get(at)
        {
            if self.is_taken(waiting.request.asker.place()) {
                at += 1;
            } else if let Some(waiting) = self.waiting.remove(at) {
                self.begin(waiting.request);
            }
        }
    }

    fn begin(&mut self, request: TaskRequest) {
        self.next_id += 1;
        let id = TaskId(self.next_id);
        let TaskRequest {
            asker,
            command,
            timeout,
            config,
            group,
            variables,
            site,
        } = request;
        let task = Task {
            place: asker.place(),
            asker: Some(asker),
            timeout,
            due: Some(Instant::now() + timeout),
            stage: Stage::Starting,
        };
        self.running.insert(id, task);
        self.spawner.submit(Job::StartTask(Box::new(TaskStart {
            task: id,
            command,
            config,
            group,
            variables,
            site,
        })));
    }
}

/// Kills the group of a task whose leader has not been reaped.
fn kill_task(pid: Pid, is_killed: &mut bool) {
    *is_killed = true;
    // It may have ended this very moment, which is no error.
    let _ = kill_group(pid, SIGKILL);
}

/// Kills what is left of the group of a task that has been reaped. Its number is nobody else's as long as the group
/// lives; a process that has it means that the group is gone.
fn kill_rest(pid: Pid) {
    if group_exists(pid) && kill(pid, 0).is_err() {
        let _ = kill_group(pid, SIGKILL);
    }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

/// Keeps a text within [`MOST_FAILURE_BYTES`].
fn cut(mut text: String) -> String {
    if text.len() > MOST_FAILURE_BYTES {
        let room = MOST_FAILURE_BYTES - '…'.len_utf8();
        let end = (0..=room).rfind(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or_default());
        text.push('…');
    }
    text
}
