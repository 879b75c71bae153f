"""No client takes the daemon's memory, its time or its descriptors."""
import os
import re
import socket
import time
import xmlrpc.client

import pytest

from harness import rpc
from harness.processes import status_fields
from harness.wait import until

SLEEP = "[program:a]\ncommand=/bin/sleep 9999\nautorestart=true\n"
STATUS = xmlrpc.client.dumps((), "supervisor.getState").encode()


@pytest.fixture
def server(new_daemon):
    port = rpc.free_port()
    daemon = new_daemon(programs=f"[inet_http_server]\nport=127.0.0.1:{port}\n" + SLEEP).start()
    daemon.port = port
    daemon.until_running("a")
    return daemon


def connect(daemon, timeout=60):
    return socket.create_connection(("127.0.0.1", daemon.port), timeout)


def assert_works(daemon):
    assert daemon.answers()
    assert rpc.over_tcp(daemon.port).supervisor.getPID() == daemon.pid


def status_of(answer):
    found = re.match(rb"HTTP/1\.[01] (\d+)", answer)
    return int(found[1]) if found else None


def read_all(connection):
    answer = b""
    try:
        while chunk := connection.recv(65536):
            answer += chunk
    except ConnectionResetError:
        pass
    return answer


@pytest.mark.ours("it keeps the connection for ever")
def test_headers_that_never_end_are_given_up(server):
    with connect(server, 90) as slow:
        slow.sendall(b"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\n")
        began = time.monotonic()
        answer = read_all(slow)
        took = time.monotonic() - began
    assert took < 75
    assert status_of(answer) in (None, 408)
    assert_works(server)


@pytest.mark.ours("it keeps the connection for ever")
def test_headers_that_trickle_are_given_up(server):
    with connect(server, 0.2) as slow:
        slow.sendall(b"POST /RPC2 HTTP/1.1\r\n")
        began = time.monotonic()

        def is_closed():
            try:
                slow.sendall(b"x: y\r\n")
                return slow.recv(1000) == b""
            except socket.timeout:
                return False
            except OSError:
                return True

        until(is_closed, "a line now and then does not keep it open", 75)
    assert time.monotonic() - began < 75
    assert_works(server)


@pytest.mark.ours("it keeps the connection for ever")
def test_a_body_that_never_comes_is_given_up(server):
    with connect(server, 90) as slow:
        slow.sendall(b"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n<?xml")
        answer = read_all(slow)
    assert status_of(answer) in (None, 408)
    assert_works(server)


@pytest.mark.ours("no limit")
def test_a_huge_header_is_refused(server):
    with connect(server) as client:
        try:
            client.sendall(b"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 4_000_000)
        except OSError:
            pass
        answer = read_all(client)
    assert status_of(answer) in (None, 400, 431)
    assert_works(server)


@pytest.mark.ours("no limit")
def test_very_many_headers_are_refused(server):
    with connect(server) as client:
        try:
            client.sendall(b"POST /RPC2 HTTP/1.1\r\n" + b"".join(b"h%d: x\r\n" % n for n in range(100_000)) + b"\r\n")
        except OSError:
            pass
        answer = read_all(client)
    assert status_of(answer) in (None, 400, 431)
    assert_works(server)


@pytest.mark.ours("no limit")
def test_a_huge_body_is_refused_before_it_is_read(server):
    before = int(status_fields(server.pid)["VmHWM"].split()[0])
    with connect(server) as client:
        client.sendall(b"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000000000\r\n\r\n")
        try:
            for _ in range(100):
                client.sendall(b"x" * 1_000_000)
        except OSError:
            pass
        answer = read_all(client)
    assert status_of(answer) in (None, 413)
    after = int(status_fields(server.pid)["VmHWM"].split()[0])
    assert after - before < 20_000, "kilobytes that a hundred megabytes may take"
    assert_works(server)


@pytest.mark.ours("a hang or a traceback")
@pytest.mark.parametrize(
    "request_text",
    [
        b"\0\1\2\3\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
        b"POST /RPC2 HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"\r\n\r\n\r\n",
        b"POST " + b"/" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=lambda text: repr(text[:40]),
)
def test_nonsense_is_answered_or_closed(server, request_text):
    with connect(server) as client:
        client.sendall(request_text)
        client.shutdown(socket.SHUT_WR)
        answer = read_all(client)
    assert status_of(answer) in (None, 400, 404, 411, 413, 414, 431, 505)
    assert_works(server)


BOMB = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(9)
) + "]><methodCall><methodName>&j;</methodName></methodCall>"
DEEP = "<methodCall><methodName>supervisor.getState</methodName><params><param>" + "<value><array><data>" * 100_000


@pytest.mark.ours("a traceback or worse")
@pytest.mark.parametrize("body", [BOMB, DEEP], ids=["entities", "depth"])
def test_xml_bombs_are_refused(server, body):
    before = int(status_fields(server.pid)["VmHWM"].split()[0])
    data = body.encode()
    with connect(server) as client:
        try:
            client.sendall(b"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
        except OSError:
            pass
        answer = read_all(client)
    assert status_of(answer) in (None, 200, 400, 413, 500)
    assert int(status_fields(server.pid)["VmHWM"].split()[0]) - before < 50_000
    assert_works(server)


@pytest.mark.ours("it dies of its select or runs out of descriptors")
def test_many_idle_connections_keep_nobody_out(server):
    # Its own limit is what counts here, whatever the machine's is.
    idle = []
    try:
        for _ in range(900):
            try:
                idle.append(connect(server, 5))
            except OSError:
                break
        assert len(idle) > 100
        # A service can still be respawned, and the owner can still ask over the socket.
        pid = server.info("a")["pid"]
        os.kill(pid, 9)
        until(lambda: server.info("a")["pid"] not in (0, pid), "it is back")
        server.until_running("a")
    finally:
        for connection in idle:
            connection.close()
    until(lambda: server.answers() and rpc.over_tcp(server.port).supervisor.getPID() == server.pid, "TCP answers again")


def test_requests_on_one_connection_follow_each_other(server):
    request = b"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n" % len(STATUS) + STATUS
    with connect(server) as client:
        stream = client.makefile("rb")
        for _ in range(20):
            client.sendall(request)
            assert stream.readline().startswith(b"HTTP/1.1 200")
            length = 0
            while (line := stream.readline().strip()):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            assert b"RUNNING" in stream.read(length)


def test_a_client_that_goes_away_loses_the_reply_and_not_the_operation(server):
    body = xmlrpc.client.dumps(("a",), "supervisor.stopProcess").encode()
    client = connect(server)
    client.sendall(b"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    client.close()
    server.until_state("a", "STOPPED")
