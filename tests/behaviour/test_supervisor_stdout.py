"""The command of the package `supervisor_stdout` is in the binary, for images in which it is not installed."""
import pytest

pytestmark = pytest.mark.ours("it needs the package")
PROGRAMS = """
[eventlistener:stdout]
command = supervisor_stdout
buffer_size = 100
events = PROCESS_LOG
result_handler = supervisor_stdout:event_handler
[program:talker]
command=/bin/sh -c 'echo first; echo "ä second €" >&2; exec sleep 9999'
stdout_events_enabled=true
stderr_events_enabled=true
startsecs=0
"""


def test_its_listener_answers_so_that_output_is_printed(new_daemon):
    daemon = new_daemon(programs=PROGRAMS).start("-s")
    daemon.until_file("daemon.out", contains="talker stdout | first\n")
    daemon.until_file("daemon.out", contains="talker stderr | ä second €\n")
    assert daemon.info("stdout")["statename"] == "RUNNING"
    assert "rejected" not in daemon.log() and "UNKNOWN" not in daemon.log()


def test_one_that_is_installed_is_run_instead(new_daemon):
    daemon = new_daemon(programs=PROGRAMS)
    other = daemon.directory / "supervisor_stdout"
    other.write_text("#!/bin/sh\necho this is another > %s/other\nexec sleep 9999\n" % daemon.directory)
    other.chmod(0o755)
    daemon.start(environment={"PATH": f"{daemon.directory}:/usr/bin:/bin"})
    daemon.until_file("other", contains="another")
