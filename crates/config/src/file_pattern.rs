//! File name patterns of `[include] files`, with the rules of Python's `glob` without recursion.
//!
//! `*`, `?` and `[…]` match within one name, names with a leading dot only match patterns with one,
//! and a pattern without any of them matches if there is something of that name.

use crate::paths::{base_name, directory_of, join};
use crate::world::World;

/// Everything that matches, in the order of names.
pub(crate) fn matching_files(world: &dyn World, pattern: &str) -> Vec<String> {
    let mut found = matches(world, pattern);
    found.sort_unstable();
    found
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

fn matches(world: &dyn World, pattern: &str) -> Vec<String> {
    let directory = directory_of(pattern);
    let name = base_name(pattern);
    if !has_wildcard(pattern) {
        let is_there = if name.is_empty() {
            world.is_directory(directory)
        } else {
            world.exists(pattern)
        };
        return if is_there {
            vec![pattern.to_owned()]
        } else {
            Vec::new()
        };
    }
    let directories = if directory != pattern && has_wildcard(directory) {
        matches(world, directory)
    } else {
        vec![directory.to_owned()]
    };
    let mut found = Vec::new();
    for directory in directories {
        if has_wildcard(name) {
            let listed = if directory.is_empty() {
                "."
            } else {
                &directory
            };
            let compiled = NamePattern::new(name);
            found.extend(
                world
                    .list_directory(listed)
                    .into_iter()
                    .filter(|entry| entry.starts_with('.') <= name.starts_with('.'))
                    .filter(|entry| compiled.matches(entry))
                    .map(|entry| join(&directory, &entry)),
            );
        } else if name.is_empty() {
            if world.is_directory(&directory) {
                found.push(join(&directory, ""));
            }
        } else {
            let path = join(&directory, name);
            if world.exists(&path) {
                found.push(path);
            }
        }
    }
    found
}

enum Piece {
    Any,
    One,
    Literal(char),
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// Whether a pattern fits the name of a file.
pub(crate) fn is_match(pattern: &str, name: &str) -> bool {
    NamePattern::new(pattern).matches(name)
}

/// One file name's pattern, as `fnmatch` reads it.
struct NamePattern(Vec<Piece>);

impl NamePattern {
    fn new(pattern: &str) -> Self {
        let characters: Vec<char> = pattern.chars().collect();
        let mut pieces = Vec::new();
        let mut at = 0;
        while at < characters.len() {
            let character = characters[at];
            at += 1;
            pieces.push(match character {
                '*' => Piece::Any,
                '?' => Piece::One,
                '[' => match class(&characters, at) {
                    Some((piece, next)) => {
                        at = next;
                        piece
                    }
                    None => Piece::Literal('['),
                },
                _ => Piece::Literal(character),
            });
        }
        Self(pieces)
    }

    fn matches(&self, name: &str) -> bool {
        let characters: Vec<char> = name.chars().collect();
        // Classic backtracking: only the last `*` can need another try.
        let (mut piece, mut at) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        loop {
            if let Some(Piece::Any) = self.0.get(piece) {
                retry = Some((piece + 1, at));
                piece += 1;
                continue;
            }
            let is_match = match (self.0.get(piece), characters.get(at)) {
                (None, None) => return true,
                (Some(wanted), Some(character)) => wanted.takes(*character),
                (None, Some(_)) | (Some(_), None) => false,
            };
            if is_match {
                piece += 1;
                at += 1;
            } else if let Some((after, from)) = retry
                && from < characters.len()
            {
                retry = Some((after, from + 1));
                piece = after;
                at = from + 1;
            } else {
                return false;
            }
        }
    }
}

impl Piece {
    fn takes(&self, character: char) -> bool {
        match self {
            Self::Any | Self::One => true,
            Self::Literal(wanted) => *wanted == character,
            Self::Class { negated, ranges } => {
                ranges
                    .iter()
                    .any(|(first, last)| (*first..=*last).contains(&character))
                    != *negated
            }
        }
    }
}

/// The class that begins after a bracket, and where it ends; none if the bracket stands for itself.
fn class(characters: &[char], start: usize) -> Option<(Piece, usize)> {
    let negated = characters.get(start) == Some(&'!');
    let first = start + usize::from(negated);
    // A bracket right at the beginning is a member.
    let end = (first + 1..characters.len()).find(|at| characters[*at] == ']')?;
    let members = &characters[first..end];
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < members.len() {
        if members.get(at + 1) == Some(&'-') && at + 2 < members.len() {
            ranges.push((members[at], members[at + 2]));
            at += 3;
        } else {
            ranges.push((members[at], members[at]));
            at += 1;
        }
    }
    Some((Piece::Class { negated, ranges }, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_in_fnmatch() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.confx", false),
            ("*a*b", "xaxab", true),
            ("?", "ab", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[a", "[a", true),
            ("[a-]", "-", true),
            ("**", "anything", true),
            ("{a,b}", "a", false),
        ] {
            assert_eq!(
                NamePattern::new(pattern).matches(name),
                expected,
                "{pattern} {name}"
            );
        }
    }
}
