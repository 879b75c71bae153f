"""`kill -9` of any service at any moment: it is back, and none is lost."""
import os
import random
import signal

import pytest

from harness.processes import is_alive, zombies
from harness.subject import LONG
from harness.wait import until

KILLS = int(os.environ.get("LINCHPIN_KILLS") or (10_000 if LONG else 300))
SERVICES = 60


@pytest.mark.timeout(1800 if LONG else 120)
def test_a_storm_of_kills_loses_no_service(new_daemon):
    # startsecs=0, so that a death at any age is an exit and never a failed start that counts as a retry.
    programs = "".join(
        f"[program:s{n:02}]\ncommand=/bin/sleep 99999\nautorestart=true\nstartsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\n"
        for n in range(SERVICES)
    )
    daemon = new_daemon(programs=programs, supervisord="logfile_maxbytes=0").start()
    chance = random.Random(1)
    killed = set()

    def running():
        infos = daemon.supervisor("getAllProcessInfo")
        return [each["pid"] for each in infos if each["statename"] == "RUNNING" and each["pid"] not in killed]

    while len(killed) < KILLS:
        victims = until(running, "something to kill")
        for pid in chance.sample(victims, chance.randint(1, len(victims)))[: KILLS - len(killed)]:
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)

    survivors = until(lambda: (pids := running()) and len(pids) == SERVICES and pids, "every service is back", 60)
    assert all(is_alive(pid) for pid in survivors)
    assert not zombies(daemon.pid)
    log = daemon.log()
    assert log.count("spawned: ") == SERVICES + KILLS
    assert log.count("terminated by SIGKILL; not expected") == KILLS


def test_a_service_killed_while_it_stops_is_stopped(new_daemon):
    stubborn = """sh -c "trap '' TERM; while :; do sleep 1; done" """
    daemon = new_daemon(programs=f"[program:a]\ncommand={stubborn}\nautorestart=true\nstartsecs=0\nstopwaitsecs=60\n").start()
    (pid,) = daemon.until_running("a")
    until(lambda: daemon.info("a")["statename"] == "RUNNING", "it runs")
    daemon.supervisor("stopProcess", "a", False)
    daemon.until_state("a", "STOPPING")
    os.kill(pid, signal.SIGKILL)
    daemon.until_state("a", "STOPPED")
    assert daemon.info("a")["pid"] == 0
