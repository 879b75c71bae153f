//! What a task writes: read as it comes, so that the task never waits for us, and thrown away but for its end.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::unix::pipe;
use tokio::task::AbortHandle;

/// Most bytes of the output of a task that are kept: the last ones.
pub(crate) const MOST_TAIL_BYTES: usize = 4096;
/// Most bytes of a line that is told.
pub(crate) const MOST_LINE_BYTES: usize = 200;
/// What is read at once.
const CHUNK_BYTES: usize = 16 * 1024;
/// A task that has written this much in one go has to wait for [`PAUSE`], so that one that never stops takes no more
/// than a part of the loop's time.
const MOST_BYTES_AT_ONCE: usize = 64 * 1024;
const PAUSE: Duration = Duration::from_millis(2);

/// The output of a task that runs.
#[derive(Debug)]
pub(super) struct TaskOutput {
    pipe: Arc<pipe::Receiver>,
    tail: Arc<Mutex<Tail>>,
    reader: AbortHandle,
}

impl TaskOutput {
    /// From the reading end of a pipe that does not block.
    ///
    /// # Errors
    /// If the loop cannot watch it.
    pub(super) fn new(pipe: OwnedFd) -> io::Result<Self> {
        let pipe = Arc::new(pipe::Receiver::from_owned_fd_unchecked(pipe)?);
        let tail = Arc::<Mutex<Tail>>::default();
        let reader = tokio::spawn(read_until_end(pipe.clone(), tail.clone())).abort_handle();
        Ok(Self { pipe, tail, reader })
    }

    /// The last line that the task wrote; it has ended, so everything is in the pipe. What others write who hold
    /// the pipe is not waited for.
    pub(super) fn last_line(self) -> Option<String> {
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        // Whatever comes of it: what there was to read has been read.
        let _ = read_some(&self.pipe, &mut tail);
        tail.last_line()
    }
}

impl Drop for TaskOutput {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn read_until_end(pipe: Arc<pipe::Receiver>, tail: Arc<Mutex<Tail>>) {
    while pipe.readable().await.is_ok() {
        let read = pipe.try_io(|| {
            let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
            read_some(&pipe, &mut tail)
        });
        match read {
            Ok(Read::End) => return,
            Ok(Read::More) => tokio::time::sleep(PAUSE).await,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// Why [`read_some`] has come to an end.
enum Read {
    /// Nobody can write any more.
    End,
    /// There may be more, and it was a lot.
    More,
}

fn read_some(pipe: &pipe::Receiver, tail: &mut Tail) -> io::Result<Read> {
    let mut chunk = [0; CHUNK_BYTES];
    let mut total = 0;
    while total < MOST_BYTES_AT_ONCE {
        match linchpin_sys::pipe::read(pipe, &mut chunk) {
            Ok(0) => return Ok(Read::End),
            Ok(count) => {
                tail.push(&chunk[..count]);
                total += count;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Read::More)
}

/// The last bytes of what was written.
#[derive(Debug, Default)]
pub(super) struct Tail(Vec<u8>);

impl Tail {
    fn push(&mut self, data: &[u8]) {
        let data = &data[data.len().saturating_sub(MOST_TAIL_BYTES)..];
        let too_much = (self.0.len() + data.len()).saturating_sub(MOST_TAIL_BYTES);
        self.0.drain(..too_much);
        self.0.extend_from_slice(data);
    }

    /// The last line that is not blank, cut at [`MOST_LINE_BYTES`], without what a terminal would act upon.
    fn last_line(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.0);
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
        let printable = line.chars().filter(|char| !char.is_control());
        let mut line = String::new();
        for char in printable {
            if line.len() + char.len_utf8() > MOST_LINE_BYTES {
                line.push('…');
                break;
            }
            line.push(char);
        }
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(chunks: &[&[u8]], expected: Option<&str>) {
        let mut tail = Tail::default();
        for chunk in chunks {
            tail.push(chunk);
            assert!(tail.0.len() <= MOST_TAIL_BYTES);
        }
        assert_eq!(tail.last_line().as_deref(), expected);
    }

    #[test]
    fn the_last_line_that_says_something_is_told() {
        check(&[], None);
        check(&[b"\n \n"], None);
        check(&[b"one\ntwo"], Some("two"));
        check(&[b"one\nt", b"wo\r\n", b"\n"], Some("two"));
        check(&[b"\x1b[31mred\x07\n"], Some("[31mred"));
        check(&[b"\xff!\n"], Some("\u{fffd}!"));
    }

    #[test]
    fn the_oldest_bytes_are_dropped_and_long_lines_cut() {
        let long = vec![b'x'; 3 * MOST_TAIL_BYTES];
        let cut = format!("{}…", "x".repeat(MOST_LINE_BYTES));
        check(&[b"old\n", &long], Some(&cut));
        check(&[&long, b"\n", &long[..100], b"\nlast"], Some("last"));
        // A character that would be cut in two is left out.
        let wide = "é".repeat(MOST_LINE_BYTES);
        check(
            &[b"y", wide.as_bytes()],
            Some(&format!("y{}…", "é".repeat((MOST_LINE_BYTES - 1) / 2))),
        );
    }
}
