//! The log thread: one epoll loop over capture pipes, slow sinks and commands.
//!
//! Starting, stopping, the loop, and the commands are here; reading streams is in
//! [`crate::reading`], the end of a run in [`crate::draining`]. Nothing in the loop waits except
//! `epoll_wait` and the disk. Nothing is armed while nothing happens.

use std::collections::{HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU8;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::epoll;
use rustix::event::{Timespec, epoll::EventFlags};
use rustix::io::Errno;

use crate::command::{Command, Reply};
use crate::draining::OwnerStreams;
use crate::event::{DroppedKind, EventGate, LogEvent, Notify};
use crate::handle::LogHandle;
use crate::level::LogLevel;
use crate::main_log::MainLog;
use crate::outputs::Outputs;
use crate::queue::{Queue, Waker};
use crate::rotation::clear_file;
use crate::slots::Slots;
use crate::special_sink::{Accepted, SharedSpecialSink, SpecialKey, SpecialSink, lock};
use crate::stream::{ReadState, Stream, StreamSink};
use crate::stream_id::{OwnerId, StreamId};
use crate::stream_spec::{Sink, StreamSinks};
use crate::syslog::{SYSLOG_SOCKET, Syslog};
use crate::timestamp::UtcOffset;

/// Size of the read buffer that all streams share, and so the longest chunk; as the original's.
pub const CHUNK_MAX_BYTES: usize = 131_072;
/// Most events of one `epoll_wait`.
const EPOLL_EVENTS_MAX: usize = 128;
/// How long a stop waits for slow sinks to take what is pending.
const STOP_FLUSH_LIMIT: Duration = Duration::from_millis(200);
/// What the thread needs: shallow calls, paths, one line of the main log.
const STACK_BYTES: usize = 256 << 10;

/// Most sinks without a stream that are kept because somebody may still come and read them.
const UNUSED_SINKS_KEPT_MAX: usize = 64;

/// Bugs that the thread survives; one that comes at every turn must not make it spin for ever.
const PANICS_MAX: u32 = 100;

const WAKE_TOKEN: u64 = u64::MAX;
/// Tokens from here on are special sinks; below, streams.
const SPECIAL_TOKENS_FROM: u64 = 1 << 32;

/// How to start the log thread.
pub struct LogConfig {
    /// Receives the news.
    pub notify: Notify,
    /// The main log, if it is open by now.
    pub main_log: Option<MainLog>,
    /// How the daemon calls itself in the system log; the original is `supervisord`.
    pub syslog_identity: String,
    /// Where the system log listens; none is `/dev/log`.
    pub syslog_socket: Option<PathBuf>,
    /// Local time.
    pub utc_offset: UtcOffset,
}

impl fmt::Debug for LogConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogConfig")
            .field("main_log", &self.main_log)
            .finish_non_exhaustive()
    }
}

/// The running thread.
#[derive(Debug)]
pub struct LogThread {
    handle: LogHandle,
    thread: JoinHandle<()>,
    /// Nothing comes through it: its other end is closed when the thread ends.
    ended: Receiver<Infallible>,
}

impl LogThread {
    /// Starts it. The thread has the signal mask of the caller, who must have blocked what is handled
    /// elsewhere.
    ///
    /// # Errors
    /// No descriptors or no thread to be had.
    pub fn start(config: LogConfig) -> io::Result<Self> {
        let waker = Waker::new()?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(
            &epoll,
            waker.descriptor(),
            epoll::EventData::new_u64(WAKE_TOKEN),
            EventFlags::IN | EventFlags::ET,
        )?;
        let level = config
            .main_log
            .as_ref()
            .map_or(u8::MAX, |main_log| main_log.level().number());
        let handle = LogHandle {
            queue: Arc::new(Queue::new(waker.clone())),
            level: Arc::new(AtomicU8::new(level)),
        };
        let queue = Arc::clone(&handle.queue);
        let (alive, ended) = channel();
        let thread = thread::Builder::new()
            .name("log".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                let _alive = alive;
                let mut worker = Worker::new(epoll, waker, queue, config);
                // A bug in dealing with one stream must not end all logs. The hook has printed it.
                for _ in 0..PANICS_MAX {
                    if catch_unwind(AssertUnwindSafe(|| worker.run())).is_ok() {
                        return;
                    }
                }
            })?;
        Ok(Self {
            handle,
            thread,
            ended,
        })
    }

    /// A way to talk to it.
    #[must_use]
    pub fn handle(&self) -> LogHandle {
        self.handle.clone()
    }

    /// Writes what is queued, gives slow sinks a moment, and ends the thread. A thread that hangs in a
    /// system call is left behind after `limit`.
    pub fn stop(self, limit: Duration) {
        if self.handle.queue.push(Command::Stop).is_err() {
            return;
        }
        if self.ended.recv_timeout(limit) == Err(RecvTimeoutError::Disconnected) {
            let _ = self.thread.join();
        }
    }
}

/// A special sink and whether epoll watches it.
pub(crate) struct SpecialEntry {
    pub(crate) sink: SharedSpecialSink,
    is_polled: bool,
}

/// Everything that the thread owns.
pub(crate) struct Worker {
    pub(crate) epoll: OwnedFd,
    pub(crate) outputs: Outputs,
    pub(crate) streams: Slots<Stream>,
    pub(crate) owners: HashMap<OwnerId, OwnerStreams>,
    /// Runs that have ended and wait for a stuck sink.
    pub(crate) draining: Vec<OwnerId>,
    /// Streams whose owner has been told that they are drained, oldest first.
    pub(crate) detached: VecDeque<u32>,
    /// Streams that are read by the clock.
    pub(crate) lingering: Vec<u32>,
    pub(crate) linger_due: Option<Instant>,
    pub(crate) buffer: Vec<u8>,
    pub(crate) large_pipes: Vec<u32>,
    /// Flushes that wait for one more look at all pipes.
    flush_replies: Vec<Reply>,
    specials: Slots<SpecialEntry>,
    /// Streams that wait for a sink, drains included.
    pub(crate) waiting_for_sinks: Vec<u32>,
    has_writer_threads: bool,
    /// Some special sink may have begun or ended to be blocked.
    are_specials_touched: bool,
    is_waiting_for_events: bool,
    waker: Waker,
    queue: Arc<Queue>,
    is_stopping: bool,
}

impl Worker {
    fn new(epoll: OwnedFd, waker: Waker, queue: Arc<Queue>, config: LogConfig) -> Self {
        let syslog_socket = config
            .syslog_socket
            .unwrap_or_else(|| PathBuf::from(SYSLOG_SOCKET));
        let syslog = Syslog::new(&syslog_socket, &config.syslog_identity, config.utc_offset);
        let gate = EventGate::new(waker.clone());
        let mut worker = Self {
            epoll,
            outputs: Outputs::new(gate, None, syslog, config.notify),
            streams: Slots::default(),
            owners: HashMap::new(),
            draining: Vec::new(),
            detached: VecDeque::new(),
            lingering: Vec::new(),
            linger_due: None,
            buffer: vec![0; CHUNK_MAX_BYTES],
            large_pipes: Vec::new(),
            flush_replies: Vec::new(),
            specials: Slots::default(),
            waiting_for_sinks: Vec::new(),
            has_writer_threads: false,
            are_specials_touched: false,
            is_waiting_for_events: false,
            waker,
            queue,
            is_stopping: false,
        };
        if let Some(main_log) = config.main_log {
            worker.set_main_log(main_log);
        }
        worker
    }

    fn run(&mut self) {
        let mut events: Vec<epoll::Event> = Vec::with_capacity(EPOLL_EVENTS_MAX);
        let mut commands = VecDeque::new();
        while !self.is_stopping {
            let timeout = self.timeout();
            events.clear();
            match epoll::wait(
                &self.epoll,
                rustix::buffer::spare_capacity(&mut events),
                timeout.as_ref(),
            ) {
                Ok(_) | Err(Errno::INTR) => {}
                // Cannot happen with our own descriptors; slow down rather than spin.
                Err(_) => thread::sleep(Duration::from_millis(10)),
            }
            let mut is_woken = false;
            for event in &events {
                let token = event.data.u64();
                if token == WAKE_TOKEN {
                    is_woken = true;
                } else if let Some(slot) = token.checked_sub(SPECIAL_TOKENS_FROM) {
                    self.special_is_writable(slot_of(slot));
                } else {
                    self.read_ready_stream(slot_of(token));
                }
            }
            self.read_lingering_streams();
            self.end_overdue_drains();
            if events.len() < EPOLL_EVENTS_MAX {
                // All that was in a pipe before the flush was asked for has been read by now.
                for reply in self.flush_replies.drain(..) {
                    reply(Ok(()));
                }
            }
            if is_woken {
                self.waker.reset();
                self.take_commands(&mut commands);
                self.resume_after_events();
                // A writer thread wakes us the same way.
                self.are_specials_touched |= self.has_writer_threads;
            }
            // Streams that go on may block their sink again, which is then to be watched.
            while self.are_specials_touched || self.outputs.is_echo_pending {
                self.look_after_specials();
            }
        }
        self.flush_before_end();
        for reply in self.flush_replies.drain(..) {
            reply(Ok(()));
        }
    }

    /// Time until something is due by the clock; none while nothing is.
    fn timeout(&self) -> Option<Timespec> {
        if !self.flush_replies.is_empty() {
            return Some(Timespec::default());
        }
        let due = self
            .linger_due
            .into_iter()
            .chain(self.next_drain_deadline())
            .min()?;
        let wait = due.saturating_duration_since(Instant::now());
        // Rounded up: a zero wait would make the loop spin until the moment has come.
        let millis = wait.as_millis() + u128::from(wait.subsec_nanos() % 1_000_000 != 0);
        let wait = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
        Timespec::try_from(wait).ok()
    }

    fn take_commands(&mut self, commands: &mut VecDeque<Command>) {
        let dropped = self.queue.take(commands);
        for command in commands.drain(..) {
            self.take_command(command);
        }
        self.outputs.dropped(DroppedKind::MainLogLines, dropped);
    }

    fn take_command(&mut self, command: Command) {
        match command {
            Command::Attach {
                id,
                pid,
                pipe,
                sinks,
            } => self.attach(id, pid, pipe, *sinks),
            Command::Finish { owner } => self.finish(owner),
            Command::ReopenStreams { owner } => {
                for slot in self.streams.occupied() {
                    if let Some(stream) = self.streams.get_mut(slot)
                        && owner.is_none_or(|owner| owner == stream.id.owner)
                    {
                        stream.reopen(&mut self.outputs);
                    }
                }
            }
            Command::ReopenMainLog => {
                if let Some(main_log) = self.outputs.main_log_mut() {
                    main_log.reopen();
                    self.outputs.main_log_changed();
                }
            }
            Command::ClearFiles {
                owner,
                paths,
                reply,
            } => reply(self.clear_files(owner, &paths)),
            Command::ClearMainLog { reply } => {
                let result = match self.outputs.main_log_mut() {
                    Some(main_log) => main_log.clear(),
                    None => Err(io::ErrorKind::NotFound.into()),
                };
                self.outputs.main_log_changed();
                reply(result);
            }
            Command::Line { level, time, text } => {
                self.outputs.log_at(level, time, &text);
            }
            Command::Print { text } => self.outputs.print(&text),
            Command::SetMainLog { main_log } => self.set_main_log(*main_log),
            Command::Watch(registration) => self.outputs.watch(registration),
            Command::Unwatch(registration) => self.outputs.watches.remove(&registration),
            Command::Flush { reply } => {
                self.linger_due = self.linger_due.map(|_| Instant::now());
                self.flush_replies.push(reply);
            }
            Command::Stop => self.is_stopping = true,
        }
    }

    fn set_main_log(&mut self, mut main_log: MainLog) {
        main_log.share_specials(|sink| self.share_special(sink));
        self.outputs.set_main_log(main_log);
    }

    fn attach(&mut self, id: StreamId, pid: u32, pipe: OwnedFd, sinks: StreamSinks) {
        let sink = match sinks.sink {
            Sink::None => StreamSink::None,
            Sink::File(file) => StreamSink::File(file),
            Sink::Special(special) => {
                StreamSink::Special(self.share_special(Arc::new(Mutex::new(special))))
            }
        };
        // Ours alone: the child has the other end, which stays blocking.
        let prepared = rustix::io::ioctl_fionbio(&pipe, true);
        let stream = Stream::new(id, pid, pipe, &sinks.spec, sink, Instant::now());
        let slot = self.streams.insert(stream);
        let polled = prepared.and_then(|()| self.poll_stream(slot));
        if let Err(error) = polled {
            self.streams.remove(slot);
            self.outputs.problem(format!(
                "cannot watch the {} of '{}': {error}",
                id.kind, sinks.spec.process
            ));
            return;
        }
        self.owners
            .entry(id.owner)
            .or_default()
            .set(id.kind, Some(slot));
    }

    /// Lets epoll report when a stream has something.
    pub(crate) fn poll_stream(&mut self, slot: u32) -> rustix::io::Result<()> {
        let Some(stream) = self.streams.get_mut(slot) else {
            return Ok(());
        };
        stream.state = ReadState::Polled;
        epoll::add(
            &self.epoll,
            stream.pipe.as_fd(),
            epoll::EventData::new_u64(u64::from(slot)),
            EventFlags::IN,
        )
    }

    fn clear_files(&mut self, owner: Option<OwnerId>, paths: &[PathBuf]) -> io::Result<()> {
        let mut result = Ok(());
        let wanted: HashSet<&Path> = paths.iter().map(PathBuf::as_path).collect();
        let mut done: HashSet<&Path> = HashSet::new();
        for slot in self.streams.occupied() {
            let Some(stream) = self.streams.get_mut(slot) else {
                continue;
            };
            if owner == Some(stream.id.owner) {
                stream.clear_capture();
            }
            if let StreamSink::File(file) = &mut stream.sink
                && let Some(path) = wanted.get(file.path())
            {
                // A second stream with the same log must not remove the new file.
                let cleared = if done.insert(path) {
                    file.clear()
                } else {
                    file.reopen()
                };
                if cleared.is_err() {
                    result = cleared;
                }
            }
        }
        for path in wanted {
            if !done.contains(path)
                && let Err(error) = clear_file(path)
            {
                result = Err(error);
            }
            self.outputs.changed(path);
        }
        result
    }

    /// The one sink for this special file: `sink`, or the one that is there already.
    fn share_special(&mut self, sink: SharedSpecialSink) -> SharedSpecialSink {
        let key = lock(&sink).key();
        if let Some(known) = self.special_with(key) {
            if let Some(inner) = Arc::into_inner(sink) {
                let inner = inner
                    .into_inner()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                self.revive(&known, inner);
            }
            return known;
        }
        {
            let mut sink = lock(&sink);
            sink.set_waker(&self.waker);
            self.has_writer_threads |= sink.is_behind_thread();
        }
        self.are_specials_touched = true;
        self.specials.insert(SpecialEntry {
            sink: Arc::clone(&sink),
            is_polled: false,
        });
        sink
    }

    /// A sink that was dead may have been opened successfully meanwhile.
    fn revive(&mut self, known: &SharedSpecialSink, opened: SpecialSink) {
        let mut known = lock(known);
        if known.is_dead() && !opened.is_dead() {
            known.adopt(opened);
            known.set_waker(&self.waker);
            self.has_writer_threads |= known.is_behind_thread();
        }
    }

    fn special_with(&self, key: SpecialKey) -> Option<SharedSpecialSink> {
        self.specials
            .iter()
            .find(|(_, entry)| lock(&entry.sink).key() == key)
            .map(|(_, entry)| Arc::clone(&entry.sink))
    }

    /// A stream waits until its sink goes on.
    pub(crate) fn wait_for_sink(&mut self, slot: u32) {
        if !self.waiting_for_sinks.contains(&slot) {
            self.waiting_for_sinks.push(slot);
        }
        self.are_specials_touched = true;
    }

    fn special_is_writable(&mut self, slot: u32) {
        if let Some(entry) = self.specials.get_mut(slot) {
            lock(&entry.sink).flush();
        }
        self.are_specials_touched = true;
    }

    /// Watches those that are blocked, lets the streams of the others go on, reports what they
    /// lost, and forgets those that nobody uses.
    fn look_after_specials(&mut self) {
        self.are_specials_touched = false;
        self.outputs.is_echo_pending = false;
        let mut texts = Vec::new();
        let mut dropped_lines = 0;
        let mut has_free = false;
        let mut unused_kept = 0;
        let mut lost_bytes = 0;
        for slot in self.specials.occupied() {
            let Some(entry) = self.specials.get_mut(slot) else {
                continue;
            };
            let mut sink = lock(&entry.sink);
            let is_blocked = sink.flush() == Accepted::Pending;
            texts.extend(sink.take_problem());
            dropped_lines += sink.take_dropped_lines();
            let wants_poll = is_blocked && sink.descriptor().is_some();
            if wants_poll != entry.is_polled {
                if let Some(descriptor) = sink.descriptor() {
                    if wants_poll {
                        let token = SPECIAL_TOKENS_FROM + u64::from(slot);
                        let _ = epoll::add(
                            &self.epoll,
                            descriptor,
                            epoll::EventData::new_u64(token),
                            EventFlags::OUT,
                        );
                    } else {
                        let _ = epoll::delete(&self.epoll, descriptor);
                    }
                }
                entry.is_polled = wants_poll;
            }
            has_free |= !is_blocked;
            let is_kept = is_blocked || sink.holds_unread();
            let lost = sink.pending_bytes();
            drop(sink);
            if Arc::strong_count(&entry.sink) == 1 {
                unused_kept += usize::from(is_kept);
                if !is_kept || unused_kept > UNUSED_SINKS_KEPT_MAX {
                    lost_bytes += u64::try_from(lost).unwrap_or(u64::MAX);
                    self.specials.remove(slot);
                }
            }
        }
        for text in texts {
            self.outputs.problem(text);
        }
        self.outputs.dropped(DroppedKind::EchoLines, dropped_lines);
        self.outputs.dropped(DroppedKind::OutputBytes, lost_bytes);
        if has_free {
            self.resume_after_sinks();
        }
    }

    fn resume_after_sinks(&mut self) {
        for slot in std::mem::take(&mut self.waiting_for_sinks) {
            let Some(stream) = self.streams.get(slot) else {
                continue;
            };
            if stream.is_sink_blocked() {
                self.waiting_for_sinks.push(slot);
                continue;
            }
            match stream.state {
                ReadState::WaitsForSink => self.resume_stream(slot),
                ReadState::Finishing => self.continue_drain(slot),
                ReadState::Polled | ReadState::Lingering | ReadState::WaitsForEvents => {}
            }
        }
    }

    pub(crate) fn resume_stream(&mut self, slot: u32) {
        if let Err(error) = self.poll_stream(slot) {
            self.outputs
                .problem(format!("cannot watch an output again: {error}"));
            self.close_stream(slot);
        }
    }

    pub(crate) fn wait_for_events(&mut self) {
        self.is_waiting_for_events = true;
    }

    fn resume_after_events(&mut self) {
        if !self.is_waiting_for_events || self.outputs.gate.wait_for_room() {
            return;
        }
        self.is_waiting_for_events = false;
        for slot in self.streams.occupied() {
            if self
                .streams
                .get(slot)
                .is_some_and(|stream| stream.state == ReadState::WaitsForEvents)
            {
                self.resume_stream(slot);
            }
        }
    }

    /// Closes a stream for good; its sink is closed with it.
    pub(crate) fn close_stream(&mut self, slot: u32) -> Option<StreamId> {
        let stream = self.streams.remove(slot)?;
        if stream.state == ReadState::Polled {
            let _ = epoll::delete(&self.epoll, stream.pipe.as_fd());
        }
        self.lingering.retain(|other| *other != slot);
        self.waiting_for_sinks.retain(|other| *other != slot);
        self.large_pipes.retain(|other| *other != slot);
        self.detached.retain(|other| *other != slot);
        if let Some(owner) = self.owners.get_mut(&stream.id.owner)
            && owner.get(stream.id.kind) == Some(slot)
        {
            owner.set(stream.id.kind, None);
        }
        if matches!(stream.sink, StreamSink::Special(_)) {
            self.are_specials_touched = true;
        }
        Some(stream.id)
    }

    fn flush_before_end(&mut self) {
        let deadline = Instant::now() + STOP_FLUSH_LIMIT;
        for slot in self.streams.occupied() {
            self.read_rest_of(slot);
        }
        loop {
            self.look_after_specials();
            let is_blocked = self
                .specials
                .iter()
                .any(|(_, entry)| lock(&entry.sink).is_blocked());
            if !is_blocked || Instant::now() >= deadline {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        self.outputs.log(LogLevel::Trace, "log thread ended");
    }

    pub(crate) fn notify(&self, event: LogEvent) {
        self.outputs.notify(event);
    }
}

fn slot_of(token: u64) -> u32 {
    u32::try_from(token).unwrap_or(u32::MAX)
}
