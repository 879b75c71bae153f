"""What the daemon does on a signal, and the status it ends with."""
import os
import signal

import pytest

from harness.processes import is_alive
from harness.wait import stays, until

SLEEP = "[program:a]\ncommand=/bin/sleep 9999\n"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGQUIT"])
def test_an_exit_request_stops_everything_in_order(new_daemon, name):
    daemon = new_daemon(programs=SLEEP).start()
    (pid,) = daemon.until_running("a")
    daemon.signal(getattr(signal, name))
    assert daemon.process.wait(30) == 0
    log = daemon.log()
    assert f"WARN received {name} indicating exit request" in log
    assert "INFO waiting for a to die" in log
    assert "WARN stopped: a (terminated by SIGTERM)" in log
    assert not is_alive(pid)
    assert not daemon.socket.exists() and not (daemon.directory / "main.pid").exists()


@pytest.mark.root
def test_an_exit_request_when_standard_output_belongs_to_somebody_else(new_daemon):
    """A thread writes the main log to it then, as it cannot be opened anew; signals are for the daemon, not for that thread."""
    daemon = new_daemon(programs=SLEEP)
    daemon.directory.chmod(0o777)
    reader, writer = os.pipe()
    with open(reader, "rb"), open(writer, "wb") as output:
        daemon.start(before=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"), stdout=output)
        (pid,) = daemon.until_running("a")
        os.kill(pid, signal.SIGKILL)
        daemon.until_logged(r"terminated by SIGKILL")
        daemon.signal(signal.SIGTERM)
        assert daemon.process.wait(30) == 0, daemon.said()
    assert "WARN received SIGTERM indicating exit request" in daemon.log()


def test_a_second_exit_request_changes_nothing(new_daemon):
    stubborn = """sh -c "trap '' TERM; while :; do sleep 0.2; done" """
    daemon = new_daemon(programs=f"[program:a]\ncommand={stubborn}\nstopwaitsecs=2\n").start()
    (pid,) = daemon.until_running("a")
    daemon.signal(signal.SIGTERM)
    daemon.until_logged("waiting for a to die")
    daemon.signal(signal.SIGTERM)
    daemon.signal(signal.SIGINT)
    assert daemon.process.wait(30) == 0
    assert "killing 'a' (%d) with SIGKILL" % pid in daemon.log()
    assert not is_alive(pid)


def test_hangup_restarts_everything_in_the_same_process(new_daemon):
    daemon = new_daemon(programs=SLEEP, supervisord="identifier=first").start()
    (before,) = daemon.until_running("a")
    daemon.configure(SLEEP + "[program:b]\ncommand=/bin/sleep 9999\n", supervisord="identifier=second")
    daemon.signal(signal.SIGHUP)
    daemon.until_logged("WARN received SIGHUP indicating restart request")
    daemon.until_logged("supervisord started with pid", count=2)
    until(lambda: daemon.answers() and daemon.supervisor("getIdentification") == "second", "the new file is in force")
    assert daemon.supervisor("getPID") == daemon.pid
    after, _ = daemon.until_running("a", "b")
    assert after != before and not is_alive(before)
    assert daemon.read("main.pid") == f"{daemon.pid}\n"


def test_hangup_during_a_shutdown_is_ignored(new_daemon):
    stubborn = """sh -c "trap '' TERM; while :; do sleep 0.2; done" """
    daemon = new_daemon(programs=f"[program:a]\ncommand={stubborn}\nstopwaitsecs=3\n").start()
    daemon.until_running("a")
    daemon.signal(signal.SIGTERM)
    daemon.until_logged("waiting for a to die")
    daemon.signal(signal.SIGHUP)
    assert daemon.process.wait(30) == 0
    assert "WARN ignored SIGHUP indicating restart request (shutdown in progress)" in daemon.log()


def test_logs_are_reopened_as_logrotate_wants_it(new_daemon):
    ticking = "[program:a]\ncommand=/bin/sh -c 'n=0; while :; do n=$((n+1)); echo tick $n; sleep 0.02; done'\nredirect_stderr=true\n"
    daemon = new_daemon()
    daemon.configure(ticking + f"stdout_logfile={daemon.directory}/a.log\nstdout_logfile_maxbytes=0\n").start()
    (pid,) = daemon.until_running("a")
    daemon.until_file("a.log", "tick 5\n")
    (daemon.directory / "a.log").rename(daemon.directory / "a.log.1")
    daemon.main_log.rename(daemon.directory / "main.log.1")
    daemon.signal(signal.SIGUSR2)
    until(lambda: daemon.read("a.log").count("\n") > 5, "the new file of the service")
    until(daemon.main_log.exists, "the new main log")
    log = daemon.read("main.log.1") + daemon.log()
    assert "received SIGUSR2 indicating log reopen request" in log and "INFO supervisord logreopen" in log
    assert daemon.info("a")["pid"] == pid
    # Nothing is lost and nothing is written twice.
    daemon.supervisor("stopProcess", "a")
    lines = (daemon.read("a.log.1") + daemon.read("a.log")).splitlines()
    assert lines == [f"tick {n + 1}" for n in range(len(lines))]


@pytest.mark.ours("it dies of it and leaves its services behind")
def test_usr1_is_survived(new_daemon):
    daemon = new_daemon(programs=SLEEP).start()
    (pid,) = daemon.until_running("a")
    daemon.signal(signal.SIGUSR1)
    daemon.until_logged("SIGUSR1")
    assert daemon.answers() and daemon.info("a")["pid"] == pid


@pytest.mark.parametrize("name", ["SIGPIPE", "SIGCHLD", "SIGWINCH", "SIGURG", "SIGCONT"])
def test_signals_that_mean_nothing_are_survived(new_daemon, name):
    daemon = new_daemon(programs=SLEEP).start()
    (pid,) = daemon.until_running("a")
    for _ in range(10):
        daemon.signal(getattr(signal, name))
    assert daemon.answers() and daemon.info("a")["pid"] == pid


def test_an_orderly_stop_takes_no_tick_of_a_second(new_daemon):
    """A stop is as quick as its slowest service."""
    daemon = new_daemon(programs="".join(f"[program:s{n}]\ncommand=/bin/sleep 9999\npriority={n}\n" for n in range(3))).start()
    daemon.until_running("s0", "s1", "s2")
    assert daemon.stop() == 0
    assert len(daemon.log().splitlines()) < 40


def test_a_service_that_ignores_its_stop_signal_is_killed_after_its_time(new_daemon):
    stubborn = """sh -c "trap '' TERM; while :; do sleep 0.2; done" """
    daemon = new_daemon(programs=f"[program:a]\ncommand={stubborn}\nstopwaitsecs=1\n").start()
    (pid,) = daemon.until_running("a")
    daemon.supervisor("stopProcess", "a")
    daemon.until_logged(rf"WARN killing 'a' \({pid}\) with SIGKILL")
    daemon.until_logged(r"WARN stopped: a \(terminated by SIGKILL\)")
    stays(lambda: daemon.info("a")["statename"] == "STOPPED", "it stays stopped", 1)


def test_groups_stop_in_descending_priority(new_daemon):
    programs = "".join(f"[program:s{n}]\ncommand=/bin/sleep 9999\npriority={n}\n" for n in (1, 5, 3))
    daemon = new_daemon(programs=programs).start()
    daemon.until_running("s1", "s3", "s5")
    daemon.stop()
    stopped = [line.split("stopped: ")[1][:2] for line in daemon.log().splitlines() if "stopped: " in line]
    assert stopped == ["s5", "s3", "s1"]


def test_a_daemon_killed_outright_leaves_its_services_alone(new_daemon):
    daemon = new_daemon(programs=SLEEP).start()
    (pid,) = daemon.until_running("a")
    os.kill(daemon.pid, signal.SIGKILL)
    daemon.process.wait()
    stays(lambda: is_alive(pid), "the service lives on", 0.5)
