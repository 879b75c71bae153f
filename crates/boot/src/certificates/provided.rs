//! Checks a certificate with its key, before a server is given them.

use std::path::Path;

use linchpin_config::HostName;

use super::Files;
use super::chain::{Chain, order};
use super::names::{covers, joined, names_of};
use super::private_key::{self, PrivateKey};
use crate::date::day_of;
use crate::pem::{blocks, encode};
use crate::reading::{read as read_file, reason};
use crate::x509::Certificate;

/// Most certificates of a chain.
const MOST_CERTIFICATES: usize = 50;

/// A certificate and its key, which belong together and can be used now.
#[derive(Debug)]
pub(super) struct Pair {
    /// The server's first; never empty.
    pub(super) chain: Vec<Certificate>,
    pub(super) key: PrivateKey,
    pub(super) warnings: Vec<String>,
}

impl Pair {
    /// The chain as PEM.
    pub(super) fn chain_text(&self) -> String {
        self.chain
            .iter()
            .map(|certificate| encode("CERTIFICATE", certificate.der()))
            .collect()
    }
}

/// Whether the files are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Presence {
    /// At least one of them.
    pub(super) is_there: bool,
    /// Neither is, but their directory. Without the directory a volume may only be late.
    pub(super) is_removed: bool,
}

pub(super) fn presence(files: &Files) -> Presence {
    // A link that leads nowhere is there.
    let is_there = |path: &Path| path.symlink_metadata().is_ok();
    let is_any = is_there(&files.certificate) || is_there(&files.key);
    let directory = files.certificate.parent();
    Presence {
        is_there: is_any,
        is_removed: !is_any && directory.is_some_and(Path::is_dir),
    }
}

/// A pair that can be used, or everything that is wrong with it.
pub(super) fn examine(files: &Files, names: &[HostName], now: i64) -> Result<Pair, Vec<String>> {
    let certificates = certificates(&files.certificate);
    let key = private_key::read(&files.key);
    let (certificates, key) = match (certificates, key) {
        (Ok(certificates), Ok(key)) => (certificates, key),
        (certificates, key) => {
            return Err([certificates.err(), key.err()]
                .into_iter()
                .flatten()
                .collect());
        }
    };
    let mut warnings = Vec::new();
    let first = server_certificate(files, &certificates, &key, &mut warnings)
        .map_err(|reason| vec![reason])?;
    let mut problems = Vec::new();
    let chain = match order(certificates, first) {
        Ok(Chain {
            certificates,
            warnings: of_chain,
        }) => {
            warnings.extend(of_chain);
            certificates
        }
        Err(reasons) => return Err(reasons),
    };
    for certificate in &chain {
        dates(certificate, now, &mut problems);
        strength(certificate, &mut warnings);
    }
    if let Some(server) = chain.first() {
        are_covered(server, names, &mut problems, &mut warnings);
    }
    if problems.is_empty() {
        Ok(Pair {
            chain,
            key,
            warnings,
        })
    } else {
        Err(problems)
    }
}

/// The certificates in a file.
fn certificates(path: &Path) -> Result<Vec<Certificate>, String> {
    let file = path.display();
    let bytes = read_file(path)
        .map_err(|error| format!("the certificate {file} cannot be read: {}", reason(&error)))?;
    let blocks = blocks(&bytes);
    if blocks.is_empty()
        && let Some(certificate) = Certificate::read(&bytes)
    {
        return Ok(vec![certificate]);
    }
    let mut certificates = Vec::new();
    for block in blocks {
        if !block.label.ends_with("CERTIFICATE") {
            continue;
        }
        let line = block.line;
        let damaged =
            |why: &str| format!("the certificate in {file} (line {line}) is damaged: {why}");
        let content = block
            .content
            .map_err(|damage| damaged(&damage.to_string()))?;
        let certificate = Certificate::read(&content).ok_or_else(|| damaged("it is not X.509"))?;
        certificates.push(certificate);
    }
    if certificates.is_empty() {
        return Err(format!("there is no certificate in {file}"));
    }
    if certificates.len() > MOST_CERTIFICATES {
        return Err(format!(
            "there are more than {MOST_CERTIFICATES} certificates in {file}"
        ));
    }
    Ok(certificates)
}

/// Position of the certificate that the key belongs to.
fn server_certificate(
    files: &Files,
    certificates: &[Certificate],
    key: &PrivateKey,
    warnings: &mut Vec<String>,
) -> Result<usize, String> {
    let file = files.key.display();
    let first = certificates
        .first()
        .ok_or_else(|| "there is no certificate".to_owned())?;
    let Some(public) = &key.public else {
        if first.key.is_supported() {
            return Err(format!(
                "the key {file} is damaged, or of another kind than that of the certificate"
            ));
        }
        warnings.push(format!(
            "whether the key {file} belongs to the certificate cannot be checked here: its kind is not known"
        ));
        return Ok(0);
    };
    certificates
        .iter()
        .position(|certificate| certificate.public_key == *public)
        .ok_or_else(|| {
            format!(
                "the key {file} does not belong to the certificate {} ({})",
                files.certificate.display(),
                first.subject
            )
        })
}

fn dates(certificate: &Certificate, now: i64, problems: &mut Vec<String>) {
    let subject = &certificate.subject;
    if certificate.not_after < now {
        let day = day_of(certificate.not_after);
        problems.push(format!("{subject} expired on {day}"));
    } else if certificate.not_before > now {
        let day = day_of(certificate.not_before);
        problems.push(format!(
            "{subject} does not count before {day}; see that the clock is right"
        ));
    }
}

/// What many clients refuse.
fn strength(certificate: &Certificate, warnings: &mut Vec<String>) {
    let subject = &certificate.subject;
    if certificate.key.is_too_small() {
        warnings.push(format!(
            "the key of {subject} is smaller than clients accept (2048 bits)"
        ));
    }
    // Nobody looks at how a root signed itself.
    if certificate.has_weak_signature && !certificate.is_self_issued() {
        warnings.push(format!(
            "{subject} is signed with SHA-1 or MD5, which clients refuse"
        ));
    }
}

/// One that is for none of the names is of no use; one for some of them is better than another that nobody knows.
fn are_covered(
    server: &Certificate,
    names: &[HostName],
    problems: &mut Vec<String>,
    warnings: &mut Vec<String>,
) {
    let lacking: Vec<&HostName> = names.iter().filter(|name| !covers(server, name)).collect();
    if lacking.is_empty() {
        return;
    }
    let text = format!(
        "it is not for {}, but for {}",
        joined(lacking.iter().copied()),
        names_of(server)
    );
    if lacking.len() == names.len() {
        problems.push(text);
    } else {
        warnings.push(text);
    }
}
