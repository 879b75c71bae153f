"""Ansible's module community.general.supervisorctl, which reads what supervisorctl prints."""
import json
import re

import pytest

from conftest import run

PROGRAMS = """
[program:web]
command=/bin/sleep 9999
startsecs=0
[program:worker]
command=/bin/sleep 9999
startsecs=0
numprocs=2
process_name=%(program_name)s_%(process_num)02d
"""


@pytest.fixture
def module(installed, commands, tmp_path):
    """Runs the module on this machine; answers with what it says."""
    folder = installed("ansible")

    def call(daemon, **arguments):
        words = " ".join(f"{name}={value}" for name, value in {"config": daemon.file, "supervisorctl_path": commands / "supervisorctl", **arguments}.items())
        environment = {
            **daemon.environment(), "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"), "ANSIBLE_LOCALHOST_WARNING": "False", "HOME": str(tmp_path),
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCAL_TEMP": str(tmp_path), "ANSIBLE_REMOTE_TEMP": str(tmp_path),
        }
        answer = run(folder / "venv/bin/ansible", "localhost", "-c", "local", "-m", "community.general.supervisorctl", "-a", words, env=environment)
        found = re.search(r"localhost \| (\w+)!? => (\{.*\})", answer.stdout, re.S)
        assert found, answer.stdout + answer.stderr
        return {"result": found[1], **json.loads(found[2])}

    return call


@pytest.mark.timeout(240)
def test_states_are_reached_and_told(new_daemon, module):
    daemon = new_daemon(programs=PROGRAMS).start()
    (before,) = daemon.until_running("web")

    stopped = module(daemon, name="web", state="stopped")
    assert stopped["changed"] is True and daemon.info("web")["statename"] == "STOPPED", stopped
    assert module(daemon, name="web", state="stopped")["changed"] is False
    started = module(daemon, name="web", state="started")
    assert started["changed"] is True, started
    (after,) = daemon.until_running("web")
    assert after != before
    restarted = module(daemon, name="worker:", state="restarted")
    assert restarted["changed"] is True, restarted
    signalled = module(daemon, name="web", state="signalled", signal="CONT")
    assert signalled["changed"] is True, signalled


@pytest.mark.timeout(240)
def test_programs_come_and_go(new_daemon, module):
    daemon = new_daemon(programs=PROGRAMS).start()
    daemon.until_running("web")
    # "present" rereads the file and adds the group; "absent" stops and removes it.
    daemon.configure(PROGRAMS + "[program:fresh]\ncommand=/bin/sleep 9999\nstartsecs=0\n")
    present = module(daemon, name="fresh", state="present")
    assert present["changed"] is True, present
    daemon.until_running("fresh")
    assert module(daemon, name="fresh", state="present")["changed"] is False
    absent = module(daemon, name="fresh", state="absent", stop_before_removing="true")
    assert absent["changed"] is True, absent
    assert "fresh:fresh" not in daemon.states()
