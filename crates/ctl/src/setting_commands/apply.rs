//! `plan` and `apply`: the daemon is asked to change settings, and to bring services to them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::thread::sleep;
use std::time::{Duration, Instant};

use linchpin_config::{ControlRequest, World, find_daemon};
use linchpin_protocol::api::{
    ApplyLine, ApplyRefusal, ApplyReport, ApplyRequest, ApplyState, FailedService, PlanReport,
    read, write, write_indented,
};
use linchpin_protocol::client::{Client, ClientError};

use super::arguments::{Asked, Wanted};
use super::write::value_of;
use super::{Desk, Trouble, exit, warn};
use crate::run::{path_of, resolve};

/// How often, and for how long, a daemon is looked for whose connection was lost in the middle.
const RETRY_PERIOD: Duration = Duration::from_millis(200);
const RETRY_LIMIT: Duration = Duration::from_secs(10);

/// Most bytes of an answer.
const MOST_BYTES: usize = 16 << 20;

/// The daemon, asked through the socket that is for its owner alone.
pub(super) struct Daemon {
    client: Client,
    socket: String,
}

impl Daemon {
    pub(super) fn find(world: &dyn World, called: &str, asked: &Asked) -> Result<Self, Trouble> {
        let request = ControlRequest {
            file: asked.configuration.clone(),
            ..ControlRequest::default()
        };
        let places = find_daemon(world, &path_of(world, called), &request)
            .map_err(Trouble::Configuration)?;
        let Some(socket) = places.control_socket else {
            return Err(Trouble::Usage(
                "the daemon is asked through its own socket, and there is none: set `socket` in [linchpin], or start it with `linchpin run`"
                    .to_owned(),
            ));
        };
        let url = format!("unix://{socket}")
            .parse()
            .map_err(|error: ClientError| Trouble::Daemon(error.to_string()))?;
        Ok(Self {
            client: Client::new(url).with_resolver(resolve),
            socket,
        })
    }

    /// Asks, hands on each line of the answer as it comes, and tells the status.
    fn ask(
        &self,
        method: &str,
        path: &str,
        body: &str,
        line: &mut dyn FnMut(&str) -> io::Result<()>,
    ) -> Result<u16, Trouble> {
        let path = format!("/api/v1/{path}");
        let mut answer = self
            .client
            .request(method, &path, body)
            .map_err(|error| self.trouble(&error))?;
        let mut text = Vec::new();
        let mut take = |piece: &[u8]| {
            text.extend_from_slice(piece);
            while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                let whole: Vec<u8> = text.drain(..=end).collect();
                line(String::from_utf8_lossy(&whole).trim_end())?;
            }
            if text.len() > MOST_BYTES {
                return Err(io::Error::from(io::ErrorKind::FileTooLarge));
            }
            Ok(())
        };
        while answer
            .read_once(&mut take)
            .map_err(|error| self.trouble(&error))?
        {}
        let rest = String::from_utf8_lossy(&text).into_owned();
        if !rest.is_empty() {
            line(&rest)?;
        }
        answer
            .status()
            .ok_or_else(|| Trouble::Daemon("the daemon has not answered".to_owned()))
    }

    fn trouble(&self, error: &ClientError) -> Trouble {
        Trouble::Daemon(format!(
            "the daemon does not answer at {}: {error}",
            self.socket
        ))
    }
}

fn request(desk: &Desk, wanted: &Wanted) -> Result<String, Trouble> {
    let mut set = BTreeMap::new();
    for (name, source) in &wanted.values {
        set.insert(name.clone(), value_of(desk, name, source)?);
    }
    for name in &wanted.unset {
        desk.setting(name)?;
    }
    Ok(write(&ApplyRequest {
        set,
        unset: wanted.unset.clone(),
        timeout: wanted.timeout,
    }))
}

/// What is wrong, from an answer that is no success.
fn refusal(status: u16, text: &str) -> Trouble {
    let said = read::<ApplyRefusal>(text).map_or_else(|_| text.to_owned(), |refusal| refusal.error);
    match status {
        409 => Trouble::Busy(said),
        422 => Trouble::Invalid(said),
        _ => Trouble::Daemon(format!("the daemon says {status}: {said}")),
    }
}

pub(super) fn plan(desk: &mut Desk, daemon: &Daemon, wanted: &Wanted) -> Result<u8, Trouble> {
    let body = request(desk, wanted)?;
    let mut text = String::new();
    let status = daemon.ask("PUT", "plan", &body, &mut |line| {
        text.push_str(line);
        Ok(())
    })?;
    if status != 200 {
        return Err(refusal(status, &text));
    }
    let report: PlanReport = read(&text).map_err(|error| Trouble::Daemon(error.to_string()))?;
    if wanted.json {
        writeln!(desk.out, "{}", write_indented(&report))?;
    } else {
        desk.out.write_all(plan_text(&report).as_bytes())?;
        desk.out.flush()?;
        warn(&report.warnings);
    }
    Ok(0)
}

/// Writing to a string cannot fail.
fn plan_text(report: &PlanReport) -> String {
    let mut text = String::new();
    for change in &report.settings {
        let value = |value: &Option<String>| match value.as_deref() {
            None => "(not set)".to_owned(),
            Some("") => "(empty)".to_owned(),
            Some(value) => value.to_owned(),
        };
        let (name, from, to) = (&change.name, value(&change.from), value(&change.to));
        let _ = writeln!(text, "{name}: {from} → {to}");
    }
    for (index, step) in report.steps.iter().enumerate() {
        let _ = writeln!(text, "{}. {step}", index + 1);
    }
    if report.settings.is_empty() && report.steps.is_empty() {
        text.push_str("nothing would change\n");
    }
    text
}

pub(super) fn apply(desk: &mut Desk, daemon: &Daemon, wanted: &Wanted) -> Result<u8, Trouble> {
    let body = request(desk, wanted)?;
    let mut told = Told {
        json: wanted.json,
        is_begun: false,
        steps: 0,
        report: None,
        other: String::new(),
    };
    let asked = daemon.ask("PUT", "settings", &body, &mut |line| told.line(desk, line));
    match asked {
        Ok(200) => {}
        Ok(status) => return Err(refusal(status, &told.other)),
        // It goes on without us: a daemon that is there tells how it ended.
        Err(trouble @ Trouble::Daemon(_)) if told.is_begun => {
            resume(desk, daemon, &mut told).map_err(|_| trouble)?;
        }
        Err(trouble) => return Err(trouble),
    }
    let Some(report) = told.report else {
        return Err(Trouble::Daemon(
            "the daemon has not told how it ended: `GET /api/v1/apply` on its socket does"
                .to_owned(),
        ));
    };
    desk.out.flush()?;
    if !wanted.json {
        warn(&report.plan.warnings);
        tell_end(desk, &report)?;
    }
    Ok(match report.state {
        ApplyState::Done => 0,
        ApplyState::Refused => exit::FAILURE,
        ApplyState::Running
        | ApplyState::RolledBack
        | ApplyState::NotRolledBack
        | ApplyState::Failed
        | ApplyState::Interrupted => exit::NOT_APPLIED,
    })
}

/// Reads on where a connection was lost.
fn resume(desk: &mut Desk, daemon: &Daemon, told: &mut Told) -> Result<(), Trouble> {
    let until = Instant::now() + RETRY_LIMIT;
    loop {
        let before = told.steps;
        let mut seen = 0;
        let asked = daemon.ask("GET", "apply?follow=yes", "", &mut |line| {
            // What was told before is not told again.
            if matches!(read(line), Ok(ApplyLine::Step(_))) {
                seen += 1;
                if seen <= before {
                    return Ok(());
                }
            }
            told.line(desk, line)
        });
        match asked {
            Ok(_) => return Ok(()),
            Err(trouble) if Instant::now() > until => return Err(trouble),
            Err(_) => sleep(RETRY_PERIOD),
        }
    }
}

/// What has been told of an apply.
struct Told {
    json: bool,
    is_begun: bool,
    steps: usize,
    report: Option<ApplyReport>,
    /// What is no line of the stream.
    other: String,
}

impl Told {
    fn line(&mut self, desk: &mut Desk, line: &str) -> io::Result<()> {
        match read::<ApplyLine>(line) {
            Ok(ApplyLine::Step(step)) => {
                self.is_begun = true;
                self.steps += 1;
                if self.json {
                    writeln!(desk.out, "{line}")?;
                } else {
                    writeln!(desk.out, "{}", step.text)?;
                }
                desk.out.flush()?;
            }
            Ok(ApplyLine::Report(report)) => {
                if self.json {
                    writeln!(desk.out, "{line}")?;
                }
                self.report = Some(*report);
            }
            Err(_) => self.other.push_str(line),
        }
        Ok(())
    }
}

fn tell_end(desk: &mut Desk, report: &ApplyReport) -> Result<(), Trouble> {
    let end = match report.state {
        ApplyState::Done => "done",
        ApplyState::Refused => "nothing was changed",
        ApplyState::RolledBack => "everything is as it was before",
        ApplyState::NotRolledBack => {
            "not everything could be brought back to what it was before: see `linchpin status`"
        }
        ApplyState::Failed => "the settings file had these settings before, so they stay",
        ApplyState::Running | ApplyState::Interrupted => {
            "it was interrupted: what was written counts from the daemon's next start on"
        }
    };
    let mut text = String::new();
    for failed in &report.failed {
        text.push_str(&failed_text(failed));
    }
    text.push_str(end);
    text.push('\n');
    if report.state == ApplyState::Done {
        desk.out.write_all(text.as_bytes())?;
    } else {
        if let (true, Some(error)) = (report.failed.is_empty(), &report.error) {
            super::complain(&format!("Error: {error}"));
        }
        super::complain(text.trim_end());
    }
    Ok(())
}

fn failed_text(failed: &FailedService) -> String {
    let mut text = format!("{} ({}): {}\n", failed.service, failed.state, failed.text);
    if let Some(output) = &failed.output {
        for line in &output.lines {
            let _ = writeln!(text, "  | {line}");
        }
    }
    text
}
