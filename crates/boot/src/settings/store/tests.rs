//! A settings file on a real file system.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::*;

/// A child of another test holds a lock for a moment, between its fork and its exec.
const PATIENCE: Duration = Duration::from_secs(20);

fn file(text: &str) -> EnvFile {
    EnvFile::parse(text.as_bytes()).unwrap()
}

struct Place {
    folder: tempfile::TempDir,
    store: Store,
}

fn place(versions: u32) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().join("conf/s.env"), versions);
    Place { folder, store }
}

impl Place {
    fn write(&self, text: &str) {
        let locked = self.store.lock(PATIENCE).unwrap();
        let read = locked.read().unwrap();
        locked.write(read.as_ref(), &file(text)).unwrap();
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.store.path().parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

#[test]
fn a_file_is_made_for_its_owner_alone_and_nothing_else_is_left() {
    let place = place(3);
    assert!(place.store.read().unwrap().is_none());
    place.write("A=1\n");
    assert_eq!(place.store.read().unwrap().unwrap().get("A"), Some("1"));
    let mode = fs::metadata(place.store.path()).unwrap().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert_eq!(place.names(), [".s.env.lock", "s.env"]);
}

#[test]
fn a_change_keeps_the_mode_and_the_link_and_removes_leftovers() {
    let place = place(0);
    place.write("A=1\n");
    let real = place.store.path().to_owned();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    let leftover = real.with_file_name(".s.env.0123456789abcdef.new");
    fs::write(&leftover, "A=").unwrap();
    fs::write(real.with_file_name(".s.env.mine.new"), "").unwrap();
    let link = place.folder.path().join("link.env");
    symlink("conf/s.env", &link).unwrap();
    let through_link = Store::new(&link, 0);
    let locked = through_link.lock(PATIENCE).unwrap();
    assert_eq!(locked.warning(), None);
    let read = locked.read().unwrap();
    locked.write(read.as_ref(), &file("A=2\n")).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&real).unwrap(), "A=2\n");
    assert_eq!(fs::metadata(&real).unwrap().mode() & 0o777, 0o640);
    assert_eq!(place.names(), [".s.env.lock", ".s.env.mine.new", "s.env"]);
}

#[test]
fn previous_versions_are_kept_up_to_a_number() {
    let place = place(2);
    for text in ["A=1\n", "A=2\n", "A=3\n", "A=4\n", "A=4\n"] {
        place.write(text);
    }
    let versions = place.store.versions().unwrap();
    let numbers: Vec<u64> = versions.iter().map(|version| version.number).collect();
    assert_eq!(numbers, [2, 3], "what changes nothing makes no version");
    let last = place.store.read_version(&versions[1]).unwrap();
    assert_eq!(last.get("A"), Some("3"));
    let mode = fs::metadata(&versions[1].path).unwrap().mode() & 0o777;
    assert_eq!(mode, 0o600);
}

#[test]
fn a_trial_that_is_taken_back_leaves_nothing_behind() {
    let place = place(1);
    place.write("A=1\n");
    place.write("A=2\n");
    let before = place.store.versions().unwrap();
    let locked = place.store.lock(PATIENCE).unwrap();
    let read = locked.read().unwrap();
    let trial = locked
        .write_on_trial(read.as_ref(), &file("A=bad\n"))
        .unwrap();
    assert_eq!(fs::read_to_string(place.store.path()).unwrap(), "A=bad\n");
    locked.take_back(&trial).unwrap();
    assert_eq!(fs::read_to_string(place.store.path()).unwrap(), "A=2\n");
    assert_eq!(place.store.versions().unwrap(), before);
    let error = locked.take_back(&trial).unwrap_err();
    assert!(matches!(error, StoreError::Changed(_)), "{error}");
}

#[test]
fn what_somebody_changes_during_a_trial_stays_when_it_is_taken_back() {
    let place = place(5);
    place.write("A=1\n# ours\nB=1\nC=1\n");
    let locked = place.store.lock(PATIENCE).unwrap();
    let read = locked.read().unwrap();
    let tried = file("A=bad\n# ours\nC=1\nD=bad\n");
    let trial = locked.write_on_trial(read.as_ref(), &tried).unwrap();
    let path = place.store.path();
    fs::write(path, "A=bad\n# theirs\nC=theirs\nD=bad\n").unwrap();
    locked.take_back(&trial).unwrap();
    let text = fs::read_to_string(path).unwrap();
    assert_eq!(text, "A=1\n# theirs\nC=theirs\nB=1\n");

    let theirs = "A=theirs\nD=bad\n";
    fs::write(path, theirs).unwrap();
    let error = locked.take_back(&trial).unwrap_err();
    assert!(matches!(error, StoreError::Changed(_)), "{error}");
    assert_eq!(fs::read_to_string(path).unwrap(), theirs);
}

#[test]
fn a_trial_without_a_file_before_it_is_taken_back_to_no_file() {
    let place = place(1);
    let locked = place.store.lock(PATIENCE).unwrap();
    let trial = locked.write_on_trial(None, &file("A=1\n")).unwrap();
    fs::write(place.store.path(), "A=by-hand\n").unwrap();
    let error = locked.take_back(&trial).unwrap_err();
    assert!(matches!(error, StoreError::Changed(_)), "{error}");
    fs::write(place.store.path(), "A=1\n").unwrap();
    locked.take_back(&trial).unwrap();
    assert!(place.store.read().unwrap().is_none());
}

#[test]
fn only_one_writes_at_a_time() {
    let place = place(0);
    let first = place.store.lock(PATIENCE).unwrap();
    let error = place.store.lock(Duration::ZERO).unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    assert!(error.to_string().contains(".s.env.lock"), "{error}");
    drop(first);
    place.store.lock(PATIENCE).unwrap();
}

#[test]
fn what_somebody_else_wrote_is_never_lost() {
    let place = place(5);
    let locked = place.store.lock(PATIENCE).unwrap();
    let nothing = locked.read().unwrap();
    fs::write(place.store.path(), "A=by-hand\n").unwrap();
    let error = locked.write(nothing.as_ref(), &file("A=1\n")).unwrap_err();
    assert!(matches!(error, StoreError::Changed(_)), "{error}");
    let read = locked.read().unwrap();
    fs::write(place.store.path(), "A=again\n").unwrap();
    let error = locked.write(read.as_ref(), &file("A=1\n")).unwrap_err();
    assert!(matches!(error, StoreError::Changed(_)), "{error}");
    let there = fs::read_to_string(place.store.path()).unwrap();
    assert_eq!(there, "A=again\n");
    assert!(!place.names().iter().any(|name| name.ends_with(".new")));
    assert_eq!(
        place.store.versions().unwrap(),
        [],
        "nothing has become old"
    );
}

#[test]
fn what_is_wrong_is_told_with_a_place_and_without_values() {
    let place = place(0);
    fs::create_dir_all(place.store.path().parent().unwrap()).unwrap();
    fs::write(place.store.path(), "A=geheim 1\nB='geheim\n").unwrap();
    let said = place.store.read().unwrap_err().to_string();
    assert!(said.contains("s.env: line 1 (A): the value ends at the blank"));
    assert!(
        said.contains("s.env: line 2 (B): a quotation mark"),
        "{said}"
    );
    assert!(!said.contains("geheim"));
    fs::remove_file(place.store.path()).unwrap();
    fs::create_dir(place.store.path()).unwrap();
    let error = place.store.read().unwrap_err();
    assert!(
        error.to_string().contains("must be the path of a file"),
        "{error}"
    );
}
