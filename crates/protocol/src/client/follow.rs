//! Bodies that come for as long as the daemon likes: followed logs.

use std::io::{self, ErrorKind, Read as _};
use std::os::fd::{AsFd, BorrowedFd};

use super::chunks::Chunks;
use super::connection::{Connection, READ_BYTES, receiving, retry};
use super::error::ClientError;
use super::http::{Framing, Head, MAX_HEAD_BYTES, end_of_head, parse_head};

/// Where a body is.
#[derive(Debug)]
enum Part {
    /// In its head, of which these bytes are here.
    Head(Vec<u8>),
    Chunked(Chunks),
    /// So many bytes are missing; none where only the end of the connection ends it.
    Plain(Option<usize>),
    Ended,
}

/// A log that is being followed. Its descriptor says when there is something to read.
#[derive(Debug)]
pub struct Follower {
    connection: Connection,
    part: Part,
    /// Answers other than 200 have a body that is wanted, too.
    takes_any_status: bool,
    status: Option<u16>,
}

impl AsFd for Follower {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

impl Follower {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection,
            part: Part::Head(Vec::new()),
            takes_any_status: false,
            status: None,
        }
    }

    /// Hands on the body of any answer: the status says what it is.
    pub(super) fn of_any_status(connection: Connection) -> Self {
        Self {
            takes_any_status: true,
            ..Self::new(connection)
        }
    }

    /// The status of the answer, once its head has come.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// Reads once, waiting if there is nothing, and hands what has come on in pieces. False when that was the end.
    ///
    /// # Errors
    ///
    /// As for [`call`](super::Client::call), and what `piece` returns.
    pub fn read_once(
        &mut self,
        piece: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<bool, ClientError> {
        if matches!(self.part, Part::Ended) {
            return Ok(false);
        }
        let mut buffer = vec![0; READ_BYTES];
        let count = retry(|| self.connection.read(&mut buffer)).map_err(receiving)?;
        if count == 0 {
            let was_whole = matches!(self.part, Part::Plain(None));
            self.part = Part::Ended;
            return if was_whole { Ok(false) } else { Err(cut_off()) };
        }
        self.take(&buffer[..count], piece)?;
        Ok(!matches!(self.part, Part::Ended))
    }

    fn take(
        &mut self,
        bytes: &[u8],
        piece: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), ClientError> {
        match &mut self.part {
            Part::Head(head) => {
                head.extend_from_slice(bytes);
                if let Some(end) = end_of_head(head) {
                    let body = head.split_off(end);
                    let head = std::mem::take(head);
                    let head = parse_head(&head)?;
                    self.status = Some(head.status);
                    self.part = part_after(head, self.takes_any_status)?;
                    return self.take(&body, piece);
                }
                if head.len() > MAX_HEAD_BYTES {
                    return Err(ClientError::NotHttp {
                        what: "a head without an end",
                    });
                }
            }
            Part::Chunked(chunks) => {
                if chunks.push(bytes, piece)? {
                    self.part = Part::Ended;
                }
            }
            Part::Plain(None) => piece(bytes).map_err(handing_on)?,
            Part::Plain(Some(missing)) => {
                let now = bytes.len().min(*missing);
                piece(&bytes[..now]).map_err(handing_on)?;
                *missing -= now;
                if *missing == 0 {
                    self.part = Part::Ended;
                }
            }
            Part::Ended => {}
        }
        Ok(())
    }
}

fn part_after(head: Head, takes_any_status: bool) -> Result<Part, ClientError> {
    if head.status != 200 && !takes_any_status {
        return Err(ClientError::Status {
            status: head.status,
            reason: head.reason,
        });
    }
    Ok(match head.framing {
        Framing::Chunked => Part::Chunked(Chunks::new()),
        Framing::Length(0) => Part::Ended,
        Framing::Length(length) => Part::Plain(Some(length)),
        Framing::UntilClosed => Part::Plain(None),
    })
}

pub(super) fn cut_off() -> ClientError {
    receiving(io::Error::from(ErrorKind::UnexpectedEof))
}

pub(super) fn handing_on(source: io::Error) -> ClientError {
    if source.kind() == ErrorKind::FileTooLarge {
        return ClientError::TooLarge;
    }
    ClientError::Io {
        what: "cannot write",
        source,
    }
}
