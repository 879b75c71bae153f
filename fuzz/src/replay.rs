//! Runs a target over its seeds, whatever was found, and small changes of both. For ordinary tests.

use std::path::{Path, PathBuf};

/// How many changes of each seed are tried.
const CHANGES: u64 = 60;

/// Runs `body` over the seeds of `target`.
pub fn replay(target: &str, body: fn(&[u8])) {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../fuzz/seeds", target]
        .iter()
        .collect();
    let mut seeds: Vec<(PathBuf, Vec<u8>)> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .map(|path| (path.clone(), std::fs::read(path).expect("a readable file")))
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "no seeds in {}", folder.display());
    for (number, (path, seed)) in seeds.iter().enumerate() {
        run(body, path, seed);
        let other = &seeds[(number + 1) % seeds.len()].1;
        let mut random = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(number as u64 + 1);
        for _ in 0..CHANGES {
            let changed = changed(seed, other, &mut random);
            run(body, path, &changed);
        }
    }
}

fn run(body: fn(&[u8]), path: &Path, data: &[u8]) {
    if std::panic::catch_unwind(|| body(data)).is_err() {
        panic!("from {}: {}", path.display(), data.escape_ascii());
    }
}

fn changed(seed: &[u8], other: &[u8], random: &mut u64) -> Vec<u8> {
    let mut index = |length: usize| {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        usize::try_from(*random >> 8).unwrap_or(0) % length.max(1)
    };
    let mut data = seed.to_vec();
    match index(5) {
        0 => data.truncate(index(seed.len() + 1)),
        1 => {
            let at = index(seed.len());
            if let Some(byte) = data.get_mut(at) {
                *byte = b"\n\0%<>[]:=;\"'\\ \xff&"[index(16)];
            }
        }
        2 => {
            let (from, to) = (index(seed.len() + 1), index(seed.len() + 1));
            data.drain(from.min(to)..from.max(to));
        }
        3 => {
            let (from, to) = (index(other.len() + 1), index(other.len() + 1));
            let piece = other[from.min(to)..from.max(to)].to_vec();
            let at = index(seed.len() + 1);
            data.splice(at..at, piece);
        }
        _ => {
            let (from, to) = (index(seed.len() + 1), index(seed.len() + 1));
            let piece = seed[from.min(to)..from.max(to)].to_vec();
            data.extend(piece);
        }
    }
    data
}
