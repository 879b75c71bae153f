//! One command to be supervised without a file: `linchpin run -- command`.

use linchpin_python::shlex;

use crate::document::Document;
use crate::findings::Findings;
use crate::load::{LoadFailure, LoadRequest, Loaded, resolve};
use crate::reading::Reading;
use crate::world::World;

/// What stands for the file in messages.
const PLACE: &str = "the command line";

/// How long the end may take in all: `docker stop` kills after ten seconds, and who was killed is to be said before.
const SHUTDOWN_TIMEOUT: &str = "9s";

/// A command and how it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SingleCommand {
    /// The command and its arguments; at least one.
    pub words: Vec<String>,
    /// Name of the service; otherwise that of the program.
    pub name: Option<String>,
    /// It is started again when it ends, and the daemon ends only when it cannot be started.
    pub restarts: bool,
    /// Further options of a `[program:x]` section, which beat those that are set here.
    pub options: Vec<(String, String)>,
    /// Where `linchpin status` and others find the daemon.
    pub socket: Option<String>,
    /// The main log tells of what goes well, too.
    pub is_verbose: bool,
}

impl SingleCommand {
    /// The name of the service.
    #[must_use]
    pub fn name(&self) -> String {
        let program = || {
            let path = self.words.first().map_or("", String::as_str);
            let name = path.rsplit('/').next().unwrap_or_default();
            let may_stay =
                |character: char| character.is_alphanumeric() || "._-+".contains(character);
            let name: String = name.chars().filter(|each| may_stay(*each)).collect();
            if name.is_empty() {
                "command".to_owned()
            } else {
                name
            }
        };
        self.name.clone().unwrap_or_else(program)
    }

    /// The configuration that this is short for. The daemon ends with the command and with its exit status; what the
    /// command writes goes where the daemon's own output goes, and the main log to standard error; there is no pid file.
    ///
    /// # Errors
    /// What is wrong with the options.
    pub fn load(&self, world: &dyn World) -> Result<Loaded, Box<LoadFailure>> {
        let name = self.name();
        let mut reading = Reading {
            document: Document::of_nothing(PLACE),
            ..Reading::default()
        };
        let mut add = |section: &str, options: &[(&str, &str)]| {
            let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            let options: Vec<(String, String)> = options.iter().map(owned).collect();
            reading.document.add_section(section, &options);
        };
        add(
            "supervisord",
            &[
                ("nodaemon", "true"),
                ("silent", "true"),
                ("logfile", "/dev/stderr"),
                ("logfile_maxbytes", "0"),
                ("loglevel", if self.is_verbose { "info" } else { "warn" }),
                ("nocleanup", "true"),
            ],
        );
        add(
            "rpcinterface:supervisor",
            &[(
                "supervisor.rpcinterface_factory",
                "supervisor.rpcinterface:make_main_rpcinterface",
            )],
        );
        let mut linchpin = vec![
            ("shutdown_timeout", SHUTDOWN_TIMEOUT),
            ("exit_code_from", &name),
        ];
        linchpin.extend(self.socket.iter().map(|socket| ("socket", socket.as_str())));
        add("linchpin", &linchpin);
        let words: Vec<String> = self.words.iter().map(|word| shlex::quote(word)).collect();
        let command = words.join(" ").replace('%', "%%");
        let mut program = vec![
            ("command", command.as_str()),
            ("stdout_logfile", "/dev/stdout"),
            ("stdout_logfile_maxbytes", "0"),
            ("stderr_logfile", "/dev/stderr"),
            ("stderr_logfile_maxbytes", "0"),
            ("on_fatal", "shutdown"),
        ];
        program.extend(if self.restarts {
            [("autorestart", "true"), ("startsecs", "1")].as_slice()
        } else {
            &[
                ("autorestart", "false"),
                ("startsecs", "0"),
                ("startretries", "0"),
                ("on_exit", "shutdown"),
            ]
        });
        let further = self.options.iter();
        program.extend(further.map(|(key, value)| (key.as_str(), value.as_str())));
        add(&format!("program:{name}"), &program);

        let mut findings = Findings::default();
        let request = LoadRequest::default();
        let config = resolve(world, PLACE, &reading.document, &request, &mut findings);
        findings.finish();
        match config {
            Some(mut config) if findings.problems.is_empty() => {
                config.supervisord.pidfile.clear();
                Ok(Loaded {
                    config,
                    // That the daemon stays root goes without saying where no file could say otherwise.
                    criticals: Vec::new(),
                    warnings: findings.warnings,
                    infos: findings.infos,
                    notices: Vec::new(),
                    doubts: findings.doubts,
                    remarks: findings.remarks,
                    reading,
                })
            }
            _ => Err(Box::new(LoadFailure {
                problems: findings.problems,
                notices: Vec::new(),
                reading,
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AutoRestart, LogFile};
    use crate::service::OnEnd;
    use crate::testing::TestWorld;

    fn command(words: &[&str]) -> SingleCommand {
        SingleCommand {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            name: None,
            restarts: false,
            options: Vec::new(),
            socket: None,
            is_verbose: false,
        }
    }

    #[test]
    fn the_words_arrive_as_they_are() {
        let words = [
            "/bin/sh",
            "-c",
            "echo \"it's 100%\" ; date +%Y\n# two lines",
            "",
            "%(here)s",
            "a\\b",
        ];
        let loaded = command(&words).load(&TestWorld::new(&[])).unwrap();
        let [group] = loaded.config.groups.as_slice() else {
            panic!("one group")
        };
        let process = &group.processes[0];
        assert_eq!((group.name.as_str(), process.name.as_str()), ("sh", "sh"));
        assert_eq!(shlex::split(&process.command).unwrap(), words);
        assert_eq!(
            process.stdout.logfile,
            LogFile::Path("/dev/stdout".to_owned())
        );
        let service = process.service.as_ref().unwrap();
        assert_eq!(
            (service.on_exit, service.on_fatal),
            (OnEnd::Shutdown, OnEnd::Shutdown)
        );
        let linchpin = loaded.config.linchpin.unwrap();
        assert_eq!(linchpin.exit_code_from.as_deref(), Some("sh:sh"));
        assert_eq!(linchpin.socket, None);
        assert_eq!(loaded.config.supervisord.pidfile, "");
    }

    #[test]
    fn options_beat_what_is_set_here_and_mistakes_are_told() {
        let mut wanted = command(&["web"]);
        wanted.restarts = true;
        wanted.name = Some("front".to_owned());
        wanted.options = vec![("startsecs".to_owned(), "7".to_owned())];
        let loaded = wanted.load(&TestWorld::new(&[])).unwrap();
        let process = &loaded.config.groups[0].processes[0];
        assert_eq!(process.name, "front");
        assert_eq!(
            (process.startsecs, process.autorestart),
            (7, AutoRestart::Always)
        );
        wanted.options = vec![("readiness".to_owned(), "tcp:x".to_owned())];
        let failure = wanted.load(&TestWorld::new(&[])).unwrap_err();
        assert!(failure.original_text().contains("readiness"), "{failure}");
    }
}
