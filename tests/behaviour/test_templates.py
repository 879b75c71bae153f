"""`linchpin boot templates`: files made of settings, looked at by those who read them, and put in place whole or not at all."""
import json
import os
import random
import shutil
import subprocess
import time

import pytest

from harness.subject import LINCHPIN
from harness.wait import until

pytestmark = pytest.mark.ours("there is nothing like it")

needs_redis = pytest.mark.skipif(not shutil.which("redis-server"), reason="not installed: redis-server")
needs_caddy = pytest.mark.skipif(not shutil.which("caddy"), reason="not installed: caddy")

FILE = """\
[supervisord]
[linchpin]
settings_file=%(here)s/product.env
run_directory=%(here)s/run
state_directory=%(here)s/state
[setting:APP_DOMAIN]
default=localhost
[setting:APP_REDIS_URL]
type=url
default=redis://127.0.0.1:6379
[setting:APP_SECRET]
type=secret
[setting:APP_MAIL_HOST]
[program:web]
command=/bin/sleep 9999
"""
CADDY = """\
[template:caddy]
source=%(here)s/in/Caddyfile
target=%(here)s/out/Caddyfile
validate=caddy validate --adapter caddyfile --config {file}
services=web
"""


class Product:
    def __init__(self, folder):
        self.folder, self.conf = folder, folder / "s.conf"
        for name in ("in", "in/programs"):
            (folder / name).mkdir()

    def configure(self, text):
        self.conf.write_text(FILE + text)

    def put(self, name, text):
        (self.folder / name).write_text(text)

    def read(self, name):
        return (self.folder / name).read_text()

    def names(self, folder):
        return sorted(it.name for it in (self.folder / folder).iterdir()) if (self.folder / folder).exists() else []

    def command(self, *words):
        return [LINCHPIN.daemon[0], *words, "-c", str(self.conf)]

    def environment(self, extra):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("APP_", "LINCHPIN_"))}
        return {**kept, "HOME": str(self.folder), **extra}

    def boot(self, *words, status=0, **environment):
        result = subprocess.run(
            self.command("boot", *(words or ["templates"])), capture_output=True, text=True, timeout=60, env=self.environment(environment)
        )
        assert result.returncode == status, result.stdout + result.stderr
        return result.stdout + result.stderr

    def processes(self, **environment):
        command = [LINCHPIN.daemon[0], "check", str(self.conf)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=30, env=self.environment(environment))
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout.rsplit(" groups, ", 1)[1].split()[0]


@pytest.fixture
def product(tmp_path):
    return Product(tmp_path)


@needs_caddy
def test_caddy_reads_every_value_as_it_is(product):
    values = [
        "plain", "two words", 'a "quoted" one', "back\\slash", "ends with \\", 'before a \\" quote', "a `backquote`", "two\nlines", "# no comment",
        "{http.request.host}", "{ open", "} close", "ünïcödé 🦀", "", "  blanks  ", "$HOME %(here)s {{ x }}", "\ttab",
    ]  # fmt: skip
    product.configure(CADDY)
    responds = "\n".join(f"\trespond /{number} {{{{ env.APP_V{number} | caddy }}}}" for number in range(len(values)))
    product.put("in/Caddyfile", f"{{\n\tadmin off\n\tauto_https off\n}}\n:18080 {{\n{responds}\n}}\n")
    product.boot(**{f"APP_V{number}": value for number, value in enumerate(values)})
    command = ["caddy", "adapt", "--adapter", "caddyfile", "--config", str(product.folder / "out/Caddyfile")]
    adapted = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True, env=product.environment({}))
    routes = json.loads(adapted.stdout)["apps"]["http"]["servers"]["srv0"]["routes"]
    found = {route["match"][0]["path"][0]: route["handle"][0].get("body", "") for route in routes}
    assert found == {f"/{number}": value for number, value in enumerate(values)}


@needs_caddy
def test_what_caddy_refuses_never_takes_the_place_of_what_it_reads(product):
    product.configure(CADDY)
    product.put("in/Caddyfile", "{\n\tadmin off\n}\nhttp://{{ APP_DOMAIN }}:18080 {\n\trespond {{ APP_SECRET | caddy }}\n}\n")
    told = product.boot(APP_SECRET="s3cret-one")
    assert "out/Caddyfile: made" in told and "to be reloaded for it: web" in told
    good = product.read("out/Caddyfile")
    assert oct((product.folder / "out/Caddyfile").stat().st_mode & 0o777) == "0o600"

    product.put("in/Caddyfile", product.read("in/Caddyfile").replace("respond", "respon {{ APP_SECRET }}"))
    told = product.boot(APP_SECRET="s3cret-two", status=1)
    assert "refuses it with exit status 1" in told and "unrecognized directive: respon" in told and "s3cret" not in told, told
    assert product.read("out/Caddyfile") == good and product.names("out") == ["Caddyfile"]


@needs_caddy
def test_a_certificate_that_an_earlier_step_makes_is_used_at_once(product):
    product.configure(CADDY + "[certificate:web]\nself_signed=true\n")
    product.put(
        "in/Caddyfile",
        "{\n\tadmin off\n\tauto_https off\n}\nhttps://localhost:18443 {\n"
        "{% if certificate.web.exists %}\n\ttls {{ certificate.web.certificate | caddy }} {{ certificate.web.key | caddy }}\n"
        "{% else %}\n\ttls internal\n{% endif %}\n}\n",
    )
    product.boot("all")
    assert f'tls "{product.folder}/state/certificates/web/current/fullchain.pem"' in product.read("out/Caddyfile")


@pytest.mark.skipif(not shutil.which("nginx"), reason="not installed: nginx")
def test_nginx_looks_at_its_own_file(product):
    product.configure("[template:nginx]\nsource=%(here)s/in/nginx.conf\ntarget=%(here)s/out/nginx.conf\nvalidate=nginx -t -c {file}\n")
    text = "pid {{ env.HOME }}/pid; error_log stderr; events {} http { server { listen {{ env.APP_PORT }}; } }\n"
    product.put("in/nginx.conf", text)
    product.boot(APP_PORT="18081")
    assert "refuses it" in product.boot(APP_PORT="no port", status=1)
    assert "listen 18081" in product.read("out/nginx.conf")


PROGRAMS = """\
[include]
files=%(here)s/run/programs/*.conf
[template:programs]
source=%(here)s/in/programs
target=%(here)s/run/programs
"""


def test_programs_come_and_go_with_the_files_that_are_made_of_a_folder(product):
    product.configure(PROGRAMS)
    product.put("in/programs/redis.conf", "{% if is_local(APP_REDIS_URL) %}\n[program:redis]\ncommand=/bin/sleep {{ url(APP_REDIS_URL).port }}\n{% endif %}\n")
    product.put("in/programs/mail.conf", "{% if APP_MAIL_HOST %}\n[program:mail]\ncommand=/bin/sleep 1\nenvironment=HOST={{ APP_MAIL_HOST | json | ini }}\n{% endif %}\n")
    product.boot()
    assert product.processes() == "2"
    assert "command=/bin/sleep 6379" in product.read("run/programs/redis.conf")
    product.boot(APP_REDIS_URL="redis://10.0.0.5", APP_MAIL_HOST="100% mail")
    assert product.processes() == "2"
    assert 'HOST="100%% mail"' in product.read("run/programs/mail.conf")
    product.put("run/programs/theirs.conf", "")
    (product.folder / "in/programs/mail.conf").unlink()
    told = product.boot()
    assert "mail.conf: removed, because its template is gone" in told
    assert product.names("run/programs") == [".linchpin-programs.list", "redis.conf", "theirs.conf"]


def test_templates_know_which_services_there_are(product):
    product.configure("[template:x]\nsource=%(here)s/in/x\ntarget=%(here)s/out/x\n[program:redis]\ncommand=/bin/sleep 1\nenabled=is_local(APP_REDIS_URL)\n")
    product.put("in/x", "{{ services | join(' ') }} {{ service.redis.enabled }}\n")
    product.boot()
    assert product.read("out/x") == "redis web true\n"
    product.boot(APP_REDIS_URL="redis://10.0.0.5")
    assert product.read("out/x") == "web false\n"


def test_a_mistake_has_its_line_and_leaves_everything_as_it_was(product):
    product.configure("[template:x]\nsource=%(here)s/in/x\ntarget=%(here)s/out/x\n")
    product.put("in/x", "{{ APP_DOMAIN }}\n")
    product.boot()
    for text, expected in [
        ("\n\n{{ APP_DOMIAN }}", "in/x:3: there is no `APP_DOMIAN`; did you mean `APP_DOMAIN`?"),
        ("{{ APP_MAIL_HOST }}", "in/x:1: the setting APP_MAIL_HOST has no value"),
        ("a\n{% if x", "in/x:2: syntax error"),
        ("{{ APP_SECRET + 1 }}", "in/x:1: "),
    ]:
        product.put("in/x", text)
        told = product.boot(status=1, APP_SECRET="s3cret")
        assert expected in told and "s3cret" not in told, told
    assert product.read("out/x") == "localhost\n" and product.names("out") == ["x"]
    # A setting that is wrong is nothing to make files of.
    assert "[settings]: APP_REDIS_URL (environment)" in product.boot(status=1, APP_REDIS_URL="nonsense")


def test_a_dry_run_shows_what_would_change_and_no_secret(product):
    product.configure("[template:x]\nsource=%(here)s/in/x\ntarget=%(here)s/out/x\nvalidate=/bin/false {file}\n")
    product.put("in/x", "domain {{ APP_DOMAIN }}\nsecret {{ APP_SECRET | upper }}\nurl {{ APP_REDIS_URL }}\n")
    old = {"APP_SECRET": "first-one", "APP_REDIS_URL": "redis://:first-one@localhost"}
    told = product.boot("templates", "--dry-run", **old)
    assert "would be looked at by `/bin/false {file}`" in told and "+domain localhost" in told
    assert product.names("out") == [] and product.names("run") == []
    product.conf.write_text(product.conf.read_text().replace("/bin/false", "/bin/true"))
    product.boot(**old)
    new = {"APP_SECRET": "second-one", "APP_REDIS_URL": "redis://:second-one@localhost"}
    told += product.boot("templates", "--dry-run", APP_DOMAIN="example.org", **new)
    assert "-domain localhost" in told and "+domain example.org" in told and " secret ********" in told, told
    assert "-one" not in told.lower(), told
    assert "SECRET FIRST-ONE" in product.read("out/x").upper()


def test_a_kill_at_any_moment_leaves_one_of_the_two(product):
    product.configure("[template:x]\nsource=%(here)s/in/x\ntarget=%(here)s/out/x\nvalidate=/bin/true\n" + PROGRAMS)
    product.put("in/x", "{{ APP_DOMAIN }}\n" * 2000)
    for name in ("a", "b"):
        product.put(f"in/programs/{name}.conf", "; {{ APP_DOMAIN }}\n")
    began = time.monotonic()
    product.boot(APP_DOMAIN="one")
    whole = time.monotonic() - began
    for turn in range(25):
        domain = random.choice(["one", "two"])
        command = product.command("boot", "templates")
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=product.environment({"APP_DOMAIN": domain}))
        time.sleep(whole * turn / 24)
        process.kill()
        process.wait()
        assert product.read("out/x") in ("one\n" * 2000, "two\n" * 2000)
        for name in ("a", "b"):
            assert product.read(f"run/programs/{name}.conf") in ("; one\n", "; two\n")
    product.boot(APP_DOMAIN="three")
    assert product.read("out/x") == "three\n" * 2000 and product.names("out") == ["x"]
    assert product.names("run/programs") == [".linchpin-programs.list", "a.conf", "b.conf"]

DAEMON = """\
[linchpin]
settings_file=%(here)s/product.env
run_directory=%(here)s/run
[setting:REDIS_URL]
type=url
default=redis://127.0.0.1:6379
[include]
files=%(here)s/run/programs/*.conf
[template:programs]
source=%(here)s/in
target=%(here)s/run/programs
validate=/bin/sh -c 'echo asked >> asked; ! grep -r refused "$0"' {file}
[program:web]
command=/bin/sleep 1000
"""


def test_the_daemon_makes_them_before_it_reads_its_programs_and_at_each_reread(new_daemon):
    daemon = new_daemon(programs=DAEMON)
    source, settings = daemon.directory / "in", daemon.directory / "product.env"
    source.mkdir()
    (source / "redis.conf").write_text("{% if is_local(REDIS_URL) %}\n[program:redis]\ncommand=/bin/sleep 1000\n{% endif %}\n")
    daemon.start()
    daemon.until_running("redis")
    settings.write_text("REDIS_URL=redis://10.0.0.5\n")
    daemon.control("update")
    assert "redis" not in daemon.control("status").stdout
    # What is refused while the daemon runs, and reaps every child, leaves everything as it is.
    (source / "redis.conf").write_text("[program:refused]\ncommand=/bin/sleep 1000\n")
    assert "refused" not in daemon.control("update").stdout
    daemon.until_logged("refuses it with exit status 1")
    assert (daemon.directory / "asked").read_text() == "asked\n" * 3
    settings.write_text("")
    (source / "redis.conf").write_text("[program:redis]\ncommand=/bin/sleep 1000\n")
    daemon.control("update")
    daemon.until_running("redis")


@pytest.mark.root
def test_a_daemon_that_goes_on_as_a_user_can_make_them_anew(new_daemon):
    daemon = new_daemon(programs=DAEMON, supervisord="user=nobody\n", unix_http_server="chown=nobody\n")
    os.chown(daemon.directory, 65534, 65534)
    source = daemon.directory / "in"
    source.mkdir()
    (source / "a.conf").write_text("[program:a]\ncommand=/bin/sleep 1000\n")
    daemon.start()
    daemon.until_running("a")
    for path in ("run/programs", "run/programs/a.conf", "run/programs/.linchpin-programs.list", "run/templates/programs"):
        assert (daemon.directory / path).stat().st_uid == 65534, path
    (source / "a.conf").unlink()
    (source / "b.conf").write_text("[program:b]\ncommand=/bin/sleep 1000\n")
    daemon.control("update")
    daemon.until_running("b")
    assert sorted(daemon.states()) == ["b:b", "web:web"]


@needs_redis
def test_redis_reads_a_password_as_it_is(product):
    password = """it's "p\\w" %(x)s # ; é {{ }}"""
    product.configure("[template:redis]\nsource=%(here)s/in/redis.conf\ntarget=%(here)s/out/redis.conf\n")
    product.put("in/redis.conf", "port 0\nunixsocket {{ (env.HOME ~ '/redis.sock') | json }}\nsave \"\"\nrequirepass {{ APP_SECRET | json }}\n")
    product.boot(APP_SECRET=password)
    server = subprocess.Popen(["redis-server", str(product.folder / "out/redis.conf")], stdout=subprocess.DEVNULL, cwd=product.folder)
    try:
        until((product.folder / "redis.sock").exists, "the socket of Redis")
        ask = ["redis-cli", "-s", str(product.folder / "redis.sock"), "ping"]
        answers = [
            subprocess.run(ask, capture_output=True, text=True, timeout=20, env={**os.environ, **extra}).stdout.strip()
            for extra in ({}, {"REDISCLI_AUTH": password})
        ]
        assert "NOAUTH" in answers[0] and answers[1] == "PONG"
    finally:
        server.kill()
        server.wait()


def test_services_that_need_what_was_refused_can_be_left_out(new_daemon):
    text = DAEMON + "[program:other]\ncommand=/bin/sleep 1000\n"
    daemon = new_daemon(programs=text.replace("[template:programs]\n", "[template:programs]\non_failure=skip\nservices=web\n"))
    (daemon.directory / "in").mkdir()
    (daemon.directory / "in/a.conf").write_text("[program:refused]\n")
    daemon.start()
    daemon.until_running("other")
    assert sorted(daemon.states()) == ["other:other"]
    (daemon.directory / "in/a.conf").write_text("[program:a]\ncommand=/bin/sleep 1000\n")
    daemon.control("update")
    daemon.until_running("a", "web")
