"""`linchpin check FILE` and the start of the daemon say what is wrong with options that Supervisor skips over."""
import subprocess

import pytest

from harness.subject import LINCHPIN, ORIGINAL, TESTED

pytestmark = pytest.mark.skipif(TESTED is not LINCHPIN, reason="the original skips over these options")

CIRCLE = """\
[program:web]
command=/bin/sleep 9999
depends_on=api ready
[program:api]
command=/bin/sleep 9999
depends_on=redis started
[program:redis]
command=/bin/sleep 9999
depends_on=web ready
"""

# What is written into a program, the piece that is underlined, and what is said.
BAD_VALUES = {
    "unknown_kind": ("readiness=tpc://localhost:80", "tpc", "[program:a] readiness: there is no kind of probe `tpc`", "did you mean `tcp`?"),
    "no_port": ("readiness=tcp://localhost:http", "http", "`http` is no port", "write `tcp://host:port`"),
    "second_line": (
        "liveness=\n    tcp://localhost:80\n    http://localhost/ statsu=200",
        "statsu",
        "[program:a] liveness: `statsu` cannot follow",
        "did you mean `status=`?",
    ),
    "open_bracket": ("readiness=log:listening on [0-9", "listening on [0-9", "this is no regular expression", "backslash"),
    "once": ("liveness=fd:3", "fd:3", "`fd:` says something once", "use it for `readiness`"),
    "duration": ("restart_delay=1 minute", "1 minute", "[program:a] restart_delay: `1 minute` is no duration", "`500ms`"),
    "condition": ("depends_on=b redy", "redy", "[program:a] depends_on: `redy` is no condition", "did you mean `ready`?"),
    "name": ("depends_on=bb ready", "bb", "there is no group or process `bb`", "write the name"),
}


def check(file):
    binary = LINCHPIN.daemon[0]
    return subprocess.run([binary, "check", str(file)], capture_output=True, text=True, timeout=30)


def place(file, text):
    """Line and column of the only appearance of a text, as a message has them."""
    lines = file.read_text().splitlines()
    [(number, column)] = [(number, line.index(text)) for number, line in enumerate(lines) if text in line]
    return f"{file}:{number + 1}:{column + 1}"


def test_a_circle_is_drawn_with_every_place_where_it_can_be_broken(new_daemon):
    daemon = new_daemon(programs=CIRCLE)
    for result, output in ((check(daemon.file), "stdout"), (daemon.run_to_end(), "stderr")):
        assert result.returncode != 0
        text = getattr(result, output)
        assert "[program:web] depends_on: this waits for itself: web → api → redis → web" in text
        assert place(daemon.file, "api ready") in text
        for name, section in (("api", "web"), ("redis", "api"), ("web", "redis")):
            assert f"`{name}` in [program:{section}]" in text


@pytest.mark.parametrize("name", BAD_VALUES)
def test_a_bad_value_is_pointed_at_and_has_a_remedy(new_daemon, name):
    lines, piece, message, remedy = BAD_VALUES[name]
    daemon = new_daemon(programs=f"[program:a]\ncommand=/bin/sleep 9999\n{lines}\n")
    result = check(daemon.file)
    assert result.returncode != 0
    assert message in result.stdout
    assert remedy in result.stdout
    shown = result.stdout.splitlines()
    marked = next(number for number, line in enumerate(shown) if line.endswith("^" * len(piece)))
    start = shown[marked].index("^")
    assert shown[marked - 1][start:].startswith(piece)


def test_a_bare_list_with_mistakes_runs_as_ever_and_only_check_says_so(new_daemon, original):
    text = (
        "[program:a]\ncommand=/bin/sleep 9999\ndepends_on=nobody, a\n"
        "[program:b]\ncommand=/bin/sleep 9999\ndepends_on=%(nothing)s\n"
        "[program:c]\ncommand=/bin/sleep 9999\ndepends_on=a b\n"
    )
    theirs, ours = new_daemon(ORIGINAL, programs=text), new_daemon(programs=text)
    for daemon in (theirs, ours):
        daemon.start()
        daemon.until_running("a", "b", "c")
    assert "depends_on" not in ours.log()
    said = check(ours.file).stdout
    for message in ("no group or process `nobody`", "(a → a)", "`nothing` is not a name", "`a b` are several names"):
        assert message in said


def test_options_can_be_switched_off(new_daemon):
    daemon = new_daemon(programs="[linchpin]\nextensions=off\n[program:a]\ncommand=/bin/sleep 9999\ndepends_on=nobody ready\nreadiness=x\n")
    daemon.start()
    daemon.until_running("a")
    assert "`depends_on` does not count with `extensions=off`" in check(daemon.file).stdout
