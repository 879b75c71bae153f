//! The original's client, which is asked hundreds of times: one Python has it loaded, and forks for each command.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use linchpin_ctl::Settings;

use super::Outcome;

const PROGRAM: &str = include_str!("original.py");

/// A Python with the original's client. It ends with this process, whose end of its standard input is closed then.
struct Loaded {
    socket: PathBuf,
    _folder: tempfile::TempDir,
    _python: Child,
}

fn loaded(programs: &Path) -> &'static Loaded {
    static LOADED: OnceLock<Loaded> = OnceLock::new();
    LOADED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("original.sock");
        let mut python = Command::new(programs.join("python"))
            .args(["-c", PROGRAM])
            .arg(&socket)
            .arg(programs.join("supervisorctl"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = python.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Loaded {
            socket,
            _folder: folder,
            _python: python,
        }
    })
}

/// A file for the original's client.
fn configured(settings: &Settings) -> tempfile::NamedTempFile {
    let mut config = tempfile::NamedTempFile::new().unwrap();
    let url = &settings.serverurl;
    writeln!(config, "[supervisorctl]\nserverurl={url}").unwrap();
    if let (Some(username), Some(password)) = (&settings.username, &settings.password) {
        writeln!(config, "username={username}\npassword={password}").unwrap();
    }
    config
}

/// Runs the original's client.
pub(crate) fn run_original(
    programs: &Path,
    line: &str,
    settings: &Settings,
    input: &str,
) -> Outcome {
    let config = configured(settings);
    let mut request = format!("-c\0{}", config.path().display());
    for word in line.split_whitespace() {
        request.push('\0');
        request.push_str(word);
    }
    request.push_str("\0\0");
    request.push_str(input);
    let mut stream = UnixStream::connect(&loaded(programs).socket).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    let (code, output) = answer.split_once('\n').expect("an answer");
    Outcome {
        output: output.to_owned(),
        code: code.parse().unwrap(),
    }
}

/// The same in a Python of its own.
fn run_anew(programs: &Path, line: &str, settings: &Settings) -> Outcome {
    let config = configured(settings);
    let output = Command::new(programs.join("supervisorctl"))
        .arg("-c")
        .arg(config.path())
        .args(line.split_whitespace())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    Outcome {
        output: String::from_utf8_lossy(&output.stdout).into_owned(),
        code: output.status.code().unwrap(),
    }
}

#[test]
fn one_that_is_loaded_answers_as_one_that_is_started() {
    let Some(programs) = super::original_programs() else {
        return;
    };
    let settings = Settings {
        serverurl: "unix:///no/such/socket".to_owned(),
        ..Settings::default()
    };
    for line in [
        "status",
        "help start",
        "version",
        "nonsense",
        "-x",
        "--help",
    ] {
        let loaded = run_original(&programs, line, &settings, "");
        assert_eq!(loaded, run_anew(&programs, line, &settings), "{line}");
    }
}
