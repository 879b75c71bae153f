use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};

use tempfile::TempDir;

use super::super::SocketWatch;
use super::*;

fn place() -> (TempDir, UnixSocket) {
    let directory = tempfile::tempdir().unwrap();
    let wanted = UnixSocket {
        path: directory.path().join("s.sock"),
        mode: 0o700,
        owner: Owner::default(),
    };
    (directory, wanted)
}

fn names(directory: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(directory.path()).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_socket_can_be_connected_to_and_leaves_no_temporary_name() {
    let (directory, mut wanted) = place();
    for mode in [0o700, 0o666, 0o770, 0o607] {
        wanted.mode = mode;
        let listening = listen_unix(&wanted).unwrap();
        assert!(!listening.replaced_stale);
        let metadata = fs::metadata(&wanted.path).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o7777, mode);
        UnixStream::connect(&wanted.path).unwrap();
        assert_eq!(names(&directory), ["s.sock"]);
        assert!(listening.file.is_in_place());
        listening.file.remove().unwrap();
        assert!(names(&directory).is_empty());
    }
}

#[test]
fn a_stale_socket_is_replaced() {
    let (directory, wanted) = place();
    drop(UnixListener::bind(&wanted.path).unwrap());
    let listening = listen_unix(&wanted).unwrap();
    assert!(listening.replaced_stale);
    UnixStream::connect(&wanted.path).unwrap();
    assert_eq!(names(&directory), ["s.sock"]);
}

#[test]
fn a_socket_that_lost_its_process_but_not_its_temporary_name_is_replaced() {
    let (directory, wanted) = place();
    let temporary = format!("{}.{}", wanted.path.display(), std::process::id());
    drop(UnixListener::bind(&temporary).unwrap());
    let listening = listen_unix(&wanted).unwrap();
    assert!(!listening.replaced_stale);
    assert_eq!(names(&directory), ["s.sock"]);
}

#[test]
fn a_socket_in_use_is_left_alone() {
    let (directory, wanted) = place();
    let first = listen_unix(&wanted).unwrap();
    let error = listen_unix(&wanted).unwrap_err();
    assert!(matches!(error, SocketError::InUse), "{error}");
    assert!(first.file.is_in_place());
    assert_eq!(names(&directory), ["s.sock"]);
}

#[test]
fn a_socket_with_a_full_queue_is_in_use() {
    let (_directory, wanted) = place();
    let busy = new_socket().unwrap();
    bind(&busy, &SocketAddrUnix::new(&wanted.path).unwrap()).unwrap();
    listen(&busy, 0).unwrap();
    let _waiting = UnixStream::connect(&wanted.path).unwrap();
    let error = listen_unix(&wanted).unwrap_err();
    assert!(matches!(error, SocketError::InUse), "{error}");
}

#[test]
fn the_kernels_list_tells_whether_a_socket_of_somebody_else_is_alive() {
    let (directory, wanted) = place();
    assert!(!is_bound(&wanted.path));
    // Ours is bound under its temporary name.
    let listening = listen_unix(&wanted).unwrap();
    assert!(is_bound(&wanted.path));
    drop(listening);
    assert!(!is_bound(&wanted.path));
    let other = directory.path().join("s.sock.backup");
    let _other = UnixListener::bind(&other).unwrap();
    assert!(is_bound(&other));
    assert!(!is_bound(&wanted.path));
}

#[test]
fn what_is_no_socket_is_left_alone() {
    let (directory, wanted) = place();
    fs::write(&wanted.path, "precious").unwrap();
    let error = listen_unix(&wanted).unwrap_err();
    assert!(matches!(error, SocketError::NotASocket { .. }), "{error}");
    assert_eq!(fs::read_to_string(&wanted.path).unwrap(), "precious");
    assert_eq!(names(&directory), ["s.sock"]);
    fs::remove_file(&wanted.path).unwrap();
    fs::create_dir(&wanted.path).unwrap();
    let error = listen_unix(&wanted).unwrap_err();
    assert!(matches!(error, SocketError::NotASocket { .. }), "{error}");
}

#[test]
fn a_dangling_link_is_replaced_and_a_link_to_a_live_socket_is_not() {
    let (directory, wanted) = place();
    std::os::unix::fs::symlink("/nonexistent/socket", &wanted.path).unwrap();
    let listening = listen_unix(&wanted).unwrap();
    assert!(listening.replaced_stale);
    let link = UnixSocket {
        path: directory.path().join("link"),
        ..wanted.clone()
    };
    std::os::unix::fs::symlink(&wanted.path, &link.path).unwrap();
    let error = listen_unix(&link).unwrap_err();
    assert!(matches!(error, SocketError::InUse), "{error}");
}

#[test]
fn a_missing_directory_is_told() {
    let (_directory, mut wanted) = place();
    wanted.path = wanted.path.join("below");
    let error = listen_unix(&wanted).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Cannot open an HTTP server: socket.error reported errno.ENOENT (2)"
    );
}

#[test]
fn long_paths_work_up_to_the_kernels_limit() {
    let (directory, wanted) = place();
    let root = directory.path().as_os_str().len();
    for (length, works) in [(100, true), (107, true), (108, false), (200, false)] {
        let path = directory.path().join("x".repeat(length - root - 1));
        let wanted = UnixSocket {
            path: path.clone(),
            ..wanted.clone()
        };
        let answer = listen_unix(&wanted);
        if works {
            let listening = answer.unwrap();
            UnixStream::connect(&path).unwrap();
            let error = listen_unix(&wanted).unwrap_err();
            assert!(matches!(error, SocketError::InUse), "{error}");
            drop(listening);
            assert!(listen_unix(&wanted).unwrap().replaced_stale);
        } else {
            assert_eq!(
                answer.unwrap_err().to_string(),
                "Cannot open an HTTP server: socket.error reported AF_UNIX path too long"
            );
        }
    }
}

#[test]
fn the_owner_is_set() {
    let (directory, mut wanted) = place();
    if rustix::process::geteuid().is_root() {
        wanted.owner = Owner {
            uid: Some(12345),
            gid: None,
        };
        let _listening = listen_unix(&wanted).unwrap();
        let metadata = fs::metadata(&wanted.path).unwrap();
        let group = rustix::process::getegid().as_raw();
        assert_eq!((metadata.uid(), metadata.gid()), (12345, group));
    } else {
        wanted.owner = Owner {
            uid: Some(0),
            gid: None,
        };
        let error = listen_unix(&wanted).unwrap_err();
        assert!(matches!(error, SocketError::Owner { .. }), "{error}");
        assert!(names(&directory).is_empty());
    }
}

#[test]
fn a_deleted_file_is_news() {
    let (_directory, wanted) = place();
    let watch = SocketWatch::new().unwrap();
    let listening = listen_unix(&wanted).unwrap();
    watch.add(&listening.file).unwrap();
    assert!(!watch.drain().unwrap());
    UnixStream::connect(&wanted.path).unwrap();
    assert!(!watch.drain().unwrap());

    fs::remove_file(&wanted.path).unwrap();
    assert!(watch.drain().unwrap());
    assert!(!listening.file.is_in_place());

    let again = listen_unix(&wanted).unwrap();
    watch.add(&again.file).unwrap();
    // The old socket's end is news too, but not about the new file.
    drop(listening);
    watch.drain().unwrap();
    assert!(again.file.is_in_place());
    fs::rename(&wanted.path, wanted.path.with_extension("moved")).unwrap();
    assert!(watch.drain().unwrap());
    assert!(!again.file.is_in_place());
}

#[test]
fn a_file_that_was_replaced_is_not_ours_to_remove() {
    let (directory, wanted) = place();
    let first = listen_unix(&wanted).unwrap();
    fs::remove_file(&wanted.path).unwrap();
    let second = listen_unix(&wanted).unwrap();
    assert!(!first.file.is_in_place());
    first.file.remove().unwrap();
    assert!(second.file.is_in_place());
    assert_eq!(names(&directory), ["s.sock"]);
}

#[test]
fn names_can_be_given_without_hard_links() {
    let (directory, wanted) = place();
    let temporary = directory.path().join("temporary");
    fs::write(&temporary, "").unwrap();
    rename_if_free(&temporary, &wanted.path).unwrap();
    assert_eq!(names(&directory), ["s.sock"]);
    fs::write(&temporary, "").unwrap();
    assert_eq!(rename_if_free(&temporary, &wanted.path), Err(Errno::EXIST));
}
