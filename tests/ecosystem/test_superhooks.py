"""superhooks posts what happened to processes to a web hook, once a minute."""
from urllib.parse import parse_qs

import pytest

from harness.wait import until


# It sends at TICK_60 and cannot be told otherwise.
@pytest.mark.timeout(200)
def test_what_happened_is_posted(new_daemon, program, web_server):
    address, requests, _ = web_server
    daemon = new_daemon(
        programs="[program:fails]\ncommand=/no/such/program\nstartretries=1\n"
        f"[eventlistener:hooks]\ncommand={program('superhooks')} -u http://{address}/hook -e FATAL,BACKOFF -d team^ops\nevents=PROCESS_STATE,TICK_60\n"
    ).start()
    daemon.until_state("fails", "FATAL")
    daemon.until_running("hooks")

    def posted():
        return [{name: value[0] for name, value in parse_qs(body).items()} for method, path, body in requests if (method, path) == ("POST", "/hook")]

    until(lambda: any(each.get("event_name") == "PROCESS_STATE_FATAL" for each in posted()), "the post", 130)
    fatal = next(each for each in posted() if each["event_name"] == "PROCESS_STATE_FATAL")
    assert (fatal["process_name"], fatal["from_state"], fatal["team"]) == ("fails:fails", "BACKOFF", "ops")
