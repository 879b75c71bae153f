"""The ceiling of a service's memory, and kills for lack of memory."""
import os
import signal
import time
from pathlib import Path

import pytest

from harness.wait import until

pytestmark = pytest.mark.ours("it knows nothing of this")

# Takes memory in steps, of which each page is written to, and then stays.
HOG = """
import sys, time
held = []
for _ in range(int(sys.argv[1])):
    held.append(bytearray(b"x") * (1 << 20))
print("has it", flush=True)
time.sleep(9999)
"""


@pytest.fixture
def hog(new_daemon):
    daemon = new_daemon()
    (daemon.directory / "hog.py").write_text(HOG)
    daemon.hog = f"python3 {daemon.directory}/hog.py"
    return daemon


def configured(daemon, command, *options):
    lines = "\n".join(options)
    return daemon.configure(
        f"[program:hog]\ncommand={command}\nstartsecs=0\nstdout_logfile=%(here)s/hog.log\n{lines}\n"
        "[program:other]\ncommand=/bin/sleep 9999\nstartsecs=0\nmemory_max=50MB\nmemory_interval=100ms\n"
    )


def test_a_service_beyond_its_ceiling_is_started_again(hog):
    daemon = configured(hog, f"{hog.hog} 80", "memory_max=50MB", "memory_interval=100ms").start()
    daemon.until_logged(r"spawned: 'hog'", count=2)
    assert "stopping hog:" in daemon.log()
    assert "stopping other:" not in daemon.log()


def test_what_its_children_have_counts(hog):
    command = f"sh -c '{hog.hog} 40 & {hog.hog} 40'"
    daemon = configured(hog, command, "memory_max=70MB", "memory_interval=100ms", "stopasgroup=true").start()
    daemon.until_logged(r"spawned: 'hog'", count=2)


def test_below_it_nothing_happens(hog):
    daemon = configured(hog, f"{hog.hog} 40", "memory_max=300MB", "memory_interval=20ms").start()
    (pid, _) = daemon.until_running("hog", "other")
    daemon.until_file("hog.log", "has it")
    # Long enough for several looks.
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        assert daemon.info("hog")["pid"] == pid
    assert "stopping" not in daemon.log()


class ControlGroup:
    """A control group with little memory, where we may make one."""

    def __init__(self, mebibytes):
        own = dict(
            (names, path)
            for _, names, path in (line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines())
        )
        if "memory" in own:
            parent = Path("/sys/fs/cgroup/memory") / own["memory"].lstrip("/")
            limits = {"memory.limit_in_bytes": mebibytes << 20, "memory.swappiness": 0}
        else:
            parent = Path("/sys/fs/cgroup") / own.get("", "/").lstrip("/")
            limits = {"memory.max": mebibytes << 20, "memory.swap.max": 0}
        self.path = parent / f"linchpin-test-{os.getpid()}"
        try:
            self.path.mkdir()
        except OSError as error:
            pytest.skip(f"no control group can be made here: {error}")
        for name, value in limits.items():
            try:
                (self.path / name).write_text(str(value))
            except OSError as error:
                if value:
                    self.remove()
                    pytest.skip(f"a control group here has no limit of memory: {error}")

    def words(self):
        """To be put in front of a command that is to run in it."""
        return ["sh", "-c", f'echo $$ > {self.path}/cgroup.procs && exec "$@"', "sh"]

    def remove(self):
        def removed():
            try:
                self.path.rmdir()
            except OSError:
                return False
            return True

        until(removed, "the control group is empty")


@pytest.mark.root
def test_a_kill_for_lack_of_memory_is_told_from_others(hog):
    group = ControlGroup(64)
    try:
        hook = "post_stop=/bin/sh -c 'echo $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS > %(here)s/result'"
        shell = f"[program:shell]\ncommand=sh -c '{hog.hog} 200; exit $?'\nstartsecs=0\nautorestart=false\nautostart=false\n"
        daemon = configured(hog, f"{hog.hog} 200", "autorestart=false", hook, shell).start(before=group.words())
        daemon.until_state("hog", "EXITED")
        daemon.until_logged(r"out of memory: the kernel has killed 'hog' \(\d+\)")
        assert daemon.until_file("result") == "oom-kill killed KILL\n"
        (pid,) = daemon.until_running("other")
        os.kill(pid, signal.SIGKILL)
        daemon.until_logged(r"exited: other \(terminated by SIGKILL; not expected\)")
        assert daemon.log().count("out of memory") == 1
        daemon.supervisor("startProcess", "shell")
        daemon.until_logged(r"exited: shell \(exit status 137; not expected\)")
        daemon.until_logged(r"out of memory: the kernel has killed 'shell' ")
        assert daemon.stop() == 0
    finally:
        hog.discard()
        group.remove()
