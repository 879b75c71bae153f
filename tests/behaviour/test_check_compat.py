"""`linchpin check --compat FILE` tells what a file means here and not to the original, and is right about it."""
import subprocess

import pytest

from harness.subject import LINCHPIN, ORIGINAL, TESTED

pytestmark = pytest.mark.skipif(TESTED is not LINCHPIN, reason="the original has no such command")


def compare(file):
    binary = LINCHPIN.daemon[0]
    return subprocess.run([binary, "check", "--compat", str(file)], capture_output=True, text=True, timeout=30)


def test_of_a_file_that_runs_alike_it_says_so(new_daemon):
    daemon = new_daemon(programs='[program:a]\ncommand=/bin/sleep 9999\nenvironment=A="1",B="two, three"\n')
    result = compare(daemon.file)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{daemon.file} runs here as it does under Supervisor\n"


def test_what_keeps_the_daemon_from_starting_is_an_error_with_its_line(new_daemon):
    daemon = new_daemon(programs="[rpcinterface:mine]\nsupervisor.rpcinterface_factory=my.package:make\n")
    result = compare(daemon.file)
    assert result.returncode == 1
    assert "error: `my.package:make` is Python code" in result.stdout
    line = daemon.file.read_text().splitlines().index("supervisor.rpcinterface_factory=my.package:make") + 1
    assert f"{daemon.file}:{line}:" in result.stdout
    assert daemon.run_to_end().returncode == 2


def test_a_value_that_the_two_read_differently_is_what_the_services_get(new_daemon, original):
    text = '[program:a]\ncommand=/bin/sh -c "env | grep ^A=; exec sleep 9999"\nstdout_logfile=%(here)s/out\nenvironment=A="x\\\\y"\n'
    ours = new_daemon(programs=text)
    result = compare(ours.file)
    assert result.returncode == 0
    assert "`A` is `x\\y` here and `x\\\\y` in Supervisor 4.3.0" in result.stdout
    theirs = new_daemon(ORIGINAL, programs=text)
    for daemon, value in ((ours, "x\\y"), (theirs, "x\\\\y")):
        daemon.start()
        assert daemon.until_file("out") == f"A={value}\n", daemon.subject


def test_a_file_that_nobody_can_use_is_not_compared(new_daemon):
    daemon = new_daemon(programs="[program:a]\n")
    result = compare(daemon.file)
    assert result.returncode == 2
    assert "cannot be used, here or by Supervisor: 1 problems" in result.stdout
