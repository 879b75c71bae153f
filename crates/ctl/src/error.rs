//! Why a command could not go on.

use std::io;

use linchpin_protocol::client::ClientError;
use linchpin_protocol::{Fault, FaultCode};
use thiserror::Error;

/// What ends a command before its time. Printed as one line, `error: …`.
#[derive(Debug, Error)]
pub(crate) enum CommandError {
    /// The daemon could not be asked, or answered with something that the command does not expect.
    #[error("{0}")]
    Client(ClientError),
    /// The daemon could not be reached at all.
    #[error("{url} {what}")]
    Unreachable { url: String, what: &'static str },
    /// A result with a code that the command has no words for.
    #[error("{name}: {description}")]
    UnknownResult { name: String, description: String },
    /// A question was not answered.
    #[error("EOF when reading a line")]
    EndOfInput,
    /// Our own input or output cannot be used.
    #[error("cannot read or write: {0}")]
    Terminal(#[from] io::Error),
}

impl CommandError {
    /// Says where the daemon was looked for, when that is the trouble.
    pub(crate) fn from_client(error: ClientError, url: &str) -> Self {
        match unreachable_words(&error) {
            Some(what) => Self::Unreachable {
                url: url.to_owned(),
                what,
            },
            None => Self::Client(error),
        }
    }

    /// The fault that the daemon answered with.
    pub(crate) fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Client(error) => error.fault(),
            Self::Unreachable { .. }
            | Self::UnknownResult { .. }
            | Self::EndOfInput
            | Self::Terminal(_) => None,
        }
    }

    /// The code of that fault, if we know it.
    pub(crate) fn fault_code(&self) -> Option<FaultCode> {
        self.fault()?.kind()
    }

    /// The daemon wants to know who is asking.
    pub(crate) fn wants_authentication(&self) -> bool {
        matches!(self, Self::Client(ClientError::Status { status: 401, .. }))
    }
}

impl CommandError {
    /// Somebody pressed Ctrl-C.
    pub(crate) fn is_interruption(&self) -> bool {
        matches!(self, Self::Client(ClientError::Interrupted))
    }
}

/// The two ways of not being there that have words of their own.
fn unreachable_words(error: &ClientError) -> Option<&'static str> {
    let kind = error.io_kind()?;
    if kind == io::ErrorKind::ConnectionRefused {
        Some(REFUSED)
    } else if kind == io::ErrorKind::NotFound {
        Some(NO_SUCH_FILE)
    } else {
        None
    }
}

pub(crate) const REFUSED: &str = "refused connection";
pub(crate) const NO_SUCH_FILE: &str = "no such file";
