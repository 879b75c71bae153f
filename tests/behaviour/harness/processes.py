"""What /proc tells about processes."""
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    pid: int
    name: str
    state: str
    parent: int
    group: int
    session: int


def process(pid):
    """One process, or None if it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    name = text[text.index("(") + 1 : text.rindex(")")]
    fields = text[text.rindex(")") + 2 :].split()
    return Process(int(pid), name, fields[0], *(int(field) for field in fields[1:4]))


def processes():
    found = (process(int(entry)) for entry in os.listdir("/proc") if entry.isdigit())
    return [each for each in found if each]


def children(pid):
    return [each for each in processes() if each.parent == pid]


def descendants(pid):
    """Children of `pid`, theirs, and so on."""
    parents = {each.pid: each.parent for each in processes()}

    def is_below(found):
        while found in parents:
            found = parents[found]
            if found == pid:
                return True
        return False

    return [found for found in parents if is_below(found)]


def zombies(pid):
    """Children of `pid` that ended and were not waited for."""
    return [each for each in children(pid) if each.state == "Z"]


def is_alive(pid):
    """Whether the process runs; one that only waits to be reaped does not."""
    found = process(pid)
    return bool(found) and found.state not in "ZX"


def marked(marker):
    """Every process that carries `marker` in the environment it was started with."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                environment = Path(f"/proc/{entry}/environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if marker.encode() in environment:
                found.append(int(entry))
    return found


def status_fields(pid):
    """The lines of /proc/PID/status by name."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
