//! The same files, sourced by bash: it finds the values that we find, but for a few differences that are wanted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::nasty::NASTY;
use super::*;

/// Files that bash understands otherwise, on purpose: a name in them, and its value for us.
const DIFFERENCES: [(&str, &str, &str); 12] = [
    // Addresses are written without quotes, and a shell cuts them in pieces.
    ("V=a?b&c", "V", "a?b&c"),
    ("V=a;b", "V", "a;b"),
    ("V=a|b", "V", "a|b"),
    ("V=a<b", "V", "a<b"),
    ("V=a>b", "V", "a>b"),
    ("V=(a)", "V", "(a)"),
    ("V=a)", "V", "a)"),
    // Editors of other systems.
    ("V=a\r\nW=b\r\n", "V", "a"),
    ("\u{feff}V=a", "V", "a"),
    // What bash keeps under these names is its own. It has some thirty of them.
    ("UID=4242", "UID", "4242"),
    ("SECONDS=soon", "SECONDS", "soon"),
    ("GROUPS=4242", "GROUPS", "4242"),
];

/// Where there is a bash.
fn bash() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders)
        .map(|folder| folder.join("bash"))
        .find(|file| file.is_file());
    if found.is_none() {
        println!("skipped: there is no bash to compare with");
    }
    found
}

/// What a program gets that a bash starts which has sourced a file, and what bash complained of.
fn sourced(bash: &PathBuf, text: &str, locale: &str) -> (BTreeMap<String, String>, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("settings.env"), text).unwrap();
    let output = Command::new(bash)
        .args(["--noprofile", "--norc", "-c"])
        .arg("set -a; . ./settings.env; exec /usr/bin/env -0")
        .env_clear()
        // Nothing is found by a name that is run by mistake.
        .env("PATH", "/nowhere")
        .env("LC_ALL", locale)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let variables = String::from_utf8(output.stdout).unwrap();
    let variables = variables
        .split_terminator('\0')
        .map(|variable| variable.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    (
        variables,
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Compares a whole file, with bytes for characters and with UTF-8.
fn assert_same(bash: &PathBuf, text: &str) {
    let file = EnvFile::parse(text.as_bytes()).unwrap();
    for locale in ["C", "C.UTF-8"] {
        let (found, complaints) = sourced(bash, text, locale);
        for (line, assignment) in text.lines().zip(file.assignments()) {
            let found = found.get(&assignment.name).map(String::as_str);
            assert_eq!(
                found,
                Some(assignment.value.as_str()),
                "{line:?}: {complaints}"
            );
        }
        assert_eq!(complaints, "", "in {locale}");
    }
}

/// Whether a shell would end a command at something outside of quotes.
fn has_operator(written: &str) -> bool {
    let mut characters = written.chars();
    let mut quote = None;
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None | Some('"'), '\\') => drop(characters.next()),
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            (None, ';' | '&' | '|' | '<' | '>' | '(' | ')') => return true,
            (_, _) => {}
        }
    }
    false
}

/// What may stand behind `NAME=`, right or nearly right.
fn written() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "n",
        "B9",
        "ü",
        "🦀",
        "'",
        "'",
        "'",
        "\"",
        "\"",
        "\"",
        "\\",
        "\\",
        "$",
        "`",
        "~",
        ":",
        "=",
        "#",
        "*",
        "?",
        "[a-z]",
        "{a,b}",
        "!",
        "^",
        "%",
        "@",
        "/",
        ".",
        "-",
        "+",
        ",",
        "&",
        "|",
        ";",
        "<",
        ">",
        "(",
        ")",
        " ",
        "\u{a0}",
        "\u{2028}",
        "'a  b'",
        "\"c\t d\"",
        "\"\\n\\'\\e\"",
        "\\$",
        "\\\"",
        "$(",
        "${",
    ]);
    let of_pieces = prop::collection::vec(pieces, 0..9).prop_map(|pieces| pieces.concat());
    let end = prop::sample::select(vec!["", "", " ", "\t", " # c", " \t#'", " #`$("]);
    let start = prop_oneof![4 => of_pieces, 1 => any::<String>()];
    (start, end).prop_map(|(start, end)| start + end)
}

/// The same examples each time.
fn examples<T>(strategy: &impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..count)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect()
}

#[test]
fn what_is_read_is_what_bash_reads() {
    let Some(bash) = bash() else { return };
    let mut text = String::new();
    let mut accepted = 0;
    for (number, written) in examples(&written(), 8000).into_iter().enumerate() {
        let is_accepted = EnvFile::parse(format!("V={written}\n").as_bytes()).is_ok();
        if is_accepted && !has_operator(&written) {
            writeln!(text, "V{number}={written}").unwrap();
            accepted += 1;
        }
    }
    assert!(accepted > 1500, "only {accepted} of them are good");
    assert_same(&bash, &text);
}

#[test]
fn what_is_written_is_what_bash_reads() {
    let Some(bash) = bash() else { return };
    let values = examples(&super::values(), 4000);
    let values = values.iter().map(String::as_str);
    let mut text = String::new();
    let mut written = 0;
    for (number, value) in NASTY.into_iter().chain(values).enumerate() {
        if !value.contains(char::is_control) {
            writeln!(text, "V{number}={}", quoted(value)).unwrap();
            written += 1;
        }
    }
    assert!(written > 1500, "only {written} of them can be written");
    assert_same(&bash, &text);
    // And as a change writes them, over what was there.
    let mut file = EnvFile::parse(b"V0=a\nV1='b'\nV2=\"c\"\n").unwrap();
    for (number, value) in NASTY.into_iter().enumerate() {
        file.set(&format!("V{number}"), value).unwrap();
    }
    assert_same(&bash, file.text());
}

#[test]
fn differences_are_those_that_are_listed() {
    let Some(bash) = bash() else { return };
    for (text, name, ours) in DIFFERENCES {
        let file = EnvFile::parse(text.as_bytes()).unwrap();
        assert_eq!(file.get(name), Some(ours), "{text:?}");
        let (found, _) = sourced(&bash, text, "C");
        assert_ne!(found.get(name).map(String::as_str), Some(ours), "{text:?}");
        // Quotes remove the difference, where it is one of characters.
        if has_operator(ours) {
            assert_same(&bash, &format!("{name}={}\n", quoted(ours)));
        }
    }
}
