//! What the main log says of a boot: what was done and why, with the times of the steps, as the log itself may have been
//! opened after them.

use linchpin_boot::sequence::{Outcome, StepReport};
use linchpin_log::LogLevel;

use super::Booted;

/// The lines.
pub(crate) fn messages(booted: &Booted) -> Vec<(LogLevel, String)> {
    let mut lines = Vec::new();
    for step in &booted.report.steps {
        of_step(step, &mut lines);
    }
    for left_out in booted.report.left_out() {
        let text = format!(
            "boot: left out, because {}: {}",
            left_out.why,
            left_out.services.join(", ")
        );
        lines.push((LogLevel::Error, text));
    }
    if let Some(why) = &booted.unkept {
        let text = format!("boot: the report is not kept: {why}");
        lines.push((LogLevel::Warn, text));
    }
    lines
}

fn of_step(step: &StepReport, lines: &mut Vec<(LogLevel, String)>) {
    let mut line = |level, text: String| lines.push((level, format!("boot: {text}")));
    let head = format!("{} {}", step.started, step.in_one_line());
    match step.outcome {
        Outcome::Failed => line(LogLevel::Error, head),
        Outcome::Done | Outcome::Unchanged | Outcome::Warned | Outcome::Skipped => {
            line(LogLevel::Info, format!("{head} (because {})", step.why));
        }
    }
    if step.changed || step.outcome == Outcome::Failed {
        for detail in &step.details {
            line(LogLevel::Info, format!("  {detail}"));
        }
    }
    for warning in &step.warnings {
        line(LogLevel::Warn, format!("  {warning}"));
    }
    if let Some(problem) = step.problem_with_remedy() {
        line(LogLevel::Error, format!("  {problem}"));
        line(LogLevel::Error, format!("  {}", step.consequence()));
    }
}
