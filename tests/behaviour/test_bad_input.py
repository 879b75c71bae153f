"""What cannot work is refused with an error that names its place; what ran keeps running."""
import os
import socket
import subprocess
import time

import pytest

from harness.processes import is_alive
from harness.subject import LINCHPIN, TESTED
from harness.wait import until

SLEEP = "[program:a]\ncommand=/bin/sleep 9999\n"

# What is written into the file, and what the error must say besides the file's name.
BAD_FILES = {
    "empty": ("", ["does not include supervisord section"]),
    "only_a_comment": ("; nothing\n", ["does not include supervisord section"]),
    "no_section": ("nodaemon=true\n", ["File contains no section headers", "line: 1"]),
    "byte_order_mark": ("\ufeff[supervisord]\n", ["File contains no section headers"]),
    "no_delimiter": ("[supervisord]\nnonsense\n", ["parsing errors", "[line  2]"]),
    "unclosed_section": ("[supervisord]\n[program\ncommand=x\n", ["parsing errors", "[line  2]"]),
    "no_command": ("[supervisord]\n[program:a]\nautostart=true\n", ["program:a", "does not specify a command"]),
    "bad_number": ("[supervisord]\n" + SLEEP + "startsecs=soon\n", ["invalid literal for int() with base 10: 'soon'", "program:a"]),
    "bad_boolean": ("[supervisord]\n" + SLEEP + "autostart=perhaps\n", ["not a valid boolean value: 'perhaps'", "program:a"]),
    "bad_signal": ("[supervisord]\n" + SLEEP + "stopsignal=LOUD\n", ["value 'LOUD' is not a valid signal name", "program:a"]),
    "bad_percent": ("[supervisord]\n[program:a]\ncommand=date +%Y\n", ["date +%Y", "program:a.command", "badly formatted"]),
    "unknown_name": ("[supervisord]\n[program:a]\ncommand=%(nothing)s\n", ["%(nothing)s", "cannot be expanded"]),
    "missing_user": ("[supervisord]\n" + SLEEP + "user=no-such-user\n", ["Invalid user name no-such-user", "program:a"]),
    "missing_uid": ("[supervisord]\n" + SLEEP + "user=4000000\n", ["Invalid user id 4000000", "program:a"]),
    "daemons_missing_user": ("[supervisord]\nuser=no-such-user\n", ["no-such-user"]),
    "missing_log_directory": (
        "[supervisord]\n" + SLEEP + "stdout_logfile=/no/such/place/a.log\n",
        ["The directory named as part of the path /no/such/place/a.log does not exist", "program:a"],
    ),
    "missing_main_log_directory": (
        "[supervisord]\nlogfile=/no/such/place/main.log\n",
        ["The directory named as part of the path /no/such/place/main.log does not exist"],
    ),
    "missing_child_log_directory": ("[supervisord]\nchildlogdir=/no/such/place\n", ["/no/such/place is not an existing directory"]),
    "group_of_nothing": ("[supervisord]\n[group:g]\nprograms=nobody\n", ["names unknown program or fcgi-program nobody"]),
    "include_without_files": ("[supervisord]\n[include]\n", [".ini file has [include] section, but no files setting"]),
    "socket_without_file": ("[supervisord]\n[unix_http_server]\nchmod=0700\n", ["has no file value"]),
    "half_authentication": (
        "[supervisord]\n[unix_http_server]\nfile=x.sock\nusername=u\n",
        ["contains incomplete authentication"],
    ),
    "bad_port": ("[supervisord]\n[inet_http_server]\nport=70000\n", ["not a valid port number: '70000'"]),
}


def assert_refused(result, *texts):
    assert result.returncode == 2, result.stderr
    for text in texts:
        assert text in result.stderr, result.stderr
    assert "Traceback" not in result.stderr
    assert "panicked" not in result.stderr


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_with_its_place(new_daemon, name):
    text, expected = BAD_FILES[name]
    daemon = new_daemon().write(text)
    result = daemon.run_to_end()
    assert_refused(result, "Error: ", "For help, use ", *expected)
    if TESTED is LINCHPIN:
        assert str(daemon.file) in result.stderr, "the error names the file"


@pytest.mark.ours("the original stops at the first problem")
def test_all_problems_of_a_file_are_reported_at_once(new_daemon):
    daemon = new_daemon().write(
        "[supervisord]\nminfds=many\n[program:a]\ncommand=/bin/cat\nstartsecs=soon\n[program:b]\ncommand=/bin/cat\nuser=no-such-user\n"
    )
    result = daemon.run_to_end()
    assert_refused(result, "many", "soon", "no-such-user")


def test_a_file_that_is_not_there(new_daemon):
    daemon = new_daemon()
    assert_refused(daemon.run_to_end(), f"could not find config file {daemon.file}")


@pytest.mark.ours("a traceback")
@pytest.mark.parametrize("name", ["a_directory", "not_text", "nul_bytes"])
def test_a_file_that_is_no_text(new_daemon, name):
    daemon = new_daemon()
    if name == "a_directory":
        daemon.file.mkdir()
    else:
        daemon.write(b"[supervisord]\nlogfile=\xff\xfe\n" if name == "not_text" else b"[supervisord]\n\0\0\0\0\n")
    result = daemon.run_to_end()
    assert_refused(result, str(daemon.file))


@pytest.mark.root
def test_an_unreadable_file(new_daemon):
    daemon = new_daemon(programs=SLEEP)
    daemon.file.chmod(0o000)
    result = daemon.run_to_end(before=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"))
    assert_refused(result, f"could not read config file {daemon.file}")


@pytest.mark.root
def test_an_unreadable_included_file_is_passed_over(new_daemon):
    """As in the original, whose reader skips files that it cannot open; ours says so."""
    daemon = new_daemon(programs=SLEEP + "[include]\nfiles=more.conf\n")
    daemon.directory.chmod(0o777)
    more = daemon.directory / "more.conf"
    more.write_text(SLEEP.replace("program:a", "program:b"))
    more.chmod(0o000)
    daemon.start(before=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"))
    daemon.until_running("a")
    assert list(daemon.states()) == ["a:a"]
    if TESTED is LINCHPIN:
        daemon.until_logged(f"WARN .*{more}")


HUGE = {
    "a_long_line": "[supervisord]\numask=" + "x" * 20_000_000 + "\n",
    "many_lines_without_meaning": "[supervisord]\n" + "nonsense\n" * 500_000,
    "many_unknown_options": "[supervisord]\n" + "".join(f"option{n}=1\n" for n in range(500_000)) + "minfds=many\n",
}


@pytest.mark.ours("takes minutes, or a traceback")
@pytest.mark.parametrize("name", HUGE)
def test_a_huge_file_is_answered_in_seconds(new_daemon, name):
    daemon = new_daemon().write(HUGE[name])
    began = time.monotonic()
    result = daemon.run_to_end(timeout=60)
    assert_refused(result)
    assert time.monotonic() - began < 20


def test_a_unix_socket_in_use(new_daemon):
    first = new_daemon(programs=SLEEP).start()
    (pid,) = first.until_running("a")
    second = new_daemon(directory=first.directory, programs=SLEEP, supervisord="logfile=%(here)s/second.log\npidfile=%(here)s/second.pid")
    second.file = first.file
    result = second.run_to_end()
    assert_refused(result, "Another program is already listening on a port that one of our HTTP servers is configured to use.")
    assert first.answers() and first.info("a")["pid"] == pid and is_alive(pid)


def test_a_tcp_port_in_use(new_daemon):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        daemon = new_daemon(programs=f"[inet_http_server]\nport=127.0.0.1:{port}\n" + SLEEP)
        result = daemon.run_to_end()
    assert_refused(result, "Another program is already listening on a port that one of our HTTP servers is configured to use.")
    assert not (daemon.directory / "s.sock").exists()


def test_an_address_that_is_not_ours(new_daemon):
    daemon = new_daemon(programs="[inet_http_server]\nport=192.0.2.1:9001\n" + SLEEP)
    assert_refused(daemon.run_to_end(), "Cannot open an HTTP server: socket.error reported errno.EADDRNOTAVAIL (99)")


def test_a_refused_start_harms_nothing_of_the_daemon_that_runs(new_daemon):
    """A second start of the same file fails, and leaves the first one's logs, socket and services alone."""
    daemon = new_daemon(programs="[program:a]\ncommand=/bin/sh -c 'echo first words; exec sleep 9999'\n").start()
    daemon.until_running("a")
    until(lambda: "first words" in daemon.supervisor("readProcessStdoutLog", "a", 0, 0), "its output")
    pid_file = daemon.read("main.pid")
    result = new_daemon(directory=daemon.directory).run_to_end()
    assert result.returncode == 2
    assert daemon.answers() and daemon.info("a")["statename"] == "RUNNING"
    assert daemon.read("main.pid") == pid_file
    if TESTED is LINCHPIN:  # the original removes the running daemon's automatic logs first
        assert "first words" in daemon.supervisor("readProcessStdoutLog", "a", 0, 0)


@pytest.mark.parametrize(
    "command, error",
    [
        ("/no/such/program", "can't find command '/no/such/program'"),
        ("no-such-program", "can't find command 'no-such-program'"),
        ("/etc/passwd", "command at '/etc/passwd' is not executable"),
        ("/etc", "command at '/etc' is a directory"),
        ("/bin/false", "Exited too quickly (process log may have details)"),
        ("'open quote", "can't parse command"),
    ],
)
def test_a_program_that_cannot_start_harms_no_other(new_daemon, command, error):
    daemon = new_daemon(programs=f"[program:bad]\ncommand={command}\nstartretries=1\nstartsecs=2\n" + SLEEP).start()
    (pid,) = daemon.until_running("a")
    info = daemon.until_state("bad", "FATAL")
    assert error in info["spawnerr"] and error in info["description"]
    assert daemon.info("a")["pid"] == pid


# --- log places


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KB."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


SPEW = "[program:spew]\ncommand=/bin/sh -c 'while :; do echo 0123456789012345678901234567890123456789; done'\nautorestart=true\n"


@pytest.mark.root
def test_a_full_log_disk_keeps_every_service_running(new_daemon, small_disk):
    daemon = new_daemon(programs=SPEW + f"stdout_logfile={small_disk}/spew.log\nstdout_logfile_maxbytes=0\n" + SLEEP).start()
    (spew, sleep) = daemon.until_running("spew", "a")
    until(lambda: os.statvfs(small_disk).f_bavail == 0, "the disk is full")
    assert daemon.info("spew")["pid"] == spew and daemon.info("a")["pid"] == sleep
    daemon.supervisor("stopProcess", "a")
    daemon.supervisor("startProcess", "a")
    assert daemon.info("spew")["statename"] == "RUNNING"
    assert daemon.stop() == 0


@pytest.mark.root
@pytest.mark.ours("nothing is said")
def test_a_full_log_disk_is_told_in_the_main_log(new_daemon, small_disk):
    daemon = new_daemon(programs=SPEW + f"stdout_logfile={small_disk}/spew.log\nstdout_logfile_maxbytes=0\n").start()
    until(lambda: os.statvfs(small_disk).f_bavail == 0, "the disk is full")
    daemon.until_logged(r"spew.*(ENOSPC|[Nn]o space left)")
    # A complaint per write would fill the next disk.
    lines = [line for line in daemon.log().splitlines() if "ENOSPC" in line or "o space left" in line]
    assert len(lines) < 50


@pytest.mark.root
@pytest.mark.ours("it never writes again")
def test_logging_goes_on_when_the_disk_has_room_again(new_daemon, small_disk):
    filler = small_disk / "filler"
    daemon = new_daemon(
        programs=f"[program:a]\ncommand=/bin/sh -c 'while :; do echo tick; sleep 0.05; done'\nstdout_logfile={small_disk}/a.log\nstdout_logfile_maxbytes=0\n"
    )
    filler.write_bytes(b"x" * 60_000)
    daemon.start()
    daemon.until_running("a")
    try:
        with open(filler, "ab", buffering=0) as more:
            while more.write(b"x" * 1024):
                pass
    except OSError:
        pass
    filler.unlink()
    size = (small_disk / "a.log").stat().st_size
    until(lambda: (small_disk / "a.log").stat().st_size > size + 20, "it writes again")


@pytest.mark.root
@pytest.mark.ours("it ends with a traceback at the stop")
def test_a_full_disk_for_the_main_log_stops_nothing(new_daemon, small_disk):
    (small_disk / "filler").write_bytes(b"x" * 64 * 1024)
    daemon = new_daemon(programs=SLEEP, supervisord=f"logfile={small_disk}/main.log").start()
    (pid,) = daemon.until_running("a")
    os.kill(pid, 9)
    until(lambda: daemon.info("a")["pid"] not in (0, pid), "it is back")
    assert daemon.stop() == 0


@pytest.fixture
def read_only_disk(small_disk):
    (small_disk / "there.log").write_text("")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    return small_disk


@pytest.mark.root
def test_a_read_only_log_directory_fails_that_service_alone(new_daemon, read_only_disk):
    daemon = new_daemon(programs=f"[program:bad]\ncommand=/bin/cat\nstartretries=0\nstdout_logfile={read_only_disk}/bad.log\n" + SLEEP)
    daemon.start()
    daemon.until_running("a")
    info = daemon.until_state("bad", "FATAL")
    assert "EROFS" in info["spawnerr"], info
    assert "unknown error making dispatchers for 'bad'" in info["spawnerr"]


@pytest.mark.root
@pytest.mark.ours("a traceback and exit 1")
def test_a_read_only_place_for_the_main_log_is_refused(new_daemon, read_only_disk):
    daemon = new_daemon(programs=SLEEP, supervisord=f"logfile={read_only_disk}/main.log")
    result = daemon.run_to_end()
    assert result.returncode in (1, 2)
    assert f"{read_only_disk}/main.log" in result.stderr
    assert "Traceback" not in result.stderr and "panicked" not in result.stderr


def test_a_log_directory_removed_while_running(new_daemon):
    daemon = new_daemon()
    logs = daemon.directory / "logs"
    logs.mkdir()
    daemon.configure(f"[program:b]\ncommand=/bin/cat\nstdout_logfile={logs}/b.log\nstartretries=0\n" + SLEEP).start()
    daemon.until_running("a", "b")
    (logs / "b.log").unlink()
    logs.rmdir()
    # Running services keep their open file; the next start of one fails with the place in its error.
    daemon.supervisor("stopProcess", "b")
    answer = daemon.control("start", "b")
    assert answer.stdout == "b: ERROR (spawn error)\n"
    assert "ENOENT" in daemon.info("b")["spawnerr"]
    assert daemon.info("a")["statename"] == "RUNNING"


# --- reload

BROKEN = {
    "unparsable": "[supervisord]\nnonsense\n",
    "empty": "",
    "missing_user": None,
    "bad_value": None,
    "gone": None,
}


def break_file(daemon, name, programs):
    if name == "gone":
        daemon.file.unlink()
    elif name == "missing_user":
        daemon.configure(programs + "[program:new]\ncommand=/bin/cat\nuser=no-such-user\n")
    elif name == "bad_value":
        daemon.configure(programs.replace("9999", "8888") + "[program:new]\ncommand=/bin/cat\nstartsecs=soon\n")
    else:
        daemon.write(BROKEN[name])


@pytest.mark.parametrize("name", BROKEN)
def test_reread_of_a_broken_file_changes_nothing(new_daemon, name):
    daemon = new_daemon(programs=SLEEP).start()
    pids = daemon.until_running("a")
    before = daemon.supervisor("getAllConfigInfo")
    intact = daemon.file.read_text()
    break_file(daemon, name, SLEEP)
    with pytest.raises(Exception) as raised:
        daemon.supervisor("reloadConfig")
    assert raised.value.faultCode == 92
    assert raised.value.faultString.startswith("CANT_REREAD: ")
    assert daemon.supervisor("getAllConfigInfo") == before
    assert [daemon.info("a")["pid"]] == pids
    # And with the file mended, it is as if nothing had happened.
    daemon.file.write_text(intact)
    assert daemon.supervisor("reloadConfig") == [[[], [], []]]


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("way", ["reread", "update"])
def test_supervisorctl_says_what_is_wrong_with_a_broken_file(new_daemon, name, way):
    daemon = new_daemon(programs=SLEEP).start()
    pids = daemon.until_running("a")
    break_file(daemon, name, SLEEP)
    # The client reads a file too, so it gets the intact one's address.
    options = ("-s", f"unix://{daemon.socket}")
    command = [*TESTED.control, *options, way]
    answer = subprocess.run(command, capture_output=True, text=True, cwd="/", env=daemon.environment(), timeout=30)
    assert answer.returncode == 1
    assert "CANT_REREAD" in answer.stdout + answer.stderr
    assert [daemon.info("a")["pid"]] == pids


@pytest.mark.ours("it stops everything and ends")
@pytest.mark.parametrize("way", ["reload", "SIGHUP"])
@pytest.mark.parametrize("name", BROKEN)
def test_restart_with_a_broken_file_changes_nothing(new_daemon, name, way):
    daemon = new_daemon(programs=SLEEP).start()
    pids = daemon.until_running("a")
    break_file(daemon, name, SLEEP)
    if way == "reload":
        try:
            daemon.supervisor("restart")
        except Exception as refused:
            assert "CANT_REREAD" in str(refused)
    else:
        daemon.signal(1)
    daemon.until_logged(r"^\S+ \S+ (CRIT|ERRO|WARN) .*(no-such-user|soon|parsing errors|could not find config file|supervisord section)")
    assert daemon.is_running() and daemon.answers()
    assert [daemon.info("a")["pid"]] == pids
    assert all(is_alive(pid) for pid in pids)
