"""The backend of the example: serves the page and counts visits in Redis. Standard library only."""
import json
import os
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

PAGE = Path(__file__).with_name("page.html")
URL = urlsplit(os.environ.get("REDIS_URL") or f"redis://127.0.0.1:{os.environ['REDIS_PORT']}")
REDIS = (URL.hostname, URL.port or 6379)
PASSWORD = unquote(URL.password or "") or os.environ.get("REDIS_PASSWORD")
REDIS_TIMEOUT_SECONDS = 2


def redis(*words):
    """One command over a connection of its own; answers with its integer, string or None."""
    with socket.create_connection(REDIS, REDIS_TIMEOUT_SECONDS) as connection, connection.makefile("rb") as answers:
        commands = [("AUTH", PASSWORD), words] if PASSWORD else [words]
        for command in commands:
            parts = [str(word).encode() for word in command]
            connection.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
            answer = read(answers)
        return answer


def read(answers):
    kind, rest = answers.read(1), answers.readline().strip()
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if rest == b"-1" else answers.read(int(rest) + 2)[:-2].decode()
    if kind == b"+":
        return rest.decode()
    raise OSError(f"redis: {rest.decode() or 'no answer'}")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/":
            self.answer(200, "text/html; charset=utf-8", PAGE.read_bytes())
        elif self.path == "/visits":
            self.answer_visits(lambda: int(redis("GET", "visits") or 0))
        else:
            self.answer(404, "text/plain", b"not found\n")

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/visits":
            self.answer_visits(self.count)
        else:
            self.answer(404, "text/plain", b"not found\n")

    @staticmethod
    def count():
        visits = redis("INCR", "visits")
        # Whoever listens is told; the real-time server does.
        redis("PUBLISH", "visits", visits)
        return visits

    def answer_visits(self, ask):
        try:
            body, status = {"visits": ask(), "pid": os.getpid()}, 200
        except OSError as error:
            body, status = {"error": f"Redis does not answer: {error}", "pid": os.getpid()}, 503
        self.answer(status, "application/json", json.dumps(body).encode() + b"\n")

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, text, *values):
        print(text % values)


def main():
    port = int(os.environ["BACKEND_PORT"])
    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        print(f"backend: listening on port {port}, pid {os.getpid()}")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("backend: asked to stop")
    return 0


if __name__ == "__main__":
    sys.exit(main())
