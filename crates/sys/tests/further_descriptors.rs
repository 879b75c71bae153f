//! Descriptors that a child is given beside its three streams.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{PipeReader, Read, pipe};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use linchpin_sys::spawn::{
    Command, MOST_FURTHER_DESCRIPTORS, PrepareError, SpawnSlot, Stderr, Stream, spawn,
};

fn shell(script: &str) -> Command {
    let arguments = ["sh", "-c", script].map(OsString::from);
    Command::new("/bin/sh", arguments.to_vec())
}

/// Runs it and gives what it wrote to its output, and to each of the further descriptors.
fn run(script: &str, further: Vec<(RawFd, OwnedFd, PipeReader)>) -> (String, Vec<String>) {
    let (mut reader, writer) = pipe().unwrap();
    let mut command = shell(script);
    command.stdout = Stream::Descriptor(writer.into());
    command.stderr = Stderr::SameAsStdout;
    let mut readers = Vec::new();
    for (number, writer, reader) in further {
        command.further.push((number, writer));
        readers.push(reader);
    }
    let prepared = command.prepare().unwrap();
    let spawned = spawn(&prepared, &SpawnSlot::new()).unwrap();
    assert_eq!(spawned.failed, None);
    drop(prepared);
    let mut output = String::new();
    reader.read_to_string(&mut output).unwrap();
    let texts = readers.into_iter().map(|mut reader| {
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    });
    let texts = texts.collect();
    while linchpin_sys::reap::reap(spawned.pid).unwrap().is_none() {
        std::thread::yield_now();
    }
    (output, texts)
}

fn with_number(number: RawFd) -> (RawFd, OwnedFd, PipeReader) {
    let (reader, writer) = pipe().unwrap();
    (number, writer.into(), reader)
}

#[test]
fn they_have_their_numbers_and_nothing_else_is_open() {
    let script = "echo three >&3; echo seven >&7; exec ls /proc/self/fd";
    let (output, texts) = run(script, vec![with_number(7), with_number(3)]);
    assert_eq!(texts, ["seven\n", "three\n"]);
    // The listing itself has 4 open.
    assert_eq!(output, "0\n1\n2\n3\n4\n7\n");
}

#[test]
fn one_has_its_number_however_high_or_low() {
    for number in [3, 4, 5, 6, 9, 100, 900] {
        let script = format!("echo ready > /proc/self/fd/{number}");
        let (output, texts) = run(&script, vec![with_number(number)]);
        assert_eq!((output.as_str(), texts[0].as_str()), ("", "ready\n"));
    }
}

#[test]
fn as_many_as_there_may_be_are_given() {
    let count = RawFd::try_from(MOST_FURTHER_DESCRIPTORS).unwrap();
    let mut script = String::new();
    let mut further = Vec::new();
    for number in 3..3 + count {
        let _ = write!(script, "echo {number} > /proc/self/fd/{number};");
        further.push(with_number(number));
    }
    let (output, texts) = run(&script, further);
    assert_eq!(output, "");
    let expected: Vec<String> = (3..3 + count).map(|number| format!("{number}\n")).collect();
    assert_eq!(texts, expected);
}

#[test]
fn numbers_that_are_ours_already_are_no_trouble() {
    // Each is to have the number that another one has here.
    let (one, two) = (with_number(0), with_number(0));
    let numbers = [one.1.as_raw_fd(), two.1.as_raw_fd()];
    let script = format!(
        "echo a > /proc/self/fd/{}; echo b > /proc/self/fd/{}",
        numbers[0], numbers[1]
    );
    let swapped = vec![(numbers[1], one.1, one.2), (numbers[0], two.1, two.2)];
    let (output, texts) = run(&script, swapped);
    assert_eq!(output, "");
    assert_eq!(texts, ["b\n", "a\n"]);
}

#[test]
fn numbers_that_cannot_be_are_refused() {
    for number in [-1, 0, 2] {
        let mut command = shell("exit 0");
        command.further.push((number, with_number(0).1));
        let error = command.prepare().unwrap_err();
        assert!(matches!(error, PrepareError::Number { number: n } if n == number));
    }
    let mut twice = shell("exit 0");
    twice.further.push((5, with_number(0).1));
    twice.further.push((5, with_number(0).1));
    let error = twice.prepare().unwrap_err();
    assert!(matches!(error, PrepareError::Number { number: 5 }));
    let mut many = shell("exit 0");
    for number in 3..=3 + RawFd::try_from(MOST_FURTHER_DESCRIPTORS).unwrap() {
        many.further.push((number, with_number(0).1));
    }
    let error = many.prepare().unwrap_err();
    assert!(matches!(error, PrepareError::TooManyDescriptors));
}
