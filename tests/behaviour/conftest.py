import os
import subprocess
from pathlib import Path

import pytest

from harness.daemon import Directory
from harness.fixtures import new_daemon, original  # noqa: F401
from harness.subject import NO_ORIGINAL, ORIGINAL, TESTED


def pytest_report_header():
    return [f"tested: {TESTED} ({' '.join(TESTED.daemon)})", f"original: {ORIGINAL.daemon[0] if ORIGINAL else NO_ORIGINAL}"]


def pytest_collection_modifyitems(items):
    for item in items:
        if mark := item.get_closest_marker("ours"):
            if TESTED is ORIGINAL:
                item.add_marker(pytest.mark.skip(reason=f"the original differs: {mark.args[0]}"))
        if item.get_closest_marker("root") and os.geteuid() != 0:
            item.add_marker(pytest.mark.skip(reason="needs to be root"))


@pytest.fixture(scope="session")
def compiled():
    """Builds one of programs/*.c and answers with its path, which every user may run."""
    place = Directory()
    directory = place.path

    def build(name):
        target = directory / name
        if not target.exists():
            source = Path(__file__).parent / "programs" / f"{name}.c"
            subprocess.run(["cc", "-O1", "-Wall", "-o", target, source], check=True)
            target.chmod(0o755)
        return target

    yield build
    place.remove()
