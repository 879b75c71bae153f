"""superlance's crashmail writes a mail when a program ends unexpectedly, and none when it was expected to."""
from harness.wait import until

PROGRAMS = """
[program:crashes]
command=/bin/sh -c 'sleep 2; exit 3'
autorestart=false
[program:ends]
command=/bin/sh -c 'sleep 1.5; exit 0'
autorestart=false
"""


def test_an_unexpected_end_is_told_and_an_expected_one_is_not(new_daemon, program, sendmail):
    script, mails = sendmail
    daemon = new_daemon(
        programs=PROGRAMS + f"[eventlistener:crashmail]\ncommand={program('crashmail')} -a -s {script} -m ops@example.org\nevents=PROCESS_STATE_EXITED\n"
    ).start()
    daemon.until_running("crashes")
    pid = daemon.info("crashes")["pid"]
    until(lambda: "crashes" in mails(), "a mail", 60)
    assert f"Process crashes in group crashes exited unexpectedly (pid {pid}) from state RUNNING" in mails()
    daemon.until_state("ends", "EXITED")
    assert "Process ends" not in mails()
