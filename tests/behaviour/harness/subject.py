"""Who is tested: our binary, or, to calibrate a suite, the original.

`LINCHPIN_BIN` names the binary, `LINCHPIN_ORACLE` a Python that has the original installed, and
`LINCHPIN_SUBJECT=original` runs a suite against the original.
"""
import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Subject:
    name: str
    daemon: tuple
    control: tuple
    pidproxy: tuple
    sample: tuple

    def __str__(self):
        return self.name


def _linchpin():
    binary = os.environ.get("LINCHPIN_BIN") or REPOSITORY / "target/release/linchpin"
    binary = str(Path(binary).absolute())
    return Subject("linchpin", (binary, "supervisord"), (binary, "supervisorctl"), (binary, "pidproxy"), (binary, "echo_supervisord_conf"))


def _original():
    python = Path(os.environ.get("LINCHPIN_ORACLE") or REPOSITORY / "target/test-tools/venv/bin/python").absolute()
    if not python.exists():
        return None
    programs = ("supervisord", "supervisorctl", "pidproxy", "echo_supervisord_conf")
    return Subject("original", *((str(python.parent / name),) for name in programs))


LINCHPIN = _linchpin()
ORIGINAL = _original()
NO_ORIGINAL = "no Python with the original installed: set LINCHPIN_ORACLE"
TESTED = ORIGINAL if os.environ.get("LINCHPIN_SUBJECT") == "original" else LINCHPIN
# The long suites are for a person's patience, not for CI.
LONG = bool(os.environ.get("LINCHPIN_LONG"))
