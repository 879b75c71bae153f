//! Parts that do not fit together: servers, supervisorctl, groups.

use super::Judge;
use crate::model::{Config, HttpAddress, Supervisorctl};

pub(super) fn judge(judge: &mut Judge<'_>, config: &Config, control: Option<&Supervisorctl>) {
    let has_interface = config
        .rpc_interfaces
        .iter()
        .any(|interface| interface.name == "supervisor");
    if let (Some(server), false) = (config.http_servers.first(), has_interface) {
        let span = judge.span(&server.section, "");
        judge.warn(
            span,
            "there is a server, but without [rpcinterface:supervisor] neither supervisorctl nor other clients can do anything",
            "add `[rpcinterface:supervisor]` with `supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface`",
        );
    }
    open_servers(judge, config);
    if let Some(control) = control {
        unreachable(judge, config, control);
    }
    for group in &config.groups {
        let section = format!("group:{}", group.name);
        if group.processes.is_empty() && judge.document.section(&section).is_some() {
            let span = judge.span(&section, "programs");
            judge.warn(
                span,
                format!("group `{}` has no processes", group.name),
                "name its programs in `programs`, or remove the section",
            );
        }
    }
}

fn open_servers(judge: &mut Judge<'_>, config: &Config) {
    for server in &config.http_servers {
        let HttpAddress::Inet { host, .. } = &server.address else {
            continue;
        };
        let is_local = host == "localhost" || host.starts_with("127.");
        if server.credentials.is_none() && !is_local {
            let span = judge.span(&server.section, "port");
            judge.warn(
                span,
                "everybody who can reach this port can start and stop programs",
                "add `username` and `password`, or listen on `127.0.0.1`",
            );
        }
    }
}

/// A unix socket that no server of this file makes.
fn unreachable(judge: &mut Judge<'_>, config: &Config, control: &Supervisorctl) {
    let Some(path) = control.serverurl.strip_prefix("unix://") else {
        return;
    };
    let mut files = config
        .http_servers
        .iter()
        .filter_map(|server| match &server.address {
            HttpAddress::Unix { file, .. } => Some(file.as_str()),
            HttpAddress::Inet { .. } => None,
        })
        .peekable();
    let first = files.peek().copied();
    if files.any(|file| file == path) {
        return;
    }
    let span = judge.span("supervisorctl", "serverurl");
    let help = match first {
        Some(file) => format!("write `serverurl=unix://{file}`"),
        None => format!("add `[unix_http_server]` with `file={path}`"),
    };
    judge.warn(
        span,
        format!("no server of this file listens on `{path}`"),
        help,
    );
}
