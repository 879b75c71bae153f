"""Probes ask what they say they ask, tell in few words what is wrong, hold up nobody and leave nothing behind."""
import http.server
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from harness.hanging_mount import HangingMount
from harness.processes import children
from harness.rpc import free_port
from harness.wait import stays, until

pytestmark = pytest.mark.ours("it has no probes")

QUICK = "readiness_interval=20ms\nreadiness_failures=1\n"


def program(name, *probes, command="/bin/sleep 9999", more=QUICK):
    lines = "\n ".join(probes)
    return f"[program:{name}]\ncommand={command}\nautorestart=false\nstartsecs=0\nreadiness=\n {lines}\n{more}\n"


def started(new_daemon, *programs):
    return new_daemon(programs="".join(programs)).start()


def until_ready(daemon, name, count=1):
    daemon.until_logged(rf"ready: {name}, ", count=count)


def until_not_ready(daemon, name, text, count=1):
    daemon.until_logged(rf"not ready: {name} \(.*{re.escape(text)}", count=count)


class Listener:
    """Accepts at a socket until it is closed; `clients` are those that are there."""

    def __init__(self, address, family=socket.AF_INET):
        self.socket = socket.socket(family)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(address)
        self.socket.listen(64)
        self.accepted = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                self.accepted.append(self.socket.accept()[0])
            except OSError:
                return

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for client in self.accepted:
            client.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_tcp_port_is_asked(new_daemon, host):
    port = free_port()
    daemon = started(new_daemon, program("web", f"tcp://{host}:{port}"))
    daemon.until_running("web")
    assert "ready: web" not in daemon.log()
    listener = Listener(("127.0.0.1", port))
    until_ready(daemon, "web")
    listener.close()
    until_not_ready(daemon, "web", "connection refused")
    listener = Listener(("127.0.0.1", port))
    until_ready(daemon, "web", count=2)
    listener.close()


def test_a_unix_socket_is_asked(new_daemon):
    daemon = new_daemon()
    path = daemon.directory / "web.sock"
    daemon.configure(program("web", f"unix://{path}")).start()
    listener = Listener(str(path), socket.AF_UNIX)
    until_ready(daemon, "web")
    listener.close()
    until_not_ready(daemon, "web", "connection refused")
    path.unlink()
    Listener(str(path), socket.AF_UNIX)
    until_ready(daemon, "web", count=2)
    path.unlink()
    until_not_ready(daemon, "web", "does not exist")


def test_all_probes_must_pass(new_daemon):
    daemon = new_daemon()
    one, two = daemon.directory / "one", daemon.directory / "two"
    daemon.configure(program("web", f"file:{one}", f"exec:/usr/bin/test -e {two}")).start()
    one.touch()
    daemon.until_running("web")
    two.touch()
    until_ready(daemon, "web")
    two.unlink()
    until_not_ready(daemon, "web", "exit status 1")
    two.touch()
    until_ready(daemon, "web", count=2)
    one.unlink()
    until_not_ready(daemon, "web", "does not exist")


def test_a_command_may_stand_in_a_file(new_daemon):
    daemon = new_daemon()
    (daemon.directory / "probe").write_text(f"/bin/sh -c 'test -e {daemon.directory}/one; # it ends here ;'\n")
    daemon.configure(program("web", f"exec:@{daemon.directory}/probe")).start()
    daemon.until_running("web")
    assert "ready: web" not in daemon.log()
    (daemon.directory / "one").touch()
    until_ready(daemon, "web")


class Web:
    """An HTTP server whose answer can be changed, and which remembers the last request."""

    def __init__(self, context=None):
        self.status, self.body, self.last = 200, b'{"status": "up"}', None
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                web.last = self.path, dict(self.headers.items())
                self.send_response(web.status)
                self.send_header("Content-Length", str(len(web.body)))
                self.end_headers()
                self.wfile.write(web.body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def test_an_http_answer_is_judged(new_daemon):
    web = Web()
    probe = f"http://127.0.0.1:{web.port}/health?full=1 status=200-201 header=X-Who:me body='\"status\": \"(up|fine)\"'"
    daemon = started(new_daemon, program("web", probe))
    until_ready(daemon, "web")
    path, headers = web.last
    headers = {name.lower(): value for name, value in headers.items()}
    assert path == "/health?full=1"
    assert headers["host"] == f"127.0.0.1:{web.port}" and headers["x-who"] == "me"
    web.status = 503
    until_not_ready(daemon, "web", "status 503")
    web.status = 201
    until_ready(daemon, "web", count=2)
    web.status, web.body = 200, b'{"status": "down"}'
    until_not_ready(daemon, "web", "body does not match")
    web.server.shutdown()
    web.server.server_close()


@pytest.fixture
def certificate(new_daemon):
    """A self-signed certificate for localhost, as people make them, and a server that has it."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl to make a certificate with")
    daemon = new_daemon()
    key, pem = daemon.directory / "key.pem", daemon.directory / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", pem, "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    return daemon, Web(context), pem


def test_certificates_are_checked(certificate):
    daemon, web, pem = certificate
    address = f"https://localhost:{web.port}/"
    bad = daemon.directory / "bad.pem"
    bad.write_text("nothing\n")
    daemon.configure(
        program("trusted", f"{address} ca={pem}")
        + program("careless", f"https://127.0.0.1:{web.port}/ verify=no")
        + program("other", f"{address} ca={bad}")
    ).start()
    until_ready(daemon, "trusted")
    until_ready(daemon, "careless")
    web.server.shutdown()
    web.server.server_close()
    # One that was being accepted is reset.
    daemon.until_logged(r"not ready: trusted \(.*: connection re(fused|set)\)")
    assert "ready: other" not in daemon.log()


def test_an_attempt_ends_with_its_time(new_daemon):
    port = free_port()
    listener = Listener(("127.0.0.1", port))
    daemon = started(new_daemon, program("web", f"http://127.0.0.1:{port}/", more=f"liveness=http://127.0.0.1:{port}/\nliveness_timeout=50ms\nliveness_interval=20ms\nliveness_failures=2\n"))
    daemon.until_logged(r"stopping web: .*no answer within 50 ms")
    listener.close()


def test_a_start_that_is_over_takes_its_attempts_with_it(new_daemon):
    port = free_port()
    listener = Listener(("127.0.0.1", port))
    daemon = started(new_daemon, program("web", f"http://127.0.0.1:{port}/", more="readiness_timeout=1h\n"))
    until(lambda: listener.accepted, "the probe has connected")
    (client,) = listener.accepted
    client.settimeout(30)
    assert client.recv(4096).startswith(b"GET / HTTP/1.1\r\n")
    daemon.supervisor("stopProcess", "web")
    assert client.recv(4096) == b""
    assert len(listener.accepted) == 1
    listener.close()


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.pid}/fd"))


def test_many_attempts_leave_nothing_behind(new_daemon):
    daemon = new_daemon()
    path = daemon.directory / "web.sock"
    web, unix = Web(), Listener(str(path), socket.AF_UNIX)
    probes = f"http://localhost:{web.port}/", f"tcp://127.0.0.1:{web.port}", f"unix://{path}", f"file:{path}", "exec:/bin/true"
    daemon.configure(program("web", *probes, more="readiness_interval=10ms\n")).start()
    until_ready(daemon, "web")
    before = descriptors(daemon)
    until(lambda: len(unix.accepted) > 80, "many attempts")
    # One attempt of each may be under way: a connection, or two ends of pipes.
    assert abs(descriptors(daemon) - before) <= 12
    daemon.supervisor("stopProcess", "web")
    settled = descriptors(daemon)
    assert settled <= before
    assert [each.name for each in children(daemon.pid)] == []
    unix.close()


def test_a_command_that_takes_too_long_is_killed_with_its_children(new_daemon):
    daemon = new_daemon()
    child = daemon.directory / "child"
    script = daemon.directory / "probe"
    script.write_text(f"#!/bin/sh\nsleep 9999 & echo $! >> {child}\nwait\n")
    script.chmod(0o755)
    daemon.configure(program("web", f"exec:{script}", more="readiness_timeout=100ms\n")).start()
    pids = [int(line) for line in daemon.until_file("child").split()]
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "nothing is left of the first attempt")
    until(lambda: len(daemon.read("child").split()) > 1, "another attempt")


@pytest.fixture
def hanging(new_daemon):
    """A daemon, not started, and a mount that hangs."""
    daemon = new_daemon()
    (daemon.directory / "mnt").mkdir()
    try:
        mount = HangingMount(daemon.directory / "mnt")
    except OSError as error:
        pytest.skip(f"no file system that hangs: {error}")
    yield daemon, mount
    mount.close()


def threads(daemon, name):
    return sum(path.read_text().strip() == name for path in Path(f"/proc/{daemon.pid}/task").glob("*/comm"))


@pytest.mark.root
def test_a_mount_that_hangs_holds_up_nobody(hanging):
    daemon, mount = hanging
    good, alive = daemon.directory / "good", daemon.directory / "alive"
    good.touch()
    alive.touch()
    more = "liveness_interval=20ms\nliveness_timeout=100ms\nliveness_failures=3\n"
    liveness = f"[program:free]\ncommand=/bin/sleep 9999\nstartsecs=0\nliveness=file:{alive}\n{more}"
    stuck = "".join(
        program(f"stuck{n}", f"{kind}{daemon.directory}/mnt/file", more="readiness_timeout=50ms\n") for n, kind in enumerate(["file:", "unix://"])
    )
    daemon.configure(liveness + stuck + program("good", f"file:{good}")).start()
    until_ready(daemon, "good")
    good.unlink()
    until_not_ready(daemon, "good", "does not exist")
    good.touch()
    until_ready(daemon, "good", count=2)
    # It answers clients, restarts nothing whose files are all right, and makes no thread for each attempt: two that
    # hang, one that works, and perhaps one that came to help when the machine was slow.
    (pid,) = daemon.until_running("free")
    stays(lambda: daemon.info("free")["pid"] == pid and threads(daemon, "files") <= 4, "all is well", 0.5)
    assert "ready: stuck" not in daemon.log()
    assert daemon.stop() == 0
