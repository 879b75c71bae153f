//! The listening sockets that processes of an `[fcgi-program:x]` share as descriptor 0.
//!
//! When each is opened and closed is decided by the core. To open one may wait for a disk, so that is done
//! by whoever needs it first on a spawner thread; only the start of the daemon tries them itself.

use std::net::SocketAddrV4;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use linchpin_config::{FastCgiAddress, FastCgiSocket, GroupConfig};
use linchpin_core::Message;
use linchpin_log::MainLog;
use linchpin_sys::host::resolve_ipv4;
use linchpin_sys::sockets::{Owner, SharedUnixSocket, listen_shared_tcp, listen_shared_unix};

use crate::messages::level;

/// A socket from its opening to its closing.
#[derive(Debug)]
pub(crate) struct SharedSocket {
    config: FastCgiSocket,
    /// None until the first process needs it.
    socket: Mutex<Option<OwnedFd>>,
}

impl SharedSocket {
    pub(crate) fn new(config: FastCgiSocket) -> Self {
        Self {
            config,
            socket: Mutex::new(None),
        }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.config.url
    }

    /// A descriptor for a process. May wait for the disk.
    ///
    /// # Errors
    /// The text of the failed start.
    pub(crate) fn for_process(&self) -> Result<OwnedFd, String> {
        // Held while it is opened, so that nobody opens a second one.
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        let socket = match &mut *socket {
            Some(socket) => socket,
            none => none.insert(open(&self.config)?),
        };
        socket
            .try_clone()
            .map_err(|error| could_not_create(&self.config, &error))
    }
}

/// Opens a socket.
///
/// # Errors
/// With the original's text.
pub(crate) fn open(config: &FastCgiSocket) -> Result<OwnedFd, String> {
    let opened = match &config.address {
        FastCgiAddress::Tcp { host, port } => {
            let address = resolve_ipv4(host).map_err(|error| could_not_create(config, &error))?;
            listen_shared_tcp(SocketAddrV4::new(address, *port), config.backlog)
        }
        FastCgiAddress::Unix(path) => {
            let (uid, gid) = match config.owner {
                Some((uid, gid)) => (Some(uid), gid),
                None => (None, None),
            };
            let wanted = SharedUnixSocket {
                path: path.into(),
                mode: config.mode,
                owner: Owner { uid, gid },
            };
            listen_shared_unix(&wanted, config.backlog)
        }
    };
    opened.map_err(|error| could_not_create(config, &error))
}

fn could_not_create(config: &FastCgiSocket, why: &dyn std::fmt::Display) -> String {
    format!("Could not create FastCGI socket {}: {why}", config.url)
}

/// Opens and closes every socket of these groups, as the original does when it makes its groups. Those that
/// are held since before a restart of the daemon are left alone.
///
/// # Errors
/// The text of the first one that cannot be opened and without which its group cannot be.
pub(crate) fn try_all(
    groups: &[Arc<GroupConfig>],
    is_held: impl Fn(&str) -> bool,
    main_log: &mut MainLog,
) -> Result<(), String> {
    for group in groups {
        for socket in group.sockets().filter(|socket| !is_held(&socket.url)) {
            let url = socket.url.clone();
            let mut log = |message: &Message| {
                main_log.log(level(message.level()), &message.to_string());
            };
            log(&Message::CreatingSocket { url: url.clone() });
            match open(socket) {
                Ok(opened) => {
                    log(&Message::ClosingSocket { url });
                    drop(opened);
                }
                Err(text) if group.needs_its_sockets() => return Err(text),
                Err(text) => log(&Message::SocketUnusable { text }),
            }
        }
    }
    Ok(())
}
