//! Resource limits: what the daemon makes sure of for its children, and what it takes for itself.

use std::io;

use rustix::process::{Resource as RawResource, Rlimit, getrlimit, setrlimit};

/// The resources that `minfds` and `minprocs` are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Open files of a process: `RLIMIT_NOFILE`.
    Files,
    /// Processes of a user: `RLIMIT_NPROC`.
    Processes,
}

impl Resource {
    fn raw(self) -> RawResource {
        match self {
            Self::Files => RawResource::Nofile,
            Self::Processes => RawResource::Nproc,
        }
    }

    /// The kernel's name of the limit.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Files => "RLIMIT_NOFILE",
            Self::Processes => "RLIMIT_NPROC",
        }
    }
}

/// A soft and a hard limit; none is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What counts now.
    pub soft: Option<u64>,
    /// Up to where a process without privileges may raise it.
    pub hard: Option<u64>,
}

impl Limit {
    /// What this process has.
    #[must_use]
    pub fn get(resource: Resource) -> Self {
        let Rlimit { current, maximum } = getrlimit(resource.raw());
        Self {
            soft: current,
            hard: maximum,
        }
    }

    /// Gives it to this process.
    ///
    /// # Errors
    /// `EPERM` for raising the hard limit without privileges, or beyond the kernel's own.
    pub fn set(self, resource: Resource) -> io::Result<()> {
        let limit = Rlimit {
            current: self.soft,
            maximum: self.hard,
        };
        Ok(setrlimit(resource.raw(), limit)?)
    }
}
