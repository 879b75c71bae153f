"""A daemon in a directory of its own: started, asked, and ended with everything it left behind."""
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import xmlrpc.client
from pathlib import Path

from . import rpc
from .processes import descendants, is_alive, marked
from .subject import TESTED
from .wait import until

HEAD = """\
[supervisord]
logfile=%(here)s/main.log
pidfile=%(here)s/main.pid
childlogdir=%(here)s
{supervisord}
[unix_http_server]
file=%(here)s/s.sock
{unix_http_server}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://%(here)s/s.sock
"""
# Variables that would make two runs differ.
NOT_PASSED_ON = re.compile(r"^(SUPERVISOR_|PYTEST|COV_|LINCHPIN_|CARGO|RUST)")


class Directory:
    """A short path, because the name of a unix socket holds only 107 bytes."""

    def __init__(self):
        self.path = Path(tempfile.mkdtemp(prefix="lp-"))
        self.path.chmod(0o755)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Daemon:
    def __init__(self, directory, subject=None, name="supervisord.conf"):
        self.directory, self.subject = Path(directory), subject or TESTED
        self.file = self.directory / name
        self.socket, self.main_log = self.directory / "s.sock", self.directory / "main.log"
        self.output, self.errors = self.directory / "daemon.out", self.directory / "daemon.err"
        self.marker = f"TEST_DIRECTORY={self.directory}"
        self.process = None

    # --- configuration

    def configure(self, programs="", supervisord="", unix_http_server=""):
        """Writes the usual head and then `programs`."""
        self.write(HEAD.format(supervisord=supervisord, unix_http_server=unix_http_server) + programs)
        return self

    def write(self, text):
        data = text if isinstance(text, bytes) else text.encode()
        self.file.write_bytes(data)
        return self

    # --- life

    def environment(self, extra=None):
        kept = {name: value for name, value in os.environ.items() if not NOT_PASSED_ON.match(name)}
        name, _, value = self.marker.partition("=")
        return {**kept, "LC_ALL": "C.UTF-8", "TZ": "UTC", name: value, **(extra or {})}

    def command(self, *arguments):
        return [*self.subject.daemon, "-n", "-c", str(self.file), *arguments]

    def launch(self, *arguments, environment=None, command=None, before=(), **popen):
        """Starts it without waiting for anything. `before` are words in front of the command line."""
        command = [*before, *(command or self.command(*arguments))]
        popen.setdefault("stdin", subprocess.DEVNULL)
        popen.setdefault("cwd", self.directory)
        out = popen.pop("stdout", None) or open(self.output, "ab")
        err = popen.pop("stderr", None) or open(self.errors, "ab")
        self.process = subprocess.Popen(
            command, stdout=out, stderr=err, env=self.environment(environment), start_new_session=True, **popen
        )
        return self

    def start(self, *arguments, **keywords):
        """Starts it and waits until it answers."""
        self.launch(*arguments, **keywords)
        self.until_it_answers()
        return self

    def until_it_answers(self, timeout=30):
        def answers():
            code = self.process.poll()
            assert code is None, f"ended with {code}: {self.said()}"
            return self.answers()

        until(answers, f"{self.subject} answers", timeout)

    def answers(self):
        try:
            return self.rpc.supervisor.getState()["statename"] == "RUNNING"
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return False

    def run_to_end(self, *arguments, timeout=30, **keywords):
        """For what should not start: answers with exit status, standard output and error output."""
        result = subprocess.run(
            [*keywords.pop("before", ()), *self.command(*arguments)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            env=self.environment(keywords.pop("environment", None)),
            **keywords,
        )
        return result

    def said(self):
        """Everything it printed and logged, for a message."""
        texts = [path.read_text(errors="replace") for path in (self.output, self.errors, self.main_log) if path.is_file()]
        return "\n".join(text[-3000:] for text in texts)

    @property
    def pid(self):
        return self.process.pid

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, timeout=30):
        """An orderly end; answers with the exit status."""
        if self.is_running():
            self.process.terminate()
        return self.process.wait(timeout)

    def discard(self):
        """Ends whatever is left, at once, by pid: what is below the daemon, and what carries our mark."""
        if self.is_running():
            # Redis and PostgreSQL write titles over the environment that they were started with, and the mark with it.
            self.process.send_signal(signal.SIGSTOP)
            below = descendants(self.pid)
            self.process.kill()
            self.process.wait()
            for pid in below:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        while left := [pid for pid in marked(self.marker) if pid > 1]:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if self.process is not None:
                self.process.poll()
            if not any(is_alive(pid) for pid in left):
                break

    # --- asking

    @property
    def rpc(self):
        return rpc.over_unix(self.socket)

    def supervisor(self, method, *arguments):
        return getattr(self.rpc.supervisor, method)(*arguments)

    def info(self, name):
        return self.supervisor("getProcessInfo", name)

    def states(self):
        return {f"{each['group']}:{each['name']}": each["statename"] for each in self.supervisor("getAllProcessInfo")}

    def until_state(self, name, state, timeout=30):
        """Waits for a state and answers with the information that showed it."""

        def seen():
            info = self.info(name)
            seen.last = info["statename"]
            return info if info["statename"] == state else None

        try:
            return until(seen, f"{name} is {state}", timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {seen.last}\n{self.said()}") from None

    def until_running(self, *names, timeout=30):
        return [self.until_state(name, "RUNNING", timeout)["pid"] for name in names]

    def control(self, *words, subject=None, timeout=60, stdin=None, options=()):
        """Runs supervisorctl with this daemon's file."""
        subject = subject or self.subject
        return subprocess.run(
            [*subject.control, "-c", str(self.file), *options, *words],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            cwd=self.directory,
            env=self.environment(),
            **({"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}),
        )

    def history(self, service=""):
        """The recorded history, oldest first: of everybody, or of one service or group."""
        return json.loads(self.rpc.linchpin.events("", service))["events"]

    def status(self):
        """What `linchpin status --json` says, without what processes use."""
        return json.loads(self.rpc.linchpin.status(False))

    def service_status(self, name):
        return next(each for each in self.status()["services"] if each["service"] == name)

    def until_ready(self, name, timeout=30):
        try:
            return until(lambda: (status := self.service_status(name))["ready"] and status, f"{name} is ready", timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.service_status(name)}\n{self.said()}") from None

    def why(self, name):
        """What `linchpin why NAME --json` says of one service."""
        return json.loads(self.rpc.linchpin.why(name))["services"][0]

    def log(self):
        return self.main_log.read_text(errors="replace") if self.main_log.exists() else ""

    def until_logged(self, pattern, timeout=30, count=1):
        try:
            return until(lambda: len(re.findall(pattern, self.log(), re.M)) >= count, f"{pattern!r} in the log, {count} times", timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()[-2000:]}") from None

    def read(self, name):
        path = self.directory / name
        return path.read_text(errors="replace") if path.exists() else ""

    def until_file(self, name, contains="\n", timeout=30):
        """Waits until a file of its directory holds something, and answers with all of it."""
        until(lambda: contains in self.read(name), f"{contains!r} in {name}", timeout)
        return self.read(name)
