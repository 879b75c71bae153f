//! A place for the tests of services: a configuration, and what processes are started with.

use std::path::Path;
use std::sync::Arc;

use linchpin_config::{DaemonOverrides, LoadRequest, ProcessConfig};
use linchpin_log::{AutoLogs, LogConfig, LogThread};
use linchpin_sys::limits::Limit;

use crate::site::Site;
use crate::world::SystemWorld;

/// The lines of a section, read as the daemon reads them.
pub(crate) fn program(directory: &Path, lines: &str) -> (Arc<Site>, Arc<ProcessConfig>) {
    let file = directory.join("test.conf");
    let text =
        format!("[supervisord]\nlogfile=/dev/null\n[program:web]\ncommand=/bin/true\n{lines}");
    std::fs::write(&file, text).unwrap();
    let request = LoadRequest {
        file: Some(file.to_str().unwrap().to_owned()),
        program: "supervisord".to_owned(),
        overrides: DaemonOverrides::default(),
        ..LoadRequest::default()
    };
    let loaded = linchpin_config::load(&SystemWorld::now(), &request).unwrap();
    let config = loaded.config;
    let logs = LogThread::start(LogConfig {
        notify: Box::new(|_| {}),
        main_log: None,
        syslog_identity: "test".to_owned(),
        syslog_socket: None,
        utc_offset: linchpin_sys::time::utc_offset,
    })
    .unwrap()
    .handle();
    let limit = Limit {
        soft: Some(256),
        hard: Some(256),
    };
    let auto_logs = AutoLogs::new(directory, "test").unwrap();
    let site = Arc::new(Site::new(
        &config,
        limit,
        auto_logs,
        logs,
        false,
        Arc::new(crate::settings::ServiceSettings::none()),
    ));
    let process = config.groups[0].processes[0].clone();
    (site, process)
}
