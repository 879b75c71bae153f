"""Save & Restart: settings are judged, planned, written and brought to the services that they concern, or taken back."""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import xmlrpc.client
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.processes import is_alive
from harness.subject import LINCHPIN
from harness.wait import stays, until

pytestmark = pytest.mark.ours("there is nothing like it")

# Writes down with which settings it starts: those of its command line, and those of its environment.
SERVICE = """\
echo "$1 $2 $APP_PORT $APP_MODE" >> starts
case "$1 $APP_PORT $APP_MODE" in
    "web 666 "*|*" wrong") echo "$1: no thank you, $APP_KEY" >&2; exit 3;;
    "worker "*" silent") exec sleep 9999;;
esac
echo >&3
exec sleep 9999
"""
PRODUCT = """\
[linchpin]
socket=%(here)s/c.sock
settings_file=%(here)s/s.env
settings_history=50
[setting:APP_PORT]
type=port
default=8080
[setting:APP_MODE]
default=fast
services=worker
group=Work
label=Mode
help=How it works.
[setting:APP_KEY]
type=secret
default=geheim-key
services=worker
[setting:APP_CACHE]
type=bool
default=true
[setting:APP_NOTE]
[program:db]
command=/bin/sh service.sh db -
[program:web]
command=/bin/sh service.sh web %(ENV_APP_PORT)s
depends_on=db ready
[program:worker]
command=/bin/sh service.sh worker -
depends_on=web ready
[program:other]
command=/bin/sh service.sh other -
[program:cache]
command=/bin/sh service.sh cache -
enabled=APP_CACHE == "true"
"""
HELD = """\
[template:held]
source=%(here)s/a.in
target=%(here)s/a.out
validate=/bin/sh -c 'touch %(here)s/at-work; read line < %(here)s/pipe'
"""
COMMON = "directory=%(here)s\nreadiness=fd:3\nstartretries=0\nstartsecs=0\nautorestart=false\n"


class Product:
    def __init__(self, daemon, text=PRODUCT):
        self.daemon, self.directory = daemon, daemon.directory
        self.env, self.file = daemon.directory / "s.env", daemon.file
        (daemon.directory / "service.sh").write_text(SERVICE)
        lines = []
        for line in text.splitlines():
            lines.append(line)
            if line.startswith("command="):
                lines.append(COMMON)
        daemon.configure(programs="\n".join(lines))

    def start(self):
        self.daemon.start()
        self.until_ready()
        return self

    def until_ready(self):
        def ready():
            status, body = self.get("services")
            return status == 200 and body["ready"]

        until(ready, "everything is ready")

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection("localhost", timeout=60)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.directory / "c.sock"))
        connection.request(method, f"/api/v1/{path}", None if body is None else json.dumps(body))
        response = connection.getresponse()
        return response.status, response.read().decode()

    def get(self, path):
        status, text = self.request("GET", path)
        return status, json.loads(text)

    def apply(self, unset=(), **values):
        """Answers with the steps, and the report of the end."""
        status, text = self.request("PUT", "settings", {"set": values, "unset": list(unset)})
        assert status == 200, text
        lines = [json.loads(line) for line in text.splitlines()]
        return [line["step"] for line in lines[:-1]], lines[-1]["report"]

    def settings(self, *words, stdin="", status=0):
        command = [LINCHPIN.daemon[0], "settings", "-c", str(self.file), *words]
        result = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, env=self.daemon.environment())
        assert result.returncode == status, result
        return result

    def starts(self):
        path = self.directory / "starts"
        return path.read_text().splitlines() if path.exists() else []

    def pids(self):
        _, body = self.get("services")
        return {service["service"]: service.get("pid") for service in body["services"]}

    def text(self):
        return self.env.read_text() if self.env.exists() else None


@pytest.fixture
def product(new_daemon):
    return Product(new_daemon()).start()


def test_only_what_is_concerned_is_restarted_in_the_order_of_dependencies(product):
    before, count = product.pids(), len(product.starts())
    steps, report = product.apply(APP_PORT="81", APP_MODE="slow")
    assert report["state"] == "done" and report["generation"] == 1, report
    assert [step["step"] for step in steps] == ["file", "configure", "switch", "stop", "remove", "start", "wait", "settle"]
    assert product.starts()[count:] == ["web 81 81 slow", "worker - 81 slow"]
    after = product.pids()
    assert {name for name in after if after[name] != before[name]} == {"web", "worker"}
    assert report["plan"]["changed"] == ["web"] and report["plan"]["restarted"] == ["worker"]
    assert product.text().endswith("APP_MODE=slow\nAPP_PORT=81\n")
    status, last = product.get("apply")
    assert status == 200 and last == report


def test_services_appear_and_disappear(product):
    assert product.apply(APP_CACHE="false")[1]["plan"]["removed"] == ["cache"]
    assert "cache" not in product.pids()
    report = product.apply(unset=["APP_CACHE"])[1]
    assert report["state"] == "done" and report["plan"]["added"] == ["cache"]
    assert product.pids()["cache"]


def test_what_does_not_come_up_is_taken_back_with_its_last_words(product):
    assert product.apply(APP_MODE="slow")[1]["state"] == "done"
    text, history = product.text(), product.settings("history").stdout
    count = len(product.starts())
    steps, report = product.apply(APP_PORT="666", APP_MODE="new", APP_CACHE="false")
    assert report["state"] == "rolled_back", report
    (failed,) = report["failed"]
    # One that has failed by the time its dependent is started is started once more for that; each start says it once.
    wrong = product.starts().count("web 666 666 new")
    assert wrong in (1, 2)
    assert failed["service"] == "web" and failed["output"]["lines"] == ["web: no thank you, ********"] * wrong
    assert "web did not come up" in report["error"]
    assert [step["step"] for step in steps if step.get("back")] == [
        "file", "switch", "stop", "remove", "configure", "start", "wait", "settle"
    ]
    assert product.text() == text, "byte by byte"
    assert product.settings("history").stdout == history
    product.until_ready()
    assert product.starts()[count : count + wrong] == ["web 666 666 new"] * wrong
    assert sorted(product.starts()[count + wrong :]) == ["cache - 8080 slow", "web 8080 8080 slow", "worker - 8080 slow"]
    assert "settings rolled back (apply 2" in product.daemon.log()


def test_a_first_change_that_fails_leaves_no_file(product):
    assert product.text() is None
    assert product.apply(APP_PORT="666")[1]["state"] == "rolled_back"
    assert product.text() is None
    assert product.settings("history").stdout.count("\n") <= 1
    product.until_ready()


def test_a_service_that_is_never_ready_is_waited_for_no_longer_than_told(product):
    status, text = product.request("PUT", "settings", {"set": {"APP_MODE": "silent"}, "timeout": 1})
    report = json.loads(text.splitlines()[-1])["report"]
    assert status == 200 and report["state"] == "rolled_back"
    assert "not ready after 1 s" in report["error"]
    product.until_ready()


def test_all_that_is_wrong_is_told_at_once_and_nothing_is_done(product):
    count = len(product.starts())
    wrong = {"set": {"APP_PORT": "geheim", "APP_MOED": "geheim2", "APP_KEY": "tab\tgeheim", "APP_CACHE": "geheim3"}}
    for method, path in (("PUT", "plan"), ("PUT", "settings"), ("POST", "apply")):
        status, text = product.request(method, path, wrong)
        body = json.loads(text)
        assert status == 422, text
        assert sorted(problem["setting"] for problem in body["problems"]) == ["APP_CACHE", "APP_KEY", "APP_MOED", "APP_PORT"]
        assert "geheim" not in text and "did you mean APP_MODE" in text
    for bad in ("[]", '{"sett": {}}', '{"set": {"APP_PORT": 1}}'):
        status, text = product.request("PUT", "settings", json.loads(bad))
        assert status == 400 and "the body must be" in text
    assert product.text() is None and len(product.starts()) == count
    assert product.get("apply")[0] == 404


def test_a_command_judges_values_in_a_daemon_that_reaps_every_child(new_daemon):
    daemon = new_daemon()
    # It has ended while its standard error is still open, so the daemon sees its end before anybody asks for it.
    (daemon.directory / "judge").write_text('sleep 0.2 &\nread value\n[ "$value" != bad ] || { echo "not this one" >&2; exit 1; }\n')
    daemon.configure(
        "[linchpin]\nsocket=%(here)s/c.sock\nsettings_file=%(here)s/s.env\n"
        f"[setting:A]\nvalidate=/bin/sh {daemon.directory}/judge\n"
    )
    daemon.start()

    def apply(value):
        command = [LINCHPIN.daemon[0], "settings", "-c", str(daemon.file), "apply", f"A={value}"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=daemon.environment())

    for value in ("one", "two"):
        assert apply(value).returncode == 0, apply(value)
    refused = apply("bad")
    assert refused.returncode == 3 and "not this one" in refused.stderr, refused
    assert (daemon.directory / "s.env").read_text().splitlines()[-1] == "A=two"
    # What the command has left is an orphan; the command itself belongs to whoever asked it.
    assert "exit status 1" not in daemon.log()


def test_a_plan_says_what_would_happen_and_does_nothing(product):
    before = product.pids()
    status, text = product.request("PUT", "plan", {"set": {"APP_PORT": "81", "APP_KEY": "geheim-new", "APP_CACHE": "false"}})
    plan = json.loads(text)
    assert status == 200 and "geheim" not in text
    assert {change["name"]: (change["from"], change["to"]) for change in plan["settings"]} == {
        "APP_PORT": ("8080", "81"), "APP_KEY": ("********", "********"), "APP_CACHE": ("true", "false")
    }
    assert (plan["changed"], plan["removed"], plan["added"], plan["restarted"]) == (["web"], ["cache"], [], ["worker"])
    assert plan["steps"][1] == "stop, dependents first: cache, web, worker (APP_KEY)"
    note = json.loads(product.request("PUT", "plan", {"set": {"APP_NOTE": "x"}})[1])
    assert note["restarted"] == [] and "nothing is restarted for APP_NOTE" in note["warnings"][0]
    said = product.settings("plan", "APP_PORT=81", "--from", "APP_KEY=-", stdin="geheim").stdout
    assert "APP_PORT: 8080 → 81\n" in said and "APP_KEY: ******** → ********\n" in said
    assert product.pids() == before and product.text() is None


def test_the_command_line_tells_steps_and_the_end(product):
    said = product.settings("apply", "APP_PORT=81", "--unset", "APP_MODE").stdout
    assert said.startswith("writing the settings file\n") and said.endswith("\ndone\n")
    said = product.settings("apply", "APP_PORT=666", status=5)
    assert "web (" in said.stderr and "  | web: no thank you, ********\n" in said.stderr
    assert "everything is as it was before" in said.stderr
    said = product.settings("apply", "APP_PORT=x", status=3)
    assert "APP_PORT" in said.stderr
    product.settings("apply", "APP_KEY=geheim", status=2)
    lines = product.settings("apply", "--json").stdout.splitlines()
    assert json.loads(lines[-1])["report"]["state"] == "done"
    product.daemon.stop()
    assert "does not answer" in product.settings("apply", "APP_PORT=82", status=1).stderr


def test_what_was_saved_before_is_applied_without_a_change(product):
    product.settings("set", "APP_PORT=81")
    product.settings("set", "APP_MODE=slow")
    report = product.apply()[1]
    assert report["state"] == "done" and not report["plan"]["writes"]
    assert product.starts()[-2:] == ["web 81 81 slow", "worker - 81 slow"]


def test_one_apply_at_a_time(product):
    status, text = product.request("PUT", "settings?follow=no", {"set": {"APP_MODE": "silent"}, "timeout": 30})
    assert status == 202 and json.loads(text)["state"] == "running"
    status, text = product.request("POST", "apply", {"set": {"APP_PORT": "81"}})
    assert status == 409 and "already" in json.loads(text)["error"]
    assert "already" in product.settings("apply", "APP_PORT=81", status=6).stderr
    # What keeps it from being ready goes away, and with it the apply comes to its end.
    status, text = product.request("GET", "apply?follow=no")
    assert json.loads(text)["state"] == "running"
    until(lambda: product.starts()[-1] == "worker - 8080 silent", "the new worker")
    pid = until(lambda: product.pids()["worker"], "its process id")
    os.kill(pid, signal.SIGKILL)
    last = json.loads(product.request("GET", "apply?follow=yes")[1].splitlines()[-1])["report"]
    assert last["state"] == "rolled_back" and last["failed"][0]["service"] == "worker"
    assert product.apply(APP_PORT="81")[1]["state"] == "done"


def test_nobody_reads_the_configuration_again_while_settings_are_applied(product):
    daemon = product.daemon
    status, _ = product.request("PUT", "settings?follow=no", {"set": {"APP_MODE": "silent", "APP_CACHE": "false"}, "timeout": 300})
    assert status == 202
    until(lambda: product.starts()[-1] == "worker - 8080 silent", "the new worker")
    with pytest.raises(xmlrpc.client.Fault, match="settings are being applied.*try again") as refused:
        daemon.supervisor("reloadConfig")
    assert refused.value.faultCode == 92
    for command in ("reread", "update", "avail"):
        tried = daemon.control(command)
        assert (tried.returncode == 0) == (command == "avail"), tried
        assert command == "avail" or "settings are being applied" in tried.stdout + tried.stderr, tried
    os.kill(until(lambda: product.pids()["worker"], "its process id"), signal.SIGKILL)
    last = json.loads(product.request("GET", "apply?follow=yes")[1].splitlines()[-1])["report"]
    assert last["state"] == "rolled_back" and product.pids()["cache"], "nobody has put another configuration under it"
    assert daemon.supervisor("reloadConfig") == [[[], [], []]]


def test_an_apply_waits_for_who_reads_the_configuration_and_reads_it_after_them(new_daemon):
    # Made at each reread, as long as the pipe has something to say.
    product = Product(new_daemon(), PRODUCT.replace("[linchpin]\n", "[linchpin]\nstate_directory=%(here)s/state\n") + HELD)
    os.mkfifo(product.directory / "pipe")
    (product.directory / "a.in").write_text("a\n")
    pipe = os.open(product.directory / "pipe", os.O_RDWR)
    try:
        os.write(pipe, b"go\n")
        product.start()
        (product.directory / "at-work").unlink()
        (product.directory / "a.in").write_text("b\n")
        with ThreadPoolExecutor() as pool:
            reread = pool.submit(product.daemon.supervisor, "reloadConfig")
            until((product.directory / "at-work").exists, "somebody reads it again")
            apply = pool.submit(product.apply, APP_PORT="81")
            stays(lambda: not apply.done() and not reread.done(), "both wait", 0.3)
            os.write(pipe, b"go\n")
            assert reread.result() == [[[], [], []]] and apply.result()[1]["state"] == "done"
    finally:
        os.close(pipe)
    assert "web 81 81 fast" in product.starts()


def test_a_shutdown_or_a_restart_of_the_daemon_is_not_held_up_by_it(product):
    for is_restart in (True, False):
        status, _ = product.request("PUT", "settings?follow=no", {"set": {"APP_MODE": "silent"}, "timeout": 300})
        assert status == 202
        until(lambda: product.starts()[-1] == "worker - 8080 silent", "the new worker")
        if is_restart:
            product.daemon.signal(signal.SIGHUP)
            until(lambda: product.starts().count("worker - 8080 silent") == 2, "the next life")
            until(product.daemon.answers, "and answers")
            assert product.text().endswith("APP_MODE=silent\n"), "what was written counts"
            assert product.apply(unset=["APP_MODE"])[1]["state"] == "done"
        else:
            assert product.daemon.stop() == 0


def test_it_goes_on_when_the_caller_is_restarted_by_it(new_daemon):
    text = PRODUCT.replace("services=worker\ngroup", "services=worker,caller\ngroup")
    product = Product(new_daemon(), text)
    command = f"{LINCHPIN.daemon[0]} settings -c %(here)s/supervisord.conf apply APP_MODE=slow"
    script = f'test "$APP_MODE" = slow || {command}; exec sleep 9999'
    (product.directory / "caller.sh").write_text(script.replace("%(here)s", str(product.directory)))
    caller = "\n[program:caller]\ncommand=/bin/sh caller.sh\ndirectory=%(here)s\nstopasgroup=true\nstartsecs=0\ndepends_on=worker ready\n"
    product.file.write_text(product.file.read_text() + caller)
    product.daemon.start()
    done = until(lambda: (lambda got: got[0] == 200 and got[1]["state"] != "running" and got[1])(product.get("apply")), "an end")
    assert done["state"] == "done", done
    assert product.starts()[-1] == "worker - 8080 slow"


def test_a_service_that_starts_by_itself_meanwhile_has_one_version(new_daemon):
    """`web` ends and starts again all the time, also between the write and its turn."""
    text = PRODUCT.replace("depends_on=db ready\n", "")
    product = Product(new_daemon(), text)
    loop = 'echo "$1 $2 $APP_PORT" >> loops; echo >&3; sleep 0.01; exit 1'
    (product.directory / "loop.sh").write_text(loop)
    restless = "command=/bin/sh loop.sh web %(ENV_APP_PORT)s\nautorestart=true\nrestart_delay=1ms\ncrash_loop=0"
    restless += "\ndirectory=%(here)s\nreadiness=fd:3\nstartsecs=0\nstartretries=1000000"
    lines = product.file.read_text().replace("command=/bin/sh service.sh web %(ENV_APP_PORT)s\n" + COMMON, restless + "\n")
    product.file.write_text(lines.replace("crash_loop=0\n", ""))
    product.daemon.start()
    for port in ("81", "82", "83"):
        seen = lambda: f"web {port} {port}" in (product.directory / "loops").read_text()
        assert product.apply(APP_PORT=port, APP_MODE=port)[1]["state"] == "done"
        until(seen, port)
    starts = (product.directory / "loops").read_text().splitlines()
    assert {line for line in starts if line.split()[1] != line.split()[2]} == set()


def test_everything_that_is_described_is_there(product):
    status, description = product.get("openapi.json")
    assert status == 200 and description["openapi"].startswith("3.")
    for path, operations in description["paths"].items():
        for method in operations:
            status, text = product.request(method.upper(), path.removeprefix("/api/v1/").replace("{name}", "web"), None)
            assert str(status) in operations[method]["responses"], (method, path, status, text)


def test_settings_are_told_with_all_that_a_page_needs(product):
    product.settings("set", "APP_MODE=slow")
    status, report = product.get("settings")
    assert status == 200 and report["valid"]
    mode, key = (next(each for each in report["settings"] if each["name"] == name) for name in ("APP_MODE", "APP_KEY"))
    assert mode == {
        "name": "APP_MODE", "label": "Mode", "group": "Work", "help": "How it works.", "type": "string", "required": False,
        "secret": False, "value": "slow", "source": "file", "locked": False, "default": "fast", "services": ["worker"],
    }
    assert (key["value"], key["default"], key["secret"]) == ("********", "********", True)
    assert json.loads(product.settings("list", "--json").stdout) == report
    product.env.write_text("APP_PORT=x y\n")
    status, report = product.get("settings")
    assert not report["valid"] and "line 1 (APP_PORT)" in report["file_error"]
    assert json.loads(product.settings("list", "--json", status=3).stdout) == report


TEMPLATES = """
[template:web]
source=%(here)s/web.in
target=%(here)s/run/web.conf
validate=grep -q good {file}
services=reader
[template:programs]
source=%(here)s/in
target=%(here)s/run/programs
[include]
files=run/programs/*.conf
"""


@pytest.fixture
def templated(new_daemon):
    text = PRODUCT.replace("settings_history=50", "settings_history=50\nrun_directory=%(here)s/run")
    reader = "[program:reader]\ncommand=/bin/sh reader.sh\nreload_signal=HUP\n"
    product = Product(new_daemon(), text + reader)
    product.file.write_text(product.file.read_text() + TEMPLATES)
    script = "trap 'cat run/web.conf >> read' HUP; cat run/web.conf >> read; echo >&3; while :; do sleep 0.05; done"
    (product.directory / "reader.sh").write_text(script)
    (product.directory / "web.in").write_text("{{ 'bad' if APP_NOTE == 'bad' else 'good' }} {{ APP_PORT }} {{ APP_KEY }}\n")
    (product.directory / "in").mkdir()
    program = "[program:extra]\ncommand=/bin/sh service.sh extra {{ APP_PORT }}\n" + COMMON.replace("%(here)s", str(product.directory))
    (product.directory / "in/extra.conf").write_text("{% if APP_PORT != '8080' %}" + program + "{% endif %}")
    return product.start()


def test_files_of_templates_are_made_and_read_again_without_a_restart(templated):
    pid = templated.pids()["reader"]
    report = templated.apply(APP_PORT="81")[1]
    assert report["state"] == "done" and report["plan"]["reloaded"] == ["reader"], report
    assert report["plan"]["templates"] == ["programs", "web"] and report["plan"]["added"] == ["extra"]
    lines = until(lambda: (lambda text: text.count("\n") == 2 and text.splitlines())((templated.directory / "read").read_text()), "a reload")
    assert lines == ["good 8080 geheim-key", "good 81 geheim-key"]
    assert templated.pids()["reader"] == pid and templated.starts()[-1] in ("extra 81 81 fast", "web 81 81 fast")
    assert templated.apply(APP_PORT="8080")[1]["plan"]["removed"] == ["extra"]


def test_what_a_template_refuses_changes_nothing(templated):
    made, count = (templated.directory / "run/web.conf").read_text(), len(templated.starts())
    report = templated.apply(APP_NOTE="bad", APP_PORT="81")[1]
    assert report["state"] == "refused" and "[template:web]" in report["error"], report
    (templated.directory / "web.in").write_text("{{ APP_NOTHING }}")
    status, text = templated.request("PUT", "plan", {"set": {"APP_PORT": "81"}})
    assert status == 422 and "APP_NOTHING" in text
    assert templated.text() is None and (templated.directory / "run/web.conf").read_text() == made
    assert len(templated.starts()) == count


def test_files_of_templates_are_taken_back_too(templated):
    made = (templated.directory / "run/web.conf").read_text()
    report = templated.apply(APP_PORT="666")[1]
    assert report["state"] == "rolled_back" and {failed["service"] for failed in report["failed"]} == {"web"}, report
    assert (templated.directory / "run/web.conf").read_text() == made and templated.text() is None
    assert "extra" not in templated.pids()
    until(lambda: (templated.directory / "read").read_text().splitlines()[-1] == "good 8080 geheim-key", "the reader has it back")
    templated.until_ready()


def test_two_hundred_applies_in_a_row(product):
    """A fifth of them fail; each ends in the new state or in exactly the old one."""
    port = "8080"
    for number in range(200):
        text, history = product.text(), product.settings("history").stdout
        is_bad = number % 5 == 2
        wanted = "666" if is_bad else str(9000 + number)
        report = product.apply(APP_PORT=wanted)[1]
        if is_bad:
            assert report["state"] == "rolled_back", report
            assert product.text() == text and product.settings("history").stdout == history
        else:
            assert report["state"] == "done", report
            port = wanted
            assert f"APP_PORT={port}\n" in product.text()
        assert product.starts()[-1] == f"web {port} {port} fast"
        _, body = product.get("services")
        assert body["ready"] and all("stale" not in service for service in body["services"] if service["service"] == "web")
    assert {path.name for path in product.directory.iterdir() if path.name.endswith(".new")} == set()


# Calls that the thread makes that writes the settings file, and nobody else before it does.
CALLS = ("fsync", "rename", "fchmod", "mkdir", "unlink", "flock")


def killed_at(product, call, occurrence):
    """Kills the daemon at a system call, counted in each thread, while it applies; answers whether it came to that."""
    before = ["strace", "-f", "-qq", "-o", "/dev/null"]
    before += ["-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={occurrence}"]
    daemon, pid_file = product.daemon, product.directory / "main.pid"
    pid_file.unlink(missing_ok=True)
    daemon.launch(before=before)

    def is_dead():
        # strace itself stays while services live that it follows.
        pid = pid_file.exists() and pid_file.read_text().strip()
        return daemon.process.poll() is not None or (pid and not is_alive(int(pid)))

    until(lambda: is_dead() or daemon.answers(), "it answers, or has been killed")
    old = product.text()
    port = next(port for port in ("8001", "8002") if port not in old)
    new = f"# mine\nAPP_PORT={port}\n"
    is_killed = bool(is_dead())
    if not is_killed:
        try:
            assert product.apply(APP_PORT=port)[1]["state"] == "done"
        except (OSError, http.client.HTTPException):
            until(is_dead, "its end")
            is_killed = True
    assert product.text() in (old, new), f"{call} {occurrence}"
    daemon.discard()
    return is_killed


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not on this machine")
def test_a_daemon_that_is_killed_while_it_writes_leaves_the_old_file_or_the_new_one(new_daemon):
    product = Product(new_daemon())
    product.env.write_text("# mine\nAPP_PORT=8000\n")
    calls = {call: range(1, 7) for call in CALLS}
    killed = {(call, occurrence): killed_at(product, call, occurrence) for call in calls for occurrence in calls[call]}
    # The version that is kept, its folder, the new file, its folder: each is brought to the disk.
    assert all(killed[point] for point in (("fsync", 1), ("fsync", 2), ("fsync", 3), ("fsync", 4), ("rename", 1))), killed
    # And a boot works.
    product.start()
    port = product.text().split("APP_PORT=")[1].split()[0]
    assert f"web {port} {port} fast" in product.starts()
