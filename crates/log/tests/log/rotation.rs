//! Rotation gives the same files as the original's loggers, byte for byte.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use linchpin_log::LogEvent;

use crate::common::{Log, ask_oracle, oracle, put, read, rotated, spec, wait_until};

type Files = BTreeMap<String, Vec<u8>>;

/// All log files of a directory, by name.
fn files(directory: &Path, stem: &str) -> Files {
    std::fs::read_dir(directory)
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name.starts_with(stem))
        .map(|name| {
            let data = read(&directory.join(&name));
            (name, data)
        })
        .collect()
}

/// Feeds chunks, each read by the log thread as one.
fn feed(log: &Log, stem: &str, max_bytes: u64, backups: u32, chunks: &[Vec<u8>]) -> Files {
    let path = log.path(stem);
    for (owner, chunk) in (0..).zip(chunks) {
        // A run per chunk: its end makes sure that the chunk was read alone. The file is appended to.
        let pipe = log.attach(owner, rotated(&path, max_bytes, backups));
        put(&pipe, chunk);
        log.finish(owner);
    }
    files(log.directory.path(), stem)
}

/// The same through the original's handler: one for each chunk, as one per spawn.
const ORIGINAL: &str = r"
import sys, os
from supervisor import loggers
directory, maxbytes, backups = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
data = sys.stdin.buffer.read()
path = os.path.join(directory, 'x.log')
while data:
    length = int.from_bytes(data[:4], 'little')
    chunk, data = data[4:4 + length], data[4 + length:]
    logger = loggers.getLogger()
    loggers.handle_file(logger, path, '%(message)s', bool(maxbytes), maxbytes, backups)
    logger.info(chunk)
    logger.close()
";

fn chunks(seed: u64, count: usize, longest: u64) -> Vec<Vec<u8>> {
    let mut state = seed;
    (0..count)
        .map(|index| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let length = usize::try_from((state >> 33) % longest).unwrap() + 1;
            let letter = b'a' + u8::try_from(index % 26).unwrap();
            vec![letter; length]
        })
        .collect()
}

#[test]
fn files_are_the_same_as_the_originals() {
    let Some(python) = oracle("files_are_the_same_as_the_originals") else {
        return;
    };
    for (seed, max_bytes, backups, longest) in [
        (1, 100, 3, 50),
        (2, 100, 0, 50),
        (3, 100, 1, 300),
        (4, 0, 3, 50),
        (5, 1, 2, 5),
        (6, 1_000, 10, 1_000),
        (7, 64, 12, 200),
        (8, 50, 70, 60),
        (9, 4_096, 2, 60_000),
    ] {
        let chunks = chunks(seed, 120, longest);
        let theirs = tempfile::tempdir().unwrap();
        let mut input = Vec::new();
        for chunk in &chunks {
            input.extend_from_slice(&u32::try_from(chunk.len()).unwrap().to_le_bytes());
            input.extend_from_slice(chunk);
        }
        ask_oracle(
            &python,
            ORIGINAL,
            &[
                theirs.path().to_str().unwrap(),
                &max_bytes.to_string(),
                &backups.to_string(),
            ],
            &input,
        );
        let log = Log::start();
        let ours = feed(&log, "x.log", max_bytes, backups, &chunks);
        let theirs = files(theirs.path(), "x.log");
        assert!(
            ours == theirs,
            "max {max_bytes}, backups {backups}: {:?} against {:?}",
            lengths(&ours),
            lengths(&theirs)
        );
    }
}

fn lengths(files: &Files) -> Vec<(&str, usize)> {
    files
        .iter()
        .map(|(name, data)| (name.as_str(), data.len()))
        .collect()
}

fn check(max_bytes: u64, backups: u32, chunks: &[&str], expected: &[(&str, &str)]) {
    let log = Log::start();
    let chunks: Vec<Vec<u8>> = chunks
        .iter()
        .map(|chunk| chunk.as_bytes().to_vec())
        .collect();
    let found = feed(&log, "x.log", max_bytes, backups, &chunks);
    let expected: Files = expected
        .iter()
        .map(|(name, data)| ((*name).to_owned(), data.as_bytes().to_vec()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_file_is_rotated_after_the_write_that_fills_it() {
    check(10, 2, &["123456789"], &[("x.log", "123456789")]);
    check(
        10,
        2,
        &["1234567890"],
        &[("x.log", ""), ("x.log.1", "1234567890")],
    );
    check(
        10,
        2,
        &["123456789", "abcdef", "X"],
        &[("x.log", "X"), ("x.log.1", "123456789abcdef")],
    );
}

#[test]
fn the_oldest_backup_goes() {
    check(
        1,
        2,
        &["a", "b", "c", "d"],
        &[("x.log", ""), ("x.log.1", "d"), ("x.log.2", "c")],
    );
}

#[test]
fn without_backups_the_file_is_truncated() {
    check(3, 0, &["abcd", "e"], &[("x.log", "e")]);
}

#[test]
fn a_limit_of_zero_never_rotates() {
    check(0, 2, &["abcd", "e"], &[("x.log", "abcde")]);
}

#[test]
fn gaps_among_the_backups_are_kept() {
    let log = Log::start();
    std::fs::write(log.path("x.log.3"), "three").unwrap();
    std::fs::write(log.path("x.log.100"), "hundred").unwrap();
    std::fs::write(log.path("x.log.01"), "not a number of ours").unwrap();
    let found = feed(&log, "x.log", 1, 200, &[b"new".to_vec()]);
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["x.log", "x.log.01", "x.log.1", "x.log.101", "x.log.4"]
    );
}

#[test]
fn deleted_files_are_tolerated() {
    let log = Log::start();
    let path = log.path("x.log");
    let pipe = log.attach(1, rotated(&path, 10, 2));
    put(&pipe, b"12345");
    wait_until("the first write", || read(&path).len() == 5);
    std::fs::remove_file(&path).unwrap();
    put(&pipe, b"1234567");
    wait_until("a new file", || path.exists());
    put(&pipe, b"after");
    log.finish(1);
    assert_eq!(read(&path), b"after");
    assert!(!log.path("x.log.1").exists());
}

#[test]
fn a_file_that_somebody_truncates_is_rotated_by_its_true_size() {
    let log = Log::start();
    let path = log.path("x.log");
    let pipe = log.attach(1, rotated(&path, 100, 1));
    put(&pipe, &[b'x'; 90]);
    wait_until("the first write", || read(&path).len() == 90);
    std::fs::File::create(&path).unwrap();
    put(&pipe, &[b'y'; 50]);
    log.finish(1);
    assert_eq!(read(&path), [b'y'; 50]);
    assert!(!log.path("x.log.1").exists());
}

#[test]
fn a_rotated_file_gets_no_more_permissions_than_it_had() {
    let log = Log::start();
    let path = log.path("x.log");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let pipe = log.attach(1, rotated(&path, 5, 1));
    put(&pipe, b"1234567");
    log.finish(1);
    assert!(log.path("x.log.1").exists());
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_rotation_that_fails_is_reported_once_and_the_log_goes_on() {
    let log = Log::start();
    let path = log.path("x.log");
    // A directory in the way cannot be replaced by a file.
    std::fs::create_dir(log.path("x.log.1")).unwrap();
    let pipe = log.attach(1, rotated(&path, 5, 1));
    for _ in 0..3 {
        put(&pipe, b"1234567");
        log.flush();
    }
    let (_, others) = log.finish(1);
    assert_eq!(read(&path).len(), 21);
    let text = log.main_log();
    assert_eq!(text.matches("cannot rotate log").count(), 1, "{text}");
    let problems = others
        .iter()
        .filter(|event| matches!(event, LogEvent::SinkProblem { .. }))
        .count();
    assert!(problems <= 1);
}

#[test]
fn a_busy_writer_overshoots_by_less_than_a_chunk() {
    let log = Log::start();
    let path = log.path("x.log");
    let pipe = log.attach(1, rotated(&path, 1_000_000, 100));
    let block = vec![b'x'; 65_536];
    for _ in 0..200 {
        put(&pipe, &block);
    }
    log.finish(1);
    let found = files(log.directory.path(), "x.log");
    let mut sum = 0;
    for (name, data) in &found {
        sum += data.len();
        assert!(data.len() < 1_000_000 + linchpin_log::CHUNK_MAX_BYTES);
        assert!(name == "x.log" || data.len() >= 1_000_000, "{name}");
    }
    assert_eq!(sum, 200 * 65_536);
}

#[test]
fn opening_fails_as_the_original_reports_it() {
    let directory = tempfile::tempdir().unwrap();
    for (path, expected) in [
        (directory.path().to_owned(), rustix::io::Errno::ISDIR),
        (directory.path().join("a/b.log"), rustix::io::Errno::NOENT),
    ] {
        let error = linchpin_log::StreamSinks::open(spec(&path)).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(expected.raw_os_error()));
    }
}
