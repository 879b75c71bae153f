//! Event data under way to the daemon is bounded: its streams wait, nothing is lost.

use std::time::Duration;

use linchpin_log::{EVENT_DATA_IN_FLIGHT_MAX_BYTES, LogEvent, StreamSpec};

use crate::common::{Log, put, read, spec, wait_until, without_file};

#[test]
fn a_daemon_that_takes_no_events_stops_their_streams_and_no_others() {
    let log = Log::start();
    let with_events = StreamSpec {
        events_enabled: true,
        ..without_file()
    };
    let total = 3 * EVENT_DATA_IN_FLIGHT_MAX_BYTES;
    let noisy = log.attach(1, with_events);
    let writer = std::thread::spawn(move || put(&noisy, &vec![b'x'; total]));

    let path = log.path("x.log");
    let quiet = log.attach(2, spec(&path));
    put(&quiet, b"still logged");
    wait_until("the other log", || {
        std::fs::read(&path).unwrap_or_default() == b"still logged"
    });
    std::thread::sleep(Duration::from_millis(50));
    assert!(!writer.is_finished(), "the writer should wait");
    assert_eq!(read(&path), b"still logged");

    // Taking the events lets it go on.
    let mut received = 0;
    while received < total {
        received += log.wait_for(|event| match event {
            LogEvent::ProcessLog { data, .. } => Some(data.len()),
            _ => None,
        });
    }
    assert_eq!(received, total);
    writer.join().unwrap();
}

#[test]
fn the_end_of_a_run_does_not_wait_for_room() {
    let log = Log::start();
    let with_events = || StreamSpec {
        events_enabled: true,
        ..without_file()
    };
    let noisy = log.attach(1, with_events());
    let writer = std::thread::spawn(move || {
        use std::io::Write;
        // Fails when the pipe is closed under it.
        let _ = (&noisy).write_all(&vec![b'x'; 2 * EVENT_DATA_IN_FLIGHT_MAX_BYTES]);
    });
    let mut kept = Vec::new();
    let mut bytes = 0;
    while bytes < EVENT_DATA_IN_FLIGHT_MAX_BYTES {
        log.wait_for(|event| match event {
            LogEvent::ProcessLog { data, .. } => {
                bytes += data.len();
                kept.push(data);
                Some(())
            }
            _ => None,
        });
    }
    let other = log.attach(2, with_events());
    put(&other, b"last words");
    let (_, others) = log.finish(2);
    let said = others.iter().any(
        |event| matches!(event, LogEvent::ProcessLog { data, .. } if &**data == b"last words"),
    );
    assert!(said, "{} events", others.len());
    log.finish(1);
    writer.join().unwrap();
}
