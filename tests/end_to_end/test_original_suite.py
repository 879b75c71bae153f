"""The original package's own end-to-end suite, as it is installed, against our binary.

Only two things are changed: what `sys.executable` means (python-or-linchpin beside this file), and one
script that the package's fixtures mention but its release does not carry.
"""
import os
import sys
from pathlib import Path

import pytest

os.environ["END_TO_END"] = "1"
suite = pytest.importorskip("supervisor.tests.test_end_to_end", reason="the original is not installed in this Python")
pytest.importorskip("pexpect")

HERE = Path(__file__).resolve().parent
TESTS_IN_THE_RELEASE = 27
CALIBRATING = os.environ.get("LINCHPIN_SUBJECT") == "original"

# Not there yet, by what each test cannot do without. A test leaves this list as soon as it passes.
NEEDS = {}

HELLO = """\
for n in 1 2 3; do
  sleep 1
  echo "The Øresund bridge ends in Malmö - $n"
done
sleep 60
"""


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, tmp_path):
    python = Path(sys.executable)
    fixtures = Path(suite.__file__).parent / "fixtures"
    if not (fixtures / "hello.sh").exists():
        (fixtures / "hello.sh").write_text(HELLO)
    # Some fixtures name no log file, and so leave one where they were started.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{python.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("LINCHPIN_ORACLE", str(python))
    monkeypatch.setenv("LINCHPIN_BIN", str(Path(os.environ.get("LINCHPIN_BIN", HERE.parents[1] / "target/release/linchpin")).absolute()))
    monkeypatch.setattr(sys, "executable", str(HERE / "python-or-linchpin"))


def leave_out(method, need):
    return pytest.mark.skip(reason=f"needs {need}")(method)


class TestOriginalSuite(suite.EndToEndTests):
    """Every test of the release under its own name, those of NEEDS shown as skipped with the reason."""

    for _name in () if CALIBRATING or os.environ.get("LINCHPIN_ALL_OF_THE_SUITE") else NEEDS:
        locals()[_name] = leave_out(getattr(suite.EndToEndTests, _name), NEEDS[_name])


def test_the_release_holds_the_tests_we_know():
    names = [name for name in dir(suite.EndToEndTests) if name.startswith("test_")]
    assert len(names) == TESTS_IN_THE_RELEASE
    assert set(NEEDS) <= set(names)


def test_the_wrapper_refuses_what_it_does_not_know():
    if CALIBRATING:
        pytest.skip("the wrapper is the original's Python now")
    import subprocess

    for words in (["-m", "supervisor.childutils"], ["-c", "print()"], ["listener.py"], []):
        result = subprocess.run([sys.executable, *words], capture_output=True, text=True)
        assert result.returncode == 97, words
        assert "not known" in result.stderr
