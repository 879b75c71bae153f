//! Events on their way: what processes and listeners wrote goes to the core, what the core wants
//! listeners to know becomes text and goes to their standard inputs.

use linchpin_core::{
    Channel, Delivery, Event, Generation, Notice, OutputKind, ProcessId, ProcessState,
};
use linchpin_log::{StreamId, StreamKind};
use linchpin_protocol::{
    StateChange, envelope, group_payload, output_payload, remote_communication_payload,
    state_payload, tick_payload,
};

use super::Shell;

impl Shell {
    /// A process has written something to an output that makes events.
    pub(super) fn output(&mut self, kind: OutputKind, stream: StreamId, pid: u32, data: &[u8]) {
        // The output of a run that was released is too late to be told: its process may be another now.
        if let Some(process) = self.runs.get(&Generation(stream.owner.0)).copied() {
            self.feed(Event::ProcessOutput {
                process,
                kind,
                channel: match stream.kind {
                    StreamKind::Stdout => Channel::Stdout,
                    StreamKind::Stderr => Channel::Stderr,
                },
                pid: i32::try_from(pid).unwrap_or(0),
                data: data.to_vec(),
            });
        }
    }

    /// A listener has answered.
    pub(super) fn listener_output(&mut self, stream: StreamId, data: &[u8]) {
        let generation = Generation(stream.owner.0);
        if let Some(process) = self.runs.get(&generation).copied() {
            self.feed(Event::ListenerOutput {
                process,
                generation,
                data: data.to_vec(),
            });
        }
    }

    /// Writes an event to a listener. The answer is the next thing that the core hears.
    pub(super) fn send_event(&mut self, process: ProcessId, generation: Generation, text: String) {
        let delivery = match self
            .slots
            .get(&process)
            .and_then(|slot| slot.stdin.as_ref())
        {
            Some(stdin) => stdin.send(text.into_bytes()),
            None => Delivery::Closed,
        };
        self.events.push_back(Event::Delivered {
            process,
            generation,
            delivery,
        });
    }

    /// An event as listeners read it.
    pub(super) fn event_text(
        &self,
        pool: &str,
        serial: u64,
        pool_serial: u64,
        notice: &Notice,
    ) -> String {
        envelope(
            &self.site.identifier,
            serial,
            pool,
            pool_serial,
            notice.event_type().name(),
            &body(notice),
        )
    }
}

fn body(notice: &Notice) -> String {
    match notice {
        Notice::ProcessState {
            name,
            group,
            from,
            to,
            tries,
            pid,
            expected,
            ..
        } => {
            let (pid, expected) = (*pid, *expected);
            let change = match to {
                ProcessState::Starting | ProcessState::Backoff => StateChange::Tries(*tries),
                ProcessState::Running | ProcessState::Stopping | ProcessState::Stopped => {
                    StateChange::Pid(pid)
                }
                ProcessState::Exited => StateChange::Exit { expected, pid },
                ProcessState::Fatal | ProcessState::Unknown => StateChange::Nothing,
            };
            state_payload(name, group, from.name(), change)
        }
        Notice::ProcessLog(output) => output_payload(
            &output.name,
            &output.group,
            output.pid,
            Some(output.channel.name()),
            &output.data,
        ),
        Notice::ProcessCommunication(output) => {
            output_payload(&output.name, &output.group, output.pid, None, &output.data)
        }
        Notice::RemoteCommunication { kind, data } => remote_communication_payload(kind, data),
        Notice::Tick { when, .. } => tick_payload(*when),
        Notice::GroupAdded { group } | Notice::GroupRemoved { group } => group_payload(group),
        Notice::SupervisorRunning | Notice::SupervisorStopping => String::new(),
    }
}
