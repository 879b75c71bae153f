//! The same texts to us and to Python, made from a seed.
//!
//! `LINCHPIN_ORACLE` names a Python with `supervisor` installed; without it these tests say so and pass.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may fail the test"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use linchpin_python::shlex::{self, Grammar};
use linchpin_python::signals::{parse_signal, signal_name};
use linchpin_python::{
    ascii, base64, exact_int, float, int, repr, repr_bytes, repr_float, repr_list, split_blanks,
    strip, strip_end,
};
use serde_json::{Value, json};

const CASES: usize = 3000;

/// Gives each question to a Python program that defines `answer`, and compares its answer with ours.
fn check(program: &str, questions: &[Value], ours: impl Fn(&Value) -> Value) {
    let Some(python) = std::env::var_os("LINCHPIN_ORACLE") else {
        println!("skipped: LINCHPIN_ORACLE names no Python with supervisor installed");
        return;
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
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().count(), questions.len());
    for (question, answer) in questions.iter().zip(answers.lines()) {
        let answer: Value = serde_json::from_str(answer).unwrap();
        assert_eq!(ours(question), answer, "{question}");
    }
}

/// Numbers from a seed, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        // Knuth's numbers; the low bits are poor.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 32
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next()).unwrap() % limit
    }

    fn texts(&mut self, pieces: &[&str], most_pieces: usize) -> Vec<Value> {
        let mut text = || -> String {
            (0..self.below(most_pieces + 1))
                .map(|_| pieces[self.below(pieces.len())])
                .collect()
        };
        (0..CASES).map(|_| text().into()).collect()
    }
}

#[test]
fn whole_numbers_and_texts_agree() {
    let pieces = [
        "0",
        "1",
        "7",
        "9",
        "92233720368547758",
        "_",
        "+",
        "-",
        " ",
        "\t",
        "o",
        "O",
        "x",
        "\u{661}",
        "\u{a0}",
        "\u{1f}",
        "'",
        "\"",
        "\\",
        "\n",
        "\u{e9}",
        "\u{301}",
        "\u{200b}",
        "\u{feff}",
        "\u{1f600}",
        "\u{7f}",
        "\u{378}",
    ];
    let program = "
def number(text, base):
    try:
        return str(max(-2**63, min(int(text, base), 2**63 - 1)))
    except ValueError as error:
        return str(error)
def exact(text):
    try:
        return int(text) if -2**63 <= int(text) < 2**63 else None
    except ValueError:
        return None
def answer(text):
    return [repr(text), ascii(text), repr([text, 'x']), text.strip(), text.rstrip(), text.split(),
            number(text, 10), number(text, 8), exact(text)]
";
    let number =
        |text: &str, base| int(text, base).map_or_else(|error| error, |int| int.to_string());
    check(program, &Dice(1).texts(&pieces, 5), |question| {
        let text = question.as_str().unwrap();
        let words: Vec<&str> = split_blanks(text).collect();
        json!([
            repr(text),
            ascii(text),
            repr_list(&[text.to_owned(), "x".to_owned()]),
            strip(text),
            strip_end(text),
            words,
            number(text, 10),
            number(text, 8),
            exact_int(text),
        ])
    });
}

#[test]
fn bytes_agree() {
    let mut dice = Dice(2);
    let questions: Vec<Value> = (0..CASES)
        .map(|_| {
            let byte = |dice: &mut Dice| match dice.below(4) {
                0 => b'\'',
                1 => b'"',
                _ => u8::try_from(dice.below(256)).unwrap(),
            };
            (0..dice.below(5))
                .map(|_| byte(&mut dice))
                .collect::<Vec<u8>>()
                .into()
        })
        .collect();
    let program = "
def answer(numbers):
    return repr(bytes(numbers))
";
    check(program, &questions, |question| {
        repr_bytes(&serde_json::from_value::<Vec<u8>>(question.clone()).unwrap()).into()
    });
}

#[test]
fn floats_are_printed_alike() {
    let mut dice = Dice(3);
    let mut bits: Vec<u64> = (0..CASES)
        .map(|_| (dice.next() << 32) | dice.next())
        .collect();
    for value in [
        0.0, -0.0, 1.0, 0.1, 1e15, 1e16, 1e-4, 1e-5, 123_456.75, 5e-324,
    ] {
        bits.push(f64::to_bits(value));
    }
    let questions: Vec<Value> = bits
        .iter()
        .map(|bits| format!("{bits:016x}").into())
        .collect();
    let program = "
import struct
def answer(text):
    return repr(struct.unpack('>d', bytes.fromhex(text))[0])
";
    check(program, &questions, |question| {
        let bits = u64::from_str_radix(question.as_str().unwrap(), 16).unwrap();
        repr_float(f64::from_bits(bits)).into()
    });
}

#[test]
fn floats_are_read_alike() {
    let pieces = [
        "0", "1", "25", ".", "e", "E", "+", "-", "_", " ", "\n", "inf", "INFINITY", "nan", "x",
        "\u{661}", "\u{a0}", "\u{1f}", "308",
    ];
    let program = "
def answer(text):
    try:
        return repr(float(text))
    except ValueError:
        return None
";
    check(program, &Dice(4).texts(&pieces, 6), |question| {
        float(question.as_str().unwrap()).map(repr_float).into()
    });
}

#[test]
fn words_of_commands_agree() {
    let pieces = [
        "a", "b", " ", "\t", "\n", "'", "\"", "\\", "#", "$", "é", "日", "=", "%", "\u{a0}", "\r",
        "\u{b}", ";",
    ];
    let program = "
import shlex
def answer(text):
    try:
        return shlex.split(text)
    except ValueError as error:
        return str(error)
";
    check(
        program,
        &Dice(5).texts(&pieces, 12),
        |question| match shlex::split(question.as_str().unwrap()) {
            Ok(words) => words.into(),
            Err(error) => error.to_string().into(),
        },
    );
}

#[test]
fn tokens_of_lists_agree_in_both_grammars() {
    let pieces = [
        "A", "b", "=", "=", ",", "\"", "'", "\\", " ", "\n", "#", "/x", ".", "@", "1", "\u{e9}",
        "\u{d7}", "\u{65e5}", "$", ";", ":", "\"q, r\"", "'s'",
    ];
    let program = "
import shlex
def tokens(text, posix):
    lexer = shlex.shlex(text, posix=posix)
    lexer.wordchars += '/.:'
    try:
        return list(lexer)
    except ValueError as error:
        return str(error)
def answer(text):
    return [tokens(text, True), tokens(text, False)]
";
    let tokens = |text: &str, grammar| match shlex::tokens(text, grammar, "/.:") {
        Ok(tokens) => tokens.into(),
        Err(error) => Value::from(error.to_string()),
    };
    check(program, &Dice(6).texts(&pieces, 11), |question| {
        let text = question.as_str().unwrap();
        json!([tokens(text, Grammar::Posix), tokens(text, Grammar::Legacy)])
    });
}

#[test]
fn base64_is_read_alike() {
    let pieces = ["a", "Z", "0", "+", "/", "=", "=", "\n", "-", "w6k="];
    let program = "
import base64
def answer(text):
    try:
        return list(base64.decodebytes(text.encode()))
    except ValueError:
        return None
";
    check(program, &Dice(7).texts(&pieces, 9), |question| {
        base64::decode(question.as_str().unwrap().as_bytes()).into()
    });
}

#[test]
fn signals_are_read_alike() {
    let pieces = [
        "SIG", "sig", "TERM", "hup", "RT", "MIN", "MAX", "_", "IGN", "DFL", "BLOCK", "1", "5", "0",
        "-", "+", " ", "CLD", "IOT", "POLL", "'", "\n", "\u{1f}",
    ];
    let mut questions = Dice(8).texts(&pieces, 4);
    questions.extend((-70..140).map(|number: i32| Value::from(number.to_string())));
    let program = "
from supervisor.datatypes import signal_number
def answer(text):
    try:
        return int(signal_number(text))
    except ValueError as error:
        return str(error)
";
    check(program, &questions, |question| {
        match parse_signal(question.as_str().unwrap()) {
            Ok(number) => number.into(),
            Err(error) => error.to_string().into(),
        }
    });
}

#[test]
fn signals_have_the_same_names() {
    let questions: Vec<Value> = (0..70).map(Value::from).collect();
    let program = "
from supervisor.options import signame
def answer(number):
    return signame(number)
";
    check(program, &questions, |question| {
        let number = i32::try_from(question.as_i64().unwrap()).unwrap();
        signal_name(number).into()
    });
}
