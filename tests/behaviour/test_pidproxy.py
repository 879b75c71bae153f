"""pidproxy runs a command and passes signals on to the process whose number the pidfile holds."""
import signal
import subprocess
from pathlib import Path

import pytest

from harness.daemon import Directory
from harness.processes import is_alive, status_fields
from harness.subject import TESTED
from harness.wait import stays, until

# A daemon that leaves its number behind, notes every signal, and ends with the command `end`.
DAEMON = """\
trap 'echo HUP >>signals' HUP; trap 'echo INT >>signals' INT; trap 'echo QUIT >>signals' QUIT; trap 'echo TERM >>signals' TERM
trap 'echo USR1 >>signals' USR1; trap 'echo USR2 >>signals' USR2
echo $$ >daemon.pid
until [ -e end ]; do sleep 0.05; done
"""
# Its command, which stays until the daemon has ended.
COMMAND = "/bin/bash ./daemon.sh\ntrue\n"


@pytest.fixture
def place():
    directory = Directory()
    path = directory.path
    (path / "daemon.sh").write_text(DAEMON)
    (path / "command.sh").write_text(COMMAND)
    yield path
    (path / "end").touch()
    pid = number(path)
    until(lambda: pid is None or not is_alive(pid), "the daemon is gone")
    directory.remove()


def number(path):
    text = (path / "daemon.pid").read_text() if (path / "daemon.pid").exists() else ""
    return int(text) if text.endswith("\n") else None


def launch(place, *words, before=()):
    return subprocess.Popen([*before, *TESTED.pidproxy, *words], cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(place, *words):
    process = launch(place, *words)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def with_daemon(place, before=()):
    process = launch(place, "daemon.pid", "/bin/bash", "command.sh", before=before)
    return process, until(lambda: number(place), "the daemon has written its number")


def signals(place):
    return (place / "signals").read_text().split() if (place / "signals").exists() else []


@pytest.mark.parametrize("words", [[], ["daemon.pid"]], ids=["nothing", "no_command"])
def test_too_few_words(place, words):
    status, out, _ = run(place, *words)
    assert status == 1
    assert out.count("Usage: ") == 1


def test_the_status_is_zero_however_the_command_ends(place):
    assert run(place, "no.pid", "/bin/false")[:2] == (0, "")
    assert run(place, "no.pid", "/no/such/command")[:2] == (0, "")
    assert run(place, "no.pid", "/bin/echo", "1", "2") == (0, "1 2\n", "")


def test_the_command_is_a_path_and_is_called_as_it_is_written(place):
    (place / "shell").symlink_to("/bin/sh")
    assert run(place, "no.pid", "sh", "-c", "echo found")[1] == ""
    assert run(place, "no.pid", "shell", "-c", "echo $0") == (0, "shell\n", "")
    # Not by way of the folder, which does not exist.
    assert run(place, "no.pid", "nowhere/../shell", "-c", "echo $0") == (0, "nowhere/../shell\n", "")


def test_the_command_starts_with_no_signal_blocked_and_with_those_ignored_that_python_ignores(place):
    status, out, _ = run(place, "no.pid", "/bin/grep", "-E", "Sig(Blk|Ign)", "/proc/self/status")
    def masks(text):
        return {name: int(value, 16) for name, value in (line.split(":") for line in text.splitlines() if line.startswith(("SigBlk", "SigIgn")))}

    # Our own Python ignores what it always does, and what whoever started the tests ignores.
    ours = masks(Path("/proc/self/status").read_text())
    assert ours["SigIgn"] >> (signal.SIGPIPE - 1) & 1 and ours["SigIgn"] >> (signal.SIGXFSZ - 1) & 1
    assert (status, masks(out)) == (0, {"SigBlk": 0, "SigIgn": ours["SigIgn"]})


@pytest.mark.parametrize("name", ["HUP", "USR1", "USR2"])
def test_a_signal_is_passed_on(place, name):
    process, _ = with_daemon(place)
    for count in (1, 2):
        process.send_signal(getattr(signal, f"SIG{name}"))
        until(lambda: signals(place) == [name] * count, f"the daemon has seen {name}")
    assert process.poll() is None
    (place / "end").touch()
    assert process.wait(30) == 0
    process.communicate()


@pytest.mark.parametrize("name", ["TERM", "INT", "QUIT"])
def test_a_signal_to_stop_is_passed_on_and_ends_the_proxy_at_once(place, name):
    process, daemon = with_daemon(place)
    process.send_signal(getattr(signal, f"SIG{name}"))
    assert process.wait(30) == 0
    until(lambda: signals(place) == [name], f"the daemon has seen {name}")
    assert is_alive(daemon)
    (place / "end").touch()
    process.communicate()


def test_a_signal_that_the_parent_ignores_is_passed_on_too(place):
    process, _ = with_daemon(place, before=("/bin/sh", "-c", 'trap "" INT QUIT HUP; exec "$@"', "sh"))
    process.send_signal(signal.SIGHUP)
    until(lambda: signals(place) == ["HUP"], "the daemon has seen HUP")
    process.send_signal(signal.SIGQUIT)
    assert process.wait(30) == 0
    until(lambda: signals(place) == ["HUP", "QUIT"], "the daemon has seen QUIT")
    (place / "end").touch()
    process.communicate()


@pytest.mark.parametrize("content", [None, "", "word\n"], ids=["missing", "empty", "no_number"])
def test_an_unreadable_pidfile_is_told_of_and_the_command_goes_on(place, content):
    process, _ = with_daemon(place)
    (place / "daemon.pid").rename(place / "kept.pid")
    if content is not None:
        (place / "daemon.pid").write_text(content)
    process.send_signal(signal.SIGTERM)
    # The next signal is answered behind the first, whose answer must not have ended the proxy.
    (place / "kept.pid").rename(place / "daemon.pid")
    process.send_signal(signal.SIGHUP)
    until(lambda: "HUP" in signals(place) or process.poll() is not None, "the second signal")
    (place / "end").touch()
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) in [(0, "Can't read child pidfile daemon.pid!\n"), (0, "")]


def test_a_process_that_is_gone(place):
    process, _ = with_daemon(place)
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    (place / "kept.pid").write_text((place / "daemon.pid").read_text())
    (place / "daemon.pid").write_text(f"{gone.pid}\n")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 1
    (place / "kept.pid").rename(place / "daemon.pid")
    (place / "end").touch()
    process.communicate()


@pytest.mark.ours("it would signal everybody")
@pytest.mark.parametrize("number_of_many", ["0", "-1"])
def test_numbers_that_mean_many_processes_count_as_unreadable(place, number_of_many):
    process, _ = with_daemon(place)
    (place / "many.pid").write_text(number_of_many)
    (place / "end").touch()
    process.communicate(timeout=30)
    process = launch(place, "many.pid", "/bin/sh", "-c", "echo started; until [ -e enough ]; do sleep 0.05; done")
    assert process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGUSR1)
    assert process.stdout.readline() == "Can't read child pidfile many.pid!\n"
    (place / "enough").touch()
    assert process.communicate(timeout=30)[0] == ""


@pytest.mark.ours("it wakes up every five seconds")
def test_it_sleeps_until_something_happens(place):
    process, _ = with_daemon(place)
    until(lambda: status_fields(process.pid)["State"].startswith("S"), "it sleeps")
    before = status_fields(process.pid)["voluntary_ctxt_switches"]
    stays(lambda: status_fields(process.pid)["voluntary_ctxt_switches"] == before, "it sleeps on", 0.3)
    (place / "end").touch()
    assert process.wait(30) == 0
    process.communicate()


def test_a_service_that_makes_itself_a_daemon_is_stopped_through_it(new_daemon):
    daemon = new_daemon()
    (daemon.directory / "daemon.sh").write_text("echo $$ >daemon.pid\nexec sleep 9999\n")
    (daemon.directory / "command.sh").write_text("setsid /bin/sh daemon.sh & wait\n")
    words = " ".join(TESTED.pidproxy)
    daemon.configure(f"[program:a]\ncommand={words} {daemon.directory}/daemon.pid /bin/sh command.sh\ndirectory=%(here)s\n").start()
    pid = int(daemon.until_file("daemon.pid"))
    daemon.until_running("a")
    daemon.supervisor("stopProcess", "a")
    until(lambda: not is_alive(pid), "the daemon has ended")
    assert daemon.info("a")["exitstatus"] == 0
