//! The step of `[ca-roots]`.

use linchpin_config::CaRootsConfig;

use super::remedy::with_remedy;
use super::{Part, Step, Trouble, Work};
use crate::ca_roots::{Outcome, Trust, Variable, make};
use crate::writing::Writing;

pub(super) fn part(config: &CaRootsConfig) -> Part<'_> {
    Part {
        step: Step::CaRoots,
        section: "ca-roots",
        why: format!("programs are to trust what is in {}", config.directory),
        policy: &config.policy,
    }
}

/// What programs are to trust, as long as the daemon runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootsState {
    /// What asked for it.
    pub config: CaRootsConfig,
    /// What that is; none if it could not be found out, so that it stays as it was.
    pub trust: Option<Trust>,
    /// What works now and should be seen to.
    pub warnings: Vec<String>,
    /// Why it could not be done, with what can be done about it.
    pub problem: Option<String>,
    /// That in a few words.
    pub summary: String,
}

/// Does the step again while the daemon runs. `environment` is what programs would be started with; `now` is in seconds since
/// 1970.
#[must_use]
pub fn look_after_roots(
    config: &CaRootsConfig,
    environment: &[(String, String)],
    now: i64,
) -> RootsState {
    work(config, environment, now, false).0
}

/// What it would find, as [`look_after_roots`], without anything being written.
#[must_use]
pub fn expected_roots(
    config: &CaRootsConfig,
    environment: &[(String, String)],
    now: i64,
) -> RootsState {
    work(config, environment, now, true).0
}

pub(super) fn work(
    config: &CaRootsConfig,
    environment: &[(String, String)],
    now: i64,
    is_dry: bool,
) -> (RootsState, Result<(Vec<Variable>, Work), Trouble>) {
    let mut state = RootsState {
        config: config.clone(),
        trust: None,
        warnings: Vec::new(),
        problem: None,
        summary: String::new(),
    };
    let result = made(config, environment, now, is_dry);
    match &result {
        Ok((trust, _, work)) => {
            state.trust = Some(trust.clone());
            state.warnings.clone_from(&work.warnings);
            state.summary.clone_from(&work.summary);
        }
        Err(trouble) => state.problem = Some(trouble.with_remedy()),
    }
    (state, result.map(|(_, variables, work)| (variables, work)))
}

fn made(
    config: &CaRootsConfig,
    environment: &[(String, String)],
    now: i64,
    is_dry: bool,
) -> Result<(Trust, Vec<Variable>, Work), Trouble> {
    let report = make(config, environment, now, is_dry).map_err(|error| {
        let remedy = with_remedy(&error);
        Trouble {
            problem: error.to_string(),
            remedy,
            details: Vec::new(),
        }
    })?;
    let is_unchanged = |outcome: &Outcome| *outcome == Outcome::Written(Writing::Unchanged);
    let count = report.trusted();
    let mut warnings = report.warnings.clone();
    let left_out = report.found.len() - count;
    if left_out > 0 {
        warnings.push(format!(
            "{left_out} of {} certificates in {} are not trusted: `linchpin boot ca-roots --dry-run` tells why",
            report.found.len(),
            config.directory
        ));
    }
    let work = Work {
        summary: match count {
            0 => "there is nothing to trust besides what the system trusts".to_owned(),
            1 => "one certificate is trusted".to_owned(),
            _ => format!("{count} certificates are trusted"),
        },
        details: report
            .listing(now)
            .to_string()
            .lines()
            .map(str::to_owned)
            .collect(),
        warnings,
        is_changed: !report
            .files
            .iter()
            .all(|(_, outcome)| is_unchanged(outcome)),
    };
    Ok((report.trust, report.variables, work))
}
