//! Whether a process belongs to a service: who may speak for it, and who may be its main process.

use std::io;

use linchpin_sys::Pid;
use linchpin_sys::group::{group_of, owner_of, parent_of};
use linchpin_sys::sockets::PeerCredentials;

/// How far up a process's ancestors are looked at. Each costs one look into `/proc`, which asks the kernel and no disk.
const MOST_GENERATIONS: usize = 32;

const ROOT: u32 = 0;

/// What is known of a service for that.
#[derive(Debug)]
pub(super) struct Family {
    /// Its process, the leader of its process group, and its main process where that is another.
    pub(super) members: [Option<Pid>; 2],
    /// The user as whom it runs.
    pub(super) uid: u32,
}

/// How a process stands to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kinship {
    /// It is the service's process, in its process group, or a descendant.
    Member,
    /// It is, or descends from, this process, which has no parent but the daemon: an orphan, or a service.
    Orphan(Pid),
    /// It has ended, and left no trace.
    Gone,
    /// None of these.
    Stranger,
}

impl Family {
    pub(super) fn kinship(&self, pid: Pid) -> Kinship {
        let is_member = |pid: Pid| self.members.contains(&Some(pid));
        if is_member(pid) {
            return Kinship::Member;
        }
        match group_of(pid) {
            Ok(Some(group)) if is_member(group) => return Kinship::Member,
            Ok(_) => {}
            Err(error) => return gone_or_stranger(&error),
        }
        let daemon = Pid::of_this_process();
        let mut current = pid;
        for _ in 0..MOST_GENERATIONS {
            match parent_of(current) {
                Ok(Some(parent)) if is_member(parent) => return Kinship::Member,
                Ok(Some(parent)) if parent == daemon => return Kinship::Orphan(current),
                Ok(Some(parent)) => current = parent,
                Ok(None) => return Kinship::Stranger,
                Err(error) => return gone_or_stranger(&error),
            }
        }
        Kinship::Stranger
    }

    /// Whether a process may speak for the service. A short-lived one may have ended before it is heard, and one that
    /// has left its family is an orphan: of those only the user is known, who could do as he likes with the service
    /// anyway. `is_known` says of processes that they are services of their own.
    pub(super) fn may_speak(
        &self,
        sender: PeerCredentials,
        is_known: impl Fn(Pid) -> bool,
    ) -> bool {
        let Some(pid) = Pid::new(sender.pid) else {
            // Of another process id namespace, so of another container.
            return false;
        };
        match self.kinship(pid) {
            Kinship::Member => true,
            Kinship::Orphan(ancestor) => self.may_act(sender.uid) && !is_known(ancestor),
            Kinship::Gone => self.may_act(sender.uid),
            Kinship::Stranger => false,
        }
    }

    /// Whether a process may be the main process of the service, as `sender`, who may speak for it, says.
    pub(super) fn may_be_main(
        &self,
        main: Pid,
        sender: PeerCredentials,
        is_known: impl Fn(Pid) -> bool,
    ) -> bool {
        if self.members.contains(&Some(main)) {
            return true;
        }
        if is_known(main) {
            return false;
        }
        match self.kinship(main) {
            Kinship::Member => true,
            // Whoever names a process gives it into our hands; it must be one that he could kill himself.
            Kinship::Orphan(ancestor) => {
                let may_kill = || owner_of(main).is_ok_and(|owner| owner == sender.uid);
                !is_known(ancestor) && (sender.uid == ROOT || may_kill())
            }
            Kinship::Gone | Kinship::Stranger => false,
        }
    }

    fn may_act(&self, uid: u32) -> bool {
        uid == ROOT || uid == self.uid
    }
}

fn gone_or_stranger(error: &io::Error) -> Kinship {
    const ESRCH: i32 = 3;
    let is_gone = error.raw_os_error() == Some(ESRCH) || error.kind() == io::ErrorKind::NotFound;
    if is_gone {
        Kinship::Gone
    } else {
        Kinship::Stranger
    }
}
