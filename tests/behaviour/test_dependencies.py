"""`depends_on`: who is started when, who waits for whom, and the way back down.

A service with a gate is ready when the test says so: its readiness is that a file exists, which the test makes.
"""
import json
import os
import re
import signal

import pytest

from harness.wait import stays, until

# How long something that must not happen is given to happen.
NEVER_SECONDS = 0.5
SLEEP = "/bin/sleep 9999"
# Goes down only when the test has made a file, so a stop takes as long as the test wants.
SLOW_TO_STOP = """/bin/sh -c "trap 'while [ ! -e %(here)s/NAME.may-stop ]; do sleep 0.02; done; exit 0' TERM; while :; do sleep 0.02; done" """
# A oneshot that goes on when the test says so, with the status that the test says.
JOB = """/bin/sh -c "while [ ! -e %(here)s/NAME.end ]; do sleep 0.02; done; exit $(cat %(here)s/NAME.end)" """


def program(name, depends_on="", command=SLEEP, gate=False, **options):
    lines = [f"[program:{name}]", f"command={command.replace('NAME', name)}"]
    options.setdefault("startsecs", 0)
    if depends_on:
        lines.append(f"depends_on={depends_on}")
    if gate:
        lines += [f"readiness=file:%(here)s/{name}.gate", "readiness_interval=100ms"]
    return "\n".join([*lines, *(f"{option}={value}" for option, value in options.items())]) + "\n"


def group(name, *programs, **options):
    return "\n".join([f"[group:{name}]", f"programs={','.join(programs)}", *(f"{option}={value}" for option, value in options.items())]) + "\n"


def job(name, depends_on="", **options):
    return program(name, depends_on, JOB, oneshot="true", autorestart="false", **options)


def open_gate(daemon, name):
    (daemon.directory / f"{name}.gate").touch()


def end_job(daemon, name, status):
    """Takes effect at once, as a half-written file would not."""
    (daemon.directory / f"{name}.new").write_text(f"{status}\n")
    (daemon.directory / f"{name}.new").rename(daemon.directory / f"{name}.end")


def logged(daemon, pattern, least=0):
    """What the log says, when it says so at least that often: it is written a little after something happens."""
    return until(lambda: len(found := re.findall(pattern, daemon.log(), re.M)) >= least and [found], f"{least} lines with {pattern}")[0]


def spawned(daemon, least=0):
    return logged(daemon, r"spawned: '([^']+)' with pid", least)


def stopped(daemon, least=0):
    return logged(daemon, r"stopped: (\S+) \(", least)


def pid(daemon, name):
    return daemon.info(name)["pid"]


def until_waiting(daemon, name, *words):
    """It is STARTING without a process, and the log says what it waits for."""
    info = daemon.until_state(name, "STARTING")
    assert info["pid"] == 0, info
    for text in words:
        daemon.until_logged(rf"{name.split(':')[-1]} waits: .*{re.escape(text)}")
    return info


def goes_on_waiting(daemon, *names):
    def waits():
        infos = [daemon.info(name) for name in names]
        return all((info["statename"], info["pid"]) == ("STARTING", 0) for info in infos)

    stays(waits, f"{', '.join(names)} wait", NEVER_SECONDS)


def update(daemon):
    """What `supervisorctl update` does."""
    result = daemon.control("update")
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


CHAIN = program("web", "api ready", priority=1) + program("api", "db ready", gate=True, priority=2) + program("db", gate=True, priority=3)


# --- the way up


def test_each_starts_when_what_it_needs_is_ready_whatever_the_priorities_say(new_daemon):
    daemon = new_daemon(programs=CHAIN).start()
    daemon.until_running("db")
    until_waiting(daemon, "api", "db is not ready")
    until_waiting(daemon, "web", "api is STARTING")
    goes_on_waiting(daemon, "api", "web")
    open_gate(daemon, "db")
    daemon.until_running("api")
    goes_on_waiting(daemon, "web")
    open_gate(daemon, "api")
    daemon.until_running("web")
    assert spawned(daemon, 3) == ["db", "api", "web"]


def test_started_asks_only_that_it_is_running(new_daemon):
    daemon = new_daemon(programs=program("web", "db started") + program("db", gate=True, startsecs=1)).start()
    until_waiting(daemon, "web", "db is STARTING")
    daemon.until_running("db", "web")
    assert spawned(daemon, 2) == ["db", "web"]
    # It became RUNNING first, and never was ready.
    assert logged(daemon, r"success: (\w+) entered RUNNING", 2) == ["db", "web"]


def test_completed_asks_for_the_end_of_a_job(new_daemon):
    daemon = new_daemon(programs=program("web", "migrate completed") + job("migrate")).start()
    daemon.until_running("migrate")
    until_waiting(daemon, "web", "migrate is at work")
    end_job(daemon, "migrate", 0)
    daemon.until_running("web")
    info = daemon.info("migrate")
    assert (info["statename"], info["exitstatus"]) == ("EXITED", 0)
    assert spawned(daemon, 2) == ["migrate", "web"]


def test_branches_do_not_wait_for_each_other(new_daemon):
    programs = (
        program("left", gate=True) + program("right", gate=True)
        + program("after-left", "left ready") + program("after-right", "right ready")
        + program("top", "after-left ready, after-right ready")
    )
    daemon = new_daemon(programs=programs).start()
    daemon.until_running("left", "right")
    open_gate(daemon, "left")
    daemon.until_running("after-left")
    goes_on_waiting(daemon, "after-right", "top")
    open_gate(daemon, "right")
    daemon.until_running("after-right", "top")
    assert spawned(daemon, 5)[2:] == ["after-left", "after-right", "top"]


def test_what_is_independent_starts_at_once_in_the_order_of_priorities(new_daemon):
    """All are there before the first one is up, which takes a second: nobody waited for anybody."""
    names = ["e", "d", "c", "b", "a"]
    programs = program("root", gate=True) + "".join(
        program(name, "root ready", priority=priority, startsecs=1) for priority, name in enumerate(names)
    )
    daemon = new_daemon(programs=programs).start()
    daemon.until_running("root")
    for name in names:
        until_waiting(daemon, name)
    open_gate(daemon, "root")
    daemon.until_running(*names)
    events = logged(daemon, r"spawned: '(\w)' with|(RUNNING) state, process has stayed up for > than 1 ", 10)
    assert [first or second for first, second in events] == [*names, *["RUNNING"] * 5]


def test_lists_may_be_long_and_stand_on_several_lines(new_daemon):
    needed = [f"n{number}" for number in range(12)]
    lines = ",\n  ".join(f"{name} started" for name in needed)
    daemon = new_daemon(programs=program("web", lines, priority=1) + "".join(program(name) for name in needed)).start()
    daemon.until_running("web")
    order = spawned(daemon, 13)
    assert sorted(order[:-1]) == sorted(needed) and order[-1] == "web"


def test_a_hundred_in_a_row_start_one_after_the_other(new_daemon):
    names = [f"s{number:03}" for number in range(100)]
    programs = program(names[0]) + "".join(program(name, f"{before} ready", priority=1000 - at) for at, (before, name) in enumerate(zip(names, names[1:])))
    daemon = new_daemon(programs=programs).start()
    daemon.until_running(names[-1])
    assert spawned(daemon, len(names)) == names
    assert daemon.stop() == 0
    assert stopped(daemon, len(names)) == names[::-1]


# --- what is written in depends_on


def test_names_are_those_of_groups_of_processes_and_of_programs_inside_groups(new_daemon):
    programs = (
        program("redis", gate=True) + program("postgres", gate=True) + group("dbs", "redis", "postgres")
        + program("worker", numprocs=2, process_name="%(program_name)s_%(process_num)d")
        + program("by-name", "redis ready") + program("by-pair", "dbs:postgres ready")
        + program("by-group", "dbs ready") + program("by-star", "dbs:* ready") + program("by-program", "worker ready")
    )
    daemon = new_daemon(programs=programs).start()
    daemon.until_running("dbs:redis", "dbs:postgres", "by-program")
    goes_on_waiting(daemon, "by-name", "by-pair", "by-group", "by-star")
    open_gate(daemon, "redis")
    daemon.until_running("by-name")
    goes_on_waiting(daemon, "by-pair", "by-group", "by-star")
    open_gate(daemon, "postgres")
    daemon.until_running("by-pair", "by-group", "by-star")
    order = spawned(daemon, 9)
    assert max(order.index("worker_0"), order.index("worker_1")) < order.index("by-program")


@pytest.mark.parametrize(
    "programs, words",
    [
        pytest.param(
            program("web", "api ready") + program("api", "redis ready") + program("redis", "web ready"),
            ["web → api → redis → web", "depends_on"], id="cycle",
        ),
        pytest.param(program("web", "web started"), ["web → web"], id="itself"),
        pytest.param(program("web", "rediss ready") + program("redis"), ["rediss", "redis", "depends_on", "program:web"], id="unknown"),
        pytest.param(
            program("a", numprocs=2, process_name="%(program_name)s_%(process_num)d") + program("one") + program("two")
            + group("g", "one") + group("h", "two") + program("web", "g:two ready"),
            ["g:two"], id="not-in-that-group",
        ),
        pytest.param(program("web", "redis redy") + program("redis"), ["redy", "ready"], id="condition"),
    ],
)
def test_mistakes_are_errors_that_draw_what_is_wrong(new_daemon, programs, words):
    daemon = new_daemon(programs=programs)
    result = daemon.run_to_end()
    assert result.returncode == 2, result
    said = result.stdout + result.stderr
    for word in words:
        assert word in said, said
    assert not daemon.socket.exists()


def test_a_cycle_of_bare_names_is_no_error_and_everything_starts(new_daemon):
    daemon = new_daemon(programs=program("a", "b") + program("b", "c") + program("c", "a") + program("d", "nobody, d")).start()
    daemon.until_running("a", "b", "c", "d")


# --- bare names only order


def test_a_bare_name_is_waited_for_until_it_is_up(new_daemon):
    daemon = new_daemon(programs=program("web", "db", priority=1) + program("db", startsecs=1, priority=2)).start()
    until_waiting(daemon, "web", "db is STARTING")
    daemon.until_running("web")
    assert spawned(daemon, 2) == ["db", "web"]
    assert logged(daemon, r"success: (\w+) entered RUNNING", 2) == ["db", "web"]


def test_a_bare_name_that_fails_is_not_waited_for(new_daemon):
    daemon = new_daemon(programs=program("web", "db", priority=1) + program("db", command="/bin/false", startsecs=1, startretries=0, priority=2)).start()
    daemon.until_running("web")
    daemon.until_state("db", "FATAL")
    assert spawned(daemon, 2) == ["db", "web"]


def test_a_bare_name_pulls_nothing_in_and_stands_in_nobodys_way(new_daemon):
    programs = program("web", "off, nobody, db") + program("off", autostart="false") + program("db", gate=True)
    daemon = new_daemon(programs=programs).start()
    # db is RUNNING, though not ready.
    daemon.until_running("web")
    assert daemon.info("off")["statename"] == "STOPPED"


def test_a_bare_name_is_waited_for_no_longer_than_it_should_take(new_daemon):
    """A dependency that waits itself does not count as started, so only the time ends this: startsecs and five seconds."""
    daemon = new_daemon(programs=program("web", "stuck") + program("stuck", "db ready") + program("db", gate=True)).start()
    until_waiting(daemon, "web", "stuck is STARTING")
    daemon.until_running("web", timeout=15)
    assert daemon.info("stuck")["pid"] == 0
    assert daemon.info("web")["start"] - daemon.info("db")["start"] >= 4


def test_extensions_off_makes_it_mean_nothing_as_under_the_original(new_daemon):
    programs = "[linchpin]\nextensions=off\n" + program("web", "nobody ready, web ready, db ready", priority=1) + program("db", startsecs=1, priority=2)
    daemon = new_daemon(programs=programs).start()
    daemon.until_running("web", "db")
    assert spawned(daemon, 2) == ["web", "db"]
    assert not logged(daemon, "waits")


# --- a start that waits


def test_a_wait_is_shown_to_whoever_asks(new_daemon):
    daemon = new_daemon(programs=CHAIN).start()
    daemon.until_running("db")
    until_waiting(daemon, "web")
    until_waiting(daemon, "api")
    # Of the original's client only the form is known.
    line = daemon.control("status", "web").stdout
    assert re.match(r"^web +STARTING", line), line
    services = {each["service"]: each for each in json.loads(daemon.rpc.linchpin.status(False))["services"]}
    assert {name: each.get("waits_for") for name, each in services.items()} == {"web": ["api is STARTING"], "api": ["db is not ready"], "db": None}


def test_start_is_answered_when_the_wait_is_over(new_daemon):
    daemon = new_daemon(programs=CHAIN.replace("[program:web]", "[program:web]\nautostart=false")).start()
    daemon.until_running("db")
    assert daemon.supervisor("startProcess", "web", False) is True
    until_waiting(daemon, "web")
    open_gate(daemon, "db")
    open_gate(daemon, "api")
    # The second one meets a start that is under way.
    daemon.until_running("web")


def test_stop_cancels_a_wait(new_daemon):
    daemon = new_daemon(programs=CHAIN).start()
    until_waiting(daemon, "api")
    assert daemon.supervisor("stopProcess", "api") is True
    assert daemon.info("api")["statename"] == "STOPPED"
    open_gate(daemon, "db")
    open_gate(daemon, "api")
    stays(lambda: daemon.info("api")["statename"] == "STOPPED", "api stays down", NEVER_SECONDS)
    assert spawned(daemon, 1) == ["db"]


def test_a_shutdown_does_not_wait_for_those_that_wait(new_daemon):
    daemon = new_daemon(programs=CHAIN).start()
    until_waiting(daemon, "web")
    assert daemon.stop() == 0
    assert spawned(daemon, 1) == ["db"]


def test_a_wait_that_takes_too_long_is_a_failed_start(new_daemon):
    programs = program("web", "db ready", depends_timeout="300ms", startretries=1) + program("db", gate=True)
    daemon = new_daemon(programs=programs).start()
    info = daemon.until_state("web", "FATAL")
    assert "db is not ready" in info["spawnerr"], info
    assert len(logged(daemon, "web waits: db is not ready", 2)) == 2, "it was tried startretries times more"
    assert spawned(daemon, 1) == ["db"]


def test_a_dependency_that_goes_while_it_is_waited_for_is_waited_for_again(new_daemon):
    programs = program("web", "a ready, b ready") + program("a", gate=True, autorestart="true") + program("b", gate=True)
    daemon = new_daemon(programs=programs).start()
    open_gate(daemon, "a")
    until_waiting(daemon, "web", "b is not ready")
    assert daemon.supervisor("stopProcess", "a") is True
    open_gate(daemon, "b")
    daemon.until_logged("web waits: .*a is STOPPED")
    goes_on_waiting(daemon, "web")
    daemon.supervisor("startProcess", "a")
    daemon.until_running("web")


# --- who is started with whom


def test_a_start_brings_up_what_is_needed(new_daemon):
    off = {"autostart": "false"}
    programs = (
        program("web", "api ready, hint", **off) + program("api", "db ready, migrate completed", **off) + job("migrate", "db ready", **off)
        + program("db", gate=True, **off) + program("hint", **off) + program("other", "db ready", **off)
    )
    daemon = new_daemon(programs=programs).start()
    assert daemon.supervisor("startProcess", "web", False) is True
    daemon.until_running("db")
    open_gate(daemon, "db")
    daemon.until_running("migrate")
    end_job(daemon, "migrate", 0)
    daemon.until_running("web")
    assert spawned(daemon, 4) == ["db", "migrate", "api", "web"]
    states = {name: daemon.info(name)["statename"] for name in ("hint", "other")}
    assert states == {"hint": "STOPPED", "other": "STOPPED"}, "nobody needs these"
    # A job that is done is not done again.
    for name in ("web", "api"):
        daemon.supervisor("stopProcess", name)
    daemon.supervisor("startProcess", "web")
    assert spawned(daemon, 6)[4:] == ["api", "web"]


def test_what_is_up_already_is_left_alone(new_daemon):
    daemon = new_daemon(programs=program("web", "db ready", autostart="false") + program("db")).start()
    (before,) = daemon.until_running("db")
    daemon.supervisor("startProcess", "web")
    assert daemon.info("web")["statename"] == "RUNNING" and pid(daemon, "db") == before


def test_what_a_person_has_stopped_is_not_brought_up_by_a_restart_of_its_dependents(new_daemon):
    daemon = new_daemon(programs=program("web", "db ready", autorestart="true") + program("db")).start()
    (before,) = daemon.until_running("web")
    daemon.supervisor("stopProcess", "db")
    os.kill(before, signal.SIGKILL)
    until_waiting(daemon, "web", "db is STOPPED")
    goes_on_waiting(daemon, "web")
    assert daemon.info("db")["statename"] == "STOPPED"
    daemon.supervisor("startProcess", "db")
    daemon.until_running("web")


# --- when a dependency fails


@pytest.mark.parametrize(
    "condition, needed",
    [
        pytest.param("completed", job("db", startretries=0), id="job"),
        # It has to stay up for a second, and ends at once while the test wants it to.
        pytest.param("started", program("db", command="""/bin/sh -c "[ ! -e %(here)s/db.end ] || exit $(cat %(here)s/db.end); exec sleep 9999" """, startsecs=1, startretries=0), id="service"),
    ],
)
def test_whoever_waits_for_something_that_fails_goes_on_waiting_until_it_is_mended(new_daemon, condition, needed):
    daemon = new_daemon(programs=program("web", f"db {condition}") + needed)
    end_job(daemon, "db", 7)
    daemon.start()
    daemon.until_state("db", "FATAL")
    daemon.until_logged("web waits: db has failed")
    goes_on_waiting(daemon, "web")
    if condition == "completed":
        end_job(daemon, "db", 0)
    else:
        (daemon.directory / "db.end").unlink()
    daemon.supervisor("startProcess", "db", False)
    daemon.until_running("web")


def test_whoever_is_to_fail_with_it_does_and_so_on(new_daemon):
    programs = (
        program("top", "web ready", on_dependency_failed="fail") + program("web", "db ready", on_dependency_failed="fail")
        + program("patient", "db ready") + program("db", command=JOB, startsecs=9, startretries=0)
    )
    daemon = new_daemon(programs=programs).start()
    until_waiting(daemon, "top")
    end_job(daemon, "db", 7)
    daemon.until_state("web", "FATAL")
    daemon.until_state("top", "FATAL")
    goes_on_waiting(daemon, "patient")
    assert "db has failed" in daemon.info("web")["spawnerr"]
    assert "web has failed" in daemon.info("top")["spawnerr"]


# --- when a dependency is lost


LOST = [
    program("keep", "db ready"),
    program("again", "db ready", on_dependency_lost="restart"),
    program("over", "db ready", on_dependency_lost="stop"),
    program("loose", "db", on_dependency_lost="restart"),
]


def lost_services(new_daemon):
    daemon = new_daemon(programs="".join(LOST) + program("db", gate=True, autorestart="true")).start()
    open_gate(daemon, "db")
    names = ["db", "keep", "again", "over", "loose"]
    return daemon, dict(zip(names, daemon.until_running(*names)))


def test_the_death_of_a_dependency_is_survived_followed_or_obeyed(new_daemon):
    daemon, before = lost_services(new_daemon)
    (daemon.directory / "db.gate").unlink()
    os.kill(before["db"], signal.SIGKILL)
    daemon.until_state("over", "STOPPED")
    until(lambda: pid(daemon, "db") not in (0, before["db"]), "db is back")
    until_waiting(daemon, "again", "db is not ready")
    assert pid(daemon, "keep") == before["keep"] and pid(daemon, "loose") == before["loose"]
    open_gate(daemon, "db")
    daemon.until_running("again")
    assert pid(daemon, "again") != before["again"]
    assert daemon.info("over")["statename"] == "STOPPED"
    assert pid(daemon, "keep") == before["keep"]


def test_the_stop_of_a_dependency_takes_those_with_it_that_want_it_and_first(new_daemon):
    daemon, before = lost_services(new_daemon)
    assert daemon.supervisor("stopProcess", "db") is True
    daemon.until_state("over", "STOPPED")
    until_waiting(daemon, "again", "db is STOPPED")
    order = stopped(daemon, 3)
    assert sorted(order[:2]) == ["again", "over"] and order[2:] == ["db"], order
    assert pid(daemon, "keep") == before["keep"] and pid(daemon, "loose") == before["loose"]
    daemon.supervisor("startProcess", "db")
    daemon.until_running("again")
    assert daemon.info("over")["statename"] == "STOPPED"


def test_a_dependency_that_is_not_ready_for_a_while_is_not_lost(new_daemon):
    daemon, before = lost_services(new_daemon)
    (daemon.directory / "db.gate").unlink()

    def unchanged():
        return {name: pid(daemon, name) for name in before} == before

    # A tenth of a second is its interval, and three failures make it unready.
    stays(unchanged, "nobody was stopped", 3 * NEVER_SECONDS)


# --- the way down


def test_stop_all_waits_for_dependents_before_it_stops_what_they_need(new_daemon):
    programs = (
        program("web", "api ready", command=SLOW_TO_STOP, priority=1, stopwaitsecs=60) + program("api", "db ready", command=SLOW_TO_STOP, priority=2, stopwaitsecs=60)
        + program("db", priority=3) + program("free", priority=4)
    )
    daemon = new_daemon(programs=programs).start()
    daemon.until_running("web", "free")
    daemon.supervisor("stopAllProcesses", False)
    daemon.until_state("web", "STOPPING")
    daemon.until_state("free", "STOPPED")
    stays(lambda: daemon.info("api")["statename"] == daemon.info("db")["statename"] == "RUNNING", "api and db are needed", NEVER_SECONDS)
    (daemon.directory / "web.may-stop").touch()
    daemon.until_state("api", "STOPPING")
    assert daemon.info("db")["statename"] == "RUNNING"
    (daemon.directory / "api.may-stop").touch()
    daemon.until_state("db", "STOPPED")
    assert stopped(daemon, 4) == ["free", "web", "api", "db"]


def test_a_stop_of_a_group_keeps_the_order_inside_of_it(new_daemon):
    programs = program("a") + program("b", "a ready") + program("c", "b ready") + group("g", "a", "b", "c")
    daemon = new_daemon(programs=programs).start()
    daemon.until_running("g:c")
    answers = daemon.supervisor("stopProcessGroup", "g")
    assert sorted((each["name"], each["description"]) for each in answers) == [("a", "OK"), ("b", "OK"), ("c", "OK")]
    assert stopped(daemon, 3) == ["c", "b", "a"]


def test_a_shutdown_goes_against_the_dependencies_even_against_priorities(new_daemon):
    # By priority alone db would be stopped first: the highest goes first.
    programs = (
        program("web", "api ready", priority=1, command=SLOW_TO_STOP, stopwaitsecs=60) + program("api", "db ready", priority=2) + program("db", priority=3)
    )
    daemon = new_daemon(programs=programs).start()
    daemon.until_running("web")
    daemon.signal(signal.SIGTERM)
    daemon.until_logged("waiting for .*web.* to die")
    stays(lambda: not stopped(daemon), "api and db are needed", NEVER_SECONDS)
    (daemon.directory / "web.may-stop").touch()
    assert daemon.process.wait(30) == 0
    assert stopped(daemon, 3) == ["web", "api", "db"]


def test_restart_all_goes_down_and_up_in_order(new_daemon):
    daemon = new_daemon(programs=CHAIN).start()
    open_gate(daemon, "db")
    open_gate(daemon, "api")
    daemon.until_running("web")
    result = daemon.control("restart", "all")
    assert result.returncode == 0, result
    daemon.until_running("db", "api", "web")
    assert stopped(daemon, 3) == ["web", "api", "db"]
    assert spawned(daemon, 6) == ["db", "api", "web"] * 2


def test_a_restart_of_one_leaves_its_dependents_alone_unless_they_want_otherwise(new_daemon):
    daemon, before = lost_services(new_daemon)
    result = daemon.control("restart", "db")
    assert result.returncode == 0, result
    daemon.until_running("again")
    assert pid(daemon, "db") != before["db"] and pid(daemon, "again") != before["again"]
    assert pid(daemon, "keep") == before["keep"]
    assert daemon.info("over")["statename"] == "STOPPED"


# --- another configuration


def test_a_dependency_may_be_added_and_taken_away_by_an_update(new_daemon):
    bound, free = program("web", "db ready"), program("web")
    db = program("db", gate=True)
    daemon = new_daemon(programs=free + db).start()
    daemon.until_running("web", "db")
    daemon.configure(bound + db)
    update(daemon)
    until_waiting(daemon, "web", "db is not ready")
    daemon.configure(free + db)
    update(daemon)
    daemon.until_running("web")
    assert spawned(daemon, 3).count("db") == 1


def test_an_update_with_a_cycle_is_refused_and_changes_nothing(new_daemon):
    daemon = new_daemon(programs=program("web", "db ready") + program("db")).start()
    before = daemon.until_running("web", "db")
    daemon.configure(program("web", "db ready") + program("db", "web ready"))
    result = daemon.control("update")
    assert "web → db → web" in result.stdout + result.stderr, result
    assert daemon.until_running("web", "db") == before


def test_a_dependency_that_is_removed_and_added_again_is_found_again(new_daemon):
    web, db = program("web", "db ready"), program("db", gate=True)
    daemon = new_daemon(programs=web + db).start()
    until_waiting(daemon, "web", "db is not ready")
    # Only a client can take away what the file still needs.
    daemon.supervisor("stopProcess", "db")
    assert daemon.supervisor("removeProcessGroup", "db") is True
    daemon.until_logged("web waits: there is no db")
    goes_on_waiting(daemon, "web")
    assert daemon.supervisor("addProcessGroup", "db") is True
    open_gate(daemon, "db")
    daemon.until_running("web")
