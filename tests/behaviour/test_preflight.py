"""What must be true before anything is made, and when steps of the boot are done at all, and again."""
import json
import os
import signal
import subprocess
import time

import pytest

from harness.processes import is_alive
from harness.subject import LINCHPIN
from harness.wait import until
from test_boot import DIRECTORIES, SERVICE, UNSET, boot, outcomes, report, start

pytestmark = pytest.mark.ours("there is nothing like it")

SETTINGS = "socket=%(here)s/c.sock\nsettings_file=%(here)s/s.env\n[setting:DB_URL]\ndefault=mongodb://db.example/x\n[setting:TOKEN]\ndefault=very-secret\ntype=secret\n"


@pytest.fixture
def booting(new_daemon):
    return lambda programs, linchpin="", **keywords: new_daemon(programs=DIRECTORIES + linchpin + programs, **keywords)


def settings(daemon, *words, status=0):
    command = [*UNSET, LINCHPIN.daemon[0], "settings", *words, "-c", str(daemon.file)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, env=daemon.environment())
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout + result.stderr


def step(daemon, section):
    return next(each for each in report(daemon)["steps"] if each["section"] == section)


def test_a_machine_that_will_not_do_stops_the_boot_with_a_remedy(booting):
    daemon = booting("[preflight:machine]\nprocessor=fly\nremedy=use a machine that can fly\n[certificate:web]\nself_signed=true\n" + SERVICE)
    result = daemon.run_to_end()
    assert result.returncode == 2
    assert "[preflight:machine]: the processor lacks fly; use a machine that can fly" in result.stderr
    assert outcomes(daemon) == [("preflight:machine", "failed"), ("certificate:web", "skipped")]
    assert not (daemon.directory / "state/certificates").exists(), "nothing is made"
    assert "the processor lacks fly" in boot(daemon, "preflight", status=1)


def test_everything_is_looked_at_and_told(booting):
    daemon = booting(
        "[preflight:all]\npage_size=4KB, 16KB, 64KB\nfree_space=%(here)s/later/data 1KB\nwritable=%(here)s\n"
        f"owned_by=%(here)s {os.getuid()}\ndata_version=%(here)s/VERSION 15 16\n"
        "command=sh -c 'test -n \"$TOKEN\" && echo licensed by $TOKEN'\n" + SERVICE,
        linchpin=SETTINGS,
    )
    (daemon.directory / "VERSION").write_text("16\n")
    said = boot(daemon, "preflight")
    for piece in (
        "a page of memory has ", "later/data: ", f"{daemon.directory} can be written", f"belongs to {os.getuid()}", "VERSION says 16",
        "accepts it: licensed by ********",
    ):
        assert piece in said, said
    (daemon.directory / "VERSION").write_text("13\n")
    said = boot(daemon, "preflight", status=1)
    assert "says `13`, and 15 or 16 will do" in said and "very-secret" not in said


def test_services_that_the_machine_cannot_run_are_left_out_until_it_can(booting):
    daemon = booting("[preflight:data]\nwritable=%(here)s/volume\non_failure=skip\nservices=db\n[program:db]\ncommand=/bin/sleep 1000\n" + SERVICE)
    start(daemon)
    daemon.until_running("a")
    assert list(daemon.states()) == ["a:a"]
    assert "mount a volume there, or make the directory" in daemon.log()
    (daemon.directory / "volume").mkdir()
    assert daemon.supervisor("reloadConfig") == [[["db"], [], []]]
    daemon.supervisor("addProcessGroup", "db")
    daemon.until_running("db")


def test_a_step_is_done_where_its_condition_holds(booting):
    daemon = booting(
        "[preflight:mongo]\nprocessor=fly\nenabled=is_local(DB_URL)\n"
        "[template:mongo]\nsource=%(here)s/t\ntarget=%(here)s/made\nenabled=DB_URL is startingwith('mongodb:')\n"
        "[certificate:web]\nself_signed=true\nenabled=on(WITH_TLS)\n" + SERVICE,
        linchpin=SETTINGS + "[setting:WITH_TLS]\ntype=bool\ndefault=false\n",
    )
    (daemon.directory / "t").write_text("{{ DB_URL }}\n")
    start(daemon)
    daemon.until_running("a")
    made = daemon.directory / "made"
    certificate = daemon.directory / "state/certificates/web/current/fullchain.pem"
    assert made.read_text() == "mongodb://db.example/x\n" and not certificate.exists()
    off = step(daemon, "certificate:web")
    assert (off["outcome"], off["summary"]) == ("skipped", "switched off by `enabled=on(WITH_TLS)`")
    # What a setting switches on is made by its apply.
    settings(daemon, "apply", "WITH_TLS=yes")
    assert certificate.exists()
    # What was made of a template stays when it is switched off.
    settings(daemon, "apply", "DB_URL=postgresql://db.example/x")
    assert made.read_text() == "mongodb://db.example/x\n"
    # A change that asks for what cannot be is refused as a whole.
    said = settings(daemon, "apply", "DB_URL=mongodb://localhost/x", status=3)
    assert "[preflight:mongo]: the processor lacks fly" in said
    assert "localhost" not in (daemon.directory / "s.env").read_text()


# Refuses until it was asked often enough.
LATE = "sh -c 'echo x >> asked; test $(wc -l < asked) -ge 3'"


def test_what_comes_late_is_waited_for(booting):
    daemon = booting(f"[preflight:late]\ncommand={LATE}\nretries=5\nretry_delay=20ms\n" + SERVICE)
    start(daemon)
    daemon.until_running("a")
    late = step(daemon, "preflight:late")
    assert (late["attempts"], late["outcome"]) == (3, "unchanged")
    assert " in 3 attempts" in daemon.log()


@pytest.mark.root
def test_the_first_process_of_a_container_is_stopped_also_while_it_waits(booting):
    daemon = booting("[preflight:never]\ncommand=sh -c 'touch asked; false'\nretries=100\nretry_delay=5m\n" + SERVICE)
    daemon.launch(before=(*UNSET, "unshare", "--pid", "--fork", "--mount-proc", "--kill-child"))
    until(lambda: (daemon.directory / "asked").exists(), "the boot waits")
    # unshare stays outside; its only child is the namespace's first process.
    children = f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children"
    (first,) = [int(pid) for pid in open(children).read().split()]
    os.kill(first, signal.SIGTERM)
    began = time.monotonic()
    assert daemon.process.wait(60) == 2
    assert time.monotonic() - began < 60 and not is_alive(first)
    assert "`sh -c 'touch asked; false'` refuses it with exit status 1" in daemon.said()
