"""An event listener as people write them, with the helper of Supervisor itself.

    childutils_listener.py FILE
"""
import json
import sys

from supervisor import childutils

while True:
    headers, body = childutils.listener.wait(sys.stdin, sys.stdout)
    about = {}
    if headers["eventname"].startswith("PROCESS_STATE"):
        about, _ = childutils.eventdata(body + "\n")
    with open(sys.argv[1], "a") as out:
        out.write(json.dumps({"name": headers["eventname"], "body": body, "about": about}) + "\n")
    childutils.listener.ok(sys.stdout)
