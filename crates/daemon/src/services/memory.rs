//! The memory of services: what their process groups have for themselves, and their part of what is shared.
//!
//! The kernel has to walk a process's memory to say that, and which processes are in a group only a look at all of them
//! can tell. So it happens on a thread, one look at a time: everything that is asked for meanwhile is answered by the
//! next one. Where the kernel does not tell in time, as it waits for a process that hangs in it, nothing is known of any of
//! them until it does.

use std::collections::HashMap;
use std::fs;

use linchpin_core::{Event, Generation, ProcessId};

use super::News;
use crate::shell::{Shell, leads_group};

/// What is to be measured.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Starts and their groups; of each process the last start.
    asked: HashMap<ProcessId, (Generation, Vec<i32>)>,
    is_looking: bool,
}

impl Shell {
    /// Adds up the memory of a process group.
    pub(super) fn measure_memory(
        &mut self,
        (process, generation): (ProcessId, Generation),
        group: i32,
    ) {
        let groups = self.children.groups_of(generation, group, leads_group);
        let memory = &mut self.services.memory;
        memory.asked.insert(process, (generation, groups));
        // More may be asked for in the same breath.
        if !std::mem::replace(&mut memory.is_looking, true) {
            let _ = self.services.newsroom.send(News::LookAtMemory);
        }
    }

    /// Begins a look, if something is asked for.
    pub(super) fn look_at_memory(&mut self) {
        let asked = std::mem::take(&mut self.services.memory.asked);
        self.services.memory.is_looking = !asked.is_empty();
        if asked.is_empty() {
            return;
        }
        let (workers, newsroom) = (self.services.files.clone(), self.services.newsroom.clone());
        tokio::spawn(async move {
            let groups = asked.values().flat_map(|(_, groups)| groups);
            let groups = groups.map(|group| (*group, 0)).collect();
            let measured = workers.run("the memory of processes", || measure(groups));
            let measured = measured.await.unwrap_or_default();
            // Nobody listens any more: the loop has ended.
            for (process, (generation, groups)) in asked {
                let bytes = groups.iter().filter_map(|group| measured.get(group)).sum();
                let _ = newsroom.send(News::Event(Event::MemoryMeasured {
                    process,
                    generation,
                    bytes,
                }));
            }
            let _ = newsroom.send(News::LookAtMemory);
        });
    }
}

/// Adds up the proportional set size of all processes of these groups, in bytes.
fn measure(mut groups: HashMap<i32, u64>) -> HashMap<i32, u64> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return groups;
    };
    for entry in processes.flatten() {
        let pid: Option<i32> = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if let Some(pid) = pid
            && let Some(sum) = group_of(pid).and_then(|group| groups.get_mut(&group))
        {
            *sum = sum.saturating_add(kilobytes(pid).saturating_mul(1024));
        }
    }
    groups
}

fn group_of(pid: i32) -> Option<i32> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    // The name stands in parentheses and may contain some itself; behind it: state, parent, group.
    let (_, rest) = text.rsplit_once(')')?;
    rest.split_whitespace().nth(2)?.parse().ok()
}

/// What the kernel says of a process, or what it has in memory if only that can be read.
fn kilobytes(pid: i32) -> u64 {
    let of = |file: &str, field: &str| {
        let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
        let line = text.lines().find(|line| line.starts_with(field))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    of("smaps_rollup", "Pss:")
        .or_else(|| of("status", "VmRSS:"))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_group_has_some_and_others_are_asked_for_in_the_same_look() {
        let own = group_of(i32::try_from(std::process::id()).unwrap()).unwrap();
        let measured = measure(HashMap::from([(own, 0), (-1, 0)]));
        assert!(measured[&own] > 500_000, "{measured:?}");
        assert_eq!(measured[&-1], 0);
        assert_eq!(measured.len(), 2);
    }
}
