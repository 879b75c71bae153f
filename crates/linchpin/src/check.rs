//! `check FILE`: what is wrong, or likely to be, without starting anything. `check --compat FILE`: what the file
//! means here and not to the original.

use std::process::ExitCode;

use linchpin_config::{
    BuiltIn, CompatReport, LoadRequest, Severity, USAGE_EXIT_STATUS, check, check_compat,
    render_all,
};
use linchpin_daemon::world_to_check;

/// Exit status 0 if the file can be used, whatever there is to warn of; 2 if it cannot.
pub(crate) fn run(called: &str, arguments: &[String]) -> ExitCode {
    match arguments {
        [word] if matches!(word.as_str(), "-h" | "--help") => crate::say(&help(called)),
        [word, file] | [file, word] if word == "--compat" => compare(file),
        [file] if !file.starts_with('-') => judge(file),
        _ => {
            crate::complain(help(called).trim_end());
            ExitCode::from(USAGE_EXIT_STATUS)
        }
    }
}

fn help(called: &str) -> String {
    format!(
        "Usage: {called} [--compat] FILE

Looks for mistakes in a configuration and starts nothing. Exits with 0 if the file can be used (warnings or not),
with 2 if it cannot.

  --compat   Say instead what the file means here and not to Supervisor 4.3.0, if anything. Exits with 1 if there
             is something without which the daemon does not start.
"
    )
}

fn judge(file: &str) -> ExitCode {
    let request = LoadRequest {
        file: Some(file.to_owned()),
        ..LoadRequest::default()
    };
    let report = check(&world_to_check(&request), &request);
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
    let off: Vec<String> = report
        .config
        .iter()
        .flat_map(|config| &config.switched_off)
        .map(|off| {
            format!(
                "switched off: {}:{}, because its condition is not true: {}\n",
                off.group, off.name, off.condition
            )
        })
        .collect();
    let off = off.concat();
    crate::say(&format!(
        "{text}{off}{file} {verdict}; {warnings} warnings\n"
    ));
    if report.config.is_some() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(USAGE_EXIT_STATUS)
    }
}

fn compare(file: &str) -> ExitCode {
    let request = LoadRequest {
        file: Some(file.to_owned()),
        ..LoadRequest::default()
    };
    let built_in = BuiltIn {
        rpc_interfaces: &linchpin_daemon::RPC_INTERFACES,
        control_plugins: &linchpin_ctl::PLUGINS,
        result_handlers: &linchpin_daemon::RESULT_HANDLERS,
    };
    let CompatReport {
        problems,
        differences,
    } = check_compat(&world_to_check(&request), &request, built_in);
    if !problems.is_empty() {
        let text = render_all(&problems);
        crate::say(&format!(
            "{text}\n{file} cannot be used, here or by Supervisor: {} problems\n",
            problems.len()
        ));
        return ExitCode::from(USAGE_EXIT_STATUS);
    }
    if differences.is_empty() {
        return crate::say(&format!("{file} runs here as it does under Supervisor\n"));
    }
    let refuses_to_start = differences
        .iter()
        .any(|difference| difference.severity == Severity::Error);
    let text = render_all(&differences);
    let count = differences.len();
    crate::say(&format!("{text}\n{file}: {count} differences\n"));
    if refuses_to_start {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
