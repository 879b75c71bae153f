//! Groups with shared sockets, made by hand.

use std::sync::Arc;

use linchpin_config::{
    FastCgiAddress, FastCgiSocket, GroupConfig, GroupKind, GroupedFastCgi, ProcessConfig,
};

use crate::support::{group, group_of_kind};

/// An fcgi-program of these processes.
pub(crate) fn fastcgi(
    name: &str,
    priority: i64,
    mut processes: Vec<ProcessConfig>,
    path: &str,
) -> Arc<GroupConfig> {
    for process in &mut processes {
        process.section = format!("fcgi-program:{name}");
    }
    let kind = GroupKind::FastCgi(socket(path));
    group_of_kind(name, priority, kind, processes)
}

/// The first of these processes is of an fcgi-program.
pub(crate) fn group_with_fastcgi(
    name: &str,
    priority: i64,
    processes: Vec<ProcessConfig>,
    path: &str,
) -> Arc<GroupConfig> {
    let mut group = Arc::unwrap_or_clone(group(name, priority, processes));
    group.grouped_fastcgi = group
        .processes
        .first()
        .map(|process| GroupedFastCgi {
            section: process.section.clone(),
            socket: socket(path),
        })
        .into_iter()
        .collect();
    Arc::new(group)
}

/// The socket of an fcgi-program.
fn socket(path: &str) -> FastCgiSocket {
    FastCgiSocket {
        address: FastCgiAddress::Unix(path.to_owned()),
        url: format!("unix://{path}"),
        backlog: None,
        owner: None,
        mode: Some(0o700),
    }
}
