use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use linchpin_config::{
    BootConfig, NamePatterns, OnChange, OnFailure, SettingsConfig, StepPolicy, TemplateConfig,
};

use super::{FileChange, Outcome, Report, Scope, make, prepare, restore};
use crate::settings::resolve;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["in", "out"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path(name)).ok()
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn template(&self, name: &str, source: &str, target: &str) -> TemplateConfig {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        TemplateConfig {
            name: name.to_owned(),
            source: text(&self.path(source)),
            target: text(&self.path(target)),
            pattern: NamePatterns("*.conf".to_owned()),
            mode: 0o600,
            owner: None,
            validate: None,
            validate_timeout: Duration::from_secs(20),
            on_change: OnChange::Reload,
            policy: StepPolicy {
                services: vec!["web".to_owned()],
                ..StepPolicy::on_failure(OnFailure::Warn)
            },
            kept: text(&self.path(&format!("kept/{name}"))),
        }
    }
}

fn scope(variables: &[(&str, &str)]) -> Scope {
    let variables: Vec<(String, String)> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let settings = SettingsConfig::default();
    let resolved = resolve(&settings, None, &[]);
    Scope::new(
        &resolved,
        &variables,
        &BootConfig::default(),
        Err("unknown".to_owned()),
    )
}

fn outcomes(reports: &[Report]) -> Vec<&Outcome> {
    reports.iter().map(|report| &report.outcome).collect()
}

fn problem(report: &Report) -> String {
    match &report.outcome {
        Outcome::Failed(problems) => problems.join("\n"),
        Outcome::Made | Outcome::Changed | Outcome::Unchanged | Outcome::Held => {
            panic!("{report}")
        }
    }
}

#[test]
fn a_file_is_made_changed_and_left_alone() {
    let place = Place::new();
    place.put("in/a", "host {{ HOST }}\n");
    let templates = [place.template("a", "in/a", "out/deep/a")];
    let one = scope(&[("HOST", "one")]);
    let reports = make(&templates, &one, true);
    assert_eq!(outcomes(&reports), [&Outcome::Made]);
    assert_eq!(place.names("out"), Vec::<String>::new());
    let reports = make(&templates, &one, false);
    assert_eq!(outcomes(&reports), [&Outcome::Made]);
    assert_eq!(reports[0].services, ["web"]);
    assert_eq!(place.read("out/deep/a").as_deref(), Some("host one\n"));
    let metadata = fs::metadata(place.path("out/deep/a")).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o600);
    let reports = make(&templates, &one, false);
    assert_eq!(outcomes(&reports), [&Outcome::Unchanged]);
    assert!(reports[0].services.is_empty());
    assert_eq!(
        fs::metadata(place.path("out/deep/a")).unwrap().ino(),
        metadata.ino()
    );
    let reports = make(&templates, &scope(&[("HOST", "two")]), false);
    assert_eq!(outcomes(&reports), [&Outcome::Changed]);
    assert_eq!(place.read("out/deep/a").as_deref(), Some("host two\n"));
    assert_eq!(
        place.read("kept/a/previous/a").as_deref(),
        Some("host one\n")
    );
    assert_eq!(place.names("out/deep"), ["a"]);
}

#[test]
fn one_failure_leaves_every_target_as_it_was() {
    let place = Place::new();
    place.put("in/good", "{{ HOST }}");
    place.put("in/bad", "\n{{ HOTS }}");
    place.put("out/bad", "before");
    let templates = [
        place.template("bad", "in/bad", "out/bad"),
        place.template("good", "in/good", "out/good"),
    ];
    let reports = make(&templates, &scope(&[("HOST", "one")]), false);
    assert_eq!(reports[1].outcome, Outcome::Held);
    let told = problem(&reports[0]);
    assert!(
        told.contains("in/bad:2: there is no `HOTS`; did you mean `HOST`?"),
        "{told}"
    );
    assert_eq!(place.names("out"), ["bad"]);
    assert_eq!(place.read("out/bad").as_deref(), Some("before"));
}

#[test]
fn a_command_looks_at_the_new_file_before_anybody_else() {
    let place = Place::new();
    place.put("in/a", "{{ HOST }}");
    place.put("out/a", "before");
    let mut template = place.template("a", "in/a", "out/a");
    template.validate =
        Some("sh -c 'echo \"$0\"; cat \"$0\" out 2>&1; grep -q good \"$0\"' {file}".to_owned());
    let templates = [template];
    let reports = make(&templates, &scope(&[("HOST", "a bad one")]), false);
    let told = problem(&reports[0]);
    assert!(told.contains("refuses it with exit status 1"), "{told}");
    assert!(
        reports[0]
            .said
            .iter()
            .any(|line| line.contains("a bad one")),
        "{:?}",
        reports[0].said
    );
    assert_eq!(place.read("out/a").as_deref(), Some("before"));
    assert_eq!(place.names("out"), ["a"]);
    let reports = make(&templates, &scope(&[("HOST", "a good one")]), false);
    assert_eq!(outcomes(&reports), [&Outcome::Changed]);
    assert_eq!(place.read("out/a").as_deref(), Some("a good one"));
}

#[test]
fn a_command_has_an_end_and_says_no_secrets() {
    let place = Place::new();
    place.put("in/a", "{{ DB_PASSWORD }}");
    let mut template = place.template("a", "in/a", "out/a");
    template.validate = Some("sh -c 'cat {file}; echo; yes | head -c 300000; exit 3'".to_owned());
    let templates = [template.clone()];
    let variables = [("DB_PASSWORD", "it's s3cret")];
    let reports = make(&templates, &scope(&variables), false);
    assert!(problem(&reports[0]).contains("exit status 3"));
    template.validate = Some("sh -c 'cat {file}; exit 3'".to_owned());
    let templates = [template.clone()];
    let reports = make(&templates, &scope(&variables), false);
    assert_eq!(reports[0].said, ["********"]);
    template.validate = Some("sh -c 'sleep 1000 & sleep 1000'".to_owned());
    template.validate_timeout = Duration::from_millis(50);
    let templates = [template.clone()];
    let told = problem(&make(&templates, &scope(&variables), false)[0]);
    assert!(told.contains("took longer than 0.05 s"), "{told}");
    template.validate = Some("/no/such/program {file}".to_owned());
    let templates = [template];
    let told = problem(&make(&templates, &scope(&variables), false)[0]);
    assert!(told.contains("can't find command"), "{told}");
    assert_eq!(place.names("out"), Vec::<String>::new());
}

#[test]
fn what_was_there_is_put_back() {
    let place = Place::new();
    place.put("in/a", "{{ HOST }}");
    place.put("in/b", "{{ HOST }}");
    place.put("out/a", "before");
    fs::set_permissions(place.path("out/a"), fs::Permissions::from_mode(0o644)).unwrap();
    let templates = [
        place.template("a", "in/a", "out/a"),
        place.template("b", "in/b", "out/b"),
    ];
    let _ = make(&templates, &scope(&[("HOST", "one")]), false);
    assert_eq!(place.names("out"), ["a", "b"]);
    let restored = restore(&templates).unwrap();
    assert_eq!(restored, [place.path("out/a"), place.path("out/b")]);
    assert_eq!(place.read("out/a").as_deref(), Some("before"));
    assert_eq!(
        fs::metadata(place.path("out/a")).unwrap().mode() & 0o7777,
        0o644
    );
    assert_eq!(place.names("out"), ["a"]);
    assert!(restore(&templates).unwrap().is_empty());
    // What the last change was not about is left alone.
    let _ = make(&templates, &scope(&[("HOST", "one")]), false);
    place.put("in/a", "{{ HOST }} more");
    let _ = make(&templates, &scope(&[("HOST", "one")]), false);
    restore(&templates).unwrap();
    assert_eq!(place.read("out/a").as_deref(), Some("one"));
    assert_eq!(place.read("out/b").as_deref(), Some("one"));
}

#[test]
fn a_change_that_cannot_be_finished_is_taken_back() {
    let place = Place::new();
    place.put("in/a", "{{ HOST }}");
    place.put("in/b", "{{ HOST }}");
    place.put("out/a", "before");
    let templates = [
        place.template("a", "in/a", "out/a"),
        place.template("b", "in/b", "out/b"),
    ];
    let scope = scope(&[("HOST", "one")]);
    let prepared = prepare(&templates, &scope, false);
    assert!(!prepared.is_failure());
    // Somebody makes a folder where the file is to be.
    fs::create_dir_all(place.path("out/b/folder")).unwrap();
    let reports = prepared.commit();
    assert_eq!(reports[0].outcome, Outcome::Held);
    assert!(reports[1].is_failure());
    assert_eq!(place.read("out/a").as_deref(), Some("before"));
    assert_eq!(place.names("out"), ["a", "b"]);
}

#[test]
fn what_cannot_be_kept_undoes_no_earlier_change() {
    let place = Place::new();
    place.put("in/a", "{{ HOST }}");
    let templates = [place.template("a", "in/a", "out/a")];
    let _ = make(&templates, &scope(&[("HOST", "one")]), false);
    assert_eq!(place.read("out/a").as_deref(), Some("one"));
    // The record of that change cannot be written over, as on a disk that is full.
    fs::create_dir_all(place.path("kept/a/.last.new/x")).unwrap();
    let reports = make(&templates, &scope(&[("HOST", "two")]), false);
    assert!(problem(&reports[0]).contains("cannot be kept"));
    assert_eq!(place.read("out/a").as_deref(), Some("one"));
    assert_eq!(place.names("out"), ["a"]);
}

#[test]
fn what_is_prepared_and_dropped_leaves_nothing() {
    let place = Place::new();
    place.put("in/a", "{{ HOST }}");
    place.put("in/c.conf", "{{ HOST }}");
    let templates = [
        place.template("a", "in/a", "out/a"),
        place.template("folder", "in", "out/folder"),
    ];
    let scope = scope(&[("HOST", "one"), ("PASSWORD", "s3cret")]);
    place.put("in/a", "{{ HOST }} {{ PASSWORD }}");
    let prepared = prepare(&templates, &scope, false);
    let shown = format!("{prepared:?} {scope:?}");
    assert!(
        shown.contains("PASSWORD") && !shown.contains("s3cret"),
        "{shown}"
    );
    drop(prepared);
    assert_eq!(place.names("out"), ["folder"]);
    assert_eq!(place.names("out/folder"), Vec::<String>::new());
}

#[test]
fn of_a_folder_files_are_made_and_removed_that_are_ours() {
    let place = Place::new();
    fs::create_dir(place.path("out/folder")).unwrap();
    place.put("out/folder/theirs.conf", "theirs");
    place.put("in/a.conf", "[program:{{ HOST }}]");
    place.put("in/b.conf", "b");
    place.put("in/c.txt", "not a template {{");
    let templates = [place.template("f", "in", "out/folder")];
    let one = scope(&[("HOST", "one")]);
    let reports = make(&templates, &one, false);
    assert_eq!(outcomes(&reports), [&Outcome::Made]);
    assert_eq!(
        place.names("out/folder"),
        [".linchpin-f.list", "a.conf", "b.conf", "theirs.conf"]
    );
    assert_eq!(
        outcomes(&make(&templates, &one, false)),
        [&Outcome::Unchanged]
    );
    fs::remove_file(place.path("in/b.conf")).unwrap();
    let reports = make(&templates, &one, true);
    assert_eq!(outcomes(&reports), [&Outcome::Changed]);
    assert!(place.read("out/folder/b.conf").is_some());
    let reports = make(&templates, &one, false);
    let changes: Vec<FileChange> = reports[0].files.iter().map(|file| file.change).collect();
    assert_eq!(changes, [FileChange::Unchanged, FileChange::Removed]);
    assert_eq!(
        place.names("out/folder"),
        [".linchpin-f.list", "a.conf", "theirs.conf"]
    );
    restore(&templates).unwrap();
    assert_eq!(place.read("out/folder/b.conf").as_deref(), Some("b"));
    // Ours again, so it goes again.
    let _ = make(&templates, &one, false);
    assert!(place.read("out/folder/b.conf").is_none());
    // A folder that is gone is a mistake, and no reason to remove everything.
    fs::rename(place.path("in"), place.path("elsewhere")).unwrap();
    let told = problem(&make(&templates, &one, false)[0]);
    assert!(told.contains("it does not exist"), "{told}");
    assert!(place.read("out/folder/a.conf").is_some());
}

#[test]
fn a_folder_is_looked_at_as_a_whole() {
    let place = Place::new();
    place.put("in/a.conf", "{{ HOST }}");
    place.put("in/b.conf", "same");
    let mut template = place.template("f", "in", "out/folder");
    template.validate =
        Some("sh -c 'cd {file} && cat a.conf b.conf && test $(ls | wc -l) = 2'".to_owned());
    let templates = [template];
    for host in ["one", "two"] {
        let reports = make(&templates, &scope(&[("HOST", host)]), false);
        assert!(!reports[0].is_failure(), "{}", reports[0]);
        assert_eq!(reports[0].said, [format!("{host}same")]);
    }
}

#[test]
fn a_dry_run_shows_lines_without_secrets() {
    let place = Place::new();
    place.put(
        "in/a",
        "host {{ HOST }}\npassword {{ DB_PASSWORD | json }}\n",
    );
    let templates = [place.template("a", "in/a", "out/a")];
    let differences = |variables: &[(&str, &str)]| {
        let reports = make(&templates, &scope(variables), true);
        reports[0].files[0].difference.clone()
    };
    let lines = |lines: &[&str]| Some(lines.iter().map(|line| (*line).to_owned()).collect());
    let one = [("HOST", "one"), ("DB_PASSWORD", "first")];
    assert_eq!(
        differences(&one),
        lines(&["+host one", "+password \"********\""])
    );
    let _ = make(&templates, &scope(&one), false);
    let two = [("HOST", "two"), ("DB_PASSWORD", "second")];
    assert_eq!(
        differences(&two),
        lines(&["-host one", "+host two", " password \"********\""])
    );
    let other_secret = [("HOST", "one"), ("DB_PASSWORD", "second")];
    assert_eq!(differences(&other_secret), lines(&[]));
    // Somebody else's file may have any secret in any line.
    place.put("out/a", "password third\n");
    assert_eq!(differences(&two), None);
}

#[test]
fn sources_that_cannot_be_used_say_why() {
    let place = Place::new();
    fs::write(place.path("in/latin"), b"a\nb\xe9").unwrap();
    fs::write(place.path("in/large"), vec![b'x'; (1 << 20) + 1]).unwrap();
    place.put("out/file", "");
    for (source, target, expected) in [
        ("in/none", "out/x", "in/none: it does not exist"),
        ("in/latin", "out/x", "in/latin:2: this is not UTF-8"),
        ("in/large", "out/x", "larger than 1 MiB"),
        ("in/latin", "out", "is a folder"),
        ("in", "out/file", "is no folder"),
    ] {
        let templates = [place.template("x", source, target)];
        let told = problem(&make(&templates, &scope(&[]), false)[0]);
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn what_was_killed_in_the_middle_is_put_back() {
    let place = Place::new();
    place.put("in/a", "{{ HOST }}");
    place.put("in/b", "{{ HOST }}");
    let templates = [
        place.template("a", "in/a", "out/a"),
        place.template("b", "in/b", "out/b"),
    ];
    let _ = make(&templates, &scope(&[("HOST", "one")]), false);
    // All of it is kept, and one of two files is in place, when the kill comes.
    for name in ["a", "b"] {
        super::kept::keep(
            &place.path(&format!("kept/{name}")),
            &place.path("out"),
            &[name],
        )
        .unwrap();
    }
    place.put("out/a", "two");
    place.put("out/.new.b", "two");
    assert_eq!(restore(&templates).unwrap(), [place.path("out/a")]);
    assert_eq!(place.read("out/a").as_deref(), Some("one"));
    assert_eq!(place.read("out/b").as_deref(), Some("one"));
    // What waited is not in the way of the next one.
    let _ = make(&templates, &scope(&[("HOST", "three")]), false);
    assert_eq!(place.names("out"), ["a", "b"]);
}
