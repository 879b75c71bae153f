//! A listener for TCP over IPv4.

use std::net::SocketAddrV4;
use std::os::fd::OwnedFd;

use rustix::net::{
    AddressFamily, SocketFlags, SocketType, bind, listen, socket_with,
    sockopt::set_socket_reuseaddr,
};

use super::{BACKLOG, SocketError};

/// Listens at this address: non-blocking, close-on-exec, with SO_REUSEADDR as the original, so that a restart does
/// not have to wait for old connections.
///
/// # Errors
/// [`SocketError::InUse`] if another program listens there; otherwise as the kernel says.
pub fn listen_tcp(address: SocketAddrV4) -> Result<OwnedFd, SocketError> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)
        .map_err(SocketError::system("socket"))?;
    set_socket_reuseaddr(&socket, true).map_err(SocketError::system("setsockopt"))?;
    bind(&socket, &address).map_err(SocketError::system("bind"))?;
    listen(&socket, BACKLOG).map_err(SocketError::system("listen"))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    #[test]
    fn a_port_can_be_connected_to_and_is_then_in_use() {
        let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        let listener = TcpListener::from(listen_tcp(any).unwrap());
        let std::net::SocketAddr::V4(address) = listener.local_addr().unwrap() else {
            panic!("not IPv4");
        };
        TcpStream::connect(address).unwrap();
        let error = listen_tcp(address).unwrap_err();
        assert!(matches!(error, SocketError::InUse), "{error}");
        drop(listener);
        listen_tcp(address).unwrap();
    }

    #[test]
    fn a_foreign_address_is_told() {
        let foreign = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 9001);
        let error = listen_tcp(foreign).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Cannot open an HTTP server: socket.error reported errno.EADDRNOTAVAIL (99)"
        );
    }
}
