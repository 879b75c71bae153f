//! What a process wrote before its end is in its log before `Drained` is said.

use std::time::Duration;

use crate::common::{Log, put, read, spec, wait_until, without_file};
use linchpin_log::{DRAIN_LIMIT, LogEvent, OwnerId, StreamKind, StreamSpec};

#[test]
fn all_bytes_are_on_file_before_drained() {
    let log = Log::start();
    for (owner, length) in [1, 10, 4_096, 65_536].into_iter().enumerate() {
        let owner = u64::try_from(owner).unwrap();
        let path = log.path(&format!("{owner}.log"));
        let pipe = log.attach(owner, spec(&path));
        let data = vec![b'x'; length];
        put(&pipe, &data);
        log.finish(owner);
        assert_eq!(read(&path).len(), length);
    }
}

#[test]
fn a_grandchild_that_keeps_the_pipe_open_is_not_waited_for() {
    let log = Log::start();
    let path = log.path("x.log");
    let pipe = log.attach(1, spec(&path));
    put(&pipe, b"last words");
    let (took, _) = log.finish(1);
    assert_eq!(read(&path), b"last words");
    assert!(took < DRAIN_LIMIT, "{took:?}");
    // The reading end is closed: the grandchild hears of it.
    let error = std::io::Write::write_all(&mut (&pipe), b"x").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
}

#[test]
fn both_outputs_are_drained_before_the_one_answer() {
    let log = Log::start();
    let (out, err) = (log.path("out.log"), log.path("err.log"));
    let stdout = log.attach(1, spec(&out));
    let stderr = log.attach(
        1,
        StreamSpec {
            kind: StreamKind::Stderr,
            ..spec(&err)
        },
    );
    put(&stdout, b"to stdout");
    put(&stderr, b"to stderr");
    log.finish(1);
    assert_eq!(read(&out), b"to stdout");
    assert_eq!(read(&err), b"to stderr");
    log.flush();
    assert!(
        !log.events
            .try_iter()
            .any(|event| matches!(event, LogEvent::Drained { .. })),
        "answered twice"
    );
}

#[test]
fn an_unknown_run_is_drained_at_once() {
    let log = Log::start();
    log.finish(99);
}

#[test]
fn a_closed_output_is_reported_and_its_run_still_answers() {
    let log = Log::start();
    let path = log.path("x.log");
    let pipe = log.attach(1, spec(&path));
    put(&pipe, b"bye");
    drop(pipe);
    let closed = log.wait_for(|event| match event {
        LogEvent::StreamClosed { stream, .. } => Some(stream),
        _ => None,
    });
    assert_eq!(
        (closed.owner, closed.kind),
        (OwnerId(1), StreamKind::Stdout)
    );
    assert_eq!(read(&path), b"bye");
    log.finish(1);
}

#[test]
fn output_without_a_log_is_read_and_forgotten() {
    let log = Log::start();
    let pipe = log.attach(1, without_file());
    // More than a pipe holds, so it must be read.
    put(&pipe, &vec![b'x'; 300_000]);
    log.finish(1);
}

#[test]
fn ten_thousand_short_runs_lose_nothing() {
    let log = Log::start();
    let path = log.path("x.log");
    let runs = 10_000_u64;
    for owner in 0..runs {
        let pipe = log.attach(owner, spec(&path));
        put(&pipe, format!("{owner}\n").as_bytes());
        drop(pipe);
        log.handle.finish(OwnerId(owner)).unwrap();
    }
    let mut drained = 0;
    while drained < runs {
        log.wait_for(|event| matches!(event, LogEvent::Drained { .. }).then_some(()));
        drained += 1;
    }
    let text = String::from_utf8(read(&path)).unwrap();
    let expected: String = (0..runs).map(|owner| format!("{owner}\n")).collect();
    assert!(text == expected, "lines are missing or out of order");
}

#[test]
fn tiny_and_huge_writes_arrive_whole_and_in_order() {
    let log = Log::start();
    let path = log.path("x.log");
    let pipe = log.attach(1, spec(&path));
    let mut expected = Vec::new();
    // Long enough for lingering and a larger pipe to begin and end.
    for round in 0..200_u32 {
        for line in 0..200_u32 {
            let text = format!("{round} {line}\n");
            put(&pipe, text.as_bytes());
            expected.extend_from_slice(text.as_bytes());
        }
        let block = vec![b'0' + u8::try_from(round % 10).unwrap(); 50_000];
        put(&pipe, &block);
        expected.extend_from_slice(&block);
    }
    log.finish(1);
    assert!(read(&path) == expected, "bytes are missing or out of order");
}

#[test]
fn a_running_process_needs_no_end_to_be_logged() {
    let log = Log::start();
    let path = log.path("x.log");
    let pipe = log.attach(1, spec(&path));
    for line in 0..1_000 {
        put(&pipe, format!("{line}\n").as_bytes());
    }
    wait_until("the last line", || read(&path).ends_with(b"999\n"));
    // After a busy time the next single line comes soon as well.
    put(&pipe, b"one more\n");
    wait_until("the single line", || read(&path).ends_with(b"one more\n"));
}

#[test]
fn idle_streams_cause_no_wakeups() {
    let log = Log::start();
    let pipes: Vec<_> = (0..200)
        .map(|owner| log.attach(owner, spec(&log.path("x.log"))))
        .collect();
    for pipe in &pipes {
        for _ in 0..50 {
            put(pipe, b"busy for a while\n");
        }
    }
    wait_until("all output", || {
        std::fs::metadata(log.path("x.log")).unwrap().len() == 200 * 50 * 17
    });
    // Lingering has to end: two samples with the same count of switches between them.
    wait_until("a quiet half second", || {
        let before = switches_of_log_thread();
        std::thread::sleep(Duration::from_millis(500));
        switches_of_log_thread() == before
    });
}

/// Voluntary context switches of all threads of this process that are called "log".
fn switches_of_log_thread() -> u64 {
    let mut sum = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let comm = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        let status = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
        if comm.trim() == "log" {
            sum += status
                .lines()
                .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))
                .and_then(|count| count.trim().parse::<u64>().ok())
                .unwrap_or(0);
        }
    }
    sum
}

#[test]
fn after_a_flush_everything_written_before_is_on_file() {
    let log = Log::start();
    let paths: Vec<_> = (0..300)
        .map(|owner| log.path(&format!("{owner}.log")))
        .collect();
    let pipes: Vec<_> = (0..)
        .zip(&paths)
        .map(|(owner, path)| log.attach(owner, spec(path)))
        .collect();
    for round in 1..=50 {
        for pipe in &pipes {
            put(pipe, b"0123456789");
        }
        log.flush();
        for path in &paths {
            assert_eq!(read(path).len(), round * 10);
        }
    }
}
