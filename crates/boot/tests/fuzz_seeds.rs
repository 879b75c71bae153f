//! The seeds of the fuzz target about settings files, and what it found.

#[path = "../../../fuzz/src/env_file.rs"]
pub mod env_file;
#[path = "../../../fuzz/src/replay.rs"]
pub mod replay;

#[test]
fn any_settings_file_is_read_or_refused_and_changed_in_one_place() {
    replay::replay("env_file", env_file::file);
}
