//! The table of `linchpin status`.

use std::fmt::Write as _;

use linchpin_protocol::api::{CertificateOrigin, Importance, ServiceStatus, StatusReport};

use super::paint::{Colour, Paint};
use super::words;

/// What a table is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    pub(super) report: &'a StatusReport,
    /// An earlier one, for what is used in between.
    pub(super) before: Option<&'a StatusReport>,
    /// Columns of the window, if there is one.
    pub(super) width: Option<usize>,
    pub(super) paint: Paint,
}

const HEADINGS: [&str; 8] = [
    "SERVICE", "STATE", "READY", "AGE", "RESTARTS", "MEMORY", "CPU", "",
];
/// Numbers stand at the right of their columns.
const RIGHT: [usize; 3] = [4, 5, 6];
const LAST: usize = HEADINGS.len() - 1;

/// Most services that are named below the table.
const NAMED_MAX: usize = 10;

/// A line: cells, and the colour of what says how it is.
struct Row {
    cells: [String; HEADINGS.len()],
    colour: Colour,
}

/// The whole table, and what there is to say about it.
pub(super) fn table(table: Table<'_>) -> String {
    let Table {
        report,
        width,
        paint,
        ..
    } = table;
    let mut rows = vec![Row {
        cells: HEADINGS.map(str::to_owned),
        colour: Colour::Strong,
    }];
    rows.extend(rows_of(table));
    let mut widths = [0; HEADINGS.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(&row.cells) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let before_last: usize = widths[..LAST].iter().map(|width| width + 2).sum();
    let room = width.map(|width| width.saturating_sub(before_last).max(8));
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.cells.iter().enumerate() {
            let wide = widths[column];
            let padded = if column == LAST {
                room.map_or_else(|| cell.clone(), |room| cut(cell, room))
            } else if RIGHT.contains(&column) {
                format!("{cell:>wide$}  ")
            } else {
                format!("{cell:<wide$}  ")
            };
            let is_coloured = row.colour == Colour::Strong
                || row.colour == Colour::Dim
                || column == 1
                || (column == 2 && row.colour != Colour::Plain);
            let colour = if is_coloured {
                row.colour
            } else {
                Colour::Plain
            };
            line += &paint.text(colour, &padded);
        }
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let _ = write!(text, "{}{}", certificates(report), remarks(report));
    text
}

/// What servers have of certificates, if there are any.
fn certificates(report: &StatusReport) -> String {
    let mut text = String::new();
    for certificate in &report.certificates {
        let origin = match certificate.origin {
            CertificateOrigin::Provided => "provided",
            CertificateOrigin::Previous => "provided before",
            CertificateOrigin::SelfSigned => "of our own",
            CertificateOrigin::None => "none",
        };
        let _ = write!(text, "\ncertificate {}: {origin}", certificate.name);
        if let Some(days) = certificate.days_left {
            let _ = write!(text, ", {days} days left");
        }
        for amiss in certificate.problem.iter().chain(&certificate.warnings) {
            let _ = write!(text, "\n  {amiss}");
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// What is not as it should be, in a sentence.
fn remarks(report: &StatusReport) -> String {
    let mut text = String::new();
    if report.services.is_empty() {
        text += "There are no services.\n";
    }
    if report.daemon.state != "RUNNING" {
        let _ = writeln!(text, "The daemon is in state {}.", report.daemon.state);
    }
    let amiss: Vec<&str> = report
        .services
        .iter()
        .filter(|service| {
            service.wanted && !service.ready && service.importance != Importance::Optional
        })
        .map(|service| service.service.as_str())
        .collect();
    if let Some(first) = amiss.first() {
        let named = amiss.get(..NAMED_MAX).unwrap_or(&amiss);
        let others = match amiss.len() - named.len() {
            0 => String::new(),
            others => format!(" and {others} more"),
        };
        let _ = writeln!(
            text,
            "\nNot ready: {}{others}. Ask: linchpin why {first}",
            named.join(", ")
        );
    }
    text
}

/// Groups of several processes are trees.
fn rows_of(table: Table<'_>) -> Vec<Row> {
    let services = &table.report.services;
    let mut rows = Vec::new();
    for members in services.chunk_by(|one, next| one.group == next.group) {
        let [first, ..] = members else { continue };
        let is_tree = members.len() > 1 || first.group != first.name;
        if is_tree {
            let mut cells = [const { String::new() }; HEADINGS.len()];
            cells[0].clone_from(&first.group);
            rows.push(Row {
                cells,
                colour: Colour::Plain,
            });
        }
        for (index, service) in members.iter().enumerate() {
            let branch = match (is_tree, index + 1 == members.len()) {
                (false, _) => "",
                (true, false) => "├─ ",
                (true, true) => "└─ ",
            };
            rows.push(row_of(table, service, branch));
        }
    }
    rows
}

fn row_of(table: Table<'_>, service: &ServiceStatus, branch: &str) -> Row {
    let is_idle = !service.wanted && service.pid.is_none();
    let has_done_its_work = service.completed && service.oneshot && service.state != "FATAL";
    let (ready, colour) = if has_done_its_work && service.pid.is_none() {
        ("done", Colour::Good)
    } else if is_idle {
        ("", Colour::Dim)
    } else if service.ready && service.pid.is_none() {
        ("done", Colour::Good)
    } else if service.ready {
        ("yes", Colour::Good)
    } else if matches!(service.state.as_str(), "STARTING" | "RUNNING" | "STOPPING") {
        ("no", Colour::Waiting)
    } else {
        ("no", Colour::Bad)
    };
    let age = service.up_ms.unwrap_or_else(|| {
        let since = table.report.now.saturating_sub(service.since);
        u64::try_from(since).unwrap_or(0)
    });
    let usage = service.usage;
    let restarts = match service.restarts {
        0 => String::new(),
        restarts => restarts.to_string(),
    };
    Row {
        cells: [
            format!("{branch}{}", name_of(service, branch)),
            service.state.clone(),
            ready.to_owned(),
            words::length(age),
            restarts,
            usage.map_or_else(String::new, |usage| words::size(usage.memory)),
            processor(table, service),
            note(service),
        ],
        colour,
    }
}

fn name_of<'a>(service: &'a ServiceStatus, branch: &str) -> &'a str {
    if branch.is_empty() {
        &service.service
    } else {
        &service.name
    }
}

/// How much of a processor it uses, or, without an earlier figure, how long it has used one.
fn processor(table: Table<'_>, service: &ServiceStatus) -> String {
    let Some(usage) = service.usage else {
        return String::new();
    };
    let earlier = table.before.and_then(|before| {
        let known = before
            .services
            .iter()
            .find(|each| each.pid == service.pid)?;
        let passed = u64::try_from(table.report.now.saturating_sub(before.now)).ok()?;
        let used = usage.cpu_ms.saturating_sub(known.usage?.cpu_ms);
        used.saturating_mul(1000).checked_div(passed)
    });
    match earlier {
        Some(thousandths) => format!("{}.{}%", thousandths / 10, thousandths % 10),
        None => words::processor_time(usage.cpu_ms),
    }
}

/// What there is to say beyond the figures.
fn note(service: &ServiceStatus) -> String {
    if !service.waits_for.is_empty() && service.pid.is_none() {
        return format!("waits: {}", service.waits_for.join(", "));
    }
    if let Some(check) = service.failing.first() {
        return format!("{} {}: {}", check.purpose, check.probe, check.text);
    }
    if !service.stale.is_empty() {
        return format!("old settings, restart it: {}", service.stale.join(", "));
    }
    if let Some(says) = &service.says {
        return says.clone();
    }
    let next = match service.next_ms {
        Some(next) if matches!(service.state.as_str(), "BACKOFF" | "EXITED" | "FATAL") => {
            format!("; next try in {}", words::length(next))
        }
        _ => String::new(),
    };
    let is_well = service.ready || service.state == "RUNNING";
    match (is_well, service.importance) {
        (true, _) | (false, Importance::Normal | Importance::Essential)
            if is_well || (service.state == "STOPPED" && !service.wanted) =>
        {
            String::new()
        }
        (_, Importance::Optional) => format!("{}{next} (optional)", service.text),
        _ => format!("{}{next}", service.text),
    }
}

/// A text of at most so many characters.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(room.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use linchpin_protocol::api::{DaemonStatus, FailingCheck, Usage};

    use super::*;

    fn service(group: &str, name: &str, state: &str) -> ServiceStatus {
        ServiceStatus {
            service: linchpin_protocol::make_namespec(group, name).into_owned(),
            group: group.to_owned(),
            name: name.to_owned(),
            state: state.to_owned(),
            since: 0,
            reason: "autostart".to_owned(),
            text: "because".to_owned(),
            ready: state == "RUNNING",
            oneshot: false,
            completed: false,
            importance: Importance::Normal,
            wanted: true,
            waits_for: Vec::new(),
            failing: Vec::new(),
            says: None,
            restarts: 0,
            next_ms: None,
            pid: (state == "RUNNING").then_some(7),
            up_ms: (state == "RUNNING").then_some(61_000),
            usage: None,
            stale: Vec::new(),
        }
    }

    fn report(services: Vec<ServiceStatus>) -> StatusReport {
        StatusReport {
            now: 3_600_000,
            daemon: DaemonStatus {
                identifier: "supervisor".to_owned(),
                pid: 1,
                state: "RUNNING".to_owned(),
                version: "0".to_owned(),
            },
            ready: false,
            services,
            certificates: Vec::new(),
        }
    }

    fn shown(report: &StatusReport, before: Option<&StatusReport>, width: Option<usize>) -> String {
        table(Table {
            report,
            before,
            width,
            paint: Paint::default(),
        })
    }

    #[test]
    fn a_table_tells_how_everything_is() {
        let usage = |cpu_ms| {
            Some(Usage {
                processes: 1,
                memory: 5 << 20,
                memory_is_rss: false,
                cpu_ms,
            })
        };
        let redis = ServiceStatus {
            usage: usage(1500),
            restarts: 2,
            ..service("redis", "redis", "RUNNING")
        };
        let waiting = ServiceStatus {
            waits_for: vec!["db is not ready".to_owned()],
            ..service("web", "web", "STARTING")
        };
        let failing = ServiceStatus {
            ready: false,
            failing: vec![FailingCheck {
                purpose: "readiness".to_owned(),
                probe: "tcp://localhost:1".to_owned(),
                text: "connection refused".to_owned(),
            }],
            ..service("jobs", "one", "RUNNING")
        };
        let done = ServiceStatus {
            ready: true,
            oneshot: true,
            completed: true,
            ..service("jobs", "two", "EXITED")
        };
        let idle = ServiceStatus {
            wanted: false,
            ..service("tool", "tool", "STOPPED")
        };
        let now = report(vec![failing, done, redis.clone(), idle, waiting]);
        assert_eq!(
            shown(&now, None, None),
            "\
SERVICE  STATE     READY  AGE        RESTARTS  MEMORY     CPU
jobs
├─ one   RUNNING   no     1 min 1 s                            readiness tcp://localhost:1: connection refused
└─ two   EXITED    done   1 h
redis    RUNNING   yes    1 min 1 s         2  5.0 MB  1.50 s
tool     STOPPED          1 h
web      STARTING  no     1 h                                  waits: db is not ready

Not ready: jobs:one, web. Ask: linchpin why jobs:one
"
        );
        let mut before = report(vec![ServiceStatus {
            usage: usage(1000),
            ..redis
        }]);
        before.now -= 2000;
        assert!(shown(&now, Some(&before), None).contains("  25.0%\n"));
        let narrow = shown(&now, None, Some(80));
        assert!(
            narrow.lines().all(|line| line.chars().count() <= 80),
            "{narrow}"
        );
        assert!(narrow.contains('…'));
    }

    #[test]
    fn what_comes_is_told_of_those_who_failed() {
        let failed = ServiceStatus {
            next_ms: Some(2500),
            ..service("web", "web", "BACKOFF")
        };
        assert!(note(&failed).ends_with("because; next try in 2 s"));
        let optional = ServiceStatus {
            importance: Importance::Optional,
            ..service("web", "web", "FATAL")
        };
        let stale = ServiceStatus {
            stale: vec!["A".to_owned(), "B".to_owned()],
            ..service("web", "web", "RUNNING")
        };
        assert_eq!(note(&stale), "old settings, restart it: A, B");
        assert_eq!(note(&optional), "because (optional)");
        assert!(!shown(&report(vec![optional]), None, None).contains("Not ready"));
        assert!(shown(&report(Vec::new()), None, None).contains("There are no services."));
        let many = (0..12).map(|number| service("g", &number.to_string(), "FATAL"));
        let shown = shown(&report(many.collect()), None, None);
        assert!(shown.contains("g:9 and 2 more. Ask:"), "{shown}");
    }
}
