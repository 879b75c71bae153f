//! What the end of a service means for the daemon, and with which code the daemon ends.

use crate::Supervisor;

impl Supervisor {
    /// The exit status of the daemon, once [`Action::Finished`](crate::Action::Finished) has been said.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        0
    }
}
