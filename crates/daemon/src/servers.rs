//! The HTTP servers of a configuration: opened before anything else, served by the loop, and opened
//! again when somebody deletes a socket file (`/tmp` is cleaned on many machines).

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use linchpin_config::{Config, HttpAddress, HttpServer};
use linchpin_log::{LogHandle, LogLevel};
use linchpin_sys::host::look_up_ipv4;
use linchpin_sys::sockets::{
    Owner, SocketError, SocketFile, SocketWatch, UnixSocket, WatchedFile, listen_tcp, listen_unix,
};
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::descriptor::readable;
use crate::http::{self, Listener, ServerConfig, Services};

/// How soon a socket file that cannot be made is tried again, at first and at the most.
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LAST_RETRY: Duration = Duration::from_secs(16);

/// The socket of `[linchpin]` is for its owner only.
const CONTROL_MODE: u32 = 0o600;

/// How long looking up the name in `port=name:9001` may take.
const LOOK_UP_LIMIT: Duration = Duration::from_secs(10);

/// Sockets that listen, and nobody accepts yet.
#[derive(Debug)]
pub(crate) struct OpenServers {
    open: Vec<OpenServer>,
}

#[derive(Debug)]
struct OpenServer {
    config: HttpServer,
    /// It is the socket of `[linchpin]`.
    is_control: bool,
    listener: Listener,
    file: Option<SocketFile>,
    /// The original says so on standard error.
    replaced_stale: bool,
}

/// What is to be listened on: what the file says, and our own socket.
fn wanted(config: &Config) -> Vec<(HttpServer, bool)> {
    let control = config.linchpin.as_ref().and_then(|linchpin| {
        let server = HttpServer {
            section: "linchpin".to_owned(),
            address: HttpAddress::Unix {
                file: linchpin.socket.clone()?,
                chmod: CONTROL_MODE,
                chown: (None, None),
            },
            credentials: None,
        };
        Some((server, true))
    });
    let of_file = config.http_servers.iter().cloned();
    of_file
        .map(|server| (server, false))
        .chain(control)
        .collect()
}

impl OpenServer {
    fn open(config: &HttpServer, is_control: bool) -> Result<Self, SocketError> {
        match &config.address {
            HttpAddress::Inet { host, port } => {
                let address = match host.as_str() {
                    "" => Ipv4Addr::UNSPECIFIED,
                    // At the start and in a restart, when nothing is supervised: only servers on files are
                    // opened at other times.
                    host => look_up_ipv4(host, LOOK_UP_LIMIT).map_err(|_| {
                        SocketError::Unresolvable {
                            host: host.to_owned(),
                        }
                    })?,
                };
                let socket = listen_tcp(SocketAddrV4::new(address, *port))?;
                Ok(Self {
                    config: config.clone(),
                    is_control,
                    listener: Listener::Inet(socket.into()),
                    file: None,
                    replaced_stale: false,
                })
            }
            HttpAddress::Unix { file, chmod, chown } => {
                let wanted = UnixSocket {
                    path: file.into(),
                    mode: *chmod,
                    owner: Owner {
                        uid: chown.0,
                        gid: chown.1,
                    },
                };
                let listening = listen_unix(&wanted)?;
                Ok(Self {
                    config: config.clone(),
                    is_control,
                    listener: Listener::Unix(listening.socket.into()),
                    file: Some(listening.file),
                    replaced_stale: listening.replaced_stale,
                })
            }
        }
    }
}

impl OpenServers {
    /// Opens all servers of a configuration.
    ///
    /// # Errors
    /// With the original's text. What was opened before is closed again, and its files are removed.
    pub(crate) fn open(config: &Config) -> Result<Self, SocketError> {
        let mut servers = Self { open: Vec::new() };
        for (server, is_control) in wanted(config) {
            match OpenServer::open(&server, is_control) {
                Ok(opened) => servers.open.push(opened),
                Err(error) => {
                    servers.remove_files();
                    return Err(error);
                }
            }
        }
        Ok(servers)
    }

    /// Removes the socket files, when it turns out that nothing is to be served.
    pub(crate) fn remove_files(&self) {
        for file in self.open.iter().filter_map(|server| server.file.as_ref()) {
            // The error that led here is the one to tell of.
            let _ = file.remove();
        }
    }

    /// Paths of stale sockets that were taken over.
    pub(crate) fn replaced(&self) -> impl Iterator<Item = String> {
        self.open
            .iter()
            .filter(|server| server.replaced_stale)
            .filter_map(|server| server.file.as_ref())
            .map(|file| file.path().display().to_string())
    }

    /// What the original logs about its servers.
    pub(crate) fn messages(&self, config: &Config) -> Vec<(LogLevel, String)> {
        let mut messages = Vec::new();
        for server in self.open.iter().filter(|server| !server.is_control) {
            for interface in &config.rpc_interfaces {
                messages.push((
                    LogLevel::Info,
                    format!("RPC interface '{}' initialized", interface.name),
                ));
            }
            if server.config.credentials.is_none() {
                let section = &server.config.section;
                messages.push((
                    LogLevel::Critical,
                    format!("Server '{section}' running without any HTTP authentication checking"),
                ));
            }
        }
        messages
    }
}

/// Servers at work.
#[derive(Debug)]
pub(crate) struct Servers {
    services: Services,
    running: Vec<Running>,
    watch: Option<AsyncFd<SocketWatch>>,
    /// When those whose socket file could not be made again are tried next, and how long after that again.
    retry: Option<(Instant, Duration)>,
    /// Socket files are not put back any more.
    is_ending: bool,
}

#[derive(Debug)]
struct Running {
    config: HttpServer,
    is_control: bool,
    file: Option<SocketFile>,
    watched: Option<WatchedFile>,
    /// The file is gone, and could not be made again: its directory is not there, say.
    is_lost: bool,
    /// Ends the server when it is dropped.
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Servers {
    /// Begins to accept. Inside the runtime.
    pub(crate) fn start(servers: OpenServers, services: Services, logs: &LogHandle) -> Self {
        let has_files = servers.open.iter().any(|server| server.file.is_some());
        let watch = if has_files {
            SocketWatch::new().and_then(readable)
        } else {
            Err(std::io::ErrorKind::NotFound.into())
        };
        if let (true, Err(error)) = (has_files, &watch) {
            logs.log(
                LogLevel::Warn,
                format!("cannot watch socket files, so one that is deleted stays away: {error}"),
            );
        }
        let mut started = Self {
            services,
            running: Vec::new(),
            watch: watch.ok(),
            retry: None,
            is_ending: false,
        };
        for server in servers.open {
            started.begin(server, logs);
        }
        started
    }

    fn begin(&mut self, server: OpenServer, logs: &LogHandle) {
        let OpenServer {
            config,
            is_control,
            listener,
            file,
            ..
        } = server;
        let mut watched = None;
        if let (Some(watch), Some(file)) = (&self.watch, &file) {
            match watch.get_ref().add(file) {
                Ok(added) => watched = Some(added),
                Err(error) => {
                    let path = file.path().display();
                    logs.log(
                        LogLevel::Warn,
                        format!("cannot watch the socket file {path}: {error}"),
                    );
                }
            }
        }
        let host = match &config.address {
            HttpAddress::Inet { host, .. } => host.clone(),
            HttpAddress::Unix { .. } => String::new(),
        };
        let server_config = ServerConfig {
            section: config.section.clone(),
            credentials: config.credentials.clone(),
            host,
            is_control,
        };
        let (stop, stopped) = watch::channel(false);
        let (services, logs, section) =
            (self.services.clone(), logs.clone(), config.section.clone());
        let task = tokio::spawn(async move {
            if let Err(error) = http::serve(listener, server_config, services, stopped).await {
                logs.log(
                    LogLevel::Critical,
                    format!("Server '{section}' cannot be served: {error}"),
                );
            }
        });
        self.running.push(Running {
            config,
            is_control,
            file,
            watched,
            is_lost: false,
            stop,
            task,
        });
    }

    /// Waits until there is a reason to look at the socket files: one was changed, or it is time to try again.
    pub(crate) async fn lost(&self) {
        if self.is_ending {
            return std::future::pending().await;
        }
        let changed = async {
            match &self.watch {
                Some(watch) => {
                    if let Ok(mut ready) = watch.readable().await {
                        // What it was about is looked up in the files themselves.
                        let _ = watch.get_ref().drain();
                        ready.clear_ready();
                    }
                }
                None => std::future::pending().await,
            }
        };
        let again = async {
            match self.retry {
                Some((at, _)) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = changed => {}
            () = again => {}
        }
    }

    /// Opens those servers again whose socket file is not theirs any more.
    pub(crate) fn replace_lost(&mut self, logs: &LogHandle) {
        let is_lost = |running: &Running| {
            running.is_lost
                || running
                    .file
                    .as_ref()
                    .is_some_and(|file| !file.is_in_place())
        };
        let (lost, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.running)
            .into_iter()
            .partition(is_lost);
        self.running = kept;
        let mut is_any_lost = false;
        for running in lost {
            let section = running.config.section.clone();
            match OpenServer::open(&running.config, running.is_control) {
                Ok(server) => {
                    let text =
                        format!("the socket file of '{section}' was deleted; it is there again");
                    logs.log(LogLevel::Warn, text);
                    self.begin(server, logs);
                }
                Err(error) => {
                    if !running.is_lost {
                        let text = format!(
                            "the socket file of '{section}' was deleted and cannot be made again yet: {error}"
                        );
                        logs.log(LogLevel::Error, text);
                    }
                    is_any_lost = true;
                    // The server stays, unreachable; whoever took its place is not disturbed.
                    self.running.push(Running {
                        file: None,
                        watched: None,
                        is_lost: true,
                        ..running
                    });
                }
            }
        }
        // A file may be gone again before it was watched, of which nobody would tell.
        is_any_lost |= self.running.iter().any(|running| {
            let file = running.file.as_ref();
            file.is_some_and(|file| !file.is_in_place())
        });
        self.retry = is_any_lost.then(|| {
            let pause = self
                .retry
                .map_or(FIRST_RETRY, |(_, pause)| (pause * 2).min(LAST_RETRY));
            (Instant::now() + pause, pause)
        });
    }

    /// The daemon begins to stop its services: the servers go on, but their socket files are watched no longer,
    /// because ending a watch takes the kernel some time, which it has as long as services are being stopped.
    pub(crate) fn end_is_near(&mut self) {
        if std::mem::replace(&mut self.is_ending, true) {
            return;
        }
        let Some(watch) = &self.watch else { return };
        for running in &mut self.running {
            if let Some(watched) = running.watched.take() {
                watch.get_ref().remove(&watched);
            }
        }
    }

    /// Removes the socket files that are still ours, as the original does at its end.
    pub(crate) fn remove_files(&self) {
        for file in self
            .running
            .iter()
            .filter_map(|running| running.file.as_ref())
        {
            // It is the end: there is nobody to tell.
            let _ = file.remove();
        }
    }

    /// Ends all servers; answers under way get the moment that each server gives them.
    pub(crate) async fn close(self) {
        let tasks: Vec<_> = self
            .running
            .into_iter()
            .map(|running| {
                drop(running.stop);
                running.task
            })
            .collect();
        for task in tasks {
            // A server that panicked has ended too.
            let _ = task.await;
        }
        // Last, because the kernel may not be rid of what it watched for us.
        drop(self.watch);
    }
}
