//! The core under twenty thousand random histories.
//!
//! That the invariants can fail was tried by breaking the core in one place at a time. Each of these was
//! noticed within the histories of this test, by the invariant named:
//!
//! | broken | noticed by |
//! |---|---|
//! | a start does not wait for what remains of the one before | `OneLiveProcess` |
//! | a group that is added again does not wait for a start of the old one | `OneLiveProcess` |
//! | a start that was given up is not killed when it comes | `Convergence` |
//! | no brake on restarts; a backoff that is a second too short | `RestartBrake` |
//! | one retry too many | `RetriesCounted` |
//! | failed starts counted on over a stop; an exit told without its process id | `EventsInOrder` |
//! | a stop of a group leaves pending restarts; SIGKILL once only; no SIGKILL at all | `NoTimerLost` |
//! | a stop before there is a process sends no signal when there is one | `StopEnds` |
//! | a stop while output is drained leads to a restart; `autorestart=false` restarts | `NoTimerLost`, `OperatorsWishes` |
//! | no limit to draining; a second release; none for a process that was removed | `ReleasedOnce` |
//! | a SIGKILL to a process that has been reaped | `SignalsReachNoStranger` |
//! | a stop that is not answered at the exit, or in UNKNOWN, or when its group is removed | `OneReply` |
//! | a start that was given up fails and keeps its socket; a socket closed with its first process | `SocketsHeld` |
//! | a waited start answered when there is a process | `TrueReplies` |
//! | a reload that forgets what was removed | `ReloadConverges` |
//! | a blocked start let go during a shutdown | `NoStartInShutdown` |
//! | a shutdown that waits for no tier, for no process group, or leaves replies owed | `ShutdownFinishes` |
//! | deadlines left out of the frozen form | `FreezeChangesNothing` |
//! | a rejected event goes to the end of its buffer | `EventsInTurn` |
//! | serial numbers that begin anew with the daemon, or are given twice | `EventsInTurn` |
//! | one event too many in a buffer | `BuffersBounded` |
//! | a rejection, or the death of a listener, loses its event | `EventsCounted` |
//! | a full or closed input is tried again; a listener that is being stopped is sent events | `EventsReachListeners` |
//! | an input that was read stays full; nothing is sent after an event was accepted | `NoEventStuck` |
//! | a listener keeps its state when it is started again; two events of a pool under way | `ListenerStates` |
//! | ticks without a subscription; no tick when the clock is set back; a removed pool hears on | `NoTimerLost` |

#[path = "support/fastcgi.rs"]
mod fastcgi;
mod simulator;
mod support;

/// How many histories, and of how many events at least.
const HISTORIES: u64 = 20_000;
const EVENTS: usize = 200;

#[test]
fn no_history_breaks_an_invariant() {
    let mut events = 0;
    for seed in 0..HISTORIES {
        match simulator::simulate(seed, EVENTS) {
            Ok(count) => events += count,
            Err(broken) => panic!("{broken}"),
        }
    }
    println!("{HISTORIES} histories, {events} events");
}
