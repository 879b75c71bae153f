//! Authorities that are trusted besides the system's: a folder of certificates becomes a bundle of all, a file of those
//! alone, a trust store for Java, and the variables through which programs find them.
//!
//! Everything is written into one directory of ours. What is not in the folder any more is not in the files any more;
//! the files themselves stay, because programs that run have been told of them.

mod folder;
mod java;
mod listing;
mod system;
mod trust;
mod variables;

use std::path::{Path, PathBuf};

use linchpin_config::CaRootsConfig;

use crate::pem::encode;
use crate::writing::{Access, Mode, WriteError, Writing, lock, make_directory, remove, write};
use crate::x509::Certificate;

pub use folder::{Found, Verdict};
pub use listing::Listing;
pub use trust::Trust;
pub use variables::Variable;

/// What the step did.
#[derive(Debug)]
pub struct Report {
    /// The folder.
    pub directory: PathBuf,
    /// What is in it.
    pub found: Vec<Found>,
    /// What in it was passed over, with the reason.
    pub passed_over: Vec<(PathBuf, String)>,
    /// The system's bundle and how many certificates it has; none if it does not count.
    pub system: Option<(PathBuf, usize)>,
    /// What became of the files; none of them if there is nothing to trust and never was.
    pub files: Vec<(PathBuf, Outcome)>,
    /// Variables that make programs trust the certificates, with their values.
    pub variables: Vec<Variable>,
    /// Enough to find them for programs that are started with something else.
    pub trust: Trust,
    /// What does not work as it might be expected to.
    pub warnings: Vec<String>,
    /// Nothing was written.
    pub is_dry: bool,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was written, or was right already.
    Written(Writing),
    /// It was removed.
    Removed,
}

/// Why the step could not be done.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// The folder is there and cannot be read.
    #[error("cannot read the folder {}: {reason}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// There is too much in the folder.
    #[error("there are more than {most} {what} in {}", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
        /// Of what.
        what: &'static str,
        /// How many may be.
        most: usize,
    },
    /// The system's own authorities are unknown, and without them programs would trust only those of the folder.
    #[error(
        "none of the usual places has the authorities that the system trusts ({places}); install the package \
         ca-certificates, or write `system_bundle=` with their file, or `system_bundle=none` to trust those of the \
         folder alone, into [ca-roots]"
    )]
    NoSystemBundle {
        /// Where it was looked for.
        places: String,
    },
    /// The bundle of the system that was named cannot be used.
    #[error("cannot use the system bundle {}: {reason}", path.display())]
    SystemBundle {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Something could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Names of the files in our directory.
const BUNDLE: &str = "bundle.pem";
const CUSTOM: &str = "custom.pem";
const JAVA_STORE: &str = "java.p12";
const JAVA_OPTIONS: &str = "java-options";
const ENVIRONMENT: &str = "environment";
const LOCK: &str = ".lock";

/// The files that are made, by what they are called in templates, whether or not they are there.
#[must_use]
pub fn files_of(config: &CaRootsConfig) -> Vec<(&'static str, PathBuf)> {
    let output = Path::new(&config.output);
    let files = [
        ("bundle", BUNDLE),
        ("custom", CUSTOM),
        ("java", JAVA_STORE),
        ("java_options", JAVA_OPTIONS),
        ("environment", ENVIRONMENT),
    ];
    files
        .into_iter()
        .map(|(name, file)| (name, output.join(file)))
        .collect()
}

/// Makes what `[ca-roots]` asks for.
///
/// `environment` is what programs would be started with; `now` is in seconds since 1970.
///
/// # Errors
/// If the folder or the system's bundle cannot be read, or something cannot be written. Certificates that cannot be used
/// are no error.
pub fn make(
    config: &CaRootsConfig,
    environment: &[(String, String)],
    now: i64,
    is_dry: bool,
) -> Result<Report, RootsError> {
    let mode = if is_dry { Mode::Dry } else { Mode::Real };
    let directory = Path::new(&config.directory);
    let output = Path::new(&config.output);
    let (system, folder) = match system::read(&config.system_bundle, output) {
        Ok(system) => {
            let folder = folder::read(directory, now, system.as_ref())?;
            (system, folder)
        }
        Err(error @ RootsError::NoSystemBundle { .. }) => {
            // Nothing is to be added to it, so it does not matter.
            let folder = folder::read(directory, now, None)?;
            if folder.trusted().next().is_some() || output.is_dir() {
                return Err(error);
            }
            (None, folder)
        }
        Err(error) => return Err(error),
    };
    let trusted: Vec<&Certificate> = folder.trusted().collect();
    let everything = bundle(system.as_ref(), &trusted);
    let trust = Trust::new(
        config,
        system.as_ref().map(|it| it.path.as_path()),
        (!trusted.is_empty()).then_some(&everything),
    );
    let mut report = Report {
        directory: directory.to_owned(),
        passed_over: folder.passed_over.clone(),
        system: system
            .as_ref()
            .map(|it| (it.path.clone(), it.certificates.len())),
        files: Vec::new(),
        variables: Vec::new(),
        trust,
        warnings: Vec::new(),
        is_dry,
        found: Vec::new(),
    };
    if !trusted.is_empty() || output.is_dir() {
        make_directory(output, mode)?;
        let _lock = match mode {
            Mode::Real => Some(lock(&output.join(LOCK))?),
            Mode::Dry => None,
        };
        let system = system.as_ref();
        let (variables, warnings) = report.trust.judged(environment);
        let mut put = |name: &str, content: Option<Vec<u8>>| -> Result<(), WriteError> {
            let path = output.join(name);
            let outcome = match content {
                Some(content) => Outcome::Written(write(&path, &content, Access::PUBLIC, mode)?),
                None if remove(&path, mode)? => Outcome::Removed,
                None => return Ok(()),
            };
            report.files.push((path, outcome));
            Ok(())
        };
        put(BUNDLE, Some(everything))?;
        put(CUSTOM, Some(custom(&trusted)))?;
        let system_certificates = system.map_or(&[][..], |it| &it.certificates);
        let is_java = config.java_trust_store;
        put(
            JAVA_STORE,
            is_java.then(|| java::trust_store(system_certificates, &trusted)),
        )?;
        put(
            JAVA_OPTIONS,
            is_java.then(|| variables::java_options_file(output).into_bytes()),
        )?;
        put(
            ENVIRONMENT,
            Some(variables::environment_file(&variables).into_bytes()),
        )?;
        report.variables = variables;
        report.warnings = warnings;
    }
    report.found = folder.found;
    Ok(report)
}

/// All authorities: the system's as they are, then those of the folder.
fn bundle(system: Option<&system::Bundle>, trusted: &[&Certificate]) -> Vec<u8> {
    let mut bundle = Vec::new();
    if let Some(system) = system {
        bundle.extend_from_slice(&system.text);
        if !bundle.ends_with(b"\n") {
            bundle.push(b'\n');
        }
    }
    let added: Vec<&Certificate> = trusted
        .iter()
        .copied()
        .filter(|it| system.is_none_or(|system| !system.fingerprints.contains(&it.fingerprint)))
        .collect();
    bundle.extend(custom(&added));
    bundle
}

/// Those of the folder alone.
fn custom(trusted: &[&Certificate]) -> Vec<u8> {
    let mut text = String::new();
    for certificate in trusted {
        text.push_str("# ");
        text.push_str(&certificate.subject);
        text.push('\n');
        text.push_str(&encode("CERTIFICATE", certificate.der()));
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests;
