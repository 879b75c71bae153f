//! The multi-call binary: which program is called. Those that are a page long are here themselves.
//!
//! Called as `supervisord`, `supervisorctl`, `pidproxy` or `echo_supervisord_conf` (a link will do), or with that word
//! as the first argument, it takes exactly the original's options.
#![forbid(unsafe_code)]

mod boot;
mod check;
mod pidproxy;
mod run;
mod supervisor_stdout;
mod supervisorctl;
mod supervisord;

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use linchpin_ctl::Errand;
use linchpin_daemon::SystemWorld;

/// The programs in this binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Supervisord,
    Supervisorctl,
    EchoSupervisordConf,
    Pidproxy,
    SupervisorStdout,
    Boot,
    Check,
    Run,
    Ask(Errand),
    Settings,
}

impl Program {
    const ALL: [(&'static str, Self); 13] = [
        ("supervisord", Self::Supervisord),
        ("supervisorctl", Self::Supervisorctl),
        ("echo_supervisord_conf", Self::EchoSupervisordConf),
        ("pidproxy", Self::Pidproxy),
        ("supervisor_stdout", Self::SupervisorStdout),
        ("boot", Self::Boot),
        ("check", Self::Check),
        ("status", Self::Ask(Errand::Status)),
        ("why", Self::Ask(Errand::Why)),
        ("events", Self::Ask(Errand::Events)),
        ("reload", Self::Ask(Errand::Reload)),
        ("run", Self::Run),
        ("settings", Self::Settings),
    ];

    fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, program)| *program)
    }

    /// As [`named`](Self::named), for the name by which the binary is called: common words are not among those.
    fn called_as(name: &str) -> Option<Self> {
        Self::named(name).filter(|program| {
            !matches!(
                program,
                Self::Boot | Self::Check | Self::Run | Self::Ask(_) | Self::Settings
            )
        })
    }
}

fn main() -> ExitCode {
    linchpin_sys::memory::share_one_arena();
    let mut words = Vec::new();
    for word in std::env::args_os() {
        match OsString::into_string(word) {
            Ok(word) => words.push(word),
            Err(word) => {
                complain(&format!(
                    "Error: the argument {} is not UTF-8 text",
                    word.display()
                ));
                return ExitCode::from(2);
            }
        }
    }
    let mut words = words.into_iter();
    let called = words.next().unwrap_or_default();
    let name = Path::new(&called)
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let arguments: Vec<String> = words.collect();
    if let Some(program) = Program::called_as(name) {
        return run(program, &called, &arguments);
    }
    match arguments.split_first() {
        Some((first, rest)) if Program::named(first).is_some() => match Program::named(first) {
            Some(program) => run(program, &format!("{called} {first}"), rest),
            None => ExitCode::from(2),
        },
        Some((first, _)) if first == "--version" || first == "-V" => {
            say(&format!("linchpin {}\n", env!("CARGO_PKG_VERSION")))
        }
        Some((first, _)) if first == "--help" || first == "-h" || first == "help" => {
            say(&help(&called))
        }
        // `linchpin -n -c FILE` is what somebody writes who replaces the name in a Dockerfile.
        Some((first, _)) if first.starts_with('-') => {
            run(Program::Supervisord, &called, &arguments)
        }
        Some((first, _)) => {
            complain(&format!(
                "Error: there is no command '{first}'\n\n{}",
                help(&called)
            ));
            ExitCode::from(2)
        }
        None => {
            complain(&help(&called));
            ExitCode::from(2)
        }
    }
}

fn run(program: Program, called: &str, arguments: &[String]) -> ExitCode {
    match program {
        Program::Supervisord => supervisord::run(called, arguments),
        Program::Supervisorctl => supervisorctl::run(called, arguments),
        Program::EchoSupervisordConf => say(&linchpin_config::sample_configuration()),
        Program::Pidproxy => pidproxy::run(called, arguments),
        Program::SupervisorStdout => supervisor_stdout::run(),
        Program::Boot => boot::run(called, arguments),
        Program::Check => check::run(called, arguments),
        Program::Run => run::run(called, arguments),
        Program::Settings => ExitCode::from(linchpin_ctl::manage_settings(
            &SystemWorld::now(),
            called,
            arguments,
        )),
        Program::Ask(errand) => ExitCode::from(linchpin_ctl::ask(
            &SystemWorld::now(),
            errand,
            called,
            arguments,
        )),
    }
}

fn help(called: &str) -> String {
    format!(
        "Linchpin keeps the processes of a container or a machine alive.

Usage:
  {called} supervisord [options]          the daemon; -h shows its options
  {called} supervisorctl [options] [command]   its client; -h shows its options
  {called} run -c FILE                    the entry point of a container
  {called} run [options] -- COMMAND...   one command as the only service of a container
  {called} status [NAME...]               how everything is; --wait ready waits for it, --watch goes on
  {called} why NAME...                    why a service is in its state, and what you could do
  {called} events [NAME...]               what has happened; --since 10m, --follow
  {called} reload NAME...                 have a service read its own configuration again
  {called} settings [COMMAND]             settings of the product: list, get, set, explain, history, rollback ...
  {called} check [--compat] FILE          look for mistakes in a configuration, start nothing; with --compat, for
                                          what it means here and not to Supervisor
  {called} boot [STEP] [-c FILE] [--dry-run]
                                          make certificates and bundles of trusted authorities; -h shows the steps
  {called} boot report                    what became of the last boot
  {called} echo_supervisord_conf          print a sample configuration
  {called} pidproxy PIDFILE COMMAND...    run a command, pass signals on to the daemon that it starts
  {called} supervisor_stdout              the event listener of that name
  {called} --version

Linked or renamed to supervisord, supervisorctl, pidproxy, echo_supervisord_conf or supervisor_stdout, it is that program.
"
    )
}

/// Prints on standard output. What nobody reads is not an error of ours.
fn say(text: &str) -> ExitCode {
    let mut output = std::io::stdout();
    let _ = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
    ExitCode::SUCCESS
}

fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
