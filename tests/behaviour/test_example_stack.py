"""The example that `make run` starts: a product of four services behind one door."""
import http.client
import json
import os
import re
import shutil
import signal
import subprocess

import pytest

from harness.daemon import Daemon
from harness.processes import marked
from harness.rpc import free_port
from harness.subject import REPOSITORY, TESTED
from harness.wait import until

SERVICES = ("redis", "backend", "realtime", "caddy")
COMMANDS = ("redis-server", "python3", "node", "caddy")


@pytest.fixture
def stack(new_daemon):
    """A copy of the example with ports of its own."""
    if missing := [command for command in COMMANDS if not shutil.which(command)]:
        pytest.skip(f"not installed: {', '.join(missing)}")
    daemon = new_daemon()
    shutil.copytree(REPOSITORY / "examples/stack", daemon.directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("state"))
    (daemon.directory / "state").mkdir()
    daemon.ports = {}

    def another(match):
        daemon.ports[match[1]] = free_port()
        return f'{match[1]}="{daemon.ports[match[1]]}"'

    daemon.write(re.sub(r'(\w+_PORT)="\d+"', another, daemon.file.read_text()))
    daemon.socket = daemon.directory / "state/supervisor.sock"
    daemon.main_log = daemon.directory / "state/supervisord.log"
    return daemon


def ask(daemon, method, path):
    connection = http.client.HTTPConnection("127.0.0.1", daemon.ports["WEB_PORT"], timeout=10)
    try:
        connection.request(method, path, headers={"Content-Length": "0"} if method == "POST" else {})
        response = connection.getresponse()
        return response.status, response.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


def visits(daemon, method="POST"):
    status, body = ask(daemon, method, "/visits")
    return json.loads(body)["visits"] if status == 200 else None


class Events:
    """An open page: reads what the real-time server pushes."""

    def __init__(self, daemon):
        self.connection = http.client.HTTPConnection("127.0.0.1", daemon.ports["WEB_PORT"], timeout=15)
        self.connection.request("GET", "/events")
        self.response = self.connection.getresponse()
        assert self.response.status == 200
        assert self.response.headers["Content-Type"] == "text/event-stream"

    def until(self, number):
        while True:
            line = self.response.readline()
            assert line, "the stream ended"
            if line.startswith(b"data: ") and json.loads(line[6:])["visits"] == number:
                return

    def close(self):
        self.connection.close()


def test_the_stack_counts_pushes_survives_kills_and_stops(stack):
    stack.start()
    stack.until_running(*SERVICES)
    status, page = until(lambda: (answer := ask(stack, "GET", "/"))[0] == 200 and answer, "the page through Caddy")
    assert b"Visits, counted in Redis" in page

    first = until(lambda: visits(stack), "the first visit is counted")
    assert visits(stack) == first + 1
    assert visits(stack, "GET") == first + 1

    events = Events(stack)
    events.until(first + 1)
    assert visits(stack) == first + 2
    events.until(first + 2)
    events.close()

    counted = first + 2
    for service in SERVICES:
        before = stack.info(service)["pid"]
        os.kill(before, signal.SIGKILL)
        until(lambda: (info := stack.info(service))["statename"] == "RUNNING" and info["pid"] != before, f"{service} is back")
        seen = until(lambda: visits(stack), f"visits are counted after {service} was killed")
        assert seen > counted, f"the count survived the death of {service}"
        counted = seen
    watching = until(lambda: ask_events(stack), "the real-time server answers again")
    watching.until(counted)
    watching.close()

    assert stack.stop() == 0
    assert not marked(stack.marker), "nothing is left"
    assert not stack.socket.exists()


def ask_events(stack):
    try:
        return Events(stack)
    except (OSError, AssertionError):
        return None


@pytest.mark.ours("it skips over readiness and dependencies")
def test_each_starts_when_what_it_needs_is_ready(stack):
    stack.start()
    asked = subprocess.run(
        [TESTED.daemon[0], "status", "--wait", "ready", "--timeout", "30s", "-c", str(stack.file)],
        capture_output=True, text=True, timeout=60, env=stack.environment(),
    )
    assert asked.returncode == 0, asked
    assert visits(stack), "the door is open, and everything behind it"
    log = stack.log()
    at = {name: log.index(f"spawned: '{name}'") for name in SERVICES}
    assert log.index("ready: redis") < at["backend"] and log.index("ready: backend") < at["caddy"], log


def test_stop_order_is_the_door_first_and_the_data_last(stack):
    stack.start()
    stack.until_running(*SERVICES)
    stack.stop()
    # Two services of one priority stop together, so only the ends are fixed.
    stopped = re.findall(r"stopped: (\w+) |exited: (\w+) ", stack.log())
    names = [first or second for first, second in stopped]
    assert (names[0], names[-1]) == ("caddy", "redis"), names
    assert sorted(names) == sorted(SERVICES)
