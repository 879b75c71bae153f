//! Commands that cannot run, or that expect a shell.

use linchpin_python::shlex;

use super::{Judge, one_process_of_each_section};
use crate::model::{Config, ProcessConfig};
use crate::options::service as options;
use crate::paths::{base_name, join};
use crate::service::ProbeKind;
use crate::source::Span;
use crate::world::World;

/// Words that mean something only to a shell.
const SHELL_OPERATORS: [&str; 9] = ["|", "||", "&&", "&", ";", ">", ">>", "<", "2>&1"];
/// Where programs are looked for when there is no `PATH`.
const DEFAULT_PATH: &str = "/bin:/usr/bin:/usr/local/bin";
/// A command that is in the binary: it is run where no program of that name is found.
const BUILT_IN: &str = "supervisor_stdout";

pub(super) fn judge(judge: &mut Judge<'_>, world: &dyn World, config: &Config) {
    for (_, process) in one_process_of_each_section(config) {
        let span = judge.span(&process.section, "command");
        one(judge, world, config, process, &process.command, span);
        missing_directory(judge, world, process);
        for (command, span) in further_commands(judge, process) {
            one(judge, world, config, process, &command, span);
        }
    }
}

/// The commands of options of ours: hooks, and probes that are commands.
fn further_commands(judge: &Judge<'_>, process: &ProcessConfig) -> Vec<(String, Option<Span>)> {
    let Some(service) = &process.service else {
        return Vec::new();
    };
    let hooks = &service.hooks;
    let hooks = [
        (&options::PRE_START, &hooks.pre_start),
        (&options::POST_START, &hooks.post_start),
        (&options::PRE_STOP, &hooks.pre_stop),
        (&options::POST_STOP, &hooks.post_stop),
        (&options::STOP_COMMAND, &hooks.stop_command),
        (&options::RELOAD_COMMAND, &hooks.reload_command),
    ];
    let mut commands = Vec::new();
    for (option, hook) in hooks {
        if let Some(hook) = hook {
            let span = judge.span(&process.section, option.command.name);
            commands.push((hook.command.clone(), span));
        }
    }
    for (option, checks) in [
        (&options::READINESS, &service.readiness),
        (&options::LIVENESS, &service.liveness),
    ] {
        for probe in checks.iter().flat_map(|checks| &checks.probes) {
            let ProbeKind::Exec { command } = &probe.kind else {
                continue;
            };
            let span = judge.written(&process.section, option.name).map(|entry| {
                entry.value.find(&probe.text).map_or_else(
                    || entry.value_span(),
                    |start| entry.span_of(start, start + probe.text.len()),
                )
            });
            commands.push((command.clone(), span));
        }
    }
    commands
}

fn one(
    judge: &mut Judge<'_>,
    world: &dyn World,
    config: &Config,
    process: &ProcessConfig,
    command: &str,
    span: Option<Span>,
) {
    let words = match shlex::split(command) {
        Ok(words) => words,
        Err(error) => {
            judge.warn(
                span,
                format!("this command cannot be split into words ({error}), so it never starts"),
                "close the quotation mark, or double the backslash",
            );
            return;
        }
    };
    let Some(program) = words.first() else {
        judge.warn(
            span,
            "there is no command here, so nothing can be started",
            "write a command",
        );
        return;
    };
    if !is_found(world, config, process, program) {
        let message = format!("the program `{program}` is not there or cannot be executed");
        let help = if program.contains('/') {
            "correct the path, install the program, or make it executable"
        } else {
            "write the whole path, install the program, or set `PATH` in `environment`"
        };
        judge.warn(span, message, help);
    }
    shell_syntax(judge, span, &words);
}

fn is_found(world: &dyn World, config: &Config, process: &ProcessConfig, program: &str) -> bool {
    if program == BUILT_IN {
        return true;
    }
    if program.contains('/') {
        return world.is_executable(program);
    }
    let own = process
        .environment
        .get("PATH")
        .or_else(|| config.supervisord.environment.get("PATH"));
    let path = own
        .map(String::as_str)
        .or_else(|| world.variable("PATH"))
        .filter(|path| !path.is_empty())
        .unwrap_or(DEFAULT_PATH);
    path.split(':')
        .any(|directory| world.is_executable(&join(directory, program)))
}

fn shell_syntax(judge: &mut Judge<'_>, span: Option<Span>, words: &[String]) {
    let program = words.first().map_or("", |program| base_name(program));
    // A shell or another interpreter of commands may well be given such words.
    if matches!(
        program,
        "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" | "busybox" | "env" | "ssh"
    ) {
        return;
    }
    let operator = words
        .iter()
        .skip(1)
        .find(|word| SHELL_OPERATORS.contains(&word.as_str()));
    let variable = words.iter().find(|word| is_variable(word));
    if let Some(operator) = operator {
        judge.warn(
            span,
            format!(
                "`{operator}` is passed to the program as an argument, because no shell is involved"
            ),
            "run it by a shell: `/bin/sh -c \"exec …\"`",
        );
    } else if let Some(variable) = variable {
        let name = variable
            .trim_start_matches(['$', '{'])
            .trim_end_matches('}');
        // Known only when the command runs.
        let help = if matches!(name, "MAINPID" | "SERVICE_RESULT") {
            format!("run it by a shell: `/bin/sh -c \"… ${name}\"`")
        } else {
            format!("write `%(ENV_{name})s`")
        };
        judge.warn(
            span,
            format!("`{variable}` is passed to the program as it is, because no shell is involved"),
            help,
        );
    }
}

/// `$NAME` or `${NAME}` as a whole word.
fn is_variable(word: &str) -> bool {
    let Some(rest) = word.strip_prefix('$') else {
        return false;
    };
    let name = rest
        .strip_prefix('{')
        .map_or(Some(rest), |inside| inside.strip_suffix('}'));
    name.is_some_and(|name| {
        !name.is_empty()
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && name
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || character == '_')
    })
}

/// The working directory is looked for only when the process is started.
fn missing_directory(judge: &mut Judge<'_>, world: &dyn World, process: &ProcessConfig) {
    let Some(directory) = process.directory.as_deref().filter(|path| !path.is_empty()) else {
        return;
    };
    let span = judge.span(&process.section, "directory");
    if directory.starts_with('~') {
        judge.warn(
            span,
            "`~` is not expanded in `directory`",
            "write the whole path, or `%(ENV_HOME)s`",
        );
    } else if !world.is_directory(directory) {
        judge.warn(
            span,
            format!("the directory `{directory}` is not there, so the program cannot be started"),
            "make the directory, or correct the path",
        );
    }
}
