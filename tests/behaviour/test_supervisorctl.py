"""Our supervisorctl and the original's say the same words with the same status, to either daemon.

Each scenario is a list of command lines, run against a fresh daemon. What the original's client gets from
the original's daemon is what every other pair of client and daemon must give.
"""
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.compare import normal
from harness.subject import LINCHPIN, ORIGINAL, TESTED
from harness.wait import until

PROGRAMS = """
[program:cat]
command=/bin/cat
[program:manual]
command=/bin/cat
autostart=false
[program:many]
command=/bin/cat
numprocs=3
process_name=%(program_name)s_%(process_num)02d
[program:x]
command=/bin/cat
[program:y]
command=/bin/cat
autostart=false
[group:pair]
programs=x,y
priority=5
[program:missing]
command=/no/such/program
autostart=false
startretries=0
[program:quick]
command=/bin/false
autostart=false
startretries=0
[program:oneshot]
command=/bin/true
startsecs=0
autorestart=false
[program:talker]
command=/bin/sh -c 'echo first line; echo second line; echo to stderr >&2; exec sleep 9999'
[program:silent]
command=/bin/sleep 9999
stdout_logfile=NONE
stderr_logfile=NONE
"""
SETTLED = {"cat:cat": "RUNNING", "many:many_02": "RUNNING", "pair:x": "RUNNING", "oneshot:oneshot": "EXITED", "talker:talker": "RUNNING", "silent:silent": "RUNNING"}

MORE = PROGRAMS.replace("[program:cat]\ncommand=/bin/cat", "[program:cat]\ncommand=/bin/cat -u").replace(
    "[program:silent]\ncommand=/bin/sleep 9999", "[program:fresh]\ncommand=/bin/sleep 9999"
)

# (words of the command line) or a callable that changes the daemon's surroundings between them.
SCENARIOS = {
    "status": [["status"], ["status", "all"], ["status", "cat"], ["status", "cat", "manual"], ["status", "many:*"], ["status", "pair:*", "oneshot"],
               ["status", "pair:x"], ["status", "pair:"]],
    "status_of_nothing": [["status", "nobody"], ["status", "many"], ["status", "nobody:*"], ["status", "cat", "nobody"], ["status", "cat:nobody"],
                          ["status", "nobody", "cat"]],
    "start": [["start", "manual"], ["start", "manual"], ["start", "cat"], ["start", "nobody"], ["start", "pair:*"], ["start", "pair:*"],
              ["start", "nobody:*"], ["start", "pair:nobody"], ["start", "many"], ["status", "manual", "pair:*"]],
    "start_that_fails": [["start", "missing"], ["status", "missing"], ["start", "quick"], ["status", "quick"], ["start", "missing", "manual"]],
    "start_all": [["stop", "all"], ["status"], ["start", "cat", "many:*", "talker"], ["start", "silent"], ["status", "cat"]],
    "stop": [["stop", "cat"], ["stop", "cat"], ["stop", "manual"], ["stop", "nobody"], ["stop", "many:*"], ["stop", "many:*"], ["stop", "nobody:*"],
             ["stop", "pair:x", "talker"], ["status"]],
    "restart": [["restart", "cat"], ["restart", "manual"], ["restart", "many:*"], ["restart", "nobody"], ["restart", "nobody:*"],
                ["restart", "pair:x", "cat"], ["restart", "missing"]],
    "signal": [["signal", "USR1", "nobody"], ["signal", "HUP", "cat"], ["signal", "LOUD", "cat"], ["signal", "TERM", "manual"], ["signal", "CONT", "many:*"],
               ["signal", "SIGCONT", "pair:*"], ["signal", "18", "silent"], ["signal", "CONT", "nobody:*"], ["signal", "CONT", "all"]],
    "tail": [["tail", "talker"], ["tail", "-5", "talker"], ["tail", "-0", "talker"], ["tail", "talker", "stderr"], ["tail", "talker", "stdout"],
             ["tail", "nobody"], ["tail", "silent"], ["tail", "talker", "stdbad"], ["tail", "-x", "talker"], ["tail", "talker", "stdout", "more"],
             ["tail", "manual"], ["tail", "-3", "pair:x"], ["tail", "pair:*"]],
    "clear": [["clear", "talker"], ["tail", "talker"], ["clear", "nobody"], ["clear", "pair:x", "cat"], ["clear", "all"]],
    "pid": [["pid", "manual"], ["pid", "nobody"], ["pid", "nobody", "manual"]],
    "avail": [["avail"]],
    "reread_without_change": [["reread"], ["update"], ["update", "all"], ["update", "nobody"]],
    "reread_with_changes": [lambda daemon: daemon.configure(MORE), ["reread"], ["reread"], ["avail"], ["status", "silent", "fresh"]],
    "update": [lambda daemon: daemon.configure(MORE), ["update"], ["status"], ["update"]],
    "update_of_some": [lambda daemon: daemon.configure(MORE), ["update", "fresh"], ["update", "nobody", "cat"], ["status"]],
    "add_and_remove": [["remove", "cat"], ["stop", "cat"], ["remove", "cat"], ["remove", "cat"], ["status", "cat"], ["add", "cat"], ["add", "cat"],
                       ["add", "nobody"], ["remove", "nobody"], ["status", "cat"], ["remove", "manual", "nobody"], ["add", "manual", "nobody"]],
    "version": [["version"]],
    "unknown": [["frobnicate"], ["Status"], ["STATUS"]],
    "arguments": [["start"], ["stop"], ["restart"], ["signal"], ["signal", "HUP"], ["clear"], ["tail"], ["tail", "-f"], ["avail", "x"], ["reread", "x"],
                  ["version", "x"], ["reload", "x"], ["shutdown", "x"], ["maintail", "a", "b"], ["maintail", "x"], ["add"], ["remove"], ["pid", "a b"]],
    "help": [["help"], ["help", "help"], *(["help", command] for command in
             "add avail clear maintail pid reload remove reread restart shutdown signal start status stop tail update version exit quit open fg".split()),
             ["help", "nothing"], ["?"]],
    "quit": [["quit"], ["exit"]],
    "fg_of_what_cannot_be": [["fg"], ["fg", "cat", "talker"], ["fg", "nobody"], ["fg", "manual"], ["fg", "pair:*"], ["fg", "oneshot"]],
    "open": [["open", "ftp://x"], ["open"], ["open", "unix:///no/such/socket"], ["open", "http://127.0.0.1:1"]],
    "shutdown": [["shutdown"]],
    "reload": [["reload"]],
}
def prepared(new_daemon, subject):
    daemon = new_daemon(subject=subject).configure(PROGRAMS).start()
    until(lambda: SETTLED.items() <= daemon.states().items(), "everything has settled")
    until(lambda: "second line" in daemon.supervisor("readProcessStdoutLog", "talker", 0, 0), "the talker talked")
    return daemon


def settled(daemon):
    return not {"STARTING", "STOPPING", "BACKOFF"} & set(daemon.states().values())


def sorted_blocks(text):
    """Lines about several processes come in the order in which they settled: that order is chance."""
    return sorted(text.splitlines())


def play(daemon, client, steps):
    record = []
    for step in steps:
        if callable(step):
            step(daemon)
            continue
        until(lambda: settled(daemon), "nothing is on its way")
        answer = daemon.control(*step, subject=client)
        out = normal(answer.stdout)
        ordered = step[0] not in ("start", "stop", "restart", "signal", "update", "clear")
        record.append((" ".join(step), answer.returncode, out if ordered else sorted_blocks(out), normal(answer.stderr)))
    return record


PAIRS = [
    pytest.param(LINCHPIN, ORIGINAL, id="ours_with_their_client"),
    pytest.param(ORIGINAL, LINCHPIN, id="theirs_with_our_client"),
    pytest.param(LINCHPIN, LINCHPIN, id="ours_with_our_client"),
]
if TESTED is ORIGINAL:
    PAIRS = [pytest.param(ORIGINAL, ORIGINAL, id="theirs_with_their_client")]
# Answered by the client alone, or nearly so: one pair is enough.
OF_THE_CLIENT = {"help", "arguments", "unknown", "quit"}


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.timeout(300)
def test_same_words_and_status(new_daemon, original, name):
    def played(server, client):
        return play(prepared(new_daemon, server), client, SCENARIOS[name])

    pairs = PAIRS[-1:] if name in OF_THE_CLIENT else PAIRS
    # At once, as they mostly wait, the original's daemon for the next second.
    with ThreadPoolExecutor(1 + len(pairs)) as players:
        wanted_of = players.submit(played, original, original)
        got_of = [players.submit(played, *pair.values) for pair in pairs]
    theirs = wanted_of.result()
    failures = []
    for pair, ours in zip(pairs, got_of):
        for got, wanted in zip(ours.result(), theirs):
            if got != wanted:
                failures.append(f"{pair.id}: {wanted[0]}\n  wanted {wanted[1:]}\n  got    {got[1:]}")
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("server, client", PAIRS)
def test_pids(new_daemon, server, client):
    daemon = prepared(new_daemon, server)
    assert daemon.control("pid", subject=client).stdout == f"{daemon.pid}\n"
    assert daemon.control("pid", "cat", "pair:x", subject=client).stdout.split() == [str(daemon.info(name)["pid"]) for name in ("cat", "pair:x")]
    every = daemon.control("pid", "all", subject=client)
    assert every.returncode == 0
    assert every.stdout.split() == [str(each["pid"]) for each in daemon.supervisor("getAllProcessInfo")]


@pytest.mark.parametrize("server, client", PAIRS)
def test_restart_gives_a_new_process(new_daemon, server, client):
    daemon = prepared(new_daemon, server)
    before = daemon.info("cat")["pid"]
    answer = daemon.control("restart", "cat", subject=client)
    assert (answer.returncode, answer.stdout) == (0, "cat: stopped\ncat: started\n")
    assert daemon.info("cat")["pid"] not in (0, before)


@pytest.mark.parametrize("server, client", PAIRS)
def test_following_a_log(new_daemon, server, client):
    daemon = prepared(new_daemon, server)
    follower = subprocess.Popen(
        [*client.control, "-c", str(daemon.file), "tail", "-f", "cat"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=daemon.environment()
    )
    try:
        assert follower.stdout.readline() == b"==> Press Ctrl-C to exit <==\n"
        for word in ("one", "two"):
            daemon.supervisor("sendProcessStdin", "cat", f"{word}\n")
            assert follower.stdout.readline() == f"{word}\n".encode()
        follower.send_signal(2)
        assert follower.wait(10) == 0
    finally:
        follower.kill()
        follower.communicate()


@pytest.mark.parametrize("server, client", PAIRS)
def test_main_log_tail(new_daemon, server, client):
    daemon = prepared(new_daemon, server)
    answer = daemon.control("maintail", "-200", subject=client)
    assert answer.returncode == 0
    # The tail's own call may have been logged meanwhile, so only the end of what there was is looked for.
    assert answer.stdout.strip()[-60:] in daemon.log()
    assert len(answer.stdout.encode()) in (200, 201)


@pytest.mark.parametrize("server, client", PAIRS)
def test_shutdown_ends_the_daemon_and_says_so_again(new_daemon, server, client):
    daemon = prepared(new_daemon, server)
    answer = daemon.control("shutdown", subject=client)
    assert (answer.returncode, answer.stdout) == (0, "Shut down\n")
    assert daemon.process.wait(30) == 0


@pytest.mark.parametrize("server, client", PAIRS)
def test_reload_restarts_the_daemon_in_its_process(new_daemon, server, client):
    daemon = prepared(new_daemon, server)
    before = daemon.info("cat")["pid"]
    answer = daemon.control("reload", subject=client)
    assert (answer.returncode, answer.stdout) == (0, "Restarted supervisord\n")
    daemon.until_logged("supervisord started with pid", count=2)
    until(lambda: daemon.answers() and daemon.info("cat")["statename"] == "RUNNING", "it is back", 60)
    assert daemon.supervisor("getPID") == daemon.pid and daemon.info("cat")["pid"] != before


@pytest.mark.parametrize("client", [client for _, client in (pair.values for pair in PAIRS)], ids=str)
@pytest.mark.parametrize(
    "words", [["status"], ["start", "a"], ["stop", "all"], ["pid"], ["version"], ["shutdown"], ["tail", "a"], ["maintail"], ["signal", "HUP", "a"], ["clear", "a"]],
    ids=" ".join,
)
def test_no_daemon_there(new_daemon, original, client, words):
    daemon = new_daemon(programs="")
    theirs = daemon.control(*words, subject=original)
    ours = daemon.control(*words, subject=client)
    assert (ours.returncode, normal(ours.stdout), normal(ours.stderr)) == (theirs.returncode, normal(theirs.stdout), normal(theirs.stderr))


@pytest.mark.parametrize("client", [client for _, client in (pair.values for pair in PAIRS)], ids=str)
def test_a_refused_connection(new_daemon, original, client):
    daemon = new_daemon(programs="")
    for words in (["status"], ["pid"]):
        results = [daemon.control(*words, subject=subject, options=("-s", "http://127.0.0.1:1")) for subject in (original, client)]
        assert [(each.returncode, each.stdout) for each in results] == [(results[0].returncode, results[0].stdout)] * 2


@pytest.mark.parametrize("server, client", PAIRS)
def test_wrong_password(new_daemon, original, server, client):
    def tried(subject, where):
        daemon = new_daemon(subject=where, programs="", unix_http_server="username=u\npassword=p").launch()
        until(daemon.socket.exists, "the socket")
        right = daemon.control("-u", "u", "-p", "p", "version", subject=subject)
        wrong = daemon.control("version", subject=subject)
        return right.returncode, right.stdout, wrong.returncode, re.sub("error: .*", "error: X", normal(wrong.stdout))

    assert tried(client, server) == tried(original, original)


@pytest.mark.parametrize("server, client", PAIRS)
def test_the_shell_reads_commands_from_a_pipe(new_daemon, original, server, client):
    def session(where, subject):
        daemon = prepared(new_daemon, where)
        answer = daemon.control(subject=subject, stdin="status cat\npid\n\nversion\nfrobnicate\n")
        return answer.returncode, normal(answer.stdout).replace(str(daemon.pid), "PID")

    assert session(server, client) == session(original, original)
