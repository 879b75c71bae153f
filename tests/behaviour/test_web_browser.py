"""People use the pages with a browser: a real one presses the buttons here.

`LINCHPIN_PICTURES` names a folder for pictures of the pages, for those who want to see them.
"""
import os

import pytest

from harness import rpc
from harness.browser import CHROMIUM, DRIVER, NO_BROWSER, Browser
from harness.wait import until

pytestmark = [
    pytest.mark.ours("its pages are others"),
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason=NO_BROWSER),
]
PROGRAMS = """
[inet_http_server]
port=127.0.0.1:{port}
[program:cat]
command=/bin/sh -c 'echo "<b>hello</b> & good morning"; exec cat'
[program:x]
command=/bin/cat
[program:a-rather-long-name-for-a-process-that-does-much]
command=/bin/cat
[group:pair]
programs=x,a-rather-long-name-for-a-process-that-does-much
[program:manual]
command=/bin/cat
autostart=false
[program:missing]
command=/no/such/program/at/all/which/is/a/long/path/to/be/shown --with=arguments
startretries=0
[program:flapping]
command=/bin/false
startretries=1000
[program:done]
command=/bin/true
startsecs=0
autorestart=false
"""
PICTURES = os.environ.get("LINCHPIN_PICTURES")


@pytest.fixture(scope="module")
def browser():
    browser = Browser(script=False)
    yield browser
    browser.close()


@pytest.fixture
def page(browser, new_daemon):
    """The status page of a new daemon, as its only visitor sees it."""
    port = rpc.free_port()
    daemon = new_daemon(programs=PROGRAMS.format(port=port)).start()
    daemon.until_running("cat", "pair:x")
    daemon.until_state("missing", "FATAL")
    daemon.until_state("done", "EXITED")
    daemon.home = f"http://127.0.0.1:{port}/"
    browser.resize(1200, 900)
    browser.open(daemon.home)
    return daemon


def told(browser):
    return browser.text("//*[@role='status']")


def row(name):
    return f"//tr[td[3]//a[normalize-space()='{name}']]"


def test_buttons_do_what_they_say(page, browser):
    for press, message, state in [
        ("Stop cat", "Process cat stopped", "stopped"),
        ("Start cat", "Process cat started", "running"),
        ("Restart cat", "Process cat restarted", "running"),
        ("Clear Log cat", "Log for cat cleared", "running"),
        ("Stop pair:x", "Process pair:x stopped", "running"),
    ]:
        before = page.info("cat")["pid"]
        browser.press(press)
        assert told(browser) == message
        assert browser.address.startswith(page.home + "?message=")
        assert browser.text(row("cat") + "/td[1]") == state
        assert (page.info("cat")["pid"] == before) == (press not in ("Stop cat", "Start cat", "Restart cat"))
    browser.press("Stop All")
    assert told(browser).startswith("All stopped at ")
    assert set(page.states().values()) <= {"STOPPED", "EXITED", "FATAL"}
    browser.press("Restart All")
    assert told(browser).startswith("All restarted at ")
    assert page.info("cat")["statename"] == "RUNNING"
    browser.press("Refresh")
    assert told(browser).startswith("Page refreshed at ")
    browser.press("Start missing")
    assert told(browser) == "ERROR: Process missing: no such file"


def test_the_tail_of_a_log_is_shown_and_shown_anew(page, browser):
    browser.press("cat")
    assert browser.title == "Supervisor tail of process cat"
    assert browser.text("//pre") == "<b>hello</b> & good morning"
    page.supervisor("sendProcessStdin", "cat", "another line\n")
    until(lambda: "another" in page.supervisor("readProcessStdoutLog", "cat", 0, 0), "the line is on file")
    browser.press("Show more")
    assert browser.address.endswith("tail.html?processname=cat&limit=8192")
    browser.press("Refresh")
    assert browser.address.endswith("tail.html?processname=cat&limit=8192")
    assert browser.text("//pre").endswith("another line")
    browser.press("All processes")
    assert browser.text(row("cat") + "/td[1]") == "running"


def test_pages_load_nothing_but_their_own_files(page, browser):
    browser.complaints()
    browser.press("Restart cat")
    browser.press("cat")
    assert browser.complaints() == []


@pytest.mark.parametrize("width", [1200, 360])
def test_pages_can_be_read_at_every_width(page, browser, width):
    browser.resize(width, 900)
    browser.press("Restart cat")
    if PICTURES:
        browser.picture(f"{PICTURES}/status-{width}.png")
    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth"), "it does not fit"
    # Words and shapes, so that nobody needs the colours; and a table stays a table.
    shapes = {}
    for name in ("cat", "missing", "manual"):
        word = browser.text(row(name) + "/td[1]")
        script = f"return getComputedStyle(document.evaluate(\"{row(name)}/td[1]/span\", document, null, 9).singleNodeValue, '::before').content"
        shapes[word] = browser.run(script)
    assert list(shapes) == ["running", "fatal", "stopped"] and len(set(shapes.values())) == 3
    assert browser.role_of(row("cat") + "/td[1]") in ("cell", "gridcell")
    assert browser.name_of("(" + row("cat") + "//button)[1]") == "Restart cat"
    browser.press("cat")
    if PICTURES:
        browser.picture(f"{PICTURES}/tail-{width}.png")
    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth"), "it does not fit"


def test_a_link_of_another_site_does_nothing_by_itself(page, browser, new_daemon, tmp_path):
    """A page elsewhere sends its visitor to an action, by a link and by a form."""
    before = page.info("cat")["pid"]
    target = page.home + "index.html?action=restart&processname=cat"
    elsewhere = tmp_path / "trap.html"
    elsewhere.write_text(f'<a href="{target}">Win</a><form method="post" action="{target}"><button>Play</button></form><img src="{target}">')
    for press in ("Win", "Play"):
        browser.open(elsewhere.as_uri())
        browser.press(press)
        until(lambda: browser.address == target, "the browser went there")
        assert page.info("cat")["pid"] == before
    if PICTURES:
        browser.picture(f"{PICTURES}/confirmation.png")
    browser.press("Restart cat")
    assert told(browser) == "Process cat restarted"
    assert page.info("cat")["pid"] != before
