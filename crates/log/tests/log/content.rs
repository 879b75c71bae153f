//! What happens to the bytes: ANSI, capture, events, the copies in the main log and the system log.

use std::os::unix::net::UnixDatagram;

use linchpin_log::{LinePatterns, LogEvent, LogLevel, StreamKind, StreamRole, StreamSpec};

use crate::common::{Log, PATIENCE, put, read, spec, wait_until, without_file};

/// Events of a run that wrote these chunks (each read alone) and ended.
fn events_of(log: &Log, spec: StreamSpec, chunks: &[&[u8]]) -> Vec<String> {
    let pipe = log.attach(1, spec);
    let mut found = Vec::new();
    for chunk in chunks {
        put(&pipe, chunk);
        wait_until("the chunk to be read", || {
            rustix::io::ioctl_fionread(&pipe).unwrap() == 0
        });
        log.flush();
    }
    let (_, others) = log.finish(1);
    for event in others {
        match event {
            LogEvent::ProcessLog { pid, data, stream } => {
                assert_eq!(pid, 4711);
                found.push(format!(
                    "log {} {}",
                    stream.kind,
                    String::from_utf8_lossy(&data)
                ));
            }
            LogEvent::ProcessCommunication { data, .. } => {
                found.push(format!("comm {}", String::from_utf8_lossy(&data)));
            }
            LogEvent::ListenerOutput { data, .. } => {
                found.push(format!("listener {}", String::from_utf8_lossy(&data)));
            }
            LogEvent::Drained { .. }
            | LogEvent::StreamClosed { .. }
            | LogEvent::SinkProblem { .. }
            | LogEvent::Dropped { .. }
            | LogEvent::LineFound { .. }
            | LogEvent::FileChanged { .. } => {}
        }
    }
    found
}

#[test]
fn output_becomes_events_only_where_asked_for() {
    let log = Log::start();
    let path = log.path("x.log");
    assert_eq!(events_of(&log, spec(&path), &[b"a", b"b"]), [""; 0]);
    let with_events = StreamSpec {
        events_enabled: true,
        kind: StreamKind::Stderr,
        ..spec(&path)
    };
    assert_eq!(
        events_of(&log, with_events, &[b"a", b"b"]),
        ["log stderr a", "log stderr b"]
    );
    assert_eq!(read(&path), b"abab");
}

#[test]
fn communication_is_cut_out_however_it_is_split() {
    let text = b"before<!--XSUPERVISOR:BEGIN-->said<!--XSUPERVISOR:END-->after";
    for at in (1..text.len()).step_by(7) {
        let log = Log::start();
        let path = log.path("x.log");
        let capture = StreamSpec {
            capture_max_bytes: 1_000,
            ..spec(&path)
        };
        let (first, second) = text.split_at(at);
        assert_eq!(events_of(&log, capture, &[first, second]), ["comm said"]);
        assert_eq!(read(&path), b"beforeafter");
    }
}

#[test]
fn short_output_at_the_end_is_not_lost() {
    for (written, kept) in [
        (b"x".as_slice(), b"x".as_slice()),
        (b"<!--XSUPER", b"<!--XSUPER"),
        (
            b"a<!--XSUPERVISOR:BEGIN-->half a word<!--",
            b"a<!--XSUPERVISOR:BEGIN-->half a word<!--",
        ),
    ] {
        let log = Log::start();
        let path = log.path("x.log");
        let capture = StreamSpec {
            capture_max_bytes: 1_000,
            ..spec(&path)
        };
        assert_eq!(events_of(&log, capture, &[written]), [""; 0]);
        assert_eq!(read(&path), kept);
    }
}

#[test]
fn the_limit_of_a_communication_is_hard() {
    let log = Log::start();
    let capture = StreamSpec {
        capture_max_bytes: 5,
        ..without_file()
    };
    let text = b"<!--XSUPERVISOR:BEGIN-->0123456789<!--XSUPERVISOR:END-->";
    assert_eq!(events_of(&log, capture, &[text]), ["comm 56789"]);
}

#[test]
fn captured_text_makes_log_events_too_as_in_the_original() {
    let log = Log::start();
    let path = log.path("x.log");
    let both = StreamSpec {
        capture_max_bytes: 100,
        events_enabled: true,
        ..spec(&path)
    };
    let text = b"a<!--XSUPERVISOR:BEGIN-->b<!--XSUPERVISOR:END-->c";
    assert_eq!(
        events_of(&log, both, &[text]),
        ["log stdout a", "log stdout b", "comm b", "log stdout c"]
    );
    assert_eq!(read(&path), b"ac");
}

#[test]
fn ansi_sequences_go_even_if_split() {
    let log = Log::start();
    let path = log.path("x.log");
    let strip = StreamSpec {
        strip_ansi: true,
        events_enabled: true,
        ..spec(&path)
    };
    assert_eq!(
        events_of(&log, strip, &[b"\x1b[31mred\x1b", b"[0", b"m plain \x1b"]),
        ["log stdout red", "log stdout  plain "]
    );
    assert_eq!(read(&path), b"red plain \x1b");
}

#[test]
fn a_listener_is_heard_exactly() {
    let log = Log::start_with(LogLevel::Debug, None);
    let path = log.path("x.log");
    let listener = StreamSpec {
        role: StreamRole::ListenerProtocol,
        events_enabled: true,
        capture_max_bytes: 100,
        strip_ansi: true,
        copy_to_main_log: true,
        ..spec(&path)
    };
    assert_eq!(
        events_of(&log, listener, &[b"READY\n", b"\x1b[1mRESULT 2\nOK"]),
        ["listener READY\n", "listener \x1b[1mRESULT 2\nOK"]
    );
    assert_eq!(read(&path), b"READY\nRESULT 2\nOK");
    let text = log.main_log();
    assert!(
        text.contains("DEBG 'cat' stdout output:\nb'READY\\n'\n"),
        "{text}"
    );
}

#[test]
fn at_debug_output_is_copied_into_the_main_log() {
    let log = Log::start_with(LogLevel::Debug, None);
    let copied = StreamSpec {
        copy_to_main_log: true,
        capture_max_bytes: 100,
        ..without_file()
    };
    events_of(
        &log,
        copied,
        &[
            b"hello\n",
            b"\xff",
            b"<!--XSUPERVISOR:BEGIN-->hi<!--XSUPERVISOR:END-->",
        ],
    );
    let text = log.main_log();
    for expected in [
        "DEBG 'cat' stdout output:\nhello\n\n",
        "DEBG 'cat' stdout output:\nUndecodable: b'\\xff'\n",
        "DEBG 'cat' stdout output:\nhi\n",
        "DEBG 'cat' stdout emitted a comm event\n",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in {text}");
    }
}

fn syslog_lines(chunks: &[&[u8]]) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let socket_path = directory.path().join("log");
    let socket = UnixDatagram::bind(&socket_path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let log = Log::start_with(LogLevel::Info, Some(socket_path));
    let path = log.path("x.log");
    let with_syslog = StreamSpec {
        syslog: true,
        ..spec(&path)
    };
    events_of(&log, with_syslog, chunks);
    socket.set_nonblocking(true).unwrap();
    let mut lines = Vec::new();
    let mut buffer = [0; 10_000];
    while let Ok(count) = socket.recv(&mut buffer) {
        let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
        let text = text.strip_prefix("<14>").unwrap().to_owned();
        // `Mmm dd hh:mm:ss `
        lines.push(text[16..].to_owned());
    }
    assert_eq!(read(&path), chunks.concat());
    lines
}

#[test]
fn the_system_log_gets_each_line_behind_the_name_of_the_process() {
    assert_eq!(
        syslog_lines(&[b"one\ntwo\n", b"three"]),
        [
            "supervisord: cat one",
            "supervisord: cat two",
            "supervisord: cat three"
        ]
    );
    assert_eq!(
        syslog_lines(&[b"a\n\nb\n\n\n"]),
        [
            "supervisord: cat a",
            "supervisord: cat ",
            "supervisord: cat b"
        ]
    );
    assert_eq!(
        syslog_lines(&[b"\xff\0\n"]),
        ["supervisord: cat \u{fffd}\u{fffd}"]
    );
}

#[test]
fn a_missing_system_log_is_reported_once() {
    let log = Log::start();
    let with_syslog = StreamSpec {
        syslog: true,
        ..without_file()
    };
    events_of(&log, with_syslog, &[b"one\n", b"two\n", b"three\n"]);
    let text = log.main_log();
    assert_eq!(
        text.matches("cannot reach the system log").count(),
        1,
        "{text}"
    );
}

#[test]
fn a_line_that_is_looked_for_is_told_once_whichever_output_has_it() {
    let log = Log::start();
    let patterns = LinePatterns::new([(3, "ready"), (5, "^never$")]).unwrap();
    let of = |kind| StreamSpec {
        kind,
        patterns: patterns.clone(),
        ..without_file()
    };
    let stdout = log.attach(1, of(StreamKind::Stdout));
    let stderr = log.attach(1, of(StreamKind::Stderr));
    put(&stdout, b"not yet\n");
    put(&stderr, b"now it is ready\nready\n");
    let number = log.wait_for(|event| match event {
        LogEvent::LineFound { owner, number } => {
            assert_eq!(owner.0, 1);
            Some(number)
        }
        LogEvent::Drained { .. }
        | LogEvent::StreamClosed { .. }
        | LogEvent::ProcessLog { .. }
        | LogEvent::ProcessCommunication { .. }
        | LogEvent::ListenerOutput { .. }
        | LogEvent::SinkProblem { .. }
        | LogEvent::Dropped { .. }
        | LogEvent::FileChanged { .. } => None,
    });
    assert_eq!(number, 3);
    put(&stdout, b"ready\n");
    drop((stdout, stderr));
    let (_, others) = log.finish(1);
    let again = others
        .iter()
        .any(|event| matches!(event, LogEvent::LineFound { .. }));
    assert!(!again, "{others:?}");
}
