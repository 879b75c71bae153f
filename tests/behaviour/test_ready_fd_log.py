"""Readiness by a newline on a descriptor, and by a line of output."""
import os
import re

import pytest

from harness.processes import process
from harness.wait import until

pytestmark = pytest.mark.ours("it knows nothing of this")

AFTER = "[program:after]\ncommand=/bin/sleep 9999\nstartsecs=0\ndepends_on=web ready\n"


def script(daemon, text):
    path = daemon.directory / "web.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def configured(daemon, text, *options):
    lines = "\n".join(options)
    return daemon.configure(f"[program:web]\ncommand={script(daemon, text)}\nstartsecs=0\n{lines}\n{AFTER}")


def waits(daemon):
    info = daemon.info("after")
    return info["statename"] == "STARTING" and info["pid"] == 0


def go(daemon):
    (daemon.directory / "go").touch()


def when_told(text):
    """A script that does something when the test says so."""
    return f'dir=$(dirname "$0"); while ! [ -e "$dir/go" ]; do sleep 0.01; done; {text}; exec sleep 9999'


@pytest.mark.parametrize("number", [3, 5, 9])
def test_a_newline_on_a_descriptor_makes_ready(new_daemon, number):
    # Not complete, and only then the end of the line; what follows is nobody's concern.
    text = f"printf half >&{number}; " + when_told(f"echo done >&{number}; echo more >&{number}")
    daemon = configured(new_daemon(), text, f"readiness=fd:{number}").start()
    daemon.until_running("web")
    assert waits(daemon)
    go(daemon)
    daemon.until_running("after")
    daemon.until_logged(r"ready: web,")


def test_only_that_descriptor_is_added(new_daemon):
    daemon = configured(new_daemon(), "exec sleep 9999", "readiness=fd:4").start()
    (pid,) = daemon.until_running("web")
    until(lambda: process(pid).name == "sleep", "it has become its command")
    assert sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2", "4"]


def test_a_service_that_closes_the_descriptor_is_not_ready(new_daemon):
    text = 'exec 3>&-; touch "$(dirname "$0")/closed"; exec sleep 9999'
    daemon = configured(new_daemon(), text, "readiness=fd:3").start()
    until(lambda: (daemon.directory / "closed").exists(), "it is closed")
    daemon.until_running("web")
    assert waits(daemon)
    assert daemon.stop() == 0


@pytest.mark.parametrize("logfile", ["NONE", "%(here)s/web.log", "/dev/null"])
@pytest.mark.parametrize("where", ["", ">&2"])
def test_a_line_of_either_output_makes_ready(new_daemon, logfile, where):
    text = f"echo it will be ready soon {where}; " + when_told(f"echo Ready on port 80 {where}")
    logs = [f"stdout_logfile={logfile}", f"stderr_logfile={logfile.replace('web', 'err')}"]
    daemon = configured(new_daemon(), text, "readiness=log:^Ready on port [0-9]+$", *logs).start()
    daemon.until_running("web")
    assert waits(daemon)
    go(daemon)
    daemon.until_running("after")


def test_each_start_has_to_say_it_again(new_daemon):
    text = '[ -e "$(dirname "$0")/silent" ] || echo ready; exec sleep 9999'
    daemon = configured(new_daemon(), text, "readiness=log:ready", "stdout_logfile=NONE").start()
    daemon.until_logged(r"ready: web,")
    (daemon.directory / "silent").touch()
    daemon.supervisor("stopProcess", "after")
    daemon.supervisor("stopProcess", "web")
    daemon.supervisor("startProcess", "web")
    daemon.supervisor("startProcess", "after", False)
    until(lambda: waits(daemon), "it waits")
    assert len(re.findall(r"ready: web,", daemon.log())) == 1


def test_all_that_is_asked_for_must_be_there(new_daemon):
    text = "echo one >&2; " + when_told("echo two; echo > /proc/self/fd/3")
    options = ["readiness=log:one", "    log:two", "    fd:3", "stdout_logfile=NONE", "stderr_logfile=NONE"]
    daemon = configured(new_daemon(), text, *options).start()
    daemon.until_running("web")
    assert waits(daemon)
    go(daemon)
    daemon.until_running("after")


def test_last_words_count(new_daemon):
    daemon = configured(new_daemon(), "echo >&3", "readiness=fd:3", "autorestart=false").start()
    daemon.until_state("web", "EXITED")
    daemon.until_logged(r"ready: web,")


def test_a_service_that_writes_a_lot_stays_fast_and_is_found(new_daemon):
    text = "head -c 50000000 /dev/zero | tr '\\0' 'x'; echo; yes no | head -n 200000; echo ready; exec sleep 9999"
    daemon = configured(new_daemon(), text, "readiness=log:^rea(d)y$", "stdout_logfile=NONE").start()
    daemon.until_running("after", timeout=60)
    assert os.path.exists(daemon.socket)
