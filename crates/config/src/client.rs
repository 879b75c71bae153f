//! Where the clients of ours find the daemon: what a file says about its sockets, read from the other side.
//!
//! A client runs in another environment than the daemon and needs little of the file. So what cannot be read of a
//! section only means that this section does not help, and nothing that the daemon alone cares about matters.

use crate::control::ControlRequest;
use crate::entry_point::SOCKET_NAME;
use crate::findings::Findings;
use crate::load::{Context, LoadFailure, environment_names, normalized_with_home};
use crate::model::{HttpAddress, HttpServer};
use crate::options;
use crate::reading::{Reading, here_of, read_all};
use crate::search_path::search_path;
use crate::servers::http_servers;
use crate::service::LinchpinConfig;
use crate::service_options;
use crate::world::World;

/// Where `linchpin run` listens as the first process of a container, if nothing else is said.
pub const FIRST_PROCESS_SOCKET: &str = "/run/linchpin.sock";

/// Where the daemon may be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DaemonPlaces {
    /// The file that was read, if there is one.
    pub file: Option<String>,
    /// Places to try, best first; at least one.
    pub endpoints: Vec<Endpoint>,
    /// The socket that is for the daemon's owner alone, if one is known: the file says it, or it is there where `linchpin run`
    /// has it.
    pub control_socket: Option<String>,
    /// `[linchpin]`, if it is there and counts.
    pub linchpin: Option<LinchpinConfig>,
}

/// A place where a daemon listens.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `unix:///path` or `http://host:port`.
    pub url: String,
    /// User name and password.
    pub credentials: Option<(String, String)>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Finds out where the daemon is: at the address of the request, else at the control socket of `[linchpin]`,
/// else where `[supervisorctl]` says, else at the servers of the file, else where the original is by default.
/// Without `-c` the default places are searched for a file, and none at all is fine.
///
/// # Errors
/// If there is a file that cannot be read at all.
pub fn find_daemon(
    world: &dyn World,
    program: &str,
    request: &ControlRequest,
) -> Result<DaemonPlaces, Box<LoadFailure>> {
    let file = request.file.clone().or_else(|| {
        search_path(program)
            .into_iter()
            .find(|place| world.exists(place))
    });
    let mut places = DaemonPlaces {
        file,
        ..DaemonPlaces::default()
    };
    let mut findings = Findings::default();
    let mut reading = Reading::default();
    let file = places.file.clone();
    if let Some(file) = file {
        if read_all(world, &file, &mut reading, &mut findings).is_none() {
            return Err(Box::new(LoadFailure {
                problems: findings.problems,
                notices: Vec::new(),
                reading,
            }));
        }
        look(world, &file, &reading, &mut places);
    }
    if world.exists(FIRST_PROCESS_SOCKET) {
        let socket = || FIRST_PROCESS_SOCKET.to_owned();
        places.control_socket.get_or_insert_with(socket);
        let url = format!("unix://{FIRST_PROCESS_SOCKET}");
        if places.endpoints.iter().all(|known| known.url != url) {
            places.endpoints.push(Endpoint {
                url,
                credentials: None,
            });
        }
    }
    if let Some(url) = &request.serverurl {
        places.endpoints = vec![Endpoint {
            url: url.clone(),
            credentials: places
                .endpoints
                .iter()
                .find(|endpoint| endpoint.url == *url)
                .and_then(|endpoint| endpoint.credentials.clone()),
        }];
    }
    if places.endpoints.is_empty() {
        let url = options::CTL_SERVERURL.default.unwrap_or_default();
        places.endpoints.push(Endpoint {
            url: url.to_owned(),
            credentials: None,
        });
    }
    for endpoint in &mut places.endpoints {
        let known = endpoint.credentials.take().unzip();
        let username = request.username.clone().or(known.0);
        let password = request.password.clone().or(known.1);
        endpoint.credentials = username.zip(password);
    }
    Ok(places)
}

fn look(world: &dyn World, file: &str, reading: &Reading, places: &mut DaemonPlaces) {
    let here = here_of(world, file);
    let mut environment = environment_names(world);
    let context = Context {
        world,
        document: &reading.document,
        here: &here,
        extensions: true,
    };
    // Of what is wrong the daemon tells.
    let mut findings = Findings::default();
    let mut endpoints: Vec<Endpoint> = Vec::new();
    let mut add = |url: String, credentials: Option<(String, String)>| {
        match endpoints.iter_mut().find(|known| known.url == url) {
            // A section may say where, and another one who may.
            Some(known) => known.credentials = known.credentials.take().or(credentials),
            None => endpoints.push(Endpoint { url, credentials }),
        }
    };
    if let Some(section) = context.document.section("supervisord") {
        let reader = context.reader(section, &environment, &mut findings);
        let daemon = crate::daemon_section::supervisord(reader);
        for (name, value) in &daemon.section.environment {
            environment.set(name, value);
        }
    }
    places.linchpin = service_options::linchpin(context, &environment, &mut findings).config;
    if let Some(linchpin) = &places.linchpin {
        match (&linchpin.socket, &linchpin.run_directory) {
            (Some(socket), _) => {
                places.control_socket = Some(socket.clone());
                add(format!("unix://{socket}"), None);
            }
            // As `linchpin run` has it, and nobody else.
            (None, Some(directory)) => {
                let socket = format!("{directory}/{SOCKET_NAME}");
                if world.exists(&socket) {
                    add(format!("unix://{socket}"), None);
                    places.control_socket = Some(socket);
                }
            }
            (None, None) => {}
        }
    }
    if let Some(section) = context.document.section("supervisorctl") {
        let mut reader = context.reader(section, &environment, &mut findings);
        let mut text = |option| reader.text(option).map(|it| it.text.into_owned());
        let credentials = text(&options::CTL_USERNAME).zip(text(&options::CTL_PASSWORD));
        if let Some(url) = text(&options::CTL_SERVERURL) {
            let url = match url.strip_prefix("unix://") {
                Some(path) => format!("unix://{}", normalized_with_home(world, path)),
                None => url,
            };
            add(url, credentials);
        }
    }
    let servers = http_servers(context, &environment, &mut findings);
    // Unix sockets first: they are there for this.
    for server in servers.into_iter().rev() {
        let url = url_of(&server);
        let credentials = server
            .credentials
            .filter(|it| !it.password.starts_with("{SHA}"));
        add(url, credentials.map(|it| (it.username, it.password)));
    }
    places.endpoints = endpoints;
}

fn url_of(server: &HttpServer) -> String {
    match &server.address {
        HttpAddress::Unix { file, .. } => format!("unix://{file}"),
        HttpAddress::Inet { host, port } if host.is_empty() => format!("http://127.0.0.1:{port}"),
        HttpAddress::Inet { host, port } => format!("http://{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestWorld;

    const SECRET: &str = "username=me\npassword=word\n";

    fn find(text: &str, request: &ControlRequest) -> DaemonPlaces {
        let world = TestWorld::new(&[("/etc/supervisord.conf", text)]);
        find_daemon(&world, "/usr/bin/linchpin", request).unwrap()
    }

    fn check(text: &str, expected: &[(&str, bool)]) {
        let places = find(text, &ControlRequest::default());
        let seen: Vec<(&str, bool)> = places
            .endpoints
            .iter()
            .map(|endpoint| (endpoint.url.as_str(), endpoint.credentials.is_some()))
            .collect();
        assert_eq!(seen, expected, "{text}");
    }

    #[test]
    fn the_control_socket_is_tried_before_what_the_original_has() {
        check("[supervisord]\n", &[("http://localhost:9001", false)]);
        check(
            "[linchpin]\nsocket=%(here)s/l.sock\n[unix_http_server]\nfile=/run/s.sock\n[inet_http_server]\nport=:9001\n",
            &[
                ("unix:///etc/l.sock", false),
                ("unix:///run/s.sock", false),
                ("http://127.0.0.1:9001", false),
            ],
        );
        check(
            "[linchpin]\nextensions=off\nsocket=/l.sock\n[supervisorctl]\nserverurl=http://h:1\n",
            &[("http://h:1", false)],
        );
    }

    #[test]
    fn who_may_is_said_by_either_section() {
        let server = format!("[unix_http_server]\nfile=/run/s.sock\n{SECRET}");
        check(&server, &[("unix:///run/s.sock", true)]);
        check(
            &format!("{server}[supervisorctl]\nserverurl=unix:///run/s.sock\n"),
            &[("unix:///run/s.sock", true)],
        );
        check(
            &format!("[supervisorctl]\nserverurl=unix:///x\n{SECRET}"),
            &[("unix:///x", true)],
        );
        check(
            "[unix_http_server]\nfile=/run/s.sock\nusername=me\npassword={SHA}00\n",
            &[("unix:///run/s.sock", false)],
        );
    }

    #[test]
    fn what_only_the_daemon_cares_about_does_not_matter() {
        check(
            "[supervisord]\nminfds=many\n[program:x]\n[unix_http_server]\nfile=/s\nchown=nobody-here\npassword=%(ENV_SECRET)s\nusername=x\n",
            &[("unix:///s", false)],
        );
    }

    #[test]
    fn the_command_line_wins() {
        let text = "[linchpin]\nsocket=/l.sock\n[unix_http_server]\nfile=/run/s.sock\n";
        let request = ControlRequest {
            serverurl: Some("unix:///other".to_owned()),
            username: Some("me".to_owned()),
            password: Some("word".to_owned()),
            ..ControlRequest::default()
        };
        let places = find(text, &request);
        let expected = Endpoint {
            url: "unix:///other".to_owned(),
            credentials: Some(("me".to_owned(), "word".to_owned())),
        };
        assert_eq!(places.endpoints, [expected]);
        let missing = ControlRequest {
            file: Some("/nowhere.conf".to_owned()),
            ..ControlRequest::default()
        };
        let world = TestWorld::new(&[]);
        let failure = find_daemon(&world, "linchpin", &missing).unwrap_err();
        assert_eq!(
            failure.original_text(),
            "could not find config file /nowhere.conf"
        );
    }
}
