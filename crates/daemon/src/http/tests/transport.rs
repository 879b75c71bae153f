//! Bytes in, bytes out.

use super::fixture::{Fixture, method_call, post};

const ERROR_400: &str = "<head>\r\n<title>Error response</title>\r\n</head>\r\n<body>\r\n\
    <h1>Error response</h1>\r\n<p>Error code 400.\r\n<p>Message: Bad Request.\r\n</body>\r\n";

fn state_call() -> String {
    post(&method_call("supervisor.getState"))
}

#[tokio::test]
async fn an_answer_has_the_originals_headers() {
    let fixture = Fixture::start(None);
    for mut client in [fixture.unix().await, fixture.tcp().await] {
        client.send(state_call()).await;
        let answer = client.answer().await;
        assert_eq!(answer.status, "HTTP/1.1 200 OK");
        assert_eq!(answer.header("Server"), Some("Medusa/1.12"));
        assert_eq!(
            answer.header("Linchpin-Version"),
            Some(env!("CARGO_PKG_VERSION"))
        );
        assert_eq!(answer.header("Content-Type"), Some("text/xml"));
        assert_eq!(answer.header("Content-Length"), Some("279"));
        assert!(
            answer
                .header("Date")
                .is_some_and(|date| date.ends_with(" GMT"))
        );
        assert_eq!(answer.header("Connection"), None);
        assert!(
            answer
                .body
                .starts_with("<?xml version='1.0'?>\n<methodResponse>\n")
        );
    }
}

#[tokio::test]
async fn odd_requests_get_the_originals_error_pages() {
    let fixture = Fixture::start(None);
    let check = async |request: &str, expected: &str| {
        let answer = fixture.ask(request).await;
        assert_eq!(answer.status, format!("HTTP/1.1 {expected}"), "{request}");
    };
    check("GET /RPC2 HTTP/1.1\r\n\r\n", "400 Bad Request").await;
    check("POST /RPC2 HTTP/1.1\r\n\r\n", "411 Length Required").await;
    check(&post(""), "400 Bad Request").await;
    check(&post("junk"), "400 Bad Request").await;
    check(&post("<methodCall/>"), "400 Bad Request").await;
    check(&state_call().replace("/RPC2", "/RPC2/more?x=1"), "200 OK").await;
    check(&state_call().replace("/RPC2", "/%52PC2"), "200 OK").await;
    check(&state_call().replace("/RPC2", "/rpc2"), "400 Bad Request").await;
    check("GET /ok.html HTTP/1.1\r\n\r\n", "200 OK").await;
    check("POST / HTTP/1.1\r\n\r\n", "411 Length Required").await;
    check("PUT / HTTP/1.1\r\n\r\n", "400 Bad Request").await;
    check("GET /nothing HTTP/1.1\r\n\r\n", "404 Not Found").await;
    check("GET //logtail/cat HTTP/1.1\r\n\r\n", "404 Not Found").await;
    check("PUT /nothing HTTP/1.1\r\n\r\n", "400 Bad Request").await;
    check(
        "POST /logtail/cat HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        "400 Bad Request",
    )
    .await;
    check("GET /logtail HTTP/1.1\r\n\r\n", "404 Not Found").await;
    check("GET /logtail/x HTTP/1.1\r\n\r\n", "404 Not Found").await;
    check("GET /logtail/animals:dog HTTP/1.1\r\n\r\n", "404 Not Found").await;
    check(
        "GET /logtail/animals:cat/stdin HTTP/1.1\r\n\r\n",
        "404 Not Found",
    )
    .await;
    check("GET /mainlogtail HTTP/1.1\r\n\r\n", "404 Not Found").await;
    check(
        "POST /RPC2 HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "400 Bad Request",
    )
    .await;
    check("no request at all\r\n\r\n", "400 Bad Request").await;
    let answer = fixture.ask("GET /RPC2 HTTP/1.1\r\n\r\n").await;
    assert_eq!(answer.body, ERROR_400);
    assert_eq!(answer.header("Content-Type"), Some("text/html"));
}

#[tokio::test]
async fn connections_are_kept_as_the_original_keeps_them() {
    let fixture = Fixture::start(None);
    for (version, header, is_kept) in [
        ("1.1", "", true),
        ("1.1", "Connection: close\r\n", false),
        ("1.0", "", false),
        ("1.0", "Connection: keep-alive\r\n", true),
    ] {
        let mut client = fixture.unix().await;
        let request = state_call()
            .replace("HTTP/1.1", &format!("HTTP/{version}"))
            .replace("Host: localhost\r\n", header);
        client.send(&request).await;
        let answer = client.answer().await;
        assert_eq!(answer.status, format!("HTTP/{version} 200 OK"));
        if is_kept {
            client.send(&request).await;
            assert_eq!(client.answer().await.status, answer.status);
        } else {
            assert_eq!(client.rest().await, "", "{version} {header}");
        }
    }
}

#[tokio::test]
async fn requests_may_follow_each_other_without_waiting() {
    let fixture = Fixture::start(None);
    let mut client = fixture.tcp().await;
    let calls = ["supervisor.getState", "supervisor.getPID", "x.y"];
    let requests: String = calls.map(|call| post(&method_call(call))).concat();
    client.send(requests).await;
    for expected in ["statecode", "4242", "UNKNOWN_METHOD"] {
        let answer = client.answer().await;
        assert!(answer.body.contains(expected), "{expected}: {answer:?}");
    }
}

#[tokio::test]
async fn a_body_may_come_in_chunks_and_in_pieces() {
    let fixture = Fixture::start(None);
    let mut client = fixture.unix().await;
    client
        .send("POST /RPC2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    for byte in method_call("supervisor.getPID").chars() {
        client.send(format!("1\r\n{byte}\r\n")).await;
        tokio::task::yield_now().await;
    }
    client.send("0\r\n\r\n").await;
    assert!(client.answer().await.body.contains("4242"));
}

#[tokio::test]
async fn whoever_asks_first_is_told_to_go_on() {
    let fixture = Fixture::start(None);
    let mut client = fixture.unix().await;
    let request = post(&method_call("supervisor.getPID"));
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    client
        .send(format!("{head}\r\nExpect: 100-continue\r\n\r\n"))
        .await;
    assert_eq!(client.head().await.status, "HTTP/1.1 100 Continue");
    client.send(body).await;
    assert!(client.answer().await.body.contains("4242"));
}

#[tokio::test]
async fn the_password_is_asked_for_everywhere() {
    let fixture = Fixture::start(Some(("user", "pass")));
    for path in [
        "/RPC2",
        "/logtail/animals:cat",
        "/mainlogtail",
        "/ok.html",
        "/",
    ] {
        let mut client = fixture.unix().await;
        client
            .send(format!(
                "POST {path} HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
            ))
            .await;
        let answer = client.answer().await;
        assert_eq!(answer.status, "HTTP/1.1 401 Unauthorized", "{path}");
        let realm = answer.header("Www-Authenticate");
        assert_eq!(realm, Some("Basic realm=\"default\""));
        assert_eq!(answer.header("Connection"), Some("close"));
        assert_eq!(client.rest().await, "");
    }
    for (credentials, expected) in [
        ("Basic dXNlcjpwYXNz", "200 OK"),
        ("Basic dXNlcjpwYXN0", "401 Unauthorized"),
        ("Basic dXNlcg==", "400 Bad Request"),
        ("Basic %", "400 Bad Request"),
        ("Bearer dXNlcjpwYXNz", "401 Unauthorized"),
    ] {
        let header = format!("Authorization: {credentials}\r\nContent-Length");
        let request = state_call().replace("Content-Length", &header);
        let answer = fixture.ask(&request).await;
        assert_eq!(
            answer.status,
            format!("HTTP/1.1 {expected}"),
            "{credentials}"
        );
    }
}

#[tokio::test]
async fn other_web_sites_are_refused_on_tcp_only() {
    let fixture = Fixture::start(None);
    let request = state_call().replace("Content-Length", "Origin: http://evil\r\nContent-Length");
    assert_eq!(fixture.ask(&request).await.status, "HTTP/1.1 200 OK");
    let mut client = fixture.tcp().await;
    client.send(request).await;
    let answer = client.answer().await;
    assert_eq!(answer.status, "HTTP/1.1 403 Forbidden");
    assert!(answer.body.contains("another web site"), "{answer:?}");
    let mut client = fixture.tcp().await;
    client
        .send(state_call().replace("localhost", "rebound.example"))
        .await;
    assert_eq!(client.answer().await.status, "HTTP/1.1 403 Forbidden");
}

#[tokio::test]
async fn a_client_that_goes_away_loses_the_answer_and_not_the_operation() {
    let fixture = Fixture::start(None);
    let mut client = fixture.tcp().await;
    client
        .send(post(
            "<methodCall><methodName>supervisor.startProcess</methodName><params>\
             <param><value>slow</value></param></params></methodCall>",
        ))
        .await;
    while fixture.fake.knowledge().log_of_requests.is_empty() {
        tokio::task::yield_now().await;
    }
    drop(client);
    // A whole answer for somebody else: the server has seen the other go.
    fixture.ask(&state_call()).await;
    fixture.fake.knowledge().release.notify_one();
    while fixture.fake.knowledge().released == 0 {
        tokio::task::yield_now().await;
    }
    let lines = fixture.journal.0.lock().unwrap().join("\n");
    assert!(!lines.contains("CRIT"), "{lines}");
}

#[tokio::test]
async fn answers_under_way_are_sent_when_the_server_ends() {
    let fixture = Fixture::start(None);
    let path = fixture.log("x");
    let mut waiting = fixture.unix().await;
    waiting
        .send(post(
            "<methodCall><methodName>supervisor.stopProcess</methodName><params>\
             <param><value>slow</value></param></params></methodCall>",
        ))
        .await;
    let mut idle = fixture.unix().await;
    idle.send(state_call()).await;
    idle.answer().await;
    let mut follower = fixture.unix().await;
    follower
        .send("GET /logtail/animals:cat HTTP/1.1\r\n\r\n")
        .await;
    follower.until("x\r\n").await;
    while fixture.fake.knowledge().log_of_requests.is_empty() {
        tokio::task::yield_now().await;
    }
    fixture.shutdown.send(true).unwrap();
    assert_eq!(idle.rest().await, "");
    follower.rest().await;
    fixture.fake.knowledge().release.notify_one();
    assert_eq!(waiting.answer().await.status, "HTTP/1.1 200 OK");
    assert_eq!(waiting.rest().await, "");
    assert!(
        tokio::net::UnixStream::connect(&fixture.socket)
            .await
            .is_err()
    );
    drop(path);
}
