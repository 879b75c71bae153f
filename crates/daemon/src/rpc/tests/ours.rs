//! The methods of `linchpin.*`.

use linchpin_core::Notice;
use linchpin_protocol::Value;
use linchpin_protocol::api::{self, EventsReport, StatusReport};

use super::fake_supervision::FakeSupervision;
use super::{call, fault};

fn document<T: serde::de::DeserializeOwned>(answer: Result<Value, String>) -> T {
    let Ok(Value::String(text)) = answer else {
        panic!("no text: {answer:?}");
    };
    api::read(&text).unwrap()
}

fn ids(report: &EventsReport) -> Vec<u64> {
    report.events.iter().map(|entry| entry.id).collect()
}

#[tokio::test]
async fn our_methods_answer_without_a_section_and_while_the_daemon_ends() {
    let fake = FakeSupervision::start();
    let rpc = fake.rpc(false);
    fake.knowledge().daemon_state = (-1, "SHUTDOWN");
    let version = call(&rpc, "linchpin.getVersion", &[]).await;
    assert_eq!(version, Ok(env!("CARGO_PKG_VERSION").into()));
    let status: StatusReport = document(call(&rpc, "linchpin.status", &[false.into()]).await);
    assert_eq!(status.daemon.state, "SHUTDOWN");
    let why = call(&rpc, "linchpin.why", &["nobody".into()]).await;
    assert_eq!(why, fault("10 BAD_NAME: nobody"));
    let help = call(&rpc, "system.methodHelp", &["linchpin.why".into()]).await;
    assert!(help.is_ok());
    let unknown = call(&rpc, "linchpin.explode", &[]).await;
    assert_eq!(unknown, fault("1 UNKNOWN_METHOD"));
}

#[tokio::test]
async fn events_are_asked_for_by_time_and_id() {
    let fake = FakeSupervision::start();
    let rpc = fake.rpc(false);
    for time in [1000, 2000, 3000] {
        let notice = Notice::SupervisorRunning;
        fake.knowledge().history.publish(&notice, time);
    }
    for (parameters, expected) in [
        (vec![], vec![1000, 2000, 3000]),
        (vec!["2.0".into()], vec![2000, 3000]),
        (vec![Value::Int(3)], vec![3000]),
        (vec!["".into(), "web".into()], vec![]),
        (vec!["".into(), "".into(), Value::Int(2)], vec![2000, 3000]),
        (
            vec!["".into(), "".into(), Value::Int(0), "2000".into()],
            vec![3000],
        ),
    ] {
        let report: EventsReport = document(call(&rpc, "linchpin.events", &parameters).await);
        assert_eq!((ids(&report), report.last), (expected, 3000));
    }
    let wrong = call(&rpc, "linchpin.events", &["soon".into()]).await;
    assert_eq!(
        wrong,
        fault("3 BAD_ARGUMENTS: since is no number of seconds: soon")
    );
}

#[tokio::test]
async fn who_waits_for_events_is_answered_by_the_first_that_fits_or_by_the_end() {
    let fake = FakeSupervision::start();
    let rpc = fake.rpc(false);
    fake.knowledge()
        .history
        .publish(&Notice::SupervisorRunning, 1000);
    let wait = |after: &'static str| {
        let rpc = rpc.clone();
        let parameters = [
            "".into(),
            "".into(),
            Value::Int(0),
            after.into(),
            Value::Int(60),
        ];
        tokio::spawn(async move { call(&rpc, "linchpin.events", &parameters).await })
    };
    let report: EventsReport = document(wait("999").await.unwrap());
    assert_eq!(ids(&report), [1000]);

    let waiting = wait("1000");
    while fake.knowledge().history.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    fake.knowledge()
        .history
        .publish(&Notice::SupervisorStopping, 2000);
    let report: EventsReport = document(waiting.await.unwrap());
    assert_eq!(ids(&report), [2000]);

    let waiting = wait("2000");
    while fake.knowledge().history.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    fake.knowledge().history.end_waits();
    let report: EventsReport = document(waiting.await.unwrap());
    assert_eq!(ids(&report), [] as [u64; 0]);
}
