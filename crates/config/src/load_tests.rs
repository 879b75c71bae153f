//! Loading as a whole: places, includes, all problems at once, precedence.

use crate::command_line::{DaemonCommand, parse_supervisord_args};
use crate::control::{
    ControlCommand, ControlRequest, load_supervisorctl, parse_supervisorctl_args,
};
use crate::event_type::EventType;
use crate::load::{LoadFailure, LoadRequest, Loaded, load};
use crate::model::{Config, GroupKind, LogFile, LogLevel, MainLog};
use crate::render::render_failure;
use crate::testing::TestWorld;
use crate::world::World;

const MAIN: &str = "/etc/s.conf";

fn request() -> LoadRequest {
    LoadRequest {
        file: Some(MAIN.to_owned()),
        ..LoadRequest::default()
    }
}

fn loaded(world: &TestWorld) -> Loaded {
    load(world, &request()).unwrap_or_else(|failure| panic!("{:#?}", failure.problems))
}

fn config(text: &str) -> Config {
    loaded(&TestWorld::new(&[(MAIN, text)])).config
}

fn failure(text: &str) -> Box<LoadFailure> {
    failure_in(&TestWorld::new(&[(MAIN, text)]))
}

fn failure_in(world: &TestWorld) -> Box<LoadFailure> {
    match load(world, &request()) {
        Ok(loaded) => panic!("it was loaded: {:#?}", loaded.config),
        Err(failure) => failure,
    }
}

/// Checks the original's text and the lines of all problems.
fn check_failure(text: &str, original: &str, lines: &[usize]) {
    let failure = failure(text);
    assert_eq!(failure.original_text(), original, "{text}");
    let found: Vec<usize> = failure
        .problems
        .iter()
        .map(|problem| problem.place.as_ref().map_or(0, |place| place.line))
        .collect();
    assert_eq!(found, lines, "{text}\n{:#?}", failure.problems);
}

fn words(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn an_empty_section_gives_the_defaults() {
    let config = config("[supervisord]\n[program:a]\ncommand=/bin/cat\n");
    let section = &config.supervisord;
    assert_eq!(
        section.logfile,
        MainLog::File("/place/supervisord.log".to_owned())
    );
    assert_eq!(section.pidfile, "/place/supervisord.pid");
    assert_eq!(section.logfile_maxbytes, 50 << 20);
    assert_eq!((section.minfds, section.minprocs), (1024, 200));
    assert_eq!(section.umask, 0o22);
    assert_eq!(section.loglevel, LogLevel::Info);
    assert_eq!(section.childlogdir, "/tmp");
    assert_eq!(section.identifier, "supervisor");
    let process = &config.groups[0].processes[0];
    assert_eq!(process.name, "a");
    assert_eq!(process.section, "program:a");
    assert_eq!(process.stdout.logfile, LogFile::Auto);
    assert_eq!((process.startsecs, process.startretries), (1, 3));
    assert_eq!((process.stopsignal, process.stopwaitsecs), (15, 10));
    assert_eq!(process.exitcodes, [0]);
    assert_eq!(config.server_url, None);
}

#[test]
fn all_problems_are_told_at_once_and_the_first_is_the_original_s() {
    check_failure(
        "[supervisord]\nminfds=x\nloglevel=loud\n[program:b]\ncommand=/bin/cat\nstartsecs=y\n\
         autostart=maybe\n[inet_http_server]\nport=z\n[group:g]\nprograms=nobody\n",
        "invalid literal for int() with base 10: 'x'",
        &[2, 3, 11, 7, 6, 9],
    );
}

#[test]
fn a_problem_in_a_program_names_section_and_file() {
    check_failure(
        "[supervisord]\n[program:a]\ncommand=/bin/cat %(foo)s\n",
        "Format string '/bin/cat %(foo)s' for 'program:a.command' contains names ('foo') which \
         cannot be expanded. Available names: ENV_HOME, ENV_PATH, group_name, here, \
         host_node_name, numprocs, process_num, program_name in section 'program:a' (file: \
         '/etc/s.conf')",
        &[3],
    );
}

#[test]
fn every_process_of_a_program_tells_its_problem_once() {
    check_failure(
        "[supervisord]\n[program:a]\ncommand=x%\nnumprocs=5\nprocess_name=%(process_num)d\n",
        "Format string 'x%' for 'program:a.command' is badly formatted: incomplete format in \
         section 'program:a' (file: '/etc/s.conf')",
        &[3],
    );
}

#[test]
fn bad_lines_share_one_text_and_have_a_place_each() {
    check_failure(
        "[supervisord]\nnonsense\n[program:a]\n= b\ncommand=/bin/cat\nstartsecs=x",
        "Source contains parsing errors: '/etc/s.conf'\n\t[line  2]: 'nonsense\\n'\n\t[line  4]: \
         '= b\\n'",
        &[2, 4, 6],
    );
}

#[test]
fn a_byte_order_mark_is_explained() {
    let failure = failure("\u{feff}[supervisord]\nminfds=x\n");
    assert_eq!(
        failure.original_text(),
        "File contains no section headers.\nfile: '/etc/s.conf', line: 1\n'\\ufeff[supervisord]\\n'"
    );
    assert_eq!(failure.problems.len(), 2);
    assert!(failure.problems[0].message.contains("byte-order mark"));
}

#[test]
fn bytes_that_are_not_text_have_a_place() {
    let world = TestWorld::new(&[]).with_bytes(MAIN, b"[supervisord]\nidentifier=ab\xffc\n");
    let failure = failure_in(&world);
    assert_eq!(
        failure.original_text(),
        "'utf-8' codec can't decode byte 0xff in position 27: invalid start byte"
    );
    let place = failure.problems[0].place.as_ref().unwrap();
    assert_eq!((place.line, place.column), (2, 14));
}

#[test]
fn what_is_printed_shows_the_place_of_each_problem() {
    let failure = failure(
        "[supervisord]\nlogfile=/none/x.log\n[program:a]\ncommand=/bin/date +%Y\nusr=me\n\
         numprocs=2\nstopsignal=TREM\n",
    );
    insta::assert_snapshot!(render_failure("supervisord", &failure), @r"
    Error: The directory named as part of the path /none/x.log does not exist
    For help, use supervisord -h

    error: `logfile` needs a directory that exists, and `/none/x.log` has none
      --> /etc/s.conf:2:9
      |
    2 | logfile=/none/x.log
      |         ^^^^^^^^^^^
      = help: write a path in a directory that exists, or `syslog`

    error: `stopsignal` cannot be `TREM`
      --> /etc/s.conf:7:12
      |
    7 | stopsignal=TREM
      |            ^^^^
      = help: did you mean `TERM`?

    error: several processes would have the same name
      --> /etc/s.conf:6:10
      |
    6 | numprocs=2
      |          ^
      = help: add `process_name=%(program_name)s_%(process_num)02d`

    error: `%` begins an expansion, and this one cannot be read: unsupported format character 'Y' (0x59) at index 12
      --> /etc/s.conf:4:20
      |
    4 | command=/bin/date +%Y
      |                    ^^
      = help: write `%%` where a single `%` is meant, and `%(name)s` for a name
    ");
}

#[test]
fn files_that_cannot_be_read_are_told_as_in_the_original() {
    let world = TestWorld::new(&[]).with_directory(MAIN);
    assert_eq!(
        failure_in(&world).original_text(),
        "could not read config file /etc/s.conf"
    );
    let missing = failure_in(&TestWorld::new(&[]));
    assert_eq!(
        render_failure("supervisord", &missing),
        "Error: could not find config file /etc/s.conf\nFor help, use supervisord -h\n"
    );
    check_failure("", ".ini file does not include supervisord section", &[0]);
}

#[test]
fn default_places_are_searched_in_order() {
    let world = TestWorld::new(&[
        ("/place/supervisord.conf", "[supervisord]\nidentifier=here"),
        ("/etc/supervisord.conf", "[supervisord]\nidentifier=etc"),
    ]);
    let request = LoadRequest {
        program: "/usr/bin/supervisord".to_owned(),
        ..LoadRequest::default()
    };
    let found = load(&world, &request).unwrap();
    assert_eq!(found.config.supervisord.identifier, "here");
    assert_eq!(found.config.file.to_str(), Some("/place/supervisord.conf"));
    assert!(found.notices.is_empty());
    let mut nothing = TestWorld::new(&[]);
    nothing.user_id = 0;
    let failure = load(&nothing, &request).unwrap_err();
    assert_eq!(
        failure.original_text(),
        "No config file found at default paths (/usr/etc/supervisord.conf, /usr/supervisord.conf, \
         supervisord.conf, etc/supervisord.conf, /etc/supervisord.conf, \
         /etc/supervisor/supervisord.conf); use the -c option to specify a config file at a \
         different path"
    );
    assert_eq!(failure.notices.len(), 1);
}

#[test]
fn includes_are_read_in_order_and_override() {
    let world = TestWorld::new(&[
        (
            MAIN,
            "[supervisord]\nidentifier=main\n[include]\nfiles = conf.d/*.conf none/*.conf\n  extra.ini conf.d\n\
             [program:a]\ncommand=/bin/cat %(here)s\n",
        ),
        (
            "/etc/conf.d/2.conf",
            "[supervisord]\nidentifier=two\n[include]\nfiles=never\n",
        ),
        (
            "/etc/conf.d/1.conf",
            "[supervisord]\nidentifier=one\n[program:b]\ncommand=/bin/cat %(here)s\n",
        ),
        ("/etc/conf.d/.hidden.conf", "nonsense"),
        ("/etc/extra.ini", "[program:a]\nautostart=false\n"),
    ]);
    let loaded = loaded(&world);
    assert_eq!(loaded.config.supervisord.identifier, "two");
    let [a, b] = loaded.config.groups.as_slice() else {
        panic!("{:#?}", loaded.config.groups);
    };
    assert_eq!(a.processes[0].command, "/bin/cat /etc");
    assert!(!a.processes[0].autostart);
    assert_eq!(b.processes[0].command, "/bin/cat /etc/conf.d");
    assert_eq!(
        loaded.warnings,
        ["No file matches via include \"/etc/none/*.conf\""]
    );
    assert_eq!(
        loaded.infos,
        [
            "Included extra file \"/etc/conf.d/1.conf\" during parsing",
            "Included extra file \"/etc/conf.d/2.conf\" during parsing",
            "Included extra file \"/etc/extra.ini\" during parsing",
            "Included extra file \"/etc/conf.d\" during parsing",
        ]
    );
}

#[test]
fn problems_in_an_included_file_name_it() {
    let world = TestWorld::new(&[
        (
            MAIN,
            "[supervisord]\n[include]\nfiles=*.ini\n[program:a]\ncommand=x\n",
        ),
        (
            "/etc/b.ini",
            "[program:b]\nstartsecs=x\ncommand=x\n[program:a]\nstartsecs=y\n",
        ),
    ]);
    let failure = failure_in(&world);
    let texts: Vec<&str> = failure
        .problems
        .iter()
        .map(crate::diagnostic::Diagnostic::text)
        .collect();
    assert_eq!(
        texts,
        [
            "invalid literal for int() with base 10: 'y' in section 'program:a' (file: '/etc/s.conf')",
            "invalid literal for int() with base 10: 'x' in section 'program:b' (file: '/etc/b.ini')",
        ]
    );
    let places: Vec<String> = failure
        .problems
        .iter()
        .filter_map(|problem| problem.place.as_ref())
        .map(|place| format!("{}:{}:{}", place.file, place.line, place.column))
        .collect();
    assert_eq!(places, ["/etc/b.ini:5:11", "/etc/b.ini:2:11"]);
}

#[test]
fn a_directory_with_a_percent_sign_does_not_break_includes() {
    let path = "/50%/s.conf";
    let world = TestWorld::new(&[
        (
            path,
            "[supervisord]\nenvironment=A=\"%(here)s\"\n[include]\nfiles=*.ini\n",
        ),
        (
            "/50%/a.ini",
            "[program:a]\ncommand=/bin/cat %(here)s %%(here)s\nstdout_logfile=%(here)s/log\n",
        ),
    ]);
    let loaded = load(
        &world,
        &LoadRequest {
            file: Some(path.to_owned()),
            ..LoadRequest::default()
        },
    )
    .unwrap();
    let process = &loaded.config.groups[0].processes[0];
    assert_eq!(process.command, "/bin/cat /50% %(here)s");
    assert_eq!(process.stdout.logfile, LogFile::Path("/50%/log".to_owned()));
    assert_eq!(loaded.config.supervisord.environment["A"], "/50%");
}

#[test]
fn log_files_may_hold_percent_signs_and_variables_that_do() {
    let world = TestWorld::new(&[(
        MAIN,
        "[supervisord]\n[program:a]\ncommand=x\nstdout_logfile=/tmp/%(ENV_ODD)s-%%Y\nstderr_logfile=/tmp/%%%%\n",
    )])
    .with_variable("ODD", "100%");
    let process = &loaded(&world).config.groups[0].processes[0].clone();
    assert_eq!(
        process.stdout.logfile,
        LogFile::Path("/tmp/100%-%Y".to_owned())
    );
    assert_eq!(process.stderr.logfile, LogFile::Path("/tmp/%".to_owned()));
}

#[test]
fn supervisord_environment_is_expanded_once_and_known_afterwards() {
    let config = config(
        "[supervisord]\nenvironment=A=\"100%%\",B=%(host_node_name)s\n[program:a]\n\
         command=x %(ENV_A)s %(ENV_OWN)s\nenvironment=OWN=%(ENV_B)s\n",
    );
    assert_eq!(config.supervisord.environment["A"], "100%");
    let process = &config.groups[0].processes[0];
    assert_eq!(process.command, "x 100% node");
    assert_eq!(process.environment.len(), 1);
}

#[test]
fn servers_and_their_url() {
    let config = config(
        "[supervisord]\n[unix_http_server:x]\nfile=~/s.sock\nchown=me:root\nchmod=0770\n\
         [inet_http_server]\nport=9001\nusername=u\npassword=p\n[unix_http_server]\nfile=b.sock\nusername=\npassword=\n",
    );
    let sections: Vec<&str> = config
        .http_servers
        .iter()
        .map(|server| server.section.as_str())
        .collect();
    assert_eq!(
        sections,
        ["inet_http_server", "unix_http_server:x", "unix_http_server"]
    );
    assert_eq!(config.server_url.as_deref(), Some("unix:///home/me/s.sock"));
    assert!(config.http_servers[0].credentials.is_some());
    assert!(config.http_servers[2].credentials.is_none());
}

#[test]
fn groups_take_their_programs_and_sort_by_priority() {
    let config = config(
        "[supervisord]\n[program:z]\ncommand=x\npriority=1\n[program:b]\ncommand=x %(group_name)s\n[program:a]\n\
         command=x\nnumprocs=11\nprocess_name=%(process_num)d\n[group:g]\nprograms=b, a\n[eventlistener:l]\n\
         command=x\nevents=TICK_5,tick_5,EVENT\n",
    );
    let names: Vec<&str> = config
        .groups
        .iter()
        .map(|group| group.name.as_str())
        .collect();
    assert_eq!(names, ["l", "z", "g"]);
    let members: Vec<&str> = config.groups[2]
        .processes
        .iter()
        .map(|process| process.name.as_str())
        .collect();
    assert_eq!(
        members,
        ["b", "0", "1", "10", "2", "3", "4", "5", "6", "7", "8", "9"]
    );
    assert_eq!(config.groups[2].processes[0].command, "x g");
    let GroupKind::EventListener(pool) = &config.groups[0].kind else {
        panic!("{:?}", config.groups[0]);
    };
    assert_eq!(pool.events, [EventType::Event, EventType::Tick5]);
}

#[test]
fn equal_names_keep_what_the_original_keeps() {
    let loaded = loaded(&TestWorld::new(&[(
        MAIN,
        "[supervisord]\n[program:a]\ncommand=first\n[eventlistener:a]\ncommand=listener\nevents=EVENT\n\
         [program:x]\ncommand=hidden\nprocess_name=n\n[program:y]\ncommand=kept\nprocess_name=n\n[group:g]\nprograms=x,y\n",
    )]));
    let config = loaded.config;
    assert_eq!(config.groups[0].processes[0].command, "listener");
    assert_eq!(config.shadowed_groups.len(), 1);
    assert_eq!(config.groups[1].processes.len(), 1);
    assert_eq!(config.groups[1].processes[0].command, "kept");
    assert_eq!(config.shadowed_processes[0].process.command, "hidden");
    assert_eq!(loaded.doubts.len(), 2);
}

#[test]
fn fastcgi_keeps_its_socket_in_a_group() {
    let config = config(
        "[supervisord]\n[fcgi-program:f]\ncommand=x\nsocket=unix:///run/%(program_name)s\n[group:g]\nprograms=f\n",
    );
    let group = &config.groups[0];
    let socket = group.socket_of(&group.processes[0]).unwrap();
    assert_eq!(socket.url, "unix:///run/f");
    assert_eq!(group.sockets().count(), 1);
}

#[test]
fn a_mistake_about_a_group_is_told_of_the_group() {
    let failure = failure("[supervisord]\n[program:web]\ncommand=x\n[group:g]\nprograms=web,wbe\n");
    assert_eq!(
        failure.original_text(),
        "[program:web] names unknown program or fcgi-program wbe"
    );
    assert_eq!(
        failure.problems[0].message,
        "[group:g] names `wbe`, but there is no such program"
    );
    assert_eq!(
        failure.problems[0].help.as_deref(),
        Some("did you mean `web`?")
    );
}

#[test]
fn too_many_processes_are_refused() {
    let failure = failure(
        "[supervisord]\n[program:a]\ncommand=x\nnumprocs=999999999\nprocess_name=%(process_num)d\n",
    );
    assert!(failure.original_text().contains("more than 100000"));
}

#[test]
fn the_command_line_beats_the_file() {
    let world = TestWorld::new(&[(
        MAIN,
        "[supervisord]\nloglevel=warn\nuser=root\nlogfile=/tmp/file.log\nminfds=5\n",
    )]);
    let words = words("-nc /etc/s.conf -e debug --user=me -l syslog --minfds 7 -d /tmp --strip -k");
    let DaemonCommand::Run { file, overrides } = parse_supervisord_args(&world, &words).unwrap()
    else {
        panic!("not a run");
    };
    let request = LoadRequest {
        file,
        program: String::new(),
        overrides: *overrides,
        ..LoadRequest::default()
    };
    let section = load(&world, &request).unwrap().config.supervisord;
    assert!(section.nodaemon && section.strip_ansi && section.nocleanup && !section.silent);
    assert_eq!(section.loglevel, LogLevel::Debug);
    assert_eq!((section.uid, section.gid), (Some(1000), Some(1000)));
    assert_eq!(section.logfile, MainLog::Syslog);
    assert_eq!(section.minfds, 7);
    assert_eq!(section.directory.as_deref(), Some("/tmp"));
}

#[test]
fn command_line_errors_read_as_in_the_original() {
    let world = TestWorld::new(&[]);
    for (line, expected) in [
        ("-x", "option -x not recognized"),
        ("--log x", "option --log not a unique prefix"),
        ("--minprocs", "option --minprocs requires argument"),
        ("foo", "positional arguments are not supported: ['foo']"),
        ("-n -n", "conflicting command line option '-n'"),
        (
            "-n --nodaemon",
            "conflicting command line option '--nodaemon'",
        ),
        ("-c a -c b", "conflicting command line option '-c'"),
        (
            "-e foo",
            "invalid value for -e 'foo': bad logging level name 'foo'",
        ),
        (
            "-m 9",
            "invalid value for -m '9': 9 can not be converted to an octal type",
        ),
        (
            "-d /none",
            "invalid value for -d '/none': /none is not an existing directory",
        ),
        (
            "--minfds=x",
            "invalid value for --minfds 'x': invalid literal for int() with base 10: 'x'",
        ),
    ] {
        assert_eq!(
            parse_supervisord_args(&world, &words(line)),
            Err(expected.to_owned()),
            "{line}"
        );
    }
    assert_eq!(
        parse_supervisord_args(&world, &words("-v -e foo")),
        Ok(DaemonCommand::Version)
    );
    assert_eq!(
        parse_supervisord_args(&world, &words("-n -?")),
        Ok(DaemonCommand::Help)
    );
}

#[test]
fn supervisorctl_reads_its_section_and_its_command_line() {
    let world = TestWorld::new(&[(
        MAIN,
        "[supervisorctl]\nserverurl=unix://s.sock\nprompt=p\nusername=u\nhistory_file=~/h\n[include]\nfiles=*\n",
    )]);
    let ControlCommand::Run(request) =
        parse_supervisorctl_args(&words("-c /etc/s.conf -u other status all")).unwrap()
    else {
        panic!("not a run");
    };
    assert_eq!(request.command, ["status", "all"]);
    assert!(!request.interactive);
    let section = load_supervisorctl(&world, "", &request).unwrap();
    assert_eq!(section.serverurl, "unix:///place/s.sock");
    assert_eq!(section.prompt, "p");
    assert_eq!(section.username.as_deref(), Some("other"));
    assert_eq!(section.history_file.as_deref(), Some("/home/me/h"));
}

#[test]
fn supervisorctl_needs_no_file_but_a_section_in_it() {
    let nothing = TestWorld::new(&[]);
    let section = load_supervisorctl(
        &nothing,
        "/usr/bin/supervisorctl",
        &ControlRequest::default(),
    );
    assert_eq!(section.unwrap().serverurl, "http://localhost:9001");
    let world = TestWorld::new(&[("/etc/supervisord.conf", "[supervisord]\n")]);
    let failure = load_supervisorctl(&world, "", &ControlRequest::default()).unwrap_err();
    assert_eq!(
        failure.original_text(),
        ".ini file does not include supervisorctl section"
    );
    assert_eq!(
        parse_supervisorctl_args(&words("-s nowhere")),
        Err("invalid value for -s 'nowhere': value 'nowhere' is not a URL".to_owned())
    );
    assert_eq!(
        parse_supervisorctl_args(&words("--history-file x")),
        Err("option --history-file not recognized".to_owned())
    );
}

#[test]
fn root_without_a_user_is_told_in_the_original_s_words() {
    let mut world = TestWorld::new(&[(MAIN, "[supervisord]\n")]);
    world.user_id = 0;
    let loaded = loaded(&world);
    assert_eq!(loaded.criticals.len(), 1);
    assert!(loaded.criticals[0].starts_with("Supervisor is running as root.  Privileges were not"));
    assert!(world.variable("HOME").is_some());
}

#[test]
fn the_sample_loads_and_gives_the_original_s_values() {
    let text = crate::sample::sample_configuration();
    let config = config(&text);
    assert_eq!(
        config.server_url.as_deref(),
        Some("unix:///tmp/supervisor.sock")
    );
    assert_eq!(
        config.supervisord.logfile,
        MainLog::File("/tmp/supervisord.log".to_owned())
    );
    assert_eq!(config.supervisord.pidfile, "/tmp/supervisord.pid");
    assert_eq!(config.rpc_interfaces.len(), 1);
    assert!(config.groups.is_empty());
}

/// With every comment sign removed the sample is still a configuration, so its explanations are right.
#[test]
fn every_option_of_the_sample_can_be_used() {
    let text: String = crate::sample::sample_configuration()
        .lines()
        .map(|line| {
            line.strip_prefix(';')
                .filter(|rest| !rest.starts_with(' '))
                .unwrap_or(line)
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let text = text
        .replace("user=chrism", "user=me")
        .replace("user=supervisord", "user=me")
        .replace("nobody:nogroup", "me:me")
        .replace("/a/path", "/tmp/path")
        .replace("programs=progname1,progname2", "programs=theprogramname");
    let text: String = text
        .lines()
        .filter(|line| !line.starts_with("redirect_stderr"))
        .map(|line| format!("{line}\n"))
        .collect();
    let config = config(&text);
    assert_eq!(config.groups.len(), 2);
}

proptest::proptest! {
    /// Whatever a file holds: an answer, and no panic; and every problem that has a place lies in the file.
    #[test]
    fn any_text_gets_an_answer(
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "[supervisord]\n", "[program:a]\n", "[eventlistener:b]\n", "[fcgi-program:c]\n", "[group:g]\n",
            "[include]\n", "[DEFAULT]\n", "[unix_http_server]\n", "[rpcinterface:x]\n", "[x", "]", "command=",
            "environment=", "files=*\n", "socket=", "events=", "programs=", "numprocs=", "process_name=",
            "stdout_logfile=", "priority=", "user=", "file=", "\n", " ", "\t", "%(", "%", "here)s", "process_num)d",
            "a", "b,", "=", ":", ";", " ;", " #", "\"", "'", "\\", "1", "-", "9999999999", "\u{e9}", "\u{feff}",
            "\r\n", "\0", "[linchpin]\n", "extensions=off\n", "exit_code_from=", "depends_on=", " ready", ":*",
            "readiness=", "liveness=", "\n  ", "http://", "https://[", "tcp://", "exec:@/etc/s.conf", "log:", " body=",
            " status=", "fd:", "restart_delay=", "restart_prevent=", "pre_start=", "marker=", "oneshot=true\n",
        ]), 0..60)
    ) {
        let text: String = pieces.concat();
        let world = TestWorld::new(&[(MAIN, &text), ("/etc/other", &text)]);
        let report = crate::check::check(&world, &request());
        let lines = crate::source::SourceFile::new("", text.as_str()).lines().len();
        for diagnostic in report.problems.iter().chain(&report.warnings) {
            if let Some(place) = &diagnostic.place {
                proptest::prop_assert!((1..=lines.max(1)).contains(&place.line));
            }
            let rendered = crate::render::render(diagnostic);
            proptest::prop_assert!(!rendered.contains('\0'));
        }
        proptest::prop_assert_eq!(report.config.is_none(), !report.problems.is_empty());
    }
}
