"""Commands that used to be plug-ins of supervisorctl: built in, where their section stands in the file."""
import pytest

from harness.daemon import Daemon
from harness.wait import until

pytestmark = pytest.mark.ours("it would load the packages, which are not installed")

PROGRAMS = """
[program:cat]
command=/bin/cat
[program:web]
command=/bin/cat
numprocs=3
process_name=%(program_name)s_%(process_num)d
[program:off]
command=/bin/cat
autostart=false
[program:failing]
command=/no/such/program
autostart=false
startretries=0
"""
RUNNING = ("cat", "web:web_0", "web:web_1", "web:web_2")
SERIALRESTART = "[ctlplugin:one]\nsupervisor.ctl_factory = supervisorserialrestart.controllerplugin:make_serialrestart_controllerplugin\n"
WILDCARDS = "[ctlplugin:many]\nsupervisor.ctl_factory = supervisorwildcards.controllerplugin:make_wildcards_controllerplugin\n"
QUICK = "[ctlplugin:fast]\nsupervisor.ctl_factory = supervisor_quick:make_quick_controllerplugin\n"
OTHER = "[ctlplugin:else]\nsupervisor.ctl_factory = somebody.elses:make_commands\n"


@pytest.fixture
def started(new_daemon):
    def start(plugins) -> Daemon:
        daemon = new_daemon(programs=PROGRAMS + plugins).start()
        daemon.until_running(*RUNNING)
        return daemon

    return start


def lines(daemon, *words, status=0):
    answer = daemon.control(*words)
    assert answer.returncode == status, answer
    assert answer.stderr == ""
    return answer.stdout.splitlines()


def pids(daemon):
    return {each["name"]: each["pid"] for each in daemon.supervisor("getAllProcessInfo")}


def test_serialrestart_takes_one_after_the_other(started):
    daemon = started(SERIALRESTART)
    before = pids(daemon)
    assert lines(daemon, "serialrestart", "web:*") == [f"web:web_{number}: {word}" for number in range(3) for word in ("stopped", "started")]
    after = pids(daemon)
    assert after["cat"] == before["cat"] and all(after[f"web_{number}"] != before[f"web_{number}"] for number in range(3))
    assert lines(daemon, "serialrestart", "c?t", "web:*_[!0-1]", "cat") == ["cat: stopped", "cat: started", "web:web_2: stopped", "web:web_2: started"]
    assert lines(daemon, "serialrestart", "nobody", "cat") == ["No such process nobody", "cat: stopped", "cat: started"]
    assert lines(daemon, "serialrestart")[0] == "Error: serialrestart requires a process name"


def test_serialrestart_of_all(started):
    daemon = started(SERIALRESTART)
    said = lines(daemon, "serialrestart", "all", status=1)
    assert said[:2] == ["cat: stopped", "cat: started"]
    assert said[2:4] == ["failing: ERROR (not running)", "failing: ERROR (no such file)"]
    assert said[4:6] == ["off: ERROR (not running)", "off: started"]
    assert len(said) == 12


def test_wildcards(started):
    daemon = started(WILDCARDS)
    before = pids(daemon)
    assert sorted(lines(daemon, "mstop", "web*")) == [f"web:web_{number}: stopped" for number in range(3)]
    assert sorted(lines(daemon, "mstart", "web_[01]", "o*")) == ["off: started", "web:web_0: started", "web:web_1: started"]
    assert lines(daemon, "mrestart", "ca?") == ["cat: stopped", "cat: started"]
    assert pids(daemon)["cat"] != before["cat"]
    assert lines(daemon, "mstop", "nobody") == ["No process matched given expression."]
    assert lines(daemon, "mstart", "fail*", status=1) == ["failing: ERROR (no such file)"]
    assert len(lines(daemon, "mstop", "all")) == 6
    assert set(daemon.states().values()) <= {"STOPPED", "FATAL"}


def test_wildcards_with_the_name_of_the_group(started):
    daemon = started(WILDCARDS + "match_group=1\n")
    assert lines(daemon, "mstop", "web_0") == ["No process matched given expression."]
    assert lines(daemon, "mstop", "web:web_0") == ["web:web_0: stopped"]


def test_wildcards_stop_at_the_same_time(started):
    daemon = started(WILDCARDS)
    # Ten processes that take a second each would take ten.
    slow = "[program:slow]\ncommand=/bin/sh -c 'trap \"\" TERM; sleep 9999 & wait; wait'\nnumprocs=10\nprocess_name=slow_%(process_num)d\nstopwaitsecs=2\nkillasgroup=true\n"
    daemon.write(daemon.file.read_text() + slow)
    lines(daemon, "update")
    until(lambda: sum(state == "RUNNING" for state in daemon.states().values()) == 14, "all run")
    lines(daemon, "mstop", "slow*")
    stops = [each["stop"] for each in daemon.supervisor("getAllProcessInfo") if each["group"] == "slow"]
    assert len(stops) == 10 and max(stops) - min(stops) <= 5


def test_quick(started):
    daemon = started(QUICK)
    assert sorted(lines(daemon, "quickstop", "web:")) == [f"web:web_{number}: STOPPED" for number in range(3)]
    assert lines(daemon, "quickstart", "web:web_0", "off:off") == ["off:off: RUNNING", "web:web_0: RUNNING"]
    assert lines(daemon, "quickstop", "web:web_1") == ["web:web_1 ERROR(NOT_RUNNING)"]
    assert lines(daemon, "quickrestart", "c*") == ["cat:cat: STOPPED", "cat:cat: RUNNING"]
    assert lines(daemon, "quickstart") == ["No process matched given expression."]
    assert lines(daemon, "quickstart", "nobody") == []


def test_quick_gives_up_looking(started):
    daemon = started(QUICK + "retries=2\n[program:slow]\ncommand=/bin/cat\nautostart=false\nstartsecs=1000\n")
    assert lines(daemon, "quickstart", "slow:*") == ["slow:slow: STARTING"]


def test_help_and_their_absence(started):
    daemon = started(SERIALRESTART + WILDCARDS + QUICK)
    said = lines(daemon, "help")
    assert "one commands (type help <topic>):" in said and "many commands (type help <topic>):" in said
    assert lines(daemon, "help", "mstop")[0].startswith("mstop ")
    daemon.configure(PROGRAMS)
    for command in ("serialrestart", "mstop", "mstart", "mrestart", "quickstop", "quickstart", "quickrestart"):
        assert lines(daemon, command, "cat", status=1) == [f"*** Unknown syntax: {command} cat"]
        assert lines(daemon, "help", command) == [f"*** No help on {command}"]


def test_commands_of_other_packages_are_told_to_be_missing(started):
    daemon = started(OTHER)
    assert lines(daemon, "status", "cat")[0].startswith("cat ")
    said = lines(daemon, "somecommand", "cat", status=1)
    assert said[0] == "*** Unknown syntax: somecommand cat"
    assert said[1:] == ["[ctlplugin:else] asks for commands of the Python package behind somebody.elses:make_commands, which this supervisorctl cannot load"]
