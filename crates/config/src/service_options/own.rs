//! Reads options of ours: a mistake in one is an error of its own, told after those that the original has.

use std::borrow::Cow;
use std::ops::Range;

use crate::document::Entry;
use crate::expansion::expand;
use crate::findings::Statement;
use crate::options::OptionSpec;
use crate::section_reader::{SectionReader, explained};
use crate::source::Span;

/// Why a text cannot be the value of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// What is wrong.
    pub(crate) message: String,
    /// What to write instead; none takes what the option accepts.
    pub(crate) help: Option<String>,
    /// The piece of the text that is wrong, in bytes; none is the whole.
    pub(crate) range: Option<Range<usize>>,
}

impl Mistake {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            range: None,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn at(mut self, range: Range<usize>) -> Self {
        self.range = Some(range);
        self
    }

    /// The same, for a text that begins later in a longer one.
    pub(crate) fn shifted(mut self, offset: usize) -> Self {
        if let Some(range) = &mut self.range {
            *range = range.start + offset..range.end + offset;
        }
        self
    }
}

/// A piece of a value: as written, where in the value, and with its names expanded.
#[derive(Debug, Clone)]
pub(crate) struct Piece<'a> {
    pub(crate) entry: &'a Entry,
    pub(crate) written: &'a str,
    pub(crate) offset: usize,
    pub(crate) text: Cow<'a, str>,
}

impl Piece<'_> {
    /// Where a part of the text stands. What was expanded is pointed at as a whole.
    pub(crate) fn span(&self, range: Option<Range<usize>>) -> Span {
        let whole = 0..self.written.len();
        let range = match range {
            Some(range) if self.written == self.text => range,
            _ => whole,
        };
        self.entry
            .span_of(self.offset + range.start, self.offset + range.end)
    }
}

/// A section while options of ours are read from it.
pub(crate) struct OwnReader<'r, 'a, 'f> {
    pub(crate) reader: &'r mut SectionReader<'a, 'f>,
}

impl<'a> OwnReader<'_, 'a, '_> {
    /// Whether there is anything for an option.
    pub(crate) fn is_written(&self, option: &OptionSpec) -> bool {
        self.reader.written(option).is_some()
    }

    /// What is written, or else the default; none if neither is good.
    pub(crate) fn value<T>(
        &mut self,
        option: &OptionSpec,
        parse: impl Fn(&str) -> Result<T, Mistake>,
    ) -> Option<T> {
        self.if_written(option, &parse)
            .or_else(|| option.default.and_then(|default| parse(default).ok()))
    }

    /// What is written.
    pub(crate) fn if_written<T>(
        &mut self,
        option: &OptionSpec,
        parse: impl Fn(&str) -> Result<T, Mistake>,
    ) -> Option<T> {
        let entry = self.reader.written(option)?;
        let piece = self.piece(option, entry, &entry.value, 0)?;
        match parse(&piece.text) {
            Ok(value) => Some(value),
            Err(mistake) => {
                self.mistake(option, &piece, mistake);
                None
            }
        }
    }

    /// Each line of a value that has text, with a value of its own.
    pub(crate) fn lines<T>(
        &mut self,
        option: &OptionSpec,
        parse: impl Fn(&Piece<'_>) -> Result<T, Mistake>,
    ) -> Vec<T> {
        let Some(entry) = self.reader.written(option) else {
            return Vec::new();
        };
        let mut values = Vec::new();
        let mut offset = 0;
        for line in entry.value.split('\n') {
            let written = line.trim();
            let start = offset + (line.len() - line.trim_start().len());
            offset += line.len() + 1;
            if written.is_empty() {
                continue;
            }
            let Some(piece) = self.piece(option, entry, written, start) else {
                continue;
            };
            match parse(&piece) {
                Ok(value) => values.push(value),
                Err(mistake) => self.mistake(option, &piece, mistake),
            }
        }
        values
    }

    /// A piece of a value, expanded; what cannot be is reported.
    fn piece(
        &mut self,
        option: &OptionSpec,
        entry: &'a Entry,
        written: &'a str,
        offset: usize,
    ) -> Option<Piece<'a>> {
        match self.expanded(option, entry, written, offset) {
            Ok(piece) => Some(piece),
            Err((span, statement)) => {
                self.problem(option, span, statement);
                None
            }
        }
    }

    /// A piece of a value, expanded, or what to say about it.
    pub(crate) fn expanded(
        &self,
        option: &OptionSpec,
        entry: &'a Entry,
        written: &'a str,
        offset: usize,
    ) -> Result<Piece<'a>, (Span, Statement)> {
        let names = self.reader.names.in_scope(option.scope);
        match expand(written, &names) {
            Ok(text) => Ok(Piece {
                entry,
                written,
                offset,
                text,
            }),
            Err(error) => {
                let span = entry.span_of(offset + error.start, offset + error.end);
                Err((span, explained(Statement::ours(""), &error, &names)))
            }
        }
    }

    /// Reports a value that cannot be used.
    pub(crate) fn mistake(&mut self, option: &OptionSpec, piece: &Piece<'_>, mistake: Mistake) {
        let Mistake {
            message,
            help,
            range,
        } = mistake;
        let help = help.unwrap_or_else(|| format!("write {}", option.kind.accepts()));
        let statement = Statement::ours(message).help(help);
        self.problem(option, piece.span(range), statement);
    }

    /// Reports an error of an option.
    pub(crate) fn problem(&mut self, option: &OptionSpec, span: Span, statement: Statement) {
        let statement = self.placed(option, statement);
        let document = self.reader.document;
        self.reader
            .findings
            .own_problem(document, Some(span), statement);
    }

    /// Reports an error of an option as a whole, at its place or that of the section.
    pub(crate) fn option_problem(&mut self, option: &OptionSpec, statement: Statement) {
        let statement = self.placed(option, statement);
        let (document, span) = (self.reader.document, self.reader.span(option));
        self.reader.findings.own_problem(document, span, statement);
    }

    /// Reports an error of the section as a whole.
    pub(crate) fn section_problem(&mut self, statement: Statement) {
        let message = format!("[{}]: {}", self.reader.section.name, statement.message);
        let (document, span) = (self.reader.document, self.reader.header());
        self.reader
            .findings
            .own_problem(document, span, statement.message(message));
    }

    /// Says something about an option that only `check` tells.
    pub(crate) fn remark(&mut self, option: &OptionSpec, span: Span, statement: Statement) {
        let statement = self.placed(option, statement);
        let document = self.reader.document;
        self.reader.findings.remark(document, Some(span), statement);
    }

    /// With the section and the option, because not every reader is shown the line.
    fn placed(&self, option: &OptionSpec, statement: Statement) -> Statement {
        let message = placed(&self.reader.section.name, option, &statement.message);
        statement.message(message)
    }
}

/// A message with the section and the option that it is about.
pub(crate) fn placed(section: &str, option: &OptionSpec, message: &str) -> String {
    format!("[{section}] {}: {message}", option.name)
}
