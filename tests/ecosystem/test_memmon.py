"""superlance's memmon restarts a program that has grown too large, and writes a mail about it."""
import shutil

import pytest

from harness.wait import until


@pytest.mark.skipif(not shutil.which("ps"), reason="needs ps (Debian: procps)")
def test_a_program_that_is_too_large_is_restarted_and_others_are_not(new_daemon, program, sendmail):
    script, mails = sendmail
    daemon = new_daemon(
        programs="[program:large]\ncommand=/bin/sleep 9999\n[program:small]\ncommand=/bin/sleep 9999\n"
        "[group:pair]\nprograms=large,small\n"
        f"[eventlistener:memmon]\ncommand={program('memmon')} -p large=1KB -p small=1GB -s {script} -m ops@example.org\nevents=TICK_5\n"
    ).start()
    large, small = daemon.until_running("pair:large", "pair:small")
    until(lambda: "pair:large" in mails(), "a mail", 60)
    until(lambda: daemon.info("pair:large")["pid"] not in (0, large), "another process", 60)
    assert daemon.info("pair:small")["pid"] == small
    assert "process pair:large restarted" in mails() and "process pair:small" not in mails()
