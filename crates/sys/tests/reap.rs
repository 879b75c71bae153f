//! Reaping, in processes of their own: a test that waits for any child must not take another test's.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use std::ffi::OsString;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use linchpin_sys::Pid;
use linchpin_sys::group;
use linchpin_sys::helper::{HelperError, run_helper};
use linchpin_sys::reap::{self, ExitStatus, Waited};
use linchpin_sys::spawn::{Command, SpawnSlot, Stream, spawn};

const SIGTERM: i32 = 15;

/// Runs the rest of a test in a process of its own; whether this is that process.
fn in_own_process(test: &str) -> bool {
    const MARK: &str = "LINCHPIN_TEST_IN_OWN_PROCESS";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(MARK, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(text.contains("1 passed"), "{text}");
    false
}

fn shell(script: &str) -> Command {
    let arguments = ["sh", "-c", script].map(OsString::from);
    Command::new("/bin/sh", arguments.into())
}

fn start(script: &str) -> Pid {
    let prepared = shell(script).prepare().unwrap();
    spawn(&prepared, &SpawnSlot::new()).unwrap().pid
}

/// Sleeps until some child has ended, without taking it.
fn until_one_ended() {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
}

fn until_ended(pid: Pid) {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let id = rustix::process::Pid::from_raw(pid.get()).unwrap();
    waitid(
        WaitId::Pid(id),
        WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
    )
    .unwrap();
}

#[test]
fn without_children_there_is_nothing() {
    if !in_own_process("without_children_there_is_nothing") {
        return;
    }
    assert_eq!(reap::peek().unwrap(), None);
    assert_eq!(reap::reap_any().unwrap(), None);
    assert_eq!(reap::children().unwrap(), []);
    let error = reap::reap(Pid::of_this_process()).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ECHILD));
}

#[test]
fn a_child_is_looked_at_first_and_taken_later() {
    if !in_own_process("a_child_is_looked_at_first_and_taken_later") {
        return;
    }
    let pid = start("read x; exit 7");
    let expected = Waited {
        pid,
        status: ExitStatus::Exited(7),
    };
    until_one_ended();
    assert_eq!(reap::peek().unwrap(), Some(expected));
    assert_eq!(reap::peek().unwrap(), Some(expected));
    assert_eq!(reap::peek_at(pid).unwrap(), Some(expected));
    assert_eq!(reap::children().unwrap(), [pid]);
    assert_eq!(reap::reap(pid).unwrap(), Some(expected));
    assert_eq!(reap::peek().unwrap(), None);
    assert!(reap::reap(pid).is_err());
}

#[test]
fn a_child_that_lives_is_not_shown() {
    if !in_own_process("a_child_that_lives_is_not_shown") {
        return;
    }
    let pid = start("exec sleep 1000");
    assert_eq!(reap::peek().unwrap(), None);
    assert_eq!(reap::reap(pid).unwrap(), None);
    group::kill(pid, SIGTERM).unwrap();
    until_one_ended();
    let waited = reap::reap_any().unwrap().unwrap();
    assert_eq!(waited.status.to_string(), "terminated by SIGTERM");
}

#[test]
fn a_leader_kept_as_a_zombie_keeps_its_group_and_hides_nobody_from_a_list() {
    if !in_own_process("a_leader_kept_as_a_zombie_keeps_its_group_and_hides_nobody_from_a_list") {
        return;
    }
    // A leader that ends and leaves a member of its group behind.
    let leader = start("sleep 1000 & exit 3");
    until_ended(leader);
    let other = start("exit 4");
    until_ended(other);
    assert_eq!(reap::peek().unwrap().unwrap().pid, leader);
    let mut children = reap::children().unwrap();
    children.sort();
    let mut expected = [leader, other];
    expected.sort();
    assert_eq!(children, expected);
    assert_eq!(reap::reap(other).unwrap().unwrap().status.code(), 4);

    assert!(group::group_exists(leader));
    // The member is a fork of the shell until its exec.
    let deadline = Instant::now() + Duration::from_secs(30);
    let members = loop {
        let members = group::group_members(leader).unwrap();
        let is_fork = |m: &group::Member| m.command == "sh" && !m.is_zombie;
        if !members.iter().any(is_fork) || Instant::now() > deadline {
            break members;
        }
        std::thread::yield_now();
    };
    let names: Vec<_> = members
        .iter()
        .map(|m| (m.command.as_str(), m.is_zombie))
        .collect();
    assert_eq!(names, [("sh", true), ("sleep", false)]);
    group::kill_group(leader, 9).unwrap();
    assert_eq!(reap::reap(leader).unwrap().unwrap().status.code(), 3);
}

#[test]
fn an_empty_group_does_not_exist() {
    if !in_own_process("an_empty_group_does_not_exist") {
        return;
    }
    let pid = start("exit 0");
    until_ended(pid);
    assert!(group::group_exists(pid));
    reap::reap(pid).unwrap();
    assert!(!group::group_exists(pid));
    let error = group::kill_group(pid, SIGTERM).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ESRCH));
    assert_eq!(group::group_members(pid).unwrap(), []);
}

#[test]
fn a_subreaper_gets_orphans() {
    if !in_own_process("a_subreaper_gets_orphans") {
        return;
    }
    assert!(!reap::is_pid1());
    reap::set_child_subreaper().unwrap();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut command = shell("(exec sleep 1000) & echo $!");
    command.stdout = Stream::Descriptor(OwnedFd::from(writer));
    let prepared = command.prepare().unwrap();
    let parent = spawn(&prepared, &SpawnSlot::new()).unwrap().pid;
    drop(prepared);
    until_ended(parent);
    reap::reap(parent).unwrap();
    let orphans = reap::children().unwrap();
    assert_eq!(orphans.len(), 1);
    group::kill(orphans[0], 9).unwrap();
    until_one_ended();
    let waited = reap::reap_any().unwrap().unwrap();
    assert_eq!(waited.pid, orphans[0]);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text.trim(), orphans[0].to_string());
}

#[test]
fn many_orphans_leave_no_zombie() {
    if !in_own_process("many_orphans_leave_no_zombie") {
        return;
    }
    reap::set_child_subreaper().unwrap();
    start("i=0; while [ $i -lt 300 ]; do (sh -c 'exit 5' &); i=$((i+1)); done");
    let mut count = 0;
    while count < 301 {
        until_one_ended();
        while let Some(waited) = reap::reap_any().unwrap() {
            count += usize::from(matches!(waited.status.code(), 0 | 5));
        }
        if reap::children().unwrap().is_empty() {
            break;
        }
    }
    // The inner subshells are reaped by their parent shell or by us.
    assert!(count >= 301, "{count}");
    assert_eq!(reap::children().unwrap(), []);
}

#[test]
fn a_death_before_spawn_returned_is_in_the_slot() {
    if !in_own_process("a_death_before_spawn_returned_is_in_the_slot") {
        return;
    }
    // Whoever reaps at once may see a child before the thread that starts it knows its id: it is in the slot then.
    let slot = Arc::new(SpawnSlot::new());
    let spawner = {
        let slot = Arc::clone(&slot);
        thread::spawn(move || {
            let missing = || Command::new("/nonexistent", vec![OsString::from("missing")]);
            let prepared: Vec<_> = (0..300).map(|_| missing().prepare().unwrap()).collect();
            let mut pids = Vec::new();
            for prepared in &prepared {
                pids.push(spawn(prepared, &slot).unwrap().pid);
                while slot.pid().is_some() {
                    thread::yield_now();
                }
            }
            pids
        })
    };
    let mut reaped = Vec::new();
    while reaped.len() < 300 {
        if let Some(waited) = reap::reap_any().unwrap() {
            assert_eq!(slot.pid(), Some(waited.pid));
            assert_eq!(waited.status.code(), 127);
            reaped.push(waited.pid);
            // Clear it only after spawn can have returned: it stores nothing later.
            slot.clear();
        }
    }
    assert_eq!(spawner.join().unwrap(), reaped);
}

#[test]
fn a_helper_is_invisible_to_whoever_reaps() {
    if !in_own_process("a_helper_is_invisible_to_whoever_reaps") {
        return;
    }
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let reaper = {
        let done = Arc::clone(&done);
        thread::spawn(move || {
            let mut seen = Vec::new();
            while !done.load(std::sync::atomic::Ordering::SeqCst) {
                seen.extend(reap::peek().unwrap());
                seen.extend(reap::reap_any().unwrap());
            }
            seen
        })
    };
    let limit = Duration::from_secs(60);
    for code in 0..50 {
        let output = run_helper(shell(&format!("echo out; exit {code}")), limit, 100).unwrap();
        assert_eq!(output.output, b"out\n");
        assert_eq!(output.status, ExitStatus::Exited(code));
    }
    done.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(reaper.join().unwrap(), []);
    assert_eq!(reap::children().unwrap(), []);
}

#[test]
fn a_helper_is_bounded() {
    if !in_own_process("a_helper_is_bounded") {
        return;
    }
    let short = Duration::from_millis(30);
    let long = Duration::from_secs(60);
    for script in [
        "sleep 1000",
        "exec >&-; exec sleep 1000",
        "sleep 1000 & exit 0",
    ] {
        let error = run_helper(shell(script), short, 100).unwrap_err();
        assert!(
            matches!(error, HelperError::TooSlow(_)),
            "{script}: {error}"
        );
    }
    let error = run_helper(shell("exec cat /dev/zero"), long, 100_000).unwrap_err();
    assert_eq!(error.to_string(), "more than 100000 bytes of output");
    let missing = Command::new("/nonexistent", vec![OsString::from("missing")]);
    let error = run_helper(missing, long, 100).unwrap_err();
    assert!(matches!(error, HelperError::Exec(_)), "{error}");
    assert_eq!(reap::children().unwrap(), []);
}
