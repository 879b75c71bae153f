#!/usr/bin/env python3
"""Capture of output into rotated files: Linchpin's log thread beside the original, in one run.

    LINCHPIN_ORACLE=/path/to/python bench/log_capture.py [--bytes N] [--rounds N]

LINCHPIN_ORACLE is a Python with `supervisor` installed. Needs a release build of the example
(`cargo build --release -p linchpin-log --example capture_speed`), whose path is the environment
variable CAPTURE_SPEED. Prints MB/s and the supervising side's CPU seconds per GB, the median of the
rounds; the two take turns.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time


def ours(program, directory, size, chunk, limit, backups):
    log = os.path.join(directory, "ours.log")
    out = subprocess.run(
        [program, "capture", log, str(limit), str(backups), str(size), str(chunk)],
        check=True, capture_output=True, text=True).stdout
    seconds, cpu = map(float, out.split())
    return seconds, cpu


def cpu_of(pid):
    with open(f"/proc/{pid}/schedstat") as file:
        return int(file.read().split()[0]) / 1e9


def original(python, program, directory, size, chunk, limit, backups):
    log = os.path.join(directory, "original.log")
    stamp = os.path.join(directory, "stamp")
    conf = os.path.join(directory, "supervisord.conf")
    with open(conf, "w") as file:
        file.write(f"""[supervisord]
logfile={directory}/main.log
pidfile={directory}/pid
[program:writer]
command={program} write {size} {chunk} {stamp}
startsecs=0
autorestart=false
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes={limit}
stdout_logfile_backups={backups}
""")
    daemon = subprocess.Popen(
        [python, "-m", "supervisor.supervisord", "-n", "-s", "-c", conf],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        before = None
        while not is_complete(log):
            if before is None and os.path.exists(log):
                before = cpu_of(daemon.pid)
            time.sleep(0.005)
        end = time.monotonic()
        cpu = cpu_of(daemon.pid) - before
        while not os.path.exists(stamp):
            time.sleep(0.005)
        with open(stamp) as file:
            begin = float(file.read().split()[0])
        return end - begin, cpu
    finally:
        daemon.terminate()
        daemon.wait()


def is_complete(log):
    for path in (log, log + ".1"):
        try:
            with open(path, "rb") as file:
                file.seek(max(0, os.path.getsize(path) - 6))
                if file.read() == b"=END=\n":
                    return True
        except OSError:
            pass
    return False


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--bytes", type=int, default=0, help="per run; 0 chooses by chunk")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--chunk", type=int, action="append")
    options.add_argument("--limit", type=int, default=10_000_000)
    options.add_argument("--backups", type=int, default=5)
    options.add_argument("--ours-only", action="store_true")
    options = options.parse_args()
    program = os.environ["CAPTURE_SPEED"]
    python = os.environ.get("LINCHPIN_ORACLE")
    for chunk in options.chunk or (65_500, 100):
        size = options.bytes or (4_000_000_000 if chunk > 1_000 else 1_000_000_000)
        size -= size % chunk
        rows = {"ours": [], "original": []}
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory() as directory:
                rows["ours"].append(
                    ours(program, directory, size, chunk, options.limit, options.backups))
            if python and not options.ours_only:
                with tempfile.TemporaryDirectory() as directory:
                    rows["original"].append(original(
                        python, program, directory, size, chunk, options.limit, options.backups))
        result = {}
        for name, runs in rows.items():
            if runs:
                speed = statistics.median(size / 1e6 / seconds for seconds, _ in runs)
                cpu = statistics.median(cpu / (size / 1e9) for _, cpu in runs)
                result[name] = speed, cpu
                print(f"{chunk:6}-byte writes  {name:9} {speed:7.0f} MB/s  {cpu:6.3f} CPU s/GB")
        if len(result) == 2:
            speed = result["ours"][0] / result["original"][0]
            cpu = result["ours"][1] / result["original"][1]
            print(f"{chunk:6}-byte writes  ratio     {speed:7.2f}x       {cpu:6.2f}x", flush=True)


if __name__ == "__main__":
    sys.exit(main())
