//! The thread that looks after certificates and trusted authorities while the daemon runs.
//!
//! A thread of its own, because the files may be on a volume that hangs. It sleeps until there is something to do, and is
//! there only where the configuration has something of the kind.

use std::collections::BTreeSet;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use linchpin_boot::sequence::{CertificateState, RootsState, look_after, look_after_roots};
use linchpin_config::{BootConfig, CaRootsConfig, CertificateConfig};
use linchpin_sys::directory_watch::{DirectoryWatch, Waited};
use tokio::sync::mpsc::UnboundedSender;

use super::seconds;
use crate::settings::ServiceSettings;

/// How often all are looked at.
const PERIOD: Duration = Duration::from_secs(3600);

/// Whoever provides a certificate and its key does so one after the other: this long nothing must change, and no longer
/// than so often it is waited for.
const QUIET: Duration = Duration::from_millis(500);
const MOST_WAITS: u32 = 20;

/// What was found, by a boot or by the thread.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    /// What programs are to trust, where something asks for that.
    pub(crate) roots: Option<RootsState>,
    /// What servers have.
    pub(crate) certificates: Vec<CertificateState>,
}

/// What is looked after.
#[derive(Debug, Clone)]
pub(super) struct Subjects {
    pub(super) certificates: Vec<CertificateConfig>,
    pub(super) roots: Option<CaRootsConfig>,
}

impl Subjects {
    pub(super) fn of(boot: &BootConfig) -> Self {
        Self {
            certificates: boot.certificates.clone(),
            roots: boot.ca_roots.clone(),
        }
    }

    pub(super) fn are_those_of(&self, boot: &BootConfig) -> bool {
        self.certificates == boot.certificates && self.roots == boot.ca_roots
    }

    pub(super) fn are_none(&self) -> bool {
        self.certificates.is_empty() && self.roots.is_none()
    }

    /// Looks at all of them until the other end of `wanted` is closed. Waits until there is something new, unless nothing
    /// is known yet.
    pub(super) fn look_after(
        &self,
        settings: &Arc<ServiceSettings>,
        wanted: &OwnedFd,
        sender: &UnboundedSender<Looked>,
        is_all_known: bool,
    ) {
        let mut longest = if is_all_known { PERIOD } else { Duration::ZERO };
        // Without news of changes there is still the period.
        let watch = DirectoryWatch::new().unwrap_or_else(|_| DirectoryWatch::blind());
        loop {
            for directory in self.directories() {
                // One that is not there yet is tried again with the next look.
                let _ = watch.add(directory);
            }
            if let Some(roots) = &self.roots {
                watch_to_come(&watch, Path::new(&roots.directory));
            }
            match watch.wait(wanted.as_fd(), longest) {
                Ok(Waited::Unwanted) | Err(_) => return,
                Ok(Waited::TimedOut) => {}
                Ok(Waited::Changed) => {
                    for _ in 0..MOST_WAITS {
                        match watch.wait(wanted.as_fd(), QUIET) {
                            Ok(Waited::Unwanted) | Err(_) => return,
                            Ok(Waited::TimedOut) => break,
                            Ok(Waited::Changed) => {}
                        }
                    }
                }
            }
            longest = PERIOD;
            let now = seconds();
            let roots = self.roots.as_ref();
            let looked = Looked {
                roots: roots.map(|roots| look_after_roots(roots, &settings.of_programs(), now)),
                certificates: self
                    .certificates
                    .iter()
                    .map(|config| look_after(config, now))
                    .collect(),
            };
            if sender.send(looked).is_err() {
                return;
            }
        }
    }

    /// Where certificates are provided, apart from where we write ourselves.
    fn directories(&self) -> BTreeSet<&Path> {
        let is_ours = |path: &Path| {
            self.certificates.iter().any(|config| {
                let output = Path::new(&config.output).parent();
                output.is_some_and(|output| path.starts_with(output))
            })
        };
        let provided = self.certificates.iter();
        let provided = provided.filter_map(|config| config.provided.as_ref());
        let files = provided.flat_map(|files| [&files.certificate, &files.key]);
        let directories = files.filter_map(|file| Path::new(file).parent());
        directories.filter(|path| !is_ours(path)).collect()
    }
}

/// Watches a folder, or, as long as it is not there, the place where it or the folder above it would appear.
fn watch_to_come(watch: &DirectoryWatch, folder: &Path) {
    if watch.add(folder).is_ok() {
        return;
    }
    let above = folder.ancestors().skip(1);
    for directory in above.filter(|it| it.is_absolute()) {
        if watch.add_for_next_name(directory).is_ok() {
            return;
        }
    }
}
