use std::collections::BTreeMap;

use minijinja::value::Value;

use super::engine::render;
use super::scope::Names;

fn names() -> Names {
    let variables = [
        ("HOST", Some("example.org")),
        ("REDIS_URL", Some("redis://:p%40ss@10.0.0.5:6380/2?x=1")),
        ("LOCAL_URL", Some("redis://127.0.0.1")),
        ("CLUSTER", Some("mongodb://a:1,b/db")),
        ("EMPTY", Some("")),
        ("OFF", Some("off")),
        ("PORT", Some("8080")),
        ("MAIL_HOST", None),
        ("LIST", Some("a, b,,c")),
        ("PASSWORD", Some("s3cret")),
        ("NUMBER", Some("987654321")),
    ];
    let certificate = BTreeMap::from([
        ("certificate".to_owned(), Value::from("/state/full.pem")),
        ("exists".to_owned(), Value::from(true)),
    ]);
    Names {
        variables: variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
            .collect(),
        certificates: BTreeMap::from([("web".to_owned(), certificate)]),
        ca_roots: BTreeMap::from([("bundle".to_owned(), Value::from("/run/bundle.pem"))]),
        services: Some(BTreeMap::from([
            ("redis".to_owned(), false),
            ("web".to_owned(), true),
        ])),
        services_unknown: String::new(),
    }
}

fn told(source: &str) -> String {
    let problem = render(source, &names()).expect_err(source);
    let line = problem
        .line
        .map_or(String::new(), |line| format!("{line}: "));
    format!("{line}{}", problem.message)
}

#[test]
fn names_filters_and_functions_do_what_they_say() {
    for (source, expected) in [
        ("{{ HOST }}\n", "example.org\n"),
        ("{{ env.HOST }}", "example.org"),
        ("{{ env['HOST'] }}", "example.org"),
        ("{% if EMPTY %}a{% else %}b{% endif %}", "b"),
        ("{% if MAIL_HOST %}a{% else %}b{% endif %}", "b"),
        ("{{ MAIL_HOST | default('none') }}", "none"),
        ("{{ NOBODY | default('none') }}", "none"),
        ("{{ is_set(MAIL_HOST) }}", "false"),
        ("{{ is_set(NOBODY) }}", "false"),
        (
            "{{ MAIL_HOST is defined }} {{ HOST is defined }}",
            "false true",
        ),
        ("{{ on(OFF) }}", "false"),
        (
            "{{ is_local(REDIS_URL) }} {{ is_local(LOCAL_URL) }}",
            "false true",
        ),
        (
            "{% set u = url(REDIS_URL) %}{{ u.scheme }} {{ u.host }} {{ u.port }} {{ u.path }} {{ u.password }} {{ u.query }}",
            "redis 10.0.0.5 6380 /2 p@ss x=1",
        ),
        ("{{ url(LOCAL_URL).port | default(6379) }}", "6379"),
        (
            "{% for host in url(CLUSTER).hosts %}{{ host.name }}:{{ host.port | default(27017) }} {% endfor %}",
            "a:1 b:27017 ",
        ),
        ("{{ certificate.web.certificate }}", "/state/full.pem"),
        ("{{ ca_roots.bundle }}", "/run/bundle.pem"),
        (
            "{{ services | join(',') }} {{ service.redis.enabled }}",
            "web false",
        ),
        ("{% if 'redis' in services %}x{% endif %}", ""),
        ("{{ LIST | split(',') | json }}", r#"["a", "b", "c"]"#),
        (
            "{{ HOST | shell }} {{ HOST | upper | json }}",
            r#"'example.org' "EXAMPLE.ORG""#,
        ),
        ("{{ PORT | int + 1 }}", "8081"),
        ("{{ 'a' ~ HOST }}", "aexample.org"),
        ("a\n  {% if true %}\n  b\n  {% endif %}\nc\n", "a\n  b\nc\n"),
        ("{# nothing #}{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{{ 'x\ny' | indent(2) }}", "x\n  y"),
        ("{% for s in services %}{{ loop.index }}{% endfor %}", "1"),
        ("%(ENV_X)s {$CADDY} $nginx", "%(ENV_X)s {$CADDY} $nginx"),
    ] {
        assert_eq!(
            render(source, &names()).as_deref(),
            Ok(expected),
            "{source}"
        );
    }
}

#[test]
fn what_is_not_there_is_named_with_its_line() {
    for (source, expected) in [
        (
            "a\n{{ HOTS }}",
            "2: there is no `HOTS`; did you mean `HOST`?",
        ),
        (
            "{% if HOTS %}x{% endif %}",
            "1: there is no `HOTS`; did you mean `HOST`?",
        ),
        (
            "{{ ELSEWHERE }}",
            "1: there is no `ELSEWHERE`; declare [setting:ELSEWHERE], or write `ELSEWHERE | default(\"\")` for what may be missing",
        ),
        (
            "\n\n{{ certificate.wbe.key }}",
            "3: there is no `certificate.wbe`; did you mean `web`?",
        ),
        (
            "{{ certificate.web.key }}",
            "1: there is no `certificate.web.key`; there is: certificate, exists",
        ),
        (
            "{{ service.web.enabeld }}",
            "1: there is no `service.web.enabeld`; did you mean `enabled`?",
        ),
        (
            "{{ env.HOTS }}",
            "1: there is no `env.HOTS`; did you mean `HOST`?",
        ),
        (
            "{{ url(LOCAL_URL).port }}",
            "1: there is no `url(…).port`; there is: host, hosts, is_local, path, scheme",
        ),
        (
            "{{ HOST | shel }}",
            "1: there is no filter `shel`; did you mean `shell`?",
        ),
        (
            "{{ is_locl(HOST) }}",
            "1: there is no function `is_locl`; did you mean `is_local`?",
        ),
        (
            "{{ HOTS | shell }}",
            "1: there is no `HOTS`; did you mean `HOST`?",
        ),
        (
            "{{ 1 + HOTS }}",
            "1: there is no `HOTS`; did you mean `HOST`?",
        ),
        (
            "{{ HOTS ~ 'a' }}",
            "1: there is no `HOTS`; did you mean `HOST`?",
        ),
        (
            "{{ NOBODY | default(HOTS) }}",
            "1: there is no `HOTS`; did you mean `HOST`?",
        ),
    ] {
        assert_eq!(told(source), expected, "{source}");
    }
}

#[test]
fn a_setting_without_a_value_leaves_no_hole() {
    for source in [
        "{{ MAIL_HOST }}",
        "{{ MAIL_HOST | shell }}",
        "{{ MAIL_HOST | json }}",
        "{{ 'a' ~ MAIL_HOST }}",
        "{% set x = 'a' ~ MAIL_HOST %}{{ x | lower }}",
        "{{ [MAIL_HOST] | join(',') }}",
        "{{ MAIL_HOST | length }}",
        "{{ ('a' ~ MAIL_HOST) | json }}",
    ] {
        let told = told(source);
        assert!(
            told.starts_with("1: the setting MAIL_HOST has no value"),
            "{source}: {told}"
        );
    }
    assert!(told("{{ url(MAIL_HOST).host }}").contains("MAIL_HOST has no value"));
}

#[test]
fn errors_have_no_values() {
    for source in [
        "{{ PASSWORD + 1 }}",
        "{{ PASSWORD | int }}",
        "{{ PASSWORD.x }}",
        "{{ PASSWORD() }}",
        "{{ url(PASSWORD ~ ' ').host.x }}",
        "{{ PASSWORD | first | int }}",
        "{% for x in PASSWORD %}{{ x.y }}{% endfor %}",
        "{{ PASSWORD[0:2](1) }}",
        "{{ on(PASSWORD) }}",
        "{{ (NUMBER | int) ** (NUMBER | int) }}",
        "{{ (NUMBER | int) // 0 }}",
        "{{ -PASSWORD }}",
        "{{ (PASSWORD ~ ' {$') | caddy }}",
        "{{ (PASSWORD ~ ' ;') | ini }}",
        "{{ PASSWORD is nothing }}",
        "{{ ['a'][PASSWORD] }}",
        "{{ PASSWORD * PASSWORD }}",
        "{{ services | replace(PASSWORD, 1, PASSWORD) }}",
    ] {
        let told = told(source);
        assert!(
            !told.contains("s3cret") && !told.contains("987654321"),
            "{source}: {told}"
        );
    }
}

#[test]
fn lists_and_branches_are_no_texts() {
    assert!(told("{{ services }}").contains("join"));
    assert!(told("{{ certificate.web }}").contains("parts"));
    assert!(told("{{ none }}").contains("no value"));
}

#[test]
fn a_template_has_an_end_and_a_size() {
    let nested = "{% for a in 'x' * 200 %}".repeat(4) + "x" + &"{% endfor %}".repeat(4);
    assert!(told(&nested).contains("steps"), "{}", told(&nested));
    let large = "{% for a in 'x' * 3000 %}".to_owned() + &"y".repeat(2000) + "{% endfor %}";
    assert_eq!(told(&large), "the result is larger than 4 MiB");
}

#[test]
fn services_that_are_not_known_say_why() {
    let mut names = names();
    names.services = None;
    names.services_unknown = "the configuration cannot be read".to_owned();
    for source in [
        "{{ service.redis.enabled }}",
        "{% for s in services %}{% endfor %}",
    ] {
        let message = render(source, &names).unwrap_err().message;
        assert!(
            message.contains("the configuration cannot be read"),
            "{message}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn any_text_gets_an_answer(text in "[{}%#a-zA-Z()\\[\\]'\"|.,+*~ 0-9=!<>\n-]{0,100}") {
        let _ = render(&text, &names());
    }

    #[test]
    fn json_is_read_back_the_same(text in "\\PC{0,20}|[\\x01-\\u{ff}\"\\\\\u{2028}\u{feff}]{0,20}") {
        let names = Names {
            variables: BTreeMap::from([("X".to_owned(), Some(text.clone()))]),
            ..Names::default()
        };
        let written = render("{{ X | json }}", &names).unwrap();
        proptest::prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }
}

/// What `template` makes of some text.
fn written(template: &str, text: &str) -> Result<String, String> {
    let names = Names {
        variables: BTreeMap::from([("X".to_owned(), Some(text.to_owned()))]),
        ..Names::default()
    };
    render(template, &names).map_err(|problem| problem.message)
}

/// Many texts, the same ones each time.
fn many_texts(pattern: &'static str) -> Vec<String> {
    use proptest::strategy::{Strategy as _, ValueTree as _};
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    (0..300)
        .map(|_| pattern.new_tree(&mut runner).unwrap().current())
        .collect()
}

#[test]
fn a_shell_reads_the_same() {
    let texts = many_texts("[\\x01-\\x7f'\"$`\\\\é]{0,20}");
    let mut script = String::from("printf '%s\\0'");
    for text in &texts {
        script.push(' ');
        script.push_str(&written("{{ X | shell }}", text).unwrap());
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script");
    std::fs::write(&file, script).unwrap();
    let output = std::process::Command::new("sh")
        .arg(&file)
        .output()
        .unwrap();
    let read: Vec<&str> = std::str::from_utf8(&output.stdout)
        .unwrap()
        .split_terminator('\0')
        .collect();
    assert_eq!(read, texts);
}

/// The words that Caddy's reader makes of a text, by the rules of its documentation.
fn words_of_a_caddyfile(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(first) = characters.next() {
        let mut word = String::new();
        match first {
            _ if first.is_whitespace() => continue,
            '`' => word.extend(characters.by_ref().take_while(|next| *next != '`')),
            '"' => {
                while let Some(next) = characters.next() {
                    match next {
                        '"' => break,
                        '\\' => match characters.next() {
                            Some('"') => word.push('"'),
                            Some(other) => word.extend(['\\', other]),
                            None => {}
                        },
                        _ => word.push(next),
                    }
                }
            }
            _ => panic!("not quoted: {text}"),
        }
        words.push(word);
    }
    words
}

#[test]
fn a_caddyfile_reads_the_same() {
    let mut count = 0;
    for text in many_texts("[ -~\n\"\\\\`é]{0,12}") {
        if let Ok(written) = written("{{ X | caddy }}", &text) {
            assert_eq!(words_of_a_caddyfile(&written), [text.as_str()], "{written}");
            count += 1;
        }
    }
    assert!(count > 200, "{count}");
}

/// What is nested in templates, at the limit and beyond it.
fn deep(most: usize, branches: usize) -> Vec<String> {
    let tag = |begin: &str, piece: &str, words: usize| {
        format!(
            "{{{{ {begin}{} }}}}",
            piece.repeat(most.saturating_sub(1) / words)
        )
    };
    let expressions = [
        tag("HOST", ".b", 2),
        tag("1", "+X", 2),
        tag("X", "~X", 2),
        tag("HOST", " and X", 2),
        tag("HOST", "|trim", 2),
        tag("HOST", "()", 2),
        tag("HOST", "[0]", 3),
        tag("1", " if 1 else 1", 4),
        tag("1", "**X", 3),
        tag("HOST", " is defined", 2),
        format!("{{{{ {}1 }}}}", "not ".repeat(most - 1)),
        format!("{{{{ {}1 }}}}", "-".repeat(most - 1)),
        format!("{{{{ {} }}}}", "(".repeat(most)),
        format!("{{{{ {} }}}}", "[".repeat(most)),
    ];
    let elif = format!(
        "{{% if EMPTY %}}{}{{% endif %}}",
        "{%- elif EMPTY %}".repeat(branches)
    );
    let blocks = [
        "{% if 1 %}",
        "{% for x in y %}",
        "{% with %}",
        "{% set x %}",
        "{% filter trim %}",
    ];
    let nested = blocks.map(|block| block.repeat(2000));
    let both = expressions
        .iter()
        .map(|expression| "{% if 1 %}".repeat(140) + expression + &"{% endif %}".repeat(140));
    let all: Vec<String> = both.collect();
    all.into_iter()
        .chain(expressions)
        .chain([elif])
        .chain(nested)
        .collect()
}

#[test]
fn no_template_is_too_deep_for_the_stack_of_a_thread() {
    let render_in_a_thread = |source: String| {
        let thread = std::thread::Builder::new().stack_size(2 << 20);
        thread
            .spawn(move || render(&source, &names()))
            .unwrap()
            .join()
            .unwrap()
    };
    for source in deep(500, 200) {
        let _ = render_in_a_thread(source);
    }
    for source in deep(20_000, 1000) {
        let told = render_in_a_thread(source).unwrap_err().message;
        assert!(
            told.contains("there are more than") || told.contains("recursion limits"),
            "{told}"
        );
    }
}

#[test]
fn what_is_raw_or_in_a_string_is_no_expression() {
    let raw = format!(
        "{{% raw %}}{{{{ {} {{% endraw %}}{{{{ HOST }}}}",
        "a ".repeat(1000)
    );
    assert!(render(&raw, &names()).unwrap().ends_with("example.org"));
    let remark = format!("{{# it's {{{{ {} #}}{{{{ HOST }}}}", "a ".repeat(1000));
    assert_eq!(render(&remark, &names()).unwrap(), "example.org");
    assert_eq!(
        render("{{ '}}' ~ HOST }}", &names()).unwrap(),
        "}}example.org"
    );
}
