"""The command lines of both programs are taken apart as the original takes them, to the same words and statuses."""
import json
import re
import subprocess

import pytest

from harness.compare import normal
from harness.subject import TESTED

# What an accepted command line comes to: there is no such file.
MISSING = "-c no.conf"
SUPERVISORD = f"""
-v
--version
--vers
-nv
-vn
-n -v
-v extra
-n -n -v
{MISSING}
-nc no.conf
-ncno.conf
--configuration=no.conf
--configuration no.conf
--conf=no.conf
--c=no.conf
-n -s -k -t {MISSING}
-nskt {MISSING}
--nodaemon --silent --nocleanup --strip_ansi {MISSING}
-u root {MISSING}
-u 0 {MISSING}
-uroot {MISSING}
-u nobody-at-all {MISSING}
--user nobody-at-all {MISSING}
-m 077 {MISSING}
-m 8 {MISSING}
--umask=word {MISSING}
-d / {MISSING}
-d /no/such/folder {MISSING}
-l a.log {MISSING}
-l /no/such/folder/a.log {MISSING}
--logfile syslog {MISSING}
-l NONE {MISSING}
-y 10 {MISSING}
-y 10KB {MISSING}
-y 1gb {MISSING}
-y many {MISSING}
--logfile_maxbytes= {MISSING}
-z 3 {MISSING}
-z three {MISSING}
-e debug {MISSING}
-e WARN {MISSING}
-e blather {MISSING}
-e loud {MISSING}
--loglevel loud {MISSING}
-j a.pid {MISSING}
-j /no/such/folder/a.pid {MISSING}
-i name {MISSING}
-i= {MISSING}
-q . {MISSING}
-q /no/such/folder {MISSING}
-a 10 {MISSING}
-a ten {MISSING}
--minfds=-1 {MISSING}
--minprocs 10 {MISSING}
--minprocs ten {MISSING}
--profile_options cumulative,calls {MISSING}
--profile_options nothing {MISSING}
-n -n {MISSING}
-n --nodaemon {MISSING}
-c a -c b
-c a --configuration b
-e info -e info {MISSING}
-e loud -e info {MISSING}
-c
-u
-e
--minprocs
--logfile
--log x
--no
--min 3
--n
--s
--nodaemon=yes
--nothing
-x
-nx
-nX -v
-W
foo
-n foo
-n -- foo
-- -v
-
- -v
"""
SUPERVISORCTL = f"""
{MISSING}
-c no.conf status
-cno.conf
--conf no.conf
--configuration=no.conf status
-i {MISSING}
-i -i {MISSING}
--interactive {MISSING} status
--i {MISSING}
-ic no.conf
-s http://localhost:1 {MISSING}
-s unix:///x {MISSING}
-s localhost:9001 {MISSING}
-s ftp://x {MISSING}
-s= {MISSING}
--serverurl https://x {MISSING}
--serverurl=unix://x {MISSING}
-u a -p b {MISSING}
-ua -pb {MISSING}
--username=a --password= {MISSING}
--user a {MISSING}
-u a -u b {MISSING}
-r typed {MISSING}
--history_file typed {MISSING}
--history typed {MISSING}
--history-file typed {MISSING}
-r
-s
-p
-c
-c a -c b
-x
-v
--version
--pass
--help=x
--nothing
-n
-- {MISSING}
-s http://127.0.0.1:1 version
-s http://127.0.0.1:1 -- version
-s http://127.0.0.1:1 version -i
-s http://127.0.0.1:1 status -c no.conf
-s unix:///no/such/socket status
-s unix:///no/such/socket start a b
-s unix:///no/such/socket -i version
"""


# The original takes a quarter of a second to start, so it starts once for all lines.
ALL_AT_ONCE = """
import contextlib, importlib, io, json, sys
from supervisor.options import Options
module, name, lines = json.load(sys.stdin)
sys.argv = [name]
for line in lines:
    out, err, status = io.StringIO(), io.StringIO(), 0
    Options.stdout, Options.stderr = out, err
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            importlib.import_module("supervisor." + module).main(line.split())
        except SystemExit as end:
            status = end.code or 0
    print(json.dumps([status, out.getvalue(), err.getvalue()]), file=sys.__stdout__)
"""


def answers_of_the_original(original, program, lines, folder):
    python = f"{original.daemon[0].rpartition('/')[0]}/python"
    module = {"daemon": "supervisord", "control": "supervisorctl"}[program]
    question = json.dumps([module, "PROGRAM", lines])
    result = subprocess.run([python, "-c", ALL_AT_ONCE], input=question, capture_output=True, text=True, cwd=folder, timeout=60, check=True)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    return [(status, normal(out), normal(err)) for status, out, err in found]


def answers(subject_command, words, folder):
    result = subprocess.run(
        [*subject_command, *words], capture_output=True, text=True, cwd=folder, stdin=subprocess.DEVNULL, timeout=60, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    )
    name = " ".join(subject_command)
    return result.returncode, normal(result.stdout).replace(name, "PROGRAM"), normal(result.stderr).replace(name, "PROGRAM")


@pytest.mark.parametrize("program, table", [("daemon", SUPERVISORD), ("control", SUPERVISORCTL)], ids=["supervisord", "supervisorctl"])
def test_words_of_the_command_line(original, tmp_path, program, table):
    lines = table.strip().splitlines()
    failures = []
    for line, theirs in zip(lines, answers_of_the_original(original, program, lines, tmp_path), strict=True):
        ours = answers(getattr(TESTED, program), line.split(), tmp_path)
        if theirs != ours:
            failures.append(f"{line}\n  wanted {theirs}\n  got    {ours}")
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("program", ["daemon", "control"], ids=["supervisord", "supervisorctl"])
@pytest.mark.parametrize("word", ["-h", "-?", "--he", "-nh"])
def test_help_names_the_same_options(original, tmp_path, program, word):
    if (program, word) == ("control", "-nh"):
        word = "-ih"

    def told(subject):
        status, out, err = answers(getattr(subject, program), [word], tmp_path)
        # The name that the original's help gives to -r is one that it refuses.
        options = [option.replace("history-file", "history_file") for option in re.findall(r"^(-\S+)", out, re.M)]
        return status, err, {form for option in options for form in option.split("/")} - {"-?"}

    assert told(TESTED) == told(original)


def test_options_of_supervisord_beat_the_file(new_daemon):
    daemon = new_daemon()
    daemon.configure(
        "[program:a]\ncommand=/bin/sh -c 'printf \"\\033[1mbold\\033[0m\\n\"; exec sleep 9999'\n",
        supervisord="identifier=from_file\nloglevel=error\nminfds=100\nnocleanup=false\nnodaemon=false\n",
    )
    (daemon.directory / "logs").mkdir()
    options = "-l other.log -e debug -j other.pid -i from_words -q logs -k -t -a 200 --minprocs 50 -y 1MB -z 3 -m 077 -d / --profile_options=calls"
    daemon.start(*options.split())
    daemon.until_running("a")
    assert daemon.supervisor("getIdentification") == "from_words"
    assert daemon.read("other.pid") == f"{daemon.pid}\n"
    daemon.until_file("other.log", "success: a entered RUNNING state")
    daemon.until_file("other.log", "DEBG 'a' stdout output:")
    assert not daemon.main_log.exists() and not (daemon.directory / "main.pid").exists()
    logs = [path.name for path in (daemon.directory / "logs").iterdir() if path.name.startswith("a-stdout---from_words-")]
    assert len(logs) == 1
    assert daemon.until_file(f"logs/{logs[0]}") == "bold\n"
    assert daemon.stop() == 0
