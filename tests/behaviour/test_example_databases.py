"""The databases of the example that `make run` starts: made at the first boot, repaired after any interruption, gone while they are elsewhere.

PostgreSQL is the real one. MongoDB is in no package registry, so its place is taken by `programs/stand_in_mongod` and
`programs/stand_in_mongosh`, which know what MongoDB's manual says of a first boot.
"""
import json
import os
import re
import shutil
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from harness.processes import marked
from harness.product import address_elsewhere, copy_to, ours, ready, services
from harness.real_stack import ACCOUNT, postgres_programs
from harness.rpc import free_port
from harness.wait import until

pytestmark = pytest.mark.ours("oneshots, settings and templates")

WRAPPER = Path(f"/usr/lib/{os.uname().machine}-linux-gnu/libnss_wrapper.so")
PROGRAMS = Path(__file__).with_name("programs")
# What stands before the backend, and does nothing for databases.
DOOR = ("program:realtime", "program:caddy", "template:caddyfile", "certificate:web", "setting:PRODUCT_DOMAIN")
AS_ACCOUNT = ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--init-groups", "--"] if os.geteuid() == 0 else []

# Stands in front of a real program and notes how it was called. `hold/wanted` names a program and a moment: there it becomes `hold/held`,
# and nothing goes on until that is gone.
SHIM = """\
#!/bin/sh
hold={directory}/hold
echo "{name} $*" >>$hold/calls
held() {{ mv $hold/wanted $hold/held; while [ -e $hold/held ]; do sleep 0.02; done; }}
case $(cat $hold/wanted 2>/dev/null) in
"{name} before") held ;;
"{name} within") {within} ;;
"{name} after") {real} "$@"; held; exit 0 ;;
esac
exec {real} "$@"
"""
# Half of an initdb, and all of the role but its database.
WITHIN = {
    "initdb": '{real} "$@" & until [ -e $2/global/pg_control ]; do sleep 0.01; done; kill -9 $!; held',
    "psql": 'sed "/CREATE DATABASE/d" | {real} "$@"; held',
}


def copied(daemon):
    """Without its door, and with less patience between two attempts."""
    copy_to(daemon, without=DOOR)
    return daemon.write(re.sub(r"(?m)^(oneshot=true|depends_on=postgresql-first-boot.*)$", r"\1\nrestart_delay=50ms", daemon.file.read_text()))


def missing(*commands):
    return [command for command in ("redis-server", "python3", *commands) if not shutil.which(command)]


@pytest.fixture
def product(new_daemon):
    """A copy of the example without its door, whose PostgreSQL can be held at moments of its first boot."""
    absent = missing("psql", "flock", "setpriv") + ([] if postgres_programs() else ["postgres"])
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)}")
    daemon = copied(new_daemon())
    shims = daemon.directory / "shims"
    shims.mkdir()
    daemon.hold = daemon.directory / "hold"
    daemon.hold.mkdir()
    daemon.hold.chmod(0o777)
    # What initdb makes is given to the disk at its end. Nobody pulls the plug here.
    real = {"initdb": f"{postgres_programs()}/initdb --no-sync", "psql": shutil.which("psql"), "sync": "true"}
    for name, command in real.items():
        within = WITHIN.get(name, ":").format(real=command)
        (shims / name).write_text(SHIM.format(directory=daemon.directory, name=name, real=command, within=within))
        (shims / name).chmod(0o755)
    daemon.path = {"PATH": f"{shims}:{os.environ['PATH']}"}
    return daemon


def boot(daemon):
    return daemon.start(environment=daemon.path)


def hold(daemon, moment):
    """Says where to hold next, and lets go on what is held."""
    (daemon.hold / "wanted").write_text(moment)
    (daemon.hold / "held").unlink(missing_ok=True)


def until_held(daemon):
    try:
        until((daemon.hold / "held").exists, "it is held")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{logs(daemon)}\n{daemon.said()}") from None


def pull_the_plug(daemon):
    """What the end of a container does: the daemon and everything that it started are killed at once."""
    daemon.discard()
    assert not marked(daemon.marker)


def logs(daemon):
    """Everything that was written, but the settings and what is made of them."""
    return "\n".join(path.read_text(errors="replace") for path in sorted(daemon.state.glob("*.log*")) if path.is_file())


def password_of(daemon):
    return ours(daemon, "settings", "get", "DATABASE_PASSWORD", "--reveal").stdout.strip()


def query(daemon, sql, password=None, address="127.0.0.1", port=None):
    """What a client is told that logs in as the product does."""
    environment = {**daemon.environment(), "PGPASSWORD": password or password_of(daemon), "PGCONNECT_TIMEOUT": "10"}
    words = ["psql", "-X", "-w", "-A", "-t", "-h", address, "-p", str(port or daemon.postgresql), "-U", "product", "-d", "product", "-c", sql]
    return subprocess.run(words, capture_output=True, text=True, env=environment, timeout=30)


def starts(daemon, **where):
    """How many starts the product has noted in its database."""
    asked = query(daemon, "SELECT count(*) FROM starts", **where)
    assert asked.returncode == 0, asked.stderr
    return int(asked.stdout)


def spawned(daemon, name):
    return len(re.findall(rf"spawned: '{name}'", daemon.log()))


def test_a_first_boot_makes_postgresql_and_later_ones_use_it(product):
    ready(boot(product))
    assert starts(product) == 1
    password = password_of(product)
    refused = query(product, "SELECT 1", password="wrong")
    assert refused.returncode != 0 and "password authentication failed" in refused.stderr
    # It stands nowhere where others could read it.
    calls = (product.hold / "calls").read_text()
    assert re.findall(r"^(\w+) ", calls, re.M) == ["initdb", "sync", "psql", "psql"]
    shown = [Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace") for pid in marked(product.marker)]
    assert any("postgres" in line for line in shown)
    assert password not in calls + logs(product) + "".join(shown)
    generated = product.state / "run/pg_service.conf"
    assert password in generated.read_text() and stat.S_IMODE(generated.stat().st_mode) == 0o600

    # A new password reaches the role, and nobody restarts the server for it.
    server = product.info("postgresql")["pid"]
    new = product.directory / "new-password"
    new.write_text("it's $(new) \\ \"%s\"")
    ours(product, "settings", "apply", "--from", f"DATABASE_PASSWORD={new}")
    assert starts(product, password=new.read_text()) == 2
    assert query(product, "SELECT 1", password=password).returncode != 0
    assert product.info("postgresql")["pid"] == server
    assert new.read_text() not in logs(product) + (product.hold / "calls").read_text()
    product.stop()

    ready(boot(product))
    assert starts(product) == 3
    assert spawned(product, "postgresql-first-boot") == 1
    assert "postgresql-first-boot is not run, as it was done before" in product.log()
    product.stop()

    # A volume from elsewhere: no marker, no settings. The data are used, and the role learns the new password.
    for name in ("postgresql.done", "product.env"):
        (product.state / name).unlink()
    ready(boot(product))
    assert "it is used as it is" in logs(product)
    assert password_of(product) != new.read_text()
    assert starts(product) == 4
    assert (product.hold / "calls").read_text().count("initdb ") == 1


def test_a_first_boot_of_postgresql_that_was_interrupted_is_repaired(product):
    data, done = product.state / "postgresql/data", product.state / "postgresql.done"

    # In the middle of initdb.
    hold(product, "initdb within")
    boot(product)
    until_held(product)
    pull_the_plug(product)
    assert (product.state / "postgresql/data.new/global/pg_control").exists() and not data.exists() and not done.exists()

    # When initdb has done its work and nobody knows yet; only the job is killed, and its initdb goes on.
    hold(product, "initdb after")
    boot(product)
    until_held(product)
    assert "the last attempt was interrupted" in logs(product)
    assert not data.exists()
    job = product.info("postgresql-first-boot")["pid"]
    os.kill(job, signal.SIGKILL)
    until(lambda: product.info("postgresql-first-boot")["pid"] not in (0, job), "it is tried again")
    calls = (product.hold / "calls").read_text()
    assert not data.exists() and calls.count("initdb ") == 2, "it waits for what the first attempt has left running"

    # The last thing before the marker.
    hold(product, "sync before")
    until_held(product)
    pull_the_plug(product)
    assert (data / "PG_VERSION").exists() and not done.exists()
    made = (data / "global/pg_control").stat().st_ino

    # The role is there, and its database is not; the server is killed, too.
    hold(product, "psql within")
    boot(product)
    until_held(product)
    assert done.exists() and (data / "global/pg_control").stat().st_ino == made
    refused = query(product, "SELECT 1")
    assert 'database "product" does not exist' in refused.stderr, refused
    os.kill(product.info("postgresql")["pid"], signal.SIGKILL)
    os.killpg(product.info("postgresql-role")["pid"], signal.SIGKILL)
    ready(product)
    assert starts(product) == 1

    # And once more when everything is there, but the number of the server is that of another program now.
    pull_the_plug(product)
    locks = [data / "postmaster.pid", *data.parent.glob(".s.PGSQL.*.lock")]
    with subprocess.Popen([*AS_ACCOUNT, "sleep", "9999"], env=product.environment()) as another:
        try:
            for lock in locks:
                _, *rest = lock.read_text().splitlines(keepends=True)
                lock.write_text(f"{another.pid}\n{''.join(rest)}")
            ready(boot(product))
        finally:
            another.kill()
    assert len(locks) == 2
    assert "lock file" not in (product.state / "postgresql.log").read_text()
    assert starts(product) == 2
    assert (product.hold / "calls").read_text().count("initdb ") == 3


@pytest.mark.root
def test_what_belongs_to_somebody_else_is_explained_and_not_touched(product):
    home = product.state / "postgresql"
    home.mkdir()
    (home / "theirs").write_text("kept")
    boot(product)
    product.until_state("postgresql-first-boot", "FATAL")
    assert spawned(product, "postgresql-first-boot") == 1, "another attempt would not help"
    assert f"{home} belongs to user 0" in logs(product) and "chown -R" in logs(product)
    assert services(product)["backend"] == "STARTING"
    assert [path.name for path in home.iterdir()] == ["theirs"] and home.stat().st_uid == 0

    # Given to the right user, with something else where the data go.
    shutil.chown(home, ACCOUNT)
    (home / "data").mkdir()
    (home / "theirs").rename(home / "data/theirs")
    product.supervisor("startProcess", "postgresql-first-boot", False)
    product.until_state("postgresql-first-boot", "FATAL")
    assert f"{home}/data is not empty" in logs(product)
    assert [path.name for path in home.rglob("*")] == ["data", "theirs"]
    product.stop()

    # Data that this PostgreSQL cannot read: nothing is started.
    (home / "data/theirs").rename(home / "data/PG_VERSION")
    shutil.chown(home / "data", ACCOUNT)
    (home / "data/PG_VERSION").write_text("9\n")
    ended = product.run_to_end(environment=product.path)
    assert ended.returncode == 2, ended
    assert re.search(rf"{home}/data was made by PostgreSQL 9, and here is \d+: install postgresql-9, or bring", ended.stderr), ended.stderr
    assert [path.name for path in home.rglob("*")] == ["data", "PG_VERSION"]


def test_without_a_postgresql_the_product_starts_without_a_database(new_daemon):
    if absent := missing():
        pytest.skip(f"not installed: {', '.join(absent)}")
    product = copied(new_daemon())
    common = product.directory / "jobs/postgresql.sh"
    common.write_text(common.read_text().replace("/usr/lib/postgresql/", "/nowhere/"))
    # Everything that can be called but what somebody may have linked there.
    path = product.directory / "path"
    path.mkdir()
    for place in os.environ["PATH"].split(":"):
        for program in Path(place).glob("*"):
            if program.name not in ("initdb", "postgres") and not (path / program.name).is_symlink():
                (path / program.name).symlink_to(program)
    product.start(environment={"PATH": str(path)})
    ready(product)
    assert services(product).keys() == {"redis", "backend"}
    report = ours(product, "boot", "report").stdout
    assert "PostgreSQL is not installed: there is no initdb (Debian: postgresql)" in report, report
    assert "remedy: install PostgreSQL, or name one elsewhere in DATABASE_URL" in report, report


@pytest.mark.root
def test_any_user_has_a_postgresql(product):
    """Also one without a name, as in a container that is given an arbitrary user id, where the library for that is there."""
    who = 1234567 if WRAPPER.exists() else 65534
    for path in (product.directory, *product.directory.rglob("*")):
        os.chown(path, who, 0)
    product.start(environment=product.path, before=("setpriv", f"--reuid={who}", "--regid=0", "--clear-groups", "--bounding-set=-all"))
    ready(product)
    assert starts(product) == 1
    assert {path.stat().st_uid for path in product.state.rglob("*")} == {who}


@pytest.fixture
def elsewhere(product):
    """A PostgreSQL that is not on the loopback, with the product's role and database."""
    address = address_elsewhere()
    if not address:
        pytest.skip("this machine has no address besides the loopback")
    place, port = product.directory / "elsewhere", free_port()
    place.mkdir()
    if AS_ACCOUNT:
        shutil.chown(place, ACCOUNT)
    programs, kept = postgres_programs(), {"env": product.environment(), "cwd": place, "check": True, "capture_output": True}
    subprocess.run([*AS_ACCOUNT, f"{programs}/initdb", "-D", place / "data", "-A", "trust", "-N", "-U", "product"], **kept)
    (place / "data/pg_hba.conf").write_text("host all all all scram-sha-256\nlocal all all trust\n")
    log = open(product.directory / "elsewhere.log", "w")
    server = subprocess.Popen(
        [*AS_ACCOUNT, f"{programs}/postgres", "-D", place / "data", "-h", address, "-p", str(port), "-k", place, "-c", "fsync=off"],
        env=product.environment(), stdout=log, stderr=log,
    )
    admin = [*AS_ACCOUNT, f"{programs}/psql", "-X", "-q", "-h", place, "-p", str(port), "-U", "product", "-d", "postgres"]
    asked = {"env": product.environment(), "text": True, "capture_output": True}
    sql = "ALTER ROLE product PASSWORD 'elsewhere';\nCREATE DATABASE product;\n"
    until(lambda: not subprocess.run([*admin, "-c", ""], **asked).returncode, "the other server answers")
    subprocess.run(admin, input=sql, check=True, **asked)
    yield address, port
    server.kill()
    server.wait()
    log.close()


def test_a_postgresql_elsewhere_takes_the_place_of_the_embedded_one_and_gives_it_back(product, elsewhere):
    address, port = elsewhere
    ready(boot(product))
    assert starts(product) == 1

    def apply(*words):
        return ours(product, "settings", "apply", "--timeout", "20", *words, check=False)

    # Nobody may log in like this: nothing comes of it.
    url = product.directory / "url"
    url.write_text(f"postgresql://product:wrong@{address}:{port}/product")
    refused = ours(product, "settings", "apply", "--timeout", "2", "--from", f"DATABASE_URL={url}", check=False)
    assert refused.returncode == 5 and "password authentication failed" in refused.stdout + refused.stderr, refused
    ready(product)
    assert starts(product) == 2 and "postgresql" in services(product)

    url.write_text(f"postgresql://product:elsewhere@{address}:{port}/product")
    applied = apply("--from", f"DATABASE_URL={url}")
    assert applied.returncode == 0, applied
    assert not {"postgresql", "postgresql-first-boot", "postgresql-role"} & services(product).keys()
    assert starts(product, password="elsewhere", address=address, port=port) == 1
    assert query(product, "SELECT 1").returncode != 0, "nobody is at the old address"

    applied = apply("--unset", "DATABASE_URL")
    assert applied.returncode == 0, applied
    ready(product)
    assert starts(product) == 3, "what was noted here is still here"


# --- MongoDB, by a stand-in


@pytest.fixture
def with_mongodb(new_daemon):
    if absent := missing("node"):
        pytest.skip(f"not installed: {', '.join(absent)}")
    daemon = copied(new_daemon())
    stand_ins = daemon.directory / "stand-ins"
    stand_ins.mkdir()
    for name in ("mongod", "mongosh"):
        (stand_ins / name).symlink_to(PROGRAMS / f"stand_in_{name}")
    daemon.path = {"PATH": f"{stand_ins}:{os.environ['PATH']}"}
    daemon.hold = daemon.state / "mongodb"
    daemon.hold.mkdir(mode=0o700)
    (daemon.state / "product.env").write_text(f"DATABASE_URL=mongodb://product@127.0.0.1:{daemon.mongodb}/product\n")
    return daemon


def known_to_mongodb(daemon):
    file = daemon.state / "mongodb/stand_in_mongod.json"
    return json.loads(file.read_text()) if file.exists() else None


def test_a_first_boot_makes_the_replica_set_and_the_user_of_mongodb(with_mongodb):
    product = ready(boot(with_mongodb))
    assert not any(name.startswith("postgresql") for name in services(product))
    known = known_to_mongodb(product)
    assert known["done"] == ["replSetInitiate", "createUser"] and list(known["users"]) == ["product"]
    key = product.state / "run/mongodb.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 and len(key.read_text().strip()) == 1008
    secrets = [password_of(product), key.read_text().strip()]
    shown = [Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace") for pid in marked(product.marker)]
    assert any("mongod" in line for line in shown)
    assert not any(secret in logs(product) + "".join(shown) for secret in secrets)
    product.stop()

    ready(boot(product))
    assert known_to_mongodb(product) == known
    assert spawned(product, "mongodb-first-boot") == 1

    # Elsewhere: nothing of it runs here.
    ours(product, "settings", "apply", "DATABASE_URL=mongodb://db.example/product")
    assert services(product).keys() == {"redis", "backend"}
    ours(product, "settings", "apply", f"DATABASE_URL=mongodb://127.0.0.1:{product.mongodb}/product")
    assert "mongodb" in services(product) and known_to_mongodb(product) == known
    product.stop()

    # A volume from elsewhere, with a password that nobody knows here.
    for name in ("mongodb.done", "product.env"):
        (product.state / name).unlink()
    (product.state / "product.env").write_text(f"DATABASE_URL=mongodb://product@127.0.0.1:{product.mongodb}/product\n")
    boot(product)
    product.until_state("mongodb-first-boot", "FATAL")
    assert "this MongoDB has users, and none of them is `product`" in logs(product)
    assert known_to_mongodb(product) == known


def test_a_first_boot_of_mongodb_that_was_interrupted_is_repaired(with_mongodb):
    product = with_mongodb
    hold(product, "replSetInitiate after")
    boot(product)
    until_held(product)
    pull_the_plug(product)
    assert known_to_mongodb(product)["done"] == ["replSetInitiate"]

    # The job is killed; the server goes on, and does not make the user of a client that has gone.
    hold(product, "createUser before")
    boot(product)
    until_held(product)
    assert not (product.state / "mongodb.done").exists()
    hold(product, "createUser after")
    os.killpg(product.info("mongodb-first-boot")["pid"], signal.SIGKILL)
    until_held(product)
    assert known_to_mongodb(product)["done"] == ["replSetInitiate", "createUser"]

    # The server is killed before it could answer; both are tried again.
    os.kill(product.info("mongodb")["pid"], signal.SIGKILL)
    ready(product)
    assert known_to_mongodb(product)["done"] == ["replSetInitiate", "createUser"]
    assert (product.state / "mongodb.done").exists()
