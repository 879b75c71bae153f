//! The shell: one command after the other.

use crate::controller::{Controller, Flow};
use crate::exit_code::ExitCode;
use crate::input::Typed;
use crate::prompt::Prompt;

impl Controller<'_> {
    /// Shows the status, then reads and runs lines until `quit`, Ctrl-C or the end of input. The shell never fails.
    pub fn run_shell(&mut self) -> ExitCode {
        // Without it Ctrl-C ends the process, which is a way of leaving too.
        let _ = self.listen_for_interrupts();
        let mut prompt = Prompt::new(self);
        let mut line = "status".to_owned();
        while self.execute(&line) == Flow::Continue && !self.out.has_failed() {
            line = match prompt.next(self) {
                Ok(Typed::Line(line)) => line,
                // Whoever presses Ctrl-C or Ctrl-D is left on a line of their own.
                Ok(Typed::End | Typed::Interrupted) | Err(_) => {
                    if !prompt.is_edited() {
                        self.out.line_now("");
                    }
                    break;
                }
            };
        }
        prompt.keep_history();
        ExitCode::Success
    }
}
