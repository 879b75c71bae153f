//! What a child finds itself to be. Every test reaps only its own children.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may fail the test"
)]

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use linchpin_sys::Pid;
use linchpin_sys::credentials::Credentials;
use linchpin_sys::group;
use linchpin_sys::limits::{Limit, Resource};
use linchpin_sys::pipe::{self, NonBlocking, Pipe};
use linchpin_sys::reap::{self, ExitStatus};
use linchpin_sys::spawn::{Command, Environment, SpawnSlot, Spawned, Stage, Stderr, Stream, spawn};

/// A command with the name as its argument 0.
fn command(program: &str, arguments: &[&str]) -> Command {
    let arguments = [program]
        .iter()
        .chain(arguments)
        .map(OsString::from)
        .collect();
    Command::new(program, arguments)
}

fn shell(script: &str) -> Command {
    command("/bin/sh", &["-c", script])
}

fn start(command: Command) -> Spawned {
    spawn(&command.prepare().unwrap(), &SpawnSlot::new()).unwrap()
}

/// Waits without polling, for a child of our own.
fn wait(pid: Pid) -> ExitStatus {
    let id = rustix::process::Pid::from_raw(pid.get()).unwrap();
    rustix::process::waitid(
        rustix::process::WaitId::Pid(id),
        rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT,
    )
    .unwrap();
    reap::reap(pid).unwrap().unwrap().status
}

/// Runs the command and gives all it wrote to standard output and error, and how it ended.
fn run(mut command: Command) -> (String, ExitStatus, Spawned) {
    let (mut reader, writer) = std::io::pipe().unwrap();
    command.stdout = Stream::Descriptor(OwnedFd::from(writer));
    command.stderr = Stderr::SameAsStdout;
    let prepared = command.prepare().unwrap();
    let spawned = spawn(&prepared, &SpawnSlot::new()).unwrap();
    drop(prepared);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    let status = wait(spawned.pid);
    (text, status, spawned)
}

fn output(command: Command) -> String {
    let (text, status, spawned) = run(command);
    assert_eq!(status, ExitStatus::Exited(0), "{text}");
    assert_eq!(spawned.failed, None);
    text
}

fn running_as_root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("{test}: skipped, only root can switch users");
    }
    root
}

#[test]
fn exit_statuses_arrive() {
    for code in [0, 1, 3, 127, 255] {
        let spawned = start(shell(&format!("exit {code}")));
        assert_eq!(spawned.failed, None);
        assert_eq!(wait(spawned.pid), ExitStatus::Exited(code));
    }
}

#[test]
fn signals_arrive_as_such() {
    for signal in [1, 9, 15, 34] {
        let spawned = start(shell("exec sleep 1000"));
        group::kill(spawned.pid, signal).unwrap();
        let expected = ExitStatus::Signaled {
            signal,
            core_dumped: false,
        };
        assert_eq!(wait(spawned.pid), expected);
    }
}

#[test]
fn the_slot_holds_the_pid() {
    let slot = SpawnSlot::new();
    assert_eq!(slot.pid(), None);
    let prepared = shell("exit 0").prepare().unwrap();
    let spawned = spawn(&prepared, &slot).unwrap();
    assert_eq!(slot.pid(), Some(spawned.pid));
    wait(spawned.pid);
    slot.clear();
    assert_eq!(slot.pid(), None);
}

#[test]
fn environment_is_exactly_what_was_given() {
    let mut command = command("/usr/bin/env", &[]);
    command.environment = vec![
        ("A".into(), "1".into()),
        ("B".into(), "two words = fine".into()),
        ("EMPTY".into(), "".into()),
    ];
    assert_eq!(output(command), "A=1\nB=two words = fine\nEMPTY=\n");
}

#[test]
fn own_variables_come_before_shared_ones() {
    let variables = |pairs: &[(&str, &str)]| -> Vec<(OsString, OsString)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect()
    };
    let shared = Environment::new(variables(&[
        ("A", "1"),
        ("B", "2"),
        ("AB", "3"),
        ("B", "4"),
    ]))
    .unwrap();
    let mut command = command("/usr/bin/env", &[]);
    command.shared_environment = Arc::new(shared);
    command.environment = variables(&[("A", "own"), ("C", "5")]);
    assert_eq!(output(command), "B=4\nAB=3\nA=own\nC=5\n");
    Environment::new(variables(&[("A", "b\0c")])).unwrap_err();
}

#[test]
fn argument_zero_stays_as_written() {
    let arguments = ["wrong-name", "-c", "echo $0 $1", "x", "y"];
    let command = Command::new("/bin/sh", arguments.map(OsString::from).into());
    assert_eq!(output(command), "x y\n");
    let mut command = Command::new(
        "/bin/cat",
        ["my cat", "/proc/self/cmdline"].map(OsString::from).into(),
    );
    command.directory = Some("/".into());
    assert_eq!(output(command), "my cat\0/proc/self/cmdline\0");
}

#[test]
fn directory_and_umask_are_applied() {
    let directory = tempfile::tempdir().unwrap();
    let real = fs::canonicalize(directory.path()).unwrap();
    let mut command = shell("pwd -P; umask; : > made");
    command.directory = Some(directory.path().to_owned());
    command.umask = Some(0o027);
    assert_eq!(output(command), format!("{}\n0027\n", real.display()));
    let mode = fs::metadata(real.join("made"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn a_child_leads_its_own_process_group_in_our_session() {
    let (text, _, spawned) = run(shell("cat /proc/$$/stat"));
    let ours = std::fs::read_to_string("/proc/self/stat").unwrap();
    // The fields after the name: state, parent, process group, session. Ours comes from the same place,
    // because a session whose leader is outside of our pid namespace has no number but 0.
    let fields = |stat: &str| -> Vec<String> {
        let after_name = stat.rsplit(')').next().unwrap();
        after_name.split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(fields(&text)[2], spawned.pid.to_string());
    assert_eq!(fields(&text)[3], fields(&ours)[3]);
}

#[test]
fn signal_mask_is_empty_and_only_two_signals_are_ignored() {
    // Rust programs ignore SIGPIPE; the child must not inherit what else we ignore.
    linchpin_sys::signals::ignore(libc_signal("SIGUSR2")).unwrap();
    let status = output(command("/bin/cat", &["/proc/self/status"]));
    let pipe_and_xfsz = (1_u64 << (13 - 1)) | (1 << (25 - 1));
    assert_eq!(signal_line(&status, "SigBlk"), 0);
    assert_eq!(signal_line(&status, "SigCgt"), 0);
    assert_eq!(signal_line(&status, "SigIgn"), pipe_and_xfsz);

    let mut none_ignored = command("/bin/cat", &["/proc/self/status"]);
    none_ignored.ignores_sigpipe_and_sigxfsz = false;
    assert_eq!(signal_line(&output(none_ignored), "SigIgn"), 0);
}

fn libc_signal(name: &str) -> i32 {
    linchpin_python::signals::parse_signal(name).unwrap()
}

fn signal_line(status: &str, key: &str) -> u64 {
    let line = status.lines().find(|line| line.starts_with(key)).unwrap();
    u64::from_str_radix(line.rsplit('\t').next().unwrap(), 16).unwrap()
}

#[test]
fn the_callers_signal_mask_is_restored() {
    let own_mask = || {
        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
        signal_line(&status, "SigBlk")
    };
    let before = own_mask();
    wait(start(shell("exit 0")).pid);
    wait(start(command("/nonexistent", &[])).pid);
    assert_eq!(own_mask(), before);
}

#[test]
fn only_three_descriptors_are_open() {
    // One that would survive an exec, as something inherited would.
    let inherited = rustix::io::dup(std::io::stderr()).unwrap();
    assert!(inherited.as_raw_fd() > 2);
    // The listing itself has one open.
    let names = output(command("/bin/ls", &["/proc/self/fd"]));
    assert_eq!(names, "0\n1\n2\n3\n");
}

#[test]
fn streams_go_where_they_should() {
    let (mut error_reader, error_writer) = std::io::pipe().unwrap();
    let (mut output_reader, output_writer) = std::io::pipe().unwrap();
    let (input_reader, input_writer) = std::io::pipe().unwrap();
    let mut command =
        shell("read word; echo out $word; echo err >&2; readlink /proc/self/fd/0 >&2");
    command.stdin = Stream::Descriptor(input_reader.into());
    command.stdout = Stream::Descriptor(output_writer.into());
    command.stderr = Stderr::Own(Stream::Descriptor(error_writer.into()));
    let spawned = start(command);
    std::io::Write::write_all(&mut &input_writer, b"word\n").unwrap();
    let mut text = String::new();
    output_reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "out word\n");
    text.clear();
    error_reader.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("err\npipe:["), "{text}");
    wait(spawned.pid);

    let null = output(shell("readlink /proc/self/fd/0"));
    assert_eq!(null, "/dev/null\n");
}

#[test]
fn limit_of_open_files_is_given_back() {
    let ours = Limit::get(Resource::Files);
    let mut command = shell("ulimit -Sn; ulimit -Hn");
    command.files_limit = Some(Limit {
        soft: Some(77),
        hard: ours.hard,
    });
    let text = output(command);
    assert!(text.starts_with("77\n"), "{text}");
    assert_eq!(Limit::get(Resource::Files), ours);
}

/// Checks that the child said so, that the stage is right, and that it exited with 127.
fn check_failure(command: Command, stage: Stage, message: &str) {
    let (text, status, spawned) = run(command);
    let failed = spawned.failed.unwrap();
    assert_eq!((failed.stage, failed.message.as_str()), (stage, message));
    let lines = format!("supervisor: {message}\nsupervisor: child process was not spawned\n");
    assert_eq!(text, lines);
    assert_eq!(status, ExitStatus::Exited(127));
}

/// A file with this content, written by a shell: a child of another test would for a moment have our descriptor for
/// writing too, and a file that is open for writing cannot be executed.
fn script(directory: &Path, content: &str) -> String {
    let path = directory.join("script").to_str().unwrap().to_owned();
    let mut writer = command(
        "/bin/sh",
        &[
            "-c",
            "echo \"$1\" > \"$0\" && /bin/chmod 755 \"$0\"",
            &path,
            content,
        ],
    );
    writer.umask = Some(0o022);
    output(writer);
    path
}

#[test]
fn failing_steps_are_told_as_the_original_tells_them() {
    let directory = tempfile::tempdir().unwrap();
    let no_header = script(directory.path(), "echo hello");
    check_failure(
        command(&no_header, &[]),
        Stage::Exec,
        &format!("couldn't exec {no_header}: ENOEXEC"),
    );
    check_failure(
        command("/nonexistent/program", &[]),
        Stage::Exec,
        "couldn't exec /nonexistent/program: ENOENT",
    );
    check_failure(
        command("/etc", &["argument"]),
        Stage::Exec,
        "couldn't exec /etc: EACCES",
    );
    let mut missing = shell("exit 0");
    missing.directory = Some("/nonexistent/directory".into());
    check_failure(
        missing,
        Stage::Directory,
        "couldn't chdir to /nonexistent/directory: ENOENT",
    );
    let mut refused = shell("exit 0");
    refused.credentials = Credentials::Refused {
        uid: 4242,
        why: "Can't find uid 4242".to_owned(),
    };
    check_failure(
        refused,
        Stage::Account,
        "couldn't setuid to 4242: Can't find uid 4242",
    );
}

/// Runs the rest of a test in a process of its own, where it may change what all threads share; whether this is that
/// process.
fn in_own_process(test: &str) -> bool {
    const MARK: &str = "LINCHPIN_TEST_IN_OWN_PROCESS";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(MARK, "1")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(text.contains("1 passed"), "{text}");
    false
}

#[test]
fn failing_descriptors_are_told() {
    if !in_own_process("failing_descriptors_are_told") {
        return;
    }
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut command = shell("exit 0");
    command.stderr = Stderr::Own(Stream::Descriptor(writer.into()));
    let prepared = command.prepare().unwrap();
    let before = Limit::get(Resource::Files);
    let two = Limit {
        soft: Some(2),
        ..before
    };
    two.set(Resource::Files).unwrap();
    let spawned = spawn(&prepared, &SpawnSlot::new()).unwrap();
    before.set(Resource::Files).unwrap();
    drop(prepared);
    let failed = spawned.failed.unwrap();
    assert_eq!(failed.stage, Stage::Descriptors);
    assert_eq!(failed.message, "couldn't set up descriptors: EBADF");
    // Said on the child's standard error, which is not descriptor 2 yet, and not on ours.
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "supervisor: child process was not spawned\n");
    assert_eq!(wait(spawned.pid), ExitStatus::Exited(127));
}

#[test]
fn descriptors_that_are_themselves_among_the_first_three_are_placed() {
    if !in_own_process("descriptors_that_are_themselves_among_the_first_three_are_placed") {
        return;
    }
    // As if the daemon had been started without any: the pipes get the lowest numbers.
    let (mut reader, stdout) = std::io::pipe().unwrap();
    let (input, mut writer) = std::io::pipe().unwrap();
    rustix::stdio::dup2_stdin(&stdout).unwrap();
    rustix::stdio::dup2_stderr(&input).unwrap();
    drop((stdout, input));
    // SAFETY: 0 and 2 have just been made by us, and nothing in this process uses them as anything else.
    let stdout = unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(0) };
    // SAFETY: as above.
    let stdin = unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(2) };
    let mut command = command("/bin/cat", &[]);
    command.stdin = Stream::Descriptor(stdin);
    command.stdout = Stream::Descriptor(stdout);
    let prepared = command.prepare().unwrap();
    let spawned = spawn(&prepared, &SpawnSlot::new()).unwrap();
    drop(prepared);
    std::io::Write::write_all(&mut writer, b"through").unwrap();
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "through");
    assert_eq!(wait(spawned.pid), ExitStatus::Exited(0));
}

#[test]
fn no_process_can_be_made_at_the_limit() {
    if !running_as_root("no_process_can_be_made_at_the_limit")
        || !in_own_process("no_process_can_be_made_at_the_limit")
    {
        return;
    }
    // Root is exempt from the limit.
    let none = Limit {
        soft: Some(0),
        hard: Some(0),
    };
    none.set(Resource::Processes).unwrap();
    // SAFETY: a number. Every thread of this process becomes that user.
    assert_eq!(unsafe { libc::setuid(54321) }, 0);
    let error = spawn(&shell("exit 0").prepare().unwrap(), &SpawnSlot::new()).unwrap_err();
    assert_eq!(
        error.spawnerr("web"),
        "Too many processes in process table to spawn 'web'"
    );
}

#[test]
fn too_long_arguments_are_told() {
    let long = "x".repeat(4 << 20);
    let mut long_argument = command("/bin/true", &[&long]);
    long_argument.arguments[0] = "true".into();
    check_failure(long_argument, Stage::Exec, "couldn't exec true: E2BIG");
}

#[test]
fn nul_bytes_are_refused() {
    let mut command = shell("exit 0");
    command.environment = vec![("A".into(), "b\0c".into())];
    let error = command.prepare().unwrap_err();
    assert_eq!(error.to_string(), "embedded null byte in environment");
}

#[test]
fn a_child_becomes_another_user_with_all_its_groups() {
    if !running_as_root("a_child_becomes_another_user_with_all_its_groups") {
        return;
    }
    let mut command = command("/bin/cat", &["/proc/self/status"]);
    command.credentials = Credentials::Switch {
        uid: 12345,
        gid: 23456,
        groups: vec![23456, 4, 4321],
    };
    let status = output(command);
    let line = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_once('\t').unwrap().1.trim().to_owned()
    };
    assert_eq!(line("Uid:"), "12345\t12345\t12345\t12345");
    assert_eq!(line("Gid:"), "23456\t23456\t23456\t23456");
    assert_eq!(line("Groups:"), "4 4321 23456");
    assert_eq!(line("CapEff:"), "0000000000000000");
    // We are still who we were, in every thread.
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        assert!(status.contains("Uid:\t0\t0\t0\t0"), "{status}");
    }
}

#[test]
fn a_switched_child_is_closed_to_its_user_before_exec_and_we_can_dump_core_after() {
    let name = "a_switched_child_is_closed_to_its_user_before_exec_and_we_can_dump_core_after";
    if !running_as_root(name) || !in_own_process(name) {
        return;
    }
    use rustix::process::{DumpableBehavior, dumpable_behavior};
    assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::Dumpable);
    // It hangs after the switch, because its last words do not fit into the pipe.
    let (reader, writer) = full_pipe();
    let slot = Arc::new(SpawnSlot::new());
    let spawner = {
        let slot = Arc::clone(&slot);
        thread::spawn(move || {
            let mut command = command("/nonexistent", &[]);
            command.stderr = Stderr::Own(Stream::Descriptor(writer));
            command.credentials = Credentials::Switch {
                uid: 12345,
                gid: 12345,
                groups: vec![12345],
            };
            let spawned = spawn(&command.prepare().unwrap(), &slot).unwrap();
            wait(spawned.pid)
        })
    };
    let is_switched = |pid: Pid| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.contains("Uid:\t12345")
    };
    while !slot.pid().is_some_and(is_switched) {
        thread::yield_now();
    }
    assert_ne!(dumpable_behavior().unwrap(), DumpableBehavior::Dumpable);
    // However long it hangs, it holds no pipe or socket of ours.
    let descriptors = fs::read_dir(format!("/proc/{}/fd", slot.pid().unwrap()));
    assert_eq!(descriptors.unwrap().count(), 3);
    // Another one comes and goes; the first still needs the protection.
    let mut other = command("/bin/true", &[]);
    other.credentials = Credentials::Switch {
        uid: 23456,
        gid: 23456,
        groups: vec![23456],
    };
    wait(start(other).pid);
    assert_ne!(dumpable_behavior().unwrap(), DumpableBehavior::Dumpable);
    drop(reader);
    assert_eq!(spawner.join().unwrap(), ExitStatus::Exited(127));
    assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::Dumpable);
}

/// A pipe into which a writer, who would wait, cannot write any more.
fn full_pipe() -> (OwnedFd, OwnedFd) {
    let pipe = Pipe::new(NonBlocking::Neither).unwrap();
    rustix::io::ioctl_fionbio(&pipe.writer, true).unwrap();
    while pipe::write(&pipe.writer, &[0; 4096]).is_ok() {}
    rustix::io::ioctl_fionbio(&pipe.writer, false).unwrap();
    (pipe.reader, pipe.writer)
}

#[test]
fn a_switched_child_may_not_enter_or_run_what_the_user_may_not() {
    if !running_as_root("a_switched_child_may_not_enter_or_run_what_the_user_may_not") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let closed = directory.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = shell("exit 0");
    command.directory = Some(closed.clone());
    command.credentials = Credentials::Switch {
        uid: 12345,
        gid: 12345,
        groups: vec![12345],
    };
    let message = format!("couldn't chdir to {}: EACCES", closed.display());
    check_failure(command, Stage::Directory, &message);
}

#[test]
fn a_user_id_out_of_range_is_told() {
    if !running_as_root("a_user_id_out_of_range_is_told") {
        return;
    }
    let switch = |uid, gid, groups: &[u32]| {
        let mut command = shell("exit 0");
        command.credentials = Credentials::Switch {
            uid,
            gid,
            groups: groups.to_vec(),
        };
        command
    };
    // -1 is no id for the kernel.
    check_failure(
        switch(u32::MAX, 1, &[1]),
        Stage::UserId,
        "couldn't setuid to 4294967295: EINVAL",
    );
    check_failure(
        switch(1, u32::MAX, &[1]),
        Stage::GroupId,
        "couldn't setuid to 1: Could not set group id of effective user",
    );
    check_failure(
        switch(1, 1, &[u32::MAX]),
        Stage::Groups,
        "couldn't setuid to 1: Could not set groups of effective user",
    );
}

fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn a_thousand_spawns_leak_nothing() {
    // Other tests open and close descriptors meanwhile.
    if !in_own_process("a_thousand_spawns_leak_nothing") {
        return;
    }
    let maps = || {
        fs::read_to_string("/proc/self/maps")
            .unwrap()
            .lines()
            .count()
    };
    let once = |index: usize| {
        let command = if index.is_multiple_of(10) {
            command("/nonexistent", &[])
        } else {
            command("/bin/true", &[])
        };
        wait(start(command).pid);
    };
    for index in 0..20 {
        once(index);
    }
    let before = (open_descriptors(), maps());
    for index in 0..1000 {
        once(index);
    }
    assert_eq!((open_descriptors(), maps()), before);
    // A thread gives its stack back.
    for _ in 0..50 {
        thread::spawn(move || once(0)).join().unwrap();
    }
    assert!(maps() < before.1 + 10, "{} {}", maps(), before.1);
}

#[test]
fn many_threads_spawn_at_once() {
    let threads: Vec<_> = (0..8)
        .map(|number: i32| {
            thread::spawn(move || {
                for round in 0..25 {
                    let code = (number * 25 + round) % 256;
                    let spawned = start(shell(&format!("exit {code}")));
                    assert_eq!(wait(spawned.pid), ExitStatus::Exited(code));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_spawner_that_hangs_in_exec_hinders_nobody() {
    // Setting up standard input blocks nothing, but the child's message to a full pipe does: the child hangs
    // between clone and exec until somebody reads.
    let (reader, writer) = full_pipe();
    let hung = Arc::new(AtomicBool::new(true));
    let slot = Arc::new(SpawnSlot::new());
    let spawner = {
        let (hung, slot) = (Arc::clone(&hung), Arc::clone(&slot));
        thread::spawn(move || {
            let mut command = command("/nonexistent", &[]);
            command.stderr = Stderr::Own(Stream::Descriptor(writer));
            let spawned = spawn(&command.prepare().unwrap(), &slot).unwrap();
            hung.store(false, Ordering::SeqCst);
            (wait(spawned.pid), spawned.failed.unwrap().stage)
        })
    };
    while slot.pid().is_none() {
        thread::yield_now();
    }
    for _ in 0..10 {
        assert_eq!(output(shell("echo free")), "free\n");
    }
    assert!(hung.load(Ordering::SeqCst));
    let mut bytes = Vec::new();
    File::from(reader).read_to_end(&mut bytes).unwrap();
    assert!(bytes.ends_with(b"supervisor: child process was not spawned\n"));
    let (status, stage) = spawner.join().unwrap();
    assert_eq!((status, stage), (ExitStatus::Exited(127), Stage::Exec));
}

#[test]
fn a_child_that_hangs_before_exec_can_be_killed() {
    let (reader, writer) = full_pipe();
    let slot = Arc::new(SpawnSlot::new());
    let spawner = {
        let slot = Arc::clone(&slot);
        thread::spawn(move || {
            let mut command = command("/nonexistent", &[]);
            command.stderr = Stderr::Own(Stream::Descriptor(writer));
            let spawned = spawn(&command.prepare().unwrap(), &slot).unwrap();
            wait(spawned.pid)
        })
    };
    let pid = loop {
        if let Some(pid) = slot.pid() {
            break pid;
        }
        thread::yield_now();
    };
    group::kill(pid, 9).unwrap();
    let status = spawner.join().unwrap();
    drop(reader);
    assert_eq!(status.to_string(), "terminated by SIGKILL");
}
