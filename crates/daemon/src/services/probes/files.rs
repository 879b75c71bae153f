//! Probes of things in the file system: files that exist, sockets that accept.
//!
//! Even looking up a path can hang, so both are done by [`Workers`].

use std::io;
use std::time::Duration;

use linchpin_core::ProbeOutcome;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::words;
use crate::services::workers::Workers;

/// How soon a socket whose queue is full is tried again, at first and at the most: the kernel tells nobody when
/// there is room.
const FIRST_NAP: Duration = Duration::from_millis(5);
const LAST_NAP: Duration = Duration::from_millis(200);

/// What there is to say when nobody could look.
pub(super) const NO_THREAD: &str = "the daemon can make no thread to ask";

/// Whether a file exists; of a symbolic link, what it leads to.
pub(super) async fn exists(workers: &Workers, path: &str) -> ProbeOutcome {
    let owned = path.to_owned();
    let look = move || std::fs::metadata(owned).map(drop);
    match workers.run(&format!("file {path}"), look).await {
        Some(Ok(())) => ProbeOutcome::Passed,
        Some(Err(error)) => words::failed(words::of_file(&error)),
        None => words::failed(NO_THREAD),
    }
}

/// Whether somebody accepts at a socket. Goes on trying as long as its queue is full.
pub(super) async fn accepts(workers: &Workers, path: &str) -> ProbeOutcome {
    let thing = format!("unix {path}");
    let mut nap = FIRST_NAP;
    loop {
        let owned = path.to_owned();
        match workers.run(&thing, move || connect(&owned)).await {
            Some(Ok(())) => return ProbeOutcome::Passed,
            Some(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
            Some(Err(error)) => return words::failed(words::of_file(&error)),
            None => return words::failed(NO_THREAD),
        }
        tokio::time::sleep(nap).await;
        nap = (nap * 2).min(LAST_NAP);
    }
}

fn connect(path: &str) -> io::Result<()> {
    let address = SocketAddrUnix::new(path)?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    Ok(rustix::net::connect(&socket, &address)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    fn failed(text: &str) -> ProbeOutcome {
        ProbeOutcome::Failed(text.to_owned())
    }

    #[tokio::test]
    async fn files_exist_or_do_not() {
        let workers = Workers::new("test", 1);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let path = path.to_str().unwrap();
        assert_eq!(exists(&workers, path).await, failed("does not exist"));
        std::fs::write(path, "").unwrap();
        assert_eq!(exists(&workers, path).await, ProbeOutcome::Passed);
        let beneath = exists(&workers, &format!("{path}/more")).await;
        let text = "does not exist: part of its path is no directory";
        assert_eq!(beneath, failed(text));
    }

    #[tokio::test]
    async fn sockets_accept_or_do_not() {
        let workers = Workers::new("test", 1);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let path = path.to_str().unwrap();
        assert_eq!(accepts(&workers, path).await, failed("does not exist"));
        let listener = UnixListener::bind(path).unwrap();
        assert_eq!(accepts(&workers, path).await, ProbeOutcome::Passed);
        drop(listener);
        assert_eq!(accepts(&workers, path).await, failed("connection refused"));
        let long = format!("/{}", "x".repeat(200));
        assert_eq!(
            accepts(&workers, &long).await,
            failed("its path is too long")
        );
    }

    #[tokio::test]
    async fn a_full_queue_is_waited_for() {
        let workers = Workers::new("test", 1);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
        let listener = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None).unwrap();
        rustix::net::bind(&listener, &SocketAddrUnix::new(&path).unwrap()).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let path = path.to_str().unwrap();
        while connect(path).is_ok() {}
        let asked = accepts(&workers, path);
        tokio::pin!(asked);
        let short = tokio::time::timeout(FIRST_NAP * 2, &mut asked).await;
        assert!(short.is_err(), "it accepts although its queue is full");
        rustix::net::accept(&listener).unwrap();
        assert_eq!(asked.await, ProbeOutcome::Passed);
    }
}
