//! Values that have broken products in which a shell read such a file, or wrote it.

use super::*;

/// Values that a product is given, none of which may change on its way through a file.
pub(super) const NASTY: [&str; 26] = [
    "",
    " ",
    " a ",
    "XYZ Group",
    "mongodb+srv://user:pass@db.example/app?retryWrites=true&w=majority",
    "https://example.com/*?a=[1]&b={c,d};e|f<g>h(i)",
    "$(touch owned)",
    "`touch owned`",
    "${HOME:-$(touch owned)}",
    "'; touch owned; '",
    "\"; touch owned; \"",
    "'\"'\"'",
    "'\\''",
    "it's",
    "say \"it's $5\"",
    "\\",
    "a\\",
    "\\n\\t\\\\",
    "\\'\\\"\\`\\$",
    "{\"key\": \"it's\", \"list\": [1, 2]}",
    "#1",
    "a # b",
    "~/x:~/y",
    "!history !!",
    " !\"#$%&'()*+,-./0123456789:;<=>?@ABCXYZ[\\]^_`abcxyz{|}~",
    "grün 🦀 \u{a0}\u{2028}\u{feff}\u{fffd}\u{10ffff}",
];

/// A value after it was written between others, and read.
fn kept(value: &str) -> String {
    let mut file = EnvFile::parse(b"BEFORE='1' # c\nX=old # d\nAFTER=2\n").unwrap();
    file.set("X", value).unwrap();
    let read = EnvFile::parse(file.text().as_bytes()).unwrap();
    assert_eq!(read.assignments().len(), 3, "{}", file.text());
    assert_eq!(
        (read.get("BEFORE"), read.get("AFTER")),
        (Some("1"), Some("2"))
    );
    read.get("X").unwrap().to_owned()
}

#[test]
fn whatever_was_given_is_what_comes_back() {
    for value in NASTY {
        assert_eq!(kept(value), value);
    }
    for first in 32..127_u8 {
        for second in 32..127_u8 {
            let value = String::from_utf8(vec![first, second]).unwrap();
            assert_eq!(kept(&value), value);
        }
    }
}

#[test]
fn a_url_keeps_its_query_without_quotes() {
    let url = "mongodb+srv://user:pass@db.example/app?retryWrites=true&w=majority";
    assert_eq!(value(url).as_deref(), Ok(url));
}

#[test]
fn a_blank_stops_at_its_line_with_a_remedy_and_runs_nothing() {
    assert_eq!(value("XYZ Group"), Err(ProblemKind::TextBehindValue));
    let problems = EnvFile::parse(b"A=1\nNAME=XYZ Group\n").unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "line 2 (NAME): the value ends at the blank, and more follows; put the value in single quotes"
    );
    // The remedy does what it says, and so does the writer.
    assert_eq!(value("'XYZ Group'").as_deref(), Ok("XYZ Group"));
    assert_eq!(quoted("XYZ Group"), "'XYZ Group'");
}

#[test]
fn a_command_in_a_value_is_refused_or_text_and_never_run() {
    for (written, expected) in [
        ("$(touch owned)", Err(ProblemKind::Dollar)),
        ("a$(touch owned)", Err(ProblemKind::Dollar)),
        ("\"$(touch owned)\"", Err(ProblemKind::Dollar)),
        ("${x:-$(touch owned)}", Err(ProblemKind::Dollar)),
        ("$[owned[$(touch owned)]]", Err(ProblemKind::Dollar)),
        ("`touch owned`", Err(ProblemKind::Backquote)),
        ("\"`touch owned`\"", Err(ProblemKind::Backquote)),
        ("<(touch owned)", Err(ProblemKind::TextBehindValue)),
        ("a;touch owned", Err(ProblemKind::TextBehindValue)),
        ("a&touch${IFS}owned", Err(ProblemKind::Dollar)),
        ("'$(touch owned)'", Ok("$(touch owned)")),
        (r"\$\(touch\ owned\)", Ok("$(touch owned)")),
        ("\"\\$(touch owned)\"", Ok("$(touch owned)")),
    ] {
        assert_eq!(value(written).as_deref(), expected.as_ref().copied());
    }
}

#[test]
fn a_line_end_brings_no_other_setting_in() {
    for value in [
        "x\nPATH=/owned",
        "x'\nB=2",
        "x\r\nB=2",
        "\n",
        "x\\\nB",
        "\u{85}",
        "\u{b}",
        "\0",
    ] {
        let mut file = EnvFile::parse(b"A=1\n").unwrap();
        for name in ["A", "NEW"] {
            assert_eq!(file.set(name, value), Err(ProblemKind::ControlCharacter));
        }
        assert_eq!(file.text(), "A=1\n");
    }
    // Read, the second line is one of its own, and is no assignment.
    assert_eq!(
        problem("X='one"),
        (Some("X".to_owned()), ProblemKind::OpenQuote)
    );
    assert_eq!(problem("two'"), (None, ProblemKind::NoAssignment));
}

#[test]
fn a_value_that_ends_in_a_backslash_does_not_swallow_the_line_behind_it() {
    assert_eq!(value("a\\"), Err(ProblemKind::OpenBackslash));
    assert_eq!(value("\"a\\"), Err(ProblemKind::OpenQuote));
    assert_eq!(kept("a\\"), "a\\");
}
