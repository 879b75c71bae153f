"""Services that run and do not work are started again, within limits; and how long a start may take."""
import json

import pytest

from harness.wait import stays, until

pytestmark = pytest.mark.ours("it never asks whether a service works")

QUICK = "liveness_interval=20ms\nliveness_failures=2\n"


def program(text, command="/bin/sleep 9999", name="a"):
    return f"[program:{name}]\ncommand={command}\nstartsecs=0\nautorestart=false\n{text}\n"


def status(daemon, name="a"):
    (found,) = [each for each in json.loads(daemon.rpc.linchpin.status())["services"] if each["service"] == name]
    return found


@pytest.mark.parametrize("probe", ["file:%(here)s/works", "exec:/usr/bin/test -e %(here)s/works"])
def test_a_service_that_does_not_work_is_started_again(new_daemon, probe):
    daemon = new_daemon()
    works = daemon.directory / "works"
    works.touch()
    daemon.configure(program(f"liveness={probe}\n{QUICK}")).start()
    (pid,) = daemon.until_running("a")
    stays(lambda: daemon.info("a")["pid"] == pid, "it works", 0.2)
    works.unlink()
    daemon.until_logged(r"stopping a: liveness failed: ")
    works.touch()
    daemon.until_logged(r"spawned: 'a'", count=2)
    (again,) = daemon.until_running("a")
    assert again != pid


def test_it_is_given_up_after_so_many_restarts(new_daemon):
    daemon = new_daemon(programs=program(f"liveness=file:/no/such/file\nliveness_restarts=1\n{QUICK}")).start()
    daemon.until_state("a", "FATAL")
    assert daemon.log().count("spawned: 'a'") == 2
    assert "gave up: a entered FATAL state, liveness failed" in daemon.log()


def test_failures_do_not_count_while_it_starts(new_daemon):
    text = f"liveness=exec:/bin/sh -c 'echo >> %(here)s/asked; exit 1'\nliveness_start_period=1h\n{QUICK}"
    readiness = "readiness=file:%(here)s/ready\nreadiness_interval=20ms\n"
    daemon = new_daemon(programs=program(text + readiness)).start()
    daemon.until_file("asked", "\n" * 4)
    assert "stopping a" not in daemon.log()
    # As soon as it has been ready they do.
    (daemon.directory / "ready").touch()
    daemon.until_logged(r"stopping a: liveness failed: exec:.*: exit status 1")


def test_all_failures_must_come_in_a_row(new_daemon):
    # It fails every second time.
    probe = "test -e %(here)s/odd && rm %(here)s/odd || { touch %(here)s/odd; exit 1; }"
    text = f"liveness=exec:/bin/sh -c 'echo >> %(here)s/asked; {probe}'\nliveness_interval=10ms\nliveness_failures=2\n"
    daemon = new_daemon(programs=program(text)).start()
    daemon.until_file("asked", "\n" * 10)
    assert "stopping a" not in daemon.log()


def test_a_start_that_takes_too_long_has_failed(new_daemon):
    text = "readiness=file:%(here)s/ready\nreadiness_interval=20ms\nready_within=100ms\nstartretries=0\n"
    daemon = new_daemon(programs=program(text)).start()
    info = daemon.until_state("a", "FATAL")
    assert "not ready within 100 ms" in info["spawnerr"], info
    assert "stopping a: " in daemon.log()


def test_a_start_in_time_has_not(new_daemon):
    text = "readiness=file:%(here)s/ready\nreadiness_interval=20ms\nready_within=300ms\n"
    daemon = new_daemon()
    (daemon.directory / "ready").touch()
    daemon.configure(program(text)).start()
    daemon.until_logged("ready: a, ")
    # What is lost later is another matter.
    (daemon.directory / "ready").unlink()
    daemon.until_logged("not ready: a ")
    (pid,) = daemon.until_running("a")
    stays(lambda: daemon.info("a")["pid"] == pid, "it stays", 0.5)


def test_a_probe_that_has_failed_must_pass_several_times(new_daemon):
    # Passes at first; after `gate` is there, it fails once and passes from then on.
    probe = (
        "test -e %(here)s/gate || exit 0; echo x >> %(here)s/asked; "
        "test $(wc -l < %(here)s/asked) -ne 1"
    )
    text = f"readiness=exec:/bin/sh -c '{probe}'\nreadiness_interval=20ms\nreadiness_failures=1\nreadiness_successes=5\n"
    daemon = new_daemon(programs=program(text)).start()
    daemon.until_logged("ready: a, ")
    (daemon.directory / "gate").touch()
    daemon.until_logged("not ready: a ")
    daemon.until_logged("ready: a, ", count=2)
    assert len(daemon.read("asked").splitlines()) >= 6


def test_a_client_is_told_what_fails(new_daemon):
    text = f"liveness=file:%(here)s/none\nliveness_start_period=1h\nreadiness=file:/no/such/place\n{QUICK}readiness_interval=20ms\n"
    daemon = new_daemon(programs="[linchpin]\n" + program(text)).start()

    def failing():
        found = {each["purpose"]: each for each in status(daemon).get("failing", [])}
        return found if "readiness" in found else None

    found = until(failing, "the check fails")
    assert found["readiness"]["probe"] == "file:/no/such/place"
    assert "does not exist" in found["readiness"]["text"]
    assert status(daemon)["ready"] is False
