"""The same configuration and the same script, under the original and under ours: nobody can tell which is which.

All scenarios that were chosen are played at once when the first of them is asked for, for they mostly wait: the original
looks round once in a second. Then each test compares what was written down, and plays alone once more what disagreed.
"""
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import events
from harness.daemon import Daemon, Directory
from harness.subject import LINCHPIN, NO_ORIGINAL, ORIGINAL, TESTED
from play import WITNESS, Side
from scenarios import AGAIN, TALLY, stages

# How many daemons are started at once, and how many scenarios are played at once on each.
PAIRS_AT_ONCE = 10
SCENARIOS_AT_ONCE = 12

STAGES = stages()
SCENARIOS = [scenario for stage in STAGES for scenario in stage.scenarios]


class Performance:
    """Plays scenarios on one daemon of each make and keeps what was seen: scenario -> [theirs, ours]."""

    def __init__(self, stage, scenarios):
        self.stage, self.scenarios = stage, scenarios
        self.seen = {str(scenario): [None, None] for scenario in scenarios}

    def run(self):
        threads = [threading.Thread(target=self.run_side, args=(index, subject)) for index, subject in enumerate((ORIGINAL, TESTED))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.seen

    def run_side(self, index, subject):
        directory = Directory()
        daemon = Daemon(directory.path, subject)
        side = Side(daemon, self.stage)
        try:
            for scenario in self.scenarios:
                for name, text in scenario.blocks.items():
                    if name.startswith("file "):
                        (directory.path / name[5:].replace("@", scenario.own)).write_text(text.replace("@", scenario.own))
            configuration = "".join(scenario.configuration.replace("@", scenario.own) for scenario in self.scenarios)
            configuration = configuration.replace("LISTENER", f"{sys.executable} -S {events.LISTENER}")
            if self.stage.listener:
                configuration += events.listener(WITNESS, f"{self.stage.listener},REMOTE_COMMUNICATION", extra="buffer_size=10000")
            if "[supervisord]" in configuration:
                daemon.write(configuration.replace("\\r\n", "\r\n"))
            else:
                daemon.configure(configuration, supervisord="\n".join(self.stage.supervisord))
            if not all(step.text.startswith(("supervisord ", "sh ", "file ", "use ")) for scenario in self.scenarios for step in scenario.steps):
                side.start(*(word for scenario in self.scenarios for word in scenario.blocks.get("arguments", "").split()))
            with ThreadPoolExecutor(SCENARIOS_AT_ONCE) as pool:
                records = pool.map(side.play, self.scenarios)
                for scenario, record in zip(self.scenarios, records):
                    self.seen[str(scenario)][index] = record
        except Exception as error:
            for scenario in self.scenarios:
                self.seen[str(scenario)][index] = [("the daemon", f"failed: {type(error).__name__}: {error}")]
        finally:
            side.stop()
            daemon.discard()
            directory.remove()


@pytest.fixture(scope="session")
def played(request):
    if ORIGINAL is None:
        pytest.skip(NO_ORIGINAL)
    chosen = [item.callspec.params["scenario"] for item in request.session.items if "scenario" in getattr(getattr(item, "callspec", None), "params", {})]
    performances = []
    for stage in STAGES:
        mine = [scenario for scenario in stage.scenarios if scenario in chosen]
        performances += [Performance(stage, [each]) for each in mine] if stage.alone else [Performance(stage, mine)] if mine else []
    # The long ones first.
    performances.sort(key=lambda each: -len(each.scenarios))
    with ThreadPoolExecutor(PAIRS_AT_ONCE) as pool:
        return {name: records for seen in pool.map(Performance.run, performances) for name, records in seen.items()}


def same(theirs, ours):
    if isinstance(theirs, dict) and "err" in theirs and theirs.get("status"):
        # Ours goes on where theirs stops at the first problem; both end with a line about -h.
        first = theirs["err"].split("For help, use")[0]
        return isinstance(ours, dict) and ours["status"] == theirs["status"] and ours["err"].startswith(first) and ours["out"] == theirs["out"]
    return theirs == ours


def differences(theirs, ours, where=""):
    """The places where two values differ, for a person."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return [each for key in sorted({*theirs, *ours}) for each in differences(theirs.get(key), ours.get(key), f"{where}.{key}")]
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        return [each for index, (wanted, got) in enumerate(zip(theirs, ours)) for each in differences(wanted, got, f"{where}[{index}]")]
    return [] if theirs == ours else [f"  at {where or 'all'}\n    theirs {theirs}\n    ours   {ours}"]


def judged(scenario, theirs, ours):
    """What should not be, and the rows of docs/compatibility.md by which the two differ."""
    differs = {step.text: step.differs for step in scenario.steps if step.differs}
    differs.update(scenario.differs)
    if [what for what, _ in ours] != [what for what, _ in theirs]:
        return [f"one of them stops early\n  theirs {theirs[-1]}\n  ours   {ours[-1]}"], []
    problems, rows = [], []
    for (what, wanted), (_, got) in zip(theirs, ours):
        if isinstance(wanted, str) and wanted.startswith("failed: "):
            problems.append(f"{what}: the script fails under the original: {wanted}")
        elif what in differs and TESTED is LINCHPIN:
            rows.append(differs[what])
            if same(wanted, got):
                problems.append(f"{what}: does not differ any more, though it is said to ({differs[what]})")
        elif not same(wanted, got):
            problems.append("\n".join([what, *differences(wanted, got)]))
    return problems, rows


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_agrees(played, scenario):
    problems, rows = judged(scenario, *played[str(scenario)])
    if problems:
        # Beside so many others the original may notice a death a second late, and tell another story. A difference that is
        # there when they are alone is one.
        AGAIN.append(f"{scenario}: {problems[0][:300]}")
        problems, rows = judged(scenario, *Performance(scenario.stage, [scenario]).run()[str(scenario)])
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)
    TALLY[str(scenario)] = rows
