"""Real programs in one file: PostgreSQL and its first-boot job, Redis, a Java backend, a Node server, and Caddy in front of them.

    postgres-init ─completed→ postgres ─ready→ backend ─ready→ caddy
                              redis ─ready→ backend, rts ─ready→ caddy
"""
import glob
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from .rpc import free_port

PROGRAMS = Path(__file__).resolve().parents[1] / "programs" / "stack"
# What each needs, with the conditions that the file states.
NEEDS = {
    "postgres-init": [], "redis": [], "postgres": ["postgres-init"], "backend": ["postgres", "redis"], "rts": ["redis"],
    "caddy": ["backend", "rts"],
}
# PostgreSQL refuses to run as root, and its package brings this account.
ACCOUNT = "postgres"

FILE = """\
[supervisord]
logfile=%(here)s/main.log
pidfile=%(here)s/main.pid
childlogdir=%(here)s
environment=WEB_PORT="{web}",BACKEND_PORT="{backend}",RTS_PORT="{rts}"
[linchpin]
socket=%(here)s/l.sock
state_directory=%(here)s/state
[unix_http_server]
file=%(here)s/s.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://%(here)s/s.sock

[program:caddy]
command=caddy run --adapter caddyfile --config {programs}/Caddyfile
environment=XDG_DATA_HOME="%(here)s",XDG_CONFIG_HOME="%(here)s"
depends_on=backend ready, rts ready
readiness=http://127.0.0.1:{web}/health body="PostgreSQL and Redis answer"
  http://127.0.0.1:{web}/rts/health body="Redis answers"
startsecs=0
stdout_logfile=%(here)s/caddy.log
redirect_stderr=true

[program:backend]
command=java -Xshare:auto -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData -Xmx64m -cp {classes} Backend {backend} {postgres} {redis} %(here)s/backend
depends_on=postgres ready, redis ready
readiness=http://127.0.0.1:{backend}/health
readiness_interval=200ms
startsecs=0
stdout_logfile=%(here)s/backend.log
redirect_stderr=true
; A JVM that was told to end by SIGTERM says 143.
exitcodes=0,143

[program:rts]
command=node {programs}/rts.mjs {rts} {redis} %(here)s/rts
depends_on=redis ready
readiness=http://127.0.0.1:{rts}/health
startsecs=0
stdout_logfile=%(here)s/rts.log
redirect_stderr=true

[program:redis]
command=redis-server --bind 127.0.0.1 --port {redis} --dir %(here)s --save "" --appendonly no
readiness=exec:redis-cli -e -h 127.0.0.1 -p {redis} ping
{redis_gate}
readiness_interval=200ms
startsecs=0
autorestart=true
stdout_logfile=%(here)s/redis.log
redirect_stderr=true

[program:postgres]
command={bin}/postgres -D %(here)s/pg/data -h 127.0.0.1 -p {postgres} -k "" -c fsync=off
{account}
depends_on=postgres-init completed
readiness=tcp://127.0.0.1:{postgres}
  exec:{bin}/pg_isready -q -h 127.0.0.1 -p {postgres}
; A fast shutdown: SIGTERM would wait until every client has gone.
stopsignal=INT
startsecs=0
stdout_logfile=%(here)s/postgres.log
redirect_stderr=true

[program:postgres-init]
command={bin}/initdb -D %(here)s/pg/data -A trust -U postgres -N --no-instructions
{account}
oneshot=true
marker=%(here)s/pg/initialised
autorestart=false
startsecs=0
stdout_logfile=%(here)s/postgres-init.log
redirect_stderr=true
"""


def postgres_programs():
    """Where Debian keeps them, which is not in the search path, or wherever they are."""
    versions = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int("0" + "".join(filter(str.isdigit, path.split("/")[4]))))
    found = shutil.which("postgres")
    return versions[-1] if versions else str(Path(found).resolve().parent) if found else None


def missing():
    """Why the stack cannot be run here; empty if it can."""
    absent = [command for command in ("redis-server", "redis-cli", "caddy", "java", "javac", "node") if not shutil.which(command)]
    if postgres_programs() is None:
        absent.append("postgres")
    if os.geteuid() == 0:
        try:
            pwd.getpwnam(ACCOUNT)
        except KeyError:
            absent.append(f"the account {ACCOUNT}")
    return absent


def classes(directory):
    """Compiles the backend, and makes what any account may read of it."""
    subprocess.run(["javac", "-d", directory, PROGRAMS / "Backend.java"], check=True)
    return directory


def write(daemon, classes, redis_gate=False):
    """Writes the file, with ports of its own; answers with these. With a gate Redis is ready only when `redis.gate` exists, too."""
    ports = {}
    while len(set(ports.values())) < 5:
        ports = {name: free_port() for name in ("web", "backend", "rts", "postgres", "redis")}
    for name in ("state", "pg"):
        (daemon.directory / name).mkdir()
    is_root = os.geteuid() == 0
    if is_root:
        shutil.chown(daemon.directory / "pg", ACCOUNT)
    account = f"user={ACCOUNT}" if is_root else ""
    gate = "  file:%(here)s/redis.gate" if redis_gate else ""
    daemon.write(FILE.format(**ports, programs=PROGRAMS, classes=classes, bin=postgres_programs(), account=account, redis_gate=gate))
    return ports
