//! Rules about options that Supervisor does not have: one case or more for each, and silence for a good file.

use super::tests::{check_warnings, only_help};

/// A program, what is written in it from line 4 on, and what is said.
fn of_program(lines: &str, expected: &[(usize, &str)]) {
    check_warnings(&format!("[program:a]\ncommand=/bin/web\n{lines}"), expected);
}

#[test]
fn a_good_file_stays_silent() {
    check_warnings(
        "\
[linchpin]
state_directory=/var/lib/x
history_maxbytes=1MB
exit_code_from=web
[program:migrate]
command=/bin/web migrate
oneshot=true
marker=/var/lib/migrated
startretries=1
[program:db]
command=/bin/web db
readiness=unix:///run/db.sock ; the socket
readiness_timeout=1s
[program:web]
command=/bin/web
depends_on=migrate completed,
    db ready,
    later
on_dependency_lost=restart
readiness=
    tcp://localhost:80
    exec:/bin/web 'a b'
    log:started [0-9]+
ready_within=1m
liveness=http://localhost/health
liveness_interval=1s
restart_delay=1s
restart_delay_max=30s
restart_limit=9
pre_stop=/bin/sh -c \"kill -USR1 $MAINPID\"
pre_stop_timeout=3s
importance=essential
[program:later]
command=/bin/web later
fatal_retry=1m
importance=optional
",
        &[],
    );
}

#[test]
fn options_without_the_one_they_belong_to() {
    for (line, what) in [
        (
            "readiness_interval=1s",
            "`readiness_interval` decides nothing without `readiness`",
        ),
        (
            "ready_within=1m",
            "`ready_within` decides nothing without `readiness`",
        ),
        (
            "liveness_interval=1s",
            "`liveness_interval` decides nothing without `liveness`",
        ),
        ("liveness_restarts=3", "`liveness_restarts` decides nothing"),
        (
            "depends_timeout=3",
            "`depends_timeout` decides nothing without `depends_on`",
        ),
        ("marker=/x", "`marker` decides nothing without `oneshot`"),
        (
            "memory_interval=1s",
            "`memory_interval` decides nothing without `memory_max`",
        ),
        (
            "pre_start_timeout=1s",
            "`pre_start_timeout` decides nothing without `pre_start`",
        ),
        (
            "post_start_timeout=1s",
            "`post_start_timeout` decides nothing",
        ),
        ("pre_stop_timeout=1s", "`pre_stop_timeout` decides nothing"),
        (
            "post_stop_timeout=1s",
            "`post_stop_timeout` decides nothing",
        ),
        (
            "stop_command_timeout=1s",
            "`stop_command_timeout` decides nothing",
        ),
        (
            "reload_command_timeout=1s",
            "`reload_command_timeout` decides nothing",
        ),
    ] {
        of_program(line, &[(4, what)]);
    }
    check_warnings(
        "[linchpin]\nhistory_maxbytes=1MB\n",
        &[(
            3,
            "`history_maxbytes` decides nothing without `state_directory`",
        )],
    );
    check_warnings(
        "[program:a]\ncommand=/bin/web\ndepends_on=b\non_dependency_lost=stop\n[program:b]\ncommand=/bin/web\n",
        &[(5, "`on_dependency_lost` decides nothing: no name")],
    );
}

#[test]
fn options_of_which_one_alone_counts() {
    of_program(
        "reload_signal=HUP\nreload_command=/bin/web r\nstopsignal=INT\nstop_command=/bin/web s\n",
        &[
            (4, "`reload_signal` is not sent"),
            (6, "`stopsignal` is not sent"),
        ],
    );
    of_program(
        "restartpause=1\nrestart_delay=2\n",
        &[(4, "`restartpause` does not count")],
    );
    of_program(
        "startretries=1\nrestart_limit=2\n",
        &[(4, "`startretries` decides nothing")],
    );
    of_program("startretries=1\nrestart_prevent=2\n", &[]);
    of_program(
        "restart_delay=0\n",
        &[(4, "the program is started again without any wait")],
    );
    of_program(
        "restart_delay=90\nrestart_delay_max=80\n",
        &[(5, "`restart_delay_max` is shorter")],
    );
    of_program("restart_delay=90\n", &[]);
}

#[test]
fn ends_that_contradict_each_other() {
    of_program(
        "importance=essential\non_fatal=ignore\non_exit=ignore\n",
        &[(4, "`importance=essential` decides nothing")],
    );
    of_program(
        "importance=optional\non_fatal=shutdown\n",
        &[(5, "the end of an optional program ends the daemon")],
    );
    of_program(
        "autorestart=true\non_exit=shutdown\n",
        &[(5, "`on_exit` never comes into play")],
    );
    of_program(
        "importance=essential\nfatal_retry=1m\n",
        &[(5, "`fatal_retry` starts the program again")],
    );
    of_program(
        "oneshot=true\nautorestart=true\n",
        &[(5, "`autorestart` decides nothing for a oneshot")],
    );
}

#[test]
fn dependencies_that_say_something_else() {
    let with = |condition: &str, lines: &str, expected: &[(usize, &str)]| {
        check_warnings(
            &format!(
                "[program:a]\ncommand=/bin/web\ndepends_on=b {condition}\n[program:b]\ncommand=/bin/web\n{lines}"
            ),
            expected,
        );
    };
    with("ready", "", &[(4, "`b` has no `readiness`")]);
    with("ready", "readiness=notify\n", &[]);
    with(
        "ready",
        "oneshot=true\n",
        &[(4, "`b` is a oneshot, which is ready while")],
    );
    with("started", "", &[]);
    with(
        "started",
        "oneshot=true\n",
        &[(4, "`b` is a oneshot, which may have ended")],
    );
    with("completed", "oneshot=true\n", &[]);
    with("completed", "", &[]);
    with(
        "completed",
        "autorestart=true\n",
        &[(4, "`b` never completes")],
    );
}

#[test]
fn a_marker_belongs_to_one_process() {
    let text = |marker: &str| {
        format!(
            "[program:a]\ncommand=/bin/web\nnumprocs=3\nprocess_name=a%(process_num)d\noneshot=true\nmarker={marker}\n"
        )
    };
    check_warnings(&text("/x"), &[(7, "`a1` and `a0` have the same marker")]);
    check_warnings(&text("/x%(process_num)d"), &[]);
}

#[test]
fn values_that_the_dialect_cuts() {
    for (line, what) in [
        (
            "readiness=exec:/bin/web ; x",
            "`readiness` ends here: ` ;` begins a comment",
        ),
        (
            "readiness=log:item #[0-9]+",
            "`readiness` ends here: ` #` begins a comment",
        ),
        (
            "readiness=http://h/ body=a ;b",
            "`readiness` ends here: ` ;`",
        ),
        ("pre_start=/bin/web a # b", "`pre_start` ends here: ` #`"),
        (
            "readiness=log:'x ; y'",
            "`readiness` ends here: ` ;` begins a comment, even inside quotes",
        ),
    ] {
        of_program(line, &[(4, what)]);
    }
    of_program("readiness=tcp://localhost:80 ; why\n", &[]);
    of_program("restart_prevent=1 ; why\n", &[]);
    let help = only_help("[program:a]\ncommand=/bin/web\nreadiness=log:a ; b\n");
    assert!(help.contains("`[;]`"), "{help}");
}

#[test]
fn commands_are_looked_at_wherever_they_stand() {
    of_program(
        "pre_start=/bin/none\nreadiness=\n    tcp://localhost:80\n    exec:/bin/nothing | x\nliveness=https://h/ ca=/none\n",
        &[
            (4, "the program `/bin/none` is not there"),
            (7, "the program `/bin/nothing` is not there"),
            (7, "`|` is passed to the program"),
            (8, "there is no file `/none`"),
        ],
    );
    let help = only_help("[program:a]\ncommand=/bin/web\nreload_command=/bin/web $MAINPID\n");
    assert_eq!(help, "run it by a shell: `/bin/sh -c \"… $MAINPID\"`");
}

#[test]
fn options_that_are_switched_off_or_misspelt() {
    check_warnings(
        "[linchpin]\nextensions=off\n[program:a]\ncommand=/bin/web\nreadiness=x\nliveness_interval=1\n",
        &[(
            6,
            "`readiness` does not count with `extensions=off` (and 1 more time below)",
        )],
    );
    of_program(
        "readyness=notify\n",
        &[(4, "nothing reads `readyness` in [program:a]")],
    );
    check_warnings(
        "[eventlistener:a]\ncommand=/bin/web\nevents=TICK\ndepends_on=x\n",
        &[(5, "nothing reads `depends_on` in [eventlistener:a]")],
    );
}

#[test]
fn a_bare_list_is_judged_without_stopping_anything() {
    of_program(
        "depends_on=xvfb, a\n",
        &[
            (
                4,
                "[program:a] depends_on: there is no group or process `xvfb`, so nothing is waited for",
            ),
            (
                4,
                "[program:a] depends_on: this would wait for itself (a → a), so `a` is passed over",
            ),
        ],
    );
}
