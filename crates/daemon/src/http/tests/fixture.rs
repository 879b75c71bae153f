//! A server to talk to, and a client that says exactly what it is told to.

use std::path::PathBuf;
use std::sync::Arc;

use linchpin_config::Credentials;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;

use crate::apply::Applier;
use crate::http::web::Token;
use crate::http::{Budget, Listener, ServerConfig, Services, serve};
use crate::rpc::Kind;
use crate::rpc::tests::fake_supervision::{FakeSupervision, Lines};

/// Two servers, unix and TCP, that share everything.
pub(super) struct Fixture {
    pub(super) fake: FakeSupervision,
    pub(super) directory: TempDir,
    pub(super) socket: PathBuf,
    pub(super) port: u16,
    pub(super) budget: Arc<Budget>,
    pub(super) journal: Arc<Lines>,
    pub(super) shutdown: watch::Sender<bool>,
}

/// Both directions of a connection.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

pub(super) struct Client {
    stream: Box<dyn Duplex>,
    received: Vec<u8>,
}

/// An answer taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) status: String,
    pub(super) headers: Vec<String>,
    pub(super) body: String,
}

impl Received {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Fixture {
    pub(super) fn start(credentials: Option<(&str, &str)>) -> Self {
        let fake = FakeSupervision::start();
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("s.sock");
        let unix = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let inet = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = inet.local_addr().unwrap().port();
        let (shutdown, told) = watch::channel(false);
        let journal = Arc::new(Lines::default());
        let budget = Arc::new(Budget::default());
        let rpc = fake.rpc_within(&[("supervisor", Kind::Main, "")], Arc::clone(&budget));
        let services = Services {
            control: fake.control.clone(),
            applier: Applier::new(
                fake.control.clone(),
                rpc.api().clone(),
                journal.clone(),
                Default::default(),
            ),
            boots: Default::default(),
            rpc,
            journal: journal.clone(),
            budget: Arc::clone(&budget),
            token: Token::new(),
        };
        let credentials = credentials.map(|(username, password)| Credentials {
            username: username.to_owned(),
            password: password.to_owned(),
        });
        for listener in [Listener::Unix(unix), Listener::Inet(inet)] {
            let config = ServerConfig {
                section: "a_server".to_owned(),
                credentials: credentials.clone(),
                host: "127.0.0.1".to_owned(),
                is_control: false,
            };
            tokio::spawn(serve(listener, config, services.clone(), told.clone()));
        }
        Self {
            fake,
            directory,
            socket,
            port,
            budget,
            journal,
            shutdown,
        }
    }

    pub(super) async fn unix(&self) -> Client {
        Client::new(UnixStream::connect(&self.socket).await.unwrap())
    }

    pub(super) async fn tcp(&self) -> Client {
        Client::new(TcpStream::connect(("127.0.0.1", self.port)).await.unwrap())
    }

    /// One request on a connection of its own, over the unix socket.
    pub(super) async fn ask(&self, request: &str) -> Received {
        let mut client = self.unix().await;
        client.send(request).await;
        client.answer().await
    }

    /// Makes a file the log of `animals:cat`.
    pub(super) fn log(&self, content: &str) -> PathBuf {
        let path = self.directory.path().join("cat.log");
        std::fs::write(&path, content).unwrap();
        let text = path.to_str().unwrap().to_owned();
        self.fake.knowledge().logs.insert("cat".to_owned(), text);
        path
    }

    pub(super) fn log_changed(&self) {
        self.fake
            .knowledge()
            .changes
            .send_modify(|count| *count += 1);
    }
}

impl Client {
    fn new(stream: impl Duplex + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            received: Vec::new(),
        }
    }

    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// More bytes; false at the end.
    async fn more(&mut self) -> bool {
        let mut buffer = vec![0; 65536];
        let count = self.stream.read(&mut buffer).await.unwrap_or(0);
        self.received.extend_from_slice(&buffer[..count]);
        count > 0
    }

    /// Reads until this text has come.
    pub(super) async fn until(&mut self, text: &str) -> String {
        loop {
            let so_far = String::from_utf8_lossy(&self.received).into_owned();
            if so_far.contains(text) {
                self.received.clear();
                return so_far;
            }
            assert!(self.more().await, "the end came before {text:?}: {so_far}");
        }
    }

    /// Reads to the end.
    pub(super) async fn rest(&mut self) -> String {
        while self.more().await {}
        String::from_utf8_lossy(&std::mem::take(&mut self.received)).into_owned()
    }

    /// The head of an answer.
    pub(super) async fn head(&mut self) -> Received {
        let end = loop {
            let found = self
                .received
                .windows(4)
                .position(|four| four == b"\r\n\r\n");
            if let Some(end) = found {
                break end;
            }
            let so_far = String::from_utf8_lossy(&self.received).into_owned();
            assert!(self.more().await, "no head: {so_far:?}");
        };
        let head = String::from_utf8(self.received.drain(..end + 4).collect()).unwrap();
        let mut lines = head.trim_end().split("\r\n").map(str::to_owned);
        Received {
            status: lines.next().unwrap(),
            headers: lines.collect(),
            body: String::new(),
        }
    }

    /// An answer of known length.
    pub(super) async fn answer(&mut self) -> Received {
        let mut answer = self.head().await;
        let length: usize = answer
            .header("Content-Length")
            .unwrap_or("0")
            .parse()
            .unwrap();
        while self.received.len() < length {
            assert!(self.more().await, "the body is short: {answer:?}");
        }
        answer.body = String::from_utf8(self.received.drain(..length).collect()).unwrap();
        answer
    }
}

pub(super) fn post(body: &str) -> String {
    let length = body.len();
    format!("POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}")
}

pub(super) fn method_call(method: &str) -> String {
    format!("<methodCall><methodName>{method}</methodName></methodCall>")
}
