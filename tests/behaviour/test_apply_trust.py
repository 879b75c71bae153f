"""Save & Restart of settings that say what programs trust."""
import json
import shutil

import pytest

from harness.daemon import Directory
from harness.tls import Authority
from test_boot import TRUST_VARIABLES, UNSET, environment_of, stale
from test_settings_apply import Product

pytestmark = pytest.mark.ours("there is nothing like it")

PRODUCT = """\
[linchpin]
socket=%(here)s/c.sock
run_directory=%(here)s/run
settings_file=%(here)s/s.env
[setting:APP_ROOTS]
default=%(here)s/first
[setting:APP_PORT]
default=8080
services=web
[setting:JAVA_TOOL_OPTIONS]
services=web
[ca-roots]
directory=%(ENV_APP_ROOTS)s
system_bundle=none
[program:web]
command=/bin/sh service.sh web -
[program:extra]
command=/bin/sh service.sh extra -
enabled=is_set(SSL_CERT_FILE)
"""


@pytest.fixture(scope="module")
def certificates():
    place = Directory()
    yield [Authority(place.path, name).certificate for name in ("First Root", "Second Root")]
    place.remove()


@pytest.fixture
def product(new_daemon, certificates):
    product = Product(new_daemon(), PRODUCT)
    for name, certificate in zip(("first", "second"), certificates):
        (product.directory / name).mkdir()
        shutil.copy(certificate, product.directory / name / "own.pem")
    (product.directory / "empty").mkdir()
    product.daemon.start(before=UNSET)
    product.until_ready()
    return product


def trusted(product):
    text = (product.directory / "run/ca-roots/bundle.pem").read_text()
    return [line.removeprefix("# CN=") for line in text.splitlines() if line.startswith("#")]


def test_another_folder_is_trusted_watched_and_nobody_is_restarted(product):
    before = product.pids()
    second = str(product.directory / "second")
    status, plan = product.request("PUT", "plan", {"set": {"APP_ROOTS": second}})
    plan = json.loads(plan)
    assert status == 200 and plan["steps"] == ["write the settings file", "make what programs trust: [ca-roots]"]
    assert any("until they are restarted" in text for text in plan["warnings"]) and trusted(product) == ["First Root"]
    _, report = product.apply(APP_ROOTS=second)
    assert report["state"] == "done" and trusted(product) == ["Second Root"]
    assert product.pids() == before and stale(product.daemon, "web") == ["APP_ROOTS", "[ca-roots]"]
    (product.directory / "second/own.pem").unlink()
    product.daemon.until_logged(r"programs that start from here on find no variables of \[ca-roots\]")
    assert trusted(product) == []


def test_what_is_trusted_is_taken_back_with_the_rest(product):
    _, report = product.apply(APP_ROOTS=str(product.directory / "second"), APP_PORT="666")
    assert report["state"] == "rolled_back", report
    assert trusted(product) == ["First Root"]
    product.until_ready()
    assert stale(product.daemon, "web") == stale(product.daemon, "extra") == []
    shutil.copy(product.directory / "second/own.pem", product.directory / "first/more.pem")
    product.daemon.until_logged(r"\[ca-roots\] has changed: 2 certificates are trusted")


def test_what_cannot_be_trusted_is_refused_before_anything_is_done(product):
    (product.directory / "file").touch()
    status, text = product.request("PUT", "settings", {"set": {"APP_ROOTS": str(product.directory / "file")}})
    assert status == 422 and "[ca-roots]: cannot read the folder" in text, text
    assert product.text() is None and trusted(product) == ["First Root"]


def test_variables_come_and_go_with_what_is_trusted(product):
    bundle = str(product.directory / "run/ca-roots/bundle.pem")
    assert environment_of(product.pids()["extra"])["SSL_CERT_FILE"] == bundle
    _, report = product.apply(APP_ROOTS=str(product.directory / "empty"), APP_PORT="81")
    assert report["state"] == "done" and report["plan"]["removed"] == ["extra"], report
    assert not set(TRUST_VARIABLES) & environment_of(product.pids()["web"]).keys()
    _, report = product.apply(unset=["APP_ROOTS"], APP_PORT="82")
    assert report["state"] == "done" and report["plan"]["added"] == ["extra"], report
    assert environment_of(product.pids()["web"])["SSL_CERT_FILE"] == bundle


def test_options_for_java_that_are_a_setting_are_joined_with_ours(product):
    ours = environment_of(product.pids()["web"])["JAVA_TOOL_OPTIONS"]
    assert product.apply(JAVA_TOOL_OPTIONS="-Xmx1g")[1]["state"] == "done"
    assert environment_of(product.pids()["web"])["JAVA_TOOL_OPTIONS"] == f"{ours} -Xmx1g"
    file = product.directory / "run/ca-roots/environment"
    assert "JAVA_TOOL_OPTIONS=" in file.read_text()
    own = "-Djavax.net.ssl.trustStore=/own"
    assert product.apply(JAVA_TOOL_OPTIONS=own)[1]["state"] == "done"
    assert environment_of(product.pids()["web"])["JAVA_TOOL_OPTIONS"] == own
    assert "JAVA_TOOL_OPTIONS=" not in file.read_text()
