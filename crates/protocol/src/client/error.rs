//! What can go wrong between a client and a daemon.

use std::io;

use thiserror::Error;

use crate::fault::Fault;
use crate::value_writer::WriteError;
use crate::xml::ReadError;

/// Why a call or a log could not be had.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Neither `unix://` nor `http://`.
    #[error("unknown protocol for serverurl {url}")]
    UnknownProtocol {
        /// The address as given.
        url: String,
    },
    /// The name of the host is not known.
    #[error("cannot find the address of host {host}")]
    UnknownHost {
        /// The name.
        host: String,
    },
    /// Connecting, sending or receiving failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The waiter gave up.
    #[error("interrupted")]
    Interrupted,
    /// Another answer than 200.
    #[error("the daemon answered {status} {reason}")]
    Status {
        /// HTTP status.
        status: u16,
        /// Its words.
        reason: String,
    },
    /// The answer is no HTTP that we understand.
    #[error("not an HTTP answer: {what}")]
    NotHttp {
        /// What was wrong.
        what: &'static str,
    },
    /// The answer is larger than [`MAX_ANSWER_BYTES`](super::MAX_ANSWER_BYTES).
    #[error("the answer is larger than {} bytes", super::MAX_ANSWER_BYTES)]
    TooLarge,
    /// The answer is not UTF-8.
    #[error("the answer is not UTF-8")]
    NotUtf8,
    /// The answer is not what the method returns.
    #[error("cannot read the answer: {0}")]
    Answer(#[from] ReadError),
    /// A parameter cannot be sent.
    #[error("cannot write the call: {0}")]
    Call(#[from] WriteError),
    /// The daemon answered with a fault.
    #[error("{0}")]
    Fault(Fault),
}

impl ClientError {
    /// The fault, if it is one.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) => Some(fault),
            Self::UnknownProtocol { .. }
            | Self::UnknownHost { .. }
            | Self::Io { .. }
            | Self::Interrupted
            | Self::Status { .. }
            | Self::NotHttp { .. }
            | Self::TooLarge
            | Self::NotUtf8
            | Self::Answer(_)
            | Self::Call(_) => None,
        }
    }

    /// The kind of a failure of the operating system, if it is one.
    #[must_use]
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io { source, .. } => Some(source.kind()),
            Self::Fault(_)
            | Self::UnknownProtocol { .. }
            | Self::UnknownHost { .. }
            | Self::Interrupted
            | Self::Status { .. }
            | Self::NotHttp { .. }
            | Self::TooLarge
            | Self::NotUtf8
            | Self::Answer(_)
            | Self::Call(_) => None,
        }
    }
}
