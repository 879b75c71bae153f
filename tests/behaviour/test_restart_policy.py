"""Restarts beyond Supervisor's: growing waits, crash loops, ends that prevent a restart, second chances."""
import signal

import pytest

from harness.events import Record, listener
from harness.wait import stays

pytestmark = pytest.mark.ours("these options mean nothing to it")


def program(text, command="/bin/false", name="a"):
    return f"[program:{name}]\ncommand={command}\n{text}\n"


def test_a_crash_loop_is_seen_with_startsecs_0(new_daemon):
    daemon = new_daemon(programs=program("startsecs=0\nrestart_delay=20ms\nrestart_jitter=0\nrestart_limit=4")).start()
    daemon.until_state("a", "FATAL")
    assert daemon.log().count("spawned: 'a'") == 4
    assert "gave up: a entered FATAL state, crash loop: 4 ends in " in daemon.log()


def test_every_wait_is_longer_than_the_one_before(new_daemon):
    text = program("startsecs=0\nrestart_delay=10ms\nrestart_delay_max=40ms\nrestart_jitter=0\nrestart_limit=6")
    daemon = new_daemon(programs=text).start()
    daemon.until_state("a", "FATAL")
    waits = [line.split(" in ", 1)[1].split(",")[0] for line in daemon.log().splitlines() if "is started again in" in line]
    assert waits == ["10 ms", "20 ms", "40 ms", "40 ms", "40 ms"]


def test_a_service_that_was_up_for_long_begins_anew(new_daemon):
    text = program(
        "startsecs=0\nautorestart=true\nrestart_delay=10ms\nrestart_jitter=0\nrestart_limit=3\nrestart_reset=50ms", "sleep 0.1"
    )
    daemon = new_daemon(programs=text).start()
    daemon.until_logged("spawned: 'a'", count=6)
    waits = {line.split(" in ", 1)[1].split(",")[0] for line in daemon.log().splitlines() if "is started again in" in line}
    assert waits == {"10 ms"}


def test_the_wait_after_an_end_is_a_backoff_like_any_other(new_daemon):
    text = program("startsecs=0\nautorestart=true\nrestart_delay=1h\nrestart_delay_max=1h", "/bin/true")
    daemon = new_daemon(programs=text).start()
    assert daemon.until_state("a", "BACKOFF")["spawnerr"] == ""
    started = daemon.control("start", "a")
    assert started.stdout == "a: ERROR (already started)\n"
    stopped = daemon.control("stop", "a")
    assert stopped.stdout == "a: stopped\n"
    assert daemon.info("a")["statename"] == "STOPPED"


def test_the_end_of_the_daemon_does_not_wait_for_a_wait(new_daemon):
    text = program("startsecs=0\nautorestart=true\nrestart_delay=1h\nrestart_delay_max=1h", "/bin/true")
    daemon = new_daemon(programs=text).start()
    daemon.until_state("a", "BACKOFF")
    assert daemon.stop() == 0


@pytest.mark.parametrize("startsecs", [0, 1])
def test_some_ends_prevent_a_restart(new_daemon, startsecs):
    text = program(f"startsecs={startsecs}\nautorestart=true\nrestart_prevent=64,78,SIGILL", "sh -c 'exit 78'")
    daemon = new_daemon(programs=text).start()
    daemon.until_state("a", "FATAL")
    assert daemon.log().count("spawned: 'a'") == 1
    assert "exit 78: an error in its configuration (EX_CONFIG), after which it is not started again" in daemon.log()


def test_a_signal_prevents_a_restart(new_daemon):
    text = program("startsecs=0\nautorestart=true\nrestart_prevent=SIGILL", "sh -c 'kill -ILL $$'")
    daemon = new_daemon(programs=text).start()
    daemon.until_state("a", "FATAL")
    assert daemon.log().count("spawned: 'a'") == 1


def test_an_expected_end_that_prevents_a_restart_is_no_failure(new_daemon):
    text = program("startsecs=0\nautorestart=true\nrestart_prevent=0", "/bin/true")
    daemon = new_daemon(programs=text).start()
    daemon.until_state("a", "EXITED")
    stays(lambda: daemon.info("a")["statename"] == "EXITED", "it is not started again", 1.5)


def test_a_second_chance_after_fatal(new_daemon):
    command = "sh -c 'test -e %(here)s/mended && exec sleep 1000'"
    daemon = new_daemon(programs=program("startsecs=1\nstartretries=0\nfatal_retry=300ms", command)).start()
    daemon.until_logged("gave up: a entered FATAL state", count=2)
    (daemon.directory / "mended").touch()
    daemon.until_running("a")


def test_a_stop_takes_the_second_chance_away(new_daemon):
    daemon = new_daemon(programs=program("startsecs=1\nstartretries=0\nfatal_retry=1s")).start()
    daemon.until_state("a", "FATAL")
    assert daemon.control("stop", "a").stdout == "a: ERROR (not running)\n"
    count = daemon.log().count("spawned: 'a'")
    stays(lambda: daemon.log().count("spawned: 'a'") == count, "it is not started again", 2)


def test_listeners_hear_of_the_wait_after_an_end(new_daemon):
    """An original's listener sees states that it knows, with the counts that it knows."""
    text = listener("l", "PROCESS_STATE") + program(
        "startsecs=0\nrestart_delay=30ms\nrestart_jitter=0\nrestart_limit=2\nautostart=false"
    )
    daemon = new_daemon(programs=text).start()
    daemon.supervisor("startProcess", "a")
    record = Record(daemon, "l")
    record.until_name("PROCESS_STATE_FATAL")
    told = [
        (event["headers"]["eventname"].removeprefix("PROCESS_STATE_"), event["body"].split("from_state:")[1].split(" pid")[0])
        for event in record.all()
        if "processname:a " in event["body"]
    ]
    assert told == [
        ("STARTING", "STOPPED tries:0"),
        ("RUNNING", "STARTING"),
        ("EXITED", "RUNNING expected:0"),
        ("BACKOFF", "EXITED tries:1"),
        ("STARTING", "BACKOFF tries:1"),
        ("RUNNING", "STARTING"),
        ("EXITED", "RUNNING expected:0"),
        ("BACKOFF", "EXITED tries:2"),
        ("FATAL", "BACKOFF"),
    ]


def test_waits_of_zero_do_not_make_a_busy_loop(new_daemon):
    daemon = new_daemon(programs=program("startsecs=0\nrestart_delay=0")).start()
    daemon.until_logged("spawned: 'a'", count=2)
    stays(lambda: daemon.log().count("spawned: 'a'") <= 4, "it is started once a second", 1.5)


def test_a_restart_of_the_daemon_begins_anew(new_daemon):
    daemon = new_daemon(programs=program("startsecs=0\nrestart_delay=10ms\nrestart_limit=1")).start()
    daemon.until_state("a", "FATAL")
    daemon.signal(signal.SIGHUP)
    daemon.until_logged("gave up: a entered FATAL state", count=2)
