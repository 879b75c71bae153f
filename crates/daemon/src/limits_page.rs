//! `docs/limits.md`, made from the constants and from what their comments say, so that it cannot be wrong.

use std::fmt::Write as _;
use std::time::Duration;

use crate::api;
use crate::control;
use crate::http::limits;
use crate::services::announcements::{self, pace};
use crate::services::{history, markers, probe_limits, task_output, tasks};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// A number as people read it.
trait Shown {
    fn shown(&self, name: &str) -> String;
}

impl Shown for usize {
    fn shown(&self, name: &str) -> String {
        match *self {
            bytes if !name.contains("BYTES") => bytes.to_string(),
            bytes if bytes.is_multiple_of(MIB) => format!("{} MiB", bytes / MIB),
            bytes if bytes.is_multiple_of(KIB) => format!("{} KiB", bytes / KIB),
            bytes => format!("{bytes} bytes"),
        }
    }
}

impl Shown for u64 {
    fn shown(&self, name: &str) -> String {
        usize::try_from(*self).unwrap().shown(name)
    }
}

impl Shown for i64 {
    fn shown(&self, name: &str) -> String {
        usize::try_from(*self).unwrap().shown(name)
    }
}

impl Shown for Duration {
    fn shown(&self, _: &str) -> String {
        match (self.as_secs(), self.subsec_millis()) {
            (0, milliseconds) => format!("{milliseconds} ms"),
            (seconds, _) if seconds > 60 && seconds.is_multiple_of(60) => {
                format!("{} min", seconds / 60)
            }
            (seconds, _) => format!("{seconds} s"),
        }
    }
}

/// One kind of limit: a heading, the file, and the names and values of its constants.
struct Part {
    heading: &'static str,
    file: &'static str,
    source: &'static str,
    values: Vec<(&'static str, String)>,
}

macro_rules! part {
    ($heading:literal, $file:literal, $place:ident { $($name:ident),+ $(,)? }) => {
        Part {
            heading: $heading,
            file: $file,
            source: include_str!(concat!("../../", $file)),
            values: vec![$((stringify!($name), $place::$name.shown(stringify!($name)))),+],
        }
    };
}

fn parts() -> Vec<Part> {
    vec![
        part!(
            "Clients",
            "daemon/src/http/limits.rs",
            limits {
                MAX_CONNECTIONS_PER_SERVER,
                MAX_CONNECTIONS,
                MAX_FOLLOWERS,
                MAX_CALLS,
                MAX_HEAD_BYTES,
                MAX_HEADER_LINES,
                MAX_BODY_BYTES,
                MAX_TOTAL_BODY_BYTES,
                HEAD_TIME,
                BODY_TIME,
                IDLE_TIME,
                WRITE_STALL_TIME,
                LINGER_TIME,
                FAREWELL_TIME,
                ACCEPT_PAUSE,
                INLINE_BYTES,
                MAX_FILE_LOOKS,
                MAX_LARGE_LOG_READS,
                LARGE_LOG_READ_BYTES,
                LOG_READ_TIME,
                MAX_ANSWER_BYTES,
                MAX_TOTAL_ANSWER_BYTES,
                SMALL_ANSWER_BYTES,
                MAX_TAIL_PAGE_BYTES,
                MAX_CACHE_KEYS,
                MAX_CACHE_BYTES,
            }
        ),
        part!(
            "Requests that wait for the supervision",
            "daemon/src/control.rs",
            control { QUEUE_LENGTH }
        ),
        part!(
            "Probes",
            "daemon/src/services/probes/limits.rs",
            probe_limits {
                MOST_FILE_THREADS,
                MOST_NAME_THREADS,
                NAME_TIME,
                NAME_FRESH_TIME,
                MOST_NAMES,
                MOST_HEAD_BYTES,
                MOST_BODY_BYTES,
                MOST_CA_FILES,
            }
        ),
        part!(
            "XML-RPC",
            "protocol/src/limits.rs",
            linchpin_protocol {
                MAX_REQUEST_BYTES,
                MAX_DEPTH,
                MAX_VALUES,
                MAX_MEMBERS,
            }
        ),
        part!(
            "Configuration",
            "config/src/processes.rs",
            linchpin_config {
                MOST_PROCESSES_OF_A_PROGRAM
            }
        ),
        part!(
            "Hooks and probes that are commands",
            "daemon/src/services/tasks.rs",
            tasks {
                MOST_TASKS,
                MOST_TASK_THREADS,
                KILL_GRACE,
                MOST_FAILURE_BYTES,
            }
        ),
        part!(
            "Their output",
            "daemon/src/services/task_output.rs",
            task_output {
                MOST_TAIL_BYTES,
                MOST_LINE_BYTES
            }
        ),
        part!(
            "Notifications",
            "daemon/src/services/announcements/message.rs",
            announcements { MOST_MESSAGE_BYTES }
        ),
        part!(
            "Turns of those who notify",
            "daemon/src/services/announcements/mod.rs",
            announcements { MOST_AT_ONCE }
        ),
        part!(
            "Pace of those who notify",
            "daemon/src/services/announcements/pace.rs",
            pace { MOST_IN_A_SECOND }
        ),
        part!(
            "Markers of oneshots",
            "daemon/src/services/markers.rs",
            markers { MARKER_PATIENCE }
        ),
        part!(
            "The history in memory",
            "daemon/src/services/history/mod.rs",
            history {
                ENTRIES_MAX,
                ENTRIES_MAX_BYTES,
            }
        ),
        part!(
            "The history on disk",
            "daemon/src/services/history/writer.rs",
            history {
                QUEUE_MAX,
                HALF_MIN_BYTES,
                LAST_ENTRIES_LIMIT,
            }
        ),
        part!(
            "Questions of people",
            "daemon/src/api/mod.rs",
            api {
                WAITERS_MAX,
                LONGEST_WAIT,
            }
        ),
        part!(
            "Lines that are looked for in output",
            "log/src/line_patterns.rs",
            linchpin_log { LINE_MAX_BYTES }
        ),
        part!(
            "Reading logs",
            "log/src/read.rs",
            linchpin_log { READ_MAX_BYTES }
        ),
        part!(
            "Writing logs",
            "log/src/queue.rs",
            linchpin_log {
                COMMAND_QUEUE_MAX,
                MAIN_LOG_QUEUE_MAX_LINES,
                MAIN_LOG_QUEUE_MAX_BYTES,
            }
        ),
        part!(
            "Event listeners",
            "core/src/pool/limits.rs",
            linchpin_core {
                EVENT_BUFFER_MAX_BYTES,
                RESULT_LINE_MAX_BYTES,
                PRINTED_RESULT_MAX_BYTES,
            }
        ),
        part!(
            "Output on its way to event listeners",
            "log/src/event.rs",
            linchpin_log {
                EVENT_DATA_IN_FLIGHT_MAX_BYTES,
            }
        ),
        part!(
            "Output of services that have ended",
            "log/src/draining.rs",
            linchpin_log {
                DRAIN_LIMIT,
                DETACHED_STREAMS_MAX,
            }
        ),
    ]
}

/// What the comment of a constant says.
fn comment(source: &str, name: &str) -> Option<String> {
    let mut words = String::new();
    for line in source.lines() {
        if let Some(text) = line.trim_start().strip_prefix("///") {
            words.push_str(text);
        } else if line.contains(&format!("const {name}:")) {
            let words = words.trim().replace("[`", "`").replace("`]", "`");
            return (!words.is_empty()).then_some(words);
        } else {
            words.clear();
        }
    }
    None
}

/// Most bytes that all clients together can make the daemon hold: bodies while they are read and taken apart,
/// results and the documents made of them, and for each connection the buffers of its request and a small
/// answer.
fn most_bytes_of_all_clients() -> usize {
    2 * limits::MAX_TOTAL_BODY_BYTES
        + 2 * limits::MAX_TOTAL_ANSWER_BYTES
        + limits::MAX_CONNECTIONS * (2 * limits::MAX_HEAD_BYTES + limits::SMALL_ANSWER_BYTES)
}

fn page() -> String {
    let mut page = format!(
        "# Limits\n\n\
         Nothing that a client, a service or a file can do makes the daemon hold or wait for more than is \
         written here. This page is made from the constants in the sources (`UPDATE_DOCS=1 cargo test -p \
         linchpin-daemon limits_page`), and a test fails when it differs from them.\n\n\
         All clients together, whatever they do, can make the daemon's memory grow by no more than about \
         **{}**; a thousand of them at once that are silent, slow, greedy or deaf are part of the tests \
         (`tests/behaviour/test_hostile_clients.py`).\n",
        most_bytes_of_all_clients().shown("BYTES")
    );
    for part in parts() {
        let Part {
            heading,
            file,
            source,
            values,
        } = part;
        let _ = write!(
            page,
            "\n## {heading}\n\nFrom `crates/{file}`.\n\n| limit | value | what it is |\n|---|---|---|\n"
        );
        for (name, value) in values {
            let text = comment(source, name).unwrap_or_else(|| panic!("{name} says nothing"));
            let _ = writeln!(page, "| `{name}` | {value} | {text} |");
        }
    }
    page
}

#[test]
fn the_page_in_docs_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/limits.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == page,
        "docs/limits.md differs; run with UPDATE_DOCS=1 to write it"
    );
}

#[test]
fn no_limit_of_clients_is_left_out() {
    let clients = &parts()[0];
    for line in clients.source.lines() {
        let Some(rest) = line.strip_prefix("pub(crate) const ") else {
            continue;
        };
        let name = rest.split(':').next().unwrap_or_default();
        assert!(
            clients.values.iter().any(|(known, _)| *known == name),
            "{name} is not on the page"
        );
    }
}
