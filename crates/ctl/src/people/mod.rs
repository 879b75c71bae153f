//! What people want of a daemon that they want to understand: `linchpin status`, `linchpin why`, `linchpin events`;
//! and `linchpin reload`.
//!
//! They ask the daemon for the documents of `/api/v1`, which any of its sockets gives, and put them into
//! words and columns; with `--json` they print the documents as they are. `connection` finds the daemon, `arguments`
//! reads what all command lines share, `words` and `moments` say lengths, sizes and times.

mod arguments;
mod connection;
mod events;
mod moments;
mod paint;
mod reload;
mod status;
mod status_table;
mod why;
mod words;

use std::io::{self, BufWriter, Write as _};

use linchpin_config::World;

pub(crate) use why::why_text;

use arguments::{Asked, Mistake};
use connection::Unreachable;
pub(crate) use moments::parse_length;
use paint::Paint;

/// Exit statuses of these commands; supervisorctl's where it has one for the same thing.
mod exit {
    /// Something could not be read or written.
    pub(super) const FAILURE: u8 = 1;
    /// The command line is wrong.
    pub(super) const USAGE: u8 = 2;
    /// Something that was asked about is not as it should be.
    pub(super) const NOT_READY: u8 = 3;
    /// No daemon answers, or nobody has the name.
    pub(super) const UNKNOWN: u8 = 4;
}

/// What a person wants of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errand {
    /// How is everything?
    Status,
    /// Why is it so?
    Why,
    /// What has happened?
    Events,
    /// Have services read their own configuration again.
    Reload,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Mistake(#[from] Mistake),
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
    /// The daemon says no.
    #[error("{0}")]
    Refused(String),
    /// Nobody has this name.
    #[error("there is no process or group called {0}; `linchpin status` shows all")]
    NoSuchName(String),
}

impl Trouble {
    fn exit(&self) -> u8 {
        match self {
            Self::Mistake(_) => exit::USAGE,
            Self::Unreachable(_) | Self::NoSuchName(_) => exit::UNKNOWN,
            Self::Output(_) | Self::Refused(_) => exit::FAILURE,
        }
    }
}

/// Where answers go.
struct Out {
    to: BufWriter<io::Stdout>,
    paint: Paint,
}

/// Runs an errand, answers on standard output and tells the exit status. `called` is what was typed to ask, for
/// messages; `words` is the rest of the command line.
pub fn ask(world: &dyn World, errand: Errand, called: &str, words: &[String]) -> u8 {
    let mut out = Out {
        to: BufWriter::new(io::stdout()),
        paint: Paint::for_output(world),
    };
    let answered = answer(world, errand, called, words, &mut out);
    // Whoever has stopped reading has read enough.
    let flushed = match out.to.flush() {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        flushed => flushed,
    };
    match answered.and_then(|code| Ok(flushed.map(|()| code)?)) {
        Ok(code) => code,
        Err(Trouble::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(trouble) => {
            let hint = if matches!(trouble, Trouble::Mistake(_)) {
                format!("\nTry '{called} --help'.")
            } else {
                String::new()
            };
            // The exit status says it too.
            let _ = writeln!(io::stderr(), "Error: {trouble}{hint}");
            trouble.exit()
        }
    }
}

fn answer(
    world: &dyn World,
    errand: Errand,
    called: &str,
    words: &[String],
    out: &mut Out,
) -> Result<u8, Trouble> {
    let Some(asked) = Asked::read(errand, words)? else {
        out.to
            .write_all(arguments::help(errand, called).as_bytes())?;
        return Ok(0);
    };
    match errand {
        Errand::Status => status::status(world, called, &asked, out),
        Errand::Why => why::why(world, called, &asked, out),
        Errand::Events => events::events(world, called, &asked, out),
        Errand::Reload => reload::reload(world, called, &asked, out),
    }
}
