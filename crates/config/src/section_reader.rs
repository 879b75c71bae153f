//! Reads the options of one section: looks up, expands, converts, falls back, and reports.
//!
//! An option that cannot be read is reported and then counts as not written, so that one mistake hides
//! no other.

use std::borrow::Cow;

use linchpin_python::repr;

use crate::document::{Document, Entry, Section};
use crate::expansion::{ExpansionError, ExpansionErrorKind, Names, expand, sorted_names};
use crate::findings::{Findings, Statement};
use crate::names::KnownNames;
use crate::options::{NameScope, OptionSpec};
use crate::source::Span;
use crate::suggestion::closest;
use crate::world::World;

/// One section while it is read.
pub(crate) struct SectionReader<'a, 'f> {
    pub(crate) world: &'a dyn World,
    pub(crate) document: &'a Document,
    pub(crate) section: &'a Section,
    pub(crate) names: KnownNames<'a>,
    /// The original adds the section and its file to the message.
    pub(crate) names_section: bool,
    pub(crate) findings: &'f mut Findings,
}

/// Text of an option with all names expanded.
pub(crate) struct Expanded<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) entry: &'a Entry,
}

impl<'a> SectionReader<'a, '_> {
    /// What is written for an option, under its name or another one for it.
    pub(crate) fn written(&self, option: &OptionSpec) -> Option<&'a Entry> {
        if !option.aliases.is_empty() {
            let own = [&[option.name], option.aliases].concat();
            let own = own.into_iter().find_map(|name| self.section.entry(name));
            if own.is_some() {
                return own;
            }
        }
        let entry = |name| self.document.entry(self.section, name);
        entry(option.name).or_else(|| option.aliases.iter().copied().find_map(entry))
    }

    /// Where an option stands, or else the header of the section.
    pub(crate) fn span(&self, option: &OptionSpec) -> Option<Span> {
        self.written(option)
            .map(Entry::value_span)
            .or_else(|| self.header())
    }

    /// Where the section begins.
    pub(crate) fn header(&self) -> Option<Span> {
        self.section.headers.first().copied()
    }

    /// What is written for an option, expanded by its own scope.
    pub(crate) fn text(&mut self, option: &OptionSpec) -> Option<Expanded<'a>> {
        self.text_in(option, option.scope)
    }

    /// What is written for an option, expanded by another scope.
    pub(crate) fn text_in(
        &mut self,
        option: &OptionSpec,
        scope: NameScope,
    ) -> Option<Expanded<'a>> {
        let entry = self.written(option)?;
        if !entry.value.contains('%') {
            let text = Cow::Borrowed(entry.value.as_str());
            return Some(Expanded { text, entry });
        }
        let names = self.names.in_scope(scope);
        match expand(&entry.value, &names) {
            Ok(text) => Some(Expanded { text, entry }),
            Err(error) => {
                let label = format!("{}.{}", self.section.name, option.name);
                self.expansion_problem(entry, &entry.value, &label, &error, &names);
                None
            }
        }
    }

    /// An option as a typed value: what is written, or else its default.
    pub(crate) fn value<T>(
        &mut self,
        option: &OptionSpec,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.value_in(option, option.scope, parse)
    }

    /// The same, expanded by another scope.
    pub(crate) fn value_in<T>(
        &mut self,
        option: &OptionSpec,
        scope: NameScope,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.value_or(option, scope, option.default, parse)
    }

    /// The same with a default of another section kind.
    pub(crate) fn value_or<T>(
        &mut self,
        option: &OptionSpec,
        scope: NameScope,
        default: Option<&str>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        if let Some(expanded) = self.text_in(option, scope) {
            match parse(&expanded.text) {
                Ok(value) => return Some(value),
                Err(original) => self.bad_value(option, &expanded, original),
            }
        }
        default.and_then(|default| parse(default).ok())
    }

    /// Reports a value of the wrong type.
    pub(crate) fn bad_value(
        &mut self,
        option: &OptionSpec,
        expanded: &Expanded<'_>,
        original: String,
    ) {
        let (name, text) = (option.name, &expanded.text);
        let kind = option.kind;
        let message = if kind.is_about_directories() {
            format!("`{name}` needs a directory that exists, and `{text}` has none")
        } else if kind.is_about_accounts() {
            format!("`{name}`: there is no such user or group here: `{text}`")
        } else {
            format!("`{name}` cannot be `{text}`")
        };
        let help = match closest(text, kind.words()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("write {}", kind.accepts()),
        };
        let span = expanded.entry.value_span();
        self.problem(
            Some(span),
            Statement::original(original).message(message).help(help),
        );
    }

    /// Reports a text that cannot be expanded.
    pub(crate) fn expansion_problem(
        &mut self,
        entry: &Entry,
        text: &str,
        label: &str,
        error: &ExpansionError,
        names: &dyn Names,
    ) {
        let span = if text == entry.value {
            entry.span_of(error.start, error.end)
        } else {
            entry.value_span()
        };
        let statement = Statement::original(error.original_text(text, label, names));
        self.problem(Some(span), explained(statement, error, names));
    }

    /// Reports an error of this section.
    pub(crate) fn problem(&mut self, span: Option<Span>, mut statement: Statement) {
        if self.names_section
            && let Some(original) = &mut statement.original
            && let Some(header) = self.header()
        {
            *original = format!(
                "{original} in section {} (file: {})",
                repr(&self.section.name),
                repr(&self.document.file(header.file).name)
            );
        }
        let span = span.or_else(|| self.header());
        self.findings.problem(self.document, span, statement);
    }

    /// Reports a doubt of ours about this section.
    pub(crate) fn doubt(&mut self, span: Option<Span>, statement: Statement) {
        let span = span.or_else(|| self.header());
        self.findings.doubt(self.document, span, statement);
    }
}

/// What is wrong with a text that cannot be expanded, in our words.
pub(crate) fn explained(
    statement: Statement,
    error: &ExpansionError,
    names: &dyn Names,
) -> Statement {
    match &error.kind {
        ExpansionErrorKind::UnknownName(name) => unknown_name(statement, name, names),
        ExpansionErrorKind::BadFormat(reason) => statement
            .message(format!(
                "`%` begins an expansion, and this one cannot be read: {reason}"
            ))
            .help("write `%%` where a single `%` is meant, and `%(name)s` for a name"),
    }
}

fn unknown_name(statement: Statement, name: &str, names: &dyn Names) -> Statement {
    if let Some(variable) = name.strip_prefix("ENV_") {
        return statement
            .message(format!("the variable `{variable}` is not set"))
            .help(format!(
                "set `{variable}` in the environment in which the daemon is started, \
                 or in `environment=` of [supervisord]"
            ));
    }
    let known = sorted_names(names);
    let known: Vec<&str> = known
        .iter()
        .map(String::as_str)
        .filter(|known| !known.starts_with("ENV_"))
        .collect();
    let help = match closest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `%({meant})s`?"),
        None if known.is_empty() => {
            "only `%(ENV_x)s` for a variable `x` can be used here".to_owned()
        }
        None => format!(
            "here can be used: {}, and `ENV_x` for a variable `x`",
            known.join(", ")
        ),
    };
    statement
        .message(format!("`{name}` is not a name that can be used here"))
        .help(help)
}
