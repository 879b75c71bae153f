//! The same commands, given through both clients to daemons of their own in the same state, print
//! the same and end with the same exit code.

use crate::support::history::Step::{self, Config, Ended, Run, RunInAnyOrder, Shell, State, Text};
use crate::support::history::check;

#[test]
fn commands_that_only_look() {
    check(&[
        Run("status"),
        Run("status all"),
        Run("status cat"),
        Run("status many:*"),
        Run("status many:"),
        Run("status many"),
        Run("status many:many_01 cat nope nope:* cat"),
        Run("status nope:x"),
        Run("pid"),
        Run("pid cat"),
        Run("pid off"),
        Run("pid nope"),
        Run("pid all"),
        Run("pid cat many:many_00 nope off"),
        Run("pid many:*"),
        Run("avail"),
        Run("avail x"),
        Run("version"),
        Run("version x"),
        Run("tail speaker"),
        Run("tail -4 speaker"),
        Run("tail -0 speaker"),
        Run("tail --4 speaker"),
        Run("tail speaker stderr"),
        Run("tail speaker STDERR"),
        Run("tail -3 speaker stderr"),
        Run("tail cat"),
        Run("tail nope"),
        Run("tail many:*"),
        Run("tail"),
        Run("tail -f"),
        Run("tail a b c d"),
        Run("tail -x speaker"),
        Run("tail speaker stdin"),
        Run("tail speaker it's"),
        Run("maintail x"),
        Run("maintail -x"),
        Run("maintail -1 -1"),
        Run("fg"),
        Run("fg a b"),
        Run("fg nope"),
        Run("fg off"),
        Run("quit"),
        Run("exit"),
        Run("nonsense"),
        Run("Status"),
        Run("stat"),
        Run("!ls"),
        Run("open ftp://x"),
        Run("tail -f nope"),
        Run("tail -f cat"),
    ]);
}

#[test]
fn help() {
    let topics = [
        "help",
        "?",
        "help help",
        "help add",
        "help avail",
        "help clear",
        "help exit",
        "help fg",
        "help maintail",
        "help open",
        "help pid",
        "help quit",
        "help reload",
        "help remove",
        "help reread",
        "help restart",
        "help shutdown",
        "help signal",
        "help start",
        "help status",
        "help stop",
        "help tail",
        "help update",
        "help version",
        "help nonsense",
        "help start stop",
        "? start",
        "?stop",
        "help EOF",
    ];
    let steps: Vec<Step> = topics.into_iter().map(Run).collect();
    check(&steps);
}

#[test]
fn starting_and_stopping() {
    check(&[
        Run("start"),
        Run("start off"),
        Run("start off"),
        Run("start cat off nope"),
        Run("start missing"),
        Run("start plainfile"),
        Run("start dies"),
        State("dies", "FATAL"),
        Run("start nope:*"),
        Run("start many:*"),
        Run("status"),
        Run("stop"),
        Run("stop off"),
        Run("stop off"),
        Run("stop nope off"),
        Run("stop nope:*"),
        RunInAnyOrder("stop many:*"),
        RunInAnyOrder("stop many:*"),
        Run("stop many:many_00"),
        Run("start many:many_01"),
        Run("start many:*"),
        Run("restart"),
        Run("restart cat"),
        Run("restart off"),
        RunInAnyOrder("restart many:* cat"),
        Run("restart nope"),
        Run("restart nope:*"),
        RunInAnyOrder("stop cat many:* speaker off"),
        RunInAnyOrder("stop all"),
        RunInAnyOrder("start cat all"),
        State("dies", "FATAL"),
        Run("status"),
    ]);
}

#[test]
fn signals_and_logs() {
    check(&[
        Run("signal"),
        Run("signal HUP"),
        Run("signal NOSUCH cat"),
        Run("signal HUP off"),
        Run("signal HUP nope"),
        Run("signal HUP nope:*"),
        Run("signal CONT many:*"),
        Run("signal 18 many:many_00 cat"),
        Run("signal CONT all"),
        RunInAnyOrder("signal NOSUCH all"),
        Run("clear"),
        Run("clear speaker"),
        Run("tail speaker"),
        Run("clear nope"),
        Run("clear many:*"),
        Run("clear off cat"),
        RunInAnyOrder("clear all"),
        Run("signal TERM speaker"),
        Text("main.log", "exited: speaker"),
    ]);
}

fn with_changes(config: &str) -> String {
    config
        .replace("numprocs=2", "numprocs=3")
        .replace("[program:off]", "[program:fresh]")
        .replace("priority=5", "priority=6")
}

fn broken(config: &str) -> String {
    config.replace("numprocs=2", "numprocs=two")
}

#[test]
fn changes_of_the_configuration() {
    check(&[
        Run("reread x"),
        Run("reread"),
        Run("update"),
        Run("add cat"),
        Run("add nope"),
        Run("add"),
        Run("remove"),
        Run("remove nope cat"),
        Run("remove off"),
        Run("status"),
        Run("add off"),
        Config(broken),
        Run("reread"),
        Config(with_changes),
        Run("reread"),
        Run("avail"),
        Run("update nope cat"),
        Run("update off"),
        Run("update fresh nope"),
        Run("update all"),
        State("many:many_02", "RUNNING"),
        Run("update"),
        Run("reread"),
        Run("status"),
    ]);
}

#[test]
fn the_end() {
    check(&[
        Run("shutdown x"),
        Run("reload x"),
        Run("shutdown"),
        Ended,
        Run("status"),
        Run("pid"),
        Run("start cat"),
        Run("shutdown"),
    ]);
}

#[test]
fn the_shell_takes_lines_from_a_pipe() {
    check(&[
        Shell(""),
        Shell("pid cat\n\nnonsense\nstop off\n  status  cat  \n"),
        Shell("status nope\nquit\nstatus\n"),
        Shell("reload\nn\nshutdown\n\nhelp pid\nexit\n"),
        Shell("help help"),
    ]);
}
