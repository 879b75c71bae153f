//! Sockets that the daemon listens on, and who is at the other end.
//!
//! | file | idea |
//! |---|---|
//! | `unix_listener` | a unix socket with mode and owner, where perhaps a stale one lies |
//! | `socket_file` | knowing whether the file of a unix socket is still ours |
//! | `tcp_listener` | an IPv4 listener |
//! | `shared_listener` | sockets on which children accept |
//! | `notify_socket` | datagrams whose sender is known |
//! | `peer` | who connected to a unix socket |
//! | `failure` | the original's texts |

mod failure;
mod notify_socket;
mod peer;
mod shared_listener;
mod socket_file;
mod tcp_listener;
mod unix_listener;

pub use failure::SocketError;
pub use notify_socket::{Datagram, NotifySocket, receive_datagram};
pub use peer::{PeerCredentials, peer_credentials};
pub use shared_listener::{
    SharedSocketError, SharedUnixSocket, listen_shared_tcp, listen_shared_unix,
};
pub use socket_file::{SocketFile, SocketWatch, WatchedFile};
pub use tcp_listener::listen_tcp;
pub use unix_listener::{Listening, Owner, UnixSocket, listen_unix};

/// Connections that may wait to be accepted, as in the original. The kernel lowers it to `somaxconn`.
pub const BACKLOG: i32 = 1024;
