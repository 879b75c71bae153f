//! What the shell does for services beyond their processes: probes, hooks, notifications, markers, memory,
//! the recorded history. The core says when; nothing here decides, and nothing here blocks the loop: what
//! may wait runs as a task of the loop's runtime or on a thread of its own, and comes back as an event.

use linchpin_core::Action;

use crate::shell::Shell;

impl Shell {
    /// Does an action that is about a service beyond its process.
    #[expect(clippy::unused_self, reason = "nothing is done yet")]
    pub(crate) fn act_for_service(&mut self, _action: &Action) {}
}
