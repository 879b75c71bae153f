//! What a dry run shows of a change: lines, without secrets.
//!
//! A secret that has changed cannot be found in the old file any more, so the old file is only shown if we made it: with
//! each result a text is kept that is made of the same template with masks for secrets.

use std::fs;
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};

use crate::reading::read;
use crate::writing::{Access, Mode, WriteError, make_directory, remove, write};

/// Directory of the masked texts, below that of the section.
const SHOWN: &str = "shown";

/// Lines around a change.
const CONTEXT: usize = 2;

/// Most lines that are shown of one file.
const MOST_LINES: usize = 400;

/// Most cells of the table in which lines are compared.
const MOST_CELLS: usize = 4_000_000;

/// A masked text with a word for the content that it stands for.
pub(super) fn noted(content: &str, masked: &str) -> String {
    format!("{}\n{masked}", word_for(content.as_bytes()))
}

fn word_for(content: &[u8]) -> String {
    let hash = digest(&SHA256, content);
    hash.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn place(kept: &Path, name: &str) -> PathBuf {
    kept.join(SHOWN).join(name)
}

/// Keeps a masked text, or forgets it.
pub(super) fn note(kept: &Path, name: &str, noted: Option<&str>) -> Result<(), WriteError> {
    let path = place(kept, name);
    match noted {
        Some(text) => {
            make_directory(&kept.join(SHOWN), Mode::Real)?;
            write(&path, text.as_bytes(), Access::PRIVATE, Mode::Real)?;
        }
        None => {
            remove(&path, Mode::Real)?;
        }
    }
    Ok(())
}

/// What would change in a file; none if that cannot be shown.
pub(super) fn between(target: &Path, kept: &Path, name: &str, new: &str) -> Option<Vec<String>> {
    let (_, new) = new.split_once('\n')?;
    if fs::symlink_metadata(target).is_err() {
        return Some(lines_between("", new));
    }
    let old = fs::read_to_string(place(kept, name)).ok()?;
    let (word, old) = old.split_once('\n')?;
    (word == word_for(&read(target).ok()?)).then(|| lines_between(old, new))
}

/// Lines with `-`, `+` or a blank before them.
fn lines_between(old: &str, new: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let begin = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[begin..], &new[begin..]);
    let end = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let (removed, added) = (
        &old_rest[..old_rest.len() - end],
        &new_rest[..new_rest.len() - end],
    );
    if removed.is_empty() && added.is_empty() {
        return Vec::new();
    }
    let around = |line: &&str| format!(" {line}");
    let mut lines: Vec<String> = old[begin.saturating_sub(CONTEXT)..begin]
        .iter()
        .map(around)
        .collect();
    compare(removed, added, &mut lines);
    let after = old.len() - end;
    lines.extend(
        old[after..(after + CONTEXT).min(old.len())]
            .iter()
            .map(around),
    );
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        lines.push(format!(" … and {more} more lines"));
    }
    lines
}

/// The longest common lines stay, everything else is removed or added.
fn compare(old: &[&str], new: &[&str], lines: &mut Vec<String>) {
    let width = new.len() + 1;
    if (old.len() + 1).saturating_mul(width) > MOST_CELLS {
        lines.extend(old.iter().map(|line| format!("-{line}")));
        lines.extend(new.iter().map(|line| format!("+{line}")));
        return;
    }
    // How many lines are common from a place in both to their ends.
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for (row, left) in old.iter().enumerate().rev() {
        for (column, right) in new.iter().enumerate().rev() {
            common[row * width + column] = if left == right {
                common[(row + 1) * width + column + 1] + 1
            } else {
                common[(row + 1) * width + column].max(common[row * width + column + 1])
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    while row < old.len() || column < new.len() {
        if row < old.len() && column < new.len() && old[row] == new[column] {
            lines.push(format!(" {}", old[row]));
            (row, column) = (row + 1, column + 1);
        } else if column == new.len()
            || (row < old.len()
                && common[(row + 1) * width + column] >= common[row * width + column + 1])
        {
            lines.push(format!("-{}", old[row]));
            row += 1;
        } else {
            lines.push(format!("+{}", new[column]));
            column += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::lines_between;

    #[test]
    fn lines_that_differ_are_shown_with_some_around_them() {
        let shown = lines_between("a\nb\nc\nd\ne\nf\n", "a\nb\nc\nX\ne\nf\n");
        assert_eq!(shown, [" b", " c", "-d", "+X", " e", " f"]);
        assert_eq!(lines_between("", "x\ny\n"), ["+x", "+y"]);
        assert_eq!(lines_between("x\n", ""), ["-x"]);
        assert_eq!(
            lines_between("a\nb\nc\n", "b\nc\nd\n"),
            ["-a", " b", " c", "+d"]
        );
        assert!(lines_between("a\n", "a\n").is_empty());
        let long: String = (0..1000).map(|line| format!("{line}\n")).collect();
        assert_eq!(lines_between("", &long).len(), 401);
    }
}
