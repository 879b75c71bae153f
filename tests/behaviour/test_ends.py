"""When the end of a service is the end of the daemon, with which exit status, and how long it may take."""
import json
import signal

import pytest

from harness.processes import is_alive
from harness.wait import stays, until

pytestmark = pytest.mark.ours("these options mean nothing to it")

STAYS = "[program:stays]\ncommand=sleep 1000\nstartsecs=0\n"
# It does not end when it is told to.
STUBBORN = "sh -c 'trap \"\" TERM; echo ready > {ready}; while :; do sleep 1000; done'"


def program(text, command, name="a"):
    return f"[program:{name}]\ncommand={command}\n{text}\n"


def exit_status(daemon, timeout=30):
    return daemon.process.wait(timeout)


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("sh -c 'exit 3'", 3),
        ("sh -c 'kill -SEGV $$'", 128 + signal.SIGSEGV),
        ("/bin/true", 1),
        ("/no/such/command", 127),
        ("/etc/passwd", 126),
    ],
)
def test_a_service_that_is_given_up_ends_the_daemon(new_daemon, command, status):
    daemon = new_daemon(programs=STAYS + program("startretries=0\non_fatal=shutdown", command)).launch()
    assert exit_status(daemon) == status
    assert f"shutting down, as on_fatal says, with exit status {status}" in daemon.log()
    assert "stopped: stays" in daemon.log()


def test_nothing_ends_without_the_option(new_daemon):
    daemon = new_daemon(programs=STAYS + program("startretries=0", "/bin/false")).start()
    daemon.until_state("a", "FATAL")
    stays(daemon.is_running, "it goes on", 1)
    assert daemon.stop() == 0


@pytest.mark.parametrize(("command", "status"), [("/bin/true", 0), ("sh -c 'exit 7'", 7)])
def test_a_service_that_has_ended_ends_the_daemon(new_daemon, command, status):
    text = STAYS + program("startsecs=0\nautorestart=false\non_exit=shutdown", command)
    daemon = new_daemon(programs=text).launch()
    assert exit_status(daemon) == status


def test_an_essential_service_ends_it_either_way(new_daemon):
    text = program("startsecs=0\nautorestart=false\nimportance=essential", "sh -c 'exit 9'")
    assert exit_status(new_daemon(programs=text).launch()) == 9


def test_an_optional_one_counts_for_nothing(new_daemon):
    text = "[linchpin]\n" + STAYS + program("startretries=0\nimportance=optional", "/bin/false")
    daemon = new_daemon(programs=text).start()
    daemon.until_state("a", "FATAL")
    daemon.until_running("stays")
    assert json.loads(daemon.rpc.linchpin.status())["ready"] is True


def test_a_stop_by_hand_is_no_end_of_the_daemon(new_daemon):
    text = program("startsecs=0\nautorestart=false\nimportance=essential", "sleep 1000")
    daemon = new_daemon(programs=text).start()
    assert daemon.control("stop", "a").stdout == "a: stopped\n"
    stays(daemon.is_running, "it goes on", 1)
    assert daemon.stop() == 0


def test_a_second_chance_comes_first(new_daemon):
    text = program("startretries=0\non_fatal=shutdown\nfatal_retry=100ms", "/bin/false")
    daemon = new_daemon(programs=text).start()
    daemon.until_logged("gave up: a", count=2)
    assert daemon.is_running()


@pytest.mark.parametrize("name", ["a", "g:a"])
def test_the_exit_status_may_come_from_a_service(new_daemon, name):
    text = f"[linchpin]\nexit_code_from={name}\n[group:g]\nprograms=a\n" + program(
        "startsecs=0", "sh -c 'trap \"exit 5\" TERM; echo > %(here)s/ready; while :; do sleep 0.05; done'"
    )
    daemon = new_daemon(programs=text).start()
    daemon.until_file("ready")
    assert daemon.stop() == 5


def test_sigterm_alone_is_a_success(new_daemon):
    text = program("startsecs=0", "sh -c 'trap \"exit 5\" TERM; echo > %(here)s/ready; while :; do sleep 0.05; done'")
    daemon = new_daemon(programs=text).start()
    daemon.until_file("ready")
    assert daemon.stop() == 0


def test_a_shutdown_that_takes_too_long_kills_all_at_once(new_daemon):
    names = ["a", "b", "c"]
    text = "[linchpin]\nshutdown_timeout=500ms\n"
    for priority, name in enumerate(names):
        command = STUBBORN.format(ready=f"%(here)s/{name}.ready")
        text += program(f"startsecs=0\nstopwaitsecs=1000\npriority={priority}", command, name)
    daemon = new_daemon(programs=text).start()
    pids = daemon.until_running(*names)
    for name in names:
        daemon.until_file(f"{name}.ready")
    daemon.process.terminate()
    assert daemon.process.wait(30) == 0
    assert "the shutdown has taken 500 ms (shutdown_timeout): killing a, b, c" in daemon.log()
    until(lambda: not any(is_alive(pid) for pid in pids), "all are gone")


def test_a_shutdown_in_time_says_nothing_of_it(new_daemon):
    daemon = new_daemon(programs="[linchpin]\nshutdown_timeout=20s\n" + STAYS).start()
    assert daemon.stop() == 0
    assert "shutdown_timeout" not in daemon.log()


def test_extensions_off_means_what_the_original_means(new_daemon):
    text = "[linchpin]\nextensions=off\n" + program("startretries=0\non_fatal=shutdown", "/bin/false")
    daemon = new_daemon(programs=text).start()
    daemon.until_state("a", "FATAL")
    stays(daemon.is_running, "it goes on", 1)


def test_an_end_during_a_restart_of_the_daemon_changes_nothing(new_daemon):
    text = program(
        "startsecs=0\nautorestart=false\nimportance=essential",
        "sh -c 'trap \"exit 5\" TERM; echo >> %(here)s/ready; while :; do sleep 0.05; done'",
    )
    daemon = new_daemon(programs=text).start()
    daemon.until_file("ready")
    daemon.signal(signal.SIGHUP)
    daemon.until_file("ready", "\n\n")
    assert daemon.is_running()
