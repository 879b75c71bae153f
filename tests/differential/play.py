"""Plays a scenario on one daemon and writes down everything that a client, an operator or a log reader sees.

The steps of a script:

    method(ARGUMENT...)        an XML-RPC call with Python's literals; without a dot it is supervisor.method
    ctl WORD...                supervisorctl of the same make
    supervisord WORD...        supervisord of the same make, to its end; {file} is the configuration
    wait NAME STATE            until a process is in a state (`@` or group:process)
    until FILE TEXT            until a file of the daemon's directory (a glob) holds TEXT
    logged PATTERN             until the main log holds a line like this
    file GLOB                  what files of the daemon's directory hold, and their modes
    log PATTERN                the lines of the main log that hold PATTERN
    http METHOD PATH [SOCKET [USER:PASSWORD]]
                               status, kind and body of a plain request
    page METHOD PATH           the same without the body, which is in our own words
    send NAME SIGNAL           a signal to a process, from outside
    daemon SIGNAL              a signal to the daemon
    use BLOCK                  another text for the configuration file
    sh COMMAND                 a shell command in the daemon's directory
    ended                      the daemon's end: its status and what it leaves behind
    heard FILE TEXT            until a listener has written down TEXT
    events FILE                what a listener has written down
    gone FILE                  whether the process whose number is in FILE ends within a few seconds
    answering                  until the daemon answers again, after a restart
"""
import ast
import glob
import http.client
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
import xmlrpc.client
from xml.parsers.expat import ExpatError

from harness import rpc
from harness.compare import normal, normal_value
from harness.events import LISTENER, Record
from harness.events import normal as normal_event
from harness.processes import is_alive
from harness.wait import until

# The listener of a whole stage.
WITNESS = "witness"
# Between two looks at a daemon's processes: seldom enough to cost little, for many daemons run at once.
LOOK_EVERY_SECONDS = 0.2
PATIENCE_SECONDS = 60
GONE_WITHIN_SECONDS = 2
# The log lines that tell the story of a process. "waiting for" comes at intervals of time.
PROCESS_LINE = re.compile(r"^\S+ \S+ (\w{4}) (.*)$")
NOT_TOLD = ("waiting for ", "Creating socket", "Closing socket", "Handling XML-RPC request")
# Whether the original says this of a program that ends at once depends on which of the two it notices first.
PERHAPS_TOLD = "has stayed up for > than 0 seconds"
ON_THEIR_WAY = {"STARTING", "BACKOFF", "STOPPING"}
# What the original's next release adds, and ours has already (FIX 4.6).
NEWER_FIELDS = {"autorestart"}
SEVERAL = re.compile("(start|stop|signal|clear).*(Group|All|Process)")


class Watcher:
    """Looks at a daemon's processes from time to time, for all scenarios that are played on it at once."""

    def __init__(self, daemon):
        self.daemon, self.states, self.ended = daemon, None, threading.Event()
        # When the look began that saw `states`; they are None while the daemon does not answer.
        self.looked = 0.0
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        while not self.ended.wait(LOOK_EVERY_SECONDS):
            looked = time.monotonic()
            try:
                states = self.daemon.states()
            except (OSError, http.client.HTTPException, xmlrpc.client.Error, ExpatError):
                states = None
            with self.changed:
                self.states, self.looked = states, looked
                self.changed.notify_all()

    def until(self, condition, what):
        """Waits until a look that begins from now on sees what is wanted."""
        now = time.monotonic()
        deadline = now + PATIENCE_SECONDS
        with self.changed:
            while not (self.looked > now and self.states is not None and condition(self.states)):
                if not self.changed.wait(deadline - time.monotonic()) and time.monotonic() > deadline:
                    raise AssertionError(f"never {what(self.states or {})}")

    def stop(self):
        self.ended.set()
        self.thread.join()


class Side:
    """One daemon with its watcher, and what is played on it."""

    def __init__(self, daemon, stage):
        self.daemon, self.stage = daemon, stage
        self.watcher = None

    def start(self, *arguments):
        self.daemon.start(*arguments, environment=self.stage.environment)
        self.watcher = Watcher(self.daemon)

    def stop(self):
        if self.watcher:
            self.watcher.stop()

    def play(self, scenario):
        """A list of (what, value); the same scenario gives the same list on every daemon that agrees."""
        return Play(self, scenario).record()


class Play:
    def __init__(self, side, scenario):
        self.side, self.daemon, self.scenario = side, side.daemon, scenario
        self.own = scenario.own

    def record(self):
        seen = []
        for step in self.scenario.steps:
            try:
                value = self.step(step.text)
            except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
                # Written down like any answer: the other daemon may say the same.
                return [*seen, (step.text, f"failed: {str(error)[:500]}")]
            if value is not None:
                seen.append((step.text, self.without_names(value)))
        return [*seen, *self.at_the_end()]

    def named(self, text):
        return text.replace("@", self.own)

    def without_names(self, value):
        if isinstance(value, dict):
            return {self.without_names(name): self.without_names(each) for name, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.without_names(each) for each in value]
        if isinstance(value, str):
            value = re.sub(r"\(\d+\) with SIGKILL", "(N) with SIGKILL", normal(value)).replace(self.own, "@")
            value = re.sub(r" at \d{9,}", " at ADDRESS", value)
        return value

    # --- steps

    def step(self, text):
        if re.match(r"^[\w.]*\(.*\)$", text):
            return self.call(self.named(text))
        word, _, rest = text.partition(" ")
        return getattr(self, f"do_{word}")(self.named(rest))

    def call(self, text):
        call = ast.parse(text, mode="eval").body
        method = ast.unparse(call.func) if hasattr(ast, "unparse") else text[: text.index("(")]
        method = method if "." in method else f"supervisor.{method}"
        arguments = [ast.literal_eval(each) for each in call.args]
        try:
            answer = getattr(self.daemon.rpc, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            return ["fault", fault.faultCode, fault.faultString]
        except xmlrpc.client.ProtocolError as error:
            return ["status", error.errcode]
        if method == "supervisor.getAllConfigInfo":
            answer = [{k: v for k, v in each.items() if k not in NEWER_FIELDS} for each in answer if self.is_own(each["group"])]
        elif method == "supervisor.getAllProcessInfo":
            answer = [each for each in answer if self.is_own(each["group"])]
        elif method == "supervisor.reloadConfig" and not self.scenario.stage.alone:
            answer = "not compared"
        answer = normal_value(answer)
        if SEVERAL.search(method) and isinstance(answer, list):
            # They settle in any order.
            answer = sorted(answer, key=lambda each: (each.get("group", ""), each.get("name", "")))
        return ["result", answer]

    def is_own(self, name):
        return name.startswith(self.own) or self.scenario.stage.alone

    def do_ctl(self, rest):
        words = shlex.split(rest)
        answer = self.daemon.control(*words)
        # Lines about several processes come in the order in which they settled.
        lines = answer.stdout.splitlines()
        return [answer.returncode, lines if words[0] in ("help", "status", "avail", "tail") else sorted(lines), self.without_program(answer.stderr)]

    def without_program(self, text):
        """Takes out how the program was called."""
        for command in (self.daemon.subject.daemon, self.daemon.subject.control):
            text = text.replace(f"use {' '.join(command)} -h", "use PROGRAM -h").replace(f"use {command[0]} -h", "use PROGRAM -h")
        return text

    def do_supervisord(self, rest):
        words = [word.replace("{file}", str(self.daemon.file)) for word in shlex.split(rest)]
        answer = subprocess.run(
            [*self.daemon.subject.daemon, *words], capture_output=True, text=True, errors="replace", timeout=PATIENCE_SECONDS,
            cwd=self.daemon.directory, stdin=subprocess.DEVNULL, env=self.daemon.environment(self.side.stage.environment),
        )
        return {"status": answer.returncode, "out": answer.stdout, "err": self.without_program(answer.stderr)}

    def do_wait(self, rest):
        name, state = rest.split()
        name = name if ":" in name else f"{name}:{name}"
        self.side.watcher.until(lambda states: states.get(name) == state, lambda states: f"{name} is {state}, but {states.get(name)}")

    def do_until(self, rest):
        pattern, _, text = rest.partition(" ")
        until(lambda: any(text in each for each in self.files(pattern).values()), f"{text!r} in {pattern}", PATIENCE_SECONDS)

    def do_logged(self, pattern):
        self.daemon.until_logged(pattern, PATIENCE_SECONDS)

    def files(self, pattern):
        found = {}
        for path in sorted(glob.glob(str(self.daemon.directory / pattern))):
            if os.path.isfile(path):
                with open(path, errors="backslashreplace") as file:
                    found[os.path.basename(path)] = file.read()
        return found

    def do_file(self, pattern):
        modes = {name: f"{os.stat(self.daemon.directory / name).st_mode & 0o777:03o}" for name in self.files(pattern)}
        return {name: [modes[name], text] for name, text in self.files(pattern).items()}

    def do_log(self, pattern):
        return [" ".join(line.split(" ")[2:]) for line in self.daemon.log().splitlines() if re.search(pattern, line)]

    def do_http(self, rest):
        method, path, *more = rest.split()
        connection = rpc.UnixConnection(self.daemon.directory / more[0] if more else self.daemon.socket)
        try:
            connection.request(method, path, headers=rpc.basic(*more[1].split(":")) if more[1:] else {})
            answer = connection.getresponse()
            headers = {name: answer.headers.get(name) for name in ("Content-Type", "Location", "WWW-Authenticate")}
            return [answer.status, headers, answer.read().decode(errors="replace")]
        finally:
            connection.close()

    def do_page(self, rest):
        status, headers, _ = self.do_http(rest)
        # A message of an action holds the time.
        headers["Location"] = re.sub(r"%20\w{3}%20\w{3}%20[%\w]*", "%20TIME", headers["Location"] or "")
        return [status, headers]

    def do_send(self, rest):
        name, number = rest.split()
        os.kill(self.daemon.info(name)["pid"], getattr(signal, number))

    def do_daemon(self, name):
        self.daemon.signal(getattr(signal, name))

    def do_use(self, block):
        text = self.scenario.blocks[block].replace("LISTENER", f"{sys.executable} -S {LISTENER}")
        if "[supervisord]" in text:
            self.daemon.write(self.named(text))
        else:
            self.daemon.configure(self.named(text), supervisord="\n".join(self.side.stage.supervisord))

    def do_sh(self, command):
        answer = subprocess.run(["sh", "-c", command], capture_output=True, text=True, errors="replace", timeout=PATIENCE_SECONDS, cwd=self.daemon.directory,
                                env={**self.daemon.environment(), "DAEMON_PID": str(self.daemon.process.pid if self.daemon.process else 0)})
        return [answer.returncode, answer.stdout, answer.stderr]

    def do_ended(self, _):
        status = self.daemon.process.wait(PATIENCE_SECONDS)
        self.side.stop()
        return {"status": status, "left behind": sorted(name for name in os.listdir(self.daemon.directory) if not name.startswith("."))}

    def record_of(self, file):
        return Record(self.daemon, file[: -len(".jsonl")])

    def do_heard(self, rest):
        file, _, text = rest.partition(" ")
        self.record_of(file).until(
            lambda events: any(text in each["line"] or text in each["body"] for each in events), text, PATIENCE_SECONDS
        )

    def do_events(self, file):
        return [list(normal_event(each)) for each in self.record_of(file).all()]

    def do_gone(self, name):
        pid = int(self.daemon.read(name))
        deadline = time.monotonic() + GONE_WITHIN_SECONDS
        while is_alive(pid) and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY_SECONDS)
        return not is_alive(pid)

    def do_answering(self, _):
        self.daemon.until_logged("supervisord started with pid", PATIENCE_SECONDS, count=2)
        until(self.daemon.answers, "it answers again", PATIENCE_SECONDS)

    # --- what is compared whatever the script does

    def at_the_end(self):
        if self.daemon.process is None:
            return []
        seen = []
        if self.daemon.is_running():
            self.side.watcher.until(self.settled, lambda states: f"settled: {states}")
            try:
                infos = [each for each in self.daemon.supervisor("getAllProcessInfo") if self.is_own(each["group"])]
            except (OSError, xmlrpc.client.Error):
                infos = []
            seen.append(("information", self.without_names(normal_value(infos))))
        files = {name: text for name, text in self.files(f"{self.own}*").items() if not name.endswith(".jsonl")}
        seen.append(("files", self.without_names(files)))
        seen.append(("story", self.story()))
        if self.side.stage.listener and self.daemon.is_running():
            seen.append(("events", self.events()))
        return seen

    def events(self):
        """What the stage's listener heard of each process of its own: process -> events, in their order."""
        mark = f"the end of {self.own}"
        self.daemon.supervisor("sendRemoteCommEvent", mark, "")
        heard = Record(self.daemon, WITNESS).until_body(mark, PATIENCE_SECONDS)
        told = {}
        for each in heard:
            line, body = normal_event(each)
            name = re.search(rf"(?:process|group)name:({self.own}\S*)", body)
            if name:
                # Serial numbers count the events of all scenarios together.
                line = re.sub(r"serial:\d+", "serial:N", line)
                told.setdefault(self.without_names(name[1]), []).append([self.without_names(line), self.without_names(body)])
        return told

    def settled(self, states):
        return not any(state in ON_THEIR_WAY and self.is_own(name) for name, state in states.items())

    def story(self):
        """What the main log says of each process of its own: process -> lines, in their order."""
        told = {}
        for line in self.daemon.log().splitlines():
            match = PROCESS_LINE.match(line)
            names = re.findall(rf"{self.own}[\w.:-]*\w|{self.own}", line)
            if match and names and not match[2].startswith(NOT_TOLD) and PERHAPS_TOLD not in match[2]:
                told.setdefault(self.without_names(names[0]), []).append(self.without_names(f"{match[1]} {match[2]}"))
        return told
