//! A log thread with its news in a channel, and pipes to write into.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use linchpin_log::{
    FileSpec, LogConfig, LogEvent, LogHandle, LogLevel, LogThread, MainLog, MainLogSpec,
    MainLogTarget, OwnerId, StreamId, StreamKind, StreamRole, StreamSinks, StreamSpec,
};

/// How long a condition may take before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Log {
    pub(crate) thread: Option<LogThread>,
    pub(crate) handle: LogHandle,
    pub(crate) events: Receiver<LogEvent>,
    pub(crate) directory: tempfile::TempDir,
}

impl Log {
    pub(crate) fn start() -> Self {
        Self::start_with(LogLevel::Info, None)
    }

    pub(crate) fn start_with(level: LogLevel, syslog_socket: Option<PathBuf>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let main_log = MainLog::open(&MainLogSpec {
            target: MainLogTarget::File(FileSpec {
                path: directory.path().join("main.log"),
                max_bytes: 0,
                backups: 0,
            }),
            level,
            echo: false,
            prints: false,
            identity: "supervisord".to_owned(),
            utc_offset: |_| 0,
        })
        .unwrap();
        let (sender, events) = channel();
        let thread = LogThread::start(LogConfig {
            notify: Box::new(move |event| {
                let _ = sender.send(event);
            }),
            main_log: Some(main_log),
            syslog_identity: "supervisord".to_owned(),
            syslog_socket: Some(
                syslog_socket.unwrap_or_else(|| directory.path().join("no-syslog")),
            ),
            utc_offset: |_| 0,
        })
        .unwrap();
        Self {
            handle: thread.handle(),
            thread: Some(thread),
            events,
            directory,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Everything written to the main log so far.
    pub(crate) fn main_log(&self) -> String {
        self.flush();
        std::fs::read_to_string(self.path("main.log")).unwrap()
    }

    pub(crate) fn flush(&self) {
        let (sender, receiver) = channel();
        self.handle
            .flush(Box::new(move |result| {
                result.unwrap();
                sender.send(()).unwrap();
            }))
            .unwrap();
        receiver.recv_timeout(PATIENCE).unwrap();
    }

    /// Attaches a pipe and gives its writing end.
    pub(crate) fn attach(&self, owner: u64, spec: StreamSpec) -> std::fs::File {
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        self.attach_pipe(owner, spec, read);
        std::fs::File::from(write)
    }

    pub(crate) fn attach_pipe(&self, owner: u64, spec: StreamSpec, read: OwnedFd) {
        let id = StreamId {
            owner: OwnerId(owner),
            kind: spec.kind,
        };
        let sinks = StreamSinks::open(spec).unwrap();
        self.handle.attach(id, 4711, read, sinks).unwrap();
    }

    /// The next event that `select` wants; the others are forgotten.
    pub(crate) fn wait_for<T>(&self, mut select: impl FnMut(LogEvent) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(event) => {
                    if let Some(found) = select(event) {
                        return found;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("the awaited event did not come")
                }
            }
        }
    }

    /// Finishes a run and waits for the answer; gives how long that took and the other events.
    pub(crate) fn finish(&self, owner: u64) -> (Duration, Vec<LogEvent>) {
        let begin = Instant::now();
        self.handle.finish(OwnerId(owner)).unwrap();
        let mut others = Vec::new();
        self.wait_for(|event| match event {
            LogEvent::Drained { owner: drained } if drained == OwnerId(owner) => Some(()),
            other => {
                others.push(other);
                None
            }
        });
        (begin.elapsed(), others)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.stop(Duration::from_secs(5));
        }
    }
}

/// Standard output into a file without rotation.
pub(crate) fn spec(path: &Path) -> StreamSpec {
    StreamSpec {
        process: "cat".into(),
        kind: StreamKind::Stdout,
        role: StreamRole::Output,
        file: Some(FileSpec {
            path: path.to_owned(),
            max_bytes: 0,
            backups: 0,
        }),
        syslog: false,
        capture_max_bytes: 0,
        events_enabled: false,
        strip_ansi: false,
        copy_to_main_log: false,
        patterns: None,
    }
}

pub(crate) fn rotated(path: &Path, max_bytes: u64, backups: u32) -> StreamSpec {
    StreamSpec {
        file: Some(FileSpec {
            path: path.to_owned(),
            max_bytes,
            backups,
        }),
        ..spec(path)
    }
}

/// No log file.
pub(crate) fn without_file() -> StreamSpec {
    StreamSpec {
        file: None,
        ..spec(Path::new("/nonexistent"))
    }
}

pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) fn put(mut pipe: &std::fs::File, data: &[u8]) {
    pipe.write_all(data).unwrap();
}

pub(crate) fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The Python of the original, or the reason why the test is skipped.
pub(crate) fn oracle(test: &str) -> Option<String> {
    let python = std::env::var("LINCHPIN_ORACLE").ok();
    if python.is_none() {
        println!(
            "{test}: skipped, LINCHPIN_ORACLE (a Python with supervisor installed) is not set"
        );
    }
    python
}

/// Runs a script in the original's Python with `input`; gives what it printed.
pub(crate) fn ask_oracle(python: &str, script: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    use std::process::{Command, Stdio};
    let mut child = Command::new(python)
        .args(["-c", script])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the original's script failed");
    output.stdout
}
