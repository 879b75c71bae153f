//! The step of `directories` in `[linchpin]`.

use std::path::{Path, PathBuf};

use linchpin_config::StepPolicy;

use super::{FATAL, Part, Step, Trouble, Work};
use crate::writing::{Mode, make_directory};

static POLICY: StepPolicy = FATAL;

pub(super) fn part() -> Part<'static> {
    Part {
        step: Step::Directories,
        section: Step::Directories.name(),
        why: "`directories` in [linchpin] names some".to_owned(),
        policy: &POLICY,
    }
}

/// Makes those that are missing. `made` gets them, with those above them that were missing, from the top down.
pub(super) fn work(
    wanted: &[String],
    is_dry: bool,
    made: &mut Vec<PathBuf>,
) -> Result<((), Work), Trouble> {
    let mode = if is_dry { Mode::Dry } else { Mode::Real };
    let mut work = Work::default();
    for directory in wanted.iter().map(Path::new) {
        let missing: Vec<&Path> = directory
            .ancestors()
            .take_while(|above| !above.exists())
            .collect();
        make_directory(directory, mode).map_err(|error| Trouble {
            problem: error.to_string(),
            remedy: Some(
                "make it and let the daemon write there, or remove it from `directories`"
                    .to_owned(),
            ),
            details: Vec::new(),
        })?;
        let words = match (missing.is_empty(), is_dry) {
            (true, _) => "unchanged",
            (false, true) => "would be made",
            (false, false) => "made",
        };
        work.is_changed |= !missing.is_empty();
        work.details
            .push(format!("{}: {words}", directory.display()));
        if !is_dry {
            made.extend(missing.into_iter().rev().map(Path::to_owned));
        }
    }
    work.summary = match (work.is_changed, is_dry) {
        (false, _) => "all of them are there",
        (true, true) => "what is missing would be made",
        (true, false) => "what was missing is made",
    }
    .to_owned();
    Ok(((), work))
}
