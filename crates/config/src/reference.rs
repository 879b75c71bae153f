//! The reference page of all options, made from their table.

use std::fmt::Write as _;

use crate::event_type::EventType;
use crate::options::{OptionSpec, Origin, SectionKind};

const INTRODUCTION: &str = "\
# Options of the configuration file

<!-- Made from the table in crates/config/src/options; a test compares. To make it again:
     LINCHPIN_WRITE_REFERENCE=1 cargo test -p linchpin-config reference -->

One INI file holds everything. It is read as by Supervisor 4.3: sections that appear twice are merged, the last of
two equal keys counts, keys are not case-sensitive, section names are. A comment begins with `;` or `#` at the
beginning of a line or after a blank. A line that is indented deeper than its key continues the value.

`%(name)s` in a value stands for one of the names given with the option; all conversions of printf work, such as
`%(process_num)02d`. `ENV_x` is the environment variable `x`. A literal percent sign is written `%%`.

| name | meaning |
|---|---|
| `here` | directory of the file in which it stands |
| `host_node_name` | name of the machine |
| `program_name`, `group_name` | name of the program, and of the group it is in |
| `process_num`, `numprocs` | number of the process, and how many there are |
| `ENV_x` | variable `x` of the daemon, of `[supervisord] environment` and, in options of a process, of its own `environment` |
";

/// How values of options of ours are written.
const OWN_LANGUAGE: &str = r#"
## What Supervisor does not have

Options marked as Linchpin's own are skipped over by Supervisor, so one file can be used with both; `linchpin check
--compat` names them. A program with none of them behaves exactly as under Supervisor, and `extensions=off` in
`[linchpin]` switches all of them off. A mistake in one of them is an error.

A value that holds ` ;` or ` #` ends there, because that begins a comment for both programs. Long commands go into a
file (`exec:@/file`), and patterns write the character as `[;]` or `[#]`.

### Durations

A number with `ms`, `s`, `m` or `h` behind it, such as `500ms`, `2s` or `1.5h`. A number alone means seconds. Where 0 is
allowed, the option says what it means.

### Probes

`readiness` and `liveness` take one probe in each line; all of them must pass.

```ini
[program:web]
command=/usr/bin/web
readiness=
    tcp://localhost:8080
    http://localhost:8080/health status=200-299 header="Host:example.org"
```

| probe | passes when |
|---|---|
| `tcp://host:port` | a connection can be made; IPv6 addresses stand in brackets |
| `unix:///path` | a connection to the socket can be made |
| `http://host:port/path`, `https://…` | the answer is right, see below; the port may be left out |
| `exec:command` | the command ends with exit status 0; it is split into words like `command` |
| `exec:@/file` | the same for the command that the file holds; it is read when the configuration is |
| `log:regex` | a line of standard output or standard error matches the regular expression (not for liveness) |
| `file:/path` | the file exists |
| `notify` | the program says `READY=1` by the `NOTIFY_SOCKET` protocol; for liveness, `WATCHDOG=1` often enough |
| `fd:3` | the program writes a newline to this descriptor, as for s6 (not for liveness) |

Behind a URL may stand words with blanks between them, quoted as in a shell:

| word | meaning |
|---|---|
| `status=200-299,401` | statuses that are right; without it 200 to 399 |
| `header=Name:value` | a header of the request; can be written several times |
| `body=regex` | the regular expression that the first 64 KiB of the answer must match |
| `method=HEAD` | instead of GET |
| `ca=/file` | certificates of authorities that are trusted instead of the system's |
| `verify=no` | any certificate will do |

### Dependencies

`depends_on` is a list with commas (or line ends) between its entries: a name, and perhaps a condition behind it.

| condition | the dependency |
|---|---|
| `started` | is RUNNING |
| `ready` | is RUNNING, and its `readiness` passes |
| `completed` | has run to its end with an expected exit status since the daemon began, or its `marker` says so |
| none | has started, failed or been stopped, or `startsecs` and five seconds have passed; this only orders |

A name is that of a group (all its processes), of a process or program that no other group has, `group:process` or
`group:*`. A condition makes mistakes errors: names that do not exist, and programs that wait for each other. A name
without one never stops a file from being used, because files for Supervisor contain such lists, where they mean
nothing; `linchpin check` tells what is wrong with it, and it is passed over.

### Conditions

`enabled` is an expression in the language of Jinja: `and`, `or`, `not`, `==`, `in`, parentheses, texts in quotes. A name is
that of an environment variable: of the daemon, of `[supervisord] environment`, of the program's own `environment`; one
that is not set is undefined and counts as false. The result must be true or false; of texts, `1`, `true`, `yes` and `on`
are true, and an empty one, `0`, `false`, `no` and `off` are false. A `%` is written `%%`, as in all values.

| | |
|---|---|
| `is_local(ADDRESS)` | the address leads to this machine only: `localhost`, 127.0.0.0/8, `::1`, a path or `unix:` socket, or nothing at all; with several hosts, all of them |
| `is_set(NAME)` | it is set, and not empty |
| `on(NAME)` | it is a word for true; not set is false |
| `NAME is defined`, `NAME is startingwith('x')`, `NAME is endingwith('x')` | |
| `NAME \| lower`, `NAME \| default('x')` | in lower case; with a value for where it is not set |

`enabled=is_local(REDIS_URL)` switches an embedded Redis off when `redis://10.0.0.5` is used instead. What is switched off
is not there for `status` and all other commands; `linchpin check` names it. `reread` and `update` look again.

### Notifications

A program with a `notify` probe finds a socket in `NOTIFY_SOCKET`, as under systemd, and `WATCHDOG_USEC` where `liveness`
asks for it. Its processes may say several things in one message, a line each:

| line | meaning |
|---|---|
| `READY=1` | it is ready, also again after `RELOADING=1` |
| `STATUS=text` | what it does, for people; without a text, nothing any more |
| `RELOADING=1` | it reads its configuration again, and is not ready meanwhile |
| `STOPPING=1` | it stops by itself: no probe asks it any more |
| `WATCHDOG=1`, `WATCHDOG=trigger` | it works; it does not, and is to be restarted |
| `MAINPID=number` | another of its processes is the one whose end is its end, and which is signalled |
| `EXTEND_TIMEOUT_USEC=number` | it needs so much time from now to become ready, or to stop; at most an hour at once |

Other lines are skipped. Descriptors are not kept (`FDSTORE`), but closed, which is what `sd_notify_barrier` waits for. Messages
of processes that are not the program's, and main processes that are not, are ignored; the log says so once for each start.

### Hooks

Commands around a life run as the program does: user, directory, environment, `umask`; with an empty standard input, and
in a process group of their own, of which nothing is left when they end or have run out of time. A failure is told with
the last line that the command wrote. They find:

| variable | meaning |
|---|---|
| `LINCHPIN_HOOK` | the name of the option |
| `MAINPID` | the program's process, while there is one |
| `LINCHPIN_INTERRUPTED` | 1 in `pre_start` of a oneshot that was interrupted the time before |
| `SERVICE_RESULT`, `EXIT_CODE`, `EXIT_STATUS` | in `post_stop`, in the words of systemd: `success exited 0`, `exit-code exited 3`, `signal killed KILL`, `oom-kill killed KILL` |

### Memory

`memory_max` counts the processes in the program's process group, and in that of a main process which has made one of its
own; what has left them for another group is not counted. No control groups are made for that: to divide that of a container
the daemon would have to leave it, and then some runtimes can no longer enter the container. The kernel walks all of a
process's memory to tell its proportional set size, so `memory_interval` should not be short for programs that have much.

A program is said to be out of memory when it has ended by a SIGKILL that was not sent from here (or with 137, by which a
shell says so of its command), and the kernel has counted a kill for lack of memory: in the control group of the daemon, so
a container counts its own, or else on the whole machine. Nothing is known where the kernel shows no count (before Linux
4.13), and when its victim was a child of the program that goes on without it.

### Settings

`[setting:NAME]` declares a variable that services find in their environment; [settings.md](settings.md) tells where its
value comes from, how it is changed and what the settings file looks like. NAME has letters, digits and `_`. Variables that
decide which code runs (`PATH`, `LD_*`, `BASH_ENV` and the like) cannot be settings. `%(ENV_x)s` in these sections is the
environment of the daemon's process, without what `[supervisord] environment` adds.

| type | a value |
|---|---|
| `string` | any text in one line; no type takes control characters |
| `secret` | the same, shown to nobody |
| `bool` | `true`, `yes`, `on`, `1`, `false`, `no`, `off`, `0`, in any case |
| `integer` | a whole number, between `min` and `max` |
| `port` | 1 to 65535 |
| `url` | `scheme://host…` with one of the `schemes`; several hosts with commas between them, or none (`unix:///path`) |
| `email` | `name@host` |
| `duration` | as above |
| `enum` | one of the `choices` |
| `path` | an absolute path |

Values are passed on as they are written. An empty value is no value, and every type allows it; `required` does not.
"#;

/// The page, in Markdown.
#[must_use]
pub fn reference_page() -> String {
    let mut text = INTRODUCTION.to_owned();
    for kind in SectionKind::ALL {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n## `[{}]`\n\n{}\n", kind.title(), kind.about());
        let own: Vec<&OptionSpec> = kind
            .options()
            .filter(|option| {
                kind == SectionKind::Program
                    || SectionKind::Program.option(option.name).is_none()
                    || !kind.has_processes()
            })
            .collect();
        if kind == SectionKind::FcgiProgram {
            text.push_str("\nAll options of `[program:x]`, and these:\n");
        }
        if kind == SectionKind::EventListener {
            let lacking: Vec<String> = SectionKind::Program
                .options()
                .filter(|option| kind.option(option.name).is_none())
                .map(|option| format!("`{}`", option.name))
                .collect();
            let _ = write!(
                text,
                "\nAll options of `[program:x]` but {}, and these:\n",
                lacking.join(", ")
            );
        }
        for option in own {
            text.push_str(&entry(option));
        }
    }
    text.push_str(OWN_LANGUAGE);
    text.push_str(
        "\n## Event types\n\nFor `events` of an event listener. A subscription to a parent covers everything below \
         it.\n\n| name | parent | meaning |\n|---|---|---|\n",
    );
    for event in EventType::ALL {
        let parent = event.parent().map_or("", EventType::name);
        let _ = writeln!(text, "| {} | {parent} | {} |", event.name(), event.help());
    }
    text
}

fn entry(option: &OptionSpec) -> String {
    let default = match (option.is_required, option.default) {
        (true, _) => "required".to_owned(),
        (false, Some("")) => "default: empty".to_owned(),
        (false, Some(default)) => format!("default: `{default}`"),
        (false, None) => format!("default: {}", option.default_note),
    };
    let names: Vec<String> = option
        .scope
        .names()
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let since = match option.origin {
        Origin::Supervisor => format!("since Supervisor {}", option.since),
        Origin::Linchpin => format!("Linchpin's own, since {}", option.since),
    };
    let aliases: String = option
        .aliases
        .iter()
        .map(|alias| format!("- also written `{alias}`\n"))
        .collect();
    format!(
        "\n### `{}`\n\n{}\n\n- {}: {}\n- {default}\n- names: {}\n- {since}\n{aliases}",
        option.name,
        option.help,
        option.kind,
        option.kind.accepts(),
        names.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page in docs/ is the one that the table makes.
    #[test]
    fn reference_page_in_docs_is_current() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../docs/reference-options.md");
        let page = reference_page();
        if std::env::var_os("LINCHPIN_WRITE_REFERENCE").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap();
        // Neither is shown: it is a page of many thousand words.
        assert!(
            committed == page,
            "docs/reference-options.md is old: set LINCHPIN_WRITE_REFERENCE=1 and run this test again"
        );
    }
}
