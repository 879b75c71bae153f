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

/// What [`ensure_minimum`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ensured {
    /// There was enough.
    Enough,
    /// The soft limit was raised, and the hard one too where needed.
    Raised {
        /// Which limit.
        resource: Resource,
        /// To what.
        to: u64,
    },
}

/// The original's line for the log, at level INFO; empty where nothing was done.
impl std::fmt::Display for Ensured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Enough => Ok(()),
            Self::Raised { resource, to } => {
                write!(f, "Increased {} limit to {to}", resource.name())
            }
        }
    }
}

/// A limit that could not be raised; the original's text, with which it ends (exit 2), except that it shows the
/// real hard limit where the original repeats the wanted number.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.text())]
pub struct LimitError {
    resource: Resource,
    wanted: u64,
    hard: Option<u64>,
    #[source]
    source: io::Error,
}

impl LimitError {
    fn text(&self) -> String {
        let wanted = self.wanted;
        let hard = match self.hard {
            Some(hard) => hard.to_string(),
            // How Python shows "unlimited".
            None => "-1".to_owned(),
        };
        match self.resource {
            Resource::Files => format!(
                "The minimum number of file descriptors required to run this process is {wanted} as per the \
                 \"minfds\" command-line argument or config file setting. The current environment will only \
                 allow you to open {hard} file descriptors.  Either raise the number of usable file \
                 descriptors in your environment (see README.rst) or lower the minfds setting in the config \
                 file to allow the process to start."
            ),
            Resource::Processes => format!(
                "The minimum number of available processes required to run this program is {wanted} as per the \
                 \"minprocs\" command-line argument or config file setting. The current environment will only \
                 allow you to open {hard} processes.  Either raise the number of usable processes in your \
                 environment (see README.rst) or lower the minprocs setting in the config file to allow the \
                 program to start."
            ),
        }
    }
}

/// `minfds` and `minprocs`: raises the soft limit to `wanted` if it is lower, and the hard limit with it if that is
/// lower too. Both are inherited by children.
///
/// # Errors
/// If the hard limit is too low and may not be raised.
pub fn ensure_minimum(resource: Resource, wanted: i64) -> Result<Ensured, LimitError> {
    let limit = Limit::get(resource);
    let Some((wanted, raised)) = raised_to(limit, wanted) else {
        return Ok(Ensured::Enough);
    };
    match raised.set(resource) {
        Ok(()) => Ok(Ensured::Raised {
            resource,
            to: wanted,
        }),
        Err(source) => Err(LimitError {
            resource,
            wanted,
            hard: limit.hard,
            source,
        }),
    }
}

/// The limit that has at least `wanted`, if this one has less.
fn raised_to(limit: Limit, wanted: i64) -> Option<(u64, Limit)> {
    let wanted = u64::try_from(wanted).ok()?;
    if limit.soft.is_none_or(|soft| soft >= wanted) {
        return None;
    }
    let raised = Limit {
        soft: Some(wanted),
        hard: limit.hard.map(|hard| hard.max(wanted)),
    };
    Some((wanted, raised))
}

/// Takes as many open files for the daemon as its hard limit allows, and returns the limit that its children are to
/// get: the one there was.
///
/// The daemon needs three or so for each process; children should not notice, since some programs walk through all
/// descriptors up to the limit.
pub fn take_all_files() -> Limit {
    let for_children = Limit::get(Resource::Files);
    let take = |soft| {
        let raised = Limit {
            soft,
            hard: for_children.hard,
        };
        raised.set(Resource::Files)
    };
    if take(for_children.hard).is_err()
        && let Some(most) = most_files_of_a_process()
        && for_children.soft.is_some_and(|soft| soft < most)
    {
        // The hard limit is beyond what the kernel allows by now. If this fails too, what there is must do.
        let _ = take(Some(most));
    }
    for_children
}

/// The kernel's own maximum, whatever the limits say.
fn most_files_of_a_process() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/sys/fs/nr_open").ok()?;
    text.trim_end().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(soft: Option<u64>, hard: Option<u64>) -> Limit {
        Limit { soft, hard }
    }

    #[test]
    fn limits_are_raised_only_as_far_as_needed() {
        let check = |before, wanted, after| {
            let raised = raised_to(before, wanted).map(|(_, limit)| limit);
            assert_eq!(raised, after, "{before:?} {wanted}");
        };
        check(limit(Some(1024), Some(4096)), 1024, None);
        check(limit(Some(1024), Some(4096)), 200, None);
        check(limit(Some(1024), Some(4096)), -5, None);
        check(limit(None, None), i64::MAX, None);
        check(
            limit(Some(256), Some(4096)),
            1024,
            Some(limit(Some(1024), Some(4096))),
        );
        check(
            limit(Some(256), Some(512)),
            1024,
            Some(limit(Some(1024), Some(1024))),
        );
        check(limit(Some(256), None), 1024, Some(limit(Some(1024), None)));
    }

    #[test]
    fn messages_are_the_originals() {
        let raised = |resource| Ensured::Raised { resource, to: 5000 }.to_string();
        assert_eq!(
            raised(Resource::Files),
            "Increased RLIMIT_NOFILE limit to 5000"
        );
        assert_eq!(
            raised(Resource::Processes),
            "Increased RLIMIT_NPROC limit to 5000"
        );
        let error = LimitError {
            resource: Resource::Files,
            wanted: 5000,
            hard: Some(1024),
            source: io::Error::from_raw_os_error(libc::EPERM),
        };
        assert_eq!(
            error.to_string(),
            "The minimum number of file descriptors required to run this process is 5000 as per the \"minfds\" \
             command-line argument or config file setting. The current environment will only allow you to open \
             1024 file descriptors.  Either raise the number of usable file descriptors in your environment \
             (see README.rst) or lower the minfds setting in the config file to allow the process to start."
        );
    }

    #[test]
    fn a_limit_beyond_the_kernels_own_is_refused() {
        let beyond = i64::MAX - 1;
        let error = ensure_minimum(Resource::Files, beyond).unwrap_err();
        assert!(error.to_string().contains(&beyond.to_string()));
    }
}
