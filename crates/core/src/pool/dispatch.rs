//! Events to listeners, and their answers.

use std::sync::Arc;

use super::listener::{Effect, Input};
use super::{Pool, PoolEvent};
use crate::process::Life;
use crate::supervisor::{Step, Supervisor};
use crate::{
    Action, Channel, Delivery, Generation, ListenerState, Message, Notice, Output, OutputKind,
    ProcessId, ProcessState,
};

impl Supervisor {
    /// Tells the world, and every pool that has subscribed.
    pub(crate) fn publish(&mut self, notice: Notice, step: &mut Step<'_>) {
        let for_pools = self
            .pools
            .is_subscribed(notice.event_type())
            .then(|| Arc::new(notice.clone()));
        step.act(Action::Publish(notice));
        if let Some(notice) = for_pools {
            self.pools.accept(&notice, step);
        }
    }

    /// Tells every pool that has subscribed what only they want to know.
    pub(crate) fn tell_pools(&mut self, notice: Notice, step: &mut Step<'_>) {
        if self.pools.is_subscribed(notice.event_type()) {
            self.pools.accept(&Arc::new(notice), step);
        }
    }

    /// A process has written something that listeners may want to know.
    pub(crate) fn process_output(
        &mut self,
        id: ProcessId,
        kind: OutputKind,
        channel: Channel,
        pid: i32,
        data: Vec<u8>,
        step: &mut Step<'_>,
    ) {
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        let output = Output {
            name: process.config.name.clone(),
            group: process.group.clone(),
            pid,
            channel,
            data,
        };
        let notice = match kind {
            OutputKind::Log => Notice::ProcessLog(output),
            OutputKind::Communication => Notice::ProcessCommunication(output),
        };
        self.tell_pools(notice, step);
    }

    /// Sends what can be sent. Comes after everything else that an event leads to, as in the original, so
    /// that what happens together waits together.
    pub(crate) fn dispatch(&mut self, step: &mut Step<'_>) {
        for index in 0..self.pools.pools.len() {
            let Some(pool) = self.pools.pools.get(index) else {
                return;
            };
            let is_able = pool.under_way.is_none()
                && !pool.buffer.is_empty()
                && self.first_taker(pool).is_some();
            if is_able {
                self.dispatch_next(index, step);
            }
        }
    }

    /// Takes out the oldest event of a pool and sends it; if nobody takes it, it goes back.
    fn dispatch_next(&mut self, index: usize, step: &mut Step<'_>) {
        if let Some(pool) = self.pools.pools.get_mut(index)
            && let Some(event) = pool.buffer.pop()
        {
            self.send(index, event, step);
        }
    }

    fn send(&mut self, index: usize, event: PoolEvent, step: &mut Step<'_>) {
        let Some(pool) = self.pools.pools.get(index) else {
            return;
        };
        let taker = self
            .first_taker(pool)
            .and_then(|id| Some((id, self.processes.get(&id)?.generation)));
        let Some(pool) = self.pools.pools.get_mut(index) else {
            return;
        };
        let Some((process, generation)) = taker else {
            return pool.buffer.put_back(event, &pool.name, step);
        };
        step.act(Action::SendEvent {
            process,
            generation,
            pool: pool.name.clone(),
            serial: event.serial,
            pool_serial: event.pool_serial,
            notice: event.notice.clone(),
        });
        pool.under_way = Some((process, generation));
        if let Some(listener) = pool.listener(process) {
            listener.give(event);
        }
    }

    /// The first listener, in the order of the processes, that runs and wants an event.
    fn first_taker(&self, pool: &Pool) -> Option<ProcessId> {
        pool.listeners
            .iter()
            .filter(|listener| listener.wants_event())
            .map(|listener| listener.process)
            .find(|id| self.is_up(*id))
    }

    /// What became of an event that was sent.
    pub(crate) fn delivered(
        &mut self,
        id: ProcessId,
        generation: Generation,
        delivery: Delivery,
        step: &mut Step<'_>,
    ) {
        let Some(index) = self.pools.of_listener(id) else {
            return;
        };
        let name = self.name_of(id);
        let Some(pool) = self.pools.pools.get_mut(index) else {
            return;
        };
        if pool.under_way != Some((id, generation)) {
            return;
        }
        pool.under_way = None;
        let Some(listener) = pool.listener(id) else {
            return;
        };
        match delivery {
            Delivery::Taken => {}
            Delivery::Kept | Delivery::Full => listener.input = Input::Full { is_told: false },
            Delivery::Closed => listener.input = Input::Closed,
        }
        match delivery {
            Delivery::Taken | Delivery::Kept => {
                if let Some(event) = listener.event() {
                    step.act(Action::Log(Message::EventSent {
                        serial: event.serial,
                        name,
                    }));
                }
                self.dispatch_next(index, step);
            }
            Delivery::Full | Delivery::Closed => {
                let Some(event) = listener.take_back() else {
                    return;
                };
                if delivery == Delivery::Closed {
                    step.act(Action::Log(Message::ListenerClosed {
                        serial: event.serial,
                        name,
                    }));
                }
                self.send(index, event, step);
            }
        }
    }

    /// A listener has read everything that was written to it.
    pub(crate) fn input_drained(&mut self, id: ProcessId, generation: Generation) {
        if self.is_run(id, generation)
            && let Some(index) = self.pools.of_listener(id)
            && let Some(pool) = self.pools.pools.get_mut(index)
            && let Some(listener) = pool.listener(id)
            && matches!(listener.input, Input::Full { .. })
        {
            listener.input = Input::Free;
        }
    }

    /// A listener has written something to its standard output.
    pub(crate) fn listener_said(
        &mut self,
        id: ProcessId,
        generation: Generation,
        data: &[u8],
        step: &mut Step<'_>,
    ) {
        if !self.is_run(id, generation) {
            return;
        }
        let name = self.name_of(id);
        let Some(index) = self.pools.of_listener(id) else {
            return;
        };
        let Some(pool) = self.pools.pools.get_mut(index) else {
            return;
        };
        let mut effects = Vec::new();
        let handler = pool.result_handler;
        if let Some(listener) = pool.listener(id) {
            listener.said(&name, data, handler, &mut effects);
        }
        for effect in effects {
            match effect {
                Effect::Say(message) => step.act(Action::Log(message)),
                Effect::Print(text) => step.act(Action::Print(text)),
                Effect::PutBack(event) => pool.buffer.put_back(event, &pool.name, step),
            }
        }
    }

    /// A process is about to be started: if it is a listener, it begins anew. Whether it is one.
    pub(crate) fn listener_begins(&mut self, id: ProcessId) -> bool {
        let Some(index) = self.pools.of_listener(id) else {
            return false;
        };
        if let Some(listener) = self
            .pools
            .pools
            .get_mut(index)
            .and_then(|pool| pool.listener(id))
        {
            listener.begin_anew();
        }
        true
    }

    /// A process has ended: the event that it was at, if it is a listener, is the next one again.
    pub(crate) fn listener_ended(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some(index) = self.pools.of_listener(id) else {
            return;
        };
        let Some(pool) = self.pools.pools.get_mut(index) else {
            return;
        };
        if pool.under_way.is_some_and(|(process, _)| process == id) {
            pool.under_way = None;
        }
        if let Some(event) = pool.listener(id).and_then(super::Listener::ended) {
            pool.buffer.put_back(event, &pool.name, step);
        }
    }

    /// Whether a listener of this pool is at an event, or will be as soon as it says so.
    pub(crate) fn pool_is_at_work(&self, name: &str) -> bool {
        let Some(pool) = self.pools.pools.iter().find(|pool| pool.name == name) else {
            return false;
        };
        let has_waiting = !pool.buffer.is_empty();
        pool.listeners.iter().any(|listener| {
            let is_at_work = match listener.state() {
                ListenerState::Busy => true,
                ListenerState::Ready | ListenerState::Acknowledged => {
                    has_waiting && listener.input == Input::Free
                }
                ListenerState::Unknown => false,
            };
            is_at_work && self.is_up(listener.process)
        })
    }

    /// Whether a process runs and has not ended.
    fn is_up(&self, id: ProcessId) -> bool {
        self.processes.get(&id).is_some_and(|process| {
            process.state == ProcessState::Running && matches!(process.life, Life::Alive { .. })
        })
    }

    fn is_run(&self, id: ProcessId, generation: Generation) -> bool {
        self.processes
            .get(&id)
            .is_some_and(|process| process.generation == generation)
    }

    fn name_of(&self, id: ProcessId) -> String {
        self.processes
            .get(&id)
            .map(|process| process.config.name.clone())
            .unwrap_or_default()
    }
}
