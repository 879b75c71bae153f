"""A FastCGI server on descriptor 0 that says what it was asked and who it is."""
import os

from flup.server.fcgi import WSGIServer


def application(environment, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environment['SCRIPT_NAME']} {os.getpid()}\n".encode()]


WSGIServer(application).run()
