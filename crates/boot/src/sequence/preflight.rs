//! The step of each `[preflight:NAME]`.

use linchpin_config::PreflightConfig;

use super::{Part, Step, Trouble, Work};
use crate::preflight::{Found, look};
use crate::templates::Scope;

pub(super) fn part<'a>(config: &'a PreflightConfig, section: &'a str) -> Part<'a> {
    Part {
        step: Step::Preflight,
        section,
        why: "this must be so before anything is made".to_owned(),
        policy: &config.policy,
    }
}

/// What of a section is not as it must be, with what can be done about it; nothing, if it is.
#[must_use]
pub fn preflight_problem(config: &PreflightConfig, scope: &Scope) -> Option<String> {
    let trouble = work(config, scope).err()?;
    let text = trouble.with_remedy();
    Some(format!("[preflight:{}]: {text}", config.name))
}

pub(super) fn work(config: &PreflightConfig, scope: &Scope) -> Result<((), Work), Trouble> {
    let (mut details, mut problems, mut remedies) = (Vec::new(), Vec::new(), Vec::new());
    for found in look(config, scope) {
        match found {
            Found::Good(text) => details.push(text),
            Found::Bad { problem, remedy } => {
                problems.push(problem);
                remedies.extend(remedy.filter(|remedy| !remedies.contains(remedy)));
            }
        }
    }
    if !problems.is_empty() {
        let remedies = (!remedies.is_empty()).then(|| remedies.join("; "));
        return Err(Trouble {
            problem: problems.join("; "),
            remedy: config.remedy.clone().or(remedies),
            details,
        });
    }
    let work = Work {
        summary: "everything is as it must be".to_owned(),
        details,
        ..Work::default()
    };
    Ok(((), work))
}
