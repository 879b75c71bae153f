//! `linchpin why`

use std::fmt::Write as _;
use std::io::Write as _;

use linchpin_config::World;
use linchpin_protocol::api::{LastOutput, WhyReport, WhyService, write_indented};

use super::arguments::Asked;
use super::connection::{Daemon, places};
use super::paint::{Colour, Paint};
use super::{Out, Trouble, moments, words};

pub(super) fn why(
    world: &dyn World,
    called: &str,
    asked: &Asked,
    out: &mut Out,
) -> Result<u8, Trouble> {
    let mut daemon = Daemon::find(&places(world, called, asked)?)?;
    for (index, name) in asked.names.iter().enumerate() {
        let report: WhyReport = daemon.document("linchpin.why", &[&name.as_str()])?;
        if asked.json {
            writeln!(out.to, "{}", write_indented(&report))?;
            continue;
        }
        if index > 0 {
            writeln!(out.to)?;
        }
        out.to.write_all(text_of(&report, out.paint).as_bytes())?;
    }
    Ok(0)
}

/// An explanation without colours, as the shell of supervisorctl prints it.
pub(crate) fn why_text(report: &WhyReport) -> String {
    text_of(report, Paint::default())
}

fn text_of(report: &WhyReport, paint: Paint) -> String {
    let texts: Vec<String> = report
        .services
        .iter()
        .map(|service| service_text(service, report.now, paint))
        .collect();
    texts.join("\n")
}

fn service_text(service: &WhyService, now: i64, paint: Paint) -> String {
    let mut text = String::new();
    let since = u64::try_from(now.saturating_sub(service.since)).unwrap_or(0);
    let pid = service.pid.map(|pid| format!(", pid {pid}"));
    let head = format!(
        "{}  {} for {}{}",
        service.service,
        service.state,
        words::length(since),
        pid.unwrap_or_default()
    );
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(text, "{}", paint.text(Colour::Strong, &head));
    let _ = writeln!(text, "  {}.", service.summary);
    if let Some(says) = &service.says {
        let _ = writeln!(text, "  It says: {says}");
    }
    let mut section = |title: &str, lines: &[String]| {
        if !lines.is_empty() {
            let _ = writeln!(text, "\n{}", paint.text(Colour::Strong, title));
            for line in lines {
                let _ = writeln!(text, "  {line}");
            }
        }
    };
    section("Why", &causes(service, now));
    let checks: Vec<String> = service
        .checks
        .iter()
        .map(|check| {
            let passes = match check.passes {
                Some(true) => "passes",
                Some(false) => "fails",
                None => "open",
            };
            let probe = &check.probe;
            format!("{:<9}  {probe}  {passes}: {}", check.purpose, check.text)
        })
        .collect();
    section("Checks", &checks);
    if let Some(output) = &service.output {
        section(&title("Last output", output), &lines(output));
    }
    if let Some(root) = &service.root {
        let title = title(&format!("Last output of {}", root.service), &root.output);
        section(&title, &lines(&root.output));
    }
    let next: Vec<String> = service
        .next
        .iter()
        .map(|coming| match coming.in_ms {
            Some(in_ms) => format!("in {}: {}", words::length(in_ms), coming.text),
            None => coming.text.clone(),
        })
        .collect();
    section("What happens next", &next);
    section("What you could do", &service.advice);
    let latest: Vec<String> = service
        .events
        .iter()
        .map(|event| {
            let at = moments::short(event.time, now);
            match (&event.from, &event.to) {
                (Some(from), Some(to)) => format!("{at}  {from} → {to}: {}", event.text),
                _ => format!("{at}  {}", event.text),
            }
        })
        .collect();
    section("What happened last", &latest);
    text
}

/// The chain of causes; whoever it is about stands in front where that changes.
fn causes(service: &WhyService, now: i64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut about = service.service.as_str();
    for cause in &service.causes {
        let indent = "  ".repeat(usize::from(cause.depth));
        if cause.service != about {
            about = &cause.service;
            lines.push(format!("{indent}{about}:"));
        }
        let at = cause.at.map(|at| format!("{}  ", moments::short(at, now)));
        lines.push(format!("{indent}{}{}", at.unwrap_or_default(), cause.text));
    }
    lines
}

fn title(words: &str, output: &LastOutput) -> String {
    match &output.file {
        Some(file) if !output.lines.is_empty() => format!("{words} ({}, {file})", output.stream),
        _ => format!("{words} ({})", output.stream),
    }
}

fn lines(output: &LastOutput) -> Vec<String> {
    let note = output.note.iter().cloned();
    let lines = output.lines.iter().map(|line| format!("| {line}"));
    note.chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use linchpin_protocol::api::{Cause, CheckAnswer, Coming, Root};

    use super::*;

    #[test]
    fn an_explanation_goes_from_the_state_to_what_could_be_done() {
        let output = |lines: &[&str], note: Option<&str>| LastOutput {
            stream: "stderr".to_owned(),
            file: Some("/var/log/x".to_owned()),
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            note: note.map(str::to_owned),
        };
        let cause = |depth, service: &str, text: &str| Cause {
            depth,
            service: service.to_owned(),
            at: None,
            text: text.to_owned(),
        };
        let service = WhyService {
            service: "web".to_owned(),
            state: "STARTING".to_owned(),
            since: 1000,
            pid: None,
            summary: "web waits before it starts".to_owned(),
            reason: "autostart".to_owned(),
            causes: vec![
                cause(0, "web", "it waits for db to be ready: db is FATAL"),
                cause(1, "db", "FATAL: 4 failed starts"),
                cause(1, "db", "exit 3"),
            ],
            last_end: None,
            checks: vec![CheckAnswer {
                purpose: "readiness".to_owned(),
                probe: "tcp://localhost:80".to_owned(),
                passes: None,
                text: "there is no answer yet".to_owned(),
            }],
            says: Some("warming up".to_owned()),
            next: vec![Coming {
                in_ms: Some(2500),
                text: "it gives up".to_owned(),
            }],
            advice: vec!["db: mend it".to_owned()],
            output: Some(output(&[], Some("it has written nothing"))),
            root: Some(Root {
                service: "db".to_owned(),
                output: output(&["no space left on device"], None),
            }),
            events: Vec::new(),
        };
        let report = WhyReport {
            now: 6000,
            services: vec![service],
        };
        assert_eq!(
            why_text(&report),
            "\
web  STARTING for 5 s
  web waits before it starts.
  It says: warming up

Why
  it waits for db to be ready: db is FATAL
    db:
    FATAL: 4 failed starts
    exit 3

Checks
  readiness  tcp://localhost:80  open: there is no answer yet

Last output (stderr)
  it has written nothing

Last output of db (stderr, /var/log/x)
  | no space left on device

What happens next
  in 2 s: it gives up

What you could do
  db: mend it
"
        );
    }
}
