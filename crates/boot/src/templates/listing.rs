//! The report as text.

use std::fmt;

use linchpin_config::OnChange;

use super::report::{FileChange, Outcome, Report};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match (&self.outcome, self.is_dry) {
            (Outcome::Made, false) => "made",
            (Outcome::Made, true) => "would be made",
            (Outcome::Changed, false) => "changed",
            (Outcome::Changed, true) => "would be changed",
            (Outcome::Unchanged, _) => "unchanged",
            (Outcome::Held, _) => "not put in place, because another template failed",
            (Outcome::Failed(_), _) => "failed, and is as it was",
        };
        writeln!(
            f,
            "[template:{}] {}: {outcome}",
            self.name,
            self.target.display()
        )?;
        if let Outcome::Failed(problems) = &self.outcome {
            for problem in problems {
                writeln!(f, "  {problem}")?;
            }
        }
        if let Some(command) = &self.validated_by {
            if self.is_dry {
                writeln!(f, "  would be looked at by `{command}`")?;
            } else if !self.is_failure() {
                writeln!(f, "  accepted by `{command}`")?;
            }
        }
        if self.is_failure() {
            for line in &self.said {
                writeln!(f, "  | {line}")?;
            }
        }
        for file in &self.files {
            let is_alone = file.path == self.target;
            if !is_alone {
                let change = match (file.change, self.is_dry) {
                    (FileChange::Made, false) => "made",
                    (FileChange::Made, true) => "would be made",
                    (FileChange::Changed, false) => "changed",
                    (FileChange::Changed, true) => "would be changed",
                    (FileChange::Removed, false) => "removed, because its template is gone",
                    (FileChange::Removed, true) => "would be removed, because its template is gone",
                    (FileChange::Unchanged, _) => continue,
                };
                writeln!(f, "  {}: {change}", file.path.display())?;
            }
            let is_other = matches!(file.change, FileChange::Made | FileChange::Changed);
            if !self.is_dry || !is_other {
                continue;
            }
            match file.difference.as_deref() {
                Some([]) => writeln!(f, "    only secrets, the mode or the owner would be others")?,
                Some(lines) => {
                    for line in lines {
                        writeln!(f, "    {line}")?;
                    }
                }
                None => writeln!(
                    f,
                    "    the lines are not shown, because it is not known which of them are secrets"
                )?,
            }
        }
        if !self.services.is_empty() {
            let what = match (self.on_change, self.is_dry) {
                (OnChange::Reload, false) => "to be reloaded for it",
                (OnChange::Restart, false) => "to be restarted for it",
                (OnChange::Reload, true) => "would be reloaded for it",
                (OnChange::Restart, true) => "would be restarted for it",
                (OnChange::Nothing, _) => "concerned by it",
            };
            writeln!(f, "  {what}: {}", self.services.join(", "))?;
        }
        Ok(())
    }
}
