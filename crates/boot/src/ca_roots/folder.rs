//! The folder: which files count, what is in them, and which of it is trusted.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::RootsError;
use super::system::Bundle;
use crate::date::day_of;
use crate::pem::{Block, blocks};
use crate::reading::{read as read_file, reason};
use crate::x509::Certificate;

/// Most files that are looked at, and most certificates that are taken from them.
const MOST_FILES: usize = 1_000;
const MOST_CERTIFICATES: usize = 2_000;

/// Ends of names of files that count.
const ENDINGS: [&str; 4] = ["crt", "pem", "cer", "der"];

/// Labels under which certificates stand.
const LABELS: [&str; 3] = ["CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE"];

/// Something in a file of the folder.
#[derive(Debug)]
pub struct Found {
    /// The file.
    pub file: PathBuf,
    /// Line on which it begins; none if the file has no lines, or is meant as a whole.
    pub line: Option<usize>,
    /// The certificate, if it is one.
    pub certificate: Option<Certificate>,
    /// What becomes of it.
    pub verdict: Verdict,
}

/// What becomes of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is trusted.
    Trusted,
    /// It is trusted, and something about it should be known.
    TrustedBut(String),
    /// It is trusted already.
    Duplicate(String),
    /// It is not trusted.
    LeftOut(String),
}

/// What the folder holds.
#[derive(Debug, Default)]
pub(super) struct Folder {
    pub(super) found: Vec<Found>,
    pub(super) passed_over: Vec<(PathBuf, String)>,
}

impl Folder {
    /// The certificates that are trusted.
    pub(super) fn trusted(&self) -> impl Iterator<Item = &Certificate> {
        self.found.iter().filter_map(|found| {
            let is_trusted = matches!(found.verdict, Verdict::Trusted | Verdict::TrustedBut(_));
            found.certificate.as_ref().filter(|_| is_trusted)
        })
    }
}

/// Looks at everything in a folder. That there is none is fine.
pub(super) fn read(
    directory: &Path,
    now: i64,
    system: Option<&Bundle>,
) -> Result<Folder, RootsError> {
    let mut folder = Folder::default();
    let mut known: HashMap<[u8; 32], String> = HashMap::new();
    let is_of_system = |certificate: &Certificate| {
        system.is_some_and(|it| it.fingerprints.contains(&certificate.fingerprint))
    };
    for file in files(directory, &mut folder)? {
        let start = folder.found.len();
        look(&file, &mut folder);
        for found in &mut folder.found[start..] {
            if found.verdict != Verdict::Trusted {
                continue;
            }
            let Some(certificate) = &found.certificate else {
                continue;
            };
            found.verdict = match known.get(&certificate.fingerprint) {
                Some(place) => Verdict::Duplicate(place.clone()),
                None => judge(certificate, now),
            };
            // Not every program looks at what the system trusts: Node.js does not.
            if found.verdict == Verdict::Trusted && is_of_system(certificate) {
                found.verdict = Verdict::TrustedBut("the system trusts it already".to_owned());
            }
            if matches!(found.verdict, Verdict::Trusted | Verdict::TrustedBut(_)) {
                known.insert(certificate.fingerprint, place(&found.file, found.line));
            }
        }
        if folder.found.len() > MOST_CERTIFICATES {
            return Err(RootsError::TooMany {
                path: directory.to_owned(),
                what: "certificates",
                most: MOST_CERTIFICATES,
            });
        }
    }
    Ok(folder)
}

/// A place for people.
fn place(file: &Path, line: Option<usize>) -> String {
    match line {
        Some(line) => format!("{}:{line}", file.display()),
        None => file.display().to_string(),
    }
}

/// Files whose names say that they count, in the order of their names.
fn files(directory: &Path, folder: &mut Folder) -> Result<Vec<PathBuf>, RootsError> {
    let failed = |error: io::Error| RootsError::Folder {
        path: directory.to_owned(),
        reason: reason(&error),
    };
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Hidden ones are the business of others: Kubernetes keeps the versions of a mount in them.
        if name.starts_with('.') {
            continue;
        }
        let ending = path
            .extension()
            .map(|it| it.to_string_lossy().to_lowercase());
        if ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) {
            files.push(path);
        } else if path.is_dir() {
            let why = "it is a directory, and only files count".to_owned();
            folder.passed_over.push((path, why));
        } else {
            let why = "its name does not end with .crt, .pem, .cer or .der".to_owned();
            folder.passed_over.push((path, why));
        }
        if files.len() + folder.passed_over.len() > MOST_FILES {
            return Err(RootsError::TooMany {
                path: directory.to_owned(),
                what: "files",
                most: MOST_FILES,
            });
        }
    }
    files.sort();
    folder.passed_over.sort();
    Ok(files)
}

/// Adds what is in a file. What can be read counts as trusted until it is judged.
fn look(file: &Path, folder: &mut Folder) {
    let mut add = |line, certificate, verdict| {
        folder.found.push(Found {
            file: file.to_owned(),
            line,
            certificate,
            verdict,
        });
    };
    let left_out = |text: &str| Verdict::LeftOut(text.to_owned());
    let bytes = match read_file(file) {
        Ok(bytes) => bytes,
        Err(error) => {
            let is_link = fs::symlink_metadata(file).is_ok_and(|it| it.is_symlink());
            let text = match (is_link, error.kind()) {
                (true, io::ErrorKind::NotFound) => "the link leads to nothing".to_owned(),
                _ => format!("it cannot be read: {}", reason(&error)),
            };
            return add(None, None, left_out(&text));
        }
    };
    let blocks = blocks(&bytes);
    if blocks.is_empty() {
        return match Certificate::read(&bytes) {
            Some(certificate) => add(None, Some(certificate), Verdict::Trusted),
            None if bytes.is_empty() => add(None, None, left_out("the file is empty")),
            None => add(
                None,
                None,
                left_out("there is no certificate in it, neither as PEM nor as DER"),
            ),
        };
    }
    for block in blocks {
        let (certificate, verdict) = read_block(&block);
        add(Some(block.line), certificate, verdict);
    }
}

fn read_block(block: &Block) -> (Option<Certificate>, Verdict) {
    let left_out = |text: String| (None, Verdict::LeftOut(text));
    if block.label.ends_with("PRIVATE KEY") {
        return left_out(
            "this is a private key, which does not belong here: move it away".to_owned(),
        );
    }
    if block.label == "PKCS7" || block.label == "CMS" {
        return left_out(
            "this is PKCS#7: write its certificates as PEM with `openssl pkcs7 -print_certs -in FILE`"
                .to_owned(),
        );
    }
    if !LABELS.contains(&block.label.as_str()) {
        return left_out(format!(
            "this is no certificate but `{}`",
            block.label.escape_debug()
        ));
    }
    match &block.content {
        Err(damage) => left_out(format!("this certificate cannot be read: {damage}")),
        Ok(content) => match Certificate::read(content) {
            Some(certificate) => (Some(certificate), Verdict::Trusted),
            None => left_out("this certificate cannot be read: it is damaged".to_owned()),
        },
    }
}

/// Whether a certificate is one that programs can be told to trust.
fn judge(certificate: &Certificate, now: i64) -> Verdict {
    if certificate.not_after < now {
        // Java does not look at the dates of what it is told to trust.
        return Verdict::LeftOut(format!("it expired on {}", day_of(certificate.not_after)));
    }
    if !certificate.is_authority && !certificate.is_self_issued() {
        return Verdict::LeftOut(format!(
            "it is not the certificate of an authority: put that of its issuer here ({})",
            certificate.issuer
        ));
    }
    let remark = if !certificate.is_authority {
        "it is not an authority: only the one server that has it is trusted"
    } else if certificate.not_before > now {
        "it does not count yet"
    } else if !certificate.is_self_issued() {
        "it is not a root: some programs trust it only if its root is here too"
    } else if certificate.key.is_too_small() {
        "its key is so small that many programs refuse it"
    } else {
        return Verdict::Trusted;
    };
    Verdict::TrustedBut(remark.to_owned())
}
