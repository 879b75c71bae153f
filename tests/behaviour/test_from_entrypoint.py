"""The worked example of docs/from-entrypoint.md: its files are taken from the page, checked, booted and run.

What the page is not about has a stand-in: Java, Node, MongoDB and the jobs of databases, which test_example_databases.py is about.
"""
import http.client
import re
import shutil
import stat
import subprocess

import pytest

from harness.product import ours, ready, services
from harness.rpc import free_port
from harness.subject import REPOSITORY
from harness.wait import until

pytestmark = pytest.mark.ours("settings, templates and a boot")

PAGE = REPOSITORY / "docs/from-entrypoint.md"
# `path`, perhaps more words, and then the file.
BLOCK = re.compile(r"`(/opt/appsmith/[^`]+)`[^`]*?\n\n```\w*\n(.*?)^```$", re.M | re.S)
PORTS = ("27017", "6379", "8080", "8091", "80")
# One that answers what it is asked, as soon as it may.
SERVER = """\
#!/usr/bin/env python3
import http.server, pathlib, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"the product\\n")
while not pathlib.Path("{go}").exists():
    time.sleep(0.02)
http.server.ThreadingHTTPServer(("127.0.0.1", {port}), Handler).serve_forever()
"""
DONE = "#!/bin/sh\nexit 0\n"
STAYS = "#!/bin/sh\nexec sleep 9999\n"


@pytest.fixture
def product(new_daemon):
    if absent := [command for command in ("redis-server", "caddy") if not shutil.which(command)]:
        pytest.skip(f"not installed: {', '.join(absent)}")
    daemon = new_daemon()
    image, volume, scratch = (daemon.directory / name for name in ("image", "volume", "scratch"))
    ports = {number: str(free_port()) for number in PORTS}
    (image / "rts/bundle").mkdir(parents=True)

    def here(text):
        text = text.replace("/opt/appsmith", str(image)).replace("/appsmith-stacks", str(volume)).replace("/tmp/appsmith", str(scratch))
        return re.sub(r"(?<=[: =])(" + "|".join(PORTS) + r")(?=[\s/\"]|$)", lambda match: ports[match[1]], text, flags=re.M)

    for path, text in BLOCK.findall(PAGE.read_text()):
        place = daemon.directory / "image" / path.removeprefix("/opt/appsmith/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(here(text))
    daemon.file = image / "supervisord.conf"
    (image / "templates/loading.html").write_text("just a moment\n")
    stand_ins = {"java": SERVER, "node": SERVER, "mongod": SERVER, "mongosh": DONE, "pg_isready": DONE}
    port_of = {"java": ports["8080"], "node": ports["8091"], "mongod": ports["27017"]}
    programs = daemon.directory / "bin"
    jobs = {name: DONE for name in ("check-replica-set", "postgresql-check", "postgresql-first-boot", "postgresql-role")}
    for folder, scripts in ((programs, stand_ins), (image / "jobs", {**jobs, "postgresql-server": STAYS}), (image, {"run-mcp.sh": STAYS})):
        folder.mkdir(exist_ok=True)
        for name, text in scripts.items():
            go = daemon.directory / ("go" if name == "java" else "bin")
            (folder / name).write_text(text.format(port=port_of.get(name), go=go))
            (folder / name).chmod(0o755)
    daemon.volume, daemon.scratch, daemon.web = volume, scratch, int(ports["80"])
    daemon.socket = scratch / "supervisor.sock"
    environment = daemon.environment()
    daemon.environment = lambda extra=None: {**environment, "PATH": f"{programs}:{environment['PATH']}", **(extra or {})}
    return daemon


def checked(daemon, **environment):
    """The services that a check says are switched off."""
    asked = subprocess.run(
        [daemon.subject.daemon[0], "check", daemon.file], capture_output=True, text=True, env=daemon.environment(environment)
    )
    assert asked.returncode == 0 and "; 0 warnings" in asked.stdout, asked.stdout + asked.stderr
    assert not daemon.volume.exists(), "looking makes nothing"
    return set(re.findall(r"^switched off: ([^:]+):", asked.stdout, re.M))


def test_the_file_of_the_page_can_be_used_and_means_what_the_page_says(product):
    mongodb, postgresql = {"mongodb", "mongodb-first-boot"}, {"postgresql", "postgresql-first-boot", "postgresql-role"}
    assert checked(product) == {"mcp"}
    assert checked(product, APPSMITH_DB_URL="mongodb://db.example/a", APPSMITH_MCP_ENABLED="true") == mongodb
    # By its old name, and with a word in it by which a script is misled.
    assert checked(product, APPSMITH_MONGODB_URI="mongodb://db.example/localhost") == {"mcp", *mongodb}
    assert checked(product, APPSMITH_REDIS_URL="redis://cache.example") == {"mcp", "redis"}
    assert checked(product, APPSMITH_ENABLE_EMBEDDED_DB="0") == {"mcp", *postgresql}
    assert checked(product, DYNO="web.1") == {"mcp", "redis", *mongodb, *postgresql}


def ask(daemon, path):
    connection = http.client.HTTPConnection("127.0.0.1", daemon.web, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        daemon.policy = response.headers["Content-Security-Policy"]
        return response.status, response.read().decode()
    except OSError:
        return None
    finally:
        connection.close()


def test_the_files_of_the_page_boot_and_run(product):
    product.launch(command=[product.subject.daemon[0], "run", "-c", str(product.file)])
    # The door opens first, and says that there is nobody yet.
    assert until(lambda: ask(product, "/api/v1/health"), "Caddy listens") == (502, "just a moment\n")
    assert until(lambda: services(product), "it answers")["backend"] == "STARTING"
    (product.directory / "go").touch()
    ready(product)
    assert ask(product, "/api/v1/health") == (200, "the product\n")
    assert ask(product, "/rts/rts-api/v1/health-check") == (200, "the product\n")

    report = ours(product, "boot", "report").stdout
    assert not re.search(r"^\S+ \S+: (failed|warned)", report, re.M), report
    settings = product.volume / "configuration/docker.env"
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    password = re.search(r"^APPSMITH_REDIS_PASSWORD=(\w{32})$", settings.read_text(), re.M)[1]
    assert password in (product.scratch / "redis.conf").read_text()
    assert len((product.scratch / "mongodb-key").read_text().strip()) == 1008
    assert {"backup", "mongodb", "redis", "restore"} <= {path.name for path in (product.volume / "data").iterdir()}
    assert any(path.name.startswith("backend-") for path in (product.volume / "logs").iterdir())

    assert product.policy == "frame-ancestors 'self'"

    # Save & Restart: the door gets another file and is not restarted.
    before = product.info("editor")["pid"]
    ours(product, "settings", "apply", "APPSMITH_ALLOWED_FRAME_ANCESTORS='none'; script-src *")
    until(lambda: ask(product, "/api/v1/health") == (200, "the product\n") and product.policy == "frame-ancestors 'none'", "Caddy has read it")
    assert product.info("editor")["pid"] == before
    ours(product, "settings", "apply", "APPSMITH_MCP_ENABLED=true")
    assert services(product)["mcp"] in ("STARTING", "RUNNING")
