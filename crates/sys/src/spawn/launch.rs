//! The parent's side of a spawn.

use std::cell::RefCell;
use std::ffi::{c_char, c_int, c_void};
use std::io;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};

use super::child::{self, Identity, KernelLimit, Plan, Report};
use super::command::Prepared;
use super::failure::{ExecFailure, SpawnError, Stage};
use super::landing::Landing;
use super::stack::ChildStack;
use crate::Pid;
use crate::credentials::Credentials;
use crate::errno_name::errno_text;
use crate::limits::Limit;

/// Where the kernel writes the process id of a child before the child runs.
///
/// It lets the thread that reaps recognise a child that ended before [`spawn`] returned to the thread that
/// starts. Whoever starts one process after another clears it only when the id has been handed on.
#[derive(Debug, Default)]
pub struct SpawnSlot(AtomicI32);

impl SpawnSlot {
    /// An empty slot.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicI32::new(0))
    }

    /// The child that is being started, or was last started.
    #[must_use]
    pub fn pid(&self) -> Option<Pid> {
        Pid::new(self.0.load(Ordering::Acquire))
    }

    /// Forgets it.
    pub fn clear(&self) {
        self.0.store(0, Ordering::Release);
    }
}

/// A child that exists, or existed for a moment.
#[derive(Debug)]
pub struct Spawned {
    /// Its process id, which is also its process group.
    pub pid: Pid,
    /// Why it did not become the program; it then exits with 127 and has said why on its standard error.
    pub failed: Option<ExecFailure>,
}

/// What each thread that starts processes has: it sleeps while its child uses it.
struct Place {
    stack: ChildStack,
    /// None where the kernel cannot: then children copy all descriptors.
    landing: Option<Landing>,
}

impl Place {
    fn new() -> io::Result<Self> {
        Ok(Self {
            stack: ChildStack::new()?,
            landing: Landing::new().ok(),
        })
    }
}

thread_local! {
    static PLACE: RefCell<Option<Place>> = const { RefCell::new(None) };
}

/// Starts a child and waits until it has become its program or has failed to.
///
/// The child is made with everything of [`Command`](super::Command), in the original's order: own process group,
/// descriptors 0 to 2 and those it is given beside, all others closed, credentials, directory, file mode mask, exec.
///
/// # Errors
/// If no process could be made: `EAGAIN` at the limit of processes, `ENOMEM`.
pub fn spawn(prepared: &Prepared, slot: &SpawnSlot) -> Result<Spawned, SpawnError> {
    let arguments = pointers(&prepared.arguments);
    let environment = pointers(prepared.environment());
    let report = Report::default();
    let mut placements = prepared.placements();
    let sources: Vec<RawFd> = placements.iter().map(|placed| placed.source).collect();
    let switches_user = matches!(prepared.credentials, Credentials::Switch { .. });
    let dumpable = switches_user.then(DumpableGuard::new);
    let plan = Plan {
        program: &prepared.program,
        arguments: &arguments,
        environment: &environment,
        descriptors: &[],
        shares_descriptors: false,
        directory: prepared.directory.as_deref(),
        umask: prepared.umask,
        identity: identity(&prepared.credentials),
        files_limit: prepared.files_limit.map(kernel_limit),
        ignores_sigpipe_and_sigxfsz: prepared.ignores_sigpipe_and_sigxfsz,
        close_descriptors_below: prepared.close_descriptors_below,
        exec_failure: &prepared.exec_failure,
        directory_failure: &prepared.directory_failure,
        identity_failure: &prepared.identity_failure,
        report: &report,
    };
    let pid = PLACE.with_borrow_mut(|place| {
        let Place { stack, landing } = match place {
            Some(place) => place,
            None => place.insert(Place::new()?),
        };
        let occupied = landing
            .as_ref()
            .and_then(|landing| landing.occupy(&sources).ok());
        if let Some(occupied) = &occupied {
            for (placed, source) in placements.iter_mut().zip(occupied.descriptors()) {
                placed.source = source;
            }
        }
        let plan = Plan {
            descriptors: &placements,
            shares_descriptors: occupied.is_some(),
            ..plan
        };
        clone_and_wait(&plan, stack, slot)
    });
    drop(dumpable);
    let pid = pid.map_err(|source| SpawnError { source })?;
    Ok(Spawned {
        pid,
        failed: exec_failure(prepared, &report),
    })
}

fn clone_and_wait(plan: &Plan<'_>, stack: &mut ChildStack, slot: &SpawnSlot) -> io::Result<Pid> {
    let mut flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PARENT_SETTID | libc::SIGCHLD;
    if plan.shares_descriptors {
        flags |= libc::CLONE_FILES;
    }
    let top = stack.top();
    slot.clear();
    let mask = block_all_signals();
    // SAFETY: the child runs `child_main` on a stack of its own, and this thread sleeps until it has exec'd or
    // exited, so `plan` and the stack outlive its use of them. The child obeys the rules of `child`, one of which
    // is that it changes a table of descriptors only when it has its own. The kernel writes the process id to the slot, an aligned `i32`.
    let answer = unsafe {
        libc::clone(
            child_main,
            top,
            flags,
            ptr::from_ref(plan).cast_mut().cast::<c_void>(),
            slot.0.as_ptr(),
        )
    };
    let error = io::Error::last_os_error();
    restore_signals(mask);
    Pid::new(answer).ok_or(error)
}

extern "C" fn child_main(plan: *mut c_void) -> c_int {
    // SAFETY: the pointer that `clone_and_wait` gave, to a plan that lives until this child is gone.
    let plan = unsafe { &*plan.cast::<Plan<'_>>() };
    child::run(plan)
}

/// Blocks every signal of this thread, the two that libc keeps for itself included (which is why this is no
/// libc call): a handler that ran in the child would run on the daemon's memory.
fn block_all_signals() -> u64 {
    let all = u64::MAX;
    let mut old: u64 = 0;
    // SAFETY: both masks are initialised and of the size given.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const all,
            &raw mut old,
            size_of::<u64>(),
        )
    };
    old
}

fn restore_signals(mask: u64) {
    // SAFETY: the mask is initialised and of the size given, nothing is written back.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const mask,
            ptr::null_mut::<u64>(),
            size_of::<u64>(),
        )
    };
}

fn pointers<'a>(strings: impl IntoIterator<Item = &'a std::ffi::CString>) -> Vec<*const c_char> {
    strings
        .into_iter()
        .map(|string| string.as_ptr())
        .chain([ptr::null()])
        .collect()
}

fn identity(credentials: &Credentials) -> Identity<'_> {
    match credentials {
        Credentials::Keep => Identity::Keep,
        Credentials::Refused { .. } => Identity::Refused,
        Credentials::Switch { uid, gid, groups } => Identity::Switch {
            uid: *uid,
            gid: *gid,
            groups,
        },
    }
}

fn kernel_limit(limit: Limit) -> KernelLimit {
    const UNLIMITED: u64 = u64::MAX;
    KernelLimit {
        soft: limit.soft.unwrap_or(UNLIMITED),
        hard: limit.hard.unwrap_or(UNLIMITED),
    }
}

fn exec_failure(prepared: &Prepared, report: &Report) -> Option<ExecFailure> {
    let stage = Stage::from_code(report.stage.load(Ordering::Acquire))?;
    let errno = report.errno.load(Ordering::Relaxed);
    let name = errno_text(errno);
    let sentence = |prefix: &[u8], why: &str| {
        let prefix = String::from_utf8_lossy(prefix);
        format!(
            "{}{why}",
            prefix.strip_prefix("supervisor: ").unwrap_or(&prefix)
        )
    };
    let message = match stage {
        Stage::ProcessGroup => format!("couldn't make a process group: {name}"),
        Stage::Descriptors => format!("couldn't set up descriptors: {name}"),
        Stage::Limits => format!("couldn't set the limit of open files: {name}"),
        Stage::Account => sentence(&prepared.identity_failure, ""),
        Stage::Groups => sentence(
            &prepared.identity_failure,
            "Could not set groups of effective user",
        ),
        Stage::GroupId => sentence(
            &prepared.identity_failure,
            "Could not set group id of effective user",
        ),
        Stage::UserId => sentence(&prepared.identity_failure, &name),
        Stage::Directory => sentence(&prepared.directory_failure, &name),
        Stage::Exec => sentence(&prepared.exec_failure, &name),
    };
    Some(ExecFailure {
        stage,
        errno,
        message,
    })
}

/// Gives the daemon its core dumps back after a child has switched users.
///
/// A change of user marks the memory of a process as not dumpable. Here that is the daemon's memory too, and for
/// a while that is needed: it keeps other processes of that user from attaching to the child, and so to the
/// daemon, before the exec. The mark is taken back only when no such child is left.
#[derive(Debug)]
struct DumpableGuard;

/// Children that are between a change of user and exec, and whether the daemon was dumpable before the first.
static SWITCHING: Mutex<(usize, bool)> = Mutex::new((0, false));

impl DumpableGuard {
    fn new() -> Self {
        let mut switching = SWITCHING.lock().unwrap_or_else(PoisonError::into_inner);
        if switching.0 == 0 {
            // SAFETY: asks for a number.
            switching.1 = unsafe { libc::prctl(libc::PR_GET_DUMPABLE) } == 1;
        }
        switching.0 += 1;
        Self
    }
}

impl Drop for DumpableGuard {
    fn drop(&mut self) {
        let mut switching = SWITCHING.lock().unwrap_or_else(PoisonError::into_inner);
        switching.0 -= 1;
        if *switching == (0, true) {
            // SAFETY: numbers.
            unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1) };
        }
    }
}
