//! The grammar of probes: `tcp://host:port`, `exec:command` and the rest, with the place of a mistake in the text.

use super::http;
use super::own::Mistake;
use super::values::splits_into_words;
use crate::service::ProbeKind;
use crate::suggestion::closest;
use crate::world::World;

/// Words with which a probe begins.
const KINDS: [&str; 9] = [
    "tcp", "unix", "http", "https", "exec", "log", "file", "notify", "fd",
];
/// Longest path of a unix socket, in bytes.
const LONGEST_SOCKET_PATH: usize = 107;
/// Descriptors that a probe may name: beyond the three that every process has, and below the usual limit.
const DESCRIPTORS: std::ops::RangeInclusive<i32> = 3..=1023;

/// A probe from its expanded text. Files of commands are read through the world.
pub(crate) fn probe(world: &dyn World, text: &str) -> Result<ProbeKind, Mistake> {
    if text.eq_ignore_ascii_case("notify") {
        return Ok(ProbeKind::Notify);
    }
    let Some((kind, rest)) = text.split_once(':') else {
        return Err(unknown_kind(text, 0..text.len()));
    };
    let offset = kind.len() + 1;
    match kind.to_ascii_lowercase().as_str() {
        "tcp" => tcp(text, rest, offset),
        "unix" => unix(text, rest, offset),
        "http" => http::probe(text, false).map(|probe| ProbeKind::Http(Box::new(probe))),
        "https" => http::probe(text, true).map(|probe| ProbeKind::Http(Box::new(probe))),
        "exec" => exec(world, text, rest, offset),
        "log" => log(text, rest),
        "file" => file(text, rest, offset),
        "fd" => descriptor(text, rest, offset),
        "notify" => Err(Mistake::new("nothing can follow `notify`")
            .help("write `notify` alone")
            .at(kind.len()..text.len())),
        _ => Err(unknown_kind(kind, 0..kind.len())),
    }
}

fn unknown_kind(word: &str, range: std::ops::Range<usize>) -> Mistake {
    let mistake = Mistake::new(format!("there is no kind of probe `{word}`")).at(range);
    match closest(word, KINDS) {
        Some(meant) => mistake.help(format!("did you mean `{meant}`?")),
        None => mistake,
    }
}

fn tcp(text: &str, rest: &str, offset: usize) -> Result<ProbeKind, Mistake> {
    const HELP: &str = "write `tcp://host:port`";
    let address = rest.strip_prefix("//").ok_or_else(|| {
        Mistake::new("`//` must follow `tcp:`")
            .help(HELP)
            .at(0..text.len())
    })?;
    let (host, port) =
        host_and_port(address).map_err(|mistake| mistake.shifted(offset + 2).help(HELP))?;
    let Some(port) = port else {
        return Err(Mistake::new("there is no port")
            .help(HELP)
            .at(0..text.len()));
    };
    Ok(ProbeKind::Tcp { host, port })
}

/// `host`, `host:port` or `[address]:port`; the host comes without brackets.
pub(super) fn host_and_port(text: &str) -> Result<(String, Option<u16>), Mistake> {
    let whole = || 0..text.len();
    let (host, port, port_start) = if let Some(inside) = text.strip_prefix('[') {
        let Some((host, after)) = inside.split_once(']') else {
            return Err(Mistake::new("the bracket is never closed").at(whole()));
        };
        let port = match after.strip_prefix(':') {
            Some(port) => Some(port),
            None if after.is_empty() => None,
            None => {
                let start = text.len() - after.len();
                return Err(
                    Mistake::new("only `:port` can follow the bracket").at(start..text.len())
                );
            }
        };
        if host.parse::<std::net::Ipv6Addr>().is_err() {
            return Err(Mistake::new(format!("`{host}` is no IPv6 address")).at(1..host.len() + 1));
        }
        (host, port, text.len() - port.map_or(0, str::len))
    } else {
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        };
        if port.is_some_and(|port| port.contains(':')) {
            return Err(Mistake::new("an IPv6 address needs brackets around it").at(whole()));
        }
        (host, port, text.len() - port.map_or(0, str::len))
    };
    let is_of_host = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_' | ':')
    };
    if host.is_empty() {
        return Err(Mistake::new("there is no host").at(whole()));
    }
    if !host.chars().all(is_of_host) {
        return Err(Mistake::new(format!("`{host}` is no host")).at(whole()));
    }
    let port = port.map(|port| {
        let is_number = port.chars().all(|digit| digit.is_ascii_digit());
        port.parse::<u16>()
            .ok()
            .filter(|number| is_number && *number > 0)
            .ok_or_else(|| {
                let message = format!("`{port}` is no port, which is a number from 1 to 65535");
                Mistake::new(message).at(port_start..text.len())
            })
    });
    Ok((host.to_owned(), port.transpose()?))
}

fn unix(text: &str, rest: &str, offset: usize) -> Result<ProbeKind, Mistake> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let start = offset + (rest.len() - path.len());
    if !path.starts_with('/') {
        return Err(Mistake::new("the path of the socket must be absolute")
            .help("write `unix:///path`, with three slashes")
            .at(0..text.len()));
    }
    if path.len() > LONGEST_SOCKET_PATH {
        return Err(Mistake::new(format!(
            "no socket can have a path of more than {LONGEST_SOCKET_PATH} bytes"
        ))
        .help("use a shorter path")
        .at(start..text.len()));
    }
    Ok(ProbeKind::Unix {
        path: path.to_owned(),
    })
}

fn exec(world: &dyn World, text: &str, rest: &str, offset: usize) -> Result<ProbeKind, Mistake> {
    let command = rest.trim();
    if command.is_empty() {
        return Err(Mistake::new("there is no command")
            .help("write `exec:command` or `exec:@/file`")
            .at(0..text.len()));
    }
    let start = offset + (rest.len() - rest.trim_start().len());
    let range = start..start + command.len();
    let Some(path) = command.strip_prefix('@') else {
        splits_into_words(command).map_err(|mistake| mistake.at(range))?;
        return Ok(ProbeKind::Exec {
            command: command.to_owned(),
        });
    };
    if !path.starts_with('/') {
        return Err(Mistake::new("the path behind `@` must be absolute")
            .help("write `exec:@/file`, or `exec:@%(here)s/file` for one beside the main file")
            .at(range));
    }
    let content = world.read_file(path).map_err(|error| {
        Mistake::new(format!(
            "the file `{path}`, which should hold the command, cannot be read: {error}"
        ))
        .help("correct the path, or write the command itself")
        .at(range.clone())
    })?;
    let content = String::from_utf8(content).map_err(|_| {
        Mistake::new(format!("the file `{path}` is not UTF-8 text"))
            .help("name a file that holds a command line")
            .at(range.clone())
    })?;
    let command = content.trim();
    if command.is_empty() {
        return Err(Mistake::new(format!("the file `{path}` holds no command"))
            .help("write the command into it")
            .at(range));
    }
    splits_into_words(command).map_err(|mistake| Mistake {
        message: format!("in the file `{path}`: {}", mistake.message),
        range: Some(range),
        ..mistake
    })?;
    Ok(ProbeKind::Exec {
        command: command.to_owned(),
    })
}

fn log(text: &str, rest: &str) -> Result<ProbeKind, Mistake> {
    let pattern = rest.trim();
    if pattern.is_empty() {
        return Err(Mistake::new("there is no pattern")
            .help("write `log:regex`, such as `log:listening on port [0-9]+`")
            .at(0..text.len()));
    }
    let start = text.len() - rest.trim_start().len();
    let range = start..start + pattern.len();
    regular_expression(pattern).map_err(|mistake| mistake.at(range))?;
    Ok(ProbeKind::Log {
        pattern: pattern.to_owned(),
    })
}

/// Whether a pattern is a regular expression.
pub(super) fn regular_expression(pattern: &str) -> Result<(), Mistake> {
    match crate::expression::regular_expression(pattern) {
        Ok(_) => Ok(()),
        Err(error) => Err(
            Mistake::new(format!("this is no regular expression: {error}"))
                .help("put a backslash before characters that mean themselves, such as `\\[`"),
        ),
    }
}

fn file(text: &str, rest: &str, offset: usize) -> Result<ProbeKind, Mistake> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if !path.starts_with('/') {
        return Err(Mistake::new("the path must be absolute")
            .help("write `file:/path`")
            .at(offset..text.len()));
    }
    Ok(ProbeKind::File {
        path: path.to_owned(),
    })
}

fn descriptor(text: &str, rest: &str, offset: usize) -> Result<ProbeKind, Mistake> {
    rest.parse::<i32>()
        .ok()
        .filter(|number| DESCRIPTORS.contains(number))
        .map(ProbeKind::Descriptor)
        .ok_or_else(|| {
            Mistake::new(format!(
                "`{rest}` is no descriptor that a service can have for this"
            ))
            .help(format!(
                "write `fd:` and a number from {} to {}",
                DESCRIPTORS.start(),
                DESCRIPTORS.end()
            ))
            .at(offset..text.len())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestWorld;

    fn read(text: &str) -> Result<ProbeKind, Mistake> {
        let world = TestWorld::new(&[
            ("/etc/probe", "sh -c 'a ; b'\n"),
            ("/etc/open", "sh -c 'a"),
            ("/etc/empty", " \n"),
        ]);
        probe(&world, text)
    }

    #[test]
    fn every_kind_is_read() {
        let tcp = |host: &str, port| ProbeKind::Tcp {
            host: host.to_owned(),
            port,
        };
        let exec = |command: &str| ProbeKind::Exec {
            command: command.to_owned(),
        };
        for (text, expected) in [
            ("tcp://localhost:80", tcp("localhost", 80)),
            ("TCP://[::1]:6379", tcp("::1", 6379)),
            (
                "unix:///run/x.sock",
                ProbeKind::Unix {
                    path: "/run/x.sock".to_owned(),
                },
            ),
            ("exec: redis-cli 'ping it' ", exec("redis-cli 'ping it'")),
            ("exec:@/etc/probe", exec("sh -c 'a ; b'")),
            (
                "log: ready: [0-9]+ ms",
                ProbeKind::Log {
                    pattern: "ready: [0-9]+ ms".to_owned(),
                },
            ),
            (
                "file:/run/ready",
                ProbeKind::File {
                    path: "/run/ready".to_owned(),
                },
            ),
            ("notify", ProbeKind::Notify),
            ("fd:3", ProbeKind::Descriptor(3)),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn mistakes_are_pointed_at() {
        for (text, piece, message) in [
            ("tpc://localhost:80", "tpc", "no kind of probe `tpc`"),
            ("localhost", "localhost", "no kind of probe `localhost`"),
            ("localhost:80", "localhost", "no kind of probe"),
            ("tcp:localhost:80", "tcp:localhost:80", "`//` must follow"),
            ("tcp://localhost", "tcp://localhost", "there is no port"),
            ("tcp://:80", ":80", "there is no host"),
            ("tcp://a:b", "b", "`b` is no port"),
            ("tcp://a:+1", "+1", "is no port"),
            ("tcp://a:0", "0", "is no port"),
            ("tcp://a:65536", "65536", "is no port"),
            ("tcp://::1:80", "::1:80", "needs brackets"),
            ("tcp://[::1", "[::1", "never closed"),
            ("tcp://[::g]:1", "::g", "no IPv6 address"),
            ("tcp://[::1]80", "80", "only `:port`"),
            ("tcp://a/b:1", "a/b:1", "`a/b` is no host"),
            ("unix://run/x", "unix://run/x", "must be absolute"),
            ("exec:", "exec:", "there is no command"),
            ("exec:sh -c 'a", "sh -c 'a", "No closing quotation"),
            ("exec:@probe", "@probe", "must be absolute"),
            ("exec:@/none", "@/none", "cannot be read"),
            ("exec:@/etc/open", "@/etc/open", "in the file"),
            ("exec:@/etc/empty", "@/etc/empty", "holds no command"),
            ("log:", "log:", "there is no pattern"),
            ("log: a[", "a[", "no regular expression"),
            ("file:x", "x", "must be absolute"),
            ("fd:2", "2", "is no descriptor"),
            ("fd:x", "x", "is no descriptor"),
            ("notify:x", ":x", "nothing can follow"),
        ] {
            let mistake = read(text).unwrap_err();
            let range = mistake.range.clone().unwrap();
            assert_eq!(&text[range], piece, "{text}");
            assert!(mistake.message.contains(message), "{text}: {mistake:?}");
        }
    }

    #[test]
    fn the_path_of_a_socket_has_a_longest_length() {
        let path = format!("/{}", "x".repeat(LONGEST_SOCKET_PATH - 1));
        assert!(read(&format!("unix://{path}")).is_ok());
        assert!(read(&format!("unix://{path}x")).is_err());
    }

    proptest::proptest! {
        /// Whatever is written: an answer, and what is pointed at is a piece of the text.
        #[test]
        fn any_text_gets_an_answer(
            pieces in proptest::collection::vec(proptest::sample::select(vec![
                "tcp:", "unix:", "http:", "HTTPS:", "exec:", "log:", "file:", "notify", "fd:", "//", "/", "[", "]",
                "::1", ":", "80", "99999", "-1", "host", "@", "?", "#", " ", "\t", "status=", "header=", "body=",
                "method=", "ca=", "verify=no", "200-299", ",", "\"", "'", "\\", "(", "\u{e9}", "\0", "a",
            ]), 0..12)
        ) {
            let text: String = pieces.concat();
            if let Err(mistake) = read(text.trim()) {
                let range = mistake.range.unwrap_or(0..0);
                proptest::prop_assert!(text.trim().get(range.clone()).is_some(), "{:?}: {:?}", text, range);
                proptest::prop_assert!(!mistake.message.is_empty());
            }
        }
    }
}
