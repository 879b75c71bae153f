//! One listener: what it has said, and what it is at.

use serde::{Deserialize, Serialize};

use super::PoolEvent;
use super::reply::{BadLine, Reply};
use super::result_handler::{EventResult, ResultHandler, Verdict};
use crate::{Message, ProcessId};

/// State of an event listener, by the original's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ListenerState {
    /// It has not said that it is ready for the next event.
    Acknowledged,
    /// It wants an event.
    Ready,
    /// It has got an event.
    Busy,
    /// It broke the protocol and gets nothing until it is started again.
    Unknown,
}

impl ListenerState {
    /// The original's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Acknowledged => "ACKNOWLEDGED",
            Self::Ready => "READY",
            Self::Busy => "BUSY",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// A listener.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Listener {
    pub(super) process: ProcessId,
    activity: Activity,
    pub(super) input: Input,
    reply: Reply,
}

/// The state, with the event that belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Activity {
    Acknowledged,
    Ready,
    Busy(PoolEvent),
    Unknown,
}

/// Its standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Input {
    /// It takes what is written to it.
    Free,
    /// It has not read all that was written to it; `is_told`: the main log says so.
    Full { is_told: bool },
    /// Nobody reads there any more.
    Closed,
}

/// What comes of something that a listener has written.
#[derive(Debug)]
pub(super) enum Effect {
    Say(Message),
    /// To the daemon's standard output.
    Print(String),
    /// The listener is rid of this event, and it was not processed.
    PutBack(PoolEvent),
}

impl Listener {
    pub(super) fn new(process: ProcessId) -> Self {
        Self {
            process,
            activity: Activity::Acknowledged,
            input: Input::Free,
            reply: Reply::default(),
        }
    }

    /// It is being started: all that was is forgotten.
    pub(super) fn begin_anew(&mut self) {
        *self = Self::new(self.process);
    }

    pub(super) fn state(&self) -> ListenerState {
        match self.activity {
            Activity::Acknowledged => ListenerState::Acknowledged,
            Activity::Ready => ListenerState::Ready,
            Activity::Busy(_) => ListenerState::Busy,
            Activity::Unknown => ListenerState::Unknown,
        }
    }

    /// The event that it is at.
    pub(super) fn event(&self) -> Option<&PoolEvent> {
        match &self.activity {
            Activity::Busy(event) => Some(event),
            Activity::Acknowledged | Activity::Ready | Activity::Unknown => None,
        }
    }

    /// Whether it would take an event, if it runs.
    pub(super) fn wants_event(&self) -> bool {
        self.activity == Activity::Ready && self.input == Input::Free
    }

    pub(super) fn give(&mut self, event: PoolEvent) {
        self.activity = Activity::Busy(event);
    }

    /// The event did not reach it: its state is what it was.
    pub(super) fn take_back(&mut self) -> Option<PoolEvent> {
        let event = self.event().cloned();
        if event.is_some() {
            self.activity = Activity::Ready;
        }
        event
    }

    /// It is gone; the event that it was at, if there is one.
    pub(super) fn ended(&mut self) -> Option<PoolEvent> {
        let event = self.event().cloned();
        self.begin_anew();
        event
    }

    /// It has written something.
    pub(super) fn said(
        &mut self,
        name: &str,
        data: &[u8],
        handler: ResultHandler,
        effects: &mut Vec<Effect>,
    ) {
        self.reply.push(data);
        loop {
            match &self.activity {
                Activity::Unknown => return self.reply.clear(),
                Activity::Ready if self.reply.is_empty() => return,
                // It is not to say anything now.
                Activity::Ready => self.breaks_protocol(name, effects),
                Activity::Acknowledged => match self.reply.ready() {
                    None => return,
                    Some(true) => {
                        self.becomes(Activity::Ready, name, effects);
                        self.complain_of_full_input(name, effects);
                    }
                    Some(false) => self.breaks_protocol(name, effects),
                },
                Activity::Busy(event) => {
                    let result = match self.reply.result(handler.most_bytes()) {
                        None => return,
                        Some(result) => result,
                    };
                    let event = event.clone();
                    self.answered(event, result, name, handler, effects);
                }
            }
        }
    }

    fn answered(
        &mut self,
        event: PoolEvent,
        result: Result<EventResult, BadLine>,
        name: &str,
        handler: ResultHandler,
        effects: &mut Vec<Effect>,
    ) {
        let name_of = name.to_owned();
        let (message, next) = match result.map(|result| handler.judge(&result)) {
            Ok(Verdict::Processed(text)) => {
                effects.extend(text.map(Effect::Print));
                let message = Message::EventProcessed { name: name_of };
                effects.push(Effect::Say(message));
                return self.becomes(Activity::Acknowledged, name, effects);
            }
            Ok(Verdict::Rejected) => (
                Message::EventRejected { name: name_of },
                Activity::Acknowledged,
            ),
            Ok(Verdict::Failed) => (Message::EventError { name: name_of }, Activity::Unknown),
            Err(BadLine(line)) => (
                Message::BadResultLine {
                    name: name_of,
                    line,
                },
                Activity::Unknown,
            ),
        };
        effects.push(Effect::Say(message));
        if next == Activity::Unknown {
            self.breaks_protocol(name, effects);
        } else {
            self.becomes(next, name, effects);
        }
        effects.push(Effect::PutBack(event));
    }

    fn breaks_protocol(&mut self, name: &str, effects: &mut Vec<Effect>) {
        self.reply.clear();
        self.becomes(Activity::Unknown, name, effects);
        let name = name.to_owned();
        effects.push(Effect::Say(Message::ListenerUnknown { name }));
    }

    fn becomes(&mut self, activity: Activity, name: &str, effects: &mut Vec<Effect>) {
        let from = self.state();
        self.activity = activity;
        effects.push(Effect::Say(Message::ListenerState {
            name: name.to_owned(),
            from,
            to: self.state(),
        }));
    }

    /// It asks for the next event and has not read the last one: told once.
    fn complain_of_full_input(&mut self, name: &str, effects: &mut Vec<Effect>) {
        if let Input::Full { is_told } = &mut self.input
            && !*is_told
        {
            *is_told = true;
            let name = name.to_owned();
            effects.push(Effect::Say(Message::ListenerDoesNotRead { name }));
        }
    }
}
