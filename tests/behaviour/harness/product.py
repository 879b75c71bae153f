"""The example that `make run` starts, in a copy with ports of its own and an empty volume."""
import re
import shutil
import subprocess

from .rpc import free_port
from .subject import REPOSITORY, TESTED


def copy_to(daemon, without=()):
    """Copies it to where the daemon is, leaving out what sections are named."""
    shutil.copytree(REPOSITORY / "examples/product", daemon.directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("state"))
    daemon.state = daemon.directory / "state"
    daemon.state.mkdir()
    ports = {}
    while len(set(ports.values())) < 6:
        ports = {number: free_port() for number in range(8580, 8586)}
    text = re.sub(r"\b858[0-5]\b", lambda match: str(ports[int(match[0])]), daemon.file.read_text())
    for section in without:
        text, count = re.subn(rf"^\[{section}\]\n(?:(?!\[).*\n)*", "", text, flags=re.M)
        assert count == 1, section
    daemon.write(text.replace("%(here)s/../stack", str(REPOSITORY / "examples/stack")))
    daemon.web, daemon.redis, daemon.postgresql, daemon.mongodb = (ports[number] for number in (8580, 8583, 8584, 8585))
    daemon.socket = daemon.state / "supervisor.sock"
    daemon.main_log = daemon.state / "supervisord.log"
    return daemon


def ours(daemon, *words, check=True):
    """One of our commands with its file."""
    asked = subprocess.run(
        [TESTED.daemon[0], *words, "-c", str(daemon.file)], capture_output=True, text=True, timeout=90, env=daemon.environment()
    )
    assert not check or asked.returncode == 0, asked
    return asked


def ready(daemon):
    waited = ours(daemon, "status", "--wait", "ready", "--timeout", "60s", check=False)
    assert waited.returncode == 0, f"{waited.stdout}{waited.stderr}\n{daemon.said()}"
    return daemon


def services(daemon):
    """What there is, by name, with its state."""
    return {each["name"]: each["statename"] for each in daemon.supervisor("getAllProcessInfo")}


def address_elsewhere():
    """An address of this machine that is not the loopback, or None."""
    found = subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split()
    return found[0] if found else None
