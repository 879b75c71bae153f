//! `linchpin status`

use std::io::{self, Write as _};
use std::thread::sleep;
use std::time::{Duration, Instant};

use linchpin_config::{DaemonPlaces, World};
use linchpin_protocol::api::{
    EventsReport, Importance, ServiceStatus, StatusReport, write, write_indented,
};
use linchpin_sys::terminal::{is_terminal, window_size};

use super::arguments::Asked;
use super::connection::{Daemon, places};
use super::status_table::{Table, table};
use super::{Out, Trouble, exit};

/// How often `--watch` looks.
const WATCH_PERIOD: Duration = Duration::from_secs(1);

/// How often `--wait` looks for a daemon that is not there yet, and for how long if no time was given.
const RETRY_PERIOD: Duration = Duration::from_millis(200);
const RETRY_LIMIT: Duration = Duration::from_secs(5);

/// Longest that the daemon is asked to wait for news at once.
const LONGEST_NEWS: Duration = Duration::from_secs(30);

/// Cursor home, and everything behind it away.
const CLEAR: &str = "\u{1b}[H\u{1b}[J";

/// Narrowest table; narrower windows wrap.
const LEAST_WIDTH: usize = 60;

pub(super) fn status(
    world: &dyn World,
    called: &str,
    asked: &Asked,
    out: &mut Out,
) -> Result<u8, Trouble> {
    let places = places(world, called, asked)?;
    if asked.wait_ready {
        return wait_ready(&places, asked, out);
    }
    let mut daemon = Daemon::find(&places)?;
    if asked.watch {
        return watch(&places, daemon, asked, out);
    }
    let report = report(&mut daemon, asked, true)?;
    show(&report, None, asked, out)?;
    Ok(judge(&report))
}

/// The report, with only those services that were asked for.
fn report(daemon: &mut Daemon, asked: &Asked, measure: bool) -> Result<StatusReport, Trouble> {
    let mut report: StatusReport = daemon.document("linchpin.status", &[&measure])?;
    if asked.names.is_empty() {
        return Ok(report);
    }
    for name in &asked.names {
        if !report
            .services
            .iter()
            .any(|service| is_meant(service, name))
        {
            return Err(Trouble::NoSuchName(name.clone()));
        }
    }
    report
        .services
        .retain(|service| asked.names.iter().any(|name| is_meant(service, name)));
    report.ready = report.services.iter().all(is_as_it_should_be);
    report.certificates.clear();
    Ok(report)
}

/// Whether somebody who writes this name means this process.
fn is_meant(service: &ServiceStatus, name: &str) -> bool {
    match name.split_once(':') {
        None => name == service.group || name == service.service,
        Some((group, "" | "*")) => group == service.group,
        Some((group, process)) => group == service.group && process == service.name,
    }
}

/// Whether nobody has to care.
fn is_as_it_should_be(service: &ServiceStatus) -> bool {
    service.ready || !service.wanted || service.importance == Importance::Optional
}

fn judge(report: &StatusReport) -> u8 {
    if report.ready { 0 } else { exit::NOT_READY }
}

fn show(
    report: &StatusReport,
    before: Option<&StatusReport>,
    asked: &Asked,
    out: &mut Out,
) -> Result<(), Trouble> {
    if asked.json {
        let text = if asked.watch {
            write(report)
        } else {
            write_indented(report)
        };
        writeln!(out.to, "{text}")?;
    } else {
        let stdout = io::stdout();
        let columns = window_size(&stdout).filter(|_| is_terminal(&stdout));
        let shown = table(Table {
            report,
            before,
            width: columns.map(|size| usize::from(size.columns).max(LEAST_WIDTH)),
            paint: out.paint,
        });
        out.to.write_all(shown.as_bytes())?;
    }
    Ok(out.to.flush()?)
}

fn watch(
    places: &DaemonPlaces,
    mut daemon: Daemon,
    asked: &Asked,
    out: &mut Out,
) -> Result<u8, Trouble> {
    let clears = !asked.json && is_terminal(io::stdout());
    let mut before: Option<StatusReport> = None;
    loop {
        match report(&mut daemon, asked, true) {
            Ok(report) => {
                if clears {
                    out.to.write_all(CLEAR.as_bytes())?;
                }
                show(&report, before.as_ref(), asked, out)?;
                before = Some(report);
            }
            // It may be restarting; whoever watches wants to see that too.
            Err(Trouble::Refused(why)) => {
                writeln!(out.to, "{why}")?;
                out.to.flush()?;
                if let Ok(found) = Daemon::find(places) {
                    daemon = found;
                }
            }
            Err(trouble) => return Err(trouble),
        }
        sleep(WATCH_PERIOD);
    }
}

fn wait_ready(places: &DaemonPlaces, asked: &Asked, out: &mut Out) -> Result<u8, Trouble> {
    let begin = Instant::now();
    let deadline = asked.timeout.map(|timeout| begin + timeout);
    let left = || deadline.map(|at| at.saturating_duration_since(Instant::now()));
    let mut is_doubtful = false;
    loop {
        let looked = look(places, asked);
        let is_over = left().is_some_and(|left| left.is_zero());
        let (mut daemon, last, current) = match looked {
            Ok(looked) => looked,
            Err(trouble @ (Trouble::Unreachable(_) | Trouble::Refused(_))) => {
                let limit = deadline.unwrap_or(begin + RETRY_LIMIT);
                if Instant::now() >= limit {
                    return Err(trouble);
                }
                sleep(RETRY_PERIOD);
                continue;
            }
            Err(trouble) => return Err(trouble),
        };
        let is_hopeless = current.services.iter().any(is_hopeless);
        if current.ready || is_over || (is_hopeless && is_doubtful) {
            let report = report(&mut daemon, asked, true).unwrap_or(current);
            show(&report, None, asked, out)?;
            return Ok(judge(&report));
        }
        // What is to be done about an end may take another moment to be decided.
        is_doubtful = is_hopeless;
        let longest = if is_doubtful {
            Duration::from_secs(1)
        } else {
            left().unwrap_or(LONGEST_NEWS).min(LONGEST_NEWS)
        };
        let seconds = i64::try_from(longest.as_secs()).unwrap_or(1).max(1);
        let last = last.to_string();
        // Whatever comes, it is looked at again.
        let _: Result<EventsReport, Trouble> = daemon.document(
            "linchpin.events",
            &[&"", &"", &1_i64, &last.as_str(), &seconds],
        );
    }
}

/// The daemon, its latest news, and how everything was after that.
fn look(places: &DaemonPlaces, asked: &Asked) -> Result<(Daemon, u64, StatusReport), Trouble> {
    let mut daemon = Daemon::find(places)?;
    let news: EventsReport = daemon.document("linchpin.events", &[&"", &"", &1_i64])?;
    let report = report(&mut daemon, asked, false)?;
    Ok((daemon, news.last, report))
}

/// Whether it is not as it should be, and nothing will change that by itself.
fn is_hopeless(service: &ServiceStatus) -> bool {
    let is_at_rest = matches!(
        service.state.as_str(),
        "STOPPED" | "EXITED" | "FATAL" | "UNKNOWN"
    );
    is_at_rest && service.next_ms.is_none() && !is_as_it_should_be(service)
}
