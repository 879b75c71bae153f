//! Which logs a process has, and what is asked of the log thread on behalf of clients.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use linchpin_config::{LogFile, ProcessConfig};
use linchpin_core::{Event, Failure, Generation, Outcome, OutputKind, ProcessResult, Target};
use linchpin_log::{LogEvent, LogLevel, OwnerId, StreamKind, Watch};
use tokio::sync::{oneshot, watch};

use super::{Shell, Slot};
use crate::control::{LogFileReply, Reply, Stream};
use crate::site::{AutoLog, Site};

/// A log that somebody follows.
#[derive(Debug)]
pub(super) struct Watched {
    watch: Watch,
    changes: watch::Sender<u64>,
}

/// Where an output of a process is kept.
#[derive(Debug, Default)]
pub(super) enum SlotLog {
    #[default]
    None,
    Auto(Arc<AutoLog>),
    Path(String),
}

impl SlotLog {
    fn new(site: &Site, config: &ProcessConfig, file: &LogFile, kind: StreamKind) -> Self {
        match file {
            LogFile::None => Self::None,
            LogFile::Auto => Self::Auto(Arc::new(AutoLog::new(site, config, kind))),
            LogFile::Path(path) => Self::Path(path.clone()),
        }
    }

    /// The file; an AUTO log may still be about to be made.
    pub(super) fn path(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Auto(log) => log.path().to_str(),
            Self::Path(path) => Some(path),
        }
    }

    pub(super) fn auto(&self) -> Option<Arc<AutoLog>> {
        match self {
            Self::Auto(log) => Some(log.clone()),
            Self::None | Self::Path(_) => None,
        }
    }
}

impl Slot {
    pub(super) fn prepare_logs(&mut self, site: &Site, config: &ProcessConfig) {
        self.stdout_log = SlotLog::new(site, config, &config.stdout.logfile, StreamKind::Stdout);
        self.stderr_log = if config.redirect_stderr {
            SlotLog::None
        } else {
            SlotLog::new(site, config, &config.stderr.logfile, StreamKind::Stderr)
        };
    }

    fn log(&self, stream: Stream) -> &SlotLog {
        match stream {
            Stream::Stdout => &self.stdout_log,
            Stream::Stderr => &self.stderr_log,
        }
    }
}

impl Shell {
    pub(super) fn take_log_event(&mut self, event: &LogEvent) {
        match *event {
            LogEvent::Drained { owner } => {
                let generation = Generation(owner.0);
                if let Some(process) = self.draining.remove(&generation) {
                    self.feed(Event::Drained {
                        process,
                        generation,
                    });
                }
            }
            LogEvent::FileChanged { watch } => {
                if let Some(watched) = self.watches.get(&watch) {
                    watched.watch.acknowledge();
                    if watched.changes.send(watched.watch.generation()).is_err() {
                        self.watches.remove(&watch);
                    }
                }
            }
            LogEvent::StreamClosed { stream, descriptor } => {
                if self.logs.is_logged(LogLevel::Debug) {
                    self.logs.log(
                        LogLevel::Debug,
                        format!(
                            "fd {descriptor} closed, stopped monitoring {} of run {}",
                            stream.kind, stream.owner.0
                        ),
                    );
                }
            }
            LogEvent::ProcessLog {
                stream,
                pid,
                ref data,
            } => self.output(OutputKind::Log, stream, pid, data),
            LogEvent::ProcessCommunication {
                stream,
                pid,
                ref data,
            } => self.output(OutputKind::Communication, stream, pid, data),
            LogEvent::LineFound { owner, number } => {
                self.line_found(Generation(owner.0), number);
            }
            LogEvent::ListenerOutput {
                stream, ref data, ..
            } => self.listener_output(stream, data),
            // The log thread has written these to the main log itself.
            LogEvent::SinkProblem { .. } | LogEvent::Dropped { .. } => {}
        }
    }

    /// Opens every log anew by its name (SIGUSR2, after a `logrotate`).
    pub(super) fn reopen_logs(&mut self) {
        self.logs.log(
            LogLevel::Info,
            "received SIGUSR2 indicating log reopen request",
        );
        self.logs.log(LogLevel::Info, "supervisord logreopen");
        if self.logs.reopen_main_log().is_err() || self.logs.reopen_streams(None).is_err() {
            self.logs.log(
                LogLevel::Error,
                "cannot reopen the logs: the log thread does not keep up; try again",
            );
        }
    }

    /// Answers with the path when everything that has been written so far is on file, and the file is there.
    pub(super) fn answer_log_file(
        &mut self,
        path: Option<String>,
        unmade: Option<Arc<AutoLog>>,
        reply: oneshot::Sender<Reply>,
    ) {
        let Some(path) = path else {
            let _ = reply.send(Reply::LogFile(LogFileReply::NoLog));
            return;
        };
        let answer = Box::new(move |_| {
            let _ = reply.send(Reply::LogFile(LogFileReply::Path(path)));
        });
        let (site, logs) = (self.site.clone(), self.logs.clone());
        match unmade {
            // With a full queue the caller's end closes, which it takes for a daemon that is gone.
            None => drop(logs.flush(answer)),
            Some(log) => drop(tokio::spawn(async move {
                log.settled(&site).await;
                logs.flush(answer)
            })),
        }
    }

    /// The AUTO log of a process, if it is still about to be made.
    pub(super) fn unmade_log(
        &self,
        group: &str,
        name: &str,
        stream: Stream,
    ) -> Option<Arc<AutoLog>> {
        let view = self.core.process_named(group, name)?;
        let log = self.slots.get(&view.id)?.log(stream).auto()?;
        (!log.is_settled()).then_some(log)
    }

    pub(super) fn watch_log(&mut self, path: Option<String>) -> Reply {
        self.watches
            .retain(|_, watched| !watched.changes.is_closed());
        let Some(path) = path else {
            return Reply::Watch(None);
        };
        let Ok(watch) = self.logs.watch(Path::new(&path)) else {
            return Reply::Watch(None);
        };
        let (changes, receiver) = watch::channel(0);
        self.watches.insert(watch.id(), Watched { watch, changes });
        Reply::Watch(Some(receiver))
    }

    /// The path of one of a process's logs; the outer none if there is no such process.
    pub(super) fn log_path(
        &self,
        group: &str,
        name: &str,
        stream: Stream,
    ) -> Option<Option<String>> {
        let view = self.core.process_named(group, name)?;
        let slot = self.slots.get(&view.id);
        Some(slot.and_then(|slot| slot.log(stream).path().map(str::to_owned)))
    }

    /// Empties logs. What the original does only for running processes is done for all.
    pub(super) fn clear_logs(&mut self, target: &Target, reply: oneshot::Sender<Reply>) {
        let is_single = matches!(target, Target::Process { .. });
        let chosen = match self.core.targets(target) {
            Ok(chosen) => chosen,
            Err(failure) => {
                let _ = reply.send(Reply::Outcome(Outcome::Failed(failure)));
                return;
            }
        };
        let mut waits = Vec::with_capacity(chosen.len());
        for view in chosen {
            let paths: Vec<PathBuf> = self
                .slots
                .get(&view.id)
                .map(|slot| {
                    let logs = [Stream::Stdout, Stream::Stderr];
                    logs.into_iter()
                        .filter_map(|stream| slot.log(stream).path())
                        .map(PathBuf::from)
                        .collect()
                })
                .unwrap_or_default();
            let owner = self.owners.get(&view.id).copied();
            let (sender, done) = oneshot::channel();
            let answer = Box::new(move |result: std::io::Result<()>| {
                let _ = sender.send(result.is_ok());
            });
            let is_queued = self.logs.clear_files(owner, paths, answer).is_ok();
            waits.push((
                view.config.name.clone(),
                view.group.to_owned(),
                is_queued.then_some(done),
            ));
        }
        tokio::spawn(async move {
            let mut results = Vec::with_capacity(waits.len());
            for (name, group, done) in waits {
                let is_cleared = match done {
                    Some(done) => done.await.unwrap_or(false),
                    None => false,
                };
                let spec = if name == group {
                    name.clone()
                } else {
                    format!("{group}:{name}")
                };
                let result = if is_cleared {
                    Ok(())
                } else {
                    Err(Failure::Failed(spec))
                };
                results.push(ProcessResult {
                    name,
                    group,
                    result,
                });
            }
            let outcome = match results.pop() {
                Some(ProcessResult {
                    result: Err(failure),
                    ..
                }) if is_single => Outcome::Failed(failure),
                Some(_) if is_single => Outcome::Done,
                last => {
                    results.extend(last);
                    Outcome::Many(results)
                }
            };
            let _ = reply.send(Reply::Outcome(outcome));
        });
    }

    pub(super) fn clear_main_log(&mut self, reply: oneshot::Sender<Reply>) {
        let answer = Box::new(move |result: std::io::Result<()>| {
            let _ = reply.send(Reply::LogCleared(result.map_err(|error| error.to_string())));
        });
        let _ = self.logs.clear_main_log(answer);
    }

    /// The run of a process whose output is being captured.
    pub(super) fn run_of(generation: Generation) -> OwnerId {
        OwnerId(generation.0)
    }
}
