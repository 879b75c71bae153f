//! What is made before the programs run, as plain data.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::file_pattern::is_match;

/// Variables through which programs learn what to trust, in the order in which they are told.
pub const TRUST_VARIABLES: [&str; 7] = [
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
    "JAVA_TOOL_OPTIONS",
];

/// All sections about the time before the programs run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootConfig {
    /// `[ca-roots]`
    pub ca_roots: Option<CaRootsConfig>,
    /// `[certificate:x]`, by name.
    pub certificates: Vec<CertificateConfig>,
    /// `[template:x]`, by name.
    pub templates: Vec<TemplateConfig>,
    /// `[preflight:x]`, by name.
    pub preflights: Vec<PreflightConfig>,
    /// Sections that are switched off.
    pub off: Vec<StepOff>,
}

impl BootConfig {
    /// Whether there is nothing to make.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ca_roots.is_none()
            && self.certificates.is_empty()
            && self.templates.is_empty()
            && self.preflights.is_empty()
            && self.off.is_empty()
    }

    /// Whether a section says how something must be, also if it is switched off.
    #[must_use]
    pub fn has_preflights(&self) -> bool {
        !self.preflights.is_empty() || self.is_off("preflight:")
    }

    /// Whether something is made of a template, also if that is switched off.
    #[must_use]
    pub fn has_templates(&self) -> bool {
        !self.templates.is_empty() || self.is_off("template:")
    }

    fn is_off(&self, prefix: &str) -> bool {
        let mut off = self.off.iter();
        off.any(|off| off.section.starts_with(prefix))
    }

    /// Each section with what it says about its failure.
    pub fn policies(&self) -> impl Iterator<Item = (String, &StepPolicy)> {
        let roots = self.ca_roots.iter();
        let roots = roots.map(|roots| ("ca-roots".to_owned(), &roots.policy));
        let certificates = self.certificates.iter();
        let certificates = certificates.map(|it| (format!("certificate:{}", it.name), &it.policy));
        let templates = self.templates.iter();
        let templates = templates.map(|it| (format!("template:{}", it.name), &it.policy));
        let preflights = self.preflights.iter();
        let preflights = preflights.map(|it| (format!("preflight:{}", it.name), &it.policy));
        preflights.chain(roots).chain(certificates).chain(templates)
    }
}

/// What follows when a step of the boot cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// The boot ends there, and nothing is started.
    Fatal,
    /// It is told, and the boot goes on.
    Warn,
    /// It is told, the boot goes on, and the services that need it are left out.
    Skip,
}

impl OnFailure {
    /// As `on_failure=` has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fatal => "fatal",
            Self::Warn => "warn",
            Self::Skip => "skip",
        }
    }
}

/// What the rest of the file says about a section of the boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepPolicy {
    /// What follows when it cannot be done.
    pub on_failure: OnFailure,
    /// The services that need it, as written: `group`, `process` or `group:process`.
    pub services: Vec<String>,
    /// How often it is tried again.
    pub retries: u32,
    /// How long to wait before that.
    pub retry_delay: Duration,
}

impl StepPolicy {
    /// Without services, and tried once.
    #[must_use]
    pub const fn on_failure(on_failure: OnFailure) -> Self {
        Self {
            on_failure,
            services: Vec::new(),
            retries: 0,
            retry_delay: Duration::ZERO,
        }
    }
}

/// A section that its `enabled` has switched off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepOff {
    /// The section, such as `template:caddy`.
    pub section: String,
    /// Its condition.
    pub condition: String,
}

/// `[preflight:x]`: what must be true before anything is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreflightConfig {
    /// Its name.
    pub name: String,
    /// What the processor must be able to do.
    pub processor: Vec<String>,
    /// Sizes of a page of memory that will do, in bytes; any, if there are none.
    pub page_sizes: Vec<u64>,
    /// Paths, and how many bytes must be free there.
    pub free_space: Vec<(String, u64)>,
    /// Directories in which the daemon must be able to write.
    pub writable: Vec<String>,
    /// Paths, and the user and group to whom each must belong.
    pub owned_by: Vec<(String, (u32, Option<u32>))>,
    /// Files whose first word is a version, and the versions that will do.
    pub data_versions: Vec<(String, Vec<String>)>,
    /// Command that looks at something else.
    pub command: Option<String>,
    /// How long that may take.
    pub timeout: Duration,
    /// What a person can do.
    pub remedy: Option<String>,
    /// What follows when it is not so.
    pub policy: StepPolicy,
}

/// `[ca-roots]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaRootsConfig {
    /// Folder with the certificates.
    pub directory: String,
    /// Directory into which everything is written.
    pub output: String,
    /// What they are added to.
    pub system_bundle: SystemBundle,
    /// Whether a trust store for Java is made.
    pub java_trust_store: bool,
    /// Variables to set, out of [`TRUST_VARIABLES`] and in their order.
    pub variables: Vec<String>,
    /// What follows when it cannot be done.
    pub policy: StepPolicy,
}

/// Where the authorities are that the system trusts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SystemBundle {
    /// At one of the usual places.
    Search,
    /// In this file.
    File(String),
    /// They do not count.
    None,
}

/// `[certificate:x]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateConfig {
    /// Its name.
    pub name: String,
    /// What somebody provides.
    pub provided: Option<ProvidedCertificate>,
    /// Under which names clients come.
    pub names: Vec<HostName>,
    /// Whether one is made where nothing is provided.
    pub self_signed: bool,
    /// From how many days before its end it is warned of.
    pub warn_days: u32,
    /// Who may read the key: user and group.
    pub owner: Option<(u32, Option<u32>)>,
    /// Directory of what a server is given.
    pub output: String,
    /// Directory of the authority of our own.
    pub authority: String,
    /// What follows when it cannot be done, and whom a new one concerns.
    pub policy: StepPolicy,
}

/// Files that somebody provides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvidedCertificate {
    /// The certificate and those that lead to its root.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

/// Under what clients reach a server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HostName {
    /// A name of the DNS, in lower case; its first label may be `*`.
    Dns(String),
    /// An address.
    Address(IpAddr),
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

/// `[template:x]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateConfig {
    /// Its name.
    pub name: String,
    /// The template, or a folder of them.
    pub source: String,
    /// The file, or the folder of files.
    pub target: String,
    /// Which files of a folder are templates.
    pub pattern: NamePatterns,
    /// Mode of what is made.
    pub mode: u32,
    /// To whom it belongs: user and group.
    pub owner: Option<(u32, Option<u32>)>,
    /// Command that judges it, with `{file}` for the new file.
    pub validate: Option<String>,
    /// How long that may take.
    pub validate_timeout: Duration,
    /// What the services of `policy` need when it has changed.
    pub on_change: OnChange,
    /// Who reads what is made, and what follows when it cannot be made.
    pub policy: StepPolicy,
    /// Directory in which what was there before is kept.
    pub kept: String,
}

/// What services need when a file of theirs has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnChange {
    /// That they read it again.
    Reload,
    /// A new start.
    Restart,
    /// Nothing.
    Nothing,
}

/// Patterns of names of files, with blanks between them, as `[include]` has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamePatterns(pub String);

impl NamePatterns {
    /// Whether one of them fits a name. A leading dot is only matched by a pattern that has one.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.0.split_whitespace().any(|pattern| {
            name.starts_with('.') <= pattern.starts_with('.') && is_match(pattern, name)
        })
    }
}
