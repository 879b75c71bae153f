//! What must be true, whatever happens. Checked from outside: from what the core was told, what it asked
//! for, what it published and what its views show.

use std::fmt;

/// The invariants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invariant {
    /// The core does not panic.
    NoPanic,
    /// An instance never has two processes, not even if a start that was given up comes late.
    OneLiveProcess,
    /// Every process that came to be is released exactly once, after its end, within 200 ms of it.
    ReleasedOnce,
    /// A shared socket is open as long as a start that was given it is under way or alive, and no longer.
    SocketsHeld,
    /// A signal goes to the process or the followed group that it is meant for, never to a pid whose
    /// owner's end has been told.
    SignalsReachNoStranger,
    /// Identifiers are used once, and what is followed or forgotten is there to be.
    SensibleRequests,
    /// SIGKILL comes when `stopwaitsecs` are over, and again and again until the process is gone; a
    /// start that does not come about is given up when they are over.
    StopEnds,
    /// Every change of state is in the table.
    LegalTransitions,
    /// Every change is published, in order: each begins where the one before ended, with the process id
    /// of the process and the number of failed starts.
    EventsInOrder,
    /// What cannot stay as it is has a deadline or waits for an answer; no deadline that is over is left.
    NoTimerLost,
    /// Who asks why a start has no process yet is told what it waits for.
    WaitsExplained,
    /// Every command gets exactly one reply, and waits for it only as long as there is something to wait for.
    OneReply,
    /// A reply says what is the case.
    TrueReplies,
    /// A process stops only if somebody said so, and what was stopped stays so until somebody says else.
    OperatorsWishes,
    /// FATAL comes after as many failures in a row as `startretries` or `restart_limit` say, neither before
    /// nor later.
    RetriesCounted,
    /// By itself nothing starts within one second of its last start, or before its backoff is over.
    RestartBrake,
    /// When nothing happens any more, what should run runs, what should not does not, and no deadline is
    /// left: an idle daemon sleeps.
    Convergence,
    /// After a reload, removing and adding what it names leads to just the new configuration.
    ReloadConverges,
    /// New settings that are applied come to an end: when nothing else happens, with the daemon, and after no more steps
    /// than there are; and it is the end that fits.
    ApplyEnds,
    /// When new settings are applied, or taken back, what they concern runs with one version of them and of the
    /// configuration, and the file has it.
    ApplyOneVersion,
    /// What new settings do not concern is neither stopped nor started for them, but for what goes down with what it
    /// depends on, and that comes up again.
    ApplyLeavesOthersAlone,
    /// A probe is made of a process that is alive and in its turn: one attempt at a time, none too early.
    ProbesInTurn,
    /// A service is ready just when it is alive and all its readiness checks pass.
    ReadyMeansReady,
    /// A service whose liveness fails, that uses too much memory, or that is not ready in time is stopped
    /// for it, and starts again or is FATAL; no other is.
    ChecksDecide,
    /// Hooks begin in their turn, once, and end with what they belong to; what waits for one waits for it,
    /// and no longer than it may take.
    HooksInTurn,
    /// A oneshot runs while its marker does not say that it has, and is done only after an expected end and,
    /// if it has a marker, when that has been written.
    OneshotsRunOnce,
    /// The daemon ends with a service just when its options say so, and with the right exit status.
    EndsDecide,
    /// After `shutdown_timeout` everything has been killed, and nothing is waited for any longer.
    ShutdownInTime,
    /// A process is there only when what it depends on is.
    DependenciesMet,
    /// In a shutdown nothing is told to stop on which something depends that is up.
    DependentsFirst,
    /// A shutdown ends, once, with nothing alive that could be killed and no reply owed.
    ShutdownFinishes,
    /// Nothing is started during a shutdown.
    NoStartInShutdown,
    /// An event goes to a listener of its pool that runs, has said that it is ready and takes what is
    /// written to it.
    EventsReachListeners,
    /// Events are sent in order, only where they are wanted, and again only as often as they came back.
    /// Their numbers stay, and are never used again, not even by a daemon that begins anew.
    EventsInTurn,
    /// Every event that a pool takes waits, is at a listener, was processed or is told to be dropped.
    EventsCounted,
    /// No more events wait than `buffer_size`.
    BuffersBounded,
    /// The state of a listener follows from what it said.
    ListenerStates,
    /// No event waits while somebody would take it.
    NoEventStuck,
    /// One event leads to no more actions than there are processes and operations to act on.
    BoundedActions,
    /// A copy that went through bytes does the same ever after.
    FreezeChangesNothing,
}

impl Invariant {
    pub(crate) fn broken(self, detail: impl Into<String>) -> Violation {
        Violation {
            invariant: self,
            detail: detail.into(),
        }
    }
}

/// An invariant does not hold.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    pub(crate) invariant: Invariant,
    pub(crate) detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} does not hold: {}", self.invariant, self.detail)
    }
}
