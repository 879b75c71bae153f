//! Sections and keys with their places, as read from one or more files.
//!
//! The dialect is Python's `RawConfigParser` with `;` and `#` as inline comments and without
//! strictness: duplicate sections merge, the last of duplicate keys wins. Values are raw here: nothing
//! is expanded or converted.

use std::borrow::Cow;
use std::collections::HashMap;

use linchpin_python::{is_space, strip, strip_end};

use crate::source::{FileId, SourceFile, Span};

/// Name of the section whose keys count in every other one.
const DEFAULT_SECTION: &str = "DEFAULT";

/// The text that stands for the directory of the file it is in.
const HERE_REFERENCE: &str = "%(here)s";

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Document {
    files: Vec<SourceFile>,
    sections: Vec<Section>,
    by_name: HashMap<String, usize>,
    defaults: Section,
    /// Sections that the file read last has headers of.
    touched: Vec<usize>,
    /// Whether that file has a `[DEFAULT]` header.
    defaults_touched: bool,
}

/// A section, merged from all its headers.
#[derive(Debug, Default, Clone)]
pub struct Section {
    /// What stands between the brackets.
    pub name: String,
    /// Its headers in the order of reading; the first decides which file messages name.
    pub headers: Vec<Span>,
    /// Its keys in the order of their first appearance.
    pub entries: Vec<Entry>,
    /// Positions of the keys, kept once there are many.
    positions: HashMap<String, usize>,
}

/// From how many keys on a section keeps an index of them.
const KEYS_WORTH_AN_INDEX: usize = 24;

/// A key with its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Lower-cased name.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// The value: its lines joined by newlines, and `%(here)s` replaced if the file has includes.
    pub value: String,
    /// The lines of the value.
    pub parts: Vec<ValuePart>,
    /// Earlier places of the same key, which this one overrides.
    pub overridden: Vec<Span>,
    /// Whether [`Document::replace_here`] changed the value, so that offsets no longer fit the parts.
    pub is_rewritten: bool,
}

/// One line of a value.
#[derive(Debug, Clone, Copy)]
pub struct ValuePart {
    /// Where the text stands; of no width for an empty line.
    pub span: Span,
    /// Where its text begins in the value.
    pub offset: usize,
    /// First byte of the inline comment that ended it.
    pub comment: Option<usize>,
}

impl Entry {
    /// Where the value stands: its first line with text, or the key if there is none.
    #[must_use]
    pub fn value_span(&self) -> Span {
        self.parts
            .iter()
            .map(|part| part.span)
            .find(|span| span.start < span.end)
            .unwrap_or(self.key_span)
    }

    /// Where a piece of the value stands, given by byte offsets; the whole value if unknown.
    #[must_use]
    pub fn span_of(&self, start: usize, end: usize) -> Span {
        if self.is_rewritten {
            return self.value_span();
        }
        for part in self.parts.iter().rev() {
            if part.offset <= start {
                let column = part.span.start + (start - part.offset);
                if column < part.span.end {
                    return Span {
                        start: column,
                        end: (part.span.start + (end - part.offset)).min(part.span.end),
                        ..part.span
                    };
                }
            }
        }
        self.value_span()
    }
}

/// A line that is not part of the language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxProblem {
    /// What is wrong.
    pub kind: SyntaxProblemKind,
    /// The whole line.
    pub span: Span,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyntaxProblemKind {
    /// Text before the first section; the original stops reading here.
    NoSectionYet,
    /// No `=` or `:`.
    NoDelimiter,
    /// Nothing before the `=` or `:`.
    NoKey,
}

impl Document {
    /// A document with one section, whose values come from elsewhere: they are taken as they are. Messages
    /// name `file`.
    pub(crate) fn of_options(file: &str, section: &str, options: &[(String, String)]) -> Self {
        let mut document = Self::of_nothing(file);
        document.add_section(section, options);
        document
    }

    /// A document without sections, for those that come from elsewhere.
    pub(crate) fn of_nothing(file: &str) -> Self {
        Self {
            files: vec![SourceFile::new(file, "")],
            ..Self::default()
        }
    }

    /// Adds a section to a document of nothing.
    pub(crate) fn add_section(&mut self, section: &str, options: &[(String, String)]) {
        let nowhere = Span {
            file: FileId(0),
            line: 1,
            start: 0,
            end: 0,
        };
        let index = self.section_index(section, nowhere);
        for (key, value) in options {
            let entry = Entry {
                key: key.to_lowercase(),
                key_span: nowhere,
                value: value.clone(),
                parts: Vec::new(),
                overridden: Vec::new(),
                is_rewritten: true,
            };
            let section = &mut self.sections[index];
            match section.position(&entry.key) {
                Some(position) => section.entries[position] = entry,
                None => {
                    section.push(entry);
                }
            }
        }
    }

    /// Reads a file on top of what is there.
    pub fn add_file(&mut self, file: SourceFile) -> Vec<SyntaxProblem> {
        let id = FileId(self.files.len());
        self.files.push(file);
        self.touched.clear();
        self.defaults_touched = false;
        let file = std::mem::replace(&mut self.files[id.0], SourceFile::new("", ""));
        let mut reader = LineReader {
            document: self,
            file: id,
            current: Current::None,
            entry: None,
            indent: 0,
            problems: Vec::new(),
        };
        for (index, line) in file.lines().enumerate() {
            reader.line(index + 1, line);
        }
        let problems = reader.problems;
        self.touched.sort_unstable();
        self.touched.dedup();
        for index in &self.touched {
            join_values(&mut self.sections[*index], id, &file);
        }
        join_values(&mut self.defaults, id, &file);
        self.files[id.0] = file;
        problems
    }

    /// The files in the order of reading.
    #[must_use]
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// A file that was read.
    #[must_use]
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0]
    }

    /// The sections in the order of their first headers, without `[DEFAULT]`.
    #[must_use]
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// `[DEFAULT]`, which may be empty.
    #[must_use]
    pub fn defaults(&self) -> &Section {
        &self.defaults
    }

    /// A section by its exact name.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.by_name.get(name).map(|index| &self.sections[*index])
    }

    /// A key of a section, or else of `[DEFAULT]`.
    #[must_use]
    pub fn entry<'a>(&'a self, section: &'a Section, key: &str) -> Option<&'a Entry> {
        section.entry(key).or_else(|| self.defaults.entry(key))
    }

    /// All keys that count in a section: its own, then those that only `[DEFAULT]` has.
    pub fn entries<'a>(&'a self, section: &'a Section) -> impl Iterator<Item = &'a Entry> {
        section.entries.iter().chain(
            self.defaults
                .entries
                .iter()
                .filter(|entry| section.entry(&entry.key).is_none()),
        )
    }

    /// Replaces `%(here)s` by a directory in every value of every section.
    ///
    /// A file with includes gets this after each file that was read, so that the name means the
    /// directory of the file it stands in. The directory goes in so that expansion leaves it alone,
    /// and an escaped `%%(here)s` stays (the original breaks on both).
    pub fn replace_here(&mut self, directory: &str) {
        let directory = directory.replace('%', "%%");
        for index in &self.touched {
            for entry in &mut self.sections[*index].entries {
                if let Cow::Owned(value) = with_here_replaced(&entry.value, &directory) {
                    entry.value = value;
                    entry.is_rewritten = true;
                }
            }
        }
        let defaults: Vec<Entry> = self
            .defaults
            .entries
            .iter()
            .filter_map(
                |default| match with_here_replaced(&default.value, &directory) {
                    Cow::Borrowed(_) => None,
                    Cow::Owned(value) => Some(Entry {
                        value,
                        is_rewritten: true,
                        ..default.clone()
                    }),
                },
            )
            .collect();
        if defaults.is_empty() {
            return;
        }
        let affected: Vec<usize> = if self.defaults_touched {
            (0..self.sections.len()).collect()
        } else {
            self.touched.clone()
        };
        for index in affected {
            let section = &mut self.sections[index];
            for default in &defaults {
                if section.entry(&default.key).is_none() {
                    section.push(default.clone());
                }
            }
        }
    }

    fn section_index(&mut self, name: &str, header: Span) -> usize {
        if let Some(index) = self.by_name.get(name).copied() {
            self.sections[index].headers.push(header);
            self.touched.push(index);
            return index;
        }
        let index = self.sections.len();
        self.touched.push(index);
        self.by_name.insert(name.to_owned(), index);
        self.sections.push(Section {
            name: name.to_owned(),
            headers: vec![header],
            ..Section::default()
        });
        index
    }
}

/// Makes the values that a file gave from their lines.
fn join_values(section: &mut Section, id: FileId, file: &SourceFile) {
    for entry in &mut section.entries {
        if entry.key_span.file != id || entry.is_rewritten {
            continue;
        }
        let mut value = String::new();
        for (index, part) in entry.parts.iter_mut().enumerate() {
            if index > 0 {
                value.push('\n');
            }
            part.offset = value.len();
            value.push_str(&file.line(part.span.line)[part.span.start..part.span.end]);
        }
        value.truncate(strip_end(&value).len());
        entry.value = value;
    }
}

impl Section {
    /// A key of this section alone.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.position(key).map(|position| &self.entries[position])
    }

    fn position(&self, key: &str) -> Option<usize> {
        if self.positions.is_empty() {
            self.entries.iter().position(|entry| entry.key == key)
        } else {
            self.positions.get(key).copied()
        }
    }

    fn push(&mut self, entry: Entry) -> usize {
        let position = self.entries.len();
        if !self.positions.is_empty() {
            self.positions.insert(entry.key.clone(), position);
        }
        self.entries.push(entry);
        if position + 1 == KEYS_WORTH_AN_INDEX {
            self.positions = self
                .entries
                .iter()
                .enumerate()
                .map(|(position, entry)| (entry.key.clone(), position))
                .collect();
        }
        position
    }
}

fn with_here_replaced<'a>(value: &'a str, escaped_directory: &str) -> Cow<'a, str> {
    if !value.contains(HERE_REFERENCE) {
        return Cow::Borrowed(value);
    }
    let mut replaced = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(percent) = rest.find('%') {
        replaced.push_str(&rest[..percent]);
        rest = &rest[percent..];
        if let Some(after) = rest.strip_prefix("%%") {
            replaced.push_str("%%");
            rest = after;
        } else if let Some(after) = rest.strip_prefix(HERE_REFERENCE) {
            replaced.push_str(escaped_directory);
            rest = after;
        } else {
            replaced.push('%');
            rest = &rest[1..];
        }
    }
    replaced.push_str(rest);
    Cow::Owned(replaced)
}

/// Where keys go while reading.
#[derive(Clone, Copy)]
enum Current {
    None,
    Defaults,
    Section(usize),
}

struct LineReader<'a> {
    document: &'a mut Document,
    file: FileId,
    current: Current,
    /// The key read last below the last header, whose value may continue.
    entry: Option<usize>,
    /// Indentation, in characters, of the last line that was a header or a key.
    indent: usize,
    problems: Vec<SyntaxProblem>,
}

impl LineReader<'_> {
    fn line(&mut self, number: usize, line: &str) {
        let comment = comment_start(line);
        let content = &line[..comment.unwrap_or(line.len())];
        let value = strip(content);
        if value.is_empty() {
            if comment.is_none() && self.entry.is_some() {
                let span = self.span(number, 0, 0);
                self.continue_value(span, None);
            }
            return;
        }
        let start = content.len() - content.trim_start_matches(is_space).len();
        let span = self.span(number, start, start + value.len());
        let indent = line[..start].chars().count();
        if self.entry.is_some() && indent > self.indent {
            self.continue_value(span, comment);
            return;
        }
        self.indent = indent;
        if let Some(name) = header_name(value) {
            self.entry = None;
            self.current = if name == DEFAULT_SECTION {
                self.document.defaults_touched = true;
                let defaults = &mut self.document.defaults;
                defaults.name = DEFAULT_SECTION.to_owned();
                defaults.headers.push(span);
                Current::Defaults
            } else {
                Current::Section(self.document.section_index(name, span))
            };
            return;
        }
        if matches!(self.current, Current::None) {
            self.missing_header(number, line, span);
            return;
        }
        let Some(delimiter) = value.find(['=', ':']) else {
            self.problem(SyntaxProblemKind::NoDelimiter, span);
            return;
        };
        let key = strip_end(&value[..delimiter]);
        if key.is_empty() {
            self.problem(SyntaxProblemKind::NoKey, span);
            self.entry = None;
            return;
        }
        let after = &value[delimiter + 1..];
        let text = strip(after);
        let text_start = start + value.len() - after.trim_start_matches(is_space).len();
        self.begin_value(
            key,
            self.span(number, start, start + key.len()),
            ValuePart {
                span: self.span(number, text_start, text_start + text.len()),
                offset: 0,
                comment,
            },
        );
    }

    /// Text before the first header. A byte-order mark before one is reported and then skipped over,
    /// so that the rest of the file is still looked at.
    fn missing_header(&mut self, number: usize, line: &str, span: Span) {
        if self.problems.is_empty() {
            self.problem(SyntaxProblemKind::NoSectionYet, span);
            if number == 1
                && let Some(rest) = line.strip_prefix('\u{feff}')
                && let Some(name) = header_name(strip(rest))
            {
                let index = self.document.section_index(name, span);
                self.current = Current::Section(index);
            }
        }
    }

    fn begin_value(&mut self, key: &str, key_span: Span, part: ValuePart) {
        let key = key.to_lowercase();
        let Some(section) = self.current_section() else {
            return;
        };
        let position = section.position(&key);
        let mut overridden = Vec::new();
        if let Some(position) = position {
            let earlier = &mut section.entries[position];
            overridden = std::mem::take(&mut earlier.overridden);
            overridden.push(earlier.key_span);
        }
        let entry = Entry {
            key,
            key_span,
            value: String::new(),
            parts: vec![part],
            overridden,
            is_rewritten: false,
        };
        self.entry = Some(match position {
            Some(position) => {
                section.entries[position] = entry;
                position
            }
            None => section.push(entry),
        });
    }

    fn continue_value(&mut self, span: Span, comment: Option<usize>) {
        let position = self.entry;
        if let Some(position) = position
            && let Some(section) = self.current_section()
        {
            section.entries[position].parts.push(ValuePart {
                span,
                offset: 0,
                comment,
            });
        }
    }

    fn current_section(&mut self) -> Option<&mut Section> {
        match self.current {
            Current::None => None,
            Current::Defaults => Some(&mut self.document.defaults),
            Current::Section(index) => Some(&mut self.document.sections[index]),
        }
    }

    fn problem(&mut self, kind: SyntaxProblemKind, span: Span) {
        self.problems.push(SyntaxProblem { kind, span });
    }

    fn span(&self, line: usize, start: usize, end: usize) -> Span {
        Span {
            file: self.file,
            line,
            start,
            end,
        }
    }
}

/// Where the comment of a line begins, by the original's rule.
///
/// A line whose first visible character is a prefix is a comment altogether. Otherwise the first
/// occurrences of both prefixes are looked at, then the second ones, and so on until one follows a
/// blank: with prefixes in unusual order that is not always the first that does.
fn comment_start(line: &str) -> Option<usize> {
    if strip(line).starts_with(['#', ';']) {
        return Some(0);
    }
    let mut searches = [(';', Some(0)), ('#', Some(0))];
    loop {
        let mut found: Option<usize> = None;
        let mut is_searching = false;
        for (prefix, next) in &mut searches {
            let Some(from) = *next else { continue };
            *next = line[from..].find(*prefix).map(|at| from + at + 1);
            let Some(at) = next.map(|after| after - 1) else {
                continue;
            };
            is_searching = true;
            if line[..at].chars().next_back().is_none_or(is_space) {
                found = Some(found.map_or(at, |other| other.min(at)));
            }
        }
        if found.is_some() || !is_searching {
            return found;
        }
    }
}

/// The name in a header line: from the first bracket to the last one, at least a character.
fn header_name(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('[')?;
    let end = inside.rfind(']')?;
    (end > 0).then(|| &inside[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Document, Vec<SyntaxProblem>) {
        let mut document = Document::default();
        let problems = document.add_file(SourceFile::new("test.conf", text));
        (document, problems)
    }

    /// Checks one section's keys and values.
    fn check(text: &str, section: &str, expected: &[(&str, &str)]) {
        let (document, problems) = read(text);
        assert_eq!(problems, [], "{text:?}");
        let section = document.section(section).expect("the section exists");
        let found: Vec<(&str, &str)> = document
            .entries(section)
            .map(|entry| (entry.key.as_str(), entry.value.as_str()))
            .collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn keys_and_values_are_cut_as_in_the_original() {
        check("[a]\nK = v = w : x\n", "a", &[("k", "v = w : x")]);
        check("[a]\nk:v=w", "a", &[("k", "v=w")]);
        check("[a]\nk=", "a", &[("k", "")]);
        check("[a] trailing\nk=1", "a", &[("k", "1")]);
        check("[a]b]\nk=1", "a]b", &[("k", "1")]);
        check("[a]\r\nk=1\r\n", "a", &[("k", "1")]);
    }

    #[test]
    fn comments_need_a_blank_before_them() {
        check("[a]\nk=a;b#c", "a", &[("k", "a;b#c")]);
        check("[a]\nk=a ;b", "a", &[("k", "a")]);
        check("[a]\nk='a\t# b'", "a", &[("k", "'a")]);
        check("[a]\nk=;x", "a", &[("k", ";x")]);
        check("[a]\nk= ;x", "a", &[("k", "")]);
        check("[a]\n  # indented\n; plain\nk=1", "a", &[("k", "1")]);
        check("[a]\nk=a;b ;c #d", "a", &[("k", "a;b ;c")]);
    }

    #[test]
    fn deeper_lines_continue_the_value() {
        check("[a]\nk=1\n 2\n\n   3\n\n", "a", &[("k", "1\n2\n\n3")]);
        check("[a]\nk=1\n ; comment\n 2", "a", &[("k", "1\n2")]);
        check("[a]\nk=1\n [b]\n c=2", "a", &[("k", "1\n[b]\nc=2")]);
        check(
            "[a]\n  k=1\n  l=2\n m=3",
            "a",
            &[("k", "1"), ("l", "2"), ("m", "3")],
        );
        check("[a]\nk=\n one\n two", "a", &[("k", "\none\ntwo")]);
    }

    #[test]
    fn duplicates_merge_and_the_last_wins() {
        check(
            "[a]\nk=1\nl=1\n[b]\n[a]\nk=2\n\n x",
            "a",
            &[("k", "2\n\nx"), ("l", "1")],
        );
        let (document, _) = read("[a]\nk=1\nk=2\nk=3");
        assert_eq!(document.sections()[0].entries[0].overridden.len(), 2);
    }

    #[test]
    fn continuation_extends_the_key_read_last_even_if_it_was_known() {
        check("[a]\nk=1\nl=2\nk=3\n 4", "a", &[("k", "3\n4"), ("l", "2")]);
    }

    #[test]
    fn defaults_count_in_every_section() {
        check(
            "[DEFAULT]\nd=1\nk=9\n[a]\nk=1",
            "a",
            &[("k", "1"), ("d", "1")],
        );
    }

    #[test]
    fn bad_lines_are_all_reported() {
        let (_, problems) = read("[a]\nnothing\n=value\nk=1\nREM x\n");
        let kinds: Vec<_> = problems.iter().map(|p| (p.span.line, p.kind)).collect();
        assert_eq!(
            kinds,
            [
                (2, SyntaxProblemKind::NoDelimiter),
                (3, SyntaxProblemKind::NoKey),
                (5, SyntaxProblemKind::NoDelimiter)
            ]
        );
    }

    #[test]
    fn text_before_the_first_section_is_reported_once() {
        let (document, problems) = read("k=1\nl=2\n[a]\nk=1");
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].kind, SyntaxProblemKind::NoSectionYet);
        assert_eq!(document.sections().len(), 1);
    }

    #[test]
    fn a_byte_order_mark_hides_no_further_problem() {
        let (document, problems) = read("\u{feff}[a]\nk=1\nbad");
        assert_eq!(problems.len(), 2);
        assert_eq!(document.section("a").map(|a| a.entries.len()), Some(1));
    }

    #[test]
    fn places_point_at_the_text() {
        let (document, _) = read("[a]\nkey = val ; c\n  more\n");
        let entry = &document.sections()[0].entries[0];
        assert_eq!(entry.value, "val\nmore");
        let place = |span: Span| (span.line, span.start, span.end);
        assert_eq!(place(entry.key_span), (2, 0, 3));
        assert_eq!(place(entry.value_span()), (2, 6, 9));
        assert_eq!(place(entry.span_of(4, 6)), (3, 2, 4));
        assert_eq!(entry.parts[0].comment, Some(10));
    }

    #[test]
    fn here_is_replaced_unless_escaped() {
        let (mut document, _) = read("[DEFAULT]\nd=%(here)s/d\n[a]\nk=%(here)s/%%(here)s %(x)s");
        document.replace_here("/50%/x");
        let section = document.section("a").expect("the section exists");
        assert_eq!(section.entry("k").unwrap().value, "/50%%/x/%%(here)s %(x)s");
        assert_eq!(section.entry("d").unwrap().value, "/50%%/x/d");
        assert_eq!(document.defaults().entries[0].value, "%(here)s/d");
    }
}
