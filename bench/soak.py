#!/usr/bin/env python3
"""Two hundred probed services for an hour: does the daemon grow?

    bench/soak.py [--seconds 3600] [--services 200] [--write docs/benchmarks.md] [--samples FILE]

Each kind of probe has as many of the services; what can be asked is asked once a second, for readiness and for liveness. A part of
the services has hooks, dependencies, or writes into a file that is moved away. Meanwhile one of them is killed every second, some
are stopped (SIGSTOP) until their liveness fails, some are removed and added, and clients ask, reload, follow a log and go away in the
middle of an answer. The daemon's memory, descriptors and threads are sampled. The first fifth of the time is for the allocator to
find its level; after that the median of the last fifth may be above the median of the second by no more than the limits below, or the
status is 1. It is also 1 if a service was started more or less often than this program caused, or is not ready in the end. LINCHPIN_BIN
names the binary.
"""
import argparse
import collections
import json
import os
import platform
import signal
import statistics
import sys
import time
from pathlib import Path

from probed import Subject

# Each is wanted once in so many seconds.
SAMPLE, KILL, FREEZE, REPLACE, ASK, RELOAD = 10, 1, 20, 15, 5, 60
KINDS = ("tcp", "http", "unix", "notify", "exec", "file", "log", "fd")
# Shorter runs, which test this file, do everything more often.
FULL_PACE_SECONDS = 600
# What counts as growth. A page more or less is noise of the allocator and of what the kernel counts as shared. Between the two medians
# lie 36 minutes: a leak of 8 bytes in each attempt of a probe is 5 MB in them, and one of 64 bytes in each restart 138 KB.
PSS_GROWTH_KB, PSS_GROWTH_PART = 128, 0.02
# Attempts that are under way and a client or two when the sample is taken; a spawner thread that was made when another one hung for a
# tenth of a second, as on a busy machine, and has not ended yet.
DESCRIPTOR_GROWTH, THREAD_GROWTH = 8, 10
BEGIN, END = "<!-- soak: made by `make soak` -->", "<!-- soak: end -->"


def options(n, readiness, liveness):
    text = f"readiness={readiness}\nreadiness_interval=1s\n"
    if liveness:
        text += f"liveness={liveness}\nliveness_interval=1s\nliveness_timeout=10s\nliveness_failures=5\n"
    if n % 10 == 3:
        text += "".join(f"{hook}={{service}} true\n" for hook in ("pre_start", "post_start", "pre_stop", "post_stop"))
    # Which of them waits for another is of no matter, only that some do.
    if n % 10 == 9:
        text += f"depends_on=s{n - 1:03} ready\n"
    return text


class Soak:
    """What is done to the daemon, how often, and what was seen meanwhile."""

    def __init__(self, subject, seconds):
        self.subject, self.seconds = subject, seconds
        self.done, self.starts = collections.Counter(), collections.Counter()
        self.samples = []
        self.turns = dict.fromkeys((KILL, FREEZE, REPLACE, ASK), 0)

    def next_service(self, what, only=None):
        """Another one each time; the three ways to end a service are far apart from each other."""
        while True:
            turn = self.turns[what]
            self.turns[what] += 1
            n = (turn + {KILL: 0, FREEZE: self.subject.number // 3, REPLACE: 2 * self.subject.number // 3, ASK: 0}[what]) % self.subject.number
            if only is None or KINDS[n % len(KINDS)] == only:
                return f"s{n:03}"

    def signal(self, name, number, what):
        info = self.subject.call("supervisor.getProcessInfo", name)
        # One that was up for less than a second waits before it is started again, and one may be frozen.
        if info["statename"] == "RUNNING" and name not in self.frozen():
            os.kill(info["pid"], number)
            self.done[what] += 1
            self.starts[name] += 1
            return True
        return False

    def frozen(self):
        """Services that were stopped not long ago; their liveness takes five seconds to fail, and the stop another one."""
        now = time.monotonic()
        self.freezes = {name: at for name, at in getattr(self, "freezes", {}).items() if now - at < 15}
        return self.freezes

    def kill(self):
        self.signal(self.next_service(KILL), signal.SIGKILL, "killed")

    def freeze(self):
        # The kernel goes on to accept for a process that is stopped; only what must speak itself is missed.
        name = self.next_service(FREEZE, "notify")
        if self.signal(name, signal.SIGSTOP, "frozen"):
            self.freezes[name] = time.monotonic()

    def replace(self):
        name = self.next_service(REPLACE)
        if name in self.frozen():
            return
        self.subject.call("supervisor.stopProcessGroup", name)
        self.subject.call("supervisor.removeProcessGroup", name)
        self.subject.call("supervisor.addProcessGroup", name)
        self.done["removed and added"] += 1
        self.starts[name] += 1

    def ask(self):
        log = f"s{KINDS.index('log'):03}"
        last = json.loads(self.subject.call("linchpin.events", "", "", 10))["last"]
        self.subject.leave_early("supervisor.getAllProcessInfo")
        self.subject.leave_early("linchpin.events", "", "", 0, str(last), 60)
        self.subject.follow_a_log(log)
        self.subject.call("supervisor.tailProcessStdoutLog", log, 0, 1000)
        self.subject.call("linchpin.status", True)
        self.subject.call("linchpin.why", self.next_service(ASK))
        self.subject.control("status")
        self.done["asked"] += 8

    def reload(self):
        self.subject.call("supervisor.reloadConfig")
        self.done["reloaded"] += 1

    def sample(self):
        self.samples.append({"at": time.monotonic() - self.began, **self.subject.sample()})

    def run(self):
        self.began = time.monotonic()
        pace = min(1.0, self.seconds / FULL_PACE_SECONDS)
        work = [(self.sample, SAMPLE), (self.kill, KILL), (self.freeze, FREEZE), (self.replace, REPLACE), (self.ask, ASK), (self.reload, RELOAD)]
        due = [(self.began + every * max(pace, 0.2 / every), every * max(pace, 0.2 / every), action) for action, every in work]
        while True:
            due.sort(key=lambda each: each[0])
            at, every, action = due.pop(0)
            if at > self.began + self.seconds:
                return
            time.sleep(max(0, at - time.monotonic()))
            action()
            due.append((at + every, every, action))


def part(samples, name, of):
    """The median of one fifth of the time."""
    fifth = samples[len(samples) * of // 5 : len(samples) * (of + 1) // 5]
    return statistics.median(each[name] for each in fifth)


def judge(samples):
    """Rows of the table, and what has grown."""
    rows, wrong = [], []
    for name, label, unit, allowed in (
        ("pss", "PSS", " KB", lambda early: max(PSS_GROWTH_KB, early * PSS_GROWTH_PART)),
        ("rss", "RSS", " KB", lambda early: 2 * max(PSS_GROWTH_KB, early * PSS_GROWTH_PART)),
        ("descriptors", "descriptors", "", lambda early: DESCRIPTOR_GROWTH),
        ("threads", "threads", "", lambda early: THREAD_GROWTH),
    ):
        early, late = part(samples, name, 1), part(samples, name, 4)
        first, most, limit = samples[0][name], max(each[name] for each in samples), allowed(early)
        rows.append((label, *(f"{value:.0f}{unit}" for value in (first, early, late)), f"{late - early:+.0f}{unit}", f"+{limit:.0f}{unit}", f"{most:.0f}{unit}"))
        if late - early > limit:
            wrong.append(f"{label} grew from {early:.0f} to {late:.0f}{unit}, which is more than {limit:.0f}")
    return rows, wrong


def in_words(seconds):
    return f"{seconds / 3600:g} h" if seconds >= 3600 else f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"


def table(rows, soak):
    first, last = soak.samples[0], soak.samples[-1]
    own, children = (100 * (last[name] - first[name]) / (last["at"] - first["at"]) for name in ("cpu", "children cpu"))
    done = ", ".join(f"{number} {what}" for what, number in soak.done.items())
    lines = [
        f"{in_words(soak.seconds)}, {time.strftime('%Y-%m-%d', time.gmtime())}, Linux {platform.release().split('-')[0]} on {os.cpu_count()} CPUs: {soak.subject.number} services, as many of each",
        f"kind ({', '.join(KINDS)}), asked once a second for readiness and for liveness; {done}.",
        f"The daemon took {own:.1f} % of one CPU, the commands of its probes and hooks and the services that ended {children:.1f} %.",
        "",
        "| of the daemon | in the beginning | second fifth | last fifth | growth | limit | most |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def put_into(path, text):
    """Replaces what stands between the two comments of a document."""
    document = path.read_text()
    if BEGIN not in document or END not in document:
        raise SystemExit(f"{path} has no place for the result ({BEGIN} … {END})")
    before, rest = document.split(BEGIN)
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END, 1)[1]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--services", type=int, default=200)
    parser.add_argument("--write", type=Path, help="put the result into this document")
    parser.add_argument("--samples", type=Path, help="put all samples into this file, as JSON")
    arguments = parser.parse_args()
    # An end that is asked for leaves nothing behind either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    subject = Subject(arguments.services, KINDS, options)
    try:
        subject.until(subject.all_ready, "everything is ready")
        before = subject.starts()
        soak = Soak(subject, arguments.seconds)
        soak.run()
        expected = before + soak.starts
        wrong = []
        try:
            subject.until(lambda: subject.starts() == expected and subject.all_ready(), "everything is ready again", 30)
        except TimeoutError:
            found = subject.starts()
            wrong += [f"{name} was started {found[name]} times instead of {expected[name]}" for name in sorted(found | expected) if found[name] != expected[name]]
            wrong += [f"{name} is not ready in the end" for name in subject.unready()]
        rows, grown = judge(soak.samples)
        wrong += grown
        if wrong:
            sys.stderr.write(subject.log()[-20000:])
    finally:
        subject.close()
    text = table(rows, soak)
    print(text)
    if arguments.samples:
        arguments.samples.write_text(json.dumps(soak.samples))
    if arguments.write and not wrong:
        put_into(arguments.write, text)
    for line in wrong:
        print(f"FAILED: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
