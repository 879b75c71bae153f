//! Bounds of what probes can make the daemon hold or wait for. An attempt has its own time limit in the
//! configuration; these hold beside it.

use std::time::Duration;

/// Most looks at files and unix sockets that may hang at the same time; further ones wait for them, and fail when
/// the time of their attempt is over. However often it is asked for, each thing has one look at a time.
pub(crate) const MOST_FILE_THREADS: usize = 8;

/// Most questions to the system about names of hosts at the same time; further ones wait.
pub(crate) const MOST_NAME_THREADS: usize = 4;

/// Most time for one question about a name.
pub(crate) const NAME_TIME: Duration = Duration::from_secs(10);

/// How long the addresses of a name are used without asking again.
pub(crate) const NAME_FRESH_TIME: Duration = Duration::from_secs(30);

/// Most names of hosts that are remembered; beyond it the one that was looked up longest ago is forgotten.
pub(crate) const MOST_NAMES: usize = 256;

/// Most bytes, about, of the head of an HTTP answer; beyond it the attempt has failed.
pub(crate) const MOST_HEAD_BYTES: usize = 64 * 1024;

/// Most bytes of the body of an HTTP answer that `body=` is held against; the rest is not read.
pub(crate) const MOST_BODY_BYTES: usize = 64 * 1024;

/// Most files of CA certificates that are kept in memory; beyond it all are forgotten, and read again.
pub(crate) const MOST_CA_FILES: usize = 32;
