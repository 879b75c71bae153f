"""What people are told: `linchpin status`, `why` and `events`, and the documents behind them."""
import http.client
import json
import os
import socket
import stat
import subprocess
import threading
import time
import xmlrpc.client

import pytest

from harness.subject import TESTED
from harness.terminal import Terminal
from harness.wait import until

pytestmark = pytest.mark.ours("there is nothing like it")

OURS = "[linchpin]\nsocket=%(here)s/l.sock\nstate_directory=%(here)s/state\n"
# `db` is ready when there is a file; `job` needs it and fails; `web` needs both.
CHAIN = """
[program:db]
command=sleep 1000
startsecs=0
readiness=file:%(here)s/db.ready
[program:job]
command=sh -c 'echo migrating; echo "no space left on device" >&2; exit 3'
oneshot=true
startsecs=0
startretries=0
depends_on=db ready
stderr_logfile=%(here)s/job.err
[program:web]
command=sleep 1000
startsecs=0
depends_on=db ready, job completed
"""
PAIR = "[program:pair]\ncommand=sleep 1000\nstartsecs=0\nnumprocs=2\nprocess_name=%(process_num)d\n"


@pytest.fixture
def started(new_daemon):
    def start(programs, ours=OURS):
        daemon = new_daemon(programs=ours + programs)
        (daemon.directory / "state").mkdir(exist_ok=True)
        daemon.start()
        # Past the first moments, in which other things are true.
        daemon.until_running(*("db",) * (CHAIN in programs), *("pair:0", "pair:1") * (PAIR in programs))
        return daemon

    return start


def linchpin(daemon, errand, *words, timeout=30, **environment):
    return subprocess.run(
        [TESTED.daemon[0], errand, *words, *(() if "-c" in words or "-s" in words else ("-c", str(daemon.file)))],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=daemon.directory,
        env=daemon.environment(environment),
        stdin=subprocess.DEVNULL,
    )


def document(daemon, errand, *words):
    result = linchpin(daemon, errand, *words, "--json")
    assert not result.stderr, result.stderr
    return json.loads(result.stdout)


def services(daemon):
    return {each["service"]: each for each in document(daemon, "status")["services"]}


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def get(daemon, path, socket_name="l.sock", method="GET"):
    connection = Unix(daemon.directory / socket_name)
    connection.request(method, path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    is_json = answer.headers["Content-Type"] == "application/json"
    return answer.status, json.loads(body) if is_json else body.decode()


# --- status


def test_a_table_shows_who_waits_for_whom(started):
    daemon = started(CHAIN + PAIR)
    until(lambda: services(daemon)["db"].get("failing"), "the first answer has come")
    result = linchpin(daemon, "status")
    assert result.returncode == 3, result
    lines = {line.split()[0]: line for line in result.stdout.splitlines() if line.strip()}
    assert result.stdout.startswith("SERVICE")
    assert "file:" in lines["db"] and " no " in lines["db"], result.stdout
    assert "waits: db is not ready" in lines["web"], result.stdout
    assert lines["├─"].split()[1:4] == ["0", "RUNNING", "yes"]
    assert lines["└─"].split()[1:4] == ["1", "RUNNING", "yes"]
    assert "Not ready: db, job, web." in result.stdout
    # Nobody reads colours here.
    assert "\x1b" not in result.stdout
    only = linchpin(daemon, "status", "pair")
    assert only.returncode == 0 and "db" not in only.stdout
    assert linchpin(daemon, "status", "pair:1").stdout.count("RUNNING") == 1
    missing = linchpin(daemon, "status", "nobody")
    assert missing.returncode == 4 and "nobody" in missing.stderr and not missing.stdout


def test_the_document_says_what_is_used(started):
    daemon = started("[program:two]\ncommand=sh -c 'sleep 1000 & exec sleep 1000'\nstartsecs=0\n")

    def usage():
        service = services(daemon)["two"]
        return service if service.get("usage", {}).get("processes") == 2 else None

    service = until(usage, "both processes are counted")
    assert service["ready"] and service["state"] == "RUNNING" and service["restarts"] == 0
    assert service["usage"]["memory"] > 50_000
    (pid,) = daemon.until_running("two")
    assert service["pid"] == pid
    os.kill(pid, 9)
    until(lambda: services(daemon)["two"].get("restarts") == 1, "the restart is counted")
    daemon.control("restart", "two")
    assert services(daemon)["two"]["restarts"] == 0, "somebody asked for this start"


def test_waiting_ends_when_everything_is_ready(started):
    daemon = started("[program:db]\ncommand=sleep 1000\nstartsecs=0\nreadiness=file:%(here)s/db.ready\n")
    short = linchpin(daemon, "status", "--wait", "ready", "--timeout", "1s")
    assert short.returncode == 3 and "Not ready: db" in short.stdout
    threading.Timer(0.5, (daemon.directory / "db.ready").touch).start()
    begin = time.monotonic()
    waited = linchpin(daemon, "status", "--wait=ready", "--timeout=25s")
    assert waited.returncode == 0, waited
    assert time.monotonic() - begin < 20, "it ends with the news, and not with the time"


def test_waiting_ends_when_it_is_of_no_use(started):
    daemon = started(CHAIN)
    (daemon.directory / "db.ready").touch()
    result = linchpin(daemon, "status", "--wait", "ready")
    assert result.returncode == 3
    assert "FATAL" in result.stdout


def test_waiting_includes_a_daemon_that_is_only_just_starting(new_daemon):
    daemon = new_daemon(programs=OURS + PAIR)
    (daemon.directory / "state").mkdir()
    threading.Timer(0.7, daemon.launch).start()
    assert linchpin(daemon, "status", "--wait", "ready").returncode == 0


def test_an_optional_service_and_one_that_nobody_wants_do_not_count(started):
    daemon = started(
        "[program:may]\ncommand=/bin/false\nstartretries=0\nimportance=optional\n"
        "[program:tool]\ncommand=sleep 1000\nautostart=false\n"
        "[program:once]\ncommand=/bin/true\nstartsecs=0\nautorestart=false\n" + PAIR
    )
    daemon.until_state("may", "FATAL")
    daemon.until_state("once", "EXITED")
    result = linchpin(daemon, "status")
    assert result.returncode == 0, result.stdout
    assert "(optional)" in result.stdout and "done" in result.stdout
    assert document(daemon, "status")["ready"] is True


def test_it_is_shown_again_and_again_in_colours(started):
    daemon = started(PAIR)
    terminal = Terminal(
        [TESTED.daemon[0], "status", "--watch", "-c", str(daemon.file)], env=daemon.environment({"TERM": "xterm"})
    )
    try:
        terminal.until_text("pair")
        daemon.control("stop", "pair:0")
        terminal.until_text("STOPPED")
        assert "\x1b[32m" in terminal.raw
    finally:
        terminal.close()


# --- why


def test_a_chain_is_explained_down_to_the_last_words_of_its_root(started):
    daemon = started(CHAIN)
    waits = linchpin(daemon, "why", "web").stdout
    assert "it waits for db to be ready: db is not ready" in waits, waits
    assert "it is not ready: file:" in waits, waits
    (daemon.directory / "db.ready").touch()
    daemon.until_state("job", "FATAL")
    result = linchpin(daemon, "why", "web")
    assert result.returncode == 0
    for text in (
        "web  STARTING for ",
        "it waits for job to have done its work: job has failed",
        "exit 3",
        "Last output of job (stderr, ",
        "| no space left on device",
        "What you could do",
        "supervisorctl start job",
        "What happened last",
    ):
        assert text in result.stdout, (text, result.stdout)


@pytest.mark.parametrize(
    ("options", "state", "texts"),
    [
        ("command=no-such-program server.js", "FATAL", ["command not found: no-such-program", "install no-such-program", "PATH="]),
        ("command=/etc/passwd", "FATAL", ["chmod +x"]),
        ("command=sh -c 'exit 127'", "FATAL", ["exit 127", "command not found"]),
        ("command=sh -c 'kill -9 $$'", "FATAL", ["SIGKILL"]),
        ("command=sh -c 'kill -SEGV $$'", "FATAL", ["SIGSEGV"]),
        ("command=sleep 1000\nautostart=false", "STOPPED", ["start it: supervisorctl start a"]),
        ("command=sh -c 'exit 4'\nstartsecs=0\nautorestart=false", "EXITED", ["exit 4", "autorestart=true"]),
        ("command=sleep 1000\nstartsecs=0", "RUNNING", ["it counts as up from its start"]),
        ("command=sleep 1000\nstartsecs=1000", "STARTING", ["startsecs=1000", "in 16 min"]),
    ],
)
def test_ends_are_told_in_words_with_a_remedy(started, options, state, texts):
    daemon = started(f"[program:a]\nstartretries=0\n{options}\n")
    daemon.until_state("a", state)
    told = linchpin(daemon, "why", "a").stdout
    assert told.startswith(f"a  {state} for "), told
    for text in texts:
        assert text in told, (text, told)


def test_groups_and_short_names_are_understood(started):
    daemon = started("[program:one]\ncommand=sleep 1000\nstartsecs=0\n[group:g]\nprograms=one\n" + PAIR)
    daemon.until_running("g:one")
    assert linchpin(daemon, "why", "pair").stdout.count(" RUNNING for ") == 2
    assert linchpin(daemon, "why", "pair:1").stdout.startswith("pair:1  ")
    assert linchpin(daemon, "why", "one").stdout.startswith("g:one  ")
    both = linchpin(daemon, "why", "g:one", "pair:0")
    assert both.stdout.count(" RUNNING for ") == 2
    missing = linchpin(daemon, "why", "nobody")
    assert missing.returncode == 4 and "nobody" in missing.stderr


def test_the_shell_of_supervisorctl_explains_too(started):
    daemon = started(CHAIN)
    told = daemon.control("why", "db")
    assert told.returncode == 0 and told.stdout.startswith("db  RUNNING for "), told
    assert "readiness  file:" in told.stdout
    shell = daemon.control(stdin="why db\nhelp\nhelp why\nexit\n").stdout
    assert "db  RUNNING for " in shell and "linchpin commands (type help <topic>):" in shell
    missing = daemon.control("why", "nobody")
    assert missing.returncode == 1 and "no such process" in missing.stdout


def test_control_characters_of_a_service_do_not_reach_the_terminal(started):
    daemon = started(
        "[program:a]\ncommand=printf '\\033]0;owned\\007\\033[2Jhello\\n'\nredirect_stderr=true\nstartretries=0\n"
        "stdout_logfile=%(here)s/a.log\n"
    )
    daemon.until_state("a", "FATAL")
    told = linchpin(daemon, "why", "a").stdout
    assert "hello" in told and "\x1b" not in told and "\x07" not in told


# --- events


def test_the_history_tells_every_change_with_its_reason(started):
    daemon = started("[program:a]\ncommand=sh -c 'exit 3'\nstartretries=1\n[program:b]\ncommand=sleep 1000\nstartsecs=0\n")
    daemon.until_state("a", "FATAL")
    events = [json.loads(line) for line in linchpin(daemon, "events", "a", "--json").stdout.splitlines()]
    changes = [f"{each['from']} {each['to']}" for each in events if each["kind"] == "state"]
    once = ["STARTING BACKOFF"]
    assert changes == ["STOPPED STARTING", *once, "BACKOFF STARTING", *once, "BACKOFF FATAL"], changes
    assert events[1]["exit"] == {"code": 3} and "exit status 3" in events[1]["text"]
    assert [each["id"] for each in events] == sorted({each["id"] for each in events})
    told = linchpin(daemon, "events").stdout
    assert "the daemon is up" in told and "BACKOFF → FATAL" in told
    assert len(linchpin(daemon, "events", "-n", "2").stdout.splitlines()) == 4, "a remark, a day, two entries"


def test_the_history_is_kept_across_restarts_and_readable_without_a_daemon(started):
    daemon = started(PAIR)
    daemon.stop()
    kept = linchpin(daemon, "events")
    assert "No daemon answers" in kept.stderr and "stopped: " in kept.stdout, kept
    assert stat.S_IMODE((daemon.directory / "state/history.jsonl").stat().st_mode) == 0o600
    daemon.start()
    told = linchpin(daemon, "events", "--since", "5m").stdout
    assert told.count("the daemon is up") == 2, told
    assert told.count("the daemon stops everything") == 1
    recent = json.loads(linchpin(daemon, "events", "--json", "-n", "1").stdout)
    later = linchpin(daemon, "events", "--json", "--since", f"@{recent['time'] // 1000 + 100}")
    assert later.stdout == ""


def test_the_history_is_bounded(started):
    daemon = started(
        "[program:a]\ncommand=/bin/true\nautorestart=true\nstartsecs=0\nrestart_delay=5ms\nrestart_delay_max=5ms\n",
        OURS + "history_maxbytes=16KB\n",
    )
    directory = daemon.directory / "state"
    until((directory / "history.jsonl.1").exists, "the older half is there")
    older = (directory / "history.jsonl.1").stat().st_ino
    until(lambda: (directory / "history.jsonl.1").stat().st_ino != older, "it is replaced")
    assert sorted(path.name for path in directory.iterdir()) == ["history.jsonl", "history.jsonl.1"]
    assert all(path.stat().st_size <= 8192 for path in directory.iterdir())
    # What the file has lost, memory has not.
    assert len(linchpin(daemon, "events", "--json", "-n", "500").stdout.splitlines()) > 100


def test_a_history_that_cannot_be_kept_stops_nothing(new_daemon):
    daemon = new_daemon(programs=OURS.replace("/state", "/none") + PAIR).start()
    daemon.until_running("pair:0", "pair:1")
    daemon.until_logged("the history is kept in memory only for now")
    assert "STARTING → RUNNING" in linchpin(daemon, "events").stdout


def test_events_are_followed(started):
    daemon = started(PAIR)
    following = subprocess.Popen(
        [TESTED.daemon[0], "events", "--follow", "-n", "1", "-c", str(daemon.file)],
        stdout=subprocess.PIPE,
        text=True,
        env=daemon.environment(),
    )
    try:
        lines = iter(following.stdout.readline, "")
        for line in lines:
            if "RUNNING" in line:
                break
        daemon.control("stop", "pair:0")
        assert any("STOPPING → STOPPED" in line for line in lines)
    finally:
        following.kill()
        following.wait()
        following.stdout.close()


# --- where the daemon is, and who may ask


def test_the_daemon_is_found_where_the_file_says(started):
    daemon = started(PAIR)
    assert linchpin(daemon, "status", "-s", f"unix://{daemon.directory}/s.sock").returncode == 0
    daemon.write(daemon.file.read_text().replace("%(here)s/l.sock", "%(here)s/gone.sock"))
    assert linchpin(daemon, "status").returncode == 0, "the next place is tried"
    nowhere = linchpin(daemon, "status", "-s", "unix:///nowhere/s.sock")
    assert nowhere.returncode == 4 and "unix:///nowhere/s.sock: no such file" in nowhere.stderr


def test_credentials_come_from_the_file_and_are_asked_for(new_daemon):
    secret = "username=me\npassword=secret-word\n"
    daemon = new_daemon(programs=PAIR, unix_http_server=secret).launch()
    assert linchpin(daemon, "status", "--wait", "ready").returncode == 0
    daemon.write(daemon.file.read_text().replace(secret, ""))
    refused = linchpin(daemon, "status")
    assert refused.returncode == 4 and "user name and a password" in refused.stderr
    assert linchpin(daemon, "status", "-u", "me", "-p", "secret-word").returncode == 0


def test_another_daemon_is_told_from_ours(original, new_daemon):
    daemon = new_daemon(subject=original, programs=PAIR).start()
    result = linchpin(daemon, "status")
    assert result.returncode == 1 and "is not Linchpin" in result.stderr, result


def test_the_control_socket_is_for_its_owner(started):
    daemon = started(PAIR)
    mode = stat.S_IMODE((daemon.directory / "l.sock").stat().st_mode)
    assert mode == 0o600
    assert "l.sock" not in daemon.supervisor("getProcessInfo", "pair:0")["description"]
    if os.getuid() == 0:
        (daemon.directory / "l.sock").chmod(0o666)
        asked = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", TESTED.daemon[0], "status", "-s",
             f"unix://{daemon.directory}/l.sock"],
            capture_output=True, text=True, timeout=30,
        )
        assert asked.returncode == 4, asked


def test_the_api_is_on_the_control_socket_only(started):
    daemon = started(CHAIN)
    code, report = get(daemon, "/api/v1/services")
    assert code == 200 and [each["service"] for each in report["services"]] == ["db", "job", "web"]
    assert get(daemon, "/api/v1/services/db")[1]["state"] == "RUNNING"
    code, why = get(daemon, "/api/v1/services/web/why")
    assert code == 200 and why["services"][0]["causes"][0]["service"] == "web"
    assert get(daemon, "/api/v1/events?service=db&limit=1")[1]["events"][0]["service"] == "db"
    assert get(daemon, "/api/v1/services/nobody/why") == (404, {"error": "there is no process or group nobody"})
    assert get(daemon, "/api/v1/events?limit=x")[0] == 400
    assert get(daemon, "/api/v1/services", method="POST")[0] == 405
    assert get(daemon, "/api/v1/nothing")[0] == 404
    assert get(daemon, "/api/v1/services", "s.sock")[0] == 404


def test_news_are_waited_for(started):
    daemon = started(PAIR)
    last = get(daemon, "/api/v1/events?limit=1")[1]["last"]
    assert get(daemon, f"/api/v1/events?after={last}&wait=1")[1] == {"last": last, "events": []}
    threading.Timer(0.3, daemon.control, ["stop", "pair:0"]).start()
    begin = time.monotonic()
    news = get(daemon, f"/api/v1/events?after={last}&wait=30")[1]
    assert news["events"] and news["last"] > last and time.monotonic() - begin < 20


def test_methods_of_ours_are_listed_only_where_the_file_knows_us(started, new_daemon):
    ours = started(PAIR)
    assert "linchpin.why" in ours.rpc.system.listMethods()
    assert json.loads(ours.rpc.linchpin.status())["services"]
    plain = new_daemon(programs=PAIR).start()
    assert not [name for name in plain.rpc.system.listMethods() if name.startswith("linchpin.")]
    assert plain.rpc.linchpin.getVersion()
    with pytest.raises(xmlrpc.client.Fault, match="BAD_NAME: nobody"):
        plain.rpc.linchpin.why("nobody")


# --- reload


def test_services_read_their_own_configuration_again(started):
    daemon = started(
        "[program:a]\ncommand=sh -c 'trap \"echo again\" HUP; echo up; while :; do sleep 0.02; done'\n"
        "startsecs=0\nreload_signal=HUP\nstdout_logfile=%(here)s/a.out\n"
        "[program:b]\ncommand=sleep 1000\nstartsecs=0\nreload_command=touch %(here)s/b.again\n"
        "[program:c]\ncommand=sleep 1000\nstartsecs=0\n"
    )
    daemon.until_file("a.out", "up")
    result = linchpin(daemon, "reload", "a", "b")
    assert (result.returncode, result.stdout) == (0, "a: reloaded\nb: reloaded\n"), result
    daemon.until_file("a.out", "again")
    assert (daemon.directory / "b.again").exists(), "the answer comes when the command has ended"
    cannot = linchpin(daemon, "reload", "c")
    assert cannot.returncode == 1 and "set reload_signal or reload_command" in cannot.stdout
    assert linchpin(daemon, "reload", "nobody").returncode == 4
    assert daemon.rpc.linchpin.reload("a") is True


# --- the command lines


@pytest.mark.parametrize("errand", ["status", "why", "events", "reload"])
def test_help_is_there_and_mistakes_are_told(new_daemon, errand):
    daemon = new_daemon(programs=PAIR)
    told = linchpin(daemon, errand, "--help")
    assert told.returncode == 0 and told.stdout.startswith("Usage: ") and "--configuration" in told.stdout
    wrong = linchpin(daemon, errand, "--wrong")
    assert wrong.returncode == 2 and "--wrong" in wrong.stderr and "--help" in wrong.stderr


def test_nobody_has_to_read_to_the_end(started):
    daemon = started(PAIR)
    script = f"{TESTED.daemon[0]} events -c {daemon.file} | true; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=daemon.environment())
    assert (result.stdout, result.stderr) == ("0\n", "")
