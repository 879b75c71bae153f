//! What a file says about the settings of its product. Plain data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The settings that a configuration declares, and where their values are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SettingsConfig {
    /// The settings file, absolute; none keeps no values.
    pub file: Option<String>,
    /// How many previous versions of it are kept.
    pub history: u32,
    /// The settings, in the order in which the file has them.
    pub declared: Vec<SettingConfig>,
}

impl SettingsConfig {
    /// A setting by its name, or by one that it had before.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&SettingConfig> {
        let mut declared = self.declared.iter();
        declared.find(|setting| setting.name == name).or_else(|| {
            let had = |setting: &&SettingConfig| setting.former_names.iter().any(|had| had == name);
            self.declared.iter().find(had)
        })
    }
}

/// `[setting:NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingConfig {
    /// The variable.
    pub name: String,
    /// What its value must be.
    pub value_type: SettingType,
    /// Its value is shown to nobody.
    pub is_secret: bool,
    /// Its value where nothing else says one.
    pub default: Option<String>,
    /// It must have a value that is not empty.
    pub is_required: bool,
    /// Heading under which people find it; empty is none.
    pub group: String,
    /// What people call it.
    pub label: String,
    /// What it is for.
    pub help: String,
    /// Regular expression that the whole value must match, as written.
    pub pattern: Option<String>,
    /// Command that judges a new value.
    pub validation: Option<Validation>,
    /// Names that it had before.
    pub former_names: Vec<String>,
    /// Set of settings that it is nothing without.
    pub together: Option<String>,
    /// What must be restarted when it changes.
    pub services: Vec<String>,
    /// How a value is made where nobody has supplied one.
    pub generate: Option<Generate>,
}

/// What the value of a setting must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SettingType {
    /// Any text in one line.
    String,
    /// The same, and nobody is shown it.
    Secret,
    /// Yes or no.
    Boolean,
    /// A whole number.
    Integer {
        /// The least.
        min: Option<i64>,
        /// The greatest.
        max: Option<i64>,
    },
    /// A port from 1.
    Port,
    /// A URL.
    Url {
        /// Its schemes in lower case; empty is any.
        schemes: Vec<String>,
    },
    /// An address of electronic mail.
    Email,
    /// A length of time.
    Duration,
    /// One of some words.
    Enum {
        /// The words.
        choices: Vec<String>,
    },
    /// An absolute path.
    Path,
}

impl SettingType {
    /// As `type=` has it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Secret => "secret",
            Self::Boolean => "bool",
            Self::Integer { .. } => "integer",
            Self::Port => "port",
            Self::Url { .. } => "url",
            Self::Email => "email",
            Self::Duration => "duration",
            Self::Enum { .. } => "enum",
            Self::Path => "path",
        }
    }
}

/// A command that judges a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// The command line, which can be split into words.
    pub command: String,
    /// How long it may take.
    pub timeout: Duration,
}

/// How a secret is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generate {
    /// How random numbers become text.
    pub encoding: Encoding,
    /// Characters of a text, or random bytes of the other encodings.
    pub length: u32,
}

/// How random numbers become text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// Each character is one of these, which are ASCII and differ.
    Text(String),
    /// Two digits for each byte.
    Hex,
    /// Base 64 with padding.
    Base64,
    /// Base 64 for URLs and names of files, without padding.
    Base64Url,
}

impl Generate {
    /// How many bits whoever guesses does not know.
    #[must_use]
    pub fn bits(&self) -> u32 {
        let each = match &self.encoding {
            // Rounded down, which is on the safe side.
            Encoding::Text(alphabet) => {
                let of_ten = (alphabet.len().max(1) as u128).saturating_pow(10);
                return self.length.saturating_mul(of_ten.ilog2()) / 10;
            }
            Encoding::Hex | Encoding::Base64 | Encoding::Base64Url => 8,
        };
        self.length.saturating_mul(each)
    }
}
