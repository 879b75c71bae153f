//! The shell, as far as scripts need it: command lines from standard input.
//!
//! Editing, history and completion are not here.

use std::io::{self, BufRead};

use crate::controller::{Controller, Flow};
use crate::exit_code::ExitCode;

impl Controller<'_> {
    /// Shows the status, then reads and runs lines until `quit` or the end of input. The shell never
    /// fails.
    pub fn run_shell(&mut self) -> ExitCode {
        let prompt = format!("{}> ", self.settings.prompt);
        let mut line = "status".to_owned();
        while self.execute(&line) == Flow::Continue {
            let read = self.out.prompt(&prompt).and_then(|()| self.read_line());
            line = match read {
                Ok(Some(line)) => line,
                // The end of input is the command of that name: an empty line, and out.
                Ok(None) | Err(_) => "EOF".to_owned(),
            };
        }
        ExitCode::Success
    }
}

/// Reads a line while the terminal shows nothing of it; none at the end of input.
///
/// Without a terminal the line is taken from `input`, so that scripts can feed it.
pub(crate) fn read_password(input: &mut dyn BufRead) -> io::Result<Option<String>> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

    let terminal = rustix::stdio::stdin();
    let before = tcgetattr(terminal).ok();
    if let Some(before) = &before {
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
    }
    let mut line = String::new();
    let read = input.read_line(&mut line);
    if let Some(before) = &before {
        tcsetattr(terminal, OptionalActions::Flush, before)?;
    }
    if read? == 0 {
        return Ok(None);
    }
    Ok(Some(line.trim_end_matches('\n').to_owned()))
}
