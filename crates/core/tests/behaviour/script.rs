//! Scripts: what happens, line by line, and under each line, indented, everything that the core does.
//!
//! A script begins with `== its name` and lines that describe programs; then come events. Answers that no
//! script would be interesting for come by themselves: signals are sent, commands can be run, unless a
//! line says something else before.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use linchpin_config::{
    AutoRestart, Config, EventListenerPool, EventType, GroupKind, LinchpinConfig, ProcessConfig,
};
use linchpin_core::{
    Action, Actions, Channel, Check, Command, Delivery, Event, ExitStatus, Generation, HookPoint,
    MarkerState, Monotonic, Notice, Now, OperationId, Outcome, OutputKind, ProcessId,
    ShutdownCause, SignalOutcome, SignalTarget, SocketId, SpawnFailure, SpawnFailureKind,
    Supervisor, Target, Wall,
};

use crate::{check_words, fastcgi, service, service_words, support, why};

const SECOND: f64 = 1e9;

/// Plays every script of a text and compares each with what it says.
pub(crate) fn check(text: &str) {
    let mut actual = String::new();
    let mut differing = Vec::new();
    let mut count = 0;
    for script in text.split("\n== ").skip(1) {
        let script = format!("== {}\n", script.trim_end());
        let played = play(&script);
        if played != script {
            differing.push(script.lines().next().unwrap_or_default().to_owned());
        }
        actual.push_str(&played);
        actual.push('\n');
        count += 1;
    }
    assert!(count > 0, "no script at all");
    assert!(
        differing.is_empty(),
        "{} of {count} scripts went differently: {differing:#?}\n{actual}",
        differing.len()
    );
}

fn play(script: &str) -> String {
    let mut stage = Stage::default();
    let mut output = String::new();
    for line in script.lines().filter(|line| !line.starts_with("  ")) {
        output.push_str(line);
        output.push('\n');
        if line.starts_with("==") || line.starts_with('#') {
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        stage.act(&words);
        if stage.is_quiet && !matches!(words[0], "why" | "show") {
            stage.output.clear();
        }
        output.push_str(&std::mem::take(&mut stage.output));
    }
    output
}

/// A process of a configuration, and the group that it is in.
struct Program {
    group: String,
    group_priority: i64,
    pool: Option<EventListenerPool>,
    process: ProcessConfig,
    /// It makes its group an fcgi-program, or is one in its group.
    socket: Option<Socket>,
}

#[derive(Clone)]
enum Socket {
    OfGroup(String),
    OfMember(String),
}

/// A core, and what is needed to talk to it in words.
#[derive(Default)]
struct Stage {
    programs: Vec<Program>,
    next_programs: Vec<Program>,
    linchpin: Option<LinchpinConfig>,
    supervisor: Option<Supervisor>,
    nanoseconds: u64,
    wall_offset: i64,
    names: BTreeMap<ProcessId, String>,
    /// The starts of each process, the latest last.
    starts: BTreeMap<String, Vec<(ProcessId, Generation)>>,
    checks: Vec<(OperationId, ProcessId)>,
    /// Sockets that are being tried.
    trials: Vec<OperationId>,
    holds_checks: bool,
    signal_outcome: Option<SignalOutcome>,
    /// What becomes of the next events that are sent, if not all goes well.
    deliveries: Vec<Delivery>,
    /// Hooks under way, by process and point, as the shell knows them.
    hooks: BTreeMap<(String, String), (ProcessId, Generation, HookPoint)>,
    /// Markers being read or written.
    markers: BTreeMap<String, (ProcessId, Generation)>,
    /// The number of the latest attempt of each check.
    attempts: BTreeMap<(ProcessId, Check), u32>,
    next_operation: u64,
    /// Only what is asked for is told, and not what the core does.
    is_quiet: bool,
    output: String,
}

impl Stage {
    fn act(&mut self, words: &[&str]) {
        let name = words.get(1).copied().unwrap_or_default();
        match words[0] {
            "program" | "listener" => {
                let program = program(words[0], &words[1..]);
                self.programs.push(program);
            }
            "next" => {
                let program = program(words[1], &words[2..]);
                self.next_programs.push(program);
            }
            "linchpin" => self.linchpin = Some(service::linchpin(&words[1..])),
            "boot" => {
                let mut config = config(&self.programs);
                config.linchpin.clone_from(&self.linchpin);
                self.supervisor = Some(Supervisor::new(&config));
                self.feed(Event::Boot);
            }
            "wait" => self.wait(name.parse().expect("seconds")),
            "late" => {
                self.nanoseconds += nanoseconds(name.parse().expect("seconds"));
                self.act(&words[2..]);
            }
            "wall" => {
                let seconds: i64 = name.parse().expect("seconds");
                self.wall_offset += seconds * 1_000_000_000;
            }
            "hold-checks" => self.holds_checks = true,
            "signals-are" => {
                self.signal_outcome = Some(match name {
                    "sent" => SignalOutcome::Sent,
                    "gone" => SignalOutcome::Gone,
                    errno => SignalOutcome::Refused(errno.parse().expect("errno")),
                });
            }
            "checked" => {
                let (operation, process) = self.checks.remove(0);
                assert_eq!(self.names[&process], name, "checks are in order");
                let failure = failure(&words[2..]);
                self.feed(Event::CommandChecked {
                    operation,
                    process,
                    failure,
                });
            }
            "spawned" => {
                let (process, generation) = self.start(name, words);
                self.feed(Event::Spawned {
                    process,
                    generation,
                    pid: words[2].parse().expect("pid"),
                    exec_failure: words
                        .contains(&"exec-failed")
                        .then(|| "exec: ENOEXEC".to_owned()),
                });
            }
            "spawn-failed" => {
                let (process, generation) = self.start(name, words);
                let failure = failure(&words[2..]).expect("a failure");
                self.feed(Event::SpawnFailed {
                    process,
                    generation,
                    failure,
                });
            }
            "exited" => {
                let (process, generation) = self.start(name, words);
                let number = words[3].parse().expect("status");
                let status = match words[2] {
                    "code" => ExitStatus::Code(number),
                    _ => ExitStatus::Signal {
                        signal: number,
                        core_dumped: words.contains(&"core"),
                    },
                };
                self.feed(Event::Exited {
                    process,
                    generation,
                    status,
                    drained: !words.contains(&"undrained"),
                    group_alive: words.contains(&"survivors"),
                });
            }
            "out-of-memory" => {
                let (process, generation) = self.start(name, words);
                self.feed(Event::OutOfMemory {
                    process,
                    generation,
                });
            }
            // `hook-ended web pre_start`, and why it failed if it did.
            "hook-ended" => {
                let point = words[2];
                let (process, generation, point) = self
                    .hooks
                    .remove(&(name.to_owned(), point.to_owned()))
                    .expect("it is under way");
                let failure = (words.len() > 3).then(|| words[3..].join(" "));
                self.feed(Event::HookEnded {
                    process,
                    generation,
                    point,
                    failure,
                });
            }
            // `marker-opened web fresh`, `interrupted`, `committed`, or why it cannot be read.
            "marker-opened" => {
                let (process, generation) = self.markers.remove(name).expect("it is being opened");
                self.feed(Event::MarkerOpened {
                    process,
                    generation,
                    state: match words[2] {
                        "committed" => MarkerState::Committed,
                        "fresh" => MarkerState::Fresh,
                        "interrupted" => MarkerState::Interrupted,
                        _ => MarkerState::Failed(words[2..].join(" ")),
                    },
                });
            }
            // `marker-committed web`, and why it could not be written if so.
            "marker-committed" => {
                let (process, generation) = self.markers.remove(name).expect("it is being written");
                let failure = (words.len() > 2).then(|| words[2..].join(" "));
                self.feed(Event::MarkerCommitted {
                    process,
                    generation,
                    failure,
                });
            }
            "tried" => {
                let operation = self.trials.remove(0);
                let failure = (words.len() > 1).then(|| words[1..].join(" "));
                self.feed(Event::SocketTried { operation, failure });
            }
            "drained" => {
                let (process, generation) = self.start(name, words);
                self.feed(Event::Drained {
                    process,
                    generation,
                });
            }
            "says" => {
                let (process, generation) = self.start(name, words);
                let text = words[2..].join(" ").replace("\\n", "\n");
                self.feed(Event::ListenerOutput {
                    process,
                    generation,
                    data: text.into_bytes(),
                });
            }
            "next-sends-are" => {
                self.deliveries = words[1..].iter().rev().map(|word| delivery(word)).collect();
            }
            "input-drained" => {
                let (process, generation) = self.start(name, words);
                self.feed(Event::InputDrained {
                    process,
                    generation,
                });
            }
            "remote" => self.feed(Event::RemoteCommunication {
                kind: name.to_owned(),
                data: words[2..].join(" "),
            }),
            "wrote" => {
                let (process, _) = self.start(name, words);
                self.feed(Event::ProcessOutput {
                    process,
                    kind: match words[2] {
                        "log" => OutputKind::Log,
                        _ => OutputKind::Communication,
                    },
                    channel: match words[3] {
                        "stdout" => Channel::Stdout,
                        _ => Channel::Stderr,
                    },
                    pid: 1,
                    data: words[4..].join(" ").into_bytes(),
                });
            }
            // `probed web readiness 0 pass`; an earlier attempt is `readiness#2`.
            "probed" => {
                let (process, generation) = self.start(name, words);
                let (purpose, attempt) = words[2].split_once('#').unzip();
                let check = check_words::check(purpose.unwrap_or(words[2]), words[3]);
                let attempt = attempt.map_or_else(
                    || self.attempts.get(&(process, check)).copied().unwrap_or(0),
                    |attempt| attempt.parse().expect("a number"),
                );
                let answer: Vec<&str> = words[4..]
                    .iter()
                    .filter(|word| !word.starts_with('^'))
                    .copied()
                    .collect();
                self.feed(Event::Probed {
                    process,
                    generation,
                    check,
                    attempt,
                    outcome: check_words::outcome(&answer),
                });
            }
            "notified" => {
                let (process, generation) = self.start(name, words);
                self.feed(Event::Notified {
                    process,
                    generation,
                    notification: check_words::notification(&words[2..]),
                });
            }
            "memory" => {
                let (process, generation) = self.start(name, words);
                self.feed(Event::MemoryMeasured {
                    process,
                    generation,
                    bytes: words[2].parse().expect("bytes"),
                });
            }
            "show-service" => self.show_service(name),
            "wake" => self.feed(Event::Wake),
            "group-gone" => {
                let (_, generation) = self.start(name, words);
                self.feed(Event::GroupGone { generation });
            }
            "start" | "stop" | "signal" | "add" | "remove" | "insert" | "take" | "reload"
            | "reload-service" => {
                self.command(words);
            }
            "shutdown" | "restart" => self.feed(Event::Shutdown {
                restart: words[0] == "restart",
                cause: ShutdownCause::Client,
            }),
            "sigterm" | "sighup" => self.feed(Event::Shutdown {
                restart: words[0] == "sighup",
                cause: ShutdownCause::Signal(if words[0] == "sighup" { 1 } else { 15 }),
            }),
            "freeze" => {
                let bytes = self.supervisor().freeze().expect("it freezes");
                self.supervisor = Some(Supervisor::restore(&bytes).expect("it thaws"));
            }
            "successor" => {
                let config = config(&self.programs);
                let next = self.supervisor().successor(&config);
                self.supervisor = Some(next);
                self.feed(Event::Boot);
            }
            "show" => self.show(name),
            "why" => self.why(name),
            "quiet" => self.is_quiet = true,
            other => panic!("a script says {other}"),
        }
    }

    fn supervisor(&mut self) -> &mut Supervisor {
        self.supervisor.as_mut().expect("boot comes first")
    }

    /// The latest start of a process, or an earlier one: `^1` is the one before.
    fn start(&self, name: &str, words: &[&str]) -> (ProcessId, Generation) {
        let back = words
            .iter()
            .find_map(|word| word.strip_prefix('^'))
            .map_or(0, |back| back.parse().expect("a number"));
        let starts = self.starts.get(name).expect("it was started");
        starts[starts.len() - 1 - back]
    }

    fn command(&mut self, words: &[&str]) {
        let target = Target::parse(words.get(1).copied().unwrap_or_default());
        let target = if words.get(1) == Some(&"all") {
            Target::All
        } else {
            target
        };
        let name = words.get(1).copied().unwrap_or_default().to_owned();
        let wait = !words.contains(&"nowait");
        let command = match words[0] {
            "start" => Command::Start { target, wait },
            "stop" => Command::Stop { target, wait },
            "signal" => Command::Signal {
                target,
                signal: words[2].parse().expect("a number"),
            },
            "reload-service" => Command::ReloadService { target },
            "add" => Command::AddGroup { name },
            "remove" => Command::RemoveGroup { name },
            "insert" => Command::AddProcesses {
                group: name,
                processes: vec![Arc::new(program("program", &words[2..]).process)],
            },
            "take" => Command::RemoveProcess {
                group: name,
                name: words[2].to_owned(),
            },
            _ => Command::Reload {
                config: Box::new(config(&self.next_programs)),
            },
        };
        self.next_operation += 1;
        let operation = OperationId(self.next_operation);
        self.feed(Event::Command { operation, command });
    }

    fn wait(&mut self, seconds: f64) {
        let end = self.nanoseconds + nanoseconds(seconds);
        while let Some(next) = self.next_deadline()
            && next <= end
        {
            self.nanoseconds = next;
            let length = self.output.len();
            self.feed(Event::Wake);
            if self.output.len() > length {
                let time = format!("  at {} s\n", decimal(self.nanoseconds));
                self.output.insert_str(length, &time);
            }
        }
        self.nanoseconds = end;
    }

    /// The next deadline by either clock.
    fn next_deadline(&mut self) -> Option<u64> {
        let by_wall = self.supervisor().next_wall_deadline();
        let by_wall = by_wall.map(|at| u64::try_from(at.0 - self.wall_offset).unwrap_or(0));
        let monotonic = self.supervisor().next_deadline().map(|at| at.0);
        monotonic.into_iter().chain(by_wall).min()
    }

    fn now(&self) -> Now {
        Now {
            monotonic: Monotonic(self.nanoseconds),
            wall: Wall(i64::try_from(self.nanoseconds).expect("short scripts") + self.wall_offset),
        }
    }

    fn feed(&mut self, event: Event) {
        let now = self.now();
        let mut actions = Actions::new();
        self.supervisor().handle(event, now, &mut actions);
        let mut answers = Vec::new();
        for action in actions {
            self.tell(&action);
            match action {
                Action::Signal {
                    process,
                    generation,
                    purpose,
                    ..
                } => answers.push(Event::Signalled {
                    process,
                    generation,
                    purpose,
                    outcome: self.signal_outcome.unwrap_or(SignalOutcome::Sent),
                }),
                Action::CheckCommand {
                    operation, process, ..
                } if self.holds_checks => self.checks.push((operation, process)),
                Action::CheckCommand {
                    operation, process, ..
                } => answers.push(Event::CommandChecked {
                    operation,
                    process,
                    failure: None,
                }),
                Action::SendEvent {
                    process,
                    generation,
                    ..
                } => answers.push(Event::Delivered {
                    process,
                    generation,
                    delivery: self.deliveries.pop().unwrap_or(Delivery::Taken),
                }),
                Action::TrySocket { operation, .. } => self.trials.push(operation),
                Action::Spawn { .. }
                | Action::OpenSocket { .. }
                | Action::CloseSocket { .. }
                | Action::Release { .. }
                | Action::FollowGroup { .. }
                | Action::ForgetGroup { .. }
                | Action::NameSurvivors { .. }
                | Action::ProcessAdded { .. }
                | Action::ProcessRemoved { .. }
                | Action::Publish(_)
                | Action::Print(_)
                | Action::Log(_)
                | Action::Probe { .. }
                | Action::RunHook { .. }
                | Action::CancelHook { .. }
                | Action::OpenMarker { .. }
                | Action::CommitMarker { .. }
                | Action::MeasureMemory { .. }
                | Action::AdoptMain { .. }
                | Action::Record(_)
                | Action::Reply { .. }
                | Action::Finished { .. } => {}
            }
        }
        for answer in answers {
            self.feed(answer);
        }
    }

    fn tell(&mut self, action: &Action) {
        let name = |process: &ProcessId| {
            self.names
                .get(process)
                .cloned()
                .unwrap_or_else(|| "nobody".to_owned())
        };
        let line = match action {
            Action::Spawn {
                process,
                generation,
                socket,
                ..
            } => {
                let name = name(process);
                let mut line = format!("spawn {name}");
                if let Some(SocketId(socket)) = socket {
                    let _ = write!(line, " with socket {socket}");
                }
                let starts = self.starts.entry(name).or_default();
                starts.push((*process, *generation));
                line
            }
            Action::Signal {
                process,
                target,
                signal,
                ..
            } => {
                let whom = match target {
                    SignalTarget::Process(pid) => format!("process {pid}"),
                    SignalTarget::Group(pid) => format!("group {pid}"),
                };
                format!("signal {signal} to {} ({whom})", name(process))
            }
            Action::OpenSocket { socket, config } => {
                format!("open socket {} {}", socket.0, config.url)
            }
            Action::CloseSocket { socket } => format!("close socket {}", socket.0),
            Action::TrySocket { config, .. } => format!("try {}", config.url),
            Action::CheckCommand { process, .. } => format!("check {}", name(process)),
            Action::Release { process, .. } => format!("release {}", name(process)),
            Action::FollowGroup { pgid, .. } => format!("follow group {pgid}"),
            Action::ForgetGroup { .. } => "forget group".to_owned(),
            Action::NameSurvivors { name, pgid, .. } => {
                format!("name survivors of {name} ({pgid})")
            }
            Action::ProcessAdded {
                process,
                config,
                group,
            } => {
                let name = if config.name == *group {
                    group.clone()
                } else {
                    format!("{group}:{}", config.name)
                };
                self.names.insert(*process, name);
                return;
            }
            Action::ProcessRemoved { process } => format!("process {} removed", name(process)),
            Action::Publish(notice) => self.notice(notice),
            Action::Print(text) => format!("print {text:?}"),
            Action::SendEvent {
                process,
                pool,
                serial,
                pool_serial,
                notice,
                ..
            } => format!(
                "event {serial} ({pool} {pool_serial}) to {}: {}",
                name(process),
                event(notice)
            ),
            Action::Log(message) => format!("{} {message}", message.level().code()),
            Action::Probe {
                process,
                check,
                attempt,
                ..
            } => {
                self.attempts.insert((*process, *check), *attempt);
                format!(
                    "probe {} {} {} (attempt {attempt})",
                    name(process),
                    check.purpose.name(),
                    check.index
                )
            }
            Action::RunHook {
                process,
                generation,
                point,
                pid,
                ..
            } => {
                let name = name(process);
                let mut line = format!("run {} of {name}", point.name());
                if let Some(pid) = pid {
                    let _ = write!(line, " (process {pid})");
                }
                let key = (name, point.name().to_owned());
                self.hooks.insert(key, (*process, *generation, *point));
                line
            }
            Action::CancelHook { process, point, .. } => {
                let name = name(process);
                let line = format!("cancel {} of {name}", point.name());
                self.hooks.remove(&(name, point.name().to_owned()));
                line
            }
            Action::OpenMarker {
                process,
                generation,
                path,
                is_noted,
            } => {
                let name = name(process);
                let noted = if *is_noted { ", noted before" } else { "" };
                let line = format!("open marker {path} of {name}{noted}");
                self.markers.insert(name, (*process, *generation));
                line
            }
            Action::CommitMarker {
                process,
                generation,
                path,
            } => {
                let name = name(process);
                let line = format!("commit marker {path} of {name}");
                self.markers.insert(name, (*process, *generation));
                line
            }
            Action::MeasureMemory { process, pgid, .. } => {
                format!("measure memory of {} (group {pgid})", name(process))
            }
            Action::AdoptMain { process, pid, .. } => {
                format!("process {pid} is the main process of {}", name(process))
            }
            Action::Record(occurrence) => {
                format!(
                    "record {}: {:?}",
                    name(&occurrence.process),
                    occurrence.kind
                )
            }
            Action::Reply { operation, outcome } => {
                format!("reply {}: {}", operation.0, answer(outcome))
            }
            Action::Finished { restart: false } => {
                let supervisor = self.supervisor.as_ref().expect("boot comes first");
                match supervisor.exit_code() {
                    0 => "finished".to_owned(),
                    code => format!("finished with exit status {code}"),
                }
            }
            Action::Finished { restart: true } => "finished, to begin anew".to_owned(),
        };
        let _ = writeln!(self.output, "  {line}");
    }

    fn notice(&self, notice: &Notice) -> String {
        match notice {
            Notice::ProcessState {
                process,
                from,
                to,
                tries,
                pid,
                expected,
                reason,
                ..
            } => {
                let name = &self.names[process];
                let mut line = format!("{name} {} > {}", from.name(), to.name());
                if *tries != 0 {
                    let _ = write!(line, " tries={tries}");
                }
                if *pid != 0 {
                    let _ = write!(line, " pid={pid}");
                }
                if !expected {
                    line.push_str(" unexpected");
                }
                let _ = write!(line, ": {reason}");
                line
            }
            Notice::GroupAdded { group } => format!("group {group} added"),
            Notice::GroupRemoved { group } => format!("group {group} removed"),
            Notice::ProcessLog(_)
            | Notice::ProcessCommunication(_)
            | Notice::RemoteCommunication { .. }
            | Notice::Tick { .. } => panic!("only listeners hear of {notice:?}"),
            Notice::SupervisorRunning => "supervisor running".to_owned(),
            Notice::SupervisorStopping => "supervisor stopping".to_owned(),
        }
    }

    fn why(&mut self, name: &str) {
        let now = self.now();
        let text = why::tell(self.supervisor(), name, now);
        self.output.push_str(&text);
    }

    fn show_service(&mut self, name: &str) {
        let supervisor = self.supervisor.as_ref().expect("boot comes first");
        let Target::Process { group, name } = Target::parse(name) else {
            panic!("one process is shown");
        };
        let view = supervisor
            .process_named(&group, &name)
            .expect("a known process");
        for line in check_words::show(&view) {
            let _ = writeln!(self.output, "  {line}");
        }
    }

    fn show(&mut self, name: &str) {
        let supervisor = self.supervisor.as_ref().expect("boot comes first");
        let Target::Process { group, name } = Target::parse(name) else {
            panic!("one process is shown");
        };
        let view = supervisor
            .process_named(&group, &name)
            .expect("a known process");
        let line = format!(
            "{} pid={:?} start={:?} stop={:?} exit={:?} error={:?} exec={:?} failures={} next={:?}: {}",
            view.state.name(),
            view.pid,
            view.start.map(Wall::seconds),
            view.stop.map(Wall::seconds),
            view.exit_status,
            view.spawn_error,
            view.exec_failure,
            view.failures,
            view.next_change.map(|at| decimal(at.0)),
            view.reason
        );
        let _ = writeln!(self.output, "  {line}");
    }
}

fn answer(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::Failed(failure) => format!("{failure:?}"),
        Outcome::Many(results) => {
            let results: Vec<String> = results
                .iter()
                .map(|result| match &result.result {
                    Ok(()) => format!("{}:{} done", result.group, result.name),
                    Err(failure) => format!("{}:{} {failure:?}", result.group, result.name),
                })
                .collect();
            format!("[{}]", results.join(", "))
        }
        Outcome::Reloaded {
            added,
            changed,
            removed,
        } => format!("added {added:?} changed {changed:?} removed {removed:?}"),
    }
}

/// The type of an event, and what it is about.
fn event(notice: &Notice) -> String {
    let name = notice.event_type().name();
    match notice {
        Notice::ProcessState { name: process, .. } => format!("{name} {process}"),
        Notice::ProcessLog(output) | Notice::ProcessCommunication(output) => format!(
            "{name} {} {:?}",
            output.name,
            String::from_utf8_lossy(&output.data)
        ),
        Notice::RemoteCommunication { kind, data } => format!("{name} {kind} {data:?}"),
        Notice::Tick { when, .. } => format!("{name} {when}"),
        Notice::GroupAdded { group } | Notice::GroupRemoved { group } => format!("{name} {group}"),
        Notice::SupervisorRunning | Notice::SupervisorStopping => name.to_owned(),
    }
}

fn delivery(word: &str) -> Delivery {
    match word {
        "taken" => Delivery::Taken,
        "kept" => Delivery::Kept,
        "full" => Delivery::Full,
        "closed" => Delivery::Closed,
        other => panic!("a delivery says {other}"),
    }
}

/// `name key=value…`; the group is the process itself unless `group=` names one. A `listener` is one of
/// the pool that is its group.
fn program(kind: &str, words: &[&str]) -> Program {
    let mut process = support::process(words[0]);
    let mut group = words[0].to_owned();
    let is_listener = kind == "listener";
    let mut group_priority = if is_listener { -1 } else { 999 };
    let mut pool = EventListenerPool {
        events: vec![EventType::Event],
        buffer_size: 10,
        result_handler: "supervisor.dispatchers:default_handler".to_owned(),
    };
    let mut socket = None;
    for word in &words[1..] {
        let (key, value) = word.split_once('=').expect("key=value");
        let number = || value.parse().expect("a number");
        match key {
            "section" => value.clone_into(&mut process.section),
            "command" => process.command = value.replace('+', " "),
            "socket" => socket = Some(Socket::OfGroup(value.to_owned())),
            "member-socket" => socket = Some(Socket::OfMember(value.to_owned())),
            "group" => value.clone_into(&mut group),
            "group-priority" => group_priority = number(),
            "priority" => process.priority = number(),
            "autostart" => process.autostart = value == "true",
            "autorestart" => {
                process.autorestart = match value {
                    "false" => AutoRestart::Never,
                    "true" => AutoRestart::Always,
                    _ => AutoRestart::Unexpected,
                };
            }
            "startsecs" => process.startsecs = number(),
            "startretries" => process.startretries = number(),
            "exitcodes" => {
                process.exitcodes = value
                    .split(',')
                    .map(|code| code.parse().expect("a number"))
                    .collect();
            }
            "stopsignal" => process.stopsignal = value.parse().expect("a number"),
            "stopwaitsecs" => process.stopwaitsecs = number(),
            "stopasgroup" => process.stopasgroup = value == "true",
            "killasgroup" => process.killasgroup = value == "true",
            "result_handler" => value.clone_into(&mut pool.result_handler),
            "buffer_size" => pool.buffer_size = number(),
            "events" => {
                pool.events = value
                    .split(',')
                    .map(|name| EventType::from_name(name).expect("an event type"))
                    .collect();
            }
            key if service::option(&mut process, key, value) => {}
            other => assert!(
                service_words::take(&mut process, other, value)
                    || check_words::take(&mut process, other, value),
                "a program says {other}"
            ),
        }
    }
    Program {
        group,
        group_priority,
        pool: is_listener.then_some(pool),
        process,
        socket,
    }
}

fn config(programs: &[Program]) -> Config {
    let mut groups: BTreeMap<&str, Vec<&Program>> = BTreeMap::new();
    for program in programs {
        groups.entry(&program.group).or_default().push(program);
    }
    let groups = groups.into_iter().map(|(name, members)| {
        let priority = members.last().map_or(999, |member| member.group_priority);
        let processes = members
            .iter()
            .map(|member| member.process.clone())
            .collect();
        if let Some(pool) = members.iter().find_map(|member| member.pool.clone()) {
            let kind = GroupKind::EventListener(pool);
            return support::group_of_kind(name, priority, kind, processes);
        }
        match members.iter().find_map(|member| member.socket.as_ref()) {
            None => support::group(name, priority, processes),
            Some(Socket::OfGroup(path)) => fastcgi::fastcgi(name, priority, processes, path),
            Some(Socket::OfMember(path)) => {
                fastcgi::group_with_fastcgi(name, priority, processes, path)
            }
        }
    });
    support::config(groups.collect::<Vec<Arc<_>>>())
}

fn failure(words: &[&str]) -> Option<SpawnFailure> {
    let kind = match *words.first()? {
        "no-file" => SpawnFailureKind::NoFile,
        "not-executable" => SpawnFailureKind::NotExecutable,
        "socket" => SpawnFailureKind::Socket,
        "other" => SpawnFailureKind::Other,
        _ => return None,
    };
    Some(SpawnFailure {
        kind,
        text: words[1..].join(" "),
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "scripts say a few positive seconds"
)]
fn nanoseconds(seconds: f64) -> u64 {
    (seconds * SECOND).round() as u64
}

/// Nanoseconds as seconds, as short as they can be written.
pub(crate) fn decimal(nanoseconds: u64) -> String {
    let text = format!(
        "{}.{:09}",
        nanoseconds / 1_000_000_000,
        nanoseconds % 1_000_000_000
    );
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
