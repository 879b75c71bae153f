"""supervisor-checks restart what fails a check, by XML-RPC from a listener."""
from harness.wait import until

PROGRAMS = "[program:web]\ncommand=/bin/sleep 9999\nnumprocs=2\nprocess_name=web_%(process_num)d\n"


def test_http_check_restarts_every_process_of_the_group(new_daemon, program, closed_port):
    check = program("supervisor_http_check")
    daemon = new_daemon(
        programs=PROGRAMS + f"[eventlistener:check]\ncommand={check} -n health -g web -u /ping -p {closed_port} -t 1 -r 1\nevents=TICK_5\n"
    ).start()
    before = daemon.until_running("web:web_0", "web:web_1")
    for name, pid in zip(("web:web_0", "web:web_1"), before):
        until(lambda: daemon.info(name)["pid"] not in (0, pid), f"another process of {name}", 60)


def test_http_check_that_succeeds_says_so_and_does_nothing(new_daemon, program, web_server):
    address, requests, _ = web_server
    check = program("supervisor_http_check")
    daemon = new_daemon(
        programs=PROGRAMS
        + f"[eventlistener:check]\ncommand={check} -n health -g web -u /ping -p {address.rsplit(':')[1]} -t 5 -r 1\nevents=TICK_5\nstderr_logfile=%(here)s/check.log\n"
    ).start()
    before = daemon.until_running("web:web_0", "web:web_1")
    daemon.until_file("check.log", "succeeded", 60)
    assert [daemon.info(name)["pid"] for name in ("web:web_0", "web:web_1")] == before
    assert requests[0][:2] == ("GET", "/ping")


def test_xmlrpc_and_memory_checks_see_the_process(new_daemon, program):
    daemon = new_daemon(
        programs=PROGRAMS
        + f"[eventlistener:check]\ncommand={program('supervisor_memory_check')} -n memory -g web -m 1\nevents=TICK_5\nstderr_logfile=%(here)s/check.log\n"
    ).start()
    before = daemon.until_running("web:web_0")
    until(lambda: daemon.info("web:web_0")["pid"] not in (0, *before), "a process larger than 1 KB is restarted", 60)
