//! Markers of oneshots: files that say that a job has been done for good.
//!
//! While a job is at work there is `MARKER.incomplete`; when it has done its work that file becomes the
//! marker, by one rename. So whoever finds the one or the other knows how far it came, whatever was pulled
//! out of the wall meanwhile.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use linchpin_core::{Event, Generation, MarkerState, ProcessId};

use super::News;
use crate::shell::Shell;

impl Shell {
    /// Looks at a marker and notes that its job begins.
    pub(super) fn open_marker(&mut self, start: (ProcessId, Generation), path: String) {
        let (workers, newsroom) = (self.services.files.clone(), self.services.newsroom.clone());
        tokio::spawn(async move {
            let (process, generation) = start;
            let file = PathBuf::from(&path);
            let state = workers.run(&path, move || begin(&file)).await;
            let state = state.unwrap_or_else(|| MarkerState::Failed(no_thread(&path)));
            // Nobody listens any more: the daemon ends.
            let _ = newsroom.send(News::Event(Event::MarkerOpened {
                process,
                generation,
                state,
            }));
        });
    }

    /// Makes a marker of what notes that its job is at work.
    pub(super) fn commit_marker(&mut self, start: (ProcessId, Generation), path: String) {
        let (workers, newsroom) = (self.services.files.clone(), self.services.newsroom.clone());
        tokio::spawn(async move {
            let (process, generation) = start;
            let file = PathBuf::from(&path);
            let done = workers.run(&path, move || commit(&file)).await;
            let failure = match done {
                Some(Ok(())) => None,
                Some(Err(error)) => Some(format!("{path}: {error}")),
                None => Some(no_thread(&path)),
            };
            // As above.
            let _ = newsroom.send(News::Event(Event::MarkerCommitted {
                process,
                generation,
                failure,
            }));
        });
    }
}

fn no_thread(path: &str) -> String {
    format!("{path}: there is no thread to look at it")
}

fn incomplete(marker: &Path) -> PathBuf {
    let mut name = marker.as_os_str().to_owned();
    name.push(".incomplete");
    PathBuf::from(name)
}

fn begin(marker: &Path) -> MarkerState {
    let failed = |path: &Path, error: &io::Error| {
        MarkerState::Failed(format!("{}: {error}", path.display()))
    };
    match fs::symlink_metadata(marker) {
        Ok(_) => return MarkerState::Committed,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return failed(marker, &error),
    }
    let note = incomplete(marker);
    let was_there = match fs::symlink_metadata(&note) {
        Ok(_) => true,
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => return failed(&note, &error),
    };
    match write(&note) {
        Ok(()) if was_there => MarkerState::Interrupted,
        Ok(()) => MarkerState::Fresh,
        Err(error) => failed(&note, &error),
    }
}

fn write(note: &Path) -> io::Result<()> {
    let mut file = File::create(note)?;
    file.write_all(b"at work\n")?;
    file.sync_all()?;
    sync_directory(note)
}

fn commit(marker: &Path) -> io::Result<()> {
    let note = incomplete(marker);
    let mut file = File::create(&note)?;
    file.write_all(b"done\n")?;
    file.sync_all()?;
    fs::rename(&note, marker)?;
    sync_directory(marker)
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_fresh_then_interrupted_then_done() {
        let directory = tempfile::tempdir().unwrap();
        let marker = directory.path().join("done");
        assert_eq!(begin(&marker), MarkerState::Fresh);
        assert_eq!(begin(&marker), MarkerState::Interrupted);
        commit(&marker).unwrap();
        assert_eq!(begin(&marker), MarkerState::Committed);
        assert!(!incomplete(&marker).exists());
    }

    #[test]
    fn a_directory_that_is_not_there_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let marker = directory.path().join("missing/done");
        let MarkerState::Failed(text) = begin(&marker) else {
            panic!("it cannot be written");
        };
        assert!(
            text.contains("missing/done.incomplete: No such file"),
            "{text}"
        );
        assert!(commit(&marker).is_err());
    }
}
