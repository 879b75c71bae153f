"""Real programs that need each other, in one file: PostgreSQL with a first-boot job, Redis, a JVM, Node, and Caddy in front.

The backend and the real-time server give up at once if what they need does not answer, so nothing here works by luck: what comes up
without a single restart was started when it could be.
"""
import http.client
import os
import re
import signal
import time

import pytest

from harness import real_stack
from harness.daemon import Directory
from harness.processes import marked
from harness.real_stack import NEEDS
from harness.wait import stays, until

# What a cold start may take beyond the longest path through it: a part, as the attempts of probes come in steps of a part of what has
# passed, and a time for what the kernel needs to run each of the four on that path on a machine that does other things.
MOST_OF_THE_PATH = 0.10
SCHEDULING_MS = 250
JOB = "postgres-init"
SERVICES = [name for name in NEEDS if name != JOB]

pytestmark = pytest.mark.skipif(bool(real_stack.missing()), reason=f"not installed: {', '.join(real_stack.missing())}")


@pytest.fixture(scope="module")
def classes():
    place = Directory()
    yield real_stack.classes(place.path)
    place.remove()


@pytest.fixture
def stack(new_daemon, classes):
    def make(**options):
        daemon = new_daemon()
        daemon.ports = real_stack.write(daemon, classes, **options)
        return daemon

    return make


def ask(daemon, name, path):
    """Status and body of a page, through Caddy or directly; 0 if nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.ports[name], timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


def moments(daemon):
    """For each service the milliseconds at which it was told to start, was spawned, and was ready or done; of its first start."""
    found = {name: {} for name in NEEDS}
    for entry in daemon.history():
        if entry.get("service") in found:
            # With startsecs=0 a process is RUNNING when it has been spawned. The job counts when it is done.
            done = "completed" if entry["service"] == JOB else "ready"
            kind = {"RUNNING": "spawned", "STARTING": "told"}.get(entry.get("to"), "done" if entry["kind"] == done else None)
            if kind:
                found[entry["service"]].setdefault(kind, entry["time"])
    return found


def longest_path(own):
    """The time of the longest way through the graph, and that way."""
    best = {}

    def until_done(name):
        if name not in best:
            before = max((until_done(needed) for needed in NEEDS[name]), default=(0, []))
            best[name] = (before[0] + own[name], [*before[1], name])
        return best[name]

    return max(until_done(name) for name in NEEDS)


def test_a_cold_start_takes_no_longer_than_its_longest_path(stack):
    daemon = stack()
    began = time.time() * 1000
    daemon.start()
    daemon.until_ready("caddy", timeout=90)
    assert daemon.status()["ready"]
    at = moments(daemon)
    own = {name: each["done"] - each["spawned"] for name, each in at.items()}
    path, way = longest_path(own)
    total = at["caddy"]["done"] - began
    shown = ", ".join(f"{name} {own[name]} ms" for name in way)
    print(f"cold start {total:.0f} ms, longest path {path} ms ({total / path:.3f}x): {shown}")
    assert way[-1] == "caddy"
    assert total <= path * (1 + MOST_OF_THE_PATH) + SCHEDULING_MS, shown

    # Each was spawned when the last of what it needs was there, and not before.
    for name, needs in NEEDS.items():
        if needs:
            there = max(at[needed]["done"] for needed in needs)
            assert there <= at[name]["spawned"] <= there + path * MOST_OF_THE_PATH + SCHEDULING_MS, (name, at)
    # All of them have been told to start at once, and none of them twice.
    told = [each["told"] for each in at.values()]
    assert max(told) <= min(each["spawned"] for each in at.values()), at
    assert [re.findall(rf"spawned: '{name}'", daemon.log()) for name in NEEDS] == [[f"spawned: '{name}'"] for name in NEEDS]
    # And none of that time was lost between two attempts of a probe: those that listen were asked soon.
    for name in ("backend", "rts"):
        late = int(daemon.read(f"{name}.asked")) - int(daemon.read(f"{name}.listens"))
        assert late <= own[name] * MOST_OF_THE_PATH + SCHEDULING_MS, f"{name} was asked {late} ms after it began to listen"

    assert ask(daemon, "web", "/health") == (200, "backend: PostgreSQL and Redis answer\n")
    assert ask(daemon, "web", "/rts/health") == (200, "rts: Redis answers\n")


def test_a_second_start_does_not_do_the_first_boot_job_again(stack):
    daemon = stack()
    daemon.start()
    daemon.until_ready("postgres", timeout=90)
    assert (daemon.directory / "pg/initialised").exists()
    daemon.stop()
    count = len(re.findall(f"spawned: '{JOB}'", daemon.log()))
    daemon.start()
    daemon.until_ready("postgres", timeout=90)
    status = daemon.service_status(JOB)
    assert (status["state"], status["completed"]) == ("EXITED", True), status
    assert len(re.findall(f"spawned: '{JOB}'", daemon.log())) == count == 1


def test_a_first_boot_job_that_was_cut_off_is_not_believed(stack):
    """The marker is written when the job has ended well, so a job that was killed half-way runs again."""
    daemon = stack()
    file = daemon.file.read_text()
    # It says when it is half-way, and is told that it was interrupted.
    data = "%(here)s/pg/data"
    script = (
        f'/bin/sh -c "if [ ! $LINCHPIN_INTERRUPTED ]; then mkdir {data} && touch {data}/half && exec sleep 9999; fi; rm -rf {data} && exec '
    )
    daemon.write(re.sub(r"command=(\S+/initdb .*)", lambda match: f'command={script}{match[1]}"', file))
    daemon.start()
    until(lambda: (daemon.directory / "pg/data/half").exists(), "the job is half-way")
    daemon.discard()
    assert not marked(daemon.marker)
    daemon.start()
    daemon.until_ready("postgres", timeout=90)
    assert not (daemon.directory / "pg/data/half").exists()


def test_a_dependency_that_is_killed_comes_back_and_nobody_else_is_disturbed(stack):
    daemon = stack()
    daemon.start()
    daemon.until_ready("caddy", timeout=90)
    before = {name: daemon.info(name)["pid"] for name in SERVICES}
    os.kill(before["redis"], signal.SIGKILL)
    until(lambda: daemon.info("redis")["pid"] not in (0, before["redis"]), "Redis is back")
    daemon.until_ready("redis")
    # They reconnect, so keeping them is right, and what they are asked works again.
    until(lambda: ask(daemon, "web", "/health")[0] == 200 and ask(daemon, "web", "/rts/health")[0] == 200, "everything works again")
    after = {name: daemon.info(name)["pid"] for name in SERVICES}
    assert {name for name in SERVICES if after[name] != before[name]} == {"redis"}
    assert daemon.service_status("redis")["restarts"] == 1
    story = [(entry["kind"], entry.get("to"), entry.get("exit")) for entry in daemon.history("redis")]
    assert ("state", "EXITED", {"signal": "SIGKILL"}) in story, story


def test_the_end_goes_from_the_door_to_the_data_and_leaves_nothing(stack):
    daemon = stack()
    daemon.start()
    daemon.until_ready("caddy", timeout=90)
    assert daemon.stop(timeout=60) == 0
    down = re.findall(r"^\S+ \S+ (?:WARN|INFO) stopped: (\S+) ", daemon.log(), re.M)
    assert sorted(down) == sorted(SERVICES), down
    for name, needs in NEEDS.items():
        for needed in needs:
            if needed != JOB:
                assert down.index(name) < down.index(needed), down
    assert not marked(daemon.marker), "nothing is left"
    assert "killing" not in re.sub(r"DEBG .*", "", daemon.log()), "nobody had to be killed"
    # Whoever still had work in hand was not cut off from what it needs.
    for name in ("backend", "rts"):
        assert "not there" not in daemon.read(f"{name}.log")


def test_whoever_waits_says_for_whom_and_why(stack):
    """Redis works, but is held back: its readiness has a second condition."""
    daemon = stack(redis_gate=True)
    daemon.start()
    daemon.until_ready("postgres", timeout=90)
    until(lambda: daemon.service_status("redis").get("failing"), "the gate is seen to be shut")

    backend, rts, caddy, redis = (daemon.service_status(name) for name in ("backend", "rts", "caddy", "redis"))
    assert [each["state"] for each in (backend, rts, caddy, redis)] == ["STARTING", "STARTING", "STARTING", "RUNNING"]
    assert not any("pid" in each for each in (backend, rts, caddy))
    assert [each["waits_for"] for each in (backend, rts)] == [["redis is not ready"]] * 2
    assert any("backend" in text for text in caddy["waits_for"]) and any("rts" in text for text in caddy["waits_for"])
    assert not redis["ready"] and redis["failing"][0]["probe"].startswith("file:")
    assert not daemon.status()["ready"]

    # The chain goes from Caddy to Redis, and Redis tells which of its probes does not pass.
    why = daemon.why("caddy")
    chain = [cause["service"] for cause in why["causes"]]
    assert chain[0] == "caddy" and "backend" in chain and "redis" in chain, why
    checks = {each["probe"].split(":")[0]: each["passes"] for each in daemon.why("redis")["checks"]}
    assert checks == {"exec": True, "file": False}
    assert re.search(r"^caddy +STARTING", daemon.control("status").stdout, re.M)

    def held_back():
        return all(daemon.info(name)["pid"] == 0 for name in ("backend", "rts", "caddy"))

    stays(held_back, "they wait", 0.5)
    (daemon.directory / "redis.gate").touch()
    daemon.until_ready("caddy", timeout=90)
    assert daemon.status()["ready"]
