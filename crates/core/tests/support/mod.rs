//! Configurations made by hand, for the tests and examples of the core.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use linchpin_config::{
    AutoRestart, BootConfig, Config, GroupConfig, GroupKind, LogFile, LogLevel, MainLog,
    OutputConfig, ProcessConfig, Supervisord,
};

/// A process with the defaults of the language.
pub(crate) fn process(name: &str) -> ProcessConfig {
    ProcessConfig {
        name: name.to_owned(),
        section: format!("program:{name}"),
        command: format!("/bin/{name}"),
        directory: None,
        umask: None,
        priority: 999,
        autostart: true,
        autorestart: AutoRestart::Unexpected,
        startsecs: 1,
        startretries: 3,
        uid: None,
        stdout: output(),
        stderr: output(),
        redirect_stderr: false,
        stopsignal: 15,
        stopwaitsecs: 10,
        stopasgroup: false,
        killasgroup: false,
        exitcodes: vec![0],
        environment: BTreeMap::new(),
        serverurl: None,
        service: None,
    }
}

/// A group of these processes.
pub(crate) fn group(name: &str, priority: i64, processes: Vec<ProcessConfig>) -> Arc<GroupConfig> {
    group_of_kind(name, priority, GroupKind::Program, processes)
}

/// A group of any kind.
pub(crate) fn group_of_kind(
    name: &str,
    priority: i64,
    kind: GroupKind,
    processes: Vec<ProcessConfig>,
) -> Arc<GroupConfig> {
    Arc::new(GroupConfig {
        name: name.to_owned(),
        priority,
        kind,
        processes: processes.into_iter().map(Arc::new).collect(),
        grouped_fastcgi: Vec::new(),
    })
}

/// A configuration of these groups.
pub(crate) fn config(mut groups: Vec<Arc<GroupConfig>>) -> Config {
    groups.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
    Config {
        file: PathBuf::new(),
        supervisord: supervisord(),
        linchpin: None,
        boot: BootConfig::default(),
        extensions: true,
        settings: linchpin_config::SettingsConfig::default(),
        groups,
        switched_off: Vec::new(),
        http_servers: Vec::new(),
        rpc_interfaces: Vec::new(),
        server_url: None,
        shadowed_groups: Vec::new(),
        shadowed_processes: Vec::new(),
    }
}

fn output() -> OutputConfig {
    OutputConfig {
        logfile: LogFile::None,
        logfile_maxbytes: 0,
        logfile_backups: 0,
        capture_maxbytes: 0,
        events_enabled: false,
        syslog: false,
    }
}

fn supervisord() -> Supervisord {
    Supervisord {
        minfds: 1024,
        minprocs: 200,
        directory: None,
        user: None,
        uid: None,
        gid: None,
        umask: 0o022,
        logfile: MainLog::Syslog,
        logfile_maxbytes: 0,
        logfile_backups: 0,
        loglevel: LogLevel::Info,
        pidfile: String::new(),
        identifier: "supervisor".to_owned(),
        nodaemon: true,
        silent: false,
        childlogdir: String::new(),
        nocleanup: false,
        strip_ansi: false,
        environment: BTreeMap::new(),
    }
}
