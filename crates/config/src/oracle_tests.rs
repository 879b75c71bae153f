//! Comparison with Python itself, on texts made from a seed.
//!
//! `LINCHPIN_ORACLE` names a Python with `supervisor` installed; without it these tests say so and pass.

use std::borrow::Cow;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::command_line::parse_supervisord_args;
use crate::expansion::{ExpansionErrorKind, Names, Value, expand};
use crate::key_value_list;
use crate::testing::TestWorld;

const CASES: u32 = 3000;

/// Runs a Python program that answers each line of its input, a JSON value, with one of its own.
fn answers(program: &str, questions: &[serde_json::Value]) -> Option<Vec<serde_json::Value>> {
    let Some(python) = std::env::var_os("LINCHPIN_ORACLE") else {
        println!("skipped: LINCHPIN_ORACLE does not name a Python with supervisor installed");
        return None;
    };
    let whole = format!(
        "import json, sys\n{program}\nfor line in sys.stdin:\n    print(json.dumps(answer(json.loads(line))))\n"
    );
    let mut child = Command::new(python)
        .args(["-X", "utf8", "-c", &whole])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text: String = questions
        .iter()
        .map(|question| format!("{question}\n"))
        .collect();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let answers: Vec<serde_json::Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        answers.len(),
        questions.len(),
        "the Python program ended early"
    );
    Some(answers)
}

/// A small generator of numbers, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn text(&mut self, pieces: &[&str], most: usize) -> String {
        (0..=self.below(most))
            .map(|_| pieces[self.below(pieces.len())])
            .collect()
    }
}

struct TwoNames;

impl Names for TwoNames {
    fn value(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "a" => Some(Value::Text("it's \u{e9}")),
            "n" => Some(Value::Number(1234)),
            "m" => Some(Value::Number(-7)),
            _ => None,
        }
    }

    fn all(&self) -> Vec<(Cow<'_, str>, Value<'_>)> {
        ["a", "n", "m"]
            .into_iter()
            .filter_map(|name| Some((Cow::Borrowed(name), self.value(name)?)))
            .collect()
    }
}

#[test]
fn expansion_agrees_with_python() {
    let pieces = [
        "%", "%", "%", "(a)", "(n)", "(m)", "(x)", "(", ")", "s", "d", "i", "x", "X", "o", "f",
        "F", "e", "E", "g", "G", "c", "r", "a", "u", "0", "5", "12", ".", "-", "+", " ", "#", "*",
        "l", "h", "%%", "text", "\u{e9}", "\n", "Y",
    ];
    let mut dice = Dice(1);
    let texts: Vec<String> = (0..CASES).map(|_| dice.text(&pieces, 9)).collect();
    let questions: Vec<serde_json::Value> = texts.iter().map(|text| text.as_str().into()).collect();
    let program = "
def answer(text):
    try:
        return 'ok ' + text % {'a': \"it's \\u00e9\", 'n': 1234, 'm': -7}
    except KeyError as error:
        return 'name ' + error.args[0]
    except Exception as error:
        return 'bad ' + str(error)
";
    let Some(answers) = answers(program, &questions) else {
        return;
    };
    for (text, expected) in texts.iter().zip(answers) {
        let found = match expand(text, &TwoNames) {
            Ok(text) => format!("ok {text}"),
            Err(error) => match error.kind {
                ExpansionErrorKind::UnknownName(name) => format!("name {name}"),
                ExpansionErrorKind::BadFormat(reason) => format!("bad {reason}"),
            },
        };
        assert_eq!(found, expected.as_str().unwrap(), "{text:?}");
    }
}

#[test]
fn key_value_lists_agree_with_supervisor_where_only_its_grammar_applies() {
    let pieces = [
        "A", "B", "=", "=", "=", ",", ",", "\"", "'", "\\", " ", "\n", "#", "/x", ".", "@", "1",
        "\u{e9}", "\u{65e5}", "$", ";", ":", "\"q, r\"", "'s'",
    ];
    let mut dice = Dice(2);
    let texts: Vec<String> = (0..CASES).map(|_| dice.text(&pieces, 11)).collect();
    let questions: Vec<serde_json::Value> = texts.iter().map(|text| text.as_str().into()).collect();
    let program = "
from supervisor.datatypes import dict_of_key_value_pairs
def answer(text):
    try:
        return dict_of_key_value_pairs(text)
    except ValueError as error:
        return str(error)
";
    let Some(answers) = answers(program, &questions) else {
        return;
    };
    let mut compared = 0;
    for (text, expected) in texts.iter().zip(answers) {
        match (key_value_list::parse(text), expected.as_object()) {
            // The newer grammar may read more and otherwise; see its own tests.
            (Ok(list), Some(pairs))
                if list.is_old_grammar || !text.contains(['"', '\'', '\\', '#', '\u{e9}']) =>
            {
                assert_eq!(
                    serde_json::json!(list.pairs),
                    serde_json::json!(pairs),
                    "{text:?}"
                );
                compared += 1;
            }
            (Ok(_), _) => {}
            (Err(_), Some(pairs)) => panic!("{text:?} is refused, but Supervisor reads {pairs:?}"),
            (Err(error), None) => {
                assert_eq!(error, expected.as_str().unwrap(), "{text:?}");
                compared += 1;
            }
        }
    }
    assert!(compared > 1000, "only {compared} texts could be compared");
}

/// The daemon of the original is never started: its option class alone reads the words.
#[test]
fn command_lines_are_refused_in_the_original_s_words() {
    let lines = [
        "-x",
        "--zzz",
        "--log x",
        "--minprocs",
        "-c",
        "-nx",
        "foo",
        "-n foo bar",
        "-n -n",
        "-nn",
        "-e foo",
        "-e",
        "--loglevel=loud",
        "-m 9",
        "-y 1x",
        "-z x",
        "-a 1.5",
        "--minprocs x",
        "-l /none/x",
        "-j /none/x",
        "-d /none",
        "-q /none",
        "--nodaemon=1",
        "-n --nod",
        "-c a --conf b",
        "--no",
        "--strip_ansi --strip",
        "-i a -i b",
        "--",
        "-- x",
        "-",
        "--user",
        "-u a -u b",
        "-s --silent",
        "--s",
        "--min 1",
        "--minf x",
    ];
    let questions: Vec<serde_json::Value> = lines
        .iter()
        .map(|line| serde_json::json!(line.split_whitespace().collect::<Vec<_>>()))
        .collect();
    let program = "
from supervisor.options import ServerOptions
class Refused(Exception): pass
class Words(ServerOptions):
    def usage(self, message): raise Refused(str(message))
    def default_configfile(self): return None
    def process_config(self, do_usage=True): pass
    def realize(self, *args, **kw):
        from supervisor.options import Options
        Options.realize(self, *args, **kw)
def answer(words):
    try:
        Words().realize(words, doc='')
        return None
    except Refused as error:
        return str(error)
";
    let Some(answers) = answers(program, &questions) else {
        return;
    };
    let world = TestWorld::new(&[]);
    for (line, expected) in lines.iter().zip(answers) {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let found = parse_supervisord_args(&world, &words).err();
        assert_eq!(found.as_deref(), expected.as_str(), "{line}");
    }
}

/// Same sections and keys in the same order, with the same values and the same ones in use: `sed` finds in ours what
/// it finds in the original's.
#[test]
fn sample_has_the_lines_of_the_original_up_to_their_explanations() {
    let program = "
from supervisor import options
import os
def answer(_):
    path = os.path.join(os.path.dirname(options.__file__), 'skel', 'sample.conf')
    text = open(path).read()
    active = options.UnhosedConfigParser()
    active.read_string(text)
    return [{s: dict(active.items(s)) for s in active.sections()}, text]
";
    let Some(answers) = answers(program, &[serde_json::Value::Null]) else {
        return;
    };
    let text = crate::sample::sample_configuration();
    let mut document = crate::document::Document::default();
    let problems = document.add_file(crate::source::SourceFile::new("sample", text.as_str()));
    assert!(problems.is_empty());
    let sections: serde_json::Map<String, serde_json::Value> = document
        .sections()
        .iter()
        .map(|section| {
            let entries: serde_json::Map<String, serde_json::Value> = section
                .entries
                .iter()
                .map(|entry| (entry.key.clone(), entry.value.clone().into()))
                .collect();
            (section.name.clone(), entries.into())
        })
        .collect();
    assert_eq!(serde_json::Value::from(sections), answers[0][0]);
    let theirs = answers[0][1].as_str().unwrap();
    assert_eq!(settings_of_sample(&text), settings_of_sample(theirs));
}

/// Headers and settings, commented out or not, without what is said about them.
fn settings_of_sample(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| {
            let line = line.strip_prefix(';').unwrap_or(line);
            line.starts_with(|first: char| first == '[' || first.is_ascii_lowercase())
        })
        .map(|line| line.split(" ;").next().unwrap_or_default().trim_end())
        .collect()
}
