//! TCP connections: made to talk, or only to see that they can be made.
//!
//! Whoever only wants to see that takes back the connection before it is one ([`Purpose::Look`]): the kernel is told
//! to keep the last step of the handshake for the first data (`TCP_QUICKACK` off), and to reset instead (`SO_LINGER`
//! of 0). A server that listens has answered by then, and never hears of it: it accepts nothing, writes nothing into its
//! log, counts no client that broke off (MySQL shuts out hosts for that), and nothing is left in TIME_WAIT, which would
//! be 60 sockets for a probe each second. It costs a quarter less, and the server nothing. HAProxy looks like that, too.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::words;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To see that it can be made; then it is taken back.
    Look,
    /// To say something.
    Talk,
}

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
pub(super) fn begin(address: SocketAddr, purpose: Purpose) -> io::Result<Begun> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    if purpose == Purpose::Look {
        sockopt::set_socket_linger(&socket, Some(Duration::ZERO))?;
        sockopt::set_tcp_quickack(&socket, false)?;
    }
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
    (addresses, port): (&[IpAddr], u16),
    purpose: Purpose,
    limit: Duration,
) -> Result<TcpStream, Option<String>> {
    let end = Instant::now() + limit;
    let mut first = None;
    for (tried, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let share = end.saturating_duration_since(Instant::now()) / left;
        let address = SocketAddr::new(*address, port);
        let connecting = async { finish(begin(address, purpose)?, address).await };
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
        let begun = begin(address, Purpose::Talk).unwrap();
        drop(finish(begun, address).await.unwrap());
        let (mut accepted, _) = listener.accept().unwrap();
        let mut rest = Vec::new();
        std::io::Read::read_to_end(&mut accepted, &mut rest).unwrap();
        assert!(rest.is_empty(), "{rest:?}");
    }

    #[tokio::test]
    async fn a_listener_hears_nothing_of_a_look() {
        let (listener, address) = listener();
        drop(
            finish(begin(address, Purpose::Look).unwrap(), address)
                .await
                .unwrap(),
        );
        let begun = begin(address, Purpose::Talk).unwrap();
        let talk = finish(begun, address).await.unwrap();
        let (_, client) = listener.accept().unwrap();
        assert_eq!(client, talk.local_addr().unwrap());
        let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let remote = format!("0100007F:{:04X}", address.port());
        let of_clients = sockets
            .lines()
            .filter(|line| line.split_ascii_whitespace().nth(2) == Some(&remote));
        assert_eq!(of_clients.count(), 1, "{sockets}");
    }

    #[tokio::test]
    async fn nobody_there_is_refused() {
        let address = closed_port();
        for purpose in [Purpose::Look, Purpose::Talk] {
            let error = match begin(address, purpose) {
                Ok(begun) => finish(begun, address).await.unwrap_err(),
                Err(error) => error,
            };
            assert_eq!(words::of_connection(&error), "connection refused");
        }
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
        let connected = connect((&addresses, address.port()), Purpose::Look, LIMIT).await;
        connected.unwrap();
        let refused = connect((&[dead], address.port()), Purpose::Look, LIMIT).await;
        let failure = refused.unwrap_err();
        assert_eq!(failure.as_deref(), Some("connection refused"));
    }

    #[tokio::test]
    async fn an_address_that_does_not_answer_leaves_time_for_the_next() {
        let (full, _waiting) = full_listener();
        let (_listener, address) = listener_on(full.port());
        let limit = Duration::from_secs(2);
        let addresses = [full.ip(), address.ip()];
        let connected = connect((&addresses, full.port()), Purpose::Talk, limit).await;
        connected.unwrap();
        let limit = Duration::from_millis(50);
        let failure = connect((&[full.ip()], full.port()), Purpose::Look, limit).await;
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
            match begin(address, Purpose::Talk).unwrap() {
                Begun::Connected(client) => clients.push(client),
                Begun::Pending(client) => {
                    clients.push(client);
                    return (address, (socket, clients));
                }
            }
        }
    }
}
