//! Certificates of servers: what is provided is checked and passed on, and where nothing is provided one can be made.
//!
//! The order is: what is provided; what was provided before and still counts; one signed by an authority of our own, where
//! that is asked for; none. A web server that gets its certificates by itself (ACME) takes over where there is none.
//!
//! A server is given copies under a path that stays the same, `current/` in our directory. Certificate and key change
//! there at once, because the directory does, so a server never finds two that do not belong together. The copy is also
//! what remains when somebody breaks what they provide. Files of others are never written to.

mod authority;
mod chain;
mod listing;
mod names;
mod private_key;
mod provided;
mod self_signed;
mod store;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use linchpin_config::{CertificateConfig, HostName};

use crate::writing::{Mode, WriteError, Writing, lock, make_directory};
use crate::x509::Certificate;
use provided::Pair;
use store::{Source, Store};

pub use listing::Listing;
pub(crate) use store::KEY;

/// Where a certificate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It is provided.
    Provided,
    /// It was provided before; what is provided now cannot be used.
    Previous,
    /// Our own authority signed it.
    SelfSigned,
    /// There is none.
    None,
}

/// What came of one `[certificate:NAME]`.
#[derive(Debug)]
pub struct Report {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub origin: Origin,
    /// The server's certificate; none if there is none, or a dry run would make one.
    pub certificate: Option<Certificate>,
    /// When the first of its chain ends, in seconds since 1970.
    pub until: Option<i64>,
    /// The files for the server, and what became of them; none if there is no certificate.
    pub files: Option<(Files, Writing)>,
    /// The files that there were have been removed.
    pub is_removed: bool,
    /// Why what is provided is not used.
    pub refusals: Vec<String>,
    /// What is there and cannot be used, instead of not being there.
    pub is_broken: bool,
    /// Why one was made, and what else is good to know.
    pub remarks: Vec<String>,
    /// What works now and should be seen to.
    pub warnings: Vec<String>,
    /// Certificate of our own authority, which clients have to trust.
    pub authority: Option<PathBuf>,
    /// Nothing was written.
    pub is_dry: bool,
}

/// Files for a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate and those that lead to its root.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl Report {
    /// Whether somebody provides a certificate, and yet there is none.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.origin == Origin::None && self.is_broken
    }
}

/// Why the step could not be done.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The authority of our own cannot be used.
    #[error(
        "the authority of our own in {} cannot be used: {reason}; remove the file to have a new one made, which clients \
         have to be told to trust", path.display()
    )]
    Authority {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Whether there is an authority of our own cannot be told.
    #[error("the authority of our own in {} cannot be read: {reason}", path.display())]
    AuthorityUnreadable {
        /// Its file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A certificate could not be made.
    #[error("a certificate cannot be made: {0}")]
    Making(String),
    /// Something could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// The files that a server is given, whether or not they are there.
#[must_use]
pub fn files_of(config: &CertificateConfig) -> Files {
    Store::new(Path::new(&config.output), config.owner, Mode::Dry).files()
}

/// The certificate of the authority of our own, whether or not it is there.
#[must_use]
pub fn authority_of(config: &CertificateConfig) -> PathBuf {
    authority::certificate_in(Path::new(&config.authority))
}

/// Sees to it that there is a certificate, as a `[certificate:NAME]` asks for it; `now` is in seconds since 1970.
///
/// # Errors
/// If something of ours cannot be read, made or written. What is wrong with provided files is told in the report.
pub fn make(
    config: &CertificateConfig,
    now: i64,
    is_dry: bool,
) -> Result<Report, CertificateError> {
    let mode = if is_dry { Mode::Dry } else { Mode::Real };
    let store = Store::new(Path::new(&config.output), config.owner, mode);
    let _lock = match mode {
        Mode::Real => {
            let directory = store.directory().parent().unwrap_or(store.directory());
            make_directory(directory, mode)?;
            lock(&directory.join(".lock"))?
        }
        Mode::Dry => None,
    };
    let mut report = Report {
        name: config.name.clone(),
        origin: Origin::None,
        certificate: None,
        until: None,
        files: None,
        is_removed: false,
        refusals: Vec::new(),
        is_broken: false,
        remarks: Vec::new(),
        warnings: Vec::new(),
        authority: None,
        is_dry,
    };
    if let Some(files) = &config.provided {
        let files = Files {
            certificate: PathBuf::from(&files.certificate),
            key: PathBuf::from(&files.key),
        };
        match provided::examine(&files, &config.names, now) {
            Ok(pair) => {
                warn_of_end(config, &pair, now, &mut report);
                install(
                    &store,
                    pair,
                    Source::Provided,
                    Origin::Provided,
                    &mut report,
                )?;
                return Ok(report);
            }
            Err(reasons) => report.refusals = reasons,
        }
        let presence = provided::presence(&files);
        report.is_broken = presence.is_there;
        if presence.is_removed {
            // Somebody took the files away, perhaps because the key is known to others: our copy goes too.
        } else if let Some(pair) = previous(&store, &config.names, now) {
            warn_of_end(config, &pair, now, &mut report);
            install(
                &store,
                pair,
                Source::Provided,
                Origin::Previous,
                &mut report,
            )?;
            return Ok(report);
        }
    }
    if config.self_signed {
        self_signed::make(config, &store, now, &mut report)?;
        return Ok(report);
    }
    report.is_removed = store.clear()?;
    Ok(report)
}

/// What was provided before, if it can still be used.
fn previous(store: &Store, names: &[HostName], now: i64) -> Option<Pair> {
    (store.source() == Some(Source::Provided))
        .then(|| provided::examine(&store.files(), names, now).ok())
        .flatten()
}

fn install(
    store: &Store,
    pair: Pair,
    source: Source,
    origin: Origin,
    report: &mut Report,
) -> Result<(), CertificateError> {
    let writing = store.install(&pair.chain_text(), &pair.key.text(), source)?;
    report.origin = origin;
    report.files = Some((store.files(), writing));
    report.warnings.extend(pair.warnings);
    report.until = pair.chain.iter().map(|it| it.not_after).min();
    report.certificate = pair.chain.into_iter().next();
    Ok(())
}

fn warn_of_end(config: &CertificateConfig, pair: &Pair, now: i64, report: &mut Report) {
    // The first that ends ends them all.
    let days = pair.chain.iter().map(|it| it.days_left(now)).min();
    if let Some(days) = days
        && days < i64::from(config.warn_days)
    {
        report
            .warnings
            .push(format!("it ends in {days} days: provide a new one"));
    }
}
