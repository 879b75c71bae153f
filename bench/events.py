#!/usr/bin/env python3
"""How long it takes until an event has reached the last of many listeners.

    bench/events.py [--listeners 100] [--rounds 20] [--limits]

Each listener is a pool of its own and a C program that reports the moment at which it has the event. What counts is the
time from the first report to the last; from the call of the client to the first is shown beside it. With --limits the
status is 1 if a median is above what we promise. LINCHPIN_BIN names the binary.
"""
import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ratios import BINARY, HERE, STEP_SECONDS, Fifo

sys.path.insert(0, str(HERE.parent / "tests" / "behaviour"))
from harness.rpc import over_unix  # noqa: E402

# From the first listener to the last, in milliseconds, for a hundred of them.
LIMIT_MS = 5.0


def configuration(directory, program, number):
    pools = "".join(f"[eventlistener:l{n:03}]\ncommand={program} {directory}/fifo\nevents=REMOTE_COMMUNICATION\nstartsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\n" for n in range(number))
    return (
        f"[supervisord]\nlogfile={directory}/main.log\npidfile={directory}/main.pid\nchildlogdir={directory}\n"
        f"[unix_http_server]\nfile={directory}/s\n[rpcinterface:supervisor]\n"
        f"supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n{pools}"
    )


def answers(rpc):
    deadline = time.monotonic() + STEP_SECONDS
    while time.monotonic() < deadline:
        try:
            if rpc.supervisor.getState()["statename"] == "RUNNING":
                return
        except OSError:
            time.sleep(0.01)
    raise TimeoutError("the daemon does not answer")


def measure(directory, number, rounds):
    program = directory / "listener"
    subprocess.run(["cc", "-O2", "-static", "-Wall", "-o", program, HERE / "listener.c"], check=True)
    fifo = Fifo(directory / "fifo")
    (directory / "supervisord.conf").write_text(configuration(directory, program, number))
    daemon = subprocess.Popen([BINARY, "supervisord", "-n", "-c", directory / "supervisord.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        rpc = over_unix(directory / "s")
        answers(rpc)
        spread, first = [], []
        # The first round waits until every listener is up.
        for turn in range(rounds + 1):
            began = time.monotonic_ns()
            rpc.supervisor.sendRemoteCommEvent("bench", "x" * 100)
            moments = [at for _, at in fifo.starts(number)]
            if turn:
                spread.append((max(moments) - min(moments)) / 1e6)
                first.append((min(moments) - began) / 1e6)
        return spread, first
    finally:
        daemon.terminate()
        daemon.wait(STEP_SECONDS)
        fifo.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listeners", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--limits", action="store_true", help="fail when a promise is broken")
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="lp-bench-"))
    try:
        spread, first = measure(directory, options.listeners, options.rounds)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    median = statistics.median(spread)
    is_missed = median > LIMIT_MS
    print(f"an event to {options.listeners} listeners, medians of {options.rounds} rounds (ms)")
    print(f"  first to last   {median:8.2f}   limit {LIMIT_MS}, worst {max(spread):.2f}{'   MISSED' if is_missed else ''}")
    print(f"  call to first   {statistics.median(first):8.2f}")
    return 1 if options.limits and is_missed else 0


if __name__ == "__main__":
    sys.exit(main())
