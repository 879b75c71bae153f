//! Runs commands: finds them, checks that the daemon is there, keeps the exit code.

use std::fmt;
use std::io::{self, BufRead, Write};
use std::rc::Rc;

use linchpin_protocol::client::{ClientError, Resolver, Waiter, resolve_literal};
use linchpin_protocol::{API_VERSION, FaultCode};

use crate::command_line::{Line, parse_line};
use crate::commands;
use crate::error::{CommandError, NO_SUCH_FILE, REFUSED};
use crate::exit_code::ExitCode;
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
    pub input: &'io mut dyn BufRead,
    /// Standard output.
    pub output: &'io mut dyn Write,
    /// Standard error: only what went wrong while following a log.
    pub errors: &'io mut dyn Write,
    /// Whether a person types the input: passwords are then read from the terminal, and Ctrl-C at
    /// the prompt leaves the shell.
    pub input_is_terminal: bool,
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
    pub(crate) input: &'io mut dyn BufRead,
    pub(crate) input_is_terminal: bool,
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
            output,
            errors,
            input_is_terminal,
        } = streams;
        Self {
            session: Session::new(&settings, resolver),
            settings,
            out: Output::new(output),
            errors,
            input,
            input_is_terminal,
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
        let outcome = self.dispatch(line).and_then(|flow| {
            self.out.flush()?;
            Ok(flow)
        });
        match outcome {
            Ok(flow) => flow,
            Err(error) => match self.report(line, &error) {
                Ok(flow) => flow,
                // Nobody reads us any more.
                Err(_) => Flow::Leave,
            },
        }
    }

    fn report(&mut self, line: &str, error: &CommandError) -> io::Result<Flow> {
        if error.is_interruption() {
            self.out.line_now("")?;
            return Ok(Flow::Leave);
        }
        self.exit = ExitCode::Generic;
        if error.wants_authentication() {
            self.out.line("Server requires authentication")?;
            if self.settings.interactive
                && let Some((username, password)) = self.ask_who()?
            {
                self.exit = ExitCode::Success;
                self.session.set_credentials(username, password);
                return Ok(self.execute(line));
            }
        }
        self.out.line_now(format_args!("error: {error}"))?;
        Ok(Flow::Continue)
    }

    /// Asks for user name and password; none at the end of input.
    fn ask_who(&mut self) -> io::Result<Option<(String, String)>> {
        self.out.prompt("Username:")?;
        let Some(username) = self.read_line()? else {
            return Ok(None);
        };
        let password = if self.input_is_terminal {
            Some(linchpin_sys::terminal::read_password("Password:")?)
        } else {
            self.out.prompt("Password:")?;
            self.read_line()?
        };
        self.out.line_now("")?;
        Ok(password.map(|password| (username, password)))
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

    /// A line of input without its end; none at the end of input.
    pub(crate) fn read_line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        if self.input.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        Ok(Some(String::from_utf8_lossy(&line).into_owned()))
    }

    fn dispatch(&mut self, line: &str) -> Result<Flow, CommandError> {
        match parse_line(line) {
            Line::Empty => Ok(Flow::Continue),
            Line::Unknown(line) => self.unknown_syntax(line),
            Line::Command { name, arguments } => match commands::find(name) {
                Some(command) => command(self, arguments),
                None => {
                    // `?x` is shown as what it stands for.
                    self.unknown_syntax(line.trim())
                }
            },
        }
    }

    fn unknown_syntax(&mut self, line: &str) -> Result<Flow, CommandError> {
        self.exit = ExitCode::Generic;
        self.out.line(format_args!("*** Unknown syntax: {line}"))?;
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
                | CommandError::Output(_) => return Err(error),
            },
        };
        self.exit = exit;
        self.out.line(words)?;
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
        self.out.line(complaint)?;
        if let Some(text) = crate::topics::help_text(name) {
            self.out.line(text)?;
        }
        Ok(())
    }
}

const NO_NAMESPACE: &str = "Sorry, supervisord responded but did not recognize the supervisor \
     namespace commands that supervisorctl uses to control it.  Please check that the \
     [rpcinterface:supervisor] section is enabled in the configuration file (see sample.conf).";
