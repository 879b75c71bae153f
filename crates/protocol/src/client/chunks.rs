//! The chunked coding of bodies: taken apart as the bytes come, wherever they are cut.

use std::io;

use super::error::ClientError;
use super::follow::handing_on;

/// Longest line in front of a chunk in bytes.
const MAX_SIZE_LINE_BYTES: usize = 256;

/// What comes next in a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The line with the size of a chunk.
    Size,
    /// This many bytes of a chunk.
    Bytes(usize),
    /// The end of the line behind a chunk.
    EndOfChunk,
    /// Trailers, up to an empty line.
    Trailer,
    /// Nothing.
    Ended,
}

/// A body that is taken apart.
#[derive(Debug)]
pub(super) struct Chunks {
    next: Next,
    /// The beginning of a line that has not ended yet.
    line: Vec<u8>,
}

impl Chunks {
    pub(super) fn new() -> Self {
        Self {
            next: Next::Size,
            line: Vec::new(),
        }
    }

    /// Takes what has come and hands on what is content, as soon as it is there and not when its chunk is whole. True
    /// when the body has ended.
    pub(super) fn push(
        &mut self,
        mut bytes: &[u8],
        piece: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<bool, ClientError> {
        while !bytes.is_empty() && self.next != Next::Ended {
            if let Next::Bytes(left) = self.next {
                let (now, rest) = bytes.split_at(left.min(bytes.len()));
                piece(now).map_err(handing_on)?;
                bytes = rest;
                self.next = match left - now.len() {
                    0 => Next::EndOfChunk,
                    left => Next::Bytes(left),
                };
                continue;
            }
            let Some(line) = self.line(&mut bytes)? else {
                break;
            };
            self.next = match self.next {
                Next::Size => match chunk_size(&line)? {
                    0 => Next::Trailer,
                    size => Next::Bytes(size),
                },
                Next::EndOfChunk if line.is_empty() => Next::Size,
                Next::EndOfChunk => {
                    return Err(ClientError::NotHttp {
                        what: "a chunk that does not end where it should",
                    });
                }
                Next::Trailer if line.is_empty() => Next::Ended,
                Next::Trailer | Next::Bytes(_) | Next::Ended => self.next,
            };
        }
        Ok(self.next == Next::Ended)
    }

    /// The next line without its end, if it is all there.
    fn line(&mut self, bytes: &mut &[u8]) -> Result<Option<Vec<u8>>, ClientError> {
        while let Some((first, rest)) = bytes.split_first() {
            *bytes = rest;
            if *first == b'\n' && self.line.last() == Some(&b'\r') {
                self.line.pop();
                return Ok(Some(std::mem::take(&mut self.line)));
            }
            if self.line.len() > MAX_SIZE_LINE_BYTES {
                return Err(ClientError::NotHttp {
                    what: "a line without an end",
                });
            }
            self.line.push(*first);
        }
        Ok(None)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What has come out, and whether that was all, of a body that comes in these pieces.
    fn taken_apart<'a>(
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(String, bool), ClientError> {
        let mut chunks = Chunks::new();
        let mut content = Vec::new();
        let mut has_ended = false;
        for bytes in pieces {
            has_ended = chunks.push(bytes, &mut |piece| {
                content.extend_from_slice(piece);
                Ok(())
            })?;
        }
        Ok((String::from_utf8(content).unwrap(), has_ended))
    }

    #[test]
    fn chunks_are_joined_wherever_they_are_cut() {
        let body = b"5\r\nhello\r\nA;x=y\r\n 0123\r\n678\r\n0\r\nTrailer: x\r\n\r\n";
        let expected = ("hello 0123\r\n678".to_owned(), true);
        for cut in 0..body.len() {
            let (first, second) = body.split_at(cut);
            assert_eq!(taken_apart([first, second]).unwrap(), expected, "{cut}");
        }
        assert_eq!(taken_apart(body.chunks(1)).unwrap(), expected);
    }

    #[test]
    fn content_is_handed_on_before_its_chunk_is_whole() {
        assert_eq!(
            taken_apart([&b"5\r\nhel"[..]]).unwrap(),
            ("hel".to_owned(), false)
        );
    }

    #[test]
    fn broken_chunks_are_errors() {
        let long = "1".repeat(MAX_SIZE_LINE_BYTES + 2);
        for body in [
            "x\r\n",
            "\r\n",
            "1\r\nab\r\n0\r\n\r\n",
            "+1\r\na\r\n",
            &long,
        ] {
            assert!(taken_apart([body.as_bytes()]).is_err(), "{body:?}");
        }
    }
}
