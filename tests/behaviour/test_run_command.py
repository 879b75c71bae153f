"""`linchpin run`: a file as the entry point of a container, or one program as its only service."""
import os
import signal
import subprocess

import pytest

from harness.processes import is_alive
from harness.subject import TESTED
from harness.wait import until

pytestmark = pytest.mark.ours("there is nothing like it")

RUN = (TESTED.daemon[0], "run")


def run(*words, **keywords):
    return subprocess.run([*RUN, *words], capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL, **keywords)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "kill -9 $$"], 128 + signal.SIGKILL),
        (["no-such-command"], 127),
        (["/etc/passwd"], 126),
    ],
)
def test_it_ends_with_the_command_and_its_exit_status(words, status, tmp_path):
    result = run("--", *words, cwd=tmp_path)
    assert result.returncode == status, result
    assert list(tmp_path.iterdir()) == [], "no pid file, no log"


def test_words_and_output_pass_unchanged():
    words = ["it's 100%", "a;b ; c", "%(here)s", "", "two\nlines", "# no comment", "back\\slash", "\"quoted\""]
    result = run("python3", "-c", "import sys; print(sys.argv[1:]); print('err', file=sys.stderr)", *words)
    assert result.stdout == f"{words}\n"
    assert "err\n" in result.stderr


def test_the_lines_of_a_script_follow_those_of_the_command(tmp_path):
    script = f"echo before; {RUN[0]} run echo hello; echo after"
    with open(tmp_path / "out", "wb") as out:
        subprocess.run(["sh", "-c", script], stdout=out, check=True, timeout=30)
    assert (tmp_path / "out").read_text() == "before\nhello\nafter\n"


def test_a_good_end_is_told_by_nobody():
    result = run("echo", "hello")
    assert (result.returncode, result.stdout, result.stderr) == (0, "hello\n", "")


@pytest.fixture
def running(tmp_path):
    started = []

    def start(script, *options):
        process = subprocess.Popen(
            [*RUN, *options, "--", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=tmp_path
        )
        started.append(process)
        assert process.stdout.readline() == "up\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_signals_are_passed_on_and_the_stop_waits(running):
    traps = " ".join(f'trap "echo {name}" {name};' for name in ("HUP", "USR1", "USR2"))
    process = running(f'{traps} trap "echo bye; exit 5" TERM; echo up; while :; do sleep 0.02; done')
    for name in ("HUP", "USR1", "USR2"):
        process.send_signal(getattr(signal, f"SIG{name}"))
        assert process.stdout.readline() == f"{name}\n"
    process.terminate()
    assert process.stdout.read() == "bye\n"
    assert process.wait(10) == 5


def test_what_does_not_stop_is_killed(running):
    process = running('trap "" TERM; echo up; while :; do sleep 0.02; done', "-o", "stopwaitsecs=1")
    process.terminate()
    assert process.wait(20) == 128 + signal.SIGKILL


def test_it_is_started_again_on_request(running, tmp_path):
    process = running("echo up; echo $$ > pid; exec sleep 1000", "--restart", "-o", "startsecs=0")

    def pid():
        text = (tmp_path / "pid").read_text() if (tmp_path / "pid").exists() else ""
        return int(text) if text.endswith("\n") else None

    first = until(pid, "it runs")
    os.kill(first, 9)
    assert process.stdout.readline() == "up\n"
    until(lambda: pid() not in (None, first), "another one runs")
    process.terminate()
    process.wait(10)
    until(lambda: not is_alive(pid()), "it is gone")


def test_people_can_ask_it(running, tmp_path):
    process = running("echo up; exec sleep 1000", "--socket", str(tmp_path / "l.sock"), "--name", "web")
    asked = subprocess.run(
        [TESTED.daemon[0], "why", "web", "-s", f"unix://{tmp_path}/l.sock"], capture_output=True, text=True, timeout=30
    )
    assert asked.stdout.startswith("web  RUNNING for "), asked
    process.terminate()
    process.wait(10)
    assert not (tmp_path / "l.sock").exists()


def test_mistakes_are_told():
    for words, text in [
        ([], "which command, or which file"),
        (["-o", "readiness=tcp:x", "--", "true"], "readiness"),
        (["-o", "nothing", "--", "true"], "KEY=VALUE"),
    ]:
        result = run(*words)
        assert result.returncode == 2 and text in result.stderr, (words, result)


FILE = """\
[supervisord]
[linchpin]
run_directory=%(here)s/run
[ca-roots]
directory=%(here)s/ca-certs
[program:a]
command=/bin/sh -c 'echo up; exec sleep 1000'
stdout_logfile=/dev/stdout
stdout_logfile_maxbytes=0
"""


@pytest.fixture
def entry_point(new_daemon):
    """`linchpin run -c FILE`, started."""

    def start(text=FILE, *options):
        daemon = new_daemon().write(text)
        return daemon.launch(command=[*RUN, "-c", str(daemon.file), *options], cwd=daemon.directory)

    return start


def status(daemon, *words):
    command = [TESTED.daemon[0], "status", "-c", str(daemon.file), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


def test_a_file_is_run_as_an_entry_point(entry_point):
    daemon = entry_point()
    daemon.until_file("daemon.out", "up\n")
    result = status(daemon, "--wait", "ready")
    assert result.returncode == 0 and "a" in result.stdout, result
    assert (daemon.directory / "run/linchpin.sock").stat().st_mode & 0o777 == 0o600
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(30) == 0
    assert daemon.read("daemon.out") == "up\n", "what programs write is not mixed with the log"
    log = daemon.read("daemon.err")
    assert "boot: 2" in log and "spawned: 'a'" in log
    assert {path.name for path in daemon.directory.iterdir()} == {"supervisord.conf", "daemon.out", "daemon.err", "run"}


def test_its_settings_are_applied_through_the_socket_that_it_has_by_itself(entry_point):
    settings = "run_directory=%(here)s/run\nsettings_file=%(here)s/s.env\n[setting:MODE]\ndefault=fast\nservices=a\n"
    daemon = entry_point(FILE.replace("run_directory=%(here)s/run\n", settings))
    daemon.until_file("daemon.out", "up\n")
    command = [TESTED.daemon[0], "settings", "apply", "-c", str(daemon.file), "MODE=slow"]
    applied = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert applied.returncode == 0, applied
    assert daemon.read("s.env").endswith("MODE=slow\n") and daemon.read("daemon.out") == "up\nup\n"


FIRST = ("unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", 'mount -t tmpfs -o ro tmpfs /run && exec "$@"', "sh")


@pytest.mark.root
@pytest.mark.parametrize(("linchpin", "lacks"), [("", True), ("[linchpin]\nsocket=\n", False), ("[linchpin]\nrun_directory=%(here)s/run\n", False)])
def test_a_first_process_that_has_no_place_for_its_socket_says_so_once(new_daemon, linchpin, lacks):
    daemon = new_daemon().write(f"[supervisord]\n{linchpin}[program:a]\ncommand=/bin/sh -c 'echo up; exec sleep 1000'\nstdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\n")
    daemon.launch(before=FIRST, command=[*RUN, "-c", str(daemon.file)], cwd=daemon.directory)
    daemon.until_file("daemon.out", "up\n")
    children = f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children"
    (first,) = [int(pid) for pid in open(children).read().split()]
    os.kill(first, signal.SIGHUP)
    daemon.until_file("daemon.out", "up\nup\n")
    log = daemon.read("daemon.err")
    assert log.count("WARN there is no control socket, because /run cannot be written") == lacks, log
    assert not lacks or "write `run_directory=`" in log


@pytest.mark.parametrize(("option", "ends"), [("", True), ("on_fatal=ignore\n", False), ("importance=optional\n", False)])
def test_a_program_that_is_given_up_ends_the_container(entry_point, option, ends):
    text = FILE + f"[program:b]\ncommand=/bin/sh -c 'exit 7'\nstartretries=0\n{option}"
    daemon = entry_point(text, "--socket", "%(here)s/x.sock")
    if ends:
        assert daemon.process.wait(30) == 7
        return
    daemon.until_file("daemon.err", "entered FATAL state")
    assert daemon.process.poll() is None
    url = f"unix://{daemon.directory}/x.sock"
    assert "FATAL" in subprocess.run([TESTED.daemon[0], "status", "-s", url], capture_output=True, text=True, timeout=30).stdout


def test_a_reload_keeps_what_an_entry_point_is(entry_point):
    daemon = entry_point()
    daemon.until_file("daemon.out", "up\n")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.until_file("daemon.out", "up\nup\n")
    assert status(daemon, "--wait", "ready").returncode == 0
    assert not list(daemon.directory.glob("*.log")) and not list(daemon.directory.glob("*.pid"))


def test_a_mistake_in_the_file_is_told_with_status_2(entry_point):
    daemon = entry_point("[supervisord]\n[program:a]\n")
    assert daemon.process.wait(30) == 2
    assert "command" in daemon.read("daemon.err")
