//! What a client needs of a terminal: is it one, how large, and a password without an echo.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr,
};

/// Longest password that is read, in bytes.
const MOST_PASSWORD_BYTES: usize = 4096;
const END_OF_TEXT: u8 = 0x03;
const END_OF_TRANSMISSION: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const KILL_LINE: u8 = 0x15;
const DELETE: u8 = 0x7f;

/// Whether this descriptor is a terminal.
pub fn is_terminal(descriptor: impl AsFd) -> bool {
    rustix::termios::isatty(descriptor)
}

/// Rows and columns of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSize {
    /// Rows.
    pub rows: u16,
    /// Columns.
    pub columns: u16,
}

/// The size of a terminal; none if it is no terminal or does not know.
pub fn window_size(descriptor: impl AsFd) -> Option<WindowSize> {
    let size = tcgetwinsize(descriptor).ok()?;
    (size.ws_row > 0 && size.ws_col > 0).then_some(WindowSize {
        rows: size.ws_row,
        columns: size.ws_col,
    })
}

/// Asks for a password on the terminal of this process, without showing it.
///
/// # Errors
/// If there is no terminal; `Interrupted` after Ctrl-C, `UnexpectedEof` after Ctrl-D; `InvalidData` if it is not
/// UTF-8 or too long.
pub fn read_password(prompt: &str) -> io::Result<String> {
    let terminal = File::options().read(true).write(true).open("/dev/tty")?;
    read_password_from(&terminal, prompt)
}

/// As [`read_password`], on a terminal of the caller's choice.
///
/// # Errors
/// As [`read_password`].
pub fn read_password_from(mut terminal: &File, prompt: &str) -> io::Result<String> {
    let quiet = Quiet::new(terminal)?;
    terminal.write_all(prompt.as_bytes())?;
    let answer = read_line(terminal);
    drop(quiet);
    terminal.write_all(b"\n")?;
    let bytes = answer?;
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "password is not UTF-8"))
}

/// Reads key by key, because with signals off it is on us to notice Ctrl-C.
fn read_line(mut terminal: impl Read) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut key = [0];
    loop {
        if terminal.read(&mut key)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match key[0] {
            b'\n' | b'\r' => return Ok(line),
            END_OF_TEXT => return Err(io::ErrorKind::Interrupted.into()),
            END_OF_TRANSMISSION if line.is_empty() => {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            END_OF_TRANSMISSION => return Ok(line),
            BACKSPACE | DELETE => remove_last_character(&mut line),
            KILL_LINE => line.clear(),
            byte if line.len() < MOST_PASSWORD_BYTES => line.push(byte),
            _ => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "password is too long",
                ));
            }
        }
    }
}

fn remove_last_character(line: &mut Vec<u8>) {
    const CONTINUATION_MASK: u8 = 0b1100_0000;
    const CONTINUATION: u8 = 0b1000_0000;
    while let Some(byte) = line.pop() {
        if byte & CONTINUATION_MASK != CONTINUATION {
            return;
        }
    }
}

/// A terminal without echo, line editing and signals, until this is dropped.
struct Quiet<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn new(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that has gone.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(keys: &[u8], expected: Result<&str, io::ErrorKind>) {
        let line = read_line(keys)
            .map(|line| String::from_utf8(line).unwrap())
            .map_err(|error| error.kind());
        assert_eq!(line, expected.map(str::to_owned));
    }

    #[test]
    fn keys_make_a_password() {
        check(b"secret\n", Ok("secret"));
        check(b"secret\rmore", Ok("secret"));
        check(b"\n", Ok(""));
        check(b"secrex\x7ft\n", Ok("secret"));
        check("aä\u{7f}b\n".as_bytes(), Ok("ab"));
        check(b"\x7f\x08a\n", Ok("a"));
        check(b"wrong\x15right\n", Ok("right"));
        check(b"half\x04", Ok("half"));
        check(b"\x04", Err(io::ErrorKind::UnexpectedEof));
        check(b"cut", Err(io::ErrorKind::UnexpectedEof));
        check(b"sec\x03", Err(io::ErrorKind::Interrupted));
        let long = vec![b'x'; MOST_PASSWORD_BYTES + 1];
        check(&long, Err(io::ErrorKind::InvalidData));
    }

    #[test]
    fn a_pipe_is_no_terminal() {
        let (reader, _writer) = io::pipe().unwrap();
        assert!(!is_terminal(&reader));
        assert_eq!(window_size(&reader), None);
    }

    /// The two sides of a new terminal: what a person holds, and what a program has.
    fn terminal() -> (File, File) {
        use std::os::fd::AsRawFd;
        let person = File::options()
            .read(true)
            .write(true)
            .open("/dev/ptmx")
            .unwrap();
        let number = person.as_raw_fd();
        // SAFETY: a number.
        assert_eq!(unsafe { libc::unlockpt(number) }, 0);
        let mut name = [0; 64];
        // SAFETY: room for as many bytes as announced.
        let error = unsafe { libc::ptsname_r(number, name.as_mut_ptr(), name.len()) };
        assert_eq!(error, 0);
        // SAFETY: the call above ended it with NUL.
        let name = unsafe { std::ffi::CStr::from_ptr(name.as_ptr()) };
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
        let program = rustix::fs::open(name, flags, rustix::fs::Mode::empty()).unwrap();
        (person, File::from(program))
    }

    #[test]
    fn a_password_is_read_without_echo_and_the_terminal_is_as_before() {
        let (mut person, program) = terminal();
        assert!(is_terminal(&program));
        let before = tcgetattr(&program).unwrap();
        let reader = std::thread::spawn(move || {
            let answer = read_password_from(&program, "Password: ");
            (answer, program)
        });
        let mut prompt = [0; 10];
        person.read_exact(&mut prompt).unwrap();
        assert_eq!(&prompt, b"Password: ");
        person.write_all(b"secret\r").unwrap();
        let (answer, program) = reader.join().unwrap();
        assert_eq!(answer.unwrap(), "secret");
        let mut shown = [0; 2];
        person.read_exact(&mut shown).unwrap();
        assert_eq!(&shown, b"\r\n");
        let after = tcgetattr(&program).unwrap();
        assert_eq!(after.local_modes, before.local_modes);
    }

    #[test]
    fn a_terminal_has_a_size_if_it_knows() {
        let (person, program) = terminal();
        assert_eq!(window_size(&program), None);
        let size = rustix::termios::Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&person, size).unwrap();
        let expected = WindowSize {
            rows: 24,
            columns: 80,
        };
        assert_eq!(window_size(&program), Some(expected));
    }
}
