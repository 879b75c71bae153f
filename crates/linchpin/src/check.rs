//! `check FILE`: what is wrong, or likely to be, without starting anything.

use std::process::ExitCode;

use linchpin_config::{LoadRequest, USAGE_EXIT_STATUS, check, render_all};
use linchpin_daemon::SystemWorld;

/// Exit status 0 if the file can be used, whatever there is to warn of; 2 if it cannot.
pub(crate) fn run(called: &str, arguments: &[String]) -> ExitCode {
    let [file] = arguments else {
        crate::complain(&format!("Usage: {called} FILE"));
        return ExitCode::from(USAGE_EXIT_STATUS);
    };
    if matches!(file.as_str(), "-h" | "--help") {
        return crate::say(&format!(
            "Usage: {called} FILE\n\nLooks for mistakes in a configuration and starts nothing. Exits with 0 if the file \
             can be used\n(warnings or not), with 2 if it cannot.\n"
        ));
    }
    let request = LoadRequest {
        file: Some(file.clone()),
        ..LoadRequest::default()
    };
    let report = check(&SystemWorld::now(), &request);
    let mut text = render_all(report.problems.iter().chain(&report.warnings));
    if !text.is_empty() {
        text.push('\n');
    }
    let (problems, warnings) = (report.problems.len(), report.warnings.len());
    let verdict = match &report.config {
        Some(config) => {
            let processes: usize = config
                .groups
                .iter()
                .map(|group| group.processes.len())
                .sum();
            format!(
                "can be used: {} groups, {processes} processes",
                config.groups.len()
            )
        }
        None => format!("cannot be used: {problems} problems"),
    };
    crate::say(&format!("{text}{file} {verdict}; {warnings} warnings\n"));
    if report.config.is_some() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(USAGE_EXIT_STATUS)
    }
}
