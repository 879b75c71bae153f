//! The loop around the core: news in, actions out.
//!
//! [`Shell::run`] is the only place where the core meets the operating system. It owns the table of
//! children, the standard inputs, the answers that clients wait for and the threads that may block; it
//! decides nothing about services.

mod actions;
mod certificates;
pub(crate) mod children;
mod events;
mod explanations;
mod logs;
mod orphans;
mod readers;
mod reaping;
mod requests;
mod rest;
mod stdin;
mod views;
mod wall_clock;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use linchpin_config::Config;
use linchpin_core::{
    Actions, DaemonState, Event, ExitStatus, Generation, Now, OperationId, ProcessId,
    ShutdownCause, SocketId, Supervisor,
};
use linchpin_log::{LogEvent, LogHandle, LogLevel, OwnerId, WatchId};
use linchpin_sys::signals::{Received, SignalFd};
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::boot::Certificates;
use crate::control::{Control, Reply, Requests};
use crate::fastcgi::SharedSocket;
use crate::loading::{Load, Loaded, Loader};
use crate::servers::Servers;
use crate::services::Services;
use crate::site::Site;
use crate::spawner::{Answer, MOST_SERVICE_THREADS, Spawner, Started};

pub(crate) use actions::leads_group;
use children::{Child, Children, Start};
use logs::SlotLog;
use orphans::OrphanLog;
pub(crate) use reaping::exit_status;
use rest::Rest;
use stdin::{Drained, Stdin};
use wall_clock::WallClock;

const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGQUIT: i32 = 3;
const SIGUSR1: i32 = 10;
const SIGUSR2: i32 = 12;
const SIGTERM: i32 = 15;
const SIGCHLD: i32 = 17;

/// The signals that the daemon takes. SIGUSR1 kills the original; here it is told of and means nothing.
pub(crate) const SIGNALS: [i32; 7] = [SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGCHLD];

/// The listening sockets of fcgi-programs that the core wants open.
type Sockets = HashMap<SocketId, Arc<SharedSocket>>;

/// Everything that the loop has at hand.
#[derive(Debug)]
pub(crate) struct Shell {
    pub(crate) core: Supervisor,
    pub(crate) site: Arc<Site>,
    pub(crate) logs: LogHandle,
    /// What is done for services beyond their processes.
    pub(crate) services: Services,
    pub(crate) children: Children,
    spawner: Spawner,
    slots: HashMap<ProcessId, Slot>,
    sockets: Sockets,
    /// Those who wait for the answer of an operation.
    callers: HashMap<OperationId, oneshot::Sender<Reply>>,
    /// Runs that have ended and whose last output is being read.
    draining: HashMap<Generation, ProcessId>,
    /// Whose runs they are that were asked for and have not been released.
    pub(crate) runs: HashMap<Generation, ProcessId>,
    /// Runs whose output is being captured.
    pub(crate) owners: HashMap<ProcessId, OwnerId>,
    next_operation: u64,
    watches: HashMap<WatchId, logs::Watched>,
    orphans: OrphanLog,
    loader: Loader,
    loads: UnboundedReceiver<Load>,
    certificates: Certificates,
    /// The door at which clients ask: what takes several requests goes through it, too.
    control: Control,
    /// What the core has not been told yet.
    pub(crate) events: VecDeque<Event>,
    actions: Actions,
    /// SIGCHLD came, and the main log has not been told.
    has_untold_sigchld: bool,
    /// Listeners that have read what was kept for them: at most one message for each.
    drained_inputs: UnboundedReceiver<Drained>,
    drained_sender: UnboundedSender<Drained>,
    wall_clock: WallClock,
    rest: Rest,
    /// The configuration with which to begin anew.
    next_config: Option<Box<Loaded>>,
    is_finished: bool,
}

/// What a loop is given besides: what the boot has made, and its own door.
#[derive(Debug)]
pub(crate) struct Supplies {
    pub(crate) certificates: Certificates,
    pub(crate) control: Control,
}

/// How a run of the shell ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The daemon is to exit with this status.
    Exit(u8),
    /// It is to begin anew.
    Restart(Box<Succession>),
}

/// What the loop that ends leaves to the one that follows it in a restart of the daemon.
#[derive(Debug)]
pub(crate) struct Succession {
    /// The configuration to begin with.
    pub(crate) loaded: Loaded,
    pub(crate) estate: Estate,
}

/// What lives on through a restart: starts may hang in threads that nobody can end, and what comes of
/// them must find somebody who knows of them.
#[derive(Debug)]
pub(crate) struct Estate {
    core: Supervisor,
    children: Children,
    sockets: Sockets,
    spawner: Spawner,
    services: Services,
    next_operation: u64,
}

impl Estate {
    /// Whether something that outlived the restart may have this listening socket.
    pub(crate) fn holds_socket(&self, url: &str) -> bool {
        self.sockets.values().any(|socket| socket.url() == url)
    }
}

/// What a process keeps outside the core.
#[derive(Debug, Default)]
struct Slot {
    stdin: Option<Stdin>,
    stdout_log: SlotLog,
    stderr_log: SlotLog,
    last_end: Option<(ExitStatus, bool)>,
}

/// What wakes the loop from other threads.
#[derive(Debug)]
pub(crate) struct News {
    pub(crate) signals: AsyncFd<SignalFd>,
    pub(crate) requests: Requests,
    pub(crate) log_events: UnboundedReceiver<LogEvent>,
}

impl Shell {
    /// The first loop of the daemon has no `estate`; each further one has its predecessor's.
    pub(crate) fn new(
        config: &Config,
        site: Arc<Site>,
        loader: Loader,
        loads: UnboundedReceiver<Load>,
        supplies: Supplies,
        estate: Option<Estate>,
    ) -> Self {
        let Supplies {
            certificates,
            control,
        } = supplies;
        let Estate {
            core,
            children,
            sockets,
            spawner,
            mut services,
            next_operation,
        } = match estate {
            Some(estate) => Estate {
                core: estate.core.successor(config),
                ..estate
            },
            None => Estate {
                core: new_core(config),
                children: Children::default(),
                sockets: Sockets::new(),
                spawner: Spawner::new(MOST_SERVICE_THREADS),
                services: Services::new(),
                next_operation: 0,
            },
        };
        let (drained_sender, drained_inputs) = unbounded_channel();
        let linchpin = config.linchpin.as_ref();
        services.history.keep_as_configured(linchpin, &site.logs);
        Self {
            core,
            spawner,
            services,
            logs: site.logs.clone(),
            site,
            children,
            slots: HashMap::new(),
            sockets,
            callers: HashMap::new(),
            draining: HashMap::new(),
            runs: HashMap::new(),
            owners: HashMap::new(),
            next_operation,
            watches: HashMap::new(),
            orphans: OrphanLog::default(),
            loader,
            loads,
            certificates,
            control,
            events: VecDeque::new(),
            actions: Actions::new(),
            has_untold_sigchld: false,
            drained_inputs,
            drained_sender,
            wall_clock: WallClock::default(),
            rest: Rest::new(Instant::now()),
            next_config: None,
            is_finished: false,
        }
    }

    /// Supervises until the core says that everything is down.
    pub(crate) async fn run(mut self, news: News, mut servers: Servers) -> End {
        let News {
            signals,
            mut requests,
            mut log_events,
        } = news;
        self.feed(Event::Boot);
        self.begin_certificates();
        let mut is_reaping = true;
        loop {
            // For the lines of the last turn. The log thread is not woken for each of a thousand ends.
            self.logs.wake();
            if self.is_finished {
                servers.remove_files();
                self.services.history.end_waits();
                servers.close().await;
                return self.end();
            }
            if self.core.state() != DaemonState::Running {
                servers.end_is_near();
            }
            self.tell_sigchld(is_reaping);
            self.wall_clock.set(self.core.next_wall_deadline());
            let deadline = self.next_deadline();
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                // First, as what is below may have something to do at every turn.
                self.deadline_reached();
                continue;
            }
            if !is_reaping {
                self.rest
                    .before_wait(Instant::now(), deadline, || self.spawner.is_at_work());
            }
            tokio::select! {
                biased;
                ready = signals.readable() => {
                    if let Ok(mut ready) = ready {
                        while let Ok(received) = ready.get_inner().read() {
                            is_reaping |= self.take_signal(received);
                        }
                        ready.clear_ready();
                    }
                }
                () = std::future::ready(()), if is_reaping => is_reaping = self.reap(),
                () = self.spawner.answered() => self.take_answers(),
                () = self.services.tasks.answered() => self.take_answers(),
                Some(news) = self.services.news.recv() => self.take_news(news),
                Some(event) = log_events.recv() => {
                    self.take_log_event(&event);
                    while let Ok(event) = log_events.try_recv() {
                        self.take_log_event(&event);
                    }
                }
                Some(drained) = self.drained_inputs.recv() => {
                    self.feed(Event::InputDrained {
                        process: drained.process,
                        generation: drained.generation,
                    });
                }
                () = std::future::ready(()), if self.services.probes.is_due() => {
                    let answers = self.services.probes.begin();
                    self.feed_all(answers);
                }
                answers = self.services.probes.answers() => self.feed_all(answers),
                () = self.wall_clock.wakes() => self.feed(Event::Wake),
                Some(load) = self.loads.recv() => self.take_load(load),
                looked = self.certificates.looked_at() => self.take_certificates(looked),
                Some((request, reply)) = requests.recv() => self.answer(request, reply),
                () = self.services.announcements.ready() => self.take_announcements(),
                () = servers.lost() => servers.replace_lost(&self.logs),
                () = sleep_until(deadline) => self.deadline_reached(),
            }
        }
    }

    fn end(mut self) -> End {
        self.services.end();
        match self.next_config.take() {
            None => {
                // An exit status has eight bits, for us as for the services whose it may be.
                let code = u8::try_from(self.core.exit_code() & 0xFF).unwrap_or(1);
                // The process is about to exit, and the kernel takes all of it at once. To take apart what a
                // thousand services have here would hold that up for a millisecond or two.
                std::mem::forget(self);
                End::Exit(code)
            }
            Some(loaded) => End::Restart(Box::new(Succession {
                loaded: *loaded,
                estate: Estate {
                    core: self.core,
                    children: self.children,
                    sockets: self.sockets,
                    spawner: self.spawner,
                    services: self.services,
                    next_operation: self.next_operation,
                },
            })),
        }
    }

    /// The original handles signals after everything else, so its line about SIGCHLD comes after what the
    /// child wrote last and after its end; tools and tests expect that.
    fn tell_sigchld(&mut self, is_reaping: bool) {
        if self.has_untold_sigchld
            && !is_reaping
            && self.draining.is_empty()
            && !self.children.has_early()
        {
            self.has_untold_sigchld = false;
            self.logs
                .log(LogLevel::Debug, "received SIGCHLD indicating a child quit");
        }
    }

    /// Takes what the spawners have answered by now.
    fn take_answers(&mut self) {
        let mut answers = self.spawner.take_answers();
        answers.extend(self.services.tasks.spawner().take_answers());
        for answer in answers {
            self.take_answer(answer);
        }
    }

    /// Hands an event to the core and does what it says, and so on until nothing is left.
    pub(crate) fn feed(&mut self, event: Event) {
        self.events.push_back(event);
        self.feed_queued();
    }

    pub(crate) fn feed_all(&mut self, events: Vec<Event>) {
        self.events.extend(events);
        self.feed_queued();
    }

    pub(crate) fn feed_queued(&mut self) {
        while let Some(event) = self.events.pop_front() {
            let mut actions = std::mem::take(&mut self.actions);
            self.core.handle(event, now(), &mut actions);
            for action in actions.drain(..) {
                self.act(action);
            }
            self.actions = actions;
        }
    }

    fn next_deadline(&mut self) -> Option<Instant> {
        let monotonic = linchpin_sys::time::monotonic();
        let core = self
            .core
            .next_deadline()
            .map(|at| Instant::now() + Duration::from_nanos(at.0.saturating_sub(monotonic)));
        [
            core,
            self.spawner.relief_due(),
            self.services.deadline(),
            self.orphans.deadline(),
            self.wall_clock.deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn deadline_reached(&mut self) {
        self.take_answers();
        self.spawner.relieve();
        self.look_at_services();
        self.orphans.report(&self.logs);
        self.feed(Event::Wake);
    }

    /// Returns whether there may be something to reap.
    fn take_signal(&mut self, received: Received) -> bool {
        match received.signal {
            SIGCHLD => {
                self.has_untold_sigchld = true;
                return true;
            }
            signal @ (SIGHUP | SIGUSR1 | SIGUSR2) if self.site.passes_signals_on => {
                self.pass_on(signal);
            }
            SIGHUP => self.begin_restart(ShutdownCause::Signal(received.signal), None),
            SIGUSR2 => self.reopen_logs(),
            SIGTERM | SIGINT | SIGQUIT => {
                self.feed(Event::Shutdown {
                    restart: false,
                    cause: ShutdownCause::Signal(received.signal),
                });
            }
            signal => {
                let name = linchpin_python::signals::signal_name(signal);
                let sender = received.sender_pid;
                self.logs.log(
                    LogLevel::Info,
                    format!("received {name} from pid {sender}, which means nothing here"),
                );
            }
        }
        false
    }

    fn take_answer(&mut self, answer: Answer) {
        match answer {
            Answer::Checked {
                operation,
                process,
                failure,
            } => {
                self.feed(Event::CommandChecked {
                    operation,
                    process,
                    failure,
                });
            }
            Answer::SocketTried { operation, failure } => {
                self.feed(Event::SocketTried { operation, failure });
            }
            Answer::Started {
                process,
                generation,
                result: Ok(started),
            } => {
                let Started {
                    pid,
                    exec_failure,
                    stdin,
                    has_streams,
                    ears,
                } = started;
                if let Some(slot) = self.slots.get_mut(&process) {
                    let drained = Drained {
                        process,
                        generation,
                    };
                    slot.stdin =
                        stdin.map(|stdin| Stdin::new(stdin, drained, self.drained_sender.clone()));
                }
                if has_streams {
                    self.owners.insert(process, Self::run_of(generation));
                }
                let start = Start {
                    process,
                    generation,
                    has_streams,
                };
                self.watch_announcements((process, generation), pid, ears);
                let early_lines = self.services.early_lines.remove(&generation);
                let early = self.children.started(pid, Child::Service(start));
                self.feed(Event::Spawned {
                    process,
                    generation,
                    pid,
                    exec_failure,
                });
                for index in early_lines.into_iter().flatten() {
                    self.line_found(generation, index);
                }
                if let Some(status) = early {
                    self.child_ended(Child::Service(start), pid, status);
                }
            }
            Answer::Started {
                process,
                generation,
                result: Err(failure),
            } => {
                self.runs.remove(&generation);
                self.services.early_lines.remove(&generation);
                self.feed(Event::SpawnFailed {
                    process,
                    generation,
                    failure,
                });
            }
            Answer::TaskStarted { task, result } => {
                let pid = result.as_ref().ok().map(|started| started.pid);
                self.services.tasks.started(task, result);
                let early = match pid {
                    Some(pid) => self.children.started(pid, Child::Task(task)),
                    None => None,
                };
                match early {
                    Some(status) => self.task_ended(task, status),
                    None => self.take_task_answers(),
                }
            }
        }
    }
}

fn new_core(config: &Config) -> Supervisor {
    let mut core = Supervisor::new(config);
    core.seed(linchpin_sys::random::seed());
    core
}

fn now() -> Now {
    Now {
        monotonic: linchpin_core::Monotonic(linchpin_sys::time::monotonic()),
        wall: linchpin_core::Wall(linchpin_sys::time::wall()),
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
