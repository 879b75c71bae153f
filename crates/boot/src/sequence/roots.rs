//! The step of `[ca-roots]`.

use linchpin_config::CaRootsConfig;

use super::remedy::with_remedy;
use super::{Part, Step, Trouble, Work};
use crate::ca_roots::{Outcome, Variable, make};
use crate::writing::Writing;

pub(super) fn part(config: &CaRootsConfig) -> Part<'_> {
    Part {
        step: Step::CaRoots,
        section: "ca-roots",
        why: format!("programs are to trust what is in {}", config.directory),
        policy: &config.policy,
    }
}

pub(super) fn work(
    config: &CaRootsConfig,
    environment: &[(String, String)],
    now: i64,
    is_dry: bool,
) -> Result<(Vec<Variable>, Work), Trouble> {
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
    Ok((report.variables, work))
}
