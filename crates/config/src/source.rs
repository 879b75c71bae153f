//! Source files and places in them.

use std::ops::Range;
use std::sync::Arc;

/// A text that was read, with the name under which messages speak of it.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The name as the original prints it: the main file as it was given, an included one as its
    /// pattern made it.
    pub name: Arc<str>,
    /// Whether the last line has an end.
    pub ends_with_newline: bool,
    text: String,
    /// Where each line begins and ends in the text.
    lines: Vec<Range<usize>>,
}

impl SourceFile {
    /// Splits decoded text into lines, with the line ends of all systems.
    #[must_use]
    pub fn new(name: &str, text: impl Into<String>) -> Self {
        let text = text.into();
        let mut lines = Vec::new();
        let mut start = 0;
        while let Some(length) = text[start..].find(['\n', '\r']) {
            let end = start + length;
            lines.push(start..end);
            let width = if text[end..].starts_with("\r\n") {
                2
            } else {
                1
            };
            start = end + width;
        }
        let ends_with_newline = start == text.len();
        if !ends_with_newline {
            lines.push(start..text.len());
        }
        Self {
            name: Arc::from(name),
            ends_with_newline,
            text,
            lines,
        }
    }

    /// The lines, without their ends.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = &str> {
        self.lines.iter().map(|line| &self.text[line.clone()])
    }

    /// The text of a line, counted from 1; empty beyond the end.
    #[must_use]
    pub fn line(&self, number: usize) -> &str {
        number
            .checked_sub(1)
            .and_then(|index| self.lines.get(index))
            .map_or("", |line| &self.text[line.clone()])
    }
}

/// Which of the files of a [`Document`](crate::Document), in the order of reading; 0 is the main file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub usize);

/// A piece of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// Line, counted from 1.
    pub line: usize,
    /// First byte in the line, counted from 0.
    pub start: usize,
    /// Byte after the last one.
    pub end: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_on_every_system() {
        let file = SourceFile::new("f", "a\nb\r\nc\rd\u{b}e");
        assert_eq!(file.lines().collect::<Vec<_>>(), ["a", "b", "c", "d\u{b}e"]);
        assert!(!file.ends_with_newline);
        assert_eq!(file.line(2), "b");
        assert_eq!(file.line(0), "");
        assert_eq!(file.line(9), "");
        assert!(SourceFile::new("f", "a\r\n").ends_with_newline);
    }
}
