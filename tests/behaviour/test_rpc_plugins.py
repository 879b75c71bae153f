"""RPC interfaces of others that are built in: the same calls to ours, and to the original with their packages."""
import xmlrpc.client

import pytest

from harness import plugins
from harness.compare import normal_value
from harness.daemon import Daemon, Directory
from harness.subject import LINCHPIN, ORIGINAL, TESTED
from harness.wait import until

TWIDDLER = "supervisor.rpcinterface_factory = supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface\n"
CACHE = "supervisor.rpcinterface_factory = supervisor_cache.rpcinterface:make_cache_rpcinterface\n"
PROGRAMS = f"""
[rpcinterface:twiddler]
{TWIDDLER}
[rpcinterface:shy]
{TWIDDLER}whitelist = log, getAPIVersion
[rpcinterface:cache]
{CACHE}
[program:cat]
command=/bin/cat
[program:b]
command=/bin/cat
[group:web]
programs=b
priority=1
"""


@pytest.fixture(scope="module")
def daemons():
    """The one that is tested and, where there is one, the original with the packages."""
    directories, made = [], []
    environment = plugins.for_original()
    subjects = [(TESTED, environment if TESTED is ORIGINAL else None)]
    if TESTED is LINCHPIN and environment:
        subjects.append((ORIGINAL, environment))
    try:
        for subject, environment in subjects:
            directories.append(Directory())
            daemon = Daemon(directories[-1].path, subject).configure(programs=PROGRAMS)
            made.append(daemon.start(environment=environment))
        for daemon in made:
            daemon.until_running("cat", "web:b")
        yield made
    finally:
        for daemon in made:
            daemon.discard()
        for directory in directories:
            directory.remove()


@pytest.fixture
def both(daemons):
    if len(daemons) < 2:
        pytest.skip("no original with supervisor_twiddler and supervisor_cache to compare with")
    return daemons


def call(daemon, method, *arguments):
    function = daemon.rpc
    for part in method.split("."):
        function = getattr(function, part)
    try:
        return normal_value(function(*arguments))
    except xmlrpc.client.Fault as fault:
        return ("fault", fault.faultCode, fault.faultString.replace(str(daemon.directory), "DIRECTORY"))


def compare(both, calls):
    for method, *arguments in calls:
        seen, expected = (call(daemon, method, *arguments) for daemon in both)
        assert seen == expected, (method, arguments)


def test_their_methods_are_listed_and_described(both):
    names = [set(daemon.rpc.system.listMethods()) for daemon in both]
    assert names[0] == names[1]
    for name in names[0]:
        if not name.startswith(("system.", "supervisor.")) and name not in ("cache.getCount", "twiddler.getAPIVersion", "shy.getAPIVersion"):
            # Those three are said to answer otherwise than they do.
            compare(both, [("system.methodSignature", name)])
    assert "@param" in both[0].rpc.system.methodHelp("shy.log")


def test_the_cache_keeps_what_clients_store(both):
    compare(
        both,
        [
            ("cache.getAPIVersion",),
            ("cache.getKeys",),
            ("cache.store", "b", "text <&>"),
            ("cache.store", "ä", [1, {"a": True, "b": 1.5}]),
            ("cache.store", "b", "another"),
            ("cache.getKeys",),
            ("cache.getCount",),
            ("cache.fetch", "b"),
            ("cache.fetch", "ä"),
            ("cache.fetch", "nothing"),
            ("cache.fetch", ""),
            ("cache.store", "", "x"),
            ("cache.store", 5, "x"),
            ("cache.store", "x"),
            ("cache.delete", "nothing"),
            ("cache.delete", "b"),
            ("cache.getCount",),
            ("cache.clear",),
            ("cache.getKeys",),
            ("cache.nothing",),
        ],
    )


def test_a_whitelist_allows_what_it_has(both):
    compare(
        both,
        [
            ("shy.getAPIVersion",),
            ("shy.log", "hello"),
            ("shy.getGroupNames",),
            ("shy.addProgramToGroup", "web", "x", {}),
            ("shy.nothing",),
        ],
    )


def test_clients_write_to_the_main_log(both):
    compare(
        both,
        [
            ("twiddler.log", "plain %d words"),
            ("twiddler.log", "as a warning", "warn"),
            ("twiddler.log", "as an error", 40),
            ("twiddler.log", "quietly", "BLAT"),
            ("twiddler.log", "x", "nonsense"),
            ("twiddler.log", "x", 33),
            ("twiddler.log", "x", "critical"),
        ],
    )
    for daemon in both:
        for line in ("INFO plain %d words", "WARN as a warning", "ERRO as an error"):
            daemon.until_logged(line)
        assert "quietly" not in daemon.log()


ADD, REMOVE = "twiddler.addProgramToGroup", "twiddler.removeProcessFromGroup"
TWO = {"command": "/bin/cat", "numprocs": "2", "process_name": "%(program_name)s_%(process_num)d", "startsecs": "0"}


def test_programs_are_added_to_groups_and_processes_taken_away(both):
    compare(
        both,
        [
            ("twiddler.getGroupNames",),
            ("twiddler.getAPIVersion",),
            (ADD, "nobody", "x", {"command": "/bin/cat"}),
            (ADD, "web", "x", {}),
            (ADD, "web", "x", {"command": None}),
            (ADD, "web", "x", {"command": "/bin/cat", "numprocs": 2}),
            (ADD, "web", "x", {"command": "/bin/cat", "startsecs": "soon"}),
            (ADD, "web", "x", {"command": "/bin/cat", "user": "nobody-at-all"}),
            (ADD, "web", "a b", {"command": "/bin/cat"}),
            (ADD, "web", "x", "no options"),
            (ADD, "web", "x", TWO),
            (ADD, "web", "x", TWO),
            (ADD, "web", "b", {"command": "/bin/cat"}),
            (ADD, "web", "off", {"COMMAND": "/bin/cat", "autostart": False, "startsecs": 0}),
            (ADD, "cat", "mouse", {"command": "/bin/sh -c 'echo %(here)s %(group_name)s \"$A\"; exec cat' ; not a comment", "environment": 'A="b"'}),
            (REMOVE, "nobody", "x_0"),
            (REMOVE, "web", "x"),
            (REMOVE, "web", "web:x_0"),
        ],
    )
    for daemon in both:
        daemon.until_running("web:x_0", "web:x_1", "cat:mouse")
        until(lambda: daemon.supervisor("readProcessStdoutLog", "cat:mouse", 0, 0) == f"{daemon.directory} cat b\n", "it has its options")
    compare(
        both,
        [
            (REMOVE, "web", "x_0"),
            ("supervisor.stopProcess", "web:x_0"),
            (REMOVE, "web", "x_0"),
            (REMOVE, "web", "x_0"),
            ("supervisor.getProcessInfo", "web:x_0"),
            (REMOVE, "web", "off"),
            (ADD, "web", "off", {"command": "/bin/cat", "autostart": "false"}),
        ],
    )
    ours, original = both
    assert ours.states() == original.states()
    configured = [[(each["group"], each["name"], each["inuse"]) for each in daemon.supervisor("getAllConfigInfo")] for daemon in both]
    assert sorted(configured[0]) == sorted(configured[1])
    # The file knows nothing of it.
    compare(both, [("supervisor.reloadConfig",)])
    for daemon in both:
        # In the order in which they end, which may be any.
        daemon.supervisor("stopProcessGroup", "web")
    compare(both, [("supervisor.removeProcessGroup", "web"), ("supervisor.addProcessGroup", "web")])
    for daemon in both:
        daemon.until_running("web:b")
    assert ours.states() == original.states()


@pytest.mark.ours("it loads everything, or dies in other words")
def test_an_interface_that_is_not_built_in_is_refused_with_what_is(new_daemon):
    daemon = new_daemon(programs="[rpcinterface:x]\nsupervisor.rpcinterface_factory = nobody.knows:this\n")
    result = daemon.run_to_end()
    assert result.returncode == 2
    assert "nobody.knows:this" in result.stderr and "make_twiddler_rpcinterface" in result.stderr


@pytest.mark.ours("it has a cache for each server, without a limit")
def test_the_cache_has_a_limit(new_daemon):
    daemon = new_daemon(programs=f"[rpcinterface:c]\n{CACHE}").start()
    large = "x" * 1_500_000
    answers = [call(daemon, "c.store", str(number), large) for number in range(12)]
    assert answers[0] is True
    assert answers[-1][:2] == ("fault", 30)
    assert call(daemon, "c.clear") is True
    assert call(daemon, "c.store", "again", large) is True
