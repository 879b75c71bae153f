//! One case or more for each rule, and silence for a good file.

use super::{CheckReport, check};
use crate::load::LoadRequest;
use crate::testing::TestWorld;

const GOOD: &str = "\
[unix_http_server]
file=/run/s.sock
[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix:///run/s.sock
[program:web]
command=/bin/web --port 80 'a b' ; the server
environment=A=\"1\",B=\"%(ENV_HOME)s\",
    C=/x:y
stdout_logfile=/dev/stdout
stdout_logfile_maxbytes=0
redirect_stderr=true
[program:job]
command=sh -c \"a && b > c\"
startsecs=0
autorestart=unexpected
exitcodes=0,2
numprocs=2
process_name=%(program_name)s_%(process_num)d
stdout_logfile=/var/log/%(program_name)s_%(process_num)d.log
stderr_logfile=NONE
[group:all]
programs=web,job
";

fn report(text: &str) -> CheckReport {
    let world = TestWorld::new(&[("/etc/s.conf", text)])
        .with_executable("/bin/web")
        .with_executable("/bin/sh")
        .with_directory("/run")
        .with_directory("/var/log");
    check(
        &world,
        &LoadRequest {
            file: Some("/etc/s.conf".to_owned()),
            ..LoadRequest::default()
        },
    )
}

/// Checks what is said about a file with an empty [supervisord] section and some text: lines and
/// beginnings of messages.
pub(super) fn check_warnings(text: &str, expected: &[(usize, &str)]) {
    let whole = format!("[supervisord]\n{text}");
    let report = report(&whole);
    let found: Vec<(usize, &str)> = report
        .warnings
        .iter()
        .map(|warning| {
            assert!(warning.help.is_some(), "no remedy: {}", warning.message);
            let line = warning.place.as_ref().map_or(0, |place| place.line);
            (line, warning.message.as_str())
        })
        .collect();
    let fits = found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(found, expected)| found.0 == expected.0 && found.1.starts_with(expected.1));
    assert!(
        fits,
        "{text}\nfound {found:#?}\nproblems {:#?}",
        report.problems
    );
}

/// The help of the only warning.
pub(super) fn only_help(text: &str) -> String {
    let whole = format!("[supervisord]\n{text}");
    let warnings = report(&whole).warnings;
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    warnings[0].help.clone().unwrap()
}

/// A program that nothing is wrong with, for rules that need one.
fn program(options: &str) -> String {
    format!("[program:a]\ncommand=/bin/web\n{options}")
}

#[test]
fn a_good_file_is_not_complained_about() {
    let report = report(GOOD);
    assert!(report.problems.is_empty(), "{:#?}", report.problems);
    assert!(report.warnings.is_empty(), "{:#?}", report.warnings);
    assert!(report.config.is_some());
    let with_crlf = super::check(
        &TestWorld::new(&[("/etc/s.conf", &GOOD.replace('\n', "\r\n"))])
            .with_executable("/bin/web")
            .with_executable("/bin/sh")
            .with_directory("/var/log"),
        &LoadRequest {
            file: Some("/etc/s.conf".to_owned()),
            ..LoadRequest::default()
        },
    );
    assert!(with_crlf.warnings.is_empty(), "{:#?}", with_crlf.warnings);
}

#[test]
fn unknown_options_are_told_with_what_was_meant() {
    check_warnings(&program("numproc=2"), &[(4, "nothing reads `numproc`")]);
    assert_eq!(
        only_help(&program("auto_start=no")),
        "did you mean `autostart`?"
    );
    assert_eq!(
        only_help(&program("loglevel=info")),
        "it is an option of [supervisord]"
    );
    check_warnings(
        &format!("{}[program:b]\ncommand=/bin/web\nzzz=1", program("zzz=1\n")),
        &[(
            4,
            "nothing reads `zzz` in [program:a] (and 1 more time below)",
        )],
    );
}

#[test]
fn unknown_sections_are_told_with_what_was_meant() {
    check_warnings(
        "[Program:a]\nx=1",
        &[(2, "nothing reads the section `[Program:a]`")],
    );
    assert_eq!(only_help("[programs:a]"), "did you mean `[program:a]`?");
    assert_eq!(only_help("[supervisor]"), "did you mean `[supervisord]`?");
    assert_eq!(only_help("[program a]"), "did you mean `[program:a]`?");
    check_warnings("[linchpin]", &[]);
    check_warnings("[supvisors]\nx=1", &[(2, "nothing reads the section")]);
}

#[test]
fn comments_that_cut_quotes_are_told() {
    check_warnings(
        "[program:a]\ncommand=/bin/sh -c 'a ; b'",
        &[
            (3, "this command cannot be split into words"),
            (3, "`command` ends here: ` ;` begins a comment"),
        ],
    );
    check_warnings(
        &program("environment=A=\"x #y\""),
        &[(4, "`environment` ends here: ` #` begins a comment")],
    );
    check_warnings(&program("user=root ; it's me"), &[]);
}

#[test]
fn swallowed_lines_are_told() {
    check_warnings(
        &program("  [program:b]\n  command=x"),
        &[(4, "this header is indented")],
    );
    check_warnings(
        "[program:a]\ncommand=/bin/web\n autostart=false",
        &[(4, "`autostart` is indented deeper than `command`")],
    );
    check_warnings(&program("environment=\n  user=x,\n  b=y"), &[]);
}

#[test]
fn doubled_keys_are_told() {
    check_warnings(
        &program("autostart=true\nautostart=false"),
        &[(4, "`autostart` is written again in line 5")],
    );
}

#[test]
fn nameless_conversions_are_told() {
    check_warnings(
        "[program:a]\ncommand=/bin/web %s %%s %(program_name)s",
        &[(3, "`%s` without a name inserts a list")],
    );
}

#[test]
fn programs_that_cannot_run_are_told() {
    check_warnings(
        "[program:a]\ncommand=/no/thing",
        &[(3, "the program `/no/thing` is not there")],
    );
    check_warnings(
        "[program:a]\ncommand=thing",
        &[(3, "the program `thing` is not there")],
    );
    check_warnings("[program:a]\ncommand=web -x", &[]);
    check_warnings("[program:a]\ncommand=supervisor_stdout", &[]);
    check_warnings(
        "[program:a]\ncommand=sh\nenvironment=PATH=/opt",
        &[(3, "the program `sh` is not there")],
    );
    check_warnings("[program:a]\ncommand=", &[(3, "there is no command here")]);
    check_warnings(
        "[program:a]\ncommand=/bin/web > /tmp/log",
        &[(3, "`>` is passed to the program")],
    );
    assert_eq!(
        only_help("[program:a]\ncommand=/bin/web $PORT"),
        "write `%(ENV_PORT)s`"
    );
    check_warnings(
        &program("directory=/none"),
        &[(4, "the directory `/none` is not there")],
    );
    check_warnings(&program("directory=~/x"), &[(4, "`~` is not expanded")]);
}

#[test]
fn restarts_that_never_end_are_told() {
    check_warnings(
        &program("startsecs=0\nautorestart=true"),
        &[(4, "with `startsecs=0` every start is a success")],
    );
    check_warnings(
        &program("exitcodes=0,2\nautorestart=true"),
        &[(4, "`exitcodes` decides nothing")],
    );
}

#[test]
fn options_without_effect_are_told() {
    check_warnings(
        &program("stopsignal=KILL\nkillasgroup=true"),
        &[(5, "`killasgroup` never comes into play")],
    );
    check_warnings(&program("stopsignal=KILL\nstopasgroup=true"), &[]);
    check_warnings(
        &program("redirect_stderr=true\nstderr_syslog=true"),
        &[(5, "`stderr_syslog` has no effect")],
    );
    check_warnings(
        &program("stdout_logfile=NONE\nstdout_logfile_maxbytes=1MB"),
        &[(5, "`stdout_logfile_maxbytes` has no effect")],
    );
    check_warnings(
        "nodaemon=true\numask=022\ndirectory=/var/log",
        &[
            (3, "`umask` of [supervisord] has no effect"),
            (4, "`directory` of [supervisord] has no effect"),
        ],
    );
}

#[test]
fn events_without_a_listener_are_told() {
    let listener = "[eventlistener:l]\ncommand=/bin/web\nevents=PROCESS_COMMUNICATION\n";
    let captures = program("stdout_capture_maxbytes=1MB\n");
    check_warnings(&captures, &[(4, "`stdout_capture_maxbytes` makes events")]);
    check_warnings(&format!("{listener}{captures}"), &[]);
    check_warnings(
        &program("stderr_events_enabled=true"),
        &[(4, "`stderr_events_enabled` makes events")],
    );
    check_warnings(
        &format!("{listener}stdout_capture_maxbytes=1"),
        &[(
            5,
            "`stdout_capture_maxbytes` has no effect for an event listener",
        )],
    );
}

#[test]
fn files_that_cannot_be_rotated_are_told() {
    check_warnings(
        &program("stdout_logfile=/dev/stdout"),
        &[(4, "`/dev/stdout` cannot be rotated")],
    );
    check_warnings(
        "logfile=/dev/stdout",
        &[(2, "`/dev/stdout` cannot be rotated")],
    );
}

#[test]
fn files_with_two_writers_are_told() {
    check_warnings(
        &program("stdout_logfile=/var/log/a\nstderr_logfile=/var/log/a"),
        &[(
            5,
            "`/var/log/a` is written and rotated by stdout of `a` and by stderr of `a`",
        )],
    );
    check_warnings(
        &program(
            "stdout_logfile=/var/log/a\nstderr_logfile=/var/log/a\nstdout_logfile_maxbytes=0\nstderr_logfile_maxbytes=0",
        ),
        &[],
    );
    check_warnings(
        &program("numprocs=2\nprocess_name=p%(process_num)d\nstdout_logfile=/var/log/a"),
        &[(
            6,
            "`/var/log/a` is written and rotated by stdout of `p0` and by stdout of `p1`",
        )],
    );
}

#[test]
fn equal_names_are_told() {
    check_warnings(
        "[program:a]\ncommand=/bin/web\n[eventlistener:a]\ncommand=/bin/web\nevents=TICK_5",
        &[(2, "another group is called `a`")],
    );
    check_warnings(
        "[program:a]\ncommand=/bin/web\nprocess_name=x\n[program:b]\ncommand=/bin/web\nprocess_name=x\n[group:g]\nprograms=a,b",
        &[(8, "group `g` has several processes called `x`")],
    );
}

#[test]
fn parts_that_do_not_fit_are_told() {
    check_warnings("[group:g]\nprograms=", &[(3, "group `g` has no processes")]);
    check_warnings(
        "[unix_http_server]\nfile=/run/a.sock",
        &[(
            2,
            "there is a server, but without [rpcinterface:supervisor]",
        )],
    );
    let interface = "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n";
    check_warnings(
        &format!("{interface}[inet_http_server]\nport=*:9001"),
        &[(5, "everybody who can reach this port")],
    );
    check_warnings(
        &format!(
            "{interface}[supervisorctl]\nserverurl=unix:///run/b.sock\n[unix_http_server]\nfile=/run/a.sock"
        ),
        &[(5, "no server of this file listens on `/run/b.sock`")],
    );
    check_warnings(
        "[supervisorctl]\nprompt=%(here)s",
        &[(3, "supervisorctl cannot read this: `here` is not a name")],
    );
}

#[test]
fn defaults_that_reach_plugins_are_told() {
    check_warnings(
        "[DEFAULT]\nautostart=false\nautostrat=1\n[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        &[
            (
                3,
                "keys of [DEFAULT] are passed to [rpcinterface:supervisor]",
            ),
            (4, "no section reads `autostrat`"),
        ],
    );
}

#[test]
fn values_that_end_early_are_told() {
    check_warnings(
        &program("environment=A=$HOME"),
        &[(4, "the value of `A` ends before `HOME`")],
    );
    check_warnings(
        &program("environment=A=1;B=2"),
        &[(4, "the value of `A` ends before `;`")],
    );
}

#[test]
fn a_sloppy_old_list_is_accepted_with_a_word() {
    check_warnings(
        &program("environment=A=it's"),
        &[(
            4,
            "this `environment` can only be read by the rules of Supervisor 4.3",
        )],
    );
}

#[test]
fn fastcgi_in_a_group_needs_a_usable_socket() {
    check_warnings(
        "[fcgi-program:f]\ncommand=/bin/web\nsocket=nowhere\n[group:g]\nprograms=f",
        &[(4, "[fcgi-program:f] has no usable socket")],
    );
}

#[test]
fn problems_do_not_hide_warnings_about_the_text() {
    let report = report("[supervisord]\nminfds=x\n[program:a]\ncommand=/bin/web\nnumproc=1\n");
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.warnings.len(), 1);
    assert!(report.config.is_none());
}
