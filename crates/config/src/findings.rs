//! What loading collects besides the configuration itself.

use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::document::Document;
use crate::source::Span;

/// Most problems that are kept; a file with more is not a configuration.
const MOST_PROBLEMS: usize = 200;

/// Problems, doubts and the original's messages.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) problems: Vec<Diagnostic>,
    /// Problems with options of ours, which come after those that the original has.
    own_problems: Vec<Diagnostic>,
    /// Warnings that only `check` tells, because the file runs as it always did.
    pub(crate) remarks: Vec<Diagnostic>,
    pub(crate) doubts: Vec<Diagnostic>,
    pub(crate) warnings: Vec<String>,
    pub(crate) infos: Vec<String>,
}

/// A statement before it has a place.
#[derive(Debug)]
pub(crate) struct Statement {
    /// Supervisor's text.
    pub(crate) original: Option<String>,
    /// Our text.
    pub(crate) message: String,
    /// The remedy.
    pub(crate) help: Option<String>,
}

impl Statement {
    /// Supervisor's text serves as ours, too.
    pub(crate) fn original(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            message: text.clone(),
            original: Some(text),
            help: None,
        }
    }

    /// A statement of which Supervisor knows nothing.
    pub(crate) fn ours(message: impl Into<String>) -> Self {
        Self {
            original: None,
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn at(
        self,
        severity: Severity,
        document: &Document,
        span: Option<Span>,
    ) -> Diagnostic {
        Diagnostic {
            severity,
            place: span.map(|span| Place::new(document, span)),
            original_text: self.original,
            message: self.message,
            help: self.help,
        }
    }
}

impl Findings {
    /// How many problems there are of either kind.
    pub(crate) fn problem_count(&self) -> usize {
        self.problems.len() + self.own_problems.len()
    }

    /// Nothing more is read: problems with options of ours go behind the original's.
    pub(crate) fn finish(&mut self) {
        self.own_problems.sort_by_key(|problem| {
            let place = problem.place.as_ref();
            place.map(|place| (place.file.clone(), place.line, place.column))
        });
        self.problems.append(&mut self.own_problems);
        self.problems.truncate(MOST_PROBLEMS);
    }

    /// Records an error about an option of ours; the same one twice counts once.
    pub(crate) fn own_problem(&mut self, document: &Document, span: Option<Span>, what: Statement) {
        let diagnostic = what.at(Severity::Error, document, span);
        if self.own_problems.len() < MOST_PROBLEMS && !self.own_problems.contains(&diagnostic) {
            self.own_problems.push(diagnostic);
        }
    }

    /// Records a warning for `check` alone; the same one twice counts once.
    pub(crate) fn remark(&mut self, document: &Document, span: Option<Span>, what: Statement) {
        let diagnostic = what.at(Severity::Warning, document, span);
        if self.remarks.len() < MOST_PROBLEMS && !self.remarks.contains(&diagnostic) {
            self.remarks.push(diagnostic);
        }
    }

    /// Records an error; the same one twice counts once.
    pub(crate) fn problem(&mut self, document: &Document, span: Option<Span>, what: Statement) {
        let diagnostic = what.at(Severity::Error, document, span);
        if self.problems.len() < MOST_PROBLEMS && !self.problems.contains(&diagnostic) {
            self.problems.push(diagnostic);
        }
    }

    /// Records a warning of ours; the same one twice counts once.
    pub(crate) fn doubt(&mut self, document: &Document, span: Option<Span>, what: Statement) {
        let diagnostic = what.at(Severity::Warning, document, span);
        if self.doubts.len() < MOST_PROBLEMS && !self.doubts.contains(&diagnostic) {
            self.doubts.push(diagnostic);
        }
    }
}
