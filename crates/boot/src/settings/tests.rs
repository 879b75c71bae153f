//! Layers, secrets of the first boot, and changes, over declarations as the configuration reads them.

use std::fs;
use std::time::Duration;

use linchpin_config::{LoadRequest, Machine, SettingsConfig, load_settings};

use super::env_file::EnvFile;
use super::*;

/// A child of another test holds a lock for a moment, between its fork and its exec.
const PATIENCE: Duration = Duration::from_secs(20);

struct Product {
    folder: tempfile::TempDir,
    config: SettingsConfig,
}

/// A product with declarations in the language of the configuration.
fn product(declarations: &str) -> Product {
    let folder = tempfile::tempdir().unwrap();
    let conf = folder.path().join("s.conf");
    let text = format!("[linchpin]\nsettings_file=%(here)s/s.env\n{declarations}");
    fs::write(&conf, text).unwrap();
    let request = LoadRequest {
        file: Some(conf.to_str().unwrap().to_owned()),
        ..LoadRequest::default()
    };
    let machine = Machine {
        current_directory: "/".to_owned(),
        ..Machine::default()
    };
    let config = load_settings(&machine, &request).unwrap().settings;
    Product { folder, config }
}

impl Product {
    fn write(&self, text: &str) {
        fs::write(self.folder.path().join("s.env"), text).unwrap();
    }

    fn text(&self) -> String {
        fs::read_to_string(self.folder.path().join("s.env")).unwrap_or_default()
    }

    fn file(&self) -> EnvFile {
        EnvFile::parse(self.text().as_bytes()).unwrap()
    }

    /// What services find, and the notices.
    fn values(&self, file: &str, outside: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let file = EnvFile::parse(file.as_bytes()).unwrap();
        let resolved = resolve(&self.config, Some(&file), &owned(outside));
        let values = resolved
            .variables()
            .map(|(name, value)| match value {
                Some(value) => format!("{name}={value}"),
                None => name.to_owned(),
            })
            .collect();
        (values, resolved.notices)
    }

    fn generate(&self, outside: &[(&str, &str)]) -> Result<Generated, StoreError> {
        generate_missing(&self.config, &owned(outside), PATIENCE)
    }

    fn change(&self, edits: &[Edit]) -> Result<Changed, ChangeError> {
        change(&self.config, &[], edits, PATIENCE)
    }
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn set(name: &str, value: &str) -> Edit {
    Edit::Set(name.to_owned(), value.to_owned())
}

#[test]
fn the_environment_beats_the_file_which_beats_the_default() {
    let product = product("[setting:A]\ndefault=d\n[setting:B]\n");
    for (file, outside, expected) in [
        ("", vec![], ["A=d", "B"]),
        ("A=f\nB=f", vec![], ["A=f", "B=f"]),
        ("A=\nB=", vec![], ["A=", "B="]),
        ("A=f\nB=f", vec![("A", "e"), ("B", "")], ["A=e", "B="]),
        ("", vec![("A", ""), ("C", "x")], ["A=", "B"]),
    ] {
        assert_eq!(product.values(file, &outside).0, expected, "{file}");
    }
}

#[test]
fn the_environment_may_give_what_no_line_of_a_file_can_hold() {
    let product = product("[setting:KEY]\ntype=secret\n[setting:B]\n");
    let key = "-----BEGIN KEY-----\nMII'\"$(x)\r\n\t-----END KEY-----\n";
    let (values, problems) = product.values("KEY=old\nB=f", &[("KEY", key)]);
    assert_eq!(values, [format!("KEY={key}").as_str(), "B=f"]);
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn former_names_count_in_each_layer() {
    let product = product("[setting:A]\nformer_names=OLD,OLDER\ndefault=d\n");
    for (file, outside, expected, notices) in [
        ("OLD=f", vec![], "A=f", 1),
        ("OLDER=g\nOLD=f", vec![], "A=f", 1),
        ("OLD=f\nA=n", vec![], "A=n", 1),
        ("A=n", vec![("OLDER", "e")], "A=e", 1),
        ("A=n", vec![("OLD", "")], "A=", 1),
        ("A=n", vec![("A", "e")], "A=e", 0),
        ("A=n\nTYPO=1\nTYPO=2", vec![], "A=n", 1),
    ] {
        let (values, said) = product.values(file, &outside);
        assert_eq!(values, [expected], "{file} {outside:?}");
        assert_eq!(said.len(), notices, "{said:?}");
    }
}

#[test]
fn a_set_with_an_empty_member_is_dropped_as_a_whole() {
    let product = product(
        "[setting:ID]\ntogether=oauth\n[setting:KEY]\ntogether=oauth\ntype=secret\n[setting:MAIL]\ntogether=mail\ndefault=\n[setting:X]\n",
    );
    for (file, outside, expected) in [
        ("ID=1\nKEY=2", vec![], ["ID=1", "KEY=2", "MAIL", "X"]),
        ("ID=1\nKEY=", vec![], ["ID", "KEY", "MAIL", "X"]),
        (
            "ID=1\nX=",
            vec![("MAIL", "1")],
            ["ID", "KEY", "MAIL=1", "X="],
        ),
        ("ID=1\nKEY=2", vec![("ID", "")], ["ID", "KEY", "MAIL", "X"]),
    ] {
        assert_eq!(product.values(file, &outside).0, expected, "{file}");
    }
}

#[test]
fn everything_is_judged_at_once_without_a_value() {
    let product = product(
        "[setting:PORT]\ntype=port\n[setting:URL]\ntype=url\nrequired=true\n[setting:KEY]\ntype=secret\npattern=[a-z]*\nrequired=true\n[setting:OK]\n",
    );
    let file = EnvFile::parse(b"# x\nPORT=geheim1\nKEY=geheim2\n").unwrap();
    let resolved = resolve(&product.config, Some(&file), &owned(&[("URL", "")]));
    let said: Vec<String> = judge(&resolved).iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "PORT (settings file, line 2) is no port from 1 to 65535",
            "URL (environment) is required, and the environment sets it to nothing: give it a value there, or remove it there",
            "KEY (settings file, line 3) does not match the pattern `[a-z]*`",
        ]
    );
    assert!(!format!("{resolved:?}").contains("geheim"));
}

#[test]
fn secrets_are_made_once_and_never_changed() {
    let product = product(
        "[setting:A]\ntype=secret\ngenerate=true\nlabel=Key of A\n[setting:B]\ngenerate=true\ngenerate_encoding=hex\ngenerate_length=4\n",
    );
    let made = product.generate(&[]).unwrap();
    assert_eq!(made.names, ["A", "B"]);
    assert!(made.is_new_file);
    let first = product.text();
    assert_eq!(product.file().get("A").unwrap().len(), 32);
    assert_eq!(product.file().get("B").unwrap().len(), 8);
    assert!(first.contains("# Key of A (generated)\nA="), "{first}");
    assert_eq!(product.generate(&[]).unwrap(), Generated::default());
    assert_eq!(product.text(), first);
}

#[test]
fn what_is_supplied_is_not_made_and_what_is_empty_is_filled() {
    let product = product(
        "[setting:A]\nformer_names=OLD_A\ngenerate=true\n[setting:B]\ngenerate=true\n[setting:C]\ngenerate=true\n",
    );
    assert_eq!(
        product
            .generate(&[("OLD_A", "x"), ("B", ""), ("C", "y")])
            .unwrap(),
        Generated::default(),
        "the environment supplies all, one of them as nothing"
    );
    assert_eq!(product.text(), "", "so there is no file");
    product.write("# mine\nC=\nOLD_A=mine # kept\n");
    let made = product.generate(&[("B", "outside")]).unwrap();
    assert_eq!(made.names, ["C"]);
    assert!(!made.is_new_file);
    let file = product.file();
    assert_eq!(file.get("OLD_A"), Some("mine"));
    assert_eq!(file.get("B"), None);
    assert_eq!(file.assignment("C").unwrap().line, 2, "{}", product.text());
}

#[test]
fn a_broken_file_is_not_touched() {
    let product = product("[setting:A]\ngenerate=true\n");
    product.write("A=$(x)\n");
    assert!(matches!(
        product.generate(&[]).unwrap_err(),
        StoreError::Invalid(..)
    ));
    assert!(matches!(
        product.change(&[set("A", "b")]).unwrap_err(),
        ChangeError::Store(StoreError::Invalid(..))
    ));
    assert_eq!(product.text(), "A=$(x)\n");
}

#[test]
fn where_nothing_can_be_written_nothing_is_made() {
    let mut product = product("[setting:A]\ngenerate=true\n[setting:B]\n");
    // Not even root makes files there.
    product.config.file = Some("/sys/s.env".to_owned());
    let made = product.generate(&[]).unwrap();
    assert_eq!(made.names, [] as [&str; 0]);
    assert_eq!(made.warnings.len(), 1, "{made:?}");
    assert!(made.warnings[0].starts_with("A cannot be generated"));
    assert_eq!(
        product.generate(&[("A", "x")]).unwrap(),
        Generated::default(),
        "nothing is missing, so nothing is said"
    );
    let error = product.change(&[set("B", "x")]).unwrap_err();
    assert!(matches!(error, ChangeError::Store(StoreError::Write(..))));
}

#[test]
fn changes_are_judged_before_anything_is_written() {
    let product = product(
        "[setting:PORT]\ntype=port\nservices=web,db\n[setting:URL]\ntype=url\nrequired=true\nservices=web\nformer_names=OLD_URL\n[setting:NAME]\n",
    );
    product.write("# head\nOLD_URL=http://x # why\nPORT=1\n");
    let before = product.text();
    for (edit, expected) in [
        (set("PORT", "geheim"), "PORT is no port"),
        (
            Edit::Unset("URL".to_owned()),
            "URL is required and has no value",
        ),
        (set("NAME", "a\nb"), "NAME cannot have this value"),
        (
            set("PROT", "1"),
            "there is no setting PROT; did you mean PORT?",
        ),
    ] {
        let said = product.change(&[edit]).unwrap_err().to_string();
        assert!(said.starts_with(expected), "{said}");
        assert!(!said.contains("geheim"));
        assert_eq!(product.text(), before);
    }
    let changed = product
        .change(&[set("PORT", "2"), set("URL", "http://x"), set("NAME", "a b")])
        .unwrap();
    assert_eq!(
        changed.names,
        ["PORT", "NAME"],
        "URL has the value that it had"
    );
    assert_eq!(changed.services, ["db", "web"]);
    assert_eq!(product.text(), "# head\nPORT=2\nURL=http://x\nNAME='a b'\n");
}

#[test]
fn one_mistake_can_be_mended_while_there_is_another() {
    let product = product("[setting:A]\ntype=port\n[setting:B]\ntype=port\n");
    product.write("A=x\nB=y\n");
    product.change(&[set("A", "1")]).unwrap();
    assert_eq!(product.text(), "A=1\nB=y\n");
    product.change(&[set("B", "z")]).unwrap_err();
}

#[test]
fn a_command_judges_new_values_and_its_words_are_told_without_them() {
    let product = product(
        "[setting:A]\nvalidate=sh -c 'read x; test \"$x\" = \"$A\" || exit 9; test \"$A\" = good || { echo \"no $x with $S\" >&2; exit 1; }'\n[setting:S]\ntype=secret\n[setting:SLOW]\nvalidate=sleep 60\nvalidate_timeout=100ms\n[setting:GONE]\nvalidate=/does/not/exist\n",
    );
    product.write("S=geheim\n");
    product.change(&[set("A", "good")]).unwrap();
    let said = product.change(&[set("A", "bad")]).unwrap_err().to_string();
    assert!(said.ends_with(": no ******** with ********"), "{said}");
    let said = product.change(&[set("SLOW", "x")]).unwrap_err().to_string();
    assert!(said.contains("took longer than 0.1 s"), "{said}");
    let said = product.change(&[set("GONE", "x")]).unwrap_err().to_string();
    assert!(
        said.contains("cannot be judged: `/does/not/exist` cannot be run"),
        "{said}"
    );
    assert_eq!(product.text(), "S=geheim\nA=good\n");
}

#[test]
fn a_previous_version_comes_back_byte_for_byte() {
    let product = product("[setting:A]\ntype=port\n");
    product.write("# one\nA=1 # x\n");
    product.change(&[set("A", "2")]).unwrap();
    let store = Store::new(product.config.file.as_ref().unwrap(), 5);
    let versions = store.versions().unwrap();
    assert_eq!(versions.len(), 1);
    let version = store.read_version(&versions[0]).unwrap();
    let changed = restore(&product.config, &[], &version, PATIENCE).unwrap();
    assert_eq!(changed.names, ["A"]);
    assert_eq!(product.text(), "# one\nA=1 # x\n");
    assert_eq!(store.versions().unwrap().len(), 2);
}

#[test]
fn secrets_are_not_shown() {
    let product = product("[setting:S]\ntype=secret\n[setting:U]\ntype=url\n[setting:A]\n");
    let show = |name: &str, value: &str| shown(product.config.named(name).unwrap(), value);
    assert_eq!(show("S", "geheim"), "********");
    assert_eq!(show("S", ""), "");
    assert_eq!(show("A", "x"), "x");
    for (url, expected) in [
        ("redis://h:1/0", "redis://h:1/0"),
        ("redis://:geheim@h", "redis://:********@h"),
        (
            "mongodb://me:geheim@a:1,b/x?y=1&password=geheim",
            "mongodb://me:********@a:1,b/x?y=1&password=********",
        ),
        ("https://geheim@sentry.io/1", "https://********@sentry.io/1"),
        ("geheim", "********"),
    ] {
        assert_eq!(show("U", url), expected);
    }
}
