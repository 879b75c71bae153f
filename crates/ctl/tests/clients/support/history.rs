//! Histories of commands, played to several pairs of daemon and client.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{Daemon, Outcome, Side, original_programs, our_binary};

const CONFIG: &str = r#"
[unix_http_server]
file=%(here)s/s.sock

[supervisord]
logfile=%(here)s/main.log
pidfile=%(here)s/s.pid
childlogdir=%(here)s

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[program:cat]
command=/bin/cat
startsecs=0
stdout_logfile=NONE

[program:speaker]
command=/bin/sh -c "echo one; echo two; echo trouble >&2; exec sleep 1000"
startsecs=0
priority=5
stdout_logfile=%(here)s/speaker.out
stderr_logfile=%(here)s/speaker.err

[program:off]
command=sleep 1000
autostart=false
startsecs=0

[program:missing]
command=/no/such/program
autostart=false

[program:plainfile]
command=%(here)s/plainfile
autostart=false

[program:dies]
command=/bin/false
autostart=false
startretries=0

[program:many]
command=sleep 1000
process_name=%(program_name)s_%(process_num)02d
numprocs=2
startsecs=0

[program:a-program-with-a-very-long-name-indeed]
command=sleep 1000
autostart=false
startsecs=0
"#;

fn prepare(folder: &Path) {
    let file = folder.join("plainfile");
    std::fs::write(&file, "no program\n").unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644)).unwrap();
}

/// One step of a history.
pub(crate) enum Step {
    /// Give this command through the client, and compare.
    Run(&'static str),
    /// The same, where the order of lines depends on who ends first.
    RunInAnyOrder(&'static str),
    /// Feed this to the client's shell, and compare.
    Shell(&'static str),
    /// Wait for a state.
    State(&'static str, &'static str),
    /// Wait for a text in a file of the daemon's folder.
    Text(&'static str, &'static str),
    /// Change the configuration.
    Config(fn(&str) -> String),
    /// Wait until the daemon has ended.
    Ended,
}

fn play(daemon: &Side, client: &Side, steps: &[Step]) -> Vec<(String, Outcome)> {
    let mut daemon = Daemon::start(daemon, CONFIG, prepare);
    daemon.wait_for_state("cat", "RUNNING");
    daemon.wait_for_state("many:many_01", "RUNNING");
    daemon.wait_for_text("speaker.err", "trouble");
    daemon.wait_for_state("speaker", "RUNNING");
    let mut outcomes = Vec::new();
    for step in steps {
        match step {
            Step::Run(line) => outcomes.push(((*line).to_owned(), daemon.run(client, line))),
            Step::RunInAnyOrder(line) => {
                let mut outcome = daemon.run(client, line);
                let mut lines: Vec<&str> = outcome.output.lines().collect();
                lines.sort_unstable();
                outcome.output = lines.join("\n");
                // The last failure decides which it is.
                outcome.code = i32::from(outcome.code != 0);
                outcomes.push(((*line).to_owned(), outcome));
            }
            Step::Shell(input) => {
                outcomes.push(((*input).to_owned(), daemon.run_shell(client, input)));
            }
            Step::State(process, state) => daemon.wait_for_state(process, state),
            Step::Text(file, text) => daemon.wait_for_text(file, text),
            Step::Config(change) => {
                let path = daemon.folder.path().join("s.conf");
                std::fs::write(path, change(CONFIG)).unwrap();
            }
            Step::Ended => daemon.wait_for_end(),
        }
    }
    outcomes
}

/// Compares each pair of daemon and client with the original's own pair.
pub(crate) fn check(steps: &[Step]) {
    let Some(programs) = original_programs() else {
        return;
    };
    let original = Side::Original(programs);
    let mut candidates = vec![(original.clone(), Side::Ours("".into()))];
    if let Some(binary) = our_binary() {
        let ours = Side::Ours(binary);
        candidates.push((ours.clone(), original.clone()));
        candidates.push((ours.clone(), ours));
    }
    std::thread::scope(|scope| {
        // They mostly wait, for daemons that look once a second.
        let reference = scope.spawn(|| play(&original, &original, steps));
        let played: Vec<_> = candidates
            .iter()
            .map(|(daemon, client)| scope.spawn(|| play(daemon, client, steps)))
            .collect();
        let reference = reference.join().unwrap();
        for ((daemon, client), outcomes) in candidates.iter().zip(played) {
            let outcomes = outcomes.join().unwrap();
            for ((line, expected), (_, found)) in reference.iter().zip(outcomes) {
                assert!(
                    found == *expected,
                    "daemon {daemon:?}, client {client:?}: {line}\n\
                     expected {}: {}\n   found {}: {}",
                    expected.code,
                    expected.output,
                    found.code,
                    found.output
                );
            }
        }
    });
}
