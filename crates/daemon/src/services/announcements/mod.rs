//! What services say by themselves: notifications (`NOTIFY_SOCKET`), a newline on a descriptor, and the end of a main
//! process that is not our child.
//!
//! Each start has a socket of its own, with an address of its own. One for all would be enough for senders that live
//! until they are heard; but `systemd-notify` in a script is gone by then, and only the address can tell whose it was.
//! What was sent by an earlier start never counts for a later one.
//!
//! All of it is watched by one epoll set, which is one descriptor for the runtime. Of one source at most
//! [`MOST_AT_ONCE`] messages are taken before others get a turn; what waits is in the kernel's queue, and when that is
//! full its sender waits. So does one that says too much in a second ([`pace`]).

mod membership;
mod message;
mod opening;
pub(crate) mod pace;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use linchpin_core::{Check, Event, Generation, Notification, ProbeOutcome, ProcessId};
use linchpin_sys::Pid;
use linchpin_sys::sockets::{Datagram, receive_datagram};
use rustix::event::{Timespec, epoll};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

use self::membership::Family;
pub(crate) use self::message::MOST_MESSAGE_BYTES;
pub(crate) use self::opening::{Ears, line_patterns, open};
use self::pace::Pace;

/// Most messages of one source that are taken before other news gets a turn.
pub(crate) const MOST_AT_ONCE: usize = 16;
/// Most sources that are looked at before other news gets a turn.
const MOST_SOURCES_AT_ONCE: usize = 64;
/// What is read at once from a service that writes more than a newline.
const CHUNK_BYTES: usize = 512;

const NO_TIME: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// Names something that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SourceId(u64);

/// Everything that is watched.
#[derive(Debug, Default)]
pub(crate) struct Announcements {
    /// Made when there is something to watch.
    set: Option<AsyncFd<OwnedFd>>,
    /// At most a socket, a pidfd and a few pipes for each start.
    sources: HashMap<SourceId, Source>,
    /// Those that have said too much, and when they are looked at again.
    paused: BTreeSet<(Instant, SourceId)>,
    last_id: u64,
}

#[derive(Debug)]
struct Source {
    process: ProcessId,
    generation: Generation,
    descriptor: OwnedFd,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Socket {
        family: Family,
        /// The main log has been told of a message that was ignored.
        has_complained: bool,
        pace: Pace,
    },
    Newline(Check),
    Main(Pid),
}

/// What was found at a source.
#[derive(Debug)]
pub(crate) enum Heard {
    /// Nothing more for now.
    Nothing,
    /// Something that means nothing.
    Noise,
    /// Something that is wrong, for the main log.
    Complaint(String),
    /// Something for the core. Whoever sent the descriptors waits until they are closed, which is to be when the core
    /// has been told.
    Event(Event, Vec<OwnedFd>),
    /// A main process that was watched has ended.
    MainEnded(Pid),
}

impl Announcements {
    /// Watches what a start has been given.
    ///
    /// # Errors
    /// If something cannot be watched.
    pub(crate) fn watch(
        &mut self,
        (process, generation): (ProcessId, Generation),
        pid: i32,
        ears: Ears,
    ) -> io::Result<()> {
        let Ears { socket, pipes, uid } = ears;
        let mut sources = Vec::new();
        if let Some(socket) = socket {
            let members = [Pid::new(pid), None];
            let kind = Kind::Socket {
                family: Family { members, uid },
                has_complained: false,
                pace: Pace::new(Instant::now()),
            };
            sources.push((socket, kind));
        }
        let pipes = pipes.into_iter();
        sources.extend(pipes.map(|(check, pipe)| (pipe, Kind::Newline(check))));
        for (descriptor, kind) in sources {
            self.add(Source {
                process,
                generation,
                descriptor,
                kind,
            })?;
        }
        Ok(())
    }

    /// A start has another main process, whose pidfd this is.
    ///
    /// # Errors
    /// If its end cannot be watched.
    pub(crate) fn main_is(
        &mut self,
        (process, generation): (ProcessId, Generation),
        main: Pid,
        pidfd: OwnedFd,
    ) -> io::Result<()> {
        for source in self.sources.values_mut() {
            if source.generation == generation
                && let Kind::Socket { family, .. } = &mut source.kind
            {
                family.members[1] = Some(main);
            }
        }
        self.remove(|source| {
            source.generation == generation && matches!(source.kind, Kind::Main(_))
        });
        self.add(Source {
            process,
            generation,
            descriptor: pidfd,
            kind: Kind::Main(main),
        })
    }

    /// The pidfd of a main process that is watched.
    pub(crate) fn pidfd_of(&self, main: i32) -> Option<&OwnedFd> {
        self.sources
            .values()
            .find(|source| matches!(source.kind, Kind::Main(pid) if pid.get() == main))
            .map(|source| &source.descriptor)
    }

    /// Nothing that a start says is heard any more.
    pub(crate) fn close(&mut self, generation: Generation) {
        self.remove(|source| source.generation == generation);
    }

    /// Closes everything.
    pub(crate) fn close_all(&mut self) {
        self.sources.clear();
        self.paused.clear();
        self.set = None;
    }

    /// Waits until there may be something to hear.
    pub(crate) async fn ready(&self) {
        match &self.set {
            Some(set) => {
                // Where it cannot be watched any more nothing is heard.
                if set.readable().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            None => std::future::pending().await,
        }
    }

    /// The sources at which there is something.
    pub(crate) fn take_ready(&mut self) -> Vec<SourceId> {
        let Some(set) = &self.set else {
            return Vec::new();
        };
        let ready = set.try_io(Interest::READABLE, |set| {
            let mut events = [MaybeUninit::uninit(); MOST_SOURCES_AT_ONCE];
            let (events, _) = epoll::wait(set, &mut events[..], Some(&NO_TIME))?;
            if events.is_empty() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(events
                .iter()
                .map(|event| SourceId(event.data.u64()))
                .collect())
        });
        let mut ready: Vec<SourceId> = ready.unwrap_or_default();
        ready.retain(|id| !self.pauses(*id));
        ready
    }

    /// When [`resume`](Self::resume) is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.paused.first().map(|(until, _)| *until)
    }

    /// Looks again at those that had said too much.
    pub(crate) fn resume(&mut self) {
        let now = Instant::now();
        while let Some((until, id)) = self.paused.first().copied()
            && until <= now
        {
            self.paused.remove(&(until, id));
            self.watch_for(id, epoll::EventFlags::IN);
        }
    }

    /// Whether a source has said too much, and is not looked at for a while.
    fn pauses(&mut self, id: SourceId) -> bool {
        let until = self.sources.get(&id).and_then(|source| match &source.kind {
            Kind::Socket { pace, .. } => pace.pause(Instant::now()),
            Kind::Newline(_) | Kind::Main(_) => None,
        });
        if let Some(until) = until {
            self.paused.insert((until, id));
            self.watch_for(id, epoll::EventFlags::empty());
        }
        until.is_some()
    }

    fn watch_for(&self, id: SourceId, flags: epoll::EventFlags) {
        if let (Some(source), Some(set)) = (self.sources.get(&id), &self.set) {
            let data = epoll::EventData::new_u64(id.0);
            // It is in the set, and the kernel needs no memory for a change.
            let _ = epoll::modify(set.get_ref(), &source.descriptor, data, flags);
        }
    }

    /// Where a start may have said something.
    pub(crate) fn sources_of(&self, generation: Generation) -> Vec<SourceId> {
        self.sources
            .iter()
            .filter(|(_, source)| {
                source.generation == generation && !matches!(source.kind, Kind::Main(_))
            })
            .map(|(id, _)| *id)
            .collect()
    }

    /// The process with which a start that may notify began.
    pub(crate) fn leader_of(&self, generation: Generation) -> Option<Pid> {
        self.sources.values().find_map(|source| match &source.kind {
            Kind::Socket { family, .. } if source.generation == generation => family.members[0],
            Kind::Socket { .. } | Kind::Newline(_) | Kind::Main(_) => None,
        })
    }

    /// Takes the next message of a source. `is_known` says of processes that they are services or their tasks.
    pub(crate) fn hear(&mut self, id: SourceId, is_known: impl Fn(Pid) -> bool) -> Heard {
        let Some(source) = self.sources.get_mut(&id) else {
            return Heard::Nothing;
        };
        let (process, generation) = (source.process, source.generation);
        match &mut source.kind {
            Kind::Socket {
                family,
                has_complained,
                pace,
            } => {
                let mut buffer = [0; MOST_MESSAGE_BYTES];
                let Ok(datagram) = receive_datagram(&source.descriptor, &mut buffer) else {
                    return Heard::Nothing;
                };
                pace.count(Instant::now());
                let text = &buffer[..datagram.length];
                match understand(text, &datagram, family, is_known) {
                    Ok(notification) if notification == Notification::default() => Heard::Noise,
                    Ok(notification) => {
                        let event = Event::Notified {
                            process,
                            generation,
                            notification,
                        };
                        Heard::Event(event, datagram.descriptors)
                    }
                    Err(_) if std::mem::replace(has_complained, true) => Heard::Noise,
                    Err(complaint) => Heard::Complaint(complaint),
                }
            }
            Kind::Newline(check) => {
                let check = *check;
                let mut chunk = [0; CHUNK_BYTES];
                match linchpin_sys::pipe::read(&source.descriptor, &mut chunk) {
                    Ok(count) if chunk[..count].contains(&b'\n') => {
                        self.remove_one(id);
                        let event = Event::Probed {
                            process,
                            generation,
                            check,
                            attempt: 0,
                            outcome: ProbeOutcome::Passed,
                        };
                        Heard::Event(event, Vec::new())
                    }
                    Ok(0) => {
                        self.remove_one(id);
                        Heard::Nothing
                    }
                    Ok(_) => Heard::Noise,
                    Err(_) => Heard::Nothing,
                }
            }
            Kind::Main(pid) => {
                let pid = *pid;
                self.remove_one(id);
                Heard::MainEnded(pid)
            }
        }
    }

    fn add(&mut self, source: Source) -> io::Result<()> {
        let set = match &self.set {
            Some(set) => set,
            None => {
                let set = epoll::create(epoll::CreateFlags::CLOEXEC)?;
                self.set.insert(crate::descriptor::readable(set)?)
            }
        };
        self.last_id += 1;
        let data = epoll::EventData::new_u64(self.last_id);
        epoll::add(
            set.get_ref(),
            &source.descriptor,
            data,
            epoll::EventFlags::IN,
        )?;
        self.sources.insert(SourceId(self.last_id), source);
        Ok(())
    }

    fn remove_one(&mut self, id: SourceId) {
        if let (Some(source), Some(set)) = (self.sources.remove(&id), &self.set) {
            // It might live on for a moment in a child that is just being started.
            let _ = epoll::delete(set.get_ref(), &source.descriptor);
        }
    }

    fn remove(&mut self, is_it: impl Fn(&Source) -> bool) {
        let ids: Vec<SourceId> = self
            .sources
            .iter()
            .filter(|(_, source)| is_it(source))
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.remove_one(id);
        }
    }
}

/// What a datagram says, if it counts.
fn understand(
    text: &[u8],
    datagram: &Datagram,
    family: &Family,
    is_known: impl Fn(Pid) -> bool,
) -> Result<Notification, String> {
    let Some(sender) = datagram.sender else {
        return Err("its sender is unknown".to_owned());
    };
    if datagram.is_truncated {
        return Err(format!(
            "it is longer than {MOST_MESSAGE_BYTES} bytes (from process {})",
            sender.pid
        ));
    }
    if !family.may_speak(sender, &is_known) {
        return Err(format!(
            "its sender, process {} of user {}, does not belong to the service",
            sender.pid, sender.uid
        ));
    }
    let mut notification = message::read_message(text);
    if let Some(main) = notification.main_pid.and_then(Pid::new)
        && !family.may_be_main(main, sender, &is_known)
    {
        notification.main_pid = None;
        if notification == Notification::default() {
            return Err(format!(
                "its MAINPID {main} is no process of the service (from process {})",
                sender.pid
            ));
        }
    }
    Ok(notification)
}
