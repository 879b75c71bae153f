//! What can happen in a history. Each stimulus means something whatever came before it, so that a history
//! from which some have been left out is a history too.

use linchpin_config::Config;
use linchpin_core::{
    Channel, Command, ExitStatus, Notification, OutputKind, ShutdownCause, SpawnFailureKind,
};

use super::applying::Wish;
use super::listeners::Saying;

/// Something that happens. `nth` chooses among those that it can happen to, counted round.
#[derive(Debug, Clone)]
pub(crate) enum Stimulus {
    /// Time passes; `punctual`: the shell wakes up at each deadline, else only at the end.
    Pass { nanoseconds: u64, punctual: bool },
    /// Time passes until this long after the next deadline, or before it if negative.
    PassToDeadline { offset: i64 },
    /// The system's clock is set.
    JumpWall { nanoseconds: i64 },
    /// The shell wakes up for nothing.
    Wake,
    /// A start succeeds.
    Spawned { nth: usize, exec_failure: bool },
    /// A start fails.
    SpawnFailed { nth: usize, kind: SpawnFailureKind },
    /// A process ends. `late`: the news waits for a `Deliver`.
    Die {
        nth: usize,
        status: ExitStatus,
        drained: bool,
        survivors: bool,
        late: bool,
    },
    /// A process that was told to end does so.
    Obey {
        nth: usize,
        drained: bool,
        survivors: bool,
        late: bool,
    },
    /// News that waits is delivered.
    Deliver { nth: usize },
    /// The last output of an ended process has been read.
    Drained { nth: usize },
    /// A process group becomes empty.
    Empty { nth: usize },
    /// A command has been looked up.
    Checked {
        nth: usize,
        failure: Option<SpawnFailureKind>,
    },
    /// A socket has been tried.
    Tried { nth: usize, fails: bool },
    /// From now on a process cannot be signalled.
    Protect { nth: usize },
    /// Answers that nobody waits for any more.
    Stray { nth: usize },
    /// A probe is answered.
    Answer { nth: usize, passes: bool },
    /// A probe is answered, or memory measured, that nobody waits for any more.
    AnswerLate { nth: usize },
    /// A service writes what one of its probes waits for.
    Hear { nth: usize },
    /// A service says something about itself; `is_moving`: that another process is its main one.
    Notify {
        nth: usize,
        notification: Notification,
        is_moving: bool,
    },
    /// The memory of a service has been measured.
    Measured { nth: usize, is_too_much: bool },
    /// A hook ends.
    EndHook { nth: usize, fails: bool },
    /// A marker has been read.
    OpenMarker { nth: usize, fails: bool },
    /// A marker has been written.
    CommitMarker { nth: usize, fails: bool },
    /// A hook has ended of which nobody waits to hear.
    EndHookLate { nth: usize },
    /// The kernel kills a process for lack of memory, and says so before its end is told.
    OutOfMemory { nth: usize },
    /// A listener says something.
    Say { nth: usize, saying: Saying },
    /// A listener stops reading; `is_full`: something else is kept for it already.
    Block { nth: usize, is_full: bool },
    /// A listener reads everything that was written to it.
    Unblock { nth: usize },
    /// A listener closes its standard input.
    CloseInput { nth: usize },
    /// A process writes something that listeners may want to know.
    Wrote {
        nth: usize,
        kind: OutputKind,
        channel: Channel,
    },
    /// A client has something to say to listeners.
    Remote,
    /// Somebody wants something.
    Command(Command),
    /// Somebody applies new settings.
    Apply(Box<Wish>),
    /// The shell does the next thing for the apply under way.
    GoOnWithApply,
    /// The daemon is told to end.
    Shutdown { restart: bool, cause: ShutdownCause },
    /// The daemon, if it has ended, begins anew in the same world.
    BeginAnew { config: Box<Config> },
    /// The state is frozen and restored; the copy has to do the same from here on.
    Freeze,
}
