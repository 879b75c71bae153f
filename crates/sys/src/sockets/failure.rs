//! Why a server cannot be opened. The texts are the original's, with which it ends (exit 2).

use std::io;
use std::path::PathBuf;

use linchpin_python::repr;

use crate::errno_name::errno_name;

/// A server that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Somebody answers there.
    #[error(
        "Another program is already listening on a port that one of our HTTP servers is configured to use.  Shut this \
         program down first before starting supervisord."
    )]
    InUse,
    /// The kernel refused.
    #[error("Cannot open an HTTP server: socket.error reported {}", reported(.source))]
    System {
        /// What was asked of the kernel, for the log.
        step: &'static str,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// The path does not fit into an address.
    #[error("Cannot open an HTTP server: socket.error reported AF_UNIX path too long")]
    PathTooLong {
        /// The path.
        path: PathBuf,
    },
    /// Something lies at the path that is no socket. The original removes it; we would rather not.
    #[error(
        "Cannot open an HTTP server: socket.error reported errno.EEXIST (17): {} exists and is not a socket",
        path.display()
    )]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// The owner may not be set.
    #[error(
        "Not permitted to chown {} to uid/gid ({uid}, {gid}); adjust \"sockchown\" value in config file or on \
         command line to values that the current user ({user}) can successfully chown",
        path.display()
    )]
    Owner {
        /// The path.
        path: PathBuf,
        /// The user id that was to be set; -1 leaves it.
        uid: i64,
        /// The group id that was to be set; -1 leaves it.
        gid: i64,
        /// Name or number of the user we are.
        user: String,
    },
    /// A name that has no address.
    #[error("Cannot open an HTTP server: socket.error reported -2: cannot resolve {}", repr(.host))]
    Unresolvable {
        /// The name.
        host: String,
    },
}

impl SocketError {
    pub(super) fn system(step: &'static str) -> impl Fn(rustix::io::Errno) -> Self {
        move |errno| match errno {
            rustix::io::Errno::ADDRINUSE => Self::InUse,
            errno => Self::System {
                step,
                source: errno.into(),
            },
        }
    }
}

fn reported(error: &io::Error) -> String {
    let errno = error.raw_os_error().unwrap_or(0);
    match errno_name(errno) {
        Some(name) => format!("errno.{name} ({errno})"),
        None => errno.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn texts_are_the_originals() {
        let cases = [
            (
                SocketError::system("bind")(Errno::ADDRNOTAVAIL),
                "Cannot open an HTTP server: socket.error reported errno.EADDRNOTAVAIL (99)",
            ),
            (
                SocketError::system("bind")(Errno::ADDRINUSE),
                "Another program is already listening on a port that one of our HTTP servers is configured to use.  \
                 Shut this program down first before starting supervisord.",
            ),
            (
                SocketError::Owner {
                    path: "/run/s.sock".into(),
                    uid: 33,
                    gid: -1,
                    user: "nobody".to_owned(),
                },
                "Not permitted to chown /run/s.sock to uid/gid (33, -1); adjust \"sockchown\" value in config file or \
                 on command line to values that the current user (nobody) can successfully chown",
            ),
        ];
        for (error, text) in cases {
            assert_eq!(error.to_string(), text);
        }
    }
}
