//! What only a process with a single thread can do: signals that arrive at a descriptor, going to the background,
//! becoming another user. Each check runs in a process of its own, made of this same program.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may fail and tells what it does"
)]

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use linchpin_sys::accounts::Accounts;
use linchpin_sys::credentials::Credentials;
use linchpin_sys::daemonize::{self, Fork};
use linchpin_sys::limits::{self, Ensured, Limit, Resource};
use linchpin_sys::privileges;
use linchpin_sys::reap;
use linchpin_sys::signals::{self, SignalFd, SignalSet};
use linchpin_sys::spawn::{self, SpawnSlot, spawn};
use linchpin_sys::{Pid, group};

const CHECKS: [(&str, fn()); 9] = [
    (
        "a_childs_end_arrives_at_the_descriptor_with_its_sender",
        childs_end_arrives,
    ),
    (
        "equal_signals_arrive_once_and_different_ones_in_order_of_number",
        equal_signals_arrive_once,
    ),
    (
        "children_do_not_inherit_blocked_signals",
        children_inherit_no_mask,
    ),
    (
        "the_background_process_has_its_own_session_and_no_streams",
        background,
    ),
    ("a_process_with_threads_is_not_forked", no_fork_with_threads),
    ("root_becomes_a_user_with_all_groups", root_becomes_a_user),
    (
        "the_user_it_already_is_needs_nothing",
        same_user_needs_nothing,
    ),
    ("refusals_have_the_originals_texts", refusals),
    (
        "limits_are_raised_and_children_get_the_old_ones",
        limits_are_raised,
    ),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mark, name] = arguments.as_slice()
        && mark == "--run"
    {
        let (_, check) = CHECKS.iter().find(|(known, _)| known == name).unwrap();
        check();
        return;
    }
    // The harness of other tests takes names as filters and ignores options that it does not know here.
    let filter = arguments.iter().find(|argument| !argument.starts_with('-'));
    if arguments.iter().any(|argument| argument == "--list") {
        for (name, _) in CHECKS {
            println!("{name}: test");
        }
        return;
    }
    let mut failures = 0;
    for (name, _) in CHECKS {
        if filter.is_some_and(|filter| !name.contains(filter.as_str())) {
            continue;
        }
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--run", name])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let word = if output.status.success() {
            "ok"
        } else {
            "FAILED"
        };
        println!("test {name} ... {word}");
        std::io::stdout().write_all(&output.stdout).unwrap();
        if !output.status.success() {
            std::io::stdout().write_all(&output.stderr).unwrap();
            failures += 1;
        }
    }
    assert_eq!(failures, 0, "checks failed");
}

const SIGUSR1: i32 = 10;
const SIGTERM: i32 = 15;
const SIGCHLD: i32 = 17;

fn start(script: &str) -> Pid {
    let arguments = ["sh", "-c", script].map(OsString::from).into();
    let prepared = spawn::Command::new("/bin/sh", arguments).prepare().unwrap();
    spawn(&prepared, &SpawnSlot::new()).unwrap().pid
}

fn wait(pid: Pid) -> i32 {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let id = rustix::process::Pid::from_raw(pid.get()).unwrap();
    waitid(
        WaitId::Pid(id),
        WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
    )
    .unwrap();
    reap::reap(pid).unwrap().unwrap().status.code()
}

fn is_root(what: &str) -> bool {
    let root = privileges::is_root();
    if !root {
        println!("{what}: skipped, only root can do that");
    }
    root
}

fn childs_end_arrives() {
    let set = SignalSet::of(&[SIGCHLD]);
    signals::block(&set).unwrap();
    let signal_fd = SignalFd::new(&set).unwrap();
    let error = signal_fd.read().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    let pid = start("exit 0");
    wait(pid);
    let received = signal_fd.read().unwrap();
    assert_eq!((received.signal, received.sender_pid), (SIGCHLD, pid.get()));
    assert_eq!(received.sender_uid, rustix::process::getuid().as_raw());
    assert!(signal_fd.read().is_err());
}

fn equal_signals_arrive_once() {
    let set = SignalSet::of(&[SIGUSR1, SIGTERM]);
    signals::block(&set).unwrap();
    let signal_fd = SignalFd::new(&set).unwrap();
    let myself = Pid::of_this_process();
    for signal in [SIGTERM, SIGUSR1, SIGTERM, SIGUSR1] {
        group::kill(myself, signal).unwrap();
    }
    let received = |signal| {
        let received = signal_fd.read().unwrap();
        assert_eq!(
            (received.signal, received.sender_pid),
            (signal, myself.get())
        );
    };
    received(SIGUSR1);
    received(SIGTERM);
    assert!(signal_fd.read().is_err());
}

fn children_inherit_no_mask() {
    let set = SignalSet::of(&[SIGTERM, SIGCHLD, SIGUSR1]);
    signals::block(&set).unwrap();
    signals::ignore(SIGUSR1).unwrap();
    let pid = start("kill -USR1 $$; exit 1");
    assert_eq!(wait(pid), -1);
    let pid = start("exec grep -q '^SigBlk:.0000000000000000$' /proc/self/status");
    assert_eq!(wait(pid), 0);
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let blocked = status
        .lines()
        .find(|line| line.starts_with("SigBlk"))
        .unwrap();
    assert!(blocked.ends_with("14200"), "{blocked}");
}

fn background() {
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    let directory = fs::canonicalize(std::env::temp_dir()).unwrap();
    match daemonize::fork().unwrap() {
        Fork::Parent => {
            drop(writer);
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            let expected = "/dev/null /dev/null /dev/null";
            let expected = format!("{expected} {} 027 leader\n", directory.display());
            assert_eq!(text, expected);
        }
        Fork::Child => {
            drop(reader);
            daemonize::change_directory(&directory).unwrap();
            daemonize::close_streams().unwrap();
            daemonize::leave_session().unwrap();
            daemonize::set_umask(0o027);
            for number in 0..3 {
                let target = fs::read_link(format!("/proc/self/fd/{number}")).unwrap();
                write!(writer, "{} ", target.display()).unwrap();
            }
            let umask = daemonize::set_umask(0);
            let session = rustix::process::getsid(None).unwrap();
            let leads = session == rustix::process::getpid();
            let directory = std::env::current_dir().unwrap();
            let word = if leads { "leader" } else { "member" };
            writeln!(writer, "{} {umask:03o} {word}", directory.display()).unwrap();
            daemonize::exit_immediately(0);
        }
    }
}

fn no_fork_with_threads() {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || receiver.recv());
    let error = daemonize::fork().unwrap_err();
    assert_eq!(error.to_string(), "cannot fork with 2 threads");
    drop(sender);
    assert!(thread.join().unwrap().is_err());
}

const PASSWD: &str = "root:x:0:0::/root:/bin/sh\nweb:x:12345:23456::/:/bin/sh\n";
const GROUP: &str = "root:x:0:\nweb:x:23456:\nlogs:x:4:other,web\nssl:x:4321:web\n";

fn accounts() -> (tempfile::TempDir, Accounts) {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("etc")).unwrap();
    fs::write(root.path().join("etc/passwd"), PASSWD).unwrap();
    fs::write(root.path().join("etc/group"), GROUP).unwrap();
    let accounts = Accounts::under(root.path());
    (root, accounts)
}

fn root_becomes_a_user() {
    if !is_root("root becomes a user") {
        return;
    }
    let (root, accounts) = accounts();
    // Threads that exist already change with the rest.
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || receiver.recv());
    privileges::drop_privileges(12345, &accounts).unwrap();
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        let has = |line: &str| assert!(status.lines().any(|l| l.trim_end() == line), "{status}");
        has("Uid:\t12345\t12345\t12345\t12345");
        has("Gid:\t23456\t23456\t23456\t23456");
        has("Groups:\t4 4321 23456");
    }
    drop(sender);
    assert!(thread.join().unwrap().is_err());
    let error = privileges::drop_privileges(0, &accounts).unwrap_err();
    assert_eq!(error.to_string(), "Can't drop privilege as nonroot user");
    privileges::drop_privileges(12345, &accounts).unwrap();
    // Not ours any more.
    std::mem::forget(root);
}

fn same_user_needs_nothing() {
    let (_root, accounts) = accounts();
    if is_root("root stays root") {
        let before = fs::read_to_string("/proc/self/status").unwrap();
        privileges::drop_privileges(0, &accounts).unwrap();
        assert_eq!(
            Credentials::for_uid(0, &accounts).unwrap(),
            Credentials::Keep
        );
        let groups = |status: &str| {
            let line = status.lines().find(|line| line.starts_with("Groups"));
            line.unwrap().to_owned()
        };
        let after = fs::read_to_string("/proc/self/status").unwrap();
        assert_eq!(groups(&before), groups(&after));
        let web = Credentials::Switch {
            uid: 12345,
            gid: 23456,
            groups: vec![23456, 4, 4321],
        };
        assert_eq!(Credentials::for_uid(12345, &accounts).unwrap(), web);
    }
}

fn refusals() {
    let (_root, accounts) = accounts();
    let error = privileges::drop_privileges(4242, &accounts).unwrap_err();
    assert_eq!(error.to_string(), "Can't find uid 4242");
    let refused = Credentials::Refused {
        uid: 4242,
        why: "Can't find uid 4242".to_owned(),
    };
    assert_eq!(Credentials::for_uid(4242, &accounts).unwrap(), refused);
}

fn limits_are_raised() {
    let hard = Limit::get(Resource::Files).hard;
    let low = Limit {
        soft: Some(64),
        hard,
    };
    low.set(Resource::Files).unwrap();
    let done = limits::ensure_minimum(Resource::Files, 100).unwrap();
    assert_eq!(done.to_string(), "Increased RLIMIT_NOFILE limit to 100");
    let done = limits::ensure_minimum(Resource::Files, 100).unwrap();
    assert_eq!(done, Ensured::Enough);
    let for_children = limits::take_all_files();
    assert_eq!(
        for_children,
        Limit {
            soft: Some(100),
            hard
        }
    );
    assert_eq!(Limit::get(Resource::Files), Limit { soft: hard, hard });
    let arguments = ["sh", "-c", "[ $(ulimit -Sn) = 100 ]"].map(OsString::from);
    let mut command = spawn::Command::new("/bin/sh", arguments.into());
    command.files_limit = Some(for_children);
    let pid = spawn(&command.prepare().unwrap(), &SpawnSlot::new())
        .unwrap()
        .pid;
    assert_eq!(wait(pid), 0);
}
