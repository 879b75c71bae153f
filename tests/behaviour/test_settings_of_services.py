"""Services see the settings as they are when they start, and a boot makes what is missing."""
import os
import subprocess
from pathlib import Path

import pytest

from harness.subject import LINCHPIN
from harness.wait import until

pytestmark = pytest.mark.ours("there is nothing like it")

SETTINGS = """\
[linchpin]
settings_file=%(here)s/s.env
[setting:APP_PORT]
type=port
default=8080
[setting:APP_KEY]
type=secret
generate=true
[setting:APP_ID]
together=oauth
[setting:APP_SECRET]
together=oauth
"""
SERVICE = "[program:a]\ncommand=/bin/sleep %(ENV_APP_PORT)s\nstartsecs=0\n"


def environment_of(daemon, name="a"):
    pid = daemon.until_state(name, "RUNNING")["pid"]
    # Without `startsecs` it counts as running a little before its command does.
    until(lambda: Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"/bin/sleep"), f"the command of {name}")
    entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return dict(entry.decode().split("=", 1) for entry in entries if entry)


def restart(daemon, name="a"):
    daemon.supervisor("stopProcess", name)
    daemon.supervisor("startProcess", name)


def settings(daemon, *words, **keywords):
    command = [LINCHPIN.daemon[0], "settings", "-c", str(daemon.file), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, env=daemon.environment(), **keywords)


def test_a_first_boot_makes_secrets_and_the_next_one_keeps_them(new_daemon):
    daemon = new_daemon(programs=SETTINGS + SERVICE).start()
    first = environment_of(daemon)
    assert len(first["APP_KEY"]) == 32 and first["APP_PORT"] == "8080"
    assert first["APP_KEY"] not in daemon.said(), "no secret in a log"
    assert "generated settings: APP_KEY" in daemon.log()
    daemon.stop()
    daemon.start()
    assert environment_of(daemon)["APP_KEY"] == first["APP_KEY"]
    assert (daemon.directory / "s.env").stat().st_mode & 0o777 == 0o600


def test_a_service_sees_the_settings_of_its_own_start(new_daemon):
    daemon = new_daemon(programs=SETTINGS + SERVICE + SERVICE.replace(":a", ":b")).start()
    environment_of(daemon, "b")
    assert settings(daemon, "set", "APP_PORT=81").returncode == 0
    restart(daemon)
    assert environment_of(daemon, "a")["APP_PORT"] == "81"
    assert environment_of(daemon, "b")["APP_PORT"] == "8080"
    assert settings(daemon, "rollback").returncode == 0
    restart(daemon)
    assert environment_of(daemon, "a")["APP_PORT"] == "8080"


def test_the_container_beats_the_file_and_nothing_is_generated_for_it(new_daemon):
    daemon = new_daemon(programs=SETTINGS + SERVICE)
    (daemon.directory / "s.env").write_text("APP_PORT=81\nAPP_ID=x\nAPP_SECRET=\n")
    daemon.start(environment={"APP_PORT": "82", "APP_KEY": "mine", "APP_SECRET": ""})
    found = environment_of(daemon)
    assert (found["APP_PORT"], found["APP_KEY"]) == ("82", "mine")
    assert "APP_ID" not in found and "APP_SECRET" not in found, "a set with an empty member is left out"
    assert "APP_KEY" not in (daemon.directory / "s.env").read_text()
    command = daemon.info("a")["description"]
    assert command and Path(f"/proc/{daemon.info('a')['pid']}/cmdline").read_bytes().split(b"\0")[1] == b"82"


def test_a_command_that_a_service_runs_tells_the_file_from_the_environment(new_daemon):
    binary = LINCHPIN.daemon[0]
    script = f"{binary} settings -c %(here)s/supervisord.conf list > %(here)s/list 2>&1; exec sleep 9999"
    daemon = new_daemon(programs=SETTINGS + f"[program:a]\ncommand=/bin/sh -c '{script}'\n")
    daemon.start(environment={"APP_KEY": "mine"})
    rows = until(lambda: len(lines := daemon.read("list").splitlines()) == 4 and [line.split() for line in lines], "the list")
    assert ["APP_PORT", "8080", "default"] in rows
    assert ["APP_KEY", "********", "environment"] in rows


def test_a_file_that_is_broken_while_services_run_leaves_them_their_settings(new_daemon):
    daemon = new_daemon(programs=SETTINGS + SERVICE)
    (daemon.directory / "s.env").write_text("APP_PORT=81\n")
    daemon.start()
    environment_of(daemon)
    (daemon.directory / "s.env").write_text("APP_PORT=$(geheim)\n")
    for _ in range(2):
        restart(daemon)
        assert environment_of(daemon)["APP_PORT"] == "81"
    daemon.until_logged("services are started with the settings as they were before")
    assert daemon.log().count("s.env: line 1 (APP_PORT)") == 1, "it is said once"
    assert "geheim" not in daemon.said()
    (daemon.directory / "s.env").write_text("APP_PORT=82\n")
    restart(daemon)
    assert environment_of(daemon)["APP_PORT"] == "82"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("APP_PORT=geheim\n", "settings: APP_PORT (settings file, line 1) is no port from 1 to 65535"),
        ("APP_PORT=1\nAPP_ID=geheim 2\n", "line 2 (APP_ID): the value ends at the blank"),
    ],
)
def test_a_boot_with_wrong_settings_says_all_that_is_wrong_and_no_value(new_daemon, text, said):
    daemon = new_daemon(programs=SETTINGS + SERVICE)
    (daemon.directory / "s.env").write_text(text)
    result = daemon.run_to_end()
    assert result.returncode == 2
    assert said in result.stderr
    assert "geheim" not in result.stderr + result.stdout
    assert (daemon.directory / "s.env").read_text().startswith(text)


def test_a_restart_with_wrong_settings_changes_nothing(new_daemon):
    daemon = new_daemon(programs=SETTINGS + SERVICE).start()
    pid = daemon.until_state("a", "RUNNING")["pid"]
    (daemon.directory / "s.env").write_text("APP_PORT=geheim\n")
    answer = daemon.control("reload")
    assert "is no port" in answer.stdout + answer.stderr + daemon.log()
    assert daemon.info("a")["pid"] == pid
    assert "geheim" not in daemon.said()


def test_extensions_off_gives_services_none_of_them(new_daemon):
    daemon = new_daemon(programs=SETTINGS.replace("[linchpin]", "[linchpin]\nextensions=off") + "[program:a]\ncommand=/bin/sleep 9999\n")
    daemon.start()
    assert not {name for name in environment_of(daemon) if name.startswith("APP_")}
    assert not (daemon.directory / "s.env").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_daemon_that_gives_up_root_can_read_the_file_that_it_made(new_daemon):
    daemon = new_daemon(programs=SETTINGS + SERVICE, supervisord="user=nobody")
    daemon.directory.chmod(0o777)
    daemon.start()
    key = environment_of(daemon)["APP_KEY"]
    restart(daemon)
    assert environment_of(daemon)["APP_KEY"] == key
    assert (daemon.directory / "s.env").stat().st_uid != 0
    assert "services are started with" not in daemon.log()


def test_status_says_whose_settings_are_old(new_daemon):
    concerned = "[setting:APP_OF_A]\ndefault=one\nservices=a\n"
    daemon = new_daemon(programs=SETTINGS + concerned + SERVICE + SERVICE.replace(":a", ":b")).start()
    for name in ("a", "b"):
        daemon.until_state(name, "RUNNING")
        assert "stale" not in daemon.service_status(name)
    settings(daemon, "set", "APP_PORT=81")
    restart(daemon)
    daemon.until_state("a", "RUNNING")
    assert "stale" not in daemon.service_status("a")
    assert daemon.service_status("b")["stale"] == ["APP_PORT"]
    shown = subprocess.run(
        [LINCHPIN.daemon[0], "status", "-c", str(daemon.file)], capture_output=True, text=True, timeout=30, env=daemon.environment()
    )
    assert "old settings, restart it: APP_PORT" in shown.stdout
    settings(daemon, "rollback")
    assert "stale" not in daemon.service_status("b"), "it has the settings that count again"
    settings(daemon, "set", "APP_OF_A=two")
    assert daemon.service_status("a")["stale"] == ["APP_OF_A", "APP_PORT"]
    assert "stale" not in daemon.service_status("b"), "a setting that names its services concerns nobody else"


def test_a_hook_has_the_settings_of_the_process_that_it_is_for(new_daemon):
    hooks = "".join(
        f"{hook}=/bin/sh -c 'echo {hook} $APP_PORT >> %(here)s/hooks'\n" for hook in ("pre_start", "post_start", "post_stop")
    )
    daemon = new_daemon(programs=SETTINGS + SERVICE + hooks).start()
    until(lambda: "post_start 8080" in daemon.read("hooks"), "the first start")
    settings(daemon, "set", "APP_PORT=81")
    restart(daemon)
    until(lambda: daemon.read("hooks").count("\n") == 5, "the second start")
    assert daemon.read("hooks").splitlines()[2:] == ["post_stop 8080", "pre_start 81", "post_start 81"]


def test_containers_that_boot_at_once_on_one_volume_give_their_services_one_secret(new_daemon, tmp_path):
    shared = SETTINGS.replace("%(here)s", str(tmp_path))
    daemons = [new_daemon(programs=shared + SERVICE) for _ in range(3)]
    for daemon in daemons:
        daemon.launch()
    for daemon in daemons:
        daemon.until_it_answers()
    assert len({environment_of(daemon)["APP_KEY"] for daemon in daemons}) == 1


def test_check_knows_settings_and_needs_no_volume(new_daemon):
    required = "[setting:APP_URL]\ntype=url\nrequired=true\n"
    programs = SETTINGS + required + SERVICE + "environment=KEY=%(ENV_APP_KEY)s,URL=%(ENV_APP_URL)s\n"
    daemon = new_daemon(programs=programs)
    result = subprocess.run(
        [LINCHPIN.daemon[0], "check", str(daemon.file)], capture_output=True, text=True, timeout=30, env=daemon.environment()
    )
    assert result.returncode == 0, result.stdout
    assert not (daemon.directory / "s.env").exists()
    assert "APP_URL is required and has no value: linchpin settings set APP_URL VALUE" in daemon.run_to_end().stderr


def test_a_setting_switches_a_program_off_and_on_again(new_daemon):
    url = "[setting:APP_REDIS]\ntype=url\ndefault=redis://localhost\n"
    daemon = new_daemon(programs=SETTINGS + url + SERVICE + "[program:redis]\ncommand=/bin/sleep 9999\nenabled=is_local(APP_REDIS)\n").start()
    daemon.until_state("redis", "RUNNING")
    settings(daemon, "set", "APP_REDIS=redis://10.0.0.5")
    daemon.control("update")
    assert list(daemon.states()) == ["a:a"]
    settings(daemon, "unset", "APP_REDIS")
    daemon.control("update")
    daemon.until_state("redis", "RUNNING")
