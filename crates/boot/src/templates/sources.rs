//! The templates of a section, as files.

use std::fs;
use std::path::{Path, PathBuf};

use linchpin_config::TemplateConfig;

use crate::reading::{read, reason};

/// Most templates in a folder.
const MOST_FILES: usize = 1000;

/// Largest template, in bytes.
const LARGEST_TEMPLATE: usize = 1 << 20;

/// The templates of a section.
#[derive(Debug)]
pub(super) struct Sources {
    /// It is a folder of them.
    pub(super) is_folder: bool,
    /// Directory in which the files are made.
    pub(super) directory: PathBuf,
    /// The templates, by the names of the files that are made.
    pub(super) templates: Vec<Source>,
}

/// A template.
#[derive(Debug)]
pub(super) struct Source {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Name of the file that is made.
    pub(super) name: String,
    /// What it says.
    pub(super) text: String,
}

/// Finds and reads them; everything that is wrong with them.
pub(super) fn read_all(config: &TemplateConfig) -> Result<Sources, Vec<String>> {
    let source = Path::new(&config.source);
    let target = Path::new(&config.target);
    let metadata = fs::metadata(source).map_err(|error| {
        vec![format!(
            "cannot read {}: {}",
            source.display(),
            reason(&error)
        )]
    })?;
    let target_is_folder = target.is_dir();
    if !metadata.is_dir() {
        if target_is_folder {
            let text = "is a folder, and the template is a file: name a file in it as `target`";
            return Err(vec![format!("{} {text}", target.display())]);
        }
        let (Some(directory), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(vec![format!("{} cannot be a file", target.display())]);
        };
        let template = source_of(source, name.to_string_lossy().into_owned());
        return Ok(Sources {
            is_folder: false,
            directory: directory.to_owned(),
            templates: vec![template.map_err(|problem| vec![problem])?],
        });
    }
    if !target_is_folder && fs::symlink_metadata(target).is_ok() {
        let text = "is no folder, and the templates are a folder: name a folder as `target`";
        return Err(vec![format!("{} {text}", target.display())]);
    }
    let names = names_in(source, config).map_err(|problem| vec![problem])?;
    let (mut templates, mut problems) = (Vec::new(), Vec::new());
    for name in names {
        match source_of(&source.join(&name), name) {
            Ok(template) => templates.push(template),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Sources {
        is_folder: true,
        directory: target.to_owned(),
        templates,
    })
}

/// Names of the templates in a folder, in order.
fn names_in(folder: &Path, config: &TemplateConfig) -> Result<Vec<String>, String> {
    let unreadable = |error: std::io::Error| {
        format!(
            "cannot read the folder {}: {}",
            folder.display(),
            reason(&error)
        )
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let name = match name.into_string() {
            Ok(name) if !name.contains(char::is_control) => name,
            Ok(name) => return Err(odd_name(folder, &name)),
            Err(name) => return Err(odd_name(folder, &name.to_string_lossy())),
        };
        if !config.pattern.matches(&name) || folder.join(&name).is_dir() {
            continue;
        }
        if names.len() == MOST_FILES {
            let folder = folder.display();
            return Err(format!(
                "there are more than {MOST_FILES} templates in {folder}"
            ));
        }
        names.push(name);
    }
    names.sort_unstable();
    Ok(names)
}

fn odd_name(folder: &Path, name: &str) -> String {
    format!(
        "{}: the name {name:?} cannot be that of a template: rename it",
        folder.display()
    )
}

fn source_of(path: &Path, name: String) -> Result<Source, String> {
    let bytes = read(path)
        .map_err(|error| format!("cannot read {}: {}", path.display(), reason(&error)))?;
    if bytes.len() > LARGEST_TEMPLATE {
        let megabytes = LARGEST_TEMPLATE >> 20;
        return Err(format!("{} is larger than {megabytes} MiB", path.display()));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..before]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        format!("{}:{line}: this is not UTF-8", path.display())
    })?;
    Ok(Source {
        path: path.to_owned(),
        name,
        text,
    })
}
