//! Random configurations, small and nasty.

use std::sync::Arc;

use linchpin_config::{
    AutoRestart, Config, EventListenerPool, EventType, GroupConfig, GroupKind, ProcessConfig,
};

use super::checks;
use super::lives;
use super::random::Random;
use crate::{fastcgi, support};

/// Names of groups; few, so that a reload meets the ones that are there.
pub(crate) const GROUPS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Names of processes in groups of several.
const MEMBERS: [&str; 4] = ["x0", "x1", "x2", "x3"];

/// What services may have beyond processes.
#[derive(Debug, Clone, Copy)]
struct With {
    checks: bool,
    lives: bool,
}

/// A configuration of one to five groups.
pub(crate) fn configuration(random: &mut Random) -> Config {
    let count = 1 + random.index(GROUPS.len());
    let first = random.index(GROUPS.len());
    let with = With {
        checks: random.percent(35),
        lives: random.percent(40),
    };
    let groups = (0..count)
        .map(|offset| group(random, GROUPS[(first + offset) % GROUPS.len()], with))
        .collect();
    let mut config = support::config(groups);
    if random.percent(35) {
        super::dependencies::add(random, &mut config);
    }
    lives::add_linchpin(random, &mut config);
    config
}

/// Another configuration that has something in common with this one.
pub(crate) fn changed(random: &mut Random, old: &Config) -> Config {
    let mut groups: Vec<Arc<GroupConfig>> = Vec::new();
    let any = |has: fn(&ProcessConfig) -> bool| {
        let mut all = old.groups.iter().flat_map(|group| &group.processes);
        all.any(|process| has(process))
    };
    let with = With {
        checks: any(checks::has_checks),
        lives: any(lives::has_some),
    };
    for name in GROUPS {
        let known = old.groups.iter().find(|group| group.name == name);
        match (known, random.below(6)) {
            (Some(group), 0..=2) => groups.push(group.clone()),
            (Some(_), 3..=4) | (None, 0..=1) => groups.push(group(random, name, with)),
            (Some(_) | None, _) => {}
        }
    }
    let mut config = support::config(groups);
    config.linchpin.clone_from(&old.linchpin);
    config
}

fn group(random: &mut Random, name: &str, with: With) -> Arc<GroupConfig> {
    let priority = random.pick(&[-1, 1, 1, 2, 999]);
    let processes = if random.percent(50) {
        vec![process(random, name, name, with)]
    } else {
        let count = 1 + random.index(MEMBERS.len());
        MEMBERS[..count]
            .iter()
            .map(|member| process(random, name, member, with))
            .collect()
    };
    // Few sockets, so that groups meet at them.
    let path = random.pick(&["/run/one", "/run/two"]);
    match random.below(10) {
        0 => fastcgi::fastcgi(name, priority, processes, path),
        1 => fastcgi::group_with_fastcgi(name, priority, processes, path),
        2..=4 => {
            let pool = GroupKind::EventListener(pool(random));
            support::group_of_kind(name, priority, pool, processes)
        }
        _ => support::group(name, priority, processes),
    }
}

fn pool(random: &mut Random) -> EventListenerPool {
    let events: &[EventType] = random.pick::<&[EventType]>(&[
        &[EventType::Event],
        &[EventType::ProcessState],
        &[
            EventType::ProcessStateExited,
            EventType::RemoteCommunication,
        ],
        &[EventType::Tick5, EventType::ProcessLog],
        &[EventType::Tick],
        &[EventType::Tick3600, EventType::SupervisorStateChange],
        &[EventType::ProcessGroup, EventType::ProcessCommunication],
    ]);
    EventListenerPool {
        events: events.to_vec(),
        buffer_size: random.pick(&[1, 2, 3, 10, 100]),
        result_handler: String::new(),
    }
}

/// Processes that a client adds to a group, which may have some of that name.
pub(crate) fn members(random: &mut Random) -> Vec<Arc<ProcessConfig>> {
    let with = With {
        checks: random.percent(20),
        lives: random.percent(20),
    };
    let first = random.index(MEMBERS.len());
    let count = 1 + random.index(MEMBERS.len() - first);
    MEMBERS[first..first + count]
        .iter()
        .map(|name| Arc::new(process(random, "added", name, with)))
        .collect()
}

fn process(random: &mut Random, group: &str, name: &str, with: With) -> ProcessConfig {
    let mut process = support::process(name);
    process.priority = random.pick(&[1, 5, 5, 999]);
    process.autostart = random.percent(70);
    process.autorestart = random.pick(&[
        AutoRestart::Never,
        AutoRestart::Unexpected,
        AutoRestart::Always,
        AutoRestart::Always,
    ]);
    process.startsecs = random.pick(&[0, 0, 1, 1, 1, 3, 10, -1]);
    process.startretries = random.pick(&[0, 1, 2, 3, 3, -1]);
    process.exitcodes = random.pick::<&[i32]>(&[&[0], &[0, 2], &[], &[1]]).to_vec();
    process.stopwaitsecs = random.pick(&[0, 1, 1, 5, 10, 10, -1]);
    process.stopasgroup = random.percent(30);
    process.killasgroup = process.stopasgroup || random.percent(20);
    process.stopsignal = random.pick(&[15, 15, 2, 9]);
    // Rarely, numbers that no clock reaches.
    if random.percent(1) {
        process.startsecs = i64::MAX;
    }
    if random.percent(1) {
        process.stopwaitsecs = i64::MAX;
    }
    if random.percent(1) {
        process.startretries = i64::MAX;
    }
    if with.checks && random.percent(60) {
        checks::add(random, &mut process);
    }
    if with.lives && random.percent(60) {
        lives::add(random, group, &mut process);
    }
    process
}
