"""A daemon with probed services (probed.c), for the soak and for what probes cost."""
import collections
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import xmlrpc.client
from pathlib import Path

HERE = Path(__file__).resolve().parent
BINARY = Path(os.environ.get("LINCHPIN_BIN") or HERE.parent / "target/release/linchpin").absolute()
BOOT_SECONDS = 120
# So small that a long run moves it away many times, and all of it is kept.
LOGFILE_MAXBYTES, LOGFILE_BACKUPS = 256 * 1024, 400
# So small that a long run rewrites the recorded history many times.
HISTORY_MAXBYTES = 256 * 1024


def compile_service(directory):
    service = directory / "probed"
    subprocess.run(["cc", "-O2", "-static", "-Wall", "-o", service, HERE / "probed.c"], check=True)
    return service


def free_ports(number):
    """Ports that nobody listens on, below those that the kernel gives to the probes' own ends."""
    held, ports = [], []
    # Two runs at the same time begin elsewhere.
    for port in range(20000 + os.getpid() % 40 * 250, 32000):
        listener = socket.socket()
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            listener.close()
            continue
        held.append(listener)
        ports.append(port)
        if len(ports) == number:
            break
    for listener in held:
        listener.close()
    return ports


def sections(directory, service, number, kinds, options):
    """Programs of each of the kinds in turn; `options(n, readiness, liveness)` are lines for them."""
    ports, text = iter(free_ports(number)), ""
    for n in range(number):
        kind, path, port = kinds[n % len(kinds)], f"{directory}/u{n}", next(ports)
        command, probe, liveness = {
            "tcp": (f"tcp {port}", f"tcp://127.0.0.1:{port}", True),
            "http": (f"http {port}", f"http://127.0.0.1:{port}/health body=ok", True),
            "unix": (f"unix {path}", f"unix://{path}", True),
            "notify": ("notify 1000", "notify", True),
            "exec": ("sleep", f"exec:{service} true", True),
            "file": (f"file {path}", f"file:{path}", True),
            "log": ("log 1000", "log:^ready", False),
            "fd": ("fd 3", "fd:3", False),
        }[kind]
        text += f"[program:s{n:03}]\ncommand={service} {command}\nautorestart=true\nstartsecs=0\nstopwaitsecs=1\nredirect_stderr=true\n"
        # What is captured goes to a file that is soon full, or nowhere.
        text += f"stdout_logfile={directory}/s{n:03}.log\nstdout_logfile_maxbytes=8KB\nstdout_logfile_backups=1\n" if kind == "log" else "stdout_logfile=NONE\n"
        text += options(n, probe, probe if liveness else None).replace("{service}", str(service))
    return text


def cpu_seconds(pid):
    """What the threads of a process have had of CPUs, to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Subject:
    """The daemon and its services."""

    def __init__(self, number, kinds, options):
        self.number = number
        self.directory = Path(tempfile.mkdtemp(prefix="lp-probed-"))
        self.service = compile_service(self.directory)
        self.file, self.socket = self.directory / "supervisord.conf", str(self.directory / "s")
        (self.directory / "state").mkdir()
        self.file.write_text(
            f"[supervisord]\nlogfile={self.directory}/main.log\npidfile={self.directory}/main.pid\nchildlogdir={self.directory}\nminfds=4096\n"
            f"logfile_maxbytes={LOGFILE_MAXBYTES}\nlogfile_backups={LOGFILE_BACKUPS}\n"
            f"[linchpin]\nstate_directory={self.directory}/state\nhistory_maxbytes={HISTORY_MAXBYTES}\n"
            f"[unix_http_server]\nfile={self.socket}\n[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n"
            f"[supervisorctl]\nserverurl=unix://{self.socket}\n{sections(self.directory, self.service, number, kinds, options)}"
        )
        self.process = subprocess.Popen(
            [BINARY, "supervisord", "-n", "-c", self.file], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def call(self, method, *arguments):
        connection = UnixConnection(self.socket)
        try:
            connection.request("POST", "/RPC2", xmlrpc.client.dumps(arguments, method), {"Content-Type": "text/xml"})
            return xmlrpc.client.loads(connection.getresponse().read())[0][0]
        finally:
            connection.close()

    def leave_early(self, method, *arguments):
        """A client that asks and goes away without its answer."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self.socket)
            body = xmlrpc.client.dumps(arguments, method).encode()
            client.sendall(b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    def follow_a_log(self, name):
        """A client that reads a little of an endless answer and goes away."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(self.socket)
            client.sendall(f"GET /logtail/{name} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            client.recv(256)

    def control(self, *words):
        return subprocess.run([BINARY, "supervisorctl", "-c", self.file, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def until(self, condition, what, seconds=BOOT_SECONDS):
        deadline = time.monotonic() + seconds
        while True:
            if self.process.poll() is not None:
                raise SystemExit(f"the daemon ended with {self.process.returncode}")
            try:
                if value := condition():
                    return value
            except (OSError, http.client.HTTPException):
                pass
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {seconds} s in vain: {what}")
            time.sleep(0.1)

    def processes(self):
        return self.call("supervisor.getAllProcessInfo")

    def log(self):
        """All that the daemon has said."""
        files = [self.directory / "main.log", *self.directory.glob("main.log.*")]
        files.sort(key=lambda file: -int(file.suffix[1:]) if file.suffix != ".log" else 0)
        return "".join(file.read_text() for file in files)

    def starts(self):
        """How often each has been started."""
        return collections.Counter(re.findall(r" spawned: '(\w+)' with pid", self.log()))

    def unready(self):
        """Those that have not become ready since they were started last."""
        state = dict.fromkeys(f"s{n:03}" for n in range(self.number))
        for said, name in re.findall(r" (spawned: '|ready: |not ready: )(\w+)", self.log()):
            state[name] = said == "ready: "
        return [name for name, is_ready in state.items() if not is_ready]

    def all_ready(self):
        return not self.unready()

    def sample(self):
        base = Path(f"/proc/{self.process.pid}")
        rollup = dict(re.findall(r"^(\w+): +(\d+) kB", (base / "smaps_rollup").read_text(), re.M))
        status = (base / "status").read_text()
        fields = (base / "stat").read_text().rsplit(")", 1)[1].split()
        return {
            "pss": int(rollup["Pss"]), "rss": int(rollup["Rss"]), "descriptors": len(os.listdir(base / "fd")),
            "threads": int(re.search(r"^Threads:\s+(\d+)", status, re.M)[1]),
            "cpu": cpu_seconds(self.process.pid), "children cpu": (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK"),
        }

    def services(self):
        """The process ids of the daemon's children, asked of the kernel."""
        return [int(pid) for task in Path(f"/proc/{self.process.pid}/task").iterdir() for pid in (task / "children").read_text().split()]

    def close(self):
        """Ends the daemon, and by force whatever it does not end itself."""
        if self.process.poll() is None:
            left = self.services()
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                for pid in left:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
        shutil.rmtree(self.directory, ignore_errors=True)
