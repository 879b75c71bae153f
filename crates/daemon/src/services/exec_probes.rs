//! Probes that are commands.

use std::sync::Arc;
use std::time::Duration;

use linchpin_config::ProcessConfig;

use super::tasks::{Asker, TaskRequest};
use crate::shell::Shell;

impl Shell {
    /// Makes one attempt of such a probe: it has passed if the command ends with exit status 0.
    pub(super) fn run_exec_probe(
        &mut self,
        asker: Asker,
        (command, timeout): (String, Duration),
        pid: i32,
        config: Arc<ProcessConfig>,
        group: String,
    ) {
        self.services.tasks.run(TaskRequest {
            asker,
            command,
            timeout,
            config,
            group,
            variables: vec![("MAINPID".into(), pid.to_string().into())],
            site: self.site.clone(),
        });
    }
}
