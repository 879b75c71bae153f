//! Who connected to a unix socket.

use std::io;
use std::os::fd::AsFd;

/// The process at the other end, as it was when it connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerCredentials {
    /// Its process id in our namespace; 0 if it is not visible there.
    pub pid: i32,
    /// Its effective user id.
    pub uid: u32,
    /// Its effective group id.
    pub gid: u32,
}

/// The process that connected to this unix stream socket. The kernel vouches for it.
///
/// # Errors
/// `EOPNOTSUPP` or `ENOTSOCK` for anything but a socket that can have credentials.
pub fn peer_credentials(stream: impl AsFd) -> io::Result<PeerCredentials> {
    // Through libc and not rustix, whose type for a process id has no room for 0.
    let mut credentials = libc::ucred {
        pid: 0,
        uid: 0,
        gid: 0,
    };
    let mut bytes = socket_length::<libc::ucred>();
    let descriptor = std::os::fd::AsRawFd::as_raw_fd(&stream.as_fd());
    // SAFETY: the buffer is valid for writes of as many bytes as are announced.
    let answer = unsafe {
        libc::getsockopt(
            descriptor,
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut bytes,
        )
    };
    if answer != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(PeerCredentials {
        pid: credentials.pid,
        uid: credentials.uid,
        gid: credentials.gid,
    })
}

fn socket_length<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_pair_is_ourselves() {
        let (one, _other) = UnixStream::pair().unwrap();
        let peer = peer_credentials(&one).unwrap();
        assert_eq!(peer.pid, crate::Pid::of_this_process().get());
        assert_eq!(peer.uid, rustix::process::geteuid().as_raw());
        assert_eq!(peer.gid, rustix::process::getegid().as_raw());
    }

    #[test]
    fn a_pipe_has_no_peer() {
        let (reader, _writer) = io::pipe().unwrap();
        let error = peer_credentials(&reader).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENOTSOCK));
    }
}
