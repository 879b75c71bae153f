//! A whole file, with every byte of it.

use std::fmt;

use super::line::{Line, read};
use super::problem::{Problem, ProblemKind};
use super::quote::quoted;

/// Most bytes of a file.
const MOST_BYTES: usize = 1 << 20;

/// Most problems that are told.
const MOST_PROBLEMS: usize = 50;

/// A mark that some editors put before the first line.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// An assignment.
#[derive(Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Its line, from 1.
    pub line: usize,
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

impl fmt::Debug for Assignment {
    /// Without the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assignment")
            .field("line", &self.line)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A file that can be read as settings. Changes leave alone what they are not about.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct EnvFile {
    text: String,
    assignments: Vec<Assignment>,
}

impl fmt::Debug for EnvFile {
    /// Without values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvFile")
            .field("assignments", &self.assignments)
            .finish_non_exhaustive()
    }
}

impl EnvFile {
    /// Reads a file.
    ///
    /// # Errors
    /// All that is wrong with it, in the order of the lines; then nothing of it counts.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Problem>> {
        let whole = |kind| {
            vec![Problem {
                line: 0,
                name: None,
                kind,
            }]
        };
        if bytes.len() > MOST_BYTES {
            return Err(whole(ProblemKind::TooLong));
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let before = &bytes[..error.valid_up_to()];
                let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                return Err(vec![Problem {
                    line,
                    name: None,
                    kind: ProblemKind::NotText,
                }]);
            }
        };
        let mut assignments = Vec::new();
        let mut problems = Vec::new();
        for (number, line) in lines(text) {
            let line = &line[mark_length(line, number)..];
            match read(line) {
                Ok(Line::Nothing) => {}
                Ok(Line::Assignment { name, value, .. }) => assignments.push(Assignment {
                    line: number,
                    name: line[name].to_owned(),
                    value,
                }),
                Err((name, kind)) if problems.len() < MOST_PROBLEMS => problems.push(Problem {
                    line: number,
                    name: name.map(|name| line[name].to_owned()),
                    kind,
                }),
                Err(_) => break,
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            text: text.to_owned(),
            assignments,
        })
    }

    /// The file as it is to be written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All assignments, in the order of the lines.
    #[must_use]
    pub fn assignments(&self) -> &[Assignment] {
        &self.assignments
    }

    /// The assignment of a name that counts: the last one.
    #[must_use]
    pub fn assignment(&self, name: &str) -> Option<&Assignment> {
        let mut assignments = self.assignments.iter().rev();
        assignments.find(|assignment| assignment.name == name)
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.assignment(name)
            .map(|assignment| assignment.value.as_str())
    }

    /// Gives a name a value: on the line that counts, whose comment stays, or on a new last line.
    ///
    /// # Errors
    /// If the value cannot be written (control characters), or the name cannot be a setting's; then nothing has
    /// changed.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), ProblemKind> {
        if value.contains(char::is_control) {
            return Err(ProblemKind::ControlCharacter);
        }
        let line = self.assignment(name).map(|assignment| assignment.line);
        let number = line.unwrap_or_else(|| lines(&self.text).count() + 1);
        let mut text = String::with_capacity(self.text.len() + name.len() + value.len() + 4);
        match line {
            Some(number) => {
                let start = self.start_of(number);
                let (before, rest) = self.text.split_at(start);
                let mark = mark_length(rest, number);
                let (_, line) = lines(&rest[mark..]).next().unwrap_or_default();
                let Ok(Line::Assignment { written, .. }) = read(line) else {
                    return Err(ProblemKind::NoAssignment);
                };
                text.push_str(before);
                text.push_str(&rest[..mark + written.start]);
                text.push_str(&quoted(value));
                text.push_str(&rest[mark + written.end..]);
            }
            None => {
                text.push_str(&self.text);
                let end = self.line_end();
                if !text.is_empty() && !text.ends_with('\n') {
                    text.push_str(end);
                }
                text.push_str(name);
                text.push('=');
                text.push_str(&quoted(value));
                text.push_str(end);
            }
        }
        let mut wanted = self.assignments.clone();
        match wanted.iter_mut().find(|known| known.line == number) {
            Some(known) => value.clone_into(&mut known.value),
            None => wanted.push(Assignment {
                line: number,
                name: name.to_owned(),
                value: value.to_owned(),
            }),
        }
        self.replace(&text, &wanted)
    }

    /// Removes all assignments of a name, with their lines. Tells whether there was one.
    pub fn unset(&mut self, name: &str) -> bool {
        let mut is_gone = false;
        while let Some(assignment) = self.assignment(name) {
            is_gone = true;
            let line = assignment.line;
            let start = self.start_of(line);
            let mark = mark_length(&self.text[start..], line);
            let length = self.text[start..]
                .find('\n')
                .map_or(self.text.len() - start, |end| end + 1);
            self.text.replace_range(start + mark..start + length, "");
            self.assignments.retain(|known| known.line != line);
            for later in &mut self.assignments {
                later.line -= usize::from(later.line > line);
            }
        }
        is_gone
    }

    /// Adds a comment of one or more lines at the end.
    pub fn add_comment(&mut self, comment: &str) {
        let end = self.line_end();
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push_str(end);
        }
        for line in comment.split('\n') {
            let clean: String = line
                .chars()
                .map(|character| {
                    if character.is_control() {
                        ' '
                    } else {
                        character
                    }
                })
                .collect();
            self.text.push('#');
            if !clean.is_empty() {
                self.text.push(' ');
            }
            self.text.push_str(&clean);
            self.text.push_str(end);
        }
    }

    /// Takes a new text if it means what it should.
    fn replace(&mut self, text: &str, wanted: &[Assignment]) -> Result<(), ProblemKind> {
        match Self::parse(text.as_bytes()) {
            Ok(read) if read.assignments == wanted => {
                *self = read;
                Ok(())
            }
            Ok(_) => Err(ProblemKind::ControlCharacter),
            Err(problems) => Err(problems
                .first()
                .map_or(ProblemKind::ControlCharacter, |problem| problem.kind)),
        }
    }

    /// Where a line begins.
    fn start_of(&self, number: usize) -> usize {
        let mut ends = self.text.match_indices('\n');
        match number.checked_sub(2) {
            None => 0,
            Some(before) => ends.nth(before).map_or(self.text.len(), |(end, _)| end + 1),
        }
    }

    /// How new lines end: as the first one does.
    fn line_end(&self) -> &'static str {
        match self.text.find('\n') {
            Some(end) if self.text[..end].ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }
}

/// Lines without their ends, with numbers from 1; none behind the last end. A CR without its LF is no end.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').enumerate().map(|(index, line)| {
        let line = match line.strip_suffix('\n') {
            Some(line) => line.strip_suffix('\r').unwrap_or(line),
            None => line,
        };
        (index + 1, line)
    })
}

/// How long the byte-order mark before a line is.
fn mark_length(line: &str, number: usize) -> usize {
    if number == 1 && line.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    }
}
