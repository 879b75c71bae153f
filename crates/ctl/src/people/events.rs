//! `linchpin events`

use std::io::{self, Write as _};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use linchpin_config::{DaemonPlaces, World};
use linchpin_protocol::api::{
    EVENTS_MAX, EventsFilter, EventsReport, HistoryEntry, read_history, write,
};

use super::arguments::{Asked, Mistake};
use super::connection::{Daemon, places};
use super::paint::Colour;
use super::{Out, Trouble, moments};

/// How many entries are shown if nothing says how many.
const USUAL_LIMIT: usize = 100;

/// How long the daemon is asked to wait for news at once, in seconds.
const NEWS_SECONDS: i64 = 30;

/// How often a daemon that has gone away is looked for.
const RETRY_PERIOD: Duration = Duration::from_secs(1);

/// Least width of the column of names.
const NAME_WIDTH: usize = 12;
/// Width of the column of what happened: the longest change of state.
const KIND_WIDTH: usize = 19;

pub(super) fn events(
    world: &dyn World,
    called: &str,
    asked: &Asked,
    out: &mut Out,
) -> Result<u8, Trouble> {
    let filter = filter(asked)?;
    let places = places(world, called, asked)?;
    let mut printer = Printer {
        names: &asked.names,
        json: asked.json,
        name_width: NAME_WIDTH,
        last: None,
    };
    let mut daemon = match Daemon::find(&places) {
        Ok(daemon) => daemon,
        Err(trouble @ Trouble::Unreachable(_)) => {
            let Some(report) = kept(&places, &filter, asked) else {
                return Err(trouble);
            };
            let _ = writeln!(
                io::stderr(),
                "No daemon answers; this is what it has recorded."
            );
            printer.print(&report, filter.limit, out)?;
            return Ok(0);
        }
        Err(trouble) => return Err(trouble),
    };
    let report = ask(&mut daemon, &filter, asked, 0)?;
    printer.print(&report, filter.limit, out)?;
    if asked.follow {
        follow(&places, daemon, report.last, asked, &mut printer, out)?;
    }
    Ok(0)
}

/// Goes on until nobody reads any more.
fn follow(
    places: &DaemonPlaces,
    mut daemon: Daemon,
    mut after: u64,
    asked: &Asked,
    printer: &mut Printer<'_>,
    out: &mut Out,
) -> Result<(), Trouble> {
    loop {
        out.to.flush()?;
        let next = EventsFilter {
            after: Some(after),
            ..EventsFilter::default()
        };
        match ask(&mut daemon, &next, asked, NEWS_SECONDS) {
            Ok(report) => {
                after = report.last.max(after);
                printer.print(&report, EVENTS_MAX, out)?;
            }
            Err(Trouble::Refused(_)) => {
                sleep(RETRY_PERIOD);
                if let Ok(found) = Daemon::find(places) {
                    daemon = found;
                }
            }
            Err(trouble) => return Err(trouble),
        }
    }
}

fn filter(asked: &Asked) -> Result<EventsFilter, Trouble> {
    let now = linchpin_sys::time::wall().div_euclid(1_000_000);
    let since = match &asked.since {
        None => None,
        Some(text) => Some(moments::parse_moment(text, now).ok_or_else(|| {
            Mistake(format!(
                "--since is a moment such as 10m, 14:30 or 2026-01-31, and not `{text}`"
            ))
        })?),
    };
    let limit = match (asked.limit, since) {
        (Some(limit), _) => usize::try_from(limit).unwrap_or(EVENTS_MAX).min(EVENTS_MAX),
        (None, Some(_)) => EVENTS_MAX,
        (None, None) => USUAL_LIMIT,
    };
    Ok(EventsFilter {
        service: None,
        since,
        after: None,
        limit,
    })
}

/// The question to put: of several names the daemon is not told, as it takes one.
fn narrowed(filter: &EventsFilter, asked: &Asked) -> EventsFilter {
    match asked.names.as_slice() {
        [] => filter.clone(),
        [name] => EventsFilter {
            service: Some(name.clone()),
            ..filter.clone()
        },
        _ => EventsFilter {
            limit: EVENTS_MAX,
            ..filter.clone()
        },
    }
}

fn ask(
    daemon: &mut Daemon,
    filter: &EventsFilter,
    asked: &Asked,
    wait: i64,
) -> Result<EventsReport, Trouble> {
    let EventsFilter {
        service,
        since,
        after,
        limit,
    } = narrowed(filter, asked);
    // 0 would mean as many as there may be.
    let limit = i64::try_from(limit.max(1)).unwrap_or(0);
    let since = since.map_or_else(String::new, |at| {
        format!("{}.{:03}", at.div_euclid(1000), at.rem_euclid(1000))
    });
    let after = after.map_or_else(String::new, |id| id.to_string());
    let service = service.unwrap_or_default();
    daemon.document(
        "linchpin.events",
        &[
            &since.as_str(),
            &service.as_str(),
            &limit,
            &after.as_str(),
            &wait,
        ],
    )
}

/// What a daemon that is not there has left behind.
fn kept(places: &DaemonPlaces, filter: &EventsFilter, asked: &Asked) -> Option<EventsReport> {
    let directory = places.linchpin.as_ref()?.state_directory.as_ref()?;
    read_history(Path::new(directory), &narrowed(filter, asked), None).ok()
}

struct Printer<'a> {
    names: &'a [String],
    json: bool,
    name_width: usize,
    /// The day of the latest line.
    last: Option<String>,
}

impl Printer<'_> {
    fn print(&mut self, report: &EventsReport, limit: usize, out: &mut Out) -> io::Result<()> {
        let mut wanted: Vec<&HistoryEntry> = report
            .events
            .iter()
            .filter(|entry| self.is_wanted(entry))
            .collect();
        let surplus = wanted.len().saturating_sub(limit);
        wanted.drain(..surplus);
        if self.json {
            for entry in wanted {
                writeln!(out.to, "{}", write(entry))?;
            }
            return Ok(());
        }
        if (report.more || surplus > 0) && self.last.is_none() {
            let text = "There are older entries: --limit NUMBER, --since WHEN";
            writeln!(out.to, "{}", out.paint.text(Colour::Dim, text))?;
        }
        let widest = wanted.iter().filter_map(|entry| entry.service.as_ref());
        let widest = widest.map(|name| name.chars().count()).max().unwrap_or(0);
        self.name_width = self.name_width.max(widest);
        for entry in wanted {
            self.line(entry, out)?;
        }
        Ok(())
    }

    fn is_wanted(&self, entry: &HistoryEntry) -> bool {
        self.names.is_empty()
            || self.names.iter().any(|name| {
                let filter = EventsFilter {
                    service: Some(name.clone()),
                    ..EventsFilter::default()
                };
                filter.fits_whom(entry.service.as_deref())
            })
    }

    /// Days are told once.
    fn line(&mut self, entry: &HistoryEntry, out: &mut Out) -> io::Result<()> {
        let at = moments::full(entry.time);
        let (day, time) = at.split_once(' ').unwrap_or(("", &at));
        if self.last.as_deref() != Some(day) {
            writeln!(out.to, "{}", out.paint.text(Colour::Strong, day))?;
            self.last = Some(day.to_owned());
        }
        let (kind, colour) = match (&entry.from, &entry.to) {
            (Some(from), Some(to)) => (format!("{from} → {to}"), colour_of(to)),
            _ => (entry.kind.replace('_', " "), Colour::Dim),
        };
        let (name, width) = (entry.service.as_deref().unwrap_or("-"), self.name_width);
        let kind = out.paint.text(colour, &format!("{kind:<KIND_WIDTH$}"));
        writeln!(out.to, "{time}  {name:<width$}  {kind}  {}", entry.text)
    }
}

fn colour_of(state: &str) -> Colour {
    match state {
        "RUNNING" => Colour::Good,
        "STARTING" | "STOPPING" => Colour::Waiting,
        "BACKOFF" | "FATAL" | "UNKNOWN" => Colour::Bad,
        _ => Colour::Plain,
    }
}
