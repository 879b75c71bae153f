//! What a spawn costs: ours beside `posix_spawn` and `fork` + `exec`, in a small process, with a large heap, and with
//! many open descriptors.
//!
//! `cargo run --release -p linchpin-sys --example spawn_cost [rounds]`. Two times for each way, in microseconds: until
//! the call returned, and until the child (`/bin/true`) was reaped. Medians; run it on a quiet machine.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for people, who can read a panic"
)]

use std::ffi::CString;
use std::fs::File;
use std::time::Instant;

use linchpin_sys::Pid;
use linchpin_sys::reap::reap;
use linchpin_sys::spawn::{Command, SpawnSlot, spawn};

const HEAP_BYTES: usize = 200 << 20;
const DESCRIPTORS: usize = 3000;

/// A way to start `/bin/true`.
type Way = fn() -> Pid;

fn main() {
    let rounds = std::env::args()
        .nth(1)
        .map_or(1000, |text| text.parse().unwrap());
    measure("small process", rounds);

    let mut heap = vec![0_u8; HEAP_BYTES];
    for page in heap.chunks_mut(4096) {
        page[0] = 1;
    }
    measure("200 MB heap", rounds);
    drop(heap);

    linchpin_sys::limits::take_all_files();
    let files: Vec<File> = (0..DESCRIPTORS)
        .map_while(|_| File::open("/dev/null").ok())
        .collect();
    measure(&format!("{} open descriptors", files.len()), rounds);
}

fn measure(what: &str, rounds: usize) {
    println!("{what}:");
    let ways: [(&str, Way); 3] = [
        ("linchpin", with_linchpin),
        ("posix_spawn", with_posix_spawn),
        ("fork + exec", with_fork),
    ];
    for (name, way) in ways {
        let mut started = Vec::with_capacity(rounds);
        let mut reaped = Vec::with_capacity(rounds);
        for _ in 0..rounds {
            let begin = Instant::now();
            let pid = way();
            started.push(begin.elapsed().as_nanos());
            wait(pid);
            reaped.push(begin.elapsed().as_nanos());
        }
        println!("  {name:12} {:>7} {:>7}", median(started), median(reaped));
    }
}

fn median(mut times: Vec<u128>) -> String {
    times.sort_unstable();
    let nanoseconds = times.get(times.len() / 2).copied().unwrap_or(0);
    format!("{}.{}", nanoseconds / 1000, nanoseconds / 100 % 10)
}

fn wait(pid: Pid) {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let id = rustix::process::Pid::from_raw(pid.get()).unwrap();
    waitid(
        WaitId::Pid(id),
        WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
    )
    .unwrap();
    reap(pid).unwrap();
}

fn with_linchpin() -> Pid {
    let prepared = Command::new("/bin/true", vec!["true".into()])
        .prepare()
        .unwrap();
    spawn(&prepared, &SpawnSlot::new()).unwrap().pid
}

/// Without the work that a daemon needs: no descriptors, no group, no signals.
fn with_posix_spawn() -> Pid {
    let program = CString::new("/bin/true").unwrap();
    let arguments = [program.as_ptr().cast_mut(), std::ptr::null_mut()];
    let environment = [std::ptr::null_mut()];
    let mut pid = 0;
    // SAFETY: strings and arrays that end with NUL and a null pointer and live until the call returns.
    let error = unsafe {
        libc::posix_spawn(
            &raw mut pid,
            program.as_ptr(),
            std::ptr::null(),
            std::ptr::null(),
            arguments.as_ptr(),
            environment.as_ptr(),
        )
    };
    assert_eq!(error, 0);
    Pid::new(pid).unwrap()
}

/// Likewise.
fn with_fork() -> Pid {
    let program = CString::new("/bin/true").unwrap();
    let arguments = [program.as_ptr(), std::ptr::null()];
    let environment = [std::ptr::null()];
    // SAFETY: this program has one thread, and the child only execs.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        // SAFETY: as in `with_posix_spawn`.
        unsafe { libc::execve(program.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
        // SAFETY: ends the child.
        unsafe { libc::_exit(127) };
    }
    Pid::new(pid).unwrap()
}
