//! Bounds of what clients can make the daemon hold or wait for. One place, so that they can be reviewed
//! together. Beyond each of them a client gets an HTTP error, or another one's idle connection is closed;
//! nobody waits without end.

use std::time::Duration;

/// Most connections to one server. Beyond it, the connection that has waited longest for its client is
/// closed; if every one is being served, the new client gets 503.
pub(crate) const MAX_CONNECTIONS_PER_SERVER: usize = 512;

/// Most connections to all servers together; the same happens beyond it.
pub(crate) const MAX_CONNECTIONS: usize = 1024;

/// Most `/logtail` and `/mainlogtail` answers under way; 503 beyond it. They may last for days, so they
/// must leave room for others.
pub(crate) const MAX_FOLLOWERS: usize = 128;

/// Most XML-RPC calls that are being carried out; 503 beyond it. Calls outlive clients that go away, so the
/// number of connections does not bound them.
pub(crate) const MAX_CALLS: usize = 2 * MAX_CONNECTIONS;

/// Most bytes of a request line and its headers; 431 beyond it. Browsers send up to some 8 KiB of cookies.
pub(crate) const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Most header lines of a request; 431 beyond it.
pub(crate) const MAX_HEADER_LINES: usize = 100;

/// Most bytes of a request's body; 413 beyond it.
pub(crate) const MAX_BODY_BYTES: usize = linchpin_protocol::MAX_REQUEST_BYTES;

/// Most bytes of bodies that are being read or carried out, all connections together; 503 beyond it.
pub(crate) const MAX_TOTAL_BODY_BYTES: usize = 4 * MAX_BODY_BYTES;

/// Time from the first byte of a request (from the connection's beginning, for its first one) until its
/// headers must be there; 408 after it.
pub(crate) const HEAD_TIME: Duration = Duration::from_secs(30);

/// Time from the end of the headers until the body must be there; 408 after it.
pub(crate) const BODY_TIME: Duration = Duration::from_secs(60);

/// How long a kept connection may lie idle. The original's number, which it only checks now and then.
pub(crate) const IDLE_TIME: Duration = Duration::from_secs(30 * 60);

/// How long a client may take no byte of an answer. Followers of logs may, for as long as they like: a
/// `tail -f` that somebody paused is meant to go on later.
pub(crate) const WRITE_STALL_TIME: Duration = Duration::from_secs(60);

/// How long a refused client is listened to after its answer, so that its unread bytes do not make the
/// kernel throw the answer away.
pub(crate) const LINGER_TIME: Duration = Duration::from_secs(2);

/// How long answers under way may take when the servers are told to end.
pub(crate) const FAREWELL_TIME: Duration = Duration::from_secs(2);

/// Pause of accepting when the system has no descriptors left and none of our connections closes.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Bodies above this many bytes are parsed, and answers above it are written, on a worker, so that the
/// supervision does not wait: about a millisecond of work.
pub(crate) const INLINE_BYTES: usize = 256 * 1024;

/// Most looks at files for clients at once; further ones wait for their turn. Fewer than the runtime has
/// workers, so that looks that hang leave some for everything else.
pub(crate) const MAX_FILE_LOOKS: usize = 6;

/// Most reads of much of a log ([`LARGE_LOG_READ_BYTES`]) at once, until the answer is made.
pub(crate) const MAX_LARGE_LOG_READS: usize = 2;

/// What counts as much of a log.
pub(crate) const LARGE_LOG_READ_BYTES: i64 = 1024 * 1024;

/// How long reading a log may take, with waiting for a turn; the fault FAILED after it. A file on a dead
/// network file system never answers.
pub(crate) const LOG_READ_TIME: Duration = Duration::from_secs(30);

/// Most bytes of all results of a `system.multicall`, about; the rest of its calls get the fault FAILED.
pub(crate) const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Most bytes of all answers that are being made or sent, about, beside small ones ([`SMALL_ANSWER_BYTES`]): a
/// client that takes its answer slowly keeps it here for as long. Beyond it reads get the fault FAILED, and so
/// does the rest of a `system.multicall`, and the client that has taken nothing for longest loses its
/// connection. Answers to operations are always given: they are small, and what was done has to be told.
pub(crate) const MAX_TOTAL_ANSWER_BYTES: usize = 2 * MAX_ANSWER_BYTES;

/// Answers up to this many bytes are not counted; [`MAX_CONNECTIONS`] bounds them.
pub(crate) const SMALL_ANSWER_BYTES: usize = 32 * 1024;

/// Most bytes of a log that `/tail.html` shows; no more are shown to those who ask for more.
pub(crate) const MAX_TAIL_PAGE_BYTES: i64 = 4 * 1024 * 1024;

/// Most keys that `cache.store` keeps; the fault FAILED beyond it.
pub(crate) const MAX_CACHE_KEYS: usize = 10_000;

/// Most bytes of keys and what is stored under them, about; the fault FAILED beyond it.
pub(crate) const MAX_CACHE_BYTES: usize = 16 * 1024 * 1024;
