//! Reports as text.

use std::fmt;

use super::report::{BootReport, Outcome, StepReport, bracketed};

impl fmt::Display for BootReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.is_failed() {
            "failed"
        } else if self.has_failures() {
            "done, with failures"
        } else {
            "done"
        };
        let (started, why) = (&self.started, &self.why);
        let duration = Duration(self.duration_us);
        writeln!(f, "{started} boot ({why}): {end}, {duration}")?;
        for step in &self.steps {
            write!(f, "{step}")?;
        }
        if let Some(problem) = &self.problem {
            for line in problem.lines() {
                writeln!(f, "  problem: {line}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for StepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.started, self.in_one_line())?;
        writeln!(f, "  why: {}", self.why)?;
        for line in &self.details {
            writeln!(f, "  | {line}")?;
        }
        for warning in &self.warnings {
            writeln!(f, "  warning: {warning}")?;
        }
        if let Some(problem) = &self.problem {
            writeln!(f, "  problem: {problem}")?;
            writeln!(f, "  then: {}", self.consequence())?;
        }
        if let Some(remedy) = &self.remedy {
            writeln!(f, "  remedy: {remedy}")?;
        }
        Ok(())
    }
}

impl StepReport {
    /// Section, outcome, duration and summary.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        let section = bracketed(&self.section);
        let outcome = self.outcome.word();
        let mut line = match self.outcome {
            Outcome::Skipped => format!("{section}: {outcome}"),
            Outcome::Done | Outcome::Unchanged | Outcome::Warned | Outcome::Failed => {
                format!("{section}: {outcome}, {}", Duration(self.duration_us))
            }
        };
        if self.attempts > 1 {
            line.push_str(" in ");
            line.push_str(&self.attempts.to_string());
            line.push_str(" attempts");
        }
        if !self.summary.is_empty() {
            line.push_str(": ");
            line.push_str(&self.summary);
        }
        line
    }

    /// What follows from its failure.
    #[must_use]
    pub fn consequence(&self) -> String {
        use linchpin_config::OnFailure::{Fatal, Skip, Warn};
        match self.on_failure {
            Fatal => "the boot ends here, and nothing is started (`on_failure=fatal`)".to_owned(),
            Warn => "the boot goes on (`on_failure=warn`)".to_owned(),
            Skip => format!(
                "the boot goes on without {} (`on_failure=skip`)",
                self.services.join(", ")
            ),
        }
    }
}

/// Microseconds for people.
struct Duration(u64);

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(microseconds) = *self;
        let tenths = microseconds / 100;
        write!(f, "{}.{} ms", tenths / 10, tenths % 10)
    }
}
