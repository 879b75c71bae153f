//! Which files of a folder we have made: a list in the folder itself, so that it is where they are, and a file of
//! somebody else's is never removed.

use std::path::{Path, PathBuf};

use linchpin_config::TemplateConfig;

use crate::reading::read;

/// The list of a section in a folder.
pub(super) fn name_of(section: &str) -> String {
    format!(".linchpin-{section}.list")
}

/// The names in it; none if there is none.
pub(super) fn read_list(directory: &Path, section: &str) -> Vec<String> {
    let path: PathBuf = directory.join(name_of(section));
    let text = read(&path)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    text.unwrap_or_default()
        .lines()
        // It may have been edited: nothing outside of the folder is ever meant.
        .filter(|name| !name.is_empty() && !name.contains('/') && !matches!(*name, "." | ".."))
        .map(str::to_owned)
        .collect()
}

/// What is there of a template, and whether it is ours rather than for whoever reads the result: the file, or the folder
/// with its list and what is in that.
pub(crate) fn files_of(config: &TemplateConfig) -> Vec<(PathBuf, bool)> {
    let target = Path::new(&config.target);
    if !target.is_dir() {
        return vec![(target.to_owned(), false)];
    }
    let made = read_list(target, &config.name).into_iter();
    let made = made.map(|name| (target.join(name), false));
    made.chain([
        (target.join(name_of(&config.name)), true),
        (target.to_owned(), true),
    ])
    .collect()
}

/// The list as text.
pub(super) fn text_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_unstable();
    names.dedup();
    names.iter().map(|name| format!("{name}\n")).collect()
}
