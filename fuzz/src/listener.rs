//! What must be true whatever an event listener says, and in whatever pieces it says it: its pool stays within its
//! bounds, and the state can be frozen and goes on as it was.

use linchpin_config::{LoadRequest, load};
use linchpin_core::{
    Action, Actions, Delivery, Event, ExitStatus, Generation, ListenerState, Monotonic, Now,
    ProcessId, Supervisor, Wall,
};

use crate::machine::{MAIN_FILE, Machine};

const CONFIGURATION: &[u8] = b"[supervisord]\n\
    [eventlistener:l]\ncommand=/bin/l\nevents=REMOTE_COMMUNICATION\nbuffer_size=3\nnumprocs=2\n\
    process_name=%(process_num)d\nstartsecs=0\n";

/// Most bytes that a frozen state may take that has heard these listeners: what is not understood is bounded.
const MOST_FROZEN_BYTES: usize = 64 * 1024;

/// Pieces of what listeners say, separated by bytes that say what else happens.
///
/// 0xff: an event comes. 0xfe: the next listener speaks. 0xfd: a piece ends. 0xfc: the next event finds a closed
/// pipe, 0xfb: a full one, 0xfa: which is read. 0xf9: the listener ends and is started again. 0xf8: freeze.
pub fn said(data: &[u8]) {
    let mut stage = Stage::new();
    let mut piece = Vec::new();
    for byte in data {
        if *byte < 0xf8 {
            piece.push(*byte);
            continue;
        }
        stage.says(std::mem::take(&mut piece));
        match byte {
            0xff => stage.feed(Event::RemoteCommunication {
                kind: "k".to_owned(),
                data: "d".to_owned(),
            }),
            0xfe => stage.speaker = (stage.speaker + 1) % stage.starts.len(),
            0xfc => stage.delivery = Delivery::Closed,
            0xfb => stage.delivery = Delivery::Full,
            0xfa => {
                let (process, generation, _) = stage.starts[stage.speaker];
                stage.feed(Event::InputDrained {
                    process,
                    generation,
                });
            }
            0xf9 => stage.end(),
            0xf8 => stage.freeze(),
            _ => {}
        }
        stage.hold();
    }
    stage.says(piece);
    stage.freeze();
    stage.hold();
}

struct Stage {
    supervisor: Supervisor,
    nanoseconds: u64,
    /// Running listeners: process, start, process id.
    starts: Vec<(ProcessId, Generation, i32)>,
    speaker: usize,
    delivery: Delivery,
    next_pid: i32,
}

impl Stage {
    fn new() -> Self {
        let machine = Machine::new(std::iter::once(CONFIGURATION));
        let request = LoadRequest {
            file: Some(MAIN_FILE.to_owned()),
            program: "/usr/bin/supervisord".to_owned(),
            ..LoadRequest::default()
        };
        let loaded = load(&machine, &request).expect("it is right");
        let mut stage = Self {
            supervisor: Supervisor::new(&loaded.config),
            nanoseconds: 1,
            starts: Vec::new(),
            speaker: 0,
            delivery: Delivery::Taken,
            next_pid: 100,
        };
        stage.feed(Event::Boot);
        assert_eq!(stage.starts.len(), 2);
        stage
    }

    fn feed(&mut self, event: Event) {
        let mut events = vec![event];
        let mut rest = 10_000;
        while let Some(event) = events.pop() {
            rest -= 1;
            assert!(rest > 0, "it never comes to rest");
            self.nanoseconds += 1_000_000;
            let now = Now {
                monotonic: Monotonic(self.nanoseconds),
                wall: Wall(0),
            };
            let mut actions = Actions::new();
            self.supervisor.handle(event, now, &mut actions);
            for action in actions {
                if let Action::Spawn {
                    process,
                    generation,
                    ..
                } = action
                {
                    let pid = self.next_pid;
                    self.next_pid += 1;
                    self.starts.push((process, generation, pid));
                    events.push(Event::Spawned {
                        process,
                        generation,
                        pid,
                        exec_failure: None,
                    });
                } else if let Action::SendEvent {
                    process,
                    generation,
                    ..
                } = action
                {
                    let delivery = std::mem::replace(&mut self.delivery, Delivery::Taken);
                    events.push(Event::Delivered {
                        process,
                        generation,
                        delivery,
                    });
                }
            }
        }
    }

    fn says(&mut self, data: Vec<u8>) {
        if data.is_empty() {
            return;
        }
        let (process, generation, _) = self.starts[self.speaker];
        self.feed(Event::ListenerOutput {
            process,
            generation,
            data,
        });
    }

    fn end(&mut self) {
        let (process, generation, _) = self.starts.remove(self.speaker);
        self.nanoseconds += 2_000_000_000;
        self.feed(Event::Exited {
            process,
            generation,
            status: ExitStatus::Code(1),
            drained: true,
            group_alive: false,
        });
        self.speaker = 0;
        assert_eq!(self.starts.len(), 2, "it is started again");
    }

    fn freeze(&mut self) {
        let bytes = self.supervisor.freeze().expect("it freezes");
        assert!(bytes.len() < MOST_FROZEN_BYTES, "{} bytes", bytes.len());
        let restored = Supervisor::restore(&bytes).expect("it thaws");
        assert_eq!(restored, self.supervisor);
        self.supervisor = restored;
    }

    fn hold(&self) {
        for pool in self.supervisor.pools() {
            assert!(pool.waiting.len() <= pool.most_waiting, "{pool:?}");
            let mut serials = pool.waiting.clone();
            for listener in &pool.listeners {
                let is_busy = listener.state == ListenerState::Busy;
                assert_eq!(is_busy, listener.event.is_some(), "{pool:?}");
                serials.extend(listener.event);
            }
            let count = serials.len();
            serials.sort_unstable();
            serials.dedup();
            assert_eq!(serials.len(), count, "an event is in two places: {pool:?}");
            assert!(
                serials.iter().all(|serial| *serial < pool.next_serial),
                "{pool:?}"
            );
        }
    }
}
