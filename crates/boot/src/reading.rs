//! Reads files that somebody else provides: whatever they are, it ends, and takes a bounded amount of memory.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Most bytes of a file of certificates; the bundles of systems have a quarter of a megabyte.
pub(crate) const LARGEST_FILE: u64 = 4 << 20;

/// The bytes of a regular file, at most [`LARGEST_FILE`] of them.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    // A pipe under this name must not hold the boot.
    let file: File = OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::other("it is a directory"));
    }
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_FILE {
        let text = format!("it is larger than {} MiB", LARGEST_FILE >> 20);
        return Err(io::Error::other(text));
    }
    Ok(bytes)
}

/// What the system says about a file, without numbers.
pub(crate) fn reason(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        return "it does not exist".to_owned();
    }
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_lowercase(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_a_sane_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "text").unwrap();
        assert_eq!(read(&path).unwrap(), b"text");
        let refused = |path: &Path| reason(&read(path).unwrap_err());
        assert_eq!(refused(folder.path()), "it is a directory");
        assert_eq!(refused(&folder.path().join("none")), "it does not exist");
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert_eq!(refused(&pipe), "it is not a regular file");
        let large = File::create(&path).unwrap();
        large.set_len(LARGEST_FILE + 1).unwrap();
        assert_eq!(refused(&path), "it is larger than 4 MiB");
    }
}
