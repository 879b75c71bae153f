"""Clients in other languages, by the bytes that they send and by the types that they insist on.

What Telegraf, Netdata and the PHP library send is written down here from the wire format of their libraries; whether they could
read the answer is judged by rules of theirs: the widths of Go's integers, the tags that a decoder knows.
"""
import base64
import re
import socket
from xml.etree import ElementTree

import pytest

from harness import rpc
from harness.compare import normal
from harness.wait import until

PROGRAMS = """
[program:web]
command=/bin/sleep 9999
[program:ended]
command=/bin/sh -c 'exit 255'
startsecs=0
autorestart=false
[program:killed]
command=/bin/sh -c 'kill -9 $$'
startsecs=0
autorestart=false
"""
TOKEN = base64.b64encode(b"u:p").decode()


def go(body, host="localhost:9001"):
    """Go's http client: it asks for gzip, keeps the connection, and knows no version but 1.1."""
    return (
        f"POST /RPC2 HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: {len(body)}\r\nAuthorization: Basic {TOKEN}\r\n"
        f"Content-Type: text/xml\r\nAccept-Encoding: gzip\r\n\r\n{body}"
    ).encode()


def telegraf(method):
    return go(f'<?xml version="1.0" encoding="UTF-8"?><methodCall><methodName>{method}</methodName><params></params></methodCall>')


def netdata(method):
    return go(f'<?xml version="1.0"?><methodCall><methodName>{method}</methodName><params></params></methodCall>', "unix")


def php(method, *strings):
    values = "".join(f"<param><value><string>{each}</string></value></param>" for each in strings)
    params = f"<params>{values}</params>" if strings else "<params/>"
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<methodCall><methodName>{method}</methodName>{params}</methodCall>\n'
    return (
        f"POST /RPC2 HTTP/1.1\r\nHost: 127.0.0.1:9001\r\nUser-Agent: GuzzleHttp/7\r\nContent-Type: text/xml; charset=UTF-8\r\nAuthorization: Basic {TOKEN}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def curl(method):
    """PHP's curl waits for "100 Continue" before a large body, and sends a small one at once."""
    body = f'<?xml version="1.0"?><methodCall><methodName>{method}</methodName></methodCall>'
    return (
        f"POST /RPC2 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {TOKEN}\r\nAccept: */*\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}"
    ).encode()


def settled(daemon):
    """Starts it and waits until each program is where it stays."""
    daemon.launch()
    proxy = rpc.over_unix(daemon.socket, rpc.basic("u", "p"))

    def seen():
        try:
            return [each["statename"] for each in proxy.supervisor.getAllProcessInfo()] == ["EXITED", "EXITED", "RUNNING"]
        except OSError:
            return False

    until(seen, "everything has settled")
    return daemon


@pytest.fixture
def daemon(new_daemon):
    return settled(new_daemon(programs=PROGRAMS, unix_http_server="username=u\npassword=p"))


def exchange(daemon, *requests):
    """Sends each request over one connection, as these clients do, and answers with the bodies."""
    bodies = []
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(daemon.socket))
        stream = connection.makefile("rb")
        for request in requests:
            connection.sendall(request)
            status = stream.readline()
            assert status.startswith(b"HTTP/1.1 200"), status
            headers = {}
            while line := stream.readline().strip():
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            # Nobody may be given gzip: the original never does, and some take the body as it comes.
            assert "content-encoding" not in headers and headers["content-type"] == "text/xml"
            bodies.append(stream.read(int(headers["content-length"])).decode())
    return bodies


def decoded(body):
    """A strict decoder: every value has exactly one child, of a known tag."""
    root = ElementTree.fromstring(body)
    assert root.tag == "methodResponse" and len(root) == 1
    if root[0].tag == "fault":
        return ("fault", value_of(root[0][0]))
    assert [each.tag for each in (root[0], root[0][0], root[0][0][0])] == ["params", "param", "value"]
    return value_of(root[0][0][0])


def value_of(value):
    assert value.tag == "value" and len(value) == 1, ElementTree.tostring(value)
    inner = value[0]
    if inner.tag == "int":
        return int(inner.text)
    if inner.tag == "boolean":
        return {"0": False, "1": True}[inner.text]
    if inner.tag == "string":
        return inner.text or ""
    if inner.tag == "array":
        return [value_of(each) for each in inner[0]]
    assert inner.tag == "struct", inner.tag
    return {member[0].text: value_of(member[1]) for member in inner}


# What Telegraf decodes into: a value beyond the width is an error there.
WIDTHS = {"start": 32, "stop": 32, "now": 32, "state": 16, "exitstatus": 8, "pid": 32}


def test_telegraf_reads_processes_state_and_name(daemon):
    processes, state, name = map(decoded, exchange(daemon, *(telegraf(f"supervisor.{each}") for each in ("getAllProcessInfo", "getState", "getIdentification"))))
    assert [each["name"] for each in processes] == ["ended", "killed", "web"]
    for each in processes:
        for field, bits in WIDTHS.items():
            if (each["name"], field) == ("ended", "exitstatus"):
                # Too wide for it, from the original too: it is what the process said.
                assert each[field] == 255
                continue
            assert type(each[field]) is int and -(1 << bits - 1) <= each[field] < 1 << bits - 1, (field, each[field])
        for field in ("name", "group", "description", "statename", "stdout_logfile", "stderr_logfile", "spawnerr"):
            assert type(each[field]) is str
    assert state == {"statecode": 1, "statename": "RUNNING"} and name == "supervisor"


def test_netdata_reads_every_field_with_its_exact_type(daemon):
    (processes,) = map(decoded, exchange(daemon, netdata("supervisor.getAllProcessInfo")))
    wanted = {"name": str, "group": str, "start": int, "stop": int, "now": int, "state": int, "statename": str, "exitstatus": int}
    assert [{field: type(each[field]) for field in wanted} for each in processes] == [wanted] * 3
    assert [each["exitstatus"] for each in processes] == [255, -1, 0]


def test_php_tells_faults_by_their_codes(daemon):
    answers = [
        decoded(each)
        for each in exchange(
            daemon, php("supervisor.getAPIVersion"), php("supervisor.stopProcess", "web"), php("supervisor.stopProcess", "web"),
            php("supervisor.startProcess", "nobody"), php("supervisor.nothing"), php("supervisor.startProcess", "web"), curl("supervisor.getState"),
        )
    ]
    assert answers == [
        "3.0", True, ("fault", {"faultCode": 70, "faultString": "NOT_RUNNING: web"}), ("fault", {"faultCode": 10, "faultString": "BAD_NAME: nobody"}),
        ("fault", {"faultCode": 1, "faultString": "UNKNOWN_METHOD"}), True, {"statecode": 1, "statename": "RUNNING"},
    ]


def test_the_same_bytes_get_the_same_answers_from_the_original(daemon, new_daemon, original):
    requests = [telegraf("supervisor.getAllProcessInfo"), netdata("supervisor.getState"), php("supervisor.getProcessInfo", "killed"), php("system.listMethods")]

    def answers(which):
        volatile = r"(<name>(?:pid|start|stop|now)</name>\n<value><int>)[1-9]\d*"
        return [re.sub(volatile, r"\1N", normal(each)) for each in exchange(which, *requests)]

    theirs = settled(new_daemon(subject=original, programs=PROGRAMS, unix_http_server="username=u\npassword=p"))
    assert answers(daemon) == answers(theirs)
