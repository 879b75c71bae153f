"""Certificates as people make them, with openssl, and servers that use them."""
import http.server
import ssl
import subprocess
import threading

CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(*arguments, **options):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True, timeout=30, **options).stdout


class Authority:
    """A private one, with its certificate in `certificate` and its key in `key`."""

    def __init__(self, directory, name="Private Root", issuer=None):
        self.directory, self.name, self.issuer = directory, name, issuer
        stem = name.lower().replace(" ", "-")
        self.certificate, self.key = directory / f"{stem}.pem", directory / f"{stem}.key"
        extensions = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        if issuer is None:
            openssl("req", "-x509", *CURVE, "-keyout", self.key, "-out", self.certificate, "-days", 100, "-subj", f"/CN={name}", *extensions)
        else:
            request = directory / f"{stem}.csr"
            openssl("req", "-new", *CURVE, "-keyout", self.key, "-out", request, "-subj", f"/CN={name}", *extensions)
            issuer.sign(request, self.certificate)

    def sign(self, request, target, days=90):
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-copy_extensions", "copy", "-days", days, "-out", target)

    def issue(self, directory, names="DNS:localhost,IP:127.0.0.1", key=CURVE, days=90):
        """A certificate for a server and its key: the paths of both."""
        directory.mkdir(exist_ok=True)
        certificate, private, request = directory / "server.pem", directory / "server.key", directory / "server.csr"
        openssl("req", "-new", *key, "-keyout", private, "-out", request, "-subj", "/CN=server", "-addext", f"subjectAltName={names}")
        self.sign(request, certificate, days)
        return certificate, private


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Clients that do not trust us hang up, which is what is tested."""


class TlsServer:
    """Serves a directory with TLS on a port of its own choice."""

    def __init__(self, certificate, key, directory):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server = Server(("127.0.0.1", 0), lambda *arguments: Quiet(*arguments, directory=str(directory)))
        # Without the handshake in accept, a client that refuses us delays no other.
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self):
        return f"https://localhost:{self.port}/"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
