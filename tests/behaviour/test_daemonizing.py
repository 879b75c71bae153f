"""Going to the background, and the pid file."""
import os
import signal
import stat
import subprocess

import pytest

from harness.processes import is_alive, process, status_fields
from harness.wait import until

SLEEP = "[program:a]\ncommand=/bin/sh -c 'pwd >place; umask >>place; exec sleep 9999'\n"


def daemonize(daemon, *arguments, **keywords):
    """Starts it as a person would and answers with the pid of what stayed."""
    result = subprocess.run(
        [*daemon.subject.daemon, "-c", str(daemon.file), *arguments],
        capture_output=True,
        text=True,
        cwd=daemon.directory,
        env=daemon.environment(),
        timeout=30,
        **keywords,
    )
    assert result.returncode == 0, result.stderr
    until(lambda: daemon.read("main.pid").strip(), "the pid file")
    return int(daemon.read("main.pid"))


def end(pid):
    os.kill(pid, signal.SIGTERM)
    until(lambda: not is_alive(pid), "the daemon ended")


def test_it_leaves_the_terminal_and_the_session(new_daemon):
    daemon = new_daemon(programs="[program:a]\ncommand=/bin/sleep 9999\n")
    pid = daemonize(daemon)
    until(daemon.answers, "it answers")
    assert daemon.supervisor("getPID") == pid
    found = process(pid)
    assert found.session == pid and found.group == pid
    for descriptor in range(3):
        assert os.readlink(f"/proc/{pid}/fd/{descriptor}") == "/dev/null"
    assert "INFO daemonizing the supervisord process" in daemon.log()
    daemon.until_running("a")
    end(pid)
    assert not (daemon.directory / "main.pid").exists()
    assert not daemon.socket.exists()


def test_directory_and_umask_count_when_daemonized(new_daemon):
    daemon = new_daemon()
    place = daemon.directory / "place"
    place.mkdir()
    daemon.configure(SLEEP.replace("place", "/proc/self/cwd/told"), supervisord=f"directory={place}\numask=027")
    pid = daemonize(daemon)
    try:
        until(lambda: (place / "told").exists() and (place / "told").read_text().count("\n") == 2, "the service told")
        assert (place / "told").read_text() == f"{place}\n0027\n"
        assert os.readlink(f"/proc/{pid}/cwd") == str(place)
        assert status_fields(pid)["Umask"] == "0027"
        assert f"INFO set current directory: '{place}'" in daemon.log()
    finally:
        end(pid)


def test_directory_and_umask_are_not_applied_in_the_foreground(new_daemon):
    daemon = new_daemon()
    place = daemon.directory / "place"
    place.mkdir()
    daemon.configure("[program:a]\ncommand=/bin/sleep 9999\n", supervisord=f"directory={place}\numask=027").start(umask=0o011)
    assert os.readlink(f"/proc/{daemon.pid}/cwd") == str(daemon.directory)
    assert status_fields(daemon.pid)["Umask"] == "0011"


def test_a_failure_before_the_background_is_seen_by_the_caller(new_daemon):
    daemon = new_daemon().write("[supervisord]\nminfds=many\n")
    result = subprocess.run([*daemon.subject.daemon, "-c", str(daemon.file)], capture_output=True, text=True, timeout=30)
    assert result.returncode == 2
    assert "many" in result.stderr


def test_hangup_works_with_a_relative_file_and_a_directory(new_daemon):
    """The original loses its file here, and ends; ours remembers where it was."""
    daemon = new_daemon(programs="[program:a]\ncommand=/bin/sleep 9999\n", supervisord="directory=/")
    if daemon.subject.name == "original":
        pytest.skip("it ends at the restart, with everything stopped")
    command = [*daemon.subject.daemon, "-c", daemon.file.name]
    subprocess.run(command, cwd=daemon.directory, env=daemon.environment(), timeout=30, check=True)
    until(daemon.answers, "it answers")
    pid = daemon.supervisor("getPID")
    try:
        (before,) = daemon.until_running("a")
        os.kill(pid, signal.SIGHUP)
        daemon.until_logged("supervisord started with pid", count=2)
        until(daemon.answers, "it answers again")
        assert daemon.supervisor("getPID") == pid
        assert daemon.until_running("a") != [before]
    finally:
        end(pid)


def test_the_pid_file_says_who_runs_and_goes_at_the_end(new_daemon):
    daemon = new_daemon(programs="[program:a]\ncommand=/bin/sleep 9999\n").start()
    path = daemon.directory / "main.pid"
    until(path.exists, "the pid file")
    assert path.read_text() == f"{daemon.pid}\n"
    assert f"INFO supervisord started with pid {daemon.pid}" in daemon.log()
    assert daemon.stop() == 0
    assert not path.exists()


def test_an_old_pid_file_is_overwritten(new_daemon):
    daemon = new_daemon(programs="[program:a]\ncommand=/bin/sleep 9999\n")
    (daemon.directory / "main.pid").write_text("1234567890\nmore\n")
    daemon.start()
    until(lambda: daemon.read("main.pid") == f"{daemon.pid}\n", "the pid file is ours")


def test_a_pid_file_that_cannot_be_written_stops_nothing(new_daemon):
    daemon = new_daemon(programs="[program:a]\ncommand=/bin/sleep 9999\n")
    (daemon.directory / "main.pid").mkdir()
    daemon.start()
    daemon.until_logged(f"CRIT could not write pidfile {daemon.directory}/main.pid")
    daemon.until_running("a")


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_modes_of_what_the_foreground_daemon_creates(new_daemon, mask):
    daemon = new_daemon()
    daemon.configure(f"[program:a]\ncommand=/bin/sleep 9999\nstdout_logfile={daemon.directory}/a.log\n").start(umask=mask)
    daemon.until_running("a")
    for name in ("main.log", "main.pid", "a.log"):
        assert stat.S_IMODE((daemon.directory / name).stat().st_mode) == 0o666 & ~mask, name
