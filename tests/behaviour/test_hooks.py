"""Commands around the life of a service: when they run, as whom, for how long, and what becomes of those that hang."""
import os
import shutil
import threading

import pytest

from harness.held_exec import HeldExec
from harness.processes import marked, process
from harness.wait import stays, until

pytestmark = pytest.mark.ours("it knows nothing of this")


def configured(daemon, *options, command="/bin/sleep 9999", startsecs=0):
    lines = "\n".join(options)
    return daemon.configure(
        f"[program:web]\ncommand={command}\nstartsecs={startsecs}\nstopwaitsecs=5\n{lines}\n"
        "[program:free]\ncommand=/bin/sleep 9999\nstartsecs=0\n"
    )


def note(name, what=""):
    """A hook that writes its name, and something of its environment, to a file."""
    return f"{name}=/bin/sh -c 'echo {name} {what} >> %(here)s/hooks'"


def notes(daemon):
    return daemon.read("hooks").splitlines()


def names_of_left(daemon):
    return sorted(each.name for each in map(process, marked(daemon.marker)) if each and each.state != "Z")


# Says where the hooks do when it is up and when it is told to stop.
SPEAKS = "/bin/sh -c 'trap \"echo told >> %(here)s/hooks; exit 0\" TERM; echo up >> %(here)s/hooks; while :; do sleep 0.02; done'"


def until_up(daemon):
    until(lambda: notes(daemon) == ["up"], "it is up")
    # It may say so before the daemon has heard that it was started.
    daemon.until_running("web")


def test_each_runs_at_its_point(new_daemon):
    daemon = configured(
        new_daemon(),
        note("pre_start", "${MAINPID-none}"),
        note("post_start", "$MAINPID"),
        note("pre_stop", "$MAINPID"),
        note("post_stop", "${MAINPID-none} $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS"),
        command=SPEAKS,
    ).start()
    (pid, _) = daemon.until_running("web", "free")
    until(lambda: len(notes(daemon)) == 3, "it is up")
    daemon.supervisor("stopProcess", "web")
    until(lambda: len(notes(daemon)) == 6, "it is down")
    lines = notes(daemon)
    assert lines[0] == "pre_start none"
    assert sorted(lines[1:3]) == [f"post_start {pid}", "up"]
    assert lines[3:] == [f"pre_stop {pid}", "told", "post_stop none success exited 0"]


@pytest.mark.parametrize(
    "command, words",
    [
        ("/bin/sh -c 'exit 3'", "exit-code exited 3"),
        ("/bin/sh -c 'exit 2'", "success exited 2"),
        ("/bin/sh -c 'kill -KILL $$'", "signal killed KILL"),
    ],
)
def test_the_last_one_knows_how_it_ended(new_daemon, command, words):
    daemon = configured(
        new_daemon(),
        note("post_stop", "$SERVICE_RESULT $EXIT_CODE $EXIT_STATUS"),
        "exitcodes=0,2",
        "autorestart=false",
        command=command,
    ).start()
    until(lambda: notes(daemon), "it has run")
    assert notes(daemon) == [f"post_stop {words}"]


def test_it_runs_as_the_service_does(new_daemon):
    daemon = new_daemon()
    what = "$(pwd) $(umask) $COLOUR $SUPERVISOR_PROCESS_NAME $LINCHPIN_HOOK $(readlink /proc/self/fd/0)"
    options = ["directory=/usr", "umask=027", 'environment=COLOUR="blue"']
    user = "root"
    if os.geteuid() == 0:
        options.append("user=nobody")
        daemon.directory.chmod(0o777)
        user = "nobody"
    configured(daemon, note("pre_start", f"$(id -un) {what}"), *options).start()
    until(lambda: notes(daemon), "it has run")
    expected = f"/usr 0027 blue web pre_start /dev/null"
    assert notes(daemon)[0].endswith(expected)
    if os.geteuid() == 0:
        assert notes(daemon) == [f"pre_start {user} {expected}"]


def test_a_start_fails_with_what_comes_before_it(new_daemon):
    daemon = configured(
        new_daemon(),
        "pre_start=/bin/sh -c 'echo looking; echo no database >&2; exit 4'",
        "startretries=1",
    ).start()
    info = daemon.until_state("web", "FATAL")
    assert "pre_start" in info["spawnerr"] and "exit status 4" in info["spawnerr"]
    assert "no database" in info["spawnerr"]
    assert "spawned: 'web'" not in daemon.log()


def test_a_command_that_is_not_there_is_named(new_daemon):
    daemon = configured(new_daemon(), "pre_start=/no/such/hook", "startretries=0").start()
    info = daemon.until_state("web", "FATAL")
    assert "can't find command '/no/such/hook'" in info["spawnerr"]


def test_what_comes_after_a_start_may_fail(new_daemon):
    daemon = configured(new_daemon(), "post_start=/bin/sh -c 'echo sorry; exit 9'").start()
    daemon.until_logged(r"post_start of web failed: exit status 9: sorry")
    assert daemon.info("web")["statename"] == "RUNNING"


@pytest.mark.parametrize("point", ["pre_stop", "post_stop"])
def test_one_that_takes_too_long_is_killed_with_its_children(new_daemon, point):
    daemon = configured(
        new_daemon(),
        f"{point}=/bin/sh -c 'sleep 8888 & sleep 7777'",
        f"{point}_timeout=300ms",
    ).start()
    daemon.until_running("web", "free")
    daemon.supervisor("stopProcess", "web")
    daemon.until_logged(rf"{point} of web failed: no end within 0\.3 s")
    until(lambda: names_of_left(daemon) == ["linchpin", "sleep"], "only the other service is left")


@pytest.mark.parametrize("point", ["pre_stop", "stop_command"])
def test_the_signal_comes_after_one_that_hangs(new_daemon, point):
    hook = f"{point}=/bin/sh -c 'exec sleep 8888'"
    daemon = configured(new_daemon(), hook, f"{point}_timeout=200ms", command=SPEAKS).start()
    until_up(daemon)
    daemon.supervisor("stopProcess", "web")
    daemon.until_logged(rf"{point} of web failed: no end within 0\.2 s")
    assert notes(daemon) == ["up", "told"]
    until(lambda: names_of_left(daemon) == ["linchpin", "sleep"], "only the other service is left")


def test_the_next_start_waits_for_what_comes_after_a_stop(new_daemon):
    clean = "echo cleaning >> %(here)s/hooks; until test -e %(here)s/let; do sleep 0.02; done; echo clean >> %(here)s/hooks"
    daemon = configured(new_daemon(), f"post_stop=/bin/sh -c '{clean}'", command=SPEAKS).start()
    until_up(daemon)
    daemon.supervisor("stopProcess", "web")
    until(lambda: notes(daemon) == ["up", "told", "cleaning"], "the hook is at work")
    started = threading.Thread(target=daemon.supervisor, args=("startProcess", "web"))
    started.start()
    daemon.until_state("web", "STARTING")
    stays(lambda: notes(daemon) == ["up", "told", "cleaning"], "it waits", 0.2)
    (daemon.directory / "let").touch()
    started.join()
    until(lambda: notes(daemon) == ["up", "told", "cleaning", "clean", "up"], "it is started then")


def test_the_end_of_the_daemon_waits_for_what_comes_after_a_stop(new_daemon):
    hook = "post_stop=/bin/sh -c 'sleep 0.3; echo post_stop >> %(here)s/hooks'"
    daemon = configured(new_daemon(), hook, command=SPEAKS).start()
    until_up(daemon)
    assert daemon.stop() == 0
    assert notes(daemon) == ["up", "told", "post_stop"]


def test_what_one_leaves_in_the_background_is_ended(new_daemon):
    daemon = configured(new_daemon(), "pre_start=/bin/sh -c 'sleep 8888 & exit 0'").start()
    daemon.until_running("web", "free")
    until(lambda: names_of_left(daemon) == ["linchpin", "sleep", "sleep"], "only the services are left")


def test_a_command_can_stop_a_service(new_daemon):
    daemon = configured(
        new_daemon(),
        "stop_command=/bin/sh -c 'kill -USR1 $MAINPID'",
        command="/bin/sh -c 'trap \"exit 7\" USR1; trap \"\" TERM; while :; do sleep 0.02; done'",
    ).start()
    daemon.until_running("web")
    daemon.supervisor("stopProcess", "web")
    daemon.until_logged(r"stopped: web \(exit status 7\)")
    assert "SIGKILL" not in daemon.log()


def test_a_stop_command_that_does_nothing_does_not_keep_the_service(new_daemon):
    daemon = configured(new_daemon(), "stop_command=/bin/true", "stopwaitsecs=1").start()
    daemon.until_running("web")
    daemon.supervisor("stopProcess", "web")
    daemon.until_logged(r"stopped: web \(terminated by SIGKILL\)")


def test_a_stop_ends_a_start_that_is_still_being_prepared(new_daemon):
    daemon = configured(new_daemon(), "pre_start=/bin/sh -c 'touch %(here)s/begun; sleep 8888'").start()
    until(lambda: (daemon.directory / "begun").exists(), "it has begun")
    daemon.supervisor("stopProcess", "web")
    assert daemon.info("web")["statename"] == "STOPPED"
    daemon.until_running("free")
    until(lambda: names_of_left(daemon) == ["linchpin", "sleep"], "it is killed")


def test_nothing_of_it_is_left_by_the_end_of_the_daemon(new_daemon):
    daemon = configured(new_daemon(), "post_start=/bin/sh -c 'touch %(here)s/begun; sleep 8888'").start()
    until(lambda: (daemon.directory / "begun").exists(), "it has begun")
    assert daemon.stop() == 0
    until(lambda: not marked(daemon.marker), "nothing is left")


def test_a_flood_of_output_keeps_nobody_waiting(new_daemon):
    daemon = configured(new_daemon(), "post_start=/bin/sh -c 'yes'", "post_start_timeout=1s").start()
    daemon.until_running("web", "free")
    for _ in range(50):
        assert daemon.info("free")["statename"] == "RUNNING"
    daemon.until_logged(r"post_start of web failed: no end within 1 s: y")


def test_many_at_once_all_run(new_daemon):
    programs = "".join(
        f"[program:p{number}]\ncommand=/bin/sleep 9999\nstartsecs=0\nautostart=false\n"
        f"pre_start=/bin/sh -c 'sleep 0.1; echo {number} >> %(here)s/hooks'\n"
        for number in range(300)
    )
    daemon = new_daemon().configure(programs).start()
    daemon.supervisor("startAllProcesses")
    until(lambda: set(daemon.states().values()) == {"RUNNING"}, "all are up", 60)
    assert sorted(map(int, notes(daemon))) == list(range(300))


@pytest.mark.root
def test_one_whose_exec_hangs_fails_in_its_time_and_never_runs(new_daemon):
    daemon = new_daemon()
    program = daemon.directory / "stuck-hook"
    shutil.copy("/bin/sleep", program)
    program.chmod(0o755)
    configured(daemon, f"pre_start={program} 9999", "pre_start_timeout=500ms", "startretries=0")
    try:
        held = HeldExec(program)
    except OSError as error:
        pytest.skip(f"this kernel cannot hold back an exec: {error}")
    try:
        daemon.start()
        daemon.until_running("free")
        info = daemon.until_state("web", "FATAL")
        assert "not started within 0.5 s" in info["spawnerr"], info
        # A further start waits a moment for the one that hangs, and then fails, too: it holds no second thread.
        threads = len(os.listdir(f"/proc/{daemon.pid}/task"))
        for _ in range(3):
            daemon.control("start", "web")
            daemon.until_state("web", "FATAL")
        assert len(held.waiting) == 1
        assert len(os.listdir(f"/proc/{daemon.pid}/task")) <= threads
        daemon.supervisor("stopProcess", "free")
        daemon.supervisor("startProcess", "free")
        held.let_go()
        until(lambda: "stuck-hook" not in names_of_left(daemon), "it is killed")
        assert daemon.stop() == 0
    finally:
        held.close()


def test_a_restart_of_the_daemon_leaves_no_hook_behind(new_daemon):
    daemon = configured(new_daemon(), "post_start=/bin/sh -c 'touch %(here)s/begun; exec sleep 8888'").start()
    until(lambda: (daemon.directory / "begun").exists(), "it has begun")
    daemon.supervisor("restart")
    daemon.until_logged("supervisord started with pid", count=2)
    daemon.until_running("web", "free")
    until(lambda: names_of_left(daemon).count("sleep") == 3, "two services and one hook")
    assert daemon.stop() == 0
    until(lambda: not marked(daemon.marker), "nothing is left")
