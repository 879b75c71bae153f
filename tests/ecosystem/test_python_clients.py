"""The original's own client library, as monitoring agents and listeners use it, against our daemon."""
import json

from conftest import run
from harness import rpc

# The transport of the original's package, over a unix socket and over TCP, and the way of its listeners.
SCRIPT = """
import json, os, sys
import xmlrpc.client
from supervisor.xmlrpc import SupervisorTransport
from supervisor import childutils
from supervisor.options import split_namespec
url, username, password = sys.argv[1:4]
proxy = xmlrpc.client.ServerProxy("http://127.0.0.1/RPC2", transport=SupervisorTransport(username or None, password or None, serverurl=url))
seen = [proxy.supervisor.getState()["statename"], proxy.supervisor.getSupervisorVersion()]
for each in proxy.supervisor.getAllProcessInfo():
    seen.append([each["group"], each["name"], each["statename"], each["logfile"] != "", sorted(each)])
os.environ.update(SUPERVISOR_SERVER_URL=url, SUPERVISOR_USERNAME=username, SUPERVISOR_PASSWORD=password)
listener = childutils.getRPCInterface(os.environ)
listener.supervisor.stopProcess("web")
try:
    listener.supervisor.stopProcess("web")
except xmlrpc.client.Fault as fault:
    seen.append([fault.faultCode, fault.faultString])
seen.append(listener.supervisor.getProcessInfo("web")["statename"])
print(json.dumps(seen))
"""
FIELDS = "description exitstatus group logfile name now pid spawnerr start state statename stderr_logfile stdout_logfile stop".split()
EXPECTED = ["RUNNING", "4.3.0", ["web", "web", "RUNNING", True, FIELDS], [70, "NOT_RUNNING: web"], "STOPPED"]


def test_over_a_unix_socket(new_daemon, program):
    daemon = new_daemon(programs="[program:web]\ncommand=/bin/sleep 9999\n").start()
    daemon.until_running("web")
    answer = run(program("python"), "-c", SCRIPT, f"unix://{daemon.socket}", "", "", env=daemon.environment())
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == EXPECTED


def test_over_tcp_with_a_password(new_daemon, program):
    port = rpc.free_port()
    daemon = new_daemon(programs=f"[inet_http_server]\nport=127.0.0.1:{port}\nusername=u\npassword=p:x\n[program:web]\ncommand=/bin/sleep 9999\n").start()
    daemon.until_running("web")
    answer = run(program("python"), "-c", SCRIPT, f"http://127.0.0.1:{port}", "u", "p:x", env=daemon.environment())
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == EXPECTED
