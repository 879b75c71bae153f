"""Every orphan is reaped, as the first process of a pid namespace and as a subreaper."""
import os
import sys

import pytest

from harness.processes import children, zombies
from harness.subject import LINCHPIN, TESTED
from harness.wait import until

ORPHANS = 20_000
# More than this at any time would mean that reaping does not keep up. Beside other suites on the same cores the
# daemon may have to wait for its turn while the next orphans are made.
MOST_WAITING = 2_000 if os.environ.get("PYTEST_XDIST_WORKER") else 500

BECOME_SUBREAPER = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


def program(compiled, directory, count):
    return f"[program:orphans]\ncommand={compiled('orphans')} {count}\nstdout_logfile={directory}/orphans.log\n"


def until_done_counting(daemon, pid):
    """Waits until the service made all of them; answers with the most zombies seen at once."""
    most = 0

    def done():
        nonlocal most
        most = max(most, len(zombies(pid)))
        return "done" in daemon.read("orphans.log")

    until(done, "all orphans were made", 100)
    return most


def assert_reaped(daemon, pid):
    most = until_done_counting(daemon, pid)
    until(lambda: not zombies(pid), "no zombie is left", 10)
    assert {child.name for child in children(pid)} == {"orphans"}, "only the service is left"
    if TESTED is LINCHPIN:
        assert most <= MOST_WAITING


@pytest.mark.root
@pytest.mark.ours("it leaves nearly all of them as zombies")
@pytest.mark.timeout(200)
def test_orphans_of_pid_1_in_a_fresh_pid_namespace(new_daemon, compiled):
    daemon = new_daemon()
    daemon.configure(program(compiled, daemon.directory, ORPHANS))
    daemon.start(before=("unshare", "--pid", "--fork", "--mount-proc", "--kill-child"))
    # unshare stays outside; its only child is the namespace's first process.
    (first,) = children(daemon.pid)
    assert_reaped(daemon, first.pid)

    # A container is stopped by a signal to its first process, which ends with an orderly status.
    os.kill(first.pid, 15)
    assert daemon.process.wait(30) == 0


@pytest.mark.ours("it leaves nearly all of them as zombies")
@pytest.mark.timeout(200)
def test_orphans_of_a_subreaper(new_daemon, compiled):
    daemon = new_daemon()
    daemon.configure(program(compiled, daemon.directory, ORPHANS))
    daemon.start(before=(sys.executable, "-c", BECOME_SUBREAPER))
    assert_reaped(daemon, daemon.pid)
    assert daemon.stop() == 0


def test_children_inherited_before_the_exec_are_reaped(new_daemon):
    """An entry script's background jobs become children of the daemon by its exec."""
    daemon = new_daemon(programs="[program:a]\ncommand=/bin/sleep 9999\n")
    script = 'sh -c "sleep 0.3; exit 3" & sh -c "exec sleep 9999" & exec "$@"'
    daemon.start(before=("sh", "-c", script, "sh"))
    daemon.until_running("a")
    daemon.until_logged(r"reaped unknown pid \d+ \(exit status 3\)")
    assert not zombies(daemon.pid)
    # The other one is nobody's service: it is left alone.
    names = [child.name for child in children(daemon.pid)]
    assert names.count("sleep") == 2


def test_a_grandchild_that_outlives_its_service_leaves_no_zombie(new_daemon):
    daemon = new_daemon(programs="[program:a]\ncommand=/bin/sh -c 'sleep 0.5 & sleep 0.1'\nstartsecs=0\nautorestart=false\n")
    daemon.start(before=(sys.executable, "-c", BECOME_SUBREAPER))
    daemon.until_state("a", "EXITED")
    until(lambda: not children(daemon.pid), "the grandchild ended and was reaped")


@pytest.mark.root
def test_as_pid_1_a_dead_service_is_respawned(new_daemon):
    daemon = new_daemon(programs="[program:a]\ncommand=/bin/sleep 9999\nautorestart=true\n")
    daemon.start(before=("unshare", "--pid", "--fork", "--mount-proc", "--kill-child"))
    daemon.until_running("a")
    (first,) = children(daemon.pid)
    for _ in range(5):
        (sleeper,) = [each for each in children(first.pid) if each.state != "Z"]
        os.kill(sleeper.pid, 9)
        until(lambda: [c for c in children(first.pid) if c.pid != sleeper.pid and c.name == "sleep"], "it is back")
        daemon.until_running("a")
    os.kill(first.pid, 15)
    assert daemon.process.wait(30) == 0
