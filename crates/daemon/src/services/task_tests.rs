//! Tasks as real processes.

use std::fs;
use std::time::Duration;

use linchpin_core::{Event, Generation, HookPoint, ProcessId};
use linchpin_sys::Pid;
use linchpin_sys::group::group_exists;
use tempfile::TempDir;

use super::tasks::{Asker, MOST_FAILURE_BYTES, MOST_TASKS, Place, TaskRequest, Tasks};
use super::testing::program;
use crate::services::TaskId;
use crate::spawner::Answer;

/// Long enough for anything here, short enough for whoever waits for a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

struct Bench {
    directory: TempDir,
    tasks: Tasks,
    alive: Vec<(i32, TaskId)>,
    ends: Vec<(u32, Option<String>)>,
    lines: &'static str,
}

impl Bench {
    fn new() -> Self {
        Self::with("")
    }

    fn with(lines: &'static str) -> Self {
        Self {
            directory: TempDir::new().unwrap(),
            tasks: Tasks::new(),
            alive: Vec::new(),
            ends: Vec::new(),
            lines,
        }
    }

    /// Runs it for the process of this number.
    fn run(&mut self, number: u32, command: &str, timeout: Duration) {
        let (site, config) = program(self.directory.path(), self.lines);
        self.tasks.run(TaskRequest {
            asker: Asker::Hook {
                process: ProcessId(number),
                generation: Generation(number.into()),
                point: HookPoint::PreStart,
            },
            command: command.to_owned(),
            timeout,
            config,
            group: "web".to_owned(),
            variables: vec![("MAINPID".into(), "77".into())],
            site,
        });
    }

    /// Turns the loop once.
    async fn turn(&mut self) {
        for answer in self.tasks.spawner().take_answers() {
            let Answer::TaskStarted { task, result } = answer else {
                panic!("{answer:?}");
            };
            self.alive
                .extend(result.iter().map(|started| (started.pid, task)));
            self.tasks.started(task, result);
        }
        let mut ended = Vec::new();
        self.alive.retain(|(pid, task)| {
            let waited = linchpin_sys::reap::reap(Pid::new(*pid).unwrap()).unwrap();
            ended.extend(waited.map(|waited| (*task, waited.status)));
            waited.is_none()
        });
        for (task, status) in ended {
            self.tasks.reaped(task, crate::shell::exit_status(status));
        }
        if self
            .tasks
            .deadline()
            .is_some_and(|due| due <= tokio::time::Instant::now())
        {
            self.tasks.look();
        }
        for event in self.tasks.take_answers() {
            let Event::HookEnded {
                process, failure, ..
            } = event
            else {
                panic!("{event:?}");
            };
            self.ends.push((process.0, failure));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    async fn until(&mut self, is_done: impl Fn(&Self) -> bool) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !is_done(self) {
            assert!(tokio::time::Instant::now() < deadline, "{:?}", self.tasks);
            self.turn().await;
        }
    }

    async fn end_of(&mut self, command: &str, timeout: Duration) -> Option<String> {
        self.ends.clear();
        self.run(1, command, timeout);
        self.until(|bench| !bench.ends.is_empty()).await;
        self.ends.remove(0).1
    }

    fn path(&self, name: &str) -> String {
        self.directory
            .path()
            .join(name)
            .to_str()
            .unwrap()
            .to_owned()
    }
}

/// The only group with a process whose command line has this word.
fn groups_with(word: &str) -> Vec<i32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(words) = fs::read(entry.path().join("cmdline")) else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        if words
            .split(|byte| *byte == 0)
            .any(|it| it == word.as_bytes())
        {
            let group = stat.rsplit(") ").next().unwrap().split(' ').nth(2).unwrap();
            found.push(group.parse().unwrap());
        }
    }
    found
}

#[tokio::test]
async fn the_end_of_a_task_is_told_in_words() {
    let mut bench = Bench::new();
    let cases = [
        ("true", None),
        ("sh -c 'echo fine; exit 0'", None),
        ("false", Some("exit status 1")),
        (
            "sh -c 'echo one; echo two >&2; exit 3'",
            Some("exit status 3: two"),
        ),
        ("sh -c 'kill -TERM $$'", Some("terminated by SIGTERM")),
        (
            "no-such-command",
            Some("can't find command 'no-such-command'"),
        ),
        ("sh -c 'unfinished", Some("No closing quotation")),
    ];
    for (command, expected) in cases {
        let failure = bench.end_of(command, PATIENCE).await;
        match expected {
            None => assert_eq!(failure, None, "{command}"),
            Some(text) => assert!(failure.as_ref().unwrap().contains(text), "{failure:?}"),
        }
    }
}

#[tokio::test]
async fn a_file_that_is_no_program_is_named() {
    let mut bench = Bench::new();
    let script = bench.path("script");
    fs::write(&script, "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let failure = bench.end_of(&script, PATIENCE).await.unwrap();
    assert_eq!(failure, format!("couldn't exec {script}: ENOENT"));
}

#[tokio::test]
async fn a_task_runs_as_its_service_does() {
    let mut bench = Bench::with("directory=/usr\numask=027\nenvironment=A=\"b\",MAINPID=\"1\"\n");
    let command = "sh -c 'echo $(pwd) $(umask) $A $MAINPID $SUPERVISOR_PROCESS_NAME $(readlink /proc/self/fd/0); exit 1'";
    let failure = bench.end_of(command, PATIENCE).await.unwrap();
    assert_eq!(failure, "exit status 1: /usr 0027 b 77 web /dev/null");
}

#[tokio::test]
async fn a_task_that_takes_too_long_is_killed_with_its_group() {
    let mut bench = Bench::new();
    let word = "31536000.25";
    let command = format!("sh -c 'sleep {word} & echo begun; sleep {word}'");
    let failure = bench.end_of(&command, Duration::from_millis(500)).await;
    assert_eq!(failure.as_deref(), Some("no end within 0.5 s: begun"));
    bench.until(|_| groups_with(word).is_empty()).await;
}

#[tokio::test]
async fn what_a_task_leaves_behind_is_killed() {
    let mut bench = Bench::new();
    let word = "31536000.5";
    // It holds the pipe, for which nobody waits.
    let command = format!("sh -c 'sleep {word} & echo done'");
    assert_eq!(bench.end_of(&command, PATIENCE).await, None);
    bench.until(|_| groups_with(word).is_empty()).await;
}

#[tokio::test]
async fn more_output_than_a_pipe_holds_keeps_nobody_waiting() {
    let mut bench = Bench::new();
    let command = "sh -c 'head -c 1000000 /dev/zero | tr \"\\0\" x; echo; echo the end; exit 1'";
    let failure = bench.end_of(command, PATIENCE).await;
    assert_eq!(failure.as_deref(), Some("exit status 1: the end"));
    let long = "sh -c 'head -c 1000000 /dev/zero | tr \"\\0\" x; exit 1'";
    let failure = bench.end_of(long, PATIENCE).await.unwrap();
    assert!(failure.len() <= MOST_FAILURE_BYTES, "{failure}");
    assert!(failure.ends_with('…'), "{failure}");
}

#[tokio::test]
async fn a_cancelled_task_is_killed_and_says_nothing() {
    let mut bench = Bench::new();
    let word = "31536000.75";
    bench.run(1, &format!("sleep {word}"), PATIENCE);
    bench.until(|_| !groups_with(word).is_empty()).await;
    bench
        .tasks
        .cancel(Place::Hook(ProcessId(1), HookPoint::PreStart));
    // Another one for the same place waits until it is gone.
    bench.run(1, "sh -c 'echo next; exit 2'", PATIENCE);
    bench.until(|bench| !bench.ends.is_empty()).await;
    assert_eq!(bench.ends, [(1, Some("exit status 2: next".to_owned()))]);
    assert!(groups_with(word).is_empty());
}

#[tokio::test]
async fn tasks_beyond_the_limit_wait_for_their_turn() {
    let mut bench = Bench::new();
    let fifo = bench.path("gate");
    let status = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(status.unwrap().success());
    let last = u32::try_from(MOST_TASKS).unwrap() + 1;
    for number in 1..last {
        bench.run(number, &format!("sh -c ': < {fifo}'"), PATIENCE);
    }
    bench.run(last, "true", PATIENCE);
    bench.until(|bench| bench.alive.len() == MOST_TASKS).await;
    assert_eq!(bench.ends, []);
    // Opening it for both lets every reader go on.
    let gate = fs::File::options()
        .read(true)
        .write(true)
        .open(&fifo)
        .unwrap();
    bench
        .until(|bench| bench.ends.len() == MOST_TASKS + 1)
        .await;
    drop(gate);
    assert!(bench.ends.iter().all(|(_, failure)| failure.is_none()));
}

#[tokio::test]
async fn the_end_of_the_loop_leaves_no_task() {
    let mut bench = Bench::new();
    let word = "31536000.125";
    bench.run(1, &format!("sleep {word}"), PATIENCE);
    bench
        .until(|bench| bench.alive.len() == 1 && !groups_with(word).is_empty())
        .await;
    let group = Pid::new(groups_with(word)[0]).unwrap();
    bench.tasks.cancel_all();
    bench.until(|bench| bench.alive.is_empty()).await;
    assert!(!group_exists(group));
    assert_eq!(bench.ends, []);
    assert_eq!(bench.tasks.deadline(), None);
}
