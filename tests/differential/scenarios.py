"""Reads the scenarios: files of plain text under cases/.

A file begins with lines `key: value` about the daemons it is played on:

    mode: shared | alone     one pair of daemons for all scenarios of the file, or one for each
    supervisord: KEY=VALUE   a line for [supervisord]
    environment: NAME=VALUE  a variable of the daemon
    listener: EVENT,...      a listener that hears these, and whose record is compared for each scenario

and then holds scenarios:

    == ROW... name_of_it
    [program:@]
    ...
    -- another
    [program:@]
    ...
    --
    startProcess('@')
    use another

ROW are rows of docs/checklist.md. Up to the first `--` comes what the configuration file holds beyond the usual head; a block
with a name is another text for it, for the step `use` (`file NAME` is a file of the directory, `arguments` are words of the daemon's
command line); the last block is the script, one step a line (play.py has the steps).
`@` stands for a name of the scenario's own, `LISTENER` for the command of the listener that writes down what it hears. A step that ends with `~ ROW: words` must differ, and docs/compatibility.md must
have a row that begins with ROW and holds the words; `differs WHAT ROW: words` says the same of what is compared at the end.
"""
import re
from dataclasses import dataclass, field
from pathlib import Path

CASES = Path(__file__).resolve().parent / "cases"
COMPATIBILITY = Path(__file__).resolve().parents[2] / "docs/compatibility.md"
# Scenario that was played -> the rows of docs/compatibility.md by which it differed, for the closing line.
TALLY = {}
# Scenarios that were played a second time.
AGAIN = []


@dataclass(frozen=True)
class Step:
    text: str
    # The row of docs/compatibility.md that says that the two differ here.
    differs: str = ""


@dataclass(eq=False)
class Scenario:
    stage: "Stage"
    rows: list
    name: str
    number: int
    configuration: str = ""
    blocks: dict = field(default_factory=dict)
    steps: list = field(default_factory=list)
    # What is compared at the end -> the row that says that it differs.
    differs: dict = field(default_factory=dict)

    @property
    def own(self):
        """The word that `@` stands for. Of the same length everywhere, because tables have columns."""
        return f"t{self.number:03}"

    def __str__(self):
        return f"{self.stage.name}-{self.name}"


@dataclass(eq=False)
class Stage:
    name: str
    alone: bool = False
    supervisord: list = field(default_factory=list)
    environment: dict = field(default_factory=dict)
    listener: str = ""
    scenarios: list = field(default_factory=list)


def compatibility_rows():
    """The first cell and the whole text of every row of docs/compatibility.md."""
    lines = (line.strip() for line in COMPATIBILITY.read_text().splitlines())
    return [(line.split("|")[1].strip(), line) for line in lines if line.startswith("|") and not line.startswith("|---")]


def cited_row(citation):
    """Whether docs/compatibility.md has the row that `ROW: words` cites."""
    row, _, words = citation.partition(":")
    return any(first.startswith(row.strip()) and words.strip() in text for first, text in compatibility_rows())


def read(path):
    stage = Stage(path.stem)
    scenario, block = None, None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        where = f"{path.name}:{number}"
        if line.startswith("== "):
            words = line[3:].split()
            scenario, block = Scenario(stage, words[:-1], words[-1], number), "configuration"
            assert all(re.fullmatch(r"[A-Z]\d\d", row) for row in scenario.rows) and scenario.rows, f"{where}: rows are missing"
            stage.scenarios.append(scenario)
        elif scenario is None:
            if line.strip() and not line.startswith("#"):
                key, _, value = line.partition(":")
                value = value.strip()
                if key == "mode":
                    stage.alone = {"alone": True, "shared": False}[value]
                elif key == "supervisord":
                    stage.supervisord.append(value)
                elif key == "listener":
                    stage.listener = value
                elif key == "environment":
                    name, _, text = value.partition("=")
                    stage.environment[name] = text
                else:
                    raise AssertionError(f"{where}: unknown {key!r}")
        elif line == "--" or line.startswith("-- "):
            block = line[2:].strip() or "script"
            if block != "script":
                scenario.blocks[block] = ""
        elif block == "configuration":
            scenario.configuration += line + "\n"
        elif block != "script":
            scenario.blocks[block] += line + "\n"
        elif line.strip() and not line.startswith("#"):
            text, _, differs = line.strip().partition("  ~ ")
            if differs:
                assert cited_row(differs), f"{where}: docs/compatibility.md has no row {differs!r}"
            if text.startswith("differs "):
                _, what, row = text.split(None, 2)
                assert cited_row(row), f"{where}: docs/compatibility.md has no row {row!r}"
                scenario.differs[what] = row
            else:
                scenario.steps.append(Step(text.strip(), differs.strip()))
    return stage


def stages():
    found = [read(path) for path in sorted(CASES.glob("*.txt"))]
    number = 0
    for stage in found:
        for scenario in stage.scenarios:
            number += 1
            scenario.number = number
    names = [str(scenario) for stage in found for scenario in stage.scenarios]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"two scenarios of one name: {twice}"
    return found
