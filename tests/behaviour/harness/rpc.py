"""XML-RPC and plain HTTP over a unix socket or TCP, with the standard library alone."""
import base64
import http.client
import socket
import xmlrpc.client

TIMEOUT_SECONDS = 30


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=TIMEOUT_SECONDS):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def basic(username, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


class _Transport(xmlrpc.client.Transport):
    """A new connection for every call, so that a call never meets a server that restarted meanwhile."""

    def __init__(self, connect, headers):
        super().__init__(headers=list(headers.items()))
        self.connect, self.verbose = connect, False

    def make_connection(self, host):
        return self.connect()

    def request(self, host, handler, request_body, verbose=False):
        return self.single_request(host, handler, request_body, verbose)

    def single_request(self, host, handler, request_body, verbose=False):
        connection = self.connect()
        try:
            headers = {"Content-Type": "text/xml", **dict(self._headers)}
            connection.request("POST", "/RPC2", request_body, headers)
            response = connection.getresponse()
            if response.status != 200:
                raise xmlrpc.client.ProtocolError("/RPC2", response.status, response.reason, dict(response.headers))
            return self.parse_response(response)
        finally:
            connection.close()


def proxy(connect, headers=None):
    transport = _Transport(connect, headers or {})
    return xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=transport, allow_none=True)


def over_unix(path, headers=None, timeout=TIMEOUT_SECONDS):
    return proxy(lambda: UnixConnection(path, timeout), headers)


def over_tcp(port, headers=None, timeout=TIMEOUT_SECONDS):
    return proxy(lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=timeout), headers)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
