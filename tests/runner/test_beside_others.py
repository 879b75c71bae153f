"""A test that fails beside others is run once more alone, which is said, and is counted once."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]

GOOD = "def test_good(): pass\n"
# Fails as long as there is no file beside it.
AT_FIRST = """
import pathlib, pytest

@pytest.mark.parametrize("word", WORDS)
def test_at_first(word):
    file = pathlib.Path(__file__).with_name(word.replace("/", "-"))
    was_there = file.exists()
    file.touch()
    assert was_there
"""
ALWAYS = "def test_always(): assert False\n"
# Alone it passes, and what comes after it fails at first.
ITS_END = """
import pathlib, pytest

@pytest.fixture
def used():
    yield
    file = pathlib.Path(__file__).with_name("end")
    was_there = file.exists()
    file.touch()
    assert was_there

def test_its_end(used): pass
"""
SKIPPED = "import pytest\ndef test_skipped(): pytest.skip('for no reason')\n@pytest.mark.xfail\ndef test_known(): assert False\n"
SKIPPED_ALONE = "import os, pytest\ndef test_skipped_alone():\n    if not os.environ.get('PYTEST_XDIST_WORKER'): pytest.skip('alone')\n    assert False\n"
CANNOT_BE_READ = "import nothing_of_that_name\n"


@pytest.fixture
def run(tmp_path):
    """Runs some tests; answers with the status, what was said, and what the totals make of it."""

    def run(*options, **sources):
        folder = tmp_path / "tests/behaviour"
        folder.mkdir(parents=True)
        for name in ("beside_others", "pytest.ini"):
            shutil.copy(TESTS / name, folder.parent)
        for name, source in sources.items():
            (folder / f"test_{name}.py").write_text(source)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        command = [sys.executable, "tests/beside_others", "tests/behaviour", *options]
        done = subprocess.run(command, cwd=tmp_path, env={**kept, "PYTEST_JOBS": "2"}, capture_output=True, text=True)
        log = tmp_path / "log"
        log.write_text(done.stdout + done.stderr)
        totals = subprocess.run([TESTS / "totals", log], capture_output=True, text=True, check=True).stdout
        return done.returncode, log.read_text(), tuple(map(int, totals.split()))

    return run


def at_first(*words):
    return AT_FIRST.replace("WORDS", repr(words))


def test_where_nothing_fails_nothing_is_run_again(run):
    status, said, totals = run(good=GOOD, skipped=SKIPPED)
    assert (status, totals) == (0, (2, 0, 1)), said
    assert "alone" not in said


def test_one_that_passes_alone_is_named_and_counts_as_passed(run):
    status, said, totals = run(good=GOOD, at_first=at_first("a"), its_end=ITS_END, skipped=SKIPPED)
    assert (status, totals) == (0, (4, 0, 1)), said
    assert "\nfailed beside others, passed alone: tests/behaviour/test_at_first.py::test_at_first[a]\n" in said
    assert "\nfailed beside others, passed alone: tests/behaviour/test_its_end.py::test_its_end\n" in said


def test_one_that_fails_alone_fails_the_run(run):
    status, said, totals = run(good=GOOD, always=ALWAYS, at_first=at_first("/a/../b::c"))
    assert (status, totals) == (1, (2, 1, 0)), said
    assert "\nfailed beside others, FAILED alone: tests/behaviour/test_always.py::test_always\n" in said
    assert "\nfailed beside others, passed alone: tests/behaviour/test_at_first.py::test_at_first[/a/../b::c]\n" in said


def test_one_that_is_skipped_alone_has_not_passed(run):
    status, said, totals = run(good=GOOD, skipped_alone=SKIPPED_ALONE)
    assert (status, totals) == (1, (1, 1, 0)), said


def test_three_may_need_to_be_alone(run):
    status, said, totals = run(at_first=at_first("a", "b", "c"), good=GOOD)
    assert (status, totals) == (0, (4, 0, 0)), said
    assert said.count("failed beside others, passed alone:") == 3


def test_four_are_no_bad_luck(run):
    status, said, totals = run(at_first=at_first("a", "b", "c", "d"), good=GOOD)
    assert (status, totals) == (1, (1, 4, 0)), said


def test_a_file_that_cannot_be_read_fails_the_run(run):
    status, said, totals = run(good=GOOD, unreadable=CANNOT_BE_READ)
    assert status != 0, said
    assert totals[1] == 1, said


def test_a_worker_that_dies_takes_one_test_with_it(run):
    dies = "import os\ndef test_dies(): os.environ.get('PYTEST_XDIST_WORKER') and os._exit(9)\n"
    status, said, totals = run(good=GOOD, dies=dies)
    assert (status, totals) == (0, (2, 0, 0)), said
    assert "\nfailed beside others, passed alone: tests/behaviour/test_dies.py::test_dies\n" in said


def test_no_test_at_all_is_a_failure(run):
    status, said, _ = run("-k", "nothing_of_that_name", good=GOOD)
    assert status == 5, said
