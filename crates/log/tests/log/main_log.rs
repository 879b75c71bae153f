//! The daemon's own log.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Duration;

use linchpin_log::{FileSpec, LogConfig, LogLevel, LogThread, MainLog, MainLogSpec, MainLogTarget};

use crate::common::{Log, PATIENCE, ask_oracle, oracle, read, wait_until};

fn main_log(path: &Path, max_bytes: u64, backups: u32) -> MainLogSpec {
    MainLogSpec {
        target: MainLogTarget::File(FileSpec {
            path: path.to_owned(),
            max_bytes,
            backups,
        }),
        level: LogLevel::Info,
        echo: false,
        prints: false,
        identity: "supervisord".to_owned(),
        utc_offset: |_| 0,
    }
}

/// Replaces every digit, so that times compare.
fn without_digits(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_ascii_digit() {
                '9'
            } else {
                character
            }
        })
        .collect()
}

#[test]
fn lines_have_the_originals_form() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("main.log");
    let mut log = MainLog::open(&main_log(&path, 0, 0)).unwrap();
    for level in [
        LogLevel::Blather,
        LogLevel::Trace,
        LogLevel::Debug,
        LogLevel::Info,
        LogLevel::Warn,
        LogLevel::Error,
        LogLevel::Critical,
    ] {
        log.log(level, "hello");
    }
    let ours = without_digits(&String::from_utf8(read(&path)).unwrap());
    assert_eq!(
        ours,
        "9999-99-99 99:99:99,999 INFO hello\n\
         9999-99-99 99:99:99,999 WARN hello\n\
         9999-99-99 99:99:99,999 ERRO hello\n\
         9999-99-99 99:99:99,999 CRIT hello\n"
    );
    let Some(python) = oracle("lines_have_the_originals_form") else {
        return;
    };
    let script = r"
import sys
from supervisor import loggers
logger = loggers.getLogger(loggers.LevelsByName.INFO)
loggers.handle_stdout(logger, '%(asctime)s %(levelname)s %(message)s\n')
for name in 'blather trace debug info warn error critical'.split():
    getattr(logger, name)('hello')
";
    let theirs = String::from_utf8(ask_oracle(&python, script, &[], b"")).unwrap();
    assert_eq!(ours, without_digits(&theirs));
}

#[test]
fn it_moves_into_the_thread_and_keeps_the_order() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("main.log");
    let mut early = MainLog::open(&main_log(&path, 0, 0)).unwrap();
    early.log(LogLevel::Info, "early");
    let thread = LogThread::start(LogConfig {
        notify: Box::new(|_| {}),
        main_log: Some(early),
        syslog_identity: "supervisord".to_owned(),
        syslog_socket: None,
        utc_offset: |_| 0,
    })
    .unwrap();
    let handle = thread.handle();
    for number in 0..1_000 {
        handle.log(LogLevel::Info, format!("line {number}"));
    }
    handle.log(LogLevel::Debug, "not logged");
    // Stopping writes what is queued.
    thread.stop(Duration::from_secs(10));
    let text = String::from_utf8(read(&path)).unwrap();
    let found: Vec<&str> = text.lines().map(|line| &line[29..]).collect();
    let mut expected = vec!["early".to_owned()];
    expected.extend((0..1_000).map(|number| format!("line {number}")));
    assert_eq!(found, expected);
}

#[test]
fn it_is_rotated_and_messages_are_never_split() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("main.log");
    let mut log = MainLog::open(&main_log(&path, 100, 1)).unwrap();
    // Each line has 24 + 5 + 41 + 1 bytes.
    for _ in 0..3 {
        log.log(LogLevel::Info, &"x".repeat(41));
    }
    assert_eq!(read(&path).len(), 71);
    assert_eq!(read(&directory.path().join("main.log.1")).len(), 142);
}

#[test]
fn clearing_removes_and_makes_anew() {
    let log = Log::start();
    log.handle.log(LogLevel::Info, "old");
    let clear = || {
        let (sender, receiver) = channel();
        log.handle
            .clear_main_log(Box::new(move |result| sender.send(result).unwrap()))
            .unwrap();
        receiver.recv_timeout(PATIENCE).unwrap()
    };
    clear().unwrap();
    assert_eq!(log.main_log(), "");
    log.handle.log(LogLevel::Info, "new");
    assert!(log.main_log().ends_with("INFO new\n"));
    std::fs::remove_file(log.path("main.log")).unwrap();
    assert_eq!(clear().unwrap_err().kind(), std::io::ErrorKind::NotFound);
    log.handle.reopen_main_log().unwrap();
    assert_eq!(log.main_log(), "");
}

#[test]
fn a_main_log_that_cannot_be_sought_in_needs_no_special_setting() {
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
    let mut log = MainLog::open(&main_log(&fifo, 10, 3)).unwrap();
    // Nobody reads: beyond what is kept, lines are dropped, and nothing blocks.
    for _ in 0..20_000 {
        log.log(LogLevel::Info, "a line that nobody reads at the moment");
    }
    assert!(!directory.path().join("fifo.1").exists());
}

#[test]
fn dropped_lines_are_counted_in_the_log() {
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
    let thread = LogThread::start(LogConfig {
        notify: Box::new(|_| {}),
        main_log: Some(MainLog::open(&main_log(&fifo, 0, 0)).unwrap()),
        syslog_identity: "supervisord".to_owned(),
        syslog_socket: None,
        utc_offset: |_| 0,
    })
    .unwrap();
    let handle = thread.handle();
    let line = "x".repeat(1_000);
    for _ in 0..2_000 {
        handle.log(LogLevel::Info, line.as_str());
    }
    let (sender, receiver) = channel();
    handle
        .flush(Box::new(move |_| sender.send(()).unwrap()))
        .unwrap();
    receiver.recv_timeout(PATIENCE).unwrap();
    let reader = std::fs::File::open(&fifo).unwrap();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        use std::io::BufRead;
        for line in std::io::BufReader::new(reader).lines() {
            let line = line.unwrap();
            if line.contains("lines of the main log on standard output were dropped") {
                sender.send(line).unwrap();
                return;
            }
        }
    });
    let line = receiver.recv_timeout(PATIENCE).unwrap();
    assert!(line.contains(" WARN "), "{line}");
    thread.stop(Duration::from_secs(1));
}

#[test]
fn a_flood_of_lines_is_bounded_and_counted() {
    let log = Log::start();
    let line = "x".repeat(100_000);
    for _ in 0..2_000 {
        log.handle.log(LogLevel::Info, line.as_str());
    }
    wait_until("the count or all lines", || {
        let text = log.main_log();
        let lines = u64::try_from(text.matches("INFO").count()).unwrap();
        let dropped: u64 = text
            .lines()
            .filter_map(|line| line[29..].strip_suffix(" lines of the main log were dropped"))
            .map(|count| count.parse::<u64>().unwrap())
            .sum();
        lines + dropped == 2_000
    });
}

#[test]
fn the_system_log_gets_the_whole_line() {
    let directory = tempfile::tempdir().unwrap();
    let socket_path = directory.path().join("log");
    let socket = UnixDatagram::bind(&socket_path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let spec = MainLogSpec {
        target: MainLogTarget::Syslog {
            socket: Some(socket_path),
        },
        ..main_log(Path::new("/nonexistent"), 0, 0)
    };
    let mut log = MainLog::open(&spec).unwrap();
    log.log(LogLevel::Info, "one\ntwo\n");
    for expected in ["one", "two"] {
        let mut buffer = [0; 1_000];
        let count = socket.recv(&mut buffer).unwrap();
        let text = without_digits(std::str::from_utf8(&buffer[..count]).unwrap());
        let (_, text) = text.split_once("supervisord: ").unwrap();
        assert_eq!(text, format!("9999-99-99 99:99:99,999 INFO {expected}"));
    }
}
