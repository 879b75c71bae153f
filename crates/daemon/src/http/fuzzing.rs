//! What must be true of any bytes that a client sends: they are answered in HTTP or the connection is closed, and
//! soon; and nobody is let in who should not be. For the fuzz target, and for the test that replays its seeds.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::header::{AUTHORIZATION, HOST, ORIGIN};
use linchpin_config::Credentials;
use linchpin_core::Outcome;
use linchpin_log::LogLevel;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::watch;

use super::authentication::{self, Verdict};
use super::cross_site::{self, Circumstances, OwnNames};
use super::web::{self, Token};
use super::{Budget, Journal, Listener, ServerConfig, Services, log_tail, percent, serve};
use crate::apply::Applier;
use crate::control::Request as Asked;
use crate::control::{Control, Identity, LogFileReply, Reply, Requests, StdinReply};
use crate::rpc::{Interfaces, Rpc};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The first byte chooses: a whole connection, with a password or without, or a head alone.
pub fn request(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else {
        return;
    };
    match choice % 4 {
        0 => connection(data, false),
        1 => connection(data, true),
        _ => head(data),
    }
}

struct Fixture {
    runtime: tokio::runtime::Runtime,
    directory: tempfile::TempDir,
    _shutdown: watch::Sender<bool>,
}

#[derive(Debug)]
struct Nowhere;

impl Journal for Nowhere {
    fn is_logged(&self, _level: LogLevel) -> bool {
        true
    }

    fn log(&self, _level: LogLevel, _line: String) {}
}

thread_local! {
    static FIXTURE: OnceCell<Fixture> = const { OnceCell::new() };
}

/// Sends these bytes, closes its end, and takes what comes.
fn connection(data: &[u8], has_password: bool) {
    FIXTURE.with(|fixture| {
        let fixture = fixture.get_or_init(Fixture::new);
        let path = fixture.directory.path().join(socket_name(has_password));
        let answer = fixture.runtime.block_on(async {
            let talk = async {
                let stream = UnixStream::connect(&path).await.ok()?;
                let (mut reader, mut writer) = stream.into_split();
                let say = async {
                    // Whoever is refused early may not be listened to until the end.
                    let _ = writer.write_all(data).await;
                    let _ = writer.shutdown().await;
                };
                let mut answer = Vec::new();
                let hear = reader.read_to_end(&mut answer);
                let _ = tokio::join!(say, hear);
                Some(answer)
            };
            tokio::time::timeout(PATIENCE, talk).await
        });
        let answer = answer.unwrap_or_else(|_| panic!("no end after {PATIENCE:?}"));
        let answer = answer.unwrap_or_else(|| panic!("the server is gone"));
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1."),
            "{}",
            answer.escape_ascii()
        );
        let is_authorized = find(data, b"Basic dTpw").is_some();
        assert!(
            !has_password || is_authorized || find(&answer, b" 200 OK\r\n").is_none(),
            "let in without a password: {}",
            answer.escape_ascii()
        );
    });
}

fn socket_name(has_password: bool) -> &'static str {
    if has_password { "password" } else { "open" }
}

fn find(data: &[u8], what: &[u8]) -> Option<usize> {
    data.windows(what.len())
        .position(|window| window.eq_ignore_ascii_case(what))
}

fn password() -> Credentials {
    Credentials {
        username: "u".to_owned(),
        password: "p".to_owned(),
    }
}

impl Fixture {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap_or_else(|error| panic!("no event loop: {error}"));
        let directory = tempfile::tempdir().unwrap_or_else(|error| panic!("no directory: {error}"));
        let (shutdown, told) = watch::channel(false);
        runtime.block_on(async {
            let (control, requests) = Control::new();
            tokio::spawn(answer_all(requests));
            let journal: Arc<dyn Journal> = Arc::new(Nowhere);
            let budget = Arc::new(Budget::default());
            let identity = Identity {
                identifier: "supervisor".to_owned(),
                pid: 1,
            };
            let rpc = Rpc::new(
                control.clone(),
                identity,
                Arc::clone(&journal),
                Interfaces::main(),
                Arc::clone(&budget),
            );
            for has_password in [false, true] {
                let path = directory.path().join(socket_name(has_password));
                let listener = std::os::unix::net::UnixListener::bind(path)
                    .unwrap_or_else(|error| panic!("no socket: {error}"));
                let config = ServerConfig {
                    section: "unix_http_server".to_owned(),
                    credentials: has_password.then(password),
                    host: String::new(),
                    is_control: false,
                };
                let services = Services {
                    control: control.clone(),
                    applier: Applier::new(
                        control.clone(),
                        rpc.api().clone(),
                        Arc::clone(&journal),
                        Default::default(),
                    ),
                    boots: Default::default(),
                    rpc: rpc.clone(),
                    journal: Arc::clone(&journal),
                    budget: Arc::clone(&budget),
                    token: Token::new(),
                };
                tokio::spawn(serve(
                    Listener::Unix(listener),
                    config,
                    services,
                    told.clone(),
                ));
            }
        });
        Self {
            runtime,
            directory,
            _shutdown: shutdown,
        }
    }
}

/// A supervision that knows of nothing and does everything.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "for the rest it is as if the supervision had ended"
)]
async fn answer_all(mut requests: Requests) {
    while let Some((request, reply)) = requests.recv().await {
        let answer = match request {
            Asked::State => Reply::State {
                code: 1,
                name: "RUNNING",
            },
            Asked::Process { .. } => Reply::Process(None),
            Asked::Processes | Asked::Targets(_) => Reply::Processes(Vec::new()),
            Asked::Configurations => Reply::Configurations(Vec::new()),
            Asked::WriteStdin { .. } => Reply::Stdin(StdinReply::NoProcess),
            Asked::LogFile { .. } | Asked::MainLogFile => Reply::LogFile(LogFileReply::NoLog),
            Asked::ClearMainLog => Reply::LogCleared(Ok(())),
            Asked::Command(_)
            | Asked::Reread
            | Asked::Shutdown { .. }
            | Asked::RemoteCommunication { .. }
            | Asked::ClearLogs(_) => Reply::Outcome(Outcome::Done),
            _ => Reply::Gone,
        };
        // Whoever asked may have gone.
        let _ = reply.send(answer);
    }
}

/// A request's head, line by line: method, address, headers. Judged as on TCP.
fn head(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let mut builder = Request::builder();
    if let Some(method) = lines.next() {
        builder = builder.method(method);
    }
    if let Some(address) = lines.next() {
        builder = builder.uri(address);
    }
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.unwrap_or(line.len()));
        builder = builder.header(name, value.get(1..).unwrap_or_default());
    }
    let Ok(request) = builder.body(()) else {
        return;
    };
    let path = percent::decode(request.uri().path());
    let _ = web::page_of(request.method(), &path);
    let _ = log_tail::read_path(&path);
    let verdict = authentication::check(&password(), request.headers());
    let given = request.headers().get(AUTHORIZATION);
    assert!(
        verdict != Verdict::Accepted || given.is_some(),
        "accepted without credentials"
    );
    let own_names = OwnNames {
        configured: "127.0.0.1".to_owned(),
        machine: "machine".to_owned(),
    };
    let circumstances = Circumstances {
        own_names: &own_names,
        has_password: false,
        is_loopback: true,
    };
    let is_let_in = cross_site::check(&request, circumstances).is_ok();
    let has_origin = |text: &str| {
        request
            .headers()
            .get(ORIGIN)
            .is_some_and(|origin| origin == text)
    };
    let host = request.headers().get(HOST);
    if is_let_in && host.is_some_and(|host| host == "attacker.example") {
        panic!("a foreign name leads to us");
    }
    if is_let_in && *request.method() != "GET" && has_origin("http://attacker.example") {
        panic!("another site changes something");
    }
}
