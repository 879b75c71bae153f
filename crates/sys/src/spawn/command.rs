//! What is to be started, and the form in which the kernel takes it.

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::sync::Arc;

use crate::credentials::Credentials;
use crate::limits::Limit;

use super::child::{MOST_DESCRIPTORS, Placement};
use super::environment::Environment;

/// What a child gets as standard input or output.
#[derive(Debug)]
pub enum Stream {
    /// The null device.
    Null,
    /// This descriptor: the child's end of a pipe, a socket, a file. It is closed here with the [`Prepared`].
    Descriptor(OwnedFd),
}

/// What a child gets as standard error.
#[derive(Debug)]
pub enum Stderr {
    /// The same as its standard output.
    SameAsStdout,
    /// Something of its own.
    Own(Stream),
}

/// A process to start. Fields that are not set keep what the daemon has.
#[derive(Debug)]
pub struct Command {
    /// The file to execute, as found by [`command_path`](crate::command_path); not searched for any more.
    pub program: PathBuf,
    /// The arguments, beginning with the name by which the program is called.
    pub arguments: Vec<OsString>,
    /// What its environment begins with.
    pub shared_environment: Arc<Environment>,
    /// Its own variables, which come before shared ones of the same name. Nothing else is inherited.
    pub environment: Vec<(OsString, OsString)>,
    /// Descriptor 0.
    pub stdin: Stream,
    /// Descriptor 1.
    pub stdout: Stream,
    /// Descriptor 2.
    pub stderr: Stderr,
    /// Further descriptors, with their numbers: from 3 on, each number once, at most [`MOST_FURTHER_DESCRIPTORS`].
    pub further: Vec<(RawFd, OwnedFd)>,
    /// Where it runs.
    pub directory: Option<PathBuf>,
    /// Its file mode mask, octal digits as usual.
    pub umask: Option<u32>,
    /// Who it runs as.
    pub credentials: Credentials,
    /// Its limit of open files.
    pub files_limit: Option<Limit>,
    /// SIGPIPE and SIGXFSZ start ignored, as in all children of the original. Every other signal starts with
    /// its default action, and none is blocked.
    pub ignores_sigpipe_and_sigxfsz: bool,
    /// On kernels without `close_range` (before 5.9) descriptors from 3 up to this one, exclusive, are closed
    /// one by one. Descriptors of this library never reach a child anyway.
    pub close_descriptors_below: i32,
}

/// Most descriptors that a child may be given beside its three streams.
pub const MOST_FURTHER_DESCRIPTORS: usize = MOST_DESCRIPTORS - 3;

/// Default of `minfds`, up to where the original closes descriptors.
const DEFAULT_CLOSE_BELOW: i32 = 1024;

impl Command {
    /// `program`, called with these arguments (the first is its name), an empty environment and the null device
    /// on all three streams.
    pub fn new(program: impl Into<PathBuf>, arguments: Vec<OsString>) -> Self {
        Self {
            program: program.into(),
            arguments,
            shared_environment: Arc::default(),
            environment: Vec::new(),
            stdin: Stream::Null,
            stdout: Stream::Null,
            stderr: Stderr::Own(Stream::Null),
            further: Vec::new(),
            directory: None,
            umask: None,
            credentials: Credentials::Keep,
            files_limit: None,
            ignores_sigpipe_and_sigxfsz: true,
            close_descriptors_below: DEFAULT_CLOSE_BELOW,
        }
    }

    /// Brings everything into the form that the child needs, so that it allocates nothing.
    ///
    /// # Errors
    /// A NUL byte in a text, no null device, or further descriptors that cannot be given.
    pub fn prepare(mut self) -> Result<Prepared, PrepareError> {
        let name = self
            .arguments
            .first()
            .map_or_else(|| self.program.as_os_str(), OsString::as_os_str);
        let exec_failure = message_bytes("couldn't exec ", name);
        let directory_failure = match &self.directory {
            Some(directory) => message_bytes("couldn't chdir to ", directory.as_os_str()),
            None => Vec::new(),
        };
        let identity_failure = match &self.credentials {
            Credentials::Keep => Vec::new(),
            Credentials::Switch { uid, .. } => {
                format!("supervisor: couldn't setuid to {uid}: ").into_bytes()
            }
            Credentials::Refused { uid, why } => {
                format!("supervisor: couldn't setuid to {uid}: {why}").into_bytes()
            }
        };
        let stdin = open_stream(self.stdin, "stdin")?;
        let stdout = open_stream(self.stdout, "stdout")?;
        let stderr = match self.stderr {
            Stderr::SameAsStdout => None,
            Stderr::Own(stream) => Some(open_stream(stream, "stderr")?),
        };
        self.further.sort_by_key(|(number, _)| *number);
        let mut taken = 2;
        for (number, _) in &self.further {
            if *number <= taken {
                return Err(PrepareError::Number { number: *number });
            }
            taken = *number;
        }
        if self.further.len() > MOST_FURTHER_DESCRIPTORS {
            return Err(PrepareError::TooManyDescriptors);
        }
        let mut own_variables = Vec::with_capacity(self.environment.len());
        let mut environment = Vec::with_capacity(self.environment.len());
        for (name, value) in self.environment {
            own_variables.push(name.clone());
            environment.push(environment_entry(name, &value)?);
        }
        Ok(Prepared {
            program: c_string(self.program.into_os_string(), "program")?,
            arguments: self
                .arguments
                .into_iter()
                .map(|argument| c_string(argument, "arguments"))
                .collect::<Result<_, _>>()?,
            shared_environment: self.shared_environment,
            own_variables,
            environment,
            stdin,
            stdout,
            stderr,
            further: self.further,
            directory: self
                .directory
                .map(|directory| c_string(directory.into_os_string(), "directory"))
                .transpose()?,
            umask: self.umask,
            credentials: self.credentials,
            files_limit: self.files_limit,
            ignores_sigpipe_and_sigxfsz: self.ignores_sigpipe_and_sigxfsz,
            close_descriptors_below: self.close_descriptors_below,
            exec_failure,
            directory_failure,
            identity_failure,
        })
    }
}

/// A [`Command`] in the form that the kernel takes. Holds the child's descriptors: drop it after the spawn, or a
/// pipe never reports its end.
#[derive(Debug)]
pub struct Prepared {
    pub(super) program: CString,
    pub(super) arguments: Vec<CString>,
    shared_environment: Arc<Environment>,
    own_variables: Vec<OsString>,
    environment: Vec<CString>,
    stdin: OwnedFd,
    stdout: OwnedFd,
    stderr: Option<OwnedFd>,
    further: Vec<(RawFd, OwnedFd)>,
    pub(super) directory: Option<CString>,
    pub(super) umask: Option<u32>,
    pub(super) credentials: Credentials,
    pub(super) files_limit: Option<Limit>,
    pub(super) ignores_sigpipe_and_sigxfsz: bool,
    pub(super) close_descriptors_below: i32,
    /// `supervisor: couldn't exec <name>: `, to which the child adds the error's name.
    pub(super) exec_failure: Vec<u8>,
    /// `supervisor: couldn't chdir to <directory>: `, likewise.
    pub(super) directory_failure: Vec<u8>,
    /// `supervisor: couldn't setuid to <uid>: `, likewise; complete where the account is refused.
    pub(super) identity_failure: Vec<u8>,
}

impl Prepared {
    /// The environment, each as `name=value`.
    pub(super) fn environment(&self) -> impl Iterator<Item = &CString> {
        let shared = self.shared_environment.without(&self.own_variables);
        shared.chain(&self.environment)
    }

    /// The descriptors that become 0, 1 and 2, then the others, by rising number.
    pub(super) fn placements(&self) -> Vec<Placement> {
        let stderr = self.stderr.as_ref().unwrap_or(&self.stdout);
        let streams = [(0, &self.stdin), (1, &self.stdout), (2, stderr)];
        let further = self
            .further
            .iter()
            .map(|(number, source)| (*number, source));
        let all = streams.into_iter().chain(further);
        all.map(|(target, source)| Placement {
            source: source.as_raw_fd(),
            target,
        })
        .collect()
    }
}

/// A command that cannot be given to the kernel at all.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A text contains a NUL byte, at which the kernel would cut it.
    #[error("embedded null byte in {what}")]
    NulByte {
        /// Which part of the command.
        what: &'static str,
    },
    /// A further descriptor is to have a number that is taken.
    #[error("descriptor {number} is taken")]
    Number {
        /// Which.
        number: RawFd,
    },
    /// Too many further descriptors.
    #[error("more than {MOST_FURTHER_DESCRIPTORS} further descriptors")]
    TooManyDescriptors,
    /// The null device cannot be opened.
    #[error("cannot open /dev/null for {stream}")]
    NullDevice {
        /// Which stream.
        stream: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl PrepareError {
    /// The error number, where the system refused.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::NulByte { .. } | Self::Number { .. } | Self::TooManyDescriptors => None,
            Self::NullDevice { source, .. } => source.raw_os_error(),
        }
    }
}

fn message_bytes(what: &str, name: &OsStr) -> Vec<u8> {
    let mut message = format!("supervisor: {what}").into_bytes();
    message.extend_from_slice(name.as_bytes());
    message.extend_from_slice(b": ");
    message
}

fn open_stream(stream: Stream, name: &'static str) -> Result<OwnedFd, PrepareError> {
    match stream {
        Stream::Descriptor(descriptor) => Ok(descriptor),
        Stream::Null => File::options()
            .read(true)
            .write(true)
            .open("/dev/null")
            .map(OwnedFd::from)
            .map_err(|source| PrepareError::NullDevice {
                stream: name,
                source,
            }),
    }
}

fn c_string(text: OsString, what: &'static str) -> Result<CString, PrepareError> {
    CString::new(text.into_vec()).map_err(|_| PrepareError::NulByte { what })
}

pub(super) fn environment_entry(name: OsString, value: &OsStr) -> Result<CString, PrepareError> {
    let mut entry = name;
    entry.push("=");
    entry.push(value);
    c_string(entry, "environment")
}
