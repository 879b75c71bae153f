//! The sections in whole files: what they mean, and where mistakes are pointed at.

use super::load_boot;
use crate::boot::{BootConfig, HostName, OnChange, OnFailure, ProvidedCertificate, SystemBundle};
use crate::load::{LeftOut, LoadRequest, load};
use crate::render::render;
use crate::testing::TestWorld;

const DIRECTORIES: &str = "[linchpin]\nstate_directory=/data/state\nrun_directory=/run/l\n";

fn request() -> LoadRequest {
    LoadRequest {
        file: Some("/etc/s.conf".to_owned()),
        ..LoadRequest::default()
    }
}

fn world(text: &str) -> TestWorld {
    let whole = format!("[supervisord]\nenvironment=PLACE=\"elsewhere\"\n{text}");
    TestWorld::new(&[("/etc/s.conf", &whole)]).with_variable("DOMAIN", "example.org")
}

/// What both phases read, which must be the same.
fn boot(text: &str) -> BootConfig {
    let world = world(text);
    let first = load_boot(&world, &request())
        .expect("the first phase reads it")
        .boot;
    let second = load(&world, &request()).expect("it is loaded").config.boot;
    assert_eq!(first, second);
    first
}

fn problems(text: &str) -> Vec<String> {
    let world = world(text);
    let failure = load_boot(&world, &request()).expect_err("it cannot be used");
    let whole = load(&world, &request()).expect_err("it cannot be loaded");
    assert_eq!(failure.problems, whole.problems);
    failure.problems.iter().map(render).collect()
}

#[test]
fn nothing_is_made_where_nothing_is_asked_for() {
    assert_eq!(boot(""), BootConfig::default());
    let off = format!("{DIRECTORIES}extensions=off\n[ca-roots]\n[certificate:a]\nkey=/x\n");
    assert_eq!(boot(&off), BootConfig::default());
}

#[test]
fn roots_have_a_folder_and_defaults() {
    let roots = boot(&format!(
        "{DIRECTORIES}[ca-roots]\ndirectory=/data/%(ENV_PLACE)s\n"
    ));
    let roots = roots.ca_roots.unwrap();
    assert_eq!(roots.directory, "/data/elsewhere");
    assert_eq!(roots.output, "/run/l/ca-roots");
    assert_eq!(roots.system_bundle, SystemBundle::Search);
    assert!(roots.java_trust_store);
    assert_eq!(roots.variables, crate::boot::TRUST_VARIABLES);
    let roots = boot(
        "[linchpin]\nstate_directory=/data/state\n[ca-roots]\ndirectory=/c\nsystem_bundle=none\n\
         java_trust_store=no\nvariables=NODE_EXTRA_CA_CERTS, SSL_CERT_FILE\n",
    );
    let roots = roots.ca_roots.unwrap();
    assert_eq!(roots.output, "/data/state/ca-roots");
    assert_eq!(roots.system_bundle, SystemBundle::None);
    assert!(!roots.java_trust_store);
    assert_eq!(roots.variables, ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"]);
}

#[test]
fn certificates_have_names_files_and_directories() {
    let boot = boot(&format!(
        "{DIRECTORIES}[certificate:web]\ncertificate=/ssl/full.pem\nkey=/ssl/key.pem\n\
         names=%(ENV_DOMAIN)s,::1\nowner=me\n[certificate:inner]\nself_signed=true\nnames=\n"
    ));
    let [inner, web] = boot.certificates.as_slice() else {
        panic!("two certificates")
    };
    assert_eq!(inner.name, "inner");
    assert!(inner.self_signed && inner.provided.is_none() && inner.names.is_empty());
    assert_eq!(inner.warn_days, 30);
    assert_eq!(
        web.provided,
        Some(ProvidedCertificate {
            certificate: "/ssl/full.pem".to_owned(),
            key: "/ssl/key.pem".to_owned()
        })
    );
    let names = [
        HostName::Dns("example.org".to_owned()),
        HostName::Address("::1".parse().unwrap()),
    ];
    assert_eq!(web.names, names);
    assert_eq!(web.output, "/data/state/certificates/web");
    assert_eq!(web.authority, "/data/state/certificate-authority");
    assert_eq!(web.owner.map(|owner| owner.0), Some(1000));
}

#[test]
fn preflights_say_what_must_be_so() {
    let boot = boot(&format!(
        "{DIRECTORIES}[preflight:machine]\nprocessor=avx, sse4_2\npage_size=4KB,16384\n\
         free_space=\n  /data 2GB\n  /with blanks/%(ENV_PLACE)s 1MB\nwritable=/data\nowned_by=/data/db me\n\
         data_version=/data/db/PG_VERSION 15 16\ncommand=check 'it all'\ntimeout=5s\nremedy=take\n  another one\n\
         retries=3\nretry_delay=100ms\n"
    ));
    let [machine] = boot.preflights.as_slice() else {
        panic!("one section")
    };
    assert_eq!(machine.processor, ["avx", "sse4_2"]);
    assert_eq!(machine.page_sizes, [4096, 16384]);
    let space = [
        ("/data".to_owned(), 2 << 30),
        ("/with blanks/elsewhere".to_owned(), 1 << 20),
    ];
    assert_eq!(machine.free_space, space);
    assert_eq!(machine.writable, ["/data"]);
    assert_eq!(machine.owned_by[0].1.0, 1000);
    assert_eq!(machine.data_versions[0].1, ["15", "16"]);
    assert_eq!(machine.command.as_deref(), Some("check 'it all'"));
    assert_eq!(machine.timeout.as_secs(), 5);
    assert_eq!(machine.remedy.as_deref(), Some("take another one"));
    assert_eq!(machine.policy.on_failure, OnFailure::Fatal);
    assert_eq!(machine.policy.retries, 3);
    assert_eq!(machine.policy.retry_delay.as_millis(), 100);
}

#[test]
fn what_is_switched_off_is_read_and_then_left_out() {
    let text = format!(
        "{DIRECTORIES}[ca-roots]\ndirectory=/c\nenabled=false\n\
         [certificate:a]\nself_signed=on\nenabled=no\n[template:b]\nsource=/s\ntarget=/t\nenabled=yes\n\
         [preflight:c]\nprocessor=avx\nenabled=no\n"
    );
    let found = boot(&text);
    let off = found.off.iter();
    let off: Vec<String> = off
        .map(|it| format!("{} {}", it.section, it.condition))
        .collect();
    assert_eq!(
        off,
        ["preflight:c no", "ca-roots false", "certificate:a no"]
    );
    assert_eq!(found.templates.len(), 1);
    assert!(found.ca_roots.is_none() && found.certificates.is_empty());
    assert!(found.preflights.is_empty() && found.has_preflights());
}

#[test]
fn mistakes_are_told_with_their_place_and_a_remedy() {
    for (text, place, message, help) in [
        (
            "[preflight:a]\nremedy=x\n",
            "3:1",
            "[preflight:a] does not say what to look at",
            "write `processor=`",
        ),
        (
            "[preflight:a]\nfree_space=\n  /data 2GB\n  /data2\n",
            "6:3",
            "a size is missing behind the path",
            "write in each line a path, a blank and a number of bytes",
        ),
        (
            "[preflight:a]\nowned_by=/data nobody-here\n",
            "4:10",
            "there is no such user or group here: `nobody-here`",
            "write in each line a path",
        ),
        (
            "[preflight:a]\ncommand=true\nretries=1000\n",
            "5:9",
            "more than 100 attempts are not made",
            "write a whole number from 0",
        ),
        (
            "[preflight:a]\ncommand=true\nenabled=perhaps(\n",
            "5:9",
            "enabled",
            "write a condition",
        ),
        (
            "[ca-roots]\ndirectory=/c\n",
            "3:1",
            "[ca-roots] needs a directory for what it makes",
            "write `run_directory=/run/linchpin` into [linchpin]",
        ),
        (
            "[linchpin]\nrun_directory=/r\n[certificate:a]\nself_signed=true\n",
            "5:1",
            "[certificate:a] needs a directory for certificates",
            "write `state_directory=/var/lib/linchpin` into [linchpin]",
        ),
        (
            "[linchpin]\nrun_directory=/r\n[ca-roots]\n",
            "5:1",
            "[ca-roots] does not say where the certificates are",
            "write `directory=/path/of/a/folder`",
        ),
        (
            "[linchpin]\nrun_directory=/r\n[ca-roots]\ndirectory=/c\nvariables=all, SSL_CERTFILE\n",
            "7:16",
            "`SSL_CERTFILE` is no variable that can be set here",
            "did you mean `SSL_CERT_FILE`?",
        ),
        (
            "[linchpin]\nstate_directory=/r\n[certificate:a]\ncertificate=/x\n",
            "6:13",
            "[certificate:a] says where the certificate is, and not where its key is",
            "write `key=/data/ssl/privkey.pem`",
        ),
        (
            "[linchpin]\nstate_directory=/r\n[certificate:a/b]\nself_signed=on\n",
            "5:1",
            "[certificate:a/b]: this cannot be the name of a certificate",
            "use letters",
        ),
        (
            "[linchpin]\nstate_directory=/r\n[certificate:a]\nself_signed=on\nnames=a, http://example.org:80\n",
            "7:10",
            "[certificate:a] names: `http://example.org:80` is a URL, not a name",
            "write `example.org`",
        ),
        (
            "[linchpin]\nstate_directory=/r\n[certificate:a]\nself_signed=on\nnames=%(ENV_NO_SUCH)s\n",
            "7:7",
            "the variable `NO_SUCH` is not set",
            "set `NO_SUCH` in the environment",
        ),
        (
            "[linchpin]\nstate_directory=/r\n[certificate:a]\nself_signed=on\nowner=stranger\n",
            "7:7",
            "there is no such user or group here: `stranger`",
            "write `user` or `user:group`",
        ),
        (
            "[linchpin]\nrun_directory=/r\n[ca-roots]\ndirectory=/c\non_failure=skip\n",
            "7:12",
            "`skip` needs the services that are left out then",
            "add `services=` with their names, or write `warn`",
        ),
        (
            "[linchpin]\nrun_directory=/r\n[ca-roots]\ndirectory=/c\non_failure=wrn\n",
            "7:12",
            "`wrn` means nothing here",
            "did you mean `warn`?",
        ),
    ] {
        let found = problems(text);
        let [problem] = found.as_slice() else {
            panic!("one problem: {found:#?}")
        };
        for piece in [&format!("/etc/s.conf:{place}"), message, help] {
            assert!(problem.contains(piece), "{piece:?} in\n{problem}");
        }
    }
}

const SERVICES: &str = "[certificate:a]\nself_signed=on\non_failure=skip\nservices=web,jobs:b\n\
    [program:web]\ncommand=/bin/cat\n[program:a]\ncommand=/bin/cat\n[program:b]\ncommand=/bin/cat\n\
    [group:jobs]\nprograms=a,b\n";

#[test]
fn a_section_says_what_follows_from_its_failure() {
    let boot = boot(&format!(
        "{DIRECTORIES}{SERVICES}[ca-roots]\ndirectory=/c\n"
    ));
    assert_eq!(boot.ca_roots.unwrap().policy.on_failure, OnFailure::Fatal);
    let policy = &boot.certificates[0].policy;
    assert_eq!(policy.on_failure, OnFailure::Skip);
    assert_eq!(policy.services, ["web", "jobs:b"]);
}

#[test]
fn services_of_a_section_can_be_left_out_and_must_be_there() {
    let world = world(&format!("{DIRECTORIES}{SERVICES}"));
    let without = LoadRequest {
        left_out: vec![LeftOut {
            services: vec!["web".to_owned(), "jobs:b".to_owned()],
            why: "of a reason".to_owned(),
        }],
        ..request()
    };
    let config = load(&world, &without).unwrap().config;
    let names: Vec<&str> = config
        .groups
        .iter()
        .flat_map(|group| &group.processes)
        .map(|process| process.name.as_str())
        .collect();
    assert_eq!(names, ["a"]);
    let off: Vec<(&str, &str)> = config
        .switched_off
        .iter()
        .map(|off| (off.name.as_str(), off.condition.as_str()))
        .collect();
    assert_eq!(off, [("b", "of a reason"), ("web", "of a reason")]);
    let text = "[certificate:a]\nself_signed=on\nservices=wep\n[program:web]\ncommand=/bin/cat\n";
    let failure = load(&self::world(&format!("{DIRECTORIES}{text}")), &request()).unwrap_err();
    let problem = render(&failure.problems[0]);
    for piece in [
        ":8:10",
        "[certificate:a] services: there is no group or process `wep`",
        "did you mean `web`?",
    ] {
        assert!(problem.contains(piece), "{piece:?} in\n{problem}");
    }
}

#[test]
fn the_first_phase_does_not_mind_mistakes_elsewhere() {
    let text = format!(
        "{DIRECTORIES}[ca-roots]\ndirectory=/c\n[program:a]\ncommand=%(ENV_MADE_LATER)s\nnumprocs=x\n"
    );
    let loaded = load_boot(&world(&text), &request()).unwrap();
    assert_eq!(loaded.boot.ca_roots.unwrap().directory, "/c");
    assert!(load(&world(&text), &request()).is_err());
}

#[test]
fn templates_have_a_source_a_target_and_defaults() {
    let boot = boot(&format!(
        "{DIRECTORIES}[template:web]\nsource=/t/Caddyfile\ntarget=/run/%(ENV_PLACE)s/Caddyfile\nmode=0640\nowner=me\n\
         validate=caddy validate --config {{file}}\nvalidate_timeout=5s\nservices=web,api\non_change=restart\non_failure=skip\n\
         [template:programs]\nsource=/t/programs\ntarget=/run/programs\npattern=*.conf  *.ini\n\
         [program:web]\ncommand=/bin/cat\n[program:api]\ncommand=/bin/cat\n"
    ));
    let [programs, web] = boot.templates.as_slice() else {
        panic!("two templates")
    };
    assert_eq!(web.target, "/run/elsewhere/Caddyfile");
    assert_eq!((web.mode, web.owner.is_some()), (0o640, true));
    assert_eq!(web.policy.services, ["web", "api"]);
    assert_eq!(web.on_change, OnChange::Restart);
    assert_eq!(web.policy.on_failure, OnFailure::Skip);
    assert_eq!(programs.policy.on_failure, OnFailure::Warn);
    assert_eq!(web.validate_timeout.as_secs(), 5);
    assert_eq!(web.kept, "/run/l/templates/web");
    assert_eq!((programs.mode, programs.owner), (0o600, None));
    assert_eq!(programs.on_change, OnChange::Reload);
    assert!(programs.validate.is_none() && programs.policy.services.is_empty());
    for (name, expected) in [
        ("a.conf", true),
        ("a.ini", true),
        ("a.conf.bak", false),
        (".a.conf", false),
    ] {
        assert_eq!(programs.pattern.matches(name), expected, "{name}");
    }
}

#[test]
fn services_may_come_and_go_with_templates() {
    let certificate = "[certificate:web]\nself_signed=true\nservices=comes\n";
    let told = problems_of_whole(&format!("{DIRECTORIES}{certificate}"));
    assert!(told.contains("no group or process `comes`"), "{told}");
    let template = "[template:x]\nsource=/a\ntarget=/b\nservices=comes\n";
    let text = format!("{DIRECTORIES}{certificate}{template}");
    assert_eq!(boot(&text).templates[0].policy.services, ["comes"]);
    let warnings = crate::check::check(&world(&text), &request()).warnings;
    let told: String = warnings.iter().map(render).collect();
    assert!(told.contains("no group or process `comes`"), "{told}");
}

fn problems_of_whole(text: &str) -> String {
    let failure = load(&world(text), &request()).expect_err("it cannot be loaded");
    failure.problems.iter().map(render).collect()
}

#[test]
fn mistakes_in_templates_are_pointed_at() {
    let told =
        |options: &str| problems(&format!("{DIRECTORIES}[template:x]\n{options}")).join("\n");
    for (options, expected) in [
        ("source=/a\n", "does not say its `target`"),
        ("source=/a\ntarget=\n", "does not say its `target`"),
        ("source=/a\ntarget=/a\n", "the template itself"),
        ("source=/a\ntarget=/b\nmode=999\n", "no mode of a file"),
        ("source=/a\ntarget=/b\nmode=4755\n", "no mode of a file"),
        ("source=/a\ntarget=/b\nowner=nobody-knows\n", "no such user"),
        (
            "source=/a\ntarget=/b\nvalidate=\"x\n",
            "cannot be split into words",
        ),
        (
            "source=/a\ntarget=/b\non_change=relaod\n",
            "did you mean `reload`?",
        ),
        (
            "source=/a\ntarget=/b\n[template:y]\nsource=/c\ntarget=/b\n",
            "[template:x] makes this already",
        ),
        (
            "source=/a\ntarget=/b\n[template:a/b]\nsource=/c\ntarget=/d\n",
            "cannot be the name of a template",
        ),
    ] {
        let told = told(options);
        assert!(told.contains(expected), "{options}: {told}");
    }
    let told = problems("[template:x]\nsource=/a\ntarget=/b\n").join("\n");
    assert!(told.contains("run_directory="), "{told}");
}
