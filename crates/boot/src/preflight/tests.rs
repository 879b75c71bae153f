//! What sections find on this very machine.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use linchpin_config::{BootConfig, OnFailure, StepPolicy};
use tempfile::tempdir;

use super::*;
use crate::settings::Resolved;

fn config() -> PreflightConfig {
    PreflightConfig {
        name: "machine".to_owned(),
        processor: Vec::new(),
        page_sizes: Vec::new(),
        free_space: Vec::new(),
        writable: Vec::new(),
        owned_by: Vec::new(),
        data_versions: Vec::new(),
        command: None,
        timeout: Duration::from_secs(10),
        remedy: None,
        policy: StepPolicy::on_failure(OnFailure::Fatal),
    }
}

fn found(config: &PreflightConfig) -> Vec<Found> {
    let environment = [("API_TOKEN".to_owned(), "very-secret".to_owned())];
    let scope = Scope::new(
        &Resolved::default(),
        &environment,
        &BootConfig::default(),
        Err("nobody asks".to_owned()),
    );
    look(config, &scope)
}

/// What is wrong, of something that is.
fn problem(config: &PreflightConfig) -> String {
    match found(config).as_slice() {
        [Found::Bad { problem, .. }] => problem.clone(),
        other => panic!("{other:?}"),
    }
}

fn is_good(config: &PreflightConfig) -> bool {
    found(config)
        .iter()
        .all(|found| matches!(found, Found::Good(_)))
}

#[test]
fn pages_have_one_of_the_sizes() {
    let real = rustix::param::page_size() as u64;
    let with = |page_sizes: &[u64]| PreflightConfig {
        page_sizes: page_sizes.to_vec(),
        ..config()
    };
    assert!(is_good(&with(&[1024, real])));
    let told = problem(&with(&[1024, 2048]));
    assert!(told.ends_with("here, and 1 KB or 2 KB is wanted"), "{told}");
}

#[test]
fn room_is_looked_for_where_a_path_will_be() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a/b/c").to_str().unwrap().to_owned();
    let with = |bytes| PreflightConfig {
        free_space: vec![(path.clone(), bytes)],
        ..config()
    };
    assert!(is_good(&with(1)));
    let told = problem(&with(u64::MAX));
    assert!(
        told.starts_with(&path) && told.contains("are wanted"),
        "{told}"
    );
}

#[test]
fn directories_are_there_and_can_be_written() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("file"), "").unwrap();
    fs::create_dir(path("closed")).unwrap();
    fs::set_permissions(path("closed"), fs::Permissions::from_mode(0o500)).unwrap();
    let with = |name: &str| PreflightConfig {
        writable: vec![path(name)],
        ..config()
    };
    assert!(is_good(&with("")));
    assert!(problem(&with("file")).ends_with("is not a directory"));
    assert!(problem(&with("none")).ends_with("it does not exist"));
    // Root may write everywhere.
    let is_root = rustix::process::geteuid().is_root();
    assert_eq!(is_good(&with("closed")), is_root);
}

#[test]
fn owners_are_compared_and_never_changed() {
    let folder = tempdir().unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    let (uid, gid) = (
        rustix::process::geteuid().as_raw(),
        rustix::process::getegid().as_raw(),
    );
    let with = |path: &str, owner| PreflightConfig {
        owned_by: vec![(path.to_owned(), owner)],
        ..config()
    };
    assert!(is_good(&with(&path, (uid, None))));
    assert!(is_good(&with(&path, (uid, Some(gid)))));
    assert!(is_good(&with("/does/not/exist", (uid, None))));
    let wrong = with(&path, (uid + 1, Some(gid)));
    let told = problem(&wrong);
    assert!(told.contains(&format!("{uid}:{gid}, and must")), "{told}");
    assert_eq!(problem(&wrong), told);
}

#[test]
fn data_of_another_version_is_told() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("PG_VERSION");
    let with = |good: &[&str]| PreflightConfig {
        data_versions: vec![(
            path.to_str().unwrap().to_owned(),
            good.iter().map(|it| (*it).to_owned()).collect(),
        )],
        ..config()
    };
    assert!(is_good(&with(&["15"])), "there is none yet");
    fs::write(&path, "13\n").unwrap();
    assert!(is_good(&with(&["15", "13"])));
    let told = problem(&with(&["15", "16"]));
    assert!(told.ends_with("says `13`, and 15 or 16 will do"), "{told}");
}

#[test]
fn a_command_is_asked_and_has_the_last_word() {
    let with = |command: &str| PreflightConfig {
        command: Some(command.to_owned()),
        ..config()
    };
    assert!(is_good(&with("true")));
    assert_eq!(
        problem(&with(
            "sh -c 'echo one; echo very-secret license >&2; exit 3'"
        )),
        "`sh -c 'echo one; echo very-secret license >&2; exit 3'` refuses it: ******** license"
    );
    assert_eq!(
        problem(&with("false")),
        "`false` refuses it with exit status 1"
    );
    let told = problem(&with("/does/not/exist"));
    assert!(told.contains("cannot be run"), "{told}");
    let slow = PreflightConfig {
        timeout: Duration::from_millis(50),
        ..with("sleep 1000")
    };
    let began = Instant::now();
    let told = problem(&slow);
    assert!(told.contains("took longer than 0.05 s"), "{told}");
    assert!(began.elapsed() < Duration::from_secs(100));
}
