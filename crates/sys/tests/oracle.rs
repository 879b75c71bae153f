//! The same questions to us and to the original, where there is one: `LINCHPIN_ORACLE` names a Python that has the
//! `supervisor` package.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may fail the test"
)]

use std::io::Write;
use std::process::{Command, Stdio};

use linchpin_sys::command_path::{self, SearchPath};
use linchpin_sys::errno_name::errno_text;

/// Gives each question, in hexadecimal on a line of its own, to this Python code, which defines `answer(question)`;
/// returns its answers.
fn ask(test: &str, code: &str, questions: &[String]) -> Option<Vec<String>> {
    let Some(python) = std::env::var_os("LINCHPIN_ORACLE") else {
        println!("{test}: skipped, LINCHPIN_ORACLE names no Python with the supervisor package");
        return None;
    };
    let script = format!(
        "import sys\n{code}\nfor line in sys.stdin:\n    question = bytes.fromhex(line.strip()).decode()\n    \
         print(answer(question).encode('utf-8', 'surrogatepass').hex())\n"
    );
    let mut child = Command::new(python)
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines: String = questions
        .iter()
        .map(|question| hex(question) + "\n")
        .collect();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<String> = text.lines().map(unhex).collect();
    assert_eq!(answers.len(), questions.len());
    Some(answers)
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> String {
    let bytes = (0..text.len()).step_by(2);
    let bytes = bytes.map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap());
    String::from_utf8(bytes.collect()).unwrap()
}

fn check(test: &str, code: &str, questions: &[String], ours: impl Fn(&str) -> String) {
    let Some(answers) = ask(test, code, questions) else {
        return;
    };
    for (question, answer) in questions.iter().zip(answers) {
        assert_eq!(ours(question), answer, "{question:?}");
    }
    println!("{test}: {} answers agreed", questions.len());
}

#[test]
fn names_of_errors_are_the_originals() {
    let numbers: Vec<String> = (0..140).map(|number: i32| number.to_string()).collect();
    let code = "
import errno
def answer(question):
    return str(errno.errorcode.get(int(question), question))
";
    check("names", code, &numbers, |question| {
        let number = question.parse().unwrap();
        // Newer Pythons know one error more than older ones.
        if number == 133 {
            "133".to_owned()
        } else {
            errno_text(number)
        }
    });
}

#[test]
fn commands_are_found_like_the_originals() {
    let programs = [
        "sh",
        "ls",
        "",
        "nonexistent",
        "/bin/sh",
        "/bin",
        "bin",
        "./sh",
        "/etc/passwd",
        "passwd",
        "it's",
        "é\n",
        "../..",
        "/",
        ".",
        "sh/",
        "/bin/sh/x",
    ];
    let paths = [
        "",
        "/bin",
        "/etc:/bin",
        "/nonexistent:/usr/bin/",
        ":",
        "/etc/ssl:/",
        "/bin:/etc/passwd:/etc",
    ];
    let mut questions = Vec::new();
    for program in programs {
        for path in paths {
            questions.push(format!("{program}\0{path}"));
        }
        questions.push(format!("{program}\0none"));
    }
    // The methods of the original that look and check; the path is the program's own, or there is none at all.
    let code = "
import os
from supervisor.options import ServerOptions, ProcessException
from supervisor.process import Subprocess
options = ServerOptions()
os.environ.pop('PATH', None)
class Config: pass
def answer(question):
    program, path = question.split('\\0')
    config = Config()
    config.command = \"'%s'\" % program.replace(\"'\", \"'\\\"'\\\"'\")
    config.options = options
    config.get_path = options.get_path if path == 'none' else lambda: path.split(':')
    try:
        return Subprocess(config).get_execv_args()[0]
    except ProcessException as why:
        return why.args[0]
";
    check("paths", code, &questions, |question| {
        let (program, path) = question.split_once('\0').unwrap();
        let search = SearchPath {
            of_program: (path != "none").then_some(path),
            of_daemon: None,
        };
        match command_path::find(program, search) {
            Ok(file) => file.to_str().unwrap().to_owned(),
            Err(error) => error.to_string(),
        }
    });
}
