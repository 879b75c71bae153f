//! The system log: messages to `/dev/log` as libc's `syslog` sends them, without ever waiting.
//!
//! Facility and level are those of Python's `syslog.syslog(text)`, LOG_USER and LOG_INFO. A message
//! that the socket does not take is dropped and counted; the count is reported when it is known.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, send, socket_with,
};

use crate::timestamp::{Timestamps, UtcOffset};

/// LOG_USER | LOG_INFO.
const PRIORITY: u32 = (1 << 3) | 6;
/// Where the system log listens.
pub(crate) const SYSLOG_SOCKET: &str = "/dev/log";
/// Longest message, in bytes; the rest is cut off. What common daemons take.
pub const SYSLOG_MESSAGE_MAX_BYTES: usize = 8_192;
/// Time between attempts to reach a system log that is not there.
const RECONNECT_EVERY: Duration = Duration::from_secs(1);
/// Time between two reports about dropped messages.
const REPORT_EVERY: Duration = Duration::from_secs(10);

enum Connection {
    None,
    Datagram(OwnedFd),
    /// Old daemons; messages end with a zero byte.
    Stream(OwnedFd),
}

/// A sender to the system log.
pub(crate) struct Syslog {
    path: Box<Path>,
    identity: Box<str>,
    stamps: Timestamps,
    connection: Connection,
    next_attempt: Option<Instant>,
    dropped: u64,
    /// Dropping has been reported, its end has not.
    is_reported: bool,
    next_report: Option<Instant>,
    problem: Option<String>,
    line: String,
}

impl Syslog {
    pub(crate) fn new(path: &Path, identity: &str, utc_offset: UtcOffset) -> Self {
        Self {
            path: path.into(),
            identity: identity.into(),
            stamps: Timestamps::new(utc_offset),
            connection: Connection::None,
            next_attempt: None,
            dropped: 0,
            is_reported: false,
            next_report: None,
            problem: None,
            line: String::new(),
        }
    }

    /// Sends each line of `text` behind `prefix` as the original splits it: newlines at the end do not
    /// count, and what is left empty is one empty message.
    pub(crate) fn send_lines(&mut self, prefix: &str, text: &str) {
        let time = SystemTime::now();
        for line in text.trim_end_matches('\n').split('\n') {
            self.send_line(time, prefix, line);
        }
    }

    /// Sends one message.
    pub(crate) fn send_line(&mut self, time: SystemTime, prefix: &str, text: &str) {
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        line.push('<');
        line.push_str(&PRIORITY.to_string());
        line.push('>');
        self.stamps.append_syslog(time, &mut line);
        for part in [" ", &self.identity, ": ", prefix, text] {
            line.push_str(part);
        }
        if line.len() > SYSLOG_MESSAGE_MAX_BYTES {
            let mut end = SYSLOG_MESSAGE_MAX_BYTES;
            while !line.is_char_boundary(end) {
                end -= 1;
            }
            line.truncate(end);
        }
        if line.contains('\0') {
            line = line.replace('\0', "\u{fffd}");
        }
        match self.send(line.as_bytes()) {
            Ok(()) => self.report_dropped(),
            Err(error) => self.count_dropped(error),
        }
        self.line = line;
    }

    /// Messages dropped and not yet reported, and a text about it.
    pub(crate) fn take_problem(&mut self) -> Option<String> {
        self.problem.take()
    }

    fn report_dropped(&mut self) {
        if self.dropped > 0 && self.may_report() {
            self.problem = Some(format!(
                "the system log takes messages again; {} were dropped",
                self.dropped
            ));
            self.dropped = 0;
            self.is_reported = false;
        }
    }

    fn count_dropped(&mut self, error: Errno) {
        self.dropped += 1;
        if !self.is_reported && self.may_report() {
            self.is_reported = true;
            // The end of it may be reported as soon as it comes.
            self.next_report = None;
            self.problem = Some(format!(
                "cannot reach the system log '{}': {error}; messages are dropped",
                self.path.display()
            ));
        }
    }

    fn may_report(&mut self) -> bool {
        let now = Instant::now();
        if self.next_report.is_some_and(|at| now < at) {
            return false;
        }
        self.next_report = Some(now + REPORT_EVERY);
        true
    }

    fn send(&mut self, message: &[u8]) -> Result<(), Errno> {
        // A second attempt after a reconnect: the daemon behind the socket may have been restarted.
        for _ in 0..2 {
            self.connect()?;
            let result = match &self.connection {
                Connection::None => return Err(Errno::NOTCONN),
                Connection::Datagram(socket) => {
                    send(socket, message, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
                }
                Connection::Stream(socket) => {
                    let mut terminated = message.to_vec();
                    terminated.push(0);
                    match send(
                        socket,
                        &terminated,
                        SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
                    ) {
                        // Half a message would spoil the next one.
                        Ok(count) if count < terminated.len() => {
                            self.connection = Connection::None;
                            return Err(Errno::AGAIN);
                        }
                        other => other,
                    }
                }
            };
            match result {
                Ok(_) => return Ok(()),
                Err(error @ (Errno::AGAIN | Errno::NOBUFS | Errno::MSGSIZE)) => return Err(error),
                Err(_) => {
                    self.connection = Connection::None;
                    self.next_attempt = None;
                }
            }
        }
        Err(Errno::CONNREFUSED)
    }

    fn connect(&mut self) -> Result<(), Errno> {
        if !matches!(self.connection, Connection::None) {
            return Ok(());
        }
        if self.next_attempt.is_some_and(|at| Instant::now() < at) {
            return Err(Errno::NOTCONN);
        }
        self.next_attempt = Some(Instant::now() + RECONNECT_EVERY);
        let address = SocketAddrUnix::new(&*self.path)?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let datagram = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
        match connect(&datagram, &address) {
            Ok(()) => self.connection = Connection::Datagram(datagram),
            Err(Errno::PROTOTYPE) => {
                let stream = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
                connect(&stream, &address)?;
                self.connection = Connection::Stream(stream);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
