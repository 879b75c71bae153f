"""Starts one real file, made harmless, and tells where its processes end up."""
import hashlib
import time
import xmlrpc.client

from harness import rpc
from harness.daemon import Daemon, Directory

import harmless

LOOK_EVERY_SECONDS = 0.15
# A file whose processes go on changing after this is a failure.
PATIENCE_SECONDS = 60
# How long nothing may change, before it is believed that nothing will. Longer than any program's life that ends by itself.
QUIET_SECONDS = 2.6
# How long a state that was expected has to last.
LASTING_SECONDS = 0.7
ON_THEIR_WAY = {"STARTING", "BACKOFF", "STOPPING"}
LETTERS = {"RUNNING": "R", "EXITED": "E", "FATAL": "F", "STOPPED": "S", "STARTING": "s", "BACKOFF": "b", "STOPPING": "t", "UNKNOWN": "U"}


def outcome(daemon):
    """One word: a digest of the names, and for each process in their order its state and how often it was started."""
    infos = rpc.over_unix(daemon.socket, rpc.basic("u", "p")).supervisor.getAllProcessInfo()
    words = []
    for each in infos:
        starts = daemon.read(f"n-{each['group']}:{each['name']}").count("\n")
        words.append(f"{LETTERS[each['statename']]}{starts}")
    names = "\n".join(f"{each['group']}:{each['name']}" for each in infos)
    settled = not any(each["statename"] in ON_THEIR_WAY for each in infos)
    return " ".join([hashlib.sha256(names.encode()).hexdigest()[:8], *words]), settled


def start(file, subject, expected=None):
    """Where the processes of a file end up. If `expected` is that, there is less to wait for."""
    directory = Directory()
    daemon = Daemon(directory.path, subject)
    try:
        harmless.write(file, directory.path, rpc.free_port)
        environment = {**file.answer["env"]}
        daemon.launch(environment=environment)
        deadline = time.monotonic() + PATIENCE_SECONDS
        last, since = None, time.monotonic()
        while time.monotonic() < deadline:
            if daemon.process.poll() is not None:
                return f"ended with {daemon.process.returncode}: {daemon.said()[:400]}"
            try:
                seen, settled = outcome(daemon)
            except (OSError, xmlrpc.client.Error, ValueError):
                seen, settled = None, False
            now = time.monotonic()
            if seen != last or not settled:
                last, since = seen, now
            elif now - since > (LASTING_SECONDS if seen == expected else QUIET_SECONDS):
                return seen
            time.sleep(LOOK_EVERY_SECONDS)
        return f"never settles: {last}"
    finally:
        daemon.discard()
        directory.remove()
