//! `/logtail` and `/mainlogtail`.

use std::io::Write as _;

use super::fixture::Fixture;

const FOLLOW: &str = "GET /logtail/animals:cat HTTP/1.1\r\n\r\n";

fn append(path: &std::path::Path, text: &str) {
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[tokio::test]
async fn the_last_bytes_come_first_and_then_what_is_added() {
    let fixture = Fixture::start(None);
    let path = fixture.log(&format!("{}{}", "a".repeat(100), "b".repeat(1024)));
    let mut client = fixture.tcp().await;
    client.send(FOLLOW).await;
    let head = client.head().await;
    assert_eq!(head.status, "HTTP/1.1 200 OK");
    assert_eq!(
        head.header("Content-Type"),
        Some("text/plain;charset=utf-8")
    );
    assert_eq!(head.header("X-Accel-Buffering"), Some("no"));
    assert_eq!(head.header("Transfer-Encoding"), Some("chunked"));
    assert!(
        head.header("Last-Modified")
            .is_some_and(|date| date.ends_with(" GMT"))
    );
    let first = client.until("b\r\n").await;
    assert_eq!(first, format!("400\r\n{}\r\n", "b".repeat(1024)));
    append(&path, "new\n");
    fixture.log_changed();
    assert_eq!(client.until("new").await, "4\r\nnew\n\r\n");
}

#[tokio::test]
async fn a_rotated_log_is_read_to_its_end_and_then_the_next() {
    let fixture = Fixture::start(None);
    let path = fixture.log("one\n");
    let mut client = fixture.unix().await;
    client.send(FOLLOW).await;
    client.until("one\n\r\n").await;
    append(&path, "two\n");
    std::fs::rename(&path, path.with_extension("log.1")).unwrap();
    append(&path, "three\n");
    fixture.log_changed();
    let text = client.until("three\n").await;
    assert_eq!(text, "4\r\ntwo\n\r\n6\r\nthree\n\r\n");
}

#[tokio::test]
async fn a_truncated_log_is_announced() {
    let fixture = Fixture::start(None);
    let path = fixture.log("one two three\n");
    let mut client = fixture.unix().await;
    client.send(FOLLOW).await;
    client.until("three\n\r\n").await;
    std::fs::write(&path, "").unwrap();
    fixture.log_changed();
    let text = client.until("truncated").await;
    assert_eq!(text, "17\r\n==> File truncated <==\n\r\n");
    append(&path, "four\n");
    fixture.log_changed();
    assert_eq!(client.until("four").await, "5\r\nfour\n\r\n");
}

#[tokio::test]
async fn old_clients_get_their_bytes_at_once() {
    let fixture = Fixture::start(None);
    let path = fixture.log("one\n");
    for request in [
        "GET /logtail/animals:cat/stdout HTTP/1.0\r\n\r\n",
        "GET /logtail/animals:cat HTTP/1.1\r\nConnection: close\r\n\r\n",
    ] {
        let mut client = fixture.unix().await;
        client.send(request).await;
        client.until("one\n").await;
        append(&path, "two\n");
        fixture.log_changed();
        client.until("two\n").await;
        std::fs::write(&path, "one\n").unwrap();
    }
}

#[tokio::test]
async fn the_main_log_is_followed_too() {
    let fixture = Fixture::start(None);
    let path = fixture.directory.path().join("main.log");
    append(&path, "line\n");
    fixture.fake.knowledge().main_log = path.to_str().map(str::to_owned);
    let mut client = fixture.unix().await;
    client.send("GET /mainlogtail HTTP/1.1\r\n\r\n").await;
    let head = client.head().await;
    assert_eq!(head.header("X-Accel-Buffering"), None);
    client.until("line\n").await;
}

#[tokio::test]
async fn a_follower_ends_with_its_client_and_with_its_log() {
    let fixture = Fixture::start(None);
    fixture.log("one\n");
    let mut leaving = fixture.tcp().await;
    // The original's client sends a line end too many.
    leaving.send(format!("{FOLLOW}\r\n")).await;
    leaving.until("one\n").await;
    let mut staying = fixture.tcp().await;
    staying.send(FOLLOW).await;
    staying.until("one\n\r\n").await;
    drop(leaving);
    while fixture.fake.knowledge().changes.receiver_count() > 1 {
        tokio::task::yield_now().await;
    }
    fixture.fake.knowledge().changes = tokio::sync::watch::channel(0).0;
    assert_eq!(staying.until("0\r\n\r\n").await, "0\r\n\r\n");
}
