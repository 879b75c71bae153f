//! The value of `depends_on`: names, and what must be true of them.
//!
//! Unmodified files contain bare lists, which mean nothing to Supervisor. So a list without any condition never
//! stops a file from being loaded; a condition shows that it was written for us.

use super::own::{Mistake, OwnReader};
use crate::findings::Statement;
use crate::options::service as options;
use crate::service::{Condition, Dependency};
use crate::suggestion::closest;

/// The words that may follow a name.
const CONDITIONS: [(&str, Condition); 3] = [
    ("started", Condition::Started),
    ("ready", Condition::Ready),
    ("completed", Condition::Completed),
];

/// The list as it was read.
#[derive(Debug, Default, PartialEq, Eq)]
struct Written {
    /// Each with its whole name in `group`, until the names are resolved.
    dependencies: Vec<Dependency>,
    /// What is doubtful in a bare list.
    remarks: Vec<Mistake>,
}

/// Reads `depends_on`. The names stay as written, each in `group`, until all groups are known.
pub(super) fn dependencies(own: &mut OwnReader<'_, '_, '_>) -> Vec<Dependency> {
    let option = &options::DEPENDS_ON;
    let Some(entry) = own.reader.written(option) else {
        return Vec::new();
    };
    let piece = match own.expanded(option, entry, &entry.value, 0) {
        Ok(piece) => piece,
        Err((span, statement)) => {
            if is_binding(&entry.value) {
                own.problem(option, span, statement);
            } else {
                own.remark(option, span, ignored(statement));
            }
            return Vec::new();
        }
    };
    match parse(&piece.text) {
        Ok(written) => {
            for remark in written.remarks {
                let statement = Statement::ours(remark.message);
                let help = remark.help.unwrap_or_default();
                let span = piece.span(remark.range);
                own.remark(option, span, statement.help(help));
            }
            written.dependencies
        }
        Err(mistake) => {
            own.mistake(option, &piece, mistake);
            Vec::new()
        }
    }
}

/// A remark about a bare list, which is passed over.
fn ignored(statement: Statement) -> Statement {
    let message = format!("{}; the list is passed over", statement.message);
    statement.message(message)
}

/// The condition that a word is.
pub(super) fn condition(word: &str) -> Option<Condition> {
    let lower = word.to_lowercase();
    let known = CONDITIONS.iter().find(|(name, _)| *name == lower);
    known.map(|(_, condition)| *condition)
}

fn words_of_items(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.split([',', '\n'])
        .map(|item| item.split_whitespace().collect::<Vec<&str>>())
        .filter(|words| !words.is_empty())
}

/// Whether a list was written for us.
fn is_binding(text: &str) -> bool {
    words_of_items(text).any(|words| words.iter().skip(1).any(|word| condition(word).is_some()))
}

fn parse(text: &str) -> Result<Written, Mistake> {
    let is_binding = is_binding(text);
    let mut written = Written::default();
    for words in words_of_items(text) {
        let bound = words.get(1).and_then(|word| condition(word));
        let condition = match (words.len(), bound) {
            (1, _) => Condition::Order,
            (2, Some(condition)) => condition,
            _ => {
                let remark = without_commas(text, &words, is_binding)?;
                written.remarks.push(remark);
                let names = words.iter().copied();
                let bare = names.map(|name| as_written(name, Condition::Order));
                written.dependencies.extend(bare);
                continue;
            }
        };
        written.dependencies.push(as_written(words[0], condition));
    }
    Ok(written)
}

fn as_written(name: &str, condition: Condition) -> Dependency {
    Dependency {
        group: name.to_owned(),
        process: None,
        condition,
    }
}

/// Several words of which none but the first can be a name, or names without commas in a bare list.
fn without_commas(text: &str, words: &[&str], is_binding: bool) -> Result<Mistake, Mistake> {
    let known = || CONDITIONS.iter().map(|(name, _)| *name);
    let second = words.get(1).copied().unwrap_or_default();
    let meant = words.iter().skip(1).find_map(|word| closest(word, known()));
    if !is_binding && meant.is_none() {
        let message = format!("`{}` are several names", words.join(" "));
        return Ok(Mistake::new(message)
            .help("write commas between them")
            .at(range_of(text, words.first().copied().unwrap_or_default())));
    }
    Err(match closest(second, known()) {
        Some(meant) if words.len() == 2 => Mistake::new(format!("`{second}` is no condition"))
            .help(format!("did you mean `{meant}`?"))
            .at(range_of(text, second)),
        _ => {
            let more = words.get(2).copied().unwrap_or(second);
            Mistake::new(format!("`{more}` cannot stand here"))
                .help("write a name and perhaps `started`, `ready` or `completed`, and a comma before the next name")
                .at(range_of(text, more))
        }
    })
}

/// Where a word, which is a slice of a text, stands in it.
fn range_of(text: &str, word: &str) -> std::ops::Range<usize> {
    let start = (word.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    start..start + word.len()
}

/// Takes the names apart without knowing which there are, for a program that no file has.
pub(crate) fn take_apart(dependencies: &mut [Dependency]) {
    for dependency in dependencies {
        if let Some((group, process)) = dependency.group.split_once(':') {
            dependency.process = (process != "*").then(|| process.to_owned());
            dependency.group = group.to_owned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, Condition)> {
        let written = parse(text).unwrap();
        assert_eq!(written.remarks, [], "{text}");
        written
            .dependencies
            .into_iter()
            .map(|dependency| (dependency.group, dependency.condition))
            .collect()
    }

    #[test]
    fn names_may_have_conditions() {
        let of = |name: &str, condition| (name.to_owned(), condition);
        assert_eq!(
            read("redis ready, jobs:migrate  Completed,\n db , ,x:* started"),
            [
                of("redis", Condition::Ready),
                of("jobs:migrate", Condition::Completed),
                of("db", Condition::Order),
                of("x:*", Condition::Started),
            ]
        );
        assert_eq!(read(""), []);
    }

    #[test]
    fn names_without_commas_are_an_error_only_in_a_list_with_conditions() {
        let bare = parse("a b c").unwrap();
        assert_eq!((bare.dependencies.len(), bare.remarks.len()), (3, 1));
        for (text, piece) in [
            ("a ready b ready", "b"),
            ("a redy", "redy"),
            ("a b, c ready", "b"),
            ("a ready ready", "ready"),
        ] {
            let range = parse(text).unwrap_err().range.unwrap();
            assert_eq!(&text[range], piece, "{text}");
        }
    }

    #[test]
    fn names_can_be_taken_apart_without_groups() {
        let mut dependencies = parse("a:b ready, c:*, d").unwrap().dependencies;
        take_apart(&mut dependencies);
        let names: Vec<(&str, Option<&str>)> = dependencies
            .iter()
            .map(|each| (each.group.as_str(), each.process.as_deref()))
            .collect();
        assert_eq!(names, [("a", Some("b")), ("c", None), ("d", None)]);
    }
}
