"""The client `supervisord` for Node, over both kinds of socket."""
import json
import shutil

import pytest

from conftest import run
from harness import rpc

pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="needs node (Debian: nodejs)")

CALLER = """
const client = require('supervisord').connect(process.argv[2]);
const seen = [];
const step = (name, args, next) => client[name](...args, (error, value) => {
  seen.push(error ? [error.faultCode, error.faultString] : value); next(); });
step('getState', [], () => step('getSupervisorVersion', [], () => step('stopProcess', ['web'], () => step('stopProcess', ['web'], () =>
  step('startProcess', ['web', true], () => client.getAllProcessInfo((error, infos) => {
    console.log(JSON.stringify([...seen, infos.map(each => [each.name, each.statename, typeof each.pid])]));
  }))))));
"""


@pytest.mark.parametrize("family", ["unix", "tcp"])
def test_the_client(new_daemon, script, family):
    port = rpc.free_port()
    daemon = new_daemon(
        programs=f"[inet_http_server]\nport=127.0.0.1:{port}\nusername=u\npassword=p\n[program:web]\ncommand=/bin/sleep 9999\nstartsecs=0\n"
    ).start()
    daemon.until_running("web")
    url = f"unix://{daemon.socket}" if family == "unix" else f"http://u:p@127.0.0.1:{port}"
    answer = run("node", script("caller.js", CALLER), url)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == [
        {"statecode": 1, "statename": "RUNNING"}, "4.3.0", True, [70, "NOT_RUNNING: web"], True, [["web", "RUNNING", "number"]],
    ]
