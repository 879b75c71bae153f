//! What a person can do about a step that could not be done, where its problem does not say so.

use std::io::ErrorKind;

use crate::ca_roots::RootsError;
use crate::certificates::CertificateError;
use crate::writing::WriteError;

/// For `[ca-roots]`.
pub(super) fn with_remedy(error: &RootsError) -> Option<String> {
    match error {
        RootsError::Folder { .. } => Some(format!(
            "let user {} read it, or name another folder with `directory=` in [ca-roots]",
            user()
        )),
        RootsError::TooMany { .. } => {
            Some("name a folder with `directory=` that has nothing but authorities".to_owned())
        }
        RootsError::NoSystemBundle { .. } => None,
        RootsError::SystemBundle { .. } => Some(
            "name another file with `system_bundle=` in [ca-roots], or write `search`".to_owned(),
        ),
        RootsError::Write(error) => of_writing(error, "run_directory"),
    }
}

/// For `[certificate:x]`.
pub(super) fn of_certificate(error: &CertificateError) -> Option<String> {
    match error {
        CertificateError::Authority { .. } | CertificateError::Making(_) => None,
        CertificateError::AuthorityUnreadable { .. } => Some(format!(
            "let user {} read it; it is not made again, because clients trust it",
            user()
        )),
        CertificateError::Write(error) => of_writing(error, "state_directory"),
    }
}

/// For something that cannot be written below a directory of `[linchpin]`.
fn of_writing(error: &WriteError, option: &str) -> Option<String> {
    let elsewhere = format!("`{option}=` in [linchpin] names another directory");
    let kind = error.source.kind();
    Some(if kind == ErrorKind::PermissionDenied {
        format!("let user {} write there; {elsewhere}", user())
    } else if kind == ErrorKind::ReadOnlyFilesystem {
        format!("mount a volume or a file system in memory there; {elsewhere}")
    } else if matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        "make room there".to_owned()
    } else {
        elsewhere
    })
}

fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}
