"""What event listeners are sent, in which order and with which numbers: the same as from the original."""
import difflib
import os
import re
import signal
import sys

import pytest

from harness.events import Record, listener, normal
from harness.subject import LINCHPIN

SLEEP = "[program:{0}]\ncommand=/bin/sleep 9999\nautostart=false\n"
# What the main log tells of events at its level debug, without what differs from run to run.
TOLD = re.compile(r"(?:DEBG|WARN|ERRO) (.*(?:rebuffering event|sent to listener|event was|overflowed|bad result|UNKNOWN state|READY|BUSY).*)")


@pytest.fixture
def both(new_daemon, original):
    """Does the same with ours and with the original, and compares what the listeners named got; answers with that."""

    def run(programs, act, *names, with_log=False):
        seen = []
        for subject in (LINCHPIN, original):
            daemon = new_daemon(subject, programs=programs, supervisord="loglevel=debug").start()
            records = {name: Record(daemon, name) for name in names}
            act(daemon, records)
            found = {name: [normal(event) for event in record.all()] for name, record in records.items()}
            if daemon.is_running():
                daemon.stop()
            if with_log:
                found["log"] = [line for line in TOLD.findall(daemon.log()) if not re.match(r"b?'", line)]
            seen.append(found)
        ours, theirs = seen
        for name, stream in ours.items():
            differing = difflib.unified_diff([str(each) for each in theirs[name]], [str(each) for each in stream], "original", "ours", n=2, lineterm="")
            assert stream == theirs[name], "\n".join([name, *differing])
        return ours

    return run


def lines(stream):
    return [line.split("eventname:")[1].split()[0] for line, _ in stream]


def test_states_groups_and_the_daemons_own(both):
    events = "PROCESS_STATE,PROCESS_GROUP,SUPERVISOR_STATE_CHANGE"
    programs = (
        listener("all", events, extra="buffer_size=100")
        + SLEEP.format("a")
        + "[program:fails]\ncommand=/nonexistent\nstartretries=0\n"
        + "[program:ends]\ncommand=sh -c 'sleep 1.2; exit 3'\nautostart=false\nautorestart=false\n"
        + "[program:once]\ncommand=true\nautostart=false\nautorestart=false\nstartsecs=0\n"
        + "[program:quick]\ncommand=false\nautostart=false\nstartretries=0\n"
    )

    def act(daemon, records):
        daemon.until_running("all")
        daemon.supervisor("startProcess", "a")
        daemon.until_state("fails", "FATAL")
        for name, state in (("ends", "EXITED"), ("once", "EXITED"), ("quick", "FATAL")):
            daemon.supervisor("startProcess", name, False)
            daemon.until_state(name, state)
        daemon.supervisor("stopProcess", "a")
        daemon.supervisor("removeProcessGroup", "a")
        daemon.supervisor("addProcessGroup", "a")
        daemon.supervisor("startProcess", "a")
        records["all"].until_name("PROCESS_STATE_RUNNING", 5)

    (stream,) = both(programs, act, "all").values()
    assert lines(stream)[:3] == ["PROCESS_GROUP_ADDED"] * 3
    assert {"PROCESS_STATE_FATAL", "PROCESS_STATE_EXITED", "PROCESS_GROUP_REMOVED", "SUPERVISOR_STATE_CHANGE_RUNNING"} <= set(lines(stream))


def test_remote_events_of_any_size_and_alphabet(both):
    words = ["plain", "", "grüß dich\nzwei Zeilen\n", "日本" * 50, "x" * 200_000]

    def act(daemon, records):
        daemon.until_running("remote")
        for word in words:
            assert daemon.supervisor("sendRemoteCommEvent", "a type", word) is True
        records["remote"].until_count(len(words))

    (stream,) = both(listener("remote", "REMOTE_COMMUNICATION"), act, "remote").values()
    assert [body for _, body in stream] == [f"type:a type\n{word}" for word in words]


def test_a_pool_of_two_shares_the_events_and_another_pool_gets_them_all(both):
    def act(daemon, records):
        daemon.until_running("shared:shared_0", "shared:shared_1", "alone")
        for number in range(8):
            daemon.supervisor("sendRemoteCommEvent", "number", str(number))
        records["alone"].until_count(8)
        records["shared"].until_count(8)
        # They write into one file, and who is faster comes first.
        file = daemon.directory / records["shared"].file
        file.write_text("".join(sorted(file.read_text().splitlines(True), key=lambda line: re.search(r"poolserial:(\d+)", line)[1])))

    programs = listener("alone", "REMOTE_COMMUNICATION") + listener(
        "shared", "REMOTE_COMMUNICATION", extra="numprocs=2\nprocess_name=%(program_name)s_%(process_num)d"
    )
    streams = both(programs, act, "alone", "shared")
    assert len(streams["shared"]) == 8


def test_what_a_buffer_cannot_hold_is_dropped_the_oldest_first(both):
    def act(daemon, records):
        for number in range(6):
            daemon.supervisor("sendRemoteCommEvent", "number", str(number))
        daemon.supervisor("startProcess", "small")
        records["small"].until_count(3)

    extra = "buffer_size=3\nautostart=false"
    found = both(listener("small", "REMOTE_COMMUNICATION", extra=extra), act, "small", with_log=True)
    assert [body[-1] for _, body in found["small"]] == ["3", "4", "5"]
    assert "pool small event buffer overflowed, discarding event 0" in found["log"]


def test_answers_of_every_kind_are_told_and_lead_to_the_same(both):
    def act(daemon, records):
        daemon.until_running("a")
        for number in range(4):
            daemon.supervisor("sendRemoteCommEvent", "number", str(number))
            records["a"].until_count((1, 4, 5, 6)[number])
        # The one that is told last.
        daemon.until_logged("UNKNOWN state")

    answers = ["foobar", "fail", "fail", "ok", "ok", "bad-line"]
    found = both(listener("a", "REMOTE_COMMUNICATION", *answers), act, "a", with_log=True)
    assert [body[-1] for _, body in found["a"]] == ["0", "1", "1", "1", "2", "3"]
    assert "a: bad result line: 'RESULT two'" in found["log"]


def test_a_listener_that_babbles_is_left_alone_until_it_is_started_again(both):
    def act(daemon, records):
        (pid,) = daemon.until_running("a")
        daemon.supervisor("sendRemoteCommEvent", "number", "0")
        daemon.until_logged("a: has entered the UNKNOWN state and will no longer receive events")
        daemon.supervisor("sendRemoteCommEvent", "number", "1")
        daemon.supervisor("stopProcess", "a")
        daemon.supervisor("startProcess", "a")
        records["a"].until_count(2)

    found = both(listener("a", "REMOTE_COMMUNICATION", "babble"), act, "a")
    assert [body[-1] for _, body in found["a"]] == ["0", "1"]


def test_the_event_of_a_listener_that_dies_comes_again(both):
    def act(daemon, records):
        daemon.until_running("a")
        daemon.supervisor("sendRemoteCommEvent", "number", "0")
        daemon.supervisor("sendRemoteCommEvent", "number", "1")
        records["a"].until_count(3)

    found = both(listener("a", "REMOTE_COMMUNICATION", "die-once"), act, "a")
    assert [(line, body[-1]) for line, body in found["a"]][0] == (found["a"][1][0], "0")


TALKER = """[program:talker]
command={python} -S -c "{code}"
autostart=false
autorestart=false
startsecs=0
{extra}
"""


def talker(code, extra):
    return TALKER.format(python=sys.executable, code=code.replace("\n", ";").replace("%", "%%"), extra=extra)


def test_output_of_processes(both):
    words = [b"plain\\n", "grüß dich".encode().decode("latin-1").encode("unicode_escape"), b"\\xff\\xfe'\\n"]
    # It waits for a line before each, so that each is read by itself.
    code = "import os,sys\n" + "\n".join(
        f"sys.stdin.readline(),os.write({fd},b'{word.decode().replace(chr(39), chr(92) + 'x27')}')" for word in words for fd in (1, 2)
    )

    def act(daemon, records):
        daemon.until_running("log")
        daemon.supervisor("startProcess", "talker")
        for count in range(1, 7):
            daemon.supervisor("sendProcessStdin", "talker", "next\n")
            records["log"].until_count(count)

    programs = listener("log", "PROCESS_LOG") + talker(code, "stdout_events_enabled=true\nstderr_events_enabled=true")
    (stream,) = both(programs, act, "log").values()
    assert [body.split("\n", 1)[1] for _, body in stream][::2] == ["plain\n", "grüß dich", "Undecodable: b\"\\xff\\xfe'\\n\""]


def test_what_stands_between_the_tags_of_capture_mode(both):
    begin, end = "<!--XSUPERVISOR:BEGIN-->", "<!--XSUPERVISOR:END-->"
    text = f"first line of output, long enough\n{begin}grüß dich{end}between, and long enough\n{begin}two{end}{begin}{end}the last line, long enough as well\n"
    pieces = [
        text[:40],
        text[40:50],
        text[50:],
        f"{begin}bad \udcff{end}and a line that is long enough\n",
    ]
    encoded = [piece.encode(errors="surrogateescape") for piece in pieces]
    code = "import os,sys\n" + "\n".join(f"sys.stdin.readline(),os.write({fd},bytes.fromhex('{piece.hex()}'))" for fd in (1, 2) for piece in encoded)

    def act(daemon, records):
        daemon.until_running("said")
        daemon.supervisor("startProcess", "talker")
        for count in (0, 0, 3, 4, 0, 0, 7, 8):
            daemon.supervisor("sendProcessStdin", "talker", "next\n")
            if count:
                records["said"].until_count(count)
        daemon.until_state("talker", "EXITED")

    extra = "stdout_capture_maxbytes=1MB\nstderr_capture_maxbytes=1MB\nstdout_logfile=%(here)s/talker.log\nstderr_logfile=NONE"
    (stream,) = both(listener("said", "PROCESS_COMMUNICATION") + talker(code, extra), act, "said").values()
    assert [body.split("\n", 1)[1] for _, body in stream] == ["grüß dich", "two", "", "Undecodable: b'bad \\xff'"] * 2


def test_a_restart_of_the_daemon_goes_on_with_the_numbers(both):
    def act(daemon, records):
        daemon.until_running("a")
        daemon.supervisor("sendRemoteCommEvent", "number", "0")
        records["a"].until_body("number")
        daemon.supervisor("restart")
        records["a"].until_name("SUPERVISOR_STATE_CHANGE_RUNNING", 2)

    (stream,) = both(listener("a", "REMOTE_COMMUNICATION,SUPERVISOR_STATE_CHANGE_RUNNING"), act, "a").values()
    again = stream[-1][0]
    assert "SUPERVISOR_STATE_CHANGE_RUNNING" in again and " poolserial:0 " in again and " serial:0 " not in again


def test_listeners_hear_of_the_end_as_long_as_they_live(both):
    events = "SUPERVISOR_STATE_CHANGE_STOPPING,PROCESS_STATE_STOPPING,PROCESS_STATE_STOPPED"

    def act(daemon, records):
        _, second, _ = daemon.until_running("first", "second", "a")
        daemon.signal(signal.SIGTERM)
        # Both have answered, so that both can be told the next.
        daemon.until_logged("(first|second): event was processed", count=4)
        (daemon.directory / "go").touch()
        # The second does not mind its signal, so that the first, which is stopped after it, has the time to hear of that.
        records["first"].until_count(3)
        os.kill(second, signal.SIGKILL)
        daemon.process.wait(30)
        # What comes after that depends, in the original, on how many other groups there are and how fast they end.
        for name, count in (("first", 3), ("second", 2)):
            file = daemon.directory / records[name].file
            file.write_text("".join(file.read_text().splitlines(True)[:count]))

    slow = "[program:a]\ncommand=sh -c \"trap 'until test -e %(here)s/go; do sleep 0.1; done; exit' TERM; while :; do sleep 0.1; done\"\n"
    programs = listener("first", events) + listener("second", events, extra="stopsignal=WINCH\nstopwaitsecs=60") + slow
    streams = both(programs, act, "first", "second")
    assert lines(streams["second"]) == ["SUPERVISOR_STATE_CHANGE_STOPPING", "PROCESS_STATE_STOPPING"]
    assert lines(streams["first"])[2] == "PROCESS_STATE_STOPPED"


def test_what_a_listener_writes_is_in_its_logs_and_its_error_output_is_like_any_other(both):
    begin, end = "<!--XSUPERVISOR:BEGIN-->", "<!--XSUPERVISOR:END-->"
    code = f"import os,sys\nos.write(2,b'{begin}captured{end} and more words than a tag has')\nos.write(1,b'READY\\n')\nsys.stdin.readline()"

    def act(daemon, records):
        records["heard"].until_count(1)
        daemon.until_running("heard", "tested")
        for file, text in (("tested.out", "READY\n"), ("tested.err", " and more words than a tag has")):
            daemon.until_file(file, text)
            assert daemon.read(file) == text

    programs = listener("heard", "PROCESS_COMMUNICATION") + talker(
        code,
        "events=TICK_3600\nstdout_logfile=%(here)s/tested.out\nstderr_logfile=%(here)s/tested.err\nstderr_capture_maxbytes=1KB\nautostart=true",
    ).replace("[program:talker]", "[eventlistener:tested]").replace("autostart=false\n", "").replace("startsecs=0\n", "")
    (stream,) = both(programs, act, "heard").values()
    assert stream[0][1].endswith("\ncaptured")


def test_a_listener_written_with_supervisors_own_helper(new_daemon, original):
    """The helper is the one of the Python that runs the tests; it has to be the original's."""
    childutils = pytest.importorskip("supervisor.childutils", reason="the original is not installed in this Python")
    assert os.path.exists(childutils.__file__)
    program = f"[eventlistener:helped]\ncommand={sys.executable} %(here)s/l.py %(here)s/helped.jsonl\nevents=PROCESS_STATE_RUNNING,REMOTE_COMMUNICATION\n"
    daemon = new_daemon(programs=program + SLEEP.format("a"))
    source = os.path.join(os.path.dirname(__file__), "programs", "childutils_listener.py")
    (daemon.directory / "l.py").write_text(open(source).read())
    daemon.start().until_running("helped")
    daemon.supervisor("startProcess", "a")
    daemon.supervisor("sendRemoteCommEvent", "kind", "grüß dich")
    record = Record(daemon, "helped")
    events = record.until(lambda events: any("dich" in event["body"] for event in events), "the last event")
    assert [event["name"] for event in events] == ["PROCESS_STATE_RUNNING", "PROCESS_STATE_RUNNING", "REMOTE_COMMUNICATION"]
    assert events[1]["about"]["processname"] == "a" and events[1]["about"]["pid"] == str(daemon.info("a")["pid"])


@pytest.mark.parametrize(
    "answer, last, times",
    [
        ("'RESULT  2\\r\\nOK'", "event was processed", 1),
        ("'RESULT 02\\nOK'", "event was processed", 1),
        ("'RESULT 3\\nOK\\n'", "event was rejected", 2),
        ("'RESULT 0\\n'", "event was rejected", 2),
        ("'OK\\n'", "rebuffering event", 1),
        ("'\\n'", "rebuffering event", 1),
        ("'RESULT 2\\nOKREADY\\n'", "UNKNOWN state", 1),
    ],
)
def test_answers_at_the_edge_of_the_protocol(both, answer, last, times):
    """The log shows whether it was processed, rejected or bad, and the state it led to. `stay` is the second answer."""

    def act(daemon, records):
        daemon.until_running("a")
        daemon.supervisor("sendRemoteCommEvent", "number", "0")
        daemon.until_logged(last)
        records["a"].until_count(times)
        daemon.until_logged("sent to listener a", count=times)

    log = both(listener("a", "REMOTE_COMMUNICATION", answer, "stay"), act, "a", with_log=True)["log"]
    assert any(last in line for line in log)
