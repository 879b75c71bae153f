//! Probes: questions to services, each attempt with its time limit, each answered once.
//!
//! An attempt is asked for by the core and begun in the loop's next turn. On this machine a TCP connection is made
//! or refused before `connect` comes back, so most attempts are over then; whatever waits is a task of the loop's
//! runtime, and whatever may hang in the file system is left to [`Workers`]. The core has at most one attempt of each
//! check under way, which bounds everything here; when a start is released its attempts are dropped, and their
//! connections with them.
//!
//! | file | idea |
//! |---|---|
//! | `connect` | TCP connections |
//! | `names` | addresses of hosts |
//! | `files` | files and unix sockets |
//! | `http` | requests and what is right about an answer |
//! | `tls` | whose certificates are believed |
//! | `limits` | bounds |
//! | `words` | what is wrong, in few words |

mod connect;
mod files;
mod http;
pub(crate) mod limits;
mod names;
#[cfg(test)]
mod tests;
mod tls;
mod words;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use linchpin_config::{ProbeKind, ProcessConfig};
use linchpin_core::{Check, Event, Generation, ProbeOutcome, ProcessId};
use tokio::net::TcpStream;
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::Instant;

use self::connect::{Begun, Purpose};
use self::limits::MOST_FILE_THREADS;
use self::names::Names;
use self::tls::Authorities;
use super::probe_of;
use super::workers::Workers;

/// How many attempts are begun before other news gets a turn: about a millisecond of work.
const BATCH: usize = 32;

/// Attempts under way.
#[derive(Debug)]
pub(crate) struct Probes {
    /// Asked for and not begun; at most one for each check.
    due: VecDeque<Attempt>,
    /// At most one for each check.
    tasks: JoinSet<ProbeOutcome>,
    /// Whose tasks they are. Those that were dropped are not here any more.
    under_way: HashMap<Id, UnderWay>,
    /// When their time is over, and the order in which they began. One for all: a timer for each would wake the loop when
    /// it is set, and hardly one of them is ever reached.
    overdue: BTreeMap<(Instant, u64), Id>,
    begun: u64,
    places: Arc<Places>,
}

/// An attempt that has to wait for its answer.
#[derive(Debug)]
struct UnderWay {
    id: AttemptId,
    task: AbortHandle,
    timeout: Duration,
    /// Where it stands in the order of what is overdue.
    due: (Instant, u64),
}

/// What outlives an attempt.
#[derive(Debug)]
struct Places {
    names: Names,
    files: Workers,
    authorities: Authorities,
}

/// Names an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AttemptId {
    pub(crate) process: ProcessId,
    pub(crate) generation: Generation,
    pub(crate) check: Check,
    pub(crate) attempt: u32,
}

/// An attempt of a probe.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) id: AttemptId,
    pub(crate) timeout: Duration,
    pub(crate) config: Arc<ProcessConfig>,
}

impl AttemptId {
    fn answer(self, outcome: ProbeOutcome) -> Event {
        Event::Probed {
            process: self.process,
            generation: self.generation,
            check: self.check,
            attempt: self.attempt,
            outcome,
        }
    }
}

impl Probes {
    pub(crate) fn new() -> Self {
        Self {
            due: VecDeque::new(),
            tasks: JoinSet::new(),
            under_way: HashMap::new(),
            overdue: BTreeMap::new(),
            begun: 0,
            places: Arc::new(Places {
                names: Names::new(),
                files: Workers::new("files", MOST_FILE_THREADS),
                authorities: Authorities::default(),
            }),
        }
    }

    /// Has an attempt made. Commands are not made here.
    pub(crate) fn ask(&mut self, attempt: Attempt) {
        self.due.push_back(attempt);
    }

    /// Drops all attempts of a start; none of them is answered.
    pub(crate) fn cancel(&mut self, generation: Generation) {
        self.due
            .retain(|attempt| attempt.id.generation != generation);
        self.under_way.retain(|_, attempt| {
            let is_it = attempt.id.generation == generation;
            if is_it {
                attempt.task.abort();
                self.overdue.remove(&attempt.due);
            }
            !is_it
        });
    }

    /// Drops all attempts. What is known of hosts and certificates stays, and so do threads that hang.
    pub(crate) fn cancel_all(&mut self) {
        self.due.clear();
        self.under_way.clear();
        self.overdue.clear();
        self.tasks = JoinSet::new();
    }

    /// Whether attempts wait to be begun.
    pub(crate) fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Begins attempts; the answers that are there at once.
    pub(crate) fn begin(&mut self) -> Vec<Event> {
        let count = self.due.len().min(BATCH);
        let due: Vec<Attempt> = self.due.drain(..count).collect();
        let answers = due.iter().filter_map(|attempt| {
            let outcome = self.begin_one(attempt)?;
            Some(attempt.id.answer(outcome))
        });
        answers.collect()
    }

    /// Waits until attempts have an answer.
    pub(crate) async fn answers(&mut self) -> Vec<Event> {
        let mut answers = Vec::new();
        while answers.is_empty() {
            let Some(mut ended) = self.tasks.join_next_with_id().await else {
                return std::future::pending().await;
            };
            loop {
                let (id, outcome) = match ended {
                    Ok((id, outcome)) => (id, outcome),
                    Err(error) => {
                        let text = "the probe was broken off by a fault of the daemon";
                        (error.id(), words::failed(text))
                    }
                };
                if let Some(attempt) = self.under_way.remove(&id) {
                    self.overdue.remove(&attempt.due);
                    answers.push(attempt.id.answer(outcome));
                }
                match self.tasks.try_join_next_with_id() {
                    Some(next) => ended = next,
                    None => break,
                }
            }
        }
        answers
    }

    /// When [`give_up`](Self::give_up) is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.overdue.keys().next().map(|(due, _)| *due)
    }

    /// Gives up the attempts whose time is over; what there is to say about them.
    pub(crate) fn give_up(&mut self) -> Vec<Event> {
        let now = Instant::now();
        let mut answers = Vec::new();
        while let Some(first) = self.overdue.first_entry()
            && first.key().0 <= now
        {
            if let Some(attempt) = self.under_way.remove(&first.remove()) {
                attempt.task.abort();
                answers.push(attempt.id.answer(words::no_answer(attempt.timeout)));
            }
        }
        answers
    }

    fn begin_one(&mut self, attempt: &Attempt) -> Option<ProbeOutcome> {
        match probe_of(&attempt.config, attempt.id.check) {
            Some(kind) => self.start(attempt.id, kind, attempt.timeout),
            None => Some(words::failed("there is no such probe")),
        }
    }

    /// Begins to ask; the answer, if it is there at once.
    fn start(
        &mut self,
        id: AttemptId,
        kind: &ProbeKind,
        timeout: Duration,
    ) -> Option<ProbeOutcome> {
        let places = self.places.clone();
        let task = match kind {
            ProbeKind::Tcp { host, port } => {
                let address = host
                    .parse()
                    .ok()
                    .map(|ip: IpAddr| SocketAddr::new(ip, *port));
                match address {
                    Some(address) => match connect::begin(address, Purpose::Look) {
                        Ok(Begun::Connected(_)) => return Some(ProbeOutcome::Passed),
                        Err(error) => return Some(words::failed(words::of_connection(&error))),
                        Ok(begun) => self.tasks.spawn(async move {
                            match connect::finish(begun, address).await {
                                Ok(_) => ProbeOutcome::Passed,
                                Err(error) => words::failed(words::of_connection(&error)),
                            }
                        }),
                    },
                    None => {
                        let (host, port) = (host.clone(), *port);
                        self.tasks.spawn(async move {
                            let connected =
                                places.connect((&host, port), Purpose::Look, timeout).await;
                            outcome(connected.map(drop), timeout)
                        })
                    }
                }
            }
            ProbeKind::Unix { path } => {
                let path = path.clone();
                self.tasks
                    .spawn(async move { files::accepts(&places.files, &path).await })
            }
            ProbeKind::File { path } => {
                let path = path.clone();
                self.tasks
                    .spawn(async move { files::exists(&places.files, &path).await })
            }
            ProbeKind::Http(probe) => {
                let probe = probe.clone();
                self.tasks.spawn(async move {
                    outcome(http::ask(&places, &probe, timeout).await, timeout)
                })
            }
            ProbeKind::Exec { .. }
            | ProbeKind::Log { .. }
            | ProbeKind::Notify
            | ProbeKind::Descriptor(_) => return Some(words::failed("it cannot be asked for")),
        };
        self.begun += 1;
        let due = (Instant::now() + timeout, self.begun);
        self.overdue.insert(due, task.id());
        let attempt = UnderWay {
            id,
            timeout,
            due,
            task,
        };
        self.under_way.insert(attempt.task.id(), attempt);
        None
    }
}

impl Places {
    /// Connects to a host.
    ///
    /// # Errors
    /// With what is wrong, in few words; none if nobody answered in time.
    async fn connect(
        &self,
        (host, port): (&str, u16),
        purpose: Purpose,
        limit: Duration,
    ) -> Result<TcpStream, Option<String>> {
        let end = Instant::now() + limit;
        let Some(addresses) = self.names.addresses(host, limit).await else {
            return Err(Some(format!("host {host} not found")));
        };
        let left = end.saturating_duration_since(Instant::now());
        let connected = connect::connect((&addresses, port), purpose, left).await;
        if connected.is_err() {
            self.names.doubt(host);
        }
        connected
    }
}

fn outcome(found: Result<(), Option<String>>, limit: Duration) -> ProbeOutcome {
    match found {
        Ok(()) => ProbeOutcome::Passed,
        Err(Some(text)) => words::failed(text),
        Err(None) => words::no_answer(limit),
    }
}
