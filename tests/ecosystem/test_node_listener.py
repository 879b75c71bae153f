"""The listener `supervisord-eventlistener` for Node hears what happens."""
import json
import shutil

import pytest

from harness.wait import until

LISTENER = """
const listener = require('supervisord-eventlistener'), fs = require('fs');
listener.on('event', (name, headers, data) => fs.appendFileSync(process.argv[2], JSON.stringify([name, headers.pool, data]) + '\\n'));
listener.listen(process.stdin, process.stdout);
"""


@pytest.mark.skipif(not shutil.which("node"), reason="needs node (Debian: nodejs)")
def test_the_listener(new_daemon, script, tmp_path):
    heard = tmp_path / "heard"
    daemon = new_daemon(
        programs="[program:web]\ncommand=/bin/sleep 9999\nautostart=false\n"
        f"[eventlistener:node]\ncommand=node {script('listener.js', LISTENER)} {heard}\nevents=PROCESS_STATE,SUPERVISOR_STATE_CHANGE\n"
    ).start()
    daemon.until_running("node")
    daemon.supervisor("startProcess", "web")
    daemon.supervisor("stopProcess", "web")

    def events():
        return [json.loads(line) for line in heard.read_text().splitlines()] if heard.exists() else []

    of_web = lambda: [name for name, _, data in events() if data and data.get("processname") == "web"]  # noqa: E731
    until(lambda: "PROCESS_STATE_STOPPED" in of_web(), "the last event")
    assert of_web() == [f"PROCESS_STATE_{state}" for state in ("STARTING", "RUNNING", "STOPPING", "STOPPED")]
    name, pool, data = next(each for each in events() if each[2] and each[2].get("processname") == "web")
    assert (pool, data) == ("node", {"processname": "web", "groupname": "web", "from_state": "STOPPED", "tries": "0"})
