//! One connection to a daemon.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use super::address::ServerUrl;
use super::chunks::Chunks;
use super::error::ClientError;
use super::http::{Framing, MAX_HEAD_BYTES, end_of_head, parse_head};
use super::{MAX_ANSWER_BYTES, Resolver, Waiter, follow};

/// Longest wait for a TCP connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest wait for the daemon to take a request.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes asked for at a time while the length of an answer is not known.
pub(super) const READ_BYTES: usize = 16 * 1024;

#[derive(Debug)]
enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    waiter: Option<Rc<dyn Waiter>>,
}

/// Travels through an [`io::Error`], because readers of the standard library carry nothing else.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
struct GivenUp;

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Unix(stream) => stream.as_fd(),
            Self::Tcp(stream) => stream.as_fd(),
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(waiter) = &self.waiter
            && !waiter.wait(self.stream.as_fd())?
        {
            return Err(io::Error::other(GivenUp));
        }
        match &mut self.stream {
            Stream::Unix(stream) => stream.read(buffer),
            Stream::Tcp(stream) => stream.read(buffer),
        }
    }
}

pub(super) fn receiving(source: io::Error) -> ClientError {
    if source.get_ref().is_some_and(|inner| inner.is::<GivenUp>()) {
        return ClientError::Interrupted;
    }
    ClientError::Io {
        what: "cannot receive",
        source,
    }
}

fn connecting(source: io::Error) -> ClientError {
    ClientError::Io {
        what: "cannot connect",
        source,
    }
}

impl Connection {
    pub(super) fn open(
        url: &ServerUrl,
        resolver: Resolver,
        read_timeout: Option<Duration>,
        waiter: Option<Rc<dyn Waiter>>,
    ) -> Result<Self, ClientError> {
        let stream = match url {
            ServerUrl::Unix(path) => {
                let stream = UnixStream::connect(path).map_err(connecting)?;
                if read_timeout.is_some() {
                    stream.set_read_timeout(read_timeout).map_err(connecting)?;
                }
                stream
                    .set_write_timeout(Some(WRITE_TIMEOUT))
                    .map_err(connecting)?;
                Stream::Unix(stream)
            }
            ServerUrl::Http { host, port } => {
                let stream = connect_tcp(host, *port, resolver)?;
                stream
                    .set_nodelay(true)
                    .and_then(|()| stream.set_read_timeout(read_timeout))
                    .and_then(|()| stream.set_write_timeout(Some(WRITE_TIMEOUT)))
                    .map_err(connecting)?;
                Stream::Tcp(stream)
            }
        };
        Ok(Self { stream, waiter })
    }

    /// Whether the daemon still has its end open. It may have restarted while a shell was waiting
    /// for the next line.
    pub(super) fn is_usable(&self) -> bool {
        let mut byte = [0];
        let peeked = match &self.stream {
            Stream::Unix(stream) => {
                let mut stream = stream;
                stream
                    .set_nonblocking(true)
                    .and_then(|()| stream.read(&mut byte))
            }
            Stream::Tcp(stream) => {
                let mut stream = stream;
                stream
                    .set_nonblocking(true)
                    .and_then(|()| stream.read(&mut byte))
            }
        };
        let silent = matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock);
        let restored = match &self.stream {
            Stream::Unix(stream) => stream.set_nonblocking(false),
            Stream::Tcp(stream) => stream.set_nonblocking(false),
        };
        silent && restored.is_ok()
    }

    pub(super) fn send(&mut self, request: &[u8]) -> Result<(), ClientError> {
        match &mut self.stream {
            Stream::Unix(stream) => stream.write_all(request),
            Stream::Tcp(stream) => stream.write_all(request),
        }
        .map_err(|source| ClientError::Io {
            what: "cannot send",
            source,
        })
    }

    /// Sends a request and reads the body of its answer. True when the connection can be used again.
    pub(super) fn exchange(
        &mut self,
        request: &[u8],
        body: &mut Vec<u8>,
    ) -> Result<bool, ClientError> {
        self.send(request)?;
        body.clear();
        let end = self.read_head(body)?;
        let head = parse_head(&body[..end])?;
        // The rest of the first read is the beginning of the body.
        body.drain(..end);
        if head.status != 200 {
            return Err(ClientError::Status {
                status: head.status,
                reason: head.reason,
            });
        }
        match head.framing {
            Framing::Length(length) => self.read_length(length, body)?,
            Framing::Chunked => {
                let beginning = std::mem::take(body);
                self.read_chunks(beginning, body)?;
            }
            Framing::UntilClosed => {
                self.take_at_most(MAX_ANSWER_BYTES + 1, body)?;
                if body.len() > MAX_ANSWER_BYTES {
                    return Err(ClientError::TooLarge);
                }
            }
        }
        Ok(head.keep_alive)
    }

    /// Reads until the head is there; tells where it ends.
    pub(super) fn read_head(&mut self, bytes: &mut Vec<u8>) -> Result<usize, ClientError> {
        loop {
            let before = bytes.len();
            bytes.resize(before + READ_BYTES, 0);
            let read = retry(|| self.read(&mut bytes[before..])).map_err(receiving)?;
            bytes.truncate(before + read);
            if read == 0 {
                return Err(receiving(io::Error::from(ErrorKind::UnexpectedEof)));
            }
            if let Some(end) = end_of_head(bytes) {
                return Ok(end);
            }
            if bytes.len() > MAX_HEAD_BYTES {
                return Err(ClientError::NotHttp {
                    what: "a head without an end",
                });
            }
        }
    }

    fn read_chunks(&mut self, beginning: Vec<u8>, body: &mut Vec<u8>) -> Result<(), ClientError> {
        let mut append = |piece: &[u8]| {
            if body.len() + piece.len() > MAX_ANSWER_BYTES {
                return Err(io::Error::from(ErrorKind::FileTooLarge));
            }
            body.extend_from_slice(piece);
            Ok(())
        };
        let mut chunks = Chunks::new();
        let mut bytes = beginning;
        while !chunks.push(&bytes, &mut append)? {
            bytes.resize(READ_BYTES, 0);
            let count = retry(|| self.read(&mut bytes)).map_err(receiving)?;
            if count == 0 {
                return Err(follow::cut_off());
            }
            bytes.truncate(count);
        }
        Ok(())
    }

    fn read_length(&mut self, length: usize, body: &mut Vec<u8>) -> Result<(), ClientError> {
        if length > MAX_ANSWER_BYTES {
            return Err(ClientError::TooLarge);
        }
        let missing = length.checked_sub(body.len()).ok_or(ClientError::NotHttp {
            what: "more than was announced",
        })?;
        body.reserve_exact(missing);
        self.take_at_most(missing, body)?;
        if body.len() < length {
            return Err(receiving(io::Error::from(ErrorKind::UnexpectedEof)));
        }
        Ok(())
    }

    fn take_at_most(&mut self, bytes: usize, body: &mut Vec<u8>) -> Result<(), ClientError> {
        let limit = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.by_ref()
            .take(limit)
            .read_to_end(body)
            .map_err(receiving)?;
        Ok(())
    }
}

/// Repeats a read that a signal interrupted.
pub(super) fn retry(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

fn connect_tcp(host: &str, port: u16, resolver: Resolver) -> Result<TcpStream, ClientError> {
    let mut last = None;
    for address in resolver(host) {
        match TcpStream::connect_timeout(&SocketAddr::new(address, port), CONNECT_TIMEOUT) {
            Ok(stream) => return Ok(stream),
            // The first failure tells most: `localhost` is 127.0.0.1 before it is ::1.
            Err(error) => last = last.or(Some(error)),
        }
    }
    match last {
        Some(error) => Err(connecting(error)),
        None => Err(ClientError::UnknownHost {
            host: host.to_owned(),
        }),
    }
}
