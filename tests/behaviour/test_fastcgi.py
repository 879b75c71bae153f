"""The processes of an fcgi-program share a listening socket as descriptor 0."""
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import xmlrpc.client
from pathlib import Path

import pytest

from harness import rpc
from harness.held_exec import HeldExec
from harness.processes import is_alive, process
from harness.subject import LINCHPIN, TESTED
from harness.wait import until

PROGRAMS = Path(__file__).parent / "programs"


def section(command, url, options="", name="web"):
    return (
        f"[fcgi-program:{name}]\ncommand={command}\nsocket={url}\n"
        f"stdout_logfile=%(here)s/{name}-%(process_num)d.log\nstdout_logfile_maxbytes=0\n"
        "autorestart=false\nstartsecs=0\n" + options
    )


class Unix:
    def __init__(self, daemon):
        self.path = daemon.directory / "web.sock"
        self.url = f"unix://{self.path}"

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(30)
        connection.connect(str(self.path))
        return connection


class Tcp:
    def __init__(self, daemon):
        self.port = rpc.free_port()
        self.url = f"tcp://localhost:{self.port}"

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), 30)


both_kinds = pytest.mark.parametrize("kind", [Unix, Tcp])


def greeting(connection):
    """Who answers: the process's name and its id."""
    name, pid = connection.makefile("r").readline().split()
    return name, int(pid)


def can_connect(place):
    try:
        place.connect().close()
        return True
    except OSError:
        return False


def told(daemon, process=0):
    return daemon.until_file(f"web-{process}.log", "\nend\n")


def without_places(text, daemon, place):
    text = text.replace(str(daemon.directory), "DIRECTORY")
    return text.replace(str(place.port), "PORT") if isinstance(place, Tcp) else text


def story(daemon, place):
    """What the main log tells of sockets and processes, in order, without what differs from run to run."""
    words = r"socket (unix|tcp)|spawned|stopped|exited|spawnerr|gave up"
    lines = [line.split(" ", 2)[2] for line in daemon.log().splitlines() if re.search(words, line)]
    return [re.sub(r"with pid \d+", "with pid N", without_places(line, daemon, place)) for line in lines]


def until_it_sleeps(daemon, name):
    """The original's child, before it is the program, swallows a signal."""

    def sleeps():
        found = process(daemon.info(name)["pid"])
        return found and found.name == "sleep"

    until(sleeps, "it is the program")


# --- what a process is given


@both_kinds
def test_descriptor_0_is_a_socket_like_the_originals(new_daemon, original, compiled, kind):
    def attributes(subject):
        daemon = new_daemon(subject=subject)
        place = kind(daemon)
        daemon.configure(section(compiled("shared_socket"), place.url)).start()
        text = without_places(told(daemon), daemon, place)
        daemon.stop()
        return re.sub(r"inode \d+", "inode N", text)

    assert attributes(TESTED) == attributes(original)


@pytest.mark.parametrize("kind", [Unix, Tcp])
@pytest.mark.parametrize("backlog", ["", "socket_backlog=3\n"])
def test_the_queue_is_as_long_as_the_originals(new_daemon, original, kind, backlog):
    def length(subject):
        daemon = new_daemon(subject=subject)
        place = kind(daemon)
        daemon.configure(section("/bin/sleep 9999", place.url, backlog)).start()
        daemon.until_running("web")
        if kind is Tcp:
            # Of a listening socket the kernel shows the length of its queue there.
            with socket.socket(fileno=copy_of_descriptor_0(daemon)) as listener:
                information = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
                return int.from_bytes(information[28:32], sys.byteorder)
        return connections_that_fit(place, 6)

    assert length(TESTED) == length(original)


def connections_that_fit(place, most):
    waiting = []
    try:
        for _ in range(most):
            connection = socket.socket(socket.AF_UNIX)
            waiting.append(connection)
            connection.setblocking(False)
            connection.connect(str(place.path))
    except BlockingIOError:
        waiting.pop().close()
    count = len(waiting)
    for connection in waiting:
        connection.close()
    return count


def copy_of_descriptor_0(daemon):
    """The listening socket of the section, taken from its process."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    PIDFD_OPEN, PIDFD_GETFD = 434, 438
    process = libc.syscall(PIDFD_OPEN, daemon.info("web")["pid"], 0)
    copy = libc.syscall(PIDFD_GETFD, process, 0, 0)
    os.close(process)
    if copy < 0:
        pytest.skip("the kernel does not let us take a descriptor of another process")
    return copy


OWNERS = {
    "defaults": ("", "", False),
    "mode": ("socket_mode=0666\n", "", False),
    "mode_in_spite_of_umask": ("socket_mode=0777\n", "umask=077", False),
    "owner": ("socket_owner=nobody\n", "", True),
    "owner_and_group": ("socket_owner=nobody:daemon\nsocket_mode=0660\n", "", True),
    "user_of_the_program": ("user=nobody\n", "", True),
    "user_of_the_program_and_owner": ("user=nobody\nsocket_owner=daemon\n", "", True),
    "user_of_the_daemon": ("", "user=nobody", True),
}


@pytest.mark.parametrize("name", OWNERS)
def test_mode_and_owner_are_the_originals(new_daemon, original, compiled, name):
    options, supervisord, needs_root = OWNERS[name]
    if needs_root and os.geteuid() != 0:
        pytest.skip("needs to be root")

    def attributes(subject):
        daemon = new_daemon(subject=subject)
        daemon.directory.chmod(0o777)
        place = Unix(daemon)
        daemon.configure(section(compiled("shared_socket"), place.url, options), supervisord=supervisord).start()
        told(daemon)
        status = place.path.stat()
        return stat.filemode(status.st_mode), status.st_uid, status.st_gid

    assert attributes(TESTED) == attributes(original)


def test_a_standard_input_it_does_not_have_cannot_be_written_to(new_daemon):
    daemon = new_daemon()
    daemon.configure(section("/bin/sleep 9999", Unix(daemon).url)).start()
    daemon.until_running("web")
    with pytest.raises(xmlrpc.client.Fault, match="NO_FILE: web") as fault:
        daemon.supervisor("sendProcessStdin", "web", "hello\n")
    assert fault.value.faultCode == 20


# --- from the first process to the last


@both_kinds
def test_all_processes_of_a_section_serve_one_socket(new_daemon, compiled, kind):
    daemon = new_daemon()
    place = kind(daemon)
    options = "numprocs=3\nprocess_name=%(program_name)s-%(process_num)d\n"
    daemon.configure(section(f"{compiled('shared_socket')} %(process_num)d", place.url, options)).start()
    inodes = {re.search(r"inode \d+", told(daemon, number))[0] for number in range(3)}
    assert len(inodes) == 1
    for number in (0, 2):
        daemon.supervisor("stopProcess", f"web:web-{number}")
    # The one that is left answers everybody.
    assert {greeting(place.connect())[0] for _ in range(5)} == {"1"}


def a_socket_from_its_first_process_to_its_last(daemon, place):
    options = "numprocs=2\nprocess_name=%(program_name)s-%(process_num)d\nautostart=false\n"
    daemon.configure(section("/bin/sleep 9999", place.url, options)).start()
    for call, name in (("start", 0), ("start", 1), ("stop", 0), ("start", 0), ("stop", 0), ("stop", 1), ("start", 1)):
        daemon.supervisor(f"{call}Process", f"web:web-{name}")
        if call == "start":
            until_it_sleeps(daemon, f"web:web-{name}")
    daemon.stop()


@both_kinds
def test_a_socket_is_opened_and_closed_when_the_original_does(new_daemon, original, kind):
    def log(subject):
        daemon = new_daemon(subject=subject)
        place = kind(daemon)
        a_socket_from_its_first_process_to_its_last(daemon, place)
        return story(daemon, place)

    ours = log(TESTED)
    assert ours == log(original)
    assert sum("Creating socket" in line for line in ours) == 3


@both_kinds
def test_nobody_listens_before_the_first_process_and_after_the_last(new_daemon, compiled, kind):
    daemon = new_daemon()
    place = kind(daemon)
    daemon.configure(section(f"{compiled('shared_socket')} web", place.url, "autostart=false\n")).start()
    assert not can_connect(place)
    daemon.supervisor("startProcess", "web")
    assert greeting(place.connect())[1] == daemon.info("web")["pid"]
    daemon.supervisor("stopProcess", "web")
    until(lambda: not can_connect(place), "nobody listens")
    if kind is Unix:
        assert place.path.is_socket(), "the file is left"


@both_kinds
def test_a_restart_opens_the_socket_again_beside_living_connections(new_daemon, compiled, kind):
    daemon = new_daemon()
    place = kind(daemon)
    daemon.configure(section(f"{compiled('shared_socket')} web", place.url)).start()
    (first,) = daemon.until_running("web")
    connections = [place.connect() for _ in range(10)]
    assert {greeting(connection)[1] for connection in connections} == {first}
    daemon.supervisor("stopProcess", "web")
    daemon.supervisor("startProcess", "web")
    (second,) = daemon.until_running("web")
    assert greeting(place.connect())[1] == second != first
    # The old ones ended with the process that had them.
    assert all(connection.recv(100) == b"" for connection in connections)


@both_kinds
def test_a_killed_process_comes_back_with_its_socket(new_daemon, compiled, kind):
    daemon = new_daemon()
    place = kind(daemon)
    options = "numprocs=2\nprocess_name=%(program_name)s-%(process_num)d\n"
    text = section(f"{compiled('shared_socket')} web", place.url, options)
    daemon.configure(text.replace("autorestart=false", "autorestart=true")).start()
    pids = daemon.until_running("web:web-0", "web:web-1")
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not any(is_alive(pid) for pid in pids), "they are gone")

    def are_back():
        now = daemon.until_running("web:web-0", "web:web-1")
        return None if set(pids) & set(now) else now

    back = until(are_back, "they are back")
    assert greeting(place.connect())[1] in back


@both_kinds
def test_a_restart_of_the_daemon_opens_it_again(new_daemon, original, kind):
    def log(subject):
        daemon = new_daemon(subject=subject)
        place = kind(daemon)
        daemon.configure(section("/bin/sleep 9999", place.url)).start()
        until_it_sleeps(daemon, "web")
        daemon.signal(signal.SIGHUP)
        daemon.until_logged("spawned", count=2)
        until(daemon.answers, "it answers")
        until_it_sleeps(daemon, "web")
        daemon.stop()
        return story(daemon, place)

    assert log(TESTED) == log(original)


def test_a_command_that_is_not_found_gives_the_socket_back(new_daemon, original):
    def log(subject):
        daemon = new_daemon(subject=subject)
        place = Unix(daemon)
        daemon.configure(section("/no/such/program", place.url, "startretries=1\n")).start()
        daemon.until_state("web", "FATAL")
        daemon.until_logged("gave up")
        return story(daemon, place)

    assert log(TESTED) == log(original)


@pytest.mark.parametrize("somebody_listens", [False, True])
def test_a_socket_at_the_path_makes_room(new_daemon, compiled, somebody_listens):
    daemon = new_daemon()
    place = Unix(daemon)
    with socket.socket(socket.AF_UNIX) as earlier:
        earlier.bind(str(place.path))
        if somebody_listens:
            earlier.listen()
        daemon.configure(section(f"{compiled('shared_socket')} web", place.url)).start()
        daemon.until_running("web")
        assert greeting(place.connect())[0] == "web"


@pytest.mark.ours("it is deleted")
def test_a_file_that_is_no_socket_is_not_deleted(new_daemon):
    daemon = new_daemon()
    place = Unix(daemon)
    place.path.write_text("precious")
    result = daemon.configure(section("/bin/sleep 9999", place.url)).run_to_end()
    assert result.returncode == 2
    assert f"Error: Could not create FastCGI socket {place.url}: {place.path} exists and is not a socket\n" in result.stderr
    assert place.path.read_text() == "precious"


# --- sockets that cannot be opened


def refused_place(daemon, name):
    """An address that cannot be had, what keeps it from us, and the original's reason."""
    if name == "port_in_use":
        taken = socket.create_server(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{taken.getsockname()[1]}", taken, "[Errno 98] Address already in use"
    if name == "foreign_address":
        return "tcp://192.0.2.1:9000", None, "[Errno 99] Cannot assign requested address"
    if name == "no_directory":
        return f"unix://{daemon.directory}/none/web.sock", None, "[Errno 2] No such file or directory"
    return f"unix://{daemon.directory}/{'x' * 108}", None, "AF_UNIX path too long"


@pytest.mark.parametrize("name", ["port_in_use", "foreign_address", "no_directory", "too_long"])
def test_a_socket_that_cannot_be_opened_ends_the_start(new_daemon, name):
    daemon = new_daemon()
    url, _taken, reason = refused_place(daemon, name)
    result = daemon.configure(section("/bin/sleep 9999", url)).run_to_end()
    text = f"Could not create FastCGI socket {url}: {reason}\n"
    if TESTED is LINCHPIN:
        assert result.returncode == 2
        assert f"Error: {text}For help, use " in result.stderr
        assert "Traceback" not in result.stderr
        assert not daemon.socket.exists()
    else:
        assert result.returncode == 1 and text in result.stderr


@pytest.mark.ours("the running daemon's socket is taken away first")
def test_a_second_copy_does_not_take_the_socket_away(new_daemon, compiled):
    daemon = new_daemon()
    place = Unix(daemon)
    daemon.configure(section(f"{compiled('shared_socket')} web", place.url)).start()
    (pid,) = daemon.until_running("web")
    second = new_daemon(directory=daemon.directory)
    assert second.run_to_end().returncode == 2
    assert greeting(place.connect()) == ("web", pid)


@pytest.mark.ours("HTTP 500")
def test_a_group_whose_socket_cannot_be_opened_is_not_added(new_daemon, compiled):
    daemon = new_daemon(programs="").start()
    place = Unix(daemon)
    place.path.write_text("in the way")
    daemon.configure(section(f"{compiled('shared_socket')} web", place.url))
    assert daemon.supervisor("reloadConfig") == [[["web"], [], []]]
    reason = f"FAILED: Could not create FastCGI socket {place.url}: {place.path} exists and is not a socket"
    with pytest.raises(xmlrpc.client.Fault) as fault:
        daemon.supervisor("addProcessGroup", "web")
    assert (fault.value.faultCode, fault.value.faultString) == (30, reason)
    assert daemon.states() == {}
    result = daemon.control("add", "web")
    assert result.returncode == 1 and "exists and is not a socket" in result.stdout
    place.path.unlink()
    assert daemon.supervisor("addProcessGroup", "web") is True
    daemon.until_running("web")
    assert greeting(place.connect())[0] == "web"


@pytest.mark.ours("it dies")
def test_a_socket_that_cannot_be_opened_any_more_fails_only_the_start(new_daemon, compiled):
    daemon = new_daemon()
    place = Unix(daemon)
    place.path = daemon.directory / "run" / "web.sock"
    place.path.parent.mkdir()
    options = "autostart=false\nstartretries=100\n"
    daemon.configure(section(f"{compiled('shared_socket')} web", f"unix://{place.path}", options)).start()
    shutil.rmtree(place.path.parent)
    text = f"Could not create FastCGI socket unix://{place.path}: [Errno 2] No such file or directory"
    with pytest.raises(xmlrpc.client.Fault, match="SPAWN_ERROR: web"):
        daemon.supervisor("startProcess", "web")
    assert daemon.info("web")["spawnerr"] == text
    daemon.until_logged(re.escape(f"spawnerr: {text}\n"))
    # A socket that was never open is not closed.
    assert daemon.log().count("Closing socket") == 1
    place.path.parent.mkdir()
    daemon.until_running("web")
    assert greeting(place.connect())[0] == "web"


@pytest.mark.root
@pytest.mark.ours("a restart forgets the child")
@both_kinds
def test_a_start_that_hangs_keeps_its_socket_over_a_restart_of_the_daemon(new_daemon, compiled, kind):
    daemon = new_daemon()
    place = kind(daemon)
    program = shutil.copy(compiled("shared_socket"), daemon.directory / "stuck")
    daemon.configure(section(f"{program} web", place.url, "stopwaitsecs=1\n"))
    try:
        exec_of = HeldExec(program)
    except OSError as error:
        pytest.skip(f"this kernel cannot hold back an exec: {error}")
    try:
        daemon.start()
        until(lambda: exec_of.waiting, "the exec hangs")
        daemon.signal(signal.SIGHUP)
        daemon.until_logged("supervisord started with pid", count=2)
        until(daemon.answers, "it answers again")
    finally:
        exec_of.close()
    daemon.until_running("web")
    assert greeting(place.connect())[1] == daemon.info("web")["pid"]
    assert daemon.stop() == 0


# --- changes of the configuration


def test_another_address_is_a_change_and_comes_with_an_update(new_daemon, compiled):
    daemon = new_daemon()
    place = Unix(daemon)
    text = section(f"{compiled('shared_socket')} web", place.url)
    daemon.configure(text).start()
    daemon.until_running("web")
    daemon.configure(text.replace("web.sock", "other.sock"))
    assert daemon.supervisor("reloadConfig") == [[[], ["web"], []]]
    result = daemon.control("update")
    assert result.stdout == "web: stopped\nweb: updated process group\n"
    place.path = daemon.directory / "other.sock"
    daemon.until_running("web")
    assert greeting(place.connect())[0] == "web"


@pytest.mark.ours("it compares only the address")
@pytest.mark.parametrize("option", ["socket_mode=0666", "socket_backlog=3", "socket_owner=daemon"])
def test_other_options_of_the_socket_are_changes_too(new_daemon, option):
    if option.startswith("socket_owner") and os.geteuid() != 0:
        pytest.skip("needs to be root")
    daemon = new_daemon()
    place = Unix(daemon)
    text = section("/bin/sleep 9999", place.url)
    daemon.configure(text).start()
    daemon.until_running("web")
    daemon.configure(text + option + "\n")
    assert daemon.supervisor("reloadConfig") == [[[], ["web"], []]]
    assert daemon.control("update").returncode == 0
    daemon.until_running("web")
    status = place.path.stat()
    if option.startswith("socket_mode"):
        assert stat.S_IMODE(status.st_mode) == 0o666
    elif option.startswith("socket_owner"):
        assert status.st_uid == pwd.getpwnam("daemon").pw_uid
    else:
        assert connections_that_fit(place, 6) == 4
    assert daemon.supervisor("reloadConfig") == [[[], [], []]]


# --- in a group


@pytest.mark.ours("descriptor 0 is a pipe")
@both_kinds
def test_an_fcgi_program_in_a_group_keeps_its_socket(new_daemon, compiled, kind):
    daemon = new_daemon()
    place = kind(daemon)
    options = "numprocs=2\nprocess_name=%(program_name)s-%(process_num)d\n"
    daemon.configure(
        section(f"{compiled('shared_socket')} web", place.url, options)
        + "[program:cat]\ncommand=/bin/cat\nstdout_logfile=%(here)s/cat.log\n[group:site]\nprograms=web,cat\n"
    ).start()
    daemon.until_running("site:web-0", "site:web-1", "site:cat")
    assert greeting(place.connect())[0] == "web"
    # The others of the group have their pipe.
    daemon.supervisor("sendProcessStdin", "site:cat", "hello\n")
    assert daemon.until_file("cat.log", "hello\n") == "hello\n"
    with pytest.raises(xmlrpc.client.Fault, match="NO_FILE"):
        daemon.supervisor("sendProcessStdin", "site:web-0", "hello\n")
    daemon.supervisor("stopProcessGroup", "site")
    until(lambda: not can_connect(place), "nobody listens")
    daemon.supervisor("startProcessGroup", "site")
    assert greeting(place.connect())[0] == "web"


@pytest.mark.ours("it does not open it")
def test_a_socket_in_a_group_that_cannot_be_opened_keeps_nobody_else_away(new_daemon):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        daemon = new_daemon(
            programs=section("/bin/sleep 9999", url, "startretries=0\n")
            + "[program:other]\ncommand=/bin/sleep 9999\n[group:site]\nprograms=web,other\n"
        ).start()
        daemon.until_running("site:other")
        info = daemon.until_state("site:web", "FATAL")
    assert info["spawnerr"] == f"Could not create FastCGI socket {url}: [Errno 98] Address already in use"
    daemon.until_logged("ERRO Could not create FastCGI socket .*; its processes cannot be started until it can be opened")


# --- with somebody else's client and server


def test_a_fastcgi_client_reaches_a_fastcgi_server(new_daemon):
    """libfcgi's client, flup's server."""
    if not shutil.which("cgi-fcgi"):
        pytest.skip("no cgi-fcgi (Debian: libfcgi-bin)")
    pytest.importorskip("flup", reason="no flup: see tests/requirements.txt")
    daemon = new_daemon()
    place = Unix(daemon)
    command = f"{sys.executable} {PROGRAMS}/fastcgi_server.py"
    options = "numprocs=2\nprocess_name=%(program_name)s-%(process_num)d\n"
    daemon.configure(section(command, place.url, options)).start()
    pids = daemon.until_running("web:web-0", "web:web-1")

    def ask(path):
        variables = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": path, "QUERY_STRING": "", "SERVER_NAME": "x", "SERVER_PORT": "1", "SERVER_PROTOCOL": "HTTP/1.0"}
        command = ["cgi-fcgi", "-bind", "-connect", str(place.path)]
        return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL).stdout

    answer = ask("/hello")
    assert answer.startswith("Status: 200 OK"), answer + daemon.said()
    asked, pid = answer.splitlines()[-1].split()
    assert asked == "/hello" and int(pid) in pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    daemon.until_state("web:web-0", "EXITED")
    daemon.until_state("web:web-1", "EXITED")
    daemon.supervisor("startProcessGroup", "web")
    pids = daemon.until_running("web:web-0", "web:web-1")
    assert int(ask("/again").splitlines()[-1].split()[1]) in pids
