//! The language and the writer, by examples and by what must hold for anything.

use proptest::prelude::*;

use super::*;

mod bash;
mod docker;
mod nasty;

/// The value of `X=…`.
fn value(written: &str) -> Result<String, ProblemKind> {
    match EnvFile::parse(format!("X={written}").as_bytes()) {
        Ok(file) => Ok(file.get("X").unwrap().to_owned()),
        Err(problems) => {
            assert_eq!(problems.len(), 1);
            assert_eq!(
                (problems[0].line, problems[0].name.as_deref()),
                (1, Some("X"))
            );
            Err(problems[0].kind)
        }
    }
}

fn problem(line: &str) -> (Option<String>, ProblemKind) {
    let text = format!("# a comment\n{line}\nY=1\n");
    let problems = EnvFile::parse(text.as_bytes()).unwrap_err();
    assert_eq!(problems.len(), 1, "{line}");
    assert_eq!(problems[0].line, 2);
    (problems[0].name.clone(), problems[0].kind)
}

#[test]
fn values_are_what_a_shell_would_read_as_plain_text() {
    for (written, expected) in [
        ("", ""),
        ("a", "a"),
        ("''", ""),
        ("\"\"", ""),
        ("a b", "a"),
        ("'a b'", "a b"),
        ("'a'\"'\"'b'", "a'b"),
        ("a'b'\"c\"d", "abcd"),
        (r"a\ b", "a b"),
        (r"a\$b\\\'\`\~", r"a$b\'`~"),
        (r#""a\\b\"c\$d\`e""#, r#"a\b"c$d`e"#),
        (r#""a\nb\ c\'""#, r"a\nb\ c\'"),
        (r"'a\b$c`d'", r"a\b$c`d"),
        ("a#b", "a#b"),
        ("#b", "#b"),
        ("'#b'", "#b"),
        ("a~b", "a~b"),
        ("'~'", "~"),
        ("\\~", "~"),
        (r"a\:~:'~':\~=~", "a:~:~:~=~"),
        ("http://x/?a=1&b=*;c|d", "http://x/?a=1&b=*;c|d"),
        ("a$", "a$"),
        ("a$.b$,c$/", "a$.b$,c$/"),
        ("\"5$\"", "5$"),
        ("\"$'x'\"", "$'x'"),
        ("ü🦀", "ü🦀"),
        ("a\u{2028}b\u{a0}c", "a\u{2028}b\u{a0}c"),
    ] {
        // What stops at a blank must be followed by a comment.
        let written = if written == "a b" { "a # b" } else { written };
        assert_eq!(value(written).as_deref(), Ok(expected), "{written}");
        assert_eq!(value(&format!("{written} \t# x")).as_deref(), Ok(expected));
        assert_eq!(value(&format!("{written}  ")).as_deref(), Ok(expected));
    }
}

#[test]
fn what_a_shell_would_act_upon_is_refused() {
    use ProblemKind::*;
    for (written, expected) in [
        ("a b", TextBehindValue),
        (" a", TextBehindValue),
        ("a 'b'", TextBehindValue),
        ("'a' b # c", TextBehindValue),
        ("$a", Dollar),
        ("a$b", Dollar),
        ("\"$b\"", Dollar),
        ("${b}", Dollar),
        ("$(b)", Dollar),
        ("\"x$(b)\"", Dollar),
        ("$[1]", Dollar),
        ("$1", Dollar),
        ("\"$?\"", Dollar),
        ("$$", Dollar),
        ("$'a'", Dollar),
        ("$\"a\"", Dollar),
        ("$_", Dollar),
        ("`a`", Backquote),
        ("\"a`\"", Backquote),
        ("~", Tilde),
        ("~/x", Tilde),
        ("/a:~/b", Tilde),
        ("'/a':~", Tilde),
        ("'a", OpenQuote),
        ("\"a", OpenQuote),
        ("\"a\\\"", OpenQuote),
        ("'a'b'", OpenQuote),
        ("a\\", OpenBackslash),
        ("a\u{1}b", ControlCharacter),
        ("'a\tb'", ControlCharacter),
        ("\"a\tb\"", ControlCharacter),
        ("a\\\tb", ControlCharacter),
        ("a\rb", ControlCharacter),
        ("\u{85}", ControlCharacter),
        ("a # \u{1b}[0m", ControlCharacter),
    ] {
        assert_eq!(value(written), Err(expected), "{written:?}");
    }
}

#[test]
fn lines_are_told_apart() {
    use ProblemKind::*;
    let text = "\u{feff}A=1\r\n\r\n  # comment = x\r\n\t\n B_2='x' # why\r\nA=2";
    let file = EnvFile::parse(text.as_bytes()).unwrap();
    let found: Vec<(usize, &str, &str)> = file
        .assignments()
        .iter()
        .map(|found| (found.line, found.name.as_str(), found.value.as_str()))
        .collect();
    assert_eq!(found, [(1, "A", "1"), (5, "B_2", "x"), (6, "A", "2")]);
    assert_eq!(file.get("A"), Some("2"), "the last assignment counts");
    assert_eq!(file.get("a"), None);
    assert_eq!(file.text(), text);
    for (line, name, kind) in [
        ("nonsense", None, NoAssignment),
        ("second line of 'a value'", None, NoAssignment),
        ("export SECRET=geheim", Some("SECRET"), Exported),
        ("SECRET = geheim", Some("SECRET"), BlankBeforeEquals),
        ("SECRET= geheim", Some("SECRET"), TextBehindValue),
        ("1X=geheim", None, NoName),
        ("a-b=geheim", None, NoName),
        ("A+=geheim", None, NoName),
        ("=geheim", None, NoName),
        ("LD_PRELOAD=geheim", Some("LD_PRELOAD"), ForbiddenName),
        ("PATH=/geheim", Some("PATH"), ForbiddenName),
        ("# \u{7}", None, ControlCharacter),
    ] {
        assert_eq!(problem(line), (name.map(str::to_owned), kind), "{line}");
        let text = format!("{}\n", line);
        for problem in EnvFile::parse(text.as_bytes()).unwrap_err() {
            let said = format!("{problem} {problem:?}");
            assert!(!said.contains("geheim"), "{said}");
        }
    }
}

#[test]
fn a_file_is_good_as_a_whole_or_not_at_all() {
    let problems = EnvFile::parse(b"A=1\nB=$x\nC=2\nD='\n").unwrap_err();
    let lines: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [2, 4]);
    assert_eq!(
        problems[0].to_string(),
        "line 2 (B): a shell would replace what begins with `$`; write what it stands for, or put the value in single quotes"
    );
    let problems = EnvFile::parse(b"A=1\nB=\xff\n").unwrap_err();
    assert_eq!(
        (problems[0].line, problems[0].kind),
        (2, ProblemKind::NotText)
    );
    // A line end of CR and nothing would become a control character when lines are added.
    assert!(EnvFile::parse(b"A=1\r").is_err());
    assert!(EnvFile::parse(&vec![b'#'; 2 << 20]).is_err());
    assert_eq!(EnvFile::parse(b"").unwrap(), EnvFile::default());
}

#[test]
fn changes_keep_everything_else() {
    let text = "# head\nA=1 # one\n\nB='2'\t# two\nA=3   # counts\n#C=old";
    let mut file = EnvFile::parse(text.as_bytes()).unwrap();
    file.set("A", "it's").unwrap();
    file.set("B", "").unwrap();
    file.set("C", "a b").unwrap();
    assert_eq!(
        file.text(),
        "# head\nA=1 # one\n\nB=\t# two\nA=\"it's\"   # counts\n#C=old\nC='a b'\n"
    );
    assert!(file.unset("A") && !file.unset("A") && !file.unset("D"));
    assert_eq!(file.text(), "# head\n\nB=\t# two\n#C=old\nC='a b'\n");
    assert_eq!(
        EnvFile::parse(file.text().as_bytes()).unwrap(),
        file,
        "lines are counted anew"
    );
    file.set("B", "x").unwrap();
    assert_eq!(file.text(), "# head\n\nB=x\t# two\n#C=old\nC='a b'\n");
    let mut windows = EnvFile::parse("\u{feff}A=1\r\nB=2".as_bytes()).unwrap();
    windows.set("A", "2").unwrap();
    windows.set("C", "3").unwrap();
    assert_eq!(windows.text(), "\u{feff}A=2\r\nB=2\r\nC=3\r\n");
    windows.unset("A");
    assert_eq!(windows.text(), "\u{feff}B=2\r\nC=3\r\n");
    let mut commented = EnvFile::default();
    commented.add_comment("one\n\ntwo\tthree");
    commented.set("A", "1").unwrap();
    assert_eq!(commented.text(), "# one\n#\n# two three\nA=1\n");
}

#[test]
fn what_cannot_be_written_changes_nothing() {
    let mut file = EnvFile::parse(b"A=1\n").unwrap();
    let before = file.clone();
    for (name, value) in [
        ("A", "a\nB=2"),
        ("A", "a\tb"),
        ("B", "\u{1b}"),
        ("PATH", "x"),
        ("a b", "x"),
        ("A=1\nB", "x"),
        ("#A", "x"),
    ] {
        assert!(file.set(name, value).is_err(), "{name:?} {value:?}");
        assert_eq!(file, before);
    }
}

#[test]
fn nobody_sees_values_when_a_file_is_printed_for_debugging() {
    let file = EnvFile::parse(b"A=geheim\n").unwrap();
    assert!(!format!("{file:?}").contains("geheim"));
}

/// Whole files of pieces that mean something, so that many are nearly right.
fn files() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "A", "B", "=", "=", "=", " ", "\t", "\n", "\n", "\r\n", "#", "'", "\"", "\\", "$", "`",
        "~", "x", "ü", "export ", "${", "\u{feff}", "PATH", "a b", "''", "\"\"",
    ]);
    prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
}

/// Any Unicode text, control characters among it, with many of the characters that mean something.
fn values() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        any::<char>(),
        prop::sample::select(" '\"\\$`~:#=!&;\n\r\t".chars().collect::<Vec<char>>()),
    ];
    prop::collection::vec(character, 0..12).prop_map(String::from_iter)
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = EnvFile::parse(&bytes);
    }

    #[test]
    fn what_was_set_is_read_and_nothing_else_changes(
        text in files(), name in "[AB]|[C-Z_][A-Z0-9_]{0,5}", value in values(),
    ) {
        prop_assume!(linchpin_config::check_name(&name).is_ok());
        if let Ok(before) = EnvFile::parse(text.as_bytes()) {
            prop_assert_eq!(before.text(), &text);
            let mut file = before.clone();
            if value.contains(char::is_control) {
                prop_assert_eq!(file.set(&name, &value), Err(ProblemKind::ControlCharacter));
                prop_assert_eq!(file, before);
                return Ok(());
            }
            file.set(&name, &value).unwrap();
            let read = EnvFile::parse(file.text().as_bytes()).unwrap();
            prop_assert_eq!(read.get(&name), Some(value.as_str()));
            prop_assert_eq!(&read, &file);
            for known in before.assignments().iter().filter(|known| known.name != name) {
                prop_assert_eq!(read.get(&known.name), before.get(&known.name));
            }
            let changed = before.text().split('\n').zip(file.text().split('\n'))
                .filter(|(before, after)| before != after);
            prop_assert!(changed.count() <= 1 + usize::from(!text.ends_with('\n')));
            file.set(&name, before.get(&name).unwrap_or_default()).unwrap();
            prop_assert!(file.unset(&name));
            prop_assert_eq!(file.get(&name), None);
            prop_assert_eq!(&EnvFile::parse(file.text().as_bytes()).unwrap(), &file);
        }
    }

    #[test]
    fn whatever_is_quoted_means_itself(value in values()) {
        let read = EnvFile::parse(format!("X={} # c\n", quoted(&value)).as_bytes());
        if value.contains(char::is_control) {
            prop_assert!(read.is_err() || read.unwrap().get("X") != Some(&value));
        } else {
            let read = read.unwrap();
            prop_assert_eq!(read.get("X"), Some(value.as_str()));
        }
    }
}
