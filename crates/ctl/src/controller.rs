//! Runs commands: finds them, checks that the daemon is there, keeps the exit code.

use std::fmt;
use std::io::{self, Read, Write};
use std::os::fd::BorrowedFd;
use std::rc::Rc;

use linchpin_protocol::client::{ClientError, Resolver, Waiter, resolve_literal};
use linchpin_protocol::{API_VERSION, FaultCode};

use crate::command_line::{Line, parse_line};
use crate::commands;
use crate::error::{CommandError, NO_SUCH_FILE, REFUSED};
use crate::exit_code::ExitCode;
use crate::input::{Input, Typed};
use crate::interrupts::Interrupts;
use crate::output::Output;
use crate::session::Session;
use crate::settings::Settings;

/// Whether the shell goes on after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Continue,
    Leave,
}

/// What a controller reads and writes.
pub struct Streams<'io> {
    /// Standard input.
    pub input: &'io mut dyn Read,
    /// The descriptor that `input` reads from, if it is one: what is typed can then be waited for together with Ctrl-C and
    /// with output.
    pub input_descriptor: Option<BorrowedFd<'io>>,
    /// Standard output.
    pub output: &'io mut dyn Write,
    /// Standard error: what went wrong while following a log, and questions where there is no terminal.
    pub errors: &'io mut dyn Write,
    /// Whether there is a terminal to ask for passwords on.
    pub has_terminal: bool,
    /// Whether a person types at a terminal and sees the output there, so that lines can be edited.
    pub can_edit: bool,
}

impl fmt::Debug for Streams<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}

/// Carries out commands.
pub struct Controller<'io> {
    pub(crate) settings: Settings,
    pub(crate) session: Session,
    pub(crate) out: Output<'io>,
    pub(crate) errors: &'io mut dyn Write,
    pub(crate) input: Input<'io>,
    pub(crate) has_terminal: bool,
    pub(crate) can_edit: bool,
    pub(crate) interrupts: Option<Rc<Interrupts>>,
    pub(crate) exit: ExitCode,
}

impl fmt::Debug for Controller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller")
            .field("settings", &self.settings)
            .field("exit", &self.exit)
            .finish_non_exhaustive()
    }
}

impl<'io> Controller<'io> {
    /// A controller that has not connected yet.
    #[must_use]
    pub fn new(settings: Settings, streams: Streams<'io>) -> Self {
        Self::with_resolver(settings, streams, resolve_literal)
    }

    /// The same, with a way to look up names of hosts.
    #[must_use]
    pub fn with_resolver(settings: Settings, streams: Streams<'io>, resolver: Resolver) -> Self {
        let Streams {
            input,
            input_descriptor,
            output,
            errors,
            has_terminal,
            can_edit,
        } = streams;
        Self {
            session: Session::new(&settings, resolver),
            settings,
            out: Output::new(output),
            errors,
            input: Input::new(input, input_descriptor),
            has_terminal,
            can_edit,
            interrupts: None,
            exit: ExitCode::Success,
        }
    }

    /// Runs one command and tells how it ended.
    pub fn run_command(&mut self, line: &str) -> ExitCode {
        let _ = self.execute(line);
        self.exit
    }

    /// Runs one command. Whatever goes wrong becomes a line and the exit code 1.
    pub(crate) fn execute(&mut self, line: &str) -> Flow {
        loop {
            let outcome = self.dispatch(line);
            let error = match outcome {
                Ok(flow) => {
                    self.out.flush();
                    return flow;
                }
                Err(error) if error.wants_authentication() => match self.authenticate(error) {
                    Ok(()) => continue,
                    Err(error) => error,
                },
                Err(error) => error,
            };
            if error.is_interruption() {
                self.out.line_now("");
                return Flow::Leave;
            }
            self.exit = ExitCode::Generic;
            self.out.line_now(format_args!("error: {error}"));
            return Flow::Continue;
        }
    }

    /// After a refusal: in the shell asks who is there, so that the command can be tried again.
    fn authenticate(&mut self, refusal: CommandError) -> Result<(), CommandError> {
        self.out.line("Server requires authentication");
        if !self.settings.interactive {
            return Err(refusal);
        }
        let username = self.ask("Username:")?;
        let password = self.ask_secretly("Password:")?;
        self.out.line_now("");
        self.session.set_credentials(username, password);
        Ok(())
    }

    /// Asks a person something.
    pub(crate) fn ask(&mut self, question: &str) -> Result<String, CommandError> {
        self.out.prompt(question);
        self.answer()
    }

    /// The same without showing the answer, where there is a terminal that shows anything.
    fn ask_secretly(&mut self, question: &str) -> Result<String, CommandError> {
        if !self.has_terminal {
            self.errors.write_all(question.as_bytes())?;
            self.errors.flush()?;
            return self.answer();
        }
        linchpin_sys::terminal::read_password(question).map_err(|error| {
            if error.kind() == io::ErrorKind::Interrupted {
                CommandError::Client(ClientError::Interrupted)
            } else if error.kind() == io::ErrorKind::UnexpectedEof {
                CommandError::EndOfInput
            } else {
                CommandError::Terminal(error)
            }
        })
    }

    fn answer(&mut self) -> Result<String, CommandError> {
        match self.input.line(self.interrupts.as_deref())? {
            Typed::Line(line) => Ok(line),
            Typed::End => Err(CommandError::EndOfInput),
            Typed::Interrupted => Err(CommandError::Client(ClientError::Interrupted)),
        }
    }

    /// From now on Ctrl-C ends what we wait for, and not the process.
    pub(crate) fn listen_for_interrupts(&mut self) -> io::Result<Rc<Interrupts>> {
        if let Some(interrupts) = &self.interrupts {
            return Ok(Rc::clone(interrupts));
        }
        let interrupts = Rc::new(Interrupts::listen()?);
        self.session
            .set_waiter(Rc::clone(&interrupts) as Rc<dyn Waiter>);
        self.interrupts = Some(Rc::clone(&interrupts));
        Ok(interrupts)
    }

    fn dispatch(&mut self, line: &str) -> Result<Flow, CommandError> {
        match parse_line(line) {
            Line::Empty => Ok(Flow::Continue),
            Line::Unknown(line) => self.unknown_syntax(line),
            Line::Command { name, arguments } => {
                match commands::find(name, &self.settings.plugins) {
                    Some(command) => command(self, arguments),
                    None => {
                        // `?x` is shown as what it stands for.
                        self.unknown_syntax(line.trim())
                    }
                }
            }
        }
    }

    fn unknown_syntax(&mut self, line: &str) -> Result<Flow, CommandError> {
        self.exit = ExitCode::Generic;
        self.out.line(format_args!("*** Unknown syntax: {line}"));
        for plugin in &self.settings.plugins {
            if let Some(complaint) = plugin.complaint() {
                self.out.line(complaint);
            }
        }
        Ok(Flow::Continue)
    }

    /// Asks the daemon for its version: false, with a line and an exit code, where it cannot be
    /// used.
    pub(crate) fn upcheck(&mut self) -> Result<bool, CommandError> {
        let answer: Result<String, CommandError> = self.session.call("supervisor.getVersion", &[]);
        let (exit, words) = match answer {
            Ok(version) if version == API_VERSION => return Ok(true),
            Ok(version) => (
                ExitCode::WrongVersion,
                format!(
                    "Sorry, this version of supervisorctl expects to talk to a server with API \
                     version {API_VERSION}, but the remote version is {version}."
                ),
            ),
            Err(error) => match error {
                CommandError::Client(ClientError::Fault(fault))
                    if fault.kind() == Some(FaultCode::UnknownMethod) =>
                {
                    (ExitCode::NotRunningStatus, NO_NAMESPACE.to_owned())
                }
                CommandError::Unreachable { url, what } => {
                    let exit = match what {
                        REFUSED => ExitCode::Unknown,
                        _ => ExitCode::NotRunning,
                    };
                    debug_assert!(what == REFUSED || what == NO_SUCH_FILE);
                    (exit, format!("{url} {what}"))
                }
                CommandError::Client(_)
                | CommandError::UnknownResult { .. }
                | CommandError::EndOfInput
                | CommandError::Terminal(_) => return Err(error),
            },
        };
        self.exit = exit;
        self.out.line(words);
        Ok(false)
    }

    /// For commands that take no arguments: complains, helps, and sets the exit code.
    pub(crate) fn accepts_no_arguments(
        &mut self,
        name: &str,
        arguments: &str,
    ) -> Result<bool, CommandError> {
        if arguments.is_empty() {
            return Ok(true);
        }
        self.misused(
            &format!("Error: {name} accepts no arguments"),
            name,
            ExitCode::Generic,
        )?;
        Ok(false)
    }

    /// Prints a complaint and the help of a command.
    pub(crate) fn misused(
        &mut self,
        complaint: &str,
        name: &str,
        exit: ExitCode,
    ) -> Result<(), CommandError> {
        self.exit = exit;
        self.out.line(complaint);
        if let Some(text) = crate::topics::help_text(name) {
            self.out.line(text);
        }
        Ok(())
    }
}

const NO_NAMESPACE: &str = "Sorry, supervisord responded but did not recognize the supervisor \
     namespace commands that supervisorctl uses to control it.  Please check that the \
     [rpcinterface:supervisor] section is enabled in the configuration file (see sample.conf).";
