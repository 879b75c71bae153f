//! What is said about a configuration: problems that stop it and doubts that do not.

use std::sync::Arc;

use crate::document::Document;
use crate::source::Span;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// The configuration can be used, but probably does not do what was meant.
    Warning,
}

/// One statement about a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about, if that can be pointed at.
    pub place: Option<Place>,
    /// What Supervisor prints for it, without its `Error: `; none where Supervisor says nothing.
    pub original_text: Option<String>,
    /// What is wrong, in our words.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// A piece of a line of a file, with the line itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name of the file.
    pub file: Arc<str>,
    /// Line, counted from 1.
    pub line: usize,
    /// Column of the first character, counted in characters from 1.
    pub column: usize,
    /// Number of characters, at least 1.
    pub width: usize,
    /// The whole line, without its end.
    pub source: String,
}

impl Place {
    /// The place of a span in the document that it belongs to.
    #[must_use]
    pub fn new(document: &Document, span: Span) -> Self {
        let file = document.file(span.file);
        let source = file.line(span.line);
        let count = |end: usize| source.get(..end).unwrap_or(source).chars().count();
        let before = count(span.start);
        Self {
            file: Arc::clone(&file.name),
            line: span.line,
            column: before + 1,
            width: count(span.end).saturating_sub(before).max(1),
            source: source.to_owned(),
        }
    }
}

impl Diagnostic {
    /// The text for places that take one line: Supervisor's where there is one.
    #[must_use]
    pub fn text(&self) -> &str {
        self.original_text.as_deref().unwrap_or(&self.message)
    }
}
