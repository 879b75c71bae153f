import os
import socket
import socketserver
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

# The harness is the behaviour suites'.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "behaviour"))

from harness.fixtures import new_daemon, original  # noqa: E402, F401
from harness.subject import NO_ORIGINAL, ORIGINAL, REPOSITORY, TESTED  # noqa: E402

TOOLS = Path(os.environ.get("LINCHPIN_ORACLE") or REPOSITORY / "target/test-tools/venv/bin/python").absolute().parents[2] / "ecosystem"


def pytest_report_header():
    return [f"tested: {TESTED} ({' '.join(TESTED.daemon)})", f"original: {ORIGINAL.daemon[0] if ORIGINAL else NO_ORIGINAL}"]


@pytest.fixture
def installed():
    """The folder of one kind of tools, or a skip that says why there is none."""

    def folder(kind):
        if not (TOOLS / kind / "stamp").exists():
            missing = TOOLS / f"{kind}.missing"
            pytest.skip(f"{kind}: {missing.read_text() if missing.exists() else f'not installed (tests/ecosystem/install {TOOLS})'}")
        return TOOLS / kind

    return folder


@pytest.fixture
def program(installed):
    """The path of a program of the Python packages."""
    return lambda name: installed("python") / "venv/bin" / name


@pytest.fixture
def commands(new_daemon, tmp_path_factory):
    """A folder to put in front of PATH, in which `supervisord` and `supervisorctl` are those of the tested make."""
    folder = tmp_path_factory.mktemp("commands")
    for name, command in (("supervisord", TESTED.daemon), ("supervisorctl", TESTED.control)):
        # A program that is named differently from its file is what a link makes of it.
        (folder / name).symlink_to(command[0])
    return folder


@pytest.fixture
def sendmail(tmp_path):
    """A program that takes mails and keeps them; answers with its path and with what it has taken."""
    kept, script = tmp_path / "mails", tmp_path / "sendmail"
    script.write_text(f"#!/bin/sh\ncat >> {kept}.new && echo '--' >> {kept}.new && cp {kept}.new {kept}\n")
    script.chmod(0o755)
    return script, lambda: kept.read_text() if kept.exists() else ""


class Smtp(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 here\r\n")
        for line in self.rfile:
            word = line[:4].upper().strip()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                text = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.mails.append(text.decode())
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")
            if word == b"QUIT":
                break


@pytest.fixture
def mail_server():
    """A server that takes mails: answers with its address and the list of what it has taken."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp) as server:
        server.mails = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}", server.mails
        server.shutdown()


@pytest.fixture
def web_server():
    """A server that keeps what is posted, and answers 200 or what it is told: address, requests, a function that sets the status."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            length = int(self.headers.get("Content-Length") or 0)
            requests.append((self.command, self.path, self.rfile.read(length).decode()))
            self.send_response(status[0])
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"OK")

        do_GET = do_POST = answer

        def log_message(self, *_):
            pass

    requests, status = [], [200]
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}", requests, lambda number: status.__setitem__(0, number)
        server.shutdown()


@pytest.fixture
def script(installed, tmp_path):
    """Writes a script for Node where it finds the packages."""
    modules = installed("node") / "node_modules"

    def write(name, text):
        if not (tmp_path / "node_modules").exists():
            (tmp_path / "node_modules").symlink_to(modules)
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def run(*words, **keywords):
    """Runs a tool to its end; answers with the finished process."""
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=100, stdin=subprocess.DEVNULL, **keywords)


@pytest.fixture
def closed_port():
    """A port of this machine on which nobody listens, kept from others."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]
