"""The example that `make run` starts: a product that makes its secrets, its certificate and its files at the first start."""
import http.client
import json
import re
import shutil
import socket
import ssl
import stat
import subprocess

import pytest

from harness.processes import marked
from harness.product import address_elsewhere, copy_to, ours, ready, services
from harness.rpc import free_port
from harness.wait import until

pytestmark = pytest.mark.ours("settings, certificates and templates")

COMMANDS = ("redis-server", "python3", "node", "caddy")
# test_example_databases.py is about databases.
NO_DATABASE = {"DATABASE_URL": ""}


@pytest.fixture
def product(new_daemon):
    if missing := [command for command in COMMANDS if not shutil.which(command)]:
        pytest.skip(f"not installed: {', '.join(missing)}")
    return copy_to(new_daemon())


def visit(daemon, method="POST", host="localhost"):
    """The number of visits, as a browser is told that trusts the product's own authority."""
    context = ssl.create_default_context(cafile=str(daemon.state / "certificate-authority/ca.crt"))
    connection = http.client.HTTPSConnection("127.0.0.1", daemon.web, timeout=10, context=context)
    connection.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", daemon.web), 10), server_hostname=host)
    try:
        connection.request(method, "/visits", headers={"Host": f"{host}:{daemon.web}", "Content-Length": "0"})
        response = connection.getresponse()
        assert response.status == 200, response.read()
        return json.loads(response.read())["visits"]
    finally:
        connection.close()


def test_it_boots_from_an_empty_volume_and_settings_alone_move_it(product):
    ready(product.start(environment=NO_DATABASE))
    assert visit(product) == 1
    settings = (product.state / "product.env").read_text()
    password = re.search(r"REDIS_PASSWORD=(\S+)", settings)[1].strip("'\"")
    generated = product.state / "run/redis.conf"
    assert password in generated.read_text()
    assert stat.S_IMODE(generated.stat().st_mode) == 0o600
    # It stands nowhere where others could read it.
    assert all(password.encode() not in open(f"/proc/{pid}/cmdline", "rb").read() for pid in marked(product.marker))
    assert password not in product.log()

    # Another name: a new certificate, a new Caddyfile, and nobody else is touched.
    before = {name: product.info(name)["pid"] for name in ("redis", "backend", "realtime")}
    ours(product, "settings", "apply", "PRODUCT_DOMAIN=product.localhost")
    assert visit(product, host="product.localhost") == 2
    assert {name: product.info(name)["pid"] for name in before} == before

    # A Redis where nobody answers: everything goes back to what it was.
    refused = ours(product, "settings", "apply", "--timeout", "4", "REDIS_URL=redis://192.0.2.1:6379", check=False)
    assert refused.returncode == 5, refused
    ready(product)
    assert visit(product, host="product.localhost") == 3
    product.until_running("redis")


def test_an_external_redis_takes_the_place_of_the_embedded_one_and_gives_it_back(product):
    ready(product.start(environment=NO_DATABASE))
    assert visit(product) == 1
    port = free_port()
    address = address_elsewhere()
    if not address:
        product.stop()
        pytest.skip("this machine has no address besides the loopback")
    password = ours(product, "settings", "get", "REDIS_PASSWORD", "--reveal").stdout.strip()
    other = subprocess.Popen(
        ["redis-server", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=product.directory, env=product.environment()
    )
    try:
        other.stdin.write(f"bind {address}\nport {port}\nsave \"\"\nrequirepass {password}\n".encode())
        other.stdin.close()
        ours(product, "settings", "apply", f"REDIS_URL=redis://{address}:{port}")
        assert "redis" not in services(product)
        assert until(lambda: visit(product), "a visit is counted elsewhere") == 1
        ours(product, "settings", "apply", "--unset", "REDIS_URL")
        product.until_running("redis")
        assert visit(product) == 2, "what was counted here is still here"
    finally:
        other.kill()
        other.wait()
