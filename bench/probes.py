#!/usr/bin/env python3
"""What probes cost: two hundred services, each asked once a second.

    bench/probes.py [--seconds 10] [--services 200] [--limits]

For tcp, unix and notify it is the CPU time of the daemon, of one CPU. For exec it is the CPU time of the daemon and of the commands,
beside a program that starts the same commands as often and does nothing else (probed.c, spawn), both in turns.
With --limits the status is 1 if a cost is above what we promise. LINCHPIN_BIN names the binary.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from probed import Subject, compile_service, cpu_seconds

# Per cent of one CPU, and times the bare spawns.
MOST_OF_A_CPU, MOST_OF_SPAWNS = 1.0, 1.2
ROUNDS = 3
# What belongs to the start is over by then.
SETTLE_SECONDS = 3


def options(n, readiness, liveness):
    return f"liveness={liveness}\nliveness_interval=1s\nliveness_timeout=900ms\nliveness_failures=5\n"


def with_commands(pid):
    """The CPU time of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return cpu_seconds(pid) + (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def switches(pids):
    """How often these have waited for something: each probe of a unix socket wakes its service once, and each beat is one."""
    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in pids]
    return sum(int(status.rsplit("nonvoluntary", 1)[0].split("voluntary_ctxt_switches:")[1]) for status in statuses)


def connects():
    """TCP connections that were begun in this network namespace. Their servers do not hear of those of a probe."""
    names, values = (line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Tcp:"))
    return int(values[names.index("ActiveOpens")])


def forks():
    """Processes that the whole machine has started."""
    return int(Path("/proc/stat").read_text().split("\nprocesses ")[1].split()[0])


def part_of_a_cpu(pid, spent, done, seconds):
    """What is spent of a CPU, and how much is done a second meanwhile."""
    time.sleep(SETTLE_SECONDS)
    first, count, began = spent(pid), done(), time.monotonic()
    time.sleep(seconds)
    taken = time.monotonic() - began
    return (spent(pid) - first) / taken, (done() - count) / taken


def of_the_daemon(number, kind, seconds):
    subject = Subject(number, [kind], options)
    try:
        subject.until(lambda: all(each["statename"] == "RUNNING" for each in subject.processes()), "everything is up")
        services = [each["pid"] for each in subject.processes()]
        spent = with_commands if kind == "exec" else cpu_seconds
        done = {"exec": forks, "tcp": connects}.get(kind, lambda: switches(services))
        found = part_of_a_cpu(subject.process.pid, spent, done, seconds)
        if [each["pid"] for each in subject.processes()] != services:
            raise SystemExit(f"{kind}: a service did not stay up")
        return found
    finally:
        subject.close()


def of_bare_spawns(number, seconds):
    with tempfile.TemporaryDirectory(prefix="lp-probed-") as place:
        service = compile_service(Path(place))
        process = subprocess.Popen([service, "spawn", str(number), service, "true"])
        try:
            return part_of_a_cpu(process.pid, with_commands, forks, seconds)
        finally:
            process.kill()
            process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--services", type=int, default=200)
    parser.add_argument("--limits", action="store_true", help="fail when a promise is broken")
    arguments = parser.parse_args()
    broken = 0

    def row(name, value, limit, remark, done):
        nonlocal broken
        # What was not asked costs nothing.
        if done < 0.9 * arguments.services:
            raise SystemExit(f"{name}: only {done:.0f} a second instead of {arguments.services}")
        is_broken = value > limit
        broken += is_broken
        print(f"{name:24}{value:8.2f}{limit:8.2f}   {remark}{'   MISSED' if is_broken else ''}")

    print(f"{'':24}{'value':>8}{'limit':>8}   ({arguments.services} services, each asked once a second, medians of {ROUNDS} rounds)")
    for kind in ("tcp", "unix", "notify"):
        found = [of_the_daemon(arguments.services, kind, arguments.seconds) for _ in range(ROUNDS)]
        value = statistics.median(part for part, _ in found)
        row(f"{kind} (% of one CPU)", 100 * value, MOST_OF_A_CPU, f"{1e6 * value / arguments.services:.0f} us each", min(done for _, done in found))
    ours, bare = [], []
    for _ in range(ROUNDS):
        ours.append(of_the_daemon(arguments.services, "exec", arguments.seconds))
        bare.append(of_bare_spawns(arguments.services, arguments.seconds))
    own, floor = (statistics.median(part for part, _ in found) for found in (ours, bare))
    each = f"{1e6 * own / arguments.services:.0f} us each, bare {1e6 * floor / arguments.services:.0f} us"
    row("exec (x bare spawns)", own / floor, MOST_OF_SPAWNS, each, min(done for _, done in ours + bare))
    return 1 if arguments.limits and broken else 0


if __name__ == "__main__":
    sys.exit(main())
