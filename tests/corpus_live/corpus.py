"""Where the real files are, and what the original made of them.

The files belong to others and are not part of the project. `LINCHPIN_CORPUS` names their folder; without it `shared/corpus` beside
the checkout is used if there is one. outcomes.json holds what was seen under the original, made by record.py: for each file a
digest of its processes' names and for each process its last state and how often it was started.
"""
import json
import os
from pathlib import Path

from harness.subject import REPOSITORY

OUTCOMES = Path(__file__).resolve().parent / "outcomes.json"
NO_CORPUS = "no real files here: LINCHPIN_CORPUS is not set and there is no ../shared/corpus"
# What was found, for the last lines of the run.
SAID = []
# How many CI starts: every so many-th of the whole.
IN_CI = 60


def folder():
    named = os.environ.get("LINCHPIN_CORPUS")
    beside = REPOSITORY.parent / "shared/corpus"
    return Path(named) if named else beside if beside.is_dir() else None


def outcomes():
    return json.loads(OUTCOMES.read_text()) if OUTCOMES.exists() else {}
