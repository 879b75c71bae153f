//! The report as text.

use std::fmt;
use std::path::Path;

use super::{Found, Outcome, Report, Verdict};

/// A report with the time at which it is read.
#[derive(Debug)]
pub struct Listing<'a> {
    report: &'a Report,
    now: i64,
}

impl Report {
    /// The report as text; `now` is in seconds since 1970.
    #[must_use]
    pub fn listing(&self, now: i64) -> Listing<'_> {
        Listing { report: self, now }
    }

    /// How many certificates of the folder are trusted.
    #[must_use]
    pub fn trusted(&self) -> usize {
        let is_trusted = |found: &&Found| {
            matches!(
                found.verdict,
                Verdict::Trusted | Verdict::TrustedBut(_) | Verdict::Duplicate(_)
            )
        };
        self.found.iter().filter(is_trusted).count()
    }
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.report;
        let directory = report.directory.display();
        if report.found.is_empty() {
            writeln!(f, "{directory}: no certificates")?;
        } else {
            let (trusted, all) = (report.trusted(), report.found.len());
            writeln!(
                f,
                "{directory}: {trusted} of {all} certificates are trusted"
            )?;
        }
        for found in &report.found {
            self.found(f, found)?;
        }
        for (path, why) in &report.passed_over {
            writeln!(f, "  {}\n    passed over: {why}", path.display())?;
        }
        if report.files.is_empty() {
            return writeln!(
                f,
                "nothing to write: there is nothing to trust besides what the system trusts"
            );
        }
        if let Some((path, count)) = &report.system {
            writeln!(
                f,
                "system bundle: {} ({count} certificates)",
                path.display()
            )?;
        } else {
            writeln!(f, "system bundle: none, as configured")?;
        }
        for (path, outcome) in &report.files {
            writeln!(f, "{}: {}", path.display(), words(*outcome, report.is_dry))?;
        }
        for variable in &report.variables {
            write!(f, "{}={}", variable.name, variable.own)?;
            writeln!(
                f,
                "{}",
                if variable.is_added() {
                    " (and what it has)"
                } else {
                    ""
                }
            )?;
        }
        for warning in &report.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        Ok(())
    }
}

impl Listing<'_> {
    fn found(&self, f: &mut fmt::Formatter<'_>, found: &Found) -> fmt::Result {
        place(f, &found.file, found.line)?;
        if let Some(certificate) = &found.certificate {
            writeln!(f, "  {}", certificate.subject)?;
            let issuer = if certificate.is_self_issued() {
                "itself"
            } else {
                &certificate.issuer
            };
            writeln!(
                f,
                "    issued by {issuer}, {}, SHA-256 {}",
                certificate.end_in_words(self.now),
                certificate.fingerprint_in_words()
            )?;
        } else {
            writeln!(f)?;
        }
        match &found.verdict {
            Verdict::Trusted => Ok(()),
            Verdict::TrustedBut(remark) => writeln!(f, "    trusted, but {remark}"),
            Verdict::Duplicate(place) => writeln!(f, "    trusted already: {place}"),
            Verdict::LeftOut(why) => writeln!(f, "    left out: {why}"),
        }
    }
}

fn place(f: &mut fmt::Formatter<'_>, file: &Path, line: Option<usize>) -> fmt::Result {
    match line {
        Some(line) => write!(f, "  {}:{line}", file.display()),
        None => write!(f, "  {}", file.display()),
    }
}

fn words(outcome: Outcome, is_dry: bool) -> &'static str {
    match (outcome, is_dry) {
        (Outcome::Written(writing), _) => writing.in_words(is_dry),
        (Outcome::Removed, false) => "removed",
        (Outcome::Removed, true) => "would be removed",
    }
}
