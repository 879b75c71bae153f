//! Who judges what a listener answers to an event. In the original that is a Python function of the
//! file's choice; here it is one of those that are built in, by the same names.

use serde::{Deserialize, Serialize};

use super::limits::PRINTED_RESULT_MAX_BYTES;

/// The names that mean something here. With any other name the first one judges.
pub const RESULT_HANDLERS: [&str; 2] = [
    "supervisor.dispatchers:default_handler",
    "supervisor_stdout:event_handler",
];

/// A result handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ResultHandler {
    /// `OK` is good, and everything else a rejection.
    Default,
    /// The package `supervisor-stdout`: the result is the event itself, a `PROCESS_LOG`, and is printed
    /// to the daemon's standard output, each line behind the name of its process and its channel.
    PrintOutput,
}

/// A judgement.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The event was processed; what there is to print.
    Processed(Option<String>),
    /// It was not.
    Rejected,
    /// The handler cannot make anything of the result.
    Failed,
}

/// A result, or as much of its beginning as its handler wants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EventResult {
    pub(super) head: Vec<u8>,
    /// There was more.
    pub(super) is_cut: bool,
}

impl ResultHandler {
    pub(super) fn named(name: &str) -> Self {
        if name == RESULT_HANDLERS[1] {
            Self::PrintOutput
        } else {
            Self::Default
        }
    }

    /// How many bytes of a result it wants to see.
    pub(super) fn most_bytes(self) -> usize {
        match self {
            Self::Default => OK.len(),
            Self::PrintOutput => PRINTED_RESULT_MAX_BYTES,
        }
    }

    pub(super) fn judge(self, result: &EventResult) -> Verdict {
        match self {
            Self::Default if result.head == OK && !result.is_cut => Verdict::Processed(None),
            Self::Default => Verdict::Rejected,
            Self::PrintOutput => match printed(result) {
                Some(text) => Verdict::Processed(Some(text)),
                None => Verdict::Failed,
            },
        }
    }
}

/// The result with which the default handler is content.
const OK: &[u8] = b"OK";

/// What `supervisor_stdout` prints, byte for byte: what stands behind the last end of a line is a line too.
fn printed(result: &EventResult) -> Option<String> {
    if result.is_cut {
        return None;
    }
    let text = std::str::from_utf8(&result.head).ok()?;
    let (headers, data) = text.split_once('\n')?;
    let (mut process, mut channel) = (None, None);
    for header in headers.split_whitespace() {
        let (name, value) = header.split_once(':')?;
        if value.contains(':') {
            return None;
        }
        match name {
            "processname" => process = Some(value),
            "channel" => channel = Some(value),
            _ => {}
        }
    }
    let (process, channel) = (process?, channel?);
    Some(
        data.split('\n')
            .map(|line| format!("{process} {channel} | {line}\n"))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(handler: ResultHandler, text: &[u8]) -> Verdict {
        handler.judge(&EventResult {
            head: text.to_vec(),
            is_cut: false,
        })
    }

    #[test]
    fn by_default_only_ok_is_good() {
        let handler = ResultHandler::named("my.package:judge");
        assert_eq!(judged(handler, b"OK"), Verdict::Processed(None));
        assert_eq!(judged(handler, b"ok"), Verdict::Rejected);
        assert_eq!(judged(handler, b""), Verdict::Rejected);
        let longer = EventResult {
            head: b"OK".to_vec(),
            is_cut: true,
        };
        assert_eq!(handler.judge(&longer), Verdict::Rejected);
    }

    #[test]
    fn supervisor_stdout_prints_every_line_with_its_process_and_channel() {
        let handler = ResultHandler::named("supervisor_stdout:event_handler");
        let event = b"processname:web groupname:web pid:7 channel:stderr\none\ntwo\n";
        let expected = "web stderr | one\nweb stderr | two\nweb stderr | \n".to_owned();
        assert_eq!(judged(handler, event), Verdict::Processed(Some(expected)));
        for bad in [
            &b"OK"[..],
            b"processname:web channel:stdout",
            b"processname:web\nx",
            b"processname:we:b channel:stdout\nx",
            b"word processname:web channel:stdout\nx",
            b"processname:web channel:stdout\n\xff",
        ] {
            assert_eq!(judged(handler, bad), Verdict::Failed, "{bad:?}");
        }
    }
}
