"""`enabled`: which services there are at all, by the environment."""
import re
import subprocess

import pytest

from harness.subject import TESTED

pytestmark = pytest.mark.ours("these options mean nothing to it")

EMBEDDED = """
[program:redis]
command=sleep 1000
startsecs=0
enabled=is_local(REDIS_URL)
[program:web]
command=sleep 1000
startsecs=0
depends_on=redis ready
"""


@pytest.mark.parametrize(
    ("url", "is_there"),
    [
        ("redis://127.0.0.1:6379", True),
        ("redis://[::1]:6379", True),
        ("redis://:pa55@localhost", True),
        ("unix:///run/redis.sock", True),
        (None, True),
        ("redis://10.0.0.5", False),
        ("redis://localhost:pw@10.0.0.5/127.0.0.1", False),
    ],
)
def test_an_address_outside_switches_the_embedded_service_off(new_daemon, url, is_there):
    daemon = new_daemon(programs=EMBEDDED)
    daemon.start(environment={"REDIS_URL": url} if url else {})
    daemon.until_running("web")
    assert ("redis:redis" in daemon.states()) == is_there
    assert daemon.control("start", "redis").stdout == (
        "redis: ERROR (already started)\n" if is_there else "redis: ERROR (no such process)\n"
    )


def test_conditions_are_looked_at_again_when_the_file_is_read(new_daemon):
    text = "[program:a]\ncommand=sleep 1000\nstartsecs=0\nenabled={}\n[program:b]\ncommand=sleep 1000\nstartsecs=0\n"
    daemon = new_daemon(programs=text.format("on(WITH_A)")).start(environment={"WITH_A": "yes"})
    (pid, kept) = daemon.until_running("a", "b")
    daemon.configure(text.format("WITH_A == 'no'"))
    assert "a: removed process group" in daemon.control("update").stdout
    assert list(daemon.states()) == ["b:b"]
    daemon.configure(text.format("WITH_A == 'yes'"))
    assert daemon.control("update").stdout == "a: added process group\n"
    assert daemon.until_running("a") != [pid]
    assert daemon.until_running("b") == [kept], "what is not concerned goes on"


def test_the_environment_of_the_file_and_of_the_program_counts(new_daemon):
    daemon = new_daemon(
        supervisord="environment=KIND=\"double\"",
        programs="[program:a]\ncommand=sleep 1000\nnumprocs=3\nprocess_name=%(process_num)d\nstartsecs=0\n"
        "environment=NUMBER=\"%(process_num)d\"\nenabled=KIND == 'double' and NUMBER != '1'\n",
    ).start()
    assert sorted(daemon.states()) == ["a:0", "a:2"]


def check(daemon, **environment):
    return subprocess.run(
        [TESTED.daemon[0], "check", str(daemon.file)], capture_output=True, text=True, env=daemon.environment(environment)
    )


def test_check_names_what_is_switched_off_and_what_is_wrong(new_daemon):
    daemon = new_daemon(programs=EMBEDDED)
    told = check(daemon, REDIS_URL="redis://:geheim@10.0.0.5").stdout
    assert "switched off: redis:redis" in told and "geheim" not in told
    assert "switched off" not in check(daemon).stdout
    for condition in ("is_local(", "nothing(REDIS_URL)", "perhaps and", "REDIS_URL"):
        daemon.configure(f"[program:a]\ncommand=cat\nenabled={condition}\n")
        wrong = check(daemon, REDIS_URL="redis://:geheim@10.0.0.5")
        assert wrong.returncode == 2 and "enabled" in wrong.stdout, wrong
        assert "geheim" not in wrong.stdout
        assert re.search(r"supervisord\.conf:\d+", wrong.stdout)


def test_a_condition_that_is_a_mistake_stops_nothing_that_runs(new_daemon):
    daemon = new_daemon(programs=EMBEDDED).start()
    before = daemon.until_running("redis", "web")
    daemon.configure(EMBEDDED.replace("is_local(", "is_locl("))
    assert "enabled" in daemon.control("update").stdout
    assert daemon.until_running("redis", "web") == before
