//! A shell that is ended from outside leaves the terminal as it found it: while a line is edited the terminal shows
//! nothing of what is typed, and would go on so.

use std::io;
use std::os::fd::AsFd as _;

use linchpin_sys::Pid;
use linchpin_sys::group::kill;
use linchpin_sys::signals::{SignalFd, SignalSet, block, restore_default, unblock_all};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::stdio::stdin;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

const SIGHUP: i32 = 1;
const SIGTERM: i32 = 15;

/// Begins to watch, on a thread that sleeps until then.
pub(crate) fn watch() -> io::Result<()> {
    let before = tcgetattr(stdin())?;
    let set = SignalSet::of(&[SIGHUP, SIGTERM]);
    block(&set)?;
    let signals = SignalFd::new(&set)?;
    std::thread::Builder::new()
        .name("rescue".to_owned())
        .spawn(move || {
            // Where waiting fails the signals stay blocked, and SIGKILL is left.
            let _ = wait_and_end(&signals, &before);
        })?;
    Ok(())
}

fn wait_and_end(signals: &SignalFd, before: &Termios) -> io::Result<()> {
    let descriptor = signals.as_fd();
    let received = loop {
        match poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        match signals.read() {
            Ok(received) => break received.signal,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    };
    // The terminal may be what has gone.
    let _ = tcsetattr(stdin(), OptionalActions::Now, before);
    restore_default(received)?;
    unblock_all()?;
    kill(Pid::of_this_process(), received)
}
