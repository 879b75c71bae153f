import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The harness is the behaviour suites'.
sys.path[:0] = [str(HERE), str(HERE.parent / "behaviour")]

from harness.subject import NO_ORIGINAL, ORIGINAL, TESTED  # noqa: E402


def pytest_report_header():
    return [f"tested: {TESTED} ({' '.join(TESTED.daemon)})", f"original: {ORIGINAL.daemon[0] if ORIGINAL else NO_ORIGINAL}"]


def pytest_terminal_summary(terminalreporter):
    """One line that says how many scenarios agreed, and which were allowed to differ."""
    from scenarios import AGAIN, TALLY

    if TALLY:
        agreed = sum(not rows for rows in TALLY.values())
        allowed = sorted(row for rows in TALLY.values() for row in rows)
        terminalreporter.section("differential scenarios")
        for row in sorted(set(allowed)):
            terminalreporter.line(f"differs as docs/compatibility.md says ({allowed.count(row)}): {row}")
        for scenario in AGAIN:
            terminalreporter.line(f"played again, alone: {scenario}")
        failed = len(terminalreporter.stats.get("failed", [])) + len(terminalreporter.stats.get("error", []))
        terminalreporter.line(
            f"{agreed} scenarios agreed in everything, {len(TALLY) - agreed} in everything but what docs/compatibility.md names, {failed} failed"
        )
