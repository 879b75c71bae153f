//! Calls against a fake supervision.

pub(crate) mod fake_supervision;
mod ours;

use linchpin_protocol::{Value, WriteValue, read_answer, write_call};

use super::{Document, Kind, Rpc};
use fake_supervision::FakeSupervision;

/// The answer to a call: its value, or the text of its fault.
async fn call(rpc: &Rpc, method: &str, parameters: &[Value]) -> Result<Value, String> {
    let body = {
        let values: Vec<_> = parameters
            .iter()
            .map(|value| value as &dyn WriteValue)
            .collect();
        write_call(method, &values).unwrap()
    };
    match rpc.answer(body).await {
        Document::Xml { bytes, .. } => {
            let text = String::from_utf8(bytes).unwrap();
            let answer: Result<Value, linchpin_protocol::Fault> = read_answer(&text).unwrap();
            answer.map_err(|fault| format!("{} {}", fault.code, fault.text))
        }
        Document::Unreadable => Err("HTTP 400".to_owned()),
        Document::Unwritable => Err("HTTP 500".to_owned()),
    }
}

fn fault(text: &str) -> Result<Value, String> {
    Err(text.to_owned())
}

fn status(name: &str, group: &str, code: i64, description: &str) -> Value {
    Value::Struct(vec![
        ("name".to_owned(), name.into()),
        ("group".to_owned(), group.into()),
        ("status".to_owned(), code.into()),
        ("description".to_owned(), description.into()),
    ])
}

#[tokio::test]
async fn every_method_of_the_table_answers() {
    let fake = FakeSupervision::start();
    fake.knowledge().release.notify_one();
    let rpc = fake.rpc_with(&[
        ("supervisor", Kind::Main, ""),
        ("twiddler", Kind::Twiddler, ""),
        ("cache", Kind::Cache, ""),
    ]);
    for name in linchpin_protocol::method_names() {
        let spec = linchpin_protocol::find_method(name).unwrap();
        let parameters: Vec<Value> = spec
            .parameters
            .iter()
            .map(|parameter| match (parameter.name, parameter.kind) {
                ("signal", _) => "HUP".into(),
                (_, linchpin_protocol::ParameterType::String) => "animals:cat".into(),
                (_, linchpin_protocol::ParameterType::Int) => Value::Int(0),
                (_, linchpin_protocol::ParameterType::Boolean) => false.into(),
                (_, linchpin_protocol::ParameterType::Array) => Value::Array(vec![]),
                (_, linchpin_protocol::ParameterType::Struct) => Value::Struct(vec![]),
                (_, linchpin_protocol::ParameterType::StringOrInt) => Value::Int(20),
            })
            .collect();
        let result = call(&rpc, name, &parameters).await;
        assert!(
            !matches!(&result, Err(text) if text.starts_with("1 ") || text.starts_with("2 ") || text.starts_with("HTTP")),
            "{name}: {result:?}"
        );
    }
}

#[tokio::test]
async fn state_version_and_names_are_told() {
    let rpc = FakeSupervision::start().rpc(true);
    for (method, expected) in [
        ("supervisor.getAPIVersion", "3.0".into()),
        ("supervisor.getVersion", "3.0".into()),
        ("supervisor.getSupervisorVersion", "4.3.0".into()),
        ("supervisor.getIdentification", "supervisor".into()),
        ("supervisor.getPID", Value::Int(4242)),
        (
            "supervisor.getState",
            Value::Struct(vec![
                ("statecode".to_owned(), Value::Int(1)),
                ("statename".to_owned(), "RUNNING".into()),
            ]),
        ),
    ] {
        assert_eq!(call(&rpc, method, &[]).await, Ok(expected), "{method}");
    }
}

#[tokio::test]
async fn faults_repeat_the_name_as_it_was_written() {
    let rpc = FakeSupervision::start().rpc(true);
    for (method, name, expected) in [
        ("startProcess", "x", "10 BAD_NAME: x"),
        ("startProcess", "x:x", "10 BAD_NAME: x:x"),
        ("startProcess", "x:*", "10 BAD_NAME: x:*"),
        (
            "startProcess",
            "animals:cat",
            "60 ALREADY_STARTED: animals:cat",
        ),
        ("stopProcess", "animals:dog", "70 NOT_RUNNING: animals:dog"),
        ("startProcessGroup", "cat", "10 BAD_NAME: cat"),
        ("addProcessGroup", "animals", "90 ALREADY_ADDED: animals"),
        ("removeProcessGroup", "animals", "91 STILL_RUNNING: animals"),
        ("getProcessInfo", "animals:*", "10 BAD_NAME: animals:*"),
        ("getProcessInfo", "cat", "10 BAD_NAME: cat"),
        ("clearProcessLogs", "animals:", "10 BAD_NAME: animals:"),
    ] {
        let result = call(&rpc, &format!("supervisor.{method}"), &[name.into()]).await;
        assert_eq!(result, fault(expected), "{method}({name})");
    }
}

#[tokio::test]
async fn a_group_gives_an_array_of_results() {
    let rpc = FakeSupervision::start().rpc(true);
    let stopped = Ok(Value::Array(vec![status("cat", "animals", 80, "OK")]));
    for (method, name) in [
        ("stopProcess", "animals:*"),
        ("stopProcessGroup", "animals"),
    ] {
        let result = call(&rpc, &format!("supervisor.{method}"), &[name.into()]).await;
        assert_eq!(result, stopped, "{method}");
    }
    assert_eq!(
        call(&rpc, "supervisor.stopAllProcesses", &[]).await,
        stopped
    );
    assert_eq!(
        call(&rpc, "supervisor.startProcess", &["animals:".into()]).await,
        Ok(Value::Array(vec![status(
            "dog",
            "animals",
            50,
            "SPAWN_ERROR: animals:dog"
        )]))
    );
}

#[tokio::test]
async fn a_wrong_name_comes_before_a_wrong_signal() {
    let rpc = FakeSupervision::start().rpc(true);
    let check = async |method: &str, name: &str, signal: &str, expected: Result<Value, String>| {
        let mut parameters: Vec<Value> = vec![name.into(), signal.into()];
        if name.is_empty() {
            parameters.remove(0);
        }
        let result = call(&rpc, &format!("supervisor.{method}"), &parameters).await;
        assert_eq!(result, expected, "{method} {name} {signal}");
    };
    let bad = "11 BAD_SIGNAL: FOO";
    check("signalProcess", "x", "FOO", fault("10 BAD_NAME: x")).await;
    check("signalProcess", "animals:cat", "FOO", fault(bad)).await;
    check("signalProcess", "animals:cat", "sigusr1", Ok(true.into())).await;
    check("signalProcess", "animals:cat", " 1 ", Ok(true.into())).await;
    check(
        "signalProcess",
        "animals:dog",
        "HUP",
        fault("70 NOT_RUNNING: animals:dog"),
    )
    .await;
    check("signalProcessGroup", "x", "FOO", fault("10 BAD_NAME: x")).await;
    let results = Ok(Value::Array(vec![status(
        "cat",
        "animals",
        11,
        "BAD_SIGNAL: FOO",
    )]));
    check("signalProcessGroup", "animals", "FOO", results.clone()).await;
    check("signalProcess", "animals:*", "FOO", results.clone()).await;
    check("signalAllProcesses", "", "FOO", results).await;
}

#[tokio::test]
async fn nothing_but_remote_events_is_done_while_the_daemon_ends() {
    let fake = FakeSupervision::start();
    let rpc = fake.rpc(true);
    for state in [(0, "RESTARTING"), (-1, "SHUTDOWN")] {
        fake.knowledge().daemon_state = state;
        for method in ["getState", "getPID", "getAllProcessInfo", "shutdown"] {
            let result = call(&rpc, &format!("supervisor.{method}"), &[]).await;
            assert_eq!(result, fault("6 SHUTDOWN_STATE"), "{method}");
        }
        let event = ["a".into(), "b".into()];
        let result = call(&rpc, "supervisor.sendRemoteCommEvent", &event).await;
        assert_eq!(result, Ok(true.into()));
        assert!(call(&rpc, "system.listMethods", &[]).await.is_ok());
        assert_eq!(
            call(&rpc, "supervisor.getPID", &["x".into()]).await,
            fault("2 INCORRECT_PARAMETERS"),
            "arguments are looked at first"
        );
    }
}

#[tokio::test]
async fn without_its_section_there_is_no_supervisor_namespace() {
    let rpc = FakeSupervision::start().rpc(false);
    let result = call(&rpc, "supervisor.getState", &[]).await;
    assert_eq!(result, fault("1 UNKNOWN_METHOD"));
    let Ok(Value::Array(names)) = call(&rpc, "system.listMethods", &[]).await else {
        panic!("no list");
    };
    assert_eq!(names.len(), 4);
    let result = call(&rpc, "system.methodHelp", &["supervisor.getState".into()]).await;
    assert_eq!(result, fault("4 SIGNATURE_UNSUPPORTED"));
}

#[tokio::test]
async fn a_multicall_runs_in_order_and_gives_bare_values() {
    let fake = FakeSupervision::start();
    let rpc = fake.rpc(true);
    let item = |name: &str, parameters: Vec<Value>| {
        Value::Struct(vec![
            ("methodName".to_owned(), name.into()),
            ("params".to_owned(), Value::Array(parameters)),
        ])
    };
    let calls = Value::Array(vec![
        item("supervisor.startProcess", vec!["slow".into()]),
        item("supervisor.getPID", vec![]),
        item("supervisor.stopProcess", vec!["x".into()]),
        item("system.multicall", vec![]),
        Value::Struct(vec![]),
        item("supervisor.shutdown", vec![]),
    ]);
    let fault = |code: i64, text: &str| {
        Value::Struct(vec![
            ("faultCode".to_owned(), code.into()),
            ("faultString".to_owned(), text.into()),
        ])
    };
    let waiting = tokio::spawn({
        let rpc = rpc.clone();
        async move { call(&rpc, "system.multicall", &[calls]).await }
    });
    while fake.knowledge().log_of_requests.is_empty() {
        tokio::task::yield_now().await;
    }
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        fake.knowledge().log_of_requests.len(),
        1,
        "the second call waits for the first"
    );
    fake.knowledge().release.notify_one();
    assert_eq!(
        waiting.await.unwrap(),
        Ok(Value::Array(vec![
            true.into(),
            Value::Int(4242),
            fault(10, "BAD_NAME: x"),
            fault(
                2,
                "INCORRECT_PARAMETERS: Recursive system.multicall forbidden"
            ),
            fault(2, "INCORRECT_PARAMETERS: No methodName"),
            true.into(),
        ]))
    );
}

#[tokio::test]
async fn logs_are_read_by_the_originals_rules() {
    let fake = FakeSupervision::start();
    let rpc = fake.rpc(true);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cat.log");
    // An offset may cut the two bytes of the umlaut.
    std::fs::write(&path, "0123456789\u{e4}\u{1b}[0m").unwrap();
    let path = path.to_str().unwrap().to_owned();
    let missing = format!("{path}.missing");
    fake.knowledge().logs.insert("cat".to_owned(), path.clone());
    fake.knowledge().main_log = Some(path.clone());
    let read = async |offset: i64, length: i64| {
        let main = call(&rpc, "supervisor.readLog", &[offset.into(), length.into()]).await;
        let parameters = ["animals:cat".into(), offset.into(), length.into()];
        let result = call(&rpc, "supervisor.readProcessLog", &parameters).await;
        assert_eq!(main, result, "{offset} {length}");
        result
    };
    assert_eq!(read(0, 5).await, Ok("01234".into()));
    assert_eq!(read(8, 0).await, Ok("89\u{e4}\u{fffd}[0m".into()));
    assert_eq!(read(-6, 0).await, Ok("\u{e4}\u{fffd}[0m".into()));
    assert_eq!(read(11, 0).await, Ok("\u{fffd}\u{fffd}[0m".into()));
    assert_eq!(read(100, 0).await, Ok("".into()));
    assert_eq!(read(-6, 1).await, fault("3 BAD_ARGUMENTS"));
    assert_eq!(read(0, -1).await, fault("3 BAD_ARGUMENTS"));
    let tail = |text: &str, offset: i64, overflow: bool| {
        Ok(Value::Array(vec![
            text.into(),
            offset.into(),
            overflow.into(),
        ]))
    };
    let parameters = ["animals:cat".into(), Value::Int(0), Value::Int(4)];
    assert_eq!(
        call(&rpc, "supervisor.tailProcessStdoutLog", &parameters).await,
        tail("\u{fffd}[0m", 16, true)
    );
    let nowhere = ["animals:dog".into(), Value::Int(0), Value::Int(4)];
    assert_eq!(
        call(&rpc, "supervisor.readProcessStdoutLog", &nowhere).await,
        fault("20 NO_FILE")
    );
    assert_eq!(
        call(&rpc, "supervisor.tailProcessStdoutLog", &nowhere).await,
        tail("", 0, false)
    );
    fake.knowledge()
        .logs
        .insert("cat".to_owned(), missing.clone());
    fake.knowledge().main_log = Some(missing.clone());
    assert_eq!(read(0, 0).await, fault(&format!("20 NO_FILE: {missing}")));
    assert_eq!(
        call(&rpc, "supervisor.clearLog", &[]).await,
        fault("20 NO_FILE")
    );
    assert_eq!(
        call(&rpc, "supervisor.tailProcessLog", &parameters).await,
        tail("", 0, false)
    );
    fake.knowledge().main_log = None;
    let parameters = [Value::Int(0), Value::Int(0)];
    assert_eq!(
        call(&rpc, "supervisor.readLog", &parameters).await,
        fault("20 NO_FILE")
    );
}

#[tokio::test]
async fn standard_input_has_its_faults() {
    let rpc = FakeSupervision::start().rpc(true);
    for (name, expected) in [
        ("animals:cat", Ok(true.into())),
        ("animals:dog", fault("70 NOT_RUNNING: animals:dog")),
        (
            "slow",
            fault("30 FAILED: slow does not read its standard input"),
        ),
        ("x", fault("10 BAD_NAME: x")),
        ("animals:*", fault("10 BAD_NAME: animals:*")),
    ] {
        let result = call(
            &rpc,
            "supervisor.sendProcessStdin",
            &[name.into(), "x".into()],
        )
        .await;
        assert_eq!(result, expected, "{name}");
    }
}

#[tokio::test]
async fn configurations_are_sorted_and_fit_the_wire() {
    let rpc = FakeSupervision::start().rpc(true);
    let Ok(Value::Array(all)) = call(&rpc, "supervisor.getAllConfigInfo", &[]).await else {
        panic!("no list");
    };
    let names: Vec<_> = all.iter().map(|one| one.member("name")).collect();
    assert_eq!(names, [Some(&"ape".into()), Some(&"zebra".into())]);
    for (member, expected) in [
        ("stdout_logfile", "auto".into()),
        ("stderr_logfile", "none".into()),
        ("stdout_logfile_maxbytes", Value::Int(i64::from(i32::MAX))),
        ("uid", Value::Int(33)),
        ("directory", "none".into()),
        ("autorestart", true.into()),
        (
            "exitcodes",
            Value::Array(vec![Value::Int(0), Value::Int(2)]),
        ),
        ("inuse", true.into()),
        ("group_prio", Value::Int(999)),
        ("process_prio", Value::Int(5)),
    ] {
        assert_eq!(all[0].member(member), Some(&expected), "{member}");
    }
}

#[tokio::test]
async fn what_is_no_call_is_refused() {
    let rpc = FakeSupervision::start().rpc(true);
    let long = format!("<methodCall>{}", "x".repeat(1 << 20));
    for body in [
        "",
        "junk",
        "<methodCall/>",
        "<methodCall>\u{0}</methodCall>",
        &long,
    ] {
        let document = rpc.answer(body.as_bytes().to_vec()).await;
        assert!(matches!(document, Document::Unreadable), "{:.20}", body);
    }
    let document = rpc.answer(b"<methodCall>\xff</methodCall>".to_vec()).await;
    assert!(matches!(document, Document::Unreadable));
}
