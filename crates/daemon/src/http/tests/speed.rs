//! What a thousand processes cost. Figures are printed; the bounds are wide enough for any machine that
//! builds us without optimisation.

use std::io::Write as _;
use std::time::{Duration, Instant};

use linchpin_core::ProcessState;

use super::fixture::{Fixture, method_call, post};
use crate::rpc::tests::fake_supervision::process;

#[tokio::test]
async fn a_thousand_processes_are_told_quickly() {
    const CALLS: u32 = 30;
    let fixture = Fixture::start(None);
    let states = [ProcessState::Running, ProcessState::Exited];
    fixture.fake.knowledge().processes = (0..1000)
        .map(|index| {
            let mut process = process("group", &format!("process_{index:04}"), states[index % 2]);
            process.stop = 1_795_470_001;
            process
        })
        .collect();
    let request = post(&method_call("supervisor.getAllProcessInfo"));
    let began = Instant::now();
    for _ in 0..CALLS {
        let mut client = fixture.unix().await;
        client.send(&request).await;
        let answer = client.answer().await;
        assert_eq!(answer.body.matches("<struct>").count(), 1000);
    }
    let each = began.elapsed() / CALLS;
    println!("getAllProcessInfo of 1,000, client included: {each:?}");
    assert!(each < Duration::from_secs(1), "{each:?}");
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kilobytes: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes * 1024
}

/// Both states of a client that never finishes: silent, and in the middle of a head.
#[tokio::test]
async fn unfinished_clients_cost_little() {
    const CLIENTS: usize = 400;
    let fixture = Fixture::start(None);
    let mut clients = Vec::new();
    // What is needed once is not counted.
    fixture.ask(&post(&method_call("supervisor.getPID"))).await;
    for (said, most) in [("", 8 << 10), ("POST /RPC2 HTTP/1.1\r\n", 40 << 10)] {
        let before = resident_bytes();
        for _ in 0..CLIENTS {
            let mut client = std::os::unix::net::UnixStream::connect(&fixture.socket).unwrap();
            client.write_all(said.as_bytes()).unwrap();
            clients.push(client);
            tokio::task::yield_now().await;
        }
        fixture.ask(&post(&method_call("supervisor.getPID"))).await;
        let each = resident_bytes().saturating_sub(before) / CLIENTS;
        println!("a client that has said {said:?}: {each} bytes");
        assert!(each < most, "{each}");
        clients.clear();
    }
}
