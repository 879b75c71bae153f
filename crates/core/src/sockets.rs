//! The listening sockets of `[fcgi-program:x]` sections: when each is opened, and when it is closed.
//!
//! As in the original there is one for each section. It is opened for the first of its processes that is
//! started and closed when the last is gone. It is held by starts and not by processes: a start that was
//! given up may still come about, and until it is heard of it keeps its socket. Before a group is added its
//! sockets are opened and closed once, so that whoever asked for it learns of a mistake; at the start of the
//! daemon the shell does that, while there is somebody to read of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use linchpin_config::{FastCgiSocket, GroupConfig};
use serde::{Deserialize, Serialize};

use crate::supervisor::{Step, Supervisor};
use crate::{
    Action, Failure, Generation, Message, OperationId, Outcome, ProcessId, SocketId,
    SpawnFailureKind,
};

/// The sockets that are open, and who holds them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sockets {
    open: BTreeMap<SocketId, OpenSocket>,
    /// The latest one of each section.
    by_section: BTreeMap<String, SocketId>,
    holders: BTreeMap<Generation, SocketId>,
    next: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct OpenSocket {
    section: String,
    config: FastCgiSocket,
    holders: u32,
    /// A start has come so far that it must be open.
    is_certain: bool,
}

/// A group that is added when its sockets have been tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Addition {
    pub(crate) group: Arc<GroupConfig>,
    /// How many of its sockets are behind us, the one under way included.
    tried: usize,
}

impl Sockets {
    fn of_section(&self, section: &str, config: &FastCgiSocket) -> Option<SocketId> {
        let id = self.by_section.get(section)?;
        let is_same = self.open.get(id)?.config == *config;
        is_same.then_some(*id)
    }
}

impl Supervisor {
    /// The socket for a start of this process, if it gets one; opened if it is not open.
    pub(crate) fn take_socket(
        &mut self,
        process: ProcessId,
        generation: Generation,
        step: &mut Step<'_>,
    ) -> Option<SocketId> {
        let process = self.processes.get(&process)?;
        let group = self.groups.get(&process.group)?;
        let config = group.config.socket_of(&process.config)?;
        let section = &process.config.section;
        let sockets = &mut self.sockets;
        let id = if let Some(id) = sockets.of_section(section, config) {
            id
        } else {
            let id = SocketId(sockets.next);
            sockets.next += 1;
            let url = config.url.clone();
            step.act(Action::Log(Message::CreatingSocket { url }));
            step.act(Action::OpenSocket {
                socket: id,
                config: config.clone(),
            });
            sockets.by_section.insert(section.clone(), id);
            let socket = OpenSocket {
                section: section.clone(),
                config: config.clone(),
                holders: 0,
                is_certain: false,
            };
            sockets.open.insert(id, socket);
            id
        };
        sockets.holders.insert(generation, id);
        if let Some(socket) = sockets.open.get_mut(&id) {
            socket.holders += 1;
        }
        Some(id)
    }

    /// A start has come so far that its socket, if it has one, must be open.
    pub(crate) fn socket_is_open(&mut self, generation: Generation) {
        let sockets = &mut self.sockets;
        if let Some(id) = sockets.holders.get(&generation)
            && let Some(socket) = sockets.open.get_mut(id)
        {
            socket.is_certain = true;
        }
    }

    /// A start has failed; why tells whether its socket was opened.
    pub(crate) fn socket_after_failure(&mut self, generation: Generation, kind: SpawnFailureKind) {
        match kind {
            SpawnFailureKind::Socket => {}
            SpawnFailureKind::NoFile
            | SpawnFailureKind::NotExecutable
            | SpawnFailureKind::Other => self.socket_is_open(generation),
        }
    }

    /// Nothing is left of a start: its socket is closed, unless somebody else has it.
    pub(crate) fn release_socket(&mut self, generation: Generation, step: &mut Step<'_>) {
        let sockets = &mut self.sockets;
        let Some(id) = sockets.holders.remove(&generation) else {
            return;
        };
        let Some(socket) = sockets.open.get_mut(&id) else {
            return;
        };
        socket.holders = socket.holders.saturating_sub(1);
        if socket.holders > 0 {
            return;
        }
        if let Some(socket) = sockets.open.remove(&id) {
            if sockets.by_section.get(&socket.section) == Some(&id) {
                sockets.by_section.remove(&socket.section);
            }
            if socket.is_certain {
                let url = socket.config.url;
                step.act(Action::Log(Message::ClosingSocket { url }));
            }
        }
        step.act(Action::CloseSocket { socket: id });
    }

    /// Adds a group of the configuration last read, after its sockets have been tried.
    pub(crate) fn begin_addition(
        &mut self,
        operation: OperationId,
        name: &str,
        step: &mut Step<'_>,
    ) {
        let is_being_added = |addition: &Addition| addition.group.name == name;
        let failure = match self.configured.get(name).cloned() {
            None => Failure::BadName(name.to_owned()),
            Some(_)
                if self.groups.get(name).is_some()
                    || self.additions.values().any(is_being_added) =>
            {
                Failure::AlreadyAdded(name.to_owned())
            }
            Some(group) => {
                let addition = Addition { group, tried: 0 };
                self.additions.insert(operation, addition);
                return self.continue_addition(operation, step);
            }
        };
        let outcome = Outcome::Failed(failure);
        step.act(Action::Reply { operation, outcome });
    }

    /// Tries the next socket, or adds the group.
    fn continue_addition(&mut self, operation: OperationId, step: &mut Step<'_>) {
        let Some(addition) = self.additions.get_mut(&operation) else {
            return;
        };
        for socket in addition.group.sockets().skip(addition.tried) {
            addition.tried += 1;
            // A program may be in two groups. To open the socket that the other one has would only
            // show that it is taken, or take it away.
            let is_in_use = |open: &OpenSocket| open.config.url == socket.url;
            if self.sockets.open.values().any(is_in_use) {
                continue;
            }
            let url = socket.url.clone();
            step.act(Action::Log(Message::CreatingSocket { url }));
            step.act(Action::TrySocket {
                operation,
                config: socket.clone(),
            });
            return;
        }
        if let Some(addition) = self.additions.remove(&operation) {
            self.add_and_start(&addition.group, step);
            let outcome = Outcome::Done;
            step.act(Action::Reply { operation, outcome });
        }
    }

    /// A socket of a group that is to be added has been opened and closed, or could not be opened.
    pub(crate) fn socket_tried(
        &mut self,
        operation: OperationId,
        failure: Option<String>,
        step: &mut Step<'_>,
    ) {
        let Some(addition) = self.additions.get(&operation) else {
            return;
        };
        let Some(text) = failure else {
            let last = addition.tried.saturating_sub(1);
            if let Some(socket) = addition.group.sockets().nth(last) {
                let url = socket.url.clone();
                step.act(Action::Log(Message::ClosingSocket { url }));
            }
            return self.continue_addition(operation, step);
        };
        if addition.group.needs_its_sockets() {
            self.additions.remove(&operation);
            let outcome = Outcome::Failed(Failure::Failed(text));
            step.act(Action::Reply { operation, outcome });
        } else {
            step.act(Action::Log(Message::SocketUnusable { text }));
            self.continue_addition(operation, step);
        }
    }

    /// Nothing is added any more.
    pub(crate) fn refuse_additions(&mut self, step: &mut Step<'_>) {
        for operation in std::mem::take(&mut self.additions).into_keys() {
            let outcome = Outcome::Failed(Failure::ShuttingDown);
            step.act(Action::Reply { operation, outcome });
        }
    }
}
