#!/usr/bin/env python3
"""What Linchpin costs beside the least that any supervisor must do, both in turns and in one run.

    bench/ratios.py [--services 100,1000] [--rounds 5] [--limits]

The floor is a C program of forty lines that can only start, start again and stop (service.c). Ratios hold
better than values on a machine that does other things. With --limits the status is 1 if a ratio is above
what we promise, and the row says so. LINCHPIN_BIN names the binary.
"""
import argparse
import os
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BINARY = Path(os.environ.get("LINCHPIN_BIN") or HERE.parent / "target/release/linchpin").absolute()
STEP_SECONDS = 60
# A service that was up for less is held back on purpose, so respawns are measured after this; memory as well, because a
# daemon lets go of the code for its start when it has come to rest.
HEALTHY_SECONDS = 1.6

# Most that a value may be: times the floor, or an absolute number.
LIMITS = {
    "boot of 1": ("value", 5.0), "boot of 1000": ("ratio", 1.5), "stop of 1000": ("ratio", 1.5),
    "respawn p50": ("ratio", 1.5), "respawn p99": ("ratio", 2.0),
    "PSS with 1": ("value", 3.0), "PSS with 100": ("value", 3.5), "PSS with 1000": ("value", 8.0),
    "status of 100": ("value", 5.0), "status of 1000": ("value", 12.0),
    "binary": ("value", 6.0), "--version": ("value", 3.0),
}


class Fifo:
    """Hears the services' first instructions."""

    def __init__(self, path):
        os.mkfifo(path)
        self.reader = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.rest = b""

    def starts(self, number):
        """The next `number` starts as (pid, nanoseconds)."""
        found, deadline = [], time.monotonic() + STEP_SECONDS
        while len(found) < number:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(found)} of {number} services reported")
            if not select.select([self.reader], [], [], 1)[0]:
                continue
            *lines, self.rest = (self.rest + os.read(self.reader, 1 << 16)).split(b"\n")
            found += [tuple(map(int, line.split())) for line in lines]
        return found

    def close(self):
        os.close(self.reader)


class Session:
    """One supervisor with its services, from exec to the end of the last process."""

    def __init__(self, kind, service, number):
        self.kind, self.number = kind, number
        self.directory = Path(tempfile.mkdtemp(prefix="lp-bench-"))
        fifo = self.directory / "fifo"
        self.fifo = Fifo(fifo)
        if kind == "floor":
            command = [service, "floor", str(number), fifo]
        else:
            programs = "".join(f"[program:s{n:04}]\ncommand={service} {fifo}\nautorestart=true\nredirect_stderr=true\nstdout_logfile=NONE\n" for n in range(number))
            self.file = self.directory / "supervisord.conf"
            self.file.write_text(
                f"[supervisord]\nlogfile={self.directory}/main.log\npidfile={self.directory}/main.pid\nchildlogdir={self.directory}\nminfds=8192\n"
                f"[unix_http_server]\nfile={self.directory}/s\n[rpcinterface:supervisor]\n"
                "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n"
                f"[supervisorctl]\nserverurl=unix://{self.directory}/s\n{programs}"
            )
            command = [BINARY, "supervisord", "-n", "-c", self.file]
        began = time.monotonic_ns()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        started = self.fifo.starts(number)
        self.pids = [pid for pid, _ in started]
        self.boot_ms = (max(at for _, at in started) - began) / 1e6

    def pss_mb(self):
        for line in Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
        return 0.0

    def status_ms(self):
        began = time.monotonic_ns()
        subprocess.run([BINARY, "supervisorctl", "-c", self.file, "status"], stdout=subprocess.DEVNULL, check=True)
        return (time.monotonic_ns() - began) / 1e6

    def respawns_ms(self, number):
        """Kills healthy services one after the other; from the signal to the successor's first instruction."""
        taken = []
        for at, pid in enumerate(self.pids[:number]):
            began = time.monotonic_ns()
            os.kill(pid, signal.SIGKILL)
            ((self.pids[at], reported),) = self.fifo.starts(1)
            taken.append((reported - began) / 1e6)
        return taken

    def stop_ms(self):
        # Popen.wait with a limit sleeps longer and longer between its looks, and answers 31 ms where it took 16.
        descriptor = os.pidfd_open(self.process.pid)
        try:
            began = time.monotonic_ns()
            self.process.terminate()
            select.select([descriptor], [], [], STEP_SECONDS)
            taken = (time.monotonic_ns() - began) / 1e6
        finally:
            os.close(descriptor)
        self.process.wait(0)
        return taken

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            for pid in self.pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self.fifo.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def measure(service, numbers, rounds):
    """name -> kind -> samples"""
    found = {}

    def put(name, kind, value):
        found.setdefault(name, {}).setdefault(kind, []).append(value)

    for turn in range(rounds):
        for number in numbers:
            for kind in ("floor", "linchpin") if turn % 2 else ("linchpin", "floor"):
                session = Session(kind, service, number)
                try:
                    put(f"boot of {number}", kind, session.boot_ms)
                    time.sleep(HEALTHY_SECONDS)
                    if kind == "linchpin":
                        put(f"PSS with {number}", kind, session.pss_mb())
                    if number == 100:
                        for value in session.respawns_ms(100):
                            put("respawn", kind, value)
                        if kind == "linchpin":
                            put("PSS, respawned", kind, session.pss_mb())
                    if kind == "linchpin":
                        put(f"status of {number}", kind, session.status_ms())
                    put(f"stop of {number}", kind, session.stop_ms())
                finally:
                    session.close()
        began = time.monotonic_ns()
        subprocess.run([BINARY, "--version"], stdout=subprocess.DEVNULL, check=True)
        put("--version", "linchpin", (time.monotonic_ns() - began) / 1e6)
    put("binary", "linchpin", BINARY.stat().st_size / 1024 / 1024)
    respawn = found.pop("respawn", {})
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        for kind, values in respawn.items():
            put(f"respawn {name}", kind, sorted(values)[min(int(len(values) * share), len(values) - 1)])
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=lambda text: [int(n) for n in text.split(",")], default=[1, 100, 1000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limits", action="store_true", help="fail when a promise is broken")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        service = Path(place) / "service"
        subprocess.run(["cc", "-O2", "-static", "-Wall", "-o", service, HERE / "service.c"], check=True)
        found = measure(service, options.services, options.rounds)
    broken = 0
    print(f"{'':16}{'linchpin':>10}{'floor':>10}{'ratio':>8}{'limit':>10}   (ms, MB; medians of {options.rounds} rounds)")
    for name, kinds in sorted(found.items()):
        ours = statistics.median(kinds["linchpin"])
        floor = statistics.median(kinds["floor"]) if "floor" in kinds else None
        ratio = ours / floor if floor else None
        what, limit = LIMITS.get(name, (None, None))
        is_broken = limit is not None and (ratio if what == "ratio" else ours) > limit
        broken += is_broken
        shown = "" if limit is None else f"x{limit}" if what == "ratio" else f"{limit}"
        floor_text, ratio_text = (f"{floor:.2f}", f"x{ratio:.2f}") if floor else ("", "")
        print(f"{name:16}{ours:10.2f}{floor_text:>10}{ratio_text:>8}{shown:>10}{'   MISSED' if is_broken else ''}")
    return 1 if options.limits and broken else 0


if __name__ == "__main__":
    sys.exit(main())
