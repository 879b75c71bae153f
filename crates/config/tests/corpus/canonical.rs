//! Our reading of a file in the form of the recorded answers.

use std::path::Path;
use std::sync::Arc;

use linchpin_config::{
    AutoRestart, CheckReport, Config, ControlRequest, GroupConfig, GroupKind, HttpAddress,
    HttpServer, LoadFailure, LoadRequest, LogFile, LogLevel, MainLog, OutputConfig, Plugin,
    ProcessConfig, Reading, check, load, load_supervisorctl,
};
use serde_json::{Map, Value, json};

use crate::imagined_world::{CWD, HERE, ImaginedWorld, Includes};

/// The answer for a file, in the environment that the recorded answer names.
pub(crate) fn answer(config: &Path, includes: Includes, environment: &Value) -> Value {
    let text = String::from_utf8_lossy(&std::fs::read(config).unwrap()).into_owned();
    let variables = ordered_environment(&text, environment);
    let world = ImaginedWorld::new(config, includes, variables.clone());
    let mut answer = attempt(&world);
    if answer.get("error").is_none() {
        let control = control(&world);
        answer.insert("supervisorctl".to_owned(), control);
    } else if answer["error"]
        .as_str()
        .unwrap()
        .contains("does not include supervisord section")
    {
        let world = ImaginedWorld::new(config, Includes::Fragment, variables);
        let mut fragment = attempt(&world);
        fragment.remove("include");
        fragment.remove("included");
        answer.insert("as_included".to_owned(), Value::Object(fragment));
        answer.insert("include".to_owned(), json!([]));
        answer.insert("included".to_owned(), json!([]));
    }
    answer.insert("env".to_owned(), environment.clone());
    tidy(Value::Object(answer))
}

/// What a check says about a file.
pub(crate) fn report(config: &Path, includes: Includes, expected: &Value) -> CheckReport {
    let text = String::from_utf8_lossy(&std::fs::read(config).unwrap()).into_owned();
    let variables = ordered_environment(&text, &expected["env"]);
    let includes = if expected.get("as_included").is_some() {
        Includes::Fragment
    } else {
        includes
    };
    let world = ImaginedWorld::new(config, includes, variables);
    check(
        &world,
        &LoadRequest {
            file: Some(world.main().to_owned()),
            ..LoadRequest::default()
        },
    )
}

/// The variables in the order in which the text mentions them: a dictionary that is printed by a
/// nameless `%s` shows it.
fn ordered_environment(text: &str, environment: &Value) -> Vec<(String, String)> {
    let mut variables: Vec<(usize, String, String)> = environment
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| {
            let position = first_mention(text, name);
            (position, name.clone(), value.as_str().unwrap().to_owned())
        })
        .collect();
    variables.sort();
    variables
        .into_iter()
        .map(|(_, name, value)| (name, value))
        .collect()
}

fn first_mention(text: &str, name: &str) -> usize {
    let mention = format!("%(ENV_{name})");
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if !line.trim_start().starts_with(['#', ';'])
            && let Some(position) = line.find(&mention)
        {
            return offset + position;
        }
        offset += line.len();
    }
    usize::MAX
}

fn attempt(world: &ImaginedWorld) -> Map<String, Value> {
    let request = LoadRequest {
        file: Some(world.main().to_owned()),
        ..LoadRequest::default()
    };
    let mut answer = Map::new();
    let reading = match load(world, &request) {
        Ok(loaded) => {
            describe(world, &loaded.config, &loaded.reading, &mut answer);
            answer.insert("warnings".to_owned(), json!(loaded.warnings));
            loaded.reading
        }
        Err(failure) => {
            assert!(!failure.problems.is_empty());
            let LoadFailure { reading, .. } = *failure_into(&mut answer, failure);
            reading
        }
    };
    answer.insert("include".to_owned(), json!(reading.include_patterns));
    answer.insert("included".to_owned(), json!(reading.included_files));
    answer
}

fn failure_into(answer: &mut Map<String, Value>, failure: Box<LoadFailure>) -> Box<LoadFailure> {
    answer.insert("error".to_owned(), json!(failure.original_text()));
    answer.insert("exception".to_owned(), json!("usage"));
    failure
}

fn control(world: &ImaginedWorld) -> Value {
    let request = ControlRequest {
        file: Some(world.main().to_owned()),
        ..ControlRequest::default()
    };
    match load_supervisorctl(world, "", &request) {
        Ok(section) => json!({
            "serverurl": section.serverurl,
            "username": section.username,
            "password": section.password,
            "prompt": section.prompt,
            "history_file": section.history_file,
            "plugins": plugins(&section.plugins),
        }),
        Err(failure)
            if failure
                .original_text()
                .contains("does not include supervisorctl section") =>
        {
            Value::Null
        }
        Err(failure) => {
            let mut answer = Map::new();
            failure_into(&mut answer, failure);
            Value::Object(answer)
        }
    }
}

fn describe(
    world: &ImaginedWorld,
    config: &Config,
    reading: &Reading,
    answer: &mut Map<String, Value>,
) {
    let section = &config.supervisord;
    let account = |id: Option<u32>| id.map(|id| world.account(id));
    answer.insert(
        "supervisord".to_owned(),
        json!({
            "minfds": section.minfds,
            "minprocs": section.minprocs,
            "directory": section.directory,
            "user": section.user,
            "uid": account(section.uid),
            "gid": account(section.gid),
            "umask": section.umask,
            "logfile": match &section.logfile {
                MainLog::File(path) => path,
                MainLog::Syslog => "syslog",
            },
            "logfile_maxbytes": section.logfile_maxbytes,
            "logfile_backups": section.logfile_backups,
            "loglevel": level(section.loglevel),
            "pidfile": section.pidfile,
            "identifier": section.identifier,
            "nodaemon": section.nodaemon,
            "silent": section.silent,
            "childlogdir": section.childlogdir,
            "nocleanup": section.nocleanup,
            "strip_ansi": section.strip_ansi,
            "environment": section.environment,
            "serverurl": config.server_url,
        }),
    );
    // The original lists also what equal names hide.
    let mut groups: Vec<&Arc<GroupConfig>> = config
        .groups
        .iter()
        .chain(&config.shadowed_groups)
        .collect();
    groups.sort_by(|left, right| (left.priority, &left.name).cmp(&(right.priority, &right.name)));
    let groups: Vec<Value> = groups
        .into_iter()
        .map(|entry| group(world, config, entry))
        .collect();
    answer.insert("groups".to_owned(), json!(groups));
    let servers: Vec<Value> = config
        .http_servers
        .iter()
        .map(|entry| server(world, entry, reading))
        .collect();
    answer.insert("http_servers".to_owned(), json!(servers));
    answer.insert("rpcinterfaces".to_owned(), plugins(&config.rpc_interfaces));
}

fn level(level: LogLevel) -> u8 {
    level as u8
}

fn plugins(plugins: &[Plugin]) -> Value {
    plugins
        .iter()
        .map(|plugin| {
            json!({"name": plugin.name, "factory": plugin.factory, "options": plugin.options})
        })
        .collect()
}

fn server(world: &ImaginedWorld, server: &HttpServer, reading: &Reading) -> Value {
    let section = reading.document.section(&server.section).unwrap();
    let written = |key: &str| {
        reading
            .document
            .entry(section, key)
            .map(|entry| &entry.value)
    };
    let mut answer = match &server.address {
        HttpAddress::Inet { host, port } => json!({"family": "inet", "host": host, "port": port}),
        HttpAddress::Unix { file, chmod, chown } => {
            let id = |id: Option<u32>| id.map_or(json!(-1), |id| world.account(id));
            json!({
                "family": "unix",
                "file": file,
                "chmod": chmod,
                "chown": [id(chown.0), id(chown.1)],
            })
        }
    };
    answer["section"] = json!(server.section);
    answer["name"] = json!(server.section.split_once(':').map(|(_, name)| name));
    // Without a user name there are no credentials; the original keeps the empty texts.
    answer["username"] = match &server.credentials {
        Some(credentials) => json!(credentials.username),
        None => json!(written("username")),
    };
    answer["password"] = match &server.credentials {
        Some(credentials) => json!(credentials.password),
        None => json!(written("password")),
    };
    answer
}

fn group(world: &ImaginedWorld, config: &Config, group: &GroupConfig) -> Value {
    let mut members: Vec<&Arc<ProcessConfig>> = group.processes.iter().collect();
    let is_in_use = config
        .groups
        .iter()
        .any(|used| std::ptr::eq(used.as_ref(), group));
    for hidden in &config.shadowed_processes {
        if is_in_use && hidden.group == group.name {
            members.insert(hidden.position, &hidden.process);
        }
    }
    let class = match &group.kind {
        GroupKind::Program => "ProcessConfig",
        GroupKind::FastCgi(_) => "FastCGIProcessConfig",
        GroupKind::EventListener(_) => "EventListenerConfig",
    };
    let processes: Vec<Value> = members
        .into_iter()
        .map(|member| process(world, config, member, class))
        .collect();
    let mut answer = json!({
        "name": group.name,
        "priority": group.priority,
        "processes": processes,
    });
    match &group.kind {
        GroupKind::Program => answer["class"] = json!("ProcessGroupConfig"),
        GroupKind::FastCgi(socket) => {
            answer["class"] = json!("FastCGIGroupConfig");
            answer["socket"] = json!({
                "url": socket.url,
                "backlog": socket.backlog,
                "mode": socket.mode,
                "owner": socket.owner.map(|(user, group)| {
                    [
                        world.account(user),
                        group.map_or(json!(-1), |group| world.account(group)),
                    ]
                }),
            });
        }
        GroupKind::EventListener(pool) => {
            answer["class"] = json!("EventListenerPoolConfig");
            let events: Vec<&str> = pool.events.iter().map(|event| event.name()).collect();
            answer["events"] = json!(events);
            answer["buffer_size"] = json!(pool.buffer_size);
            answer["result_handler"] = json!(pool.result_handler);
        }
    }
    answer
}

fn process(world: &ImaginedWorld, config: &Config, process: &ProcessConfig, class: &str) -> Value {
    let mut environment = config.supervisord.environment.clone();
    environment.extend(process.environment.clone());
    let mut answer = json!({
        "class": class,
        "name": process.name,
        "uid": process.uid.map(|id| world.account(id)),
        "command": process.command,
        "directory": process.directory,
        "umask": process.umask,
        "priority": process.priority,
        "autostart": process.autostart,
        "autorestart": match process.autorestart {
            AutoRestart::Never => json!(false),
            AutoRestart::Unexpected => json!("unexpected"),
            AutoRestart::Always => json!(true),
        },
        "startsecs": process.startsecs,
        "startretries": process.startretries,
        "stopsignal": process.stopsignal,
        "stopwaitsecs": process.stopwaitsecs,
        "stopasgroup": process.stopasgroup,
        "killasgroup": process.killasgroup,
        "exitcodes": process.exitcodes,
        "redirect_stderr": process.redirect_stderr,
        "environment": environment,
        "serverurl": process.serverurl,
    });
    output("stdout", &process.stdout, &mut answer);
    output("stderr", &process.stderr, &mut answer);
    answer
}

fn output(stream: &str, output: &OutputConfig, answer: &mut Value) {
    answer[format!("{stream}_logfile")] = match &output.logfile {
        LogFile::None => Value::Null,
        LogFile::Auto => json!("AUTO"),
        LogFile::Path(path) => json!(path),
    };
    answer[format!("{stream}_logfile_maxbytes")] = json!(output.logfile_maxbytes);
    answer[format!("{stream}_logfile_backups")] = json!(output.logfile_backups);
    answer[format!("{stream}_capture_maxbytes")] = json!(output.capture_maxbytes);
    answer[format!("{stream}_events_enabled")] = json!(output.events_enabled);
    answer[format!("{stream}_syslog")] = json!(output.syslog);
}

/// Puts the placeholders of the answers for the made-up directories.
fn tidy(value: Value) -> Value {
    let text = |text: &str| text.replace(HERE, "{here}").replace(CWD, "{cwd}");
    match value {
        Value::String(string) => Value::String(text(&string)),
        Value::Array(items) => items.into_iter().map(tidy).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (text(&key), tidy(value)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}
