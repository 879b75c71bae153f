//! Measures capture: the writer and our side of `bench/log_capture.py`, which holds the original
//! against it.
//!
//! `capture_speed write BYTES CHUNK STAMP` writes 100-byte lines, CHUNK bytes at a time, and a last
//! `=END=`; it notes its first and last moment in the file STAMP.
//! `capture_speed capture LOG MAX_BYTES BACKUPS BYTES CHUNK` starts such a writer, captures it and
//! prints `SECONDS CPU_SECONDS`.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use linchpin_log::{
    FileSpec, LogConfig, LogEvent, LogThread, OwnerId, StreamId, StreamKind, StreamRole,
    StreamSinks, StreamSpec,
};
use rustix::time::{ClockId, clock_gettime};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["write", bytes, chunk, stamp] => write(bytes.parse()?, chunk.parse()?, stamp),
        ["capture", log, max_bytes, backups, bytes, chunk] => capture(
            FileSpec {
                path: PathBuf::from(log),
                max_bytes: max_bytes.parse()?,
                backups: backups.parse()?,
            },
            bytes,
            chunk,
        ),
        _ => Err("see the head of the source for the arguments".into()),
    }
}

fn now() -> f64 {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = Duration::try_from(time).unwrap_or_default();
    seconds.as_secs_f64()
}

fn write(bytes: usize, chunk: usize, stamp: &str) -> Outcome {
    let block: Vec<u8> = (0..chunk)
        .map(|index| match index % 100 {
            99 => b'\n',
            _ => b'x',
        })
        .collect();
    let begin = now();
    let stdout = rustix::stdio::stdout();
    let put = |data: &[u8]| -> io::Result<()> {
        let mut rest = data;
        while !rest.is_empty() {
            rest = &rest[rustix::io::write(stdout, rest)?..];
        }
        Ok(())
    };
    for _ in 0..bytes / chunk {
        put(&block)?;
    }
    put(b"=END=\n")?;
    std::fs::write(stamp, format!("{begin} {}", now()))?;
    Ok(())
}

/// CPU time of this process, in seconds. The writer is another process.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default().as_secs_f64()
}

fn capture(file: FileSpec, bytes: &str, chunk: &str) -> Outcome {
    let (sender, receiver) = mpsc::channel();
    let log = LogThread::start(LogConfig {
        notify: Box::new(move |event| {
            let _ = sender.send(event);
        }),
        main_log: None,
        syslog_identity: "bench".to_owned(),
        syslog_socket: None,
        utc_offset: |_| 0,
    })?;
    let stamp = file.path.with_extension("stamp");
    let id = StreamId {
        owner: OwnerId(1),
        kind: StreamKind::Stdout,
    };
    let sinks = StreamSinks::open(StreamSpec {
        process: "writer".into(),
        kind: StreamKind::Stdout,
        role: StreamRole::Output,
        file: Some(file),
        syslog: false,
        capture_max_bytes: 0,
        events_enabled: false,
        strip_ansi: false,
        copy_to_main_log: false,
        patterns: None,
    })?;
    let cpu_before = cpu_seconds();
    let begin = Instant::now();
    let mut writer = Command::new(std::env::current_exe()?)
        .args(["write", bytes, chunk])
        .arg(&stamp)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let pipe = writer.stdout.take().ok_or("no pipe")?;
    log.handle()
        .attach(id, writer.id(), OwnedFd::from(pipe), sinks)?;
    writer.wait()?;
    log.handle().finish(id.owner)?;
    while !matches!(receiver.recv()?, LogEvent::Drained { .. }) {}
    let seconds = begin.elapsed().as_secs_f64();
    let cpu = cpu_seconds() - cpu_before;
    writeln!(io::stdout(), "{seconds:.4} {cpu:.4}")?;
    log.stop(Duration::from_secs(1));
    Ok(())
}
