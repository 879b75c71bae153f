//! Starting a child: everything is prepared before, and nothing in between can touch the daemon's state.
//!
//! A child shares the daemon's memory until it execs (`CLONE_VM | CLONE_VFORK`), so the cost does not grow
//! with the heap, and a failed step comes back through memory instead of a pipe. The calling thread sleeps
//! until then; other threads do not. A program on a hung mount therefore blocks its caller for as long as the
//! mount hangs: never call [`spawn`] on a thread that has anything else to do.
//!
//! | file | idea |
//! |---|---|
//! | `command` | what is to be started, and the form the kernel takes |
//! | `environment` | what the environment of all children begins with |
//! | `launch` | the parent's side: clone, slot, signal mask |
//! | `child` | the child's side, between clone and exec |
//! | `stack` | the memory on which the child runs |
//! | `landing` | where its descriptors lie, so that it need not copy all of ours |
//! | `inherit` | one touch for commands that are started by other means |
//! | `failure` | what can go wrong, in the original's words |

mod child;
mod command;
mod environment;
mod failure;
mod inherit;
mod landing;
mod launch;
mod stack;

pub use command::{Command, MOST_FURTHER_DESCRIPTORS, PrepareError, Prepared, Stderr, Stream};
pub use environment::Environment;
pub use failure::{ExecFailure, SpawnError, Stage};
pub use inherit::with_signals_as_from_python;
pub use launch::{SpawnSlot, Spawned, spawn};
