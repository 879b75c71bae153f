//! What a thousand processes cost. Figures are printed; the bounds are wide enough for any machine that
//! builds us without optimisation.

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
