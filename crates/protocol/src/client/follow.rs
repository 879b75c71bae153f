//! Bodies without a known length: chunks as they come.

use std::io::{self, ErrorKind, Read};

use super::connection::{Connection, READ_BYTES, receiving, retry};
use super::error::ClientError;
use super::http::{Framing, parse_head};

/// Longest line in front of a chunk in bytes.
const MAX_SIZE_LINE_BYTES: usize = 256;

/// Reads the answer of a GET and hands its body on piece by piece.
pub(super) fn follow(
    connection: &mut Connection,
    piece: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), ClientError> {
    let mut bytes = Vec::new();
    let end = connection.read_head(&mut bytes)?;
    let head = parse_head(&bytes[..end])?;
    bytes.drain(..end);
    if head.status != 200 {
        return Err(ClientError::Status {
            status: head.status,
            reason: head.reason,
        });
    }
    match head.framing {
        Framing::Chunked => read_chunks(connection, bytes, piece),
        Framing::Length(_) | Framing::UntilClosed => {
            read_plain(connection, head.framing, bytes, piece)
        }
    }
}

fn read_plain(
    stream: &mut impl Read,
    framing: Framing,
    beginning: Vec<u8>,
    piece: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), ClientError> {
    let mut left = match framing {
        Framing::Length(length) => length,
        Framing::Chunked | Framing::UntilClosed => usize::MAX,
    };
    let mut bytes = beginning;
    loop {
        let now = left.min(bytes.len());
        if now > 0 {
            piece(&bytes[..now]).map_err(handing_on)?;
            left -= now;
        }
        if left == 0 {
            return Ok(());
        }
        if !more(stream, &mut bytes, true)? {
            return Ok(());
        }
    }
}

/// Takes chunks apart. Each piece is handed on as soon as it is there, not when its chunk is whole.
pub(super) fn read_chunks(
    stream: &mut impl Read,
    beginning: Vec<u8>,
    piece: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), ClientError> {
    let mut bytes = beginning;
    let mut at = 0;
    loop {
        let line = line(stream, &mut bytes, &mut at)?;
        let mut left = chunk_size(&line)?;
        if left == 0 {
            // Trailers, up to an empty line.
            while !self::line(stream, &mut bytes, &mut at)?.is_empty() {}
            return Ok(());
        }
        while left > 0 {
            if at == bytes.len() {
                at = 0;
                if !more(stream, &mut bytes, true)? {
                    return Err(cut_off());
                }
            }
            let now = left.min(bytes.len() - at);
            piece(&bytes[at..at + now]).map_err(handing_on)?;
            at += now;
            left -= now;
        }
        if !self::line(stream, &mut bytes, &mut at)?.is_empty() {
            return Err(ClientError::NotHttp {
                what: "a chunk that does not end where it should",
            });
        }
    }
}

fn chunk_size(line: &[u8]) -> Result<usize, ClientError> {
    let text = std::str::from_utf8(line).unwrap_or_default();
    let digits = text.split(';').next().unwrap_or_default().trim();
    let valid = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    usize::from_str_radix(digits, 16)
        .ok()
        .filter(|_| valid)
        .ok_or(ClientError::NotHttp {
            what: "a bad size of a chunk",
        })
}

/// The next line, without its end.
fn line(
    stream: &mut impl Read,
    bytes: &mut Vec<u8>,
    at: &mut usize,
) -> Result<Vec<u8>, ClientError> {
    loop {
        let rest = &bytes[*at..];
        if let Some(length) = rest.windows(2).position(|window| window == b"\r\n") {
            let line = rest[..length].to_vec();
            *at += length + 2;
            return Ok(line);
        }
        if rest.len() > MAX_SIZE_LINE_BYTES {
            return Err(ClientError::NotHttp {
                what: "a line without an end",
            });
        }
        bytes.drain(..*at);
        *at = 0;
        if !more(stream, bytes, false)? {
            return Err(cut_off());
        }
    }
}

/// Reads once more, in place of what is there or behind it. False at the end.
fn more(stream: &mut impl Read, bytes: &mut Vec<u8>, replace: bool) -> Result<bool, ClientError> {
    let kept = if replace { 0 } else { bytes.len() };
    bytes.resize(kept + READ_BYTES, 0);
    let read = retry(|| stream.read(&mut bytes[kept..])).map_err(receiving)?;
    bytes.truncate(kept + read);
    Ok(read > 0)
}

fn cut_off() -> ClientError {
    receiving(io::Error::from(ErrorKind::UnexpectedEof))
}

fn handing_on(source: io::Error) -> ClientError {
    if source.kind() == ErrorKind::FileTooLarge {
        return ClientError::TooLarge;
    }
    ClientError::Io {
        what: "cannot write",
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time, so that every boundary is hit.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else {
                return Ok(0);
            };
            buffer[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn chunks(beginning: &str, rest: &str) -> Result<String, ClientError> {
        let mut text = Vec::new();
        read_chunks(
            &mut Slow(rest.as_bytes()),
            beginning.as_bytes().to_vec(),
            &mut |piece| {
                text.extend_from_slice(piece);
                Ok(())
            },
        )?;
        Ok(String::from_utf8(text).unwrap())
    }

    #[test]
    fn chunks_are_joined_wherever_they_are_cut() {
        let body = "5\r\nhello\r\nA;x=y\r\n 0123\r\n678\r\n0\r\nTrailer: x\r\n\r\n";
        for cut in 0..body.len() {
            let (beginning, rest) = body.split_at(cut);
            assert_eq!(
                chunks(beginning, rest).unwrap(),
                "hello 0123\r\n678",
                "{cut}"
            );
        }
    }

    #[test]
    fn broken_chunks_are_errors() {
        for body in [
            "",
            "x\r\n",
            "\r\n",
            "5\r\nhel",
            "1\r\nab\r\n0\r\n\r\n",
            "+1\r\na\r\n",
        ] {
            assert!(chunks(body, "").is_err(), "{body:?}");
        }
    }
}
