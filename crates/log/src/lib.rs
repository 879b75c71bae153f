//! Bytes of the services: capture, rotation, ANSI stripping, syslog, tail, and the main log.
//!
//! A [`LogThread`] owns the read ends of all capture pipes, the log files and the main log; the rest
//! of the daemon talks to it through a [`LogHandle`], whose calls never wait, and hears from it
//! through [`LogEvent`]s. Opening the sinks of a start ([`StreamSinks::open`]) and reading logs
//! ([`read_file`], [`tail_file`], [`Follower`]) are plain functions for other threads.
#![forbid(unsafe_code)]

mod ansi;
mod auto_log;
mod blocking_writer;
mod capture;
mod command;
mod draining;
mod event;
mod follow;
mod handle;
mod level;
mod line_patterns;
mod main_log;
mod open_log;
mod outputs;
mod queue;
mod read;
mod reading;
mod rotation;
mod slots;
mod special_sink;
mod stream;
mod stream_id;
mod stream_spec;
mod syslog;
mod thread;
mod timestamp;
mod watch;

pub use auto_log::{AutoLogs, CleanupReport};
pub use capture::{CAPTURE_BEGIN, CAPTURE_END};
pub use command::Reply;
pub use draining::{DETACHED_STREAMS_MAX, DRAIN_LIMIT};
pub use event::{DroppedKind, EVENT_DATA_IN_FLIGHT_MAX_BYTES, EventData, LogEvent, Notify};
pub use follow::{FOLLOW_CHUNK_MAX_BYTES, FollowStep, Follower};
pub use handle::LogHandle;
pub use level::LogLevel;
pub use line_patterns::{LINE_MAX_BYTES, LinePatterns, PatternError};
pub use main_log::{MainLog, MainLogSpec, MainLogTarget};
pub use queue::{COMMAND_QUEUE_MAX, MAIN_LOG_QUEUE_MAX_BYTES, MAIN_LOG_QUEUE_MAX_LINES, QueueFull};
pub use read::{READ_MAX_BYTES, ReadError, Tail, decode_lossy, read_file, tail_file};
pub use reading::{LARGE_PIPE_BYTES, LARGE_PIPES_MAX};
pub use special_sink::ECHO_PENDING_MAX_BYTES;
pub use stream_id::{OwnerId, StreamId, StreamKind};
pub use stream_spec::{FileSpec, StreamRole, StreamSinks, StreamSpec};
pub use syslog::SYSLOG_MESSAGE_MAX_BYTES;
pub use thread::{CHUNK_MAX_BYTES, LogConfig, LogThread};
pub use timestamp::UtcOffset;
pub use watch::{Watch, WatchId};
