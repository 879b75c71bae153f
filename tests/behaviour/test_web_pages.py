"""The web pages answer as the original's do: statuses, headers, redirects and messages.

Both get the same requests, one after the other; the pages themselves look different, so of them only the
parts are compared that bookmarks, scripts and monitors know.
"""
import html
import http.client
import re
import socket
from urllib.parse import unquote

import pytest

from harness import rpc
from harness.compare import normal
from harness.daemon import Daemon, Directory
from harness.subject import LINCHPIN, NO_ORIGINAL, ORIGINAL, TESTED
from harness.wait import until

PROGRAMS = """
[inet_http_server]
port=127.0.0.1:{port}
[program:cat]
command=/bin/cat
startsecs=0
[program:x]
command=/bin/cat
startsecs=0
[program:y]
command=/bin/cat
startsecs=0
autostart=false
[group:pair]
programs=x,y
[program:manual]
command=/bin/cat
startsecs=0
autostart=false
[program:missing]
command=/no/such/program
autostart=false
[program:text]
command=/etc/passwd
autostart=false
[program:quick]
command=/bin/false
autostart=false
startretries=0
[program:talker]
command=/bin/sh -c 'i=0; while [ $i -lt 300 ]; do echo "line $i <b> & so on"; i=$((i+1)); done; exec sleep 9999'
[program:silent]
command=/bin/sleep 9999
stdout_logfile=NONE
"""
COMPARED_HEADERS = ("Content-Type", "Location", "Pragma", "Cache-Control", "Expires", "Server")


def make(subject, directory, programs=PROGRAMS):
    port = rpc.free_port()
    daemon = Daemon(directory, subject).configure(programs=programs.format(port=port)).start()
    daemon.port = port
    return daemon


@pytest.fixture(scope="module")
def daemons():
    """The one that is tested and, where there is one, the original."""
    directories, made = [], []
    try:
        for subject in [TESTED] + ([ORIGINAL] if ORIGINAL and TESTED is LINCHPIN else []):
            directories.append(Directory())
            made.append(make(subject, directories[-1].path))
        for daemon in made:
            daemon.until_running("cat", "pair:x", "talker", "silent")
            until(lambda: "line 299" in daemon.supervisor("readProcessStdoutLog", "talker", -50, 0), "the talker has talked")
        yield made
    finally:
        for daemon in made:
            daemon.discard()
        for directory in directories:
            directory.remove()


@pytest.fixture
def both(daemons):
    if len(daemons) < 2:
        pytest.skip(NO_ORIGINAL if TESTED is LINCHPIN else "nothing to calibrate")
    return daemons


def ask(daemon, method, target, headers=None, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=30)
    try:
        connection.request(method, target, body, headers or {})
        response = connection.getresponse()
        return response, response.read().decode(errors="replace")
    finally:
        connection.close()


def shape(daemon, method, target, headers=None, body=None):
    """What is compared of an answer."""
    response, text = ask(daemon, method, target, headers, body)
    seen = {"status": response.status, **{name: response.headers[name] for name in COMPARED_HEADERS}}
    if location := seen["Location"]:
        location = location.replace(f":{daemon.port}", ":PORT")
        seen["Location"] = re.sub(r"(at%20\w{3}%20\w{3}%20)[%\w]*", r"\1TIME", location)
    if response.status >= 300:
        seen["body"] = text
    return seen


# In this order, as each finds what those before it have left.
ACTIONS = [
    "action=refresh",
    "action=restart&processname=cat",
    "action=stop&processname=cat",
    "action=stop&processname=cat",
    "action=start&processname=cat",
    "action=start&processname=cat",
    "action=restart&processname=manual",
    "action=stop&processname=pair%3Ax",
    "action=start&processname=pair:x",
    "action=start&processname=x",
    "action=start&processname=pair:*",
    "action=stop&processname=pair:",
    "action=start&processname=nobody",
    "action=stop&processname=n%C3%B6body+%3Cb%3E",
    "action=start&processname=missing",
    "action=start&processname=text",
    "action=start&processname=quick",
    "action=restart&processname=quick",
    "action=clearlog&processname=cat",
    "action=clearlog&processname=silent",
    "action=clearlog&processname=nobody",
    "action=dance&processname=cat",
    "action=dance&processname=nobody",
    "action=start",
    "action=start&processname=",
    "action=",
    "action=stop&processname=cat&action=start&processname=manual",
    "action=stopall",
    "action=restartall",
]


def test_actions_end_in_the_originals_redirects(both):
    ours, original = both
    for query in ACTIONS:
        for page in ("/index.html", "/"):
            seen, expected = (shape(daemon, "GET", f"{page}?{query}") for daemon in (ours, original))
            assert seen == expected, query
            if "all" in query or "start" in query:
                break
    assert ours.states() == original.states()


def test_posted_forms_do_the_same(both):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    # Nothing here takes time; whose field counted is seen from the message.
    for target, body in [
        ("/index.html", "action=stop&processname=missing"),
        ("/", "processname=missing&action=start"),
        ("/index.html?processname=missing&action=stop", "x=y"),
        ("/index.html?processname=nobody&action=stop", "processname=missing&action=start"),
        ("/index.html", "action=refresh&action=stop&processname=nobody&processname=missing"),
        ("/index.html?action=start&processname=missing", "action="),
        ("/index.html", "action=stop&processname=n%C3%B6body+%3Cb%3E"),
    ]:
        seen, expected = (shape(daemon, "POST", target, form, body) for daemon in both)
        assert seen == expected, (target, body)


HOSTS = ["example:8080", "example:80", "example", "example:", "[::1]:9001", "10.0.0.1:80", None]


@pytest.mark.parametrize("host", HOSTS)
def test_redirects_use_the_name_by_which_the_server_was_called(both, host):
    locations = []
    for daemon in both:
        with socket.create_connection(("127.0.0.1", daemon.port), timeout=30) as connection:
            line = f"Host: {host}\r\n" if host else ""
            connection.sendall(f"GET /?action=refresh HTTP/1.0\r\n{line}\r\n".encode())
            answer = connection.makefile("rb").read().decode()
        location = re.search(r"^Location: (\S+)", answer, re.M)[1].replace(str(daemon.port), "PORT")
        # The original looks its own name up.
        locations.append(re.sub(r"//localhost(:PORT)", r"//127.0.0.1\1", location.partition("?")[0]))
    assert locations[0] == locations[1]


FILES = [
    ("GET", "/stylesheets/supervisor.css"),
    ("GET", "/images/icon.png"),
    ("GET", "/images/supervisor.gif"),
    ("GET", "/images/rule.gif"),
    *(("GET", f"/images/state{number}.gif") for number in range(4)),
    ("HEAD", "/images/icon.png"),
    ("POST", "/images/icon.png"),
    ("GET", "/images/icon.png?x=1"),
    ("GET", "/images/%69con.png"),
    ("GET", "/images/"),
    ("GET", "/images/nothing.png"),
    ("GET", "/nothing"),
    ("HEAD", "/"),
    ("HEAD", "/index.html"),
    ("HEAD", "/ok.html"),
    ("PUT", "/index.html"),
    ("DELETE", "/"),
    ("GET", "/ok.html"),
    ("GET", "/ok.html?x=1"),
    ("GET", "/OK.html"),
    ("GET", "/index.html/"),
    ("GET", "//index.html"),
    ("GET", "//ok.html"),
    ("GET", "/ind%65x.html"),
]


@pytest.mark.parametrize(("method", "target"), FILES)
def test_other_addresses_answer_with_the_same_statuses(both, method, target):
    seen, expected = (shape(daemon, method, target) for daemon in both)
    if method == "HEAD" or seen["status"] == 200 == expected["status"]:
        seen.pop("body", None), expected.pop("body", None)
    assert seen == expected


def test_files_are_not_sent_twice(daemons):
    for daemon in daemons:
        response, body = ask_bytes(daemon, "/images/icon.png")
        assert response.status == 200 and body.startswith(b"\x89PNG")
        date = response.headers["Last-Modified"]
        for since, status in [(date, 304), ("Fri, 31 Dec 2100 00:00:00 GMT", 304), ("Thu, 01 Jan 1970 00:00:00 GMT", 200)]:
            response, body = ask_bytes(daemon, "/images/icon.png", {"If-Modified-Since": since})
            assert response.status == status, (str(daemon.subject), since)
            assert bool(body) == (status == 200)


def ask_bytes(daemon, target, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=30)
    try:
        connection.request("GET", target, headers=headers or {})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def text_of_tail(page):
    return html.unescape(re.search(r"<pre[^>]*>(.*)</pre>", page, re.S)[1])


@pytest.mark.parametrize(
    "query",
    [
        "processname=talker",
        "processname=talker&limit=3000",
        "processname=talker&limit=5",
        "processname=talker&limit=-3000",
        "processname=talker&limit=x",
        "processname=talker&limit=99999999",
        "processname=talker&limit=2000&limit=3000",
        "processname=silent",
        "processname=manual",
        "processname=nobody%3Cb%3E",
        "processname=pair:*",
        "limit=5000",
        "",
    ],
)
def test_tails_show_the_same_text_and_keep_their_limit(both, query):
    seen = []
    for daemon in both:
        response, page = ask(daemon, "GET", f"/tail.html?{query}")
        links = re.findall(r'"(tail\.html\?[^"]*)"', page)
        title = html.unescape(re.search("<title>(.*?)</title>", page, re.S)[1])
        headers = {name: response.headers[name] for name in COMPARED_HEADERS}
        seen.append((response.status, headers, title, text_of_tail(page), [html.unescape(link) for link in links[:1]]))
    if "99999999" in query:
        # Ours has a bound.
        seen = [(*each[:4], []) for each in seen]
    assert seen[0] == seen[1]


def rows(page):
    """State, class, description and name of every process: what monitors read."""
    pattern = r'<span class="(status\w+)">(\w+)</span>.*?<span>([^<]*)</span>.*?<a href="tail\.html\?processname=([^"]*)"'
    return [(kind, state, normal(html.unescape(text)), unquote(name)) for kind, state, text, name in re.findall(pattern, page, re.S)]


def test_the_status_page_tells_the_same(both):
    """After the same actions, so in the same states."""
    seen = []
    for daemon in both:
        response, page = ask(daemon, "GET", "/?message=A%20%3Cb%3E%20message")
        headers = {name: response.headers[name] for name in COMPARED_HEADERS}
        assert "A &lt;b" in page and "A <b" not in page
        seen.append((response.status, headers, "<title>Supervisor Status</title>" in page, rows(page)))
    assert seen[0] == seen[1]
    assert len(seen[0][3]) == 9


@pytest.mark.parametrize("subject", [TESTED], ids=str)
def test_the_pages_need_no_rpc_interface(new_daemon, subject):
    daemon = new_daemon()
    daemon.port = rpc.free_port()
    daemon.write(
        "[supervisord]\nlogfile=%(here)s/main.log\npidfile=%(here)s/main.pid\nchildlogdir=%(here)s\n"
        f"[inet_http_server]\nport=127.0.0.1:{daemon.port}\n[program:cat]\ncommand=/bin/cat\n"
    ).launch()

    def state():
        try:
            return [row[1] for row in rows(ask(daemon, "GET", "/")[1])]
        except OSError:
            return None

    until(lambda: state() == ["running"], "the page shows it running")
    response, _ = ask(daemon, "GET", "/index.html?action=stop&processname=cat")
    assert unquote(response.headers["Location"]).endswith("/?message=Process cat stopped")
    assert state() == ["stopped"]


def test_no_programs_at_all(new_daemon):
    daemon = new_daemon(programs="[inet_http_server]\nport=127.0.0.1:{port}\n".format(port=(port := rpc.free_port()))).start()
    daemon.port = port
    assert "No programs to manage" in ask(daemon, "GET", "/")[1]


# --- what only ours does


@pytest.mark.ours("it has no such headers")
def test_pages_allow_nothing_from_elsewhere(daemons):
    for target in ("/", "/tail.html?processname=cat"):
        response, page = ask(daemons[0], "GET", target)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'self'" in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert not re.search(r"<script|style=|//", page), page
        # Whoever puts a proxy in front may do so under any prefix.
        assert not re.search(r'(href|action)="/', page), page


BROWSER = {"User-Agent": "Mozilla/5.0", "Accept-Language": "en", "Upgrade-Insecure-Requests": "1"}
RESTART = "/index.html?action=restart&processname=cat"


def pid(daemon):
    return daemon.until_running("cat")[0]


def token(daemon):
    return re.search(r'name="token" value="(\w+)"', ask(daemon, "GET", "/")[1])[1]


@pytest.mark.ours("it takes them")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Referer": "http://evil.example/page"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {},
    ],
    ids=lambda headers: "-".join(headers) or "no word",
)
def test_another_site_cannot_act_through_a_browser(daemons, method, headers):
    daemon = daemons[0]
    daemon.supervisor("startProcess", "cat") if daemon.info("cat")["statename"] != "RUNNING" else None
    before = pid(daemon)
    body = "token=" + "0" * 32 if method == "POST" else None
    response, _ = ask(daemon, method, RESTART, {**BROWSER, **headers}, body)
    assert response.status == 403
    assert pid(daemon) == before


@pytest.mark.ours("it has no tokens")
@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://front.example"}, {}, {"Referer": "http://front.example/supervisor/"}],
    ids=["proxy that hides the host", "browser that does not tell", "old browser behind a proxy"],
)
def test_a_form_of_ours_is_known_by_its_token(daemons, headers):
    """A reverse proxy may put its own address in Host, so that Origin is no proof."""
    daemon = daemons[0]
    before = pid(daemon)
    response, _ = ask(daemon, "POST", RESTART, {**BROWSER, **headers}, f"token={token(daemon)}")
    assert response.status == 301
    assert pid(daemon) != before


@pytest.mark.ours("it sends them to the address in Host")
def test_browsers_are_sent_to_where_they_came_from(daemons):
    """So that scheme, name and prefix of a proxy in front stay as they are."""
    headers = {**BROWSER, "Sec-Fetch-Site": "same-origin"}
    response, _ = ask(daemons[0], "GET", "/index.html?action=refresh", headers)
    assert response.headers["Location"].startswith("./?message=Page%20refreshed")


@pytest.mark.ours("it does at once what a link says")
def test_a_bookmark_asks_once_more(daemons):
    daemon = daemons[0]
    before = pid(daemon)
    response, page = ask(daemon, "GET", RESTART, BROWSER)
    assert response.status == 403 and pid(daemon) == before
    address = html.unescape(re.search(r'<button formaction="([^"]+)">Restart cat</button>', page)[1])
    response, _ = ask(daemon, "POST", "/" + address, BROWSER, f"token={token(daemon)}")
    assert response.status == 301 and pid(daemon) != before
