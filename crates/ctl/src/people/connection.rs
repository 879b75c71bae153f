//! Finding the daemon, and asking it for documents.

use std::fmt;
use std::time::Duration;

use linchpin_config::{DaemonPlaces, Endpoint, World, find_daemon};
use linchpin_protocol::{Fault, FaultCode, ReadValue, WriteValue, api};
use serde::de::DeserializeOwned;

use super::Trouble;
use super::arguments::Asked;
use crate::error::CommandError;
use crate::run::{path_of, resolve};
use crate::session::Session;

/// Longest silence of a daemon that is asked. Longer than it waits for news.
const LONGEST_SILENCE: Duration = Duration::from_secs(90);

/// Where no daemon was.
#[derive(Debug, Default)]
pub(super) struct Unreachable {
    tried: Vec<(String, String)>,
    file: Option<String>,
}

impl std::error::Error for Unreachable {}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no daemon answers")?;
        for (url, why) in &self.tried {
            write!(f, "\n  {url}: {why}")?;
        }
        match &self.file {
            Some(file) => write!(
                f,
                "\nThese places are from {file}; -c names another file, -s an address."
            ),
            None => f.write_str("\nNo configuration was found; -c names one, -s an address."),
        }
    }
}

/// A daemon that answers.
#[derive(Debug)]
pub(super) struct Daemon {
    session: Session,
}

/// What a configuration says about the daemon.
pub(super) fn places(
    world: &dyn World,
    called: &str,
    asked: &Asked,
) -> Result<DaemonPlaces, Trouble> {
    find_daemon(world, &path_of(world, called), &asked.daemon)
        .map_err(|failure| Trouble::Refused(failure.original_text().to_owned()))
}

impl Daemon {
    /// The first place at which a daemon answers.
    pub(super) fn find(places: &DaemonPlaces) -> Result<Self, Trouble> {
        let mut unreachable = Unreachable {
            tried: Vec::new(),
            file: places.file.clone(),
        };
        for endpoint in &places.endpoints {
            let Endpoint { url, credentials } = endpoint.clone();
            let mut session = Session::at(url.clone(), credentials, resolve)
                .with_longest_silence(LONGEST_SILENCE);
            match session.call::<String>("linchpin.getVersion", &[]) {
                Ok(_) => return Ok(Self { session }),
                Err(error) if error.fault_code() == Some(FaultCode::UnknownMethod) => {
                    return Err(Trouble::Refused(format!(
                        "the daemon at {url} is not Linchpin; supervisorctl can talk to it"
                    )));
                }
                Err(error) => {
                    let why = if let CommandError::Unreachable { what, .. } = &error {
                        (*what).to_owned()
                    } else if error.wants_authentication() {
                        "it wants a user name and a password (-u, -p)".to_owned()
                    } else {
                        error.to_string()
                    };
                    unreachable.tried.push((url, why));
                }
            }
        }
        Err(unreachable.into())
    }

    /// A document.
    pub(super) fn document<T: DeserializeOwned>(
        &mut self,
        method: &str,
        parameters: &[&dyn WriteValue],
    ) -> Result<T, Trouble> {
        let text = self.call::<String>(method, parameters)?;
        api::read(&text).map_err(|error| Trouble::Refused(error.to_string()))
    }

    /// Calls a method.
    pub(super) fn call<'c, T: ReadValue<'c>>(
        &'c mut self,
        method: &str,
        parameters: &[&dyn WriteValue],
    ) -> Result<T, Trouble> {
        self.session
            .call(method, parameters)
            .map_err(|error| match error.fault() {
                Some(fault) => refusal(fault),
                None => Trouble::Refused(error.to_string()),
            })
    }
}

/// A fault for people: what it is about, and not that it is a fault.
fn refusal(fault: &Fault) -> Trouble {
    let about = fault.text.split_once(": ").map(|(_, about)| about);
    let about = about.unwrap_or(&fault.text);
    match fault.kind() {
        Some(FaultCode::BadName) => Trouble::NoSuchName(about.to_owned()),
        Some(FaultCode::NotRunning) => Trouble::Refused("it does not run".to_owned()),
        _ => Trouble::Refused(about.to_owned()),
    }
}
