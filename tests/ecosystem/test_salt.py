"""Salt's execution module and state for Supervisor, which read what supervisorctl prints and the file itself."""
import json

import pytest

from conftest import run

PROGRAMS = """
[program:web]
command=/bin/sleep 9999
startsecs=0
[program:worker]
command=/bin/sleep 9999
startsecs=0
autostart=false
"""
# One caller for all calls: it takes seconds to start.
SCRIPT = """
import json, sys
import salt.client, salt.config
folder, calls = sys.argv[1], json.loads(sys.argv[2])
options = salt.config.minion_config(None, minion_id="here")
options.update(file_client="local", root_dir=folder, cachedir=folder + "/cache", pki_dir=folder + "/pki", sock_dir=folder + "/run", log_file=folder + "/log", log_level="quiet",
               extension_modules=folder + "/extmods", master_type="disable", grains={"os": "Debian"}, disable_grains=["core"], enable_fqdns_grains=False)
caller = salt.client.Caller(mopts=options)
print("ANSWERS" + json.dumps([caller.cmd(call[0], *call[1], **call[2]) for call in calls]))
"""


@pytest.mark.timeout(240)
def test_the_module_and_the_state(new_daemon, installed, commands, tmp_path):
    folder = installed("salt")
    daemon = new_daemon(programs=PROGRAMS).start()
    (before,) = daemon.until_running("web")
    where = {"conf_file": str(daemon.file), "bin_env": str(commands / "supervisorctl")}
    calls = [
        ("supervisord.status", ["web"], where),
        ("supervisord.status_raw", ["web"], where),
        ("supervisord.stop", ["web"], where),
        ("supervisord.status_bool", ["web"], where),
        ("supervisord.start", ["web"], where),
        ("supervisord.restart", ["web"], where),
        ("supervisord.status", ["nobody"], where),
        ("supervisord.reread", [], where),
        ("supervisord.update", [], where),
        ("supervisord.options", ["worker"], {"conf_file": str(daemon.file)}),
        ("state.single", ["supervisord.running"], {"name": "worker", **where}),
        ("state.single", ["supervisord.running"], {"name": "worker", **where}),
        ("state.single", ["supervisord.dead"], {"name": "worker", **where}),
    ]
    answer = run(folder / "venv/bin/python", "-c", SCRIPT, tmp_path, json.dumps(calls), env=daemon.environment())
    assert "ANSWERS" in answer.stdout, answer.stdout[-2000:] + answer.stderr[-2000:]
    answers = json.loads(answer.stdout.split("ANSWERS", 1)[1])
    status, raw, stopped, after_stop, started, restarted, nobody, reread, update, options, running, again, dead = answers
    assert status["web"]["state"] == "RUNNING" and f"pid {before}" in status["web"]["reason"]
    assert raw.splitlines()[0].split()[:2] == ["web", "RUNNING"]
    assert (stopped, started, restarted) == ("web: stopped", "web: started", "web: stopped\nweb: started")
    assert after_stop is False
    assert nobody == {"nobody:": {"state": "ERROR", "reason": "(no such process)"}}
    assert reread == "No config updates to processes" and update == ""
    assert options["command"] == "/bin/sleep 9999"
    results = [next(iter(each.values())) for each in (running, again, dead)]
    assert [each["result"] for each in results] == [True, True, True], results
    assert [bool(each["changes"]) for each in results] == [True, False, True], results
    assert daemon.info("worker")["statename"] == "STOPPED" and daemon.until_running("web")[0] != before
