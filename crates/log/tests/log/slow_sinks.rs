//! Sinks that take nothing for a while, or not any more.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use crate::common::{Log, put, read, rotated, spec, wait_until};
use linchpin_log::{DRAIN_LIMIT, LogEvent, LogLevel, OwnerId};
use rustix::fs::{Mode, OFlags};

fn make_fifo(path: &Path) {
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path,
        rustix::fs::FileType::Fifo,
        Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
}

fn open_reader(path: &Path) -> File {
    File::from(rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).unwrap())
}

/// Reads until it has so many bytes.
fn read_exactly(reader: &mut File, count: usize) -> Vec<u8> {
    let mut data = vec![0; count];
    reader.read_exact(&mut data).unwrap();
    data
}

#[test]
fn a_fifo_that_nobody_reads_delays_nothing_else_and_loses_nothing() {
    let log = Log::start();
    let fifo = log.path("fifo");
    make_fifo(&fifo);
    let stuck = log.attach(1, spec(&fifo));
    let free = log.attach(2, spec(&log.path("free.log")));

    // Fills the FIFO, then the pipe; the writer must block, so it is on a thread of its own.
    let data: Vec<u8> = (0..1_000_000_u32)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect();
    let expected = data.clone();
    let writer = std::thread::spawn(move || put(&stuck, &data));

    for line in 0..100 {
        put(&free, format!("{line}\n").as_bytes());
    }
    wait_until("the other stream's log", || {
        read(&log.path("free.log")).ends_with(b"99\n")
    });
    let (took, _) = log.finish(2);
    assert!(took < DRAIN_LIMIT, "{took:?}");
    log.handle.log(LogLevel::Info, "still here");
    assert!(log.main_log().contains("INFO still here\n"));
    assert!(!writer.is_finished(), "the writer should be blocked");

    let mut reader = open_reader(&fifo);
    assert!(read_exactly(&mut reader, expected.len()) == expected);
    writer.join().unwrap();
}

#[test]
fn a_run_whose_fifo_is_stuck_is_drained_in_time_and_its_bytes_come_later() {
    let log = Log::start();
    let fifo = log.path("fifo");
    make_fifo(&fifo);
    let mut expected = Vec::new();
    let mut total = Duration::ZERO;
    for owner in 0..20_u64 {
        let pipe = log.attach(owner, spec(&fifo));
        let data = vec![b'a' + u8::try_from(owner).unwrap(); 20_000];
        put(&pipe, &data);
        expected.extend_from_slice(&data);
        drop(pipe);
        let (took, _) = log.finish(owner);
        assert!(took < DRAIN_LIMIT + Duration::from_millis(300), "{took:?}");
        total += took;
    }
    // Only the first runs wait; once the sink is known to be stuck, the answer comes at once.
    assert!(total < Duration::from_millis(1_500), "{total:?}");
    let mut reader = open_reader(&fifo);
    let mut found = read_exactly(&mut reader, expected.len());
    let mut sorted = expected.clone();
    found.sort_unstable();
    sorted.sort_unstable();
    assert!(found == sorted, "bytes were lost");
}

#[test]
fn of_too_many_runs_on_a_stuck_fifo_the_oldest_are_dropped_and_counted() {
    let log = Log::start();
    let fifo = log.path("fifo");
    make_fifo(&fifo);
    for owner in 0..u64::try_from(linchpin_log::DETACHED_STREAMS_MAX).unwrap() + 20 {
        let pipe = log.attach(owner, spec(&fifo));
        put(&pipe, &[b'x'; 60_000]);
        log.finish(owner);
    }
    let text = log.main_log();
    assert!(
        text.contains("WARN 60000 bytes of output were dropped"),
        "{text}"
    );
}

#[test]
fn a_fifo_is_never_rotated_nor_cleared() {
    let log = Log::start();
    let fifo = log.path("fifo");
    make_fifo(&fifo);
    let pipe = log.attach(1, rotated(&fifo, 10, 3));
    put(&pipe, &[b'x'; 100]);
    let mut reader = open_reader(&fifo);
    assert_eq!(read_exactly(&mut reader, 100), [b'x'; 100]);
    let (sender, receiver) = std::sync::mpsc::channel();
    log.handle
        .clear_files(
            Some(OwnerId(1)),
            vec![fifo.clone()],
            Box::new(move |result| sender.send(result).unwrap()),
        )
        .unwrap();
    receiver
        .recv_timeout(crate::common::PATIENCE)
        .unwrap()
        .unwrap();
    put(&pipe, b"more");
    assert_eq!(read_exactly(&mut reader, 4), b"more");
    assert!(!log.path("fifo.1").exists());
}

#[test]
fn two_streams_on_one_fifo_do_not_mix_within_a_write() {
    let log = Log::start();
    let fifo = log.path("fifo");
    make_fifo(&fifo);
    let pipes = [log.attach(1, spec(&fifo)), log.attach(2, spec(&fifo))];
    let lines = 20_000;
    let writers: Vec<_> = pipes
        .into_iter()
        .zip([b'a', b'b'])
        .map(|(pipe, letter)| {
            std::thread::spawn(move || {
                let mut line = vec![letter; 99];
                line.push(b'\n');
                for _ in 0..lines {
                    put(&pipe, &line);
                }
            })
        })
        .collect();
    let mut reader = open_reader(&fifo);
    let data = read_exactly(&mut reader, 2 * lines * 100);
    for writer in writers {
        writer.join().unwrap();
    }
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        assert_eq!(line.len(), 100);
        assert!(line[..99].iter().all(|byte| *byte == line[0]), "mixed line");
    }
}

#[test]
fn a_dead_pipe_is_reported_once_and_the_process_goes_on() {
    let log = Log::start();
    // An anonymous pipe under a name, as /dev/stdout is.
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    let name = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&writer));
    let pipe = log.attach(1, spec(Path::new(&name)));
    put(&pipe, b"hello");
    let mut reader = File::from(reader);
    assert_eq!(read_exactly(&mut reader, 5), b"hello");
    drop(reader);
    put(&pipe, b"nobody hears this");
    let text = log.wait_for(|event| match event {
        LogEvent::SinkProblem { text } => Some(text),
        _ => None,
    });
    assert!(text.contains("Broken pipe"), "{text}");
    for _ in 0..100 {
        put(&pipe, &[b'x'; 10_000]);
    }
    let (_, others) = log.finish(1);
    assert!(
        !others
            .iter()
            .any(|event| matches!(event, LogEvent::SinkProblem { .. })),
        "reported again: {others:?}"
    );
}

#[test]
fn dev_null_takes_everything() {
    let log = Log::start();
    let pipe = log.attach(1, spec(Path::new("/dev/null")));
    put(&pipe, &vec![b'x'; 500_000]);
    log.finish(1);
}
