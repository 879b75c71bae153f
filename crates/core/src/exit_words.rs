//! How a process ended, in words for people: the number and what it usually means.

use linchpin_python::signals::signal_name;

use crate::ExitStatus;

impl ExitStatus {
    /// In words: "exit 127: command not found", "killed by SIGKILL, out of memory".
    #[must_use]
    pub fn in_words(self, out_of_memory: bool) -> String {
        let mut text = match self {
            Self::Code(code) => match meaning_of_code(code) {
                Some(meaning) => format!("exit {code}: {meaning}"),
                None => format!("exit {code}"),
            },
            Self::Signal {
                signal,
                core_dumped,
            } => {
                let mut text = format!("killed by {}", signal_name(signal));
                if let Some(meaning) = meaning_of_signal(signal) {
                    text.push_str(" (");
                    text.push_str(meaning);
                    text.push(')');
                }
                if core_dumped {
                    text.push_str(", core dumped");
                }
                text
            }
        };
        if out_of_memory {
            text.push_str(", out of memory");
        }
        text
    }
}

/// What shells and `sysexits.h` mean by an exit status. Statuses that every program uses as it likes have no
/// meaning here.
fn meaning_of_code(code: i32) -> Option<String> {
    let meaning = match code {
        0 => "success",
        64 => "wrong usage of the command (EX_USAGE)",
        65 => "wrong input data (EX_DATAERR)",
        66 => "an input file is missing or cannot be read (EX_NOINPUT)",
        67 => "an unknown user (EX_NOUSER)",
        68 => "an unknown host (EX_NOHOST)",
        69 => "something that it needs is not available (EX_UNAVAILABLE)",
        70 => "an internal error (EX_SOFTWARE)",
        71 => "an error of the operating system (EX_OSERR)",
        72 => "a file of the system is missing or wrong (EX_OSFILE)",
        73 => "an output file cannot be created (EX_CANTCREAT)",
        74 => "an input or output error (EX_IOERR)",
        75 => "a failure that may pass (EX_TEMPFAIL)",
        76 => "a wrong answer of another program (EX_PROTOCOL)",
        77 => "a permission is missing (EX_NOPERM)",
        78 => "an error in its configuration (EX_CONFIG)",
        126 => "the command cannot be run: it is not executable, or not a program",
        127 => "command not found",
        129..=192 => {
            let signal = signal_name(code - 128);
            return Some(format!(
                "what a shell says when its command was killed by {signal}"
            ));
        }
        _ => return None,
    };
    Some(meaning.to_owned())
}

/// What is not said by the name.
fn meaning_of_signal(signal: i32) -> Option<&'static str> {
    Some(match signal {
        4 => "illegal instruction",
        6 => "it aborted itself",
        7 | 11 => "invalid access to memory",
        8 => "invalid arithmetic",
        13 => "it wrote to what nobody reads any more",
        24 => "its limit of processor time",
        25 => "its limit of file size",
        31 => "forbidden system call",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_told_in_words() {
        let signal = |signal, core_dumped| ExitStatus::Signal {
            signal,
            core_dumped,
        };
        for (status, out_of_memory, words) in [
            (ExitStatus::Code(0), false, "exit 0: success"),
            (ExitStatus::Code(1), false, "exit 1"),
            (
                ExitStatus::Code(78),
                false,
                "exit 78: an error in its configuration (EX_CONFIG)",
            ),
            (
                ExitStatus::Code(126),
                false,
                "exit 126: the command cannot be run: it is not executable, or not a program",
            ),
            (ExitStatus::Code(127), false, "exit 127: command not found"),
            (
                ExitStatus::Code(137),
                false,
                "exit 137: what a shell says when its command was killed by SIGKILL",
            ),
            (
                ExitStatus::Code(137),
                true,
                "exit 137: what a shell says when its command was killed by SIGKILL, out of memory",
            ),
            (signal(9, false), false, "killed by SIGKILL"),
            (signal(9, false), true, "killed by SIGKILL, out of memory"),
            (
                signal(11, true),
                false,
                "killed by SIGSEGV (invalid access to memory), core dumped",
            ),
        ] {
            assert_eq!(status.in_words(out_of_memory), words);
        }
    }
}
