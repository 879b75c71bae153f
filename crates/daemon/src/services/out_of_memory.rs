//! Whether the kernel has killed a process for lack of memory. It tells nobody; it only counts.
//!
//! The count is that of the control group in which the daemon and its services live, so in a container the kills of
//! others do not count; where that has none (the root of a machine) it is the machine's. It is read at the beginning and
//! whenever a service has ended by SIGKILL. One that has grown in between says that it was the kernel: it counts before it
//! kills. Two cases cannot be told apart: somebody else has sent the signal, and the kernel's victim since the last look was
//! a process of which the daemon does not hear, such as a child of a service.
//!
//! All of these files are the kernel's own, so reading them waits for no disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

/// The line of each of these files that counts.
const COUNT: &str = "oom_kill ";

/// How long after a growth was seen further ends may be due to it: victims of one shortage end one after another, as it
/// takes time to take their memory from them.
const AFTERMATH: Duration = Duration::from_secs(5);

/// The count, and how it was at the last look.
#[derive(Debug)]
pub(crate) struct OutOfMemory {
    file: Option<PathBuf>,
    last: u64,
    /// Victims that were counted and whose ends are not known yet, and until when they are waited for.
    expected: Option<(u64, Instant)>,
}

impl OutOfMemory {
    pub(crate) fn new() -> Self {
        let text = |path| fs::read_to_string(path).unwrap_or_default();
        let files = counters(&text("/proc/self/cgroup"), &text("/proc/self/mountinfo"));
        Self::of(files.into_iter().find(|file| count(file).is_some()))
    }

    fn of(file: Option<PathBuf>) -> Self {
        let last = file.as_deref().and_then(count).unwrap_or(0);
        Self {
            file,
            last,
            expected: None,
        }
    }

    /// Whether a process that has just ended by SIGKILL may have been killed by the kernel.
    pub(crate) fn has_killed(&mut self, now: Instant) -> bool {
        let Some(count) = self.file.as_deref().and_then(count) else {
            return false;
        };
        let grown = count.saturating_sub(std::mem::replace(&mut self.last, count));
        let left = match self.expected.take() {
            Some((left, until)) if now < until => left,
            Some(_) | None => 0,
        };
        let Some(others) = grown.saturating_add(left).checked_sub(1) else {
            return false;
        };
        if others > 0 {
            self.expected = Some((others, now + AFTERMATH));
        }
        true
    }
}

fn count(file: &Path) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(COUNT))?;
    line.trim().parse().ok()
}

/// Where the count may be, best first, from `/proc/self/cgroup` and `/proc/self/mountinfo`.
fn counters(groups: &str, mounts: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else {
            continue;
        };
        // Version 2 has no names of controllers here; of version 1 only the one for memory counts.
        let (kind, option, file) = if controllers.is_empty() {
            ("cgroup2", None, "memory.events")
        } else if controllers.split(',').any(|name| name == "memory") {
            ("cgroup", Some("memory"), "memory.oom_control")
        } else {
            continue;
        };
        if let Some(directory) = directory(group, kind, option, mounts) {
            files.push(directory.join(file));
        }
    }
    files.push(PathBuf::from("/proc/vmstat"));
    files
}

/// Where a control group is mounted.
fn directory(group: &str, kind: &str, option: Option<&str>, mounts: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        // `id parent device root place options … - kind source options`
        let (mount, system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let (root, place) = (mount.next()?, mount.next()?);
        let mut system = system.split(' ');
        let is_kind = system.next() == Some(kind);
        let options = system.nth(1)?;
        if !is_kind || option.is_some_and(|option| !options.split(',').any(|it| it == option)) {
            return None;
        }
        // With a namespace of its own for control groups a container sees its own as `/`; without one, what is mounted
        // is often only its own, while the path is the whole one.
        let inner = Path::new(group).strip_prefix(root).unwrap_or(Path::new(""));
        let inner = inner.strip_prefix("/").unwrap_or(inner);
        Some(Path::new(place).join(inner))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(groups: &str, mounts: &str, expected: &[&str]) {
        let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
        assert_eq!(counters(groups, mounts), expected, "{groups}");
    }

    #[test]
    fn the_count_is_found_wherever_control_groups_are() {
        let v2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
        let unified = "/sys/fs/cgroup/memory.events";
        check("0::/\n", v2, &[unified, "/proc/vmstat"]);
        check(
            "0::/system.slice/x.service\n",
            v2,
            &[
                "/sys/fs/cgroup/system.slice/x.service/memory.events",
                "/proc/vmstat",
            ],
        );
        let bound = "30 23 0:26 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
        check("0::/docker/1\n", bound, &[unified, "/proc/vmstat"]);
        check(
            "0::/docker/1/sub\n",
            bound,
            &["/sys/fs/cgroup/sub/memory.events", "/proc/vmstat"],
        );
        let v1 = "35 31 0:32 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                  36 31 0:33 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
        check(
            "5:cpu:/a\n4:memory:/a/b\n0::/\n",
            v1,
            &[
                "/sys/fs/cgroup/memory/a/b/memory.oom_control",
                "/proc/vmstat",
            ],
        );
        check("", "", &["/proc/vmstat"]);
        check("nonsense\n:\n0::/\n", "nonsense\n - \n", &["/proc/vmstat"]);
    }

    #[test]
    fn only_growth_since_the_last_look_counts() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("memory.events");
        let write = |count: &str| std::fs::write(&file, format!("oom 9\noom_kill {count}\n"));
        let now = Instant::now();
        write("3").unwrap();
        let mut watch = OutOfMemory::of(Some(file.clone()));
        assert!(!watch.has_killed(now));
        write("4").unwrap();
        assert!(watch.has_killed(now));
        assert!(!watch.has_killed(now));
        write("x").unwrap();
        assert!(!watch.has_killed(now));
        assert!(!OutOfMemory::of(None).has_killed(now));
    }

    #[test]
    fn every_kill_counts_for_one_end_soon_after_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("memory.events");
        let write = |count: u64| std::fs::write(&file, format!("oom_kill {count}\n")).unwrap();
        let now = Instant::now();
        write(0);
        let mut watch = OutOfMemory::of(Some(file.clone()));
        write(3);
        assert!(watch.has_killed(now));
        assert!(watch.has_killed(now + AFTERMATH / 2));
        assert!(watch.has_killed(now + AFTERMATH));
        assert!(!watch.has_killed(now + AFTERMATH));
        write(5);
        assert!(watch.has_killed(now));
        assert!(!watch.has_killed(now + AFTERMATH));
    }
}
