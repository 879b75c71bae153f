//! Reading and tailing give the original's bytes, offsets and flags, except where those were faults.

use std::fmt::Write as _;

use linchpin_log::{ReadError, Tail, decode_lossy, read_file, tail_file};

use crate::common::{ask_oracle, oracle};

const CONTENT: &[u8] = b"0123456789abcdefghijKLMNOPQRST";

fn arguments() -> Vec<(i64, i64)> {
    let interesting = [
        -1_000_000, -31, -30, -29, -5, -1, 0, 1, 5, 28, 29, 30, 31, 100, 1_000_000,
    ];
    interesting
        .iter()
        .flat_map(|offset| interesting.iter().map(|length| (*offset, *length)))
        .collect()
}

#[test]
fn every_combination_of_offset_and_length_is_as_in_the_original() {
    let Some(python) = oracle("every_combination_of_offset_and_length_is_as_in_the_original")
    else {
        return;
    };
    let script = r"
import sys
from supervisor.options import readFile, tailFile
path = sys.argv[1]
for line in sys.stdin:
    offset, length = map(int, line.split())
    try:
        found = readFile(path, offset, length).decode()
    except ValueError as error:
        found = error.args[0]
    print('read', offset, length, found)
    print('tail', offset, length, *tailFile(path, offset, length))
";
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in [("full", CONTENT), ("empty", b"")] {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        let mut input = String::new();
        let mut ours = String::new();
        for (offset, length) in arguments() {
            writeln!(input, "{offset} {length}").unwrap();
            let read = match read_file(&path, offset, length) {
                Ok(data) => decode_lossy(&data).into_owned(),
                Err(ReadError::BadArguments) => "BAD_ARGUMENTS".to_owned(),
                Err(ReadError::NoFile) => "NO_FILE".to_owned(),
                Err(ReadError::Failed(_)) => "FAILED".to_owned(),
            };
            writeln!(ours, "read {offset} {length} {read}").unwrap();
            let tail = tail_file(&path, offset, length);
            let overflow = if tail.overflow { "True" } else { "False" };
            let data = decode_lossy(&tail.data);
            writeln!(
                ours,
                "tail {offset} {length} {data} {} {overflow}",
                tail.offset
            )
            .unwrap();
        }
        let theirs = ask_oracle(&python, script, &[path.to_str().unwrap()], input.as_bytes());
        let theirs = String::from_utf8(theirs).unwrap();
        for (ours, theirs) in ours.lines().zip(theirs.lines()) {
            assert_eq!(ours, theirs);
        }
        assert_eq!(ours.lines().count(), theirs.lines().count());
    }
}

#[test]
fn what_is_missing_or_not_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    assert!(matches!(read_file(&missing, 0, 0), Err(ReadError::NoFile)));
    // NO_FILE comes before BAD_ARGUMENTS.
    assert!(matches!(read_file(&missing, -1, 5), Err(ReadError::NoFile)));
    assert_eq!(tail_file(&missing, 7, 5), Tail::default());
    assert!(matches!(
        read_file(directory.path(), 0, 0),
        Err(ReadError::Failed(_))
    ));
    let of_directory = tail_file(directory.path(), 7, 5);
    assert_eq!(
        (
            of_directory.data,
            of_directory.offset,
            of_directory.overflow
        ),
        (Vec::new(), 7, false)
    );
}

#[test]
fn a_fifo_is_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    assert!(matches!(read_file(&fifo, 0, 0), Err(ReadError::Failed(_))));
    assert_eq!(tail_file(&fifo, 3, 10).offset, 3);
}

#[test]
fn a_cut_character_is_replaced_and_nothing_fails() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x");
    std::fs::write(&path, "aé\u{1F600}").unwrap();
    let data = read_file(&path, 2, 3).unwrap();
    assert_eq!(decode_lossy(&data), "\u{fffd}\u{fffd}");
    assert_eq!(decode_lossy(&tail_file(&path, 0, 1).data), "\u{fffd}");
}

#[test]
fn extreme_numbers_overflow_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x");
    std::fs::write(&path, CONTENT).unwrap();
    for offset in [i64::MIN, i64::MAX] {
        for length in [i64::MIN, 0, i64::MAX] {
            let _ = read_file(&path, offset, length);
            assert_eq!(tail_file(&path, offset, length).offset, 30);
        }
    }
    assert_eq!(read_file(&path, i64::MIN, 0).unwrap(), CONTENT);
    assert_eq!(read_file(&path, 0, i64::MAX).unwrap(), CONTENT);
}
