//! The language of `NOTIFY_SOCKET`: lines of `NAME=value`.

use std::time::Duration;

use linchpin_core::Notification;

/// Most bytes of a datagram; longer ones are ignored, as systemd does.
pub(crate) const MOST_MESSAGE_BYTES: usize = 4096;

/// Reads a datagram. Names that mean nothing here, or nothing at all, are skipped; of values that cannot be read
/// nothing is taken. `FDSTORE` is among the former: descriptors are not kept.
pub(super) fn read_message(bytes: &[u8]) -> Notification {
    let text = String::from_utf8_lossy(bytes);
    let mut told = Notification::default();
    for line in text.split(['\n', '\0']) {
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        match (name, value) {
            ("READY", "1") => told.ready = true,
            ("RELOADING", "1") => told.reloading = true,
            ("STOPPING", "1") => told.stopping = true,
            ("WATCHDOG", "1") => told.alive = true,
            ("WATCHDOG", "trigger") => told.broken = true,
            ("STATUS", text) => told.status = Some(status(text)),
            ("MAINPID", pid) => told.main_pid = pid.parse().ok().filter(|pid| *pid > 0),
            ("EXTEND_TIMEOUT_USEC", time) => {
                told.extend = time.parse().ok().map(Duration::from_micros);
            }
            _ => {}
        }
    }
    told
}

/// Without what a terminal would act upon, and not too long.
fn status(text: &str) -> String {
    let mut status = String::new();
    for char in text.trim().chars().filter(|char| !char.is_control()) {
        if status.len() + char.len_utf8() > Notification::STATUS_MAX {
            break;
        }
        status.push(char);
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8], expected: &Notification) {
        let shown = String::from_utf8_lossy(text);
        assert_eq!(read_message(text), *expected, "{shown:?}");
    }

    #[test]
    fn messages_are_read() {
        let nothing = Notification::default;
        let ready = || Notification {
            ready: true,
            ..nothing()
        };
        check(b"READY=1", &ready());
        check(b"READY=1\n", &ready());
        check(
            b"\n\nX_OTHER=5\nREADY=1\nnonsense\n=\nFDSTORE=1\nBARRIER=1\n",
            &ready(),
        );
        check(b"READY=1\0", &ready());
        check(
            b"RELOADING=1\nMONOTONIC_USEC=5\nSTATUS= \x1b[1mReading\xff the file \n",
            &Notification {
                reloading: true,
                status: Some("[1mReading\u{fffd} the file".to_owned()),
                ..nothing()
            },
        );
        check(
            b"STOPPING=1\nWATCHDOG=1\nMAINPID=4711\nEXTEND_TIMEOUT_USEC=1500000\nSTATUS=",
            &Notification {
                stopping: true,
                alive: true,
                main_pid: Some(4711),
                extend: Some(Duration::from_millis(1500)),
                status: Some(String::new()),
                ..nothing()
            },
        );
        check(
            b"WATCHDOG=trigger",
            &Notification {
                broken: true,
                ..nothing()
            },
        );
    }

    #[test]
    fn values_that_cannot_be_are_skipped() {
        for text in [
            "READY=0",
            "READY=yes",
            "READY",
            "ready=1",
            " READY=1",
            "MAINPID=0",
            "MAINPID=-1",
            "MAINPID=x",
            "MAINPID=99999999999",
            "EXTEND_TIMEOUT_USEC=-5",
            "EXTEND_TIMEOUT_USEC=",
            "WATCHDOG=2",
            "",
        ] {
            check(text.as_bytes(), &Notification::default());
        }
    }

    #[test]
    fn a_long_status_is_cut() {
        let text = format!("STATUS=y{}", "é".repeat(Notification::STATUS_MAX));
        let status = read_message(text.as_bytes()).status.unwrap();
        assert_eq!(status.len(), Notification::STATUS_MAX - 1);
    }
}
