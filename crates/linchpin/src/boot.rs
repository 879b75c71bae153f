//! `boot STEP`: what is made before the programs run, one step at a time.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use lexopt::{Arg, Parser, ValueExt as _};
use linchpin_boot::{ca_roots, certificates};
use linchpin_config::{
    LoadRequest, LoadedBoot, USAGE_EXIT_STATUS, World as _, load_boot, render_all,
};
use linchpin_daemon::SystemWorld;

use crate::supervisord::program_path;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    step: Step,
    file: Option<String>,
    is_dry: bool,
}

/// A step that can be done alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    CaRoots,
    Certificates,
}

impl Step {
    const ALL: [(&'static str, Self); 2] = [
        ("ca-roots", Self::CaRoots),
        ("certificates", Self::Certificates),
    ];
}

/// Exit status 0 if the step is done, 1 if it cannot be, 2 if the configuration cannot be used.
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
    match load_boot(&world, &load) {
        Ok(loaded) => step(&request, &loaded, world.environment()),
        Err(failure) => {
            crate::complain(&render_all(&failure.problems));
            ExitCode::from(USAGE_EXIT_STATUS)
        }
    }
}

fn step(request: &Request, loaded: &LoadedBoot, environment: &[(String, String)]) -> ExitCode {
    let now = now();
    match request.step {
        Step::CaRoots => {
            let Some(config) = &loaded.boot.ca_roots else {
                return crate::say(&format!(
                    "{} has no section [ca-roots]: nothing to do\n",
                    loaded.file
                ));
            };
            match ca_roots::make(config, environment, now, request.is_dry) {
                Ok(report) => crate::say(&report.listing(now).to_string()),
                Err(error) => fail(&format!("[ca-roots]: {error}")),
            }
        }
        Step::Certificates => {
            if loaded.boot.certificates.is_empty() {
                return crate::say(&format!(
                    "{} has no section [certificate:NAME]: nothing to do\n",
                    loaded.file
                ));
            }
            let mut outcome = ExitCode::SUCCESS;
            for config in &loaded.boot.certificates {
                match certificates::make(config, now, request.is_dry) {
                    Ok(report) => {
                        crate::say(&report.listing(now).to_string());
                        if report.is_failure() {
                            outcome = ExitCode::FAILURE;
                        }
                    }
                    Err(error) => {
                        outcome = fail(&format!("[certificate:{}]: {error}", config.name));
                    }
                }
            }
            outcome
        }
    }
}

fn fail(text: &str) -> ExitCode {
    crate::complain(&format!("Error: {text}"));
    ExitCode::FAILURE
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs().cast_signed())
}

/// None if help is wanted.
fn read(arguments: &[String]) -> Result<Option<Request>, lexopt::Error> {
    let (mut step, mut file, mut is_dry) = (None, None, false);
    let mut parser = Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Short('c') | Arg::Long("configuration") => {
                file = Some(parser.value()?.string()?);
            }
            Arg::Short('n') | Arg::Long("dry-run") => is_dry = true,
            Arg::Value(word) if step.is_none() => {
                let word = word.string()?;
                let known = Step::ALL.iter().find(|(name, _)| *name == word);
                step = Some(known.ok_or(format!("there is no step `{word}`"))?.1);
            }
            other @ (Arg::Short(_) | Arg::Long(_) | Arg::Value(_)) => {
                return Err(other.unexpected());
            }
        }
    }
    Ok(Some(Request {
        step: step.ok_or("which step?")?,
        file,
        is_dry,
    }))
}

fn help(called: &str) -> String {
    format!(
        "Usage: {called} STEP [-c FILE] [--dry-run]

Makes what a configuration asks for before its programs run, and tells what was done and why. Done again, it finds
nothing to do. Exits with 0 if the step is done, with 1 if it cannot be, with 2 if the configuration cannot be used.

  ca-roots                 a bundle of the system's authorities and those of [ca-roots], and a Java trust store
  certificates             check what is provided for each [certificate:NAME], or make one

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
    fn a_step_is_needed_and_options_may_stand_anywhere() {
        let request = read_line("-c x.conf certificates --dry-run").unwrap();
        assert_eq!(
            request,
            Request {
                step: Step::Certificates,
                file: Some("x.conf".to_owned()),
                is_dry: true
            }
        );
        assert_eq!(read_line("ca-roots").unwrap().step, Step::CaRoots);
        for (line, expected) in [
            ("", "which step?"),
            ("roots", "there is no step `roots`"),
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
