"""Event listeners that write down what they get, and their records."""
import json
import re
import sys
from pathlib import Path

from .wait import until

LISTENER = Path(__file__).resolve().parents[1] / "programs" / "listener.py"


def listener(name, events, *answers, extra=""):
    """A section whose listeners leave their records in NAME.jsonl."""
    words = " ".join(answers)
    return f"[eventlistener:{name}]\ncommand={sys.executable} -S {LISTENER} %(here)s/{name}.jsonl {words}\nevents={events}\n{extra}\n"


class Record:
    """What the listeners of one section have got."""

    def __init__(self, daemon, name):
        self.daemon, self.file = daemon, f"{name}.jsonl"

    def all(self):
        lines = self.daemon.read(self.file).split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def names(self):
        return [event["headers"]["eventname"] for event in self.all()]

    def until(self, condition, what, timeout=30):
        def seen():
            seen.events = self.all()
            return seen.events if condition(seen.events) else None

        try:
            return until(seen, f"{self.file}: {what}", timeout)
        except AssertionError as error:
            said = "\n".join(str(normal(event)) for event in seen.events)
            raise AssertionError(f"{error}\n{said}\n{self.daemon.said()}") from None

    def until_count(self, count, timeout=30):
        return self.until(lambda events: len(events) >= count, f"{count} events", timeout)

    def until_name(self, name, count=1, timeout=30):
        return self.until(
            lambda events: sum(event["headers"]["eventname"] == name for event in events) >= count, f"{count} {name}", timeout
        )

    def until_body(self, text, timeout=30):
        return self.until(lambda events: any(text in event["body"] for event in events), f"{text!r} in a body", timeout)


def normal(event):
    """An event without what differs from run to run: process ids, times, and the length that depends on them."""
    body = re.sub(r"\bpid:[1-9]\d*", "pid:N", event["body"])
    body = re.sub(r"\bwhen:\d+", "when:T", body)
    line = event["line"]
    if body != event["body"]:
        assert f" len:{len(event['body'])}\n" in line
        line = re.sub(r" len:\d+\n", " len:N\n", line)
    return line, body
