//! `boot`: what is made before the programs run, all of it or one step at a time; and what became of it the last time.

use std::path::Path;
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt as _};
use linchpin_boot::sequence::{Step, Which, kept};
use linchpin_config::{
    LinchpinConfig, LoadFailure, LoadRequest, LoadedBoot, USAGE_EXIT_STATUS, load_boot, render_all,
};
use linchpin_daemon::{Booted, world_to_check};

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
    let load = LoadRequest {
        file: request.file.clone(),
        program: program_path(called),
        ..LoadRequest::default()
    };
    match request.errand {
        Errand::Report(which) => match load_boot(&world_to_check(&load), &load) {
            Ok(loaded) => show(&loaded, which),
            Err(failure) => unusable(&failure),
        },
        Errand::Run { step, is_dry } => {
            let wanted = match &step {
                Some(step) => std::slice::from_ref(step),
                None => &Step::ALL,
            };
            match (linchpin_daemon::boot(&load, wanted, is_dry), step) {
                (Ok(booted), Some(step)) => tell_step(step, booted.as_ref()),
                (Ok(booted), None) => tell_all(booted.as_ref()),
                (Err(failure), _) => unusable(&failure),
            }
        }
    }
}

fn unusable(failure: &LoadFailure) -> ExitCode {
    crate::complain(&render_all(&failure.problems));
    ExitCode::from(USAGE_EXIT_STATUS)
}

/// Tells of one step, in its own words.
fn tell_step(step: Step, booted: Option<&Booted>) -> ExitCode {
    let steps = booted.map_or(&[][..], |booted| &booted.report.steps);
    if steps.is_empty() {
        let lack = match step {
            Step::Settings => "no section [setting:NAME]",
            Step::Identity => "no user without an entry in passwd",
            Step::Directories => "no `directories` in [linchpin]",
            Step::Proxies => "no proxy to speak of",
            Step::Preflight => "no section [preflight:NAME]",
            Step::CaRoots => "no section [ca-roots]",
            Step::Certificates => "no section [certificate:NAME]",
            Step::Templates => "no section [template:NAME]",
        };
        return crate::say(&format!("the configuration has {lack}: nothing to do\n"));
    }
    let mut outcome = ExitCode::SUCCESS;
    for step in steps {
        let mut text = step.details.join("\n");
        if text.is_empty() && step.problem.is_none() {
            text.clone_from(&step.summary);
        }
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

/// Tells of a whole boot.
fn tell_all(booted: Option<&Booted>) -> ExitCode {
    let Some(booted) = booted else {
        return crate::say("the configuration declares nothing to make\n");
    };
    crate::say(&booted.report.to_string());
    if let Some(why) = &booted.unkept {
        crate::complain(&format!("Error: the report is not kept: {why}"));
    }
    if booted.report.is_failed() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Tells what became of a boot.
fn show(loaded: &LoadedBoot, which: Which) -> ExitCode {
    let linchpin = loaded.linchpin.as_ref();
    let Some(directory) = linchpin.and_then(LinchpinConfig::report_directory) else {
        crate::complain(&format!(
            "Error: {} names no `state_directory` in [linchpin], so no report is kept; a daemon that runs answers \
             `GET /api/v1/boot` with its own",
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
nothing to do. Exits with 0 if it is done, with 1 if it cannot be, with 2 if the configuration cannot be used. The daemon
does the same when it starts, and when it reads its configuration again.

  all                      every step, in this order (the default); a step that may fail (`on_failure=`) is only told
  settings                 find the values of every [setting:NAME], make missing secrets
  identity                 an entry in passwd for a user who has none
  directories              make what is missing of `directories` in [linchpin]
  proxies                  which variables about proxies programs are given besides those that are set
  preflight                whether the machine and the data are as each [preflight:NAME] says
  ca-roots                 a bundle of the system's authorities and those of [ca-roots], and a Java trust store
  certificates             check what is provided for each [certificate:NAME], or make one
  templates                make the file or folder of each [template:NAME], with the settings as they are

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
