"""`linchpin boot ca-roots`: programs trust what is in the folder, as long as it is there."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.daemon import Directory
from harness.subject import LINCHPIN, TESTED
from harness.tls import Authority, TlsServer

pytestmark = pytest.mark.skipif(TESTED is not LINCHPIN, reason="the original has no such command")

VARIABLES = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "REQUESTS_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS", "JAVA_TOOL_OPTIONS")
FILE = """\
[supervisord]
[linchpin]
run_directory=%(here)s/run
[ca-roots]
directory=%(here)s/ca-certs
"""
JAVA_CLIENT = """\
import java.net.URI;
public class Client {
    public static void main(String[] words) throws Exception {
        URI.create(words[0]).toURL().openStream().close();
    }
}
"""


class Place:
    """A configuration with its folders."""

    def __init__(self, options="", file=FILE):
        self.directory = Directory()
        self.path = self.directory.path
        self.file = self.path / "supervisord.conf"
        self.file.write_text(file + options)
        self.folder, self.output = self.path / "ca-certs", self.path / "run/ca-roots"
        self.folder.mkdir()

    def boot(self, *arguments, environment=None, status=0, **options):
        kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        command = [LINCHPIN.daemon[0], "boot", "ca-roots", "-c", str(self.file), *arguments]
        result = subprocess.run(command, capture_output=True, text=True, timeout=30, env={**kept, **(environment or {})}, **options)
        assert result.returncode == status, result.stdout + result.stderr
        return result.stderr if status else result.stdout

    def variables(self, **environment):
        """What a shell makes of the file of variables."""
        names = " ".join(f'"${{{name}-}}"' for name in VARIABLES)
        script = f'. "$1"; printf "%s\\n" {names}'
        output = subprocess.run(["/bin/sh", "-c", script, "sh", str(self.output / "environment")], check=True, capture_output=True, text=True, env=environment).stdout
        return {name: value for name, value in zip(VARIABLES, output.splitlines()) if value}

    def tree(self):
        return {str(path.relative_to(self.path)): path.is_file() and (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(self.path.rglob("*"))}


@pytest.fixture
def place():
    place = Place()
    yield place
    place.directory.remove()


class World:
    """A server of a private authority, and what programs are told while its certificate is there and afterwards."""

    def __init__(self):
        self.directory = Directory()
        path = self.directory.path
        (path / "www").mkdir()
        self.authority = Authority(path)
        certificate, key = self.authority.issue(path / "server")
        self.server = TlsServer(certificate, key, path / "www")
        git = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        for command in (["init", "-q", "--bare"], ["update-server-info"]):
            subprocess.run(["git", "-C", str(path / "www"), *command], check=True, env=git, timeout=30)
        (path / "Client.java").write_text(JAVA_CLIENT)
        (path / "client.js").write_text("fetch(process.argv[2]).then(it => it.text()).catch(it => { console.error(it.cause); process.exit(1) })\n")
        self.places = {}
        for name in ("there", "removed"):
            place = self.places[name] = Place()
            shutil.copy(self.authority.certificate, place.folder / "corporate.pem")
            place.boot()
        # Programs that run have the variables still, so it is the files that must not lead to the certificate any more.
        removed = self.places["removed"]
        self.told = {"there": self.places["there"].variables(), "removed": removed.variables()}
        (removed.folder / "corporate.pem").unlink()
        removed.boot()
        assert removed.variables() == {}

    def remove(self):
        with self.server:
            pass
        for place in (self, *self.places.values()):
            place.directory.remove()


@pytest.fixture(scope="module")
def world():
    world = World()
    yield world
    world.remove()


def python(module):
    return lambda url, _: [sys.executable, "-c", f"{module}\nprint(get({url!r}).status)"]


CLIENTS = {
    "openssl": lambda url, _: ["openssl", "s_client", "-verify_return_error", "-brief", "-connect", url[8:].rstrip("/")],
    "curl": lambda url, _: ["curl", "-sS", "--max-time", "20", "-o", os.devnull, url],
    "git": lambda url, _: ["git", "ls-remote", url],
    "python": python("from urllib.request import urlopen as get"),
    # pip carries the whole of requests, which is what everybody uses.
    "requests": python("from pip._vendor import requests\nget = lambda url: type('', (), {'status': requests.get(url, timeout=20).raise_for_status()})"),
    "node": lambda url, path: ["node", str(path / "client.js"), url],
    "java": lambda url, path: ["java", "-XX:TieredStopAtLevel=1", str(path / "Client.java"), url],
}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_program_trusts_the_server_until_the_file_is_removed(world, client):
    command = CLIENTS[client](world.server.url, world.directory.path)
    if shutil.which(command[0]) is None:
        pytest.skip(f"not installed: {command[0]}")
    for name, is_trusted in (("there", True), ("removed", False)):
        environment = {**{key: value for key, value in os.environ.items() if key not in VARIABLES}, **world.told[name]}
        environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "NO_PROXY": "*", "no_proxy": "*"}
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, stdin=subprocess.DEVNULL, cwd=world.directory.path)
        said = result.stdout + result.stderr
        assert (result.returncode == 0) == is_trusted, f"{name}: {said}"
        if not is_trusted:
            # And for no other reason.
            assert re.search(r"certificat|SELF_SIGNED|unable to verify|PKIX", said), said


@pytest.mark.parametrize("password", ["", "changeit", "anything"])
def test_keytool_lists_the_trust_store_whatever_the_password(world, password):
    if shutil.which("keytool") is None:
        pytest.skip("not installed: keytool")
    store = world.places["there"].output / "java.p12"
    command = ["keytool", "-list", "-keystore", str(store), "-storetype", "PKCS12", *(["-storepass", password] if password else [])]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, input="\n")
    assert result.returncode == 0, result.stdout + result.stderr
    entries = [line for line in result.stdout.splitlines() if "trustedCertEntry" in line]
    assert sum(line.startswith("custom-private-root-") for line in entries) == 1
    bundle = (world.places["there"].output / "bundle.pem").read_text()
    # A bundle of a system may have a certificate twice.
    certificates = set(re.findall(r"-----BEGIN CERTIFICATE-----\n(.*?)-----END", bundle, re.DOTALL))
    assert len(entries) == len(certificates) > 1


def test_each_certificate_is_listed_and_a_bad_one_hides_no_other(place, world):
    good = world.authority.certificate.read_text()
    (place.folder / "bundle.crt").write_text(f"{good}-----BEGIN CERTIFICATE-----\nAAAA\n")
    (place.folder / "notes.txt").write_text("hello")
    subprocess.run(["openssl", "x509", "-in", world.authority.certificate, "-outform", "DER", "-out", place.folder / "again.cer"], check=True)
    # As Kubernetes mounts them.
    (place.folder / "..data").mkdir()
    other = Authority(place.path, "Linked Root")
    shutil.move(other.certificate, place.folder / "..data/linked.crt")
    (place.folder / "linked.crt").symlink_to("..data/linked.crt")
    said = place.boot()
    fingerprint = subprocess.run(["openssl", "x509", "-in", world.authority.certificate, "-noout", "-fingerprint", "-sha256"], capture_output=True, text=True).stdout
    fingerprint = fingerprint.strip().partition("=")[2]
    assert "3 of 4 certificates are trusted" in said
    assert re.search(rf"again\.cer  CN=Private Root\n    issued by itself, until 20\d\d-\d\d-\d\d \((99|100) days\), SHA-256 {fingerprint}\n", said), said
    assert re.search(r"bundle\.crt:1  CN=Private Root\n.*\n    trusted already: .*again\.cer\n", said), said
    line = len(good.splitlines()) + 1
    assert f"bundle.crt:{line}\n    left out: this certificate cannot be read: its `-----END` line is missing" in said
    assert re.search(r"linked\.crt:1  CN=Linked Root\n", said)
    assert "notes.txt\n    passed over: its name does not end" in said


def test_a_dry_run_writes_nothing_and_the_second_run_has_nothing_to_do(place, world):
    shutil.copy(world.authority.certificate, place.folder / "root.pem")
    before = place.tree()
    said = place.boot("--dry-run")
    assert said.count("would be made") == 5 and place.tree() == before
    assert place.boot().count(": made\n") == 5
    made = place.tree()
    said = place.boot()
    assert said.count(": unchanged\n") == 5 and place.tree() == made
    assert f"NODE_EXTRA_CA_CERTS={place.output}/custom.pem\n" in said
    assert place.boot("-n").count(": unchanged\n") == 5


def test_what_is_set_from_outside_stays_and_java_gets_its_options_added(place, world):
    shutil.copy(world.authority.certificate, place.folder / "root.pem")
    said = place.boot(environment={"SSL_CERT_FILE": "/etc/mine.pem", "JAVA_TOOL_OPTIONS": "-Dkey.password=secret"})
    assert "warning: SSL_CERT_FILE is set already, to /etc/mine.pem, and stays so" in said
    assert "SSL_CERT_FILE" not in place.variables()
    assert "secret" not in said and not any(b"secret" in path.read_bytes() for path in place.output.iterdir())
    variables = place.variables(JAVA_TOOL_OPTIONS="-Dkey.password=secret")
    assert variables["JAVA_TOOL_OPTIONS"].endswith("/java.p12 -Djavax.net.ssl.trustStoreType=PKCS12 -Dkey.password=secret")


@pytest.mark.root
def test_any_user_needs_only_the_run_directory(place, world):
    """As with a read-only root and a random user id: nothing else is written, and no account is needed."""
    shutil.copy(world.authority.certificate, place.folder / "root.pem")
    (place.path / "run").mkdir()
    os.chown(place.path / "run", 12345, 0)
    place.boot(user=12345, group=0, extra_groups=[], umask=0o077, cwd="/")
    assert {path.stat().st_uid for path in place.output.iterdir()} == {12345}
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in [place.output, *place.output.iterdir()] if path.name != ".lock"}
    assert set(modes.values()) == {"0o755", "0o644"}, modes


def test_mistakes_are_told_with_a_remedy():
    place = Place(file="[supervisord]\n[ca-roots]\ndirectory=/nowhere\nvariables=CURL_CA_BUNDEL\n")
    said = place.boot(status=2)
    assert f"{place.file}:2:1" in said and "write `run_directory=/run/linchpin` into [linchpin]" in said
    assert f"{place.file}:4:11" in said and "did you mean `CURL_CA_BUNDLE`?" in said
    place.file.write_text(FILE + "system_bundle=/etc/hostname\n")
    assert "cannot use the system bundle /etc/hostname: there is no certificate in it" in place.boot(status=1)
    place.file.write_text("[supervisord]\n")
    assert "has no section [ca-roots]: nothing to do" in place.boot()
    place.directory.remove()
