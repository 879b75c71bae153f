//! Options of ours in whole files: what is read, what is refused and where, and what stays as it was.

use std::time::Duration;

use crate::load::{LoadFailure, LoadRequest, Loaded, load};
use crate::model::{Config, ProcessConfig};
use crate::render::render;
use crate::service::{
    Checks, EndPattern, Hook, HttpProbe, Importance, LinchpinConfig, OnDependencyFailed,
    OnDependencyLost, OnEnd, Probe, ProbeKind, RestartPolicy, ServiceConfig,
};
use crate::testing::TestWorld;

pub(super) fn load_text(text: &str) -> Result<Loaded, Box<LoadFailure>> {
    let whole = format!("[supervisord]\n{text}");
    let world = TestWorld::new(&[("/etc/s.conf", &whole)]).with_variable("TOKEN", "secret");
    let request = LoadRequest {
        file: Some("/etc/s.conf".to_owned()),
        ..LoadRequest::default()
    };
    load(&world, &request)
}

pub(super) fn config(text: &str) -> Config {
    match load_text(text) {
        Ok(loaded) => loaded.config,
        Err(failure) => panic!("{text}\n{:#?}", failure.problems),
    }
}

/// The problems of a text as they are printed.
pub(super) fn problems(text: &str) -> Vec<String> {
    match load_text(text) {
        Ok(_) => panic!("it was loaded: {text}"),
        Err(failure) => failure.problems.iter().map(render).collect(),
    }
}

fn first(config: &Config) -> &ProcessConfig {
    &config.groups[0].processes[0]
}

/// What a program with these lines has.
fn service(lines: &str) -> Option<ServiceConfig> {
    let config = config(&format!("[program:a]\ncommand=/bin/cat\n{lines}"));
    first(&config).service.as_deref().cloned()
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

#[test]
fn a_program_without_options_of_ours_has_none() {
    assert_eq!(service(""), None);
    assert_eq!(service("startsecs=5\nnonsense=1\n"), None);
    assert_eq!(
        service("liveness_interval=7s\noneshot=no\nreadiness=\npre_start=\nimportance=normal\n"),
        None,
        "what is written says nothing beyond the defaults"
    );
}

#[test]
fn everything_can_be_written() {
    let text = "\
depends_timeout=5m
on_dependency_failed=fail
on_dependency_lost=restart
readiness=
    http://localhost:80%(process_num)02d/ header=\"Authorization:Bearer %(ENV_TOKEN)s\"

    notify
readiness_interval=0
readiness_timeout=500ms
readiness_successes=2
readiness_failures=4
ready_within=1h
liveness=exec:/bin/true
liveness_interval=1.5
liveness_timeout=1
liveness_failures=5
liveness_start_period=30
liveness_restarts=6
oneshot=true
marker=/var/done-%(program_name)s
restart_delay=2s
restart_delay_max=1s
restart_jitter=0.25
restart_reset=10m
restart_limit=7
fatal_retry=1h
restart_prevent=64,SIGILL
memory_max=512MB
memory_interval=1s
importance=essential
on_exit=ignore
pre_start=/bin/a 'b c'
pre_start_timeout=1s
post_start=b
pre_stop=c
post_stop=d
stop_command=e
reload_command=f
reload_signal=HUP
";
    let hook = |command: &str, limit| {
        Some(Hook {
            command: command.to_owned(),
            timeout: seconds(limit),
        })
    };
    let found = service(text).unwrap();
    let expected = ServiceConfig {
        condition_against: None,
        dependencies: Vec::new(),
        depends_timeout: seconds(300),
        on_dependency_failed: OnDependencyFailed::Fail,
        on_dependency_lost: OnDependencyLost::Restart,
        readiness: Some(Checks {
            probes: vec![
                Probe {
                    text: "http://localhost:80%(process_num)02d/ \
                           header=\"Authorization:Bearer %(ENV_TOKEN)s\""
                        .to_owned(),
                    kind: ProbeKind::Http(Box::new(HttpProbe {
                        tls: false,
                        host: "localhost".to_owned(),
                        port: 8000,
                        path: "/".to_owned(),
                        method: "GET".to_owned(),
                        statuses: vec![(200, 399)],
                        headers: vec![("Authorization".to_owned(), "Bearer secret".to_owned())],
                        body: None,
                        ca: None,
                        insecure: false,
                    })),
                },
                Probe {
                    text: "notify".to_owned(),
                    kind: ProbeKind::Notify,
                },
            ],
            interval: Duration::ZERO,
            timeout: Duration::from_millis(500),
            successes: 2,
            failures: 4,
        }),
        ready_within: seconds(3600),
        liveness: Some(Checks {
            probes: vec![Probe {
                text: "exec:/bin/true".to_owned(),
                kind: ProbeKind::Exec {
                    command: "/bin/true".to_owned(),
                },
            }],
            interval: Duration::from_millis(1500),
            timeout: seconds(1),
            successes: 1,
            failures: 5,
        }),
        liveness_start_period: seconds(30),
        liveness_restarts: 6,
        oneshot: true,
        marker: Some("/var/done-a".to_owned()),
        restart: Some(RestartPolicy {
            delay: seconds(2),
            delay_max: seconds(2),
            jitter_per_mille: 250,
            reset: seconds(600),
            limit: 7,
        }),
        fatal_retry: seconds(3600),
        restart_prevent: vec![EndPattern::Code(64), EndPattern::Signal(4)],
        memory_max: 512 << 20,
        memory_interval: seconds(1),
        importance: Importance::Essential,
        on_fatal: OnEnd::Shutdown,
        on_exit: OnEnd::Ignore,
        hooks: crate::service::Hooks {
            pre_start: hook("/bin/a 'b c'", 1),
            post_start: hook("b", 30),
            pre_stop: hook("c", 10),
            post_stop: hook("d", 30),
            stop_command: hook("e", 10),
            reload_command: hook("f", 30),
        },
        reload_signal: Some(1),
    };
    assert_eq!(found, expected);
}

#[test]
fn one_option_of_a_restart_policy_makes_it_whole() {
    let default = RestartPolicy {
        delay: seconds(1),
        delay_max: seconds(60),
        jitter_per_mille: 100,
        reset: seconds(60),
        limit: 0,
    };
    for (line, expected) in [
        ("restart_delay=1s", default.clone()),
        ("restart_delay_max=60s", default.clone()),
        (
            "restart_limit=3",
            RestartPolicy {
                limit: 3,
                ..default.clone()
            },
        ),
        (
            "restartpause=5",
            RestartPolicy {
                delay: seconds(5),
                ..default.clone()
            },
        ),
        (
            "restart_delay=90",
            RestartPolicy {
                delay: seconds(90),
                delay_max: seconds(90),
                ..default
            },
        ),
    ] {
        let found = service(line).unwrap();
        assert_eq!(found.restart, Some(expected), "{line}");
    }
    assert_eq!(service("restart_prevent=1\n").unwrap().restart, None);
}

#[test]
fn what_is_essential_ends_the_daemon_unless_it_was_to_end() {
    use OnEnd::{Ignore, Shutdown};
    for (lines, on_fatal, on_exit) in [
        ("importance=essential", Shutdown, Shutdown),
        ("importance=essential\noneshot=true", Shutdown, Ignore),
        (
            "importance=essential\noneshot=true\non_exit=shutdown",
            Shutdown,
            Shutdown,
        ),
        ("importance=optional\noneshot=true", Ignore, Ignore),
        ("importance=essential\non_fatal=ignore", Ignore, Shutdown),
    ] {
        let found = service(lines).unwrap();
        assert_eq!(
            (found.on_fatal, found.on_exit),
            (on_fatal, on_exit),
            "{lines}"
        );
    }
}

#[test]
fn a_mistake_has_its_place_its_option_and_a_remedy() {
    let text = "\
[program:a]
command=/bin/cat
readiness=
    tcp://localhost:80
    tpc://localhost:81
liveness=log:x
restart_delay=soon
memory_interval=0
on_dependency_lost=restrat
restart_prevent=1, SIGBAD
";
    insta::assert_snapshot!(problems(text).join("\n"), @r"
    error: [program:a] readiness: there is no kind of probe `tpc`
      --> /etc/s.conf:6:5
      |
    6 |     tpc://localhost:81
      |     ^^^
      = help: did you mean `tcp`?

    error: [program:a] liveness: `log:` says something once, so it cannot show that the program still works
      --> /etc/s.conf:7:10
      |
    7 | liveness=log:x
      |          ^^^^^
      = help: use it for `readiness`, and ask here with `tcp:`, `http:`, `exec:` or `notify`

    error: [program:a] restart_delay: `soon` is no duration
      --> /etc/s.conf:8:15
      |
    8 | restart_delay=soon
      |               ^^^^
      = help: write a number with `ms`, `s`, `m` or `h` behind it, such as `500ms` or `1.5h`; alone it means seconds

    error: [program:a] memory_interval: this must be more than 0
      --> /etc/s.conf:9:17
      |
    9 | memory_interval=0
      |                 ^
      = help: write a number with `ms`, `s`, `m` or `h` behind it, such as `500ms` or `1.5h`; alone it means seconds

    error: [program:a] on_dependency_lost: `restrat` means nothing here
       --> /etc/s.conf:10:20
       |
    10 | on_dependency_lost=restrat
       |                    ^^^^^^^
       = help: did you mean `restart`?

    error: [program:a] restart_prevent: `SIGBAD` is no signal
       --> /etc/s.conf:11:20
       |
    11 | restart_prevent=1, SIGBAD
       |                    ^^^^^^
       = help: write exit statuses from 0 to 255 and names of signals (`SIGILL`, `ILL`) with commas between them
    ");
}

#[test]
fn problems_of_the_original_come_first() {
    let text = "\
[program:a]
command=/bin/cat
restart_delay=soon
[program:b]
command=/bin/cat
startsecs=x
";
    let failure = load_text(text).unwrap_err();
    assert!(
        failure
            .original_text()
            .starts_with("invalid literal for int()")
    );
    assert_eq!(failure.problems.len(), 2);
}

#[test]
fn every_process_of_a_program_tells_its_mistake_once() {
    let text =
        "[program:a]\ncommand=/bin/cat\nnumprocs=3\nprocess_name=a%(process_num)d\nreadiness=x\n";
    assert_eq!(problems(text).len(), 1);
}

#[test]
fn a_listener_waits_for_nothing() {
    let config = config(
        "[eventlistener:l]\ncommand=/bin/cat\nevents=TICK\ndepends_on=nobody ready\noneshot=true\non_fatal=shutdown\n",
    );
    let found = first(&config).service.as_deref().cloned();
    let expected = ServiceConfig {
        on_fatal: OnEnd::Shutdown,
        ..ServiceConfig::default()
    };
    assert_eq!(found, Some(expected));
}

#[test]
fn extensions_can_be_switched_off() {
    let text = "[linchpin]\nextensions=off\nshutdown_timeout=nonsense\n[program:a]\ncommand=/bin/cat\nreadiness=nonsense\n";
    let config = config(text);
    assert_eq!(config.linchpin, None);
    assert_eq!(first(&config).service, None);
}

#[test]
fn the_section_of_the_daemon_is_read() {
    assert_eq!(config("").linchpin, None);
    assert_eq!(
        config("[linchpin]\n").linchpin,
        Some(LinchpinConfig::default())
    );
    let text = "[linchpin]\nsocket=run/x.sock\nstate_directory=~/state\ndirectories=logs\n /data/x y\nhistory_maxbytes=1MB\nshutdown_timeout=9s\nexit_code_from=a\nsettings_file=s.env\nsettings_history=3\n[program:a]\ncommand=/bin/cat\n";
    assert_eq!(
        config(text).linchpin,
        Some(LinchpinConfig {
            socket: Some("/place/run/x.sock".to_owned()),
            run_directory: None,
            directories: vec!["/place/logs".to_owned(), "/data/x y".to_owned()],
            state_directory: Some("/home/me/state".to_owned()),
            history_maxbytes: 1 << 20,
            shutdown_timeout: seconds(9),
            exit_code_from: Some("a:a".to_owned()),
            settings_file: Some("/place/s.env".to_owned()),
            settings_history: 3,
            proxy_variables: None,
            passwd_entry: None,
        })
    );
    assert!(
        problems("[linchpin]\nshutdown_timeout=x\n")[0].contains("[linchpin] shutdown_timeout")
    );
}

#[test]
fn what_the_boot_makes_may_be_named_before_it_is_there() {
    let with = |directories: &str| {
        format!(
            "childlogdir=/new/volume\n[linchpin]\ndirectories={directories}\n\
             [program:a]\ncommand=/bin/cat\nstdout_logfile=/new/volume/logs/a.log\n"
        )
    };
    config(&with("/new/volume/logs"));
    config(&with("/data/%(ENV_TOKEN)s\n  /new/./volume//logs/deeper"));
    for directories in ["/new/volume", "/new/volume/log", "/new/volume/logs.old"] {
        let problems = problems(&with(directories));
        assert!(problems[0].contains("/new/volume/logs"), "{problems:?}");
    }
    let off = with("/new/volume/logs").replace("[linchpin]\n", "[linchpin]\nextensions=off\n");
    assert!(problems(&off)[0].contains("childlogdir"));
}

#[test]
fn a_bare_list_stops_no_file() {
    for value in ["%(nobody)s", "%", "a b", ""] {
        assert_eq!(
            service(&format!("depends_on={value}\n")).map(|found| found.dependencies.len()),
            None,
            "{value}"
        );
    }
    assert!(problems("[program:a]\ncommand=/bin/cat\ndepends_on=%(nobody)s ready\n").len() == 1);
}
