//! What a start is given to announce something by. Made on a spawner thread.

use std::ffi::OsString;
use std::io;
use std::os::fd::{OwnedFd, RawFd};

use linchpin_config::{Checks, ProbeKind, ProcessConfig, ServiceConfig};
use linchpin_core::{Check, CheckPurpose};
use linchpin_log::{LinePatterns, PatternError};
use linchpin_sys::pipe::{NonBlocking, Pipe};
use linchpin_sys::sockets::NotifySocket;

/// Our ends, and whom the process runs as.
#[derive(Debug, Default)]
pub(crate) struct Ears {
    /// Its notification socket.
    pub(crate) socket: Option<OwnedFd>,
    /// Pipes on which it writes a newline when it is ready.
    pub(crate) pipes: Vec<(Check, OwnedFd)>,
    pub(crate) uid: u32,
}

/// The process's ends.
#[derive(Debug, Default)]
pub(crate) struct Mouths {
    /// For its environment.
    pub(crate) variables: Vec<(OsString, OsString)>,
    /// Further descriptors.
    pub(crate) descriptors: Vec<(RawFd, OwnedFd)>,
}

/// Makes both; nothing for a service that is asked about everything.
///
/// # Errors
/// If there is no descriptor left.
pub(crate) fn open(config: &ProcessConfig) -> io::Result<(Ears, Mouths)> {
    let mut ears = Ears {
        uid: config
            .uid
            .unwrap_or_else(|| rustix::process::geteuid().as_raw()),
        ..Ears::default()
    };
    let mut mouths = Mouths::default();
    let Some(service) = &config.service else {
        return Ok((ears, mouths));
    };
    let notifies = |checks: &Option<Checks>| {
        let probes = checks.iter().flat_map(|checks| &checks.probes);
        probes
            .into_iter()
            .any(|probe| probe.kind == ProbeKind::Notify)
    };
    let is_watched = notifies(&service.liveness);
    if is_watched || notifies(&service.readiness) {
        let NotifySocket { socket, address } = NotifySocket::new()?;
        ears.socket = Some(socket);
        mouths
            .variables
            .push(("NOTIFY_SOCKET".into(), address.into()));
    }
    if is_watched && let Some(time) = watchdog_microseconds(service) {
        // Without WATCHDOG_PID, which would have to be the process id of whoever is to send: a shell that runs the
        // service without replacing itself would make it silent. Clients take the absence as "you are meant".
        let time = time.to_string();
        mouths.variables.push(("WATCHDOG_USEC".into(), time.into()));
    }
    let readiness = service.readiness.iter().flat_map(|checks| &checks.probes);
    for (index, probe) in (0..).zip(readiness) {
        if let ProbeKind::Descriptor(number) = probe.kind {
            let Pipe { reader, writer } = Pipe::new(NonBlocking::Reader)?;
            let check = Check {
                purpose: CheckPurpose::Readiness,
                index,
            };
            ears.pipes.push((check, reader));
            mouths.descriptors.push((number, writer));
        }
    }
    Ok((ears, mouths))
}

/// The expressions that a line of its output is to match.
///
/// # Errors
/// For one that cannot be used.
pub(crate) fn line_patterns(config: &ProcessConfig) -> Result<Option<LinePatterns>, PatternError> {
    let readiness = config.service.iter().flat_map(|service| &service.readiness);
    let probes = (0..).zip(readiness.flat_map(|checks| &checks.probes));
    LinePatterns::new(probes.filter_map(|(index, probe)| match &probe.kind {
        ProbeKind::Log { pattern } => Some((index, pattern.as_str())),
        ProbeKind::Tcp { .. }
        | ProbeKind::Unix { .. }
        | ProbeKind::Http(_)
        | ProbeKind::Exec { .. }
        | ProbeKind::File { .. }
        | ProbeKind::Notify
        | ProbeKind::Descriptor(_) => None,
    }))
}

/// How long a service may be silent: one failed attempt of the check is one interval without a sign of life.
fn watchdog_microseconds(service: &ServiceConfig) -> Option<u64> {
    let liveness = service.liveness.as_ref()?;
    let time = liveness.interval.checked_mul(liveness.failures)?;
    u64::try_from(time.as_micros())
        .ok()
        .filter(|time| *time > 0)
}
