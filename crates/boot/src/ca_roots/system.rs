//! The authorities that the system trusts.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use linchpin_config::SystemBundle;

use super::RootsError;
use crate::pem::blocks;
use crate::reading::{read as read_file, reason};
use crate::x509::Certificate;

/// Where distributions keep all authorities in one file.
const PLACES: [&str; 7] = [
    // Debian, Ubuntu, Alpine, Arch, Gentoo.
    "/etc/ssl/certs/ca-certificates.crt",
    // Fedora and its relatives.
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    // SUSE.
    "/etc/ssl/ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
    // Alpine without the package, and others.
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/cacert.pem",
];

/// A bundle of the system.
#[derive(Debug)]
pub(super) struct Bundle {
    pub(super) path: PathBuf,
    /// As it is written.
    pub(super) text: Vec<u8>,
    pub(super) certificates: Vec<Certificate>,
    pub(super) fingerprints: HashSet<[u8; 32]>,
}

/// The bundle that the configuration means; none if it means none.
pub(super) fn read(wanted: &SystemBundle, output: &Path) -> Result<Option<Bundle>, RootsError> {
    match wanted {
        SystemBundle::None => Ok(None),
        SystemBundle::File(path) => {
            let path = Path::new(path);
            // What was added once would never go away again.
            let is_ours = path.canonicalize().is_ok_and(|it| {
                output
                    .canonicalize()
                    .is_ok_and(|output| it.starts_with(output))
            });
            let bundle = if is_ours {
                Err("it is made by this step, from the system's".to_owned())
            } else {
                bundle_at(path)
            };
            bundle.map(Some).map_err(|reason| RootsError::SystemBundle {
                path: path.to_owned(),
                reason,
            })
        }
        SystemBundle::Search => PLACES
            .iter()
            .find_map(|place| bundle_at(Path::new(place)).ok())
            .map(Some)
            .ok_or_else(|| RootsError::NoSystemBundle {
                places: PLACES.join(", "),
            }),
    }
}

fn bundle_at(path: &Path) -> Result<Bundle, String> {
    let text = read_file(path).map_err(|error| reason(&error))?;
    // What we cannot read stays in the text, for those who can.
    let certificates: Vec<Certificate> = blocks(&text)
        .into_iter()
        .filter_map(|block| Certificate::read(&block.content.ok()?))
        .collect();
    if certificates.is_empty() {
        return Err("there is no certificate in it".to_owned());
    }
    Ok(Bundle {
        path: path.to_owned(),
        text,
        fingerprints: certificates.iter().map(|it| it.fingerprint).collect(),
        certificates,
    })
}
