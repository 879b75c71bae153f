//! Reopening, clearing, watching and following log files; full and read-only disks.

use std::path::Path;
use std::sync::mpsc::channel;

use linchpin_log::{FollowStep, Follower, LogEvent, LogLevel, OwnerId, StreamSinks};

use crate::common::{Log, PATIENCE, put, read, rotated, spec, wait_until};

fn clear(log: &Log, owner: Option<u64>, paths: &[&Path]) -> std::io::Result<()> {
    let (sender, receiver) = channel();
    log.handle
        .clear_files(
            owner.map(OwnerId),
            paths.iter().map(|path| path.to_path_buf()).collect(),
            Box::new(move |result| sender.send(result).unwrap()),
        )
        .unwrap();
    receiver.recv_timeout(PATIENCE).unwrap()
}

#[test]
fn after_a_rename_reopening_makes_a_new_file() {
    let log = Log::start();
    let path = log.path("x.log");
    let pipe = log.attach(1, spec(&path));
    put(&pipe, b"old");
    wait_until("the first write", || read(&path) == b"old");
    std::fs::rename(&path, log.path("moved.log")).unwrap();
    log.handle.reopen_streams(None).unwrap();
    log.flush();
    put(&pipe, b"new");
    log.finish(1);
    assert_eq!(read(&path), b"new");
    assert_eq!(read(&log.path("moved.log")), b"old");
}

#[test]
fn reopening_appends() {
    let log = Log::start();
    let path = log.path("x.log");
    let pipe = log.attach(1, spec(&path));
    put(&pipe, b"old ");
    wait_until("the first write", || read(&path) == b"old ");
    log.handle.reopen_streams(Some(OwnerId(1))).unwrap();
    put(&pipe, b"new");
    log.finish(1);
    assert_eq!(read(&path), b"old new");
}

#[test]
fn a_running_process_goes_on_in_the_cleared_file() {
    let log = Log::start();
    let path = log.path("x.log");
    let pipe = log.attach(1, spec(&path));
    put(&pipe, b"old");
    wait_until("the first write", || read(&path) == b"old");
    clear(&log, Some(1), &[&path]).unwrap();
    assert_eq!(read(&path), b"");
    put(&pipe, b"new");
    log.finish(1);
    assert_eq!(read(&path), b"new");
}

#[test]
fn the_log_of_a_stopped_process_is_cleared_too() {
    use std::os::unix::fs::PermissionsExt;
    let log = Log::start();
    let path = log.path("x.log");
    std::fs::write(&path, "old").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    clear(&log, None, &[&path, &log.path("never-made.log")]).unwrap();
    assert_eq!(read(&path), b"");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!log.path("never-made.log").exists());
}

#[test]
fn two_streams_on_one_file_are_cleared_together() {
    let log = Log::start();
    let path = log.path("x.log");
    let pipes = [log.attach(1, spec(&path)), log.attach(2, spec(&path))];
    clear(&log, Some(1), &[&path]).unwrap();
    for pipe in &pipes {
        put(pipe, b"x");
    }
    log.finish(1);
    log.finish(2);
    assert_eq!(read(&path), b"xx");
}

#[test]
fn backups_are_not_cleared() {
    let log = Log::start();
    let path = log.path("x.log");
    std::fs::write(log.path("x.log.1"), "kept").unwrap();
    let _pipe = log.attach(1, rotated(&path, 10, 2));
    clear(&log, Some(1), &[&path]).unwrap();
    assert_eq!(read(&log.path("x.log.1")), b"kept");
}

#[test]
fn a_watch_tells_once_until_it_is_acknowledged() {
    let log = Log::start();
    let path = log.path("x.log");
    let watch = log.handle.watch(&path).unwrap();
    let pipe = log.attach(1, spec(&path));
    let changed = |log: &Log| {
        log.wait_for(|event| match event {
            LogEvent::FileChanged { watch } => Some(watch),
            _ => None,
        })
    };
    put(&pipe, b"one");
    assert_eq!(changed(&log), watch.id());
    put(&pipe, b"two");
    wait_until("the second change", || watch.generation() >= 2);
    log.flush();
    assert!(log.events.try_iter().next().is_none(), "told twice");
    watch.acknowledge();
    put(&pipe, b"three");
    assert_eq!(changed(&log), watch.id());
    // Clearing is a change as well.
    watch.acknowledge();
    clear(&log, Some(1), &[&path]).unwrap();
    assert_eq!(changed(&log), watch.id());
    watch.acknowledge();
    drop(watch);
    put(&pipe, b"four");
    let (_, others) = log.finish(1);
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn the_main_log_can_be_watched() {
    let log = Log::start();
    let watch = log.handle.watch(&log.path("main.log")).unwrap();
    log.handle.log(LogLevel::Info, "hello");
    let found = log.wait_for(|event| match event {
        LogEvent::FileChanged { watch } => Some(watch),
        _ => None,
    });
    assert_eq!(found, watch.id());
}

fn steps(follower: &mut Follower) -> Vec<FollowStep> {
    let mut found = Vec::new();
    loop {
        match follower.step().unwrap() {
            FollowStep::UpToDate => return found,
            step => found.push(step),
        }
    }
}

#[test]
fn following_goes_across_rotation_and_truncation() {
    let log = Log::start();
    let path = log.path("x.log");
    std::fs::write(&path, "0123456789").unwrap();
    let data = |text: &str| FollowStep::Data(text.as_bytes().to_vec());
    let mut follower = Follower::open(&path, 4).unwrap();
    assert_eq!(steps(&mut follower), [data("6789")]);
    assert_eq!(steps(&mut follower), []);
    let pipe = log.attach(1, rotated(&path, 15, 1));
    put(&pipe, b"abcdef");
    wait_until("the rotation", || log.path("x.log.1").exists());
    put(&pipe, b"new");
    log.finish(1);
    assert_eq!(steps(&mut follower), [data("abcdef"), data("new")]);
    std::fs::File::create(&path).unwrap();
    assert_eq!(steps(&mut follower), [FollowStep::Truncated]);
    std::fs::write(&path, "again").unwrap();
    assert_eq!(steps(&mut follower), [data("again")]);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(steps(&mut follower), []);
}

/// A file system of 256 KB, or the reason for skipping.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(test: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let result = rustix::mount::mount(
            "tmpfs",
            directory.path(),
            "tmpfs",
            rustix::mount::MountFlags::empty(),
            c"size=256k",
        );
        match result {
            Ok(()) => Some(Self(directory)),
            Err(error) => {
                println!("{test}: skipped, cannot mount a tmpfs: {error}");
                None
            }
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = rustix::mount::unmount(self.0.path(), rustix::mount::UnmountFlags::DETACH);
    }
}

#[test]
fn a_full_disk_is_reported_once_and_output_goes_on_when_there_is_room() {
    let Some(disk) = SmallDisk::mount("a_full_disk_is_reported_once") else {
        return;
    };
    let log = Log::start();
    let path = disk.0.path().join("x.log");
    let pipe = log.attach(1, spec(&path));
    // Much more than there is room for: the writer must never block.
    for _ in 0..100 {
        put(&pipe, &[b'x'; 10_000]);
    }
    wait_until("the report", || {
        log.main_log().contains("cannot write to log")
    });
    wait_until("the pipe to be empty", || {
        rustix::io::ioctl_fionread(&pipe).unwrap() == 0
    });
    log.flush();
    std::fs::File::create(&path).unwrap();
    put(&pipe, b"room again");
    log.finish(1);
    assert_eq!(read(&path), b"room again");
    let text = log.main_log();
    assert_eq!(text.matches("cannot write to log").count(), 1, "{text}");
    assert_eq!(text.matches("can be written again").count(), 1, "{text}");
}

#[test]
fn a_disk_that_becomes_read_only_stops_nothing() {
    let Some(disk) = SmallDisk::mount("a_disk_that_becomes_read_only_stops_nothing") else {
        return;
    };
    let log = Log::start();
    let path = disk.0.path().join("x.log");
    let pipe = log.attach(1, rotated(&path, 10, 2));
    put(&pipe, b"before");
    wait_until("the first write", || read(&path) == b"before");
    rustix::mount::mount_remount(
        disk.0.path(),
        rustix::mount::MountFlags::RDONLY,
        c"size=256k",
    )
    .expect_err("a file open for writing keeps it writable");
    log.finish(1);
    rustix::mount::mount_remount(
        disk.0.path(),
        rustix::mount::MountFlags::RDONLY,
        c"size=256k",
    )
    .unwrap();
    // A spawn error with the true reason.
    let error = StreamSinks::open(spec(&disk.0.path().join("y.log"))).unwrap_err();
    assert_eq!(
        error.raw_os_error(),
        Some(rustix::io::Errno::ROFS.raw_os_error())
    );
    // Clearing fails and says so.
    assert!(clear(&log, None, &[&path]).is_err());
}
