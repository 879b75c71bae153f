"""Event listeners where the original is wrong, or cannot be compared: it dies, mixes pools up, or waits for its tick."""
import os
import sys
import time
from pathlib import Path

import pytest

from harness.events import Record, listener
from harness.processes import status_fields
from harness.wait import until

PROGRAMS = Path(__file__).parent / "programs"


@pytest.mark.ours("an event that a pool rejects is given to every pool")
def test_a_rejected_event_goes_back_to_its_own_pool_alone(new_daemon):
    daemon = new_daemon(
        programs=listener("rejects", "REMOTE_COMMUNICATION", "fail", "ok") + listener("other", "PROCESS_GROUP")
    ).start()
    daemon.until_running("rejects", "other")
    daemon.supervisor("sendRemoteCommEvent", "number", "0")
    events = Record(daemon, "rejects").until_count(2)
    assert events[0]["line"] == events[1]["line"]
    daemon.supervisor("stopProcess", "rejects")
    daemon.supervisor("removeProcessGroup", "rejects")
    names = [event["headers"]["eventname"] for event in Record(daemon, "other").until_name("PROCESS_GROUP_REMOVED")]
    assert names == ["PROCESS_GROUP_ADDED"] * 2 + ["PROCESS_GROUP_REMOVED"]


@pytest.mark.ours("it gives a pool that names a type and its parent each such event twice")
def test_a_pool_that_names_a_type_and_its_parent_gets_each_event_once(new_daemon):
    daemon = new_daemon(programs=listener("a", "PROCESS_GROUP_ADDED,PROCESS_GROUP,REMOTE_COMMUNICATION")).start()
    daemon.until_running("a")
    daemon.supervisor("sendRemoteCommEvent", "last", "")
    events = Record(daemon, "a").until_name("REMOTE_COMMUNICATION")
    assert [event["headers"]["poolserial"] for event in events] == ["0", "1"]


@pytest.mark.ours("it dies when the pipe of a listener is full")
def test_a_listener_that_answers_without_reading_does_no_harm(new_daemon):
    deaf = f"[eventlistener:deaf]\ncommand={sys.executable} -S {PROGRAMS}/deaf_listener.py %(here)s/deaf\nevents=REMOTE_COMMUNICATION\n"
    programs = deaf + listener("hears", "REMOTE_COMMUNICATION", extra="buffer_size=1000")
    daemon = new_daemon(programs=programs).start()
    daemon.until_running("deaf", "hears")
    for _ in range(100):
        daemon.supervisor("sendRemoteCommEvent", "long", "x" * 20_000)
    Record(daemon, "hears").until_count(100)
    # Either it was sent something while it said READY, or it said something while it was not to.
    daemon.until_logged("deaf: (asks for events without reading|has entered the UNKNOWN state)")
    daemon.until_logged("pool deaf event buffer overflowed")
    assert daemon.info("deaf")["statename"] == "RUNNING"
    daemon.supervisor("stopProcess", "deaf")
    assert daemon.stop() == 0


@pytest.mark.ours("it dies when the pipe of a listener is full")
def test_a_listener_that_reads_late_gets_everything_in_order(new_daemon):
    """Three times what a pipe holds, for a listener that is stopped meanwhile."""
    daemon = new_daemon(programs=listener("late", "REMOTE_COMMUNICATION", extra="buffer_size=1000")).start()
    (pid,) = daemon.until_running("late")
    os.kill(pid, 19)
    words = [str(number) * 50_000 for number in range(4)]
    for word in words:
        daemon.supervisor("sendRemoteCommEvent", "long", word)
    os.kill(pid, 18)
    events = Record(daemon, "late").until_count(4)
    assert [event["body"] for event in events] == [f"type:long\n{word}" for word in words]


@pytest.mark.ours("it loses the last output that is shorter than a tag")
def test_short_last_words_are_neither_lost_nor_held_back(new_daemon):
    program = "[program:brief]\ncommand=sh -c 'printf short; sleep 0.1'\nautostart=false\nstartsecs=0\nautorestart=false\n"
    program += "stdout_capture_maxbytes=1KB\nstdout_events_enabled=true\nstdout_logfile=%(here)s/brief.log\n"
    daemon = new_daemon(programs=listener("log", "PROCESS_LOG") + program).start()
    daemon.until_running("log")
    daemon.supervisor("startProcess", "brief")
    events = Record(daemon, "log").until_count(1)
    assert events[0]["body"].endswith("channel:stdout\nshort")
    assert daemon.until_file("brief.log", "short") == "short"


@pytest.mark.ours("it stops a listener as soon as everything before it is down")
def test_listeners_hear_of_the_end_of_the_last_program(new_daemon):
    events = "SUPERVISOR_STATE_CHANGE_STOPPING,PROCESS_STATE_STOPPED"
    daemon = new_daemon(programs=listener("a", events) + "[program:last]\ncommand=/bin/sleep 9999\n").start()
    daemon.until_running("a", "last")
    assert daemon.stop() == 0
    assert Record(daemon, "a").names() == ["SUPERVISOR_STATE_CHANGE_STOPPING", "PROCESS_STATE_STOPPED"]


def test_ticks_come_when_the_clock_says_so(new_daemon):
    daemon = new_daemon(programs=listener("ticks", "TICK")).start()
    daemon.until_running("ticks")
    (tick, *_) = Record(daemon, "ticks").until_name("TICK_5")
    came = time.time()
    when = int(tick["body"].removeprefix("when:"))
    assert when % 5 == 0 and tick["headers"]["eventname"] == "TICK_5"
    # A busy machine may take its time; the next tick would be 5 seconds later.
    assert 0 <= came - when < 4, f"{came - when} s late"


@pytest.mark.ours("it wakes up every second")
def test_a_pool_without_ticks_wakes_nobody(new_daemon):
    daemon = new_daemon(programs=listener("quiet", "PROCESS_STATE,REMOTE_COMMUNICATION")).start()
    daemon.until_running("quiet")
    Record(daemon, "quiet").until_count(2)

    def switches():
        tasks = os.listdir(f"/proc/{daemon.pid}/task")
        return sum(int(status_fields(f"{daemon.pid}/task/{task}")["voluntary_ctxt_switches"]) for task in tasks)

    def has_come_to_rest():
        before = switches()
        time.sleep(1.5)
        return switches() == before

    until(has_come_to_rest, "a second and a half without a wake-up")


def test_a_flood_of_events_keeps_nobody_waiting_and_nothing_grows(new_daemon):
    programs = listener("hears", "PROCESS_LOG") + f"[eventlistener:babbles]\ncommand={sys.executable} -S -c \"while True: print('nonsense')\"\nevents=TICK_3600\n"
    programs += "stdout_logfile=NONE\n[program:flood]\ncommand=yes\nstdout_events_enabled=true\nstdout_logfile=NONE\n"
    daemon = new_daemon(programs=programs).start()
    daemon.until_running("hears", "babbles", "flood")
    daemon.until_logged("pool hears event buffer overflowed", count=1000)
    began = time.monotonic()
    for _ in range(20):
        assert daemon.supervisor("getState")["statename"] == "RUNNING"
    assert time.monotonic() - began < 20
    assert int(status_fields(daemon.pid)["VmRSS"].split()[0]) < 64_000, "kB"
    daemon.supervisor("stopProcess", "flood")
    assert daemon.stop() == 0


STDOUT_LISTENER = """
import os, sys
while True:
    os.write(1, b"READY\\n")
    headers = dict(word.split(":") for word in sys.stdin.readline().split())
    data = sys.stdin.read(int(headers["len"]))
    os.write(1, ("RESULT %d\\n%s" % (len(data.encode()), data)).encode())
"""


@pytest.mark.ours("it needs the package supervisor-stdout, which runs on Python 2 only")
@pytest.mark.parametrize("silent", ["false", "true"])
def test_the_result_handler_of_supervisor_stdout_prints_what_programs_write(new_daemon, silent):
    programs = f"[eventlistener:stdout]\ncommand={sys.executable} -S %(here)s/l.py\nevents=PROCESS_LOG\nbuffer_size=100\n"
    programs += "result_handler=supervisor_stdout:event_handler\n"
    programs += "[program:talker]\ncommand=sh -c 'echo one; echo grüß dich; sleep 9999'\nautostart=false\nstdout_events_enabled=true\n"
    daemon = new_daemon(programs=programs, supervisord=f"silent={silent}")
    (daemon.directory / "l.py").write_text(STDOUT_LISTENER)
    daemon.start().until_running("stdout")
    daemon.supervisor("startProcess", "talker")
    daemon.until_file("daemon.out", "dich")
    printed = [line for line in daemon.read("daemon.out").splitlines() if " | " in line]
    # What one read brought is one event, and behind its last line stands an empty one.
    assert [line for line in printed if not line.endswith("| ")] == ["talker stdout | one", "talker stdout | grüß dich"]
    assert printed[-1] == "talker stdout | "
    assert ("entered RUNNING state" in daemon.read("daemon.out")) == (silent == "false")
    assert "UNKNOWN" not in daemon.log()
