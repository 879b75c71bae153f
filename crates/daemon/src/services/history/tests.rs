use std::path::Path;

use linchpin_core::{Generation, OccurrenceKind, ProcessState, Reason};
use linchpin_log::{LogConfig, LogThread};
use linchpin_protocol::api::{history_file, older_history_file, read_history};

use super::*;

fn logs() -> LogHandle {
    LogThread::start(LogConfig {
        notify: Box::new(|_| {}),
        main_log: None,
        syslog_identity: "test".to_owned(),
        syslog_socket: None,
        utc_offset: linchpin_sys::time::utc_offset,
    })
    .unwrap()
    .handle()
}

fn config(directory: &Path, max_bytes: u64) -> LinchpinConfig {
    LinchpinConfig {
        state_directory: Some(directory.to_str().unwrap().to_owned()),
        history_maxbytes: max_bytes,
        ..LinchpinConfig::default()
    }
}

fn kept_in(directory: &Path, max_bytes: u64) -> History {
    let mut history = History::new();
    history.keep_as_configured(Some(&config(directory, max_bytes)), &logs());
    history
}

fn change(process: u32, group: &str, name: &str) -> Notice {
    Notice::ProcessState {
        process: ProcessId(process),
        name: name.to_owned(),
        group: group.to_owned(),
        from: ProcessState::Stopped,
        to: ProcessState::Starting,
        tries: 0,
        pid: 0,
        expected: true,
        reason: Reason::Requested,
    }
}

fn texts(report: &EventsReport) -> Vec<String> {
    let line = |entry: &api::HistoryEntry| {
        format!(
            "{} {} {}",
            entry.id,
            entry.service.as_deref().unwrap_or("-"),
            entry.kind
        )
    };
    report.events.iter().map(line).collect()
}

#[test]
fn entries_are_found_by_whom_and_when_and_have_growing_numbers() {
    let mut history = History::new();
    history.publish(&Notice::SupervisorRunning, 1000);
    history.publish(&change(1, "web", "web"), 1000);
    // The clock was set back.
    history.publish(&change(2, "jobs", "a"), 900);
    history.record(
        Occurrence {
            process: ProcessId(1),
            generation: Generation(1),
            name: "web".to_owned(),
            group: "web".to_owned(),
            kind: OccurrenceKind::Ready { after_ms: 5 },
        },
        2000,
    );
    let find = |filter: EventsFilter| texts(&history.find(&filter).report);
    let all = EventsFilter::default;
    assert_eq!(
        find(all()),
        [
            "1000 - daemon",
            "1001 web state",
            "1002 jobs:a state",
            "2000 web ready"
        ]
    );
    let of_web = EventsFilter {
        service: Some("web".to_owned()),
        ..all()
    };
    assert_eq!(find(of_web), ["1001 web state", "2000 web ready"]);
    let since = EventsFilter {
        since: Some(1000),
        ..all()
    };
    assert_eq!(
        find(since),
        ["1000 - daemon", "1001 web state", "2000 web ready"]
    );
    let after = EventsFilter {
        after: Some(1001),
        ..all()
    };
    assert_eq!(find(after), ["1002 jobs:a state", "2000 web ready"]);
    let few = EventsFilter { limit: 1, ..all() };
    let found = history.find(&few).report;
    assert_eq!(
        (texts(&found), found.more, found.last),
        (vec!["2000 web ready".to_owned()], true, 2000)
    );
}

#[test]
fn memory_holds_the_latest_entries_only() {
    let mut history = History::new();
    for number in 0..10_000 {
        history.publish(&change(1, "web", "web"), number);
    }
    assert_eq!(history.entries.len(), ENTRIES_MAX);
    assert!(history.bytes <= ENTRIES_MAX_BYTES);
    let long = Notice::ProcessState {
        process: ProcessId(1),
        name: "web".to_owned(),
        group: "web".to_owned(),
        from: ProcessState::Starting,
        to: ProcessState::Backoff,
        tries: 1,
        pid: 0,
        expected: true,
        reason: Reason::SpawnFailed {
            text: "x".repeat(ENTRIES_MAX_BYTES / 8),
        },
    };
    for number in 0..20 {
        history.publish(&long, 20_000 + number);
    }
    assert!(history.entries.len() < 10);
    assert!(history.bytes <= ENTRIES_MAX_BYTES);
}

#[test]
fn a_thousand_processes_that_came_and_went_leave_no_names() {
    let mut history = History::new();
    for process in 0..1000 {
        history.publish(&change(process, "web", "web"), 1);
        history.forget(ProcessId(process));
    }
    assert!(history.names.is_empty());
}

#[test]
fn what_is_written_survives_the_daemon_and_a_line_that_was_cut() {
    let directory = tempfile::tempdir().unwrap();
    let mut history = kept_in(directory.path(), 1 << 20);
    history.publish(&change(1, "web", "web"), 1000);
    history.end();
    let file = history_file(directory.path());
    let mut text = std::fs::read_to_string(&file).unwrap();
    assert!(text.ends_with("}\n"), "{text}");
    text.push_str("{\"id\":1001,\"ti");
    std::fs::write(&file, text).unwrap();

    let mut history = kept_in(directory.path(), 1 << 20);
    history.publish(&change(1, "web", "web"), 2000);
    let found = history.find(&EventsFilter::default());
    let earlier = found.earlier.unwrap();
    assert_eq!(earlier.until, Some(2000));
    history.end();
    let all = read_history(directory.path(), &EventsFilter::default(), None).unwrap();
    assert_eq!(texts(&all), ["1000 web state", "2000 web state"]);
    let older = read_history(directory.path(), &EventsFilter::default(), earlier.until).unwrap();
    assert_eq!(texts(&older), ["1000 web state"]);
}

#[test]
fn the_files_stay_within_their_bound_and_keep_the_latest() {
    let directory = tempfile::tempdir().unwrap();
    let bound = 40 * 1024;
    let mut history = kept_in(directory.path(), bound);
    for number in 0..2000 {
        history.publish(&change(1, "web", "web"), 10_000 + number);
        if number % 500 == 499 {
            // The queue holds fewer than all of them.
            history.end();
            history.keep_as_configured(Some(&config(directory.path(), bound)), &logs());
        }
    }
    history.end();
    let sizes = [
        history_file(directory.path()),
        older_history_file(directory.path()),
    ]
    .map(|path| std::fs::metadata(path).unwrap().len());
    assert!(sizes.iter().sum::<u64>() <= bound, "{sizes:?}");
    let all = read_history(directory.path(), &EventsFilter::default(), None).unwrap();
    assert!(all.events.len() > 100, "{}", all.events.len());
    assert_eq!(all.last, 11_999);
    let ids: Vec<u64> = all.events.iter().map(|entry| entry.id).collect();
    assert!(
        ids.windows(2).all(|pair| pair[0] + 1 == pair[1]),
        "none is missing between"
    );
}

#[test]
fn a_directory_that_is_not_there_is_memory_only_and_may_come() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    let mut history = kept_in(&missing, 1 << 20);
    history.publish(&change(1, "web", "web"), 1000);
    history.end();
    assert!(!missing.exists());
    assert_eq!(
        texts(&history.find(&EventsFilter::default()).report),
        ["1000 web state"]
    );
}

#[test]
fn entries_in_memory_answer_without_the_file_where_they_can() {
    let directory = tempfile::tempdir().unwrap();
    let mut history = kept_in(directory.path(), 1 << 20);
    history.publish(&change(1, "web", "web"), 1000);
    let needs_file = |filter: EventsFilter| history.find(&filter).earlier.is_some();
    let all = EventsFilter::default;
    assert!(needs_file(all()));
    assert!(needs_file(EventsFilter {
        since: Some(500),
        ..all()
    }));
    assert!(!needs_file(EventsFilter {
        since: Some(1001),
        ..all()
    }));
    assert!(needs_file(EventsFilter {
        after: Some(999),
        ..all()
    }));
    assert!(!needs_file(EventsFilter {
        after: Some(1000),
        ..all()
    }));
}
