//! From files to sections: the main file, what it includes, decoding, and what is wrong with the text.

use std::fmt::Write as _;

use linchpin_python::{repr, split_blanks};

use crate::document::{Document, SyntaxProblem, SyntaxProblemKind};
use crate::expansion::expand;
use crate::file_pattern::matching_files;
use crate::findings::{Findings, Statement};
use crate::load::{Context, environment_names};
use crate::options;
use crate::paths::{directory_of, join};
use crate::source::{FileId, SourceFile, Span};
use crate::world::World;

/// The text behind a configuration.
#[derive(Debug, Default)]
pub struct Reading {
    /// The sections.
    pub document: Document,
    /// The patterns of `[include] files`, made full paths.
    pub include_patterns: Vec<String>,
    /// The files that they found.
    pub included_files: Vec<String>,
}

/// Reads the main file and what it includes; nothing if there is no text to look at.
pub(crate) fn read_all(
    world: &dyn World,
    file: &str,
    reading: &mut Reading,
    findings: &mut Findings,
) -> Option<()> {
    read_main_file(world, file, &mut reading.document, findings)?;
    let here = here_of(world, file);
    if reading.document.section("include").is_some() {
        reading.document.replace_here(&here);
        include(world, file, &here, reading, findings);
    }
    Some(())
}

/// Reads a main file into an empty document, for both programs.
pub(crate) fn read_main_file(
    world: &dyn World,
    file: &str,
    document: &mut Document,
    findings: &mut Findings,
) -> Option<()> {
    if !world.exists(file) {
        let text = format!("could not find config file {file}");
        findings.problem(document, None, Statement::original(text));
        return None;
    }
    let Ok(bytes) = world.read_file(file) else {
        let text = format!("could not read config file {file}");
        findings.problem(document, None, Statement::original(text));
        return None;
    };
    add_file(file, &bytes, document, findings);
    Some(())
}

/// Absolute directory of the main file.
pub(crate) fn here_of(world: &dyn World, file: &str) -> String {
    world.normalized(directory_of(file))
}

pub(crate) fn include(
    world: &dyn World,
    file: &str,
    here: &str,
    reading: &mut Reading,
    findings: &mut Findings,
) {
    let Reading {
        document,
        include_patterns,
        included_files,
    } = reading;
    let Some(section) = document.section("include") else {
        return;
    };
    let environment = environment_names(world);
    let context = Context {
        world,
        document,
        here,
        extensions: true,
    };
    let mut reader = context.reader(section, &environment, findings);
    let Some(entry) = reader.written(&options::INCLUDE_FILES) else {
        let text = ".ini file has [include] section, but no files setting";
        reader.problem(
            None,
            Statement::original(text)
                .message("[include] does not say what to include")
                .help("add `files = conf.d/*.conf`, or remove the section"),
        );
        return;
    };
    let names = reader
        .names
        .in_scope(options::INCLUDE_FILES.scope)
        .local_first();
    let files = match expand(&entry.value, &names) {
        Ok(files) => files.into_owned(),
        Err(error) => {
            reader.expansion_problem(entry, &entry.value, "include.files", &error, &names);
            return;
        }
    };
    let base = directory_of(&world.normalized(file)).to_owned();
    for pattern in split_blanks(&files) {
        let pattern = join(&base, pattern);
        let is_first_failure_ahead = findings.problems.is_empty();
        if is_first_failure_ahead {
            include_patterns.push(pattern.clone());
        }
        let found = matching_files(world, &pattern);
        if found.is_empty() {
            findings
                .warnings
                .push(format!("No file matches via include \"{pattern}\""));
        }
        for path in found {
            if is_first_failure_ahead {
                included_files.push(path.clone());
            }
            findings
                .infos
                .push(format!("Included extra file \"{path}\" during parsing"));
            // What cannot be opened is passed over, as in the original; a directory without a word.
            match world.read_file(&path) {
                Ok(bytes) => {
                    add_file(&path, &bytes, document, findings);
                    let directory = world.normalized(directory_of(&path));
                    document.replace_here(&directory);
                }
                Err(_) if world.is_directory(&path) => {}
                Err(error) => {
                    let text = format!(
                        "the included file {path} cannot be read and is passed over: {error}"
                    );
                    let help = "let the user that starts the daemon read it";
                    findings.doubt(document, None, Statement::ours(text).help(help));
                }
            }
        }
    }
}

/// Decodes and parses a file; what is wrong with the text becomes problems.
fn add_file(name: &str, bytes: &[u8], document: &mut Document, findings: &mut Findings) {
    let text = String::from_utf8_lossy(bytes);
    let file = SourceFile::new(name, text);
    let decoding = std::str::from_utf8(bytes).err();
    let ends_with_newline = file.ends_with_newline;
    let line_count = file.lines().len();
    let problems = document.add_file(file);
    if let Some(error) = decoding {
        let before = &bytes[..error.valid_up_to()];
        let line = SourceFile::new(name, String::from_utf8_lossy(before));
        let number = line.lines().len() + usize::from(line.ends_with_newline);
        let column = line.lines().last().map_or(0, str::len);
        let column = if line.ends_with_newline { 0 } else { column };
        findings.problem(
            document,
            Some(Span {
                file: FileId(document.files().len() - 1),
                line: number,
                start: column,
                end: column + '\u{fffd}'.len_utf8(),
            }),
            Statement::original(decoding_text(bytes, &error))
                .message("this byte is not UTF-8 text")
                .help("save the file as UTF-8"),
        );
    }
    let is_last_line_open = |line: usize| line == line_count && !ends_with_newline;
    for (index, problem) in problems.iter().enumerate() {
        let line = document.file(problem.span.file).line(problem.span.line);
        let mut statement = syntax_statement(problem, line);
        // All bad lines share one text in the original; the further ones are ours.
        if index == 0 {
            statement.original = Some(match problem.kind {
                SyntaxProblemKind::NoSectionYet => format!(
                    "File contains no section headers.\nfile: {}, line: {}\n{}",
                    repr(name),
                    problem.span.line,
                    repr(&with_end(line, is_last_line_open(problem.span.line)))
                ),
                SyntaxProblemKind::NoDelimiter | SyntaxProblemKind::NoKey => {
                    parsing_text(document, &problems, name, is_last_line_open)
                }
            });
        }
        findings.problem(document, Some(problem.span), statement);
    }
}

fn with_end(line: &str, is_open: bool) -> String {
    format!("{line}{}", if is_open { "" } else { "\n" })
}

/// The original's text for all lines that have no delimiter.
fn parsing_text(
    document: &Document,
    problems: &[SyntaxProblem],
    name: &str,
    is_last_line_open: impl Fn(usize) -> bool,
) -> String {
    let mut text = format!("Source contains parsing errors: {}", repr(name));
    for problem in problems {
        if problem.kind == SyntaxProblemKind::NoSectionYet {
            continue;
        }
        let number = problem.span.line;
        let line = with_end(
            document.file(problem.span.file).line(number),
            is_last_line_open(number),
        );
        // Writing to a string cannot fail.
        let _ = write!(text, "\n\t[line {number:2}]: {}", repr(&line));
    }
    text
}

fn syntax_statement(problem: &SyntaxProblem, line: &str) -> Statement {
    match problem.kind {
        SyntaxProblemKind::NoSectionYet if line.starts_with('\u{feff}') => {
            Statement::ours("the file begins with a byte-order mark, which hides its first section")
                .help("save the file as UTF-8 without a byte-order mark")
        }
        SyntaxProblemKind::NoSectionYet => {
            Statement::ours("this stands before the first section, so it belongs to none")
                .help("put a header such as `[supervisord]` before it")
        }
        SyntaxProblemKind::NoDelimiter if line.trim_start().starts_with('[') => {
            Statement::ours("this header has no closing bracket or no name")
                .help("write `[program:name]`")
        }
        SyntaxProblemKind::NoDelimiter => {
            Statement::ours("this is neither a header nor `key=value`").help(
                "put `;` before it if it is a comment, or indent it if it continues the value \
                 above",
            )
        }
        SyntaxProblemKind::NoKey => Statement::ours("there is no key before the `=` or `:`"),
    }
}

/// Python's text for bytes that are not UTF-8.
fn decoding_text(bytes: &[u8], error: &std::str::Utf8Error) -> String {
    let start = error.valid_up_to();
    let width = error.error_len().unwrap_or(bytes.len() - start);
    let first = bytes.get(start).copied().unwrap_or_default();
    let reason = if error.error_len().is_none() {
        "unexpected end of data"
    } else if matches!(first, 0xc2..=0xf4) {
        "invalid continuation byte"
    } else {
        "invalid start byte"
    };
    if width == 1 {
        format!("'utf-8' codec can't decode byte 0x{first:02x} in position {start}: {reason}")
    } else {
        let last = start + width - 1;
        format!("'utf-8' codec can't decode bytes in position {start}-{last}: {reason}")
    }
}
