//! What changed between two configurations, by group.

use std::collections::{BTreeMap, HashMap};

use crate::model::{Config, GroupConfig, GroupKind, LogFile, OutputConfig, ProcessConfig};

/// Names of groups that differ, in the original's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// In the new configuration only, in its order.
    pub added: Vec<String>,
    /// In both, but not alike, in the order of the new one.
    pub changed: Vec<String>,
    /// In the old configuration only, in its order.
    pub removed: Vec<String>,
}

/// A group that runs, with the `[supervisord] environment` that it was made with.
#[derive(Debug, Clone, Copy)]
pub struct ActiveGroup<'a> {
    /// Its configuration.
    pub group: &'a GroupConfig,
    /// The variables below its own ones.
    pub daemon_environment: &'a BTreeMap<String, String>,
}

/// What changed from one configuration to another.
#[must_use]
pub fn diff(old: &Config, new: &Config) -> Difference {
    let active: Vec<ActiveGroup<'_>> = old
        .groups
        .iter()
        .map(|group| ActiveGroup {
            group,
            daemon_environment: &old.supervisord.environment,
        })
        .collect();
    diff_active(&active, new)
}

/// What a new configuration changes in the groups that run.
#[must_use]
pub fn diff_active(active: &[ActiveGroup<'_>], new: &Config) -> Difference {
    let old: HashMap<&str, &ActiveGroup<'_>> = active
        .iter()
        .map(|active| (active.group.name.as_str(), active))
        .collect();
    let mut difference = Difference::default();
    for group in &new.groups {
        match old.get(group.name.as_str()) {
            None => difference.added.push(group.name.clone()),
            Some(active) => {
                let new = ActiveGroup {
                    group,
                    daemon_environment: &new.supervisord.environment,
                };
                if !is_same_group(active, &new) {
                    difference.changed.push(group.name.clone());
                }
            }
        }
    }
    let is_kept = |name: &str| new.groups.iter().any(|group| group.name == name);
    let kept: HashMap<&str, ()> = active
        .iter()
        .map(|active| active.group.name.as_str())
        .filter(|name| is_kept(name))
        .map(|name| (name, ()))
        .collect();
    difference.removed = active
        .iter()
        .map(|active| &active.group.name)
        .filter(|name| !kept.contains_key(name.as_str()))
        .cloned()
        .collect();
    difference
}

/// Sockets are compared as a whole: the original looks at their address alone, and so misses a change of owner,
/// mode or backlog, and at none in a `[group:x]`.
fn is_same_group(old: &ActiveGroup<'_>, new: &ActiveGroup<'_>) -> bool {
    let is_same_kind = match (&old.group.kind, &new.group.kind) {
        (GroupKind::Program, GroupKind::Program) => true,
        (GroupKind::FastCgi(left), GroupKind::FastCgi(right)) => left == right,
        (GroupKind::EventListener(left), GroupKind::EventListener(right)) => left == right,
        (GroupKind::Program | GroupKind::FastCgi(_) | GroupKind::EventListener(_), _) => false,
    };
    is_same_kind
        && old.group.grouped_fastcgi == new.group.grouped_fastcgi
        && old.group.priority == new.group.priority
        && old.group.processes.len() == new.group.processes.len()
        && old
            .group
            .processes
            .iter()
            .zip(&new.group.processes)
            .all(|(left, right)| {
                is_same_process(left, right)
                    && is_same_environment(
                        (old.daemon_environment, &left.environment),
                        (new.daemon_environment, &right.environment),
                    )
            })
}

/// Everything but the environment and the section, which a process does not notice.
///
/// All fields are taken apart so that a new one cannot be forgotten.
fn is_same_process(left: &ProcessConfig, right: &ProcessConfig) -> bool {
    let ProcessConfig {
        name,
        section: _,
        command,
        directory,
        umask,
        priority,
        autostart,
        autorestart,
        startsecs,
        startretries,
        uid,
        stdout,
        stderr,
        redirect_stderr,
        stopsignal,
        stopwaitsecs,
        stopasgroup,
        killasgroup,
        exitcodes,
        environment: _,
        serverurl,
        service,
    } = left;
    *name == right.name
        && *command == right.command
        && *directory == right.directory
        && *umask == right.umask
        && *priority == right.priority
        && *autostart == right.autostart
        && *autorestart == right.autorestart
        && *startsecs == right.startsecs
        && *startretries == right.startretries
        && *uid == right.uid
        && is_same_output(stdout, &right.stdout)
        && is_same_output(stderr, &right.stderr)
        && *redirect_stderr == right.redirect_stderr
        && *stopsignal == right.stopsignal
        && *stopwaitsecs == right.stopwaitsecs
        && *stopasgroup == right.stopasgroup
        && *killasgroup == right.killasgroup
        && *exitcodes == right.exitcodes
        && *serverurl == right.serverurl
        && *service == right.service
}

/// The original takes AUTO for equal to everything and so misses a change to or from it; we do not.
fn is_same_output(left: &OutputConfig, right: &OutputConfig) -> bool {
    let is_same_file = match (&left.logfile, &right.logfile) {
        (LogFile::None, LogFile::None) | (LogFile::Auto, LogFile::Auto) => true,
        (LogFile::Path(left), LogFile::Path(right)) => left == right,
        (LogFile::None | LogFile::Auto | LogFile::Path(_), _) => false,
    };
    is_same_file
        && left.logfile_maxbytes == right.logfile_maxbytes
        && left.logfile_backups == right.logfile_backups
        && left.capture_maxbytes == right.capture_maxbytes
        && left.events_enabled == right.events_enabled
        && left.syslog == right.syslog
}

type Variables = BTreeMap<String, String>;

/// Whether two layered environments come to the same.
fn is_same_environment(left: (&Variables, &Variables), right: (&Variables, &Variables)) -> bool {
    if left == right {
        return true;
    }
    let merged = |(below, own): (&Variables, &Variables)| {
        let mut all = below.clone();
        all.extend(own.iter().map(|(key, value)| (key.clone(), value.clone())));
        all
    };
    merged(left) == merged(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{LoadRequest, load};
    use crate::testing::TestWorld;

    fn config(text: &str) -> Config {
        let world = TestWorld::new(&[("/s.conf", &format!("[supervisord]\n{text}"))]);
        let request = LoadRequest {
            file: Some("/s.conf".to_owned()),
            ..LoadRequest::default()
        };
        load(&world, &request)
            .unwrap_or_else(|failure| panic!("{failure}"))
            .config
    }

    /// Checks names with `+`, `~` and `-` for added, changed and removed.
    fn check(old: &str, new: &str, expected: &str) {
        let difference = diff(&config(old), &config(new));
        let marked = |mark: char, names: &[String]| -> Vec<String> {
            names.iter().map(|name| format!("{mark}{name}")).collect()
        };
        let mut found = marked('+', &difference.added);
        found.extend(marked('~', &difference.changed));
        found.extend(marked('-', &difference.removed));
        assert_eq!(found.join(" "), expected, "{old}\n->\n{new}");
    }

    const A: &str = "[program:a]\ncommand=x\n";

    #[test]
    fn nothing_changed_is_nothing() {
        check(A, A, "");
        check(A, "[program:a]\ncommand=x\nstartsecs=1\n", "");
        check("minfds=5", "minfds=6", "");
    }

    #[test]
    fn groups_come_and_go_in_the_order_of_their_configuration() {
        check(
            "[program:a]\ncommand=x\n[program:c]\ncommand=x\npriority=1",
            "[program:d]\ncommand=x\n[program:b]\ncommand=x\n",
            "+b +d -c -a",
        );
        check(A, &format!("{A}[group:g]\nprograms=a"), "+g -a");
    }

    #[test]
    fn every_option_of_a_process_counts() {
        for option in [
            "command=y",
            "directory=/x",
            "umask=1",
            "priority=1",
            "autostart=false",
            "autorestart=true",
            "startsecs=2",
            "startretries=2",
            "user=me",
            "redirect_stderr=true",
            "stopsignal=INT",
            "stopwaitsecs=2",
            "stopasgroup=true",
            "killasgroup=true",
            "exitcodes=1",
            "environment=A=1",
            "serverurl=x",
            "process_name=b",
            "numprocs=0",
            "stdout_logfile=NONE",
            "stdout_logfile=/tmp/x",
            "stdout_logfile_maxbytes=1",
            "stdout_logfile_backups=1",
            "stdout_capture_maxbytes=1",
            "stdout_events_enabled=true",
            "stdout_syslog=true",
            "stderr_logfile=/tmp/x",
            "stderr_syslog=true",
        ] {
            check(A, &format!("{A}{option}\n"), "~a");
        }
    }

    #[test]
    fn a_change_to_and_from_automatic_logs_is_seen() {
        let explicit = format!("{A}stdout_logfile=/tmp/x\n");
        check(&explicit, A, "~a");
        check(A, &explicit, "~a");
    }

    #[test]
    fn the_environment_is_compared_as_a_whole() {
        check(A, &format!("environment=A=1\n{A}"), "~a");
        check(
            &format!("environment=A=1\n{A}"),
            &format!("{A}environment=A=1\n"),
            "",
        );
    }

    #[test]
    fn kinds_of_groups_are_told_apart() {
        let listener = "[eventlistener:a]\ncommand=x\npriority=999\nevents=";
        check(A, &format!("{listener}EVENT"), "~a");
        check(
            &format!("{listener}EVENT"),
            &format!("{listener}TICK"),
            "~a",
        );
        check(
            &format!("{listener}EVENT"),
            &format!("{listener}EVENT\nbuffer_size=2"),
            "~a",
        );
        let socket = "[fcgi-program:a]\ncommand=x\nsocket=";
        check(A, &format!("{socket}unix:///a"), "~a");
        check(
            &format!("{socket}unix:///a"),
            &format!("{socket}unix:///b"),
            "~a",
        );
    }

    #[test]
    fn every_option_of_a_socket_counts() {
        let program = "[fcgi-program:a]\ncommand=x\nsocket=unix:///a\n";
        for group in ["", "[group:a]\nprograms=a\n"] {
            let old = format!("{group}{program}");
            check(&old, &old, "");
            for option in ["socket_mode=0777", "socket_owner=me", "socket_backlog=5"] {
                check(&old, &format!("{old}{option}\n"), "~a");
            }
        }
    }
}
