//! The step of each `[template:NAME]`.

use std::slice;

use linchpin_config::TemplateConfig;

use super::{Part, Step, Trouble, Work};
use crate::templates::{Outcome, Scope, make};

pub(super) fn part<'a>(config: &'a TemplateConfig, section: &'a str) -> Part<'a> {
    Part {
        step: Step::Templates,
        section,
        why: format!("{} is to be made of {}", config.target, config.source),
        policy: &config.policy,
    }
}

pub(super) fn work(
    config: &TemplateConfig,
    scope: &Scope,
    is_dry: bool,
) -> Result<((), Work), Trouble> {
    // One by one: what follows from the failure of one is its own to say.
    let reports = make(slice::from_ref(config), scope, is_dry);
    let details = reports.iter().map(ToString::to_string).collect::<String>();
    let details = details.lines().map(str::to_owned).collect();
    let mut summary = "unchanged";
    for report in &reports {
        match &report.outcome {
            Outcome::Made => summary = "made",
            Outcome::Changed => summary = "changed",
            Outcome::Unchanged | Outcome::Held => {}
            Outcome::Failed(problems) => {
                return Err(Trouble {
                    problem: problems.join("; "),
                    remedy: None,
                    details,
                });
            }
        }
    }
    let tense = if is_dry && summary != "unchanged" {
        "would be "
    } else {
        ""
    };
    let work = Work {
        summary: format!("{} {tense}{summary}", config.target),
        details,
        warnings: Vec::new(),
        is_changed: summary != "unchanged",
    };
    Ok(((), work))
}
