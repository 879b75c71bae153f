//! Bodies of events and the line in front of them, byte for byte as the original prints them.

use linchpin_python::text_or_undecodable;

/// What follows the three fields that every change of state has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateChange {
    /// STARTING and BACKOFF: failed starts so far.
    Tries(u32),
    /// RUNNING, STOPPING and STOPPED: the process id, 0 after BACKOFF.
    Pid(i32),
    /// EXITED.
    Exit {
        /// The exit status was among the expected ones.
        expected: bool,
        /// The process id that was.
        pid: i32,
    },
    /// FATAL and UNKNOWN.
    Nothing,
}

/// Body of `PROCESS_STATE_*`. `from` is the name of the state before.
#[must_use]
pub fn state_payload(process: &str, group: &str, from: &str, change: StateChange) -> String {
    let base = format!("processname:{process} groupname:{group} from_state:{from}");
    match change {
        StateChange::Tries(tries) => format!("{base} tries:{tries}"),
        StateChange::Pid(pid) => format!("{base} pid:{pid}"),
        StateChange::Exit { expected, pid } => {
            format!("{base} expected:{} pid:{pid}", u8::from(expected))
        }
        StateChange::Nothing => base,
    }
}

/// Body of `PROCESS_LOG_*` (with `channel`, `stdout` or `stderr`) and `PROCESS_COMMUNICATION_*`
/// (without).
///
/// Bytes that are no UTF-8 are sent as the original does, as `Undecodable: b'…'`: listeners read
/// text.
#[must_use]
pub fn output_payload(
    process: &str,
    group: &str,
    pid: i32,
    channel: Option<&str>,
    data: &[u8],
) -> String {
    let data = text_or_undecodable(data);
    match channel {
        Some(channel) => {
            format!("processname:{process} groupname:{group} pid:{pid} channel:{channel}\n{data}")
        }
        None => format!("processname:{process} groupname:{group} pid:{pid}\n{data}"),
    }
}

/// Body of `REMOTE_COMMUNICATION`.
#[must_use]
pub fn remote_communication_payload(kind: &str, data: &str) -> String {
    format!("type:{kind}\n{data}")
}

/// Body of `TICK_*`: the epoch second, rounded down to the period.
#[must_use]
pub fn tick_payload(when: i64) -> String {
    format!("when:{when}")
}

/// Body of `PROCESS_GROUP_*`; the only one that ends its line.
#[must_use]
pub fn group_payload(group: &str) -> String {
    format!("groupname:{group}\n")
}

/// The line in front of a body, and the body.
///
/// `len` counts characters, as in the original and against its manual: listeners written with its
/// own helper read that many characters. For ASCII it is the same.
#[must_use]
pub fn envelope(
    server: &str,
    serial: u64,
    pool: &str,
    pool_serial: u64,
    event: &str,
    body: &str,
) -> String {
    format!(
        "ver:3.0 server:{server} serial:{serial} pool:{pool} poolserial:{pool_serial} \
         eventname:{event} len:{}\n{body}",
        body.chars().count()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_exact() {
        let state = |change| state_payload("p", "g", "RUNNING", change);
        assert_eq!(
            state(StateChange::Tries(0)),
            "processname:p groupname:g from_state:RUNNING tries:0"
        );
        assert_eq!(
            state(StateChange::Pid(7)),
            "processname:p groupname:g from_state:RUNNING pid:7"
        );
        assert_eq!(
            state(StateChange::Exit {
                expected: true,
                pid: 7
            }),
            "processname:p groupname:g from_state:RUNNING expected:1 pid:7"
        );
        assert_eq!(
            state(StateChange::Nothing),
            "processname:p groupname:g from_state:RUNNING"
        );
        assert_eq!(
            output_payload("p", "g", 7, Some("stdout"), b"x\n"),
            "processname:p groupname:g pid:7 channel:stdout\nx\n"
        );
        assert_eq!(
            output_payload("p", "g", 7, None, b"\xff"),
            "processname:p groupname:g pid:7\nUndecodable: b'\\xff'"
        );
        assert_eq!(remote_communication_payload("a", "b"), "type:a\nb");
        assert_eq!(tick_payload(1_700_000_000), "when:1700000000");
        assert_eq!(group_payload("g"), "groupname:g\n");
    }

    #[test]
    fn the_envelope_counts_characters() {
        assert_eq!(
            envelope("supervisor", 1, "pool", 2, "TICK_5", "é"),
            "ver:3.0 server:supervisor serial:1 pool:pool poolserial:2 eventname:TICK_5 len:1\né"
        );
    }
}
