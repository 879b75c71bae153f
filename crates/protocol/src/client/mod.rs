//! A client for a daemon's socket: XML-RPC calls over a kept connection, and following a log.
//!
//! Blocking and without threads, since `supervisorctl` asks one thing after the other and should be
//! gone again within milliseconds.

mod address;
mod chunks;
mod connection;
mod error;
mod follow;
mod http;

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::Duration;

use linchpin_python::base64;

pub use address::{ServerUrl, resolve_literal};
pub use error::ClientError;
pub use follow::Follower;

use crate::answer::write_call;
use crate::value_reader::{ReadValue, read_answer};
use crate::value_writer::WriteValue;
use connection::Connection;

/// Largest answer that is read, in bytes. `tail -0` of a log is one answer.
pub const MAX_ANSWER_BYTES: usize = 512 * 1024 * 1024;

/// Turns the name of a host into addresses. Never through libc: see `clippy.toml`.
pub type Resolver = fn(&str) -> Vec<IpAddr>;

/// Waits for the daemon together with something else, such as Ctrl-C.
pub trait Waiter: fmt::Debug {
    /// Waits until there is something to read. False gives up: the client then fails with
    /// [`ClientError::Interrupted`].
    ///
    /// # Errors
    ///
    /// When waiting fails.
    fn wait(&self, descriptor: BorrowedFd<'_>) -> io::Result<bool>;
}

/// A client of one daemon.
#[derive(Debug)]
pub struct Client {
    url: ServerUrl,
    /// Value of the Authorization header.
    authorization: Option<String>,
    resolver: Resolver,
    read_timeout: Option<Duration>,
    waiter: Option<Rc<dyn Waiter>>,
    connection: Option<Connection>,
    /// Body of the last answer; results borrow from it.
    body: Vec<u8>,
}

impl Client {
    /// A client that connects when it is first used.
    #[must_use]
    pub fn new(url: ServerUrl) -> Self {
        Self {
            url,
            authorization: None,
            resolver: resolve_literal,
            read_timeout: None,
            waiter: None,
            connection: None,
            body: Vec::new(),
        }
    }

    /// Sends Basic authentication with each request.
    #[must_use]
    pub fn with_credentials(mut self, username: &str, password: &str) -> Self {
        let credentials = base64::encode(format!("{username}:{password}").as_bytes());
        self.authorization = Some(format!("Basic {credentials}"));
        self
    }

    /// Looks names of hosts up elsewhere; by default only addresses and `localhost` are known.
    #[must_use]
    pub fn with_resolver(mut self, resolver: Resolver) -> Self {
        self.resolver = resolver;
        self
    }

    /// The longest silence of the daemon that is borne. None by default: a start may take as long
    /// as it is configured to.
    #[must_use]
    pub fn with_read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = Some(timeout);
        self
    }

    /// Waits for answers through `waiter`, beginning with the next connection.
    pub fn set_waiter(&mut self, waiter: Rc<dyn Waiter>) {
        self.waiter = Some(waiter);
        self.connection = None;
    }

    /// Where the daemon is.
    #[must_use]
    pub fn url(&self) -> &ServerUrl {
        &self.url
    }

    /// Calls a method. The result may borrow from the answer, which is kept until the next call.
    ///
    /// # Errors
    ///
    /// When the daemon cannot be reached, does not answer with 200, answers with a fault, or with
    /// something else than a `T`.
    pub fn call<'c, T: ReadValue<'c>>(
        &'c mut self,
        method: &str,
        parameters: &[&dyn WriteValue],
    ) -> Result<T, ClientError> {
        let document = write_call(method, parameters)?;
        self.post(&document)?;
        let body = std::str::from_utf8(&self.body).map_err(|_| ClientError::NotUtf8)?;
        read_answer(body)?.map_err(ClientError::Fault)
    }

    fn connect(&self) -> Result<Connection, ClientError> {
        let waiter = self.waiter.clone();
        Connection::open(&self.url, self.resolver, self.read_timeout, waiter)
    }

    fn post(&mut self, document: &[u8]) -> Result<(), ClientError> {
        let request = http::post_request(&self.url, self.authorization.as_deref(), document);
        let mut connection = match self.connection.take() {
            Some(connection) if connection.is_usable() => connection,
            Some(_) | None => self.connect()?,
        };
        let may_be_kept = connection.exchange(&request, &mut self.body)?;
        if may_be_kept {
            self.connection = Some(connection);
        }
        Ok(())
    }

    /// Reads a path for as long as the daemon sends and hands each piece on.
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call), and what `piece` returns.
    pub fn follow(
        &self,
        path: &str,
        piece: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), ClientError> {
        let mut follower = self.follower(path)?;
        while follower.read_once(piece)? {}
        Ok(())
    }

    /// Asks for a path that is to be read piece by piece, on a connection of its own.
    ///
    /// # Errors
    ///
    /// When the daemon cannot be reached.
    pub fn follower(&self, path: &str) -> Result<Follower, ClientError> {
        let request = http::get_request(&self.url, self.authorization.as_deref(), path);
        let mut connection = self.connect()?;
        connection.send(&request)?;
        Ok(Follower::new(connection))
    }

    /// Asks for a document of `/api/v1`, or sends one. The answer is read piece by piece, whatever its status.
    ///
    /// # Errors
    ///
    /// When the daemon cannot be reached.
    pub fn request(&self, method: &str, path: &str, body: &str) -> Result<Follower, ClientError> {
        let authorization = self.authorization.as_deref();
        let request = http::json_request(&self.url, authorization, method, path, body);
        let mut connection = self.connect()?;
        connection.send(&request)?;
        Ok(Follower::of_any_status(connection))
    }
}
