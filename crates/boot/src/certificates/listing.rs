//! The report as text.

use std::fmt;

use super::names::names_of;
use super::{Origin, Report};

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
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.report;
        let origin = match report.origin {
            Origin::Provided => "the provided one is used",
            Origin::Previous => "the one that was provided before is used",
            Origin::SelfSigned => "one of our own is used",
            Origin::None => "none",
        };
        writeln!(f, "[certificate:{}] {origin}", report.name)?;
        for refusal in &report.refusals {
            writeln!(f, "  not the provided one: {refusal}")?;
        }
        if report.origin == Origin::None {
            writeln!(
                f,
                "  and `self_signed` is off: a web server that gets certificates by itself may do so"
            )?;
        }
        for remark in &report.remarks {
            writeln!(f, "  {remark}")?;
        }
        if let Some(certificate) = &report.certificate {
            writeln!(
                f,
                "  {}, issued by {}\n  for {}\n  {}, SHA-256 {}",
                certificate.subject,
                certificate.issuer,
                names_of(certificate),
                certificate.end_in_words(self.now),
                certificate.fingerprint_in_words()
            )?;
        }
        if let Some((files, writing)) = &report.files {
            let writing = writing.in_words(report.is_dry);
            let (certificate, key) = (files.certificate.display(), files.key.display());
            writeln!(f, "  {certificate}: {writing}\n  {key}")?;
        }
        if report.is_removed {
            let verb = if report.is_dry { "would be" } else { "were" };
            writeln!(f, "  the files that there were {verb} removed")?;
        }
        if let Some(authority) = &report.authority {
            writeln!(f, "  clients have to trust {}", authority.display())?;
        }
        for warning in &report.warnings {
            writeln!(f, "  warning: {warning}")?;
        }
        Ok(())
    }
}
