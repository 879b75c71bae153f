//! The memory of a service: what its process group has for itself, and its part of what is shared.

use std::fs;

use linchpin_core::{Event, Generation, ProcessId};

use super::News;
use crate::shell::Shell;

impl Shell {
    /// Adds up the memory of a process group, on a thread: the kernel walks all of it.
    pub(super) fn measure_memory(&mut self, start: (ProcessId, Generation), pgid: i32) {
        let (workers, newsroom) = (self.services.files.clone(), self.services.newsroom.clone());
        tokio::spawn(async move {
            let (process, generation) = start;
            let bytes = workers
                .run(&format!("memory of {pgid}"), move || group_bytes(pgid))
                .await
                .unwrap_or(0);
            // Nobody listens any more: the daemon ends.
            let _ = newsroom.send(News::Event(Event::MemoryMeasured {
                process,
                generation,
                bytes,
            }));
        });
    }
}

/// The proportional set size of all processes of a group; 0 if nothing can be read.
fn group_bytes(pgid: i32) -> u64 {
    let Ok(processes) = fs::read_dir("/proc") else {
        return 0;
    };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| group_of(*pid) == Some(pgid))
        .map(|pid| kilobytes(pid).saturating_mul(1024))
        .sum()
}

fn group_of(pid: i32) -> Option<i32> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may contain some itself; behind it: state, parent, group.
    let rest = text.get(text.rfind(')')?.checked_add(1)?..)?;
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
    fn our_own_group_has_some() {
        let own = i32::try_from(std::process::id()).unwrap();
        let group = group_of(own).unwrap();
        assert!(group_bytes(group) > 500_000);
        assert_eq!(group_bytes(-1), 0);
    }
}
