"""Services that speak for themselves by the `NOTIFY_SOCKET` protocol, with the client library that real ones use."""
import json
import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from harness.daemon import Directory
from harness.processes import children, is_alive, process
from harness.wait import stays, until

pytestmark = pytest.mark.ours("it knows nothing of this")

SOURCE = Path(__file__).parent / "programs" / "sd_client.c"


@pytest.fixture(scope="module")
def sd_client():
    """The program, built against the real library; every user may run it."""
    place = Directory()
    program = place.path / "sd_client"
    built = subprocess.run(["cc", "-O1", "-Wall", "-o", program, SOURCE, "-lsystemd"], capture_output=True, text=True)
    if built.returncode != 0 and "systemd/sd-daemon.h" in built.stderr:
        pytest.skip("no libsystemd to build against (Debian: libsystemd-dev)")
    assert built.returncode == 0, built.stderr
    program.chmod(0o755)
    yield program
    place.remove()


def configured(daemon, command, *options, after=True):
    lines = [
        "[program:web]",
        f"command={command}",
        "startsecs=0",
        "stopwaitsecs=5",
        "readiness=notify",
        "stdout_logfile=%(here)s/web.log",
        "redirect_stderr=true",
        *options,
    ]
    if after:
        lines += ["[program:after]", "command=/bin/sleep 9999", "startsecs=0", "depends_on=web ready"]
    return daemon.configure("\n".join(lines) + "\n")


def address_of(pid):
    environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    (value,) = [entry.partition(b"=")[2] for entry in environment if entry.startswith(b"NOTIFY_SOCKET=")]
    return value


def send(address, text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(text, b"\0" + address[1:])


def ready(daemon, count=1):
    return len(re.findall(r"ready: web,", daemon.log())) >= count


def test_what_waits_for_readiness_starts_when_the_service_says_so(new_daemon, sd_client):
    daemon = configured(new_daemon(), f"{sd_client} ready barrier stay").start()
    daemon.until_running("web", "after")
    assert daemon.until_file("web.log", "barrier") == "ready 1 0\nbarrier 1 0\n"
    assert ready(daemon)
    assert daemon.stop() == 0


def test_a_service_that_says_nothing_is_running_and_not_ready(new_daemon, sd_client):
    daemon = configured(new_daemon(), f"{sd_client} text=STATUS=starting barrier stay").start()
    daemon.until_running("web")
    daemon.until_file("web.log", "barrier")
    assert daemon.info("after")["statename"] == "STARTING"
    assert daemon.info("after")["pid"] == 0
    assert not ready(daemon)


def test_a_sender_that_is_gone_before_it_is_heard_is_known(new_daemon, sd_client):
    # As `systemd-notify` in a script. It must be heard however the race between the two ends.
    daemon = configured(new_daemon(), f'sh -c "{sd_client} ready; exec sleep 9999"').start()
    for count in range(1, 6):
        until(lambda: ready(daemon, count), "it is ready")
        daemon.supervisor("stopProcess", "web")
        daemon.supervisor("startProcess", "web")


def test_last_words_are_heard_before_the_end(new_daemon, sd_client):
    options = ["exitcodes=0", "autorestart=false"]
    daemon = configured(new_daemon(), f"{sd_client} ready", *options, after=False).start()
    daemon.until_state("web", "EXITED")
    daemon.until_logged(r"ready: web,")
    log = daemon.log()
    assert log.index("ready: web,") < log.index("exited: web")


@pytest.mark.root
def test_a_service_of_another_user_is_heard(new_daemon, sd_client):
    daemon = new_daemon()
    daemon.directory.chmod(0o777)
    configured(daemon, f"{sd_client} ready barrier stay", "user=nobody").start()
    daemon.until_running("web", "after")
    assert "barrier 1" in daemon.until_file("web.log", "barrier")


def test_strangers_are_not_heard(new_daemon, sd_client):
    daemon = configured(new_daemon(), f"{sd_client} stay").start()
    (pid,) = daemon.until_running("web")
    address = address_of(pid)
    for _ in range(3):
        send(address, b"READY=1")
    # The test runs as the service's user and is a stranger nevertheless: it lives, and is no relative.
    daemon.until_logged(rf"a notification is ignored: its sender, process {os.getpid()} of user \d+, does not belong")
    daemon.supervisor("stopProcess", "web")
    assert not ready(daemon)
    assert daemon.log().count("a notification is ignored") == 1


def test_messages_to_an_earlier_start_reach_nobody(new_daemon, sd_client):
    daemon = configured(new_daemon(), f"{sd_client} stay", after=False).start()
    (pid,) = daemon.until_running("web")
    first = address_of(pid)
    daemon.supervisor("stopProcess", "web")
    daemon.supervisor("startProcess", "web")
    (pid,) = daemon.until_running("web")
    assert address_of(pid) != first
    with pytest.raises(ConnectionRefusedError):
        send(first, b"READY=1")


def test_services_without_it_have_no_address(new_daemon):
    daemon = new_daemon().configure(
        "[program:plain]\ncommand=/bin/sleep 9999\nstartsecs=0\n"
        "[program:asked]\ncommand=/bin/sleep 9999\nstartsecs=0\nreadiness=file:/etc/passwd\n"
    )
    daemon.start()
    for pid in daemon.until_running("plain", "asked"):
        assert b"NOTIFY_SOCKET" not in Path(f"/proc/{pid}/environ").read_bytes()


@pytest.mark.parametrize("fork", ["fork", "fork-session"])
def test_a_process_that_takes_over_is_the_service(new_daemon, sd_client, fork):
    daemon = configured(new_daemon(), f"{sd_client} {fork} mainpid stay").start()
    daemon.until_running("after")
    main = int(re.search(r"^main 1 (\d+)$", daemon.until_file("web.log", "main"), re.M)[1])
    until(lambda: daemon.info("web")["pid"] == main, "the new process is the service")
    assert daemon.info("web")["statename"] == "RUNNING"
    assert "exited: web" not in daemon.log()
    daemon.supervisor("stopProcess", "web")
    assert not is_alive(main)
    assert daemon.info("web")["statename"] == "STOPPED"


@pytest.mark.parametrize("fork", ["fork", "fork-session"])
@pytest.mark.parametrize("option", ["stopasgroup", "killasgroup"])
def test_its_group_is_stopped_with_it(new_daemon, sd_client, fork, option):
    daemon = configured(new_daemon(), f"{sd_client} {fork} mainpid stay", f"{option}=true").start()
    daemon.until_running("after")
    main = until(lambda: daemon.info("web")["pid"], "it has taken over")
    daemon.supervisor("stopProcess", "web")
    assert not is_alive(main)


def test_what_a_process_with_a_session_of_its_own_leaves_is_killed(new_daemon, sd_client):
    options = ["stopasgroup=true", "stopwaitsecs=1"]
    daemon = configured(new_daemon(), f"{sd_client} fork-session child mainpid stay", *options, after=False).start()
    child = int(re.search(r"^child (\d+)", daemon.until_file("web.log", "child"), re.M)[1])
    daemon.until_logged("its main process is")
    daemon.supervisor("stopProcess", "web")
    until(lambda: not is_alive(child), "it is killed when its time is over")
    daemon.until_logged("killing what remains of the process group")


def test_the_end_of_the_process_that_took_over_is_the_end(new_daemon, sd_client):
    options = ["autorestart=false", "exitcodes=0"]
    daemon = configured(new_daemon(), f"{sd_client} fork mainpid stay", *options, after=False).start()
    main = int(re.search(r"^main 1 (\d+)$", daemon.until_file("web.log", "main"), re.M)[1])
    until(lambda: daemon.info("web")["pid"] == main, "the new process is the service")
    os.kill(main, signal.SIGUSR1)
    daemon.until_state("web", "EXITED")
    daemon.until_logged(r"exited: web \(terminated by SIGUSR1; not expected\)")


def test_the_end_is_noticed_where_another_process_is_the_parent(new_daemon, sd_client):
    options = ["autorestart=false", "stopasgroup=true"]
    daemon = configured(new_daemon(), f"{sd_client} fork-wait mainpid stay", *options, after=False).start()
    main = int(re.search(r"^main 1 (\d+)$", daemon.until_file("web.log", "main"), re.M)[1])
    until(lambda: daemon.info("web")["pid"] == main, "the new process is the service")
    parent = process(main).parent
    assert parent != daemon.pid
    os.kill(main, signal.SIGKILL)
    daemon.until_state("web", "EXITED")
    daemon.until_logged(rf"process {main} has ended; how, only its parent knows")
    assert daemon.stop() == 0


def test_the_first_process_may_take_over_again(new_daemon, sd_client):
    daemon = configured(new_daemon(), f"{sd_client} fork-wait mainpid parent stay", "autorestart=false", after=False).start()
    first = int(re.search(r"^parent 1 (\d+)$", daemon.until_file("web.log", "parent"), re.M)[1])
    daemon.until_logged(rf"its main process is the one with pid {first} now")
    assert daemon.info("web")["pid"] == first
    daemon.supervisor("stopProcess", "web")
    assert not is_alive(first)
    daemon.until_logged(r"stopped: web \(terminated by SIGTERM\)")


def test_nobody_elses_process_is_taken_over(new_daemon, sd_client):
    daemon = new_daemon()
    configured(daemon, f"{sd_client} text=MAINPID={os.getpid()} text=MAINPID=1 barrier ready stay").start()
    (pid, _) = daemon.until_running("web", "after")
    assert daemon.info("web")["pid"] == pid
    assert "its main process is" not in daemon.log()
    assert "no process of the service" in daemon.log()
    daemon.supervisor("stopProcess", "web")


def test_a_service_that_falls_silent_is_started_again(new_daemon, sd_client):
    options = ["liveness=notify", "liveness_interval=200ms", "liveness_failures=2"]
    daemon = configured(new_daemon(), f"{sd_client} watchdog ready beat=6 stay", *options, after=False).start()
    daemon.until_logged(r"spawned: 'web'", count=2)
    text = daemon.read("web.log")
    assert text.startswith("watchdog 1 400000\nready 1 0\nsilent 0 0\n"), text
    assert "stopping web:" in daemon.log()


def test_a_service_that_says_it_is_broken_is_started_again(new_daemon, sd_client):
    options = ["liveness=notify", "liveness_interval=60s"]
    command = f"{sd_client} ready text=WATCHDOG=trigger stay"
    daemon = configured(new_daemon(), command, *options, after=False).start()
    daemon.until_logged(r"spawned: 'web'", count=2)


def test_what_it_says_of_itself_is_shown(new_daemon, sd_client):
    daemon = new_daemon()
    configured(daemon, f"{sd_client} ready until=%(here)s/go text=STATUS= barrier stay", "[linchpin]", after=False).start()

    def says():
        (found,) = json.loads(daemon.rpc.linchpin.status())["services"]
        return found.get("says")

    until(lambda: says() == "serving", "its status is shown")
    (daemon.directory / "go").touch()
    until(lambda: says() is None, "an empty one takes it away")


def test_a_service_that_reloads_is_not_ready(new_daemon, sd_client):
    here = "%(here)s"
    words = f"ready until={here}/one text=RELOADING=1 until={here}/two ready stay"
    daemon = configured(new_daemon(), f"{sd_client} {words}", after=False).start()
    daemon.until_logged(r"ready: web,")
    (daemon.directory / "one").touch()
    daemon.until_logged(r"not ready: web .*it reads its configuration again")
    (daemon.directory / "two").touch()
    daemon.until_logged(r"ready: web,", count=2)
    assert "stopping web" not in daemon.log()


def test_nobody_asks_one_that_stops_by_itself(new_daemon, sd_client):
    here = "%(here)s"
    options = [f"liveness=file:{here}/alive", "liveness_interval=20ms", "liveness_failures=1", "autorestart=false"]
    words = f"ready until={here}/one text=STOPPING=1 barrier until={here}/two"
    daemon = new_daemon()
    (daemon.directory / "alive").touch()
    configured(daemon, f"{sd_client} {words}", *options, after=False).start()
    daemon.until_logged(r"ready: web,")
    (daemon.directory / "one").touch()
    daemon.until_logged(r"not ready: web .*it has said that it stops")
    (daemon.directory / "alive").unlink()
    stays(lambda: "stopping web" not in daemon.log(), "it is left alone", 0.3)
    (daemon.directory / "two").touch()
    daemon.until_state("web", "EXITED")


def test_a_start_that_asks_for_time_gets_it(new_daemon, sd_client):
    words = "text=EXTEND_TIMEOUT_USEC=20000000 until=%(here)s/go ready stay"
    daemon = configured(new_daemon(), f"{sd_client} {words}", "ready_within=300ms", after=False).start()
    daemon.until_file("web.log", "sent")
    stays(lambda: "stopping web" not in daemon.log(), "it has the time", 0.6)
    (daemon.directory / "go").touch()
    daemon.until_logged(r"ready: web,")


def test_a_stop_that_asks_for_time_gets_it(new_daemon, sd_client):
    words = "ready term text=EXTEND_TIMEOUT_USEC=20000000 until=%(here)s/go"
    daemon = configured(new_daemon(), f"{sd_client} {words}", "stopwaitsecs=1", after=False).start()
    daemon.until_logged(r"ready: web,")
    daemon.supervisor("stopProcess", "web", False)
    daemon.until_file("web.log", "sent")
    stays(lambda: daemon.info("web")["statename"] == "STOPPING", "it has the time", 1.4)
    (daemon.directory / "go").touch()
    daemon.until_logged(r"stopped: web \(exit status 0\)")
    assert "SIGKILL" not in daemon.log()


def test_a_flood_keeps_nobody_waiting_and_nothing_grows(new_daemon):
    program = (
        "import os, socket, time\n"
        "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
        "s.connect('\\0' + os.environ['NOTIFY_SOCKET'][1:])\n"
        "s.send(b'READY=1')\n"
        "began, sent = time.monotonic(), 0\n"
        "while True:\n"
        "    s.send(b'STATUS=' + b'x' * 900)\n"
        "    sent += 1\n"
        "    if sent % 100 == 0:\n"
        "        with open('sent.new', 'w') as f: f.write(f'{sent} {time.monotonic() - began}')\n"
        "        os.rename('sent.new', 'sent')\n"
    )
    daemon = new_daemon()
    (daemon.directory / "flood.py").write_text(program)
    configured(daemon, f"python3 {daemon.directory}/flood.py", "directory=%(here)s").start()
    daemon.until_running("after")

    def resident():
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{daemon.pid}/status").read_text())[1])

    before = resident()
    for _ in range(40):
        assert daemon.info("web")["statename"] == "RUNNING"
    assert resident() < before + 4096

    def sent():
        try:
            number, seconds = (daemon.directory / "sent").read_text().split()
        except FileNotFoundError:
            return False
        return int(number) > 2500 and (int(number), float(seconds))

    # A thousand a second, the first of which began before it did, and what fits into the queue: it is held back, and goes on.
    number, seconds = until(sent, "more than two seconds' worth is taken")
    assert number < 1016 * (seconds + 2) + int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text()) + 100
    daemon.supervisor("stopProcess", "web")
    assert daemon.stop() == 0


def test_nothing_is_left_open_after_many_starts(new_daemon, sd_client):
    daemon = configured(new_daemon(), f"{sd_client} fork mainpid barrier stay", "autostart=false", after=False).start()

    def once(number):
        daemon.supervisor("startProcess", "web")
        daemon.until_logged("its main process is", count=number)
        daemon.supervisor("stopProcess", "web")

    def descriptors():
        return len(os.listdir(f"/proc/{daemon.pid}/fd"))

    once(1)
    before = descriptors()
    for number in range(2, 22):
        once(number)
    until(lambda: descriptors() <= before, "what the starts had is closed")
    assert not children(daemon.pid)
    stays(lambda: descriptors() <= before, "nothing comes back", 0.1)
