"""`/metrics` on the control socket, read by Prometheus's own client library."""
import http.client
import os
import signal
import socket

import pytest
from prometheus_client.parser import text_string_to_metric_families

from harness.wait import until

pytestmark = pytest.mark.ours("there is nothing like it")

FILE = """\
[linchpin]
socket=%(here)s/c.sock
state_directory=%(here)s/state
[certificate:web]
self_signed=true
[certificate:none]
certificate=%(here)s/absent.pem
key=%(here)s/absent.key
[program:up]
command=sleep 1000
startsecs=0
[program:failing]
command=sh -c 'exit 3'
autorestart=unexpected
startretries=0
[program:pair]
command=sleep 1000
process_name=%(process_num)d
numprocs=2
autostart=false
"""


def scrape(daemon, path="/metrics", socket_name="c.sock", method="GET"):
    connection = http.client.HTTPConnection("localhost", timeout=30)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(daemon.directory / socket_name))
    connection.request(method, path)
    answer = connection.getresponse()
    return answer.status, answer.getheader("Content-Type"), answer.read().decode()


def samples(text):
    return {(sample.name, *sorted(sample.labels.values())): sample.value for family in text_string_to_metric_families(text) for sample in family.samples}


def test_everything_is_told_in_the_text_format(new_daemon):
    daemon = new_daemon(programs=FILE).start()
    daemon.until_running("up")
    daemon.until_state("failing", "FATAL")
    status, kind, text = scrape(daemon)
    assert status == 200 and kind.startswith("text/plain; version=0.0.4")
    found = samples(text)
    assert found["linchpin_service_up", "up", "up"] == 1 and found["linchpin_service_up", "failing", "failing"] == 0
    assert found["linchpin_service_ready", "up", "up"] == 1 and found["linchpin_ready",] == 0
    assert found["linchpin_service_state", "FATAL", "failing", "failing"] == 1
    assert found["linchpin_service_wanted", "0", "pair"] == 0
    assert found["linchpin_service_memory_bytes", "up", "up"] > 4096
    assert ("linchpin_service_memory_bytes", "0", "pair") not in found, "it uses nothing"
    assert ("linchpin_service_cpu_seconds_total", "up", "up") in found
    assert found["linchpin_certificate_usable", "self-signed", "web"] == 1 and found["linchpin_certificate_usable", "none", "none"] == 0
    # A year from now, as far as that is known here: 364 to 367 days.
    left = found["linchpin_certificate_expiry_timestamp_seconds", "web"] - (daemon.directory / "state").stat().st_mtime
    assert 364 * 86400 < left < 367 * 86400
    assert ("linchpin_certificate_expiry_timestamp_seconds", "none") not in found
    unmeasured = samples(scrape(daemon, "/metrics?measure=no")[2])
    assert not any(name == "linchpin_service_memory_bytes" for name, *_ in unmeasured)
    assert scrape(daemon, method="POST")[0] == 405
    assert scrape(daemon, socket_name=daemon.socket.name)[0] == 404, "where the original has nothing, there is nothing"


def test_restarts_are_counted(new_daemon):
    daemon = new_daemon(programs=FILE).start()
    daemon.until_running("up")
    os.kill(daemon.info("up")["pid"], signal.SIGKILL)
    until(lambda: samples(scrape(daemon)[2])["linchpin_service_restarts", "up", "up"] == 1, "the restart is counted")
