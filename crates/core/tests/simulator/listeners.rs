//! Event listeners that answer, reject, babble, die over an event or do not read, and what must be true of
//! their pools. It is a second account of the protocol, kept from what listeners say and what the core
//! sends, and compared with what the core's views show.

use std::collections::{BTreeMap, BTreeSet};

use linchpin_config::{EventType, GroupKind};
use linchpin_core::{
    Action, Delivery, Event, Generation, ListenerState, Message, Notice, PoolView, ProcessId,
    ProcessState, Supervisor, TickPeriod, Wall,
};

use super::invariants::{Invariant, Violation};

const SECOND: i64 = 1_000_000_000;

/// Something that a listener says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saying {
    /// What the protocol wants next: `READY`, or that the event was processed.
    Right,
    /// The first part of that; the rest comes before anything else that it says.
    Half,
    Ready,
    Rejected,
    BadResult,
    Babble,
}

/// A start of a listener, for as long as the core has not released it.
#[derive(Debug)]
struct Listener {
    process: ProcessId,
    pool: String,
    state: State,
    /// The rest of something half said, and what it means when it is said.
    rest: Option<(Saying, Vec<u8>)>,
    is_closed: bool,
    /// It does not read.
    is_blocked: bool,
    /// Something is kept for it.
    has_kept: bool,
    /// The core knows that nothing can be written to it, for now or for ever.
    is_known_full: bool,
    is_known_closed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Acknowledged,
    Ready,
    Busy(u64),
    Unknown,
}

/// What is known of a pool.
#[derive(Debug)]
struct Pool {
    events: Vec<EventType>,
    accepted: u64,
    dropped: u64,
    processed: u64,
    /// The global serial number of each event that was sent.
    sent: BTreeMap<u64, u64>,
    /// Events that came back and may be sent again.
    given_back: BTreeSet<u64>,
    /// It was made in this very event, which is too late for a tick.
    is_new: bool,
}

impl Pool {
    fn covers(&self, event: EventType) -> bool {
        self.events.iter().any(|named| event.is_a(*named))
    }
}

/// All listeners and pools.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    listeners: BTreeMap<Generation, Listener>,
    /// The latest start of each process.
    current: BTreeMap<ProcessId, Generation>,
    pools: BTreeMap<String, Pool>,
    types: BTreeMap<u64, EventType>,
    /// The highest serial number of the daemon's earlier lives.
    earlier: Option<u64>,
    slices: Option<[i64; 3]>,
    under_way: BTreeSet<String>,
}

impl Listeners {
    /// Nothing is left but the serial numbers.
    pub(crate) fn begin_anew(&mut self) {
        let earlier = self.types.last_key_value().map(|(serial, _)| *serial);
        *self = Self {
            earlier: earlier.max(self.earlier),
            ..Self::default()
        };
    }

    /// The listeners that the core would hear.
    pub(crate) fn speakers(&self) -> impl Iterator<Item = Generation> {
        self.listeners
            .iter()
            .filter(|(generation, listener)| {
                self.current.get(&listener.process) == Some(generation)
            })
            .map(|(generation, _)| *generation)
    }

    /// A listener says something: the event, and everything that it means.
    pub(crate) fn say(&mut self, generation: Generation, saying: Saying) -> Option<Event> {
        let listener = self.listeners.get_mut(&generation)?;
        let (saying, bytes) = match listener.rest.take() {
            Some(rest) => rest,
            None => {
                let meant = if saying == Saying::Half {
                    Saying::Right
                } else {
                    saying
                };
                let mut bytes = listener.words(meant).to_vec();
                if saying == Saying::Half {
                    let cut = match listener.state {
                        State::Busy(_) => bytes.len() - 1,
                        State::Acknowledged | State::Ready | State::Unknown => bytes.len() / 2,
                    };
                    let rest = bytes.split_off(cut);
                    listener.rest = Some((meant, rest));
                    // In READY even half a word is one too many.
                    if listener.state == State::Ready {
                        listener.state = State::Unknown;
                    }
                    return Some(Event::ListenerOutput {
                        process: listener.process,
                        generation,
                        data: bytes,
                    });
                }
                (meant, bytes)
            }
        };
        let process = listener.process;
        let state = listener.state;
        listener.state = match (state, saying) {
            (State::Acknowledged, Saying::Ready | Saying::Right) => State::Ready,
            (State::Busy(_), Saying::Right | Saying::Rejected) => State::Acknowledged,
            (_, _) => State::Unknown,
        };
        if let State::Busy(event) = state
            && let Some(pool) = self.pools.get_mut(&listener.pool)
        {
            if saying == Saying::Right {
                pool.processed += 1;
            } else {
                pool.given_back.insert(event);
            }
        }
        Some(Event::ListenerOutput {
            process,
            generation,
            data: bytes,
        })
    }

    /// It stops reading; `is_full`: something else is kept for it already.
    pub(crate) fn block(&mut self, generation: Generation, is_full: bool) {
        if let Some(listener) = self.listeners.get_mut(&generation) {
            listener.is_blocked = true;
            listener.has_kept |= is_full;
        }
    }

    /// It reads everything.
    pub(crate) fn unblock(&mut self, generation: Generation) -> Option<Event> {
        let listener = self.listeners.get_mut(&generation)?;
        listener.is_blocked = false;
        listener.is_known_full = false;
        std::mem::take(&mut listener.has_kept).then_some(Event::InputDrained {
            process: listener.process,
            generation,
        })
    }

    pub(crate) fn close(&mut self, generation: Generation) {
        if let Some(listener) = self.listeners.get_mut(&generation) {
            listener.is_closed = true;
        }
    }

    /// Notes what is about to be told to the core.
    pub(crate) fn before(&mut self, event: &Event, supervisor: &Supervisor) {
        let kind = match event {
            Event::RemoteCommunication { .. } => EventType::RemoteCommunication,
            Event::ProcessOutput {
                process,
                kind,
                channel,
                ..
            } => {
                use linchpin_core::{Channel, OutputKind};
                if supervisor.process(*process).is_none() {
                    return;
                }
                match (kind, channel) {
                    (OutputKind::Log, Channel::Stdout) => EventType::ProcessLogStdout,
                    (OutputKind::Log, Channel::Stderr) => EventType::ProcessLogStderr,
                    (OutputKind::Communication, Channel::Stdout) => {
                        EventType::ProcessCommunicationStdout
                    }
                    (OutputKind::Communication, Channel::Stderr) => {
                        EventType::ProcessCommunicationStderr
                    }
                }
            }
            Event::Delivered { process, .. } => {
                if let Some(listener) = self
                    .current
                    .get(process)
                    .and_then(|generation| self.listeners.get(generation))
                {
                    self.under_way.remove(&listener.pool);
                }
                return;
            }
            Event::Boot
            | Event::Wake
            | Event::Spawned { .. }
            | Event::SpawnFailed { .. }
            | Event::Exited { .. }
            | Event::Drained { .. }
            | Event::GroupGone { .. }
            | Event::Signalled { .. }
            | Event::CommandChecked { .. }
            | Event::Probed { .. }
            | Event::Notified { .. }
            | Event::HookEnded { .. }
            | Event::MarkerOpened { .. }
            | Event::MarkerCommitted { .. }
            | Event::MemoryMeasured { .. }
            | Event::OutOfMemory { .. }
            | Event::SocketTried { .. }
            | Event::ListenerOutput { .. }
            | Event::InputDrained { .. }
            | Event::Command { .. }
            | Event::Shutdown { .. } => return,
        };
        self.count(kind);
    }

    fn count(&mut self, event: EventType) {
        for pool in self.pools.values_mut() {
            pool.accepted += u64::from(pool.covers(event));
        }
    }

    /// A start has failed, so there is no listener.
    pub(crate) fn failed(&mut self, generation: Generation) {
        self.listeners.remove(&generation);
    }

    /// Takes note of an action. An event that is sent is answered; `is_alive`: its process has not ended.
    pub(crate) fn action(
        &mut self,
        action: &Action,
        supervisor: &Supervisor,
        is_alive: impl Fn(Generation) -> Option<bool>,
    ) -> Result<Option<Event>, Violation> {
        match action {
            Action::Spawn {
                process,
                generation,
                group,
                is_listener,
                ..
            } => {
                // Processes that clients add to a pool are no listeners.
                let is_in_pool = |pool: PoolView<'_>| {
                    pool.name == group && pool.listeners.iter().any(|each| each.process == *process)
                };
                if *is_listener != supervisor.pools().any(is_in_pool) {
                    return Err(Invariant::EventsReachListeners
                        .broken(format!("{process} is spawned as something else than it is")));
                }
                if *is_listener {
                    self.current.insert(*process, *generation);
                    let listener = Listener::new(*process, group);
                    self.listeners.insert(*generation, listener);
                }
            }
            Action::Release { generation, .. } => {
                if let Some(listener) = self.listeners.remove(generation)
                    && let State::Busy(event) = listener.state
                    && let Some(pool) = self.pools.get_mut(&listener.pool)
                {
                    pool.given_back.insert(event);
                }
            }
            Action::Publish(notice) => self.published(notice, supervisor),
            Action::Log(Message::BufferOverflowed { pool, .. }) => {
                if let Some(pool) = self.pools.get_mut(pool) {
                    pool.dropped += 1;
                }
            }
            Action::SendEvent {
                process,
                generation,
                pool,
                serial,
                pool_serial,
                notice,
            } => {
                self.is_right(pool, *serial, *pool_serial, notice)?;
                let state = supervisor.process(*process).map(|view| view.state);
                if state != Some(ProcessState::Running) {
                    return Err(Invariant::EventsReachListeners
                        .broken(format!("{pool} {pool_serial} is sent to one in {state:?}")));
                }
                self.under_way.insert(pool.clone());
                let delivery = self.send(*generation, pool, *pool_serial, is_alive(*generation))?;
                return Ok(Some(Event::Delivered {
                    process: *process,
                    generation: *generation,
                    delivery,
                }));
            }
            Action::ProcessRemoved { process } => {
                self.current.remove(process);
                // One in UNKNOWN may have been at an event.
                let gone = self.listeners.values();
                for listener in gone.filter(|listener| listener.process == *process) {
                    if let State::Busy(event) = listener.state
                        && let Some(pool) = self.pools.get_mut(&listener.pool)
                    {
                        pool.given_back.insert(event);
                    }
                }
                self.listeners
                    .retain(|_, listener| listener.process != *process);
            }
            Action::Signal { .. }
            | Action::OpenSocket { .. }
            | Action::CloseSocket { .. }
            | Action::TrySocket { .. }
            | Action::CheckCommand { .. }
            | Action::FollowGroup { .. }
            | Action::ForgetGroup { .. }
            | Action::NameSurvivors { .. }
            | Action::ProcessAdded { .. }
            | Action::Probe { .. }
            | Action::RunHook { .. }
            | Action::CancelHook { .. }
            | Action::OpenMarker { .. }
            | Action::CommitMarker { .. }
            | Action::MeasureMemory { .. }
            | Action::AdoptMain { .. }
            | Action::Record(_)
            | Action::Print(_)
            | Action::Log(_)
            | Action::Reply { .. }
            | Action::Finished { .. } => {}
        }
        Ok(None)
    }

    fn published(&mut self, notice: &Notice, supervisor: &Supervisor) {
        if let Notice::GroupAdded { group } = notice
            && let Some(added) = supervisor
                .groups()
                .find(|added| added.config.name == *group)
            && let GroupKind::EventListener(config) = &added.config.kind
        {
            let pool = Pool {
                events: config.events.clone(),
                accepted: 0,
                dropped: 0,
                processed: 0,
                sent: BTreeMap::new(),
                given_back: BTreeSet::new(),
                is_new: true,
            };
            self.pools.insert(group.clone(), pool);
        }
        if let Notice::GroupRemoved { group } = notice {
            self.pools.remove(group);
            self.under_way.remove(group);
        }
        self.count(notice.event_type());
    }

    /// Whether an event may be sent now: in order, wanted, and once each time that it comes back.
    fn is_right(
        &mut self,
        name: &str,
        serial: u64,
        pool_serial: u64,
        notice: &Notice,
    ) -> Result<(), Violation> {
        let broken = |what: &str| {
            Err(Invariant::EventsInTurn.broken(format!(
                "event {serial} ({name} {pool_serial}) is sent: {what}"
            )))
        };
        let event = notice.event_type();
        let Some(pool) = self.pools.get_mut(name) else {
            return broken("there is no such pool");
        };
        if !pool.covers(event) {
            return broken("nobody wants it");
        }
        if let Notice::Tick { period, when } = notice
            && when.rem_euclid(period.seconds()) != 0
        {
            return broken("it is a tick between the slices");
        }
        if self.earlier.is_some_and(|earlier| serial <= earlier) {
            return broken("its number is one of an earlier life");
        }
        if *self.types.entry(serial).or_insert(event) != event {
            return broken("another event has its number");
        }
        match pool.sent.get(&pool_serial) {
            Some(known) if *known != serial => broken("its numbers have changed"),
            Some(_) if !pool.given_back.remove(&pool_serial) => broken("it did not come back"),
            Some(_) => Ok(()),
            None => {
                let last = pool.sent.last_key_value();
                if last.is_some_and(|(last, of)| *last > pool_serial || *of >= serial) {
                    return broken("a later one was sent before");
                }
                pool.sent.insert(pool_serial, serial);
                Ok(())
            }
        }
    }

    fn send(
        &mut self,
        generation: Generation,
        pool: &str,
        event: u64,
        is_alive: Option<bool>,
    ) -> Result<Delivery, Violation> {
        let broken = |what: &str| {
            Err(Invariant::EventsReachListeners.broken(format!("{pool} {event}: {what}")))
        };
        let Some(listener) = self.listeners.get_mut(&generation) else {
            return broken("it is sent to nobody");
        };
        let Some(is_alive) = is_alive else {
            return broken("it is sent to a process whose end is known");
        };
        if listener.pool != pool || listener.state != State::Ready {
            return broken("it is sent to a listener that does not want it");
        }
        if listener.is_known_full || listener.is_known_closed {
            return broken("it is sent to a listener that cannot take it");
        }
        let delivery = if listener.is_closed || !is_alive {
            listener.is_known_closed = true;
            Delivery::Closed
        } else if listener.has_kept {
            listener.is_known_full = true;
            Delivery::Full
        } else if listener.is_blocked {
            listener.is_known_full = true;
            listener.has_kept = true;
            Delivery::Kept
        } else {
            Delivery::Taken
        };
        match delivery {
            Delivery::Taken | Delivery::Kept => listener.state = State::Busy(event),
            Delivery::Full | Delivery::Closed => {
                if let Some(pool) = self.pools.get_mut(pool) {
                    pool.given_back.insert(event);
                }
            }
        }
        Ok(delivery)
    }

    /// Looks at the core after an event.
    pub(crate) fn after(
        &mut self,
        supervisor: &Supervisor,
        now: Wall,
        is_finished: bool,
        is_over: impl Fn(Generation) -> bool,
    ) -> Result<(), Violation> {
        let slices = TickPeriod::ALL.map(|period| slice(now, period));
        for (at, period) in TickPeriod::ALL.into_iter().enumerate() {
            let event = period.event_type();
            // Who is the first to want ticks waits for the next slice.
            let is_told = self.slices.is_some_and(|before| before[at] != slices[at])
                && self
                    .pools
                    .values()
                    .any(|pool| !pool.is_new && pool.covers(event));
            if is_told {
                self.count(event);
            }
        }
        self.slices = Some(slices);
        for pool in self.pools.values_mut() {
            pool.is_new = false;
        }
        if !is_finished {
            self.tick_is_due(supervisor, now)?;
        }
        let mut count = 0;
        for view in supervisor.pools() {
            count += 1;
            let Some(pool) = self.pools.get(view.name) else {
                return Err(Invariant::EventsCounted.broken(format!("{} is unknown", view.name)));
            };
            if view.waiting.len() > view.most_waiting {
                return Err(Invariant::BuffersBounded.broken(format!(
                    "{} events wait in {}",
                    view.waiting.len(),
                    view.name
                )));
            }
            let held = view
                .listeners
                .iter()
                .filter(|listener| listener.event.is_some())
                .count();
            let known = u64::try_from(view.waiting.len() + held).unwrap_or(u64::MAX);
            let known = known + pool.processed + pool.dropped;
            if view.next_serial != pool.accepted || known != pool.accepted {
                return Err(Invariant::EventsCounted.broken(format!(
                    "{}: {} events, of which it took {}; {known} are accounted for ({:?})",
                    view.name, pool.accepted, view.next_serial, view
                )));
            }
            for listener in &view.listeners {
                self.is_as_it_says(listener, supervisor)?;
            }
            let is_stuck = !view.waiting.is_empty()
                && !self.under_way.contains(view.name)
                && view
                    .listeners
                    .iter()
                    .any(|listener| self.would_take(listener.process, supervisor, &is_over));
            if is_stuck {
                return Err(Invariant::NoEventStuck
                    .broken(format!("{view:?}, and somebody would take one")));
            }
        }
        if count == self.pools.len() {
            Ok(())
        } else {
            Err(Invariant::EventsCounted.broken("a pool has gone silently"))
        }
    }

    fn is_as_it_says(
        &self,
        view: &linchpin_core::ListenerView,
        supervisor: &Supervisor,
    ) -> Result<(), Violation> {
        let Some(listener) = self.current_of(view.process) else {
            return Ok(());
        };
        let state = match listener.state {
            // Sent, and the answer that it came back is not yet told.
            State::Ready if self.under_way.contains(&listener.pool) => return Ok(()),
            State::Acknowledged => (ListenerState::Acknowledged, None),
            State::Ready => (ListenerState::Ready, None),
            State::Busy(event) => (ListenerState::Busy, Some(event)),
            State::Unknown => (ListenerState::Unknown, None),
        };
        if (view.state, view.event) == state {
            Ok(())
        } else {
            Err(Invariant::ListenerStates.broken(format!(
                "{view:?} should be {state:?} ({:?})",
                supervisor.process(view.process).map(|view| view.state)
            )))
        }
    }

    fn would_take(
        &self,
        process: ProcessId,
        supervisor: &Supervisor,
        is_over: impl Fn(Generation) -> bool,
    ) -> bool {
        let is_running = supervisor
            .process(process)
            .is_some_and(|view| view.state == ProcessState::Running);
        is_running
            && self
                .current
                .get(&process)
                .is_some_and(|generation| !is_over(*generation))
            && self.current_of(process).is_some_and(|listener| {
                listener.state == State::Ready
                    && !listener.is_known_full
                    && !listener.is_known_closed
            })
    }

    fn current_of(&self, process: ProcessId) -> Option<&Listener> {
        self.listeners.get(self.current.get(&process)?)
    }

    fn tick_is_due(&self, supervisor: &Supervisor, now: Wall) -> Result<(), Violation> {
        let next = TickPeriod::ALL
            .into_iter()
            .filter(|period| {
                let event = period.event_type();
                self.pools.values().any(|pool| pool.covers(event))
            })
            .map(|period| {
                let next = slice(now, period).saturating_add(period.seconds());
                Wall(next.saturating_mul(SECOND))
            })
            .min();
        if supervisor.next_wall_deadline() == next {
            Ok(())
        } else {
            Err(Invariant::NoTimerLost.broken(format!(
                "the next tick is due {:?}, and should be {next:?}",
                supervisor.next_wall_deadline()
            )))
        }
    }
}

impl Listener {
    fn new(process: ProcessId, pool: &str) -> Self {
        Self {
            process,
            pool: pool.to_owned(),
            state: State::Acknowledged,
            rest: None,
            is_closed: false,
            is_blocked: false,
            has_kept: false,
            is_known_full: false,
            is_known_closed: false,
        }
    }

    fn words(&self, saying: Saying) -> &'static [u8] {
        match saying {
            Saying::Right | Saying::Half => match self.state {
                State::Busy(_) => b"RESULT 2\nOK",
                State::Acknowledged | State::Ready | State::Unknown => b"READY\n",
            },
            Saying::Ready => b"READY\n",
            Saying::Rejected => b"RESULT 4\nFAIL",
            Saying::BadResult => b"RESULT two\nOK",
            Saying::Babble => b"what a nice day it is\n",
        }
    }
}

fn slice(now: Wall, period: TickPeriod) -> i64 {
    now.seconds().div_euclid(period.seconds()) * period.seconds()
}
