"""Services are told to read their own configuration again: by a signal, or by a command."""
import xmlrpc.client

import pytest

pytestmark = pytest.mark.ours("it knows nothing of this")

LISTENS = "/bin/sh -c 'trap \"echo got >> %(here)s/got\" USR1; echo >> %(here)s/up; while :; do sleep 0.02; done'"


def started(daemon, *options, command=LISTENS):
    lines = "\n".join(options)
    daemon.configure(f"[linchpin]\n[program:web]\ncommand={command}\nstartsecs=0\n{lines}\n").start()
    daemon.until_running("web")
    if command == LISTENS:
        daemon.until_file("up")
    return daemon


def fault(daemon, name):
    with pytest.raises(xmlrpc.client.Fault) as raised:
        daemon.rpc.linchpin.reload(name)
    return raised.value.faultString


def test_by_a_signal(new_daemon):
    daemon = started(new_daemon(), "reload_signal=USR1")
    (pid,) = daemon.until_running("web")
    assert daemon.rpc.linchpin.reload("web") is True
    daemon.until_file("got", "got\n")
    assert daemon.info("web")["pid"] == pid


def test_by_a_command_which_comes_first(new_daemon):
    command = "reload_command=/bin/sh -c 'echo $MAINPID > %(here)s/told; echo $LINCHPIN_HOOK >> %(here)s/told'"
    daemon = started(new_daemon(), "reload_signal=USR1", command)
    (pid,) = daemon.until_running("web")
    assert daemon.rpc.linchpin.reload("web") is True
    assert daemon.read("told") == f"{pid}\nreload_command\n"
    assert daemon.read("got") == ""


def test_a_command_that_fails_is_told(new_daemon):
    daemon = started(new_daemon(), "reload_command=/bin/sh -c 'echo line 7 is wrong >&2; exit 1'")
    assert fault(daemon, "web") == "FAILED: reload_command of web failed: exit status 1: line 7 is wrong"
    assert daemon.info("web")["statename"] == "RUNNING"


def test_a_command_that_takes_too_long_is_killed(new_daemon):
    daemon = started(new_daemon(), "reload_command=/bin/sleep 8888", "reload_command_timeout=200ms")
    assert "no end within 0.2 s" in fault(daemon, "web")


def test_what_cannot_be_reloaded_says_how_it_could(new_daemon):
    daemon = started(new_daemon(), command="/bin/sleep 9999")
    assert fault(daemon, "web").endswith("set reload_signal or reload_command in [program:web]")
    assert fault(daemon, "other") == "BAD_NAME: other"
    daemon.supervisor("stopProcess", "web")
    assert fault(daemon, "web") == "NOT_RUNNING: web"


def test_all_of_a_group(new_daemon):
    program = f"\ncommand={LISTENS}\nstartsecs=0\nreload_signal=USR1\n"
    programs = f"[linchpin]\n[group:both]\nprograms=one,two\n[program:one]{program}[program:two]{program}"
    daemon = new_daemon(programs=programs).start()
    daemon.until_running("both:one", "both:two")
    daemon.until_file("up", "\n\n")
    results = daemon.rpc.linchpin.reload("both:*")
    assert sorted((each["name"], each["description"]) for each in results) == [("one", "OK"), ("two", "OK")]
    daemon.until_file("got", "got\ngot\n")
