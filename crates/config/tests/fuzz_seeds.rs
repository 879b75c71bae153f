//! The seeds of the fuzz targets about configuration files, and what the targets found.

#[path = "../../../fuzz/src/config.rs"]
pub mod config;
#[path = "../../../fuzz/src/machine.rs"]
pub mod machine;
#[path = "../../../fuzz/src/replay.rs"]
pub mod replay;

#[test]
fn any_file_is_loaded_or_refused() {
    replay::replay("config", config::file);
}

#[test]
fn any_value_is_expanded_or_refused() {
    replay::replay("expansion", config::expansion);
}
