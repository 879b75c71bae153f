//! Reads `[linchpin]`.

use super::own::{Mistake, OwnReader};
use super::values::{boolean, bytes, count, duration, file};
use crate::findings::Findings;
use crate::load::Context;
use crate::names::EnvironmentNames;
use crate::options::linchpin as options;
use crate::service::LinchpinConfig;

/// What the section says.
#[derive(Debug)]
pub(crate) struct LinchpinSection {
    /// Whether options of ours count anywhere.
    pub(crate) extensions: bool,
    /// The section; none if there is none, or if it does not count.
    pub(crate) config: Option<LinchpinConfig>,
}

/// Reads the section. The service of `exit_code_from` is as written.
pub(crate) fn linchpin(
    context: Context<'_>,
    environment: &EnvironmentNames,
    findings: &mut Findings,
) -> LinchpinSection {
    let Some(section) = context.document.section("linchpin") else {
        return LinchpinSection {
            extensions: true,
            config: None,
        };
    };
    let mut reader = context.reader(section, environment, findings);
    let mut own = OwnReader {
        reader: &mut reader,
    };
    let world = context.world;
    let path = |text: &str| Ok(file(world, text));
    let extensions = own.value(&options::EXTENSIONS, boolean).unwrap_or(true);
    if !extensions {
        return LinchpinSection {
            extensions,
            config: None,
        };
    }
    let config = LinchpinConfig {
        socket: own.if_written(&options::CONTROL_SOCKET, path).flatten(),
        state_directory: own.if_written(&options::STATE_DIRECTORY, path).flatten(),
        run_directory: own.if_written(&options::RUN_DIRECTORY, path).flatten(),
        directories: own.lines(&options::DIRECTORIES, |line| {
            file(world, &line.text).ok_or_else(|| Mistake::new("a path is missing"))
        }),
        history_maxbytes: own
            .value(&options::HISTORY_MAXBYTES, bytes)
            .unwrap_or_default(),
        shutdown_timeout: own
            .value(&options::SHUTDOWN_TIMEOUT, duration)
            .unwrap_or_default(),
        exit_code_from: own
            .if_written(&options::EXIT_CODE_FROM, |text| {
                Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
            })
            .flatten(),
        settings_file: own.if_written(&options::SETTINGS_FILE, path).flatten(),
        settings_history: own
            .value(&options::SETTINGS_HISTORY, count)
            .unwrap_or_default(),
        passwd_entry: own.if_written(&options::PASSWD_ENTRY, boolean),
        proxy_variables: own.if_written(&options::PROXY_VARIABLES, boolean),
    };
    LinchpinSection {
        extensions,
        config: Some(config),
    }
}
