//! `boot`: what is made before the programs run, all of it or one step at a time; and what became of it the last time.

use std::path::Path;
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt as _};
use linchpin_boot::sequence::{BootReport, Sequence, Step, Which, keep, kept};
use linchpin_config::{
    LinchpinConfig, LoadRequest, LoadedBoot, USAGE_EXIT_STATUS, World as _, load_boot, render_all,
};
use linchpin_daemon::SystemWorld;

use crate::supervisord::program_path;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    errand: Errand,
    file: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Errand {
    /// Do it; none is everything.
    Run { step: Option<Step>, is_dry: bool },
    /// Tell what became of it.
    Report(Which),
}

/// Exit status 0 if it is done, 1 if it cannot be, 2 if the configuration cannot be used.
pub(crate) fn run(called: &str, arguments: &[String]) -> ExitCode {
    let request = match read(arguments) {
        Ok(Some(request)) => request,
        Ok(None) => return crate::say(&help(called)),
        Err(mistake) => {
            crate::complain(&format!("Error: {mistake}\nTry '{called} --help'."));
            return ExitCode::from(USAGE_EXIT_STATUS);
        }
    };
    let world = SystemWorld::now();
    let load = LoadRequest {
        file: request.file.clone(),
        program: program_path(called),
        ..LoadRequest::default()
    };
    let loaded = match load_boot(&world, &load) {
        Ok(loaded) => loaded,
        Err(failure) => {
            crate::complain(&render_all(&failure.problems));
            return ExitCode::from(USAGE_EXIT_STATUS);
        }
    };
    match request.errand {
        Errand::Report(which) => show(&loaded, which),
        Errand::Run { step, is_dry } => {
            let mut sequence = Sequence::begin("linchpin boot", is_dry);
            let wanted = match &step {
                Some(step) => std::slice::from_ref(step),
                None => &Step::ALL,
            };
            sequence.sections(&loaded.boot, wanted, world.environment());
            let report = sequence.end();
            match step {
                Some(step) => tell_step(step, &loaded.file, &report),
                None => tell_all(&report, &loaded, is_dry),
            }
        }
    }
}

/// Tells of one step, in its own words.
fn tell_step(step: Step, file: &str, report: &BootReport) -> ExitCode {
    if report.steps.is_empty() {
        let section = match step {
            Step::Settings => "[setting:NAME]",
            Step::CaRoots => "[ca-roots]",
            Step::Certificates => "[certificate:NAME]",
        };
        return crate::say(&format!("{file} has no section {section}: nothing to do\n"));
    }
    let mut outcome = ExitCode::SUCCESS;
    for step in &report.steps {
        let mut text = step.details.join("\n");
        if !text.is_empty() {
            text.push('\n');
        }
        crate::say(&text);
        let Some(problem) = step.problem_with_remedy() else {
            continue;
        };
        outcome = ExitCode::FAILURE;
        // What was found out has the problem in it.
        match &step.remedy {
            Some(remedy) if !step.details.is_empty() => {
                crate::complain(&format!("Error: [{}]: {remedy}", step.section));
            }
            _ => crate::complain(&format!("Error: [{}]: {problem}", step.section)),
        }
    }
    outcome
}

/// Tells of a whole boot, and keeps the report.
fn tell_all(report: &BootReport, loaded: &LoadedBoot, is_dry: bool) -> ExitCode {
    crate::say(&report.to_string());
    if let Some(directory) = directory_of(loaded.linchpin.as_ref())
        && !is_dry
        && let Err(error) = keep(report, Path::new(directory))
    {
        crate::complain(&format!("Error: the report is not kept: {error}"));
    }
    if report.is_failed() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Tells what became of a boot.
fn show(loaded: &LoadedBoot, which: Which) -> ExitCode {
    let Some(directory) = directory_of(loaded.linchpin.as_ref()) else {
        crate::complain(&format!(
            "Error: {} names no `state_directory` in [linchpin], so no report is kept",
            loaded.file
        ));
        return ExitCode::FAILURE;
    };
    match kept(Path::new(directory), which) {
        Ok(Some(report)) => crate::say(&report.to_string()),
        Ok(None) => {
            let failed = match which {
                Which::Last => "",
                Which::LastFailed => " that failed",
            };
            crate::complain(&format!(
                "there is no report of a boot{failed} in {directory}"
            ));
            ExitCode::FAILURE
        }
        Err(error) => {
            crate::complain(&format!("Error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Where reports are kept: on the volume, or where everything else is made.
fn directory_of(linchpin: Option<&LinchpinConfig>) -> Option<&str> {
    let linchpin = linchpin?;
    let directory = linchpin.state_directory.as_ref();
    directory
        .or(linchpin.run_directory.as_ref())
        .map(String::as_str)
}

/// None if help is wanted.
fn read(arguments: &[String]) -> Result<Option<Request>, lexopt::Error> {
    let (mut word, mut file, mut is_dry, mut is_failed) = (None, None, false, false);
    let mut parser = Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Short('c') | Arg::Long("configuration") => {
                file = Some(parser.value()?.string()?);
            }
            Arg::Short('n') | Arg::Long("dry-run") => is_dry = true,
            Arg::Long("failed") => is_failed = true,
            Arg::Value(value) if word.is_none() => word = Some(value.string()?),
            other @ (Arg::Short(_) | Arg::Long(_) | Arg::Value(_)) => {
                return Err(other.unexpected());
            }
        }
    }
    let word = word.as_deref().unwrap_or("all");
    let errand = match (word, is_failed) {
        ("report", false) => Errand::Report(Which::Last),
        ("report", true) => Errand::Report(Which::LastFailed),
        (_, true) => return Err("`--failed` is for `report`".into()),
        ("all", false) => Errand::Run { step: None, is_dry },
        (word, false) => {
            let step = Step::ALL.into_iter().find(|step| step.name() == word);
            let step = Some(step.ok_or(format!("there is no step `{word}`"))?);
            Errand::Run { step, is_dry }
        }
    };
    if matches!(errand, Errand::Report(_)) && is_dry {
        return Err("`report` does nothing that could be left out".into());
    }
    Ok(Some(Request { errand, file }))
}

fn help(called: &str) -> String {
    format!(
        "Usage: {called} [STEP] [-c FILE] [--dry-run]
       {called} report [-c FILE] [--failed]

Makes what a configuration asks for before its programs run, and tells what was done and why. Done again, it finds
nothing to do. Exits with 0 if it is done, with 1 if it cannot be, with 2 if the configuration cannot be used.

  all                      every step, in this order (the default); a step that may fail (`on_failure=`) is only told
  ca-roots                 a bundle of the system's authorities and those of [ca-roots], and a Java trust store
  certificates             check what is provided for each [certificate:NAME], or make one

  report                   what became of the last boot
      --failed             of the last one in which something failed

  -c, --configuration FILE the configuration; without it the places are searched that supervisord searches
  -n, --dry-run            tell what would be done, and write nothing
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_line(line: &str) -> Result<Request, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match read(&words) {
            Ok(request) => Ok(request.unwrap()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_step_may_be_named_and_options_may_stand_anywhere() {
        let request = read_line("-c x.conf certificates --dry-run").unwrap();
        assert_eq!(
            request,
            Request {
                errand: Errand::Run {
                    step: Some(Step::Certificates),
                    is_dry: true
                },
                file: Some("x.conf".to_owned()),
            }
        );
        for (line, expected) in [
            (
                "",
                Errand::Run {
                    step: None,
                    is_dry: false,
                },
            ),
            (
                "ca-roots",
                Errand::Run {
                    step: Some(Step::CaRoots),
                    is_dry: false,
                },
            ),
            ("report", Errand::Report(Which::Last)),
            ("--failed report", Errand::Report(Which::LastFailed)),
        ] {
            assert_eq!(read_line(line).unwrap().errand, expected, "{line}");
        }
        for (line, expected) in [
            ("roots", "there is no step `roots`"),
            ("all --failed", "`--failed` is for `report`"),
            ("report -n", "`report` does nothing that could be left out"),
            (
                "ca-roots certificates",
                "unexpected argument \"certificates\"",
            ),
            ("ca-roots --wet", "invalid option '--wet'"),
        ] {
            assert_eq!(read_line(line).unwrap_err(), expected, "{line}");
        }
    }
}
