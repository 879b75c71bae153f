//! A process without free descriptors goes on serving. Each test runs in a process of its own, whose limit it
//! lowers.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};

use super::fixture::{Fixture, method_call, post};

const CHILD: &str = "LINCHPIN_TEST_CHILD";

#[test]
fn without_descriptors_clients_are_told_and_later_served() {
    let name = "http::tests::descriptors::starved";
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("all served"), "{text}{errors}");
}

/// Only does something in the process that the test above starts.
#[tokio::test]
async fn starved() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let fixture = Fixture::start(None);
    let call = post(&method_call("supervisor.getPID"));
    let mut kept = fixture.unix().await;
    kept.send(&call).await;
    kept.answer().await;
    // Clients' ends are made before the limit, so that only the server lacks descriptors.
    let mut clients: Vec<UnixStream> = (0..8)
        .map(|_| {
            let mut client = UnixStream::connect(&fixture.socket).unwrap();
            client.write_all(call.as_bytes()).unwrap();
            client.set_nonblocking(true).unwrap();
            client
        })
        .collect();
    let highest = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = Some(highest - 1);
    setrlimit(Resource::Nofile, limit).unwrap();
    let mut refused = 0;
    for client in &mut clients {
        let mut answer = Vec::new();
        let began = Instant::now();
        while !answer.windows(4).any(|four| four == b"\r\n\r\n") {
            let mut buffer = [0; 4096];
            if let Ok(count) = client.read(&mut buffer) {
                assert!(count > 0, "closed without a word");
                answer.extend_from_slice(&buffer[..count]);
            }
            assert!(began.elapsed() < Duration::from_secs(20), "no answer");
            tokio::task::yield_now().await;
        }
        if answer.starts_with(b"HTTP/1.1 503 ") {
            refused += 1;
        } else {
            assert!(answer.starts_with(b"HTTP/1.1 200 "));
        }
    }
    assert!(refused > 0, "the limit was not felt");
    kept.send(&call).await;
    kept.answer().await;
    drop(clients);
    limit.current = Some(highest + 100);
    setrlimit(Resource::Nofile, limit).unwrap();
    assert!(fixture.ask(&call).await.body.contains("4242"));
    println!("all served");
}
