"""Jobs that run once for good, and what is known of one that was interrupted."""
import os
import re
import signal

import pytest

from harness.processes import marked
from harness.wait import until

pytestmark = pytest.mark.ours("it knows nothing of this")


def configured(daemon, job, *options):
    lines = "\n".join(options)
    return daemon.configure(
        f"[program:init]\ncommand=/bin/sh -c '{job}'\noneshot=true\nmarker=%(here)s/done\nstartretries=0\n{lines}\n"
        "[program:web]\ncommand=/bin/sleep 9999\nstartsecs=0\ndepends_on=init completed\n"
    )


JOB = "echo ran ${LINCHPIN_INTERRUPTED-whole} >> %(here)s/runs"


def runs(daemon):
    return daemon.read("runs").splitlines()


def files(daemon):
    return sorted(path.name for path in daemon.directory.iterdir() if path.name.startswith("done"))


def test_it_runs_once_and_the_next_daemon_knows(new_daemon):
    daemon = configured(new_daemon(), f"test -e %(here)s/done.incomplete && {JOB}").start()
    daemon.until_running("web")
    assert daemon.info("init")["statename"] == "EXITED"
    assert runs(daemon) == ["ran whole"]
    assert files(daemon) == ["done"]
    assert re.fullmatch(r"init:init completed \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n", daemon.read("done"))
    assert daemon.stop() == 0

    daemon.start()
    daemon.until_running("web")
    info = daemon.info("init")
    assert (info["statename"], info["exitstatus"], info["spawnerr"]) == ("EXITED", 0, "")
    assert "init is not run, as it was done before" in daemon.log()
    assert runs(daemon) == ["ran whole"]


def test_one_that_was_interrupted_is_run_again_and_told(new_daemon):
    job = f"{JOB}; test -e %(here)s/go || sleep 9999"
    daemon = configured(new_daemon(), job, "pre_start=/bin/sh -c 'echo hook ${LINCHPIN_INTERRUPTED-whole} >> %(here)s/runs'")
    daemon.start()
    until(lambda: len(runs(daemon)) == 2, "it is at work")
    assert files(daemon) == ["done.incomplete"]
    daemon.signal(signal.SIGKILL)
    daemon.process.wait(30)
    for pid in marked(daemon.marker):
        os.kill(pid, signal.SIGKILL)

    (daemon.directory / "go").touch()
    daemon.start()
    daemon.until_running("web")
    assert runs(daemon) == ["hook whole", "ran whole", "hook 1", "ran 1"]
    assert files(daemon) == ["done"]


def test_one_that_was_killed_is_run_again_and_told(new_daemon):
    job = f"{JOB}; test -e %(here)s/go || exec sleep 9999"
    daemon = configured(new_daemon(), job, "startsecs=0", "startretries=3", "restart_delay=20ms").start()
    until(lambda: len(runs(daemon)) == 1, "it is at work")
    (pid,) = daemon.until_running("init")
    (daemon.directory / "go").touch()
    os.kill(pid, signal.SIGKILL)
    daemon.until_running("web")
    assert runs(daemon) == ["ran whole", "ran 1"]
    assert files(daemon) == ["done"]


def test_one_that_fails_is_not_done(new_daemon):
    daemon = configured(new_daemon(), f"{JOB}; test -e %(here)s/go").start()
    daemon.until_state("init", "FATAL")
    assert files(daemon) == ["done.incomplete"]
    assert daemon.info("web")["statename"] == "STARTING"
    (daemon.directory / "go").touch()
    daemon.supervisor("startProcess", "init")
    daemon.until_running("web")
    assert runs(daemon) == ["ran whole", "ran 1"]
    assert files(daemon) == ["done"]


def test_a_place_that_is_not_there_is_told(new_daemon):
    daemon = new_daemon().configure(
        "[program:init]\ncommand=/bin/touch %(here)s/ran\noneshot=true\nmarker=%(here)s/no/such/place\nstartretries=0\n"
    )
    daemon.start()
    info = daemon.until_state("init", "FATAL")
    assert info["spawnerr"].startswith("its marker failed: ")
    assert f"{daemon.directory}/no/such/place" in info["spawnerr"] and "No such file or directory" in info["spawnerr"]
    assert not (daemon.directory / "ran").exists()
