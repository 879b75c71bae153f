"""Comparing what two daemons or two clients said, without what differs from run to run."""
import re

REPLACED = (
    (r"\bpid \d+", "pid N"),
    (r"\buptime (\d+ days?, )?\d+:\d\d:\d\d", "uptime T"),
    (r"\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d\d \d\d:\d\d (AM|PM)", "DATE"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}", "TIME"),
    (r"/tmp/lp-\w+", "DIRECTORY"),
    (r"---(\w+)-\w{8}\.log", r"---\1-XXXXXXXX.log"),
    # A class name of Python's library and a place in its source, in the original's unforeseen errors.
    (r"<class '[^']*'>", "<class>"),
    (r": file: .* line: \d+", ": file: F line: N"),
)


def normal(text):
    for pattern, replacement in REPLACED:
        text = re.sub(pattern, replacement, text)
    return text


VOLATILE_FIELDS = {"pid": "PID", "start": "TIME", "stop": "TIME", "now": "TIME"}


def normal_value(value):
    """An XML-RPC result with pids, times and paths taken out; zero stays zero, for it means "none"."""
    if isinstance(value, dict):
        return {
            name: VOLATILE_FIELDS[name] if name in VOLATILE_FIELDS and each else normal_value(each) for name, each in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [normal_value(each) for each in value]
    return normal(value) if isinstance(value, str) else value
