//! Declarations of settings in whole files, and what their values may be.

use super::*;
use crate::load::{LoadRequest, load};
use crate::model::Config;
use crate::render::render;
use crate::testing::TestWorld;

fn world(text: &str) -> TestWorld {
    TestWorld::new(&[("/etc/s.conf", text)]).with_variable("DOMAIN", "example.org")
}

fn request() -> LoadRequest {
    LoadRequest {
        file: Some("/etc/s.conf".to_owned()),
        ..LoadRequest::default()
    }
}

fn config(text: &str) -> Config {
    let text = format!("[supervisord]\n[linchpin]\nsettings_file=/data/s.env\n{text}");
    match load(&world(&text), &request()) {
        Ok(loaded) => loaded.config,
        Err(failure) => panic!("{text}\n{:#?}", failure.problems),
    }
}

fn problems(text: &str) -> Vec<String> {
    match load(&world(&format!("[supervisord]\n{text}")), &request()) {
        Ok(_) => panic!("it was loaded: {text}"),
        Err(failure) => failure.problems.iter().map(render).collect(),
    }
}

fn setting(lines: &str) -> SettingConfig {
    let config = config(&format!("[setting:X]\n{lines}"));
    config.settings.declared.into_iter().next().unwrap()
}

#[test]
fn everything_can_be_written() {
    let found = setting(
        "type=url\nsecret=yes\ndefault=redis://%(ENV_DOMAIN)s\nrequired=true\ngroup=Data\nlabel=Cache\nhelp=Where\n  it is.\nschemes=Redis, rediss://\npattern=.*\nvalidate=/bin/check it\nvalidate_timeout=2s\nformer_names=OLD_X\ntogether=data\nservices=web,\n  worker\n",
    );
    assert_eq!(
        found,
        SettingConfig {
            name: "X".to_owned(),
            value_type: SettingType::Url {
                schemes: vec!["redis".to_owned(), "rediss".to_owned()]
            },
            is_secret: true,
            default: Some("redis://example.org".to_owned()),
            is_required: true,
            group: "Data".to_owned(),
            label: "Cache".to_owned(),
            help: "Where it is.".to_owned(),
            pattern: Some(".*".to_owned()),
            validation: Some(Validation {
                command: "/bin/check it".to_owned(),
                timeout: std::time::Duration::from_secs(2),
            }),
            former_names: vec!["OLD_X".to_owned()],
            together: Some("data".to_owned()),
            services: vec!["web".to_owned(), "worker".to_owned()],
            generate: None,
        }
    );
    let secret = setting("type=secret\ngenerate=true\ngenerate_length=13\n");
    let generate = secret.generate.unwrap();
    assert!(secret.is_secret && generate.bits() == 76, "{generate:?}");
    assert_eq!(generate.length, 13);
    let found = setting("type=secret\ngenerate=true\ngenerate_encoding=base64\n");
    assert_eq!(found.generate.unwrap().encoding, Encoding::Base64);
}

#[test]
fn nothing_written_is_a_string_that_may_be_missing() {
    let found = setting("");
    assert_eq!(found.value_type, SettingType::String);
    assert_eq!(found.label, "X");
    assert!(!found.is_secret && !found.is_required && found.default.is_none());
    assert_eq!(setting("default=\n").default.as_deref(), Some(""));
}

#[test]
fn settings_do_not_count_when_extensions_are_off() {
    let found = config("extensions=off\n[setting:PATH]\ntype=nonsense\n");
    assert_eq!(found.settings, SettingsConfig::default());
}

#[test]
fn mistakes_have_places_and_remedies() {
    for (text, expected) in [
        ("[setting:1X]\n", "`1X` cannot be a setting"),
        ("[setting:LD_PRELOAD]\n", "decides which code runs"),
        ("[setting:X]\ntype=strin\n", "did you mean `string`?"),
        ("[setting:X]\ntype=enum\n", "an `enum` needs choices"),
        (
            "[setting:X]\ntype=integer\nmin=3\nmax=2\n",
            "at least `min` and at most `max`",
        ),
        ("[setting:X]\npattern=(\n", "no regular expression"),
        ("[setting:X]\npattern=a)(b\n", "no regular expression"),
        (
            "[setting:X]\ntype=port\ndefault=0\n",
            "the default is no port from 1 to 65535",
        ),
        ("[setting:X]\nvalidate='\n", "cannot be split into words"),
        (
            "[setting:X]\nformer_names=PATH\n",
            "`PATH` cannot be a setting",
        ),
        (
            "[setting:X]\n[setting:Y]\nformer_names=X\n",
            "a name of two settings, X and Y",
        ),
        ("[setting:X]\ngenerate=true\n", "there is no settings file"),
        (
            "[linchpin]\nsettings_file=/x\n[setting:X]\ntype=port\ngenerate=true\n",
            "only a `string` or a `secret` can be generated",
        ),
        (
            "[linchpin]\nsettings_file=/x\n[setting:X]\ngenerate=true\ngenerate_alphabet=a\n",
            "at least two characters",
        ),
    ] {
        let found = problems(text);
        assert_eq!(found.len(), 1, "{text}\n{found:#?}");
        assert!(found[0].contains(expected), "{text}\n{}", found[0]);
        assert!(found[0].contains("setting:"), "{}", found[0]);
    }
}

#[test]
fn values_fit_their_types() {
    for (lines, good, bad) in [
        (
            "",
            vec!["", "any thing $ü'\""],
            vec!["a\tb", "a\nb", "\u{7f}"],
        ),
        ("type=bool", vec!["", "true", "No", "1"], vec!["2", "ja"]),
        (
            "type=integer\nmin=-5\nmax=50",
            vec!["-5", "0", "50"],
            vec!["-6", "51", "1.0", "+1", " 1", "99999999999999999999"],
        ),
        (
            "type=port",
            vec!["1", "65535"],
            vec!["0", "65536", "+80", "x"],
        ),
        (
            "type=url\nschemes=redis",
            vec!["redis://localhost", "REDIS://x/1"],
            vec!["http://localhost", "localhost:6379"],
        ),
        (
            "type=email",
            vec!["a@example.org", "a.b+c@localhost", "ü@bücher.de"],
            vec!["a", "@x", "a@", "a@b..c", "a b@c", "a@b,c@d", "<a@b>"],
        ),
        ("type=duration", vec!["5s", "1.5h"], vec!["soon", "-1"]),
        ("type=enum\nchoices=a,b c", vec!["a", "b c"], vec!["A", "b"]),
        ("type=path", vec!["/x"], vec!["x", "~/x"]),
        ("pattern=[a-z]+|1", vec!["", "abc", "1"], vec!["a1", "11"]),
    ] {
        let setting = setting(&format!("{lines}\n"));
        for value in good {
            assert_eq!(setting.check_value(value), Ok(()), "{lines} {value}");
        }
        for value in bad {
            let said = setting.check_value(value).unwrap_err();
            assert!(
                value.len() < 3 || !said.contains(value),
                "a value is never told: {said}"
            );
        }
    }
    assert!(setting("").check_value(&"x".repeat(200_000)).is_err());
}

#[test]
fn declarations_can_be_read_before_the_rest() {
    let text = "[supervisord]\n[linchpin]\nsettings_file=/data/s.env\n[setting:X]\n[program:a]\ncommand=%(ENV_X)s\n[include]\nfiles=/etc/%(ENV_X)s.conf more.conf\n";
    let loaded = load_settings(&world(text), &request()).unwrap();
    assert_eq!(loaded.settings.declared.len(), 1);
    assert_eq!(loaded.settings.file.as_deref(), Some("/data/s.env"));
    assert!(!loaded.is_switched_off);
    let failure = load_settings(&world("[setting:X]\ntype=x\n"), &request()).unwrap_err();
    assert_eq!(failure.problems.len(), 1);
    let failure = load_settings(&world("nonsense\n"), &request()).unwrap_err();
    assert!(!failure.problems.is_empty());
}
