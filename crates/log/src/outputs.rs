//! What all streams share: the main log, the system log, the way to the daemon, the watches.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use crate::event::{DroppedKind, EventGate, LogEvent, Notify};
use crate::level::LogLevel;
use crate::main_log::MainLog;
use crate::special_sink::Accepted;
use crate::syslog::Syslog;
use crate::watch::{WatchRegistration, Watches};

/// See the module.
pub(crate) struct Outputs {
    pub(crate) gate: Arc<EventGate>,
    /// A special sink of the main log may be blocked since this was last cleared.
    pub(crate) is_echo_pending: bool,
    /// For ANSI stripping; its memory is kept.
    pub(crate) scratch: Vec<u8>,
    pub(crate) watches: Watches,
    main_log: Option<MainLog>,
    syslog: Syslog,
    notify: Notify,
}

impl Outputs {
    pub(crate) fn new(
        gate: Arc<EventGate>,
        main_log: Option<MainLog>,
        syslog: Syslog,
        notify: Notify,
    ) -> Self {
        Self {
            gate,
            is_echo_pending: false,
            scratch: Vec::new(),
            watches: Watches::default(),
            main_log,
            syslog,
            notify,
        }
    }

    pub(crate) fn notify(&self, event: LogEvent) {
        (self.notify)(event);
    }

    pub(crate) fn main_log_mut(&mut self) -> Option<&mut MainLog> {
        self.main_log.as_mut()
    }

    pub(crate) fn set_main_log(&mut self, main_log: MainLog) {
        self.main_log = Some(main_log);
    }

    pub(crate) fn main_log_is(&self, level: LogLevel) -> bool {
        self.main_log
            .as_ref()
            .is_some_and(|main_log| level >= main_log.level())
    }

    /// A line of the main log, now.
    pub(crate) fn log(&mut self, level: LogLevel, text: &str) {
        if self.main_log_is(level) {
            self.log_at(level, SystemTime::now(), text);
        }
    }

    /// Lines for standard output.
    pub(crate) fn print(&mut self, text: &str) {
        if let Some(main_log) = &mut self.main_log {
            self.is_echo_pending |= main_log.print(text) == Accepted::Pending;
            for text in main_log.take_problems() {
                self.problem(text);
            }
        }
    }

    /// A line of the main log that was filtered before.
    pub(crate) fn log_at(&mut self, level: LogLevel, time: SystemTime, text: &str) {
        let Some(main_log) = &mut self.main_log else {
            return;
        };
        self.is_echo_pending |= main_log.write(level, time, text) == Accepted::Pending;
        // These are about the main log itself: its other output and the daemon hear of them.
        for text in main_log.take_problems() {
            main_log.write(LogLevel::Warn, time, &text);
            main_log.take_problems();
            (self.notify)(LogEvent::SinkProblem { text });
        }
        self.main_log_changed();
    }

    pub(crate) fn main_log_changed(&self) {
        if !self.watches.is_empty()
            && let Some(path) = self.main_log.as_ref().and_then(MainLog::path)
        {
            self.changed(path);
        }
    }

    /// A sink stopped or resumed working.
    pub(crate) fn problem(&mut self, text: String) {
        self.log(LogLevel::Warn, &text);
        self.notify(LogEvent::SinkProblem { text });
    }

    /// Something was thrown away.
    pub(crate) fn dropped(&mut self, what: DroppedKind, count: u64) {
        if count == 0 {
            return;
        }
        self.log(LogLevel::Warn, &format!("{count} {what} were dropped"));
        self.notify(LogEvent::Dropped { what, count });
    }

    pub(crate) fn changed(&self, path: &Path) {
        self.watches.changed(path, &|watch| {
            self.notify(LogEvent::FileChanged { watch });
        });
    }

    pub(crate) fn watch(&mut self, registration: WatchRegistration) {
        self.watches.add(registration);
    }

    pub(crate) fn send_to_syslog(&mut self, prefix: &str, text: &str) {
        self.syslog.send_lines(prefix, text);
        if let Some(text) = self.syslog.take_problem() {
            self.problem(text);
        }
    }
}
