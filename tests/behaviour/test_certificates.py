"""`linchpin boot certificates`: what is provided is checked before a server has it, and one is made where nothing is provided."""
import os
import re
import shlex
import shutil
import subprocess

import pytest

from harness.daemon import Directory
from harness.subject import LINCHPIN, TESTED
from harness.tls import CURVE, Authority, TlsServer, openssl

pytestmark = pytest.mark.skipif(TESTED is not LINCHPIN, reason="the original has no such command")

FILE = """\
[supervisord]
[linchpin]
state_directory=%(here)s/state
[certificate:web]
"""
PROVIDED = "certificate=%(here)s/ssl/full.pem\nkey=%(here)s/ssl/key.pem\n"
LOCAL = "names=localhost,127.0.0.1\n"


class Place:
    def __init__(self):
        self.directory = Directory()
        self.path = self.directory.path
        self.file, self.ssl = self.path / "supervisord.conf", self.path / "ssl"
        self.ssl.mkdir()
        self.current = self.path / "state/certificates/web/current"
        self.certificate, self.key = self.current / "fullchain.pem", self.current / "privkey.pem"
        self.ca = self.path / "state/certificate-authority/ca.crt"

    def configure(self, options):
        self.file.write_text(FILE + options)
        return self

    def command(self, *arguments):
        return [LINCHPIN.daemon[0], "boot", "certificates", "-c", str(self.file), *arguments]

    def boot(self, *arguments, status=0, **options):
        result = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=30, **options)
        assert result.returncode == status, result.stdout + result.stderr
        return result.stdout + result.stderr

    def provide(self, certificate, key, chain=()):
        (self.ssl / "full.pem").write_text("".join(it.read_text() for it in (certificate, *chain)))
        (self.ssl / "key.pem").write_bytes(key.read_bytes())

    def is_trusted_with(self, ca, host="localhost"):
        """Whether curl accepts a server that has what was made."""
        with TlsServer(self.certificate, self.key, self.ssl) as server:
            url = f"https://{host}:{server.port}/"
            command = ["curl", "-sS", "--max-time", "20", "--cacert", str(ca), "-o", os.devnull, "--noproxy", "*", "--resolve", f"{host}:{server.port}:127.0.0.1", url]
            result = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert result.returncode in (0, 60), result.stderr
        return result.returncode == 0


@pytest.fixture
def place():
    place = Place()
    yield place
    place.directory.remove()


@pytest.fixture(scope="module")
def authority():
    directory = Directory()
    yield Authority(directory.path)
    directory.remove()


def rsa(bits=2048):
    return ("-newkey", f"rsa:{bits}", "-nodes")


def curve(name):
    return ("-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{name}", "-nodes")


# How a key is made, and turned into the form in which it is provided.
FORMS = {
    "rsa pkcs8": (rsa(), []),
    "rsa pkcs1": (rsa(), ["rsa", "-traditional"]),
    "rsa exponent 3": (("-newkey", "rsa:2048", "-pkeyopt", "rsa_keygen_pubexp:3", "-nodes"), []),
    "rsa 1024 pkcs1": (rsa(1024), ["rsa", "-traditional"]),
    "rsa pkcs1 der": (rsa(), ["rsa", "-traditional", "-outform", "DER"]),
    "p-256 sec1": (CURVE, ["ec"]),
    "p-384 pkcs8": (curve("P-384"), []),
    "p-521 pkcs8": (curve("P-521"), []),
    "ed25519 pkcs8 der": (("-newkey", "ed25519", "-nodes"), ["pkey", "-outform", "DER"]),
}


@pytest.mark.parametrize("form", FORMS)
def test_keys_of_every_form_reach_a_server(place, authority, form):
    made, conversion = FORMS[form]
    certificate, key = authority.issue(place.path / "made", key=made)
    if conversion:
        openssl(*conversion, "-in", key, "-out", place.path / "converted")
        key = place.path / "converted"
    place.provide(certificate, key, [authority.certificate])
    said = place.configure(PROVIDED + LOCAL).boot()
    assert "[certificate:web] the provided one is used" in said
    assert re.search(r"until 20\d\d-\d\d-\d\d \((89|90) days\)", said)
    # We cannot compare keys on this curve; openssl can, when the server loads them.
    assert ("cannot be checked here" in said) == form.startswith("p-521")
    assert oct(place.key.stat().st_mode & 0o777) == "0o600"
    if "1024" in form:
        assert "warning: the key of CN=server is smaller than clients accept" in said
    else:
        assert place.is_trusted_with(authority.certificate)


def test_a_chain_in_any_order_leads_to_the_root(place, authority):
    middle = Authority(place.path, "Middle", authority)
    certificate, key = middle.issue(place.path / "made")
    place.provide(authority.certificate, key, [middle.certificate, certificate])
    said = place.configure(PROVIDED + LOCAL).boot()
    assert "warning: its certificates are not in their order" in said
    assert place.is_trusted_with(authority.certificate)
    place.provide(certificate, key)
    said = place.boot()
    assert "warning: the certificate of its issuer is not in the file (CN=Middle)" in said
    assert not place.is_trusted_with(authority.certificate), "the warning is right"


@pytest.mark.parametrize("form", ["pkcs8", "traditional"])
def test_an_encrypted_key_is_refused_with_the_command_that_decrypts_it(place, authority, form):
    certificate, key = authority.issue(place.path / "made", key=rsa())
    place.provide(certificate, key)
    how = ["-traditional"] if form == "traditional" else []
    openssl("pkey", *how, "-in", key, "-aes256", "-passout", "pass:word", "-out", place.ssl / "key.pem")
    said = place.configure(PROVIDED).boot(status=1)
    assert "is encrypted (line 1)" in said and "[certificate:web] none" in said
    [command] = re.findall(r"`(openssl .*?)`", said)
    # A person types the pass phrase.
    command = command.replace("openssl pkey", "openssl pkey -passin pass:word")
    subprocess.run(["/bin/sh", "-c", command], check=True, cwd=place.ssl, timeout=30)
    place.configure(PROVIDED.replace("key.pem", "new.key"))
    assert "the provided one is used" in place.boot()


def test_provided_files_are_never_written_to_and_problems_name_them(place, authority):
    certificate, _ = authority.issue(place.path / "made")
    _, other = authority.issue(place.path / "other")
    place.provide(certificate, other)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in place.ssl.iterdir()}
    said = place.configure(PROVIDED + LOCAL).boot(status=1)
    assert f"not the provided one: the key {place.ssl}/key.pem does not belong to the certificate {place.ssl}/full.pem (CN=server)" in said
    assert not place.current.exists()
    assert "PRIVATE" not in said
    place.configure(PROVIDED + LOCAL + "self_signed=true\n").boot()
    assert before == {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in place.ssl.iterdir()}


def test_an_expired_one_and_one_for_other_names_are_refused(place, authority):
    certificate, key = authority.issue(place.path / "made", days=-1)
    place.provide(certificate, key)
    assert re.search(r"CN=server expired on 20\d\d-\d\d-\d\d", place.configure(PROVIDED).boot(status=1))
    certificate, key = authority.issue(place.path / "good")
    place.provide(certificate, key)
    place.configure(PROVIDED + "names=example.org\n")
    assert "it is not for example.org, but for localhost, 127.0.0.1" in place.boot(status=1)
    place.configure(PROVIDED + LOCAL + "warn_days=100\n")
    assert re.search("warning: it ends in (89|90) days", place.boot())


def test_one_of_our_own_serves_whoever_trusts_its_authority(place, authority):
    place.configure("self_signed=true\nnames=example.org,*.example.org,127.0.0.1\n")
    said = place.boot("--dry-run")
    assert "a new authority is made" in said and not (place.path / "state").exists()
    said = place.boot()
    assert f"clients have to trust {place.ca}" in said
    for host in ("example.org", "www.example.org", "127.0.0.1"):
        assert place.is_trusted_with(place.ca, host), host
    assert not place.is_trusted_with(place.ca, "example.com")
    assert not place.is_trusted_with(authority.certificate, "example.org")
    openssl("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", place.ca, place.certificate)
    private = place.ca.parent / "authority.pem"
    assert [oct(path.stat().st_mode & 0o777) for path in (private, place.key, place.ca)] == ["0o600", "0o600", "0o644"]
    before = place.certificate.read_text()
    assert f"{place.certificate}: unchanged" in place.boot()
    assert place.certificate.read_text() == before
    assert "the present one is for other names" in place.configure("self_signed=true\n").boot()
    assert place.is_trusted_with(place.ca, "localhost")


def test_sources_take_over_from_each_other_in_their_order(place, authority):
    certificate, key = authority.issue(place.path / "made")
    place.configure(PROVIDED + LOCAL)
    assert "`self_signed` is off" in place.boot()
    place.configure(PROVIDED + LOCAL + "self_signed=true\n")
    assert "one of our own is used" in place.boot()
    assert place.is_trusted_with(place.ca)
    place.provide(certificate, key)
    assert "the provided one is used" in place.boot()
    assert place.is_trusted_with(authority.certificate)
    # Somebody is in the middle of copying a new one.
    (place.ssl / "full.pem").write_text(certificate.read_text()[:200])
    said = place.boot()
    assert "the one that was provided before is used" in said
    assert f"{place.ssl}/full.pem (line 1) is damaged" in said
    assert place.is_trusted_with(authority.certificate)
    for path in place.ssl.iterdir():
        path.unlink()
    assert "one of our own is used" in place.boot()
    assert place.is_trusted_with(place.ca) and not place.is_trusted_with(authority.certificate)
    place.configure(PROVIDED + LOCAL)
    assert "the files that there were were removed" in place.boot()
    assert not place.current.exists()
    assert not any(path.name == "privkey.pem" for path in (place.path / "state").rglob("*"))


def test_two_first_boots_on_one_volume_make_one_authority(place):
    place.configure("self_signed=true\n[certificate:other]\nself_signed=true\n")
    running = [subprocess.Popen(place.command(), stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 4
    assert sum("a new authority is made" in text for text in said) == 1
    for name in ("web", "other"):
        chain = place.path / f"state/certificates/{name}/current/fullchain.pem"
        openssl("verify", "-CAfile", place.ca, chain)


# Everything that can leave something on the disk.
CALLS = ("mkdir", "openat", "write", "fsync", "rename", "symlink", "chmod", "fchmod", "unlink", "unlinkat", "rmdir")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("is_first", [True, False], ids=["first boot", "new names"])
def test_killed_at_any_point_it_leaves_a_pair_that_belongs_together(place, is_first):
    if shutil.which("strace") is None:
        pytest.skip("not installed: strace")

    def pair():
        if not place.current.exists():
            return None
        public = openssl("x509", "-in", place.certificate, "-noout", "-pubkey")
        assert public == openssl("pkey", "-in", place.key, "-pubout")
        return public

    def kills():
        for call in CALLS:
            for number in range(1, 100):
                shutil.rmtree(place.path / "state", ignore_errors=True)
                place.configure("self_signed=true\n")
                if not is_first:
                    place.boot()
                    place.configure("self_signed=true\nnames=example.org\n")
                before = pair()
                inject = f"inject={call}:signal=KILL:when={number}"
                command = ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={call}", "-e", inject, *place.command()]
                if subprocess.run(command, capture_output=True, timeout=30).returncode == 0:
                    break
                yield before

    count = 0
    for count, before in enumerate(kills(), 1):
        pair()
        place.boot()
        assert pair() not in (None, before)
        openssl("verify", "-CAfile", place.ca, place.certificate)
        left = [path for path in (place.path / "state").rglob("*") if path.name.endswith(".new") or path.name.startswith("v-")]
        assert len(left) == 1, left
    assert count > 30


@pytest.mark.root
def test_the_key_belongs_to_the_server_alone(place):
    place.configure("self_signed=true\nowner=daemon\n").boot(umask=0o077)
    assert place.key.stat().st_uid == 1 and place.key.stat().st_mode & 0o777 == 0o600
    command = f"cat {shlex.quote(str(place.certificate))} {shlex.quote(str(place.key))} >/dev/null"
    assert subprocess.run(["/bin/sh", "-c", command], user=1, group=1, extra_groups=[]).returncode == 0
    assert subprocess.run(["/bin/sh", "-c", command], user=12345, group=12345, extra_groups=[], stderr=subprocess.DEVNULL).returncode != 0
    place.configure("self_signed=true\nowner=root:daemon\n").boot()
    assert (place.key.stat().st_uid, place.key.stat().st_gid, place.key.stat().st_mode & 0o777) == (0, 1, 0o640)


@pytest.mark.parametrize("value, piece, remedy", [
    ("https://example.org/", "is a URL, not a name", "write `example.org`"),
    ("example.org:8443", "has a port, and certificates are for names alone", "write `example.org`"),
])
def test_a_domain_with_scheme_or_port_is_an_error_and_not_silence(place, value, piece, remedy):
    place.configure("self_signed=true\nnames=%(ENV_CUSTOM_DOMAIN)s\n")
    said = place.boot(status=2, env={**os.environ, "CUSTOM_DOMAIN": value})
    assert f"{place.file}:6:7" in said and piece in said and remedy in said
    check = subprocess.run([LINCHPIN.daemon[0], "check", str(place.file)], capture_output=True, text=True, env={**os.environ, "CUSTOM_DOMAIN": value})
    assert check.returncode == 2 and piece in check.stdout


def test_without_a_section_there_is_nothing_to_do(place):
    place.file.write_text("[supervisord]\n[program:a]\ncommand=%(ENV_NOT_THERE_YET)s\n")
    assert "has no section [certificate:NAME]: nothing to do" in place.boot()
