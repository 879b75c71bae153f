"""The control socket: who may use it, and that it is there."""
import grp
import hashlib
import http.client
import pwd
import shutil
import stat
import xmlrpc.client

import pytest

from harness import rpc
from harness.wait import until

SLEEP = "[program:a]\ncommand=/bin/sleep 9999\n"


@pytest.mark.parametrize("option, mode", [("", 0o700), ("chmod=0700", 0o700), ("chmod=0770", 0o770), ("chmod=0777", 0o777), ("chmod=0600", 0o600)])
def test_mode(new_daemon, option, mode):
    daemon = new_daemon(programs=SLEEP, unix_http_server=option).start()
    assert stat.S_IMODE(daemon.socket.stat().st_mode) == mode


@pytest.mark.root
@pytest.mark.parametrize("option, user, group", [("chown=nobody:nogroup", "nobody", "nogroup"), ("chown=nobody", "nobody", "root"), ("chown=65534:4", "nobody", "adm")])
def test_owner(new_daemon, option, user, group):
    daemon = new_daemon(programs=SLEEP, unix_http_server=option).start()
    found = daemon.socket.stat()
    assert found.st_uid == pwd.getpwnam(user).pw_uid
    assert found.st_gid == grp.getgrnam(group).gr_gid


def test_it_is_gone_after_an_orderly_end(new_daemon):
    daemon = new_daemon(programs=SLEEP).start()
    assert daemon.stop() == 0
    assert sorted(path.name for path in daemon.directory.iterdir() if path.is_socket()) == []


def test_a_stale_socket_is_taken_over(new_daemon):
    first = new_daemon(programs=SLEEP).start()
    first.until_running("a")
    first.process.kill()
    first.process.wait()
    assert first.socket.exists()
    second = new_daemon(directory=first.directory).start()
    assert f"Unlinking stale socket {second.socket}" in second.errors.read_text() + second.output.read_text()
    assert second.supervisor("getPID") == second.pid


@pytest.mark.ours("it waits for hours without an answer on the old name")
def test_a_socket_file_that_somebody_deleted_comes_back(new_daemon):
    daemon = new_daemon(programs=SLEEP, unix_http_server="chmod=0750").start()
    (pid,) = daemon.until_running("a")
    for _ in range(3):
        daemon.socket.unlink()
        until(daemon.socket.exists, "the socket file is there again", 15)
        until(daemon.answers, "and answers", 15)
        assert stat.S_IMODE(daemon.socket.stat().st_mode) == 0o750
    assert daemon.info("a")["pid"] == pid
    assert daemon.stop() == 0
    assert not daemon.socket.exists()


@pytest.mark.ours("it keeps listening on nothing")
def test_the_socket_comes_back_when_its_whole_directory_was_cleaned(new_daemon):
    daemon = new_daemon()
    place = daemon.directory / "run"
    place.mkdir()
    daemon.configure(SLEEP)
    daemon.write(daemon.file.read_text().replace("file=%(here)s/s.sock", f"file={place}/s.sock"))
    daemon.socket = place / "s.sock"
    daemon.start()
    # More than once, because it is a race: the directory may go while the daemon is putting the socket back.
    for _ in range(5):
        # The daemon puts the socket back as soon as it is gone, perhaps before the directory is.
        while place.exists():
            shutil.rmtree(place, ignore_errors=True)
        # Nothing can be done until the directory is there; then it takes no more than a look.
        place.mkdir()
        until(daemon.answers, "the socket is back", 20)


def test_several_sockets_with_rights_of_their_own(new_daemon):
    more = "[unix_http_server:open]\nfile=%(here)s/open.sock\nchmod=0777\n[unix_http_server:guarded]\nfile=%(here)s/guarded.sock\nusername=u\npassword=p\n"
    daemon = new_daemon(programs=SLEEP + more).start()
    assert rpc.over_unix(daemon.directory / "open.sock").supervisor.getPID() == daemon.pid
    guarded = daemon.directory / "guarded.sock"
    with pytest.raises(xmlrpc.client.ProtocolError) as refused:
        rpc.over_unix(guarded).supervisor.getPID()
    assert refused.value.errcode == 401
    assert rpc.over_unix(guarded, rpc.basic("u", "p")).supervisor.getPID() == daemon.pid


# --- authentication

PASSWORD = "se:cret"
SHA = "{SHA}" + hashlib.sha1(PASSWORD.encode()).hexdigest()


def get(connection, path="/RPC2", headers=None):
    body = xmlrpc.client.dumps((), "supervisor.getPID")
    connection.request("POST", path, body, {"Content-Type": "text/xml", **(headers or {})})
    response = connection.getresponse()
    return response, response.read()


@pytest.mark.parametrize("stored", [PASSWORD, SHA], ids=["plain", "sha"])
@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_passwords(new_daemon, kind, stored):
    port = rpc.free_port()
    section = {
        "unix": f"[unix_http_server:x]\nfile=%(here)s/x.sock\nusername=u\npassword={stored}\n",
        "tcp": f"[inet_http_server]\nport=127.0.0.1:{port}\nusername=u\npassword={stored}\n",
    }[kind]
    daemon = new_daemon(programs=section + SLEEP).start()

    def connection():
        return rpc.UnixConnection(daemon.directory / "x.sock") if kind == "unix" else http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    response, body = get(connection(), headers=rpc.basic("u", PASSWORD))
    assert response.status == 200 and str(daemon.pid).encode() in body

    wrong = [("u", "wrong"), ("u", ""), ("wrong", PASSWORD), ("", ""), ("u", PASSWORD + "x"), ("u", SHA)]
    for username, password in wrong:
        response, body = get(connection(), headers=rpc.basic(username, password))
        assert response.status == 401, (username, password)
        assert response.headers["WWW-Authenticate"] == 'Basic realm="default"'
        assert str(daemon.pid).encode() not in body
    response, _ = get(connection())
    assert response.status == 401
    response, _ = get(connection(), headers={"Authorization": "Bearer " + "x" * 20})
    assert response.status == 401


@pytest.mark.parametrize("path", ["/", "/index.html", "/logtail/a", "/mainlogtail", "/tail.html?processname=a", "/stylesheets/supervisor.css", "/nothing"])
def test_a_password_guards_every_address(new_daemon, path):
    port = rpc.free_port()
    daemon = new_daemon(programs=f"[inet_http_server]\nport=127.0.0.1:{port}\nusername=u\npassword=p\n" + SLEEP).start()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    assert connection.getresponse().status == 401
    assert daemon.answers()
