//! TCP connections.
//!
//! Connections are closed as any client closes them. A reset instead (`SO_LINGER` of 0, `TCP_LINGER2` below 0)
//! would leave no TIME_WAIT behind, but is an error to whoever accepts: servers write it into their logs, and to
//! some the client has no address any more. What closing costs is some 300 bytes of kernel memory for a minute,
//! and one of 28,000 ports for that destination alone; a probe each second has 60 of them.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::words;

/// A connection that was begun.
#[derive(Debug)]
pub(super) enum Begun {
    /// And made: on this machine that is almost always so.
    Connected(OwnedFd),
    /// And is not made yet.
    Pending(OwnedFd),
}

/// Begins to connect. Never waits.
///
/// # Errors
/// If it is refused at once, as on this machine, or cannot be tried.
pub(super) fn begin(address: SocketAddr) -> io::Result<Begun> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    // On the loopback interface the other side has answered before the first call comes back, although it says
    // that the connection is on its way. The second call knows, and saves the runtime the watching.
    let mut connected = rustix::net::connect(&socket, &address);
    if connected == Err(Errno::INPROGRESS) {
        connected = rustix::net::connect(&socket, &address);
    }
    match connected {
        Ok(()) => {
            not_oneself(&socket, address)?;
            Ok(Begun::Connected(socket))
        }
        Err(Errno::ALREADY | Errno::INPROGRESS) => Ok(Begun::Pending(socket)),
        Err(errno) => Err(errno.into()),
    }
}

/// Waits until a connection is made.
///
/// # Errors
/// If it is not made after all.
pub(super) async fn finish(begun: Begun, address: SocketAddr) -> io::Result<TcpStream> {
    match begun {
        Begun::Connected(socket) => TcpStream::from_std(socket.into()),
        Begun::Pending(socket) => {
            let stream = TcpStream::from_std(socket.into())?;
            stream.writable().await?;
            match stream.take_error()? {
                Some(error) => Err(error),
                None => not_oneself(&stream, address).map(|()| stream),
            }
        }
    }
}

/// Where nobody listens on a port from which the kernel takes the ports of clients, a client may be given that
/// very port, and the connection is made: with itself.
fn not_oneself(socket: impl AsFd, address: SocketAddr) -> io::Result<()> {
    let own: Option<SocketAddr> = rustix::net::getsockname(socket)?.try_into().ok();
    if own == Some(address) {
        return Err(Errno::CONNREFUSED.into());
    }
    Ok(())
}

/// Connects to the first of the addresses that answers; at least one. None of them gets more than its share of
/// the time, so that one that is dead does not hide the others.
///
/// # Errors
/// With the words for the first address; without any if it did not answer in time.
pub(super) async fn connect(
    addresses: &[IpAddr],
    port: u16,
    limit: Duration,
) -> Result<TcpStream, Option<String>> {
    let end = Instant::now() + limit;
    let mut first = None;
    for (tried, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let share = end.saturating_duration_since(Instant::now()) / left;
        let address = SocketAddr::new(*address, port);
        let connecting = async { finish(begin(address)?, address).await };
        let failure = match timeout(share, connecting).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => Some(words::of_connection(&error)),
            Err(_) => None,
        };
        first.get_or_insert(failure);
    }
    Err(first.flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpListener};

    const LIMIT: Duration = Duration::from_secs(30);

    fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    /// A port on which nobody listens.
    fn closed_port() -> SocketAddr {
        listener().1
    }

    #[tokio::test]
    async fn a_listener_is_reached_and_sees_an_ordinary_end() {
        let (listener, address) = listener();
        drop(finish(begin(address).unwrap(), address).await.unwrap());
        let (mut accepted, _) = listener.accept().unwrap();
        let mut rest = Vec::new();
        std::io::Read::read_to_end(&mut accepted, &mut rest).unwrap();
        assert!(rest.is_empty(), "{rest:?}");
    }

    #[tokio::test]
    async fn nobody_there_is_refused() {
        let address = closed_port();
        let error = match begin(address) {
            Ok(begun) => finish(begun, address).await.unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(words::of_connection(&error), "connection refused");
    }

    #[test]
    fn a_connection_with_oneself_does_not_count() {
        let flags = SocketFlags::CLOEXEC;
        let (family, kind) = (AddressFamily::INET, SocketType::STREAM);
        let socket = rustix::net::socket_with(family, kind, flags, None).unwrap();
        rustix::net::bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let own: SocketAddr = rustix::net::getsockname(&socket)
            .unwrap()
            .try_into()
            .unwrap();
        rustix::net::connect(&socket, &own).unwrap();
        let error = not_oneself(&socket, own).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn the_next_address_is_tried() {
        let (_listener, address) = listener();
        let dead: IpAddr = "127.0.0.2".parse().unwrap();
        let addresses = [dead, address.ip()];
        connect(&addresses, address.port(), LIMIT).await.unwrap();
        let failure = connect(&[dead], address.port(), LIMIT).await.unwrap_err();
        assert_eq!(failure.as_deref(), Some("connection refused"));
    }

    #[tokio::test]
    async fn an_address_that_does_not_answer_leaves_time_for_the_next() {
        let (full, _waiting) = full_listener();
        let (_listener, address) = listener_on(full.port());
        let limit = Duration::from_secs(2);
        let addresses = [full.ip(), address.ip()];
        connect(&addresses, full.port(), limit).await.unwrap();
        let failure = connect(&[full.ip()], full.port(), Duration::from_millis(50)).await;
        assert_eq!(failure.unwrap_err(), None);
    }

    fn listener_on(port: u16) -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), port)).unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    /// Whose queue is full: the kernel lets further clients wait.
    fn full_listener() -> (SocketAddr, (OwnedFd, Vec<OwnedFd>)) {
        let (family, kind) = (AddressFamily::INET, SocketType::STREAM);
        let socket = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None).unwrap();
        rustix::net::bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        rustix::net::listen(&socket, 0).unwrap();
        let address: SocketAddr = rustix::net::getsockname(&socket)
            .unwrap()
            .try_into()
            .unwrap();
        let mut clients = Vec::new();
        loop {
            match begin(address).unwrap() {
                Begun::Connected(client) => clients.push(client),
                Begun::Pending(client) => {
                    clients.push(client);
                    return (address, (socket, clients));
                }
            }
        }
    }
}
