//! Reads the socket of an `[fcgi-program:x]`.

use linchpin_python::{is_space, repr};

use crate::findings::Statement;
use crate::load::normalized_with_home;
use crate::model::{FastCgiAddress, FastCgiSocket};
use crate::options::{self, NameScope};
use crate::section_reader::SectionReader;
use crate::value;
use crate::world::World;

const DEFAULT_SOCKET_MODE: u32 = 0o700;

/// What a section says about its socket, before the address is known.
struct SocketOptions {
    program_user: Option<u32>,
    backlog: Option<u32>,
    owner: Option<(u32, Option<u32>)>,
    mode: Option<u32>,
}

/// The socket, in the original's order of evaluation.
pub(crate) fn socket(reader: &mut SectionReader<'_, '_>, program: &str) -> Option<FastCgiSocket> {
    let world = reader.world;
    let program_user = reader.value_in(&options::USER, NameScope::Here, |text| {
        value::user(world, text)
    });
    let backlog = backlog(reader);
    let owner = owner(reader);
    let mode = mode(reader);
    let is_written = reader.written(&options::SOCKET).is_some();
    let known = reader.names;
    // The name lives as long as this look at the option, so look through a copy of the reader.
    let mut named = SectionReader {
        world: reader.world,
        document: reader.document,
        section: reader.section,
        names: crate::names::KnownNames { program, ..known },
        names_section: false,
        findings: reader.findings,
    };
    let text = named
        .text(&options::SOCKET)
        .map(|socket| socket.text.into_owned());
    let section = reader.section.name.clone();
    let text = text.or_else(|| (!is_written).then(String::new))?;
    let span = reader.span(&options::SOCKET);
    if text.is_empty() {
        let statement =
            Statement::original(format!("[{section}] section requires a \"socket\" line"))
                .message(format!("[{section}] does not say where its socket is"))
                .help("add `socket=tcp://localhost:9000` or `socket=unix:///path`");
        reader.problem(span, statement);
        return None;
    }
    let options = SocketOptions {
        program_user,
        backlog,
        owner,
        mode,
    };
    match parse(world, &text, &options) {
        Ok(socket) => Some(socket),
        Err(original) => {
            let help = if options.owner.is_some() || options.mode.is_some() {
                "`socket_owner` and `socket_mode` are for `unix://` sockets; remove them, or use one"
                    .to_owned()
            } else {
                format!("write {}", options::SOCKET.kind.accepts())
            };
            let statement = Statement::original(format!("{original} in [{section}] socket"))
                .message(format!("`socket` cannot be `{text}`"))
                .help(help);
            reader.problem(span, statement);
            None
        }
    }
}

fn backlog(reader: &mut SectionReader<'_, '_>) -> Option<u32> {
    let option = &options::SOCKET_BACKLOG;
    let written = reader.text(option)?;
    match value::integer(&written.text) {
        Ok(number) => {
            let backlog = u32::try_from(number)
                .ok()
                .filter(|backlog| (1..=65_535).contains(backlog));
            if backlog.is_none() {
                let text = format!("Invalid socket_backlog value {number}");
                reader.bad_value(option, &written, text);
            }
            backlog
        }
        Err(text) => {
            reader.bad_value(option, &written, text);
            None
        }
    }
}

fn owner(reader: &mut SectionReader<'_, '_>) -> Option<(u32, Option<u32>)> {
    let world = reader.world;
    let option = &options::SOCKET_OWNER;
    let written = reader.text(option)?;
    let owner = value::user_and_group(world, &written.text);
    if owner.is_err() {
        let text = format!("Invalid socket_owner value {}", written.text);
        reader.bad_value(option, &written, text);
    }
    owner.ok()
}

fn mode(reader: &mut SectionReader<'_, '_>) -> Option<u32> {
    let option = &options::SOCKET_MODE;
    let written = reader.text(option)?;
    let mode = value::octal(&written.text);
    if mode.is_err() {
        let text = format!("Invalid socket_mode value {}", written.text);
        reader.bad_value(option, &written, text);
    }
    mode.ok()
}

fn parse(world: &dyn World, text: &str, options: &SocketOptions) -> Result<FastCgiSocket, String> {
    if let Some(path) = text.strip_prefix("unix://") {
        if !path.starts_with('/') {
            return Err(format!(
                "('Unix socket path %s is not an absolute path', {})",
                repr(path)
            ));
        }
        let path = normalized_with_home(world, path);
        let owner = options.owner.or_else(|| {
            let user = options
                .program_user
                .filter(|user| *user != world.user_id())?;
            Some((user, world.primary_group(user)))
        });
        return Ok(FastCgiSocket {
            url: format!("unix://{path}"),
            address: FastCgiAddress::Unix(path),
            backlog: options.backlog,
            owner,
            mode: Some(options.mode.unwrap_or(DEFAULT_SOCKET_MODE)),
        });
    }
    if options.owner.is_some() || options.mode.is_some() {
        return Err(
            "socket_owner and socket_mode params should only be used with a Unix domain socket"
                .to_owned(),
        );
    }
    let bad = || format!("('Bad socket format %s', {})", repr(text));
    let (host, port) = text
        .strip_prefix("tcp://")
        .and_then(|address| address.split_once(':'))
        .filter(|(host, port)| {
            !host.is_empty()
                && !host.contains(is_space)
                && !port.is_empty()
                && port.chars().all(char::is_numeric)
        })
        .ok_or_else(bad)?;
    let port = value::port_number(port)?;
    let host = host.to_lowercase();
    Ok(FastCgiSocket {
        url: format!("tcp://{host}:{port}"),
        address: FastCgiAddress::Tcp { host, port },
        backlog: options.backlog,
        owner: None,
        mode: None,
    })
}
