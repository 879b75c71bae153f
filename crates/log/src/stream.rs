//! One output of one running process: what happens to its bytes once they are read.
//!
//! Reading, waiting and closing are the business of [`crate::thread`].

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

use linchpin_python::{repr, repr_bytes, text_or_undecodable};

use crate::ansi::AnsiStripper;
use crate::capture::{CAPTURE_BEGIN, CaptureBuffer, CaptureSplitter, Piece};
use crate::event::LogEvent;
use crate::level::LogLevel;
use crate::line_patterns::LineLook;
use crate::outputs::Outputs;
use crate::rotation::FileSink;
use crate::special_sink::{Accepted, SharedSpecialSink, lock};
use crate::stream_id::StreamId;
use crate::stream_spec::{StreamRole, StreamSpec};

/// Where the bytes are kept.
pub(crate) enum StreamSink {
    None,
    File(FileSink),
    Special(SharedSpecialSink),
}

/// Why a stream is not being polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadState {
    /// epoll tells when there is something.
    Polled,
    /// Busy with tiny writes: read on the next tick.
    Lingering,
    /// Its sink takes nothing.
    WaitsForSink,
    /// Too much event data is under way.
    WaitsForEvents,
    /// Read only in turns of the drain.
    Finishing,
}

struct Capture {
    splitter: CaptureSplitter,
    buffer: CaptureBuffer,
}

/// The stream.
pub(crate) struct Stream {
    pub(crate) id: StreamId,
    pub(crate) pipe: OwnedFd,
    pub(crate) sink: StreamSink,
    pub(crate) state: ReadState,
    /// Bytes that were in the pipe when its process had ended and are still to be read.
    pub(crate) left_bytes: u64,
    pub(crate) busy: Busy,
    pid: u32,
    process: Arc<str>,
    role: StreamRole,
    syslog: bool,
    events_enabled: bool,
    copy_to_main_log: bool,
    ansi: Option<AnsiStripper>,
    capture: Option<Box<Capture>>,
    /// The beginning of a line whose rest is known to be waiting, for the system log.
    partial_line: Vec<u8>,
    lines: Option<Box<LineLook>>,
}

/// How the stream has been writing; decides on lingering and pipe size.
#[derive(Debug)]
pub(crate) struct Busy {
    pub(crate) last_read: Instant,
    pub(crate) small_reads: u8,
    pub(crate) large_reads: u8,
    pub(crate) has_large_pipe: bool,
}

impl Stream {
    pub(crate) fn new(
        id: StreamId,
        pid: u32,
        pipe: OwnedFd,
        spec: &StreamSpec,
        sink: StreamSink,
        now: Instant,
    ) -> Self {
        let is_output = spec.role == StreamRole::Output;
        let capture_max_bytes = usize::try_from(spec.capture_max_bytes).unwrap_or(usize::MAX);
        Self {
            id,
            pipe,
            sink,
            state: ReadState::Polled,
            left_bytes: 0,
            busy: Busy {
                last_read: now,
                small_reads: 0,
                large_reads: 0,
                has_large_pipe: false,
            },
            pid,
            process: Arc::clone(&spec.process),
            role: spec.role,
            syslog: spec.syslog && is_output,
            events_enabled: spec.events_enabled && is_output,
            copy_to_main_log: spec.copy_to_main_log,
            ansi: spec.strip_ansi.then(AnsiStripper::default),
            capture: (capture_max_bytes > 0 && is_output).then(|| {
                Box::new(Capture {
                    splitter: CaptureSplitter::default(),
                    buffer: CaptureBuffer::new(capture_max_bytes),
                })
            }),
            partial_line: Vec::new(),
            lines: spec
                .patterns
                .clone()
                .filter(|_| is_output)
                .map(|patterns| Box::new(LineLook::new(patterns))),
        }
    }

    /// Whether its bytes may go to the daemon.
    pub(crate) fn makes_event_data(&self) -> bool {
        self.events_enabled || self.capture.is_some() || self.role == StreamRole::ListenerProtocol
    }

    pub(crate) fn is_sink_blocked(&self) -> bool {
        match &self.sink {
            StreamSink::Special(special) => lock(special).is_blocked(),
            StreamSink::None | StreamSink::File(_) => false,
        }
    }

    /// Forgets captured text (`clearProcessLogs`).
    pub(crate) fn clear_capture(&mut self) {
        if let Some(capture) = &mut self.capture {
            capture.buffer.take();
        }
    }

    /// Deals with a chunk. `has_more` says that the pipe holds more right now.
    pub(crate) fn take_chunk(
        &mut self,
        data: &[u8],
        has_more: bool,
        outputs: &mut Outputs,
    ) -> Accepted {
        if self.role == StreamRole::ListenerProtocol {
            return self.take_listener_chunk(data, outputs);
        }
        let Some(mut capture) = self.capture.take() else {
            return self.deliver(data, None, has_more, outputs);
        };
        let mut accepted = Accepted::All;
        let Capture { splitter, buffer } = &mut *capture;
        splitter.feed(data, |piece| {
            if self.take_piece(&piece, buffer, has_more, outputs) == Accepted::Pending {
                accepted = Accepted::Pending;
            }
        });
        self.capture = Some(capture);
        accepted
    }

    fn take_piece(
        &mut self,
        piece: &Piece<'_>,
        buffer: &mut CaptureBuffer,
        has_more: bool,
        outputs: &mut Outputs,
    ) -> Accepted {
        match piece {
            Piece::Log(data) => self.deliver(data, None, has_more, outputs),
            // Events and the copy in the main log see captured text too, as in the original.
            Piece::Captured(data) => self.deliver(data, Some(buffer), has_more, outputs),
            Piece::End => {
                let data = outputs.gate.pack(&buffer.take());
                outputs.notify(LogEvent::ProcessCommunication {
                    stream: self.id,
                    pid: self.pid,
                    data,
                });
                if outputs.main_log_is(LogLevel::Debug) {
                    let text = format!(
                        "{} {} emitted a comm event",
                        repr(&self.process),
                        self.id.kind
                    );
                    outputs.log(LogLevel::Debug, &text);
                }
                Accepted::All
            }
        }
    }

    fn take_listener_chunk(&mut self, data: &[u8], outputs: &mut Outputs) -> Accepted {
        if self.copy_to_main_log {
            let text = format!(
                "{} {} output:\n{}",
                repr(&self.process),
                self.id.kind,
                repr_bytes(data)
            );
            outputs.log(LogLevel::Debug, &text);
        }
        let event = outputs.gate.pack(data);
        outputs.notify(LogEvent::ListenerOutput {
            stream: self.id,
            pid: self.pid,
            data: event,
        });
        self.with_stripped(data, outputs, |stream, data, outputs| {
            stream.write_to_sink(data, outputs)
        })
    }

    fn with_stripped(
        &mut self,
        data: &[u8],
        outputs: &mut Outputs,
        then: impl FnOnce(&mut Self, &[u8], &mut Outputs) -> Accepted,
    ) -> Accepted {
        let Some(ansi) = &mut self.ansi else {
            return then(self, data, outputs);
        };
        let mut stripped = std::mem::take(&mut outputs.scratch);
        stripped.clear();
        ansi.strip(data, &mut stripped);
        let accepted = if stripped.is_empty() {
            Accepted::All
        } else {
            then(self, &stripped, outputs)
        };
        outputs.scratch = stripped;
        accepted
    }

    /// Sends output to everything that wants it. Captured text goes to `captured` instead of the logs.
    fn deliver(
        &mut self,
        data: &[u8],
        captured: Option<&mut CaptureBuffer>,
        has_more: bool,
        outputs: &mut Outputs,
    ) -> Accepted {
        self.with_stripped(data, outputs, |stream, data, outputs| {
            stream.deliver_stripped(data, captured, has_more, outputs)
        })
    }

    fn deliver_stripped(
        &mut self,
        data: &[u8],
        captured: Option<&mut CaptureBuffer>,
        has_more: bool,
        outputs: &mut Outputs,
    ) -> Accepted {
        self.look_at_lines(outputs, |look, found| look.feed(data, found));
        let accepted = match captured {
            Some(buffer) => {
                buffer.push(data);
                Accepted::All
            }
            None => {
                let accepted = self.write_to_sink(data, outputs);
                if self.syslog {
                    self.send_to_syslog(data, has_more, outputs);
                }
                accepted
            }
        };
        if self.copy_to_main_log {
            let text = format!(
                "{} {} output:\n{}",
                repr(&self.process),
                self.id.kind,
                text_or_undecodable(data)
            );
            outputs.log(LogLevel::Debug, &text);
        }
        if self.events_enabled {
            let data = outputs.gate.pack(data);
            outputs.notify(LogEvent::ProcessLog {
                stream: self.id,
                pid: self.pid,
                data,
            });
        }
        accepted
    }

    /// Lets somebody look for lines, while there is something to be found.
    fn look_at_lines(
        &mut self,
        outputs: &Outputs,
        look: impl FnOnce(&mut LineLook, &mut dyn FnMut(u16)),
    ) {
        if let Some(lines) = &mut self.lines {
            let owner = self.id.owner;
            if !lines.is_done() {
                look(lines, &mut |number| {
                    outputs.notify(LogEvent::LineFound { owner, number });
                });
            }
            if lines.is_done() {
                self.lines = None;
            }
        }
    }

    fn write_to_sink(&mut self, data: &[u8], outputs: &mut Outputs) -> Accepted {
        match &mut self.sink {
            StreamSink::None => Accepted::All,
            StreamSink::File(file) => {
                if let Some(text) = file.write(data) {
                    outputs.problem(text);
                }
                if !outputs.watches.is_empty() {
                    outputs.changed(file.path());
                }
                Accepted::All
            }
            StreamSink::Special(special) => {
                let mut special = lock(special);
                let accepted = special.write(data);
                if let Some(text) = special.take_problem() {
                    drop(special);
                    outputs.problem(text);
                }
                accepted
            }
        }
    }

    fn send_to_syslog(&mut self, data: &[u8], has_more: bool, outputs: &mut Outputs) {
        let mut joined = std::mem::take(&mut self.partial_line);
        let mut data = data;
        if has_more && let Some(at) = memchr::memrchr(b'\n', data) {
            // The rest of the last line is about to be read: it waits for that.
            self.partial_line = data[at + 1..].to_vec();
            data = &data[..=at];
        }
        let prefix = format!("{} ", self.process);
        joined.extend_from_slice(data);
        outputs.send_to_syslog(&prefix, &String::from_utf8_lossy(&joined));
    }

    /// The end of the output: what was held back goes out.
    pub(crate) fn finish(&mut self, outputs: &mut Outputs) {
        if let Some(mut capture) = self.capture.take() {
            let Capture { splitter, buffer } = &mut *capture;
            let was_capturing = splitter.finish(|piece| {
                self.take_piece(&piece, buffer, false, outputs);
            });
            if was_capturing {
                // No end tag came, so it was no communication; the log gets what the original loses.
                let mut text = CAPTURE_BEGIN.to_vec();
                text.extend_from_slice(&buffer.take());
                self.write_to_sink(&text, outputs);
            }
        }
        if let Some(mut ansi) = self.ansi.take() {
            let mut rest = Vec::new();
            ansi.finish(&mut rest);
            if !rest.is_empty() {
                self.write_to_sink(&rest, outputs);
            }
        }
        self.look_at_lines(outputs, |look, found| look.finish(found));
        if !self.partial_line.is_empty() {
            self.send_to_syslog(b"", false, outputs);
        }
    }

    /// Opens its log again by name.
    pub(crate) fn reopen(&mut self, outputs: &mut Outputs) {
        match &mut self.sink {
            StreamSink::None => {}
            StreamSink::File(file) => {
                if let Err(error) = file.reopen() {
                    let text = format!("cannot reopen log '{}': {error}", file.path().display());
                    outputs.problem(text);
                } else {
                    outputs.changed(file.path());
                }
            }
            StreamSink::Special(special) => lock(special).reopen(),
        }
    }
}
