"""multivisor's listener mode: its own RPC goes through to the daemon, and events come out of its stream."""
import json
import subprocess

from harness import rpc
from harness.wait import until

CLIENT = """
import json, sys
from multivisor.zerorpc import Client
client = Client(); client.connect(sys.argv[1])
print(json.dumps([client.getState(), client.getIdentification(), [each["name"] for each in client.getAllProcessInfo()]]), flush=True)
stream = client.event_stream()
print(json.dumps(next(stream)), flush=True)
other = Client(); other.connect(sys.argv[1]); other.stopProcess("web")
for event in stream:
    print(json.dumps(event), flush=True)
    if event.get("eventname") == "PROCESS_STATE_STOPPED":
        break
"""


def test_calls_and_events_go_through(new_daemon, program):
    port = rpc.free_port()
    daemon = new_daemon(
        programs="[program:web]\ncommand=/bin/sleep 9999\n"
        f"[eventlistener:multivisor-rpc]\ncommand={program('multivisor-rpc')} --bind tcp://127.0.0.1:{port}\nevents=PROCESS_STATE,SUPERVISOR_STATE_CHANGE\n"
        "stderr_logfile=%(here)s/multivisor.log\nbuffer_size=100\n"
    ).start()
    daemon.until_running("web", "multivisor-rpc")
    client = subprocess.run(
        [str(program("python")), "-c", CLIENT, f"tcp://127.0.0.1:{port}"], capture_output=True, text=True, timeout=60, env=daemon.environment()
    )
    assert client.returncode == 0, client.stderr + daemon.read("multivisor.log")
    first, _, *events = map(json.loads, client.stdout.splitlines())
    assert first == [{"statecode": 1, "statename": "RUNNING"}, "supervisor", ["multivisor-rpc", "web"]]
    assert [each["eventname"] for each in events][-2:] == ["PROCESS_STATE_STOPPING", "PROCESS_STATE_STOPPED"]
    assert events[-1]["payload"]["processname"] == "web" and events[-1]["payload"]["process"]["statename"] == "STOPPED"
    until(lambda: daemon.info("web")["statename"] == "STOPPED", "the effect")
