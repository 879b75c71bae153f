//! The thread that keeps the history on disk. It may wait for the disk; nobody waits for it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use linchpin_log::{LogHandle, LogLevel};
use linchpin_protocol::api::{
    DAEMON_KIND, HistoryEntry, history_file, older_history_file, write as json,
};

/// Most entries that may wait for the disk. Beyond it they are not written, and how many is.
pub(crate) const QUEUE_MAX: usize = 1024;

/// Least bytes of one half, whatever is configured: a few dozen entries.
pub(crate) const HALF_MIN_BYTES: u64 = 8 * 1024;

/// How long the end of the daemon waits for the last entries.
pub(crate) const LAST_ENTRIES_LIMIT: Duration = Duration::from_secs(1);

/// Bytes that are gathered before they are written.
const BATCH_BYTES: usize = 64 * 1024;

/// The loop's end.
#[derive(Debug)]
pub(super) struct Writer {
    directory: PathBuf,
    /// Lines; gone when no more come.
    lines: Option<SyncSender<Box<str>>>,
    /// How many found the queue full.
    lost: Arc<AtomicU64>,
    /// Closed by the thread when it has written everything.
    done: Receiver<()>,
}

impl Writer {
    /// Starts to write into a directory. None, with a line in the log, if there can be no thread; whether the
    /// directory can be used is found out by the thread, which says so.
    pub(super) fn start(directory: PathBuf, max_bytes: u64, logs: &LogHandle) -> Option<Self> {
        let (lines, incoming) = sync_channel(QUEUE_MAX);
        let (finished, done) = sync_channel(0);
        let lost = Arc::new(AtomicU64::new(0));
        let mut keeper = Keeper {
            directory: directory.clone(),
            half: (max_bytes / 2).max(HALF_MIN_BYTES),
            open: None,
            is_failing: false,
            lost: lost.clone(),
            logs: logs.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("history".to_owned())
            .stack_size(128 * 1024)
            .spawn(move || {
                keeper.keep(&incoming);
                drop(finished);
            });
        match thread {
            Ok(_) => Some(Self {
                directory,
                lines: Some(lines),
                lost,
                done,
            }),
            Err(error) => {
                let text =
                    format!("the history is kept in memory only: cannot start a thread: {error}");
                logs.log(LogLevel::Warn, text);
                None
            }
        }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Has a line written, without its end. Never waits.
    pub(super) fn write(&self, line: String) {
        let Some(lines) = &self.lines else { return };
        if lines.try_send(line.into()).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.lines = None;
        // Whatever the answer: the rest is lost then, or everything is written.
        let _: Result<(), RecvTimeoutError> = self.done.recv_timeout(LAST_ENTRIES_LIMIT);
    }
}

/// The thread's end.
struct Keeper {
    directory: PathBuf,
    half: u64,
    open: Option<Half>,
    /// Something went wrong, and the log knows.
    is_failing: bool,
    lost: Arc<AtomicU64>,
    logs: LogHandle,
}

/// The younger half.
struct Half {
    file: File,
    bytes: u64,
}

impl Keeper {
    fn keep(&mut self, incoming: &Receiver<Box<str>>) {
        // Once at the beginning, so that the log says at once what is wrong with the directory.
        self.put(b"");
        let mut batch = Vec::new();
        while let Ok(line) = incoming.recv() {
            batch.clear();
            add(&mut batch, &line);
            let most = usize::try_from(self.half / 4).unwrap_or(BATCH_BYTES);
            while batch.len() < most.min(BATCH_BYTES)
                && let Ok(line) = incoming.try_recv()
            {
                add(&mut batch, &line);
            }
            self.put(&batch);
        }
    }

    /// Writes whole lines. What cannot be written is lost; the next ones are tried again.
    fn put(&mut self, batch: &[u8]) {
        match self.write(batch) {
            Ok(()) => {
                if std::mem::take(&mut self.is_failing) {
                    let text = format!("the history is kept in {} again", self.directory.display());
                    self.logs.log(LogLevel::Info, text);
                }
                self.tell_lost();
            }
            Err(error) => {
                self.open = None;
                let entries = batch.iter().filter(|byte| **byte == b'\n').count();
                let entries = u64::try_from(entries).unwrap_or(0);
                self.lost.fetch_add(entries, Ordering::Relaxed);
                if !std::mem::replace(&mut self.is_failing, true) {
                    let text = format!(
                        "the history is kept in memory only for now: cannot write to {}: {error}; make the \
                         directory of [linchpin] state_directory and let the daemon write there, or take the \
                         option out",
                        self.directory.display()
                    );
                    self.logs.log(LogLevel::Warn, text);
                }
            }
        }
    }

    fn write(&mut self, batch: &[u8]) -> io::Result<()> {
        let length = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let mut open = match self.open.take() {
            Some(open) => open,
            None => Half::open(&history_file(&self.directory))?,
        };
        if open.bytes > 0 && open.bytes.saturating_add(length) > self.half {
            let path = history_file(&self.directory);
            std::fs::rename(&path, older_history_file(&self.directory))?;
            open = Half::open(&path)?;
        }
        open.file.write_all(batch)?;
        open.bytes += length;
        self.open = Some(open);
        Ok(())
    }

    /// After entries that were lost, an entry says how many.
    fn tell_lost(&mut self) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost == 0 {
            return;
        }
        let time = linchpin_sys::time::wall() / 1_000_000;
        let entry = HistoryEntry {
            id: u64::try_from(time).unwrap_or(0),
            time,
            service: None,
            kind: DAEMON_KIND.to_owned(),
            from: None,
            to: None,
            reason: None,
            text: format!("{lost} entries are missing before this: they could not be written"),
            pid: None,
            exit: None,
        };
        let mut line = Vec::new();
        add(&mut line, &json(&entry));
        if self.write(&line).is_err() {
            self.lost.fetch_add(lost, Ordering::Relaxed);
        }
    }
}

impl Half {
    /// Goes on at its end. A line that was cut there by a crash gets an end, so that it spoils no other.
    fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)?;
        let mut bytes = file.seek(SeekFrom::End(0))?;
        if bytes > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
                bytes += 1;
            }
        }
        Ok(Self { file, bytes })
    }
}

fn add(batch: &mut Vec<u8>, line: &str) {
    batch.extend_from_slice(line.as_bytes());
    batch.push(b'\n');
}
