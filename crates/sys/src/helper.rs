//! Running a short command for its output, with a bound on its time and its output, in a process whose main thread
//! reaps every child.
//!
//! The id of a helper is known before it runs, so [`reap`](crate::reap) hands its end over instead of showing the
//! daemon a child that it does not know. Not for services.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::Pid;
use crate::group::kill_group;
use crate::pipe::{NonBlocking, Pipe};
use crate::reap::{ExitStatus, Waited, wait_for};
use crate::spawn::{
    Command, ExecFailure, PrepareError, SpawnError, SpawnSlot, Stderr, Stream, spawn,
};

/// How long to nap between two looks at a helper that has closed its output and not ended yet.
const NAP: Duration = Duration::from_millis(1);

/// What a helper left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelperOutput {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to the stream that was heard.
    pub output: Vec<u8>,
}

/// Why there is no output.
#[derive(Debug, thiserror::Error)]
pub enum HelperError {
    /// It cannot be started.
    #[error("cannot start it")]
    Prepare(#[from] PrepareError),
    /// No process could be made.
    #[error("cannot start it")]
    Spawn(#[from] SpawnError),
    /// It could not become its program.
    #[error("cannot start it")]
    Exec(#[from] ExecFailure),
    /// It took too long and was killed.
    #[error("no answer within {} s", .0.as_secs_f32())]
    TooSlow(Duration),
    /// It wrote too much and was killed.
    #[error("more than {0} bytes of output")]
    TooMuch(usize),
    /// The pipe to it failed.
    #[error("cannot read its output")]
    Output(#[from] io::Error),
}

/// A helper that runs, as the reaping thread sees it.
#[derive(Debug, Default)]
struct Running {
    slot: SpawnSlot,
    ended: Mutex<Option<ExitStatus>>,
}

/// All helpers that run. Its lock is also held around taking a child out of the process table, so that no id can
/// become somebody else's in between.
static RUNNING: Mutex<Vec<Arc<Running>>> = Mutex::new(Vec::new());

/// The helpers, locked.
#[derive(Debug)]
pub(crate) struct Helpers(MutexGuard<'static, Vec<Arc<Running>>>);

impl Helpers {
    pub(crate) fn lock() -> Self {
        Self(RUNNING.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn has(&self, pid: Pid) -> bool {
        self.find(pid).is_some()
    }

    /// Hands the end of a helper over; whether it was one.
    pub(crate) fn deliver(&mut self, waited: Waited) -> bool {
        let Some(index) = self.find(waited.pid) else {
            return false;
        };
        let running = self.0.swap_remove(index);
        *lock(&running.ended) = Some(waited.status);
        true
    }

    fn find(&self, pid: Pid) -> Option<usize> {
        self.0
            .iter()
            .position(|running| running.slot.pid() == Some(pid))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `command`, whose standard output is replaced, until it ends.
///
/// Blocks for at most about `time_limit`, after which the helper's whole process group is killed.
///
/// # Errors
/// If it cannot be started, is too slow, or writes more than `most_bytes`.
pub fn run_helper(
    mut command: Command,
    time_limit: Duration,
    most_bytes: usize,
) -> Result<HelperOutput, HelperError> {
    let Pipe { reader, writer } = Pipe::new(NonBlocking::Reader)?;
    command.stdout = Stream::Descriptor(writer);
    run(command, &reader, time_limit, most_bytes)
}

/// As [`run_helper`], with the helper's standard error in place of its standard output.
///
/// # Errors
/// The same.
pub fn run_helper_for_stderr(
    mut command: Command,
    time_limit: Duration,
    most_bytes: usize,
) -> Result<HelperOutput, HelperError> {
    let Pipe { reader, writer } = Pipe::new(NonBlocking::Reader)?;
    command.stderr = Stderr::Own(Stream::Descriptor(writer));
    run(command, &reader, time_limit, most_bytes)
}

fn run(
    command: Command,
    reader: &OwnedFd,
    time_limit: Duration,
    most_bytes: usize,
) -> Result<HelperOutput, HelperError> {
    let deadline = Instant::now() + time_limit;
    let prepared = command.prepare()?;
    let running = Arc::new(Running::default());
    Helpers::lock().0.push(Arc::clone(&running));
    let spawned = spawn(&prepared, &running.slot);
    drop(prepared);
    let spawned = match spawned {
        Ok(spawned) => spawned,
        Err(error) => {
            forget(&running);
            return Err(error.into());
        }
    };
    let output = read_until_end(reader, deadline, most_bytes).map_err(|error| match error {
        ReadError::Deadline => HelperError::TooSlow(time_limit),
        ReadError::TooMuch => HelperError::TooMuch(most_bytes),
        ReadError::System(error) => HelperError::Output(error),
    });
    let deadline = if output.is_ok() {
        deadline
    } else {
        Instant::now()
    };
    let (status, in_time) = wait_until_end(&running, spawned.pid, deadline);
    if let Some(failed) = spawned.failed {
        return Err(failed.into());
    }
    let output = output?;
    if !in_time {
        return Err(HelperError::TooSlow(time_limit));
    }
    Ok(HelperOutput { status, output })
}

fn forget(running: &Arc<Running>) {
    Helpers::lock()
        .0
        .retain(|other| !Arc::ptr_eq(other, running));
}

enum ReadError {
    Deadline,
    TooMuch,
    System(io::Error),
}

fn read_until_end(
    reader: &OwnedFd,
    deadline: Instant,
    most_bytes: usize,
) -> Result<Vec<u8>, ReadError> {
    let mut output = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match crate::pipe::read(reader, &mut buffer) {
            Ok(0) => return Ok(output),
            Ok(count) => {
                output.extend_from_slice(&buffer[..count]);
                if output.len() > most_bytes {
                    return Err(ReadError::TooMuch);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                wait_until_readable(reader, deadline)?;
            }
            Err(error) => return Err(ReadError::System(error)),
        }
    }
}

fn wait_until_readable(reader: &OwnedFd, deadline: Instant) -> Result<(), ReadError> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(ReadError::Deadline);
    }
    let timeout = Timespec::try_from(left).ok();
    let mut waiting = [PollFd::from_borrowed_fd(reader.as_fd(), PollFlags::IN)];
    match poll(&mut waiting, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(errno) => Err(ReadError::System(errno.into())),
    }
}

/// How the helper ended, and whether before the deadline; after it, the helper is killed.
fn wait_until_end(running: &Running, pid: Pid, deadline: Instant) -> (ExitStatus, bool) {
    let mut in_time = true;
    loop {
        {
            let mut helpers = Helpers::lock();
            if let Some(status) = *lock(&running.ended) {
                return (status, in_time);
            }
            // While the lock is held nobody else reaps it, so the id is still the helper's.
            match wait_for(pid, 0) {
                Ok(Some(waited)) => {
                    helpers.deliver(waited);
                    return (waited.status, in_time);
                }
                Ok(None) => {}
                Err(_) => {
                    // Somebody reaped it behind our back, against the rules of this crate.
                    let status = ExitStatus::Exited(0);
                    helpers.deliver(Waited { pid, status });
                    return (status, in_time);
                }
            }
            if in_time && Instant::now() >= deadline {
                in_time = false;
                // It has its own group. It may have ended this very moment, which is no error.
                let _ = kill_group(pid, libc::SIGKILL);
            }
        }
        thread::sleep(NAP);
    }
}
