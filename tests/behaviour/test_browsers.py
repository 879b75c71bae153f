"""Pages of other sites cannot use a visitor's browser to reach a daemon that listens on TCP."""
import http.client
import xmlrpc.client

import pytest

from harness import rpc
from harness.subject import ORIGINAL, TESTED

SLEEP = "[program:a]\ncommand=/bin/sleep 9999\n"
STOP = xmlrpc.client.dumps(("a",), "supervisor.stopProcess")


@pytest.fixture
def server(new_daemon):
    port = rpc.free_port()
    daemon = new_daemon(programs=f"[inet_http_server]\nport=127.0.0.1:{port}\n" + SLEEP).start()
    daemon.port = port
    daemon.until_running("a")
    return daemon


def post(daemon, headers, body=STOP, path="/RPC2", method="POST"):
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=30)
    try:
        connection.putrequest(method, path, skip_host=True)
        for name, value in {"Host": f"127.0.0.1:{daemon.port}", "Content-Length": str(len(body)), **headers}.items():
            if value is not None:
                connection.putheader(name, value.format(port=daemon.port))
        connection.endheaders(body.encode())
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


FOREIGN = {
    "another_origin": {"Origin": "http://evil.example"},
    "another_port_of_this_host": {"Origin": "http://127.0.0.1:1"},
    "no_origin_to_name": {"Origin": "null"},
    "cross_site": {"Sec-Fetch-Site": "cross-site"},
    "same_site_is_not_same_origin": {"Sec-Fetch-Site": "same-site"},
    "rebound_name": {"Host": "evil.example"},
    "rebound_name_with_port": {"Host": "evil.example:{port}", "Origin": "http://evil.example:{port}", "Sec-Fetch-Site": "same-origin"},
    "form_of_another_site": {"Origin": "http://evil.example", "Content-Type": "application/x-www-form-urlencoded"},
    "plain_text_without_preflight": {"Origin": "http://evil.example", "Content-Type": "text/plain"},
}


@pytest.mark.ours("it takes them")
@pytest.mark.parametrize("name", FOREIGN)
def test_a_request_from_another_site_is_refused(server, name):
    status, _ = post(server, FOREIGN[name])
    assert status == 403
    assert server.info("a")["statename"] == "RUNNING"


@pytest.mark.ours("it takes them")
@pytest.mark.parametrize("name", FOREIGN)
def test_a_log_is_not_read_from_another_site(server, name):
    if not {"Host", "Origin", "Sec-Fetch-Site"} & set(FOREIGN[name]):
        pytest.skip("says nothing about where it comes from")
    status, _ = post(server, FOREIGN[name], body="", path="/mainlogtail", method="GET")
    assert status in (403, 401)


PLAIN = {
    "no_headers_at_all": {},
    "localhost_by_name": {"Host": "localhost:{port}"},
    "http_1_0_habits_without_host": {"Host": None},
    "the_originals_client": {"User-Agent": "Python-xmlrpc/3.11", "Content-Type": "text/xml"},
    "the_original_over_a_socket": {"Host": "127.0.0.1"},
    "ip_version_6_name": {"Host": "[::1]:{port}"},
    "a_script_with_curl": {"User-Agent": "curl/7.88.1", "Accept": "*/*", "Content-Type": "application/x-www-form-urlencoded"},
    "the_page_itself": {"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"},
    "an_address_typed_by_the_person": {"Sec-Fetch-Site": "none"},
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_clients_pass(server, name):
    if TESTED is ORIGINAL and name == "http_1_0_habits_without_host":
        pytest.skip("nothing to calibrate")
    status, body = post(server, PLAIN[name])
    assert status == 200, body
    assert server.info("a")["statename"] == "STOPPED"


def test_a_unix_socket_asks_nothing_of_the_kind(server):
    """No browser reaches one, and clients put any name there."""
    connection = rpc.UnixConnection(server.socket)
    connection.request("POST", "/RPC2", STOP, {"Host": "anything.example", "Content-Type": "text/xml"})
    assert connection.getresponse().status == 200
