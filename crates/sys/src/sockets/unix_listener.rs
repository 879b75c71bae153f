//! A unix socket with mode and owner, at a path where perhaps a stale one lies.
//!
//! As in the original, the socket is made under another name, gets its mode, and only then its real name by a hard
//! link, which fails if something is there: so two daemons that start at once cannot both win. Unlike there, it
//! listens and has its owner before it gets that name, and file systems without hard links work.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, RenameFlags, Uid};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
};

use super::{BACKLOG, SocketError, SocketFile};
use crate::accounts::Accounts;

/// Room for a path in a unix socket address, its end included, as Linux has it.
const ADDRESS_PATH_BYTES: usize = 108;
/// How often a stale file is removed before giving up: more than once only if somebody else keeps making new ones.
const MOST_ATTEMPTS: usize = 5;

/// User and group of a socket file; none leaves it as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owner {
    /// User id.
    pub uid: Option<u32>,
    /// Group id.
    pub gid: Option<u32>,
}

/// A unix socket to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnixSocket {
    /// Where.
    pub path: PathBuf,
    /// File mode, set whatever the file mode mask is.
    pub mode: u32,
    /// User and group.
    pub owner: Owner,
}

/// A unix socket that listens.
#[derive(Debug)]
pub struct Listening {
    /// The socket: non-blocking, close-on-exec.
    pub socket: OwnedFd,
    /// Its file.
    pub file: SocketFile,
    /// There was a file that nobody listened on. The original says `Unlinking stale socket <path>` on standard error.
    pub replaced_stale: bool,
}

/// Listens on a unix socket, taking the place of a stale one.
///
/// # Errors
/// With the original's texts; [`SocketError::InUse`] if somebody listens there already.
pub fn listen_unix(wanted: &UnixSocket) -> Result<Listening, SocketError> {
    let path = &wanted.path;
    if !fits_into_address(path) {
        return Err(SocketError::PathTooLong { path: path.clone() });
    }
    let temporary = TemporaryName::beside(path);
    let socket = match &temporary {
        Some(temporary) => bound_socket(&temporary.0, wanted)?,
        // The path fits, the longer temporary one does not: without the detour, then.
        None => return listen_directly(wanted),
    };
    let mut replaced_stale = false;
    if let Some(temporary) = &temporary {
        for attempt in 1.. {
            match give_name(&temporary.0, path) {
                Ok(()) => break,
                Err(Errno::EXIST) if attempt <= MOST_ATTEMPTS => {
                    replaced_stale |= remove_stale(path)?;
                }
                Err(errno) => return Err(SocketError::system("link")(errno)),
            }
        }
    }
    drop(temporary);
    let file = SocketFile::new(path.clone()).map_err(SocketError::system("stat"))?;
    Ok(Listening {
        socket,
        file,
        replaced_stale,
    })
}

fn listen_directly(wanted: &UnixSocket) -> Result<Listening, SocketError> {
    let mut replaced_stale = false;
    let mut attempt = 1;
    let socket = loop {
        match bound_socket(&wanted.path, wanted) {
            Err(SocketError::InUse) if attempt <= MOST_ATTEMPTS => {
                replaced_stale |= remove_stale(&wanted.path)?;
                attempt += 1;
            }
            other => break other?,
        }
    };
    let file = SocketFile::new(wanted.path.clone()).map_err(SocketError::system("stat"))?;
    Ok(Listening {
        socket,
        file,
        replaced_stale,
    })
}

/// A socket that listens under `name`, with mode and owner.
fn bound_socket(name: &Path, wanted: &UnixSocket) -> Result<OwnedFd, SocketError> {
    let socket = new_socket()?;
    let address = SocketAddrUnix::new(name).map_err(SocketError::system("bind"))?;
    bind(&socket, &address).map_err(SocketError::system("bind"))?;
    let mode = Mode::from_bits_truncate(wanted.mode);
    let finished = rustix::fs::chmod(name, mode)
        .map_err(SocketError::system("chmod"))
        .and_then(|()| set_owner(name, wanted))
        .and_then(|()| listen(&socket, BACKLOG).map_err(SocketError::system("listen")));
    if let Err(error) = finished {
        // The file has just been made by us; an error about removing it would hide the real one.
        let _ = rustix::fs::unlink(name);
        return Err(error);
    }
    Ok(socket)
}

fn new_socket() -> Result<OwnedFd, SocketError> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
        .map_err(SocketError::system("socket"))
}

fn set_owner(name: &Path, wanted: &UnixSocket) -> Result<(), SocketError> {
    let Owner { uid, gid } = wanted.owner;
    if uid.is_none() && gid.is_none() {
        return Ok(());
    }
    let owner = uid.map(Uid::from_raw);
    let group = gid.map(Gid::from_raw);
    match rustix::fs::chown(name, owner, group) {
        Ok(()) => Ok(()),
        Err(Errno::PERM) => Err(SocketError::Owner {
            path: wanted.path.clone(),
            uid: uid.map_or(-1, i64::from),
            gid: gid.map_or(-1, i64::from),
            user: own_name(),
        }),
        Err(errno) => Err(SocketError::system("chown")(errno)),
    }
}

fn own_name() -> String {
    let uid = rustix::process::geteuid().as_raw();
    match Accounts::of_this_machine().user_by_uid(uid) {
        Ok(Some(user)) => user.name,
        Ok(None) | Err(_) => uid.to_string(),
    }
}

/// Gives the socket its real name, unless something has it.
fn give_name(temporary: &Path, path: &Path) -> Result<(), Errno> {
    match rustix::fs::linkat(CWD, temporary, CWD, path, AtFlags::empty()) {
        Err(Errno::EXIST) => Err(Errno::EXIST),
        Ok(()) => Ok(()),
        // No hard links here: some network and FUSE file systems, shared folders of virtual machines.
        Err(_) => {
            match rustix::fs::renameat_with(CWD, temporary, CWD, path, RenameFlags::NOREPLACE) {
                Err(Errno::INVAL | Errno::NOSYS) => rename_if_free(temporary, path),
                answer => answer,
            }
        }
    }
}

/// For file systems that can neither link nor rename with a condition: here two daemons that start in the same
/// instant could both believe to have won.
fn rename_if_free(temporary: &Path, path: &Path) -> Result<(), Errno> {
    match rustix::fs::lstat(path) {
        Ok(_) => Err(Errno::EXIST),
        Err(Errno::NOENT) => rustix::fs::rename(temporary, path),
        Err(errno) => Err(errno),
    }
}

/// Removes a socket file that nobody listens on; whether there was one.
fn remove_stale(path: &Path) -> Result<bool, SocketError> {
    let kind = match rustix::fs::lstat(path) {
        Ok(stat) => FileType::from_raw_mode(stat.st_mode),
        Err(Errno::NOENT) => return Ok(false),
        Err(errno) => return Err(SocketError::system("stat")(errno)),
    };
    if !matches!(kind, FileType::Socket | FileType::Symlink) {
        return Err(SocketError::NotASocket {
            path: path.to_owned(),
        });
    }
    if is_answered(path)? {
        return Err(SocketError::InUse);
    }
    match rustix::fs::unlink(path) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(errno) => Err(SocketError::system("unlink")(errno)),
    }
}

/// Whether somebody listens. The original also sends a request and waits for an answer; a daemon that is too busy to
/// give one should not lose its socket.
fn is_answered(path: &Path) -> Result<bool, SocketError> {
    let probe = new_socket()?;
    let address = SocketAddrUnix::new(path).map_err(SocketError::system("connect"))?;
    match connect(&probe, &address) {
        // The queue of connections is full: somebody listens, if slowly.
        Ok(()) | Err(Errno::AGAIN | Errno::INPROGRESS) => Ok(true),
        // Somebody else's: ask the kernel whether it is bound.
        Err(Errno::ACCESS | Errno::PERM) => Ok(is_bound(path)),
        Err(_) => Ok(false),
    }
}

/// Whether the kernel knows a listening socket with this path, or with the temporary one that the original and we
/// bind to.
fn is_bound(path: &Path) -> bool {
    let Ok(sockets) = std::fs::read_to_string("/proc/net/unix") else {
        // No way to know: do not take what may be alive.
        return true;
    };
    let path = path.to_string_lossy();
    sockets
        .lines()
        .filter_map(|line| line.split_ascii_whitespace().nth(7))
        .any(|bound| {
            bound.strip_prefix(&*path).is_some_and(|rest| {
                rest.is_empty()
                    || rest
                        .strip_prefix('.')
                        .is_some_and(|pid| pid.bytes().all(|byte| byte.is_ascii_digit()))
            })
        })
}

pub(super) fn fits_into_address(path: &Path) -> bool {
    path.as_os_str().len() < ADDRESS_PATH_BYTES
}

/// The name under which a socket is made; deleted when this is dropped.
struct TemporaryName(PathBuf);

impl TemporaryName {
    /// The original's: the path, a dot and our process id. None if it is too long.
    fn beside(path: &Path) -> Option<Self> {
        let mut name = OsString::from(path);
        name.push(format!(".{}", crate::Pid::of_this_process()));
        let name = PathBuf::from(name);
        if !fits_into_address(&name) {
            return None;
        }
        // Left behind by a process of the same id.
        let _ = rustix::fs::unlink(&name);
        Some(Self(name))
    }
}

impl Drop for TemporaryName {
    fn drop(&mut self) {
        // After a rename it has gone already.
        let _ = rustix::fs::unlink(&self.0);
    }
}

#[cfg(test)]
mod tests;
