"""Makes a real configuration file harmless without changing a letter of it.

Of two equal keys in one section the last one counts, so everything that could do harm, or needs what this machine has not, is
overridden by sections behind the file's own: commands, users, paths, sockets, ports. What is left is the file's language and
its way with processes: names, groups, priorities, retries, exit codes, restarts, environments.
"""
import configparser
import json
import os
import pwd
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

# What a program does instead of its own work. Each ends in one lasting state whatever its options are.
KINDS = ("stays", "stays", "fails_twice", "ends_twice", "fails_late_once", "ends_late_once", "killed_once")
ACTOR = """\
# Counts its own starts and then does as the first word says.
file="n-$SUPERVISOR_GROUP_NAME:$SUPERVISOR_PROCESS_NAME"
echo start >> "$file"
n=0
while read line; do n=$((n + 1)); done < "$file"
case $1-$n in
  fails_twice-[12]) exit 1 ;;
  ends_twice-[12]) exit 0 ;;
  fails_late_once-1) /bin/sleep 1.7; exit 3 ;;
  ends_late_once-1) /bin/sleep 1.7; exit 0 ;;
  killed_once-1) kill -9 $$ ;;
esac
exec /bin/sleep 9999
"""
# Caps, so that nothing takes long.
MOST_STARTSECS, MOST_RETRIES, MOST_PROCESSES, MOST_STOPWAITSECS = 1, 2, 4, 2
ME = pwd.getpwuid(os.geteuid()).pw_name
STANDARD_INTERFACE = "supervisor.rpcinterface:make_main_rpcinterface"
PROGRAMS = ("program:", "fcgi-program:", "eventlistener:")


@dataclass
class File:
    identity: str
    path: Path
    answer: dict

    @property
    def is_folder(self):
        return self.path.name != f"{self.identity.rsplit('/', 1)[-1]}.conf"


def files(corpus):
    """The files that the original can load, with what it makes of them, in a fixed order."""
    found = []
    for expected in sorted([*corpus.glob("*.expected.json"), *corpus.glob("templated/*.expected.json"), *corpus.glob("multi/*/expected.json")]):
        answer = json.loads(expected.read_text())
        if expected.parent.parent.name == "multi":
            path = expected.parent / (expected.parent / "MAIN").read_text().strip()
            identity = f"multi/{expected.parent.name}"
        else:
            path = expected.with_name(expected.name.replace(".expected.json", ".conf"))
            identity = str(path.relative_to(corpus))[: -len(".conf")]
        # A file without [supervisord] is loaded as one that another includes.
        whole = answer if "error" not in answer else answer.get("as_included", answer)
        if "error" in whole:
            continue
        if any(each["options"] for each in whole["rpcinterfaces"] or [] if each["factory"] != STANDARD_INTERFACE):
            # Python in the daemon, with options that the standard interface does not take.
            continue
        found.append(File(identity, path, {**whole, "env": answer["env"], "is_fragment": whole is not answer}))
    return found


def parsed(text):
    """The file's sections as the original's reader sees them."""
    parser = configparser.RawConfigParser(strict=False, inline_comment_prefixes=(";", "#"))
    parser.read_string(text)
    return parser


def number(section, key, most, default):
    try:
        return min(int(section.get(key, default)), most)
    except ValueError:
        return min(default, most)


def overrides(parser, port):
    """The sections that come behind the file's own."""
    lines = [
        "[supervisord]", "logfile=%(here)s/main.log", "logfile_maxbytes=0", "pidfile=%(here)s/main.pid", "childlogdir=%(here)s", f"user={ME}",
        "directory=%(here)s", "nodaemon=true", "minfds=1024", "minprocs=200", "loglevel=info",
    ]
    has_server = has_interface = False
    for index, name in enumerate(parser.sections()):
        section = parser[name]
        if name.startswith(PROGRAMS):
            kind = KINDS[zlib.crc32(name.encode()) % len(KINDS)]
            lines += [
                f"[{name}]", f"command=/bin/sh act {kind}", f"user={ME}", "directory=%(here)s", f"startsecs={number(section, 'startsecs', MOST_STARTSECS, 1)}",
                f"startretries={number(section, 'startretries', MOST_RETRIES, 3)}", f"stopwaitsecs={number(section, 'stopwaitsecs', MOST_STOPWAITSECS, 10)}",
                f"numprocs={number(section, 'numprocs', MOST_PROCESSES, 1)}",
            ]
            for stream in ("stdout", "stderr"):
                if "/" in section.get(f"{stream}_logfile", "") and not section[f"{stream}_logfile"].startswith("/dev/"):
                    lines.append(f"{stream}_logfile=%(here)s/{index}-%(process_num)d.{stream}")
            if name.startswith("eventlistener:"):
                lines.append("result_handler=supervisor.dispatchers:default_handler")
            if name.startswith("fcgi-program:"):
                lines += [f"socket=unix://%(here)s/f{index}.sock", f"socket_owner={ME}", "socket_mode=0700"]
        elif name.startswith("unix_http_server"):
            lines += [f"[{name}]", "file=%(here)s/" + ("s.sock" if not has_server else f"s{index}.sock"), f"chown={ME}", "chmod=0700", "username=u", "password=p"]
            has_server = True
        elif name.startswith("inet_http_server"):
            lines += [f"[{name}]", f"port=127.0.0.1:{port()}", "username=u", "password=p"]
        elif name.startswith("rpcinterface:"):
            lines += [f"[{name}]", f"supervisor.rpcinterface_factory={STANDARD_INTERFACE}"]
            has_interface = has_interface or name == "rpcinterface:supervisor"
    if not has_server:
        lines += ["[unix_http_server]", "file=%(here)s/s.sock", "username=u", "password=p"]
    if not has_interface:
        lines += ["[rpcinterface:supervisor]", f"supervisor.rpcinterface_factory={STANDARD_INTERFACE}"]
    return "\n".join(lines) + "\n"


def write(file, directory, port):
    """Writes the file and its overrides into a daemon's directory, as supervisord.conf."""
    (directory / "act").write_text(ACTOR)
    text = file.path.read_text(encoding="utf-8", errors="surrogateescape")
    if file.is_folder:
        included = copied(file, directory)
        everything = parsed("\n".join([text, *included.values()]))
        (directory / "zz-overrides").write_text(overrides(everything, port))
        patterns = " ".join(pattern.replace("{here}", str(directory)) for pattern in file.answer["include"])
        text += f"\n[include]\nfiles={patterns} zz-overrides\n"
    elif file.answer["is_fragment"]:
        (directory / "the-file").write_text(text, errors="surrogateescape")
        (directory / "zz-overrides").write_text(overrides(parsed(text), port))
        text = "[supervisord]\n[include]\nfiles=the-file zz-overrides\n"
    else:
        behind = overrides(parsed(text), port)
        if parsed(text).has_section("include"):
            behind += "[include]\nfiles=nothing-of-this-name\n"
        text += "\n" + behind
    (directory / "supervisord.conf").write_text(text, errors="surrogateescape")
    check(directory)


def copied(file, directory):
    """Copies a folder's included files; answers with their texts."""
    texts = {}
    for path in sorted(file.path.parent.rglob("*")):
        if path.is_file() and path.name not in ("MAIN", "expected.json") and path != file.path:
            target = directory / path.relative_to(file.path.parent)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
            texts[path] = path.read_text(encoding="utf-8", errors="surrogateescape")
    return texts


def check(directory):
    """Nothing but our own command may run, whatever the file says."""
    text = "\n".join(path.read_text(encoding="utf-8", errors="surrogateescape") for path in (directory / "supervisord.conf", directory / "the-file", directory / "zz-overrides") if path.exists())
    for name, section in parsed(text).items():
        if name.startswith(PROGRAMS):
            assert re.fullmatch(r"/bin/sh act \w+", section.get("command", "")), f"[{name}] would run a command of its own"
