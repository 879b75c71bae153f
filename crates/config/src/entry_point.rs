//! `linchpin run -c FILE`: what a file means as the entry point of a container, where it does not say otherwise.
//!
//! It is completed before it is read, so everything that is here can be written, and written otherwise, in the file.

use crate::document::Document;
use crate::model::Supervisord;
use crate::options::{self, SectionKind, linchpin, service};
use crate::reading::Reading;

/// How a file is run as the entry point of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryPoint {
    /// Where the control socket is, whatever the file says.
    pub socket: Option<String>,
    /// Where it is if nothing says so.
    pub usual_socket: Option<String>,
}

/// Name of the control socket in `run_directory`.
pub(crate) const SOCKET_NAME: &str = "linchpin.sock";

impl EntryPoint {
    /// Adds what the file does not say: the main log goes to standard error, there is a control socket, and a program
    /// that is given up ends the container.
    pub(crate) fn complete(&self, document: &mut Document) {
        let is_written = |document: &Document, section: &str, option: &str| {
            let section = document.section(section);
            section.is_some_and(|section| document.entry(section, option).is_some())
        };
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        if document.section("supervisord").is_some()
            && !is_written(document, "supervisord", options::LOGFILE.name)
        {
            let log = [
                (options::LOGFILE.name, "/dev/stderr"),
                (options::LOGFILE_MAXBYTES.name, "0"),
                (options::SILENT.name, "true"),
            ];
            document.add_section("supervisord", &log.map(owned));
        }
        let socket = match &self.socket {
            Some(socket) => Some(socket.clone()),
            None if is_written(document, "linchpin", linchpin::CONTROL_SOCKET.name) => None,
            None => run_directory(document)
                .map(|directory| format!("{}/{SOCKET_NAME}", directory.trim_end_matches('/')))
                .or_else(|| self.usual_socket.clone()),
        };
        if let Some(socket) = socket {
            let option = linchpin::CONTROL_SOCKET.name.to_owned();
            document.add_section("linchpin", &[(option, socket)]);
        }
        let programs: Vec<String> = document
            .sections()
            .iter()
            .filter(|section| {
                matches!(
                    SectionKind::of(&section.name),
                    Some(SectionKind::Program | SectionKind::FcgiProgram)
                )
            })
            .filter(|section| document.entry(section, service::ON_FATAL.name).is_none())
            .filter(|section| {
                let importance = document.entry(section, service::IMPORTANCE.name);
                importance.is_none_or(|entry| entry.value.trim().to_lowercase() != "optional")
            })
            .map(|section| section.name.clone())
            .collect();
        for program in programs {
            let ends = owned((service::ON_FATAL.name, "shutdown"));
            document.add_section(&program, &[ends]);
        }
    }

    /// Whether there is no place for a control socket, although nobody said that there should be none.
    #[must_use]
    pub fn lacks_socket(&self, reading: &Reading) -> bool {
        let document = &reading.document;
        let written = document.section("linchpin");
        let written = written.and_then(|it| document.entry(it, linchpin::CONTROL_SOCKET.name));
        self.socket.is_none()
            && self.usual_socket.is_none()
            && written.is_none()
            && run_directory(document).is_none()
    }

    /// Nobody looks for a file with the number of a container's first process, unless the file says so.
    pub(crate) fn without_pid_file(document: &Document, supervisord: &mut Supervisord) {
        let section = document.section("supervisord");
        let written = section.and_then(|it| document.entry(it, options::PIDFILE.name));
        if written.is_none() {
            supervisord.pidfile.clear();
        }
    }
}

/// The directory as it is written, with its names.
fn run_directory(document: &Document) -> Option<String> {
    let section = document.section("linchpin")?;
    let entry = document.entry(section, linchpin::RUN_DIRECTORY.name)?;
    let directory = entry.value.trim();
    (!directory.is_empty()).then(|| directory.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{LoadRequest, load};
    use crate::model::{Config, MainLog};
    use crate::service::OnEnd;
    use crate::testing::TestWorld;

    fn read(text: &str, entry_point: EntryPoint) -> Config {
        let world = TestWorld::new(&[("/etc/s.conf", text)]);
        let request = LoadRequest {
            file: Some("/etc/s.conf".to_owned()),
            entry_point: Some(entry_point),
            ..LoadRequest::default()
        };
        load(&world, &request).unwrap().config
    }

    fn usual() -> EntryPoint {
        EntryPoint {
            socket: None,
            usual_socket: Some("/run/usual.sock".to_owned()),
        }
    }

    fn socket(config: &Config) -> Option<&str> {
        config.linchpin.as_ref()?.socket.as_deref()
    }

    #[test]
    fn a_plain_file_logs_to_standard_error_and_ends_with_what_is_given_up() {
        let config = read("[supervisord]\n[program:a]\ncommand=/bin/cat\n", usual());
        let supervisord = &config.supervisord;
        assert_eq!(supervisord.logfile, MainLog::File("/dev/stderr".to_owned()));
        assert_eq!(
            (supervisord.logfile_maxbytes, supervisord.silent),
            (0, true)
        );
        assert_eq!(supervisord.pidfile, "");
        assert_eq!(socket(&config), Some("/run/usual.sock"));
        let service = config.groups[0].processes[0].service.as_ref().unwrap();
        assert_eq!(
            (service.on_fatal, service.on_exit),
            (OnEnd::Shutdown, OnEnd::Ignore)
        );
    }

    #[test]
    fn what_the_file_says_counts() {
        let text = "[supervisord]\nlogfile=/x.log\npidfile=/x.pid\n[linchpin]\nsocket=/own.sock\n\
            [program:a]\ncommand=/bin/cat\non_fatal=ignore\n[program:b]\ncommand=/bin/cat\nimportance=optional\n";
        let config = read(text, usual());
        let supervisord = &config.supervisord;
        assert_eq!(supervisord.logfile, MainLog::File("/x.log".to_owned()));
        assert_eq!(
            (supervisord.pidfile.as_str(), supervisord.silent),
            ("/x.pid", false)
        );
        assert_eq!(socket(&config), Some("/own.sock"));
        let mut processes = config.groups.iter().flat_map(|group| &group.processes);
        assert!(processes.all(|process| {
            let service = process.service.as_ref();
            service.is_none_or(|service| service.on_fatal == OnEnd::Ignore)
        }));
        let asked = EntryPoint {
            socket: Some("/asked.sock".to_owned()),
            ..usual()
        };
        assert_eq!(socket(&read(text, asked)), Some("/asked.sock"));
    }

    #[test]
    fn the_socket_is_in_the_run_directory_if_there_is_one() {
        let config = read(
            "[supervisord]\n[linchpin]\nrun_directory=%(here)s/run/\n",
            usual(),
        );
        assert_eq!(socket(&config), Some("/etc/run/linchpin.sock"));
        assert_eq!(
            socket(&read("[supervisord]\n", EntryPoint::default())),
            None
        );
    }

    #[test]
    fn a_socket_without_a_place_is_lacking_unless_nobody_wants_one() {
        let lacks = |text: &str, entry_point: EntryPoint| {
            let world = TestWorld::new(&[("/etc/s.conf", text)]);
            let request = LoadRequest {
                file: Some("/etc/s.conf".to_owned()),
                entry_point: Some(entry_point.clone()),
                ..LoadRequest::default()
            };
            entry_point.lacks_socket(&load(&world, &request).unwrap().reading)
        };
        let nowhere = EntryPoint::default;
        assert!(lacks("[supervisord]\n[linchpin]\n", nowhere()));
        assert!(!lacks("[supervisord]\n", usual()));
        assert!(!lacks("[supervisord]\n[linchpin]\nsocket=\n", nowhere()));
        let somewhere = "[supervisord]\n[linchpin]\nrun_directory=/r\n";
        assert!(!lacks(somewhere, nowhere()));
    }
}
