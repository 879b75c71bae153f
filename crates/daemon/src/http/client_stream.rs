//! The socket of one client: unix or TCP, usable from several places at once.
//!
//! Hyper reads and writes through [`ClientIo`]; whoever produces a long answer can meanwhile wait for the
//! client to go away with [`ClientStream::gone`], which hyper itself does not notice when the client has
//! sent a byte too many (the original's `supervisorctl tail -f` does).

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use linchpin_sys::sockets::peer_credentials;
use rustix::net::{RecvFlags, Shutdown};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use tokio::net::{TcpStream, UnixStream};

use super::connection_state::ConnectionState;

/// A connected socket.
#[derive(Debug)]
pub(crate) enum ClientStream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl ClientStream {
    /// Whether the client is of the daemon's own user, or root. The kernel vouches for it.
    pub(crate) fn is_of_owner(&self) -> bool {
        let Self::Unix(stream) = self else {
            return false;
        };
        let own = rustix::process::geteuid().as_raw();
        peer_credentials(stream).is_ok_and(|peer| peer.uid == own || peer.uid == 0)
    }

    /// Waits until there is something to read, or the client has gone.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.readable().await,
            Self::Tcp(stream) => stream.readable().await,
        }
    }

    /// Waits for the first byte and leaves it where it is; false if the client goes away instead.
    ///
    /// Readiness alone is not enough: it may be announced although there is nothing.
    pub(crate) async fn has_bytes(&self) -> bool {
        loop {
            if self.readable().await.is_err() {
                return false;
            }
            let look = |socket: BorrowedFd<'_>| {
                let (count, _) = rustix::net::recv(socket, &mut [0_u8; 1], RecvFlags::PEEK)?;
                Ok(count)
            };
            let looked = match self {
                Self::Unix(stream) => stream.try_io(Interest::READABLE, || look(stream.as_fd())),
                Self::Tcp(stream) => stream.try_io(Interest::READABLE, || look(stream.as_fd())),
            };
            match looked {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return false,
                Ok(count) => return count > 0,
            }
        }
    }

    async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        match self {
            Self::Unix(stream) => stream.ready(interest).await,
            Self::Tcp(stream) => stream.ready(interest).await,
        }
    }

    /// Waits until the client has closed its end, without reading what it may have sent.
    ///
    /// For the time of a long answer only: it forgets that there is something to read, so a request that
    /// follows on the same connection may be seen late.
    pub(crate) async fn gone(&self) {
        loop {
            match self.ready(Interest::READABLE).await {
                Ok(ready) if !ready.is_read_closed() => {}
                Ok(_) | Err(_) => return,
            }
            // "Would block" makes the runtime wait for the next news of the socket.
            let forget = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
            let _ = match self {
                Self::Unix(stream) => stream.try_io(Interest::READABLE, forget),
                Self::Tcp(stream) => stream.try_io(Interest::READABLE, forget),
            };
        }
    }

    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Unix(stream) => stream.poll_read_ready(cx),
            Self::Tcp(stream) => stream.poll_read_ready(cx),
        }
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Unix(stream) => stream.poll_write_ready(cx),
            Self::Tcp(stream) => stream.poll_write_ready(cx),
        }
    }

    fn try_read_buf(&self, buffer: &mut ReadBuf<'_>) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.try_read_buf(buffer),
            Self::Tcp(stream) => stream.try_read_buf(buffer),
        }
    }

    /// Reads what is there.
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.try_read(buffer),
            Self::Tcp(stream) => stream.try_read(buffer),
        }
    }

    /// Writes what the socket takes at once.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.try_write(bytes),
            Self::Tcp(stream) => stream.try_write(bytes),
        }
    }

    fn try_write_vectored(&self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.try_write_vectored(slices),
            Self::Tcp(stream) => stream.try_write_vectored(slices),
        }
    }

    /// Tells the client that nothing more will come.
    pub(crate) fn shut_down_writing(&self) {
        // An error means that the client has gone.
        let _ = match self {
            Self::Unix(stream) => rustix::net::shutdown(stream, Shutdown::Write),
            Self::Tcp(stream) => rustix::net::shutdown(stream, Shutdown::Write),
        };
    }

    /// Whether it is TCP over the loopback interface.
    pub(crate) fn is_loopback(&self) -> bool {
        match self {
            Self::Unix(_) => false,
            Self::Tcp(stream) => stream
                .local_addr()
                .is_ok_and(|address| address.ip().to_canonical().is_loopback()),
        }
    }

    /// Where the client reached us, over TCP.
    pub(crate) fn local_address(&self) -> Option<std::net::SocketAddr> {
        match self {
            Self::Unix(_) => None,
            Self::Tcp(stream) => stream.local_addr().ok(),
        }
    }

    /// Who is there, as it stands in the access log: `host:port`.
    pub(crate) fn peer(&self) -> String {
        match self {
            Self::Unix(_) => "localhost:0".to_owned(),
            Self::Tcp(stream) => stream
                .peer_addr()
                .map_or_else(|_| "unknown:0".to_owned(), |address| address.to_string()),
        }
    }
}

/// A [`ClientStream`] as hyper uses it; it tells the connection's state what it sees.
#[derive(Debug)]
pub(crate) struct ClientIo {
    pub(crate) stream: Arc<ClientStream>,
    pub(crate) state: Arc<ConnectionState>,
}

impl AsyncRead for ClientIo {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            let before = buffer.filled().len();
            match self.stream.try_read_buf(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(_) => {
                    self.state.bytes_read(&buffer.filled()[before..]);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl ClientIo {
    fn poll_writing(
        &self,
        cx: &mut Context<'_>,
        write: impl Fn(&ClientStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            if self.stream.poll_write_ready(cx)?.is_pending() {
                self.state.write_blocked();
                return Poll::Pending;
            }
            match write(&self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => {
                    self.state.write_moved();
                    return Poll::Ready(result);
                }
            }
        }
    }
}

impl AsyncWrite for ClientIo {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_writing(cx, |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_writing(cx, |stream| stream.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.shut_down_writing();
        Poll::Ready(Ok(()))
    }
}
