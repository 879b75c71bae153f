//! Text that was taken apart in another way than it looks: cut comments, swallowed lines, doubled keys.

use super::Judge;
use crate::document::{Document, Entry, Section, ValuePart};
use crate::options::{Origin, SectionKind};
use crate::source::Span;
use crate::value_kind::ValueKind;

pub(super) fn judge(judge: &mut Judge<'_>) {
    for (section, kind) in judge.sections() {
        for entry in &section.entries {
            if !cut_in_quotes(judge, entry) {
                cut_value(judge, kind, entry);
            }
            swallowed(judge, section, kind, entry);
            doubled(judge, entry);
            nameless_conversion(judge, kind, entry);
        }
    }
}

/// The text of a line of a value.
fn part_text<'a>(document: &'a Document, part: &ValuePart) -> &'a str {
    document
        .file(part.span.file)
        .line(part.span.line)
        .get(part.span.start..part.span.end)
        .unwrap_or_default()
}

/// A comment sign inside quotes ends the value nevertheless. Answers whether one does.
fn cut_in_quotes(judge: &mut Judge<'_>, entry: &Entry) -> bool {
    let document = judge.document;
    let mut quote = None;
    for part in &entry.parts {
        quote = open_quote(part_text(document, part), quote);
        let (Some(open), Some(comment)) = (quote, part.comment) else {
            continue;
        };
        let line = document.file(part.span.file).line(part.span.line);
        let rest = line.get(comment..).unwrap_or_default();
        if rest.contains(open) {
            let sign = &rest[..1];
            judge.warn(
                Some(Span {
                    start: comment,
                    end: line.len(),
                    ..part.span
                }),
                format!(
                    "`{}` ends here: ` {sign}` begins a comment, even inside quotes",
                    entry.key
                ),
                format!("remove the blank before `{sign}`, or put the command into a script"),
            );
            return true;
        }
    }
    false
}

/// A comment sign in an option of ours that is a command or a pattern: it may belong to the value, and the
/// original, which reads the same file, sees a comment too.
fn cut_value(judge: &mut Judge<'_>, kind: Option<SectionKind>, entry: &Entry) {
    let option = kind.and_then(|kind| kind.option(&entry.key));
    let Some(option) = option.filter(|option| option.origin == Origin::Linchpin) else {
        return;
    };
    let document = judge.document;
    for part in &entry.parts {
        let text = part_text(document, part);
        let is_pattern = text.starts_with("log:") || text.contains("body=");
        let help = if option.kind == ValueKind::Command {
            "put a comment on a line of its own; a command that needs the sign goes into a script"
        } else if option.kind == ValueKind::Probes && text.starts_with("exec:") {
            "put a comment on a line of its own; a command that needs the sign goes into a file: `exec:@/file`"
        } else if option.kind == ValueKind::Probes && is_pattern {
            "put a comment on a line of its own; in a pattern write the sign as `[;]` or `[#]`"
        } else {
            continue;
        };
        let Some(comment) = part.comment else {
            continue;
        };
        let line = document.file(part.span.file).line(part.span.line);
        let sign = line.get(comment..=comment).unwrap_or_default();
        judge.warn(
            Some(Span {
                start: comment,
                end: line.len(),
                ..part.span
            }),
            format!("`{}` ends here: ` {sign}` begins a comment", entry.key),
            help,
        );
    }
}

/// The quotation mark that is open at the end of a text.
fn open_quote(text: &str, mut open: Option<char>) -> Option<char> {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (open, character) {
            (Some('"') | None, '\\') => {
                characters.next();
            }
            (None, '\'' | '"') => open = Some(character),
            (Some(quote), _) if quote == character => open = None,
            _ => {}
        }
    }
    open
}

/// An indented header or option became part of the value above it.
fn swallowed(judge: &mut Judge<'_>, section: &Section, kind: Option<SectionKind>, entry: &Entry) {
    let document = judge.document;
    let option = kind.and_then(|kind| kind.option(&entry.key));
    for part in entry.parts.iter().skip(1) {
        let text = part_text(document, part);
        if text.starts_with('[')
            && let Some(end) = text.find(']')
            && SectionKind::of(&text[1..end]).is_some()
        {
            let message = format!(
                "this header is indented, so it continues the value of `{}` and its section does not exist",
                entry.key
            );
            judge.warn(Some(part.span), message, "remove the blanks before it");
            return;
        }
        let is_list = option.is_some_and(|option| option.kind == ValueKind::KeyValues);
        let key = text.split(['=', ':']).next().unwrap_or_default().trim_end();
        let is_option = text.len() > key.len()
            && kind.is_some_and(|kind| kind.option(&key.to_lowercase()).is_some());
        if is_option && !is_list {
            let message = format!(
                "`{key}` is indented deeper than `{}` above it, so it continues that value",
                entry.key
            );
            let help = format!(
                "remove the blanks before it to make it an option of [{}]",
                section.name
            );
            judge.warn(Some(part.span), message, help);
            return;
        }
    }
}

/// The same key twice in one file.
fn doubled(judge: &mut Judge<'_>, entry: &Entry) {
    let earlier = entry
        .overridden
        .iter()
        .rev()
        .find(|earlier| earlier.file == entry.key_span.file);
    if let Some(earlier) = earlier {
        let message = format!(
            "`{}` is written again in line {}, and only that counts",
            entry.key, entry.key_span.line
        );
        judge.warn(Some(*earlier), message, "remove one of the two");
    }
}

/// A conversion without a name prints all names and values, passwords included.
fn nameless_conversion(judge: &mut Judge<'_>, kind: Option<SectionKind>, entry: &Entry) {
    if kind.is_none_or(|kind| kind.option(&entry.key).is_none()) {
        return;
    }
    let mut rest = entry.value.as_str();
    let mut offset = 0;
    while let Some(percent) = rest.find('%') {
        let after = &rest[percent + 1..];
        let next = after.chars().next();
        if matches!(next, Some('s' | 'r' | 'a')) {
            let start = offset + percent;
            judge.warn(
                Some(entry.span_of(start, start + 2)),
                format!(
                    "`%{}` without a name inserts a list of all variables and their values",
                    next.unwrap_or_default()
                ),
                "write `%%` where a single `%` is meant",
            );
            return;
        }
        let skipped = percent + 1 + next.map_or(0, |next| if next == '%' { 1 } else { 0 });
        offset += skipped;
        rest = &rest[skipped..];
    }
}
