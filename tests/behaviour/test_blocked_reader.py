"""A reader that does not read delays nothing but its own stream."""
import os
import signal
import time

import pytest

from harness.processes import is_alive
from harness.wait import until

# What an operator notices. Far above what it takes, far below any stall that this is about.
PROMPT_SECONDS = 2

SPEW = "[program:spew]\ncommand=/bin/sh -c 'while :; do echo 0123456789012345678901234567890123456789; done'\nredirect_stderr=true\n"
OTHER = "[program:other]\ncommand=/bin/sleep 9999\nautorestart=true\nstartsecs=1\nstopwaitsecs=5\n"


def assert_prompt(daemon):
    """Status, respawn and stop, each within the bound, while the reader is not reading."""
    (pid,) = daemon.until_running("other", timeout=15)

    began = time.monotonic()
    daemon.states()
    assert time.monotonic() - began < PROMPT_SECONDS, "status"

    began = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    until(lambda: daemon.info("other")["pid"] not in (0, pid), "respawned")
    assert time.monotonic() - began < PROMPT_SECONDS, "respawn"

    began = time.monotonic()
    daemon.supervisor("stopProcess", "other")
    assert time.monotonic() - began < PROMPT_SECONDS, "stop"

    began = time.monotonic()
    daemon.supervisor("startProcess", "other", False)
    assert time.monotonic() - began < PROMPT_SECONDS, "start"


@pytest.fixture
def paused_reader():
    """A pipe that is full as soon as somebody writes a page: its other end is open and never read."""
    reader, writer = os.pipe()
    yield writer
    for end in (reader, writer):
        try:
            os.close(end)
        except OSError:
            pass


@pytest.mark.ours("it blocks in write(2)")
def test_paused_reader_of_the_containers_stdout(new_daemon, paused_reader):
    daemon = new_daemon(programs=SPEW + "stdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\n" + OTHER)
    daemon.start(stdout=paused_reader)
    daemon.until_running("spew")
    assert_prompt(daemon)
    daemon.stop()
    assert daemon.process.returncode == 0


@pytest.mark.ours("it blocks in write(2)")
def test_paused_reader_of_the_main_log_on_stdout(new_daemon, paused_reader):
    # A main log that says a line for every state change, so that the pipe is full soon.
    flapping = "[program:flap%(n)s]\ncommand=/bin/true\nstartsecs=0\nautorestart=true\n"
    daemon = new_daemon(programs=OTHER + "".join(flapping % {"n": n} for n in range(5)), supervisord="loglevel=blather")
    os.set_blocking(paused_reader, False)
    try:
        while True:
            os.write(paused_reader, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(paused_reader, True)
    daemon.start(stdout=paused_reader)
    assert_prompt(daemon)
    assert daemon.stop() == 0


@pytest.mark.ours("it opens the FIFO in the loop and hangs")
def test_log_on_a_fifo_that_nobody_reads(new_daemon):
    daemon = new_daemon()
    os.mkfifo(daemon.directory / "fifo")
    daemon.configure(SPEW + f"stdout_logfile={daemon.directory}/fifo\nstdout_logfile_maxbytes=0\n" + OTHER)
    daemon.start()
    assert_prompt(daemon)
    assert daemon.stop() == 0


@pytest.mark.ours("it opens the FIFO in the loop and hangs")
def test_log_on_a_fifo_whose_reader_stopped_reading(new_daemon):
    daemon = new_daemon()
    path = daemon.directory / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    daemon.configure(SPEW + f"stdout_logfile={path}\nstdout_logfile_maxbytes=0\n" + OTHER)
    try:
        daemon.start()
        (pid,) = daemon.until_running("spew")
        assert_prompt(daemon)
        daemon.supervisor("stopProcess", "spew")
        assert not is_alive(pid)
        assert daemon.stop() == 0
    finally:
        os.close(reader)


@pytest.mark.ours("its own stop waits for nothing but the child, but the loop is blocked")
def test_a_paused_terminal_delays_no_stop(new_daemon):
    # ^S on a terminal: the output queue of the pty fills and stays full.
    leader, follower = os.openpty()
    daemon = new_daemon(programs=SPEW + "stdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\n" + OTHER)
    try:
        daemon.start(stdout=follower)
        assert_prompt(daemon)
        assert daemon.stop() == 0
    finally:
        os.close(leader)
        os.close(follower)
