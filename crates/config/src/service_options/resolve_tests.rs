//! Names in `depends_on` and `exit_code_from`, and circles, in whole files.

use super::tests::{config, load_text, problems};

/// What a program waits for.
fn dependencies(text: &str, group: &str, process: &str) -> Vec<String> {
    let config = config(text);
    let group = config
        .groups
        .iter()
        .find(|each| each.name == group)
        .unwrap();
    let process = group
        .processes
        .iter()
        .find(|each| each.name == process)
        .unwrap();
    let service = process.service.as_deref();
    service
        .map_or(&[][..], |service| &service.dependencies)
        .iter()
        .map(|each| {
            let process = each.process.as_deref().unwrap_or("*");
            format!("{}:{process} {:?}", each.group, each.condition)
        })
        .collect()
}

/// What only `check` tells.
fn remarks(text: &str) -> Vec<String> {
    match load_text(text) {
        Ok(loaded) => loaded
            .remarks
            .into_iter()
            .map(|each| each.message)
            .collect(),
        Err(failure) => panic!("{text}\n{:#?}", failure.problems),
    }
}

/// Programs, one of them with this list.
fn stack(depends_on: &str) -> String {
    format!(
        "\
[program:web]
command=/bin/cat
depends_on={depends_on}
[program:redis]
command=/bin/cat
[program:worker]
command=/bin/cat
numprocs=2
process_name=w%(process_num)d
[group:dbs]
programs=redis,worker
[program:jobs]
command=/bin/cat
numprocs=2
process_name=j%(process_num)d
"
    )
}

#[test]
fn names_are_found_among_all_groups() {
    for (written, expected) in [
        ("jobs started", vec!["jobs:* Started"]),
        ("jobs:*", vec!["jobs:* Order"]),
        ("jobs:j1 ready", vec!["jobs:j1 Ready"]),
        ("j1 ready", vec!["jobs:j1 Ready"]),
        ("redis completed", vec!["dbs:redis Completed"]),
        ("dbs", vec!["dbs:* Order"]),
        ("worker", vec!["dbs:w0 Order", "dbs:w1 Order"]),
        ("dbs:worker", vec!["dbs:w0 Order", "dbs:w1 Order"]),
        ("jobs:jobs", vec!["jobs:j0 Order", "jobs:j1 Order"]),
        (
            "redis, redis, w0, worker",
            vec!["dbs:redis Order", "dbs:w0 Order", "dbs:w1 Order"],
        ),
        (
            "redis ready, redis started",
            vec!["dbs:redis Ready", "dbs:redis Started"],
        ),
    ] {
        assert_eq!(
            dependencies(&stack(written), "web", "web"),
            expected,
            "{written}"
        );
        assert_eq!(remarks(&stack(written)), [] as [&str; 0], "{written}");
    }
}

#[test]
fn unknown_names_stop_a_file_only_with_a_condition() {
    for (name, what) in [
        ("rediss", "there is no group or process `rediss`"),
        ("dbs:rediss", "there is no `rediss` in the group `dbs`"),
        ("dbss:redis", "there is no group `dbss`"),
        ("redis:ready", "there is no group `redis`"),
    ] {
        let said = remarks(&stack(name));
        assert!(
            said.len() == 1 && said[0].contains(what),
            "{name}: {said:?}"
        );
        assert_eq!(dependencies(&stack(name), "web", "web"), [] as [&str; 0]);
        let told = problems(&stack(&format!("{name} ready")));
        assert!(
            told.len() == 1 && told[0].contains(what),
            "{name}: {told:?}"
        );
    }
    insta::assert_snapshot!(problems(&stack("redis started, rediss ready"))[0], @r"
    error: [program:web] depends_on: there is no group or process `rediss`
      --> /etc/s.conf:4:27
      |
    4 | depends_on=redis started, rediss ready
      |                           ^^^^^^
      = help: did you mean `redis`?
    ");
}

#[test]
fn a_name_in_several_groups_needs_its_group() {
    let text = |condition: &str| {
        format!(
            "[program:web]\ncommand=/bin/cat\ndepends_on=x{condition}\n[program:x]\ncommand=/bin/cat\n\
             [group:a]\nprograms=x\n[group:b]\nprograms=x\n"
        )
    };
    let told = problems(&text(" ready"));
    assert!(told[0].contains("several groups have a process `x`"));
    assert!(told[0].contains("write `a:x` or `b:x`"), "{told:?}");
    assert_eq!(remarks(&text("")).len(), 1);
}

#[test]
fn circles_are_drawn() {
    let text = "\
[program:web]
command=/bin/cat
depends_on=api ready
[program:api]
command=/bin/cat
depends_on=dbs started
[program:redis]
command=/bin/cat
depends_on=
    other,
    web started
[program:other]
command=/bin/cat
[group:dbs]
programs=redis
[program:self]
command=/bin/cat
numprocs=3
process_name=s%(process_num)d
depends_on=self ready
";
    insta::assert_snapshot!(problems(text).join("\n"), @r"
    error: [program:web] depends_on: this waits for itself: web → api → dbs:redis → web
      --> /etc/s.conf:4:12
      |
    4 | depends_on=api ready
      |            ^^^
      = help: remove one of these: `api` in [program:web] (/etc/s.conf:4), `dbs` in [program:api] (/etc/s.conf:7), `web` in [program:redis] (/etc/s.conf:12)

    error: [program:self] depends_on: this waits for itself: self:s0 → self:s0
       --> /etc/s.conf:21:12
       |
    21 | depends_on=self ready
       |            ^^^^
       = help: remove `self` in [program:self] (/etc/s.conf:21)
    ");
}

#[test]
fn a_bare_name_gives_way_in_a_circle() {
    let text = |condition: &str| {
        format!(
            "[program:a]\ncommand=/bin/cat\ndepends_on=b{condition}\n\
             [program:b]\ncommand=/bin/cat\ndepends_on=c\n\
             [program:c]\ncommand=/bin/cat\ndepends_on=a{condition}\n"
        )
    };
    let said = remarks(&text(" ready"));
    assert_eq!(
        said,
        [
            "[program:b] depends_on: this would wait for itself (a → b → c → a), so `c` is passed over"
        ]
    );
    assert_eq!(dependencies(&text(" ready"), "b", "b"), [] as [&str; 0]);
    assert_eq!(dependencies(&text(" ready"), "c", "c"), ["a:* Ready"]);
    // The last one closes the circle where all are bare.
    assert_eq!(dependencies(&text(""), "b", "b"), ["c:* Order"]);
    assert_eq!(dependencies(&text(""), "c", "c"), [] as [&str; 0]);
}

#[test]
fn the_exit_code_comes_from_one_process() {
    let with = |name: &str| format!("[linchpin]\nexit_code_from={name}\n{}", stack("redis"));
    let found = config(&with("redis")).linchpin.unwrap().exit_code_from;
    assert_eq!(found.as_deref(), Some("dbs:redis"));
    assert!(problems(&with("jobs"))[0].contains("`jobs` are several processes"));
    assert!(problems(&with("nobody"))[0].contains("[linchpin] exit_code_from: there is no group"));
}
