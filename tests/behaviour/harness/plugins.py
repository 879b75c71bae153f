"""Packages of others that the original loads into its daemon, for comparing ours with them."""
import os
import subprocess
import sys

from .subject import ORIGINAL, REPOSITORY

PACKAGES = ("supervisor_twiddler==1.0.0", "supervisor_cache==1.1.0")
PLACE = REPOSITORY / "target/test-tools/plugins"


def for_original():
    """The environment in which the original finds them; none, after saying why, if they cannot be had."""
    if ORIGINAL is None:
        return None
    if not (PLACE / "complete").exists():
        python = ORIGINAL.daemon[0].replace("supervisord", "python")
        # Beside the original's own environment, which stays as it is.
        place = PLACE.with_name(f"plugins-{os.getpid()}")
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
        result = subprocess.run([*command, "--target", str(place), *PACKAGES], capture_output=True, text=True, timeout=300)
        if result.returncode:
            print(f"no packages of others: {result.stderr[-500:]}", file=sys.stderr)
            return None
        (place / "complete").touch()
        try:
            place.rename(PLACE)
        except OSError:
            # Another run was faster.
            pass
    return {"PYTHONPATH": str(PLACE)}
