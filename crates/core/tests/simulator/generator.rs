//! What happens next: a choice that looks at the world, so that rare meetings are not so rare.

use std::time::Duration;

use linchpin_core::{
    Channel, Command, ExitStatus, Notification, OutputKind, ShutdownCause, SpawnFailureKind, Target,
};

use super::applying::Wish;
use super::configuration;
use super::history::History;
use super::listeners::Saying;
use super::random::Random;
use super::stimulus::Stimulus;
use super::world::Phase;

/// Kinds of stimuli, each with the weight that it usually has.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Pass,
    PassToDeadline,
    JumpWall,
    Wake,
    Spawned,
    SpawnFailed,
    Die,
    Obey,
    Deliver,
    Drained,
    Empty,
    Checked,
    Tried,
    Protect,
    Stray,
    Start,
    Stop,
    Signal,
    Reload,
    Add,
    Remove,
    AddProcesses,
    RemoveProcess,
    Shutdown,
    BeginAnew,
    Freeze,
    Say,
    Block,
    Unblock,
    CloseInput,
    Wrote,
    Remote,
    Answer,
    AnswerLate,
    Hear,
    Notify,
    Measured,
    EndHook,
    OpenMarker,
    CommitMarker,
    EndHookLate,
    OutOfMemory,
    ReloadService,
    Apply,
    GoOnWithApply,
}

const WEIGHTS: [(Kind, u64); 45] = [
    (Kind::Pass, 60),
    (Kind::PassToDeadline, 80),
    (Kind::JumpWall, 5),
    (Kind::Wake, 5),
    (Kind::Spawned, 100),
    (Kind::SpawnFailed, 12),
    (Kind::Die, 30),
    (Kind::Obey, 60),
    (Kind::Deliver, 60),
    (Kind::Drained, 40),
    (Kind::Empty, 20),
    (Kind::Checked, 60),
    (Kind::Tried, 60),
    (Kind::Protect, 4),
    (Kind::Stray, 3),
    (Kind::Start, 40),
    (Kind::Stop, 40),
    (Kind::Signal, 15),
    (Kind::Reload, 8),
    (Kind::Add, 20),
    (Kind::Remove, 12),
    (Kind::AddProcesses, 8),
    (Kind::RemoveProcess, 8),
    (Kind::Shutdown, 4),
    (Kind::BeginAnew, 100),
    (Kind::Freeze, 8),
    (Kind::Say, 90),
    (Kind::Block, 8),
    (Kind::Unblock, 10),
    (Kind::CloseInput, 2),
    (Kind::Wrote, 10),
    (Kind::Remote, 10),
    (Kind::Answer, 120),
    (Kind::AnswerLate, 5),
    (Kind::Hear, 20),
    (Kind::Notify, 20),
    (Kind::Measured, 15),
    (Kind::EndHook, 120),
    (Kind::OpenMarker, 100),
    (Kind::CommitMarker, 80),
    (Kind::EndHookLate, 4),
    (Kind::OutOfMemory, 4),
    (Kind::ReloadService, 15),
    (Kind::Apply, 15),
    (Kind::GoOnWithApply, 250),
];

/// The choice for one history. Each history favours and neglects some kinds, so that together they reach
/// what the average never does.
#[derive(Debug)]
pub(crate) struct Generator {
    weights: [u64; WEIGHTS.len()],
    /// A shutdown may come after this many events.
    shutdown_after: usize,
}

impl Generator {
    pub(crate) fn new(random: &mut Random, events: usize) -> Self {
        let shutdown_after = if random.percent(50) {
            events / 4 + random.index(events)
        } else {
            usize::MAX
        };
        Self {
            weights: WEIGHTS.map(|(_, weight)| weight * random.pick(&[0, 1, 2, 4, 4, 8])),
            shutdown_after,
        }
    }

    pub(crate) fn next(&self, random: &mut Random, history: &History) -> Stimulus {
        let world = &history.world;
        let asked = world.count(|start| start.phase == Phase::Asked);
        let alive = world.count(|start| matches!(start.phase, Phase::Alive { .. }));
        let told = world.count(|start| {
            matches!(start.phase, Phase::Alive { .. }) && (start.is_told || start.is_doomed)
        });
        let undrained =
            world.count(|start| matches!(start.phase, Phase::Told { .. }) && !start.is_drained);
        let mut weights = self.weights;
        for ((kind, _), weight) in WEIGHTS.iter().zip(&mut weights) {
            let is_possible = match kind {
                Kind::Spawned | Kind::SpawnFailed => asked > 0,
                Kind::Die | Kind::Protect => alive > 0,
                Kind::Obey => told > 0,
                Kind::Deliver => history.has_news_waiting(),
                Kind::Drained => undrained > 0,
                Kind::Empty => world.count(|start| start.has_group) > 0,
                Kind::Checked => !world.checks.is_empty(),
                Kind::Tried => !world.trials.is_empty(),
                Kind::PassToDeadline => history.supervisor.next_deadline().is_some(),
                Kind::Shutdown => history.events >= self.shutdown_after && !history.is_finished(),
                Kind::BeginAnew => history.is_finished(),
                Kind::Say | Kind::Block | Kind::Unblock | Kind::CloseInput => {
                    world.speaker(0).is_some()
                }
                Kind::Wrote | Kind::OutOfMemory => alive > 0,
                Kind::EndHook => world.lives.has_hook(),
                Kind::OpenMarker => world.lives.has_opening(),
                Kind::CommitMarker => world.lives.has_committing(),
                Kind::EndHookLate => world.lives.has_stale(),
                Kind::ReloadService => world.services.has_service(),
                Kind::Apply => !history.applies.is_under_way(),
                Kind::GoOnWithApply => history
                    .applies
                    .can_go_on(&history.supervisor, world.monotonic),
                Kind::Answer => world.services.has_asked(),
                Kind::AnswerLate => world.services.has_stale(),
                Kind::Hear | Kind::Notify => world.services.has_service(),
                Kind::Measured => world.services.has_memory_question(),
                Kind::Pass
                | Kind::JumpWall
                | Kind::Wake
                | Kind::Stray
                | Kind::Start
                | Kind::Stop
                | Kind::Signal
                | Kind::Reload
                | Kind::Add
                | Kind::Remove
                | Kind::Freeze
                | Kind::AddProcesses
                | Kind::RemoveProcess
                | Kind::Remote => true,
            };
            if !is_possible {
                *weight = 0;
            }
        }
        // However a history neglects it, time passes.
        weights[0] = weights[0].max(1);
        let (kind, _) = WEIGHTS[random.weighted(&weights)];
        stimulus(kind, random, history)
    }
}

fn stimulus(kind: Kind, random: &mut Random, history: &History) -> Stimulus {
    let nth = random.index(64);
    match kind {
        Kind::Pass => {
            let unit = random.pick(&[1, 1_000_000, 50_000_000, 300_000_000, 1_000_000_000]);
            let nanoseconds = random.below(8) * unit;
            // The machine may have slept, so that hours are over at once.
            let is_asleep = random.percent(2);
            let is_long = random.percent(3);
            Stimulus::Pass {
                nanoseconds: if is_asleep {
                    random.below(100) * 360_000_000_000
                } else if is_long {
                    nanoseconds * 60
                } else {
                    nanoseconds
                },
                punctual: !is_asleep && random.percent(85),
            }
        }
        Kind::PassToDeadline => Stimulus::PassToDeadline {
            offset: random.pick(&[0, 0, 0, 0, -1, 1, 1_000_000_000]),
        },
        Kind::JumpWall => Stimulus::JumpWall {
            nanoseconds: random.pick(&[
                -3_600_000_000_000,
                3_600_000_000_000,
                -1,
                i64::MAX / 4,
                i64::MIN / 4,
            ]),
        },
        Kind::Wake => Stimulus::Wake,
        Kind::Spawned => Stimulus::Spawned {
            nth,
            exec_failure: random.percent(8),
        },
        Kind::SpawnFailed => Stimulus::SpawnFailed {
            nth,
            kind: failure_kind(random),
        },
        Kind::Die => Stimulus::Die {
            nth,
            status: status(random),
            drained: random.percent(60),
            survivors: random.percent(25),
            late: random.percent(25),
        },
        Kind::Obey => Stimulus::Obey {
            nth,
            drained: random.percent(60),
            survivors: random.percent(30),
            late: random.percent(25),
        },
        Kind::Deliver => Stimulus::Deliver { nth },
        Kind::Drained => Stimulus::Drained { nth },
        Kind::Empty => Stimulus::Empty { nth },
        Kind::Checked => Stimulus::Checked {
            nth,
            failure: random.percent(10).then(|| failure_kind(random)),
        },
        Kind::Tried => Stimulus::Tried {
            nth,
            fails: random.percent(20),
        },
        Kind::Protect => Stimulus::Protect { nth },
        Kind::Stray => Stimulus::Stray { nth },
        Kind::Start => Stimulus::Command(Command::Start {
            target: target(random, history),
            wait: random.percent(60),
        }),
        Kind::Stop => Stimulus::Command(Command::Stop {
            target: target(random, history),
            wait: random.percent(60),
        }),
        Kind::Signal => Stimulus::Command(Command::Signal {
            target: target(random, history),
            signal: random.pick(&[1, 10, 15, 9]),
        }),
        Kind::Reload => Stimulus::Command(Command::Reload {
            config: Box::new(configuration::changed(random, &history.config)),
        }),
        Kind::Add => Stimulus::Command(Command::AddGroup {
            name: group_name(random),
        }),
        Kind::Remove => Stimulus::Command(Command::RemoveGroup {
            name: group_name(random),
        }),
        Kind::AddProcesses => Stimulus::Command(Command::AddProcesses {
            group: group_name(random),
            processes: configuration::members(random),
        }),
        Kind::RemoveProcess => Stimulus::Command(match target(random, history) {
            Target::Process { group, name } => Command::RemoveProcess { group, name },
            Target::Group(group) => Command::RemoveProcess {
                name: group.clone(),
                group,
            },
            Target::Several(_) | Target::All => Command::RemoveProcess {
                group: group_name(random),
                name: "nobody".to_owned(),
            },
        }),
        Kind::Shutdown => Stimulus::Shutdown {
            restart: random.percent(40),
            cause: random.pick(&[ShutdownCause::Client, ShutdownCause::Signal(15)]),
        },
        Kind::BeginAnew => Stimulus::BeginAnew {
            config: Box::new(configuration::changed(random, &history.config)),
        },
        Kind::Freeze => Stimulus::Freeze,
        Kind::Say => Stimulus::Say {
            nth,
            saying: match random.below(100) {
                0..70 => Saying::Right,
                70..80 => Saying::Half,
                80..93 => Saying::Rejected,
                93..96 => Saying::Ready,
                96..98 => Saying::BadResult,
                _ => Saying::Babble,
            },
        },
        Kind::Block => Stimulus::Block {
            nth,
            is_full: random.percent(30),
        },
        Kind::Unblock => Stimulus::Unblock { nth },
        Kind::CloseInput => Stimulus::CloseInput { nth },
        Kind::Wrote => Stimulus::Wrote {
            nth,
            kind: random.pick(&[OutputKind::Log, OutputKind::Communication]),
            channel: random.pick(&[Channel::Stdout, Channel::Stderr]),
        },
        Kind::Remote => Stimulus::Remote,
        Kind::Answer => Stimulus::Answer {
            nth,
            passes: random.percent(65),
        },
        Kind::AnswerLate => Stimulus::AnswerLate { nth },
        Kind::Hear => Stimulus::Hear { nth },
        Kind::Notify => Stimulus::Notify {
            nth,
            notification: notification(random),
            is_moving: random.percent(10),
        },
        Kind::Measured => Stimulus::Measured {
            nth,
            is_too_much: random.percent(20),
        },
        Kind::EndHook => Stimulus::EndHook {
            nth,
            fails: random.percent(25),
        },
        Kind::OpenMarker => Stimulus::OpenMarker {
            nth,
            fails: random.percent(10),
        },
        Kind::CommitMarker => Stimulus::CommitMarker {
            nth,
            fails: random.percent(20),
        },
        Kind::EndHookLate => Stimulus::EndHookLate { nth },
        Kind::OutOfMemory => Stimulus::OutOfMemory { nth },
        Kind::ReloadService => Stimulus::Command(Command::ReloadService {
            target: target(random, history),
        }),
        Kind::Apply => Stimulus::Apply(Box::new(wish(random, history))),
        Kind::GoOnWithApply => Stimulus::GoOnWithApply,
    }
}

fn wish(random: &mut Random, history: &History) -> Wish {
    let config = random
        .percent(50)
        .then(|| Box::new(configuration::changed(random, &history.config)));
    Wish {
        config,
        restarted: random.next() & random.next(),
        reloaded: random.next(),
        writes: random.percent(90),
        patience: random.pick(&[0, 1, 3, 20]) * 1_000_000_000,
        file_fails: random.percent(5),
        back_fails: random.percent(5),
    }
}

fn notification(random: &mut Random) -> Notification {
    let mut notification = Notification {
        status: random.percent(20).then(|| "well".to_owned()),
        ..Notification::default()
    };
    match random.below(20) {
        0..7 => notification.ready = true,
        7..9 => notification.reloading = true,
        9 => notification.stopping = true,
        10..15 => notification.alive = true,
        15 => notification.broken = true,
        16..19 => {
            let seconds = random.pick(&[0, 1, 20, 1_000_000]);
            notification.extend = Some(Duration::from_secs(seconds));
        }
        _ => {}
    }
    notification
}

fn status(random: &mut Random) -> ExitStatus {
    if random.percent(30) {
        ExitStatus::Signal {
            signal: random.pick(&[6, 9, 11]),
            core_dumped: random.percent(50),
        }
    } else {
        ExitStatus::Code(random.pick(&[0, 0, 1, 2, 127]))
    }
}

fn failure_kind(random: &mut Random) -> SpawnFailureKind {
    random.pick(&[
        SpawnFailureKind::NoFile,
        SpawnFailureKind::NotExecutable,
        SpawnFailureKind::Socket,
        SpawnFailureKind::Other,
    ])
}

fn group_name(random: &mut Random) -> String {
    random.pick(&configuration::GROUPS).to_owned()
}

fn target(random: &mut Random, history: &History) -> Target {
    match random.below(10) {
        0 => Target::All,
        1..=2 => Target::Group(group_name(random)),
        3 if random.percent(50) => Target::parse("nobody"),
        3 => several(random, history),
        _ => {
            let all = history.supervisor.processes_by_name();
            match all.get(random.index(all.len())) {
                Some(process) => Target::Process {
                    group: process.group.to_owned(),
                    name: process.config.name.clone(),
                },
                None => Target::All,
            }
        }
    }
}

/// Some processes, perhaps one of them twice, and one that is not there.
fn several(random: &mut Random, history: &History) -> Target {
    let all = history.supervisor.processes_by_name();
    let mut names = vec![("nobody".to_owned(), "nobody".to_owned())];
    for _ in 0..3 {
        if let Some(process) = all.get(random.index(all.len().max(1))) {
            names.push((process.group.to_owned(), process.config.name.clone()));
        }
    }
    Target::Several(names)
}
