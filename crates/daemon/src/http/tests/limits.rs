//! Clients that are slow, large or many.

use std::time::Duration;

use tokio::time::Instant;

use super::fixture::{Client, Fixture, method_call, post};
use crate::http::limits::{
    BODY_TIME, HEAD_TIME, IDLE_TIME, MAX_BODY_BYTES, MAX_CONNECTIONS_PER_SERVER, MAX_FOLLOWERS,
    MAX_HEAD_BYTES, MAX_TOTAL_ANSWER_BYTES, WRITE_STALL_TIME,
};

fn pid_call() -> String {
    post(&method_call("supervisor.getPID"))
}

async fn assert_works(fixture: &Fixture) {
    assert!(fixture.ask(&pid_call()).await.body.contains("4242"));
}

/// What comes when nothing more is said, and after how long. Time is paused, so it jumps to the next thing
/// that is waited for.
async fn silence(client: &mut Client) -> (String, Duration) {
    let began = Instant::now();
    let rest = client.rest().await;
    (rest, began.elapsed())
}

fn is_about(time: Duration, expected: Duration) -> bool {
    time >= expected && time < expected + Duration::from_secs(3)
}

#[tokio::test(start_paused = true)]
async fn each_part_of_a_request_has_its_time() {
    let fixture = Fixture::start(None);
    for (said, expected_time, expected) in [
        ("", HEAD_TIME, ""),
        ("\r\n", HEAD_TIME, ""),
        (
            "POST /RPC2 HTTP/1.1\r\nHost: x\r\n",
            HEAD_TIME,
            "HTTP/1.1 408 Request Time-out\r\n",
        ),
        (
            "POST /RPC2 HTTP/1.1\r\nContent-Length: 100\r\n\r\n<method",
            BODY_TIME,
            "HTTP/1.1 408 Request Time-out\r\n",
        ),
        (
            "POST /RPC2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n<method\r\n",
            BODY_TIME,
            "HTTP/1.1 408 Request Time-out\r\n",
        ),
    ] {
        let mut client = fixture.tcp().await;
        client.send(said).await;
        let (answer, time) = silence(&mut client).await;
        assert!(answer.starts_with(expected), "{said:?}: {answer}");
        assert_eq!(answer.is_empty(), expected.is_empty(), "{said:?}: {answer}");
        assert!(is_about(time, expected_time), "{said:?}: {time:?}");
    }
    assert_works(&fixture).await;
}

#[tokio::test(start_paused = true)]
async fn a_head_that_trickles_in_gets_no_more_time() {
    let fixture = Fixture::start(None);
    let mut client = fixture.tcp().await;
    let began = Instant::now();
    client.send("POST /RPC2 HTTP/1.1\r\n").await;
    let trickle = async {
        loop {
            client.send("x: y\r\n").await;
            tokio::time::sleep(Duration::from_secs(5)).await;
            if began.elapsed() > HEAD_TIME {
                break client.rest().await;
            }
        }
    };
    let answer = trickle.await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_kept_connection_may_lie_idle_for_a_while() {
    let fixture = Fixture::start(None);
    let mut client = fixture.tcp().await;
    client.send(pid_call()).await;
    client.answer().await;
    tokio::time::sleep(IDLE_TIME / 2).await;
    client.send(pid_call()).await;
    client.answer().await;
    let (rest, time) = silence(&mut client).await;
    assert_eq!(rest, "");
    assert!(is_about(time, IDLE_TIME), "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn an_operation_may_last_as_long_as_it_likes() {
    let fixture = Fixture::start(None);
    let mut client = fixture.tcp().await;
    client
        .send(post(
            "<methodCall><methodName>supervisor.startProcess</methodName><params>\
             <param><value>slow</value></param></params></methodCall>",
        ))
        .await;
    tokio::time::sleep(10 * IDLE_TIME).await;
    fixture.fake.knowledge().release.notify_one();
    assert_eq!(client.answer().await.status, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn large_heads_and_bodies_are_refused() {
    let fixture = Fixture::start(None);
    let long = "x".repeat(MAX_HEAD_BYTES);
    let many: String = (0..200).map(|index| format!("h{index}: x\r\n")).collect();
    let too_much = MAX_BODY_BYTES + 1;
    for (request, expected) in [
        (format!("GET /ok.html HTTP/1.1\r\nX: {long}"), "431 "),
        (format!("GET /{long}"), "431 "),
        (format!("GET /ok.html HTTP/1.1\r\n{many}\r\n"), "431 "),
        (
            format!("POST /RPC2 HTTP/1.1\r\nContent-Length: {too_much}\r\n\r\n"),
            "413 ",
        ),
        (
            "POST /RPC2 HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n".to_owned(),
            "400 ",
        ),
    ] {
        let mut client = fixture.tcp().await;
        client.send(&request).await;
        let answer = client.rest().await;
        let expected = format!("HTTP/1.1 {expected}");
        assert!(answer.starts_with(&expected), "{:.40} {answer}", request);
    }
    assert_works(&fixture).await;
}

#[tokio::test]
async fn a_body_in_chunks_is_counted_too() {
    let fixture = Fixture::start(None);
    let mut client = fixture.unix().await;
    client
        .send("POST /RPC2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let chunk = format!("100000\r\n{}\r\n", "x".repeat(1 << 20));
    for _ in 0..=MAX_BODY_BYTES >> 20 {
        client.send(&chunk).await;
    }
    assert!(client.head().await.status.starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn bodies_of_all_clients_together_are_bounded() {
    let fixture = Fixture::start(None);
    let mut share = fixture.budget.body_share();
    while share.grow(1 << 20) {}
    let answer = fixture.ask(&pid_call()).await;
    assert_eq!(answer.status, "HTTP/1.1 503 Service Unavailable");
    drop(share);
    assert_works(&fixture).await;
}

#[tokio::test]
async fn answers_that_are_not_taken_yet_are_bounded() {
    let fixture = Fixture::start(None);
    let process = fixture.fake.knowledge().processes[0].clone();
    fixture.fake.knowledge().processes = vec![process; 2000];
    let large = post(&method_call("supervisor.getAllProcessInfo"));

    let mut slow = fixture.unix().await;
    slow.send(&large).await;
    slow.until("HTTP/1.1 200 OK").await;
    let mut room = fixture.budget.answer_share();
    assert!(
        !room.grow_to(MAX_TOTAL_ANSWER_BYTES),
        "what is not taken counts"
    );
    drop(slow);
    while !room.grow_to(MAX_TOTAL_ANSWER_BYTES) {
        tokio::task::yield_now().await;
    }

    let refused = fixture.ask(&large).await;
    assert!(
        refused.body.contains("too many large answers"),
        "{}",
        refused.body
    );
    let page = fixture.ask("GET / HTTP/1.1\r\n\r\n").await;
    assert_eq!(page.status, "HTTP/1.1 503 Service Unavailable");
    assert_works(&fixture).await;
    drop(room);
    let answer = fixture.ask(&large).await;
    assert!(answer.body.len() > 1_000_000);
}

#[tokio::test]
async fn the_client_that_takes_nothing_for_longest_makes_room_for_answers() {
    let fixture = Fixture::start(None);
    let process = fixture.fake.knowledge().processes[0].clone();
    fixture.fake.knowledge().processes = vec![process; 2000];
    let large = post(&method_call("supervisor.getAllProcessInfo"));
    let mut deaf = fixture.unix().await;
    deaf.send(&large).await;
    deaf.until("HTTP/1.1 200 OK").await;
    let mut room = fixture.budget.answer_share();
    while !room.grow_to(MAX_TOTAL_ANSWER_BYTES) {
        tokio::task::yield_now().await;
    }
    assert!(!deaf.rest().await.contains("</methodResponse>"));
}

#[tokio::test]
async fn clients_that_say_nothing_keep_nobody_out() {
    let fixture = Fixture::start(None);
    let mut silent = Vec::new();
    for index in 0..MAX_CONNECTIONS_PER_SERVER + 50 {
        let mut client = fixture.unix().await;
        if index % 2 == 0 {
            client.send("POST /RPC2 HTTP/1.1\r\n").await;
        }
        silent.push(client);
    }
    for _ in 0..10 {
        assert_works(&fixture).await;
    }
    // The oldest had to go.
    silent[1].rest().await;
    assert!(silent[0].rest().await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test]
async fn followers_are_bounded_and_give_their_places_back() {
    let fixture = Fixture::start(None);
    fixture.log("x");
    let follow = "GET /logtail/animals:cat HTTP/1.1\r\n\r\n";
    let mut followers = Vec::new();
    for _ in 0..MAX_FOLLOWERS {
        let mut client = fixture.unix().await;
        client.send(follow).await;
        assert_eq!(client.head().await.status, "HTTP/1.1 200 OK");
        followers.push(client);
    }
    let refused = fixture.ask(follow).await;
    assert_eq!(refused.status, "HTTP/1.1 503 Service Unavailable");
    drop(followers);
    // They are noticed although nothing is written and though they may have sent a byte too many.
    loop {
        let mut client = fixture.unix().await;
        client.send(format!("{follow}\r\n")).await;
        if client.head().await.status == "HTTP/1.1 200 OK" {
            break;
        }
    }
    while fixture.fake.knowledge().changes.receiver_count() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_dropped() {
    let fixture = Fixture::start(None);
    let process = fixture.fake.knowledge().processes[0].clone();
    fixture.fake.knowledge().processes = vec![process; 2000];
    let mut client = fixture.unix().await;
    let began = Instant::now();
    client
        .send(post(&method_call("supervisor.getAllProcessInfo")))
        .await;
    tokio::time::sleep(2 * WRITE_STALL_TIME).await;
    let rest = client.rest().await;
    assert!(rest.len() > 1000 && !rest.contains("</methodResponse>"));
    assert!(began.elapsed() < 3 * WRITE_STALL_TIME);
    assert_works(&fixture).await;
}
