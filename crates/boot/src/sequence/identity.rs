//! The step that gives programs an entry in passwd for a user who has none.

use std::path::Path;

use linchpin_config::{OnFailure, StepPolicy};

use super::{Part, Step, Trouble, Work};
use crate::identity::Identity;
use crate::writing::Writing;

static POLICY: StepPolicy = StepPolicy::on_failure(OnFailure::Warn);

pub(super) fn part(identity: &Identity) -> Part<'static> {
    Part {
        step: Step::Identity,
        section: Step::Identity.name(),
        why: format!("user {} has no entry in /etc/passwd", identity.uid),
        policy: &POLICY,
    }
}

/// Variables for programs, and what was done.
pub(super) fn work(
    identity: &Identity,
    directory: &Path,
    environment: &[(String, String)],
    library: Option<&Path>,
    is_dry: bool,
) -> Result<(Vec<(String, String)>, Work), Trouble> {
    let entry = identity
        .give_entry(directory, environment, library, is_dry)
        .map_err(|error| Trouble {
            problem: error.to_string(),
            remedy: Some(format!(
                "let user {} write there, or write `passwd_entry=off` into [linchpin]",
                identity.uid
            )),
            details: Vec::new(),
        })?;
    let mut work = Work {
        summary: "programs are given one".to_owned(),
        ..Work::default()
    };
    for (path, writing) in entry.files {
        let words = writing.in_words(is_dry);
        work.is_changed |= writing != Writing::Unchanged;
        work.details.push(format!("{}: {words}", path.display()));
    }
    if library.is_none() {
        work.summary = "programs cannot be given one".to_owned();
        work.warnings.push(
            "programs that look themselves up will fail: the image lacks libnss_wrapper (Debian: libnss-wrapper); `passwd_entry=off` in [linchpin] if none does"
                .to_owned(),
        );
    }
    Ok((entry.variables, work))
}
