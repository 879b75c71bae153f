//! The child's side, between clone and exec.
//!
//! The child shares the daemon's memory while other threads of the daemon run. So nothing here allocates, takes
//! a lock, writes to anything but [`Report`] and the child's own stack, or calls a libc function that is more
//! than a system call: glibc's `setuid` and `setgroups`, for one, would signal the daemon's threads. All calls go
//! through `syscall`, whose only trace is `errno` of the calling thread, which sleeps.

use std::ffi::{CStr, c_char, c_int, c_long, c_uint};
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

use super::failure::Stage;
use crate::errno_name::errno_name;
use crate::signals::HIGHEST_SIGNAL;

/// Most descriptors that a child may be given, the first three included.
pub(super) const MOST_DESCRIPTORS: usize = 11;
/// The exit status of a child that could not become its program.
const EXIT_NOT_SPAWNED: c_int = 127;
/// The last line that such a child writes.
const NOT_SPAWNED: &[u8] = b"supervisor: child process was not spawned\n";
/// What the kernel takes for a signal set: 64 bits.
const KERNEL_SIGNAL_SET_BYTES: usize = 8;

// 32-bit systems kept the calls with 16-bit ids under the plain names.
#[cfg(any(target_arch = "x86", target_arch = "arm"))]
mod id_calls {
    pub(super) use libc::{
        SYS_setgid32 as SETGID, SYS_setgroups32 as SETGROUPS, SYS_setuid32 as SETUID,
    };
}
#[cfg(not(any(target_arch = "x86", target_arch = "arm")))]
mod id_calls {
    pub(super) use libc::{SYS_setgid as SETGID, SYS_setgroups as SETGROUPS, SYS_setuid as SETUID};
}

/// What the child leaves behind for the thread that waits for it.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// [`Stage::to_code`] of the step that failed; 0 if none did.
    pub(super) stage: AtomicI32,
    pub(super) errno: AtomicI32,
}

/// Whom the child becomes.
#[derive(Debug)]
pub(super) enum Identity<'a> {
    Keep,
    Switch {
        uid: u32,
        gid: u32,
        groups: &'a [u32],
    },
    Refused,
}

/// A descriptor of the daemon, and the number that it has in the child.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placement {
    pub(super) source: RawFd,
    pub(super) target: RawFd,
}

/// The kernel's `struct rlimit64`, for which not every libc has a type.
#[derive(Debug)]
#[repr(C)]
pub(super) struct KernelLimit {
    pub(super) soft: u64,
    pub(super) hard: u64,
}

/// Everything the child needs, in memory that outlives it.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) program: &'a CStr,
    /// Ends with a null pointer.
    pub(super) arguments: &'a [*const c_char],
    /// Ends with a null pointer.
    pub(super) environment: &'a [*const c_char],
    /// First those that become 0, 1 and 2, then others, by rising target; at most [`MOST_DESCRIPTORS`].
    pub(super) descriptors: &'a [Placement],
    /// The child begins with the daemon's own table of descriptors, and has to leave it first.
    pub(super) shares_descriptors: bool,
    pub(super) directory: Option<&'a CStr>,
    pub(super) umask: Option<u32>,
    pub(super) identity: Identity<'a>,
    pub(super) files_limit: Option<KernelLimit>,
    pub(super) ignores_sigpipe_and_sigxfsz: bool,
    pub(super) close_descriptors_below: i32,
    pub(super) exec_failure: &'a [u8],
    pub(super) directory_failure: &'a [u8],
    pub(super) identity_failure: &'a [u8],
    pub(super) report: &'a Report,
}

/// A step that failed, and its error number.
struct Failed(Stage, c_int);

/// Runs the child. Comes here with every signal blocked; never returns.
pub(super) fn run(plan: &Plan<'_>) -> ! {
    // Where messages go: to the child's standard error, before and after it has become descriptor 2.
    let mut message_descriptor = plan.descriptors.get(2).map_or(2, |placed| placed.source);
    let Failed(stage, errno) = become_program(plan, &mut message_descriptor);
    plan.report.errno.store(errno, Ordering::Relaxed);
    plan.report.stage.store(stage.to_code(), Ordering::Release);
    write_messages(plan, stage, errno, message_descriptor);
    exit_now()
}

/// All steps in the original's order; returns only if one fails.
fn become_program(plan: &Plan<'_>, message_descriptor: &mut RawFd) -> Failed {
    match set_up(plan, message_descriptor) {
        Err(failed) => failed,
        Ok(()) => Failed(Stage::Exec, execute(plan)),
    }
}

fn set_up(plan: &Plan<'_>, message_descriptor: &mut RawFd) -> Result<(), Failed> {
    // SAFETY: two numbers.
    check(unsafe { libc::syscall(libc::SYS_setpgid, 0 as c_int, 0 as c_int) })
        .map_err(|errno| Failed(Stage::ProcessGroup, errno))?;
    reset_signal_actions(plan.ignores_sigpipe_and_sigxfsz);
    if plan.shares_descriptors {
        leave_shared_descriptors(plan.descriptors)
            .map_err(|errno| Failed(Stage::Descriptors, errno))?;
    }
    place_descriptors(plan.descriptors).map_err(|errno| Failed(Stage::Descriptors, errno))?;
    *message_descriptor = 2;
    close_rest(plan.descriptors, plan.close_descriptors_below);
    if let Some(limit) = &plan.files_limit {
        set_files_limit(limit).map_err(|errno| Failed(Stage::Limits, errno))?;
    }
    take_identity(&plan.identity)?;
    if let Some(directory) = plan.directory {
        // SAFETY: a string that ends with NUL.
        check(unsafe { libc::syscall(libc::SYS_chdir, directory.as_ptr()) })
            .map_err(|errno| Failed(Stage::Directory, errno))?;
    }
    if let Some(mask) = plan.umask {
        // SAFETY: a number; the call cannot fail.
        unsafe { libc::syscall(libc::SYS_umask, mask) };
    }
    unblock_signals();
    Ok(())
}

/// Sets every signal to its default action. Exec would do so only for those that have a handler, and would keep
/// what the daemon ignores.
fn reset_signal_actions(ignores_sigpipe_and_sigxfsz: bool) {
    for signal in 1..=HIGHEST_SIGNAL {
        let ignored =
            ignores_sigpipe_and_sigxfsz && matches!(signal, libc::SIGPIPE | libc::SIGXFSZ);
        // The kernel's own `struct sigaction`, which begins with the handler on all our machines and is not
        // longer than this; not libc's, which is another.
        let action: [usize; 8] = [
            if ignored {
                libc::SIG_IGN
            } else {
                libc::SIG_DFL
            },
            0,
            0,
            0,
            0,
            0,
            0,
            0,
        ];
        // SAFETY: the action is read from initialised memory that is large enough, nothing is written back.
        // SIGKILL and SIGSTOP are refused, which changes nothing.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                action.as_ptr(),
                ptr::null_mut::<usize>(),
                KERNEL_SIGNAL_SET_BYTES,
            )
        };
    }
}

fn unblock_signals() {
    let none: u64 = 0;
    // SAFETY: the mask is read from initialised memory of the size given, nothing is written back.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const none,
            ptr::null_mut::<u64>(),
            KERNEL_SIGNAL_SET_BYTES,
        )
    };
}

/// Takes a table of descriptors of our own, which holds no more of the daemon's than what lies below those
/// that we need. From the daemon's own nothing is closed.
fn leave_shared_descriptors(needed: &[Placement]) -> Result<(), c_int> {
    let sources = needed.iter().map(|placed| placed.source);
    let highest = sources.max().unwrap_or_default();
    // SAFETY: numbers.
    check(unsafe {
        libc::syscall(
            libc::SYS_close_range,
            highest.unsigned_abs() + 1,
            c_uint::MAX,
            libc::CLOSE_RANGE_UNSHARE,
        )
    })?;
    Ok(())
}

/// Gives the descriptors their numbers, under which they survive the exec.
fn place_descriptors(placements: &[Placement]) -> Result<(), c_int> {
    let first_free = placements.last().map_or(0, |placed| placed.target) + 1;
    let mut sources = [0; MOST_DESCRIPTORS];
    for (source, placed) in sources.iter_mut().zip(placements) {
        *source = placed.source;
        // One whose number is itself a target would be overwritten by an earlier step.
        if placements.iter().any(|other| other.target == *source) {
            // SAFETY: numbers.
            let copy = check(unsafe {
                libc::syscall(libc::SYS_fcntl, *source, libc::F_DUPFD, first_free)
            })?;
            *source = c_int::try_from(copy).unwrap_or(*source);
        }
    }
    for (source, placed) in sources.into_iter().zip(placements) {
        // SAFETY: numbers.
        check(unsafe { libc::syscall(libc::SYS_dup3, source, placed.target, 0 as c_int) })?;
    }
    Ok(())
}

/// Closes all descriptors but those that were placed.
///
/// Only marking them close-on-exec would let the daemon's thread go on earlier (60 us instead of 140 us with 3,000
/// descriptors; the child's time is the same). But a child that hangs in exec, on a dead mount, would then hold the
/// daemon's listening sockets and the pipes of other services for as long as it hangs.
fn close_rest(placements: &[Placement], close_descriptors_below: i32) {
    let mut next: c_int = 0;
    for placed in placements {
        close_between(next, placed.target - 1, close_descriptors_below);
        next = placed.target + 1;
    }
    close_between(next, c_int::MAX, close_descriptors_below);
}

/// Closes the descriptors from `first` to `last`, both included.
fn close_between(first: c_int, last: c_int, close_descriptors_below: i32) {
    if first > last {
        return;
    }
    // Linux 5.9; some containers forbid it.
    // SAFETY: numbers; the child's table of descriptors is its own.
    let answer = check(unsafe { libc::syscall(libc::SYS_close_range, first, last, 0 as c_uint) });
    if answer.is_err() {
        for descriptor in first..=last.min(close_descriptors_below - 1) {
            // SAFETY: a number; that it may not be open is no harm.
            unsafe { libc::syscall(libc::SYS_close, descriptor) };
        }
    }
}

fn set_files_limit(limit: &KernelLimit) -> Result<(), c_int> {
    // SAFETY: the limit is read from initialised memory, nothing is written back.
    check(unsafe {
        libc::syscall(
            libc::SYS_prlimit64,
            0 as c_int,
            libc::RLIMIT_NOFILE,
            ptr::from_ref(limit),
            ptr::null_mut::<KernelLimit>(),
        )
    })?;
    Ok(())
}

fn take_identity(identity: &Identity<'_>) -> Result<(), Failed> {
    match identity {
        Identity::Keep => Ok(()),
        Identity::Refused => Err(Failed(Stage::Account, 0)),
        Identity::Switch { uid, gid, groups } => {
            // SAFETY: an array of as many ids as are announced.
            check(unsafe { libc::syscall(id_calls::SETGROUPS, groups.len(), groups.as_ptr()) })
                .map_err(|errno| Failed(Stage::Groups, errno))?;
            // SAFETY: a number.
            check(unsafe { libc::syscall(id_calls::SETGID, *gid) })
                .map_err(|errno| Failed(Stage::GroupId, errno))?;
            // SAFETY: a number.
            check(unsafe { libc::syscall(id_calls::SETUID, *uid) })
                .map_err(|errno| Failed(Stage::UserId, errno))?;
            Ok(())
        }
    }
}

/// Returns the error number: where exec succeeds, it does not return.
fn execute(plan: &Plan<'_>) -> c_int {
    // SAFETY: a string that ends with NUL, and two arrays of such strings that end with a null pointer; all of
    // them are kept alive by the thread that waits.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_execve,
            plan.program.as_ptr(),
            plan.arguments.as_ptr(),
            plan.environment.as_ptr(),
        )
    };
    match check(answer) {
        Ok(_) => 0,
        Err(errno) => errno,
    }
}

fn write_messages(plan: &Plan<'_>, stage: Stage, errno: c_int, descriptor: RawFd) {
    let name = errno_name(errno).unwrap_or("?").as_bytes();
    match stage {
        // The original says nothing more about these.
        Stage::ProcessGroup | Stage::Descriptors | Stage::Limits => {}
        Stage::Account => write_all(descriptor, [plan.identity_failure, b"", b"\n"]),
        Stage::Groups => write_all(
            descriptor,
            [
                plan.identity_failure,
                b"Could not set groups of effective user",
                b"\n",
            ],
        ),
        Stage::GroupId => write_all(
            descriptor,
            [
                plan.identity_failure,
                b"Could not set group id of effective user",
                b"\n",
            ],
        ),
        Stage::UserId => write_all(descriptor, [plan.identity_failure, name, b"\n"]),
        Stage::Directory => write_all(descriptor, [plan.directory_failure, name, b"\n"]),
        Stage::Exec => write_all(descriptor, [plan.exec_failure, name, b"\n"]),
    }
    write_all(descriptor, [NOT_SPAWNED, b"", b""]);
}

/// One write, so that no other writer of the same pipe gets in between. What does not fit is lost.
fn write_all(descriptor: RawFd, parts: [&[u8]; 3]) {
    let parts = parts.map(|part| libc::iovec {
        iov_base: part.as_ptr().cast_mut().cast(),
        iov_len: part.len(),
    });
    // SAFETY: three parts that are only read, each as long as announced.
    unsafe { libc::syscall(libc::SYS_writev, descriptor, parts.as_ptr(), parts.len()) };
}

fn exit_now() -> ! {
    loop {
        // SAFETY: ends this process without running anything else; unlike `exit`, no handlers of the daemon.
        unsafe { libc::syscall(libc::SYS_exit_group, EXIT_NOT_SPAWNED) };
    }
}

fn check(answer: c_long) -> Result<c_long, c_int> {
    if answer != -1 {
        return Ok(answer);
    }
    // SAFETY: the address of this thread's error number is always valid.
    let address = unsafe { libc::__errno_location() };
    // SAFETY: as above; the thread that shares it with us sleeps.
    Err(unsafe { *address })
}
