"""A thousand clients that are silent, slow, greedy or deaf neither stall the supervision nor take its memory."""
import os
import re
import resource
import selectors
import socket
import time
import xmlrpc.client
from pathlib import Path

import pytest

from harness import rpc
from harness.processes import status_fields
from harness.wait import until

CLIENTS = 1000
# What a thousand clients may add to the daemon's memory, in KiB: docs/limits.md says how much, and why.
MOST_MEMORY_KIB = int(re.search(r"\*\*(\d+) MiB\*\*", (Path(__file__).parents[2] / "docs/limits.md").read_text())[1]) * 1024
# How long the daemon may take, in the middle of all this, to answer an honest client and to start what died.
PATIENCE_SECONDS = 20

HEAD = b"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n"
# A question of a hundred kilobytes with an answer of some megabytes, which its client does not take.
GREEDY = xmlrpc.client.dumps(([{"methodName": "system.listMethods", "params": []}] * 500,), "system.multicall").encode()
DEAF = HEAD + b"Content-Length: %d\r\n\r\n" % len(GREEDY) + GREEDY
MIXED = (
    b"",  # silent
    HEAD + b"X-Unfinished: ",  # a head that never ends
    HEAD + b"Content-Length: 8000000\r\n\r\n" + b"x" * 2_000_000,  # a body that never ends
    HEAD + b"X: " + b"x" * 200_000,  # a head that is too large
    HEAD + b"Content-Length: 4000000000\r\n\r\n" + b"x" * 100_000,  # a body that is too large
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b"x" * 65536 + b"\r\n",  # chunks that never end
    DEAF,
)


class Crowd:
    """Clients that say what they have to say as fast as they may, and never read."""

    def __init__(self, connect, kinds):
        self.connect, self.kinds, self.selector, self.clients = connect, kinds, selectors.DefaultSelector(), []

    def add(self, number):
        try:
            client = self.connect()
        except OSError:
            return
        client.setblocking(False)
        self.clients.append(client)
        if text := self.kinds[number % len(self.kinds)]:
            self.selector.register(client, selectors.EVENT_WRITE, memoryview(text))
        self.push()

    def push(self):
        """Lets everybody say as much as is taken at once."""
        for key, _ in self.selector.select(0):
            try:
                sent = key.fileobj.send(key.data)
            except BlockingIOError:
                continue
            except OSError:
                self.selector.unregister(key.fileobj)
                continue
            if sent == len(key.data):
                self.selector.unregister(key.fileobj)
            else:
                self.selector.modify(key.fileobj, selectors.EVENT_WRITE, key.data[sent:])

    def leave(self):
        self.selector.close()
        for client in self.clients:
            client.close()


@pytest.fixture(autouse=True)
def descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < CLIENTS + 200:
        pytest.skip(f"only {hard} descriptors for {CLIENTS} clients")
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def resident(daemon):
    return int(status_fields(daemon.pid)["VmRSS"].split()[0])


def highest(daemon):
    return int(status_fields(daemon.pid)["VmHWM"].split()[0])


@pytest.mark.ours("its select takes no descriptor above 1023, and it has no limits")
@pytest.mark.parametrize(
    "kind, kinds", [("unix", MIXED), ("tcp", MIXED), ("unix", (DEAF,))], ids=["unix-mixed", "tcp-mixed", "unix-deaf"]
)
def test_a_thousand_hostile_clients_at_once(new_daemon, kind, kinds):
    port = rpc.free_port()
    daemon = new_daemon(
        programs=f"[inet_http_server]\nport=127.0.0.1:{port}\n[program:a]\ncommand=/bin/sleep 9999\nautorestart=true\nstartsecs=0\n"
    ).start()

    def over_unix():
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(5)
        client.connect(str(daemon.socket))
        return client

    def over_tcp():
        return socket.create_connection(("127.0.0.1", port), 5)

    honest = daemon.rpc if kind == "unix" else rpc.over_tcp(port)
    daemon.until_running("a")
    before = resident(daemon)
    slowest = 0

    def look():
        nonlocal slowest
        began = time.monotonic()
        assert honest.supervisor.getPID() == daemon.pid
        pid = honest.supervisor.getProcessInfo("a")["pid"]
        os.kill(pid, 9)
        until(lambda: honest.supervisor.getProcessInfo("a")["pid"] not in (0, pid), "it is back", PATIENCE_SECONDS)
        slowest = max(slowest, time.monotonic() - began)

    peaks = []
    for _ in range(2):
        crowd = Crowd(over_unix if kind == "unix" else over_tcp, kinds)
        try:
            for number in range(CLIENTS):
                crowd.add(number)
                if number == CLIENTS // 2:
                    look()
            look()
            for _ in range(100):
                crowd.push()
            look()
            assert len(crowd.clients) > CLIENTS * 0.9
        finally:
            crowd.leave()
        peaks.append(highest(daemon))
    print(f"{kind}: {before} KiB before, at most {peaks} KiB, slowest look {slowest:.2f} s")
    assert peaks[-1] - before < MOST_MEMORY_KIB
    # The next thousand takes what the one before has left: nothing is kept of anybody.
    assert peaks[-1] - before < (peaks[0] - before) * 1.5 + 16 * 1024
    assert slowest < PATIENCE_SECONDS
    assert daemon.stop() == 0
