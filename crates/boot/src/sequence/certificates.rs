//! The step of each `[certificate:NAME]`.

use linchpin_config::CertificateConfig;

use super::remedy::of_certificate;
use super::{Part, Step, Trouble, Work};
use crate::certificates::{Origin, make};
use crate::writing::Writing;

pub(super) fn part<'a>(config: &'a CertificateConfig, section: &'a str) -> Part<'a> {
    let made = "one is to be made";
    let why = match (&config.provided, config.self_signed) {
        (Some(files), true) => format!(
            "{} is provided, and {made} where it cannot be used",
            files.certificate
        ),
        (Some(files), false) => format!("{} is provided", files.certificate),
        (None, _) => made.to_owned(),
    };
    Part {
        step: Step::Certificates,
        section,
        why,
        policy: &config.policy,
    }
}

pub(super) fn work(
    config: &CertificateConfig,
    now: i64,
    is_dry: bool,
) -> Result<((), Work), Trouble> {
    let report = make(config, now, is_dry).map_err(|error| Trouble {
        problem: error.to_string(),
        remedy: of_certificate(&error),
        details: Vec::new(),
    })?;
    let details = report.listing(now).to_string();
    let details: Vec<String> = details.lines().map(str::to_owned).collect();
    if report.is_failure() {
        return Err(Trouble {
            problem: format!("there is no certificate: {}", report.refusals.join("; ")),
            remedy: Some(
                "mend or remove what is provided, or write `self_signed=true` to have one made"
                    .to_owned(),
            ),
            details,
        });
    }
    let end = report.certificate.as_ref().map(|it| it.end_in_words(now));
    let end = end.map_or_else(String::new, |end| format!(", {end}"));
    let origin = match report.origin {
        Origin::Provided => "the provided one is used",
        Origin::Previous => "the one that was provided before is used",
        Origin::SelfSigned => "one of our own is used",
        Origin::None => "there is none, and nobody provides one",
    };
    let mut warnings = report.warnings.clone();
    if report.origin != Origin::Provided {
        let refusals = report.refusals.iter().filter(|_| report.is_broken);
        warnings.extend(refusals.map(|why| format!("not the provided one: {why}")));
    }
    let is_written = report
        .files
        .as_ref()
        .is_some_and(|(_, writing)| *writing != Writing::Unchanged);
    let work = Work {
        summary: format!("{origin}{end}"),
        details,
        warnings,
        is_changed: is_written || report.is_removed,
    };
    Ok(((), work))
}
