//! Probes against real servers.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use linchpin_config::{HttpProbe, Probe};
use linchpin_core::CheckPurpose;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::*;

const LIMIT: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(20);

fn attempt(number: u64) -> AttemptId {
    AttemptId {
        process: ProcessId(1),
        generation: Generation(number),
        check: Check {
            purpose: CheckPurpose::Readiness,
            index: 0,
        },
        attempt: 1,
    }
}

fn outcome_of(event: Event) -> ProbeOutcome {
    let Event::Probed { outcome, .. } = event else {
        panic!("{event:?} is no answer");
    };
    outcome
}

/// One attempt, from the beginning to the answer.
async fn answer_within(probes: &mut Probes, kind: &ProbeKind, limit: Duration) -> ProbeOutcome {
    match probes.start(attempt(1), kind, limit) {
        Some(outcome) => outcome,
        None => {
            let mut answers = answers(probes).await;
            assert_eq!(answers.len(), 1);
            outcome_of(answers.remove(0))
        }
    }
}

/// What comes next, also if it is only that the time of an attempt is over.
async fn answers(probes: &mut Probes) -> Vec<Event> {
    let due = probes.deadline().unwrap();
    tokio::select! {
        answers = probes.answers() => answers,
        () = tokio::time::sleep_until(due) => probes.give_up(),
    }
}

async fn answer(kind: &ProbeKind) -> ProbeOutcome {
    answer_within(&mut Probes::new(), kind, LIMIT).await
}

fn failed(text: &str) -> ProbeOutcome {
    ProbeOutcome::Failed(text.to_owned())
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn tcp(host: &str, port: u16) -> ProbeKind {
    ProbeKind::Tcp {
        host: host.to_owned(),
        port,
    }
}

#[tokio::test]
async fn tcp_by_address_and_by_name() {
    let (listener, port) = listener();
    for host in ["127.0.0.1", "localhost"] {
        assert_eq!(answer(&tcp(host, port)).await, ProbeOutcome::Passed);
    }
    drop(listener);
    for host in ["127.0.0.1", "localhost"] {
        let refused = failed("connection refused");
        assert_eq!(answer(&tcp(host, port)).await, refused, "{host}");
    }
    // Never answered by any DNS (RFC 6761).
    let unknown = answer(&tcp("nowhere.invalid", port)).await;
    assert_eq!(unknown, failed("host nowhere.invalid not found"));
}

#[tokio::test]
async fn on_this_machine_tcp_is_answered_at_once() {
    let (_listener, port) = listener();
    let mut probes = Probes::new();
    for _ in 0..BATCH {
        let at_once = probes.start(attempt(1), &tcp("127.0.0.1", port), LIMIT);
        assert_eq!(at_once, Some(ProbeOutcome::Passed));
    }
    assert!(probes.under_way.is_empty());
}

#[tokio::test]
async fn what_is_passive_is_not_asked() {
    let mut probes = Probes::new();
    let outcome = probes.start(attempt(1), &ProbeKind::Notify, LIMIT);
    assert_eq!(outcome, Some(failed("it cannot be asked for")));
}

#[tokio::test]
async fn dropped_attempts_close_their_connections_and_are_not_answered() {
    let (listener, port) = listener();
    let mut probes = Probes::new();
    let kind = plain(port, |_| ());
    assert_eq!(probes.start(attempt(1), &kind, LIMIT), None);
    assert_eq!(probes.start(attempt(2), &kind, SHORT), None);
    let begun = tokio::task::spawn_blocking(move || {
        let mut clients = [listener.accept().unwrap().0, listener.accept().unwrap().0];
        for client in &mut clients {
            let _ = client.read(&mut [0; 1024]).unwrap();
        }
        clients
    });
    tokio::select! {
        clients = begun => {
            probes.cancel(Generation(1));
            assert_eq!(probes.under_way.len(), 1);
            let answers = answers(&mut probes).await;
            let [Event::Probed { generation: Generation(2), outcome, .. }] = &answers[..] else {
                panic!("{answers:?}");
            };
            assert_eq!(outcome, &failed("no answer within 20 ms"));
            while probes.tasks.join_next().await.is_some() {}
            for mut client in clients.unwrap() {
                assert_eq!(client.read(&mut [0; 1024]).unwrap(), 0);
            }
        }
        answers = async { loop { if probes.answers().await.len() > 1 { break } } } => {
            panic!("{answers:?}");
        }
    }
    assert!(probes.under_way.is_empty() && probes.overdue.is_empty());
}

#[tokio::test]
async fn attempts_that_wait_for_their_turn_can_be_dropped() {
    let (_listener, port) = listener();
    let mut probes = Probes::new();
    for number in 0..2 {
        let config = Arc::new(config(tcp("127.0.0.1", port)));
        probes.ask(Attempt {
            id: attempt(number),
            timeout: LIMIT,
            config,
        });
    }
    probes.cancel(Generation(0));
    assert!(probes.is_due());
    let answers = probes.begin();
    assert!(!probes.is_due());
    assert_eq!(answers, [attempt(1).answer(ProbeOutcome::Passed)]);
}

fn config(kind: ProbeKind) -> ProcessConfig {
    let folder = tempfile::tempdir().unwrap();
    let (_, config) = crate::services::testing::program(folder.path(), "");
    let mut config = (*config).clone();
    let probe = Probe {
        text: String::new(),
        kind,
    };
    config.service = Some(Box::new(linchpin_config::ServiceConfig {
        readiness: Some(linchpin_config::Checks {
            probes: vec![probe],
            interval: LIMIT,
            timeout: LIMIT,
            successes: 1,
            failures: 1,
        }),
        ..linchpin_config::ServiceConfig::default()
    }));
    config
}

fn http(port: u16, change: impl FnOnce(&mut HttpProbe)) -> HttpProbe {
    let mut probe = HttpProbe {
        tls: false,
        host: "127.0.0.1".to_owned(),
        port,
        path: "/health?full=1".to_owned(),
        method: "GET".to_owned(),
        statuses: vec![(200, 399)],
        headers: Vec::new(),
        body: None,
        ca: None,
        insecure: false,
    };
    change(&mut probe);
    probe
}

fn plain(port: u16, change: impl FnOnce(&mut HttpProbe)) -> ProbeKind {
    ProbeKind::Http(Box::new(http(port, change)))
}

/// Answers one request so; what it was asked.
fn serve(answer: impl Into<Vec<u8>>) -> (u16, JoinHandle<String>) {
    let (listener, port) = listener();
    let answer = answer.into();
    let served = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let request = head(&mut client);
        // The client may have read as much as it wants.
        let _ = client.write_all(&answer);
        request
    });
    (port, served)
}

fn head(client: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).unwrap() == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

async fn answer_to(
    response: impl Into<Vec<u8>>,
    change: impl FnOnce(&mut HttpProbe),
) -> ProbeOutcome {
    let (port, served) = serve(response);
    let outcome = answer(&plain(port, change)).await;
    served.join().unwrap();
    outcome
}

fn body(pattern: &str) -> impl FnOnce(&mut HttpProbe) {
    move |probe| probe.body = Some(pattern.to_owned())
}

#[tokio::test]
async fn requests_are_as_written() {
    let (port, served) = serve("HTTP/1.1 204 No Content\r\n\r\n");
    let probe = plain(port, |probe| {
        probe.method = "HEAD".to_owned();
        probe.headers = [("X-Who", "a"), ("x-who", "b"), ("User-Agent", "me")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
    });
    assert_eq!(answer(&probe).await, ProbeOutcome::Passed);
    let expected = format!(
        "HEAD /health?full=1 HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\naccept: */*\r\nx-who: a\r\nx-who: b\r\n\
         user-agent: me\r\nconnection: close\r\n\r\n"
    );
    let mut lines: Vec<String> = served.join().unwrap().lines().map(str::to_owned).collect();
    let mut expected: Vec<String> = expected.lines().map(str::to_owned).collect();
    lines[1..].sort();
    expected[1..].sort();
    assert_eq!(lines, expected);
}

#[test]
fn the_host_is_written_as_browsers_write_it() {
    let host = |tls, host: &str, port| {
        host_header_of(&http(port, |probe| {
            probe.tls = tls;
            probe.host = host.to_owned();
        }))
    };
    assert_eq!(host(false, "web", 80), "web");
    assert_eq!(host(true, "web", 80), "web:80");
    assert_eq!(host(true, "::1", 443), "[::1]");
    assert_eq!(host(false, "::1", 8080), "[::1]:8080");
}

fn host_header_of(probe: &HttpProbe) -> String {
    super::http::host_header(probe)
}

#[tokio::test]
async fn statuses_decide() {
    let any = |_: &mut HttpProbe| ();
    let only = |probe: &mut HttpProbe| probe.statuses = vec![(401, 401), (500, 501)];
    let status = |code: u16| format!("HTTP/1.1 {code} Whatever\r\nContent-Length: 2\r\n\r\nok");
    assert_eq!(answer_to(status(200), any).await, ProbeOutcome::Passed);
    assert_eq!(answer_to(status(302), any).await, ProbeOutcome::Passed);
    assert_eq!(answer_to(status(503), any).await, failed("status 503"));
    assert_eq!(answer_to(status(401), only).await, ProbeOutcome::Passed);
    assert_eq!(answer_to(status(501), only).await, ProbeOutcome::Passed);
    assert_eq!(answer_to(status(200), only).await, failed("status 200"));
}

#[tokio::test]
async fn bodies_decide() {
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\":\"up\"}";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                   8\r\n{\"status\r\n7\r\n\":\"up\"}\r\n0\r\n\r\n";
    let to_the_end = "HTTP/1.0 200 OK\r\n\r\n{\"status\":\"up\"}";
    for response in [ok, chunked, to_the_end] {
        let pattern = body(r#""status":\s*"up""#);
        assert_eq!(answer_to(response, pattern).await, ProbeOutcome::Passed);
        let outcome = answer_to(response, body("^up$")).await;
        assert_eq!(outcome, failed("body does not match"));
    }
    let wrong = answer_to("HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nup", body("up")).await;
    assert_eq!(wrong, failed("status 500"));
    let cut = answer_to("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nup", body("up"));
    assert_eq!(cut.await, failed("connection closed"));
}

#[tokio::test]
async fn so_much_of_a_body_is_looked_at_and_no_more() {
    let response = |before: usize| {
        let mut response = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        response.extend(std::iter::repeat_n(b'.', before));
        response.extend_from_slice(b"here");
        response
    };
    let room = 64 * 1024 - 4;
    assert_eq!(
        answer_to(response(room), body("here")).await,
        ProbeOutcome::Passed
    );
    let outcome = answer_to(response(room + 1), body("here")).await;
    assert_eq!(outcome, failed("body does not match"));
}

#[tokio::test]
async fn an_expression_that_takes_long_takes_no_longer_than_the_probe() {
    let mut response = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    response.extend(std::iter::repeat_n(b'a', 64 * 1024));
    let (port, served) = serve(response);
    let mut probes = Probes::new();
    let kind = plain(port, body("(a?){2000}b"));
    let outcome = answer_within(&mut probes, &kind, Duration::from_millis(200)).await;
    assert_eq!(outcome, failed("no answer within 200 ms"));
    served.join().unwrap();
}

#[tokio::test]
async fn what_is_no_answer() {
    let any = |_: &mut HttpProbe| ();
    for (response, text) in [
        ("", "connection closed before the answer"),
        ("HTTP/1.1 2", "connection closed before the answer"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "the answer is no HTTP"),
    ] {
        assert_eq!(answer_to(response, any).await, failed(text), "{response:?}");
    }
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(300_000));
    let outcome = answer_to(endless, any).await;
    assert!(matches!(outcome, ProbeOutcome::Failed(_)), "{outcome:?}");
    let (_silent, port) = listener();
    let outcome = answer_within(&mut Probes::new(), &plain(port, any), SHORT).await;
    assert_eq!(outcome, failed("no answer within 20 ms"));
}

/// A server's certificate and key, and the file of whoever signed it.
struct Identity {
    certificate: Vec<u8>,
    key: Vec<u8>,
    ca: std::path::PathBuf,
}

fn params(name: &str) -> CertificateParams {
    CertificateParams::new([name.to_owned()]).unwrap()
}

fn signed(folder: &Path, change: impl FnOnce(&mut CertificateParams)) -> Identity {
    let mut authority = params("authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut server = params("localhost");
    change(&mut server);
    let server = server.signed_by(&key, &authority).unwrap();
    let ca = folder.join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    Identity {
        certificate: server.der().to_vec(),
        key: key.serialize_der(),
        ca,
    }
}

fn signs_itself(folder: &Path, change: impl FnOnce(&mut CertificateParams)) -> Identity {
    let key = KeyPair::generate().unwrap();
    let mut server = params("localhost");
    change(&mut server);
    let server = server.self_signed(&key).unwrap();
    let ca = folder.join("itself.pem");
    std::fs::write(&ca, server.pem()).unwrap();
    Identity {
        certificate: server.der().to_vec(),
        key: key.serialize_der(),
        ca,
    }
}

/// Answers so many requests; one that fails counts, too.
fn serve_tls(identity: &Identity, requests: usize) -> (u16, JoinHandle<()>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key.clone()));
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.certificate.clone().into()], key)
        .unwrap();
    let config = Arc::new(config);
    let (listener, port) = listener();
    let served = std::thread::spawn(move || {
        for _ in 0..requests {
            let (client, _) = listener.accept().unwrap();
            // A client that does not believe us goes away.
            let _ = serve_one(client, &config);
        }
    });
    (port, served)
}

fn serve_one(client: TcpStream, config: &Arc<rustls::ServerConfig>) -> std::io::Result<()> {
    let session = rustls::ServerConnection::new(config.clone()).unwrap();
    let mut stream = rustls::StreamOwned::new(session, client);
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            count => request.extend_from_slice(&buffer[..count]),
        }
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")?;
    stream.conn.send_close_notify();
    stream.flush()
}

async fn ask_tls(identity: &Identity, change: impl FnOnce(&mut HttpProbe)) -> ProbeOutcome {
    let (port, served) = serve_tls(identity, 1);
    let kind = plain(port, |probe| {
        probe.tls = true;
        probe.host = "localhost".to_owned();
        probe.body = Some("ok".to_owned());
        probe.ca = Some(identity.ca.to_str().unwrap().to_owned());
        change(probe);
    });
    let outcome = answer(&kind).await;
    served.join().unwrap();
    outcome
}

#[tokio::test]
async fn certificates_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let good = signed(folder.path(), |_| ());
    assert_eq!(ask_tls(&good, |_| ()).await, ProbeOutcome::Passed);
    let by_address = ask_tls(&good, |probe| probe.host = "127.0.0.1".to_owned());
    assert_eq!(by_address.await, failed("certificate is not for 127.0.0.1"));
    let expired = signed(folder.path(), |server| {
        server.not_after = date_time_ymd(2020, 1, 1);
    });
    assert_eq!(
        ask_tls(&expired, |_| ()).await,
        failed("certificate expired")
    );
    let trusted = ask_tls(&expired, |probe| probe.insecure = true);
    assert_eq!(trusted.await, ProbeOutcome::Passed);
    let early = signed(folder.path(), |server| {
        server.not_before = date_time_ymd(2999, 1, 1);
        server.not_after = date_time_ymd(3000, 1, 1);
    });
    assert_eq!(
        ask_tls(&early, |_| ()).await,
        failed("certificate not valid yet")
    );
    let other = signs_itself(folder.path(), |_| ());
    let stranger = ask_tls(&good, |probe| {
        probe.ca = Some(other.ca.to_str().unwrap().to_owned());
    });
    assert_eq!(
        stranger.await,
        failed("certificate of an unknown authority")
    );
}

#[tokio::test]
async fn a_certificate_that_signs_itself_may_be_the_one_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    for is_ca in [
        IsCa::NoCa,
        IsCa::ExplicitNoCa,
        IsCa::Ca(BasicConstraints::Unconstrained),
    ] {
        let itself = signs_itself(folder.path(), |server| server.is_ca = is_ca);
        assert_eq!(ask_tls(&itself, |_| ()).await, ProbeOutcome::Passed);
        let name = ask_tls(&itself, |probe| probe.host = "127.0.0.1".to_owned());
        assert_eq!(name.await, failed("certificate is not for 127.0.0.1"));
        let expired = signs_itself(folder.path(), |server| {
            server.is_ca = is_ca;
            server.not_after = date_time_ymd(2020, 1, 1);
        });
        assert_eq!(
            ask_tls(&expired, |_| ()).await,
            failed("certificate expired")
        );
    }
}

#[tokio::test]
async fn authorities_are_read_once_and_again_when_they_do_not_know_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let old = signed(folder.path(), |_| ());
    let mut probes = Probes::new();
    let probe_of = |port| {
        plain(port, |probe| {
            probe.tls = true;
            probe.host = "localhost".to_owned();
            probe.ca = Some(old.ca.to_str().unwrap().to_owned());
        })
    };
    let (port, served) = serve_tls(&old, 2);
    let first = answer_within(&mut probes, &probe_of(port), LIMIT).await;
    assert_eq!(first, ProbeOutcome::Passed);
    std::fs::remove_file(&old.ca).unwrap();
    let kept = answer_within(&mut probes, &probe_of(port), LIMIT).await;
    assert_eq!(kept, ProbeOutcome::Passed);
    served.join().unwrap();
    let new = signed(folder.path(), |_| ());
    let (port, served) = serve_tls(&new, 2);
    let unknown = answer_within(&mut probes, &probe_of(port), LIMIT).await;
    assert_eq!(unknown, failed("certificate of an unknown authority"));
    let known = answer_within(&mut probes, &probe_of(port), LIMIT).await;
    assert_eq!(known, ProbeOutcome::Passed);
    served.join().unwrap();
}

#[tokio::test]
async fn what_is_no_tls_is_said_so() {
    let (listener, port) = listener();
    let served = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        client
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
        // Until it goes away.
        let _ = client.read_to_end(&mut Vec::new());
    });
    let kind = plain(port, |probe| {
        probe.tls = true;
        probe.insecure = true;
    });
    assert_eq!(answer(&kind).await, failed("no TLS spoken there"));
    served.join().unwrap();
    let (_listener, port) = self::listener();
    let kind = plain(port, |probe| {
        probe.tls = true;
        probe.ca = Some("/nowhere/ca.pem".to_owned());
    });
    let missing = failed("/nowhere/ca.pem: does not exist");
    assert_eq!(answer(&kind).await, missing);
}
