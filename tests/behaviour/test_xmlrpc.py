"""Every method of the wire answers as the original's does: results, faults, types.

Each scenario is a list of calls against a fresh daemon; what differs from run to run (pids, times, paths)
is taken out. Where the original can only answer 500, anything is better.
"""
import re
import xmlrpc.client
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import rpc
from harness.compare import normal, normal_value
from harness.subject import LINCHPIN, TESTED
from harness.wait import until

PROGRAMS = """
[program:cat]
command=/bin/cat
[program:manual]
command=/bin/cat
autostart=false
priority=7
[program:many]
command=/bin/cat
numprocs=2
process_name=%(program_name)s_%(process_num)02d
autorestart=true
exitcodes=0,2,7
stopsignal=INT
[program:x]
command=/bin/cat -u
[program:y]
command=/bin/cat
autostart=false
[group:pair]
programs=x,y
priority=5
[program:missing]
command=/no/such/program --with arguments
autostart=false
startretries=0
[program:directory]
command=/etc
autostart=false
startretries=0
[program:text]
command=/etc/passwd
autostart=false
startretries=0
[program:quick]
command=/bin/false
autostart=false
startretries=0
startsecs=2
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
[program:options]
command=/bin/sleep 9999
autostart=false
autorestart=false
directory=/usr
user=root
umask=022
redirect_stderr=true
killasgroup=true
stopwaitsecs=77
startsecs=3
serverurl=http://elsewhere:1
stdout_logfile=/dev/null
stdout_logfile_maxbytes=3MB
stdout_logfile_backups=4
stdout_capture_maxbytes=5KB
stdout_events_enabled=true
environment=A="1",B="two"
"""
SETTLED = {"cat:cat": "RUNNING", "many:many_01": "RUNNING", "pair:x": "RUNNING", "oneshot:oneshot": "EXITED", "talker:talker": "RUNNING", "silent:silent": "RUNNING"}
CHANGED = PROGRAMS.replace("[program:cat]\ncommand=/bin/cat", "[program:cat]\ncommand=/bin/cat -u").replace("[program:silent]", "[program:fresh]")
NAMES = ("cat", "manual", "many:many_00", "many:*", "pair:*", "pair:x", "nobody", "nobody:*", "pair:nobody", "many", "", ":", "cat:cat", "cat:", "a:b:c")


def rewrite(text):
    return lambda daemon: daemon.configure(text)


SCENARIOS = {
    "about_the_daemon": [(f"supervisor.{name}",) for name in "getAPIVersion getVersion getSupervisorVersion getIdentification getState".split()],
    "listing": [("system.listMethods",)],
    "signatures": "every method",
    "unknown": [("nonsense",), ("supervisor.nonsense",), ("nonsense.getState",), ("supervisor",), ("supervisor.getState.x",), ("supervisor._update", "x"),
                ("system.methodHelp", "nobody"), ("system.methodSignature", "supervisor.nobody"), ("",), (".",), ("supervisor.",), ("SUPERVISOR.getState",)],
    "counts_of_arguments": [("supervisor.getState", 1), ("supervisor.startProcess",), ("supervisor.startProcess", "cat", True, 3), ("supervisor.getProcessInfo",),
                            ("system.listMethods", 1), ("supervisor.readLog",), ("supervisor.readLog", 0), ("supervisor.signalProcess", "cat"),
                            ("supervisor.tailProcessStdoutLog", "cat", 0), ("system.multicall",)],
    "process_information": [("supervisor.getProcessInfo", name) for name in NAMES] + [("supervisor.getAllProcessInfo",)],
    "configuration": [("supervisor.getAllConfigInfo",)],
    "start": [("supervisor.startProcess", name) for name in ("manual", "cat", "pair:*", "nobody", "nobody:*", "many", "pair:nobody", "pair:y")],
    "start_without_waiting": [("supervisor.startProcess", "manual", False), ("supervisor.startProcess", "manual", False), ("supervisor.startProcess", "cat", False),
                              ("supervisor.startProcess", "nobody", False)],
    "start_that_fails": [("supervisor.startProcess", name) for name in ("missing", "directory", "text", "quick")],
    "information_after_failure": [("supervisor.startProcess", "missing"), ("supervisor.startProcess", "quick"), ("supervisor.getProcessInfo", "missing"),
                                  ("supervisor.getProcessInfo", "quick")],
    "start_groups": [("supervisor.startProcessGroup", name) for name in ("pair", "many", "manual", "nobody", "pair:*")],
    "start_all": [("supervisor.stopProcess", "quick"), ("supervisor.stopAllProcesses",), ("supervisor.startProcessGroup", "many"), ("supervisor.startProcessGroup", "pair", False)],
    "stop": [("supervisor.stopProcess", name) for name in ("cat", "cat", "manual", "oneshot", "many:*", "many:*", "nobody", "pair:x")],
    "stop_without_waiting": [("supervisor.stopProcess", "silent", False), ("supervisor.stopProcess", "manual", False)],
    "stop_groups": [("supervisor.stopProcessGroup", name) for name in ("many", "many", "pair", "nobody")] + [("supervisor.stopAllProcesses",), ("supervisor.stopAllProcesses",)],
    "signal": [("supervisor.signalProcess", name, signal) for name, signal in (
        ("cat", "CONT"), ("cat", "SIGCONT"), ("cat", "18"), ("cat", 18), ("cat", "cont"), ("cat", "LOUD"), ("cat", 99), ("cat", ""), ("manual", "CONT"), ("nobody", "CONT"),
        ("many:*", "CONT"), ("pair:*", "CONT"), ("pair:*", "LOUD"))],
    "signal_groups": [("supervisor.signalProcessGroup", "many", "CONT"), ("supervisor.signalProcessGroup", "pair", "CONT"), ("supervisor.signalProcessGroup", "nobody", "CONT"),
                      ("supervisor.signalProcessGroup", "many", "LOUD"), ("supervisor.signalAllProcesses", "CONT")],
    "read_logs": [(f"supervisor.{method}", "talker", *where)
                  for method in ("readProcessStdoutLog", "readProcessStderrLog", "readProcessLog")
                  for where in ((0, 0), (0, 5), (3, 4), (6, 0), (-5, 0), (-500, 0), (-5, 3), (0, -1), (100, 5), (100, 0), (0, 1000), ("2", "3"))]
                 + [("supervisor.readProcessStdoutLog", name, 0, 0) for name in ("nobody", "silent", "manual", "pair:*", "options")],
    "tail_logs": [(f"supervisor.{method}", "talker", *where)
                  for method in ("tailProcessStdoutLog", "tailProcessStderrLog", "tailProcessLog")
                  for where in ((0, 0), (0, 5), (0, 1000), (5, 5), (11, 100), (23, 100), (100, 5), (0, 22), (0, 23), (10, 13))]
                 + [("supervisor.tailProcessStdoutLog", name, 0, 10) for name in ("nobody", "silent", "manual")],
    "clear_logs": [("supervisor.clearProcessLogs", "talker"), ("supervisor.readProcessStdoutLog", "talker", 0, 0), ("supervisor.clearProcessLog", "talker"),
                   ("supervisor.clearProcessLogs", "nobody"), ("supervisor.clearProcessLogs", "silent"), ("supervisor.clearAllProcessLogs",)],
    "main_log": [("supervisor.readLog", -5, 3), ("supervisor.readLog", 0, -1), ("supervisor.readMainLog", 1_000_000, 0), ("supervisor.clearLog",), ("supervisor.readLog", 1_000_000, 5)],
    "stdin": [("supervisor.sendProcessStdin", "cat", "hello\n"), ("supervisor.sendProcessStdin", "cat", "Grüße ☃\n"), ("supervisor.sendProcessStdin", "manual", "x"),
              ("supervisor.sendProcessStdin", "nobody", "x"), ("supervisor.sendProcessStdin", "cat", 5), ("supervisor.sendProcessStdin", "cat", "")],
    "remote_event": [("supervisor.sendRemoteCommEvent", "type", "data"), ("supervisor.sendRemoteCommEvent", "", "")],
    "reload_without_change": [("supervisor.reloadConfig",)],
    "reload_with_changes": [rewrite(CHANGED), ("supervisor.reloadConfig",), ("supervisor.reloadConfig",), ("supervisor.getAllConfigInfo",)],
    "reload_of_a_broken_file": [rewrite("[program:z]\nstartsecs=x\n"), ("supervisor.reloadConfig",)],
    "groups": [("supervisor.addProcessGroup", "cat"), ("supervisor.addProcessGroup", "nobody"), ("supervisor.removeProcessGroup", "cat"), ("supervisor.removeProcessGroup", "nobody"),
               ("supervisor.stopProcess", "cat"), ("supervisor.removeProcessGroup", "cat"), ("supervisor.getProcessInfo", "cat"), ("supervisor.addProcessGroup", "cat"),
               ("supervisor.addProcessGroup", "pair:x"), ("supervisor.removeProcessGroup", "manual"), ("supervisor.startProcess", "manual")],
    "multicall": [("system.multicall", calls) for calls in (
        [],
        [{"methodName": "supervisor.getState", "params": []}],
        [{"methodName": "supervisor.stopProcess", "params": ["cat"]}, {"methodName": "supervisor.getProcessInfo", "params": ["cat"]},
         {"methodName": "supervisor.startProcess", "params": ["cat"]}, {"methodName": "supervisor.getProcessInfo", "params": ["cat"]}],
        [{"methodName": "supervisor.getProcessInfo", "params": ["nobody"]}, {"methodName": "supervisor.getIdentification"}],
        [{"methodName": "nonsense"}, {"params": []}, {"methodName": "system.multicall", "params": [[]]}, {"methodName": "supervisor.getState", "params": [1]}],
    )],
    "shutdown": [("supervisor.shutdown",)],
}


def prepared(new_daemon, subject):
    daemon = new_daemon(subject=subject).configure(PROGRAMS).start()
    until(lambda: SETTLED.items() <= daemon.states().items(), "everything has settled")
    until(lambda: "second line" in daemon.supervisor("readProcessStdoutLog", "talker", 0, 0), "the talker talked")
    until(lambda: "to stderr" in daemon.supervisor("readProcessStderrLog", "talker", 0, 0), "the talker talked")
    return daemon


def without_news(value):
    """Takes out what the original's next release adds, and ours has already."""
    if isinstance(value, list):
        return [{name: field for name, field in each.items() if name != "autorestart"} for each in value]
    return value


def call(daemon, method, *arguments):
    """What a client gets: ("result", value), ("fault", code, text) or ("status", number)."""
    try:
        answer = getattr(daemon.rpc, method)(*arguments)
        if method == "supervisor.getAllConfigInfo":
            answer = without_news(answer)
        return ("result", order(method, normal_value(answer)))
    except xmlrpc.client.Fault as fault:
        return ("fault", fault.faultCode, normal(fault.faultString))
    except xmlrpc.client.ProtocolError as error:
        return ("status", error.errcode)


def order(method, value):
    """Processes that are started or stopped together settle in any order."""
    together = re.search("(start|stop|signal|clear).*(Group|All|Process)", method)
    if together and isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return sorted(value, key=lambda each: (each.get("group", ""), each.get("name", "")))
    return value


def calls_of(name, daemon):
    if SCENARIOS[name] == "every method":
        methods = sorted(set(daemon.rpc.system.listMethods()))
        return [("system.methodSignature", method) for method in methods]
    return SCENARIOS[name]


def play(daemon, name):
    record = []
    for step in calls_of(name, daemon):
        if callable(step):
            step(daemon)
        else:
            record.append((step, call(daemon, *step)))
    return record


# Calls that the original answers with "500 Internal Server Error" where ours has a better answer.
def is_fixed(theirs):
    return theirs == ("status", 500)


@pytest.mark.parametrize("name", SCENARIOS)
def test_same_answers(new_daemon, original, name):
    # At once, as they mostly wait, the original for its next second.
    with ThreadPoolExecutor(2) as players:
        theirs, ours = players.map(lambda subject: play(prepared(new_daemon, subject), name), (original, TESTED))
    differences = [
        f"{wanted_step}\n  wanted {wanted}\n  got    {got}"
        for (wanted_step, wanted), (_, got) in zip(theirs, ours, strict=True)
        if got != wanted and not (TESTED is LINCHPIN and is_fixed(wanted))
    ]
    assert not differences, "\n".join(differences)


def test_every_method_has_help(new_daemon, original):
    """The words are our own; what a client reads from them is the @param and @return lines."""
    theirs, ours = prepared(new_daemon, original), prepared(new_daemon, TESTED)
    for method in theirs.rpc.system.listMethods():
        wanted, got = (daemon.rpc.system.methodHelp(method) for daemon in (theirs, ours))
        if method.startswith("supervisor."):
            tags = [re.findall(r"@(param|return) +(\w+)(?: +(\w+))?", text) for text in (wanted, got)]
            assert [(kind, type_) for kind, type_, _ in tags[0]] == [(kind, type_) for kind, type_, _ in tags[1]], method
        assert got.strip(), method


def test_types_of_every_field(new_daemon, original):
    def types(daemon):
        return {
            (method, field): type(value).__name__
            for method in ("getAllProcessInfo", "getAllConfigInfo")
            for each in daemon.supervisor(method)
            for field, value in each.items()
            if field != "autorestart"
        }

    assert types(prepared(new_daemon, TESTED)) == types(prepared(new_daemon, original))


def test_during_shutdown_every_method_but_a_few_is_refused(new_daemon, original):
    def answers(subject):
        stubborn = """sh -c "trap '' TERM; while :; do sleep 0.1; done" """
        daemon = new_daemon(subject=subject, programs=f"[program:a]\ncommand={stubborn}\nstopwaitsecs=4\n").start()
        daemon.until_running("a")
        daemon.supervisor("shutdown")
        daemon.until_logged("waiting for a to die")
        calls = [("supervisor.getState",), ("supervisor.getAllProcessInfo",), ("supervisor.startProcess", "a"), ("supervisor.shutdown",), ("supervisor.restart",),
                 ("supervisor.reloadConfig",), ("supervisor.getPID",), ("system.listMethods",), ("supervisor.sendRemoteCommEvent", "a", "b")]
        return [call(daemon, *each) for each in calls]

    assert answers(TESTED) == answers(original)


# --- the transport


def raw(daemon, request, path="/RPC2", method="POST", headers=None):
    connection = rpc.UnixConnection(daemon.socket)
    connection.request(method, path, request, {"Content-Type": "text/xml", **(headers or {})})
    response = connection.getresponse()
    return response.status, response.read().decode()


VALUES = {
    "untyped": "<value>cat</value>",
    "string": "<value><string>cat</string></value>",
    "padded": "<value> <string>cat</string> </value>",
    "entities": "<value><string>c&#97;t</string></value>",
    "character_data": "<value><string><![CDATA[cat]]></string></value>",
    "base64": "<value><base64>Y2F0</base64></value>",
    "empty": "<value></value>",
    "integer": "<value><int>5</int></value>",
    "i4": "<value><i4>5</i4></value>",
    "boolean": "<value><boolean>1</boolean></value>",
    "double": "<value><double>1.5</double></value>",
}


@pytest.mark.parametrize("name", VALUES)
def test_ways_to_write_a_value(new_daemon, original, name):
    request = f"<?xml version='1.0'?><methodCall><methodName>supervisor.getProcessInfo</methodName><params><param>{VALUES[name]}</param></params></methodCall>"

    def answer(subject):
        status, body = raw(prepared(new_daemon, subject), request)
        try:
            found = xmlrpc.client.loads(body)[0]
        except xmlrpc.client.Fault as fault:
            found = (fault.faultCode, fault.faultString)
        except Exception:
            found = None
        return status, normal_value(found)

    theirs = answer(original)
    if theirs[0] == 500:
        assert answer(TESTED)[0] in (200, 400, 500)
    else:
        assert answer(TESTED) == theirs


REQUESTS = {
    "not_xml": ("nonsense", "/RPC2", "POST"),
    "another_document": ("<a/>", "/RPC2", "POST"),
    "no_method": ("<methodCall><params/></methodCall>", "/RPC2", "POST"),
    "no_params": ("<methodCall><methodName>supervisor.getAPIVersion</methodName></methodCall>", "/RPC2", "POST"),
    "longer_path": ("<methodCall><methodName>supervisor.getAPIVersion</methodName></methodCall>", "/RPC2/more", "POST"),
    "get": (None, "/RPC2", "GET"),
    "put": ("x", "/RPC2", "PUT"),
    "unknown_path": (None, "/nothing", "GET"),
    "log_tail_of_nobody": (None, "/logtail/nobody", "GET"),
    "log_tail_of_a_group": (None, "/logtail/pair:*", "GET"),
    "log_tail_of_a_bad_channel": (None, "/logtail/cat/stdbad", "GET"),
    "log_tail_by_post": ("x", "/logtail/cat", "POST"),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_statuses_of_odd_requests(new_daemon, original, name):
    body, path, method = REQUESTS[name]
    results = [raw(prepared(new_daemon, subject), body, path, method) for subject in (original, TESTED)]
    assert results[1][0] == results[0][0]
    if results[0][0] == 200:
        assert xmlrpc.client.loads(results[1][1]) == xmlrpc.client.loads(results[0][1])


def test_the_answer_is_the_same_text(new_daemon, original):
    """Clients with parsers of their own exist: the same elements in the same layout."""
    request = xmlrpc.client.dumps(("manual",), "supervisor.getProcessInfo")

    def text(subject):
        _, body = raw(prepared(new_daemon, subject), request)
        return re.sub(r"<int>\d{9,}</int>", "<int>TIME</int>", normal(body))

    assert text(TESTED) == text(original)


def follow(daemon, path):
    connection = rpc.UnixConnection(daemon.socket)
    connection.request("GET", path)
    response = connection.getresponse()
    return connection, response


@pytest.mark.parametrize("path", ["/logtail/talker", "/logtail/talker/stdout", "/logtail/talker/stderr", "/logtail/talker%3Atalker", "/mainlogtail"])
def test_headers_and_beginning_of_a_followed_log(new_daemon, original, path):
    def seen(subject):
        daemon = prepared(new_daemon, subject)
        connection, response = follow(daemon, path)
        names = ("Content-Type", "X-Accel-Buffering", "Transfer-Encoding")
        headers = {name: response.headers.get(name) for name in names}
        begins = response.read1(100) if "main" not in path else b""
        connection.close()
        return response.status, headers, "Last-Modified" in response.headers, begins

    assert seen(TESTED) == seen(original)


@pytest.mark.ours("it misses what was written between its last look and the rotation")
def test_a_followed_log_shows_each_line_and_survives_rotation(new_daemon):
    daemon = new_daemon()
    daemon.configure(
        f"[program:a]\ncommand=/bin/cat\nstdout_logfile={daemon.directory}/a.log\nstdout_logfile_maxbytes=200\nstdout_logfile_backups=2\n"
    ).start()
    daemon.until_running("a")
    connection, response = follow(daemon, "/logtail/a")
    stream = response
    for number in range(20):
        line = f"line number {number:04} {'x' * 20}\n"
        daemon.supervisor("sendProcessStdin", "a", line)
        assert stream.readline() == line.encode()
    connection.close()


def test_a_log_with_colours_and_broken_text_is_still_readable(new_daemon):
    """The original sends XML that no parser takes, or answers 500."""
    if TESTED is not LINCHPIN:
        pytest.skip("the original cannot")
    script = r"""printf "\\033[31mred\\033[0m \\000 \\377\\376 end\\n"; exec sleep 9999"""
    daemon = new_daemon(programs=f"[program:a]\ncommand=/bin/sh -c '{script}'\n").start()
    text = until(lambda: daemon.supervisor("readProcessStdoutLog", "a", 0, 0), "the output")
    assert "red" in text and text.endswith("end\n")
    tail, offset, _ = daemon.supervisor("tailProcessStdoutLog", "a", 0, 1000)
    assert "red" in tail and offset > 15


def test_an_answer_that_waits_keeps_nobody_else_waiting(new_daemon):
    stubborn = """sh -c "trap '' TERM; while :; do sleep 0.1; done" """
    daemon = new_daemon(programs=f"[program:a]\ncommand={stubborn}\nstopwaitsecs=5\n[program:b]\ncommand=/bin/sleep 9999\n").start()
    daemon.until_running("a", "b")
    body = xmlrpc.client.dumps(("a",), "supervisor.stopProcess")
    waiting = rpc.UnixConnection(daemon.socket)
    waiting.request("POST", "/RPC2", body, {"Content-Type": "text/xml"})
    daemon.until_state("a", "STOPPING")
    assert daemon.supervisor("stopProcess", "b") is True
    assert daemon.info("a")["statename"] == "STOPPING"
    assert b"<boolean>1</boolean>" in waiting.getresponse().read()
    assert daemon.info("a")["statename"] == "STOPPED"


@pytest.mark.parametrize("family", ["unix", "tcp"])
def test_both_kinds_of_socket_answer_alike(new_daemon, family):
    port = rpc.free_port()
    daemon = new_daemon(programs=f"[inet_http_server]\nport=127.0.0.1:{port}\n[program:a]\ncommand=/bin/sleep 9999\n").start()
    proxy = rpc.over_unix(daemon.socket) if family == "unix" else rpc.over_tcp(port)
    assert proxy.supervisor.getPID() == daemon.pid


def test_the_pythons_own_clients_work_unchanged(new_daemon):
    """xmlrpc.client over TCP with keep-alive, as people's scripts do."""
    port = rpc.free_port()
    daemon = new_daemon(programs=f"[inet_http_server]\nport=127.0.0.1:{port}\nusername=u\npassword=p\n[program:a]\ncommand=/bin/sleep 9999\n").start()
    with xmlrpc.client.ServerProxy(f"http://u:p@127.0.0.1:{port}/RPC2") as proxy:
        for _ in range(20):
            assert proxy.supervisor.getPID() == daemon.pid


def test_an_auto_log_has_its_name_and_can_be_read_from_the_first_moment(new_daemon):
    """A client may ask as soon as it is answered, however busy the threads that make files are."""
    many = "".join(f"[program:p{n}]\ncommand=/bin/sleep 9999\nautostart=false\n" for n in range(200))
    daemon = new_daemon(programs=many).start()
    for info in daemon.supervisor("getAllProcessInfo"):
        assert "-stdout---supervisor-" in info["stdout_logfile"] and "-stderr---supervisor-" in info["stderr_logfile"]
    assert daemon.supervisor("readProcessStdoutLog", "p199", 0, 0) == ""
    with daemon.file.open("a") as file:
        file.write("[program:late]\ncommand=/bin/sleep 9999\nautostart=false\n")
    daemon.supervisor("reloadConfig")
    daemon.supervisor("addProcessGroup", "late")
    assert daemon.supervisor("readProcessStderrLog", "late", 0, 0) == ""
