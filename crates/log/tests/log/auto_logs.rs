//! AUTO logs: names, and whose a cleanup removes.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use linchpin_log::{AutoLogs, StreamKind};

fn names(directory: &Path) -> BTreeSet<String> {
    std::fs::read_dir(directory)
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".linchpin-lock"))
        .collect()
}

fn maker(directory: &Path) -> AutoLogs {
    AutoLogs::new(directory, "supervisor").unwrap()
}

fn create(logs: &AutoLogs, kind: StreamKind) -> PathBuf {
    let path = logs.name("cat", kind);
    logs.make(&path).unwrap();
    path
}

fn touch(directory: &Path, names: &[&str]) {
    for name in names {
        std::fs::write(directory.join(name), "x").unwrap();
    }
}

#[test]
fn a_name_has_the_originals_shape_and_only_the_owner_may_read_it() {
    let directory = tempfile::tempdir().unwrap();
    let logs = maker(directory.path());
    let path = create(&logs, StreamKind::Stderr);
    let name = path.file_name().unwrap().to_str().unwrap();
    let random = name
        .strip_prefix("cat-stderr---supervisor-")
        .and_then(|rest| rest.strip_suffix(".log"))
        .unwrap();
    assert_eq!(random.len(), 8, "{name}");
    let metadata = std::fs::metadata(&path).unwrap();
    assert_eq!(metadata.len(), 0);
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    let second = create(&logs, StreamKind::Stderr);
    assert_ne!(path, second);
}

#[test]
fn a_name_is_given_before_anything_is_made_and_never_twice() {
    let directory = tempfile::tempdir().unwrap();
    let logs = maker(directory.path());
    let given: BTreeSet<PathBuf> = (0..2_000)
        .map(|_| logs.name("cat", StreamKind::Stdout))
        .collect();
    assert_eq!(given.len(), 2_000);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn what_is_there_under_a_name_is_not_taken_over() {
    let directory = tempfile::tempdir().unwrap();
    let logs = maker(directory.path());
    let path = logs.name("cat", StreamKind::Stdout);
    std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
    let error = logs.make(&path).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
}

#[test]
fn only_exact_names_are_removed() {
    let directory = tempfile::tempdir().unwrap();
    let gone = [
        "cat-stdout---supervisor-abcdefgh.log",
        "cat-stderr---supervisor-a_cd1234.log",
        "cat-stderr---supervisor-a_cd1234.log.1",
        "cat-stderr---supervisor-a_cd1234.log.10",
        "a-b---c-stdout---supervisor-abcdefgh.log",
    ];
    let kept = [
        "cat-stdout---other-abcdefgh.log",
        "cat-stdout---supervisor-abcdefg.log",
        "cat-stdout---supervisor-abcdefghi.log",
        "cat-stdout---supervisor-ABCDEFGH.log",
        "cat-stdout---supervisor-abcdefgh.log.gz",
        "cat-stdout---supervisor-abcdefgh.logbook",
        "cat-stdin---supervisor-abcdefgh.log",
        "-stdout---supervisor-abcdefgh.log",
        "notes---supervisor-abcdefgh.log",
        "cat.log",
    ];
    touch(directory.path(), &gone);
    touch(directory.path(), &kept);
    let report = maker(directory.path()).clean_up();
    assert_eq!((report.removed, report.warnings.len()), (gone.len(), 0));
    let kept: BTreeSet<String> = kept.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(names(directory.path()), kept);
}

#[test]
fn logs_of_a_living_daemon_stay_and_those_of_a_dead_one_go() {
    let directory = tempfile::tempdir().unwrap();
    let living = maker(directory.path());
    let of_living = create(&living, StreamKind::Stdout);
    let dead = maker(directory.path());
    let of_dead = create(&dead, StreamKind::Stdout);
    drop(dead);
    let starting = maker(directory.path());
    assert_eq!(starting.clean_up().removed, 1);
    assert!(of_living.exists());
    assert!(!of_dead.exists());
    drop(living);
    assert_eq!(starting.clean_up().removed, 1);
    // No lock file is left behind either.
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_daemon_that_starts_anew_removes_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let logs = maker(directory.path());
    let old = create(&logs, StreamKind::Stdout);
    assert_eq!(logs.clean_up().removed, 1);
    assert!(!old.exists());
    let new = create(&logs, StreamKind::Stdout);
    let other = maker(directory.path());
    assert_eq!(other.clean_up().removed, 0);
    assert!(new.exists());
}

#[test]
fn logs_that_somebody_else_has_open_may_be_a_living_originals() {
    let directory = tempfile::tempdir().unwrap();
    let names = [
        "cat-stdout---supervisor-abcdefgh.log",
        "dog-stdout---supervisor-ijklmnop.log",
    ];
    touch(directory.path(), &names);
    let open = std::fs::File::open(directory.path().join(names[0])).unwrap();
    let logs = maker(directory.path());
    assert_eq!(logs.clean_up().removed, 0);
    drop(open);
    assert_eq!(logs.clean_up().removed, 2);
}

#[test]
fn neither_directories_nor_links_are_removed() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory
        .path()
        .join("cat-stdout---supervisor-abcdefgh.log");
    std::os::unix::fs::symlink("/nonexistent", &link).unwrap();
    std::fs::create_dir(
        directory
            .path()
            .join("cat-stdout---supervisor-ijklmnop.log"),
    )
    .unwrap();
    let report = maker(directory.path()).clean_up();
    assert_eq!(report.removed, 0);
    assert_eq!(names(directory.path()).len(), 2);
}

#[test]
fn a_missing_directory_is_a_warning_in_the_originals_words() {
    let report = maker(Path::new("/nonexistent")).clean_up();
    assert_eq!(report.warnings, ["Could not clear childlog dir"]);
    let logs = maker(Path::new("/nonexistent"));
    let error = logs
        .make(&logs.name("cat", StreamKind::Stdout))
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}
