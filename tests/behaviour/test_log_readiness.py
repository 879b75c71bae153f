"""Readiness by a line of the output (`readiness=log:…`)."""


def test_what_a_service_says_at_once_is_heard_however_soon_it_is(new_daemon):
    """The line may be read before the daemon's loop knows of the process: many are started at the same time."""
    programs = "[program:quick]\nprocess_name=%(process_num)02d\nnumprocs=50\ncommand=/bin/sh -c 'echo ready; exec sleep 9999'\nreadiness=log:^ready$\nstartsecs=0\n"
    daemon = new_daemon(programs=programs + "[program:web]\ncommand=/bin/sleep 9999\ndepends_on=quick ready\nstartsecs=0\n").start()
    daemon.until_running("web")


def test_each_start_has_to_say_it_anew(new_daemon):
    """What matched in an earlier start does not count, nor does what only contains the beginning of the line."""
    command = """/bin/sh -c 'echo "not ready"; while [ ! -e %(here)s/gate ]; do sleep 0.02; done; rm %(here)s/gate; echo ready; exec sleep 9999'"""
    programs = f"[program:db]\ncommand={command}\nreadiness=log:^ready$\nstartsecs=0\n[program:web]\ncommand=/bin/sleep 9999\ndepends_on=db ready\nstartsecs=0\n"
    daemon = new_daemon(programs=programs).start()
    daemon.until_logged("web waits: db is not ready")
    (daemon.directory / "gate").touch()
    daemon.until_running("web")
    for name in ("web", "db"):
        daemon.supervisor("stopProcess", name)
    daemon.supervisor("startProcess", "web", False)
    daemon.until_running("db")
    assert daemon.info("web")["pid"] == 0
    (daemon.directory / "gate").touch()
    daemon.until_running("web")
