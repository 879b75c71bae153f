//! Sockets on which children accept: the daemon opens them and gives them away as descriptor 0.
//!
//! Unlike the daemon's own, they block, because their new owners expect that; and a unix socket takes the place of
//! another one even if somebody listens there: it may be a descendant of an earlier process of the same section, and
//! the original takes the place too. The order is the original's: remove, bind, owner, mode, listen.

use std::io;
use std::net::SocketAddrV4;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Gid, Mode, Uid};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with,
    sockopt::set_socket_reuseaddr,
};

use super::Owner;
use super::unix_listener::fits_into_address;

/// The longest queue of connections that is asked for by default, as in Python on this C library. The kernel lowers
/// it to `somaxconn`.
const LONGEST_BACKLOG: i32 = 4096;

/// A unix socket for children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedUnixSocket {
    /// Where.
    pub path: PathBuf,
    /// File mode; none leaves what the file mode mask gives.
    pub mode: Option<u32>,
    /// User and group.
    pub owner: Owner,
}

/// Why a socket for children cannot be opened. The texts are those of the original's exceptions.
#[derive(Debug, thiserror::Error)]
pub enum SharedSocketError {
    /// The kernel refused.
    #[error("{}", PythonError(.source))]
    System {
        /// What was asked of it.
        step: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// What lies at the path cannot be looked at or removed.
    #[error("{}: '{}'", PythonError(.source), .path.display())]
    Occupied {
        /// The path.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Something lies at the path that is no socket. The original removes it; we would rather not.
    #[error("{} exists and is not a socket", .path.display())]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// The owner may not be set.
    #[error("Could not change ownership of socket file: {}: '{}'", PythonError(.source), .path.display())]
    Owner {
        /// The path.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The mode may not be set.
    #[error("Could not change permissions of socket file: {}: '{}'", PythonError(.source), .path.display())]
    Mode {
        /// The path.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The path does not fit into an address.
    #[error("AF_UNIX path too long")]
    PathTooLong,
}

impl SharedSocketError {
    fn system(step: &'static str) -> impl Fn(Errno) -> Self {
        move |errno| Self::System {
            step,
            source: errno.into(),
        }
    }
}

/// `[Errno 98] Address already in use`.
struct PythonError<'a>(&'a io::Error);

impl std::fmt::Display for PythonError<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.0.to_string();
        match self.0.raw_os_error() {
            Some(errno) => {
                let text = text.strip_suffix(&format!(" (os error {errno})"));
                write!(f, "[Errno {errno}] {}", text.unwrap_or("Unknown error"))
            }
            None => f.write_str(&text),
        }
    }
}

/// Listens at this address: close-on-exec, blocking, with SO_REUSEADDR so that connections of earlier processes do
/// not stand in the way. No backlog is as much as the system allows.
///
/// # Errors
/// As the kernel says.
pub fn listen_shared_tcp(
    address: SocketAddrV4,
    backlog: Option<u32>,
) -> Result<OwnedFd, SharedSocketError> {
    let socket = new_socket(AddressFamily::INET)?;
    set_socket_reuseaddr(&socket, true).map_err(SharedSocketError::system("setsockopt"))?;
    bind(&socket, &address).map_err(SharedSocketError::system("bind"))?;
    listen(&socket, length(backlog)).map_err(SharedSocketError::system("listen"))?;
    Ok(socket)
}

/// Listens on a unix socket, in the place of whatever socket is there: close-on-exec, blocking. The file stays when
/// the socket is closed.
///
/// # Errors
/// As the kernel says; if something lies there that is no socket; and when the path is too long. Then no file of
/// ours is left.
pub fn listen_shared_unix(
    wanted: &SharedUnixSocket,
    backlog: Option<u32>,
) -> Result<OwnedFd, SharedSocketError> {
    let path = &wanted.path;
    if !fits_into_address(path) {
        return Err(SharedSocketError::PathTooLong);
    }
    remove_socket(path)?;
    let socket = new_socket(AddressFamily::UNIX)?;
    let address = SocketAddrUnix::new(path).map_err(SharedSocketError::system("bind"))?;
    bind(&socket, &address).map_err(SharedSocketError::system("bind"))?;
    let finished = set_owner(wanted)
        .and_then(|()| set_mode(wanted))
        .and_then(|()| {
            listen(&socket, length(backlog)).map_err(SharedSocketError::system("listen"))
        });
    if let Err(error) = finished {
        // The file has just been made by us; an error about removing it would hide the real one.
        let _ = rustix::fs::unlink(path);
        return Err(error);
    }
    Ok(socket)
}

fn new_socket(family: AddressFamily) -> Result<OwnedFd, SharedSocketError> {
    socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)
        .map_err(SharedSocketError::system("socket"))
}

fn length(backlog: Option<u32>) -> i32 {
    backlog.map_or(LONGEST_BACKLOG, |backlog| {
        i32::try_from(backlog).unwrap_or(i32::MAX)
    })
}

fn remove_socket(path: &Path) -> Result<(), SharedSocketError> {
    let occupied = |errno: Errno| SharedSocketError::Occupied {
        path: path.to_owned(),
        source: errno.into(),
    };
    let kind = match rustix::fs::lstat(path) {
        Ok(stat) => FileType::from_raw_mode(stat.st_mode),
        Err(Errno::NOENT) => return Ok(()),
        Err(errno) => return Err(occupied(errno)),
    };
    if !matches!(kind, FileType::Socket | FileType::Symlink) {
        return Err(SharedSocketError::NotASocket {
            path: path.to_owned(),
        });
    }
    match rustix::fs::unlink(path) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(occupied(errno)),
    }
}

fn set_owner(wanted: &SharedUnixSocket) -> Result<(), SharedSocketError> {
    let Owner { uid, gid } = wanted.owner;
    if uid.is_none() && gid.is_none() {
        return Ok(());
    }
    let (owner, group) = (uid.map(Uid::from_raw), gid.map(Gid::from_raw));
    rustix::fs::chown(&wanted.path, owner, group).map_err(|errno| SharedSocketError::Owner {
        path: wanted.path.clone(),
        source: errno.into(),
    })
}

fn set_mode(wanted: &SharedUnixSocket) -> Result<(), SharedSocketError> {
    let Some(mode) = wanted.mode else {
        return Ok(());
    };
    rustix::fs::chmod(&wanted.path, Mode::from_bits_truncate(mode)).map_err(|errno| {
        SharedSocketError::Mode {
            path: wanted.path.clone(),
            source: errno.into(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    use std::os::unix::net::{UnixListener, UnixStream};

    fn at(path: PathBuf) -> SharedUnixSocket {
        SharedUnixSocket {
            path,
            mode: Some(0o640),
            owner: Owner::default(),
        }
    }

    #[test]
    fn a_unix_socket_has_its_mode_and_takes_the_place_of_a_living_one() {
        let directory = tempfile::tempdir().unwrap();
        let wanted = at(directory.path().join("s"));
        let earlier = UnixListener::bind(&wanted.path).unwrap();
        let listener = UnixListener::from(listen_shared_unix(&wanted, None).unwrap());
        let metadata = std::fs::metadata(&wanted.path).unwrap();
        assert!(metadata.file_type().is_socket());
        assert_eq!(metadata.permissions().mode() & 0o7777, 0o640);
        let client = UnixStream::connect(&wanted.path).unwrap();
        drop(client);
        // It blocks until there is somebody, and that somebody came to the new one.
        let (mut connection, _) = listener.accept().unwrap();
        assert_eq!(connection.read(&mut [0]).unwrap(), 0);
        drop((earlier, listener));
        assert!(wanted.path.exists(), "the file is left");
    }

    #[test]
    fn what_is_no_socket_is_not_removed() {
        let directory = tempfile::tempdir().unwrap();
        let wanted = at(directory.path().join("s"));
        std::fs::write(&wanted.path, "precious").unwrap();
        let error = listen_shared_unix(&wanted, None).unwrap_err();
        let path = wanted.path.display();
        assert_eq!(
            error.to_string(),
            format!("{path} exists and is not a socket")
        );
        assert_eq!(std::fs::read(&wanted.path).unwrap(), b"precious");
    }

    #[test]
    fn failures_are_told_as_python_tells_them() {
        let directory = tempfile::tempdir().unwrap();
        let nowhere = at(directory.path().join("none/s"));
        let error = listen_shared_unix(&nowhere, None).unwrap_err();
        assert_eq!(error.to_string(), "[Errno 2] No such file or directory");
        let long = at(directory.path().join("x".repeat(108)));
        let error = listen_shared_unix(&long, None).unwrap_err();
        assert_eq!(error.to_string(), "AF_UNIX path too long");
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let std::net::SocketAddr::V4(address) = taken.local_addr().unwrap() else {
            panic!("not IPv4");
        };
        let error = listen_shared_tcp(address, None).unwrap_err();
        assert_eq!(error.to_string(), "[Errno 98] Address already in use");
    }

    #[test]
    fn a_port_is_free_again_in_spite_of_old_connections() {
        let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        let listener = TcpListener::from(listen_shared_tcp(any, Some(1)).unwrap());
        let std::net::SocketAddr::V4(address) = listener.local_addr().unwrap() else {
            panic!("not IPv4");
        };
        let client = TcpStream::connect(address).unwrap();
        let (server, _) = listener.accept().unwrap();
        drop(listener);
        listen_shared_tcp(address, Some(1)).unwrap();
        drop((client, server));
    }
}
