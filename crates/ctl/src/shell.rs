//! The shell, as far as scripts need it: command lines from standard input.
//!
//! Editing, history and completion are not here.

use std::io;

use linchpin_protocol::client::Waiter as _;

use crate::controller::{Controller, Flow};
use crate::exit_code::ExitCode;

impl Controller<'_> {
    /// Shows the status, then reads and runs lines until `quit`, Ctrl-C or the end of input. The
    /// shell never fails.
    pub fn run_shell(&mut self) -> ExitCode {
        if self.input_is_terminal {
            // Without it Ctrl-C ends the process, which is a way of leaving too.
            let _ = self.listen_for_interrupts();
        }
        let prompt = format!("{}> ", self.settings.prompt);
        let mut line = "status".to_owned();
        while self.execute(&line) == Flow::Continue {
            let read = self.out.prompt(&prompt).and_then(|()| self.typed_line());
            line = match read {
                Ok(Some(line)) => line,
                // The end of input is the command of that name: an empty line, and out.
                Ok(None) | Err(_) => "EOF".to_owned(),
            };
        }
        ExitCode::Success
    }

    /// A line from a person, or from whatever stands in for one; none when there are no more.
    fn typed_line(&mut self) -> io::Result<Option<String>> {
        // A terminal gives one line at a time, so nothing is left in the buffer of our input.
        if let Some(interrupts) = &self.interrupts
            && self.input_is_terminal
            && !interrupts.wait(rustix::stdio::stdin())?
        {
            return Ok(None);
        }
        self.read_line()
    }
}
