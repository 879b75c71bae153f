//! What a person could do.

use linchpin_config::{AutoRestart, LogFile, ProcessConfig};
use linchpin_python::shlex;

use crate::Supervisor;
use crate::explain::{Surroundings, program_of};
use crate::process::{Life, Process};
use crate::{ExitStatus, HowItEnded, ProcessState, Reason, SpawnFailure, SpawnFailureKind};

/// Where commands are looked for when there is no `PATH` at all.
const DEFAULT_PATH: &str = "/bin:/usr/bin:/usr/local/bin";

const EPERM: i32 = 1;

/// Most services that are looked at for the root of a wait.
const MOST_ROOTS: usize = 64;

impl Supervisor {
    /// What could be done about the state of a process, most useful first. Nothing where all is well.
    pub(super) fn advice(&self, process: &Process, surroundings: Surroundings<'_>) -> Vec<String> {
        let mut advice = Vec::new();
        if self.shutdown.is_some() && process.pid().is_none() {
            return advice;
        }
        self.advise_on_waits(process, surroundings, &mut advice);
        self.advise_about(process, surroundings, &mut advice);
        advice
    }

    fn advise_about(
        &self,
        process: &Process,
        surroundings: Surroundings<'_>,
        advice: &mut Vec<String>,
    ) {
        let name = process.spec();
        match process.state {
            ProcessState::Running => {}
            ProcessState::Stopped => {
                if process.was_killed {
                    let config = &process.config;
                    advice.push(format!(
                        "its stop signal did not end it within stopwaitsecs={}: raise that in [{}], or see what keeps it",
                        config.stopwaitsecs, config.section
                    ));
                }
                advice.push(format!("start it: supervisorctl start {name}"));
            }
            ProcessState::Starting => {
                if process.life == Life::Blocked && !process.remains.is_empty() {
                    advice.push(
                        "look who is left of it: ps -ef; what SIGKILL does not end hangs in the kernel, \
                         often on a file system that is away"
                            .to_owned(),
                    );
                }
            }
            ProcessState::Backoff | ProcessState::Fatal => {
                advise_on_end(process, surroundings, advice);
                if process.state == ProcessState::Fatal {
                    advice.push(format!(
                        "when the cause is mended, start it: supervisorctl start {name}"
                    ));
                }
            }
            ProcessState::Stopping => {
                if !process.was_killed && matches!(process.life, Life::Alive { .. }) {
                    advice.push(format!(
                        "if it need not end in order, end it now: supervisorctl signal KILL {name}"
                    ));
                }
            }
            ProcessState::Exited => {
                if self.is_to_start_again(process) {
                    return;
                }
                advise_on_end(process, surroundings, advice);
                advice.push(match process.config.autorestart {
                    AutoRestart::Never => format!(
                        "start it: supervisorctl start {name}; autorestart=true in [{}] starts it again by itself",
                        process.config.section
                    ),
                    AutoRestart::Unexpected => format!(
                        "start it: supervisorctl start {name}; if it should never end, set autorestart=true in [{}]",
                        process.config.section
                    ),
                    AutoRestart::Always => format!("start it: supervisorctl start {name}"),
                });
            }
            ProcessState::Unknown => advise_on_unknown(process, advice),
        }
    }

    /// What keeps a service waiting is to be mended where it begins, and not at the service.
    fn advise_on_waits(
        &self,
        process: &Process,
        surroundings: Surroundings<'_>,
        advice: &mut Vec<String>,
    ) {
        let mut seen = vec![process.id];
        let mut unseen = vec![process];
        while let Some(waiting) = unseen.pop() {
            for wait in self.needs(waiting) {
                let Some(needed) = wait.process.and_then(|id| self.processes.get(&id)) else {
                    let section = &waiting.config.section;
                    advice.push(format!(
                        "add {} to the configuration, or take it out of depends_on in [{section}]",
                        wait.on
                    ));
                    continue;
                };
                if seen.contains(&needed.id) || seen.len() > MOST_ROOTS {
                    continue;
                }
                seen.push(needed.id);
                unseen.push(needed);
            }
            if waiting.id != process.id && self.needs(waiting).is_empty() {
                let mut of_root = Vec::new();
                self.advise_about(waiting, surroundings, &mut of_root);
                let name = waiting.spec();
                advice.extend(of_root.into_iter().map(|text| format!("{name}: {text}")));
            }
        }
    }
}

fn advise_on_end(process: &Process, surroundings: Surroundings<'_>, advice: &mut Vec<String>) {
    let config = &process.config;
    let Some(last) = &process.last_end else {
        return;
    };
    match &last.how {
        HowItEnded::NotStarted(failure) => {
            advise_on_failure(config, failure, surroundings, advice);
        }
        HowItEnded::Ended {
            exec_failure: Some(step),
            ..
        } => advise_on_exec_failure(config, step, advice),
        HowItEnded::Ended {
            out_of_memory: true,
            ..
        } => advice.push(
            "give it more memory (the limit of the container or of its cgroup), or have it use less"
                .to_owned(),
        ),
        HowItEnded::Ended { status, .. } => {
            if matches!(process.reason, Reason::StopCompleted { .. }) {
                return;
            }
            advise_on_status(process, *status, surroundings, advice);
        }
    }
}

fn advise_on_status(
    process: &Process,
    status: ExitStatus,
    surroundings: Surroundings<'_>,
    advice: &mut Vec<String>,
) {
    let config = &process.config;
    let section = &config.section;
    match status {
        ExitStatus::Code(0) if process.state != ProcessState::Exited => {
            advice.push(format!(
                "it ended well before startsecs={}: if it goes into the background by itself, give it the option \
                 that keeps it in the foreground",
                config.startsecs
            ));
            advice.push(format!(
                "if it is meant to do its work and end, set startsecs=0 and autorestart=unexpected in [{section}]"
            ));
            return;
        }
        ExitStatus::Code(127) => advice.push(format!(
            "see that what it runs is installed and named right; it looks in PATH={}",
            searched_path(config, surroundings)
        )),
        ExitStatus::Code(126) => {
            advice.push("see that what it runs may be executed: chmod +x".to_owned());
        }
        ExitStatus::Code(0) => return,
        ExitStatus::Code(_) | ExitStatus::Signal { .. } => {}
    }
    advice.push(where_its_words_are(process));
}

/// Where to read what a process has written last.
fn where_its_words_are(process: &Process) -> String {
    let config = &process.config;
    let name = process.spec();
    let section = &config.section;
    let (stream, output) = if config.redirect_stderr {
        ("stdout", &config.stdout)
    } else {
        ("stderr", &config.stderr)
    };
    match &output.logfile {
        LogFile::None => format!(
            "what it writes to {stream} is thrown away ({stream}_logfile=NONE in [{section}]): keep it to see why it ends"
        ),
        LogFile::Path(path) if path.starts_with("/dev/") => {
            format!("read what it wrote last; its {stream} goes to {path}")
        }
        LogFile::Auto | LogFile::Path(_) => {
            format!("read what it wrote last: supervisorctl tail {name} {stream}")
        }
    }
}

fn advise_on_failure(
    config: &ProcessConfig,
    failure: &SpawnFailure,
    surroundings: Surroundings<'_>,
    advice: &mut Vec<String>,
) {
    let section = &config.section;
    let program = program_of(&config.command);
    match failure.kind {
        SpawnFailureKind::NoFile if program.contains('/') => advice.push(format!(
            "there is no file {program}: install it, or correct command in [{section}]"
        )),
        SpawnFailureKind::NoFile => advice.push(format!(
            "install {program}, or give its full path in command of [{section}]; it was looked for in PATH={}",
            searched_path(config, surroundings)
        )),
        SpawnFailureKind::NotExecutable if shlex::split(&config.command).is_err() => {
            advice.push(format!("correct the quotes in command of [{section}]"));
        }
        SpawnFailureKind::NotExecutable => advice.push(format!(
            "see that {program} is a program that may be executed: chmod +x, no directory, no noexec mount"
        )),
        SpawnFailureKind::Socket => advice.push(format!(
            "see that socket of [{section}] can be opened: nobody else has it, its directory exists"
        )),
        SpawnFailureKind::Other if failure.text.contains("too many open files") => {
            advice.push("raise the limit of open files (ulimit -n) of the daemon".to_owned());
        }
        SpawnFailureKind::Other => advice.push(format!(
            "see that its user, its directory and the places of its logs exist: [{section}]"
        )),
    }
}

/// The child said which step failed, with the name of the error at the end.
fn advise_on_exec_failure(config: &ProcessConfig, step: &str, advice: &mut Vec<String>) {
    let section = &config.section;
    let program = program_of(&config.command);
    advice.push(if step.contains("chdir") {
        format!("make the directory, or correct directory in [{section}]")
    } else if step.contains("setuid") {
        format!("run the daemon as root, or take user out of [{section}]")
    } else if step.ends_with("ENOENT") {
        format!(
            "{program} is there, and what runs it is not: its interpreter (the line #! at its head) or, for a \
             binary, its loader, which is another one on musl"
        )
    } else if step.ends_with("ENOEXEC") {
        format!(
            "{program} is no program for this machine: it is for another kind of processor, or a script without \
             a line #! at its head"
        )
    } else if step.ends_with("EACCES") {
        format!(
            "see that the user of [{section}] may execute {program} and enter all directories above it"
        )
    } else {
        format!("see that {program} can be run by hand, as the same user")
    });
}

fn advise_on_unknown(process: &Process, advice: &mut Vec<String>) {
    let refused = matches!(process.reason, Reason::SignalRefused { errno: EPERM });
    advice.push(match process.pid() {
        Some(pid) if refused => format!(
            "it has changed its user, and the daemon may not signal it: end it as root, kill {pid}, or run the \
             daemon as root"
        ),
        Some(pid) => format!("end it by hand: kill {pid}"),
        None => "nothing lives of it; restart the daemon to begin anew".to_owned(),
    });
}

fn searched_path<'a>(config: &'a ProcessConfig, surroundings: Surroundings<'a>) -> &'a str {
    config
        .environment
        .get("PATH")
        .map(String::as_str)
        .or(surroundings.path.filter(|path| !path.is_empty()))
        .unwrap_or(DEFAULT_PATH)
}
