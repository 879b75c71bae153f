"""Oneshots: they run to their end once, and are tried again when they fail."""
import signal

import pytest

from harness.wait import stays

pytestmark = pytest.mark.ours("these options mean nothing to it")


def program(text, command, name="a"):
    return f"[program:{name}]\ncommand={command}\n{text}\n"


def test_success_is_success_however_quick(new_daemon):
    daemon = new_daemon(programs=program("oneshot=true\nstartsecs=10\nautorestart=true", "/bin/true")).start()
    daemon.until_state("a", "EXITED")
    stays(lambda: daemon.log().count("spawned: 'a'") == 1, "it is not started again", 1.5)


def test_what_fails_is_tried_again_until_it_succeeds(new_daemon):
    command = "sh -c 'echo x >> %(here)s/tries; test $(wc -l < %(here)s/tries) = 3'"
    daemon = new_daemon(programs=program("oneshot=true\nstartsecs=0\nrestart_delay=20ms", command)).start()
    daemon.until_state("a", "EXITED")
    assert daemon.read("tries") == "x\n" * 3


def test_it_is_given_up_after_startretries(new_daemon):
    daemon = new_daemon(programs=program("oneshot=true\nstartsecs=0\nstartretries=1", "/bin/false")).start()
    daemon.until_state("a", "FATAL")
    assert daemon.log().count("spawned: 'a'") == 2


def test_one_that_fails_after_it_has_done_its_work_is_not_done(new_daemon):
    text = program("oneshot=true\nstartretries=0", "sh -c 'test ! -e %(here)s/bad'")
    daemon = new_daemon(programs=text).start()
    daemon.until_state("a", "EXITED")
    assert daemon.service_status("a")["ready"]
    (daemon.directory / "bad").touch()
    daemon.control("start", "a")
    daemon.until_state("a", "FATAL")
    assert not daemon.service_status("a")["ready"]


def test_a_start_by_hand_waits_for_its_end_of_starting(new_daemon):
    text = program("oneshot=true\nstartsecs=10\nautostart=false", "/bin/true")
    daemon = new_daemon(programs=text).start()
    assert daemon.control("start", "a").stdout == "a: started\n"
    daemon.until_state("a", "EXITED")


def test_an_essential_one_ends_the_daemon_only_if_it_fails(new_daemon):
    text = program("oneshot=true\nimportance=essential\nstartretries=0", "sh -c 'test -e %(here)s/good || exit 4'")
    daemon = new_daemon(programs=text)
    (daemon.directory / "good").touch()
    daemon.start()
    daemon.until_state("a", "EXITED")
    stays(daemon.is_running, "it goes on", 0.5)
    assert daemon.stop() == 0
    (daemon.directory / "good").unlink()
    daemon.launch()
    assert daemon.process.wait(30) == 4


def test_dependents_start_when_it_has_done_its_work(new_daemon):
    command = "sh -c 'until test -e %(here)s/go; do sleep 0.02; done; echo x > %(here)s/done'"
    text = program("oneshot=true", command, "migrate") + program(
        "startsecs=0\ndepends_on=migrate completed", "sh -c 'cat %(here)s/done > %(here)s/seen; exec sleep 1000'", "web"
    )
    daemon = new_daemon(programs=text).start()
    stays(lambda: daemon.info("web")["statename"] == "STARTING", "it waits", 0.3)
    (daemon.directory / "go").touch()
    daemon.until_running("web")
    assert daemon.until_file("seen") == "x\n"


def test_sigterm_stops_one_that_is_at_work(new_daemon):
    daemon = new_daemon(programs=program("oneshot=true\nstartsecs=0", "sleep 1000")).start()
    daemon.until_running("a")
    daemon.signal(signal.SIGTERM)
    assert daemon.process.wait(30) == 0
