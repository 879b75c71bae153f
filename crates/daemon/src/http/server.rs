//! One server: what it is, what it needs, and its accept loop.
//!
//! The loop ends only when it is told to. Whatever accepting may fail with, it goes on: without free
//! descriptors it keeps one in reserve to tell clients so, and waits for a connection to close.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::PathBuf;
use std::sync::Arc;

use hyper::StatusCode;
use linchpin_config::{Config, Credentials};
use linchpin_log::LogLevel;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::answer::raw_error;
use super::budget::{Budget, ServerId};
use super::client_stream::ClientStream;
use super::connection;
use super::connection_state::ConnectionState;
use super::cross_site::OwnNames;
use super::journal::Journal;
use super::limits::{ACCEPT_PAUSE, FAREWELL_TIME};
use super::web::Token;
use crate::apply::{Applier, Applies};
use crate::boot::{BootReports, report_directory};
use crate::control::{Control, Identity};
use crate::rpc::{Interfaces, Rpc};

/// A bound, listening socket.
#[derive(Debug)]
pub(crate) enum Listener {
    Unix(StdUnixListener),
    Inet(std::net::TcpListener),
}

/// What tells one server from another.
#[derive(Debug, Clone)]
pub(crate) struct ServerConfig {
    /// Its section, for messages.
    pub(crate) section: String,
    /// Who may use it; none lets everybody in.
    pub(crate) credentials: Option<Credentials>,
    /// Host of a TCP server's address, as configured; empty for all interfaces and for unix sockets.
    pub(crate) host: String,
    /// The private socket of `[linchpin]`: only for the daemon's own user and root, and with the API.
    pub(crate) is_control: bool,
}

/// What all servers share.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    pub(crate) control: Control,
    pub(crate) rpc: Rpc,
    pub(crate) applier: Applier,
    /// What is known of boots, and where their reports are kept.
    pub(crate) boots: (BootReports, Option<PathBuf>),
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) budget: Arc<Budget>,
    /// Goes with the forms of the pages.
    pub(crate) token: Token,
}

impl Services {
    /// For the servers of a configuration.
    pub(crate) fn new(
        control: Control,
        config: &Config,
        journal: Arc<dyn Journal>,
        boots: BootReports,
        applies: Applies,
    ) -> Self {
        let budget = Arc::new(Budget::default());
        let identity = Identity {
            identifier: config.supervisord.identifier.clone(),
            pid: i32::try_from(std::process::id()).unwrap_or(0),
        };
        let rpc = Rpc::new(
            control.clone(),
            identity,
            Arc::clone(&journal),
            Interfaces::of_config(config),
            Arc::clone(&budget),
        );
        Self {
            applier: Applier::new(
                control.clone(),
                rpc.api().clone(),
                Arc::clone(&journal),
                applies,
            ),
            boots: (boots, report_directory(config)),
            control,
            rpc,
            journal,
            budget,
            token: Token::new(),
        }
    }
}

/// A server at work.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) config: ServerConfig,
    pub(crate) own_names: OwnNames,
    pub(crate) services: Services,
    id: ServerId,
}

enum Accepting {
    Unix(UnixListener),
    Inet(TcpListener),
}

impl Accepting {
    fn new(listener: Listener) -> io::Result<Self> {
        Ok(match listener {
            Listener::Unix(listener) => {
                listener.set_nonblocking(true)?;
                Self::Unix(UnixListener::from_std(listener)?)
            }
            Listener::Inet(listener) => {
                listener.set_nonblocking(true)?;
                Self::Inet(TcpListener::from_std(listener)?)
            }
        })
    }

    async fn accept(&self) -> io::Result<ClientStream> {
        match self {
            Self::Unix(listener) => Ok(ClientStream::Unix(listener.accept().await?.0)),
            Self::Inet(listener) => {
                let stream = listener.accept().await?.0;
                // Answers are written whole, so waiting to fill packets only costs time. Clients that
                // vanish without a word while they follow a log are found by the kernel. Neither
                // failing would harm.
                let _ = stream.set_nodelay(true);
                let _ = rustix::net::sockopt::set_socket_keepalive(&stream, true);
                Ok(ClientStream::Tcp(stream))
            }
        }
    }

    /// A descriptor to give up when there are no more.
    fn reserve(&self) -> Option<OwnedFd> {
        match self {
            Self::Unix(listener) => listener.as_fd(),
            Self::Inet(listener) => listener.as_fd(),
        }
        .try_clone_to_owned()
        .ok()
    }
}

/// Serves until `shutdown` becomes true or its sender is dropped; then answers under way get a moment to
/// be sent.
///
/// # Errors
/// Only at the beginning: the runtime cannot watch the socket.
pub(crate) async fn serve(
    listener: Listener,
    config: ServerConfig,
    services: Services,
    mut shutdown: watch::Receiver<bool>,
) -> io::Result<()> {
    let accepting = Accepting::new(listener)?;
    let own_names = OwnNames {
        configured: config.host.clone(),
        machine: rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned(),
    };
    let server = Arc::new(Server {
        id: services.budget.add_server(),
        config,
        own_names,
        services,
    });
    let mut connections = JoinSet::new();
    let mut reserve = accepting.reserve();
    let mut is_short = false;
    let until_shutdown = shutdown.clone();
    let mut told_to_end = std::pin::pin!(async {
        // An error means that whoever could tell us is gone.
        let _ = shutdown.wait_for(|is_ending| *is_ending).await;
    });
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut told_to_end => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = accepting.accept() => accepted,
        };
        match accepted {
            Ok(stream) if server.config.is_control && !stream.is_of_owner() => {
                let because = "Only the user of the daemon and root may use this socket.";
                let _ = stream.try_write(&raw_error(StatusCode::FORBIDDEN, because));
                stream.shut_down_writing();
            }
            Ok(stream) => {
                is_short = false;
                let state = Arc::new(ConnectionState::new());
                match server.services.budget.take_place(server.id, &state) {
                    Some(place) => {
                        connections.spawn(connection::serve(
                            Arc::clone(&server),
                            stream,
                            state,
                            place,
                            until_shutdown.clone(),
                        ));
                    }
                    None => refuse(&stream, "Too many connections."),
                }
            }
            Err(error) if is_out_of_descriptors(&error) => {
                if !std::mem::replace(&mut is_short, true) {
                    server.log_short(&error);
                }
                let had_reserve = reserve.take().is_some();
                let refused = had_reserve && refuse_next(&accepting).await;
                reserve = accepting.reserve();
                if !refused {
                    tokio::select! {
                        () = &mut told_to_end => break,
                        () = server.services.budget.place_freed() => {}
                        () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                    }
                }
            }
            // Whatever is wrong with one client (it has gone already, say), the next may be fine; but a
            // failure that stays must not keep us busy.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE / 100).await,
        }
    }
    // Both, or the socket would go on taking connections that nobody serves.
    drop((accepting, reserve));
    let farewell = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(FAREWELL_TIME, farewell).await;
    Ok(())
}

impl Server {
    fn log_short(&self, error: &io::Error) {
        self.services.journal.log(
            LogLevel::Error,
            format!(
                "Server '{}' cannot accept connections now: {error}",
                self.config.section
            ),
        );
    }
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    use rustix::io::Errno;
    Errno::from_io_error(error).is_some_and(|errno| {
        matches!(
            errno,
            Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM
        )
    })
}

/// Tells a client that it cannot be served. What the socket does not take at once is not sent.
fn refuse(stream: &ClientStream, because: &str) {
    let _ = stream.try_write(&raw_error(StatusCode::SERVICE_UNAVAILABLE, because));
    stream.shut_down_writing();
}

/// With the descriptor that was kept in reserve: false if nobody is there, or there is still none.
async fn refuse_next(accepting: &Accepting) -> bool {
    tokio::select! {
        biased;
        accepted = accepting.accept() => match accepted {
            Ok(stream) => {
                refuse(&stream, "The server has no file descriptors left.");
                true
            }
            Err(_) => false,
        },
        () = std::future::ready(()) => false,
    }
}
