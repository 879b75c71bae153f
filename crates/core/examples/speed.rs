//! What the core costs: nanoseconds an event at a thousand and at ten thousand processes.
//!
//! `cargo run --release -p linchpin-core --example speed -- [processes]...`

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program of its own, with a terminal and a clock"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Instant;

use linchpin_config::{AutoRestart, Config};
use linchpin_core::{
    Action, Actions, Command, Event, ExitStatus, Generation, Monotonic, Now, OperationId,
    ProcessId, SignalOutcome, Supervisor, Target, Wall,
};

/// How often each row is measured; the best counts.
const ROUNDS: usize = 5;

fn main() {
    let mut counts: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|count| count.parse().ok())
        .collect();
    if counts.is_empty() {
        counts = vec![1_000, 10_000];
    }
    for count in counts {
        println!("{count} processes, one to a group:");
        measure(&configuration(count, 1));
        println!("{count} processes in one group:");
        measure(&configuration(count, count));
    }
}

fn configuration(count: usize, group_size: usize) -> Config {
    let groups = (0..count / group_size)
        .map(|group| {
            let processes = (0..group_size)
                .map(|process| {
                    let mut process = support::process(&format!("p{process:05}"));
                    process.autorestart = AutoRestart::Always;
                    process.stopasgroup = true;
                    process.killasgroup = true;
                    process
                })
                .collect();
            support::group(&format!("g{group:05}"), 999, processes)
        })
        .collect();
    support::config(groups)
}

/// A core, its starts, and how long each kind of event took.
struct Bench {
    supervisor: Supervisor,
    now: u64,
    actions: Actions,
    starts: Vec<(ProcessId, Generation)>,
    answers: Vec<Event>,
    next_operation: u64,
}

impl Bench {
    fn handle(&mut self, event: Event) {
        let now = Now {
            monotonic: Monotonic(self.now),
            wall: Wall(0),
        };
        self.supervisor.handle(event, now, &mut self.actions);
    }

    /// Notes what the shell would do; not part of what is measured.
    fn sort_actions(&mut self) {
        for action in self.actions.drain(..) {
            if let Action::Spawn {
                process,
                generation,
                ..
            } = action
            {
                self.starts.push((process, generation));
            } else if let Action::Signal {
                process,
                generation,
                purpose,
                ..
            } = action
            {
                self.answers.push(Event::Signalled {
                    process,
                    generation,
                    purpose,
                    outcome: SignalOutcome::Sent,
                });
            } else if let Action::CheckCommand {
                operation, process, ..
            } = action
            {
                self.answers.push(Event::CommandChecked {
                    operation,
                    process,
                    failure: None,
                });
            }
        }
    }

    /// Handles events and returns nanoseconds for each.
    fn time(&mut self, events: Vec<Event>) -> f64 {
        let count = f64::from(u32::try_from(events.len().max(1)).unwrap_or(u32::MAX));
        let start = Instant::now();
        for event in events {
            self.handle(event);
        }
        let nanoseconds = start.elapsed().as_secs_f64() * 1e9;
        self.sort_actions();
        nanoseconds / count
    }

    fn command(&mut self, command: Command) -> Event {
        self.next_operation += 1;
        Event::Command {
            operation: OperationId(self.next_operation),
            command,
        }
    }

    fn spawned(&mut self) -> Vec<Event> {
        (1..)
            .zip(&self.starts)
            .map(|(pid, &(process, generation))| Event::Spawned {
                process,
                generation,
                pid,
                exec_failure: None,
            })
            .collect()
    }

    fn exited(&mut self, group_alive: bool) -> Vec<Event> {
        self.starts
            .drain(..)
            .map(|(process, generation)| Event::Exited {
                process,
                generation,
                status: ExitStatus::Code(0),
                drained: true,
                group_alive,
            })
            .collect()
    }
}

fn measure(config: &Config) {
    let mut best: Vec<(&str, f64)> = Vec::new();
    let mut bytes = 0;
    for _ in 0..ROUNDS {
        let (rows, frozen) = round(config);
        bytes = frozen;
        if best.is_empty() {
            best = rows;
        } else {
            for (best, row) in best.iter_mut().zip(rows) {
                best.1 = best.1.min(row.1);
            }
        }
    }
    for (name, nanoseconds) in best {
        println!("  {name:44} {nanoseconds:12.0} ns");
    }
    println!("  {:44} {bytes:12} bytes", "frozen");
}

fn round(config: &Config) -> (Vec<(&'static str, f64)>, usize) {
    let mut bench = Bench {
        supervisor: Supervisor::new(config),
        now: 0,
        actions: Actions::new(),
        starts: Vec::new(),
        answers: Vec::new(),
        next_operation: 0,
    };
    let mut rows = Vec::new();
    let names: Vec<(String, String)> = config
        .groups
        .iter()
        .flat_map(|group| {
            group
                .processes
                .iter()
                .map(|process| (group.name.clone(), process.name.clone()))
        })
        .collect();
    let count = f64::from(u32::try_from(names.len()).unwrap_or(u32::MAX));

    rows.push((
        "boot, for each process",
        bench.time(vec![Event::Boot]) / count,
    ));
    let spawned = bench.spawned();
    rows.push(("Spawned", bench.time(spawned)));
    bench.now += 1_500_000_000;
    let wake = bench.time(vec![Event::Wake]);
    rows.push(("RUNNING after startsecs, for each process", wake / count));
    let exited = bench.exited(false);
    rows.push(("Exited, and asked to start again", bench.time(exited)));
    let spawned = bench.spawned();
    bench.time(spawned);
    bench.now += 1_500_000_000;
    bench.time(vec![Event::Wake]);

    let stops = names
        .iter()
        .map(|(group, name)| {
            let target = Target::Process {
                group: group.clone(),
                name: name.clone(),
            };
            bench.command(Command::Stop { target, wait: true })
        })
        .collect();
    rows.push(("stop, waited for, one by one", bench.time(stops)));
    let answers = std::mem::take(&mut bench.answers);
    rows.push(("Signalled", bench.time(answers)));
    let generations: Vec<Generation> = bench.starts.iter().map(|start| start.1).collect();
    let exited = bench.exited(true);
    rows.push(("Exited, with the reply, group alive", bench.time(exited)));
    let starts = names
        .iter()
        .map(|(group, name)| {
            let target = Target::Process {
                group: group.clone(),
                name: name.clone(),
            };
            bench.command(Command::Start { target, wait: true })
        })
        .collect();
    rows.push(("start, waited for, one by one", bench.time(starts)));
    let answers = std::mem::take(&mut bench.answers);
    rows.push(("CommandChecked", bench.time(answers)));
    let gone = generations
        .into_iter()
        .map(|generation| Event::GroupGone { generation })
        .collect();
    rows.push(("GroupGone, and asked to start", bench.time(gone)));
    let spawned = bench.spawned();
    bench.time(spawned);
    bench.now += 1_500_000_000;
    let wake = bench.time(vec![Event::Wake]);
    rows.push(("RUNNING with the reply, for each process", wake / count));

    let stop = bench.command(Command::Stop {
        target: Target::All,
        wait: true,
    });
    rows.push(("stop all, for each process", bench.time(vec![stop]) / count));
    let answers = std::mem::take(&mut bench.answers);
    bench.time(answers);
    let exited = bench.exited(false);
    rows.push(("Exited, of stop all", bench.time(exited)));
    let start = bench.command(Command::Start {
        target: Target::All,
        wait: true,
    });
    rows.push((
        "start all, for each process",
        bench.time(vec![start]) / count,
    ));
    let answers = std::mem::take(&mut bench.answers);
    rows.push(("CommandChecked, of start all", bench.time(answers)));
    let spawned = bench.spawned();
    rows.push(("Spawned, of start all", bench.time(spawned)));
    bench.now += 1_500_000_000;
    let wake = bench.time(vec![Event::Wake]);
    rows.push(("RUNNING, of start all, for each process", wake / count));

    let start = Instant::now();
    let seen = bench.supervisor.processes_by_name().len();
    assert_eq!(seen, names.len(), "every process is seen");
    let views = start.elapsed().as_secs_f64() * 1e9;
    rows.push(("views by name, for each process", views / count));
    let frozen = bench.supervisor.freeze().map_or(0, |bytes| bytes.len());

    let shutdown = Event::Shutdown {
        restart: false,
        cause: linchpin_core::ShutdownCause::Client,
    };
    rows.push((
        "shutdown, for each process",
        bench.time(vec![shutdown]) / count,
    ));
    let answers = std::mem::take(&mut bench.answers);
    bench.time(answers);
    let exited = bench.exited(false);
    rows.push(("Exited, of the shutdown", bench.time(exited)));
    (rows, frozen)
}
