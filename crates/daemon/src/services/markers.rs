//! Markers: files that say that a oneshot has done its work for good.
//!
//! While a job is at work there is `MARKER.incomplete`; when it has done its work that file becomes the marker, by one
//! rename. Either is on the disk before anybody is told, so whoever finds the one or the other knows how far it came,
//! whatever was pulled out of the wall meanwhile. The next run of a job that was begun and not finished is told so
//! (`LINCHPIN_INTERRUPTED=1`), and can clear up after itself.
//!
//! The disk may be slow, or on a mount that is dead, so all this happens on a thread; after [`MARKER_PATIENCE`] the core hears
//! that there is no answer.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use linchpin_core::{Event, Generation, MarkerState, ProcessId};

use super::News;
use crate::http::calendar::CivilTime;
use crate::shell::Shell;

/// How long the disk may take for a marker before the job counts as one that cannot be begun, or noted.
pub(crate) const MARKER_PATIENCE: Duration = Duration::from_secs(30);

impl Shell {
    /// Looks at a marker and notes that its job begins. `is_noted`: it was noted before, and the job did not begin after
    /// all.
    pub(super) fn open_marker(
        &self,
        (process, generation): (ProcessId, Generation),
        path: String,
        is_noted: bool,
    ) {
        let text = self.marker_text(process, "begun");
        let answer = move |state| {
            News::Event(Event::MarkerOpened {
                process,
                generation,
                state,
            })
        };
        let look = move |path: &Path| match open(path, &text) {
            Ok(MarkerState::Interrupted) if is_noted => MarkerState::Fresh,
            Ok(state) => state,
            Err(text) => MarkerState::Failed(text),
        };
        self.with_marker(path, look, MarkerState::Failed, answer);
    }

    /// Makes a marker of what notes that its job is at work.
    pub(super) fn commit_marker(
        &self,
        (process, generation): (ProcessId, Generation),
        path: String,
    ) {
        let text = self.marker_text(process, "completed");
        let answer = move |failure| {
            News::Event(Event::MarkerCommitted {
                process,
                generation,
                failure,
            })
        };
        let look = move |path: &Path| commit(path, &text).err();
        self.with_marker(path, look, Some, answer);
    }

    fn with_marker<T: Send + 'static>(
        &self,
        path: String,
        look: impl FnOnce(&Path) -> T + Send + 'static,
        failed: impl FnOnce(String) -> T + Send + 'static,
        answer: impl FnOnce(T) -> News + Send + 'static,
    ) {
        let newsroom = self.services.newsroom.clone();
        let files = self.services.files.clone();
        tokio::spawn(async move {
            let place = PathBuf::from(&path);
            let looked = files.run(&path, move || look(&place));
            let found = match tokio::time::timeout(MARKER_PATIENCE, looked).await {
                Ok(Some(found)) => found,
                Ok(None) => failed(format!("the marker {path} cannot be looked at")),
                Err(_) => {
                    let seconds = MARKER_PATIENCE.as_secs();
                    failed(format!(
                        "the file system of the marker {path} does not answer within {seconds} s"
                    ))
                }
            };
            // The loop has ended: nobody wants to know.
            let _ = newsroom.send(answer(found));
        });
    }

    /// What a marker says: the process, and the time.
    fn marker_text(&self, process: ProcessId, what: &str) -> String {
        let name = match self.core.process(process) {
            Some(view) => format!("{}:{}", view.group, view.config.name),
            None => String::new(),
        };
        let time = CivilTime::of(SystemTime::now());
        format!(
            "{name} {what} {:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z\n",
            time.year, time.month, time.day, time.hour, time.minute, time.second
        )
    }
}

/// Looks at a marker, and notes that its job begins.
///
/// # Errors
/// What is wrong, with the file's name.
fn open(path: &Path, text: &str) -> Result<MarkerState, String> {
    if exists(path)? {
        return Ok(MarkerState::Committed);
    }
    let note = note_of(path);
    if exists(&note)? {
        return Ok(MarkerState::Interrupted);
    }
    let written = write(&note, text).and_then(|()| sync_directory(path));
    written.map_err(|error| problem("write", &note, &error))?;
    Ok(MarkerState::Fresh)
}

/// Makes a marker.
///
/// # Errors
/// What is wrong, with the file's name.
fn commit(path: &Path, text: &str) -> Result<(), String> {
    let note = note_of(path);
    write(&note, text)
        .and_then(|()| std::fs::rename(&note, path))
        .and_then(|()| sync_directory(path))
        .map_err(|error| problem("write", path, &error))
}

fn exists(path: &Path) -> Result<bool, String> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(true),
        Ok(_) => Err(format!("the marker {} is no file", path.display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(problem("read", path, &error)),
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A file's name is in its directory, which is another thing to be written.
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

fn problem(what: &str, path: &Path, error: &io::Error) -> String {
    format!("cannot {what} the marker {}: {error}", path.display())
}

fn note_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".incomplete");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn names(directory: &TempDir) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_job_is_begun_interrupted_and_done() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("marker");
        assert_eq!(open(&path, "one\n"), Ok(MarkerState::Fresh));
        assert_eq!(names(&directory), ["marker.incomplete"]);
        assert_eq!(open(&path, "two\n"), Ok(MarkerState::Interrupted));
        assert_eq!(names(&directory), ["marker.incomplete"]);
        assert_eq!(commit(&path, "web:init completed\n"), Ok(()));
        assert_eq!(names(&directory), ["marker"]);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "web:init completed\n");
        assert_eq!(open(&path, "three\n"), Ok(MarkerState::Committed));
        assert_eq!(names(&directory), ["marker"]);
    }

    #[test]
    fn what_goes_wrong_is_told_with_the_name_and_leaves_nothing() {
        let directory = TempDir::new().unwrap();
        let missing = directory.path().join("no/such/place");
        for failure in [
            open(&missing, "").unwrap_err(),
            commit(&missing, "").unwrap_err(),
        ] {
            let expected = format!("the marker {}", directory.path().display());
            assert!(failure.contains(&expected), "{failure}");
            assert!(failure.contains("No such file or directory"), "{failure}");
        }
        let failure = open(directory.path(), "").unwrap_err();
        assert!(failure.ends_with("is no file"), "{failure}");
        assert!(commit(directory.path(), "").is_err());
        assert_eq!(names(&directory), [""; 0]);
        std::fs::remove_file(note_of(directory.path())).unwrap();
    }
}
