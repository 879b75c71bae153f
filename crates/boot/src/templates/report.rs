//! What became of templates.

use std::path::PathBuf;

use linchpin_config::OnChange;

/// What became of one `[template:NAME]`.
#[derive(Debug)]
pub struct Report {
    /// Its name.
    pub name: String,
    /// The file or folder that is made.
    pub target: PathBuf,
    /// What became of it as a whole.
    pub outcome: Outcome,
    /// What became of each file.
    pub files: Vec<FileReport>,
    /// Who has to be told because of it, and how.
    pub services: Vec<String>,
    /// What those need.
    pub on_change: OnChange,
    /// Command that accepted or refused it.
    pub validated_by: Option<String>,
    /// What that command wrote, without secrets.
    pub said: Vec<String>,
    /// Nothing was written.
    pub is_dry: bool,
}

/// What became of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing of it was there.
    Made,
    /// Something of it is another one.
    Changed,
    /// All of it is as it was.
    Unchanged,
    /// It is good, and was not put in place because another one failed.
    Held,
    /// It is as it was, because of this.
    Failed(Vec<String>),
}

/// What became of a file.
#[derive(Debug)]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// What became of it.
    pub change: FileChange,
    /// In a dry run the lines that differ, with `-`, `+` or a blank before them; none if they cannot be shown.
    pub difference: Option<Vec<String>>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileChange {
    /// It was not there.
    Made,
    /// It was another one.
    Changed,
    /// It is as it was.
    Unchanged,
    /// It was ours, and its template is gone.
    Removed,
}

impl Report {
    /// Whether it could not be made.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }

    /// Whether what services read has become another one, or would in a dry run.
    #[must_use]
    pub fn is_change(&self) -> bool {
        matches!(self.outcome, Outcome::Made | Outcome::Changed)
    }
}
