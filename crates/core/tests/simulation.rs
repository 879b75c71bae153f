//! The core under a hundred thousand random histories.
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
//! | stops that are held for dependents and forget that the process may end by itself | `OperatorsWishes`, `OneReply` |
//! | a service that goes down with a dependency comes up against a person's stop | `OperatorsWishes` |
//! | a shutdown in the order of priorities alone | `DependentsFirst` |
//! | ticks without a subscription; no tick when the clock is set back; a removed pool hears on | `NoTimerLost` |
//! | a job that its marker says is done runs again, or is complete before its marker is written | `OneshotsRunOnce` |
//! | the daemon ends with 0 for a service that was given up, or for one whose end it is to ignore | `EndsDecide` |
//! | no end to the time of a shutdown; one that waits its time for markers after its time is over | `ShutdownInTime` |
//! | hooks beside a process that go on when it is stopped; a stop that goes on beside its `pre_stop` | `HooksInTurn` |
//! | a start before the `post_stop` of the last one is over, or after a `pre_start` that has failed | `HooksInTurn` |
//! | a start that waits for its hook or its marker without saying so | `WaitsExplained` |
//! | an apply that a shutdown does not end, or that repeats a step of its way back when that fails | `ApplyEnds` |
//! | an apply that is called rolled back although something could not be, or that goes back to nothing | `ApplyEnds` |
//! | an apply that removes groups which it did not stop | `ApplyEnds` |
//! | a way back that stops nothing, keeps the configuration, leaves the file or removes what it should add | `ApplyOneVersion` |
//! | services that are switched after they were stopped; new or changed groups that are not; a trial without an end | `ApplyOneVersion` |
//! | an apply that starts what somebody stopped, or leaves down what went down with what it restarts | `ApplyLeavesOthersAlone` |
//! | a part of an apply left out of its frozen form | `FreezeChangesNothing` |

#[path = "support/fastcgi.rs"]
mod fastcgi;
mod simulator;
mod support;

use std::sync::atomic::{AtomicU64, Ordering};

/// How many histories, and of how many events at least.
const HISTORIES: u64 = 100_000;
const EVENTS: usize = 100;

/// The histories are dealt out to as many threads as there are cores. A history depends on its seed alone,
/// so which thread it is played on makes no difference.
#[test]
fn no_history_breaks_an_invariant() {
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let next = AtomicU64::new(0);
    let play = || {
        let mut events = 0;
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= HISTORIES {
                return events;
            }
            match simulator::simulate(seed, EVENTS) {
                Ok(count) => events += count,
                Err(broken) => {
                    // The others need not go on.
                    next.store(HISTORIES, Ordering::Relaxed);
                    panic!("{broken}");
                }
            }
        }
    };
    let events: usize = std::thread::scope(|scope| {
        let players: Vec<_> = (0..threads).map(|_| scope.spawn(play)).collect();
        players
            .into_iter()
            .map(|player| match player.join() {
                Ok(events) => events,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .sum()
    });
    println!("{HISTORIES} histories, {events} events");
}
