//! The command lines of `status`, `why` and `events`. Options and names may come in any order.

use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt as _};
use linchpin_config::ControlRequest;

use super::Errand;
use super::moments::parse_length;

/// What was written.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    /// Where the daemon is.
    pub(super) daemon: ControlRequest,
    /// Processes and groups.
    pub(super) names: Vec<String>,
    /// `--json`
    pub(super) json: bool,
    /// `--watch`
    pub(super) watch: bool,
    /// `--wait ready`
    pub(super) wait_ready: bool,
    /// `--timeout`
    pub(super) timeout: Option<Duration>,
    /// `--since`, as it was written.
    pub(super) since: Option<String>,
    /// `--limit`
    pub(super) limit: Option<u32>,
    /// `--follow`
    pub(super) follow: bool,
}

/// What is wrong with a command line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Mistake(pub(super) String);

impl From<lexopt::Error> for Mistake {
    fn from(error: lexopt::Error) -> Self {
        Self(error.to_string())
    }
}

impl Asked {
    /// None if help is wanted.
    pub(super) fn read(errand: Errand, words: &[String]) -> Result<Option<Self>, Mistake> {
        let mut asked = Self::default();
        let mut parser = Parser::from_args(words);
        while let Some(argument) = parser.next()? {
            let is = |one: Errand| errand == one;
            match argument {
                Arg::Short('h') | Arg::Long("help") => return Ok(None),
                Arg::Short('c') | Arg::Long("configuration") => {
                    asked.daemon.file = Some(parser.value()?.string()?);
                }
                Arg::Short('s') | Arg::Long("serverurl") => {
                    asked.daemon.serverurl = Some(parser.value()?.string()?);
                }
                Arg::Short('u') | Arg::Long("username") => {
                    asked.daemon.username = Some(parser.value()?.string()?);
                }
                Arg::Short('p') | Arg::Long("password") => {
                    asked.daemon.password = Some(parser.value()?.string()?);
                }
                Arg::Long("json") if !is(Errand::Reload) => asked.json = true,
                Arg::Short('w') | Arg::Long("watch") if is(Errand::Status) => asked.watch = true,
                Arg::Long("wait") if is(Errand::Status) => {
                    let what = parser.value()?.string()?;
                    if what != "ready" {
                        return Err(Mistake(format!(
                            "--wait waits for `ready`, and not for `{what}`"
                        )));
                    }
                    asked.wait_ready = true;
                }
                Arg::Long("timeout") if is(Errand::Status) => {
                    let text = parser.value()?.string()?;
                    asked.timeout = Some(parse_length(&text).ok_or_else(|| {
                        Mistake(format!(
                            "--timeout is a length of time such as 30s or 2m, and not `{text}`"
                        ))
                    })?);
                }
                Arg::Long("since") if is(Errand::Events) => {
                    asked.since = Some(parser.value()?.string()?);
                }
                Arg::Short('n') | Arg::Long("limit") if is(Errand::Events) => {
                    asked.limit = Some(parser.value()?.parse()?);
                }
                Arg::Short('f') | Arg::Long("follow") if is(Errand::Events) => {
                    asked.follow = true;
                }
                Arg::Value(name) => asked.names.push(name.string()?),
                other @ (Arg::Short(_) | Arg::Long(_)) => return Err(other.unexpected().into()),
            }
        }
        if asked.watch && asked.wait_ready {
            return Err(Mistake(
                "--watch goes on for ever and --wait ends: choose one".to_owned(),
            ));
        }
        if asked.timeout.is_some() && !asked.wait_ready {
            return Err(Mistake("--timeout is for --wait ready".to_owned()));
        }
        if matches!(errand, Errand::Why | Errand::Reload) && asked.names.is_empty() {
            return Err(Mistake("which service? Name it, or a group".to_owned()));
        }
        Ok(Some(asked))
    }
}

const WHERE: &str = "
Where the daemon is (without any of these: what the configuration says, which is looked for as supervisord does):
  -c, --configuration FILE   its configuration file
  -s, --serverurl URL        where it listens: unix:///path or http://host:port
  -u, --username NAME        user name to give to it
  -p, --password WORD        password to give to it
";

/// The help of an errand.
pub(super) fn help(errand: Errand, called: &str) -> String {
    match errand {
        Errand::Status => format!(
            "Usage: {called} [options] [NAME...]

How everything is: states, readiness, what is waited for, restarts, memory, processor time.
Exits with 0 if everything shown is as it should be (up and ready, or done), with 3 if not, with 4 if no daemon
answers. Services with importance=optional are shown and do not count.

  --json                     print the document of /api/v1/services
  -w, --watch                show it again every second, until Ctrl-C
  --wait ready               wait until everything is as it should be; ends early, with 3, when something is not
                             and will not be by itself
  --timeout TIME             wait no longer than this (30s, 2m), then exit with 3
{WHERE}"
        ),
        Errand::Why => format!(
            "Usage: {called} [options] NAME...

Why a service is in its state: the chain of causes, what its checks answer, its last words, what happens next
and when, what you could do. NAME is a process, group:process, or a group.

  --json                     print the document of /api/v1/services/NAME/why
{WHERE}"
        ),
        Errand::Events => format!(
            "Usage: {called} [options] [NAME...]

What has happened: every change of state with its reason, and what else is recorded, oldest first. With
[linchpin] state_directory it is kept across restarts, and can be read when the daemon is not there.

  --since WHEN               10m, 2h, 1d ago; 14:30 (today, or yesterday if that is to come); 2026-01-31 or
                             '2026-01-31 14:30'; @SECONDS since 1970
  -n, --limit NUMBER         the last so many (default: 100; all with --since)
  -f, --follow               go on with what happens
  --json                     print one JSON document per line
{WHERE}"
        ),
        Errand::Reload => format!(
            "Usage: {called} [options] NAME...

Has services read their own configuration again: by reload_command, else by reload_signal. Exits with 0 if all did.
NAME is a process, group:process, or group:*.
{WHERE}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(errand: Errand, line: &str) -> Result<Option<Asked>, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Asked::read(errand, &words).map_err(|mistake| mistake.to_string())
    }

    #[test]
    fn options_and_names_come_in_any_order() {
        let asked = read(
            Errand::Status,
            "web -c /etc/x.conf --wait=ready db:* --timeout 2m --json",
        );
        let asked = asked.unwrap().unwrap();
        assert_eq!(asked.names, ["web", "db:*"]);
        assert_eq!(asked.daemon.file.as_deref(), Some("/etc/x.conf"));
        assert_eq!(asked.timeout, Some(Duration::from_secs(120)));
        assert!(asked.json && asked.wait_ready && !asked.watch);
        let asked = read(Errand::Events, "-fn5 --since 10m").unwrap().unwrap();
        assert!(asked.follow);
        assert_eq!(
            (asked.limit, asked.since.as_deref()),
            (Some(5), Some("10m"))
        );
        assert!(read(Errand::Why, "x --help").unwrap().is_none());
    }

    #[test]
    fn mistakes_are_told() {
        for (errand, line, expected) in [
            (Errand::Why, "", "which service? Name it, or a group"),
            (Errand::Why, "--watch x", "invalid option '--watch'"),
            (
                Errand::Status,
                "--wait done",
                "--wait waits for `ready`, and not for `done`",
            ),
            (
                Errand::Status,
                "--wait ready --timeout soon",
                "--timeout is a length of time such as 30s or 2m, and not `soon`",
            ),
            (
                Errand::Status,
                "--timeout 2s",
                "--timeout is for --wait ready",
            ),
            (
                Errand::Status,
                "--watch --wait ready",
                "--watch goes on for ever and --wait ends: choose one",
            ),
            (Errand::Events, "-n", "missing argument for option '-n'"),
        ] {
            assert_eq!(read(errand, line).unwrap_err(), expected, "{line}");
        }
    }
}
