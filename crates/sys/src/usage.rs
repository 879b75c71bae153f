//! What processes and their descendants use, from `/proc`.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::time::{Duration, Instant};

use rustix::param::{clock_ticks_per_second, page_size};

/// What a process and its descendants use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TreeUsage {
    /// How many processes they are, zombies included.
    pub processes: u32,
    /// Bytes of memory: what is shared counts in parts (PSS).
    pub memory: u64,
    /// For some of them what is shared counts in full (RSS): the kernel did not tell more, or time was up.
    pub is_rss: bool,
    /// Processor time in milliseconds, that of children which have ended and been waited for included.
    pub cpu_ms: u64,
}

/// What the kernel says of one process.
#[derive(Debug, Clone, Copy)]
struct Stat {
    parent: i32,
    ticks: u64,
    resident_pages: u64,
}

/// Adds up what the trees of these processes use; nothing is said of a process that is gone. A descendant of a
/// root that is a root itself counts for that one only.
///
/// This reads a file for each process of the machine, and one more for each that belongs to a tree; the latter,
/// which the kernel has to compute, only for as long as `patience` lasts. Not for a thread that has anything else
/// to do.
///
/// # Errors
/// Only if `/proc` cannot be listed.
pub fn tree_usage(roots: &[i32], patience: Duration) -> io::Result<HashMap<i32, TreeUsage>> {
    let deadline = Instant::now() + patience;
    let stats = all_stats()?;
    let mut usage: HashMap<i32, TreeUsage> = roots
        .iter()
        .filter(|root| stats.contains_key(root))
        .map(|root| (*root, TreeUsage::default()))
        .collect();
    for (&pid, stat) in &stats {
        let Some(tree) = root_of(pid, &stats, &usage).and_then(|root| usage.get_mut(&root)) else {
            continue;
        };
        tree.processes += 1;
        tree.cpu_ms += stat.ticks.saturating_mul(1000) / clock_ticks_per_second().max(1);
        let pss = if Instant::now() < deadline {
            proportional_set_size(pid)
        } else {
            None
        };
        tree.memory += pss.unwrap_or_else(|| {
            tree.is_rss |= stat.resident_pages > 0;
            stat.resident_pages
                .saturating_mul(u64::try_from(page_size()).unwrap_or(4096))
        });
    }
    Ok(usage)
}

/// The nearest of a process and its ancestors that is a root.
fn root_of(pid: i32, stats: &HashMap<i32, Stat>, roots: &HashMap<i32, TreeUsage>) -> Option<i32> {
    let mut at = pid;
    // Read one after the other, the lines may contradict each other: no walk is longer than the table.
    for _ in 0..=stats.len() {
        if roots.contains_key(&at) {
            return Some(at);
        }
        at = stats.get(&at)?.parent;
    }
    None
}

fn all_stats() -> io::Result<HashMap<i32, Stat>> {
    let mut stats = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let Ok(entry) = entry else { continue };
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process that ended since has no stat; that is no error of ours.
        if let Ok(line) = fs::read(entry.path().join("stat"))
            && let Some(stat) = parse_stat(&String::from_utf8_lossy(&line))
        {
            stats.insert(pid, stat);
        }
    }
    Ok(stats)
}

/// Reads `pid (command) state ppid …`; the command may itself contain blanks and parentheses.
fn parse_stat(line: &str) -> Option<Stat> {
    let (_, rest) = line.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // The first of these is the third of proc(5).
    let number = |field: usize| fields.get(field - 3)?.parse::<i64>().ok();
    let positive = |field| number(field).and_then(|number| u64::try_from(number).ok());
    // utime, stime, and those of children that were waited for.
    let ticks = [14, 15, 16, 17]
        .into_iter()
        .map(|field| positive(field).unwrap_or(0))
        .sum();
    Some(Stat {
        parent: i32::try_from(number(4)?).ok()?,
        ticks,
        resident_pages: positive(24)?,
    })
}

/// None where the kernel does not tell: another user's process, a kernel before 4.14.
fn proportional_set_size(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    parse_pss(&text)
}

fn parse_pss(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kilobytes: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    #[test]
    fn stat_lines_are_read() {
        let line = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 900 4096 50 18446744073709551615 1";
        let stat = parse_stat(line).unwrap();
        assert_eq!((stat.parent, stat.ticks, stat.resident_pages), (1, 127, 50));
        assert!(parse_stat("7 (sh").is_none());
        assert!(parse_stat("7 (sh) S 1").is_none());
    }

    #[test]
    fn the_part_of_shared_memory_is_read() {
        let text = "1-2 ---p 0 0 0 [rollup]\nRss:     1852 kB\nPss:      412 kB\nPss_Anon: 96 kB\n";
        assert_eq!(parse_pss(text), Some(412 * 1024));
        assert_eq!(parse_pss("Rss: 1 kB\n"), None);
    }

    #[test]
    fn descendants_count_for_the_nearest_root() {
        let mut shell = Command::new("sh")
            .args(["-c", "sleep 60 & echo $!; wait"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = shell.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let (parent, child) = (
            i32::try_from(shell.id()).unwrap(),
            line.trim().parse().unwrap(),
        );
        let of_both = tree_usage(&[parent, child, i32::MAX], Duration::from_secs(60)).unwrap();
        let of_parent = tree_usage(&[parent], Duration::ZERO).unwrap();
        crate::group::kill(crate::Pid::new(child).unwrap(), 9).unwrap();
        shell.wait().unwrap();
        let processes =
            |usage: &HashMap<i32, TreeUsage>, pid| usage.get(&pid).map(|it| it.processes);
        assert_eq!(processes(&of_both, parent), Some(1));
        assert_eq!(processes(&of_both, child), Some(1));
        assert_eq!(processes(&of_both, i32::MAX), None);
        assert_eq!(processes(&of_parent, parent), Some(2));
        assert!(of_parent[&parent].memory > 0);
        assert!(of_parent[&parent].is_rss, "there was no time for more");
    }
}
