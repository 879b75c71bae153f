//! Daemons in fresh directories, and both clients to drive them with.
//!
//! The original is found through LINCHPIN_ORACLE, the path of a Python with Supervisor installed;
//! our own daemon through LINCHPIN_BIN, the path of the built binary.

pub(crate) mod fake_daemon;
pub(crate) mod history;
mod original;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use linchpin_ctl::{Controller, Settings, Streams};
use linchpin_protocol::ProcessInfo;
use linchpin_protocol::client::{Client, ServerUrl};

pub(crate) use original::run_original;

const PATIENCE: Duration = Duration::from_secs(30);

/// The folder of the original's programs; prints why there is none.
pub(crate) fn original_programs() -> Option<PathBuf> {
    let Some(python) = std::env::var_os("LINCHPIN_ORACLE") else {
        println!("skipped: LINCHPIN_ORACLE names no Python with Supervisor");
        return None;
    };
    let folder = Path::new(&python).parent().unwrap().to_owned();
    assert!(folder.join("supervisord").exists(), "{}", folder.display());
    Some(folder)
}

/// Our binary, if there is one to test.
pub(crate) fn our_binary() -> Option<PathBuf> {
    std::env::var_os("LINCHPIN_BIN").map(PathBuf::from)
}

/// Which program.
#[derive(Debug, Clone)]
pub(crate) enum Side {
    /// The original's, from this folder.
    Original(PathBuf),
    /// Ours: the daemon is this binary, the client is this crate.
    Ours(PathBuf),
}

/// A daemon, and the folder that it lives in.
#[derive(Debug)]
pub(crate) struct Daemon {
    pub(crate) folder: tempfile::TempDir,
    child: Child,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Ok(Some(_)) = self.child.try_wait() {
            return;
        }
        // How they end is no business of these tests, and the original takes a second for each group.
        let pid = self.child.id();
        let signal = |signal: &str, pids: &[String]| {
            let _ = Command::new("kill").arg(signal).args(pids).status();
        };
        signal("-STOP", &[pid.to_string()]);
        let children = children(pid);
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !children.is_empty() {
            signal("-KILL", &children);
        }
    }
}

/// The children of a process, whichever of its threads has them.
fn children(pid: u32) -> Vec<String> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
    let threads = threads.into_iter().flatten().flatten();
    let lists =
        threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| {
            let pids = list.split_whitespace().map(str::to_owned);
            pids.collect::<Vec<String>>()
        })
        .collect()
}

/// What a command printed, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) output: String,
    pub(crate) code: i32,
}

impl Daemon {
    /// Starts a daemon on a configuration; `prepare` may put files beside it.
    pub(crate) fn start(side: &Side, config: &str, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("s.conf"), config).unwrap();
        prepare(folder.path());
        let mut command = match side {
            Side::Original(programs) => Command::new(programs.join("supervisord")),
            Side::Ours(binary) => {
                let mut command = Command::new(binary);
                command.arg("supervisord");
                command
            }
        };
        let child = command
            .args(["-n", "-c"])
            .arg(folder.path().join("s.conf"))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let daemon = Self { folder, child };
        daemon.wait_for("the daemon", || {
            daemon
                .client()
                .call("supervisor.getPID", &[])
                .map(|pid: i64| pid > 0)
                .unwrap_or(false)
        });
        daemon
    }

    pub(crate) fn url(&self) -> String {
        format!("unix://{}/s.sock", self.folder.path().display())
    }

    fn client(&self) -> Client {
        let url: ServerUrl = self.url().parse().unwrap();
        Client::new(url)
    }

    pub(crate) fn wait_for(&self, what: &str, mut condition: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition() {
            assert!(Instant::now() < deadline, "gave up waiting for {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn wait_for_state(&self, process: &str, state: &str) {
        self.wait_for(&format!("{process} to be {state}"), || {
            self.client()
                .call::<ProcessInfo<'_>>("supervisor.getProcessInfo", &[&process])
                .is_ok_and(|info| info.statename == state)
        });
    }

    pub(crate) fn wait_for_text(&self, file: &str, text: &str) {
        self.wait_for(&format!("{text} in {file}"), || {
            std::fs::read_to_string(self.folder.path().join(file))
                .is_ok_and(|content| content.contains(text))
        });
    }

    /// Waits until the daemon has ended.
    pub(crate) fn wait_for_end(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "the daemon does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs a client's command.
    pub(crate) fn run(&self, client: &Side, line: &str) -> Outcome {
        self.run_with(
            client,
            line,
            &Settings {
                serverurl: self.url(),
                ..Settings::default()
            },
        )
    }

    pub(crate) fn run_with(&self, client: &Side, line: &str, settings: &Settings) -> Outcome {
        let outcome = match client {
            Side::Original(programs) => run_original(programs, line, settings, ""),
            Side::Ours(_) => run_ours(line, settings, ""),
        };
        Outcome {
            output: normalised(&outcome.output, self.folder.path()),
            ..outcome
        }
    }

    /// Feeds lines to a client's shell.
    pub(crate) fn run_shell(&self, client: &Side, input: &str) -> Outcome {
        let settings = Settings {
            serverurl: self.url(),
            interactive: true,
            ..Settings::default()
        };
        let outcome = match client {
            Side::Original(programs) => run_original(programs, "", &settings, input),
            Side::Ours(_) => run_ours("", &settings, input),
        };
        Outcome {
            output: normalised(&outcome.output, self.folder.path()),
            ..outcome
        }
    }
}

/// Runs our client within the test.
pub(crate) fn run_ours(line: &str, settings: &Settings, input: &str) -> Outcome {
    let mut output = Vec::new();
    let mut errors = Vec::new();
    let mut input = input.as_bytes();
    let mut controller = Controller::new(
        settings.clone(),
        Streams {
            input: &mut input,
            output: &mut output,
            errors: &mut errors,
            input_descriptor: None,
            has_terminal: false,
            can_edit: false,
        },
    );
    let code = if line.is_empty() {
        controller.run_shell()
    } else {
        controller.run_command(line)
    };
    drop(controller);
    Outcome {
        output: String::from_utf8_lossy(&output).into_owned(),
        code: i32::from(code.code()),
    }
}

/// Takes out what differs from run to run: the folder, process ids, times.
fn normalised(output: &str, folder: &Path) -> String {
    let output = output.replace(folder.to_str().unwrap(), "<folder>");
    let lines: Vec<String> = output.split('\n').map(normalised_line).collect();
    lines.join("\n")
}

fn normalised_line(line: &str) -> String {
    if let Some(rest) = line.strip_prefix("supervisor> ") {
        return format!("supervisor> {}", normalised_line(rest));
    }
    if !line.is_empty() && line != "0" && line.bytes().all(|byte| byte.is_ascii_digit()) {
        return "<pid>".to_owned();
    }
    if let Some((before, rest)) = line.split_once("pid ")
        && let Some((_, _)) = rest.split_once(", uptime ")
    {
        return format!("{before}pid <pid>, uptime <time>");
    }
    for state in ["STOPPED   ", "EXITED    "] {
        if let Some((before, rest)) = line.split_once(state)
            && rest.ends_with("M")
        {
            return format!("{before}{state}<date>");
        }
    }
    line.to_owned()
}
