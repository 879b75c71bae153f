//! What commands say when the daemon is not there, or answers something unpleasant.

use std::io::{BufReader, Read};
use std::sync::mpsc::Receiver;

use linchpin_ctl::{Controller, Settings, Streams};
use linchpin_protocol::{FaultCode, ReloadResult, StatusResult, Value};

use crate::support::fake_daemon::{Answer, FakeDaemon, fault, value, version};
use crate::support::{original_programs, run_original, run_ours};

/// Runs a command against a fake daemon.
fn check(line: &str, answers: Vec<Answer>, code: i32, output: &str) {
    let daemon = FakeDaemon::start(answers);
    let outcome = run_ours(line, &daemon.settings(), "");
    daemon.requests();
    assert_eq!(
        (outcome.output.as_str(), outcome.code),
        (output, code),
        "{line}"
    );
}

#[test]
fn the_version_of_the_interface_must_match() {
    let words = "Sorry, this version of supervisorctl expects to talk to a server with API \
                     version 3.0, but the remote version is 2.0.\n";
    check("pid", vec![value(&"2.0")], 5, words);
    check("status", vec![value(&"2.0")], 4, words);
}

#[test]
fn the_namespace_may_be_missing() {
    let outcome = FakeDaemon::start(vec![fault(FaultCode::UnknownMethod, "x")]);
    let found = run_ours("version", &outcome.settings(), "");
    assert_eq!(found.code, 3);
    assert!(
        found
            .output
            .starts_with("Sorry, supervisord responded but did not recognize")
    );
    assert!(found.output.ends_with("(see sample.conf).\n"));
}

#[test]
fn a_daemon_that_is_shutting_down_says_so() {
    let down = || fault(FaultCode::ShutdownState, "");
    let bare = || {
        Answer::Body(linchpin_protocol::write_fault(
            &linchpin_protocol::Fault::bare(FaultCode::ShutdownState),
        ))
    };
    check("status", vec![bare()], 1, "error: SHUTDOWN_STATE\n");
    check(
        "reread",
        vec![down()],
        1,
        "ERROR: supervisor shutting down\n",
    );
    check(
        "avail",
        vec![down()],
        1,
        "ERROR: supervisor shutting down\n",
    );
    check("update", vec![down()], 1, "ERROR: already shutting down\n");
    check("reload", vec![down()], 1, "ERROR: already shutting down\n");
    check(
        "shutdown",
        vec![down()],
        0,
        "ERROR: already shutting down\n",
    );
    check("add x", vec![down()], 1, "ERROR: shutting down\n");
    check("remove x", vec![bare()], 1, "error: SHUTDOWN_STATE\n");
    check(
        "start x",
        vec![version(), bare()],
        1,
        "error: x: SHUTDOWN_STATE\n",
    );
}

#[test]
fn a_broken_file_is_told_of_by_reread_and_update() {
    for line in ["reread", "update"] {
        check(
            line,
            vec![fault(FaultCode::CantReread, "no section")],
            1,
            "ERROR: CANT_REREAD: no section\n",
        );
    }
}

#[test]
fn a_removed_group_that_cannot_be_stopped_stays() {
    let changes = ReloadResult {
        removed: vec!["a".to_owned(), "b".to_owned()],
        ..ReloadResult::default()
    };
    let failed = StatusResult {
        name: "a".into(),
        group: "a".into(),
        status: 30,
        description: "FAILED: x".into(),
    };
    check(
        "update",
        vec![
            value(&changes),
            value(&vec![failed]),
            value(&Vec::<Value>::new()),
            value(&true),
        ],
        1,
        "a: stopped\na: has problems; not removing\nb: stopped\nb: removed process group\n",
    );
}

#[test]
fn a_failed_stop_shows_the_text_of_the_fault() {
    check(
        "stop x",
        vec![version(), fault(FaultCode::Failed, "unknown problem")],
        1,
        "FAILED: unknown problem\n",
    );
}

#[test]
fn logs_that_cannot_be_read() {
    for (code, words) in [
        (FaultCode::NoFile, "no log file"),
        (FaultCode::Failed, "unknown error reading log"),
    ] {
        let line = format!("supervisord: ERROR ({words})\n");
        check("maintail", vec![version(), fault(code, "x")], 1, &line);
    }
    check(
        "maintail",
        vec![version(), fault(FaultCode::BadArguments, "x")],
        1,
        "error: BAD_ARGUMENTS: x\n",
    );
}

#[test]
fn a_followed_log_is_passed_on_until_it_ends() {
    check(
        "tail -f x stderr",
        vec![version(), Answer::Chunks(vec!["one\n", "tw", "o\n"])],
        0,
        "==> Press Ctrl-C to exit <==\none\ntwo\n",
    );
}

#[test]
fn names_are_sent_encoded_and_numbers_as_numbers() {
    let daemon = FakeDaemon::start(vec![version(), Answer::Status("404 Not Found")]);
    run_ours("tail -f a%b", &daemon.settings(), "");
    let requests = daemon.requests();
    assert!(requests[1].starts_with("GET /logtail/a%25b/stdout HTTP/1.1\r\n"));

    let daemon = FakeDaemon::start(vec![version(), value(&"text")]);
    run_ours("tail -5 a", &daemon.settings(), "");
    assert!(daemon.requests()[1].contains("<int>-5</int>"));
}

#[test]
fn other_answers_are_errors() {
    let error = "error: the daemon answered 500 Internal Server Error\n";
    check(
        "version",
        vec![Answer::Status("500 Internal Server Error")],
        1,
        error,
    );
    check(
        "version",
        vec![Answer::Body(b"<html/>".to_vec())],
        1,
        "error: cannot read the answer: not XML-RPC: an element is missing\n",
    );
}

#[test]
fn a_daemon_may_ask_who_is_there() {
    let unauthorized = || Answer::Status("401 Unauthorized");
    check(
        "version",
        vec![unauthorized()],
        1,
        "Server requires authentication\nerror: the daemon answered 401 Unauthorized\n",
    );
    let daemon = FakeDaemon::start(vec![unauthorized(), version(), value(&"4.3.0")]);
    let settings = Settings {
        interactive: true,
        ..daemon.settings()
    };
    let outcome = run_ours("version", &settings, "me\nsecret\n");
    assert_eq!(
        outcome.output,
        "Server requires authentication\nUsername:\n4.3.0\n"
    );
    assert_eq!(outcome.code, 0);
    // me:secret
    assert!(daemon.requests()[1].contains("\r\nAuthorization: Basic bWU6c2VjcmV0\r\n"));
}

#[test]
fn the_shell_connects_again_when_the_daemon_has_closed_the_connection() {
    let closing =
        |value: &str| Answer::BodyAndClose(linchpin_protocol::write_answer(value).unwrap());
    let nothing = Vec::<Value>::new();
    let daemon = FakeDaemon::start(vec![
        version(),
        value(&nothing),
        version(),
        closing("4.3.0"),
        version(),
        closing("4.3.1"),
    ]);
    let settings = Settings {
        interactive: true,
        ..daemon.settings()
    };
    let mut input = Typing {
        lines: vec!["version\n", "version\n"],
        closed: &daemon.closed,
    };
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    Controller::new(
        settings,
        Streams {
            input: &mut BufReader::new(&mut input),
            output: &mut output,
            errors: &mut errors,
            input_descriptor: None,
            has_terminal: false,
            can_edit: false,
        },
    )
    .run_shell();
    assert_eq!(
        String::from_utf8(output).unwrap(),
        "supervisor> 4.3.0\nsupervisor> 4.3.1\nsupervisor> \n"
    );
    daemon.requests();
}

/// Somebody who types the next line when the daemon has closed the connection.
struct Typing<'a> {
    lines: Vec<&'static str>,
    closed: &'a Receiver<()>,
}

impl Read for Typing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.lines.len() < 2 {
            self.closed.recv().unwrap();
        }
        let Some(line) = self.lines.pop() else {
            return Ok(0);
        };
        buffer[..line.len()].copy_from_slice(line.as_bytes());
        Ok(line.len())
    }
}

#[test]
fn a_password_is_sent_with_every_request() {
    let daemon = FakeDaemon::start(vec![version(), value(&"4.3.0")]);
    let settings = Settings {
        username: Some("me".to_owned()),
        password: Some("secret".to_owned()),
        ..daemon.settings()
    };
    run_ours("version", &settings, "");
    for request in daemon.requests() {
        assert!(
            request.contains("\r\nAuthorization: Basic bWU6c2VjcmV0\r\n"),
            "{request}"
        );
    }
}

/// Where our words are the original's, and where only the exit code is.
#[test]
fn without_a_daemon_the_exit_codes_are_the_originals() {
    let Some(programs) = original_programs() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let missing = format!("unix://{}/none.sock", folder.path().display());
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = format!("http://{}", unused.local_addr().unwrap());
    drop(unused);
    for serverurl in [missing, refused] {
        for line in [
            "status",
            "status x",
            "pid",
            "version",
            "start x",
            "stop x",
            "restart x",
            "tail x",
            "tail -f x",
            "maintail",
            "clear x",
            "signal HUP x",
            "shutdown",
            "help",
            "quit",
            "reread",
            "avail",
            "update",
            "add x",
            "remove x",
            "reload",
            "open ftp://x",
            "fg x",
        ] {
            let settings = Settings {
                serverurl: serverurl.clone(),
                ..Settings::default()
            };
            let theirs = run_original(&programs, line, &settings, "");
            let ours = run_ours(line, &settings, "");
            assert_eq!(ours.code, theirs.code, "{line}: {}", ours.output);
            if theirs.output.starts_with("error: ") {
                assert!(
                    ours.output.starts_with("error: "),
                    "{line}: {}",
                    ours.output
                );
            } else {
                assert_eq!(ours.output, theirs.output, "{line}");
            }
        }
    }
}

#[test]
fn the_shell_survives_everything_and_ends_with_success() {
    let settings = Settings {
        serverurl: "unix:///no/such/socket".to_owned(),
        interactive: true,
        ..Settings::default()
    };
    let outcome = run_ours("", &settings, "start x\nshutdown\ny\nopen http://\u{e9}\n");
    assert_eq!(outcome.code, 0);
    assert_eq!(
        outcome.output,
        "unix:///no/such/socket no such file\n\
             supervisor> unix:///no/such/socket no such file\n\
             supervisor> Really shut the remote supervisord process down y/N? \
             ERROR: unix:///no/such/socket no such file (already shut down?)\n\
             supervisor> error: cannot find the address of host \u{e9}\n\
             supervisor> \n"
    );
}
