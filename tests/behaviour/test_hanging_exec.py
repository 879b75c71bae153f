"""A program whose exec hangs, as one on a dead network file system does, keeps nobody waiting and is never lost."""
import contextlib
import os
import shutil
import subprocess
import xmlrpc.client
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import rpc
from harness.held_exec import HeldExec
from harness.processes import marked, process
from harness.subject import LINCHPIN
from harness.wait import stays, until

pytestmark = [pytest.mark.root, pytest.mark.ours("its fork returns at once, and a restart forgets the child")]


@pytest.fixture
def held(new_daemon):
    """A daemon, not started, whose program `stuck` hangs in its exec."""
    daemon = new_daemon()
    program = daemon.directory / "stuck-program"
    shutil.copy("/bin/sleep", program)
    program.chmod(0o755)
    daemon.configure(
        f"[program:stuck]\ncommand={program} 9999\nstopwaitsecs=1\nstartsecs=0\n[program:free]\ncommand=/bin/sleep 9999\n"
    )
    try:
        exec_of = HeldExec(program)
    except OSError as error:
        pytest.skip(f"this kernel cannot hold back an exec: {error}")
    yield daemon, exec_of
    exec_of.close()


def sleepers(daemon):
    """Processes of the daemon's that run the program which was held back."""
    found = (process(pid) for pid in marked(daemon.marker))
    return [each for each in found if each and each.name == "stuck-program" and each.state != "Z"]


def test_it_keeps_nobody_waiting_and_comes_up_when_it_can(held):
    daemon, exec_of = held
    daemon.start()
    until(lambda: exec_of.waiting, "the exec hangs")
    daemon.until_running("free")
    assert daemon.supervisor("stopProcess", "free") is True
    assert daemon.supervisor("startProcess", "free") is True
    assert daemon.info("stuck")["statename"] == "STARTING"
    exec_of.let_go()
    daemon.until_running("stuck")
    assert len(sleepers(daemon)) == 1


def test_a_stop_ends_in_time_and_a_start_after_it_runs_once(held):
    daemon, exec_of = held
    daemon.start()
    until(lambda: exec_of.waiting, "the exec hangs")
    assert daemon.supervisor("stopProcess", "stuck") is True
    assert daemon.info("stuck")["statename"] == "STOPPED"
    # The answer comes when there is a process, and there can be none as long as the first one may still come.
    starting = rpc.UnixConnection(daemon.socket)
    starting.request("POST", "/RPC2", xmlrpc.client.dumps(("stuck", False), "supervisor.startProcess"), {"Content-Type": "text/xml"})
    daemon.until_state("stuck", "STARTING")
    exec_of.let_go()
    assert b"<boolean>1</boolean>" in starting.getresponse().read()
    (pid,) = daemon.until_running("stuck")
    until(lambda: [each.pid for each in sleepers(daemon)] == [pid], "only the second start runs")


def test_a_start_that_hung_before_a_restart_of_the_daemon_does_not_run_beside_its_successor(held):
    daemon, exec_of = held
    daemon.start()
    until(lambda: exec_of.waiting, "the exec hangs")
    started = daemon.log().count("supervisord started with pid")
    daemon.supervisor("restart")
    daemon.until_logged("supervisord started with pid", count=started + 1)
    until(daemon.answers, "it answers again")
    exec_of.let_go()
    (pid,) = daemon.until_running("stuck")
    until(lambda: [each.pid for each in sleepers(daemon)] == [pid], "only the successor's start runs")
    stays(lambda: [each.pid for each in sleepers(daemon)] == [pid], "nothing else comes up", 0.3)
    assert daemon.stop() == 0


def test_settings_that_are_applied_to_it_are_taken_back_in_time(held):
    daemon, exec_of = held
    program = daemon.directory / "stuck-program"
    daemon.configure(
        "[linchpin]\nsocket=%(here)s/c.sock\nsettings_file=%(here)s/s.env\n[setting:X]\nservices=stuck\n"
        f"[program:stuck]\ncommand={program} 9999\nstopwaitsecs=0\nstartsecs=0\n"
    )
    daemon.start()
    until(lambda: exec_of.waiting, "the exec hangs")
    command = [LINCHPIN.daemon[0], "settings", "-c", str(daemon.file), "apply", "--timeout", "1s", "X=1"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, env=daemon.environment())
    assert result.returncode == 5, result
    assert "not ready after 1 s" in result.stdout + result.stderr, result
    assert not (daemon.directory / "s.env").exists(), "there was none before"
    exec_of.let_go()
    (pid,) = daemon.until_running("stuck")
    until(lambda: [each.pid for each in sleepers(daemon)] == [pid], "only the last start runs")


def spawner_threads(pid):
    return sum((task / "comm").read_text() == "spawner\n" for task in Path(f"/proc/{pid}/task").iterdir())


def null_descriptors(pid):
    """What a thread that starts processes holds leads there as long as it waits."""
    count = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            count += os.readlink(f"/proc/{pid}/fd/{name}") == "/dev/null"
    return count


def test_the_threads_that_were_made_meanwhile_end_and_leave_nothing_behind(held):
    daemon, exec_of = held
    program = daemon.directory / "stuck-program"
    more = "".join(f"[program:stuck{n}]\ncommand={program} 9999\nstartsecs=0\nautostart=false\n" for n in range(4))
    daemon.configure(f"[program:free]\ncommand=/bin/sleep 9999\n{more}")
    daemon.start()
    daemon.until_running("free")
    assert spawner_threads(daemon.pid) == 1
    descriptors = null_descriptors(daemon.pid)
    with ThreadPoolExecutor(4) as callers:
        # The answer comes when there is a process.
        starts = [callers.submit(daemon.supervisor, "startProcess", f"stuck{n}", False) for n in range(4)]
        until(lambda: spawner_threads(daemon.pid) == 4, "each start that hangs has a thread of its own")
        assert null_descriptors(daemon.pid) > descriptors
        exec_of.let_go()
    assert [start.result() for start in starts] == [True] * 4
    daemon.until_running(*(f"stuck{n}" for n in range(4)))
    until(lambda: spawner_threads(daemon.pid) == 1, "one is enough again")
    until(lambda: null_descriptors(daemon.pid) == descriptors, "their descriptors are gone")
