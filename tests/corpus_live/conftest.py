import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The harness is the behaviour suites'.
sys.path[:0] = [str(HERE), str(HERE.parent / "behaviour")]


def pytest_terminal_summary(terminalreporter):
    import corpus

    for line in corpus.SAID:
        terminalreporter.line(line)
