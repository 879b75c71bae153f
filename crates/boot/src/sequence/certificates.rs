//! The step of each `[certificate:NAME]`.

use linchpin_config::CertificateConfig;

use super::remedy::of_certificate;
use super::{Part, Step, Trouble, Work};
use crate::certificates::{Origin, Report, make};
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

/// What a server has, as long as the daemon runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateState {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub origin: Origin,
    /// When it ends, in seconds since 1970; none if there is none.
    pub until: Option<i64>,
    /// What works now and should be seen to.
    pub warnings: Vec<String>,
    /// Why there is none, or why that is not known, with what can be done about it.
    pub problem: Option<String>,
    /// It is another one than before, or has gone.
    pub is_changed: bool,
    /// That in a few words.
    pub summary: String,
    /// The services that use it.
    pub services: Vec<String>,
}

/// Does the step again while the daemon runs; `now` is in seconds since 1970.
#[must_use]
pub fn look_after(config: &CertificateConfig, now: i64) -> CertificateState {
    work(config, now, false).0
}

pub(super) fn work(
    config: &CertificateConfig,
    now: i64,
    is_dry: bool,
) -> (CertificateState, Result<Work, Trouble>) {
    let mut state = CertificateState {
        name: config.name.clone(),
        origin: Origin::None,
        until: None,
        warnings: Vec::new(),
        problem: None,
        is_changed: false,
        summary: String::new(),
        services: config.policy.services.clone(),
    };
    let result = make(config, now, is_dry)
        .map_err(|error| Trouble {
            problem: error.to_string(),
            remedy: of_certificate(&error),
            details: Vec::new(),
        })
        .and_then(|report| {
            state.origin = report.origin;
            state.until = report.until;
            // Also if it is a failure: what a server had may be gone.
            state.is_changed = is_changed(&report);
            judged(&report, now)
        });
    match &result {
        Ok(work) => {
            state.warnings.clone_from(&work.warnings);
            state.summary.clone_from(&work.summary);
        }
        Err(trouble) => {
            state.problem = Some(trouble.with_remedy());
        }
    }
    (state, result)
}

fn is_changed(report: &Report) -> bool {
    let files = report.files.as_ref();
    report.is_removed || files.is_some_and(|(_, writing)| *writing != Writing::Unchanged)
}

/// What is to be said of what was found and done.
fn judged(report: &Report, now: i64) -> Result<Work, Trouble> {
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
    // Nobody who wants one of our own has to provide another; but whoever did misses it when its folder is gone.
    if report.is_broken || report.origin == Origin::Previous {
        let refusals = report.refusals.iter();
        warnings.extend(refusals.map(|why| format!("not the provided one: {why}")));
    }
    Ok(Work {
        summary: format!("{origin}{end}"),
        details,
        warnings,
        is_changed: is_changed(report),
    })
}
