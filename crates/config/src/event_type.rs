//! The event types that listeners can subscribe to: names and hierarchy, as one table.
//!
//! They are words of the language (`[eventlistener:x] events=`); everybody else takes them from here.

use serde::{Deserialize, Serialize};

macro_rules! events {
    ($($variant:ident = $name:literal, $parent:expr, $doc:literal;)*) => {
        /// A type of event that listeners can subscribe to.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub enum EventType {
            $(#[doc = $doc] $variant,)*
        }

        impl EventType {
            /// All of them, parents before children.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The type that it is a kind of.
            #[must_use]
            pub const fn parent(self) -> Option<Self> {
                match self { $(Self::$variant => $parent,)* }
            }

            /// One line for the reference.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

events! {
    Event = "EVENT", None, "Every event; abstract.";
    ProcessState = "PROCESS_STATE", Some(Self::Event), "A process changed its state; abstract.";
    ProcessStateStopped = "PROCESS_STATE_STOPPED", Some(Self::ProcessState), "A process ended as it was told.";
    ProcessStateExited = "PROCESS_STATE_EXITED", Some(Self::ProcessState), "A process ended by itself.";
    ProcessStateStarting = "PROCESS_STATE_STARTING", Some(Self::ProcessState), "A process is being started.";
    ProcessStateStopping = "PROCESS_STATE_STOPPING", Some(Self::ProcessState), "A process was told to stop.";
    ProcessStateBackoff = "PROCESS_STATE_BACKOFF", Some(Self::ProcessState), "A start failed and will be tried again.";
    ProcessStateFatal = "PROCESS_STATE_FATAL", Some(Self::ProcessState), "All tries to start a process failed.";
    ProcessStateRunning = "PROCESS_STATE_RUNNING", Some(Self::ProcessState), "A process has been up for `startsecs`.";
    ProcessStateUnknown = "PROCESS_STATE_UNKNOWN", Some(Self::ProcessState), "The state of a process is lost.";
    ProcessCommunication = "PROCESS_COMMUNICATION", Some(Self::Event), "A process spoke between capture tags; abstract.";
    ProcessCommunicationStdout = "PROCESS_COMMUNICATION_STDOUT", Some(Self::ProcessCommunication), "The same, on standard output.";
    ProcessCommunicationStderr = "PROCESS_COMMUNICATION_STDERR", Some(Self::ProcessCommunication), "The same, on standard error.";
    ProcessLog = "PROCESS_LOG", Some(Self::Event), "A process wrote to a log with events enabled; abstract.";
    ProcessLogStdout = "PROCESS_LOG_STDOUT", Some(Self::ProcessLog), "The same, on standard output.";
    ProcessLogStderr = "PROCESS_LOG_STDERR", Some(Self::ProcessLog), "The same, on standard error.";
    RemoteCommunication = "REMOTE_COMMUNICATION", Some(Self::Event), "A client called `sendRemoteCommEvent`.";
    SupervisorStateChange = "SUPERVISOR_STATE_CHANGE", Some(Self::Event), "The daemon changed its state; abstract.";
    SupervisorStateChangeRunning = "SUPERVISOR_STATE_CHANGE_RUNNING", Some(Self::SupervisorStateChange), "The daemon has started.";
    SupervisorStateChangeStopping = "SUPERVISOR_STATE_CHANGE_STOPPING", Some(Self::SupervisorStateChange), "The daemon begins to stop.";
    Tick = "TICK", Some(Self::Event), "Time has passed; abstract.";
    Tick5 = "TICK_5", Some(Self::Tick), "Every 5 seconds.";
    Tick60 = "TICK_60", Some(Self::Tick), "Every minute.";
    Tick3600 = "TICK_3600", Some(Self::Tick), "Every hour.";
    ProcessGroup = "PROCESS_GROUP", Some(Self::Event), "A group came or went; abstract.";
    ProcessGroupAdded = "PROCESS_GROUP_ADDED", Some(Self::ProcessGroup), "A group became active.";
    ProcessGroupRemoved = "PROCESS_GROUP_REMOVED", Some(Self::ProcessGroup), "A group is no longer active.";
}

impl EventType {
    /// The type of a name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|event| event.name().eq_ignore_ascii_case(name))
    }

    /// Whether a listener that subscribed to `subscription` gets this event.
    #[must_use]
    pub fn is_a(self, subscription: Self) -> bool {
        let mut current = Some(self);
        while let Some(event) = current {
            if event == subscription {
                return true;
            }
            current = event.parent();
        }
        false
    }

    /// No event has exactly this type; it stands for those below it.
    #[must_use]
    pub fn is_abstract(self) -> bool {
        Self::ALL.iter().any(|event| event.parent() == Some(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_seven_abstract_and_twenty_concrete_types() {
        let (abstract_types, concrete): (Vec<EventType>, Vec<EventType>) = EventType::ALL
            .iter()
            .copied()
            .partition(|event| event.is_abstract());
        assert_eq!((abstract_types.len(), concrete.len()), (7, 20));
    }

    #[test]
    fn a_subscription_covers_everything_below() {
        assert!(EventType::Tick5.is_a(EventType::Tick5));
        assert!(EventType::Tick5.is_a(EventType::Tick));
        assert!(EventType::Tick5.is_a(EventType::Event));
        assert!(!EventType::Tick.is_a(EventType::Tick5));
        assert!(!EventType::RemoteCommunication.is_a(EventType::ProcessCommunication));
    }

    #[test]
    fn names_are_found_in_any_case() {
        assert_eq!(EventType::from_name("tick_60"), Some(EventType::Tick60));
        assert_eq!(EventType::from_name("TICK_61"), None);
    }
}
