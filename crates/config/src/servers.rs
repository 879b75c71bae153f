//! Reads the sections of HTTP servers.

use linchpin_python::strip;

use crate::document::Entry;
use crate::findings::{Findings, Statement};
use crate::load::{Context, normalized_with_home};
use crate::model::{Credentials, HttpAddress, HttpServer};
use crate::names::EnvironmentNames;
use crate::options;
use crate::section_reader::SectionReader;
use crate::value;

const DEFAULT_SOCKET_MODE: u32 = 0o700;

/// All servers: those on TCP first, as in the original.
pub(crate) fn http_servers(
    context: Context<'_>,
    environment: &EnvironmentNames,
    findings: &mut Findings,
) -> Vec<HttpServer> {
    let mut servers = Vec::new();
    for section in context.document.sections() {
        if section.name.starts_with("inet_http_server") {
            servers.extend(inet_server(context.reader(section, environment, findings)));
        }
    }
    for section in context.document.sections() {
        if section.name.starts_with("unix_http_server") {
            servers.extend(unix_server(context.reader(section, environment, findings)));
        }
    }
    servers
}

fn inet_server(mut reader: SectionReader<'_, '_>) -> Option<HttpServer> {
    let credentials = credentials(&mut reader);
    if reader.written(&options::SERVER_PORT).is_none() {
        missing(&mut reader, "port", "port=127.0.0.1:9001");
        return None;
    }
    let (host, port) = reader.value(&options::SERVER_PORT, value::inet_address)?;
    Some(HttpServer {
        section: reader.section.name.clone(),
        address: HttpAddress::Inet { host, port },
        credentials,
    })
}

fn unix_server(mut reader: SectionReader<'_, '_>) -> Option<HttpServer> {
    let world = reader.world;
    let is_written = reader.written(&options::SERVER_FILE).is_some();
    let file = reader.text(&options::SERVER_FILE);
    if !is_written {
        missing(&mut reader, "file", "file=/run/supervisor.sock");
    }
    let credentials = credentials(&mut reader);
    let mut chown = (None, None);
    if let Some(written) = reader.text(&options::SERVER_CHOWN) {
        match value::user_and_group(world, &written.text) {
            Ok((user, group)) => chown = (Some(user), group),
            Err(_) => {
                let text = format!("Invalid sockchown value {}", written.text);
                reader.bad_value(&options::SERVER_CHOWN, &written, text);
            }
        }
    }
    let mut chmod = DEFAULT_SOCKET_MODE;
    if let Some(written) = reader.text(&options::SERVER_CHMOD) {
        match value::octal(&written.text) {
            Ok(mode) => chmod = mode,
            Err(_) => {
                let text = format!("Invalid chmod value {}", written.text);
                reader.bad_value(&options::SERVER_CHMOD, &written, text);
            }
        }
    }
    Some(HttpServer {
        section: reader.section.name.clone(),
        address: HttpAddress::Unix {
            file: normalized_with_home(world, strip(&file?.text)),
            chmod,
            chown,
        },
        credentials,
    })
}

fn missing(reader: &mut SectionReader<'_, '_>, key: &str, example: &str) {
    let section = &reader.section.name;
    let statement = Statement::original(format!("section [{section}] has no {key} value"))
        .message(format!("[{section}] does not say where to listen"))
        .help(format!("add `{example}`"));
    reader.problem(None, statement);
}

fn credentials(reader: &mut SectionReader<'_, '_>) -> Option<Credentials> {
    let name = reader
        .written(&options::SERVER_USERNAME)
        .map(Entry::value_span);
    let secret = reader
        .written(&options::SERVER_PASSWORD)
        .map(Entry::value_span);
    let username = reader.text(&options::SERVER_USERNAME);
    let password = reader.text(&options::SERVER_PASSWORD);
    if name.is_some() != secret.is_some() {
        let section = &reader.section.name;
        let statement = Statement::original(format!(
            "Section [{section}] contains incomplete authentication: If a username or a password \
             is specified, both the username and password must be specified"
        ))
        .message("a user name without a password (or the reverse) cannot guard a server")
        .help("write both `username` and `password`, or neither");
        reader.problem(name.or(secret), statement);
    }
    // An empty user name turns authentication off, whatever the password.
    let (username, password) = (username?.text, password?.text);
    (!username.is_empty()).then(|| Credentials {
        username: username.into_owned(),
        password: password.into_owned(),
    })
}
