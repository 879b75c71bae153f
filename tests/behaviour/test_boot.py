"""The boot as a sequence: what is declared is made before the programs run, told, kept, and made anew at a reread."""
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import xmlrpc.client
from pathlib import Path

import pytest

from harness.daemon import Directory
from harness.subject import LINCHPIN
from harness.tls import Authority, TlsServer
from harness.wait import stays, until
from test_ca_roots import CLIENTS, JAVA_CLIENT, VARIABLES as TRUST_VARIABLES

pytestmark = pytest.mark.ours("there is nothing like it")

DIRECTORIES = "[linchpin]\nstate_directory=%(here)s/state\nrun_directory=%(here)s/run\n"
ROOTS = "[ca-roots]\ndirectory=%(here)s/ca-certs\n"
CERTIFICATE = "[certificate:web]\nself_signed=true\n"
# A container in which nobody has set what the boot sets.
PROXY_NAMES = [name for each in ("HTTP", "HTTPS", "ALL", "NO") for name in (f"{each}_PROXY", f"{each.lower()}_proxy")]
UNSET = ("env", *(f"--unset={name}" for name in (*TRUST_VARIABLES, *PROXY_NAMES)))
SERVICE = "[program:a]\ncommand=/bin/sleep 1000\n"
QUICK = SERVICE + "startsecs=0\n"


def environment_of(pid):
    entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return dict(entry.decode().split("=", 1) for entry in entries if entry)


@pytest.fixture(scope="module")
def authority():
    place = Directory()
    yield Authority(place.path)
    place.remove()


@pytest.fixture
def booting(new_daemon, authority):
    """A daemon whose folder of authorities has one certificate."""

    def make(programs, linchpin="", **keywords):
        daemon = new_daemon(programs=DIRECTORIES + linchpin + programs, **keywords)
        (daemon.directory / "ca-certs").mkdir(exist_ok=True)
        shutil.copy(authority.certificate, daemon.directory / "ca-certs/own.pem")
        return daemon

    return make


def boot(daemon, *words, status=0):
    command = [*UNSET, LINCHPIN.daemon[0], "boot", *words, "-c", str(daemon.file)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, env=daemon.environment(), cwd=daemon.directory)
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout + result.stderr


def report(daemon, name="boot-report.json"):
    return json.loads((daemon.directory / "state" / name).read_text())


def outcomes(daemon):
    return [(step["section"], step["outcome"]) for step in report(daemon)["steps"]]


def start(daemon):
    return daemon.start(before=UNSET)


SETTINGS = "settings_file=%(here)s/s.env\n[setting:DOMAIN]\ndefault=example.org\n[setting:KEY]\ntype=secret\ngenerate=true\n"


def test_steps_run_in_order_are_told_and_kept_and_find_nothing_to_do_the_next_time(booting):
    daemon = start(booting(ROOTS + CERTIFICATE + "names=%(ENV_DOMAIN)s\n" + SERVICE, linchpin=SETTINGS))
    daemon.until_running("a")
    steps = report(daemon)["steps"]
    assert [(step["section"], step["outcome"]) for step in steps] == [("settings", "done"), ("ca-roots", "done"), ("certificate:web", "done")]
    for step in steps:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", step["started"]) and step["duration_us"] > 0 and step["why"]
    assert "generated settings: KEY" in steps[0]["details"]
    assert any("for example.org" in line for line in steps[2]["details"]), "its name is the value of a setting"
    lines = [line for line in daemon.log().splitlines() if " boot: 2" in line]
    assert [re.search(r"Z (\S+): done", line)[1] for line in lines] == ["settings", "[ca-roots]", "[certificate:web]"]
    secret = re.search(r"KEY='?(\w+)", (daemon.directory / "s.env").read_text())[1]
    assert secret not in daemon.said() and secret not in (daemon.directory / "state/boot-report.json").read_text()
    shown = boot(daemon, "report")
    assert "boot (the daemon starts): done" in shown and "[certificate:web]: done" in shown
    daemon.stop()
    start(daemon)
    assert {outcome for _, outcome in outcomes(daemon)} == {"unchanged"}
    assert [left.name for left in daemon.directory.rglob(".*.new")] == []


def test_a_dry_run_tells_the_same_and_writes_nothing(booting):
    daemon = booting(ROOTS + CERTIFICATE, linchpin=SETTINGS)
    before = sorted(daemon.directory.rglob("*"))
    said = boot(daemon, "--dry-run")
    for piece in ("settings that would be generated: KEY", "bundle.pem: would be made", "fullchain.pem: would be made"):
        assert piece in said
    assert sorted(daemon.directory.rglob("*")) == before
    assert "there is no report" in boot(daemon, "report", status=1)
    boot(daemon)
    assert report(daemon)["why"] == "linchpin boot"
    assert "settings: unchanged" in boot(daemon, "all")


BROKEN = "[ca-roots]\ndirectory=%(here)s/ca-certs\nsystem_bundle=%(here)s/no-such\n"


def test_a_fatal_failure_starts_nothing_and_leaves_its_reason_on_the_volume(booting):
    daemon = booting(BROKEN + CERTIFICATE + SERVICE)
    result = daemon.run_to_end()
    assert result.returncode == 2
    assert "no-such" in result.stderr and "name another file with `system_bundle=`" in result.stderr
    kept = report(daemon)
    assert [step["outcome"] for step in kept["steps"]] == ["failed", "skipped"]
    assert "system_bundle" in kept["steps"][0]["remedy"]
    assert kept == report(daemon, "boot-report-failed.json")
    # The next one is good, and the failure is still known.
    daemon.write(daemon.file.read_text().replace("%(here)s/no-such", "search"))
    start(daemon).until_running("a")
    assert report(daemon)["steps"][0]["outcome"] == "done"
    assert "[ca-roots]: failed" in boot(daemon, "report", "--failed")


def test_settings_that_cannot_be_used_are_a_failure_of_the_boot(booting):
    daemon = booting(ROOTS + SERVICE, linchpin="[setting:NEEDED]\nrequired=true\n")
    result = daemon.run_to_end()
    assert result.returncode == 2 and "NEEDED" in result.stderr
    assert outcomes(daemon) == [("settings", "failed")]


def test_a_failure_that_is_only_told_starts_everything(booting):
    daemon = start(booting(BROKEN + "on_failure=warn\n" + CERTIFICATE + SERVICE))
    daemon.until_running("a")
    assert outcomes(daemon) == [("ca-roots", "failed"), ("certificate:web", "done")]
    assert "the boot goes on (`on_failure=warn`)" in daemon.log()
    assert boot(daemon, "all").count("[ca-roots]: failed") == 1
    assert "Error: [ca-roots]" in boot(daemon, "ca-roots", status=1)


def test_services_that_need_what_failed_are_left_out_until_it_is_there(booting):
    programs = BROKEN + "on_failure=skip\nservices=needs, jobs:b\n" + SERVICE
    programs += "".join(f"[program:{name}]\ncommand=/bin/sleep 1000\ndepends_on=a started\n" for name in ("needs", "b", "c"))
    daemon = start(booting(programs + "[group:jobs]\nprograms=b,c\n"))
    daemon.until_running("a", "jobs:c")
    assert sorted(daemon.states()) == ["a:a", "jobs:c"]
    assert "left out, because [ca-roots] could not be done: needs, jobs:b" in daemon.log()
    daemon.write(daemon.file.read_text().replace("%(here)s/no-such", "search"))
    assert daemon.supervisor("reloadConfig") == [[["needs"], ["jobs"], []]]
    daemon.supervisor("addProcessGroup", "needs")
    daemon.until_running("needs")
    assert report(daemon)["why"] == "the configuration is read again"


def test_a_reread_whose_boot_fails_changes_nothing(booting):
    daemon = start(booting(ROOTS + SERVICE))
    [pid] = daemon.until_running("a")
    daemon.write(daemon.file.read_text().replace("[ca-roots]\n", "[ca-roots]\nsystem_bundle=/no-such\n"))
    with pytest.raises(xmlrpc.client.Fault, match="/no-such"):
        daemon.supervisor("reloadConfig")
    assert daemon.info("a")["pid"] == pid


def asked(daemon, path):
    """What the API answers."""
    connection = http.client.HTTPConnection("localhost", timeout=30)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(daemon.directory / "c.sock"))
    connection.request("GET", f"/api/v1/{path}")
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def test_the_api_tells_the_reports_that_are_kept(booting):
    daemon = start(booting(BROKEN + "on_failure=warn\n" + SERVICE, linchpin="socket=%(here)s/c.sock\n"))
    first = report(daemon)
    assert asked(daemon, "boot") == asked(daemon, "boot?failed=yes") == (200, first)
    assert first["why"] == "the daemon starts" and first["steps"][0]["outcome"] == "failed"
    daemon.write(daemon.file.read_text().replace("%(here)s/no-such", "search"))
    daemon.supervisor("reloadConfig")
    assert asked(daemon, "boot") == (200, report(daemon)) and asked(daemon, "boot?failed=yes") == (200, first)
    boot(daemon)
    status, by_hand = asked(daemon, "boot")
    assert status == 200 and by_hand["why"] == "linchpin boot"
    daemon.stop()
    start(daemon)
    assert asked(daemon, "boot")[1]["why"] == "the daemon starts" and asked(daemon, "boot?failed=yes") == (200, first)


def test_the_api_tells_of_a_boot_that_no_directory_keeps(new_daemon):
    setting = "settings_file=%(here)s/s.env\n[setting:PORT]\ntype=port\n"
    daemon = new_daemon(programs="[linchpin]\nsocket=%(here)s/c.sock\n" + SERVICE)
    start(daemon)
    assert asked(daemon, "boot") == (404, {"error": "no boot is known: the configuration declares nothing that is made before programs run"})
    daemon.write(daemon.file.read_text().replace("c.sock\n", "c.sock\n" + setting))
    (daemon.directory / "s.env").write_text("PORT=wrong\n")
    with pytest.raises(xmlrpc.client.Fault, match="PORT"):
        daemon.supervisor("reloadConfig")
    status, failed = asked(daemon, "boot")
    assert status == 200 and "PORT" in failed["steps"][0]["problem"] and "remedy" not in failed["steps"][0]
    (daemon.directory / "s.env").write_text("PORT=80\n")
    daemon.supervisor("restart")
    daemon.until_logged("supervisord started with pid", count=2)
    daemon.until_it_answers()
    _, last = asked(daemon, "boot")
    assert (last["why"], last["steps"][0]["outcome"]) == ("the daemon starts anew", "unchanged")
    assert asked(daemon, "boot?failed=yes") == (200, failed)
    assert not list(daemon.directory.rglob("boot-report*"))


@pytest.mark.parametrize("option", ["services=no-such", "on_failure=skip", "on_failure=perhaps"])
def test_mistakes_in_the_policy_are_told_with_their_place(booting, option):
    daemon = booting(ROOTS + f"{option}\n" + SERVICE)
    result = daemon.run_to_end()
    line = daemon.file.read_text().splitlines().index(option) + 1
    assert result.returncode == 2 and f"{daemon.file}:{line}:" in result.stderr, result.stderr


def test_services_and_the_rest_of_the_file_learn_what_to_trust(booting):
    bundle = "%(ENV_SSL_CERT_FILE)s"
    programs = SERVICE + "[program:b]\ncommand=/bin/sleep 1000\nenvironment=CURL_CA_BUNDLE=/own,JAVA_TOOL_OPTIONS=-Xmx1g\n"
    programs += f"[program:c]\ncommand=/bin/sh -c 'echo {bundle} > %(here)s/told; exec sleep 1000'\nenabled=is_set(SSL_CERT_FILE)\n"
    daemon = booting(ROOTS + programs, supervisord="environment=PIP_CERT=/pip,JAVA_TOOL_OPTIONS=-Xint\n")
    checked = subprocess.run([*UNSET, LINCHPIN.daemon[0], "check", str(daemon.file)], capture_output=True, text=True, timeout=30, env=daemon.environment())
    assert checked.returncode == 0, "a check knows the variables of a boot: " + checked.stdout
    daemon.start(before=(*UNSET, "GIT_SSL_CAINFO=/git"))
    output = daemon.directory / "run/ca-roots"
    environments = [environment_of(pid) for pid in daemon.until_running("a", "b")]
    for each in environments:
        assert each["SSL_CERT_FILE"] == str(output / "bundle.pem")
        assert each["NODE_EXTRA_CA_CERTS"] == str(output / "custom.pem")
        assert (each["GIT_SSL_CAINFO"], each["PIP_CERT"]) == ("/git", "/pip"), "what is set already stays"
    a, b = environments
    assert a["JAVA_TOOL_OPTIONS"].startswith("-Djavax.net.ssl.trustStore=") and a["JAVA_TOOL_OPTIONS"].endswith(" -Xint")
    assert (b["CURL_CA_BUNDLE"], b["JAVA_TOOL_OPTIONS"]) == ("/own", "-Xmx1g")
    assert daemon.until_file("told").strip() == str(output / "bundle.pem")
    assert "GIT_SSL_CAINFO is set already" in daemon.log()


def test_a_certificate_that_comes_later_is_trusted_after_a_reread(booting):
    daemon = booting(ROOTS + SERVICE)
    certificate = daemon.directory / "ca-certs/own.pem"
    text = certificate.read_text()
    certificate.unlink()
    start(daemon)
    assert not environment_of(*daemon.until_running("a")).get("SSL_CERT_FILE")
    certificate.write_text(text)
    daemon.supervisor("reloadConfig")
    daemon.supervisor("stopProcess", "a")
    daemon.supervisor("startProcess", "a")
    assert environment_of(*daemon.until_running("a"))["SSL_CERT_FILE"].endswith("bundle.pem")


def restarted(daemon, name):
    """The environment of a program after a restart."""
    daemon.supervisor("stopProcess", name)
    daemon.supervisor("startProcess", name)
    return environment_of(*daemon.until_running(name))


def stale(daemon, name):
    return daemon.service_status(name).get("stale", [])


def test_what_is_trusted_follows_its_folder_while_programs_run(booting, authority):
    daemon = booting(ROOTS + QUICK)
    shutil.rmtree(daemon.directory / "ca-certs")
    start(daemon)
    [pid] = daemon.until_running("a")
    output = daemon.directory / "run/ca-roots"
    (daemon.directory / "ca-certs").mkdir()
    # Under another name first, as careful people do.
    shutil.copy(authority.certificate, daemon.directory / "ca-certs/.own")
    (daemon.directory / "ca-certs/.own").rename(daemon.directory / "ca-certs/own.pem")
    daemon.until_logged(r"INFO \[ca-roots\] has changed: one certificate is trusted; programs that run trust what they did")
    body = authority.certificate.read_text().splitlines()[1]
    assert body in (output / "bundle.pem").read_text() and (output / "java.p12").exists()
    assert "programs that start from here on find variables" in daemon.log()
    assert daemon.info("a")["pid"] == pid and not environment_of(pid).get("SSL_CERT_FILE"), "nobody is restarted"
    assert stale(daemon, "a") == ["[ca-roots]"] and "old settings, restart it: [ca-roots]" in shown_status(daemon)
    assert restarted(daemon, "a")["SSL_CERT_FILE"] == str(output / "bundle.pem")
    assert stale(daemon, "a") == []
    place = daemon.directory / "other"
    place.mkdir()
    shutil.copy(Authority(place).certificate, daemon.directory / "ca-certs/other.pem")
    daemon.until_logged(r"\[ca-roots\] has changed: 2 certificates are trusted")
    assert (output / "custom.pem").read_text().count("BEGIN CERTIFICATE") == 2 and stale(daemon, "a") == ["[ca-roots]"]
    shutil.rmtree(daemon.directory / "ca-certs")
    daemon.until_logged("programs that start from here on find no variables of \\[ca-roots\\]")
    assert body not in (output / "bundle.pem").read_text()
    assert not set(TRUST_VARIABLES) & restarted(daemon, "a").keys()
    assert report(daemon)["why"] == "the daemon starts", "the configuration was not read again"


def test_a_look_at_authorities_that_fails_takes_nothing_away(booting):
    daemon = booting(ROOTS + "system_bundle=%(here)s/system.pem\n" + QUICK)
    folder, system = daemon.directory / "ca-certs", daemon.directory / "system.pem"
    shutil.copy(folder / "own.pem", system)
    start(daemon).until_running("a")
    system.rename(daemon.directory / "away.pem")
    (folder / "new.pem").touch()
    daemon.until_logged(r"ERRO \[ca-roots\] cannot use the system bundle .*; name another file with `system_bundle=`")
    assert restarted(daemon, "a")["SSL_CERT_FILE"].endswith("bundle.pem")
    (daemon.directory / "away.pem").rename(system)
    (folder / "new.pem").unlink()
    daemon.until_logged(r"\[ca-roots\] is as it should be again")
    assert stale(daemon, "a") == []


def test_options_for_java_that_are_a_setting_are_those_of_the_next_start(booting):
    setting = "settings_file=%(here)s/s.env\n[setting:JAVA_TOOL_OPTIONS]\ntype=secret\ndefault=-Xmx1g\n"
    daemon = start(booting(ROOTS + QUICK, linchpin=setting))
    store = f"-Djavax.net.ssl.trustStore={daemon.directory}/run/ca-roots/java.p12 -Djavax.net.ssl.trustStoreType=PKCS12"
    assert environment_of(*daemon.until_running("a"))["JAVA_TOOL_OPTIONS"] == f"{store} -Xmx1g"
    (daemon.directory / "s.env").write_text("JAVA_TOOL_OPTIONS=-Xmx2g\n")
    assert restarted(daemon, "a")["JAVA_TOOL_OPTIONS"] == f"{store} -Xmx2g"
    (daemon.directory / "s.env").write_text("JAVA_TOOL_OPTIONS=-Djavax.net.ssl.trustStore=/own\n")
    assert restarted(daemon, "a")["JAVA_TOOL_OPTIONS"] == "-Djavax.net.ssl.trustStore=/own"


def test_a_file_that_declares_nothing_gives_services_what_the_daemon_has(new_daemon):
    daemon = new_daemon(programs="[linchpin]\nstate_directory=%(here)s/state\n" + SERVICE)
    daemon.start(environment={"http_proxy": "http://proxy.example", "SSL_CERT_FILE": "/x"})
    own = {**environment_of(daemon.pid)}
    service = environment_of(*daemon.until_running("a"))
    assert {name: value for name, value in service.items() if not name.startswith("SUPERVISOR_")} == own
    assert "boot" not in daemon.log() and not (daemon.directory / "state/boot-report.json").exists()


@pytest.fixture(scope="module")
def server(authority):
    place = Directory()
    (place.path / "www").mkdir()
    certificate, key = authority.issue(place.path / "server")
    git = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for command in (["init", "-q", "--bare"], ["update-server-info"]):
        subprocess.run(["git", "-C", str(place.path / "www"), *command], check=True, env=git, timeout=30)
    (place.path / "Client.java").write_text(JAVA_CLIENT)
    (place.path / "client.js").write_text("fetch(process.argv[2]).then(it => it.text()).catch(it => { console.error(it.cause); process.exit(1) })\n")
    with TlsServer(certificate, key, place.path / "www") as server:
        server.path = place.path
        yield server
    place.remove()


def test_programs_trust_the_authority_as_services_until_its_file_is_removed(booting, server):
    clients = {name: make(server.url, server.path) for name, make in CLIENTS.items()}
    clients = {name: command for name, command in clients.items() if shutil.which(command[0])}
    assert {"curl", "python"} <= clients.keys()
    programs = ROOTS
    for name, command in clients.items():
        script = server.path / f"{name}.sh"
        script.write_text("exec " + " ".join("'" + word.replace("'", "'\"'\"'") + "'" for word in command) + " < /dev/null\n")
        programs += f"[program:{name}]\ncommand=/bin/sh {script}\nautorestart=false\nstartsecs=0\nredirect_stderr=true\n"
        programs += f"stdout_logfile=%(here)s/{name}.log\n"
    daemon = booting(programs)
    daemon.start(before=UNSET, environment={"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull})

    def statuses():
        return {name: daemon.until_state(name, "EXITED")["exitstatus"] for name in clients}

    assert statuses() == dict.fromkeys(clients, 0), {name: daemon.read(f"{name}.log") for name in clients}
    (daemon.directory / "ca-certs/own.pem").unlink()
    daemon.supervisor("reloadConfig")
    for name in clients:
        (daemon.directory / f"{name}.log").write_text("")
    daemon.supervisor("startAllProcesses")
    assert 0 not in statuses().values(), statuses()
    for name in clients:
        assert re.search(r"certificat|SELF_SIGNED|unable to verify|PKIX", daemon.read(f"{name}.log")), name


@pytest.mark.root
def test_a_daemon_that_goes_on_as_a_user_can_make_everything_anew(booting):
    daemon = booting(ROOTS + CERTIFICATE + SERVICE, supervisord="user=nobody\n", unix_http_server="chown=nobody\n")
    os.chown(daemon.directory, 65534, 65534)
    start(daemon).until_running("a")
    for path in ("state/certificates/web/current/privkey.pem", "run/ca-roots/bundle.pem", "state/boot-report.json", "state"):
        assert (daemon.directory / path).stat().st_uid == 65534, path
    (daemon.directory / "ca-certs/own.pem").unlink()
    daemon.write(daemon.file.read_text().replace("self_signed=true", "self_signed=true\nnames=other.example"))
    daemon.supervisor("reloadConfig")
    assert outcomes(daemon) == [("ca-roots", "done"), ("certificate:web", "done")]


LOGS = "directories=%(here)s/volume/logs\n  %(here)s/volume/data/deep\n"


@pytest.mark.root
def test_directories_are_made_on_an_empty_volume(booting):
    service = SERVICE + "stdout_logfile=%(here)s/volume/logs/a.log\n"
    daemon = booting(service, linchpin=LOGS, supervisord="user=nobody\n", unix_http_server="chown=nobody\n")
    os.chown(daemon.directory, 65534, 65534)
    volume = daemon.directory / "volume"
    checked = subprocess.run([LINCHPIN.daemon[0], "check", daemon.file], capture_output=True, text=True)
    assert checked.returncode == 0, checked
    assert not volume.exists(), "looking makes nothing"
    start(daemon).until_running("a")
    made = [path for path in (volume, *volume.rglob("*")) if path.is_dir()]
    assert len(made) == 4 and {path.stat().st_uid for path in made} == {65534}
    assert outcomes(daemon) == [("directories", "done")]
    daemon.supervisor("reloadConfig")
    assert outcomes(daemon) == [("directories", "unchanged")]


@pytest.mark.root
def test_a_directory_that_cannot_be_made_ends_the_boot(booting):
    daemon = booting(SERVICE, linchpin="directories=/proc/of-the-test/logs\n")
    ended = daemon.run_to_end()
    assert ended.returncode == 2 and "cannot make the directory /proc/of-the-test" in ended.stderr, ended
    assert "remove it from `directories`" in ended.stderr


READ_ONLY = """
mount --make-rprivate / && mount --bind "$0" "$0" && mount -o remount,bind,ro / && ! touch /of-the-test 2> /dev/null && cd "$0" && exec "$@"
"""


@pytest.mark.root
def test_any_user_boots_on_a_root_that_is_read_only(booting):
    daemon = booting(ROOTS + CERTIFICATE + SERVICE)
    for path in (daemon.directory, *daemon.directory.rglob("*")):
        os.chown(path, 1234567, 0)
    before = (*UNSET, "unshare", "--mount", "sh", "-c", READ_ONLY, str(daemon.directory), "setpriv", "--reuid=1234567", "--regid=0", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")
    daemon.start(before=before)
    environment = environment_of(*daemon.until_running("a"))
    assert environment["SSL_CERT_FILE"] == f"{daemon.directory}/run/ca-roots/bundle.pem"
    assert [section for section, outcome in outcomes(daemon) if outcome in ("done", "warned")] == ["identity", "ca-roots", "certificate:web"]
    assert (daemon.directory / "state/certificates/web/current/privkey.pem").stat().st_uid == 1234567


WRAPPER = Path(f"/usr/lib/{os.uname().machine}-linux-gnu/libnss_wrapper.so")


@pytest.mark.root
@pytest.mark.skipif(not WRAPPER.exists(), reason="Debian's libnss-wrapper is not installed")
@pytest.mark.parametrize(("linchpin", "declared"), [("", CERTIFICATE), ("passwd_entry=on\n", "")], ids=["with the boot", "asked for"])
def test_a_user_without_an_entry_in_passwd_is_given_one(booting, linchpin, declared):
    who = "[program:who]\ncommand=sh -c 'whoami > who; id -gn >> who; exec sleep 1000'\n"
    daemon = booting(declared + who, linchpin=linchpin)
    for path in (daemon.directory, *daemon.directory.rglob("*")):
        os.chown(path, 1234567, 7654321)
    before = (*UNSET, "HOME=/data", "setpriv", "--reuid=1234567", "--regid=7654321", "--clear-groups")
    daemon.start(before=before)
    until(lambda: daemon.read("who").count("\n") == 2, "the program knows who it is")
    assert daemon.read("who") == "linchpin\nlinchpin\n"
    assert outcomes(daemon)[0] == ("identity", "done")
    assert daemon.read("run/identity/passwd").endswith("linchpin:x:1234567:7654321:linchpin:/data:/bin/sh\n")
    assert Path("/etc/passwd").read_text() in daemon.read("run/identity/passwd")


PROXIES = {
    "http_proxy": "http://user:secret@proxy.example:3128/", "HTTPS_PROXY": "http://a.example", "https_proxy": "http://b.example", "NO_PROXY": "one.example",
}
AGREED = {
    "HTTP_PROXY": PROXIES["http_proxy"], "http_proxy": PROXIES["http_proxy"], "HTTPS_PROXY": "http://a.example", "https_proxy": "http://a.example",
    "NO_PROXY": "one.example,localhost,127.0.0.1,::1", "no_proxy": "one.example,localhost,127.0.0.1,::1",
}


def proxies_of(environment):
    return {name: value for name, value in environment.items() if name.lower().endswith("_proxy")}


def with_proxies(**variables):
    return (*UNSET, *(f"{name}={value}" for name, value in variables.items()))


def test_variables_about_proxies_agree_for_programs_and_their_hooks(booting):
    hook = "pre_start=/bin/sh -c 'env > %(here)s/hook'\n"
    daemon = booting(ROOTS + SERVICE + hook, linchpin="settings_file=%(here)s/s.env\n[setting:ALL_PROXY]\ndefault=\n")
    daemon.start(before=with_proxies(**PROXIES))
    assert proxies_of(environment_of(*daemon.until_running("a"))) == {**AGREED, "ALL_PROXY": ""}
    assert set(f"{name}={value}" for name, value in AGREED.items()) <= set(daemon.read("hook").splitlines())
    log = daemon.log()
    assert "HTTPS_PROXY and https_proxy name different proxies: that of HTTPS_PROXY counts" in log
    assert ("proxies", "warned") in outcomes(daemon)
    # A setting counts as it is when a program starts.
    (daemon.directory / "s.env").write_text("ALL_PROXY=socks5://s\n")
    daemon.supervisor("stopProcess", "a")
    daemon.supervisor("startProcess", "a")
    all_of_them = {"ALL_PROXY": "socks5://s", "all_proxy": "socks5://s"}
    assert proxies_of(environment_of(*daemon.until_running("a"))) == {**AGREED, **all_of_them}
    everything = daemon.said() + (daemon.directory / "state/boot-report.json").read_text()
    assert "user:secret" not in everything


def test_a_proxy_of_the_file_counts_for_all_of_its_programs(booting):
    own = "[program:b]\ncommand=/bin/sleep 1000\nenvironment=HTTP_PROXY=http://own.example\n"
    daemon = booting(ROOTS + SERVICE + own, supervisord="environment=HTTPS_PROXY=http://file.example\n")
    daemon.start(before=UNSET)
    a, b = (proxies_of(environment_of(pid)) for pid in daemon.until_running("a", "b"))
    exceptions = "localhost,127.0.0.1,::1"
    assert a == {"HTTPS_PROXY": "http://file.example", "https_proxy": "http://file.example", "NO_PROXY": exceptions, "no_proxy": exceptions}
    assert b == {**a, "HTTP_PROXY": "http://own.example"}


@pytest.mark.parametrize(("programs", "linchpin", "agree"), [(ROOTS, "proxy_variables=off\n", False), ("", "proxy_variables=on\n", True)])
def test_an_option_says_whether_variables_about_proxies_agree(booting, programs, linchpin, agree):
    daemon = booting(programs + SERVICE, linchpin=linchpin)
    daemon.start(before=with_proxies(**PROXIES))
    assert proxies_of(environment_of(*daemon.until_running("a"))) == (AGREED if agree else PROXIES)


PROVIDED = "[certificate:web]\ncertificate=%(here)s/ssl/server.pem\nkey=%(here)s/ssl/server.key\n"
USERS = "".join(
    f"[program:{name}]\ncommand=/bin/sh -c 'trap \"echo again\" HUP; echo up; while :; do read line; sleep 0.05; done'\nstdout_logfile=%(here)s/{name}.log\n{options}"
    for name, options in (("reads", "reload_signal=HUP\n"), ("restarts", ""), ("other", ""))
)


def test_services_that_use_a_certificate_read_it_again_when_it_changes(booting, authority):
    daemon = booting(PROVIDED + "services=reads, restarts\n" + USERS)
    authority.issue(daemon.directory / "ssl", days=90)
    start(daemon)
    pids = dict(zip(("reads", "restarts", "other"), daemon.until_running("reads", "restarts", "other")))
    [certificate] = daemon.status()["certificates"]
    assert certificate["origin"] == "provided" and certificate["days_left"] in (89, 90)
    assert not any("it ends in" in warning for warning in certificate["warnings"])
    assert re.search(r"certificate web: provided, (89|90) days left", shown_status(daemon))
    # Beside its place and renamed, as most do, one file after the other.
    certificate, key = authority.issue(daemon.directory / "new", days=20)
    key.rename(daemon.directory / "ssl/server.key")
    certificate.rename(daemon.directory / "ssl/server.pem")
    daemon.until_file("reads.log", "again\n")
    daemon.until_file("restarts.log", "up\nup\n")
    daemon.until_running("restarts")
    assert {name: daemon.info(name)["pid"] == pid for name, pid in pids.items()} == {"reads": True, "restarts": False, "other": True}
    assert "reloading reads, because [certificate:web] has changed" in daemon.log()
    [now] = daemon.status()["certificates"]
    assert now["days_left"] in (19, 20) and any("it ends in" in warning for warning in now["warnings"])
    daemon.until_logged(r"WARN \[certificate:web\] it ends in (19|20) days: provide a new one")
    # Half of it does not fit together: what was there stays, and nobody is disturbed.
    authority.issue(daemon.directory / "third")[0].rename(daemon.directory / "ssl/server.pem")
    daemon.until_logged(r"WARN \[certificate:web\] not the provided one:")
    [now] = daemon.status()["certificates"]
    assert now["origin"] == "previous" and now["days_left"] in (19, 20)
    # Nor when the folder goes, which is told as well.
    (daemon.directory / "ssl").rename(daemon.directory / "away")
    daemon.until_logged(r"WARN \[certificate:web\] not the provided one: the certificate .* it does not exist")
    [now] = daemon.status()["certificates"]
    assert now["origin"] == "previous" and now["days_left"] in (19, 20)
    assert daemon.read("reads.log").count("again") == 1


def shown_status(daemon):
    command = [LINCHPIN.daemon[0], "status", "-c", str(daemon.file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, env=daemon.environment()).stdout


def test_a_certificate_that_a_reread_changes_reaches_its_services(booting):
    daemon = start(booting(CERTIFICATE + "services=restarts\n" + USERS))
    [pid] = daemon.until_running("restarts")
    daemon.supervisor("reloadConfig")
    daemon.write(daemon.file.read_text().replace("self_signed=true", "self_signed=true\nnames=other.example"))
    daemon.supervisor("reloadConfig")
    daemon.until_file("restarts.log", "up\nup\n")
    assert daemon.until_state("restarts", "RUNNING")["pid"] != pid
    assert daemon.log().count("restarting restarts, because") == 1


MADE = "[template:made]\nsource=%(here)s/source\ntarget=%(here)s/made\nservices=reads, restarts, other\n"


def test_what_a_reread_makes_of_templates_reaches_its_services(booting):
    daemon = booting(MADE + USERS)
    (daemon.directory / "source").write_text("one\n")
    start(daemon)
    names = ("reads", "restarts", "other")
    pids = dict(zip(names, daemon.until_running(*names)))
    assert daemon.supervisor("reloadConfig") == [[[], [], []]]
    assert "because what is made" not in daemon.log(), "it is as it was"
    # `other` is another one in the file that is read now: its `update` brings what is new.
    daemon.write(daemon.file.read_text().replace("%(here)s/other.log\n", "%(here)s/other.log\nstopwaitsecs=3\n"))
    (daemon.directory / "source").write_text("two\n")
    assert daemon.supervisor("reloadConfig") == [[[], ["other"], []]]
    assert daemon.read("made") == "two\n"
    daemon.until_file("reads.log", "again\n")
    daemon.until_file("restarts.log", "up\nup\n")
    daemon.until_running("restarts")
    assert {name: daemon.info(name)["pid"] == pid for name, pid in pids.items()} == {"reads": True, "restarts": False, "other": True}
    assert "reloading reads, because what is made of [template:made] has changed" in daemon.log()


@pytest.mark.parametrize(("option", "again"), [("restart", ["up", "up"]), ("none", ["up"])])
def test_services_say_what_they_need_when_a_template_changes(booting, option, again):
    # Templates are gone through by name, so when what the last one is for has been restarted, the first has been dealt with.
    last = MADE.replace(":made]", ":z]").replace("%(here)s/made", "%(here)s/z").replace("reads, restarts, other", "restarts")
    daemon = booting(MADE.replace("reads, restarts, other", f"reads\non_change={option}") + last + USERS)
    (daemon.directory / "source").write_text("one\n")
    start(daemon).until_running("reads", "restarts")
    (daemon.directory / "source").write_text("two\n")
    daemon.supervisor("reloadConfig")
    assert daemon.read("made") == "two\n"
    daemon.until_file("restarts.log", "up\nup\n")
    until(lambda: daemon.read("reads.log").split() == again, "what it needs")
    assert ("reads, because" in daemon.log()) == (option == "restart")


def threads(daemon):
    """How often each thread has gone to sleep, by its name."""
    found = {}
    for path in Path(f"/proc/{daemon.pid}/task").iterdir():
        try:
            status = (path / "status").read_text()
        except OSError:
            continue
        found[re.search("Name:\t(.*)", status)[1]] = int(re.search(r"\nvoluntary_ctxt_switches:\t(\d+)", status)[1])
    return found


@pytest.mark.parametrize("section", [CERTIFICATE, ROOTS], ids=["certificate", "ca-roots"])
def test_nobody_wakes_up_for_certificates(booting, section):
    daemon = start(booting(section + SERVICE))
    daemon.until_running("a")
    before = until(lambda: threads(daemon).get("certificates"), "somebody looks after them, and sleeps")
    stays(lambda: threads(daemon)["certificates"] == before, "they sleep", 1)
    daemon.write(daemon.file.read_text().replace(section, ""))
    daemon.supervisor("reloadConfig")
    until(lambda: "certificates" not in threads(daemon), "the thread has ended")
    assert "certificates" not in daemon.status()


BOUND_READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
TINY = """
mount -t tmpfs -o size=40k tmpfs "$0/tiny"
"$1" settings set DOMAIN=first.example -c "$5" || exit 99
dd if=/dev/zero of="$0/tiny/fill" bs=1k count=100 2>/dev/null
"$@"
status=$?
rm "$0/tiny/fill"
cat "$0/tiny/s.env"
ls -A "$0/tiny" "$0/tiny/s.env.history" >&2
exit $status
"""


def in_namespace(daemon, script, *words):
    command = [*UNSET, "unshare", "--mount", "sh", "-c", script, str(daemon.directory), LINCHPIN.daemon[0], *words]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, env=daemon.environment(), cwd=daemon.directory)
    return result.returncode, result.stdout + result.stderr


@pytest.mark.root
def test_a_volume_that_has_become_read_only_still_boots(booting):
    template = "[template:t]\nsource=%(here)s/t\ntarget=%(here)s/made\n"
    daemon = booting(ROOTS + CERTIFICATE + template + SERVICE, linchpin=SETTINGS)
    (daemon.directory / "t").write_text("{{ DOMAIN }}\n")
    boot(daemon)
    status, said = in_namespace(daemon, BOUND_READ_ONLY, "boot", "-c", str(daemon.file))
    assert status == 0, said
    assert [word for word in re.findall(r"Z (?:settings|\[.*\]): (\w+)", said)] == ["unchanged"] * 4, said
    # What is needed and cannot be made is told with its place.
    (daemon.directory / "t").write_text("{{ DOMAIN }} again\n")
    status, said = in_namespace(daemon, BOUND_READ_ONLY, "boot", "-c", str(daemon.file))
    assert "[template:t]: failed" in said and "read-only file system" in said
    assert (daemon.directory / "made").read_text() == "example.org\n"


@pytest.mark.root
def test_a_full_disk_changes_nothing_and_says_so(booting):
    daemon = booting(SERVICE, linchpin=SETTINGS.replace("%(here)s/s.env", "%(here)s/tiny/s.env"))
    (daemon.directory / "tiny").mkdir()
    status, said = in_namespace(daemon, TINY, "settings", "set", "-c", str(daemon.file), "DOMAIN=" + 20000 * "x")
    assert status == 1 and "make room on the volume" in said, said
    assert "DOMAIN='first.example'" in said or "DOMAIN=first.example" in said, said
    assert ".new" not in said and "xxxx" not in said, f"nothing half-written is left: {said}"
